"""Materials at the desk: shared, changed, put in order, removed and brought back. Each deed is held against the
edition it was opened on."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.codes import public_code
from app.kit.db import Db, table
from app.kit.errors import Conflict, Fault, Invalid, NotFound
from app.kit.pen import republish
from app.programme.inputs import MaterialInput
from app.programme.materials import PIECE, MaterialView, material_of, materials_of
from app.programme.models import Material, MaterialFile, MaterialPiece, Session
from app.programme.rules.documents import DocumentKind, Unfit, examine
from app.programme.rules.materials import Release, withheld
from app.programme.rules.visibility import Attribution

_materials, _files, _pieces = table(Material), table(MaterialFile), table(MaterialPiece)
_sessions = table(Session)
KEPT = timedelta(days=30)
"""How long what was removed can be brought back; then it goes for good with the next deed about materials."""
LANGUAGES = ("en", "km")


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was looked at and may be kept."""

    name: str
    kind: DocumentKind
    body: bytes
    digest: str


def document(field: str, name: str, body: bytes) -> Document:
    """A file as it was sent, looked at. Takes its time, so no pen waits for it. Raises Invalid with a fault at `field`.

    Of the sender's name the last part is kept, without what no text may have, to be read by people alone.
    """
    found = examine(body)
    if isinstance(found, Unfit):
        raise Invalid([Fault(field, found.value)])
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(letter for letter in last if letter.isprintable() and letter not in "<>\"'&")
    return Document(shown.strip()[:120], found, body, hashlib.sha256(body).hexdigest())


def share(
    db: Db,
    by: Actor,
    forum: Forum,
    sent: MaterialInput,
    documents: Mapping[str, Document],
    *,
    now: datetime,
    key: str = "",
    text_follows: bool = False,
) -> str:
    """One more material, behind the others; `documents` by language. Its code. Raises Invalid.

    The same again with the same request `key` is the same material: a button pressed twice shares once. Where its
    `text_follows` (`put_text`), it needs no document yet, and is there for nobody until it has one.
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_PROGRAMME, own)
    if not documents and not sent.link and not text_follows:
        raise Invalid([Fault("file_en", "material_without_text")])
    columns = _columns(db, own, sent)
    if key and (again := _sent_before(db, own, key, columns, documents)):
        return again
    last = db.execute(select(func.max(_materials.c.position)).where(_materials.c.forum_id == own)).scalar_one()
    row = Material(forum_id=own, code=public_code(), position=(last or 0) + 1, request_key=key or None, **columns)
    db.add(row)
    db.flush()
    _keep(db, row.id or 0, documents, now=now)
    after = {"kind": sent.kind.value, "files": sorted(documents)}
    _told(db, by, forum, "material.shared", row.code, now=now, after=after)
    return row.code


def change(
    db: Db,
    by: Actor,
    forum: Forum,
    code: str,
    sent: MaterialInput,
    documents: Mapping[str, Document],
    dropped: Collection[str],
    edition: int,
    *,
    now: datetime,
) -> bool:
    """Bring a material to what was sent; a document takes the place of the one in its language, those in `dropped` go.

    Says whether anything changed. Raises NotFound; Conflict("material_changed") where its edition is another by now;
    Invalid, also where its last text would go.
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_PROGRAMME, own)
    was = _standing(db, own, code)
    if was.edition != edition:
        raise Conflict("material_changed")
    return _bring(db, by, forum, was, _columns(db, own, sent), documents, dropped, now=now)


def put_text(
    db: Db, by: Actor, forum: Forum, code: str, language: str, sent: Document | None, *, now: datetime
) -> bool:
    """Put a document in the place of a material's text in one of `LANGUAGES`, or take that away; all else stays.

    Says whether anything changed. Raises NotFound, of a text too that is to be taken away and is not there; Invalid
    where the last one would go.
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_PROGRAMME, own)
    was = _standing(db, own, code)
    if sent is None:
        was.file(language)
    return _bring(db, by, forum, was, {}, {language: sent} if sent else {}, () if sent else (language,), now=now)


def _bring(
    db: Db,
    by: Actor,
    forum: Forum,
    was: MaterialView,
    columns: Mapping[str, Any],
    documents: Mapping[str, Document],
    dropped: Collection[str],
    *,
    now: datetime,
) -> bool:
    """Bring a material's columns and texts to these. Raises Invalid where its last text would go."""
    same = {one.language for one in was.files if (new := documents.get(one.language)) and new.digest == one.digest}
    fresh = {language: one for language, one in documents.items() if language not in same}
    gone = {one.language for one in was.files} & (fresh.keys() | (set(dropped) - documents.keys()))
    left = columns.get("link", was.link) or ({one.language for one in was.files} - gone) | documents.keys()
    if was.has_text and not left:
        raise Invalid([Fault("file_en", "material_without_text")])
    changed = sorted(name for name, value in columns.items() if getattr(was, name) != value)
    if not changed and not fresh and not gone:
        return False
    db.execute(update(_materials).where(_materials.c.id == was.id).values(**columns, edition=was.edition + 1))
    _drop(db, [one.id for one in was.files if one.language in gone])
    _keep(db, was.id, fresh, now=now)
    after = {"changed": changed, "files": sorted(fresh.keys() | gone)}
    _told(db, by, forum, "material.changed", was.code, now=now, after=after)
    return True


