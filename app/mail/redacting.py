"""Taking persons out of mails: address, name, values and the server's own line, which may repeat the address."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, delete, func, or_, select, update

from app.kit.db import Db, table
from app.mail.models import Attempt, Message

_messages, _attempts = table(Message), table(Attempt)
_UNSENT = ("draft", "queued", "retrying")


def count_unredacted(db: Db, forum: str, *, kinds: Sequence[str], before: datetime) -> int:
    """How many mails a `redact` of the same would empty."""
    return int(db.execute(select(func.count()).where(_chosen(forum, kinds, (), before))).scalar_one())


def redact(
    db: Db, forum: str, *, kinds: Sequence[str] = (), subjects: Sequence[str] = (), before: datetime | None = None
) -> int:
    """Empty the personal part of a forum's mails about these subjects ("registration:K3TP9QA") or kinds of them; how
    many. Template, state and times stay, the tries go; what has not left is withheld, since it has no address any more.

    Written until `before` only, where that is given; later ones once they have come to an end. One that is being sent
    at this moment is left for the next time.
    """
    waits = _messages.c.state.in_(_UNSENT)
    emptied: dict[str, Any] = {"to_address": "", "to_name": "", "values": {}, "error": "", "bounce": "", "trace": None}
    emptied["state"] = case((waits, "withheld"), else_=_messages.c.state)
    chosen = _chosen(forum, kinds, subjects, before)
    db.execute(delete(_attempts).where(_attempts.c.message_id.in_(select(_messages.c.id).where(chosen))))
    done = db.execute(update(_messages).where(chosen).values(emptied))
    return int(done.rowcount)  # type: ignore[attr-defined]


def _chosen(forum: str, kinds: Sequence[str], subjects: Sequence[str], before: datetime | None) -> ColumnElement[bool]:
    about = [_messages.c.subject.startswith(f"{kind}:", autoescape=True) for kind in kinds]
    named = or_(*about, _messages.c.subject.in_(list(subjects)))
    chosen = (_messages.c.forum == forum) & named & (_messages.c.to_address != "")
    if before is None:
        return chosen
    over = _messages.c.state.in_(("sent", "failed", "withheld"))
    return chosen & (_messages.c.state != "sending") & or_(over, _messages.c.created_at <= before)
