"""Commands of whoever keeps an installation: a copy of the database, a database from one, a look at the whole."""

import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import create_engine, inspect

from app.accounts.actor import Actor
from app.accounts.logins import end_all
from app.audit.recording import first_broken, heads
from app.audit.searching import subjects_of
from app.cli import checks
from app.cli.house import House, opened
from app.forum.queries import forum_by_slug
from app.kit import clock, keeping
from app.kit.db import Database, Db
from app.kit.errors import Answer, Refused
from app.kit.migrating import migrate, newest, revision_of
from app.kit.pen import SITE, republish, revisions
from app.programme.speaking import erase_speaker
from app.registration.erasing import erase
from app.registration.uninviting import erase_invited

ERASING: Mapping[str, Callable[..., Any]] = {
    "registration.erased": erase,
    "invitation.erased": erase_invited,
    "speaker.erased": erase_speaker,
}
"""Facts that say somebody had themselves erased → the deed that does it."""
COPY = Annotated[Path, typer.Argument(help="the file")]


def backup(to: COPY) -> None:
    """Copy the database into a new file while the site runs, and verify the copy by opening it."""
    with opened() as house:
        size = keeping.back_up(house.database, to)
        print(f"{to}: {size:,} bytes.")
        if house.database.is_sqlite:
            print(_whole(to))
        print("The secret key is not in it: keep SECRET_KEY (or secret.key) apart, every lasting link hangs on it.")


def _whole(copy: Path) -> str:
    """What a copy of an SQLite database holds, in a line. Ends the program where a chain of facts in it is broken."""

    engine = create_engine(f"sqlite:///{keeping.read_only(copy)}&uri=true")
    try:
        with Db(engine) as db:
            known = heads(db)
            broken = [scope for scope in known if first_broken(db, scope) is not None]
            revision = revision_of(db)
    finally:
        engine.dispose()
    if broken:
        sys.exit(f"sala: the chain of facts of {', '.join(sorted(broken))} is broken.")
    return f"It opens; its schema is {revision}; {sum(known.values()):,} facts in {len(known)} whole chains."


def restore(
    copy: COPY,
    yes: Annotated[
        bool, typer.Option("--yes", help="in place of what is there, which is copied beside it first")
    ] = False,
) -> None:
    """Make the database what a copy holds. What was there before is kept in a file beside it.

    Stop the site first. Where it runs on all the same nobody writes meanwhile, and whoever was told that something is
    done is in that file or in what the site goes on with. Everybody is signed out, and who had themselves erased since
    the copy is erased again.
    """
    with opened() as house:
        if _has_tables(house.database) and not yes:
            raise Refused("restore_over")
        keeping.look_at(copy, sqlite=house.database.is_sqlite)
        with house.pen.keeping_others_out():
            again = _restored(house, copy)
        print(house.database.read(lambda db: f"Restored; the schema is {revision_of(db)}, the newest {newest()}."))
        print(f"Everybody has to sign in again. {again:,} erased since the copy were erased again.")
        print("Roles and second factors are those of the copy: look at who has which.")
        print("Mail that waited in the copy waits again: `sala doctor` says how much.")


def _restored(house: House, copy: Path) -> int:
    """Keep what is there in a file and put the copy in its place; how many were erased again."""
    before: dict[str, int] = {}
    erased: set[tuple[str, str, str]] = set()
    if _has_tables(house.database):
        print(f"What was there: {_kept_before(house)}")
        if house.database.read(_migrated):
            before, erased = house.database.read(_known)
    keeping.restore(house.database, copy)
    migrate(house.database)
    house.pen.write_now(SITE, lambda db: end_all(db, Actor.operator(), now=clock.now()))
    again = _erase_again(house, erased)
    _stale(house, before)
    return again


def _has_tables(database: Database) -> bool:
    return bool(inspect(database.read_engine).get_table_names())


def _migrated(db: Db) -> bool:
    return revision_of(db) is not None and inspect(db.connection()).has_table("kit_scope")


def _known(db: Db) -> tuple[dict[str, int], set[tuple[str, str, str]]]:
    return revisions(db), subjects_of(db, ERASING)


def _erase_again(house: House, erased: Collection[tuple[str, str, str]]) -> int:
    """Whoever was erased in what was there and is not in what was brought back; how many."""
    missing = set(erased) - house.database.read(lambda db: subjects_of(db, ERASING))
    done = 0
    # an invitation cannot be erased before the registration that stands on it
    for scope, kind, subject in sorted(missing, key=lambda one: (one[1] == "invitation.erased", one)):

        def deed(db: Db, scope: str = scope, kind: str = kind, subject: str = subject) -> None:
            code, now = subject.partition(":")[2], clock.now()
            ERASING[kind](db, Actor.operator(), forum_by_slug(db, scope), code, now=now)

        try:
            house.pen.write_now(scope, deed)
            done += 1
        except Answer:  # came after the copy, and is not in it
            continue
    return done


def _kept_before(house: House) -> Path:
    folder = house.database.path.parent if house.database.path else house.settings.var
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"before-restore-{clock.now():%Y%m%d-%H%M%S}.{'sqlite' if house.database.is_sqlite else 'dump'}"
    keeping.back_up(house.database, kept)
    return kept


def _stale(house: House, before: dict[str, int]) -> None:
    """Pages that a running process has kept of what was there are not what is there now: revisions only grow."""

    def grow(db: Db) -> None:
        for scope, number in revisions(db).items():
            for _ in range(max(1, before.get(scope, 0) - number + 1)):
                republish(db, scope)

    house.pen.write_now("site", grow)


def doctor() -> None:
    """Look at this installation and say what is wrong with it; exit code 1 where something is."""
    with opened() as house:
        found = checks.examine(house)
    for each in found:
        print(f"{each.mark:5} {each.words}")
    wrong = sum(each.level == "wrong" for each in found)
    print(f"{wrong} wrong, {sum(each.level == 'care' for each in found)} to take care of.")
    if wrong:
        sys.exit(1)
