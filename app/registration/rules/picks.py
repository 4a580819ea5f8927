"""What people choose of the programme (rules §1.11, §4.6): who gets a place in a room, and what clashes."""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import combinations
from typing import Protocol, TypeVar

from app.registration.rules.seats import Quota, Waiting, admit


class PickState(StrEnum):
    """Where a pick stands."""

    SEATED = "seated"
    """On a place of a session that asks for sign-up."""
    WAITING = "waiting"
    """For such a place."""
    PICKED = "picked"
    """Without a place: in the person's calendar only."""


class Slot(Protocol):
    """What can clash: instants are aware, None while they are to be announced."""

    @property
    def uid(self) -> str: ...
    @property
    def starts_at(self) -> datetime | None: ...
    @property
    def ends_at(self) -> datetime | None: ...


AnySlot = TypeVar("AnySlot", bound=Slot)


def follows(state: PickState, *, live: bool, signs_up: bool, counts: bool) -> PickState:
    """Where a pick stands before places are given, from where it stood.

    `live`: the session is in the programme and not cancelled; `signs_up`: it asks for sign-up; `counts`: its person
    holds a seat and may know of the session. Of a cancelled session nobody holds a place; who did keeps the session
    as cancelled in the calendar, and asks anew, with the old standing, if it takes place after all.
    """
    if not live:
        return PickState.PICKED if state is PickState.SEATED else state
    if not signs_up:
        return PickState.PICKED
    if state is PickState.SEATED and counts:
        return PickState.SEATED
    return PickState.WAITING


def admitted(places: int, taken: int, waiting: Collection[Waiting], now: datetime) -> list[Waiting]:
    """Who of the waiting gets a place of one session now: the seat rule with one category and no guarantee.

    Where more places are taken than there are, nobody loses one and nobody gets one.
    """
    return admit(places, (Quota("", 0, None),), {"": taken}, waiting, now)


def overlap(one: Slot, other: Slot) -> bool:
    """Do both last at one instant? Not where they only touch, nor where a time is to be announced."""
    if one.starts_at is None or one.ends_at is None or other.starts_at is None or other.ends_at is None:
        return False
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


def clashes(chosen: Sequence[AnySlot], new: Collection[str]) -> list[tuple[AnySlot, AnySlot]]:
    """The pairs of chosen sessions at the same time of which one at least is new (by uid), in the order chosen.

    Those that were chosen before were forced then, or moved into each other by a version.
    """
    return [
        (one, other)
        for one, other in combinations(chosen, 2)
        if (one.uid in new or other.uid in new) and overlap(one, other)
    ]
