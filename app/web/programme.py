"""The programme: the timetable with its filters, one session, and what changed between versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import urlencode

from fastapi import APIRouter
from sqlalchemy import select
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.kit.i18n import Bilingual, day, khmer_digits, text_of
from app.programme.published import PublishedPerson, PublishedSession
from app.programme.rules.search import found, haystack
from app.registration.models import SignUp
from app.web import pages
from app.web.cards import Card, card, days_of, in_order
from app.web.linked import of_session
from app.web.materials import lines_of, public_shelf
from app.web.public import Public, public, show
from app.web.site import site_of
from app.web.timetable import Span, hours, place

router = APIRouter()
ROLES = ("chair", "moderator", "speaker", "rapporteur")


@dataclass(frozen=True, slots=True)
class Filter:
    """What the reader asked to see; empty means everything. `plain` says that nothing else was asked."""

    day: date | None
    track: str
    room: str
    words: str
    plain: bool

    @property
    def active(self) -> bool:
        return bool(self.day or self.track or self.room or self.words)

    @property
    def query(self) -> str:
        """What was asked as a query, with its `?`: only our own fields that say something; "" for everything."""
        asked = {
            "day": self.day.isoformat() if self.day else "",
            "track": self.track,
            "room": self.room,
            "q": self.words,
        }
        kept = {name: value for name, value in asked.items() if value}
        return f"?{urlencode(kept)}" if kept else ""


@dataclass(frozen=True, slots=True)
class Placed:
    """A card and the class names of its place in the grid."""

    card: Card
    classes: str


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the programme: its sessions in their places and the hours down the side."""

    id: str
    name: str
    short: str
    sessions: tuple[Placed, ...]
    hours: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """An entry of a filter's list."""

    value: str
    words: str
    chosen: bool


@router.get("/{lang}/{forum}/programme")
async def programme(request: Request, lang: str, forum: str) -> Response:
    seen = await public(request, lang, forum)
    asked = read_filter(request.query_params, seen)
    sessions = in_order(seen, [s for s in seen.programme.sessions if wanted(seen, s, asked)])
    return show(
        request,
        seen,
        "programme/page.html",
        canonical=asked.plain,
        twin=pages.twin(request.url.path, seen.lang) + asked.query,
        asked=asked,
        days=[day_view(seen, day, sessions) for day in days_of(seen)],
        untimed=[card(seen, session) for session in sessions if session.starts_at is None],
        total=len(sessions),
        choices=choices(seen, asked),
        programme=seen.programme,
    )


@router.get("/{lang}/{forum}/programme/{code}")
async def session(request: Request, lang: str, forum: str, code: str) -> Response:
    seen = await public(request, lang, forum)
    one = seen.programme.session(pages.code(code))
    if one is None:
        raise NotFound
    sign_up = await site_of(request).read(lambda db: sign_up_places(db, one.uid))
    before, after = neighbours(seen, one)
    there = await public_shelf(request, seen)
    return show(
        request,
        seen,
        "programme/session.html",
        valid_until=there.until,
        shared=of_session(seen, one, site_of(request).settings.base_url),
        session=one,
        card=card(seen, one),
        tracks=[track for track in seen.page.tracks if track.code in one.tracks],
        themes=theme_titles(seen, one),
        objectives=[aim for aim in seen.page.objectives if aim[0] in one.objectives],
        places=places(seen, one, sign_up),
        signs_up=sign_up is not None,
        people=by_role(one.people),
        languages=languages(seen, one),
        before=before,
        after=after,
        materials=lines_of(seen.lang, seen.forum, there.of_session(one.uid), f"{seen.base}/materials"),
    )


def read_filter(query: QueryParams, seen: Public) -> Filter:
    """The filter that a query asks for. Fields that are not ours are left alone.

    Raises NotFound("no_such_filter") for a day, topic or room that the forum does not have.
    Plain, so that the page may be kept: only our own fields, each once, in our order, and no free words.
    """
    day, track, room = _day(query.get("day", "")), query.get("track", ""), query.get("room", "")
    there = (
        query.get("day", "") == "" or day in days_of(seen),
        track in {"", *seen.tracks},
        room in {"", *seen.page.rooms},
    )
    if not all(there):
        raise NotFound("no_such_filter")
    words = query.get("q", "").strip()[:100]
    known = {"day": day.isoformat() if day else "", "track": track, "room": room, "q": ""}
    items = query.multi_items()
    names = [name for name, _ in items]
    in_our_order = names == [name for name in known if name in names]
    return Filter(day, track, room, words, in_our_order and all(known[name] == value for name, value in items))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def wanted(seen: Public, session: PublishedSession, asked: Filter) -> bool:
    """Does the reader want to see this session?"""
    if asked.day and (session.starts_at is None or seen.local_day(session.starts_at) != asked.day):
        return False
    if (asked.track and asked.track not in session.tracks) or (asked.room and asked.room != session.room):
        return False
    return not asked.words or found(asked.words, haystack(_texts(seen, session)))


