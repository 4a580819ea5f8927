"""The forum itself, its figures and numbers, and the seats kept back."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import Response

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.api.calling import Door, Matching, Reading, Writing
from app.api.inputs import NumbersInput, sent
from app.api.shapes.forum import (
    CategoryShape,
    FiguresShape,
    ForumShape,
    NumbersShape,
    OverShape,
    SimulatedShape,
    TokenShape,
    TrackShape,
    TrialShape,
)
from app.api.shapes.general import WHEN, Changed, Counted, Numbered, Page
from app.api.shapes.inviting import HoldBackShape
from app.forum.models import Forum
from app.forum.queries import forum_id, tracks_of
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Fault
from app.kit.inputs import Input, Instant
from app.programme.queries import published
from app.registration import holding
from app.registration.arranging import put_terms
from app.registration.desk_queries import SeatTally, overview
from app.registration.inputs import CategoryInput, HoldBackInput, TermsInput
from app.registration.quotas import house_of, is_unlimited
from app.registration.simulating import numbers_of, simulate

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["forum"])
Number = Annotated[int, Path(ge=1, le=2**31 - 1, examples=[4])]
NUMBERS: dict[str, Any] = {
    "terms": {"capacity": 300, "target": 250, "confirm_hours": 48, "promotion": "offer", "offer_hours": 48},
    "categories": [
        {
            "code": "STU",
            "letter": "S",
            "band": "green",
            "name": {"en": "Students", "km": "និស្សិត"},
            "description": {"en": "Students of any university", "km": "និស្សិតនៃសាកលវិទ្យាល័យ"},
            "mode": "open",
            "guarantee": 40,
            "limit": 90,
        }
    ],
}


class ReleaseInput(Input):
    """When a hold-back is released; null leaves the end open."""

    release_at: Instant | None


@router.get("", response_model=ForumShape)
async def get_forum(call: Reading) -> Response:
    """The forum. Takes `see_desk`, as everything here does."""
    return await call.one(lambda db: forum_shape(db, call.by, call.forum))


@router.get("/token", response_model=TokenShape)
async def get_token(call: Reading) -> Response:
    """What the token that was sent may do at this moment."""
    own = forum_id(call.forum)
    mine = [permission.value for permission in Permission if call.by.may(permission, own)]
    shown = TokenShape(id=call.bearer.token, user=call.by.name, forum=call.forum.slug, permissions=mine)
    return await call.one(lambda _db: shown)


@router.get("/categories", response_model=FiguresShape)
async def get_categories(call: Reading) -> Response:
    """Every category's seats against its numbers, counted at this moment."""
    return await call.one(lambda db: figures(db, call.by, call.forum, now=clock.now()))


@router.get("/numbers", response_model=NumbersShape)
async def get_numbers(call: Reading) -> Response:
    """Capacity, guarantees, limits and times. Takes `edit_forum`."""
    return await call.one(lambda db: numbers_shape(db, call.by, call.forum))


@router.put("/numbers", response_model=NumbersShape)
async def put_numbers(call: Matching, numbers: Annotated[NumbersInput, sent(**NUMBERS)]) -> Response:
    """Bring the numbers to what is sent, whole; what that opens goes to those who wait. Takes `edit_forum`."""

    def deed(db: Db, forum: Forum, now: datetime) -> NumbersShape:
        meant = numbers.over_is_meant
        put_terms(db, call.by, forum, numbers.terms, numbers.categories, now=now, over_is_meant=meant)
        return numbers_shape(db, call.by, forum)

    return await call.write(deed, present=lambda db, forum: numbers_shape(db, call.by, forum))


@router.post("/numbers/trial", response_model=TrialShape)
async def try_numbers(call: Reading, numbers: Annotated[NumbersInput, sent(**NUMBERS)]) -> Response:
    """What these numbers would do; nothing is written, so it takes no key. Refused where they contradict each other,
    as saving them would be. Takes `edit_forum`."""
    now = clock.now()
    return await call.foreseen(lambda db: trial_shape(db, call.by, call.forum, numbers, now=now), long=True)


@router.get("/hold-backs", response_model=Page[HoldBackShape])
async def list_hold_backs(call: Reading) -> Response:
    """The seats that are kept back, those not released first; the list is whole. Takes `see_people`."""
    return await call.page(HoldBackShape, lambda db: (hold_backs(db, call.by, call.forum), ""))


