"""The desk's timetable of one day: rooms side by side against the hours, five minutes to a row.

As on the public page a place is made of class names, because style attributes are not allowed: rows of
`static/programme/grid.css`, columns of `static/programme/rooms.css` (written by `stylesheet`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from app.kit.i18n import Lang, clock_time, khmer_digits, text_of
from app.programme.marking import Marked
from app.programme.published import PublishedSession
from app.programme.rules.visibility import Attribution
from app.web.cards import QUIET, Tag
from app.web.local_times import typed
from app.web.timetable import ROWS, STEP
from app.web.working import Obstacle, Working

COLUMNS = 60
MORNING, EVENING = 8 * 60, 18 * 60
"""The hours that are always there, so that a day without sessions has room for some; minutes since midnight."""
USUAL_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Block:
    """One session in the timetable or beside it, in ready words; `starts_at` is local, as a form's field holds it."""

    code: str
    title: str
    hours: str
    kind: str
    room: str
    room_name: str
    classes: str
    edition: int
    starts_at: str
    minutes: int
    tracks: tuple[Tag, ...]
    colour: str
    quiet: bool
    cancelled: bool
    closed: bool
    on_purpose: bool
    standing: str
    people: str
    obstacles: tuple[Obstacle, ...]
    marks: tuple[Marked, ...]

    @property
    def calls(self) -> bool:
        return any(one.calls for one in self.obstacles)


@dataclass(frozen=True, slots=True)
class Column:
    """A room of the timetable: its code ("" for none), name and seats, and where its column is."""

    room: str
    name: str
    seats: int
    classes: str


@dataclass(frozen=True, slots=True)
class Board:
    """One day: its columns, hours and blocks. `first` is the local minute of the first row, `width` a class name."""

    on: date
    first: int
    width: str
    columns: tuple[Column, ...]
    hours: tuple[tuple[str, str], ...]
    blocks: tuple[Block, ...]


def days_of(working: Working) -> list[date]:
    """The forum's days, and those outside them on which something stands."""
    forum = working.page.forum
    found = {working.local_day(session.starts_at) for session in working.sessions if session.starts_at}
    if forum.starts_on and forum.ends_on:
        found |= {forum.starts_on + timedelta(days=n) for n in range((forum.ends_on - forum.starts_on).days + 1)}
    return sorted(found)


