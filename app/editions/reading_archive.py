"""Looking through a forum's archive before a row of it is written: every member, sum, column and value."""

import hashlib
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, BinaryIO

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import JSON, Boolean, Date, Float, Integer, LargeBinary
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime

from app.editions.archive_plan import (
    FORMAT,
    FORUM,
    OF_USERS,
    USERS,
    archived,
    tables,
)
from app.editions.archiving import MANIFEST
from app.forum.inputs import NewSlug
from app.kit.db import table
from app.kit.errors import Refused
from app.kit.i18n import Bilingual, BilingualText
from app.kit.inputs import Instant, KnownDay
from app.programme.models import Version
from app.programme.published import is_document
from app.registration.models import KeptList
from app.registration.participant_lists import LayoutInput

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


def damaged(what: str) -> Refused:
    """An archive that is not whole, and what in it."""
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
        raise damaged(str(error)[:100]) from None
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
        raise damaged(odd[0][:60] if odd else MANIFEST)
    manifest = _manifest(packed)
    members: dict[str, Any] = manifest["members"]
    wrong = [name for name in {*names, *members} - {MANIFEST} if not _NAME.fullmatch(name) or name not in members]
    wrong += members.keys() - set(names)
    if wrong:
        raise damaged(min(wrong)[:60])
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
        raise damaged(MANIFEST) from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise Refused("archive_other_form", form=FORMAT)
    if any(not isinstance(manifest.get(name), kind) for name, kind in _SHAPE.items()):
        raise damaged(MANIFEST)
    head = manifest.get("head")
    if head is not None and not (isinstance(head, dict) and {"number", "hash"} <= head.keys()):
        raise damaged(MANIFEST)
    try:
        TypeAdapter(NewSlug).validate_python(manifest["forum"])
    except ValidationError:
        raise damaged(MANIFEST) from None
    return {**manifest, "head": head}


def _checked(packed: zipfile.ZipFile, name: str, told: Any) -> bytes:
    """A table's bytes; of a file only that they are right. Raises Refused where they are not what the manifest says."""
    if not isinstance(told, dict) or not isinstance(told.get("size"), int):
        raise damaged(name)
    is_table = name.startswith("tables/")
    if is_table and told["size"] > MOST_ROWS_BYTES:
        raise Refused("archive_too_large", most=MOST_ROWS_BYTES >> 30)
    found, size, kept = hashlib.sha256(), 0, bytearray()
    with packed.open(name) as member:
        while piece := member.read(_PIECE):
            size += len(piece)
            if size > told["size"]:
                raise damaged(name)
            found.update(piece)
            if is_table:
                kept += piece
    if size != told["size"] or found.hexdigest() != told.get("sha256"):
        raise damaged(name)
    if not is_table and name != f"files/{found.hexdigest()}":
        raise damaged(name)
    return bytes(kept)


def _read_lines(name: str, body: bytes) -> list[dict[str, Any]]:
    try:
        rows = [json.loads(each, parse_constant=_no_number) for each in body.decode().split("\n") if each]
        for row in rows:
            json.dumps(row, ensure_ascii=False).encode()  # half a letter can be read, and shown on no page
    except (ValueError, RecursionError):
        raise damaged(name) from None
    if any(not isinstance(row, dict) for row in rows):
        raise damaged(name)
    return rows


def _no_number(text: str) -> Any:
    raise ValueError(text)


def _check_rows(archive: Archive, counts: Mapping[str, Any], files: set[str]) -> None:
    """Every table of this schema is there with as many rows as were counted, and each value is one of its column."""
    known = {each.name: each for each in tables()}
    if archive.rows.keys() != {*known, USERS}:
        raise damaged(", ".join(sorted(archive.rows.keys() ^ {*known, USERS}))[:100])
    for name, rows in archive.rows.items():
        if counts.get(name) != len(rows):
            raise damaged(name)
        for row in rows:
            if name == USERS:
                _check_user(row)
                continue
            columns = archived(known[name])
            if row.keys() != {column.name for column in columns}:
                raise damaged(name)
            for column in columns:
                row[column.name] = _value(name, column, row[column.name], files)
    whole = archive.rows[FORUM]
    if len(whole) != 1 or whole[0]["slug"] != archive.slug:
        raise damaged(FORUM)


def _check_user(row: dict[str, Any]) -> None:
    right = row.keys() == set(OF_USERS) and isinstance(row["id"], int)
    if not right or not all(
        isinstance(row[name], str) and len(row[name]) < 400 and _NUL not in row[name] for name in ("email", "name")
    ):
        raise damaged(USERS)


def _value(name: str, column: Any, value: Any, files: set[str]) -> Any:
    """A JSON value as the column's own. Raises Refused where it can be none."""
    kind = column.type
    try:
        if value is None:
            if not column.nullable:
                raise damaged(name)
            return None
        if isinstance(kind, BilingualText):
            return TypeAdapter(Bilingual).validate_python(value)
        if isinstance(kind, JSON):
            return _json(name, column.name, value)
        if isinstance(kind, UTCDateTime):
            return _INSTANT.validate_python(datetime.fromisoformat(value))
        if isinstance(kind, Date):
            return _DAY.validate_python(date.fromisoformat(value))
    except (TypeError, ValueError, ValidationError):
        raise damaged(name) from None
    if isinstance(kind, LargeBinary):
        if not (isinstance(value, dict) and value.get("file") in files):
            raise damaged(name)
        return value["file"]
    wanted = _wanted(kind)
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        raise damaged(name)
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise damaged(name)
    if isinstance(value, str) and _NUL in value:
        raise damaged(name)
    return value


def _json(name: str, column: str, value: Any) -> Any:
    """A value of a JSON column, which the database would take whatever its shape. Raises ValueError, or Refused."""
    _shapes()[name, column].validate_python(value, strict=True)
    if (name, column) in _READ_AS and not _READ_AS[name, column](value):
        raise damaged(name)
    return value


@cache
def _shapes() -> Mapping[tuple[str, str], TypeAdapter[Any]]:
    """What each JSON column holds, as its model says: (table, column) → its shape."""
    found: dict[tuple[str, str], TypeAdapter[Any]] = {}
    for model in SQLModel.__subclasses__():
        for column in table(model).c if hasattr(model, "__table__") else ():
            if isinstance(column.type, JSON):
                shape: Any = model.model_fields[column.name].annotation
                found[column.table.name, column.name] = TypeAdapter(shape)
    return found


def _is_layout(value: Any) -> bool:
    LayoutInput.model_validate(value)
    return True


_READ_AS: Mapping[tuple[str, str], Callable[[Any], bool]] = {
    (Version.__tablename__, "document"): is_document,
    (KeptList.__tablename__, "layout"): _is_layout,
}
"""What is read again and again, and never validated then."""
_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
_DAY: TypeAdapter[date | None] = TypeAdapter(KnownDay)
_LARGEST = 2**31 - 1
"""What a column of whole numbers can hold on every database."""
_NUL = "\0"
"""PostgreSQL takes no text with it."""


def _wanted(kind: Any) -> type | tuple[type, ...]:
    for column, python in ((Boolean, bool), (Integer, int), (Float, (int, float))):
        if isinstance(kind, column):
            return python
    return str
