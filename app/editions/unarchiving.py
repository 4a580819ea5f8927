"""Reading a forum's archive into an installation that has no forum at its address: whole, or not at all.

This is the one place that writes rows of every room as they were: no deed could make them again with their numbers,
times and history (decision 27). Links are renewed, and no mail leaves a second time.
"""

import hashlib
import json
import re
import secrets
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any, BinaryIO

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import JSON, Boolean, Date, Float, Integer, LargeBinary, Table, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlmodel.sql.sqltypes import UTCDateTime

from app.accounts.actor import Actor
from app.accounts.colleagues import user_with
from app.accounts.rules import Role
from app.audit.recording import first_broken, head_of, record
from app.correspondence.mailboxes import mailbox_key
from app.correspondence.rules.mailings import State
from app.editions.archive_plan import (
    DERIVED,
    FORMAT,
    FORUM,
    MAILBOXES,
    OF_USERS,
    RENEWED,
    TAGS,
    USERS,
    WAITING,
    archived,
    points_at,
    tables,
)
from app.editions.archiving import MANIFEST, schema_of
from app.forum.inputs import NewSlug
from app.forum.models import Forum
from app.kit.codes import digest
from app.kit.db import Db, table
from app.kit.errors import Refused
from app.kit.i18n import Bilingual, BilingualText
from app.kit.pen import republish
from app.programme.models import Session, Version

MOST_MEMBERS = 200_000
MOST_BYTES = 8 << 30
"""Of the whole archive unpacked."""
MOST_MANIFEST = 64 << 20
MOST_ROWS_BYTES = 1 << 30
"""Of one table, which is read into memory."""
_NAME = re.compile(r"tables/[a-z_]{1,60}\.jsonl|files/[0-9a-f]{64}")
_PIECE = 1 << 20
Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that was looked through and is whole: the forum's slug, the schema, the end of the chain, the rows by
    table as values, and the file that holds what was sent."""

    slug: str
    schema: str
    head: tuple[int, str] | None
    rows: Rows
    packed: zipfile.ZipFile

    def file(self, name: str) -> bytes:
        """The bytes of a file with this digest, which was looked through before."""
        return self.packed.read(f"files/{name}")


@dataclass(frozen=True, slots=True)
class Unarchived:
    """What was read: the forum's slug, rows by table, and how many mails that waited stay here."""

    slug: str
    rows: Mapping[str, int]
    withheld: int


_BROKEN = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    ValueError,
)
"""What `zipfile` says of files that are none."""


def _damaged(what: str) -> Refused:
    return Refused("archive_damaged", what=what)


@contextmanager
def read_archive(file: BinaryIO) -> Iterator[Archive]:
    """Look an archive through: every member is there, is what the manifest says, and reads as rows. Writes nothing.

    Raises Refused: `archive_damaged` with the member, `archive_too_large`, `archive_other_form`. Nothing is ever
    unpacked to a disk, so no name in it can lead anywhere.
    """
    packed = None
    try:
        packed = zipfile.ZipFile(file)
        archive = _looked_through(packed)
    except _BROKEN as error:
        raise _damaged(str(error)[:100]) from None
    except BaseException:
        if packed is not None:
            packed.close()
        raise
    with packed:
        yield archive


def _looked_through(packed: zipfile.ZipFile) -> Archive:
    told = packed.infolist()
    names = [one.filename for one in told]
    if len(names) > MOST_MEMBERS or sum(one.file_size for one in told) > MOST_BYTES:
        raise Refused("archive_too_large", most=MOST_BYTES >> 30)
    odd = [one.filename for one in told if one.flag_bits & 1 or one.compress_type not in _KINDS]
    if odd or len(set(names)) < len(names) or MANIFEST not in names:
        raise _damaged(odd[0][:60] if odd else MANIFEST)
    manifest = _manifest(packed)
    members: dict[str, Any] = manifest["members"]
    wrong = [name for name in {*names, *members} - {MANIFEST} if not _NAME.fullmatch(name) or name not in members]
    wrong += members.keys() - set(names)
    if wrong:
        raise _damaged(min(wrong)[:60])
    rows: Rows = {}
    for name, one in members.items():
        body = _checked(packed, name, one)
        if name.startswith("tables/"):
            rows[name.removeprefix("tables/").removesuffix(".jsonl")] = _read_lines(name, body)
    head = manifest["head"]
    archive = Archive(
        manifest["forum"], manifest["schema"], (head["number"], head["hash"]) if head else None, rows, packed
    )
    _check_rows(archive, manifest["rows"], {name.removeprefix("files/") for name in members})
    return archive


