"""The log of facts at the desk: what was done by whom, searchable, with what stood before and after."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.audit.recording import head_of
from app.audit.searching import Asked, facts_asked
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.errors import NotFound
from app.kit.i18n import Lang, has_text, text_of
from app.registration.desk_queries import group_names
from app.reports.history import Told, told
from app.web import deps
from app.web.deps import Desk

router = APIRouter(include_in_schema=False)
SHOWN = 50
PARTS: Mapping[str, tuple[str, ...]] = {
    "people": (
        "registration",
        "people",
        "seat",
        "category",
        "hold_back",
        "letter",
        "rung",
        "ladder",
        "head_table",
        "participants",
        "list",
        "tag",
        "view",
        "bulk",
    ),
    "invitations": ("invitation", "delegation"),
    "programme": ("programme", "session", "conflict", "sign_up", "speaker", "speakers", "material", "room"),
    "mail": ("mail", "mailing"),
    "settings": ("forum", "question", "questions", "retention", "calendar"),
    "access": ("access", "user", "sign_in", "token", "webhook"),
}
"""Parts of the desk → the first words of the kinds of facts that belong there."""
PAGES = {
    "registration": "registrations/{}",
    "invitation": "invitations/{}",
    "delegation": "delegations/{}",
    "session": "programme/sessions/{}/history",
    "speaker": "speakers",
    "material": "materials",
    "room": "rooms",
    "mailing": "mailings",
    "message": "messages/{}",
    "tag": "tags",
    "bulk": "registrations/bulk/{}",
}
"""What a fact is about → the desk's page where that stands; of what can be removed the list, or its history."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for: a part of the desk, words, and days of the forum's zone, the last of them included."""

    part: str = ""
    words: str = ""
    since: date | None = None
    until: date | None = None
    before: int | None = None

    @property
    def is_narrow(self) -> bool:
        """Is anything left out?"""
        return bool(self.part or self.words or self.since or self.until)


@dataclass(frozen=True, slots=True)
class Line:
    """A fact in the list: in words, what it is about with the page of that ("" for none), and its values as
    (name, before, after)."""

    number: int
    kind: str
    told: Told
    about: str
    href: str
    values: tuple["Value", ...]


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a fact. `named` says whether the name is in the reader's words; names and values that are words of
    the program are shown as such."""

    name: str
    named: bool
    before: str
    after: str

    @property
    def shown(self) -> tuple[tuple[str, str, bool], ...]:
        """(element, text, whether it is a word of the program), of what there is."""
        both = (("del", self.before), ("ins", self.after))
        return tuple((element, text, bool(_WORD.fullmatch(text))) for element, text in both if text)


_WORD = re.compile(r"[a-z_]+|\[.*\]|\{.*\}|true|false", re.DOTALL)


@router.get("/desk/{forum}/facts")
async def facts(request: Request, forum: str) -> Response:
    """The facts as asked for by `?part= &q= &since= &until= &before=`, the newest first."""
    wanted = asked_for(request.query_params)
    desk, (rows, head, groups) = await deps.read_at_desk(request, forum, lambda db, desk: _read(db, desk, wanted))
    address = f"{desk.base}/facts"
    values: dict[str, Any] = {
        "wanted": wanted,
        "parts": [(part, text_of(desk.lang, f"facts.part.{part}")) for part in PARTS],
        "lines": [_line(desk, row, groups) for row in rows[:SHOWN]],
        "following": _link(address, wanted, before=rows[SHOWN - 1].number) if len(rows) > SHOWN else "",
        "beginning": _link(address, wanted) if wanted.before is not None else "",
        "head": head,
    }
    return deps.show_at_desk(request, desk, "desk/facts.html", **values)


def _read(db: Db, desk: Desk, wanted: Wanted) -> tuple[list[Any], tuple[int, str] | None, dict[str, str]]:
    """The facts, the head of the chain, and the groups' names. Three queries."""
    own, slug = forum_id(desk.forum), desk.forum.slug
    desk.actor.must(Permission.SEE_FACTS, own)
    zone = desk.forum.timezone
    asked = Asked(
        families=PARTS.get(wanted.part, ()),
        words=wanted.words,
        since=_midnight(wanted.since, zone),
        until=_midnight(wanted.until + timedelta(days=1), zone) if wanted.until else None,
        before=wanted.before,
    )
    return facts_asked(db, slug, asked, SHOWN + 1), head_of(db, slug), group_names(db, desk.forum, desk.lang)


def _midnight(day: date | None, zone: str) -> datetime | None:
    return datetime.combine(day, time(), ZoneInfo(zone)) if day else None


def asked_for(params: QueryParams) -> Wanted:
    """What the address asks for. Raises NotFound for a part, day or number there is none of."""
    part, before = params.get("part", ""), params.get("before", "")
    words = "".join(letter for letter in params.get("q", "")[:200] if letter.isprintable())
    if part not in {"", *PARTS} or (before and not (before.isascii() and before.isdigit() and len(before) < 10)):
        raise NotFound
    since, until = _day(params.get("since", "")), _day(params.get("until", ""))
    return Wanted(part, words.strip(), since, until, int(before) if before else None)


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise NotFound from None
    if not 1990 <= found.year < 2200:
        raise NotFound
    return found


def _link(address: str, wanted: Wanted, before: int | None = None) -> str:
    pairs = {
        "part": wanted.part,
        "q": wanted.words,
        "since": wanted.since.isoformat() if wanted.since else "",
        "until": wanted.until.isoformat() if wanted.until else "",
        "before": str(before) if before is not None else "",
    }
    kept = {name: value for name, value in pairs.items() if value}
    return f"{address}?{urlencode(kept)}" if kept else address


def _line(desk: Desk, row: Any, groups: Mapping[str, str]) -> Line:
    about, _, code = row.subject.partition(":")
    href = f"{desk.base}/{PAGES[about].format(code)}" if about in PAGES and code else ""
    return Line(row.number, row.kind, told(desk.lang, row, groups), code or about, href, _values(desk.lang, row))


def _values(lang: Lang, row: Any) -> tuple[Value, ...]:
    """Everything the fact holds, name by name: what stood before, and what after or besides."""
    personal = dict(row.personal or {})
    before = {**(row.before or {}), **_mapping(personal.pop("before", None))}
    after = {**(row.after or {}), **_mapping(personal.pop("after", None)), **personal}
    return tuple(_value(lang, name, before.get(name), after.get(name)) for name in {**before, **after})


def _value(lang: Lang, name: str, before: Any, after: Any) -> Value:
    key = f"desk.field.{name}"
    named = has_text(lang, key)
    return Value(text_of(lang, key) if named else name, named, _shown(before), _shown(after))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _shown(value: Any) -> str:
    if value is None or value in ([], {}, ""):
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
