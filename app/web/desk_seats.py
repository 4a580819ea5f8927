"""The forum's numbers at the desk: capacity, guarantees, limits, times; and trying others before they are saved."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.forum.models import Forum
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Conflict, Expired, Fault, Invalid, Refused
from app.registration.arranging import put_terms
from app.registration.people import listed_name
from app.registration.quotas import House
from app.registration.simulating import Simulated, Simulation, numbers_of, simulate
from app.web import deps
from app.web.deps import DESK_FORM, Desk
from app.web.desk_numbers_form import TIMES, Change, changes_of, fields_of, read_numbers
from app.web.forms import Form, read_form, refilled
from app.web.pages import read_form_token
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
MOST_FIELDS = 1000
DONE = ("saved", "as_before")


@router.get("/desk/{forum}/seats")
async def numbers(request: Request, forum: str) -> Response:
    """The numbers, ready to be changed."""
    desk, house = await _numbers(request, forum)
    return _page(request, desk, house, Form(fields_of(house, desk.forum.timezone)))


@router.post("/desk/{forum}/seats")
async def save(request: Request, forum: str) -> Response:
    """Save the numbers; what that opens goes to those who wait."""
    sent, now = await read_form(request, fields=MOST_FIELDS), clock.now()
    desk, house = await _numbers(request, forum)
    try:
        terms, categories = read_numbers(sent, house, desk.forum.timezone)
        meant, edition = sent.get("over_is_meant") == "yes", _edition(sent)

        def deed(db: Db, found: Forum) -> bool:
            return put_terms(db, desk.actor, found, terms, categories, now=now, over_is_meant=meant, edition=edition)

        changed = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        desk, house = await _numbers(request, forum)
        tried = await _tried(request, desk, house, sent, now=now) if refused.code == "over" else None
        return _again(request, desk, house, sent, refused, tried)
    return deps.back(f"{desk.base}/seats?done={DONE[not changed]}")


@router.post("/desk/{forum}/seats/trial")
async def trial(request: Request, forum: str) -> Response:
    """What the typed numbers would do; nothing is written."""
    sent, now = await read_form(request, fields=MOST_FIELDS), clock.now()
    desk, house = await _numbers(request, forum)
    try:
        read_form_token(request, sent, DESK_FORM, desk.login)
        tried = await _tried(request, desk, house, sent, now=now)
    except (Refused, Expired) as refused:
        return _again(request, desk, house, sent, refused)
    return _page(request, desk, house, Form(_texts(sent)), tried=tried)


@dataclass(frozen=True, slots=True)
class Tried:
    """Numbers that were tried: which differ from those that stand, what they would do by category (which of them are
    `inside` the hall) and in the whole hall, what would stand over, whether freed seats are offered, and the fields
    that save exactly these."""

    changes: list[Change]
    seen: Simulation
    inside: frozenset[str]
    whole: Simulated
    over: tuple[Fault, ...]
    offers: bool
    fields: Mapping[str, str]


async def _tried(request: Request, desk: Desk, house: House, sent: FormData, *, now: datetime) -> Tried:
    """What the sent numbers would do. Raises Invalid and Refused as saving them would."""
    zone = desk.forum.timezone
    terms, categories = read_numbers(sent, house, zone)
    seen = await site_of(request).read(lambda db: simulate(db, desk.actor, desk.forum, terms, categories, now=now))
    inside = frozenset(category.code for category in categories if category.in_hall)
    rows = [row for row in seen.categories if row.code in inside]
    sums = {name: sum(getattr(row, name) for row in rows) for name in ("taken", "given", "waiting", "sitting", "anew")}
    whole = Simulated(code="", over_limit=seen.over.taken, **sums)
    over = seen.over_parts({row.code: row.name for row in categories})
    fields = {name: value for name, value in _texts(sent).items() if name not in {"form", "over_is_meant"}}
    return Tried(changes_of(house, fields, zone), seen, inside, whole, over, terms.promotion == "offer", fields)


def _texts(sent: FormData) -> dict[str, str]:
    return {name: value for name, value in sent.items() if isinstance(value, str)}


async def _numbers(request: Request, forum: str) -> tuple[Desk, House]:
    return await deps.read_at_desk(request, forum, lambda db, desk: numbers_of(db, desk.actor, desk.forum))


def _edition(sent: FormData) -> int:
    """The edition the form was opened on; 0, which none is, where that is not said."""
    text = sent.get("edition")
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 9 else 0


def _again(
    request: Request, desk: Desk, house: House, sent: FormData, refused: Answer, tried: Tried | None = None
) -> Response:
    """The form as it was sent and what is wrong; where others saved meanwhile, what stands now beside each field."""
    present = fields_of(house, desk.forum.timezone) if isinstance(refused, Conflict) else None
    form = refilled(desk.lang, sent, _at_its_field(refused, house))
    return _page(request, desk, house, form, present=present, tried=tried, status=refused.status)


def _at_its_field(refused: Answer, house: House) -> Answer:
    """A contradiction that names a category stands at its guarantee, what is over a limit at that limit."""
    if refused.code in {"guarantee_above_limit", "category_in_use"}:
        code = refused.values["category"]
        return Invalid([Fault(f"{code}-guarantee", refused.code, {**refused.values, "category": _name(house, code)})])
    if refused.code == "over":
        at = {code: f"{code}-limit" for code in house.categories}
        return Invalid([Fault(at.get(part.field, part.field), part.code, part.values) for part in refused.faults])
    return refused


def _name(house: House, code: str) -> Any:
    return house.categories[code].name if code in house.categories else code


def _page(
    request: Request,
    desk: Desk,
    house: House,
    form: Form,
    *,
    present: Mapping[str, str] | None = None,
    tried: Tried | None = None,
    status: int = 200,
) -> Response:
    done = request.query_params.get("done", "")
    values: dict[str, Any] = {
        "house": house,
        "inside": [row for row in house.categories.values() if row.in_hall],
        "outside": [row for row in house.categories.values() if not row.in_hall],
        "times": TIMES,
        "form": form,
        "edition": house.terms.edition if present is not None else form.kept.get("edition", house.terms.edition),
        "present": {name: value for name, value in (present or {}).items() if form.kept.get(name, "") != value},
        "done": done if done in DONE and status == 200 and tried is None else "",
        "guaranteed": sum(row.guarantee for row in house.categories.values() if row.in_hall),
        "taken": sum(house.taken_in(house.halls[0]).values()),
        "tried": tried,
        "names": {code: row.name.of(desk.lang) for code, row in house.categories.items()},
        "listed_name": listed_name,
    }
    return deps.show_at_desk(request, desk, "desk/seats.html", status=status, **values)
