"""The command about privacy: the purge of what is sensitive, to look at first and to do."""

from datetime import datetime
from typing import Annotated

import typer

from app.accounts.actor import Actor
from app.cli.forum import SLUG, known
from app.cli.house import opened
from app.forum.queries import forum_by_slug
from app.kit import clock
from app.registration import retaining

GOES = {
    "needs": "meals and access needs",
    "answers": "answers to sensitive questions",
    "files": "files that were sent",
    "consents": "consents to sensitive questions",
    "facts": "facts: their personal values",
    "mails": "mails: address, name and values",
    "letters": "letters: what they hold of passports",
    "invitations": "invitations nobody came by: name and address",
    "delegations": "delegations that name nobody any more: the focal point's name and address",
    "views": "views of the list that ask for words or for people by hand",
    "notes": "notes of the desk about registrations",
    "entries": "calendar entries: which were sent to whom",
}
STAYS = {
    "registrations": "registrations with name and address",
    "other_answers": "other answers",
    "erased": "registrations erased by their person",
}


def purge(
    forum: SLUG,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would go, and what stays")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do it, also before the day")] = False,
) -> None:
    """Empty sensitive answers, files, and the personal part of facts and mails of a forum, as its day does."""
    with opened() as house:
        slug, now, by = known(house, forum), clock.now(), Actor.operator()
        found = house.database.read(lambda db: retaining.dry_run(db, by, forum_by_slug(db, slug), now=now))
        print(f"{slug}: the day of the purge {_day(found, now)}.")
        for name, words in GOES.items():
            print(f"  {'would go' if dry_run or not yes else 'goes':9}{getattr(found, name):7}  {words}")
        for name, words in STAYS.items():
            print(f"  {'stays':9}{getattr(found, name):7}  {words}")
        if dry_run or not yes:
            print("Nothing was changed; `--yes` does it.")
            return
        emptied = house.pen.write_now(
            slug, lambda db: retaining.purge(db, by, forum_by_slug(db, slug), now=now, before_the_day=True)
        )
        print(f"{slug}: {emptied} rows were emptied.")


def _day(found: retaining.Purge, now: datetime) -> str:
    if found.at is None:
        return "is not set"
    return f"{'was' if found.due(now) else 'is'} {found.at:%Y-%m-%d %H:%M} UTC"