@router.post("/hold-backs", response_model=Numbered, status_code=201)
async def keep_back(
    call: Writing,
    kept: Annotated[
        HoldBackInput, sent(category="GOV", seats=6, purpose="Late dignitaries", release_at="2027-03-20T03:00:00Z")
    ],
) -> Response:
    """Keep seats back; with a reason beyond the rule too, which takes `seat_over_limits`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Numbered:
        return Numbered(id=holding.keep_back(db, call.by, forum, kept, now=now))

    return await call.write(deed, status=201)


@router.post("/hold-backs/{number}/date", response_model=Changed)
async def change_release(call: Writing, number: Number, to: Annotated[ReleaseInput, sent(release_at=WHEN)]) -> Response:
    """Move the release, or leave the end open."""

    def deed(db: Db, forum: Forum, now: datetime) -> Changed:
        return Changed(changed=holding.change_release(db, call.by, forum, number, to.release_at, now=now))

    return await call.write(deed)


@router.post("/hold-backs/{number}/release", response_model=Counted)
async def release(call: Writing, number: Number) -> Response:
    """Give the remaining seats up now; they go to those who wait."""

    def deed(db: Db, forum: Forum, now: datetime) -> Counted:
        return Counted(number=holding.release(db, call.by, forum, number, now=now))

    return await call.write(deed)


def forum_shape(db: Db, by: Actor, forum: Forum) -> ForumShape:
    """A forum's words and dates. Three queries."""
    own = forum_id(forum)
    by.must(Permission.SEE_DESK, own)
    words = {name: getattr(forum, name) for name in ForumShape.model_fields if hasattr(forum, name)}
    tracks = [TrackShape.model_validate(track) for track in tracks_of(db, own)]
    return ForumShape(**words, public_version=published(db, own).public_number, tracks=tracks)


def figures(db: Db, by: Actor, forum: Forum, *, now: datetime) -> FiguresShape:
    """The hall and its categories. Three queries."""
    seen = overview(db, by, forum, now=now)
    return FiguresShape(capacity=seen.capacity, target=seen.target, categories=[_category(row) for row in seen.seats])


def _category(row: SeatTally) -> CategoryShape:
    names = ("in_hall", "guarantee", "limit", "lapsed", "taken", "confirmed", "unconfirmed", "held")
    words = {name: getattr(row.tally, name) for name in ("code", "letter", "name", "by_standing")}
    left = None if is_unlimited(row.left) else row.left
    return CategoryShape(**words, **{name: getattr(row, name) for name in names}, left=left)


def numbers_shape(db: Db, by: Actor, forum: Forum) -> NumbersShape:
    """The numbers as they would be sent. Two queries."""
    house = numbers_of(db, by, forum)
    terms = TermsInput(**{name: getattr(house.terms, name) for name in TermsInput.model_fields})
    categories = [
        CategoryInput(**{name: getattr(row, name) for name in CategoryInput.model_fields})
        for row in house.categories.values()
    ]
    return NumbersShape(terms=terms, categories=categories)


def trial_shape(db: Db, by: Actor, forum: Forum, numbers: NumbersInput, *, now: datetime) -> TrialShape:
    """What other numbers would do. Five queries."""
    seen = simulate(db, by, forum, numbers.terms, numbers.categories, now=now)
    over = seen.over_parts({row.code: row.name for row in numbers.categories})
    told = by.may(Permission.SEE_PEOPLE, forum_id(forum))
    who = ("given", "waiting", "gaining", "losing")
    return TrialShape(
        categories=[SimulatedShape.model_validate(row, from_attributes=True) for row in seen.categories],
        over=[_over(part) for part in over],
        **{name: [seen.people[one].code for one in getattr(seen, name)] if told else None for name in who},
    )


def _over(part: Fault) -> OverShape:
    return OverShape(code=part.code, category=part.field if "category" in part.values else None, seats=part.values["n"])


def hold_backs(db: Db, by: Actor, forum: Forum) -> list[dict[str, Any]]:
    """The hold-backs with their categories' codes. Three queries, whatever their number."""
    rows = holding.hold_backs(db, by, forum)
    codes = {row.id: code for code, row in house_of(db, forum_id(forum)).categories.items()}
    return [{**row._mapping, "category": codes[row.category_id]} for row in rows]  # noqa: SLF001 - its public name
