"""The desk's list of registrations: filter, search, page on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import NotFound
from app.kit.i18n import Lang, text_of
from app.registration.desk_queries import STANDINGS, Tally, Wanted, counted_by, desk_count, desk_list, tallies
from app.registration.people import listed_name, shown_institution
from app.registration.rules.states import State
from app.web import deps

router = APIRouter(include_in_schema=False)
TONES = {
    "awaiting": ("river", "?"),
    "confirmed": ("good", "✓"),
    "unconfirmed": ("wait", "○"),
    "waiting": ("wait", "…"),
    "offered": ("river", "!"),
    "cancelled": ("still", "–"),
    "declined": ("bad", "×"),
    "expired": ("still", "–"),
}
"""Standing → tone and sign of its label; the sign says it without the colour."""
ORDERS = ("newest", "oldest")


ROWS, MOST_ROWS = 50, 1000
"""How many the list shows at once, and how many for printing (`?all=1`)."""


@router.get("/desk/{forum}/registrations")
async def registrations(request: Request, forum: str) -> Response:
    """The list as asked for by `?state= &category= &q= &order= &after=`; with `all=1` on one page, to print."""
    wanted, whole = asked_for(request.query_params), request.query_params.get("all") == "1"
    most = MOST_ROWS if whole else ROWS
    desk, (found, counted, (total, before)) = await deps.read_at_desk(
        request, forum, lambda db, desk: _read(db, desk, wanted, most)
    )
    if wanted.category and wanted.category not in {tally.code for tally in counted}:
        raise NotFound
    rows, more = found
    address = f"{desk.base}/registrations"
    lines = [line(desk.lang, row, link(f"{address}/{row.code}", wanted)) for row in rows]
    values: dict[str, Any] = {
        "wanted": wanted,
        "filters": filters(desk.lang, address, counted, wanted),
        "categories": counted,
        "following": link(address, wanted, whole=whole, after=rows[-1].code) if more else "",
        "beginning": link(address, wanted, whole=whole) if wanted.after else "",
        "printed": heading(desk.lang, address, counted, wanted, (before, len(rows), total)),
        "may_enter": desk.may(Permission.DECIDE_REGISTRATIONS),
        "sees_letters": desk.may(Permission.SEE_SENSITIVE),
        "file": link(f"{address}/export", wanted) if desk.may(Permission.EXPORT_PEOPLE) else "",
    }
    return deps.show_at_desk(request, desk, "desk/registrations.html", **values, lines=lines)


def _read(
    db: Db, desk: deps.Desk, wanted: Wanted, most: int
) -> tuple[tuple[list[Any], bool], tuple[Tally, ...], tuple[int, int]]:
    """The list, the tallies above it, and (how many there are, how many stand before it), which a query of its own
    counts only where the tallies do not say it."""
    counted = tallies(db, desk.actor, desk.forum)
    of = counted_by(counted, wanted)
    numbers = desk_count(db, desk.actor, desk.forum, wanted) if wanted.words or wanted.after else (of, 0)
    return desk_list(db, desk.actor, desk.forum, wanted, most=most, of=of), counted, numbers


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above a list, so that it says on paper what it holds: the question in words, which rows of how many,
    when it was read (UTC), and where more of them are on one page ("" where nothing is missing)."""

    question: str
    rows: str
    read_at: datetime
    whole: str
    whole_words: str


def heading(
    lang: Lang, address: str, counted: tuple[Tally, ...], wanted: Wanted, rows: tuple[int, int, int]
) -> Heading:
    """The head of a list of which `rows` = (how many stand before it, how many it shows, how many there are)."""
    before, shown, total = rows
    parts = [text_of(lang, f"desk.standing.{wanted.standing or 'all'}")]
    parts += [tally.name.of(lang) for tally in counted if tally.code == wanted.category]
    if wanted.words:
        parts.append(text_of(lang, "desk.list.with_words", words=wanted.words))
    parts.append(text_of(lang, f"desk.list.{'oldest' if wanted.oldest_first else 'newest'}"))
    name = "all_rows" if shown == total else "some_rows"
    most = min(total, MOST_ROWS)
    return Heading(
        question=" · ".join(parts),
        rows=text_of(lang, f"desk.list.{name}", n=total, first=before + 1, last=before + shown),
        read_at=clock.now(),
        whole=link(address, wanted, whole=True) if shown < most else "",
        whole_words=text_of(lang, f"desk.list.{'print_all' if most == total else 'print_first'}", n=most),
    )


