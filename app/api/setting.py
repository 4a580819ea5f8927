"""The settings of the forum, part by part, and what was changed of them, which may be taken back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from app.accounts.actor import Actor
from app.api.calling import Call, Door, Matching, Reading, Writing
from app.api.inputs import sent
from app.api.invitations import AfterNumber
from app.api.registrations import Limit
from app.api.seats import Number
from app.api.shapes.general import Changed, Page
from app.api.shapes.setting import SettingChangeLine, SettingChangeShape, SettingShape
from app.forum.models import Forum, SettingEdit
from app.forum.setting import last_edits, mark_of
from app.forum.setting_inputs import ContactPart, DatesPart, PlacePart, StandingPart, TopicsPart, WordsPart
from app.kit.db import Db
from app.kit.inputs import Input
from app.registration.changing_settings import (
    change_of,
    change_part,
    changes_of,
    part_of,
    take_back_change,
)
from app.registration.naming_groups import GROUPS, GroupsPart

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["forum"])
NOTHING = {"en": "", "km": ""}
TITLE = {"en": "A forum", "km": "វេទិកា"}
TRACK: dict[str, Any] = {
    "code": "A",
    "slug": "security",
    "title": {"en": "Security", "km": "សន្តិសុខ"},
    "short_title": {"en": "Security", "km": "សន្តិសុខ"},
    "colour": "river",
    "themes": [],
}


@router.get("/settings/words", response_model=SettingShape[WordsPart])
async def get_words(call: Reading) -> Response:
    """What the forum says of itself. Takes `edit_forum`, as all settings do."""
    return await _get(call, "words")


@router.put("/settings/words", response_model=SettingShape[WordsPart])
async def put_words(
    call: Matching,
    words: Annotated[
        WordsPart,
        sent(
            format_label=TITLE,
            title=TITLE,
            short_title=TITLE,
            summary=TITLE,
            central_question=TITLE,
            about=TITLE,
            participants=TITLE,
        ),
    ],
) -> Response:
    """Bring the forum's words to what is sent, whole."""
    return await _put(call, "words", words)


@router.get("/settings/dates", response_model=SettingShape[DatesPart])
async def get_dates(call: Reading) -> Response:
    """When it is held, and in which languages."""
    return await _get(call, "dates")


@router.put("/settings/dates", response_model=SettingShape[DatesPart])
async def put_dates(
    call: Matching,
    dates: Annotated[
        DatesPart,
        sent(starts_on="2027-03-23", ends_on="2027-03-24", timezone="Asia/Phnom_Penh", languages=["km", "en"]),
    ],
) -> Response:
    """Bring days and languages to what is sent; both days null for "to be announced". Sessions stay where they are."""
    return await _put(call, "dates", dates)


@router.get("/settings/place", response_model=SettingShape[PlacePart])
async def get_place(call: Reading) -> Response:
    """Where it is held."""
    return await _get(call, "place")


@router.put("/settings/place", response_model=SettingShape[PlacePart])
async def put_place(
    call: Matching,
    place: Annotated[
        PlacePart,
        sent(
            venue_name={"en": "A hotel", "km": "សណ្ឋាគារ"},
            venue_address={"en": "Phnom Penh", "km": "ភ្នំពេញ"},
            venue_note=NOTHING,
            latitude=11.5564,
            longitude=104.9282,
        ),
    ],
) -> Response:
    """Bring the place to what is sent."""
    return await _put(call, "place", place)


@router.get("/settings/contact", response_model=SettingShape[ContactPart])
async def get_contact(call: Reading) -> Response:
    """Whom people ask."""
    return await _get(call, "contact")


@router.put("/settings/contact", response_model=SettingShape[ContactPart])
async def put_contact(
    call: Matching,
    contact: Annotated[
        ContactPart,
        sent(
            contact_name="",
            contact_role=NOTHING,
            contact_phones=[],
            office_name={"en": "The secretariat", "km": "លេខាធិការដ្ឋាន"},
            office_email="office@forum.example",
            office_phone="",
            office_note=NOTHING,
        ),
    ],
) -> Response:
    """Bring the contacts to what is sent; those who stood there before are kept in one change and no longer."""
    return await _put(call, "contact", contact)


@router.get("/settings/topics", response_model=SettingShape[TopicsPart])
async def get_topics(call: Reading) -> Response:
    """Objectives, and the main topics with their themes."""
    return await _get(call, "topics")


