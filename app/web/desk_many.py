"""Many registrations at once: what would happen to each, doing it, and what has become of it."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter
from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Expired, Forbidden, NotFound, Refused
from app.kit.i18n import Lang, has_text, text_of
from app.kit.inputs import parse
from app.registration import deciding_many, foreseeing_many
from app.registration.deciding_many import MAILS_WAIT, TAKEN_BACK, Report
from app.registration.desk_inputs import ACTS, BulkInput
from app.registration.desk_queries import Tally, Wanted, tallies
from app.registration.foreseeing_many import DONE, Prospect
from app.registration.tagging import TagView, tags_of
from app.web import deps
from app.web.deps import Desk
from app.web.desk_registrations import asked_for, link, name_of
from app.web.forms import Form, read_form, refilled
from app.web.seats_left import left_words
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
AT_ONCE = 4
"""So many pieces the door itself does before it shows the page; the worker does the rest."""
SIGNS = {"seated": ("good", "✓"), "waiting": ("wait", "…"), "moved": ("river", "→"), "tagged": ("river", "+")}
SIGNS |= {"untagged": ("still", "–"), "declined": ("bad", "×"), "cancelled": ("bad", "×")}
"""Outcome → tone and sign; every other says why not."""


@router.get("/desk/{forum}/registrations/bulk")
async def look(request: Request, forum: str) -> Response:
    """What would happen to everybody who is chosen."""
    return await _look(request, forum, {**request.query_params})


@router.post("/desk/{forum}/registrations/bulk")
async def do(request: Request, forum: str) -> Response:
    """Do it, if it is still what was looked at: the first pieces at once, the others by the worker."""
    sent, now = await read_form(request, fields=20), clock.now()
    wanted = chosen_by(request.query_params)
    desk, _ = await deps.read_at_desk(request, forum, _may_decide)
    try:
        read = parse(BulkInput, _asked(sent))
        mark = str(sent.get("mark", ""))

        def begin(db: Db, found: Forum) -> int:
            return deciding_many.begin(db, desk.actor, found, wanted, read, mark=mark, now=now)

        number = await deps.write_at_desk(request, desk, sent, begin)
    except (Refused, Expired) as refused:
        return await _look(request, forum, {**sent}, refused, sent)
    return await _go_on(request, desk, sent, number)


@router.get("/desk/{forum}/registrations/bulk/{number}")
async def became(request: Request, forum: str, number: str) -> Response:
    """What has become of it; while some are left the page looks again by itself."""
    return await _report(request, forum, number)


@router.post("/desk/{forum}/registrations/bulk/{number}")
async def undo(request: Request, forum: str, number: str) -> Response:
    """Take it back, as far as that can be."""
    sent, known = await read_form(request), number_of(number)
    desk, _ = await deps.read_at_desk(request, forum, _may_decide)
    try:
        await deps.write_at_desk(
            request, desk, sent, lambda db, found: deciding_many.take_back(db, desk.actor, found, known)
        )
    except (Refused, Expired) as refused:
        return await _report(request, forum, number, refilled(desk.lang, sent, refused), refused.status)
    return await _go_on(request, desk, sent, known)


async def _go_on(request: Request, desk: Desk, sent: FormData, number: int) -> Response:
    now = clock.now()
    for _ in range(AT_ONCE):
        left = await deps.write_at_desk(
            request, desk, sent, lambda db, found: deciding_many.go_on(db, desk.actor, found, number, now=now)
        )
        if not left:
            break
    return deps.back(f"{desk.base}/registrations/bulk/{number}")


def chosen_by(params: QueryParams) -> Wanted:
    """Who is meant: those ticked, or with `whole=1` everybody that fits the question. Without either, nobody."""
    wanted = asked_for(params)
    if params.get("whole") == "1":
        return wanted.other()
    # ticked rows are meant whatever the question was
    codes = wanted.further.codes or ("-",)
    return Wanted(further=replace(type(wanted.further)(), codes=codes), columns=wanted.columns)


def _asked(sent: Any) -> dict[str, Any]:
    found = {name: sent.get(name, "") for name in BulkInput.model_fields}
    return {**found, "with_tag": found["with_tag"] or None}


def _may_decide(_db: Db, desk: Desk) -> None:
    desk.actor.must(Permission.DECIDE_REGISTRATIONS, forum_id(desk.forum))


def number_of(text: str) -> int:
    """A number in an address. Raises NotFound for what is none."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise NotFound
    return int(text)


Looked = tuple[Prospect | Answer, tuple[Tally, ...], list[TagView]]


