"""Putting details right at the desk, a few at a time: through the deed by which a person corrects their own."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.kit.inputs import parse
from app.registration.applying import application_of, correct
from app.registration.inputs import Person
from app.registration.models import Needs

_needs = table(Needs)
FIELDS = ("family_name", "given_name", "name_km", "institution", "position_title", "country", "attends_as")
"""What can be put right in the list."""


def to_correct(db: Db, by: Actor, forum: Forum, code: str) -> Any:
    """The registration whose details somebody means to put right. Raises Forbidden; NotFound, also for one of whom
    nothing is kept any more."""
    by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    row = application_of(db, forum, code)
    if row.erased_at is not None:
        raise NotFound
    return row


def put_right(
    db: Db, by: Actor, forum: Forum, code: str, fields: Mapping[str, str], edition: int, *, now: datetime
) -> bool:
    """Bring these of the `FIELDS` to what was sent, all else of the person as it stands; says whether anything changed.

    Raises NotFound, Invalid, Conflict("changed_meanwhile"), Refused("ended").
    """
    by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    row = application_of(db, forum, code)
    needs = db.execute(select(_needs).where(_needs.c.application_id == row.id)).first()
    there: dict[str, Any] = {name: getattr(row, name) for name in Person.model_fields if hasattr(row, name)}
    there |= {"meals": needs.meals if needs else "", "access": needs.access if needs else ""}
    sent = parse(Person, {**there, **{name: fields[name] for name in FIELDS if name in fields}})
    return correct(db, by, forum, code, sent, edition, now=now)
