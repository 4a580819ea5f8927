"""The desk's list of registrations: filter, search, page on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from app.accounts.rules import Permission
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import NotFound
from app.kit.i18n import Lang, text_of
from app.registration.desk_filters import ASKED, CHOICES
from app.registration.desk_filters import ORDERS as KEYS
from app.registration.desk_inputs import ACTS
from app.registration.desk_queries import STANDINGS, Tally, Wanted, counted_by, desk_count, desk_list
from app.registration.people import listed_name, shown_institution
from app.registration.rules.states import State
from app.registration.tagging import TagView, names_of, tagged, tags_of
from app.registration.tallying import Counted
from app.registration.viewing import usual_view, views_of
from app.reports.registrations import cells
from app.reports.registrations import heading as column_heading
from app.reports.standings import registration_words, standing_of
from app.web import deps
from app.web.countries import countries
from app.web.desk_columns import CHOOSABLE, SHOWN, SORTS, known
from app.web.desk_filters import Chip, chips, further_of, pairs_of, printable
from app.web.forms import Form
from app.web.signs import Filter, Label
from app.web.site import site_of

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
ORDERS, DOWN = ("newest", "oldest"), "-down"
"""How the address says the order by time; every other by its name, with this behind it where it goes down."""


ROWS, MOST_ROWS = 50, 1000
"""How many the list shows at once, and how many for printing (`?all=1`)."""


@router.get("/desk/{forum}/registrations")
async def registrations(request: Request, forum: str) -> Response:
    """The list as asked for by its address (`asked_for`); with `all=1` on one page, to print. Without any question it
    is the view that whoever asks has chosen to see first."""
    return await show_list(request, forum)


async def show_list(request: Request, forum: str, form: Form | None = None, status: int = 200) -> Response:
    """The list's page; with a `form` of it that was refused."""
    params, whole = request.query_params, request.query_params.get("all") == "1"
    asked, most = asked_for(params), MOST_ROWS if whole else ROWS
    plain = not set(params) - {"lang", "done"}
    tallied = site_of(request).counted
    desk, seen = await deps.read_at_desk(request, forum, lambda db, desk: _read(db, desk, tallied, asked, most, plain))
    wanted, counted = seen.wanted, seen.counted
    if wanted.category and wanted.category not in {tally.code for tally in counted}:
        raise NotFound
    address = f"{desk.base}/registrations"
    shown = wanted.columns or SHOWN
    lines = [
        line(
            desk.lang,
            row,
            link(f"{address}/{row.code}", wanted),
            cells(desk, row),
            seen.tagged.get(row.id, ()),
            link(f"{address}/{row.code}/details", wanted),
        )
        for row in seen.rows
    ]
    tags = names_of(seen.tags)
    values: dict[str, Any] = {
        "wanted": wanted,
        "filters": filters(desk.lang, address, counted, wanted),
        "categories": counted,
        "following": link(address, wanted, whole=whole, after=seen.rows[-1].code) if seen.more else "",
        "beginning": link(address, wanted, whole=whole) if wanted.after else "",
        "printed": heading(desk.lang, address, counted, wanted, (seen.before, len(seen.rows), seen.total)),
        "may_enter": desk.may(Permission.DECIDE_REGISTRATIONS),
        "sees_letters": desk.may(Permission.SEE_SENSITIVE),
        "file": link(f"{address}/export", wanted) if desk.may(Permission.EXPORT_PEOPLE) else "",
        "total": seen.total,
        "order": order_word(wanted),
        "shown": [(name, column_heading(desk.lang, name), *_sorting(address, wanted, name)) for name in shown],
        "by_name": _sorting(address, wanted, "name"),
        "columns": [(name, column_heading(desk.lang, name), name in shown) for name in CHOOSABLE],
        "chosen_columns": wanted.columns,
        "chips": _chips(desk.lang, address, wanted, counted, tags),
        "tags": seen.tags,
        "possible_answers": CHOICES,
        "countries": countries(desk.lang),
        "question": [pair for pair in parse_qsl(link("", wanted).removeprefix("?")) if pair[0] != "code"],
        "done": params.get("done", "") if form is None and params.get("done", "") in DONE else "",
        "form": form or Form(),
        "removed": params.get("removed", "") if params.get("removed", "").isdecimal() else "",
        **_views(desk, seen, address, wanted, params.get("view", "")),
        **many(request, desk),
    }
    return deps.show_at_desk(request, desk, "desk/registrations.html", status=status, **values, lines=lines)


DONE = frozenset({"kept", "removed", "brought_back", "edited", "same"})
"""What the list says after a form: about views, or about a row that was put right."""


