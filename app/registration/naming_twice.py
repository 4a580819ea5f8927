"""Whether people a focal point names are named already: by the very same form, in the same list, or in the forum."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from app.kit.db import Db, table
from app.kit.errors import Fault, Invalid, Refused
from app.registration.delegation_inputs import DelegateInput
from app.registration.models import Application
from app.registration.people import says_the_same
from app.registration.rules.names import normal_email
from app.registration.same_person import Identity, identity, registered_already

_applications = table(Application)


def identity_of(delegation: Any, sent: DelegateInput) -> Identity:
    """Who somebody named is: known by their own address, or by name under the focal point's (§1.10)."""
    address = normal_email(sent.email or delegation.focal_email)
    return identity(address, sent, has_own_address=bool(sent.email))


def refuse_known(db: Db, own: int, people: Sequence[Identity]) -> None:
    """Raises Invalid for whoever is registered already, or stands before in the same list."""
    there = registered_already(db, own, people)
    where = str if len(people) > 1 else lambda _place: ""
    faults, seen = [], set[str]()
    for place, one in enumerate(people):
        if one.marks & there:
            faults.append(Fault(where(place), "member_registered"))
        elif one.marks & seen:
            faults.append(Fault(where(place), "member_twice"))
        seen |= one.marks
    if faults:
        raise Invalid(faults)


def named_by(db: Db, delegation: Any, people: Sequence[DelegateInput], key: str) -> list[str]:
    """The codes of these people where this very request named them before, else nothing.

    Raises Refused("form_sent_already") where it named others: the form was changed and sent again.
    """
    keys = [f"{key}-{place}" for place in range(len(people))]
    mine = (_applications.c.forum_id == delegation.forum_id) & (_applications.c.delegation_id == delegation.id)
    found: dict[str, Any] = {}
    for first in range(0, len(keys), 500):
        some = _applications.c.request_key.in_(keys[first : first + 500])
        found |= {row.request_key: row for row in db.execute(select(_applications).where(mine, some))}
    if not found:
        return []
    for sent, one in zip(people, keys, strict=True):
        row, address = found.get(one), normal_email(sent.email or delegation.focal_email)
        if row is None or row.email_normal != address or not says_the_same(row, sent):
            raise Refused("form_sent_already")
    return [found[one].code for one in keys]
