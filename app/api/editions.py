"""What an owner alone may: open the next edition from this one, and take the whole forum as an archive."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.background import BackgroundTask
from starlette.responses import Response, StreamingResponse

from app.accounts.rules import Permission
from app.api.calling import Door, Reading, Writing
from app.api.giving import ZIP, gives
from app.api.headers import JSON
from app.api.inputs import sent
from app.api.problems import KEPT_BY_NOBODY
from app.api.shapes.general import Changed, Coded
from app.api.shapes.setting import CopyableShape, OpenedShape
from app.audit.recording import head_of
from app.editions.archiving import archive_file, note_archived, pieces_of, size_of
from app.editions.opening import EditionInput, bring_programme, counts_of, open_edition
from app.forum.models import Forum
from app.forum.queries import forum_by_slug, forum_id
from app.kit.db import Db
from app.kit.errors import Refused

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["forum"])
EDITION: dict[str, Any] = {
    "slug": "phnom-penh-2028",
    "title": {"en": "The next forum", "km": "វេទិកាលើកក្រោយ"},
    "short_title": {"en": "Forum 2028", "km": "វេទិកា ២០២៨"},
    "starts_on": "2028-03-21",
    "ends_on": "2028-03-22",
    "takes": ["place", "topics", "numbers", "questions"],
}


@router.get("/editions/new", response_model=CopyableShape)
async def look_at_new_edition(call: Reading) -> Response:
    """How much a new edition may take along. Takes `manage_access`."""

    def read(db: Db) -> BaseModel:
        return CopyableShape(takes={str(name): n for name, n in counts_of(db, call.by, call.forum).items()})

    return await call.one(read)


@router.post("/editions", response_model=OpenedShape, status_code=201)
async def open_next_edition(call: Writing, edition: Annotated[EditionInput, sent(**EDITION)]) -> Response:
    """Open a new edition, of which the token's user is the owner; what of this one comes along is chosen, and never
    anything of participants. Takes `manage_access` and, where something comes along, what changing it takes."""
    source, own = call.forum.slug, forum_id(call.forum)
    # asked before a scope is opened for a forum of that name, and for both pieces before the first
    call.by.must(Permission.MANAGE_ACCESS, own)
    if "programme" in edition.takes:
        call.by.must(Permission.EDIT_PROGRAMME, own)

    def opens(db: Db, forum: Forum, now: datetime) -> Coded:
        open_edition(db, call.by, forum, edition, now=now)
        return Coded(code=edition.slug)

    def brings(db: Db, _forum: Forum, now: datetime) -> Changed:
        bring_programme(db, call.by, forum_by_slug(db, edition.slug), source, edition, now=now)
        return Changed(changed=True)

    await call.piece(opens, scope=edition.slug)
    brought = None
    if "programme" in edition.takes:
        try:
            await call.piece(brings, name="programme", scope=edition.slug)
            brought = True
        except Refused:
            brought = False
    shown = OpenedShape(slug=edition.slug, programme=brought)
    return Response(shown.model_dump_json(), 201, KEPT_BY_NOBODY, media_type=JSON)


@router.post("/archive", **gives(ZIP))
async def take_archive(call: Writing) -> Response:
    """The whole forum as an archive, with all that people told it. Takes `manage_access`."""

    def notes(db: Db, forum: Forum, now: datetime) -> dict[str, str]:
        note_archived(db, call.by, forum, now=now)
        return {"at": now.isoformat()}

    slug = call.forum.slug
    told = await call.note(notes, lambda db: str(head_of(db, slug)))
    at = datetime.fromisoformat(told["at"])

    def written(db: Db) -> Any:
        return archive_file(db, call.by, forum_by_slug(db, slug), call.secret, now=at)

    file = await call.behind.read_long(written)
    headers = {
        **KEPT_BY_NOBODY,
        "content-disposition": f'attachment; filename="{slug}-{at:%Y-%m-%d}.zip"',
        "content-length": str(size_of(file)),
    }
    return StreamingResponse(pieces_of(file), 200, headers, ZIP, BackgroundTask(file.close))