def many(request: Request, desk: deps.Desk) -> dict[str, Any]:
    """What whoever is at the desk may do with several registrations; writing to them, where there is a page for it."""
    writes = desk.may(Permission.SEND_MAIL) and opens(request, f"{desk.base}/mailings/new")
    decides = desk.may(Permission.DECIDE_REGISTRATIONS)
    return {"acts": ACTS if decides else (), "may_export": desk.may(Permission.EXPORT_PEOPLE), "may_write": writes}


def opens(request: Request, path: str) -> bool:
    """Is there a page at this address?"""
    question = {**request.scope, "method": "GET", "path": path}
    return any(route.matches(question)[0] is Match.FULL for route in request.app.router.routes)


def _views(desk: deps.Desk, seen: "Seen", address: str, wanted: Wanted, opened: str) -> dict[str, Any]:
    """The views one may open, the one that is open, and whether it is one's own."""
    usual = seen.usual is not None
    chosen = seen.usual if usual else next((view for view in seen.views if str(view.id) == opened), None)
    own = bool(chosen and chosen.user_id == desk.actor.id)
    shown = [
        (view, f"{address}?{joined(view.question, f'view={view.id}')}", view.user_id == desk.actor.id)
        for view in seen.views
    ]
    return {
        "views": shown,
        "view": chosen,
        "view_is_own": own,
        "everything": f"{address}?view=0",
        "keep_action": f"{address}/views{link('', wanted)}",
    }


def joined(*parts: str) -> str:
    """Tails of an address as one."""
    return "&".join(part for part in parts if part)


def _sorting(address: str, wanted: Wanted, column: str) -> tuple[str, str]:
    """The address in which the list stands in the order of a column ("" where there is none), the other way round where
    it does already; and how it stands now, as `aria-sort` has it."""
    order = SORTS.get(column, column if column == "name" else "")
    if not order:
        return "", ""
    here = wanted.order == order
    up = not wanted.oldest_first if here else order != ASKED
    now = ("ascending" if wanted.oldest_first else "descending") if here else ""
    return link(address, wanted, order=order, oldest_first=up), now


def _chips(lang: Lang, address: str, wanted: Wanted, counted: tuple[Tally, ...], tags: Mapping[str, str]) -> list[Chip]:
    """Everything that is asked, each with the address in which it is not."""
    found = []
    if wanted.standing:
        found.append(Chip(text_of(lang, f"desk.standing.{wanted.standing}"), _turned(address, wanted, "")))
    found += [
        Chip(f"{tally.letter} · {tally.name.of(lang)}", link(address, wanted, category=""))
        for tally in counted
        if tally.code == wanted.category
    ]
    if wanted.words:
        words = text_of(lang, "desk.list.with_words", words=wanted.words)
        found.append(Chip(words, link(address, wanted, words="")))
    return [*found, *chips(lang, wanted.further, tags, lambda less: link(address, wanted, further=less))]


@dataclass(frozen=True, slots=True)
class Seen:
    """A page of the list with what stands around it. `before` rows stand before it, `usual` is the view it shows where
    nothing was asked."""

    wanted: Wanted
    rows: list[Any]
    more: bool
    counted: tuple[Tally, ...]
    total: int
    before: int
    tags: list[TagView]
    tagged: dict[int, list[Any]]
    views: list[Any]
    usual: Any | None


def _read(db: Db, desk: deps.Desk, tallied: Counted, asked: Wanted, most: int, plain: bool) -> Seen:
    """The list, the tallies above it, tags and views: five queries, one more where the tallies are counted anew, and
    one that counts where they do not say how many there are."""
    views = views_of(db, desk.actor, desk.forum)
    counted = tallied.of(db, desk.actor, desk.forum)
    usual = usual_view(views, desk.actor) if plain else None
    wanted = _question_of(desk, usual, counted) if usual else None
    if wanted is None:
        usual, wanted = None, asked
    of = counted_by(counted, wanted)
    told = wanted.words or wanted.after or wanted.further.asked
    total, before = desk_count(db, desk.actor, desk.forum, wanted, of=of) if told else (of, 0)
    there = total - before if told else None
    rows, more = desk_list(db, desk.actor, desk.forum, wanted, most=most, of=of, there=there)
    tags = tags_of(db, desk.actor, desk.forum)
    marks = tagged(db, [row.id for row in rows]) if tags else {}
    return Seen(wanted, rows, more, counted, total, before, tags, marks, views, usual)