_KINDS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_SHAPE: Mapping[str, type] = {"forum": str, "schema": str, "rows": dict, "members": dict}


def _manifest(packed: zipfile.ZipFile) -> dict[str, Any]:
    with packed.open(MANIFEST) as member:
        body = member.read(MOST_MANIFEST + 1)
    try:
        manifest = json.loads(body)
    except (ValueError, RecursionError):
        raise _damaged(MANIFEST) from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise Refused("archive_other_form", form=FORMAT)
    if any(not isinstance(manifest.get(name), kind) for name, kind in _SHAPE.items()):
        raise _damaged(MANIFEST)
    head = manifest.get("head")
    if head is not None and not (isinstance(head, dict) and {"number", "hash"} <= head.keys()):
        raise _damaged(MANIFEST)
    try:
        TypeAdapter(NewSlug).validate_python(manifest["forum"])
    except ValidationError:
        raise _damaged(MANIFEST) from None
    return {**manifest, "head": head}


def _checked(packed: zipfile.ZipFile, name: str, told: Any) -> bytes:
    """A table's bytes; of a file only that they are right. Raises Refused where they are not what the manifest says."""
    if not isinstance(told, dict) or not isinstance(told.get("size"), int):
        raise _damaged(name)
    is_table = name.startswith("tables/")
    if is_table and told["size"] > MOST_ROWS_BYTES:
        raise Refused("archive_too_large", most=MOST_ROWS_BYTES >> 30)
    found, size, kept = hashlib.sha256(), 0, bytearray()
    with packed.open(name) as member:
        while piece := member.read(_PIECE):
            size += len(piece)
            if size > told["size"]:
                raise _damaged(name)
            found.update(piece)
            if is_table:
                kept += piece
    if size != told["size"] or found.hexdigest() != told.get("sha256"):
        raise _damaged(name)
    if not is_table and name != f"files/{found.hexdigest()}":
        raise _damaged(name)
    return bytes(kept)


def _read_lines(name: str, body: bytes) -> list[dict[str, Any]]:
    try:
        rows = [json.loads(each, parse_constant=_no_number) for each in body.decode().split("\n") if each]
        for row in rows:
            json.dumps(row, ensure_ascii=False).encode()  # half a letter can be read, and shown on no page
    except (ValueError, RecursionError):
        raise _damaged(name) from None
    if any(not isinstance(row, dict) for row in rows):
        raise _damaged(name)
    return rows


def _no_number(text: str) -> Any:
    raise ValueError(text)


def _check_rows(archive: Archive, counts: Mapping[str, Any], files: set[str]) -> None:
    """Every table of this schema is there with as many rows as were counted, and each value is one of its column."""
    known = {each.name: each for each in tables()}
    if archive.rows.keys() != {*known, USERS}:
        raise _damaged(", ".join(sorted(archive.rows.keys() ^ {*known, USERS}))[:100])
    for name, rows in archive.rows.items():
        if counts.get(name) != len(rows):
            raise _damaged(name)
        for row in rows:
            if name == USERS:
                _check_user(row)
                continue
            columns = archived(known[name])
            if row.keys() != {column.name for column in columns}:
                raise _damaged(name)
            for column in columns:
                row[column.name] = _value(name, column, row[column.name], files)
    whole = archive.rows[FORUM]
    if len(whole) != 1 or whole[0]["slug"] != archive.slug:
        raise _damaged(FORUM)


def _check_user(row: dict[str, Any]) -> None:
    right = row.keys() == set(OF_USERS) and isinstance(row["id"], int)
    if not right or not all(isinstance(row[name], str) and len(row[name]) < 400 for name in ("email", "name")):
        raise _damaged(USERS)


def _value(name: str, column: Any, value: Any, files: set[str]) -> Any:
    """A JSON value as the column's own. Raises Refused where it can be none."""
    kind = column.type
    try:
        if value is None:
            if not column.nullable:
                raise _damaged(name)
            return None
        if isinstance(kind, BilingualText):
            return TypeAdapter(Bilingual).validate_python(value)
        if isinstance(kind, JSON):
            return value
        if isinstance(kind, UTCDateTime):
            at = datetime.fromisoformat(value)
            if at.tzinfo is None:
                raise _damaged(name)
            return at
        if isinstance(kind, Date):
            return date.fromisoformat(value)
    except (TypeError, ValueError, ValidationError):
        raise _damaged(name) from None
    if isinstance(kind, LargeBinary):
        if not (isinstance(value, dict) and value.get("file") in files):
            raise _damaged(name)
        return value["file"]
    wanted = _wanted(kind)
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        raise _damaged(name)
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise _damaged(name)
    return value


_LARGEST = 2**31 - 1
"""What a column of whole numbers can hold on every database."""


