"""The desk's questions: what a forum asks beside the usual details, in which order, of whom."""

from collections.abc import Callable, Mapping, Sequence
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
from app.kit.errors import Answer, Expired, Fault, Invalid, NotFound, Refused
from app.kit.inputs import parse
from app.registration import questioning
from app.registration.inputs import QuestionInput
from app.registration.question_queries import QuestionView, questions_of
from app.registration.quotas import house_of
from app.registration.rules.questions import DECIDING, Kind
from app.web import deps
from app.web.deps import Desk
from app.web.forms import Form, read_form, refilled
from app.web.pages import slug

router = APIRouter(include_in_schema=False)
DONE = frozenset({"added", "changed", "placed", "retired", "asked_again", "same"})
NEW = "new"
"""Where the empty form stands; no question bears it as a code."""


@router.get("/desk/{forum}/questions")
async def questions(request: Request, forum: str) -> Response:
    """The questions in their order; retired ones below."""
    return await _list(request, forum)


@router.get("/desk/{forum}/questions/{code}")
async def question(request: Request, forum: str, code: str) -> Response:
    """The form of one question, or the empty one."""
    desk, (there, groups) = await deps.read_at_desk(request, forum, _read)
    one = None if code == NEW else _named(there, slug(code))
    empty = Form({"kind": Kind.TEXT.value})
    return _form(request, desk, there, groups, one, empty if one is None else Form(_kept(one)))


@router.post("/desk/{forum}/questions/{code}")
async def save(request: Request, forum: str, code: str) -> Response:
    """Add a question, or change one if nobody else did meanwhile."""
    sent, now = await read_form(request, fields=120), clock.now()
    desk, (there, groups) = await deps.read_at_desk(request, forum, _read)
    one = None if code == NEW else _named(there, slug(code))
    edition = None if one is None else _whole(sent.get("edition"))
    try:
        read = _parsed(sent, one)

        def deed(db: Db, found: Forum) -> bool:
            return questioning.save_question(db, desk.actor, found, read, now=now, edition=edition)

        changed = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        again = refilled(desk.lang, sent, _placed(refused), ("categories",))
        return _form(request, desk, there, groups, one, again, refused.status)
    done = ("added" if one is None else "changed") if changed else "same"
    return deps.back(f"{desk.base}/questions?done={done}")


@router.post("/desk/{forum}/questions/{code}/place")
async def place(request: Request, forum: str, code: str) -> Response:
    """One place up or down."""
    known, now = slug(code), clock.now()

    def deed(db: Db, desk: Desk, found: Forum, sent: FormData) -> str:
        up = _chosen(sent, "to", "up", "down")
        moved = questioning.place_question(db, desk.actor, found, known, up=up, now=now)
        return "placed" if moved else "same"

    return await _act(request, forum, deed)


@router.post("/desk/{forum}/questions/{code}/retirement")
async def retire(request: Request, forum: str, code: str) -> Response:
    """Ask it no more, or again."""
    known, now = slug(code), clock.now()

    def deed(db: Db, desk: Desk, found: Forum, sent: FormData) -> str:
        retired = _chosen(sent, "retired", "yes", "no")
        questioning.retire_question(db, desk.actor, found, known, retired=retired, now=now)
        return "retired" if retired else "asked_again"

    return await _act(request, forum, deed)


async def _act(request: Request, forum: str, deed: Callable[[Db, Desk, Forum, FormData], str]) -> Response:
    """A button of the list."""
    sent = await read_form(request)
    desk, _ = await deps.read_at_desk(request, forum, _read)
    try:
        done = await deps.write_at_desk(request, desk, sent, lambda db, found: deed(db, desk, found, sent))
    except (Refused, Expired) as refused:
        return await _list(request, forum, refilled(desk.lang, FormData(), refused), refused.status)
    return deps.back(f"{desk.base}/questions?done={done}")


def _chosen(sent: FormData, name: str, yes: str, no: str) -> bool:
    """Which of two buttons was pressed. Raises Refused for anything else."""
    if sent.get(name) not in {yes, no}:
        raise Refused("not_a_choice")
    return sent.get(name) == yes


def _read(db: Db, desk: Desk) -> tuple[tuple[QuestionView, ...], list[Any]]:
    """Every question, and the groups. Three queries."""
    own = forum_id(desk.forum)
    desk.actor.must(Permission.EDIT_FORUM, own)
    return questions_of(db, own, retired=True), list(house_of(db, own).categories.values())


