"""The form of a forum file (`sala-forum/1`): its shape, its references, and the faults of a bad one."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from app.forum.inputs import ForumInput, ObjectiveInput, RoomInput, TrackInput
from app.kit.errors import Fault
from app.kit.inputs import Input, Instant, KnownDay, LocalTime
from app.programme.inputs import SessionCode, SessionWords, SpeakerInput
from app.registration.inputs import CategoryWords, QuestionInput, Seats, TermsNumbers
from app.registration.questioning import as_asked
from app.registration.rank_inputs import LadderInput
from app.registration.rules.questions import condition_faults
from app.registration.rules.seats import FaultCode, Quota, check_quotas


class RegistrationPart(TermsNumbers):
    """The `registration` part; times and the day of the purge are local to the forum."""

    opens_at: LocalTime | None = None
    closes_at: LocalTime | None = None
    retention_on: KnownDay = None


class CategoryPart(CategoryWords):
    """One of `categories`; its times are local to the forum, `order` sorts them."""

    opens_at: LocalTime | None = None
    closes_at: LocalTime | None = None
    lapses_at: LocalTime | None = None
    order: Annotated[int, Field(ge=-10_000, le=10_000)]


class SessionPart(SessionWords):
    """One of `sessions`; times are local to the forum."""

    start: LocalTime | None = None
    end: LocalTime | None = None
    signup_places: Seats | None = None


class CalendarPart(Input):
    """What calendars already know of a session or of the forum itself: written on export, so that a copy elsewhere does
    not fall behind."""

    uid: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{7,127}$")]
    sequence: Annotated[int, Field(ge=0, le=1_000_000_000)]
    """RFC 5545 §3.3.8 lets it grow to twice that."""
    changed_at: Instant | None = None
    """None: it changes with the loading."""


class ForumFile(Input):
    """The whole file."""

    format: Literal["sala-forum/1"]
    forum: ForumInput
    objectives: tuple[ObjectiveInput, ...]
    tracks: tuple[TrackInput, ...]
    rooms: tuple[RoomInput, ...]
    registration: RegistrationPart
    categories: tuple[CategoryPart, ...]
    questions: tuple[QuestionInput, ...] = ()
    ladder: LadderInput | None = None
    """The order of precedence; None: the usual one, or whichever stands."""
    speakers: tuple[SpeakerInput, ...] = ()
    sessions: tuple[SessionPart, ...] = ()
    calendar: dict[SessionCode, CalendarPart] = {}
    forum_calendar: CalendarPart | None = None


def faults_in(file: ForumFile) -> list[Fault]:
    """What no single part can see: codes used twice, and names that nothing in the file bears."""
    faults: list[Fault] = []
    faults += _twice("objectives", "number", (aim.number for aim in file.objectives))
    faults += _twice("tracks", "code", (track.code for track in file.tracks))
    faults += _twice("tracks", "slug", (track.slug for track in file.tracks))
    faults += _twice("rooms", "code", (room.code for room in file.rooms))
    faults += _twice("categories", "code", (category.code for category in file.categories))
    faults += _twice("categories", "letter", (category.letter for category in file.categories))
    faults += _twice("speakers", "code", (speaker.code for speaker in file.speakers))
    faults += _twice("sessions", "code", (session.code for session in file.sessions))
    faults += _twice("questions", "code", (question.code for question in file.questions))
    if file.ladder is not None:
        faults += _twice("ladder.rungs", "code", (rung.code for rung in file.ladder.rungs))
    faults += _questions_of(file)
    if file.registration.retention_on and file.forum.ends_on and file.registration.retention_on <= file.forum.ends_on:
        faults.append(Fault("registration.retention_on", "retention_before_end"))
    faults += _quotas_of(file)
    slugs = [
        (f"tracks.{i}.themes.{j}.slug", theme.slug)
        for i, t in enumerate(file.tracks)
        for j, theme in enumerate(t.themes)
    ]
    counted = Counter(slug for _, slug in slugs)
    faults += [Fault(path, "twice", {"value": slug}) for path, slug in slugs if counted[slug] > 1]
    known: dict[str, set[str] | set[int]] = {
        "tracks": {track.code for track in file.tracks},
        "themes": {theme.slug for track in file.tracks for theme in track.themes},
        "objectives": {aim.number for aim in file.objectives},
        "room": {room.code for room in file.rooms},
        "people": {speaker.code for speaker in file.speakers},
    }
    for number, session in enumerate(file.sessions):
        faults += _unknown_in(f"sessions.{number}", session, known)
        faults += _times_of(f"sessions.{number}", session)
    codes = {session.code for session in file.sessions}
    faults += [
        Fault(f"calendar.{code}", "unknown_name", {"value": code}) for code in file.calendar if code not in codes
    ]
    return faults


def _questions_of(file: ForumFile) -> list[Fault]:
    """Groups that are not there, and conditions that cannot be asked."""
    groups = {part.code for part in file.categories}
    numbers = {question.code: number for number, question in enumerate(file.questions)}
    return [
        Fault(f"questions.{number}.categories.{order}", "unknown_name", {"value": code})
        for number, question in enumerate(file.questions)
        for order, code in enumerate(question.categories)
        if code not in groups
    ] + [
        Fault(f"questions.{numbers[wrong.question]}.shown_if", wrong.code, {**wrong.values, "question": wrong.question})
        for wrong in condition_faults([as_asked(question) for question in file.questions])
    ]


def _quotas_of(file: ForumFile) -> list[Fault]:
    """Guarantees and limits that contradict each other or the capacity (rules §1)."""
    quotas = [Quota(part.code, part.guarantee, part.limit) for part in file.categories]
    numbers = {part.code: number for number, part in enumerate(file.categories)}
    return [
        Fault(
            f"categories.{numbers[str(fault.values['category'])]}.guarantee"
            if "category" in fault.values
            else "registration.capacity",
            fault.code.value,
            dict(fault.values),
        )
        for fault in check_quotas(file.registration.capacity, quotas)
        if fault.code is not FaultCode.CATEGORY_TWICE
    ]


def _twice(part: str, name: str, values: Iterable[object]) -> list[Fault]:
    listed = list(values)
    counted = Counter(listed)
    return [
        Fault(f"{part}.{number}.{name}", "twice", {"value": str(value)})
        for number, value in enumerate(listed)
        if counted[value] > 1
    ]


def _unknown_in(path: str, session: SessionPart, known: dict[str, set[str] | set[int]]) -> list[Fault]:
    named: list[tuple[str, str, object]] = []
    for part in ("tracks", "themes", "objectives"):
        named += [(f"{path}.{part}.{order}", part, value) for order, value in enumerate(getattr(session, part))]
    named += [
        (f"{path}.people.{order}.speaker", "people", person.speaker) for order, person in enumerate(session.people)
    ]
    if session.room is not None:
        named.append((f"{path}.room", "room", session.room))
    return [
        Fault(where, "unknown_name", {"value": str(value)}) for where, part, value in named if value not in known[part]
    ]


def _times_of(path: str, session: SessionPart) -> list[Fault]:
    start, end = session.start, session.end
    if (start is None) != (end is None):
        return [Fault(f"{path}.end", "both_dates_or_none")]
    if start is not None and end is not None and end <= start:
        return [Fault(f"{path}.end", "ends_before_start")]
    return []


def instant(value: datetime | None, zone: str) -> datetime | None:
    """A local time of the file as an instant, in UTC."""
    return value.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) if value else None


def local(value: datetime | None, zone: str) -> datetime | None:
    """An instant as the file writes it: local to the forum, without a zone."""
    return value.astimezone(ZoneInfo(zone)).replace(tzinfo=None) if value else None
