from pathlib import Path

from sqlalchemy import inspect, text

from app.kit import migrating
from app.kit.db import Database
from app.kit.models import Scope
from app.kit.pen import Pen
from tests.cast import CAST, SLUG, make_application
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


def test_down_and_up_again_every_row_is_still_there(either_database: Database):
    Pen(either_database).write_now(SLUG, lambda db: [make_application(db, figure).code for figure in CAST])
    before = rows(either_database)
    assert before["registration_seat"] > 1
    migrating.downgrade(either_database, "20261122_1500")
    old = rows(either_database)
    assert set(before) > set(old)
    assert {name: old[name] for name in PEOPLE} == {name: before[name] for name in PEOPLE}
    migrating.migrate(either_database)
    after = rows(either_database)
    assert {name: after[name] for name in old} == {name: before[name] for name in old}
    assert migrating.differences(either_database) == []


PEOPLE = ("registration_application", "registration_seat", "registration_category", "audit_fact", "mail_message")


def rows(database: Database) -> dict[str, int]:
    """How many rows each table has."""
    with database.write_engine.connect() as connection:
        names = inspect(connection).get_table_names()
        return {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names}  # noqa: S608
