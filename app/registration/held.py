"""What is held about one person: everything of their registration, for them to read and to take along."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.audit.recording import history
from app.kit.db import Db
from app.mail.outbox import about
from app.registration.queries import Own

COLUMNS = (
    "code",
    "state",
    "language",
    "email",
    "titles",
    "family_name",
    "given_name",
    "name_km",
    "display_name",
    "name_order",
    "attends_as",
    "institution",
    "position_title",
    "country",
    "phone",
    "assistant_name",
    "heads_delegation",
    "asked_at",
    "confirmed_at",
    "confirm_by",
    "offer_until",
    "reminded_at",
    "ended_at",
    "priority",
    "priority_reason",
    "decision_note",
)
"""What stands in a registration's own row. Left out: the keys it is found by, which are made of the same."""


@dataclass(frozen=True, slots=True)
class Held:
    """A registration with all that hangs on it; facts and mails oldest first."""

    own: Own
    mails: list[Any]
    facts: list[Any]


def held_about(db: Db, own: Own) -> Held:
    """Everything kept about a person's own registration. Two queries more than their page."""
    subject = f"registration:{own.row.code}"
    return Held(own, about(db, own.forum.slug, subject), history(db, own.forum.slug, subject))


def as_json(held: Held) -> dict[str, Any]:
    """The same as values of JSON, instants in UTC (ISO 8601). Names of fields are those of the tables."""
    row, own = held.own.row, held.own
    return {
        "forum": {"slug": own.forum.slug, "title": _both(own.forum.title)},
        "registration": {
            **{name: _plain(getattr(row, name)) for name in COLUMNS},
            "category": {"code": own.category.code, "name": _both(own.category.name)},
            "place": own.place,
            "place_in_queue": own.place_in_queue,
        },
        "needs": {"meals": own.needs[0], "access": own.needs[1]},
        "answers": [
            {
                "question": {"code": one.question.code, "label": _both(one.question.label)},
                "sensitive": one.question.sensitive,
                "value": None if one.file is not None else _plain(one.value),
                "words": [] if one.file is not None else [_both(words) for words in one.words],
                "file": None if one.file is None else {"name": one.file_name, "bytes": one.file_size},
            }
            for one in own.answers
        ],
        "consents": [
            {
                "question": one.question,
                "wording": one.wording,
                "language": one.language,
                "given_at": _plain(one.given_at),
                "withdrawn_at": _plain(one.withdrawn_at),
            }
            for one in own.consents
        ],
        "mails": [
            {
                "what": mail.template,
                "to": mail.to_address,
                "language": mail.language,
                "state": mail.state,
                "written_at": _plain(mail.created_at),
                "sent_at": _plain(mail.sent_at),
            }
            for mail in held.mails
        ],
        "history": [
            {
                "what": fact.kind,
                "at": _plain(fact.at),
                "by": fact.actor.partition(":")[0],
                "before": fact.before or {},
                "after": fact.after or {},
                "personal": fact.personal or {},
            }
            for fact in held.facts
        ],
    }


def _both(text: Any) -> dict[str, str]:
    return {"en": text.en, "km": text.km} if text else {"en": "", "km": ""}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