def asked_for(params: QueryParams) -> Wanted:
    """What the address asks for. Raises NotFound for a standing or order there is none of."""
    standing, order, after = params.get("state", ""), params.get("order", ""), params.get("after", "")
    category = params.get("category", "")
    words = "".join(letter for letter in params.get("q", "")[:200] if letter.isprintable() or letter == "\u200b")
    codes = category + after
    if standing not in {"", *STANDINGS} or order not in {"", *ORDERS} or not (codes.isascii() and codes.isprintable()):
        raise NotFound
    oldest_first = order == "oldest" if order else oldest_is_usual(standing)
    return Wanted(standing, category[:16], words.strip(), oldest_first, after[:32])


def oldest_is_usual(standing: str) -> bool:
    """Does a list of this standing begin with the oldest? Whoever asked first is decided on first."""
    return standing == State.AWAITING_APPROVAL.value


def link(address: str, wanted: Wanted, *, whole: bool = False, **changes: Any) -> str:
    """An address with a question, something in it changed; from its beginning unless `after` is given.

    With `whole`, as many as may be on one page. Only the names the list knows are in it, so nothing else in a
    reader's address is carried on.
    """
    asked = wanted.other(**changes)
    order = "oldest" if asked.oldest_first else "newest"
    pairs = {
        "state": asked.standing,
        "category": asked.category,
        "q": asked.words,
        "order": "" if asked.oldest_first == oldest_is_usual(asked.standing) else order,
        "after": asked.after,
        "all": "1" if whole else "",
    }
    kept = {name: value for name, value in pairs.items() if value}
    return f"{address}{'&' if '?' in address else '?'}{urlencode(kept)}" if kept else address


@dataclass(frozen=True, slots=True)
class Filter:
    """One standing to choose, with how many there are in the chosen category."""

    words: str
    href: str
    count: int
    chosen: bool


def filters(lang: Lang, address: str, counted: tuple[Tally, ...], wanted: Wanted) -> list[Filter]:
    """All, then every standing; counted without regard to the words searched for."""
    mine = [tally for tally in counted if wanted.category in {"", tally.code}]
    whole = Filter(
        text_of(lang, "desk.standing.all"),
        _turned(address, wanted, ""),
        sum(tally.all for tally in mine),
        not wanted.standing,
    )
    return [whole] + [
        Filter(
            text_of(lang, f"desk.standing.{standing}"),
            _turned(address, wanted, standing),
            sum(tally.of(standing) for tally in mine),
            wanted.standing == standing,
        )
        for standing in STANDINGS
    ]


def _turned(address: str, wanted: Wanted, standing: str) -> str:
    """The same question about another standing; an order that was not asked for does not go along."""
    usual = wanted.oldest_first == oldest_is_usual(wanted.standing)
    oldest_first = oldest_is_usual(standing) if usual else wanted.oldest_first
    return link(address, wanted, standing=standing, oldest_first=oldest_first)


def standing_of(row: Any) -> str:
    """A registration's standing: its state, `seated` split by whether the address is confirmed."""
    if row.state == State.SEATED.value:
        return "confirmed" if row.confirmed_at is not None else "unconfirmed"
    return str(row.state)


@dataclass(frozen=True, slots=True)
class Label:
    """A standing as tone, sign and words."""

    tone: str
    sign: str
    words: str


def label(lang: Lang, row: Any) -> Label:
    """A registration's standing, ready to show."""
    standing = standing_of(row)
    tone, sign = TONES.get(standing, ("still", "·"))
    return Label(tone, sign, text_of(lang, f"desk.standing.{standing}"))


@dataclass(frozen=True, slots=True)
class Line:
    """One registration in the list, in ready words, with the address of its page; `under` stands below the name."""

    row: Any
    href: str
    name: str
    under: str
    label: Label


def name_of(lang: Lang, row: Any) -> str:
    """The name for lists, or that it was erased."""
    return text_of(lang, "desk.erased.name") if row.erased_at is not None else listed_name(row)


def line(lang: Lang, row: Any, href: str) -> Line:
    """A row of the query as a line of the list: titles, position, institution below the name.

    In a private capacity institution and position are left out (rules §2).
    """
    private = row.attends_as == "private"
    under = [styled(row), shown_institution(row)]
    if private:
        under = [", ".join(row.titles), text_of(lang, "desk.list.private")]
    if row.assistant_name:
        under.append(text_of(lang, "desk.list.by_assistant", name=row.assistant_name))
    return Line(row, href, name_of(lang, row), " · ".join(part for part in under if part), label(lang, row))


def styled(row: Any) -> str:
    """Titles in the order they are used, and the position; "" where neither was given."""
    return " · ".join(part for part in (", ".join(row.titles), row.position_title) if part)