def _wanted(kind: Any) -> type | tuple[type, ...]:
    for column, python in ((Boolean, bool), (Integer, int), (Float, (int, float))):
        if isinstance(kind, column):
            return python
    return str


def unarchive(db: Db, by: Actor, archive: Archive, secret: bytes, *, now: datetime) -> Unarchived:
    """Write an archive that was looked through; in the caller's transaction, so all of it or nothing.

    Ids stay where they are free and are moved together where not. Every link gets another generation, made with this
    installation's `secret`; UIDs and SEQUENCEs stay, and so does the chain of facts, which goes on with this fact.
    Raises Refused: `only_owner_founds`, `archive_other_schema`, `archive_slug_taken`, `archive_in_the_way` where
    something of it is here under another address, `archive_damaged` where its rows or its chain do not fit together.
    """
    if not by.site_owner:
        raise Refused("only_owner_founds")
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
    except DBAPIError:
        raise Refused("archive_in_the_way") from None
    _go_on_counting(db)
    if first_broken(db, archive.slug) is not None or head_of(db, archive.slug) != archive.head:
        raise _damaged("audit_fact")
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
        told = version["document"].get("sessions") if isinstance(version["document"], dict) else None
        if not (isinstance(told, list) and all(isinstance(one, dict) for one in told)):
            raise _damaged(Version.__tablename__)
        named |= {str(one.get("uid")) for one in told}
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
            raise _damaged(each.name)
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
                raise _damaged(each.name)
            found[column.name] = moved[other][value]
    if each.name in DERIVED:
        found |= DERIVED[each.name](SimpleNamespace(**found))
    if each.name == "registration_bulk":
        found |= _bulk_as_here(row, moved[TAGS])
    if each.name == "registration_view":
        found["question"] = _TAG.sub(lambda tag: f"tag={moved[TAGS].get(int(tag[1]), 0)}", row["question"])
    if each.name == "forum_role_grant" and row["role"] not in set(Role):
        raise _damaged(each.name)  # nobody could be told what they may, at no desk
    if each.name == "correspondence_mailing":
        found |= _MAILINGS.get(row["state"], {}) | _segment_as_here(row, moved[TAGS])
    if each.name == "mail_message":
        found["resend_of"] = moved[each.name].get(row["resend_of"])
    named = {"audit_fact": "scope", "audit_head": "scope", "mail_message": "forum"}.get(each.name)
    if named and row[named] != slug:
        raise _damaged(each.name)
    return found


_TAG = re.compile(r"(?<![a-z_])tag=([0-9]{1,9})(?![0-9])")


_MAILINGS: Mapping[str, dict[str, Any]] = {
    State.SCHEDULED: {"state": State.DRAFT.value, "send_at": None},
    State.SENDING: {"state": State.STOPPED.value},
}
"""What becomes of a mailing that had not left: the other installation sends it, and two would write twice."""


def _segment_as_here(row: dict[str, Any], tags: Mapping[int, int]) -> dict[str, Any]:
    """Whom a mailing is for, by the number that the tag it asks for has here; 0 where it was removed: nobody's."""
    segment = row["segment"]
    if not isinstance(segment, dict) or not segment.get("tag"):
        return {}
    tag = str(segment["tag"])
    number = tags.get(int(tag), 0) if re.fullmatch("[0-9]{1,9}", tag) else 0
    return {"segment": {**segment, "tag": str(number)}}


def _bulk_as_here(row: dict[str, Any], tags: Mapping[int, int]) -> dict[str, Any]:
    """Something done with many, by the numbers that its tag has here. What was not at its end goes on nowhere."""
    values = row["values"]
    if isinstance(values, dict) and values.get("tag") in tags:
        values = {**values, "tag": tags[values["tag"]]}
    return {"values": values, "state": "stopped" if row["state"] in {"doing", "taking_back"} else row["state"]}


def _withhold(rows: list[dict[str, Any]], users: Mapping[int, int]) -> int:
    """No mail leaves a second time: what still waited stays here. How many those are."""
    count = 0
    for row in rows:
        if row["state"] in WAITING:
            row["state"], row["claimed_at"], count = "withheld", None, count + 1
        kind, _, number = row["subject"].partition(":")
        if kind == "user" and number.isascii() and number.isdigit():
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
    """PostgreSQL counts on its own which number comes next, and has seen none of these."""
    if db.get_bind().dialect.name != "postgresql":
        return
    for each in tables():
        if "id" in each.c:
            last = f"SELECT setval(pg_get_serial_sequence('{each.name}', 'id'), max(id)) FROM {each.name}"  # noqa: S608
            db.execute(text(last))
