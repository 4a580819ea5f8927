"""Registrations that may be one person's: the list, the two side by side, and what is decided about them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.forum.models import Forum
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Expired, Refused
from app.kit.i18n import Bilingual, Lang, text_of
from app.registration import merging
from app.registration.carrying import Luggage
from app.registration.desk_queries import Whole
from app.registration.duplicates import Alike, Compared, compared, doubles
from app.registration.people import listed_name, shown_name
from app.registration.rules.likeness import Reason
from app.web import deps
from app.web.countries import country_name
from app.web.deps import Desk
from app.web.desk_registrations import label
from app.web.forms import Form, read_form, refilled
from app.web.pages import code as code_of

router = APIRouter(include_in_schema=False)
MOST_SHOWN = 12
"""So many registrations of a group stand in the list; where there are more, deciding brings up the rest."""
MOST_COMPARED = 4
_DONE = frozenset({"merged", "distinct"})


@router.get("/desk/{forum}/duplicates")
async def duplicates(request: Request, forum: str) -> Response:
    """The registrations that may be one person's, a group for each of them."""
    after = request.query_params.get("after", "")[:32]
    desk, found = await deps.read_at_desk(
        request, forum, lambda db, desk: doubles(db, desk.actor, desk.forum, after=after)
    )
    done, here = request.query_params.get("done", ""), f"{desk.base}/duplicates"
    values: dict[str, Any] = {
        "groups": [_group(desk.lang, alike) for alike in found.groups],
        "total": found.total,
        "beginning": here if after else "",
        "following": f"{here}?after={found.following}" if found.following else "",
        "done": done if done in _DONE else "",
    }
    return deps.show_at_desk(request, desk, "desk/duplicates.html", **values)


@dataclass(frozen=True, slots=True)
class Line:
    """One registration of a group, and the earlier ones it is to be compared with."""

    row: Any
    name: str
    label: Any
    earlier: Sequence[str]


@dataclass(frozen=True, slots=True)
class Group:
    """A group as it is shown: what its registrations have in common, the first of them, and how many more there are."""

    reasons: Sequence[Reason]
    lines: Sequence[Line]
    more: int


def _group(lang: Lang, alike: Alike) -> Group:
    earlier: dict[str, list[str]] = {}
    for pair in alike.pairs:
        earlier.setdefault(pair.second.code, []).append(pair.first.code)
    lines = [
        Line(row, listed_name(row), label(lang, row), earlier.get(row.code, [])[:MOST_COMPARED])
        for row in alike.people[:MOST_SHOWN]
    ]
    found = {reason for pair in alike.pairs for reason in pair.reasons}
    return Group([reason for reason in Reason if reason in found], lines, max(0, len(alike.people) - MOST_SHOWN))


@router.get("/desk/{forum}/duplicates/{first}/{second}")
async def compare(request: Request, forum: str, first: str, second: str) -> Response:
    """The two side by side."""
    return await _page(request, forum, first, second)


@router.post("/desk/{forum}/duplicates/{first}/{second}/merge")
async def merge(request: Request, forum: str, first: str, second: str) -> Response:
    """They are one person's: keep one, end the other."""
    now, codes = clock.now(), (code_of(first), code_of(second))

    def deed(db: Db, desk: Desk, found: Forum, sent: FormData) -> None:
        keep = sent.get("keep")
        if keep not in codes:
            raise Refused("same_registration")
        kept, dropped = codes if keep == codes[0] else codes[::-1]
        editions = _edition(sent, kept), _edition(sent, dropped)
        picks = _edition(sent, f"picks-{kept}"), _edition(sent, f"picks-{dropped}")
        merging.merge(db, desk.actor, found, kept, dropped, editions, now=now, picks=picks)

    return await _act(request, forum, codes, deed, "merged")