def _question_of(desk: deps.Desk, view: Any, counted: tuple[Tally, ...]) -> Wanted | None:
    """What a view asks; None where it cannot be asked any more: its group is gone, or needs are not for its owner."""
    try:
        found = asked_for(QueryParams(view.question))
    except NotFound:
        return None
    known_group = found.category in {"", *(tally.code for tally in counted)}
    sensitive = found.further.needs or found.further.gender
    return found if known_group and (not sensitive or desk.may(Permission.SEE_SENSITIVE)) else None


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
    parts.append(text_of(lang, f"table.order.{order_word(wanted)}"))
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
    """What the address asks for. Raises NotFound for a standing, an order or a choice there is none of."""
    standing, order, after = params.get("state", ""), params.get("order", ""), params.get("after", "")
    category, words = params.get("category", ""), printable(params.get("q", ""))
    codes = category + after
    if standing not in {"", *STANDINGS} or not (codes.isascii() and codes.isprintable()):
        raise NotFound
    by, up = _order_of(order) if order else (ASKED, oldest_is_usual(standing))
    shown = known(params.getlist("column"))
    return Wanted(standing, category[:16], words, up, after[:32], by, further_of(params), shown)


def _order_of(word: str) -> tuple[str, bool]:
    """A word of the address as an order and whether it goes up."""
    if word in ORDERS:
        return ASKED, word == "oldest"
    by = word.removesuffix(DOWN)
    if by == ASKED or by not in KEYS:
        raise NotFound
    return by, by == word


def order_word(wanted: Wanted) -> str:
    """The order as the address has it."""
    if wanted.order == ASKED:
        return "oldest" if wanted.oldest_first else "newest"
    return wanted.order + ("" if wanted.oldest_first else DOWN)


def oldest_is_usual(standing: str) -> bool:
    """Does a list of this standing begin with the oldest? Whoever asked first is decided on first."""
    return standing == State.AWAITING_APPROVAL.value


def link(address: str, wanted: Wanted, *, whole: bool = False, **changes: Any) -> str:
    """An address with a question, something in it changed; from its beginning unless `after` is given.

    With `whole`, as many as may be on one page. Only the names the list knows are in it, so nothing else in a
    reader's address is carried on.
    """
    asked = wanted.other(**changes)
    order = order_word(asked)
    usual = asked.order == ASKED and asked.oldest_first == oldest_is_usual(asked.standing)
    pairs = [
        ("state", asked.standing),
        ("category", asked.category),
        ("q", asked.words),
        *pairs_of(asked.further),
        ("order", "" if usual else order),
        *(("column", name) for name in asked.columns),
        ("after", asked.after),
        ("all", "1" if whole else ""),
    ]
    kept = [(name, value) for name, value in pairs if value]
    return f"{address}{'&' if '?' in address else '?'}{urlencode(kept)}" if kept else address


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
    usual = wanted.order == ASKED and wanted.oldest_first == oldest_is_usual(wanted.standing)
    oldest_first = oldest_is_usual(standing) if usual else wanted.oldest_first
    return link(address, wanted, standing=standing, oldest_first=oldest_first)


def label(lang: Lang, row: Any) -> Label:
    """A registration's standing, ready to show."""
    standing = standing_of(row)
    tone, sign = TONES.get(standing, ("still", "·"))
    return Label(tone, sign, registration_words(lang, row))


@dataclass(frozen=True, slots=True)
class Line:
    """One registration in the list, in ready words, with the address of its page; `under` stands below the name."""

    row: Any
    href: str
    name: str
    under: str
    label: Label
    cells: Mapping[str, str]
    tags: Sequence[Any]
    edit: str


def name_of(lang: Lang, row: Any) -> str:
    """The name for lists, or that it was erased."""
    return text_of(lang, "desk.erased.name") if row.erased_at is not None else listed_name(row)


def line(lang: Lang, row: Any, href: str, words: Mapping[str, str], tags: Sequence[Any] = (), edit: str = "") -> Line:
    """A row of the query as a line of the list: titles, position, institution below the name.

    In a private capacity institution and position are left out (rules §2).
    """
    private = row.attends_as == "private"
    under = [styled(row), shown_institution(row)]
    if private:
        under = [", ".join(row.titles), text_of(lang, "desk.list.private")]
    if row.assistant_name:
        under.append(text_of(lang, "desk.list.by_assistant", name=row.assistant_name))
    below = " · ".join(part for part in under if part)
    return Line(row, href, name_of(lang, row), below, label(lang, row), words, tags, edit)


def styled(row: Any) -> str:
    """Titles in the order they are used, and the position; "" where neither was given."""
    return " · ".join(part for part in (", ".join(row.titles), row.position_title) if part)
