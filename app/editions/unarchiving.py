"""Reading a forum's archive into an installation that has no forum at its address: whole, or not at all.

This is the one place that writes rows of every room as they were: no deed could make them again with their numbers,
times and history (decision 27). Links are renewed, and no mail leaves a second time.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import LargeBinary, Table, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from app.accounts.actor import Actor
from app.accounts.colleagues import user_with
from app.accounts.rules import Role
from app.audit.recording import first_broken, head_of, record
from app.correspondence.mailboxes import mailbox_key
from app.correspondence.rules.mailings import State
from app.editions.archive_plan import (
    DERIVED,
    FORUM,
    MAILBOXES,
    RENEWED,
    TAGS,
    USERS,
    WAITING,
    archived,
    points_at,
    tables,
)
from app.editions.archiving import schema_of
from app.editions.reading_archive import Archive, damaged
from app.forum.models import Forum
from app.kit.codes import digest
from app.kit.db import Db, table
from app.kit.errors import Refused
from app.kit.pen import republish, wait_for_all
from app.programme.models import Session, Version


@dataclass(frozen=True, slots=True)
class Unarchived:
    """What was read: the forum's slug, rows by table, and how many mails that waited stay here."""

    slug: str
    rows: Mapping[str, int]
    withheld: int


def unarchive(db: Db, by: Actor, archive: Archive, secret: bytes, *, now: datetime) -> Unarchived:
    """Write an archive that was looked through; in the caller's transaction, so all of it or nothing.

    Ids stay where they are free and are moved together where not. Every link gets another generation, made with this
    installation's `secret`; UIDs and SEQUENCEs stay, and so does the chain of facts, which goes on with this fact.
    Raises Refused: `only_owner_founds`, `archive_other_schema`, `archive_slug_taken`, `archive_in_the_way` where
    something of it is here under another address, `archive_damaged` where its rows or its chain do not fit together.
    """
    if not by.site_owner:
        raise Refused("only_owner_founds")
    wait_for_all(db)
    if archive.schema != (here := schema_of(db)):
        raise Refused("archive_other_schema", there=archive.schema, here=here)
    forums = table(Forum)
    if db.execute(select(forums.c.id).where(forums.c.slug == archive.slug)).first():
        raise Refused("archive_slug_taken", slug=archive.slug)
    _refuse_others_sessions(db, archive)
    moved = _new_ids(db, archive, now)
    withheld = 0
    try:
        for each in tables():
            rows = [_as_here(each, row, moved, archive.slug) for row in archive.rows[each.name]]
            if each.name == "mail_message":
                withheld = _withhold(rows, moved[USERS])
            if each.name == FORUM and rows[0]["featured"]:
                rows[0]["featured"] = not db.execute(select(forums.c.id).where(forums.c.featured)).first()
            if each.name == MAILBOXES:
                rows = [{**row, "who": mailbox_key(archive.slug, row["who"], secret)} for row in rows]
            _renew(each, rows, secret)
            _write(db, each, rows, archive)
    except IntegrityError:
        raise Refused("archive_in_the_way") from None
    _go_on_counting(db)
    if first_broken(db, archive.slug) is not None or head_of(db, archive.slug) != archive.head:
        raise damaged("audit_fact")
    counts = {name: len(rows) for name, rows in archive.rows.items()}
    number = archive.head[0] if archive.head else 0
    after = {"facts": number, "mails": withheld}
    record(db, archive.slug, by.signature, "forum.unarchived", f"forum:{archive.slug}", now=now, after=after)
    republish(db, archive.slug)
    return Unarchived(archive.slug, counts, withheld)


def _refuse_others_sessions(db: Db, archive: Archive) -> None:
    """Sessions are known by their uid and no foreign key: what names one of a forum that is here would take places in
    it, and go into its calendar entries. Raises Refused("archive_in_the_way")."""
    there = set(db.execute(select(table(Session).c.uid)).scalars())
    named = {row.get("session_uid") for rows in archive.rows.values() for row in rows}
    for version in archive.rows[Version.__tablename__]:
        named |= {one["uid"] for one in version["document"]["sessions"]}
    if there & named:
        raise Refused("archive_in_the_way")


Moved = dict[str, dict[int, int]]
"""Of each table with numbers of its own: the number there → the number here."""


def _new_ids(db: Db, archive: Archive, now: datetime) -> Moved:
    moved: Moved = {USERS: {}}
    for row in archive.rows[USERS]:
        moved[USERS][row["id"]] = user_with(db, row["email"], row["name"], now=now).id or 0
    for each in tables():
        if "id" not in each.c:
            continue
        ids = [row["id"] for row in archive.rows[each.name]]
        if len(set(ids)) < len(ids) or any(number < 1 for number in ids):
            raise damaged(each.name)
        last = int(db.execute(select(func.max(each.c.id))).scalar() or 0)
        by = 0 if not ids or min(ids) > last else last
        moved[each.name] = {number: number + by for number in ids}
    return moved


