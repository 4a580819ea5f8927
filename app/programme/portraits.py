"""Photographs of speakers: kept by digest, given back, and let go once neither a version nor a draft shows them."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select

from app.kit.db import Db, table
from app.kit.pictures import Picture
from app.programme.models import Portrait, Speaker
from app.programme.published import PublishedSession

PHOTO_BYTES = 8 * 1024 * 1024
"""The largest photograph that is read."""
_portraits, _speakers = table(Portrait), table(Speaker)


@dataclass(frozen=True, slots=True)
class Photograph:
    """A JPEG of our own making, with its digest and size in pixels."""

    digest: str
    body: bytes
    width: int
    height: int


def keep_portrait(db: Db, own: int, speaker: str, picture: Picture, *, now: datetime) -> str:
    """Keep a picture for the speaker with this code; its digest. The same picture is kept once."""
    digest = hashlib.sha256(picture.body).hexdigest()[:32]
    if portrait_of(db, own, speaker, digest) is None:
        row = {"forum_id": own, "speaker": speaker, "digest": digest, "body": picture.body, "sent_at": now}
        db.execute(insert(_portraits).values(**row, width=picture.width, height=picture.height))
    return digest


def portrait_of(db: Db, own: int, speaker: str, digest: str | None) -> Photograph | None:
    """The photograph with this digest of this speaker, or None. One query."""
    mine = (_portraits.c.forum_id == own) & (_portraits.c.speaker == speaker) & (_portraits.c.digest == digest)
    row = db.execute(select(_portraits).where(mine)).first() if digest else None
    return Photograph(row.digest, row.body, row.width, row.height) if row else None


def let_go(db: Db, own: int, shown: tuple[PublishedSession, ...]) -> None:
    """Delete the photographs that stand neither in these sessions nor in the working copy."""
    drafts = select(_speakers.c.photo).where(_speakers.c.forum_id == own, _speakers.c.photo.is_not(None))
    kept = {person.photo for session in shown for person in session.people if person.photo}
    kept |= set(db.execute(drafts).scalars())
    db.execute(delete(_portraits).where(_portraits.c.forum_id == own, _portraits.c.digest.not_in(kept)))


def forget_portraits(db: Db, own: int, speaker: str) -> None:
    """Delete every photograph of one speaker."""
    db.execute(delete(_portraits).where(_portraits.c.forum_id == own, _portraits.c.speaker == speaker))
