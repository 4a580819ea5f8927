"""Commands for a whole forum as one archive: written, and read into another installation."""

from pathlib import Path
from typing import Annotated

import typer

import app.jobs.models  # noqa: F401 - tables of its own, which no other import here brings in
from app.accounts.actor import Actor
from app.cli.forum import SLUG, known
from app.cli.house import opened
from app.editions import archiving, reading_archive, unarchiving
from app.editions.archive_plan import USERS
from app.forum.queries import forum_by_slug
from app.kit import clock

TO = Annotated[Path, typer.Argument(help="the file to write; it must not be there yet")]
FROM = Annotated[Path, typer.Argument(help="an archive (sala-archive/1)", exists=True, dir_okay=False)]


def archive(forum: SLUG, file: TO) -> None:
    """Write a whole forum, its people and their files included, as one archive that `sala unarchive` reads."""
    with opened() as house:
        slug, now, by = known(house, forum), clock.now(), Actor.operator()
        secret = house.settings.secret_key
        if file.exists():
            raise typer.BadParameter(f"{file} is there already")
        house.pen.write_now(slug, lambda db: archiving.note_archived(db, by, forum_by_slug(db, slug), now=now))
        file.touch(mode=0o600)  # it holds what people told: nobody else on the machine reads it
        try:
            with file.open("wb") as to:
                counts = house.database.read(
                    lambda db: archiving.write_archive(db, by, forum_by_slug(db, slug), to, secret, now=now)
                )
        except BaseException:
            file.unlink()
            raise
    print(f"{slug}: {sum(counts.values())} rows of {len(counts)} tables are in {file.name}.")
    print("It holds personal data: keep it as safe as the site itself, and delete it when it is not needed.")


def unarchive(file: FROM) -> None:
    """Read a forum from an archive, whole or not at all; links are renewed and mails that waited do not leave."""
    with opened() as house, file.open("rb") as packed, reading_archive.read_archive(packed) as read:
        secret, now = house.settings.secret_key, clock.now()
        done = house.pen.write_now(
            read.slug, lambda db: unarchiving.unarchive(db, Actor.operator(), read, secret, now=now)
        )
    print(f"{done.slug}: {sum(done.rows.values())} rows of {len(done.rows)} tables were read.")
    print(f"  {done.rows[USERS]} people of the desk are known by their addresses, and sign in by a link.")
    print("  Every personal link and private calendar has a new address; the desk sends or shows them.")
    print(f"  {done.withheld} mails that waited were withheld.")
    print(f"  `sala verify {done.slug}` checks the chain of facts.")