def place(db: Db, by: Actor, forum: Forum, code: str, *, up: bool, now: datetime) -> bool:
    """One place up or down among those of its session; False for the first upwards and the last downwards."""
    own = forum_id(forum)
    by.must(Permission.EDIT_PROGRAMME, own)
    one = _standing(db, own, code)
    beside = [each for each in materials_of(db, own) if each.session_uid == one.session_uid and each.removed_at is None]
    here = [each.id for each in beside].index(one.id)
    there = here + (-1 if up else 1)
    if not 0 <= there < len(beside):
        return False
    other = beside[there]
    for row, position in ((one, other.position), (other, one.position)):
        db.execute(update(_materials).where(_materials.c.id == row.id).values(position=position))
    _told(db, by, forum, "material.placed", code, now=now, after={"place": there + 1})
    return True


def remove(db: Db, by: Actor, forum: Forum, code: str, *, now: datetime) -> None:
    """A material is gone for everybody at once; for `KEPT` it can be brought back. Raises NotFound."""
    own = forum_id(forum)
    by.must(Permission.EDIT_PROGRAMME, own)
    was = _standing(db, own, code)
    values = {"removed_at": now, "edition": was.edition + 1}
    db.execute(update(_materials).where(_materials.c.id == was.id).values(**values))
    _told(db, by, forum, "material.removed", code, now=now, after={})


def bring_back(db: Db, by: Actor, forum: Forum, code: str, *, now: datetime) -> None:
    """A removed material is where it was. Raises NotFound, of one that stands too."""
    own = forum_id(forum)
    by.must(Permission.EDIT_PROGRAMME, own)
    was = material_of(db, own, code)
    if was.removed_at is None or was.removed_at + KEPT <= now:
        raise NotFound
    values = {"removed_at": None, "edition": was.edition + 1}
    db.execute(update(_materials).where(_materials.c.id == was.id).values(**values))
    _told(db, by, forum, "material.restored", code, now=now, after={})


def _standing(db: Db, own: int, code: str) -> MaterialView:
    """The material with this code, if it was not removed. Raises NotFound."""
    found = material_of(db, own, code)
    if found.removed_at is not None:
        raise NotFound
    return found


def _sent_before(
    db: Db, own: int, key: str, columns: Mapping[str, Any], documents: Mapping[str, Document]
) -> str | None:
    """The code of the material that the same form brought before, with the same texts."""
    wanted = select(_materials.c.code).where(_materials.c.forum_id == own, _materials.c.request_key == key)
    digests = {language: one.digest for language, one in documents.items()}
    for code in db.execute(wanted).scalars():
        there = material_of(db, own, code)
        same = all(getattr(there, name) == value for name, value in columns.items())
        if same and {one.language: one.digest for one in there.files} == digests:
            return there.code
    return None


def _columns(db: Db, own: int, sent: MaterialInput) -> dict[str, Any]:
    """What was sent as a row's columns. Raises Invalid with every fault of what does not go together."""
    faults, uid = [], None
    if sent.session is not None:
        wanted = select(_sessions.c.uid, _sessions.c.attribution)
        found = db.execute(wanted.where(_sessions.c.forum_id == own, _sessions.c.code == sent.session)).first()
        if found is None:
            faults.append(Fault("session", "not_a_choice"))
        else:
            uid = found.uid
            attribution = Attribution(found.attribution) if found.attribution else None
            if withheld(sent.kind, attribution):
                faults.append(Fault("kind", "material_tells_who"))
    elif sent.release is Release.WITH_START:
        faults.append(Fault("release", "material_no_session"))
    if sent.release is Release.AT and sent.release_at is None:
        faults.append(Fault("release_at", "missing"))
    if faults:
        raise Invalid(faults)
    return {
        "session_uid": uid,
        "kind": sent.kind.value,
        "title": sent.title,
        "note": sent.note,
        "link": sent.link,
        "release": sent.release.value,
        "release_at": sent.release_at if sent.release is Release.AT else None,
        "announced": sent.announced,
        "against_delivery": sent.against_delivery,
        "stays": sent.stays,
    }


def _keep(db: Db, material: int, documents: Mapping[str, Document], *, now: datetime) -> None:
    for language, one in documents.items():
        row = MaterialFile(
            material_id=material,
            language=language,
            name=one.name,
            media_type=one.kind.value,
            size=len(one.body),
            digest=one.digest,
            sent_at=now,
        )
        db.add(row)
        db.flush()
        starts = range(0, len(one.body), PIECE)
        pieces = [
            {"file_id": row.id, "number": number, "body": one.body[start : start + PIECE]}
            for number, start in enumerate(starts)
        ]
        db.execute(insert(_pieces), pieces)


def _drop(db: Db, files: Sequence[int]) -> None:
    db.execute(delete(_pieces).where(_pieces.c.file_id.in_(files)))
    db.execute(delete(_files).where(_files.c.id.in_(files)))


def _let_go(db: Db, own: int, *, now: datetime) -> None:
    """What was removed long ago goes for good."""
    old = [one for one in materials_of(db, own) if one.removed_at is not None and one.removed_at + KEPT <= now]
    if not old:
        return
    _drop(db, [file.id for one in old for file in one.files])
    db.execute(delete(_materials).where(_materials.c.id.in_([one.id for one in old])))


def _told(db: Db, by: Actor, forum: Forum, kind: str, code: str, *, now: datetime, after: Mapping[str, Any]) -> None:
    record(db, forum.slug, by.signature, kind, f"material:{code}", now=now, after=after)
    _let_go(db, forum_id(forum), now=now)
    republish(db, forum.slug)
