from pathlib import Path

from sqlalchemy import inspect, text

from app.kit import migrating
from app.kit.db import Database
from app.kit.models import Scope
from tests.conftest import opened


def test_migrating_twice_is_harmless(tmp_path: Path):
    with opened(f"sqlite:///{tmp_path / 'new.sqlite'}") as database:
        migrating.migrate(database)
        migrating.migrate(database)
        assert Scope.__tablename__ in inspect(database.write_engine).get_table_names()


def test_what_the_schema_lacks_is_found(database: Database):
    with database.write_engine.begin() as connection:
        connection.execute(text("ALTER TABLE kit_scope ADD COLUMN planted INTEGER"))
    found = migrating.differences(database)
    assert [(kind, column.name) for kind, _, _, column in found] == [("remove_column", "planted")]
