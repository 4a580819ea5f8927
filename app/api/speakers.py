"""Speakers of the working copy: who there is, their photographs, and asking them."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.api.calling import Call, Door, FileAnswer, Matching, Reading, Writing, file_sent
from app.api.inputs import sent
from app.api.shapes.general import Coded, Page
from app.api.shapes.programme import SpeakerShape
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.errors import NotFound, Refused
from app.kit.pictures import made_anew
from app.programme import asking, casting, speaking
from app.programme.asking_queries import speaker_of, speakers_of
from app.programme.inputs import TypedSpeaker
from app.programme.portraits import PHOTO_BYTES, Photograph, portrait_of
from app.registration.inputs import SureInput

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["programme"])
Slug = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$", examples=["ballroom"])]
PHOTO = file_sent(
    f"The photograph itself: JPEG, PNG or WebP, at most {PHOTO_BYTES >> 20} MB. The If-Match is the speaker's ETag.",
    *("image/jpeg", "image/png", "image/webp", "application/octet-stream"),
)
SPEAKER = {"function_en": "Minister of Examples", "function_km": "រដ្ឋមន្ត្រី", "country": "KH", "guest": True}


@router.get("/speakers", response_model=Page[SpeakerShape])
async def list_speakers(call: Reading) -> Response:
    """Every speaker in order, whether announced or not; the list is whole."""

    def read(db: Db) -> tuple[list[Any], str]:
        call.by.must(Permission.SEE_DESK, forum_id(call.forum))
        edits = call.by.may(Permission.EDIT_PROGRAMME, forum_id(call.forum))
        return [_speaker(row, edits) for row in speakers_of(db, forum_id(call.forum))], ""

    return await call.page(SpeakerShape, read)


@router.get("/speakers/{code}", response_model=SpeakerShape)
async def get_speaker(call: Reading, code: Slug) -> Response:
    """One speaker."""
    return await call.one(lambda db: speaker_shape(db, call.by, call.forum, code))


@router.post("/speakers", response_model=Coded, status_code=201)
async def add_speaker(call: Writing, speaker: Annotated[TypedSpeaker, sent(**SPEAKER)]) -> Response:
    """One more speaker. Takes `edit_programme`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Coded:
        return Coded(code=casting.add_speaker(db, call.by, forum, speaker, now=now))

    return await call.write(deed, status=201, made="code")


@router.put("/speakers/{code}", response_model=SpeakerShape)
async def change_speaker(call: Matching, code: Slug, speaker: Annotated[TypedSpeaker, sent(**SPEAKER)]) -> Response:
    """Bring a speaker to what is sent; the code stays. Takes `edit_programme`."""

    def deed(db: Db, forum: Forum, now: datetime) -> SpeakerShape:
        edition = speaker_of(db, forum_id(forum), code).edition
        casting.change_speaker(db, call.by, forum, code, speaker, edition=edition, now=now)
        return speaker_shape(db, call.by, forum, code)

    return await call.write(deed, present=lambda db, forum: speaker_shape(db, call.by, forum, code))


@router.delete("/speakers/{code}", status_code=204)
async def remove_speaker(call: Matching, code: Slug) -> Response:
    """A speaker goes who stands in no session."""
    return await call.remove(
        lambda db, forum, now: casting.remove_speaker(db, call.by, forum, code, now=now),
        present=lambda db, forum: speaker_shape(db, call.by, forum, code),
    )


@router.post("/speakers/{code}/asking", response_model=Coded)
async def ask_speaker(call: Writing, code: Slug) -> Response:
    """Ask the speaker to say yes: they are written to, with a link of their own. Takes `edit_programme`."""
    return await _done(call, code, lambda db, forum, now: asking.ask(db, call.by, forum, code, call.secret, now=now))


@router.post("/speakers/{code}/renewal", response_model=Coded)
async def renew_speakers_link(call: Writing, code: Slug) -> Response:
    """End the speaker's link and send a new one."""
    return await _done(call, code, lambda db, forum, now: asking.renew(db, call.by, forum, code, call.secret, now=now))