@router.post("/desk/{forum}/duplicates/{first}/{second}/difference")
async def difference(request: Request, forum: str, first: str, second: str) -> Response:
    """They are two people's."""
    now, codes = clock.now(), (code_of(first), code_of(second))

    def deed(db: Db, desk: Desk, found: Forum, _sent: FormData) -> None:
        merging.say_distinct(db, desk.actor, found, *codes, now=now)

    return await _act(request, forum, codes, deed, "distinct")


def _edition(sent: FormData, what: str) -> int:
    """Which edition of a registration (its code) or of its sessions was looked at; 0 where that is not said: none of a
    registration, and of sessions that none were chosen."""
    text = sent.get(f"edition-{what}")
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 9 else 0


Deed = Callable[[Db, Desk, Forum, FormData], None]


async def _act(request: Request, forum: str, codes: tuple[str, str], deed: Deed, done: str) -> Response:
    sent = await read_form(request)
    desk, _ = await deps.read_at_desk(request, forum, lambda _db, _desk: None)
    try:
        await deps.write_at_desk(request, desk, sent, lambda db, found: deed(db, desk, found, sent))
    except (Refused, Expired) as refused:
        return await _page(request, forum, *codes, form=refilled(desk.lang, sent, refused), status=refused.status)
    return deps.back(f"{desk.base}/duplicates?done={done}")


async def _page(
    request: Request, forum: str, first: str, second: str, *, form: Form | None = None, status: int = 200
) -> Response:
    codes = code_of(first), code_of(second)
    desk, found = await deps.read_at_desk(request, forum, lambda db, desk: compared(db, desk.actor, desk.forum, *codes))
    both = (found.first, found.second)
    live = all(whole.row.ended_at is None for whole in both) and codes[0] != codes[1]
    values: dict[str, Any] = {
        "both": [(whole, listed_name(whole.row), label(desk.lang, whole.row)) for whole in both],
        "rows": _rows(desk.lang, found),
        "picks": found.brings_first.editions,
        "reasons": found.reasons,
        "keeping": (found.keeping_first, found.keeping_second),
        "brings": [_brings(desk.lang, one) for one in (found.brings_first, found.brings_second)],
        "may": live and desk.may(Permission.DECIDE_REGISTRATIONS),
        "live": live,
        "form": form or Form(),
    }
    return deps.show_at_desk(request, desk, "desk/compare.html", status=status, **values)


def _brings(lang: Lang, one: Luggage) -> tuple[list[str], list[str]]:
    """What comes along and what does not, as sentences. Sensitive answers and needs are told of in general alone."""

    def named(key: str, words: Sequence[Bilingual]) -> list[str]:
        several = "; ".join(each.of(lang) for each in words)
        return [text_of(lang, f"desk.double.along.{key}", what=several)] if several else []

    def counted(key: str, n: int) -> list[str]:
        return [text_of(lang, f"desk.double.along.{key}", n=n)] if n else []

    fields = "; ".join(text_of(lang, f"desk.field.{name}") for name in one.columns)
    along = [text_of(lang, "desk.double.along.fields", what=fields)] if fields else []
    along += named("sessions", one.titles(one.picks)) + named("places", one.places)
    along += named("answers", one.labels(one.answers))
    along += counted("companions", one.companions) + counted("letters", one.letters)
    behind = named("clashing", one.titles(one.clashing)) + named("behind", one.labels(one.behind))
    return along, behind


def _rows(lang: Lang, found: Compared) -> list[tuple[str, str, str, bool]]:
    """What the two say, line by line: the field's key, both values, whether they differ. Empty in both is left out."""

    def told(whole: Whole) -> dict[str, str]:
        row = whole.row
        return {
            "display_name": shown_name(row, lang),
            "titles": ", ".join(row.titles),
            "family_name": row.family_name,
            "given_name": row.given_name,
            "name_km": row.name_km,
            "email": row.email,
            "assistant": row.assistant_name,
            "phone": row.phone,
            "institution": row.institution,
            "position_title": row.position_title,
            "country": country_name(row.country, lang),
        }

    first, second = told(found.first), told(found.second)
    return [
        (name, first[name], second[name], first[name] != second[name]) for name in first if first[name] or second[name]
    ]