@router.put("/settings/topics", response_model=SettingShape[TopicsPart])
async def put_topics(
    call: Matching,
    topics: Annotated[TopicsPart, sent(objectives=[{"number": 1, "text": TITLE}], tracks=[TRACK])],
) -> Response:
    """Bring objectives and topics to what is sent, whole; one that sessions name stays."""
    return await _put(call, "topics", topics)


@router.get("/settings/groups", response_model=SettingShape[GroupsPart])
async def get_groups(call: Reading) -> Response:
    """What is said of each group of participants; its numbers are at `/numbers`."""
    return await _get(call, GROUPS)


@router.put("/settings/groups", response_model=SettingShape[GroupsPart])
async def put_groups(
    call: Matching,
    groups: Annotated[
        GroupsPart,
        sent(
            groups=[
                {
                    "code": "STU",
                    "letter": "S",
                    "band": "green",
                    "name": {"en": "Students", "km": "និស្សិត"},
                    "description": {"en": "Students of any university", "km": "និស្សិតនៃសាកលវិទ្យាល័យ"},
                }
            ]
        ),
    ],
) -> Response:
    """Bring the groups' words to what is sent: just the groups there are, in their order."""
    return await _put(call, GROUPS, groups)


@router.get("/settings/standing", response_model=SettingShape[StandingPart])
async def get_standing(call: Reading) -> Response:
    """Whether everybody may see the forum, and whether the site's first page leads to it."""
    return await _get(call, "standing")


@router.put("/settings/standing", response_model=SettingShape[StandingPart])
async def put_standing(
    call: Matching, standing: Annotated[StandingPart, sent(public=True, featured=False)]
) -> Response:
    """Let everybody see the forum, or only its desk. Only owners of the site choose the first page."""
    return await _put(call, "standing", standing)


@router.get("/setting-changes", response_model=Page[SettingChangeLine])
async def list_setting_changes(call: Reading, after: AfterNumber = None, limit: Limit = 50) -> Response:
    """What was changed of the settings, the newest first."""

    def read(db: Db) -> tuple[list[Any], str]:
        rows = changes_of(db, call.by, call.forum, most=limit + 1, before=after)
        last = last_edits(db, call.forum)
        lines = [_line(row, last) for row in rows[:limit]]
        return lines, str(lines[-1].id) if len(rows) > limit else ""

    return await call.page(SettingChangeLine, read, limit=limit)


@router.get("/setting-changes/{number}", response_model=SettingChangeShape)
async def get_setting_change(call: Reading, number: Number) -> Response:
    """One change of the settings, with what stood before and after."""

    def read(db: Db) -> SettingChangeShape:
        found = change_of(db, call.by, call.forum, number)
        line = _line(found, last_edits(db, call.forum))
        return SettingChangeShape(change=line, before=found.before, after=found.after)

    return await call.one(read)


@router.post("/setting-changes/{number}/undo", response_model=Changed)
async def undo_setting_change(call: Writing, number: Number) -> Response:
    """Bring a part back to what stood before a change, if nobody changed it since."""

    def deed(db: Db, forum: Forum, now: datetime) -> Changed:
        return Changed(changed=take_back_change(db, call.by, forum, number, now=now))

    return await call.write(deed)


async def _get(call: Call, part: str) -> Response:
    return await call.one(lambda db: setting_shape(db, call.by, call.forum, part))


async def _put(call: Call, part: str, sent: Input) -> Response:
    def deed(db: Db, forum: Forum, now: datetime) -> SettingShape[Any]:
        # what the caller has seen was held against the present before
        mark = mark_of(part_of(db, call.by, forum, part))
        change_part(db, call.by, forum, part, sent, mark=mark, now=now)
        return setting_shape(db, call.by, forum, part)

    return await call.write(deed, present=lambda db, forum: setting_shape(db, call.by, forum, part))


def setting_shape(db: Db, by: Actor, forum: Forum, part: str) -> SettingShape[Any]:
    """A part as it stands. What was loaded from a file may lack what a form asks for, so it is not read as its input.
    Raises as `part_of`."""
    return SettingShape[Any](part=part, setting=part_of(db, by, forum, part))


def _line(edit: SettingEdit, last: Sequence[int]) -> SettingChangeLine:
    names = sorted(name for name in {*edit.before, *edit.after} if edit.before.get(name) != edit.after.get(name))
    return SettingChangeLine(
        id=edit.id or 0, part=edit.part, at=edit.at, by_name=edit.by_name, changed=names, last=edit.id in last
    )
