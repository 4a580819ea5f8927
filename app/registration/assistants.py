"""Assistants: one address that registers several principals (rules §1.10), and how many it may."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select

from app.kit.db import Db, table
from app.kit.errors import Refused
from app.registration.models import Application

_applications = table(Application)


@dataclass(frozen=True, slots=True)
class Principals:
    """How many people an assistant may have registered at one time; 0 = no limit."""

    unconfirmed: int = 3
    """From an address of which nobody has shown yet that it is read."""
    most: int = 10
    """From any address. Whoever brings more writes to the organisers, who can invite them as a delegation."""


def is_read(db: Db, own: int, email_normal: str) -> bool:
    """Has anybody shown in this forum, or do the organisers vouch for it, that mail to this address is read?"""
    confirmed = _of(own, email_normal) & _applications.c.confirmed_at.is_not(None)
    return db.execute(select(_applications.c.id).where(confirmed).limit(1)).first() is not None


def refuse_too_many(db: Db, own: int, email_normal: str, principals: Principals) -> None:
    """Else one stranger could take every seat of an open category, or fill any mailbox, under made-up names.

    Members of a delegation and companions are counted elsewhere. Raises Refused: `assistant_unconfirmed`,
    `assistant_enough`.
    """
    apart = _applications.c.delegation_id.is_(None) & _applications.c.accompanies_id.is_(None)
    live: Any = _of(own, email_normal) & _applications.c.ended_at.is_(None) & apart
    registered = len(db.execute(select(_applications.c.id).where(live)).all())
    if 0 < principals.most <= registered:
        raise Refused("assistant_enough", most=principals.most)
    if 0 < principals.unconfirmed <= registered and not is_read(db, own, email_normal):
        raise Refused("assistant_unconfirmed", most=principals.unconfirmed)


def _of(own: int, email_normal: str) -> ColumnElement[bool]:
    return (_applications.c.forum_id == own) & (_applications.c.email_normal == email_normal)
