"""Lists of people that leave the system: who may take them, what of a person is in them, and that it was done."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db
from app.registration.desk_queries import Wanted, desk_count, desk_list

MOST = 100_000
"""So many rows are written into one file."""
COLUMNS = (
    "code",
    "standing",
    "category",
    "listed_name",
    "family_name",
    "given_name",
    "name_km",
    "display_name",
    "titles",
    "attends_as",
    "institution",
    "position_title",
    "country",
    "email",
    "phone",
    "language",
    "assistant_name",
    "place",
    "asked_at",
    "confirmed_at",
)
"""What a list may hold, in its order. Sensitive answers (rules §2) are in none."""
USUAL = ("code", "standing", "category", "listed_name", "name_km", "institution", "position_title", "country")
"""What is ticked to begin with."""


def people_to_export(db: Db, by: Actor, forum: Forum, wanted: Wanted) -> list[Any]:
    """The registrations of a question, as the desk's list has them, whoever was erased left out. One query.

    Raises Forbidden without `export_people`.
    """
    by.must(Permission.EXPORT_PEOPLE, forum_id(forum))
    rows, _more = desk_list(db, by, forum, wanted, most=MOST)
    return [row for row in rows if row.erased_at is None]


def how_many_to_export(db: Db, by: Actor, forum: Forum, wanted: Wanted) -> int:
    """How many that would be, counted and not read. One query. Raises Forbidden without `export_people`."""
    by.must(Permission.EXPORT_PEOPLE, forum_id(forum))
    return min(desk_count(db, by, forum, wanted, erased=False)[0], MOST)


def note_export(
    db: Db, by: Actor, forum: Forum, columns: Sequence[str], people: int, asked: Mapping[str, str], *, now: datetime
) -> None:
    """Record that so many people left with these columns; the words searched for and whatever else was asked
    may name somebody, so they are personal. Raises Forbidden without `export_people`."""
    by.must(Permission.EXPORT_PEOPLE, forum_id(forum))
    after = {"columns": list(columns), "people": people, "state": asked["state"], "category": asked["category"]}
    told = {name: asked[name] for name in ("words", "question") if asked.get(name)}
    subject = f"forum:{forum.slug}"
    record(db, forum.slug, by.signature, "people.exported", subject, now=now, after=after, personal=told)
