from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Date,
    Float,
    Integer,
    LargeBinary,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

from app.kit import migrating
from app.kit.db import Database, Db
from app.kit.i18n import Bilingual, BilingualText
from app.kit.models import Scope
from app.kit.pen import Pen
from tests.breadth import SOAK
from tests.cast import CAST, NOW, SLUG, make_application
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


def test_down_and_up_again_every_value_is_still_there(either_database: Database):
    """As far down as there are tables, and up again, with rows in every table: whatever column both sides of a step
    have holds what it held. Three revisions are a step, one in a soak, and one that changes what rows hold always."""
    Pen(either_database).write_now(SLUG, fill)
    every = revisions()
    alone = [every.index(name) - before for name in (*DOWN, *UP) for before in (0, 1)]
    lines = [name for at, name in enumerate(every) if SOAK or at % 3 == 0 or at in alone or name == every[-1]]
    now = shot(either_database)
    assert [name for name, rows in now.items() if not rows] == [], "what is empty shows nothing"
    going_down = {lines[-1]: now}
    down: dict[str, set[str]] = {}
    up: dict[str, set[str]] = {}
    for lower, upper in zip(lines[-2::-1], lines[:0:-1], strict=True):
        migrating.downgrade(either_database, lower)
        going_down[lower] = shot(either_database)
        down[upper] = changed(going_down[upper], going_down[lower])
    for _, upper in pairwise(lines):
        before = shot(either_database)
        migrating.migrate(either_database, upper)
        up[upper] = changed(before, shot(either_database))
    assert {name: which for name, which in down.items() if which} == DOWN
    assert {name: which for name, which in up.items() if which} == UP
    after = shot(either_database)
    assert set(going_down[lines[0]]) < set(after)
    assert migrating.differences(either_database) == []


DOWN = {"20261129_0900": {"accounts_login"}}
"""Revision → columns that hold something else where it is taken back, or tables with other rows: sign-ins that owe
their second factor end, because without it they would be whole."""
UP: dict[str, set[str]] = {}
"""The same where it comes."""
Shot = dict[str, list[dict[str, Any]]]


def revisions() -> list[str]:
    """Every revision, the first one first."""
    names = sorted(path.stem for path in (migrating.MIGRATIONS / "versions").glob("*_*.py"))
    return ["_".join(name.replace("-", "").split("_")[:2]) for name in names]


def shot(database: Database) -> Shot:
    """Every row of every table as the database gives it."""
    with database.write_engine.connect() as connection:
        names = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
        return {
            name: [dict(row) for row in connection.execute(text(f'SELECT * FROM "{name}"')).mappings()]  # noqa: S608
            for name in names
        }


def changed(one: Shot, other: Shot) -> set[str]:
    """Which columns that are in both have not the same values, row by row; `table` alone where rows came or went."""
    found = set()
    for name in one.keys() & other.keys():
        if len(one[name]) != len(other[name]):
            found.add(name)
        elif one[name]:
            key = [column for column in ("id", *one[name][0]) if column in one[name][0] and column in other[name][0]]
            here, there = (
                sorted(shots[name], key=lambda row: repr([row[each] for each in key])) for shots in (one, other)
            )
            found |= {
                f"{name}.{column}" for column in key if [row[column] for row in here] != [row[column] for row in there]
            }
    return found


def fill(db: Db) -> None:
    """People who registered, and a row in every table that is empty still."""
    for figure in CAST:
        make_application(db, figure)
    db.flush()
    for each in SQLModel.metadata.sorted_tables:
        if db.execute(select(func.count()).select_from(each)).scalar_one() == 0:
            db.execute(insert(each).values(**{column.name: made_up(db, column) for column in each.c}))


def made_up(db: Db, column: Any) -> Any:
    """Something that the column can hold: the first row that it can point at, or a value of its kind."""
    if column.foreign_keys:
        target = next(iter(column.foreign_keys)).column
        if target.table is column.table:
            return None
        return db.execute(select(func.min(target))).scalar_one()
    if (column.table.name, column.name) == ("registration_pick", "state"):
        return "seated"  # it has a number, as the table's own rule wants
    kind = column.type
    if isinstance(kind, BilingualText):
        return Bilingual("Words", "ពាក្យ")
    for known, value in VALUES.items():
        if isinstance(kind, known):
            return value
    return "made up"


VALUES: dict[Any, Any] = {
    JSON: {"made": "up"},
    UTCDateTime: NOW,
    Date: NOW.date(),
    Boolean: True,
    Integer: 7,
    Float: 0.5,
    LargeBinary: b"made up",
}
