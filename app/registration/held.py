"""What is held about one person: everything of their registration, for them to read and to take along."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from app.audit.recording import history
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.mail.outbox import about
from app.programme.published import PublishedSession
from app.programme.queries import published
from app.programme.rules.visibility import Viewer, shown
from app.registration.accompanying import Ties, ties_of
from app.registration.lettering import letters_of
from app.registration.models import Application, Category, Delegation, Enclosure, Invitation, Note, Tag, Tagged
from app.registration.pick_queries import OwnPick, OwnPicks, own_picks
from app.registration.queries import Own
from app.registration.rank_queries import rank_of
from app.registration.rules.invitations import Kind

_applications, _categories = table(Application), table(Category)
_delegations, _invitations, _enclosures = table(Delegation), table(Invitation), table(Enclosure)
_notes, _tags, _tagged = table(Note), table(Tag), table(Tagged)
_NAMED = (
    "titles",
    "family_name",
    "given_name",
    "name_km",
    "display_name",
    "institution",
    "position_title",
)
_TIMES = ("asked_at", "confirmed_at", "confirm_by", "offer_until", "reminded_at", "ended_at", "erased_at")
COLUMNS = (
    "code",
    "state",
    "language",
    "email",
    *_NAMED,
    "name_order",
    "attends_as",
    "country",
    "phone",
    "assistant_name",
    "heads_delegation",
    *_TIMES,
    "turned_down",
    "priority",
    "priority_reason",
    "decision_note",
)
"""What stands in a registration's own row. Left out: the keys it is found by, which are made of the same."""
_COMPANION = ("code", *_NAMED, "name_order", "country", "phone", "state", *_TIMES)
_ENTRY = ("uid", "method", "sequence", "version", "made_at")
_LETTER = (
    "code",
    "number",
    "kind",
    "language",
    "passport_name",
    "passport_number",
    "nationality",
    "birth_date",
    "asked_at",
    "purged_at",
)
_INVITATION = (
    "kind",
    "code",
    "language",
    "email",
    *_NAMED,
    "reference",
    "reserves",
    "reply_by",
    "state",
    "created_at",
    "reminded_at",
    "answered_at",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The invitation a registration comes from, with mails and facts about it, oldest first.

    One by code is about nobody: of it only the code is told, and neither mails nor facts, which name its other uses.
    """

    row: Any
    mails: list[Any]
    facts: list[Any]

    @property
    def personal(self) -> bool:
        return bool(self.row.kind == Kind.PERSONAL.value)


@dataclass(frozen=True, slots=True)
class Held:
    """A registration with all that hangs on it; facts and mails oldest first.

    `sessions` are the picks with their session, None where it is not in the programme any more; `companions` are rows
    with `category` and `category_name`, those that have ended too; `entries` are the calendar entries that mails took
    along; `notes` and `tags` what organisers wrote down.
    """

    own: Own
    letters: list[Any]
    picks: OwnPicks
    sessions: list[tuple[str, OwnPick, PublishedSession | None]]
    companions: list[Any]
    ties: Ties
    entries: list[Any]
    notes: list[Any]
    tags: list[Any]
    invitation: Asked | None
    delegation: Any
    rank: Any
    mails: list[Any]
    facts: list[Any]


def held_about(db: Db, own: Own) -> Held:
    """Everything kept about a person's own registration.

    At most fifteen queries more than their page, however much it is.
    """
    slug, row, subject = own.forum.slug, own.row, f"registration:{own.row.code}"
    picks = own_picks(db, row.id)
    return Held(
        own=own,
        letters=letters_of(db, row.id)[::-1],
        picks=picks,
        sessions=_sessions(db, own, picks),
        companions=_companions(db, row.id),
        ties=ties_of(db, row),
        entries=list(
            db.execute(select(_enclosures).where(_enclosures.c.application_id == row.id).order_by(_enclosures.c.id))
        ),
        notes=list(db.execute(select(_notes).where(_notes.c.application_id == row.id).order_by(_notes.c.id))),
        tags=list(
            db.execute(
                select(_tags.c.name, _tagged.c.at)
                .join(_tagged, _tagged.c.tag_id == _tags.c.id)
                .where(_tagged.c.application_id == row.id)
                .order_by(_tags.c.name_normal)
            )
        ),
        invitation=_invitation(db, own),
        delegation=_one(db, _delegations, row.delegation_id),
        rank=rank_of(db, row.id),
        mails=about(db, slug, subject),
        facts=history(db, slug, subject),
    )


def _one(db: Db, rows: Any, number: int | None) -> Any:
    return None if number is None else db.execute(select(rows).where(rows.c.id == number)).first()


def _sessions(db: Db, own: Own, picks: OwnPicks) -> list[tuple[str, OwnPick, PublishedSession | None]]:
    """In the order of the programme. A session that is closed to the person does not exist for them (rules §4.5)."""
    if not picks.by_uid:
        return []
    programme = {session.uid: session for session in published(db, forum_id(own.forum)).sessions}
    found = [(uid, programme[uid]) for uid in programme if uid in picks.by_uid]
    here: list[tuple[str, OwnPick, PublishedSession | None]] = [
        (uid, picks.by_uid[uid], session)
        for uid, session in found
        if shown(session, Viewer(frozenset({session.code} if picks.by_uid[uid].admitted else ())))
    ]
    return here + [(uid, pick, None) for uid, pick in sorted(picks.by_uid.items()) if uid not in programme]


def _companions(db: Db, application: int) -> list[Any]:
    wanted = (
        select(_applications, _categories.c.code.label("category"), _categories.c.name.label("category_name"))
        .join(_categories, _categories.c.id == _applications.c.category_id)
        .where(_applications.c.accompanies_id == application)
        .order_by(_applications.c.id)
    )
    return list(db.execute(wanted))


def _invitation(db: Db, own: Own) -> Asked | None:
    row = _one(db, _invitations, own.row.invitation_id)
    if row is None or row.kind != Kind.PERSONAL.value:
        return None if row is None else Asked(row, [], [])
    slug, subject = own.forum.slug, f"invitation:{row.code}"
    return Asked(row, about(db, slug, subject), history(db, slug, subject))


def as_json(held: Held) -> dict[str, Any]:
    """The same as values of JSON, instants in UTC (ISO 8601). Names of fields are those of the tables."""
    row, own = held.own.row, held.own
    return {
        "forum": {"slug": own.forum.slug, "title": _both(own.forum.title)},
        "registration": {
            **_told(row, COLUMNS),
            "category": {"code": own.category.code, "name": _both(own.category.name)},
            "place": own.place,
            "seat_given_at": _plain(own.seat_given_at),
            "place_in_queue": own.place_in_queue,
            "accompanies": held.ties.accompanies,
            "merged_into": held.ties.merged_into,
            "merged": list(held.ties.merged),
        },
        "needs": {"meals": own.needs[0], "access": own.needs[1]},
        "answers": [
            {
                "question": {"code": one.question.code, "label": _both(one.question.label)},
                "sensitive": one.question.sensitive,
                "value": None if one.file is not None else _plain(one.value),
                "words": [] if one.file is not None else [_both(words) for words in one.words],
                "file": None if one.file is None else {"name": one.file_name, "bytes": one.file_size},
                "at": _plain(one.at),
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
        "letters": [_told(one, _LETTER) for one in held.letters],
        "sessions": {
            "changed_at": _plain(held.picks.changed_at),
            "chosen": [
                {
                    "uid": uid,
                    "code": session.code if session else "",
                    "title": _both(session.title if session else None),
                    "cancelled": session.cancelled if session else None,
                    "state": pick.state.value,
                    "place": pick.number,
                    "place_in_list": pick.ahead,
                    "admitted": pick.admitted,
                    "asked_at": _plain(pick.asked_at),
                }
                for uid, pick, session in held.sessions
            ],
        },
        "companions": [
            {**_told(one, _COMPANION), "category": {"code": one.category, "name": _both(one.category_name)}}
            for one in held.companions
        ],
        "calendar_entries": [_told(one, _ENTRY) for one in held.entries],
        "notes": [_told(one, ("words", "written_at")) for one in held.notes],
        "tags": [_told(one, ("name", "at")) for one in held.tags],
        "invitation": held.invitation and _asked(held.invitation),
        "delegation": held.delegation and _told(held.delegation, ("code", "institution", "institution_km")),
        "precedence": held.rank and _told(held.rank, ("rung", "since", "reason")),
        "mails": _mails(held.mails),
        "history": _history(held.facts),
    }


def _asked(invitation: Asked) -> dict[str, Any]:
    if not invitation.personal:
        return _told(invitation.row, ("kind", "code"))
    told = _told(invitation.row, _INVITATION)
    return {**told, "mails": _mails(invitation.mails), "history": _history(invitation.facts)}


def _mails(mails: Iterable[Any]) -> list[dict[str, Any]]:
    return [
        {
            "what": mail.template,
            "to": mail.to_address,
            "to_name": mail.to_name,
            "language": mail.language,
            "state": mail.state,
            "written_at": _plain(mail.created_at),
            "sent_at": _plain(mail.sent_at),
            "error": mail.error,
            "came_back_at": _plain(mail.bounced_at),
            "came_back": mail.bounce,
        }
        for mail in mails
    ]


def _history(facts: Iterable[Any]) -> list[dict[str, Any]]:
    return [
        {
            "what": fact.kind,
            "at": _plain(fact.at),
            "by": fact.actor.partition(":")[0],
            "before": fact.before or {},
            "after": fact.after or {},
            "personal": fact.personal or {},
        }
        for fact in facts
    ]


def _told(row: Any, columns: Iterable[str]) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in columns}


def _both(text: Any) -> dict[str, str]:
    return {"en": text.en, "km": text.km} if text else {"en": "", "km": ""}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