async def _list(request: Request, forum: str, form: Form | None = None, status: int = 200) -> Response:
    desk, (there, groups) = await deps.read_at_desk(request, forum, _read)
    done = request.query_params.get("done", "")
    asked = [one for one in there if not one.retired]
    values: dict[str, Any] = {
        "asked": asked,
        "retired": [one for one in there if one.retired],
        "groups": groups,
        "labels": {one.code: one.label for one in there},
        "last": asked[-1].code if asked else "",
        "form": form or Form(),
        "done": done if form is None and done in DONE else "",
    }
    return deps.show_at_desk(request, desk, "desk/questions.html", status=status, **values)


def _form(
    request: Request,
    desk: Desk,
    there: Sequence[QuestionView],
    groups: Sequence[Any],
    one: QuestionView | None,
    form: Form,
    status: int = 200,
) -> Response:
    before = [other for other in there if not other.retired and (one is None or other.position < one.position)]
    values: dict[str, Any] = {
        "one": one,
        "kinds": [kind.value for kind in Kind],
        "groups": groups,
        "deciding": [other for other in before if other.kind in DECIDING],
        "form": form,
        "edition": form.kept.get("edition", one.edition if one else 0),
    }
    return deps.show_at_desk(request, desk, "desk/question.html", status=status, **values)


def _named(there: Sequence[QuestionView], code: str) -> QuestionView:
    for one in there:
        if one.code == code:
            return one
    raise NotFound


def _kept(one: QuestionView) -> dict[str, str | Sequence[str]]:
    """A stored question as the form's fields."""
    kept: dict[str, str | Sequence[str]] = {
        "code": one.code,
        "kind": one.kind.value,
        "categories": list(one.categories),
        "options": "\n".join(f"{value} | {words.en} | {words.km}" for value, words in one.options),
        "shown_if": one.shown_if,
        "shown_for": ", ".join(one.shown_for),
        "required": "yes" if one.required else "",
        "sensitive": "yes" if one.sensitive else "",
    }
    for name, words in (("label", one.label), ("help", one.help), ("why", one.why)):
        kept |= {f"{name}_en": words.en, f"{name}_km": words.km}
    return kept


def _parsed(sent: FormData, one: QuestionView | None) -> QuestionInput:
    """The form as a question. Raises Invalid, with faults named after the question's parts."""
    text = {name: value for name, value in sent.items() if isinstance(value, str)}
    options, faults = _options(text.get("options", ""))
    code = one.code if one else text.get("code", "")
    fields: dict[str, Any] = {
        "code": code,
        "kind": text.get("kind", ""),
        "categories": tuple(value for value in sent.getlist("categories") if isinstance(value, str)),
        "label": _both(text, "label"),
        "help": _both(text, "help") if text.get("help_en") or text.get("help_km") else None,
        "why": _both(text, "why"),
        "required": text.get("required") == "yes",
        "sensitive": text.get("sensitive") == "yes",
        "options": options,
        "shown_if": text.get("shown_if", ""),
        "shown_for": tuple(part.strip() for part in text.get("shown_for", "").split(",") if part.strip()),
    }
    if code == NEW:
        faults.append(Fault("code", "not_this_form"))
    try:
        read = parse(QuestionInput, fields)
    except Invalid as invalid:
        raise Invalid([*faults, *invalid.faults]) from None
    if faults:
        raise Invalid(faults)
    return read


def _both(text: Mapping[str, str], name: str) -> dict[str, str]:
    return {"en": text.get(f"{name}_en", ""), "km": text.get(f"{name}_km", "")}


def _options(text: str) -> tuple[list[dict[str, Any]], list[Fault]]:
    """Choices, one a line: value | English | Khmer."""
    options: list[dict[str, Any]] = []
    faults: list[Fault] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split("|")]
        if len(parts) != 3 or not all(parts):
            faults.append(Fault("options", "option_line", {"line": number}))
            continue
        options.append({"value": parts[0], "label": {"en": parts[1], "km": parts[2]}})
    return options, faults


_FIELDS = {"label": "label_en", "help": "help_en", "why": "why_en"}
_PLACES = {
    "options_missing": "options",
    "options_twice": "options",
    "condition_half": "shown_for",
    "condition_value": "shown_for",
    "condition_kind": "shown_if",
    "condition_not_before": "shown_if",
    "question_twice": "code",
    "question_answered": "kind",
    "unknown_category": "categories",
    "too_many_files": "kind",
}


def _placed(refused: Answer) -> Answer:
    """The same refusal with its faults beside the form's fields."""
    if not isinstance(refused, Refused) or refused.status != Refused.status:
        return refused
    faults = []
    for fault in refused.faults:
        name = fault.field.split(".")[0]
        faults.append(Fault(_FIELDS.get(name, name) or _PLACES.get(fault.code, ""), fault.code, fault.values))
    return Invalid(faults)


def _whole(text: object) -> int:
    """The edition the form was opened on; 0, which none is, where that is not said."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 9 else 0