async def _look(
    request: Request, forum: str, asked: dict[str, Any], refused: Answer | None = None, sent: FormData | None = None
) -> Response:
    wanted, now = chosen_by(request.query_params), clock.now()
    act = str(asked.get("act", ""))
    if refused is None and act not in ACTS:
        raise NotFound

    def read(db: Db, desk: Desk) -> Looked:
        _may_decide(db, desk)
        groups, tags = tallies(db, desk.actor, desk.forum), tags_of(db, desk.actor, desk.forum)
        try:
            meant = parse(BulkInput, _asked(asked))
            return foreseeing_many.look_at(db, desk.actor, desk.forum, wanted, meant, now=now), groups, tags
        except (Refused, NotFound) as why:
            return why, groups, tags

    desk, (seen, groups, tags) = await deps.read_at_desk(request, forum, read)
    unset = isinstance(seen, Refused) and all(fault.code.endswith("_chosen") and fault.field for fault in seen.faults)
    faults = refused or (None if unset or isinstance(seen, Prospect) else seen)
    if isinstance(faults, Forbidden):
        raise faults
    kept = {name: str(asked.get(name, "")) for name in ("act", "to", "with_tag", "note")}
    form = Form(kept, refilled(desk.lang, sent or FormData(kept), faults).faults if faults else {})
    prospect = seen if isinstance(seen, Prospect) else None
    address = f"{desk.base}/registrations"
    values: dict[str, Any] = {
        "act": act if act in ACTS else "",
        "form": form,
        "prospect": prospect,
        "groups": groups,
        "tags": tags,
        "names": {tally.code: tally.name.of(desk.lang) for tally in groups},
        "lines": [
            (one, name_of(desk.lang, one.row), *said(desk.lang, one.outcome))
            for one in sorted(prospect.lines, key=lambda one: not one.possible)
        ]
        if prospect
        else [],
        "counts": _counts(desk.lang, prospect.counts) if prospect else [],
        "minutes": int(MAILS_WAIT.total_seconds() // 60),
        "reversible": act in TAKEN_BACK,
        "sends_mail": site_of(request).settings.sends_mail,
        "question": _question(request.query_params, wanted),
        "action": link(f"{address}/bulk", wanted) + _whole(request.query_params, wanted, f"{address}/bulk"),
        "list": link(address, asked_for(request.query_params).other(further=_unticked(request.query_params))),
        "left_words": left_words,
    }
    status = faults.status if faults else 200
    return deps.show_at_desk(request, desk, "desk/many.html", status=status, **values)


def _unticked(params: QueryParams) -> Any:
    return replace(asked_for(params).further, codes=())


def _whole(params: QueryParams, wanted: Wanted, address: str) -> str:
    if params.get("whole") != "1":
        return ""
    return f"{'&' if link(address, wanted) != address else '?'}whole=1"


def _question(params: QueryParams, wanted: Wanted) -> list[tuple[str, str]]:
    """The chosen as hidden fields, for looking again with another group or tag."""
    whole = [("whole", "1")] if params.get("whole") == "1" else []
    return [*whole, *parse_qsl(link("", wanted).removeprefix("?"))]


def said(lang: Lang, outcome: str) -> tuple[str, str, str]:
    """An outcome as tone, sign and words."""
    if outcome in DONE:
        return (*SIGNS[outcome], text_of(lang, f"many.outcome.{outcome}"))
    key = f"many.stays.{outcome}"
    return "still", "·", text_of(lang, key if has_text(lang, key) else "many.stays.other")


def _counts(lang: Lang, counts: Any) -> list[tuple[str, str, str, int]]:
    """How many come to each, what can be done first; those of whom it cannot be done together by reason."""
    order = sorted(counts, key=lambda outcome: (outcome not in DONE, outcome))
    return [(*said(lang, outcome), counts[outcome]) for outcome in order]


async def _report(request: Request, forum: str, number: str, form: Form | None = None, status: int = 200) -> Response:
    known = number_of(number)

    def read(db: Db, desk: Desk) -> tuple[Report, list[TagView], tuple[Tally, ...]]:
        found = deciding_many.report(db, desk.actor, desk.forum, known)
        return found, tags_of(db, desk.actor, desk.forum), tallies(db, desk.actor, desk.forum)

    desk, (found, tags, groups) = await deps.read_at_desk(request, forum, read)
    bulk = found.bulk
    names = {tag.id: tag.name for tag in tags}
    groups_by = {tally.code: tally.name.of(desk.lang) for tally in groups}
    moving = bulk.state in {"doing", "taking_back"}
    values: dict[str, Any] = {
        "form": form or Form(),
        "bulk": bulk,
        "report": found,
        "lines": [
            (row, name_of(desk.lang, row), *said(desk.lang, row.outcome), _back(desk.lang, found, row))
            for row in found.items
            if row.outcome
        ],
        "counts": _counts(desk.lang, found.outcomes),
        "tag": names.get(bulk.values.get("tag", 0), ""),
        "group": groups_by.get(bulk.values.get("category", ""), ""),
        "moving": moving,
        "can_go_back": len(found.can_go_back) if bulk.state in {"done", "stopped"} and bulk.act in TAKEN_BACK else 0,
        "reversible": bulk.act in TAKEN_BACK,
        "list": f"{desk.base}/registrations",
        "now": clock.now(),
    }
    return deps.show_at_desk(request, desk, "desk/many_done.html", status=status, **values)


def _back(lang: Lang, found: Report, row: Any) -> str:
    """What became of taking one back, or why it cannot be."""
    if row.back:
        return text_of(lang, "many.back_done") if row.back == "done" else said(lang, row.back)[2]
    why = found.stays.get(row.application_id, "")
    return said(lang, why)[2] if why and found.bulk.act in TAKEN_BACK else ""
