"""The desk's list of participants: given out as PDF or workbook, provisional or final, and the final ones there are."""

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.forum.models import Forum
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Expired, Fault, Invalid, NotFound, Refused
from app.kit.i18n import moment, text_of
from app.kit.inputs import parse
from app.registration import participant_lists
from app.registration.participant_lists import Issue, LayoutInput, kept_lists, lines_now
from app.reports import participants
from app.web import deps
from app.web.deps import Desk
from app.web.forms import Form, read_form, refilled
from app.web.headers import SECRET
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
KINDS = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
STATUSES = ("provisional", "final")
USUAL = LayoutInput(language="both", group="category")


@router.get("/desk/{forum}/participants")
async def choosing(request: Request, forum: str) -> Response:
    """The form, and the final lists there are."""
    kept = {"language": "both", "group": "category", "status": "provisional", "kind": "pdf"}
    return await _page(request, forum, Form(kept))


@router.post("/desk/{forum}/participants")
async def giving(request: Request, forum: str) -> Response:
    """The list as a file: as it stands now, or with `number` a final one again."""
    sent, now = await read_form(request), clock.now()
    layout, final = USUAL, False
    try:
        again, kind = _number(sent.get("number")), str(sent.get("kind", ""))
        if kind not in KINDS:
            raise Invalid([Fault("kind", "not_a_choice")])
        if not again:
            layout, final = _asked(sent), sent.get("status") == "final"
        desk, lines = await deps.read_at_desk(
            request, forum, lambda db, desk: [] if again else lines_now(db, desk.actor, desk.forum, layout)
        )

        def deed(db: Db, found: Forum) -> Issue:
            if again:
                return participant_lists.kept_issue(db, desk.actor, found, again, kind, now=now)
            return participant_lists.issue(db, desk.actor, found, layout, lines, kind, final=final, now=now)

        issue = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        desk, _ = await deps.read_at_desk(request, forum, _nothing)
        return await _page(request, forum, refilled(desk.lang, sent, refused), refused.status)
    return await _file(request, desk, issue, kind)


def _asked(sent: Any) -> LayoutInput:
    fields = {name: sent.get(name, "") for name in LayoutInput.model_fields}
    if sent.get("status") not in STATUSES:
        raise Invalid([Fault("status", "not_a_choice")])
    return parse(LayoutInput, fields)


def _number(text: Any) -> int:
    """The number of a final list; 0 where a new list is asked for. Raises NotFound for what is no number."""
    if text is None:
        return 0
    if not (isinstance(text, str) and text.isascii() and text.isdigit() and 0 < len(text) < 8 and int(text)):
        raise NotFound
    return int(text)


def _nothing(_db: Db, _desk: Desk) -> None:
    return None


async def _file(request: Request, desk: Desk, issue: Issue, kind: str) -> Response:
    if kind == "pdf":
        values = participants.printed_values(desk.forum, issue)
        body = await site_of(request).print("print/participants.typ", values, at=issue.made_at)
    else:
        body = await asyncio.to_thread(participants.workbook_of, desk.forum, issue)
    stands = f"final-{issue.number}" if issue.number else "provisional"
    name = f"{desk.forum.slug}-participants-{stands}-{issue.layout.language}.{kind}"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": SECRET}
    return Response(body, headers=headers, media_type=KINDS[kind])


async def _page(request: Request, forum: str, form: Form, status: int = 200) -> Response:
    desk, kept = await deps.read_at_desk(request, forum, lambda db, desk: kept_lists(db, desk.actor, desk.forum))

    def named(group: str, names: tuple[str, ...]) -> list[tuple[str, str, str]]:
        return [
            (
                name,
                text_of(desk.lang, f"participants.{group}.{name}"),
                text_of(desk.lang, f"participants.{group}_hint.{name}"),
            )
            for name in names
        ]

    values: dict[str, Any] = {
        "form": form,
        "languages": [(name, text_of(desk.lang, f"participants.language.{name}"), "") for name in ("both", "en", "km")],
        "groups": named("group", ("category", "delegation")),
        "statuses": named("status", STATUSES) if desk.may(Permission.EDIT_PROTOCOL) else named("status", STATUSES[:1]),
        "kinds": [(name, text_of(desk.lang, f"participants.kind.{name}"), "") for name in KINDS],
        "kept": [
            {
                "number": one.number,
                "status": participants.status(desk.lang, Issue(one.number, one.made_at, one.layout, ())),
                "when": moment(one.made_at, desk.lang, desk.forum.timezone),
                "people": one.people,
                "language": text_of(desk.lang, f"participants.language.{one.layout.language}"),
            }
            for one in kept
        ],
    }
    return deps.show_at_desk(request, desk, "desk/participants.html", status=status, **values)
