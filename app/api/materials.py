"""Materials: what stands with sessions or with the forum as a whole, and the files.

A file is a body of its own. What it belongs to is made first, and is there for nobody before it has something to read.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import StringConstraints
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.api.calling import Call, Door, FileAnswer, Matching, Reading, Writing, file_sent
from app.api.inputs import PlaceInput, sent
from app.api.registrations import Code
from app.api.shapes.general import Changed, Coded, Page
from app.api.shapes.materials import FileShape, MaterialShape
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Invalid, NotFound, Refused
from app.kit.i18n import Lang
from app.programme import sharing
from app.programme.inputs import MaterialInput
from app.programme.materials import (
    PIECE,
    FileView,
    MaterialView,
    file_name,
    material_of,
    materials_of,
    media_type,
    piece_of,
)
from app.programme.published import PublishedSession
from app.programme.queries import published, working_copy
from app.programme.rules.documents import DocumentKind
from app.programme.rules.materials import opens_at, stage
from app.programme.rules.visibility import PUBLIC
from app.programme.sharing import KEPT, Document, document

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["programme"])
EDIT = Permission.EDIT_PROGRAMME
OF_FORUM = "forum"
"""What is said for the forum as a whole: no code of a session is in small letters."""
Language = Annotated[Lang, Path(description="The language of the text.")]
MATERIAL = {
    "session": "forum",
    "kind": "paper",
    "title": {"en": "Lanes at sea", "km": "ផ្លូវសមុទ្រ"},
    "release": "at",
    "release_at": "2027-03-23T03:00:00Z",
    "announced": True,
}
FILE = file_sent(
    "The file itself: PDF, a picture, plain text, or a document of an office program; which it is is told by its bytes."
    " At most 25 MB, unless the site has another limit. The If-Match is the material's ETag.",
    *(kind.value for kind in DocumentKind),
    "application/octet-stream",
)


class SentMaterial(MaterialInput):
    """A material. `session` is a code of the working copy, "forum" for the forum as a whole; `release_at` goes with
    the release "at" alone. Its files are sent each by itself; without a `link` it is there for nobody before one is."""

    session: Annotated[str, StringConstraints(pattern=rf"^(?:{OF_FORUM}|[A-Z0-9](?:[A-Z0-9-]{{0,18}}[A-Z0-9])?)$")]

    def as_input(self) -> MaterialInput:
        """The same for the deed."""
        said = {name: getattr(self, name) for name in MaterialInput.model_fields}
        return MaterialInput(**{**said, "session": None if self.session == OF_FORUM else self.session})


@router.get("/materials", response_model=Page[MaterialShape])
async def list_materials(call: Reading) -> Response:
    """Every material in order, those too that were removed and can be brought back; the list is whole. Takes
    `edit_programme`."""

    def read(db: Db) -> tuple[list[Any], str]:
        shown, now = _Shown.of(db, call.by, call.forum), clock.now()
        kept = [one for one in materials_of(db, forum_id(call.forum)) if not _is_gone(one, now)]
        return [shown.shape(one, now) for one in kept], ""

    return await call.page(MaterialShape, read)


@router.get("/materials/{code}", response_model=MaterialShape)
async def get_material(call: Reading, code: Code) -> Response:
    """One material that was not removed."""
    return await call.one(lambda db: material_shape(db, call.by, call.forum, code))


@router.post("/materials", response_model=Coded, status_code=201)
async def add_material(call: Writing, material: Annotated[SentMaterial, sent(**MATERIAL)]) -> Response:
    """One more material, behind the others; its files come after it. Takes `edit_programme`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Coded:
        return Coded(code=sharing.share(db, call.by, forum, material.as_input(), {}, now=now, text_follows=True))

    return await call.write(deed, status=201, made="code")


@router.put("/materials/{code}", response_model=MaterialShape)
async def change_material(call: Matching, code: Code, material: Annotated[SentMaterial, sent(**MATERIAL)]) -> Response:
    """Bring a material to what is sent; its files stay."""

    def deed(db: Db, forum: Forum, now: datetime) -> MaterialShape:
        edition = _standing(db, forum_id(forum), code).edition
        sharing.change(db, call.by, forum, code, material.as_input(), {}, (), edition, now=now)
        return material_shape(db, call.by, forum, code)

    return await call.write(deed, present=lambda db, forum: material_shape(db, call.by, forum, code))


@router.delete("/materials/{code}", status_code=204)
async def remove_material(call: Matching, code: Code) -> Response:
    """A material is gone for everybody at once; for thirty days it can be brought back."""
    return await call.remove(
        lambda db, forum, now: sharing.remove(db, call.by, forum, code, now=now),
        present=lambda db, forum: material_shape(db, call.by, forum, code),
    )


@router.post("/materials/{code}/restoration", response_model=Coded)
async def restore_material(call: Writing, code: Code) -> Response:
    """Bring a removed material back."""

    def deed(db: Db, forum: Forum, now: datetime) -> Coded:
        sharing.bring_back(db, call.by, forum, code, now=now)
        return Coded(code=code)

    return await call.write(deed)


