"""Writing a whole forum as one archive: a ZIP of a manifest, a file of JSON lines for each table, and what was sent."""

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import IO, Any

from sqlalchemy import LargeBinary, Table, select, text

from app.accounts.actor import Actor
from app.accounts.models import User
from app.accounts.rules import Permission
from app.audit.recording import head_of, record
from app.correspondence.mailboxes import key_of
from app.editions.archive_plan import FORMAT, MAILBOXES, OF_USERS, USERS, archived, belonging, points_at, tables
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.i18n import Bilingual
from app.mail.models import Message

ROWS_AT_ONCE = 500
MANIFEST = "manifest.json"
_PIECE = 1 << 16


def note_archived(db: Db, by: Actor, forum: Forum, *, now: datetime) -> None:
    """Note that the forum leaves as an archive, and who takes it. For an owner alone: Forbidden, NotFound."""
    by.must(Permission.MANAGE_ACCESS, forum_id(forum))
    record(db, forum.slug, by.signature, "forum.archived", f"forum:{forum.slug}", now=now)


def schema_of(db: Db) -> str:
    """The revision of the database's schema: an archive is read by the same one alone."""
    found: str = db.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    return found


@dataclass(slots=True)
class _Writing:
    """An archive being written: what each member is, and which files are in it already."""

    into: zipfile.ZipFile
    at: datetime
    members: dict[str, dict[str, Any]] = field(default_factory=dict)

    def put(self, name: str, pieces: Iterator[bytes]) -> int:
        """Write a member piece by piece; how many pieces it took."""
        digest, size, count = hashlib.sha256(), 0, 0
        told = zipfile.ZipInfo(name, self.at.astimezone(UTC).timetuple()[:6])
        told.compress_type = zipfile.ZIP_DEFLATED
        with self.into.open(told, "w", force_zip64=True) as member:
            for piece in pieces:
                member.write(piece)
                digest.update(piece)
                size, count = size + len(piece), count + 1
        self.members[name] = {"sha256": digest.hexdigest(), "size": size}
        return count


def write_archive(db: Db, by: Actor, forum: Forum, to: IO[bytes], secret: bytes, *, now: datetime) -> Mapping[str, int]:
    """Write the forum whole into a file; the number of rows by table. Everything is read in the caller's one view.

    `secret` is the installation's, by which it knows mailboxes.

    Raises Forbidden, NotFound. No login, no second factor and no secret of a link is in it; all that people told is.
    """
    own = forum_id(forum)
    by.must(Permission.MANAGE_ACCESS, own)
    counts: dict[str, int] = {}
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as into:
        writing = _Writing(into, now)
        counts[USERS] = writing.put(_member(USERS), _users(db, own, forum.slug))
        for each in tables():
            rows = _mailboxes(db, each, forum, secret) if each.name == MAILBOXES else _rows(db, each, own, forum.slug)
            counts[each.name] = writing.put(_member(each.name), rows)
        for each in tables():
            for column in archived(each):
                if isinstance(column.type, LargeBinary):
                    _put_files(db, writing, each, column, own, forum.slug)
        head = head_of(db, forum.slug)
        manifest = {
            "format": FORMAT,
            "schema": schema_of(db),
            "forum": forum.slug,
            "made_at": now.astimezone(UTC).isoformat(),
            "head": {"number": head[0], "hash": head[1]} if head else None,
            "rows": counts,
            "members": writing.members,
        }
        into.writestr(MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True))
    return counts


def archive_file(db: Db, by: Actor, forum: Forum, secret: bytes, *, now: datetime) -> IO[bytes]:
    """The archive in a file without a name, at its beginning, which goes when it is closed. Raises as
    `write_archive`."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed when it has been sent
    try:
        write_archive(db, by, forum, file, secret, now=now)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def size_of(file: IO[bytes]) -> int:
    """How many bytes there are in a file, which stands at its beginning then as before."""
    size = file.seek(0, 2)
    file.seek(0)
    return size


def pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    """What is left of a file, in pieces to be sent."""
    while piece := file.read(_PIECE):
        yield piece


def _member(name: str) -> str:
    return f"tables/{name}.jsonl"


def _users(db: Db, own: int, slug: str) -> Iterator[bytes]:
    """Address and name of everybody that a row of the forum points at."""
    users, wanted = table(User), set[int]()
    for each in tables():
        for column in each.c:
            if points_at(column) == USERS:
                wanted |= set(db.execute(select(column).where(belonging(each, own, slug))).scalars())
    columns = [users.c[name] for name in OF_USERS]
    for row in db.execute(select(*columns).where(users.c.id.in_(wanted)).order_by(users.c.id)).mappings():
        yield line(row)


def _rows(db: Db, each: Table, own: int, slug: str) -> Iterator[bytes]:
    wanted = select(*archived(each)).where(belonging(each, own, slug)).order_by(*each.primary_key)
    for row in db.execute(wanted.execution_options(yield_per=ROWS_AT_ONCE)).mappings():
        yield line(row)


def _mailboxes(db: Db, each: Table, forum: Forum, secret: bytes) -> Iterator[bytes]:
    """Who wants no more mail, by address: of the digests another installation could know nobody again. A mailbox whose
    mails are purged is nobody's any more, and is left out."""
    mails, own = table(Message), forum_id(forum)
    written = select(mails.c.to_address).where(mails.c.forum == forum.slug).distinct()
    addresses = {key_of(forum, address, secret): address for address in db.execute(written).scalars()}
    for row in db.execute(select(each).where(each.c.forum_id == own).order_by(each.c.id)).mappings():
        if row["who"] in addresses:
            yield line({**row, "who": addresses[row["who"]]})


def _put_files(db: Db, writing: _Writing, each: Table, column: Any, own: int, slug: str) -> None:
    wanted = select(column).where(belonging(each, own, slug)).order_by(*each.primary_key)
    for body in db.execute(wanted.execution_options(yield_per=1)).scalars():
        name = f"files/{hashlib.sha256(body).hexdigest()}"
        if name not in writing.members:
            writing.put(name, iter([body]))


def line(row: Mapping[Any, Any]) -> bytes:
    """A row as a line of JSON: instants in UTC and days by ISO 8601, texts in both languages as {en, km}, bytes as the
    digest of the file that holds them."""
    told = {str(name): _plain(value) for name, value in row.items()}
    return (json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n").encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Bilingual):
        return {"en": value.en, "km": value.km}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return {"file": hashlib.sha256(value).hexdigest()}
    return value