def _as_here(each: Table, row: dict[str, Any], moved: Moved, slug: str) -> dict[str, Any]:
    """A row with the numbers that it and what it points at have here. Raises Refused where it points elsewhere."""
    found = dict(row)
    for column in archived(each):
        value = row[column.name]
        other = each.name if column.name == "id" else points_at(column)
        if other is not None and value is not None:
            if value not in moved[other]:
                raise damaged(each.name)
            found[column.name] = moved[other][value]
    if each.name in DERIVED:
        found |= DERIVED[each.name](SimpleNamespace(**found))
    if each.name == "registration_bulk":
        found |= _bulk_as_here(row, moved[TAGS])
    if each.name == "registration_view":
        found["question"] = _TAG.sub(lambda tag: f"tag={moved[TAGS].get(int(tag[1]), 0)}", row["question"])
    if each.name == "forum_role_grant" and row["role"] not in set(Role):
        raise damaged(each.name)  # nobody could be told what they may, at no desk
    if each.name == "correspondence_mailing":
        found |= _MAILINGS.get(row["state"], {}) | _segment_as_here(row, moved[TAGS])
    if each.name == "mail_message":
        found["resend_of"] = moved[each.name].get(row["resend_of"])
    named = {"audit_fact": "scope", "audit_head": "scope", "mail_message": "forum"}.get(each.name)
    if named and row[named] != slug:
        raise damaged(each.name)
    return found


_NUMBER = re.compile("[0-9]{1,9}")
_TAG = re.compile(r"(?<![a-z_])tag=([0-9]{1,9})(?![0-9])")


_MAILINGS: Mapping[str, dict[str, Any]] = {
    State.SCHEDULED: {"state": State.DRAFT.value, "send_at": None},
    State.SENDING: {"state": State.STOPPED.value},
}
"""What becomes of a mailing that had not left: the other installation sends it, and two would write twice."""


def _segment_as_here(row: dict[str, Any], tags: Mapping[int, int]) -> dict[str, Any]:
    """Whom a mailing is for, by the number that the tag it asks for has here; 0 where it was removed: nobody's."""
    segment = row["segment"]
    if not segment.get("tag"):
        return {}
    tag = str(segment["tag"])
    number = tags.get(int(tag), 0) if _NUMBER.fullmatch(tag) else 0
    return {"segment": {**segment, "tag": str(number)}}


def _bulk_as_here(row: dict[str, Any], tags: Mapping[int, int]) -> dict[str, Any]:
    """Something done with many, by the numbers that its tag has here. What was not at its end goes on nowhere."""
    values = row["values"]
    if isinstance(values.get("tag"), int) and values["tag"] in tags:
        values = {**values, "tag": tags[values["tag"]]}
    return {"values": values, "state": "stopped" if row["state"] in {"doing", "taking_back"} else row["state"]}


def _withhold(rows: list[dict[str, Any]], users: Mapping[int, int]) -> int:
    """No mail leaves a second time: what still waited stays here. How many those are."""
    count = 0
    for row in rows:
        if row["state"] in WAITING:
            row["state"], row["claimed_at"], count = "withheld", None, count + 1
        kind, _, number = row["subject"].partition(":")
        if kind == "user" and _NUMBER.fullmatch(number):
            row["subject"] = f"user:{users.get(int(number), 0)}"
    return count


def _renew(each: Table, rows: list[dict[str, Any]], secret: bytes) -> None:
    """Another generation of every link: those of the other installation lead nowhere here."""
    for number, generation, kept, token in RENEWED.get(each.name, ()):
        for row in rows:
            if not row[kept]:
                continue
            row[generation] += 1
            fresh = token(secret, row[number], row[generation])
            # of who was erased no link comes to life again
            row[kept] = digest(secrets.token_hex(32) if row.get("erased_at") else fresh)


def _write(db: Db, each: Table, rows: list[dict[str, Any]], archive: Archive) -> None:
    """Write the rows of a table; what points at its own table is written once all of them are there."""
    inside = [column.name for column in each.c if column.name != "id" and points_at(column) == each.name]
    bodies = [column.name for column in archived(each) if isinstance(column.type, LargeBinary)]
    at_once = 1 if bodies else 500
    for first in range(0, len(rows), at_once):
        piece = [{**row, **dict.fromkeys(inside)} for row in rows[first : first + at_once]]
        for row in piece:
            row |= {name: archive.file(row[name]) for name in bodies if row[name] is not None}
        db.execute(insert(each), piece)
    for row in rows:
        kept = {name: row[name] for name in inside if row[name] is not None}
        if kept:
            db.execute(update(each).where(each.c.id == row["id"]).values(**kept))


def _go_on_counting(db: Db) -> None:
    """PostgreSQL counts on its own which number comes next, and has seen none of these. Nobody else draws one
    meanwhile: it would be set back behind what they drew."""
    if db.get_bind().dialect.name != "postgresql":
        return
    for each in tables():
        if "id" in each.c:
            last = f"SELECT setval(pg_get_serial_sequence('{each.name}', 'id'), max(id)) FROM {each.name}"  # noqa: S608
            db.execute(text(last))