def board(working: Working, on: date) -> Board:
    """The sessions of a day in their places, a room's side by side where it is double-booked; first those without one,
    which nobody would look for beyond the last room."""
    zone, lang = working.zone, working.lang
    midnight = datetime(on.year, on.month, on.day, tzinfo=zone).astimezone(UTC)
    timed = [
        (session, _minutes(session.starts_at - midnight), max(_minutes(session.ends_at - midnight), 0))
        for session in working.sessions
        if session.starts_at and session.ends_at and working.local_day(session.starts_at) == on
    ]
    first = min([MORNING, *(start for _, start, _ in timed)]) // 60 * 60
    last = max([EVENING, *(min(end, ROWS * STEP) for _, _, end in timed)])
    roomless = any(session.room is None for session, _, _ in timed)
    rooms = [*([""] if roomless else []), *working.page.rooms]
    lanes = {room: _lanes([one for one in timed if (one[0].room or "") == room]) for room in rooms}
    columns, blocks, left = [], [], 1
    for room in rooms:
        width = max(1, len(lanes[room]))
        there = working.page.rooms.get(room)
        name = there.name.of(lang) if there else text_of(lang, "editor.no_room")
        columns.append(Column(room, name, there.seats if there else 0, _across(left, width)))
        for number, lane in enumerate(lanes[room]):
            for session, start, end in lane:
                row = min(ROWS, (start - first) // STEP + 1)
                rows = max(1, min((end - first + STEP - 1) // STEP + 1, ROWS + 1) - row)
                blocks.append(block(working, session, f"r{row} h{rows} {_across(left + number, 1)}"))
        left += width
    hours = tuple(
        (f"r{(minute - first) // STEP + 1} h12", _hour(lang, minute // 60)) for minute in range(first, last, 60)
    )
    blocks.sort(key=lambda one: (one.starts_at, rooms.index(one.room)))
    return Board(on, first, f"n{min(left - 1, COLUMNS)}", tuple(columns), hours, tuple(blocks))


def waiting(working: Working) -> list[Block]:
    """The sessions without a time, by code."""
    untimed = [session for session in working.sessions if session.starts_at is None or session.ends_at is None]
    return [block(working, session) for session in sorted(untimed, key=lambda session: session.code)]


def block(working: Working, session: PublishedSession, classes: str = "") -> Block:
    """One session in the reader's words."""
    lang, zone = working.lang, working.page.forum.timezone
    tags = tuple(
        Tag(track.code, track.colour, track.short_title.of(lang))
        for track in working.page.tracks
        if track.code in session.tracks
    )
    hours, minutes = text_of(lang, "programme.time_open"), USUAL_MINUTES
    if session.starts_at and session.ends_at:
        hours = "–".join(clock_time(at, lang, zone) for at in (session.starts_at, session.ends_at))
        minutes = _minutes(session.ends_at - session.starts_at)
    return Block(
        code=session.code,
        title=session.title.of(lang),
        hours=hours,
        kind=text_of(lang, f"programme.type.{session.type}"),
        room=session.room or "",
        room_name=session.room_name.of(lang) if session.room_name else "",
        classes=classes,
        edition=working.editions[session.uid],
        starts_at=typed(session.starts_at, zone),
        minutes=minutes,
        tracks=tags,
        colour=tags[0].colour if len(tags) == 1 else "none",
        quiet=session.type in QUIET,
        cancelled=session.cancelled,
        closed=session.attribution is Attribution.CLO,
        on_purpose=session.overlap_intended,
        standing=working.standing(session),
        people=text_of(lang, "programme.and").join(person.shown_as.of(lang) for person in session.people),
        obstacles=tuple(working.in_the_way.get(session.code, ())),
        marks=tuple(working.marks.get(session.uid, ())),
    )


Timed = tuple[PublishedSession, int, int]


def _lanes(timed: Sequence[Timed]) -> list[list[Timed]]:
    """A room's sessions in as few lanes as keep what overlaps apart."""
    lanes: list[list[Timed]] = []
    for one in sorted(timed, key=lambda each: (each[1], each[0].code)):
        lane = next((lane for lane in lanes if lane[-1][2] <= one[1]), None)
        if lane is None:
            lanes.append([one])
        else:
            lane.append(one)
    return lanes


def _across(left: int, width: int) -> str:
    return f"k{min(left, COLUMNS)} v{min(width, COLUMNS)}"


def _minutes(length: timedelta) -> int:
    return int(length.total_seconds() // 60)


def _hour(lang: Lang, hour: int) -> str:
    text = f"{hour % 24:02d}:00"
    return khmer_digits(text) if lang == "km" else text


def stylesheet() -> str:
    """The sheet that gives the rooms their columns on a wide screen."""
    rules = [
        f".k{n}{{grid-column-start:{n + 1}}}.v{n}{{grid-column-end:span {n}}}"
        f".n{n}{{grid-template-columns:3.25rem repeat({n},minmax(0,1fr));min-inline-size:{3.25 + 8.5 * n}rem}}"
        f".rows.n{n}{{background:repeating-linear-gradient(to right,var(--hairline) 0 1px,"
        f"transparent 1px calc(100% / {n})) 3.25rem 0 / calc(100% - 3.25rem) 100% no-repeat}}"
        for n in range(1, COLUMNS + 1)
    ]
    inside = "\n".join(rules)
    return (
        "/* Columns of the desk's timetable, one or more a room. Written by app/web/desk_timetable.py. */\n"
        f"@media screen and (min-width: 62rem) {{\n{inside}\n}}\n"
    )
