"""Sessions to choose from: ready words for the page of one's own sessions and for the form to register."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from starlette.datastructures import FormData

from app.calendars.rules import GATHERINGS, plenaries
from app.kit.i18n import day, text_of, worded
from app.programme.published import PublishedSession
from app.programme.rules.visibility import withholds_attendance
from app.registration.pick_queries import NO_PICKS, Count, OwnPick, OwnPicks
from app.registration.rules.picks import PickState, overlap
from app.web.cards import QUIET, Card, card, days_of, in_order
from app.web.public import Public
from app.web.signs import Label

FIELDS = 300
"""The most fields a form with sessions may have: one for each, and what stands beside them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A session one may choose, or that everybody has. `label` says where one's own pick stands, `room` how full it
    is, `at_same_time` names chosen sessions that overlap with this chosen one."""

    card: Card
    ticked: bool
    offered: bool
    label: Label | None
    room: str
    at_same_time: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChoiceDay:
    """The sessions of one day; the last may be those whose time is to be announced."""

    id: str
    name: str
    choices: tuple[Choice, ...]


def codes_sent(sent: FormData) -> set[str]:
    """The codes of the sessions ticked in a form."""
    return {value for value in sent.getlist("pick") if isinstance(value, str)}


def ticked_of(seen: Public, picks: OwnPicks) -> set[str]:
    """The codes of the sessions a person has picked."""
    return {session.code for session in seen.programme.sessions if session.uid in picks.by_uid}


def choices(
    seen: Public,
    counts: Mapping[str, Count],
    ticked: Collection[str],
    picks: OwnPicks = NO_PICKS,
    *,
    holds_seat: bool = False,
    wording: str = "",
) -> list[ChoiceDay]:
    """The sessions by day. `seen` holds what exists for the reader; `ticked` are the codes to show as chosen.

    Breaks and meals are left out, and what was cancelled without having been chosen.
    """
    sessions = [
        session
        for session in in_order(seen, seen.programme.sessions)
        if session.type not in QUIET and (not session.cancelled or session.uid in picks.by_uid)
    ]
    asking = [uid for uid, count in counts.items() if count.places is not None]
    common = {session.uid for session in plenaries(sessions, asking)} - picks.by_uid.keys()
    mine = [session for session in sessions if session.uid in picks.by_uid and not session.cancelled]

    def choice(session: PublishedSession) -> Choice:
        pick = picks.by_uid.get(session.uid)
        return Choice(
            card=card(seen, session),
            ticked=session.code in ticked,
            offered=session.uid not in common and not session.cancelled,
            label=_label(seen, session, pick, holds_seat=holds_seat, wording=wording),
            room=_room(seen, session, counts.get(session.uid), mine, common=session.uid in common),
            at_same_time=tuple(
                other.title.of(seen.lang) for other in mine if pick and other is not session and overlap(other, session)
            )
            if not session.cancelled
            else (),
        )

    found = []
    for on in days_of(seen):
        timed = (session for session in sessions if session.starts_at and seen.local_day(session.starts_at) == on)
        found.append(
            ChoiceDay(f"day-{on.isoformat()}", day(on, seen.lang), tuple(choice(session) for session in timed))
        )
    open_time = tuple(choice(session) for session in sessions if session.starts_at is None)
    found.append(ChoiceDay("day-open", text_of(seen.lang, "registration.picks.untimed"), open_time))
    return [each for each in found if each.choices]


def _label(
    seen: Public, session: PublishedSession, pick: OwnPick | None, *, holds_seat: bool, wording: str
) -> Label | None:
    lang = seen.lang
    if session.cancelled:
        return Label("bad", "×", text_of(lang, "registration.picks.state.cancelled"))
    if pick is None:
        return None
    if not holds_seat:
        return Label("wait", "…", worded(lang, wording, "registration.picks.state.later"))
    if pick.state is PickState.WAITING:
        return Label("wait", "…", text_of(lang, "registration.picks.state.waiting", n=pick.ahead or 1))
    return Label("good", "✓", text_of(lang, f"registration.picks.state.{pick.state.value}"))


def _room(
    seen: Public, session: PublishedSession, count: Count | None, mine: Sequence[PublishedSession], *, common: bool
) -> str:
    """How full it is. Under a rule that keeps sign-ups inside (rules §4.5) no number is said."""
    lang = seen.lang
    if session.cancelled:
        return ""
    if common:
        elsewhere = session.type not in GATHERINGS and any(overlap(session, other) for other in mine)
        return text_of(lang, "registration.picks.gives_way" if elsewhere else "registration.picks.for_everybody")
    if count is None or count.places is None:
        return text_of(lang, "registration.picks.open_seating")
    if count.left == 0:
        return text_of(lang, "registration.picks.full")
    if withholds_attendance(session.attribution):
        return text_of(lang, "registration.picks.some_left")
    return text_of(lang, "registration.picks.left", n=count.left)
