"""A registration's life (rules §2): which step may follow which, what each state means, and its deadlines.

Attendance is no state: it is derived from check-ins.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.registration.rules.eligibility import Mode


class State(StrEnum):
    """Where a registration stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    AWAITING_APPROVAL = "awaiting"
    SEATED = "seated"
    WAITING = "waiting"
    OFFERED = "offered"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    """Refused by an organiser, or an offer refused by the person."""
    EXPIRED = "expired"
    """An e-mail address not confirmed, or an offer not answered, in time."""


class Origin(StrEnum):
    """Who made the registration."""

    PERSON = "person"
    ASSISTANT = "assistant"
    FOCAL_POINT = "focal_point"
    ORGANISER = "organiser"


STEPS: Mapping[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.SUBMITTED, State.CANCELLED}),
    State.SUBMITTED: frozenset(
        {
            State.AWAITING_APPROVAL,
            State.SEATED,
            State.WAITING,
            State.OFFERED,
            State.CANCELLED,
            State.DECLINED,
        }
    ),
    State.AWAITING_APPROVAL: frozenset(
        {
            State.SEATED,
            State.WAITING,
            State.OFFERED,
            State.CANCELLED,
            State.DECLINED,
            State.EXPIRED,
        }
    ),
    State.WAITING: frozenset({State.SEATED, State.OFFERED, State.CANCELLED, State.DECLINED, State.EXPIRED}),
    State.OFFERED: frozenset({State.SEATED, State.CANCELLED, State.DECLINED, State.EXPIRED}),
    State.SEATED: frozenset({State.CANCELLED, State.EXPIRED}),
    State.CANCELLED: frozenset(),
    State.DECLINED: frozenset(),
    State.EXPIRED: frozenset(),
}
"""The one table of steps. Who has ended may register again: that is a new registration, not a step."""

ENDED = frozenset(state for state, following in STEPS.items() if not following)
LIVE = frozenset(State) - ENDED - {State.DRAFT}
"""Counts as the person's one live registration (rules §1.10); a draft nobody sent does not."""
HOLDS_SEAT = frozenset({State.SEATED, State.OFFERED})
"""Always has a seat row. AWAITING_APPROVAL has one only where it was held (`FirstStep.takes_seat`)."""


TAKES_BACK = frozenset({State.SEATED, State.WAITING})
"""Where an approval leads, and from where it can be taken back as long as nobody was told of it: no step of a
registration's life, because nothing has happened for its person."""


@dataclass(frozen=True, slots=True)
class FirstStep:
    """What becomes of a registration at its submission."""

    state: State
    takes_seat: bool
    """A seat row is written with it."""


def may_follow(before: State, after: State) -> bool:
    """Whether `after` may be the next state of a registration that is in `before`."""
    return after in STEPS[before]


def first_step(mode: Mode, *, hold_while_reviewing: bool, may_seat: bool) -> FirstStep:
    """The state after SUBMITTED, and whether it takes a seat (rules §2).

    `may_seat` is the answer of the seat rule for the category, after the queue has been served. In a
    moderated category a person awaits approval in any case, and holds a seat meanwhile only if the category
    says so and a seat can be given. By invitation works as open here: the invitation was looked at before.
    """
    if mode is Mode.MODERATED:
        return FirstStep(State.AWAITING_APPROVAL, takes_seat=hold_while_reviewing and may_seat)
    return FirstStep(State.SEATED if may_seat else State.WAITING, takes_seat=may_seat)


def needs_confirmation(origin: Origin, *, invited_at_this_address: bool) -> bool:
    """Whether the e-mail address must still be confirmed by its link (rules §2).

    Not where an organiser or a focal point registered the person, nor where the invitation was sent to this
    very address. An assistant confirms the assistant's own address.
    """
    return origin in {Origin.PERSON, Origin.ASSISTANT} and not invited_at_this_address


def hold_ends(sent_at: datetime | None, hours: int) -> datetime | None:
    """When a held seat or an offer ends (aware UTC): `hours` after its mail was handed to SMTP.

    None while the mail is unsent: nothing expires before the person could know of it (rules §2).
    """
    return None if sent_at is None else sent_at + timedelta(hours=hours)


def has_expired(sent_at: datetime | None, hours: int, now: datetime) -> bool:
    """Whether the hold or offer is over at `now`; at its last instant itself it is."""
    ends_at = hold_ends(sent_at, hours)
    return ends_at is not None and now >= ends_at


def reminder_due(sent_at: datetime | None, hours: int, *, reminded: bool, now: datetime) -> bool:
    """Whether the one reminder goes out now: from half-way on, once, and not when the hold is over."""
    if sent_at is None or reminded or has_expired(sent_at, hours, now):
        return False
    return now >= sent_at + timedelta(hours=hours) / 2
