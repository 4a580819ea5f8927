"""Delegations for tests: what an organiser sends to invite one, and whom its focal point names."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from app.accounts.actor import Actor
from app.kit.codes import public_code
from app.kit.db import Db
from app.kit.inputs import parse
from app.registration.delegating import invite
from app.registration.delegation_inputs import DelegateInput, InvitingInput
from app.registration.delegations import delegation_of, page_token
from app.registration.nominating import name
from tests.cast import DARA, NOW, SECRET, SLUG, the_forum

DEADLINE = NOW + timedelta(days=30)


def inviting(category: str = "DIP", seats: int = 3, **changes: Any) -> dict[str, Any]:
    """What an organiser sends to invite the embassy whose focal point is Dara."""
    return {
        "institution": DARA.institution,
        "category": category,
        "seats": seats,
        "deadline": DEADLINE,
        "focal_name": DARA.name,
        "focal_email": DARA.email,
        "language": DARA.language,
        **changes,
    }


def make_delegation(
    db: Db,
    category: str = "DIP",
    seats: int = 3,
    *,
    now: datetime = NOW,
    by: Actor | None = None,
    slug: str = SLUG,
    **changes: Any,
) -> Any:
    """A delegation as it stands after the deed: its row."""
    forum, sent = the_forum(db, slug), parse(InvitingInput, inviting(category, seats, **changes))
    return delegation_of(db, forum, invite(db, by or Actor.operator(), forum, sent, SECRET, now=now))


def delegate(number: int, **changes: Any) -> DelegateInput:
    """One of as many people as a test needs to name, each with an address of their own."""
    fields: Mapping[str, Any] = {
        "family_name": f"Envoy{number}",
        "given_name": "An",
        "email": f"envoy{number}@embassy.example",
        "position_title": "Attaché",
        **changes,
    }
    return parse(DelegateInput, fields)


def name_some(
    db: Db, row: Any, *people: DelegateInput, now: datetime = NOW, key: str = "", slug: str = SLUG
) -> list[str]:
    """Have the focal point of a delegation name people; their codes."""
    by = Actor.focal_point(row.id)
    return name(db, by, the_forum(db, slug), row.code, people, key or public_code(20), SECRET, now=now)


def page_of(row: Any) -> str:
    """The token of a delegation's page."""
    return page_token(SECRET, row.id, row.generation)
