"""What organisers do so that a speaker says yes: ask by a secret link, ask again, renew it, show it, take it back."""

from datetime import datetime
from typing import Any

from sqlalchemy import update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import ends_at, forum_id
from app.kit import codes
from app.kit.db import Db, table
from app.kit.errors import Refused
from app.mail.outbox import queue_mail, withhold
from app.programme.asking_queries import speaker_of
from app.programme.casting import keep_contact
from app.programme.models import Asking
from app.programme.queries import published
from app.programme.rules.speakers import OPEN, Reply, may_become

_askings = table(Asking)
ASKED = "speaker/asked"


def speaker_token(secret: bytes, speaker: int, generation: int) -> str:
    """The token of a speaker's own page."""
    return codes.lasting_token(secret, "speaking", speaker, generation)


def speaker_feed_token(secret: bytes, speaker: int, generation: int) -> str:
    """The token of a speaker's own calendar: another than the page's, so that a calendar can be shared."""
    return codes.lasting_token(secret, "speaking-calendar", speaker, generation)


def ask(db: Db, by: Actor, forum: Forum, code: str, secret: bytes, *, now: datetime) -> None:
    """Ask a speaker, or ask again: a mail leaves where there is an address, the link stays the same.

    Raises NotFound; Refused: `forum_over`, `speaker_has_accepted`.
    """
    row = _settled(db, by, forum, code, now)
    if not may_become(row.state or Reply.UNASKED, Reply.ASKED):
        raise Refused("speaker_has_accepted")
    again = row.state == Reply.ASKED
    if row.state is None:
        keep_contact(db, row.id, "", "en", now=now)
        row = speaker_of(db, forum_id(forum), code)
    # whoever was taken out, and is asked anew, is not asked under the link that was taken back
    generation = row.generation + (row.state == Reply.WITHDRAWN)
    feed_generation = row.feed_generation + (row.state == Reply.WITHDRAWN)
    kept = {
        "state": Reply.ASKED.value,
        "asked_at": now,
        "answered_at": None,
        "changed_at": now,
        "told": published(db, row.forum_id).number,  # the page shows it all; what changes from here on is news
        "generation": generation,
        "digest": codes.digest(speaker_token(secret, row.id, generation)),
        "feed_generation": feed_generation,
        "feed_digest": codes.digest(speaker_feed_token(secret, row.id, feed_generation)),
    }
    db.execute(update(_askings).where(_askings.c.speaker_id == row.id).values(**kept))
    _mail(db, forum, row, now)
    kind = "speaker.asked_again" if again else "speaker.asked"
    record(db, forum.slug, by.signature, kind, f"speaker:{code}", now=now)


def renew(db: Db, by: Actor, forum: Forum, code: str, secret: bytes, *, now: datetime) -> None:
    """End the old link and send a new one; answer and calendar stay. Raises Refused("speaker_not_asked")."""
    row = _open(_settled(db, by, forum, code, now))
    kept = {"generation": row.generation + 1, "changed_at": now}
    kept["digest"] = codes.digest(speaker_token(secret, row.id, row.generation + 1))
    db.execute(update(_askings).where(_askings.c.speaker_id == row.id).values(**kept))
    _mail(db, forum, row, now)
    record(db, forum.slug, by.signature, "speaker.link_renewed", f"speaker:{code}", now=now)


def withdraw(db: Db, by: Actor, forum: Forum, code: str, *, now: datetime) -> None:
    """Take the question back: the link, the calendar's too, is dead, and what has not left stays. Sessions keep the
    speaker until an editor changes them. Raises Refused("speaker_not_asked")."""
    by.must(Permission.EDIT_PROGRAMME, forum_id(forum))
    row = _open(speaker_of(db, forum_id(forum), code))
    gone = {"state": Reply.WITHDRAWN.value, "digest": "", "feed_digest": "", "answered_at": None, "changed_at": now}
    db.execute(update(_askings).where(_askings.c.speaker_id == row.id).values(**gone))
    withhold(db, forum.slug, f"speaker:{code}")
    record(db, forum.slug, by.signature, "speaker.withdrawn", f"speaker:{code}", now=now)


def show_link(db: Db, by: Actor, forum: Forum, code: str, secret: bytes, *, now: datetime) -> tuple[str, str]:
    """The language and token of a speaker's page; that it was shown, and to whom, stays in the history.

    Asks for EDIT_PROGRAMME and SHOW_LINKS. Raises NotFound, Refused("speaker_not_asked").
    """
    by.must(Permission.EDIT_PROGRAMME, forum_id(forum))
    by.must(Permission.SHOW_LINKS, forum_id(forum))
    row = _open(speaker_of(db, forum_id(forum), code))
    record(db, forum.slug, by.signature, "speaker.link_shown", f"speaker:{code}", now=now)
    return row.language, speaker_token(secret, row.id, row.generation)


def _settled(db: Db, by: Actor, forum: Forum, code: str, now: datetime) -> Any:
    own = forum_id(forum)
    by.must(Permission.EDIT_PROGRAMME, own)
    over = ends_at(forum)
    if over is not None and now >= over:
        raise Refused("forum_over")
    return speaker_of(db, own, code)


def _open(row: Any) -> Any:
    if row.state not in OPEN:
        raise Refused("speaker_not_asked")
    return row


def _mail(db: Db, forum: Forum, row: Any, now: datetime) -> None:
    if row.email:
        withhold(db, forum.slug, f"speaker:{row.code}", [ASKED])
        name = row.name or row.function
        to = (row.email, name.of(row.language))
        queue_mail(db, forum.slug, ASKED, row.language, to, f"speaker:{row.code}", now=now)
