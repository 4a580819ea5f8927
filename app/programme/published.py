"""The programme as published: values made from a version's document, and the document made from the working copy."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import to_json

from app.kit.i18n import Bilingual
from app.kit.inputs import is_of_this_age
from app.programme.rules.visibility import Attribution


@dataclass(frozen=True, slots=True)
class PublishedPerson:
    """A speaker's part in a session, with what the programme says of the person."""

    code: str
    role: str
    name: Bilingual | None
    function: Bilingual
    institution: Bilingual | None
    country: str | None
    bio: Bilingual | None
    photo: str | None = None
    """The digest of the photograph, see `programme.portraits`."""

    @property
    def shown_as(self) -> Bilingual:
        """The announced name, or the function where no name is announced."""
        return self.name or self.function


@dataclass(frozen=True, slots=True)
class PublishedSession:
    """A session as published. `starts_at` and `ends_at` are UTC, both empty where the time is to be announced.

    `sequence` and `changed_at` are the calendar's: see rules §5.
    """

    uid: str
    code: str
    type: str
    title: Bilingual
    abstract: Bilingual | None
    guiding_question: Bilingual | None
    tracks: tuple[str, ...]
    themes: tuple[str, ...]
    objectives: tuple[int, ...]
    facet: str | None
    room: str | None
    room_name: Bilingual | None
    starts_at: datetime | None
    ends_at: datetime | None
    attribution: Attribution | None
    spoken: tuple[str, ...]
    interpreted: tuple[str, ...]
    people: tuple[PublishedPerson, ...]
    overlap_intended: bool
    cancelled: bool
    sequence: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Programme:
    """One version whole. `number` is 0 and everything empty where nothing is published yet.

    What everybody is told of it is `public_number` and `public_at` (UTC): see `programme.models.Version`.
    """

    number: int
    published_at: datetime | None
    public_number: int
    public_at: datetime | None
    note: Bilingual | None
    sessions: tuple[PublishedSession, ...]

    def session(self, code: str) -> PublishedSession | None:
        """The session with this code, or None."""
        return next((session for session in self.sessions if session.code == code), None)

    @property
    def people(self) -> Mapping[str, PublishedPerson]:
        """Everybody who is in a session, closed ones too, by code."""
        return {person.code: person for session in self.sessions for person in session.people}

    def with_sessions(self, sessions: tuple[PublishedSession, ...]) -> "Programme":
        """The same version with only these sessions: what one viewer may see of it."""
        return replace(self, sessions=sessions)


NOTHING_YET = Programme(0, None, 0, None, None, ())


def to_document(sessions: tuple[PublishedSession, ...]) -> dict[str, Any]:
    """The sessions as JSON values, to be kept in a version."""
    return {"sessions": [_session_to_json(session) for session in sessions]}


def from_document(document: dict[str, Any]) -> tuple[PublishedSession, ...]:
    """The sessions of a version's document."""
    return tuple(_session_from_json(item) for item in document["sessions"])


def is_document(value: Any) -> bool:
    """Whether somebody else's value is one that `from_document` reads and every page can show."""
    try:
        sessions = from_document(value)
        _SESSIONS.validate_json(to_json([asdict(one) for one in sessions]), strict=True)
    except (LookupError, TypeError, ValueError, AttributeError, AssertionError):
        return False
    times = [at for one in sessions for at in (one.starts_at, one.ends_at, one.changed_at) if at is not None]
    return all(at.tzinfo is not None and is_of_this_age(at) for at in times)


_SESSIONS = TypeAdapter(tuple[PublishedSession, ...])


def _words(text: Bilingual | None) -> list[str] | None:
    return [text.en, text.km] if text else None


def _bilingual(pair: list[str] | None) -> Bilingual | None:
    return Bilingual(pair[0], pair[1]) if pair else None


def _instant(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat() if value else None


def _datetime(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _session_to_json(session: PublishedSession) -> dict[str, Any]:
    return {
        "uid": session.uid,
        "code": session.code,
        "type": session.type,
        "title": _words(session.title),
        "abstract": _words(session.abstract),
        "guiding_question": _words(session.guiding_question),
        "tracks": list(session.tracks),
        "themes": list(session.themes),
        "objectives": list(session.objectives),
        "facet": session.facet,
        "room": session.room,
        "room_name": _words(session.room_name),
        "starts_at": _instant(session.starts_at),
        "ends_at": _instant(session.ends_at),
        "attribution": session.attribution,
        "spoken": list(session.spoken),
        "interpreted": list(session.interpreted),
        "people": [
            {
                "code": person.code,
                "role": person.role,
                "name": _words(person.name),
                "function": _words(person.function),
                "institution": _words(person.institution),
                "country": person.country,
                "bio": _words(person.bio),
                "photo": person.photo,
            }
            for person in session.people
        ],
        "overlap_intended": session.overlap_intended,
        "cancelled": session.cancelled,
        "sequence": session.sequence,
        "changed_at": _instant(session.changed_at),
    }


def _session_from_json(item: dict[str, Any]) -> PublishedSession:
    changed_at = _datetime(item["changed_at"])
    assert changed_at is not None  # noqa: S101 - written by to_document
    return PublishedSession(
        uid=item["uid"],
        code=item["code"],
        type=item["type"],
        title=_bilingual(item["title"]) or Bilingual(),
        abstract=_bilingual(item["abstract"]),
        guiding_question=_bilingual(item["guiding_question"]),
        tracks=tuple(item["tracks"]),
        themes=tuple(item["themes"]),
        objectives=tuple(item["objectives"]),
        facet=item["facet"],
        room=item["room"],
        room_name=_bilingual(item["room_name"]),
        starts_at=_datetime(item["starts_at"]),
        ends_at=_datetime(item["ends_at"]),
        attribution=Attribution(item["attribution"]) if item["attribution"] else None,
        spoken=tuple(item["spoken"]),
        interpreted=tuple(item["interpreted"]),
        people=tuple(
            PublishedPerson(
                code=person["code"],
                role=person["role"],
                name=_bilingual(person["name"]),
                function=_bilingual(person["function"]) or Bilingual(),
                institution=_bilingual(person["institution"]),
                country=person["country"],
                bio=_bilingual(person["bio"]),
                photo=person.get("photo"),  # versions from before there were any
            )
            for person in item["people"]
        ),
        overlap_intended=item["overlap_intended"],
        cancelled=item["cancelled"],
        sequence=item["sequence"],
        changed_at=changed_at,
    )
