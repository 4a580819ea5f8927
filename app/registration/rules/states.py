"""A registration's life (rules §2): which step may follow which is one table, and everything else asks it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from app.registration.rules.eligibility import Mode


class State(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    AWAITING = "awaiting"
    SEATED = "seated"
    WAITING = "waiting"
    OFFERED = "offered"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    EXPIRED = "expired"


S = State
STEPS: Mapping[State, frozenset[State]] = {
    S.DRAFT: frozenset({S.SUBMITTED, S.CANCELLED}),
    S.SUBMITTED: frozenset({S.AWAITING, S.SEATED, S.WAITING, S.CANCELLED}),
    S.AWAITING: frozenset({S.SEATED, S.WAITING, S.DECLINED, S.CANCELLED}),
    S.SEATED: frozenset({S.WAITING, S.CANCELLED, S.DECLINED, S.EXPIRED}),
    S.WAITING: frozenset({S.SEATED, S.OFFERED, S.CANCELLED, S.DECLINED}),
    S.OFFERED: frozenset({S.SEATED, S.WAITING, S.CANCELLED, S.DECLINED, S.EXPIRED}),
    S.CANCELLED: frozenset(),
    S.DECLINED: frozenset(),
    S.EXPIRED: frozenset(),
}
LIVE = frozenset({S.DRAFT, S.SUBMITTED, S.AWAITING, S.SEATED, S.WAITING, S.OFFERED})
ENDED = frozenset({S.CANCELLED, S.DECLINED, S.EXPIRED})
HOLDS_SEAT = frozenset({S.SEATED, S.OFFERED})


def may_follow(before: State, after: State) -> bool:
    return after in STEPS[before]


def first_state(mode: Mode, hold_while_reviewing: bool, may_seat: bool) -> State:
    if mode is Mode.MODERATED:
        return S.AWAITING
    return S.SEATED if may_seat else S.WAITING


def hold_ends(sent_at: datetime | None, hours: int) -> datetime | None:
    return sent_at + timedelta(hours=hours) if sent_at else None
