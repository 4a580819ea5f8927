"""Making a forum and changing what it says of itself."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.furnishing import put_rooms
from app.forum.inputs import ForumInput, ObjectiveInput, RoomInput, TrackInput
from app.forum.models import Forum, Objective, Theme, Track, new_uid
from app.forum.queries import forum_id, tracks_of
from app.kit.db import Db, table
from app.kit.errors import Refused
from app.kit.i18n import Bilingual
from app.kit.pen import republish

SLOT = frozenset({"title", "starts_on", "ends_on", "timezone", "venue_name", "venue_address"})
"""Time, place and title of the forum's own calendar entry: their change raises its SEQUENCE (rules §5)."""


def put_forum(
    db: Db, by: Actor, sent: ForumInput, *, now: datetime, known: tuple[str, int, datetime] | None = None
) -> tuple[Forum, bool]:
    """Make the forum at this slug or bring it to what was sent; says whether anything changed.

    `known` gives a new forum the (uid, sequence, change) its calendar entry has elsewhere, so that it does not fall
    behind. Raises Forbidden or NotFound for an actor who may not edit it, or may not make one.
    """
    forum = db.execute(select(Forum).where(table(Forum).c.slug == sent.slug)).scalar_one_or_none()
    if forum is None:
        if not by.site_owner:
            raise Refused("only_owner_founds")
        uid, sequence, changed_at = known or (new_uid(), 0, now)
        forum = Forum(slug=sent.slug, created_at=now, changed_at=now, uid=uid)
        forum.sequence, forum.slot_changed_at = sequence, changed_at
    else:
        by.must(Permission.EDIT_FORUM, forum_id(forum))
    wanted = _columns(sent)
    if sent.public is not None:
        wanted["public"] = sent.public
    before = {name: getattr(forum, name) for name in wanted}
    if before == wanted and forum.id is not None:
        return forum, False
    changed = sorted(name for name in wanted if before[name] != wanted[name])
    for name, value in wanted.items():
        setattr(forum, name, value)
    forum.changed_at = now
    if forum.id is not None and not SLOT.isdisjoint(changed):
        forum.sequence, forum.slot_changed_at = forum.sequence + 1, now
    kind = "forum.founded" if forum.id is None else "forum.changed"
    db.add(forum)
    db.flush()
    if forum.featured:
        feature_only(db, forum_id(forum))
    record(db, forum.slug, by.signature, kind, f"forum:{forum.slug}", now=now, after={"changed": changed})
    republish(db, forum.slug)
    return forum, True


def feature_only(db: Db, chosen: int) -> None:
    """Only this forum is the one that the first page leads to."""
    forums = table(Forum)
    db.execute(forums.update().where(forums.c.id != chosen).values(featured=False))


def _columns(sent: ForumInput) -> dict[str, Any]:
    empty = Bilingual()
    return {
        "featured": sent.featured,
        "format_label": sent.format_label,
        "title": sent.title,
        "short_title": sent.short_title,
        "summary": sent.summary,
        "about": sent.about,
        "central_question": sent.central_question,
        "participants": sent.participants,
        "starts_on": sent.starts_on,
        "ends_on": sent.ends_on,
        "timezone": sent.timezone,
        "languages": list(sent.languages),
        "venue_name": sent.venue.name if sent.venue else empty,
        "venue_address": sent.venue.address if sent.venue else empty,
        "venue_note": sent.venue.note or empty if sent.venue else empty,
        "latitude": sent.venue.latitude if sent.venue else None,
        "longitude": sent.venue.longitude if sent.venue else None,
        "contact": sent.contact.model_dump(mode="json") if sent.contact else None,
        "secretariat": sent.secretariat.model_dump(mode="json"),
    }


def put_structure(
    db: Db,
    by: Actor,
    forum: Forum,
    objectives: Sequence[ObjectiveInput],
    tracks: Sequence[TrackInput],
    rooms: Sequence[RoomInput],
    *,
    now: datetime,
) -> bool:
    """Bring objectives, tracks with themes and rooms to what was sent; says whether anything changed.

    A room keeps its id while its code stays, because sessions point at it. Raises Refused("room_in_use") from the
    database's own check where a room that sessions use would go.
    """
    by.must(Permission.EDIT_FORUM, forum_id(forum))
    own = forum_id(forum)
    changed = [
        part
        for part, done in (
            ("objectives", put_objectives(db, own, objectives)),
            ("tracks", put_tracks(db, own, tracks)),
            ("rooms", put_rooms(db, own, rooms)),
        )
        if done
    ]
    if changed:
        forum.changed_at = now
        db.add(forum)
        db.flush()
        record(
            db, forum.slug, by.signature, "forum.structured", f"forum:{forum.slug}", now=now, after={"changed": changed}
        )
        republish(db, forum.slug)
    return bool(changed)


def put_objectives(db: Db, own: int, sent: Sequence[ObjectiveInput]) -> bool:
    """Bring the objectives to what was sent; says whether any changed. The caller has asked permission."""
    objectives = table(Objective)
    rows = db.execute(select(objectives).where(objectives.c.forum_id == own).order_by(objectives.c.number))
    if [(row.number, row.text) for row in rows] == sorted((aim.number, aim.text) for aim in sent):
        return False
    db.execute(delete(objectives).where(objectives.c.forum_id == own))
    db.add_all(Objective(forum_id=own, number=aim.number, text=aim.text) for aim in sent)
    db.flush()
    return True


def put_tracks(db: Db, own: int, sent: Sequence[TrackInput]) -> bool:
    """Bring the topics with their themes to what was sent, likewise."""
    wanted = [
        (t.code, t.slug, t.title, t.short_title, t.colour, tuple((theme.slug, theme.title) for theme in t.themes))
        for t in sent
    ]
    there = [(t.code, t.slug, t.title, t.short_title, t.colour, t.themes) for t in tracks_of(db, own)]
    if wanted == there:
        return False
    themes, tracks = table(Theme), table(Track)
    db.execute(delete(themes).where(themes.c.forum_id == own))
    db.execute(delete(tracks).where(tracks.c.forum_id == own))
    for position, (code, slug, title, short_title, colour, named) in enumerate(wanted):
        track = Track(
            forum_id=own, code=code, slug=slug, title=title, short_title=short_title, colour=colour, position=position
        )
        db.add(track)
        db.flush()
        db.add_all(
            Theme(forum_id=own, track_id=track.id or 0, slug=name, title=words, position=order)
            for order, (name, words) in enumerate(named)
        )
    db.flush()
    return True