@router.post("/materials/{code}/place", response_model=Changed)
async def place_material(call: Writing, code: Code, to: Annotated[PlaceInput, sent(up=True)]) -> Response:
    """One place up or down among those of its session."""

    def deed(db: Db, forum: Forum, now: datetime) -> Changed:
        return Changed(changed=sharing.place(db, call.by, forum, code, up=to.up, now=now))

    return await call.write(deed)


@router.get(
    "/materials/{code}/files/{language}",
    response_class=FileAnswer,
    responses={200: {"content": {kind.value: {} for kind in DocumentKind}}},
)
async def get_material_file(call: Reading, code: Code, language: Language) -> Response:
    """A file as it was sent, released or not; its ETag is the material's."""

    def read(db: Db) -> tuple[MaterialView, MaterialShape]:
        shape = material_shape(db, call.by, call.forum, code)
        return material_of(db, forum_id(call.forum), code), shape

    one, shape = await call.behind.read(read)
    file, session = one.file(language), shape.session or ""
    name = file_name(call.forum.slug, "" if session == OF_FORUM else session, one, language)
    return call.piecewise(_pieces(call, file), kind=media_type(file), name=name, size=file.size, of=shape)


@router.put("/materials/{code}/files/{language}", response_model=MaterialShape, openapi_extra=FILE)
async def put_material_file(
    call: Matching,
    code: Code,
    language: Language,
    name: Annotated[str, Query(max_length=255, description="What the file is called; read by people alone.")] = "",
) -> Response:
    """Put a file in the place of the material's text in this language. Takes `edit_programme`."""
    most = call.behind.settings.material_limit_bytes
    async with call.file(EDIT, lambda db, forum: material_shape(db, call.by, forum, code)) as body:
        if len(body) > most:
            raise Refused("upload_too_large", most=most >> 20)
        file = await run_in_threadpool(_looked_at, name or f"{code}-{language}", body)
        deed, present = _text(call, code, language, file)
        return await call.write(deed, present=present)


@router.delete("/materials/{code}/files/{language}", status_code=204)
async def remove_material_file(call: Matching, code: Code, language: Language) -> Response:
    """Take a file away, for good; a material's last text stays. The If-Match is the material's ETag."""
    deed, present = _text(call, code, language, None)
    return await call.remove(deed, present=present)


def _text(call: Call, code: str, language: str, file: Document | None) -> tuple[Any, Any]:
    """The deed that puts a text in its place, or takes it away, and what is there before it."""

    def present(db: Db, forum: Forum) -> MaterialShape:
        return material_shape(db, call.by, forum, code)

    def deed(db: Db, forum: Forum, now: datetime) -> MaterialShape:
        with _as_a_whole():
            sharing.put_text(db, call.by, forum, code, language, file, now=now)
        return present(db, forum)

    return deed, present


def _looked_at(name: str, body: bytes) -> Document:
    with _as_a_whole():
        return document("", name, body)


@contextmanager
def _as_a_whole() -> Iterator[None]:
    """What is wrong with a file that is the whole body stands at no field of it."""
    try:
        yield
    except Invalid as invalid:
        raise Refused(invalid.faults[0].code) from None


async def _pieces(call: Call, file: FileView) -> AsyncIterator[bytes]:
    """The bytes of a file, one piece in memory at a time."""
    for number in range(-(-file.size // PIECE)):
        yield await call.behind.read(lambda db, number=number: piece_of(db, file, number))  # type: ignore[misc]


def material_shape(db: Db, by: Actor, forum: Forum, code: str) -> MaterialShape:
    """A material that was not removed. Raises NotFound. Five queries."""
    return _Shown.of(db, by, forum).shape(_standing(db, forum_id(forum), code), clock.now())


def _standing(db: Db, own: int, code: str) -> MaterialView:
    found = material_of(db, own, code)
    if found.removed_at is not None:
        raise NotFound
    return found


def _is_gone(one: MaterialView, now: datetime) -> bool:
    return one.removed_at is not None and one.removed_at + KEPT <= now


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a material is shown with: the sessions by uid as they are drafted and as they are published."""

    drafts: Mapping[str, PublishedSession]
    public: Mapping[str, PublishedSession]

    @classmethod
    def of(cls, db: Db, by: Actor, forum: Forum) -> "_Shown":
        """For those who edit the programme: what is not released is nobody else's. Three queries."""
        own = forum_id(forum)
        by.must(EDIT, own)
        drafts, public = working_copy(db, own), published(db, own).sessions
        return cls({one.uid: one for one in drafts}, {one.uid: one for one in public})

    def shape(self, one: MaterialView, now: datetime) -> MaterialShape:
        """The material as it is told."""
        uid = one.session_uid or ""
        draft, public = self.drafts.get(uid), self.public.get(uid)
        told = {name: getattr(one, name) for name in MaterialShape.model_fields if hasattr(one, name)}
        told |= {
            "session": OF_FORUM if one.session_uid is None else draft.code if draft else None,
            "kind": one.kind.value,
            "release": one.release.value,
            "stage": stage(one, public, PUBLIC, now=now).value,
            "opens_at": opens_at(one, public or draft),
            "files": [FileShape.model_validate(file, from_attributes=True) for file in one.files],
        }
        return MaterialShape(**told)
