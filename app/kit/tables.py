"""The base of every table: constraints get names from the table and column, the same on every database."""

from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

SQLModel.model_config["defer_build"] = True
"""Tables never check a row (`app.kit.inputs` checks what comes in): what would do it is not built at every start."""

__all__ = ["Field", "SQLModel"]