def _texts(seen: Public, session: PublishedSession) -> list[str]:
    themes = [title for _, title in theme_titles(seen, session)]
    spoken: list[Bilingual | None] = [session.title, session.abstract, session.guiding_question, session.room_name]
    for person in session.people:
        spoken += [person.name, person.function, person.institution]
    return [session.code, *(text for both in (*spoken, *themes) if both for text in (both.en, both.km))]


def theme_titles(seen: Public, session: PublishedSession) -> list[tuple[str, Bilingual]]:
    """The session's themes as (slug, title), in the forum's order."""
    return [theme for track in seen.page.tracks for theme in track.themes if theme[0] in session.themes]


def day_view(seen: Public, on: date, sessions: Sequence[PublishedSession]) -> Day:
    """The sessions of one day in their places."""
    rooms = {code: position for position, code in enumerate(seen.page.rooms)}
    timed = [
        (session, session.starts_at, session.ends_at)
        for session in sessions
        if session.starts_at and session.ends_at and seen.local_day(session.starts_at) == on
    ]
    cards = [card(seen, session) for session, _, _ in timed]
    spans = [
        Span(
            start=_minutes(seen, starts_at, on),
            end=_minutes(seen, ends_at, on),
            lane=rooms.get(session.room or "", len(rooms)),
            weight=2 if one.quiet else 3,
        )
        for (session, starts_at, ends_at), one in zip(timed, cards, strict=True)
    ]
    marks = tuple((f"r{row} h12", _hour(seen, hour)) for row, hour in hours(spans))
    placed = tuple(Placed(one, there.classes) for one, there in zip(cards, place(spans), strict=True))
    return Day(f"day-{on.isoformat()}", day(on, seen.lang, "full"), day(on, seen.lang, "day"), placed, marks)


def _minutes(seen: Public, instant: datetime, on: date) -> int:
    midnight = datetime(on.year, on.month, on.day, tzinfo=seen.zone)
    return int((instant - midnight.astimezone(UTC)).total_seconds() // 60)


def _hour(seen: Public, hour: int) -> str:
    text = f"{hour % 24:02d}:00"
    return khmer_digits(text) if seen.lang == "km" else text


def choices(seen: Public, asked: Filter) -> Mapping[str, list[Choice]]:
    """The filter's lists: days, tracks, and the rooms in which something public happens."""
    used = {session.room for session in seen.programme.sessions}
    return {
        "day": [Choice(on.isoformat(), day(on, seen.lang, "day"), on == asked.day) for on in days_of(seen)],
        "track": [
            Choice(track.code, f"{track.code} · {track.short_title.of(seen.lang)}", track.code == asked.track)
            for track in seen.page.tracks
        ],
        "room": [
            Choice(room.code, room.name.of(seen.lang), room.code == asked.room)
            for room in seen.page.rooms.values()
            if room.code in used
        ],
    }


def neighbours(seen: Public, one: PublishedSession) -> tuple[Card | None, Card | None]:
    """The sessions before and after this one in the programme's order."""
    ordered = in_order(seen, seen.programme.sessions)
    at = ordered.index(one)
    before = card(seen, ordered[at - 1]) if at > 0 else None
    return before, card(seen, ordered[at + 1]) if at + 1 < len(ordered) else None


def sign_up_places(db: Db, uid: str) -> int | None:
    """How many may sign up for this session; None where it asks for no sign-up."""
    sign_ups = table(SignUp)
    found_places: int | None = db.execute(
        select(sign_ups.c.places).where(sign_ups.c.session_uid == uid)
    ).scalar_one_or_none()
    return found_places


def places(seen: Public, one: PublishedSession, sign_up: int | None) -> str:
    """How one gets a place in the room, in words; empty for breaks and where the room is not known."""
    hall = seen.page.rooms.get(one.room or "")
    if sign_up is not None:
        return text_of(seen.lang, "programme.sign_up", n=sign_up)
    if hall is None or one.attribution is None:
        return ""
    return text_of(seen.lang, "programme.open_seating", n=hall.seats)


def by_role(people: Sequence[PublishedPerson]) -> list[tuple[str, list[PublishedPerson]]]:
    """The people of a session by role, chairs first."""
    found_roles = {role: [person for person in people if person.role == role] for role in ROLES}
    return [(role, persons) for role, persons in found_roles.items() if persons]


def languages(seen: Public, one: PublishedSession) -> tuple[str, str]:
    """The languages spoken, and those interpreted into, each as words."""
    named = {code: text_of(seen.lang, f"programme.language.{code}") for code in (*one.spoken, *one.interpreted)}
    glue = text_of(seen.lang, "programme.and")
    return glue.join(named[code] for code in one.spoken), glue.join(named[code] for code in one.interpreted)
