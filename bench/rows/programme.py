"""A programme of 480 sessions edited, published, loaded and exported, beside one of 24: no step may grow faster than
the number of sessions."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

from sqlalchemy import event, select

from app.accounts.actor import Actor
from app.editions.exporting import export
from app.editions.loading import load as load_edition
from app.editions.reading import read_forum_file
from app.forum.queries import forum_by_slug, forum_id
from app.kit import clock
from app.kit.db import Database, Db, table
from app.kit.pen import Pen
from app.programme.editing import move
from app.programme.inputs import MoveInput
from app.programme.models import Session
from app.programme.publishing import publish
from bench.house import LARGE, SMALL, Bench, opened
from bench.report import Figure, paired

ROUNDS = 3
GROWTH = 480 / 24
"""How many times as many sessions the large edition has."""


def steps(bench: Bench) -> Iterator[Figure]:
    """Each step with its time and how many queries it takes, in turn on both editions."""
    environment = bench.copy()
    with opened(environment) as database:
        pen = Pen(database)
        for name, step in STEPS.items():
            times: dict[str, list[float]] = {SMALL: [], LARGE: []}
            asked = {SMALL: 0, LARGE: 0}
            for turn in range(1 if bench.quick else ROUNDS):
                for slug in (SMALL, LARGE):
                    work = step(bench, slug, turn)
                    with counting(database) as counted:
                        began = time.perf_counter()
                        pen.write_now(slug, work)
                        times[slug].append((time.perf_counter() - began) * 1000)
                    asked[slug] = len(counted)
            ratios = tuple(ratio / GROWTH for ratio in paired(times[LARGE], times[SMALL]))
            yield Figure(
                row=f"programme-{name}",
                what=f"{name} with 480 sessions",
                value=median(times[LARGE]),
                unit="ms",
                ratios=ratios,
                limit=median(times[SMALL]) * GROWTH,
                against="twenty times that of 24 sessions",
                target=1.0,
                at_most=True,
                more={
                    "with 24": f"{median(times[SMALL]):.1f} ms",
                    "queries": f"{asked[LARGE]} (with 24: {asked[SMALL]})",
                },
            )


Work = Callable[[Db], Any]


def _edit(_: Bench, slug: str, turn: int) -> Work:
    """Move one session by some minutes and look for the conflicts that makes."""

    def work(db: Db) -> None:
        forum, sessions = forum_by_slug(db, slug), table(Session).c
        row = db.execute(select(sessions).where(sessions.forum_id == forum_id(forum), sessions.code == "B1-05")).one()
        there = row.starts_at.replace(minute=(1, 2, 3, 4, 0)[turn % 5])
        wanted = MoveInput(starts_at=there, minutes=20, room="mekong", reason="The benchmark moves it.")
        move(db, Actor.operator(), forum, row.code, wanted, edition=row.edition, now=clock.now())

    return work


def _publish(_: Bench, slug: str, __: int) -> Work:
    """Publish the working copy as the next version."""

    def work(db: Db) -> None:
        _edit(_, slug, __)(db)
        publish(db, Actor.operator(), forum_by_slug(db, slug), reason="The benchmark publishes it.", now=clock.now())

    return work


def _export(_: Bench, slug: str, __: int) -> Work:
    """Write the edition as a file."""
    return lambda db: export(db, slug)


def _load(bench: Bench, slug: str, _: int) -> Work:
    """Read the edition's file and load it, which brings every session back to it."""
    content = (bench.folder / f"{slug}.yaml").read_bytes()
    return lambda db: load_edition(db, Actor.operator(), read_forum_file(content), now=clock.now())


STEPS: dict[str, Callable[[Bench, str, int], Work]] = {
    "edited": _edit,
    "published": _publish,
    "exported": _export,
    "loaded": _load,
}


@contextmanager
def counting(database: Database) -> Iterator[list[str]]:
    """What goes to the database meanwhile, without BEGIN, COMMIT and savepoints."""
    counted: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.split(None, 1)[0].upper() in {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}:
            counted.append(statement)

    event.listen(database.write_engine, "before_cursor_execute", note)
    try:
        yield counted
    finally:
        event.remove(database.write_engine, "before_cursor_execute", note)


ROWS = {"programme": steps}
