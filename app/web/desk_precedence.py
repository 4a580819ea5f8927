"""The desk's order of precedence: the ladder, who stands where, one rung's form, and one person's rank."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Conflict, Expired, Fault, Invalid, NotFound, Refused
from app.kit.i18n import Lang, day, is_khmer, text_of
from app.kit.inputs import parse
from app.registration import ranking
from app.registration.desk_queries import desk_registration
from app.registration.people import listed_name
from app.registration.quotas import house_of
from app.registration.rank_inputs import RankInput, RungInput
from app.registration.rank_queries import LadderView, Ranked, RungView, ladder_of, people_in_order, rank_of
from app.registration.rules.precedence import ALPHABETS
from app.registration.rules.states import State
from app.web import deps
from app.web.deps import Desk
from app.web.desk_registrations import name_of
from app.web.forms import Form, read_form, refilled
from app.web.pages import code as code_of
from app.web.pages import slug

router = APIRouter(include_in_schema=False)
DONE = frozenset({"added", "changed", "placed", "removed", "alphabet", "ranked", "same"})
NEW = "new"
"""Where the empty form stands; no rung bears it as a code."""
SHOWN = 30
SEVERAL = ("categories",)


@router.get("/desk/{forum}/precedence")
async def precedence(request: Request, forum: str) -> Response:
    """The ladder, and the first of those who are seated in its order; `?all=1` all of them."""
    return await _list(request, forum)


@router.post("/desk/{forum}/precedence")
async def act(request: Request, forum: str) -> Response:
    """A button of the list: a rung one place up or down, or away; the alphabet of countries."""
    sent, now = await read_form(request), clock.now()
    desk, _ = await deps.read_at_desk(request, forum, _to_change)

    def deed(db: Db, found: Forum) -> str:
        rung, act = str(sent.get("rung", "")), sent.get("act")
        if act == "alphabet":
            alphabet = str(sent.get("alphabet", ""))
            return "alphabet" if ranking.choose_alphabet(db, desk.actor, found, alphabet, now=now) else "same"
        if act == "removal":
            ranking.remove_rung(db, desk.actor, found, rung, now=now)
            return "removed"
        if act not in {"up", "down"}:
            raise Refused("not_a_choice")
        return "placed" if ranking.place_rung(db, desk.actor, found, rung, up=act == "up", now=now) else "same"

    try:
        done = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        return await _list(request, forum, refilled(desk.lang, sent, refused), refused.status)
    return deps.back(f"{desk.base}/precedence?done={done}")


@router.get("/desk/{forum}/precedence/{rung}")
async def rung(request: Request, forum: str, rung: str) -> Response:
    """The form of one rung, or the empty one."""
    desk, seen = await deps.read_at_desk(request, forum, _read_form)
    return _rung_form(request, desk, seen, _one(seen, rung), Form(_kept(_one(seen, rung))))


@router.post("/desk/{forum}/precedence/{rung}")
async def save(request: Request, forum: str, rung: str) -> Response:
    """Add a rung, or change one if nobody else did meanwhile."""
    sent, now = await read_form(request, fields=120), clock.now()
    desk, seen = await deps.read_at_desk(request, forum, _read_form)
    one, edition = _one(seen, rung), _edition(sent)
    try:
        read = _parsed(sent)

        def deed(db: Db, found: Forum) -> str:
            if one is None:
                ranking.add_rung(db, desk.actor, found, read, now=now)
                return "added"
            changed = ranking.change_rung(db, desk.actor, found, one.code, read, edition, now=now)
            return "changed" if changed else "same"

        done = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        return await _rung_again(request, forum, rung, sent, refused)
    return deps.back(f"{desk.base}/precedence?done={done}")


@router.get("/desk/{forum}/registrations/{code}/precedence")
async def person(request: Request, forum: str, code: str) -> Response:
    """Where one person stands, why, and the form to put them elsewhere."""
    known = code_of(code)
    desk, seen = await deps.read_at_desk(request, forum, lambda db, desk: _read_person(db, desk, known))
    return _person_form(request, desk, seen, Form(_kept_rank(seen.rank)))


@router.post("/desk/{forum}/registrations/{code}/precedence")
async def rank(request: Request, forum: str, code: str) -> Response:
    """Put one person on a rung with a reason, or back under the ladder's rule."""
    sent, known, now = await read_form(request), code_of(code), clock.now()
    desk, _ = await deps.read_at_desk(request, forum, _to_change)
    try:
        read = parse(RankInput, {name: sent.get(name, "") for name in RankInput.model_fields})
        seen = str(sent.get("seen", ""))

        def deed(db: Db, found: Forum) -> bool:
            return ranking.rank_person(db, desk.actor, found, known, read, seen=seen, now=now)

        changed = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        desk, there = await deps.read_at_desk(request, forum, lambda db, desk: _read_person(db, desk, known))
        return _person_form(request, desk, there, refilled(desk.lang, sent, refused), refused.status)
    done = "ranked" if changed else "same"
    return deps.back(f"{desk.base}/registrations/{known}/precedence?done={done}")


