"""The settings at the desk: a part of them is changed whole, remembered before and after, and may be taken back."""

import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.founding import SLOT, feature_only, put_objectives, put_tracks
from app.forum.models import Forum, SettingEdit
from app.forum.queries import ForumPage, TrackView, forum_id, objectives_of, tracks_of
from app.forum.setting_inputs import PARTS, TopicsPart
from app.kit.db import Db, table
from app.kit.errors import Conflict, NotFound, Refused
from app.kit.i18n import Bilingual
from app.kit.inputs import Input, parse
from app.kit.pen import republish

_edits = table(SettingEdit)
State = dict[str, Any]
"""A part of the settings as JSON values, in the form of its input."""


def state_of(db: Db, forum: Forum, part: str) -> State:
    """A part as it stands. Raises NotFound for a part that is none. At most three queries."""
    if part == "topics":
        tracks, own = tracks_of(db, forum_id(forum)), forum_id(forum)
        return {
            "objectives": [{"number": number, "text": _pair(text)} for number, text in objectives_of(db, own)],
            "tracks": [_track(track) for track in tracks],
        }
    if part not in PARTS:
        raise NotFound
    return _of_columns(forum, part)


def mark_of(state: State) -> str:
    """A short mark of a state: what a form was opened on is held against it."""
    return hashlib.sha256(json.dumps(state, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:24]


def put_part(
    db: Db,
    by: Actor,
    forum: Forum,
    part: str,
    sent: Input,
    *,
    mark: str,
    now: datetime,
    used: Mapping[str, Collection[str]] | None = None,
) -> bool:
    """Bring a part to what was sent if it still is what `mark` says; says whether anything changed.

    A change of time, place or title moves the forum's own entry in calendars: same UID, a higher SEQUENCE (rules §5);
    sessions stay where they are. `used` has the codes of sessions by what of the topics they name. Raises Forbidden or
    NotFound; Conflict("setting_changed"); Refused("topic_used") where a topic would go that sessions name, and
    Refused("only_site_features") for others than the site's owners: the first page is every forum's business.
    """
    by.must(Permission.EDIT_FORUM, forum_id(forum))
    before, after = state_of(db, forum, part), sent.model_dump(mode="json")
    if mark_of(before) != mark:
        raise Conflict("setting_changed")
    if before == after:
        return False
    changed = sorted(name for name in after if before.get(name) != after[name])
    if "featured" in changed and not by.site_owner:
        raise Refused("only_site_features")
    if isinstance(sent, TopicsPart):
        _refuse_if_used(before, after, used or {})
        _put_topics(db, forum, sent)
    else:
        _put_columns(forum, part, after, now)
    forum.changed_at = now
    db.add(forum)
    db.flush()
    if part == "standing" and forum.featured:
        feature_only(db, forum_id(forum))
    remember(db, by, forum, part, before, after, now=now)
    record(db, forum.slug, by.signature, "forum.changed", f"forum:{forum.slug}", now=now, after={"changed": changed})
    republish(db, forum.slug)
    return True


def remember(db: Db, by: Actor, forum: Forum, part: str, before: State, after: State, *, now: datetime) -> None:
    """Keep a part of the settings as it was and as it is: what it takes to take the change back.

    Of the contacts only the last change keeps its words: whoever is named no more does not stay in a history for ever.
    """
    who, name = by.signature
    own = forum_id(forum)
    if part == "contact":
        earlier = (_edits.c.forum_id == own) & (_edits.c.part == part)
        db.execute(update(_edits).where(earlier).values(before={}, after={}))
    db.add(SettingEdit(forum_id=own, part=part, before=before, after=after, by=who, by_name=name, at=now))
    db.flush()


def edits_of(db: Db, forum: Forum, *, most: int = 60, before: int | None = None) -> list[SettingEdit]:
    """The last changes of the settings, the newest first; with `before` those older than the change of this number.
    One query."""
    wanted = select(SettingEdit).where(_edits.c.forum_id == forum_id(forum)).order_by(_edits.c.id.desc()).limit(most)
    if before is not None:
        wanted = wanted.where(_edits.c.id < before)
    return list(db.execute(wanted).scalars())


def last_edits(db: Db, forum: Forum) -> list[int]:
    """The number of each part's last change. One query."""
    own = _edits.c.forum_id == forum_id(forum)
    return list(db.execute(select(func.max(_edits.c.id)).where(own).group_by(_edits.c.part)).scalars())


def edit_of(db: Db, forum: Forum, number: int) -> SettingEdit:
    """One change of this forum's settings. Raises NotFound."""
    wanted = select(SettingEdit).where(_edits.c.id == number, _edits.c.forum_id == forum_id(forum))
    found: SettingEdit | None = db.execute(wanted).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


def take_back(
    db: Db,
    by: Actor,
    forum: Forum,
    number: int,
    *,
    now: datetime,
    used: Mapping[str, Collection[str]] | None = None,
) -> bool:
    """Bring a part back to what stood before a change, as a change of its own.

    Raises as `put_part`; Conflict("setting_moved_on") where the part was changed again since.
    """
    by.must(Permission.EDIT_FORUM, forum_id(forum))
    edit = edit_of(db, forum, number)
    present = state_of(db, forum, edit.part)
    if present != edit.after:
        raise Conflict("setting_moved_on")
    sent = parse(PARTS[edit.part], edit.before)
    return put_part(db, by, forum, edit.part, sent, mark=mark_of(present), now=now, used=used)


def as_it_would_be(page: ForumPage, part: str, sent: Input) -> ForumPage:
    """The forum's page with a part that is not saved: a copy that no database knows."""
    copied = Forum(**{column.name: getattr(page.forum, column.name) for column in table(Forum).c})
    if isinstance(sent, TopicsPart):
        tracks = tuple(
            TrackView(
                each.code,
                each.slug,
                each.title,
                each.short_title,
                each.colour,
                tuple((theme.slug, theme.title) for theme in each.themes),
            )
            for each in sent.tracks
        )
        aims = tuple((aim.number, aim.text) for aim in sorted(sent.objectives, key=lambda aim: aim.number))
        return ForumPage(copied, tracks, aims, page.rooms)
    for name, value in _columns(part, sent.model_dump(mode="json")).items():
        setattr(copied, name, value)
    return ForumPage(copied, page.tracks, page.objectives, page.rooms)


def _pair(text: Bilingual | None) -> dict[str, str]:
    return {"en": text.en, "km": text.km} if text else {"en": "", "km": ""}


def _track(track: TrackView) -> State:
    return {
        "code": track.code,
        "slug": track.slug,
        "title": _pair(track.title),
        "short_title": _pair(track.short_title),
        "colour": track.colour,
        "themes": [{"slug": slug, "title": _pair(title)} for slug, title in track.themes],
    }


def _of_columns(forum: Forum, part: str) -> State:
    if part == "contact":
        contact, office = forum.contact or {}, forum.secretariat or {}
        empty = _pair(None)
        return {
            "contact_name": contact.get("name") or "",
            "contact_role": contact.get("role") or empty,
            "contact_phones": list(contact.get("phones") or ()),
            "office_name": office.get("name") or empty,
            "office_email": office.get("email") or "",
            "office_phone": office.get("phone") or "",
            "office_note": office.get("note") or empty,
        }
    found = {name: getattr(forum, name) for name in PARTS[part].model_fields}
    if part == "dates":
        found |= {name: day.isoformat() if (day := found[name]) else None for name in ("starts_on", "ends_on")}
        found["languages"] = list(found["languages"])
    return {name: _pair(value) if isinstance(value, Bilingual) else value for name, value in found.items()}


def _columns(part: str, state: State) -> dict[str, Any]:
    """A part's state as the forum's columns."""
    if part == "contact":
        contact = {
            "name": state["contact_name"],
            "role": state["contact_role"],
            "phones": state["contact_phones"],
        }
        note = state["office_note"]
        office = {
            "name": state["office_name"],
            "email": state["office_email"],
            "phone": state["office_phone"] or None,
            "note": note if note["en"] else None,
        }
        return {"contact": contact if contact["name"] else None, "secretariat": office}
    sent = PARTS[part].model_validate(state)
    found = {name: getattr(sent, name) for name in PARTS[part].model_fields}
    if part == "dates":
        found["languages"] = list(found["languages"])
    pairs = {name: Bilingual(**value) for name, value in state.items() if isinstance(value, dict)}
    return {**found, **pairs}


def _put_columns(forum: Forum, part: str, after: State, now: datetime) -> None:
    wanted = _columns(part, after)
    changed = {name for name, value in wanted.items() if getattr(forum, name) != value}
    for name in changed:
        setattr(forum, name, wanted[name])
    if not SLOT.isdisjoint(changed):
        forum.sequence, forum.slot_changed_at = forum.sequence + 1, now


def _put_topics(db: Db, forum: Forum, sent: TopicsPart) -> None:
    put_objectives(db, forum_id(forum), sent.objectives)
    put_tracks(db, forum_id(forum), sent.tracks)


def _refuse_if_used(before: State, after: State, used: Mapping[str, Collection[str]]) -> None:
    for name in sorted(_named(before) - _named(after)):
        if name in used:
            raise Refused("topic_used", topic=name.partition(":")[2], sessions=", ".join(sorted(used[name])))


def _named(topics: State) -> set[str]:
    """What sessions can name of the topics, as kind:code."""
    found = {f"objective:{aim['number']}" for aim in topics["objectives"]}
    for track in topics["tracks"]:
        found.add(f"track:{track['code']}")
        found |= {f"theme:{theme['slug']}" for theme in track["themes"]}
    return found
