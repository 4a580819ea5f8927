"""What a speaker does on their own page: accept or decline, say who they are, when they cannot come, be forgotten."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.purging import purge_personal
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import codes
from app.kit.db import Db, table
from app.kit.errors import Fault, Invalid, NotFound, Refused
from app.kit.i18n import Bilingual
from app.kit.pen import republish
from app.kit.pictures import Picture
from app.mail.outbox import withhold
from app.mail.redacting import redact
from app.programme.asking import ASKED, speaker_feed_token
from app.programme.asking_queries import speaker_of
from app.programme.inputs import AvailabilityInput, BioInput
from app.programme.models import Asking, Speaker, Version
from app.programme.portraits import forget_portraits, keep_portrait, let_go
from app.programme.queries import published
from app.programme.rules.speakers import OPEN, Reply, may_become, parts_of

_speakers, _askings, _versions = table(Speaker), table(Asking), table(Version)


def answer(db: Db, by: Actor, forum: Forum, code: str, reply: Reply, note: str, *, now: datetime) -> bool:
    """Accept or decline, with a word to the organisers; the mind may be changed. False where that was said before.

    Raises NotFound; Refused("speaker_not_asked").
    """
    row = _own(db, by, forum, code)
    if not may_become(row.state, reply):
        raise Refused("speaker_not_asked")
    if row.state == reply and row.note == note:
        return False
    _keep(db, row.id, now, state=reply.value, note=note, answered_at=now)
    withhold(db, forum.slug, f"speaker:{code}", [ASKED])
    personal = {"note": note} if note else None
    _told(db, by, forum, code, f"speaker.{reply.value}", now=now, personal=personal)
    return True


def write_bio(db: Db, by: Actor, forum: Forum, code: str, sent: BioInput, *, now: datetime) -> bool:
    """What the programme says about the person, from its next version on; says whether anything changed."""
    row = _own(db, by, forum, code)
    bio = Bilingual(sent.bio_en, sent.bio_km) or None
    if bio == row.bio:
        return False
    db.execute(update(_speakers).where(_speakers.c.id == row.id).values(bio=bio, edition=row.edition + 1))
    _told(db, by, forum, code, "speaker.changed", now=now, after={"changed": ["bio"]})
    return True


def put_photo(db: Db, by: Actor, forum: Forum, code: str, picture: Picture | None, *, now: datetime) -> bool:
    """Show this photograph from the next version on, or none; says whether anything changed.

    The speaker may, and an organiser who edits the programme.
    """
    own = forum_id(forum)
    if by.kind == "speaker":
        row = _own(db, by, forum, code)
    else:
        by.must(Permission.EDIT_PROGRAMME, own)
        row = speaker_of(db, own, code)
    digest = keep_portrait(db, own, code, picture, now=now) if picture else None
    if digest == row.photo:
        return False
    db.execute(update(_speakers).where(_speakers.c.id == row.id).values(photo=digest, edition=row.edition + 1))
    let_go(db, own, published(db, own).sessions)  # else one link could fill the disk with photographs nobody sees
    _told(db, by, forum, code, "speaker.photo_changed" if digest else "speaker.photo_removed", now=now)
    return True


def put_availability(db: Db, by: Actor, forum: Forum, code: str, sent: AvailabilityInput, *, now: datetime) -> bool:
    """When the speaker cannot come; says whether anything changed. Raises Invalid for what is no part of the forum's
    days."""
    row = _own(db, by, forum, code)
    known = [key for _, _, key in parts_of(forum.starts_on, forum.ends_on)]
    if set(sent.away) - set(known):
        raise Invalid([Fault("away", "not_a_choice", {"choices": ""})])
    away = [key for key in known if key in sent.away]
    if away == row.away and sent.away_note == row.away_note:
        return False
    _keep(db, row.id, now, away=away, away_note=sent.away_note)
    personal = {"note": sent.away_note} if sent.away_note else None
    _told(db, by, forum, code, "speaker.availability_changed", now=now, personal=personal)
    return True


def renew_feed(db: Db, by: Actor, forum: Forum, code: str, secret: bytes, *, now: datetime) -> None:
    """A new address for the speaker's own calendar; the old one is found no more."""
    row = _own(db, by, forum, code)
    generation = row.feed_generation + 1
    digest = codes.digest(speaker_feed_token(secret, row.id, generation))
    _keep(db, row.id, now, feed_generation=generation, feed_digest=digest)
    _told(db, by, forum, code, "speaker.feed_renewed", now=now)