@dataclass(frozen=True, slots=True)
class Seen:
    """The ladder, the forum's groups by code, and everybody seated in order."""

    ladder: LadderView
    groups: Mapping[str, Any]
    people: Sequence[Ranked]


def _to_change(_db: Db, desk: Desk) -> None:
    desk.actor.must(Permission.EDIT_PROTOCOL, forum_id(desk.forum))


def _read(db: Db, desk: Desk) -> Seen:
    """Seven queries, however many people and rungs."""
    ladder = ladder_of(db, forum_id(desk.forum))
    people = people_in_order(db, desk.actor, desk.forum, ladder)
    return Seen(ladder, house_of(db, forum_id(desk.forum)).categories, people)


def _read_form(db: Db, desk: Desk) -> Seen:
    _to_change(db, desk)
    return Seen(ladder_of(db, forum_id(desk.forum)), house_of(db, forum_id(desk.forum)).categories, ())


async def _list(request: Request, forum: str, form: Form | None = None, status: int = 200) -> Response:
    desk, seen = await deps.read_at_desk(request, forum, _read)
    done, whole = request.query_params.get("done", ""), request.query_params.get("all") == "1"
    counts: dict[str, int] = {}
    for one in seen.people:
        counts[one.rung.code if one.rung else ""] = counts.get(one.rung.code if one.rung else "", 0) + 1
    lines = [line(desk.lang, place, one) for place, one in enumerate(seen.people, 1)]
    values: dict[str, Any] = {
        "rungs": [(rung, asked(desk.lang, rung, seen.groups), counts.get(rung.code, 0)) for rung in seen.ladder.rungs],
        "is_usual": seen.ladder.is_usual,
        "lines": lines if whole else lines[:SHOWN],
        "more": 0 if whole else max(0, len(lines) - SHOWN),
        "total": len(lines),
        "unplaced": [each for each in lines if not each["rung"]],
        "alphabets": [(name, text_of(desk.lang, f"precedence.alphabet.{name}")) for name in ALPHABETS],
        "edits": desk.may(Permission.EDIT_PROTOCOL),
        "form": form or Form({"alphabet": seen.ladder.alphabet}),
        "done": done if form is None and done in DONE else "",
    }
    return deps.show_at_desk(request, desk, "desk/precedence.html", status=status, **values)


def line(lang: Lang, place: int, one: Ranked) -> dict[str, Any]:
    """Somebody in the order, in words; in a private capacity without institution and function (rules §2)."""
    row, is_private = one.row, one.row.attends_as == "private"
    institution = (row.delegation_name_km if lang == "km" else "") or row.delegation_name or row.institution
    said = "" if is_private else ", ".join(part for part in (row.position_title, institution) if part)
    return {
        "place": place,
        "code": row.code,
        "name": listed_name(row),
        "titles": " ".join(row.titles or ()),
        "name_km": row.name_km,
        "said": text_of(lang, "precedence.private") if is_private else said,
        "letter": row.letter,
        "band": row.band,
        "category": row.category_name.of(lang),
        "heads": row.heads_delegation and not is_private,
        "since": day(row.since, lang, "short") if row.since else "",
        "rung": one.rung.name.of(lang) if one.rung else "",
        "put": one.put,
    }


def asked(lang: Lang, rung: RungView, groups: Mapping[str, Any], *, whole: bool = False) -> list[tuple[str, str]]:
    """Who stands on a rung, as (what is asked, words): those in the reader's script, or all of them."""
    rule = rung.rule
    named = [groups[code].name.of(lang) for code in rule.categories if code in groups]
    parts = [
        ("categories", " · ".join(named)),
        ("titles", " · ".join(rule.titles if whole else _own_script(lang, rule.titles))),
        ("functions", " · ".join(rule.functions if whole else _own_script(lang, rule.functions))),
        ("heads_only", text_of(lang, "rooms.yes") if rule.heads else ""),
    ]
    return [(text_of(lang, f"precedence.{name}"), words) for name, words in parts if words]


def _own_script(lang: Lang, words: Sequence[str]) -> Sequence[str]:
    """Those in the reader's script; all where none is."""
    return [each for each in words if is_khmer(each) == (lang == "km")] or words


def _one(seen: Seen, code: str) -> RungView | None:
    found = None if code == NEW else seen.ladder.named(slug(code))
    if found is None and code != NEW:
        raise NotFound
    return found


