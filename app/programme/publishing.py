"""Publishing the working copy as the next numbered version."""

from collections.abc import Mapping
from datetime import datetime

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.i18n import Bilingual
from app.kit.pen import republish
from app.programme.models import Version
from app.programme.published import to_document
from app.programme.queries import published, working_copy


def publish(
    db: Db,
    by: Actor,
    forum: Forum,
    *,
    now: datetime,
    note: Bilingual | None = None,
    known: Mapping[str, tuple[int, datetime]] | None = None,
) -> int:
    own = forum_id(forum)
    by.must(Permission.PUBLISH_PROGRAMME, own)
    before = published(db, own)
    from dataclasses import replace

    sessions = tuple(replace(s, changed_at=now) for s in working_copy(db, own))
    number = before.number + 1
    db.add(
        Version(
            forum_id=own,
            number=number,
            published_at=now,
            published_by=by.name,
            note=note,
            document=to_document(sessions),
            changes=[],
        )
    )
    db.flush()
    record(
        db, forum.slug, by.signature, "programme.published", f"forum:{forum.slug}", now=now, after={"version": number}
    )
    republish(db, forum.slug)
    return number
