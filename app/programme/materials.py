"""Reads of materials: what there is, how it stands for a viewer, and the bytes of a file, piece by piece."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.kit.i18n import Bilingual
from app.programme.models import Material, MaterialFile, MaterialPiece
from app.programme.published import Programme, PublishedSession
from app.programme.rules.documents import DocumentKind
from app.programme.rules.materials import MaterialKind, Release, Stage, next_release, opens_at, stage
from app.programme.rules.visibility import Viewer

_materials, _files, _pieces = table(Material), table(MaterialFile), table(MaterialPiece)
PIECE = 256 * 1024
"""Bytes in each piece of a file but the last."""


@dataclass(frozen=True, slots=True)
class FileView:
    """A material's text in one language; `name` is the sender's, `size` in bytes, `digest` the SHA-256 in hex."""

    id: int
    language: str
    name: str
    kind: DocumentKind
    size: int
    digest: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class MaterialView:
    """A material as it is kept; instants in UTC. What it means is said in `programme.models.Material`."""

    id: int
    code: str
    session_uid: str | None
    kind: MaterialKind
    title: Bilingual
    note: Bilingual | None
    link: str | None
    release: Release
    release_at: datetime | None
    announced: bool
    against_delivery: bool
    stays: bool
    position: int
    edition: int
    removed_at: datetime | None
    files: tuple[FileView, ...]

    @property
    def has_text(self) -> bool:
        """Is there a file or an address? A material waits for its text between two requests of a program."""
        return bool(self.files or self.link)

    def file(self, language: str) -> FileView:
        """The text in this language. Raises NotFound."""
        for one in self.files:
            if one.language == language:
                return one
        raise NotFound


@dataclass(frozen=True, slots=True)
class Seen:
    """A material as it stands for one viewer: with its session as published, and from when (UTC) it may be read."""

    material: MaterialView
    session: PublishedSession | None
    stage: Stage
    opens_at: datetime | None

    @property
    def is_there(self) -> bool:
        """May it be read now?"""
        return self.stage is Stage.THERE


@dataclass(frozen=True, slots=True)
class Shelf:
    """What of a forum's materials is there or announced for one viewer, in order: those of the forum as a whole first,
    then by session. It holds until `until` (UTC; None: no end)."""

    seen: tuple[Seen, ...]
    until: datetime | None

    @property
    def of_forum(self) -> list[Seen]:
        """What belongs to the forum as a whole."""
        return [one for one in self.seen if one.session is None]

    def of_session(self, uid: str) -> list[Seen]:
        """What belongs to this session."""
        return [one for one in self.seen if one.session is not None and one.session.uid == uid]

    def there(self, code: str) -> MaterialView:
        """The material with this code, which may be read now. Raises NotFound for what is not there, or not yet."""
        for one in self.seen:
            if one.material.code == code and one.is_there:
                return one.material
        raise NotFound


def materials_of(db: Db, forum_id: int, code: str | None = None) -> list[MaterialView]:
    """Every material of a forum in order, removed ones too; with `code` that one alone. Two queries."""
    mine = _materials.c.forum_id == forum_id
    if code is not None:
        mine &= _materials.c.code == code
    files: dict[int, list[FileView]] = {}
    wanted = select(_files).join(_materials, _materials.c.id == _files.c.material_id).where(mine)
    for row in db.execute(wanted.order_by(_files.c.language)):
        one = FileView(row.id, row.language, row.name, DocumentKind(row.media_type), row.size, row.digest, row.sent_at)
        files.setdefault(row.material_id, []).append(one)
    rows = db.execute(select(_materials).where(mine).order_by(_materials.c.position, _materials.c.id))
    return [_view(row, files.get(row.id, ())) for row in rows]


def material_of(db: Db, forum_id: int, code: str) -> MaterialView:
    """The material with this code in this forum, removed or not. Raises NotFound."""
    for one in materials_of(db, forum_id, code):
        return one
    raise NotFound


def shelf(db: Db, forum_id: int, programme: Programme, viewer: Viewer, *, now: datetime) -> Shelf:
    """What of a forum's materials exists for this viewer; `programme` is the published one, whole or as the viewer sees
    it. The one function of `rules.materials` decides. Two queries."""
    sessions = {session.uid: session for session in programme.sessions}
    pairs = [(one, sessions.get(one.session_uid or "")) for one in materials_of(db, forum_id)]
    seen = [Seen(one, session, stage(one, session, viewer, now=now), opens_at(one, session)) for one, session in pairs]
    order = {session.uid: place for place, session in enumerate(programme.sessions)}
    there = [one for one in seen if one.stage is not Stage.ABSENT]
    there.sort(key=lambda one: order.get(one.material.session_uid or "", -1))
    return Shelf(tuple(there), next_release(pairs, now=now))


def piece_of(db: Db, file: FileView, number: int) -> bytes:
    """One piece of a file. Raises NotFound where the file went meanwhile: another may have its row's number by then,
    and whoever still reads the first may not know of it. One query."""
    still = (_files.c.id == file.id) & (_files.c.digest == file.digest)
    wanted = select(_pieces.c.body).join(_files, _files.c.id == _pieces.c.file_id).where(still)
    body: bytes | None = db.execute(wanted.where(_pieces.c.number == number)).scalar_one_or_none()
    if body is None:
        raise NotFound
    return body


def file_name(slug: str, session: str, material: MaterialView, language: str) -> str:
    """What a file is called when it is taken along: a name made of our own codes (the forum's slug, its session's code
    or ""), for the sender's stands in no header. Raises NotFound."""
    one = material.file(language)
    parts = (slug, session, material.kind.value, material.code, language)
    return f"{'-'.join(part for part in parts if part).lower()}.{one.kind.ending}"


def media_type(file: FileView) -> str:
    """What a file is, as a header says it."""
    return "text/plain; charset=utf-8" if file.kind is DocumentKind.TEXT else file.kind.value


def sessions_with_materials(materials: Sequence[MaterialView]) -> Mapping[str | None, list[MaterialView]]:
    """What is not removed by session's uid, None for the forum as a whole; each in order."""
    found: dict[str | None, list[MaterialView]] = {}
    for one in materials:
        if one.removed_at is None:
            found.setdefault(one.session_uid, []).append(one)
    return found


def _view(row: Any, files: Sequence[FileView]) -> MaterialView:
    return MaterialView(
        id=row.id,
        code=row.code,
        session_uid=row.session_uid,
        kind=MaterialKind(row.kind),
        title=row.title or Bilingual(),
        note=row.note,
        link=row.link,
        release=Release(row.release),
        release_at=row.release_at,
        announced=row.announced,
        against_delivery=row.against_delivery,
        stays=row.stays,
        position=row.position,
        edition=row.edition,
        removed_at=row.removed_at,
        files=tuple(files),
    )
