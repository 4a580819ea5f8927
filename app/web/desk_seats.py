"""The forum's numbers at the desk: capacity, guarantees, limits, times; and trying others before they are saved."""

from collections.abc import Mapping
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
from app.registration.simulating import Simulation, numbers_of, simulate
from app.web import deps
from app.web.deps import DESK_FORM, Desk
from app.web.desk_numbers_form import TIMES, fields_of, read_numbers
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
        return _again(request, desk, house, sent, refused)
    return deps.back(f"{desk.base}/seats?done={DONE[not changed]}")


@router.post("/desk/{forum}/seats/trial")
async def trial(request: Request, forum: str) -> Response:
    """What the typed numbers would do; nothing is written."""
    sent, now = await read_form(request, fields=MOST_FIELDS), clock.now()
    desk, house = await _numbers(request, forum)
    try:
        read_form_token(request, sent, DESK_FORM, desk.login)
        terms, categories = read_numbers(sent, house, desk.forum.timezone)
        found = await site_of(request).read(lambda db: simulate(db, desk.actor, desk.forum, terms, categories, now=now))
    except (Refused, Expired) as refused:
        return _again(request, desk, house, sent, refused)
    form = Form({name: value for name, value in sent.items() if isinstance(value, str)})
    return _page(request, desk, house, form, seen=found, offers=terms.promotion == "offer")


async def _numbers(request: Request, forum: str) -> tuple[Desk, House]:
    return await deps.read_at_desk(request, forum, lambda db, desk: numbers_of(db, desk.actor, desk.forum))


def _edition(sent: FormData) -> int:
    """The edition the form was opened on; 0, which none is, where that is not said."""
    text = sent.get("edition")
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 9 else 0


def _again(request: Request, desk: Desk, house: House, sent: FormData, refused: Answer) -> Response:
    """The form as it was sent and what is wrong; where others saved meanwhile, what stands now beside each field."""
    present = fields_of(house, desk.forum.timezone) if isinstance(refused, Conflict) else None
    form = refilled(desk.lang, sent, _at_its_field(refused))
    return _page(request, desk, house, form, present=present, is_over=refused.code == "over", status=refused.status)


def _at_its_field(refused: Answer) -> Answer:
    """A contradiction that names a category stands at its guarantee."""
    if refused.code in {"guarantee_above_limit", "category_in_use"}:
        code, values = refused.values["category"], refused.values
        return Invalid([Fault(f"{code}-guarantee", refused.code, values)])
    return refused


def _page(
    request: Request,
    desk: Desk,
    house: House,
    form: Form,
    *,
    present: Mapping[str, str] | None = None,
    is_over: bool = False,
    seen: Simulation | None = None,
    offers: bool = False,
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
        "is_over": is_over or form.kept.get("over_is_meant") == "yes",
        "done": done if done in DONE and status == 200 and seen is None else "",
        "guaranteed": sum(row.guarantee for row in house.categories.values() if row.in_hall),
        "taken": sum(house.taken_in(house.halls[0]).values()),
        "seen": seen,
        "offers": offers,
        "names": {code: row.name.of(desk.lang) for code, row in house.categories.items()},
        "listed_name": listed_name,
    }
    return deps.show_at_desk(request, desk, "desk/seats.html", status=status, **values)