def erase_speaker(db: Db, by: Actor, forum: Forum, code: str, *, now: datetime) -> None:
    """Erase what is held about a speaker (docs/decisions/0015): address, answers, words and photograph, and the name
    wherever the programme says it, older versions too. The function stays, because others know the sessions by it.

    The speaker may, and an organiser who edits the programme. The link is dead afterwards. Raises NotFound.
    """
    own = forum_id(forum)
    if by.kind == "speaker":
        row = _own(db, by, forum, code)
    else:
        by.must(Permission.EDIT_PROGRAMME, own)
        row = speaker_of(db, own, code)
    record(db, forum.slug, by.signature, "speaker.erased", f"speaker:{code}", now=now)
    bare = {"name": None, "bio": None, "photo": None, "announced": False, "edition": row.edition + 1}
    db.execute(update(_speakers).where(_speakers.c.id == row.id).values(**bare))
    db.execute(delete(_askings).where(_askings.c.speaker_id == row.id))
    forget_portraits(db, own, code)
    if _scrub_versions(db, own, code):
        republish(db, forum.slug)
    purge_personal(db, forum.slug, subjects=[f"speaker:{code}"])
    redact(db, forum.slug, subjects=[f"speaker:{code}"])


def count_askings(db: Db, own: int) -> int:
    """How many speakers `forget_askings` would forget."""
    return int(db.execute(select(func.count()).where(_askings.c.speaker_id.in_(_of(own)))).scalar_one())


def forget_askings(db: Db, own: int) -> None:
    """On the day of the purge: addresses, answers, times and links of every speaker go; what the programme says of them
    stays, as it was published. The caller asks permission, records it, and empties facts and mails."""
    db.execute(delete(_askings).where(_askings.c.speaker_id.in_(_of(own))))


def _of(own: int) -> Any:
    return select(_speakers.c.id).where(_speakers.c.forum_id == own)


def _scrub_versions(db: Db, own: int, code: str) -> bool:
    """Take name, words and photograph out of every version; says whether any had one."""
    found = False
    for row in db.execute(select(_versions.c.id, _versions.c.document).where(_versions.c.forum_id == own)).all():
        theirs = [who for session in row.document["sessions"] for who in session["people"] if who["code"] == code]
        if any(who["name"] or who["bio"] or who.get("photo") for who in theirs):
            for who in theirs:
                who.update(name=None, bio=None, photo=None)
            db.execute(update(_versions).where(_versions.c.id == row.id).values(document=row.document))
            found = True
    return found


def _own(db: Db, by: Actor, forum: Forum, code: str) -> Any:
    """The speaker's own row, as long as the question stands. Raises NotFound for whoever holds another link."""
    row = speaker_of(db, forum_id(forum), code)
    if not by.owns_speaker(row.id) or row.state not in OPEN:
        raise NotFound
    return row


def _keep(db: Db, speaker: int, now: datetime, **values: Any) -> None:
    db.execute(update(_askings).where(_askings.c.speaker_id == speaker).values(**values, changed_at=now))


def _told(
    db: Db,
    by: Actor,
    forum: Forum,
    code: str,
    kind: str,
    *,
    now: datetime,
    after: Mapping[str, Any] | None = None,
    personal: Mapping[str, Any] | None = None,
) -> None:
    record(db, forum.slug, by.signature, kind, f"speaker:{code}", now=now, after=after, personal=personal)
