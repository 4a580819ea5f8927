"""The report on coverage, and whose voices the speakers are."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.api.calling import Door, Matching, Reading
from app.api.inputs import sent
from app.api.shapes.coverage import CoverageShape, CoveredShape, PartsShape, VoiceShape, VoicesShape
from app.forum.inputs import Slug
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.inputs import Input
from app.programme.covering import Covered, coverage_of
from app.programme.describing import describe, described, mark_of
from app.programme.inputs import SpeakerKind
from app.programme.rules.coverage import Part

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["programme"])


class VoicesInput(Input):
    """Whose voice each speaker is, whole: of whoever is left out it is not known."""

    voices: Annotated[dict[Slug, SpeakerKind | None], Field(max_length=2000)]


@router.get("/coverage", response_model=CoverageShape)
async def get_coverage(call: Reading) -> Response:
    """What the working copy covers and whose voices it hears, closed sessions too: this is for those at the desk."""
    return await call.one(lambda db: coverage_shape(db, call.by, call.forum))


@router.get("/voices", response_model=VoicesShape)
async def get_voices(call: Reading) -> Response:
    """Whose voice each speaker is; nothing of it is published. Takes `edit_programme`."""
    return await call.one(lambda db: voices_shape(db, call.by, call.forum))


@router.put("/voices", response_model=VoicesShape)
async def put_voices(
    call: Matching, said: Annotated[VoicesInput, sent(voices={"forum-chair": "academia"})]
) -> Response:
    """Say whose voice each speaker is, whole. Takes `edit_programme`."""

    def deed(db: Db, forum: Forum, now: datetime) -> VoicesShape:
        there = described(db, forum_id(forum))
        kinds = {**dict.fromkeys((one.code for one in there), None), **said.voices}
        describe(db, call.by, forum, kinds, mark=mark_of(there), now=now)
        return voices_shape(db, call.by, forum)

    return await call.write(deed, present=lambda db, forum: voices_shape(db, call.by, forum))


def coverage_shape(db: Db, by: Actor, forum: Forum) -> CoverageShape:
    """The report, for those at the desk."""
    by.must(Permission.SEE_DESK, forum_id(forum))
    found = coverage_of(db, forum)
    return CoverageShape(
        objectives=_covered(found.objectives),
        tracks=_covered(found.tracks),
        themes=_covered(found.themes),
        facets=_covered(found.facets),
        alike=_covered(found.alike),
        groups=_parts(found.groups),
        countries=_parts(found.countries),
    )


def voices_shape(db: Db, by: Actor, forum: Forum) -> VoicesShape:
    """Whose voices they are, for those who edit the programme. One query."""
    by.must(Permission.EDIT_PROGRAMME, forum_id(forum))
    return VoicesShape.model_validate({"voices": {one.code: one.voice.kind for one in described(db, forum_id(forum))}})


def _covered(found: Covered) -> list[CoveredShape]:
    return [CoveredShape(key=key, sessions=list(codes)) for key, codes in found.items()]


def _parts(found: Mapping[tuple[str, str], Sequence[Part]]) -> list[PartsShape]:
    return [
        PartsShape(role=role, of=of, parts=[VoiceShape(session=session, speaker=who) for session, who in parts])
        for (role, of), parts in found.items()
    ]
