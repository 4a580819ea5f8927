"""The desk's head table: set in the order of precedence, seen as it stands, two seats exchanged, and printed."""

from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.forum.models import Forum
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Conflict, Expired, Refused
from app.kit.i18n import Lang, number, text_of
from app.kit.inputs import parse
from app.registration.head_table import HOST, ExchangeInput, TableInput, TableView, exchange, set_table, table_of
from app.registration.people import listed_name, shown_name
from app.registration.rank_queries import Ranked
from app.registration.rules.head_table import MOST_SEATS, Shape
from app.web import deps
from app.web.deps import Desk
from app.web.forms import Form, read_form, refilled

router = APIRouter(include_in_schema=False)
DONE = frozenset({"set", "exchanged"})
OFFERED = 100
"""So many people may be chosen, the highest first, beside those who sit at the table already."""


@router.get("/desk/{forum}/head-table")
async def head_table(request: Request, forum: str) -> Response:
    """The table as it is set, and the forms to set it and to exchange two seats."""
    return await _page(request, forum)


@router.post("/desk/{forum}/head-table")
async def act(request: Request, forum: str) -> Response:
    """Set the table, or exchange two seats."""
    sent, now = await read_form(request, fields=OFFERED + MOST_SEATS + 20), clock.now()
    desk, _ = await deps.read_at_desk(request, forum, lambda _db, _desk: None)

    def deed(db: Db, found: Forum) -> str:
        by, edition = desk.actor, _edition(sent)
        if sent.get("act") == "exchange":
            read = parse(ExchangeInput, {name: sent.get(name, "") for name in ExchangeInput.model_fields})
            exchange(db, by, found, read, edition, now=now)
            return "exchanged"
        if sent.get("act") != "set":
            raise Refused("not_a_choice")
        wanted = parse(TableInput, {name: sent.get(name, "") for name in TableInput.model_fields})
        guests = [str(code) for code in sent.getlist("guests")]
        set_table(db, by, found, wanted, guests, str(sent.get("host", "")), edition, now=now)
        return "set"

    try:
        done = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        stale = isinstance(refused, Conflict)
        return await _page(request, forum, refilled(desk.lang, sent, refused, ("guests",)), refused.status, stale=stale)
    return deps.back(f"{desk.base}/head-table?done={done}")


def _edition(sent: FormData) -> int:
    """The edition the form was opened on; -1, which none is, where that is not said."""
    text = sent.get("edition")
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 9 else -1


async def _page(
    request: Request, forum: str, form: Form | None = None, status: int = 200, *, stale: bool = False
) -> Response:
    desk, there = await deps.read_at_desk(request, forum, lambda db, desk: table_of(db, desk.actor, desk.forum))
    done = request.query_params.get("done", "")
    seated = {one.row.id for one in there.at.values()}
    offered = [one for place, one in enumerate(there.people) if place < OFFERED or one.row.id in seated]
    plan = there.plan
    values: dict[str, Any] = {
        "there": there,
        "head": [_seat(desk.lang, there, seat) for seat in plan.head],
        "arms": [[_seat(desk.lang, there, seat) for seat in arm] for arm in (plan.left_arm, plan.right_arm)],
        "list": [_seat(desk.lang, there, seat) for seat in range(there.seats + 1)],
        "people": [(one.row.code, _label(desk, one), "") for one in offered],
        "hosts": [(one.row.code, _label(desk, one)) for one in offered],
        "shapes": [(shape.value, text_of(desk.lang, f"head_table.shape.{shape.value}"), "") for shape in Shape],
        "taken": [
            (str(seat), f"{number(seat, desk.lang)} · {_name(desk.lang, there, seat)}")
            for seat in range(1, there.seats + 1)
        ],
        "edits": desk.may(Permission.EDIT_PROTOCOL),
        "form": form or Form(_kept(there)),
        "stale": stale,
        "done": done if form is None and done in DONE else "",
    }
    return deps.show_at_desk(request, desk, "desk/head_table.html", status=status, **values)


def _kept(there: TableView) -> dict[str, Any]:
    """The table as the form's fields; before it was ever set, the highest are ticked."""
    guests = [one.row.code for seat, one in sorted(there.at.items()) if seat != HOST]
    if not there.edition:
        guests = [one.row.code for one in there.people[: there.seats]]
    host = there.at.get(HOST)
    shape, seats = there.shape.value, str(there.seats)
    return {"seats": seats, "shape": shape, "guests": guests, "host": host.row.code if host else ""}


def _seat(lang: Lang, there: TableView, seat: int) -> dict[str, Any]:
    """A seat as the plan shows it. In a private capacity nobody's function stands on it (rules §2)."""
    one = there.at.get(seat)
    said = one.row.position_title if one and one.row.attends_as != "private" else ""
    name = _name(lang, there, seat)
    listed, code = (" ".join([*(one.row.titles or ()), listed_name(one.row)]), one.row.code) if one else (name, "")
    empty = one is None and seat != HOST
    return {"seat": seat, "name": name, "listed": listed, "code": code, "said": said, "empty": empty}


def _name(lang: Lang, there: TableView, seat: int) -> str:
    one = there.at.get(seat)
    if one is not None:
        return shown_name(one.row, lang)
    return text_of(lang, "head_table.host" if seat == HOST else "head_table.free")


def _label(desk: Desk, one: Ranked) -> str:
    rung = one.rung.name.of(desk.lang) if one.rung else text_of(desk.lang, "precedence.no_rung")
    return f"{listed_name(one.row)} · {rung}"
