"""Commands about a forum: load it from a file, publish its programme, verify its facts."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from app.accounts.actor import Actor
from app.audit.recording import first_broken
from app.cli.house import House, opened
from app.editions import exporting, loading
from app.editions.reading import BadFile, Misplaced, read_forum_file
from app.forum.queries import forum_by_slug
from app.kit import clock
from app.kit.db import Db
from app.kit.i18n import Bilingual, has_text, text_of
from app.kit.pen import SITE
from app.programme import publishing

FILE = Annotated[Path, typer.Argument(help="a forum file (sala-forum/1)", exists=True, dir_okay=False)]
SLUG = Annotated[str, typer.Argument(help="the forum's slug")]


def load(file: FILE) -> None:
    """Load a forum from a file. The same file again changes nothing; a bad file is refused whole."""
    with opened() as house:
        for line in load_file(house, file):
            print(line)


def load_file(house: House, file: Path) -> list[str]:
    """Load and say in words what changed; a bad file ends the program with every fault, its line and place."""
    try:
        read = read_forum_file(file.read_bytes())
    except BadFile as bad:
        sys.exit("\n".join([f"sala: {file.name} was refused; nothing was loaded.", *map(_said, bad.faults)]))
    now = clock.now()
    done = house.pen.write_now(read.forum.slug, lambda db: loading.load(db, Actor.operator(), read, now=now))
    if not done.changed and not done.published:
        return [f"{done.slug}: nothing new in {file.name}."]
    lines = [f"{done.slug}: loaded {', '.join(done.changed)}."]
    if done.published:
        lines.append(f"{done.slug}: programme version 1 published.")
    elif "programme" in done.changed:
        lines.append(f"{done.slug}: the programme's working copy changed; `sala publish {done.slug}` makes it public.")
    return lines


def _said(misplaced: Misplaced) -> str:
    fault = misplaced.fault
    key = f"refused.{fault.code}"
    text = text_of("en", key, **fault.values) if has_text("en", key) else fault.code
    return f"  line {misplaced.line}: {fault.field or 'the file'}: {text}"


def export(
    forum: SLUG, to: Annotated[Path | None, typer.Option(help="the file to write; default: standard output")] = None
) -> None:
    """Write a forum as a file that `sala load` reads; loading it again changes nothing."""
    with opened() as house:
        text = house.database.read(lambda db: exporting.export(db, forum))
    if to is None:
        sys.stdout.write(text)
    else:
        to.write_text(text, encoding="utf-8")


def publish(
    forum: SLUG,
    note: Annotated[str, typer.Option(help="a note in English")] = "",
    note_km: Annotated[str, typer.Option(help="the note in Khmer")] = "",
) -> None:
    """Publish the working copy of a forum's programme as its next version."""
    words = Bilingual(note, note_km) if note or note_km else None
    with opened() as house:
        now = clock.now()
        number = house.pen.write_now(
            forum,
            lambda db: publishing.publish(db, Actor.operator(), forum_by_slug(db, forum), note=words, now=now),
        )
        print(f"{forum}: version {number} published.")


def verify(scope: Annotated[str, typer.Argument(help="a forum's slug, or `site`")] = SITE) -> None:
    """Check the chain of facts of a forum or of the site."""

    def check(db: Db) -> int | None:
        if scope != SITE:
            forum_by_slug(db, scope)  # a chain of nothing would be whole
        return first_broken(db, scope)

    with opened() as house:
        broken = house.database.read(check)
    if broken is not None:
        sys.exit(f"sala: the chain of {scope} is broken at fact {broken}.")
    print(f"{scope}: the chain of facts is whole.")
