"""Somebody about whom every table that can hold something holds something, each word with a mark to find it by."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, TypeDecorator, insert, select, update
from sqlmodel import SQLModel

from app.accounts.actor import Actor
from app.kit.db import Db, table
from app.kit.inputs import parse
from app.mail.models import Message
from app.registration import lettering, noting, picking, replying, tagging
from app.registration.answering import Sent, Upload
from app.registration.applying import manage_token
from app.registration.desk_inputs import NoteInput, TagInput
from app.registration.inputs import PriorityInput
from app.registration.letter_inputs import LetterInput
from app.registration.merging import merge, say_distinct
from app.registration.models import (
    Application,
    Bulk,
    BulkItem,
    Delegation,
    Enclosure,
    Following,
    Invitation,
    KeptLine,
    KeptList,
    Rank,
    TableGuest,
)
from app.registration.overriding import set_priority
from tests.cast import BOPHA, NOW, SECRET, SLUG, holder, request
from tests.embassies import make_delegation
from tests.registration.asked import PDF, ask_also, question
from tests.registration.hall import SmallHall
from tests.registration.test_accompanying import badges, bring
from tests.registration.test_inviting import invited

OPERATOR = Actor.operator()
PASSPORT = {
    "passport_name": "CHEA BOPHA",
    "passport_number": "N1234567",
    "nationality": "KH",
    "birth_date": "1970-02-03",
}
FIXED = frozenset(
    {"state", "kind", "language", "media_type", "attends_as", "name_order", "manage_digest", "session_uid", "scope"}
    | {"actor", "subject", "forum", "template", "message_id", "digest", "batch"}
    | {"hash", "salt", "code", "before", "after", "outcome", "back"}
)
"""Columns that the deeds themselves go by, or that the chain of facts covers: they keep what the deeds wrote."""


def whole_person(hall: SmallHall) -> Any:
    """Bopha: invited by name, with answers, a file, consents, needs, a letter, sessions, somebody who comes along, a
    delegation, a registration joined into hers, and one that only looks like hers. Her row."""
    db, forum = hall.db, hall.forum
    hall.arrange(capacity=8, categories=[*hall.categories, badges(hall, "INTP", 5)])
    ask_also(db, question("diet", sensitive=True), question("letter", "file"), question("photo", "consent"))
    ask_also(db, question("secret", "file", sensitive=True), question("creed", "consent", sensitive=True))
    earlier, invitation = hall.ask(), invited(hall, reference="Note 12")
    answers = Sent(
        {"diet": "x", "photo": "yes", "creed": "yes"}, {c: Upload("a.pdf", PDF) for c in ("letter", "secret")}
    )
    sent = request(BOPHA, category="THK", phone="012 345 678", meals="x", access="x", titles="H.E.", display_name="x")
    asked = replying.accept(db, forum, invitation.id, sent, "whole", SECRET, now=NOW, answers=answers)
    row = hall.row(asked.code)
    letter = parse(LetterInput, {"kind": "visa", "language": "en", **PASSPORT})
    lettering.ask_for_letter(db, holder(row), forum, row.code, letter, "letter", now=NOW)
    bring(hall, row)
    picking.put_picks(db, holder(row), forum, row.code, {"D1-07", "D1-13"}, None, now=NOW)
    set_priority(db, OPERATOR, forum, row.code, PriorityInput(priority=1, reason="x"), now=NOW)
    twin, later = hall.ask(), hall.ask()
    for other in (earlier, later):
        say_distinct(db, OPERATOR, forum, row.code, other.code, now=NOW)
    merge(db, OPERATOR, forum, row.code, twin.code, (hall.row(row.code).edition, twin.edition), now=NOW, picks=(1, 0))
    people, delegation = table(Application), make_delegation(db, "DIP", 1)
    db.execute(update(people).where(people.c.id == row.id).values(delegation_id=delegation.id))
    db.execute(insert(table(Following)).values(application_id=row.id, told=1))
    sent = {"uid": "x", "method": "REQUEST", "sequence": 0, "version": 1, "made_at": NOW, "message_id": "<whole@sala>"}
    db.execute(insert(table(Enclosure)).values(application_id=row.id, mailbox="x", **sent))
    db.execute(insert(table(Rank)).values(application_id=row.id, since=date(2020, 1, 1), reason="x"))
    db.execute(insert(table(TableGuest)).values(application_id=row.id, forum_id=row.forum_id, seat=1))
    number = {"forum_id": row.forum_id, "number": 1, "made_at": NOW, "layout": {}}
    (kept,) = db.execute(insert(table(KeptList)).values(**number)).inserted_primary_key
    db.execute(insert(table(KeptLine)).values(list_id=kept, position=1, application_id=row.id, line={}))
    tag = tagging.put_tag(db, OPERATOR, forum, TagInput(name="x", letter="X", tone="river"), now=NOW)
    tagging.mark(db, OPERATOR, forum, row.code, tag, on=True, now=NOW)
    noting.write_note(db, OPERATOR, forum, row.code, NoteInput(words="x"), now=NOW)
    made = insert(table(Bulk)).values(forum_id=row.forum_id, number=1, act="tag", values={}, note="", state="done")
    bulk = db.execute(made.values(begun_at=NOW).returning(table(Bulk).c.id)).scalar_one()
    db.execute(insert(table(BulkItem)).values(bulk_id=bulk, application_id=row.id, position=1, before={}))
    return hall.row(row.code)


def secret_of(row: Any) -> str:
    """The token of her own page."""
    return manage_token(SECRET, row.id, row.manage_generation)


def pointing() -> Iterator[tuple[Any, Any]]:
    """Every foreign key to a registration, as (table, column)."""
    for each in SQLModel.metadata.sorted_tables:
        for column in each.columns:
            if any(key.column.table is table(Application) for key in column.foreign_keys):
                yield each, column


def holds(db: Db, row: Any) -> dict[str, tuple[Any, Any]]:
    """What holds something about a person, as name → (table, condition): their own row, every foreign key to it, what
    it points at, and what facts and mails are about. Names as `table` or `table.key`."""
    own = table(Application)
    found: dict[str, tuple[Any, Any]] = {own.name: (own, own.c.id == row.id)}
    for each, column in pointing():
        found[f"{each.name}.{column.name}"] = (each, column == row.id)
    subjects = [f"registration:{row.code}"]
    for model, number in ((Invitation, row.invitation_id), (Delegation, row.delegation_id)):
        other = table(model)
        found[other.name] = (other, other.c.id == number)
        code = db.execute(select(other.c.code).where(other.c.id == number)).scalar_one()
        subjects += [f"invitation:{code}"] if model is Invitation else []
    messages, facts = table(Message), SQLModel.metadata.tables["audit_fact"]
    found[messages.name] = (messages, (messages.c.forum == SLUG) & messages.c.subject.in_(subjects))
    found[facts.name] = (facts, (facts.c.scope == SLUG) & facts.c.subject.in_(subjects))
    return found


def mark(db: Db, row: Any, *, times: bool = False) -> dict[str, str]:
    """Write a mark of its own into every free column that holds something about a person: words, bytes, dates, and
    with `times` instants, by which deeds go; what to look for in `everything`, by `table[.key]:column`."""
    marks: dict[str, str] = {}
    for name, (rows, mine) in holds(db, row).items():
        assert db.execute(select(rows).where(mine)).first(), f"nothing in {name}: have `whole_person` fill it"
        for column in rows.columns:
            if column.primary_key or column.foreign_keys or column.name in FIXED:
                continue
            value = _mark(column, len(marks) + 1, times=times)
            if value is not None:
                db.execute(update(rows).where(mine).values({column.name: value}))
                marks[f"{name}:{column.name}"] = _look_for(value)
    return marks


def _mark(column: Any, number: int, *, times: bool) -> Any:
    """A value that stands nowhere else; None for numbers and yes or no, which could not be told from others."""
    word, days = f"mark{number:03}", timedelta(days=number)
    kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    if isinstance(kind, JSON):
        return [word] if column.name in {"titles", "value"} else {"name": word}
    made: dict[type, Any] = {str: word, bytes: word.encode(), date: date(1901, 1, 1) + days, int: None, bool: None}
    made[datetime] = datetime(2031, 1, 1, tzinfo=UTC) + days if times else None
    return made[kind.python_type]


def _look_for(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, datetime | date):
        return str(value)[:10]
    return str(value if isinstance(value, str) else next(iter(value.values() if isinstance(value, dict) else value)))


def everything(db: Db) -> str:
    """Every row of every table, as text."""
    rows = (row for each in SQLModel.metadata.sorted_tables for row in db.execute(select(each)))
    return "\n".join(" ".join(map(_plain, row)) for row in rows)


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
