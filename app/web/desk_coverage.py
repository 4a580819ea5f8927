"""The report on coverage at the desk: what the working copy covers, whose voices it hears, and what is missing."""

from typing import Any, get_args

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.forum.models import Forum
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Conflict, Expired, Fault, Invalid, NotFound, Refused
from app.kit.i18n import text_of
from app.kit.inputs import parse
from app.programme.describing import describe, mark_of
from app.programme.inputs import SpeakerKind, VoiceInput
from app.reports.coverage import Report, read_report
from app.reports.tables import as_csv
from app.web import deps
from app.web.deps import Desk
from app.web.desk_programme import must_edit
from app.web.forms import Form, read_form, refilled
from app.web.headers import SECRET

router = APIRouter(include_in_schema=False)
KINDS: tuple[str, ...] = get_args(SpeakerKind)
MOST_FIELDS = 1000


@router.get("/desk/{forum}/programme/coverage")
async def coverage(request: Request, forum: str) -> Response:
    """The report; with `?show=` the sessions behind one of its figures."""
    return await _page(request, forum)


@router.get("/desk/{forum}/programme/coverage.csv")
async def as_table(request: Request, forum: str) -> Response:
    """Every figure of the report with the codes behind it, closed sessions' too, as CSV: for those who edit."""

    def read(db: Db, desk: Desk) -> Report:
        must_edit(db, desk)
        return read_report(db, desk.forum, desk.lang)

    desk, report = await deps.read_at_desk(request, forum, read)
    said = {name: text_of(desk.lang, f"coverage.{name}") for name in ("part", "what", "counted", "figure", "codes")}
    rows = [
        [text_of(desk.lang, f"coverage.section.{section.name}"), row.label, column, str(one.n), "; ".join(one.codes)]
        for section in report.sections
        for row in section.rows
        for column, one in zip(section.columns, row.figures, strict=True)
    ]
    headers = {"content-disposition": 'attachment; filename="coverage.csv"', "cache-control": SECRET}
    return Response(as_csv(list(said.values()), rows), headers=headers, media_type="text/csv; charset=utf-8")


@router.post("/desk/{forum}/programme/coverage")
async def say(request: Request, forum: str) -> Response:
    """Say whose voices the speakers are."""
    sent, now = await read_form(request, fields=MOST_FIELDS), clock.now()
    desk, _ = await deps.read_at_desk(request, forum, must_edit)
    try:
        kinds, mark = _kinds(sent), str(sent.get("mark", ""))

        def deed(db: Db, found: Forum) -> int:
            return describe(db, desk.actor, found, kinds, mark=mark, now=now)

        await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        return await _page(request, forum, sent, refused)
    return deps.back(f"{desk.base}/programme/coverage?done=saved#voices")


def _kinds(sent: FormData) -> dict[str, str | None]:
    """What was chosen, by the speaker's code. Raises Invalid with a fault beside each that is no choice."""
    read: dict[str, str | None] = {}
    faults = []
    for name, value in sent.items():
        if name.startswith("kind-"):
            try:
                read[name.removeprefix("kind-")] = parse(VoiceInput, {"kind": value or None}).kind
            except Invalid:
                faults.append(Fault(name, "not_a_choice"))
    if faults:
        raise Invalid(faults)
    return read


async def _page(request: Request, forum: str, sent: FormData | None = None, refused: Answer | None = None) -> Response:
    desk, report = await deps.read_at_desk(request, forum, lambda db, desk: read_report(db, desk.forum, desk.lang))
    asked = request.query_params.get("show", "")
    shown = report.figures.get(asked)
    if asked and shown is None:
        raise NotFound("no_such_filter")
    form = refilled(desk.lang, sent, refused) if sent is not None and refused is not None else None
    if form is None:
        form = Form({f"kind-{one.code}": one.voice.kind or "" for one in report.speakers})
    values: dict[str, Any] = {
        "report": report,
        "shown": shown,
        "titles": report.titles,
        "form": form,
        "mark": mark_of(report.speakers),
        "kinds": [(kind, text_of(desk.lang, f"coverage.kind.{kind}")) for kind in KINDS],
        "stale": isinstance(refused, Conflict),
        "edits": desk.may(Permission.EDIT_PROGRAMME),
        "saved": request.query_params.get("done") == "saved" and refused is None,
    }
    status = refused.status if refused else 200
    return deps.show_at_desk(request, desk, "desk/coverage.html", status=status, **values)