async def _rung_again(request: Request, forum: str, rung: str, sent: FormData, refused: Answer) -> Response:
    """The form as it was sent; after a save of somebody else's with the rung as it stands now beside it."""
    desk, seen = await deps.read_at_desk(request, forum, _read_form)
    one, form = _one(seen, rung), refilled(desk.lang, sent, _placed(refused), SEVERAL)
    if isinstance(refused, Conflict) and one is not None:
        theirs = [
            *(
                (text_of(desk.lang, f"precedence.{name}"), words)
                for name, words in zip(_NAMES, _names(one), strict=True)
            ),
            *asked(desk.lang, one, seen.groups, whole=True),
        ]
        return _rung_form(request, desk, seen, one, form, refused.status, theirs=theirs, edition=one.edition)
    return _rung_form(request, desk, seen, one, form, refused.status, edition=_edition(sent))


_NAMES = ("name_en", "name_km")


def _names(one: RungView) -> tuple[str, str]:
    return one.name.en, one.name.km


def _rung_form(
    request: Request,
    desk: Desk,
    seen: Seen,
    one: RungView | None,
    form: Form,
    status: int = 200,
    *,
    theirs: Sequence[tuple[str, str]] = (),
    edition: int | None = None,
) -> Response:
    values: dict[str, Any] = {
        "one": one,
        "groups": [(code, group.name.of(desk.lang), "") for code, group in seen.groups.items() if group.in_hall],
        "form": form,
        "theirs": theirs,
        "edition": edition if edition is not None else one.edition if one else 0,
    }
    return deps.show_at_desk(request, desk, "desk/rung.html", status=status, **values)


def _kept(one: RungView | None) -> dict[str, str | Sequence[str]]:
    """A stored rung as the form's fields."""
    if one is None:
        return {}
    return {
        "name_en": one.name.en,
        "name_km": one.name.km,
        "categories": one.rule.categories,
        "titles": "\n".join(one.rule.titles),
        "functions": "\n".join(one.rule.functions),
        "heads": "yes" if one.rule.heads else "",
    }


def _parsed(sent: FormData) -> RungInput:
    """The form as a rung. Raises Invalid."""
    text = {name: value for name, value in sent.items() if isinstance(value, str)}
    fields: dict[str, Any] = {
        "name": {"en": text.get("name_en", "").strip(), "km": text.get("name_km", "").strip()},
        "categories": sent.getlist("categories"),
        "titles": text.get("titles", ""),
        "functions": text.get("functions", ""),
        "heads": text.get("heads", ""),
    }
    return parse(RungInput, fields)


def _edition(sent: FormData) -> int:
    """The edition the form was opened on; -1, which none is, where that is not said."""
    text = sent.get("edition")
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 9 else -1


def _placed(refused: Answer) -> Answer:
    """The same refusal with its faults beside the form's fields."""
    if not isinstance(refused, Refused) or refused.status != Refused.status:
        return refused
    names = [(fault, fault.field.split(".")[0]) for fault in refused.faults]
    return Invalid([Fault("name_en" if name == "name" else name, one.code, one.values) for one, name in names])


@dataclass(frozen=True, slots=True)
class Person:
    """One person's registration, the ladder, what protocol knows of their rank, and everybody seated in order."""

    row: Any
    ladder: LadderView
    rank: Any
    people: Sequence[Ranked]


def _read_person(db: Db, desk: Desk, code: str) -> Person:
    whole = desk_registration(db, desk.actor, desk.forum, code)
    if whole.row.erased_at is not None:
        raise NotFound
    ladder = ladder_of(db, forum_id(desk.forum))
    people = people_in_order(db, desk.actor, desk.forum, ladder, states=(State.SEATED, State(whole.row.state)))
    return Person(whole.row, ladder, rank_of(db, whole.row.id), people)


def _kept_rank(rank: Any) -> dict[str, str | Sequence[str]]:
    if rank is None:
        return {}
    return {"rung": rank.rung or "", "since": str(rank.since or ""), "reason": rank.reason}


def _beside(lines: Sequence[dict[str, Any]], at: int) -> Sequence[dict[str, Any]]:
    """A line with the two before it and the two after it."""
    return lines[max(0, at - 2) : at + 3]


def _person_form(request: Request, desk: Desk, seen: Person, form: Form, status: int = 200) -> Response:
    here = next((at for at, one in enumerate(seen.people) if one.row.id == seen.row.id), None)
    lines = [line(desk.lang, at + 1, one) for at, one in enumerate(seen.people)]
    done = request.query_params.get("done", "")
    values: dict[str, Any] = {
        "row": seen.row,
        "name": name_of(desk.lang, seen.row),
        "mine": None if here is None else lines[here],
        "beside": [] if here is None else _beside(lines, here),
        "rungs": [(rung.code, rung.name.of(desk.lang)) for rung in seen.ladder.rungs],
        "rank": seen.rank,
        "seen": ranking.rank_seen(seen.rank),
        "edits": desk.may(Permission.EDIT_PROTOCOL),
        "form": form,
        "done": done if not form.faults and done in DONE else "",
        "stale": status == Conflict.status,
    }
    return deps.show_at_desk(request, desk, "desk/person_rank.html", status=status, **values)
