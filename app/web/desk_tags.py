"""The forum's tags, and what the desk writes down about one registration: notes, and which tags it is marked with."""

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
from app.kit.i18n import text_of
from app.kit.inputs import parse
from app.registration import noting, tagging
from app.registration.desk_inputs import TONES, NoteInput, TagInput
from app.web import deps
from app.web.desk_many import number_of
from app.web.desk_registration import registration_again
from app.web.desk_registrations import asked_for, link
from app.web.forms import Form, read_form, refilled
from app.web.pages import code as code_of

router = APIRouter(include_in_schema=False)
DONE = frozenset({"put", "removed"})


@router.get("/desk/{forum}/tags")
async def tags(request: Request, forum: str) -> Response:
    """The forum's tags, each with how many registrations are marked with it."""
    return await _page(request, forum)


@router.post("/desk/{forum}/tags")
async def change(request: Request, forum: str) -> Response:
    """Make a tag, change or remove the one that the form names."""
    sent, now = await read_form(request), clock.now()
    desk, _ = await deps.read_at_desk(request, forum, lambda db, desk: tagging.tags_of(db, desk.actor, desk.forum))

    def deed(db: Db, found: Forum) -> str:
        tag = number_of(str(sent["tag"])) if sent.get("tag") else None
        if sent.get("act") == "remove" and tag is not None:
            tagging.remove_tag(db, desk.actor, found, tag, now=now)
            return "removed"
        if sent.get("act") != "put":
            raise Refused("not_a_choice")
        read = parse(TagInput, {name: sent.get(name, "") for name in TagInput.model_fields})
        tagging.put_tag(db, desk.actor, found, read, tag, now=now)
        return "put"

    try:
        done = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        return await _page(request, forum, refilled(desk.lang, sent, refused), refused.status)
    return deps.back(f"{desk.base}/tags?done={done}")


async def _page(request: Request, forum: str, form: Form | None = None, status: int = 200) -> Response:
    desk, there = await deps.read_at_desk(request, forum, lambda db, desk: tagging.tags_of(db, desk.actor, desk.forum))
    chosen = next((tag for tag in there if str(tag.id) == request.query_params.get("tag", "")), None)
    kept = {"name": chosen.name, "letter": chosen.letter, "tone": chosen.tone} if chosen else {"tone": TONES[0]}
    done = request.query_params.get("done", "")
    values: dict[str, Any] = {
        "tags": there,
        "chosen": chosen,
        "form": form or Form(kept),
        "tones": [(tone, text_of(desk.lang, f"tags.tone.{tone}"), "") for tone in TONES],
        "may_change": desk.may(Permission.DECIDE_REGISTRATIONS),
        "done": done if form is None and done in DONE else "",
        "list": f"{desk.base}/registrations",
    }
    return deps.show_at_desk(request, desk, "desk/tags.html", status=status, **values)


@router.post("/desk/{forum}/registrations/{code}/notes")
async def write_down(request: Request, forum: str, code: str) -> Response:
    """Write a note, take one out, or bring the registration's tags to those ticked."""
    sent, now, known = await read_form(request, fields=90), clock.now(), code_of(code)
    desk, _ = await deps.read_at_desk(request, forum, lambda db, desk: tagging.tags_of(db, desk.actor, desk.forum))

    def deed(db: Db, found: Forum) -> str:
        act = str(sent.get("act", ""))
        if act == "tags":
            tagging.put_tags(db, desk.actor, found, known, _ticked(sent), now=now)
        elif act.startswith("remove-"):
            noting.remove_note(db, desk.actor, found, known, number_of(act.removeprefix("remove-")), now=now)
        elif act != "note":
            raise Refused("not_a_choice")
        else:
            noting.write_note(db, desk.actor, found, known, parse(NoteInput, {"words": sent.get("words", "")}), now=now)
        return "tags" if act == "tags" else "note"

    try:
        done = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        return await registration_again(
            request, forum, code, refilled(desk.lang, sent, refused, ("tag",)), refused.status
        )
    address = link(f"{desk.base}/registrations/{known}?done={done}", asked_for(request.query_params))
    return deps.back(f"{address}#notes")


def _ticked(sent: FormData) -> list[int]:
    return [number_of(str(value)) for value in sent.getlist("tag")]
