"""Commands about a forum: load it from a file, publish its programme, verify its facts."""

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.accounts.actor import Actor
from app.audit.recording import first_broken, head_of
from app.cli.house import House, opened
from app.editions import exporting, loading
from app.editions.reading import BadFile, Misplaced, read_forum_file
from app.forum.queries import forum_by_slug, forums
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import NotFound, Refused
from app.kit.i18n import Bilingual, has_text, text_of
from app.kit.pen import SITE
from app.programme import publishing
from app.programme.rules.conflicts import Conflict
from app.registration.pick_queries import sign_up_counts
from app.registration.signing_up import move_lists

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
    if done.published or "programme" in done.changed:
        lines += in_the_way(house, done.slug)
    return lines


def in_the_way(house: House, slug: str) -> list[str]:
    """Every conflict of the working copy in words: hard ones first, then what is only worth a look (rules §4.3)."""

    def read(db: Db) -> list[Conflict]:
        forum = forum_by_slug(db, slug)
        return publishing.conflicts_of(db, forum, sign_up_counts(db, forum))

    found = house.database.read(read)
    return [f"  {'conflict' if one.hard else 'warning'}: {_conflict(one)}" for one in found if not one.intended]


def _conflict(one: Conflict) -> str:
    values = {"sessions": " and ".join(one.codes), "where": ", ".join(one.where), "by": one.by}
    return text_of("en", f"conflicts.{one.kind.value}", **values)


def known(house: House, slug: str) -> str:
    """The slug, if there is a forum at it. Raises NotFound("no_such_forum") with the slugs there are."""
    slugs = house.database.read(lambda db: [forum.slug for forum in forums(db)])
    if slug not in slugs:
        raise NotFound("no_such_forum", slug=slug, slugs=", ".join(slugs) or "none yet")
    return slug


def _said(misplaced: Misplaced) -> str:
    fault = misplaced.fault
    key = f"refused.{fault.code}"
    text = text_of("en", key, **fault.values) if has_text("en", key) else fault.code
    if choices := fault.values.get("choices"):
        text += f" ({choices})"
    return f"  line {misplaced.line}: {fault.field or 'the file'}: {text}"


def export(
    forum: SLUG, to: Annotated[Path | None, typer.Option(help="the file to write; default: standard output")] = None
) -> None:
    """Write a forum as a file that `sala load` reads; loading it again changes nothing."""
    with opened() as house:
        slug = known(house, forum)
        text = house.database.read(lambda db: exporting.export(db, slug))
    if to is None:
        sys.stdout.write(text)
    else:
        to.write_text(text, encoding="utf-8")


def publish(
    forum: SLUG,
    note: Annotated[str, typer.Option(help="a note in English")] = "",
    note_km: Annotated[str, typer.Option(help="the note in Khmer; both or none")] = "",
    override: Annotated[str, typer.Option(help="publish in spite of conflicts, for this reason")] = "",
) -> None:
    """Publish the working copy of a forum's programme as its next version; says what stands in the way."""
    if bool(note) != bool(note_km):
        raise Refused("both_languages")
    words = Bilingual(note, note_km) if note else None
    with opened() as house:
        slug, now = known(house, forum), clock.now()
        for line in in_the_way(house, slug):
            print(line)

        def deed(db: Db) -> int:
            found = forum_by_slug(db, slug)
            number = publishing.publish(db, Actor.operator(), found, note=words, reason=override, now=now)
            move_lists(db, found, None, now=now)
            return number

        number = house.pen.write_now(slug, deed)
        print(f"{slug}: version {number} published.")


def verify(
    scope: Annotated[str, typer.Argument(help="a forum's slug, or `site`")] = SITE,
    head: Annotated[str, typer.Option(help="NUMBER:HASH as printed earlier: the chain must still hold it")] = "",
) -> None:
    """Check the chain of facts of a forum or of the site, and print its head to be noted down elsewhere."""
    noted = _noted(head)
    with opened() as house:
        if scope != SITE:
            known(house, scope)
        broken, last = house.database.read(lambda db: (first_broken(db, scope, noted), head_of(db, scope)))
    if broken is not None:
        sys.exit(f"sala: the chain of {scope} is broken at fact {broken}.")
    print(f"{scope}: the chain of facts is whole.")
    if last:
        print(f"Its head, to note down elsewhere: {last[0]}:{last[1]}")


def _noted(head: str) -> tuple[int, str] | None:
    """A head as `verify` prints it. Ends the program where it is none."""
    number, _, link = head.partition(":")
    if not head:
        return None
    if not (number.isdecimal() and number.isascii() and len(number) <= 18 and re.fullmatch(r"[0-9a-f]{64}", link)):
        sys.exit("sala: --head is NUMBER:HASH, as `sala verify` printed it.")
    return int(number), link
