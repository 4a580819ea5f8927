"""Reads about forums shared by the doors."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select

from app.forum.models import Forum, MeetingRoom, Objective, RoomSetup, Theme, Track
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.kit.i18n import Bilingual
from app.kit.questions import Question

_forums, _rooms, _setups = table(Forum), table(MeetingRoom), table(RoomSetup)


@dataclass(frozen=True, slots=True)
class TrackView:
    """A track with its themes in order, as (slug, title)."""

    code: str
    slug: str
    title: Bilingual
    short_title: Bilingual
    colour: str
    themes: tuple[tuple[str, Bilingual], ...]


@dataclass(frozen=True, slots=True)
class RoomView:
    """A meeting room: its seats in its usual set-up, and other set-ups as (set-up, seats)."""

    id: int
    code: str
    name: Bilingual
    seats: int
    listed: bool
    setup: str
    changeover_minutes: int
    setups: tuple[tuple[str, int], ...]
    edition: int

    def seats_in(self, setup: str | None) -> int:
        """The seats in this set-up; those in the usual one where the room has no figure for it."""
        return dict(self.setups).get(setup or self.setup, self.seats)


@dataclass(frozen=True, slots=True)
class ForumPage:
    """A forum with what describes it, in the order organisers gave."""

    forum: Forum
    tracks: tuple[TrackView, ...]
    objectives: tuple[tuple[int, Bilingual], ...]
    rooms: dict[str, RoomView]


_BY_SLUG = select(Forum).where(_forums.c.slug == bindparam("wanted"))


def forum_by_slug(db: Db, slug: str) -> Forum:
    """The forum at this address. Raises NotFound."""
    found: Forum | None = db.execute(_BY_SLUG, {"wanted": slug}).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


_AT_SLUG = Question(select(_forums).where(_forums.c.slug == bindparam("wanted")), named=True)


def forum_apart(db: Db, slug: str) -> Forum:
    """The same of no session, for whoever only reads it: a deed that does no more than that needs no savepoint. Raises
    NotFound."""
    found: Any = db.ask(_AT_SLUG, {"wanted": slug})
    if not found:
        raise NotFound
    return Forum(**found[0]._asdict())


def for_everybody(forum: Forum) -> Forum:
    """The same forum, if everybody may see it: what every public page, feed and file asks.

    Raises NotFound for one that is not public, as if it were not there.
    """
    if not forum.public:
        raise NotFound
    return forum


def forum_id(forum: Forum) -> int:
    """The id of a forum that is stored."""
    assert forum.id is not None  # noqa: S101 - read from the table, so it has one
    return forum.id


def ends_at(forum: Forum) -> datetime | None:
    """The instant at which the forum's last day ends where it is held, in UTC; None while dates are to be announced."""
    if forum.ends_on is None:
        return None
    midnight = datetime.combine(forum.ends_on + timedelta(days=1), time(), tzinfo=ZoneInfo(forum.timezone))
    return midnight.astimezone(UTC)


def forums(db: Db) -> list[Forum]:
    """Every forum, the newest first."""
    return list(db.execute(select(Forum).order_by(_forums.c.starts_on.desc(), _forums.c.id.desc())).scalars())


def public_forums(db: Db) -> list[Forum]:
    """The same of those that everybody may see."""
    return [forum for forum in forums(db) if forum.public]


def featured_slug(db: Db) -> str | None:
    """The slug of the forum that `/` leads to: of those that are public the featured one, or else the newest."""
    shown = select(_forums.c.slug).where(_forums.c.public)
    wanted = shown.order_by(_forums.c.featured.desc(), _forums.c.id.desc()).limit(1)
    found: str | None = db.execute(wanted).scalar_one_or_none()
    return found


def rooms_of(db: Db, forum_id: int) -> list[RoomView]:
    """The meeting rooms in order, with their set-ups. One query."""
    wanted = (
        select(_rooms, _setups.c.setup.label("other"), _setups.c.seats.label("other_seats"))
        .outerjoin(_setups, _setups.c.room_id == _rooms.c.id)
        .where(_rooms.c.forum_id == forum_id)
        .order_by(_rooms.c.position, _rooms.c.id, _setups.c.id)
    )
    rooms: dict[int, RoomView] = {}
    for row in db.execute(wanted):
        known = rooms.get(row.id)
        others = known.setups if known else ()
        rooms[row.id] = RoomView(
            id=row.id,
            code=row.code,
            name=row.name,
            seats=row.seats,
            listed=row.listed,
            setup=row.setup,
            changeover_minutes=row.changeover_minutes,
            setups=(*others, (row.other, row.other_seats)) if row.other else others,
            edition=row.edition,
        )
    return list(rooms.values())


def forum_page(db: Db, slug: str) -> ForumPage:
    """A forum whole. Raises NotFound. Five queries, whatever it holds."""
    forum = forum_by_slug(db, slug)
    return ForumPage(
        forum=forum,
        tracks=tuple(tracks_of(db, forum_id(forum))),
        objectives=tuple(objectives_of(db, forum_id(forum))),
        rooms={room.code: room for room in rooms_of(db, forum_id(forum))},
    )


def tracks_of(db: Db, forum_id: int) -> list[TrackView]:
    """The tracks with their themes, in order. Two queries."""
    tracks, themes = table(Track), table(Theme)
    by_track: dict[int, list[tuple[str, Bilingual]]] = {}
    for row in db.execute(select(themes).where(themes.c.forum_id == forum_id).order_by(themes.c.position)):
        by_track.setdefault(row.track_id, []).append((row.slug, row.title))
    rows: Any = db.execute(select(tracks).where(tracks.c.forum_id == forum_id).order_by(tracks.c.position))
    return [
        TrackView(row.code, row.slug, row.title, row.short_title, row.colour, tuple(by_track.get(row.id, ())))
        for row in rows
    ]


def objectives_of(db: Db, forum_id: int) -> list[tuple[int, Bilingual]]:
    """The objectives as (number, text), in order. One query."""
    objectives = table(Objective)
    wanted = select(objectives).where(objectives.c.forum_id == forum_id).order_by(objectives.c.number)
    return [(row.number, row.text) for row in db.execute(wanted)]


def objective_numbers(db: Db, forum_id: int) -> set[int]:
    """The numbers of the forum's objectives. One query."""
    objectives = table(Objective)
    return set(db.execute(select(objectives.c.number).where(objectives.c.forum_id == forum_id)).scalars())