@router.post("/speakers/{code}/withdrawal", response_model=Coded)
async def withdraw_asking(call: Writing, code: Slug) -> Response:
    """Take the question back."""
    return await _done(call, code, lambda db, forum, now: asking.withdraw(db, call.by, forum, code, now=now))


@router.post("/speakers/{code}/erasure", response_model=Coded)
async def erase_asking(call: Writing, code: Slug, sure: Annotated[SureInput, sent(sure=True)]) -> Response:
    """Erase what is known of the speaker beside the programme, at their own wish."""
    assert sure.sure  # noqa: S101 - the input takes nothing else
    return await _done(call, code, lambda db, forum, now: speaking.erase_speaker(db, call.by, forum, code, now=now))


@router.get(
    "/speakers/{code}/photo",
    response_class=FileAnswer,
    responses={200: {"content": {"image/jpeg": {}}}},
)
async def get_photo(call: Reading, code: Slug) -> Response:
    """The photograph that the next version shows, a JPEG of at most 800 pixels a side. Its ETag is the speaker's."""

    def read(db: Db) -> tuple[Photograph | None, SpeakerShape]:
        shape = speaker_shape(db, call.by, call.forum, code)
        return portrait_of(db, forum_id(call.forum), code, shape.photo), shape

    found, shape = await call.behind.read(read)
    if found is None:
        raise NotFound
    return call.piecewise([found.body], kind="image/jpeg", name=f"{code}.jpg", size=len(found.body), of=shape)


@router.put("/speakers/{code}/photo", response_model=SpeakerShape, openapi_extra=PHOTO)
async def put_photo(call: Matching, code: Slug) -> Response:
    """Keep a photograph for the speaker, made anew without what else was in the file. Takes `edit_programme`."""
    async with (
        call.file(Permission.EDIT_PROGRAMME, lambda db, forum: speaker_shape(db, call.by, forum, code)) as body,
        call.behind.reading_desk,
    ):
        if not body:
            raise Refused("photo_missing")
        picture = await run_in_threadpool(made_anew, body, most_bytes=PHOTO_BYTES)

    def deed(db: Db, forum: Forum, now: datetime) -> SpeakerShape:
        speaking.put_photo(db, call.by, forum, code, picture, now=now)
        return speaker_shape(db, call.by, forum, code)

    return await call.write(deed, present=lambda db, forum: speaker_shape(db, call.by, forum, code))


@router.delete("/speakers/{code}/photo", status_code=204)
async def remove_photo(call: Matching, code: Slug) -> Response:
    """Take the photograph away. The If-Match is the speaker's ETag."""

    def deed(db: Db, forum: Forum, now: datetime) -> None:
        if not speaking.put_photo(db, call.by, forum, code, None, now=now):
            raise NotFound

    return await call.remove(deed, present=lambda db, forum: speaker_shape(db, call.by, forum, code))


async def _done(call: Call, code: str, deed: Any) -> Response:
    def done(db: Db, forum: Forum, now: datetime) -> Coded:
        deed(db, forum, now)
        return Coded(code=code)

    return await call.write(done)


def speaker_shape(db: Db, by: Actor, forum: Forum, code: str) -> SpeakerShape:
    """A speaker as the desk knows them. Raises NotFound. One query."""
    by.must(Permission.SEE_DESK, forum_id(forum))
    edits = by.may(Permission.EDIT_PROGRAMME, forum_id(forum))
    return _speaker(speaker_of(db, forum_id(forum), code), edits)


def _speaker(row: Any, edits: bool) -> SpeakerShape:
    """Where a speaker is reached is told those who edit the programme, as at the desk."""
    told = {
        "email": (row.email or "") if edits else None,
        "language": row.language or "en",
        "reply": row.state or "unasked",
    }
    return SpeakerShape.model_validate({**row._mapping, **told})  # noqa: SLF001 - its public name
