"""Two to four registrations side by side, what differs marked."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.i18n import Lang, moment, text_of
from app.registration.desk_queries import Whole, desk_registration
from app.registration.tagging import tagged
from app.web import deps
from app.web.countries import country_name
from app.web.deps import Desk
from app.web.desk_registrations import asked_for, label, link, name_of
from app.web.pages import code as code_of

router = APIRouter(include_in_schema=False)
FEWEST, MOST = 2, 4
_NAMES = ("titles", "family_name", "given_name", "name_km", "display_name")
_REST = ("attends_as", "institution", "position_title", "country", "email", "phone", "assistant_name", "language")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing and what each of them says of it; whether they say different things."""

    words: str
    cells: tuple[str, ...]

    @property
    def differs(self) -> bool:
        return len(set(self.cells)) > 1


@router.get("/desk/{forum}/registrations/compare")
async def compare(request: Request, forum: str) -> Response:
    """Those that the address names; with too few or too many it says how many can be compared."""
    codes = list(dict.fromkeys(code_of(code) for code in request.query_params.getlist("code")))
    chosen = codes if FEWEST <= len(codes) <= MOST else []

    def read(db: Db, desk: Desk) -> list[tuple[Whole, str]]:
        desk.actor.must(Permission.SEE_PEOPLE, forum_id(desk.forum))
        found = [desk_registration(db, desk.actor, desk.forum, code) for code in chosen]
        tags = tagged(db, [one.row.id for one in found])
        return [(one, ", ".join(tag.name for tag in tags.get(one.row.id, ()))) for one in found]

    desk, found = await deps.read_at_desk(request, forum, read)
    wanted = asked_for(request.query_params)
    values: dict[str, Any] = {
        "people": [(one.row, name_of(desk.lang, one.row), label(desk.lang, one.row)) for one, _ in found],
        "lines": lines(desk, found),
        "pair": f"{desk.base}/duplicates/{chosen[0]}/{chosen[1]}" if len(chosen) == FEWEST else "",
        "few": FEWEST,
        "most": MOST,
        "list": link(f"{desk.base}/registrations", wanted.other(further=type(wanted.further)())),
    }
    return deps.show_at_desk(request, desk, "desk/side_by_side.html", **values)


def lines(desk: Desk, found: list[tuple[Whole, str]]) -> list[Line]:
    """What they say, a line each; what none of them says is left out."""
    lang = desk.lang
    rows = [
        Line(text_of(lang, f"desk.field.{name}"), tuple(_said(lang, one.row, name) for one, _ in found))
        for name in (*_NAMES, *_REST)
    ]
    zone = desk.forum.timezone
    rows += [
        Line(text_of(lang, "desk.list.category"), tuple(one.category.name.of(lang) for one, _ in found)),
        Line(text_of(lang, "desk.list.place"), tuple(str(one.place or "") for one, _ in found)),
        Line(text_of(lang, "table.tags"), tuple(tags for _, tags in found)),
        Line(text_of(lang, "desk.list.asked"), tuple(moment(one.row.asked_at, lang, zone) for one, _ in found)),
    ]
    return [line for line in rows if any(line.cells)]


def _said(lang: Lang, row: Any, name: str) -> str:
    value = getattr(row, name)
    if name == "country":
        return country_name(value, lang) if value else ""
    if name == "attends_as":
        return text_of(lang, f"table.attends_as.{value}")
    if name == "language":
        return text_of(lang, f"table.language.{value}")
    return ", ".join(value) if isinstance(value, list) else str(value or "")
