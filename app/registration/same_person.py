"""Whether two registrations are one person's (rules §1.10): by an address of their own, or by name under another's."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.kit.db import Db, table
from app.registration.models import Application
from app.registration.rules.names import normal_name

_applications = table(Application)


def name_of(person: Any) -> str:
    """The name by which a person is told from others under one address: the Latin one, else the Khmer one."""
    return normal_name(person.family_name, person.given_name) or normal_name(person.name_km)


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells a person from others: the normalised address mail goes to, the normalised name, and the `live_key`
    that keeps them to one live registration in a forum."""

    address: str
    name: str
    key: str

    @property
    def marks(self) -> frozenset[str]:
        """Two identities are one person's where they share a mark: the same key; or the same name under the same
        address, once as an address of their own and once as somebody else's."""
        return frozenset((self.key, f"{self.address}|{self.name}"))


def identity(address: str, person: Any, *, has_own_address: bool) -> Identity:
    """The identity of a person at this normalised address, which is their own or that of whoever registers them."""
    name = name_of(person)
    return Identity(address, name, address if has_own_address else f"{address}|{name}")


def registered_already(
    db: Db, own: int, people: Sequence[Identity], besides: Collection[int] = frozenset()
) -> frozenset[str]:
    """The marks of the forum's live registrations of any of these people, but for those with the ids in `besides` and
    whoever accompanies them.

    Somebody is registered where a mark of theirs is among them. A query for every 500.
    """
    found: set[str] = set()
    for first in range(0, len(people), 500):
        keys = {key for one in people[first : first + 500] for key in (one.address, *one.marks)}
        mine = (_applications.c.forum_id == own) & _applications.c.live_key.in_(keys)
        for row in db.execute(select(_applications).where(mine)):
            if row.id not in besides and row.accompanies_id not in besides:
                found |= Identity(row.email_normal, name_of(row), row.live_key).marks
    return frozenset(found)
