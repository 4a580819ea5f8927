"""Requests that are sent again: what one with the same key was answered, kept in the transaction that did it.

The deeds of one scope are written one after the other, so a request that comes twice at the same time waits for the
first and is answered by it.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select

from app.kit.db import Db, table
from app.kit.errors import Refused
from app.kit.models import GivenAnswer

_answers = table(GivenAnswer)


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it was given: the status, the body's bytes and where the thing made stands ("" for none)."""

    status: int
    body: bytes
    location: str = ""


def answer_given(db: Db, caller: str, key: str, digest: str) -> Given | None:
    """What this caller's request with this key was answered, None where there was none.

    `digest` is of all that was asked. Raises Refused("key_used") where the key came with something else.
    """
    mine = (_answers.c.caller == caller) & (_answers.c.key == key)
    columns = (_answers.c.digest, _answers.c.status, _answers.c.body, _answers.c.location)
    found = db.execute(select(*columns).where(mine)).first()
    if found is None:
        return None
    if found.digest != digest:
        raise Refused("key_used")
    return Given(found.status, found.body, found.location)


def keep_answer(db: Db, caller: str, key: str, digest: str, given: Given, *, now: datetime) -> None:
    """Keep an answer, in the transaction of the deed that it tells of."""
    row = {"caller": caller, "key": key, "digest": digest, "status": given.status, "body": given.body}
    db.execute(insert(_answers).values(**row, location=given.location, given_at=now))


def forget_answers(db: Db, *, before: datetime) -> int:
    """Drop the answers that were given before; how many."""
    return int(db.execute(delete(_answers).where(_answers.c.given_at < before)).rowcount)  # type: ignore[attr-defined]
