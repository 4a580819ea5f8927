"""One session's form at the desk: made, changed, cancelled, restored; who else has it open; both versions of two."""

from datetime import date
from typing import Any, get_args

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.forum.inputs import SETUPS, Language
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Conflict, Expired, NotFound, Refused
from app.kit.i18n import Bilingual, Lang, is_khmer, text_of
from app.kit.inputs import parse
from app.programme import editing
from app.programme.drafting import states_of
from app.programme.inputs import ActInput, SessionInput, SessionType
from app.programme.marking import mark
from app.programme.remembering import Edit, State, uid_of_code
from app.programme.rules.codes import CLOSED, next_code, series_of
from app.registration.pick_queries import sign_up_counts
from app.web import deps
from app.web.deps import Desk
from app.web.desk_programme import edit_of, edition_in, must_edit, query_of, room_choices, said
from app.web.desk_session_form import MOST_FIELDS, ROLES, SEVERAL, fields_of, read_session, rows_of
from app.web.desk_session_words import Names, differences
from app.web.desk_timetable import block
from app.web.forms import Form, read_form, refilled
from app.web.pages import code as code_of
from app.web.site import site_of
from app.web.working import Working, read_working

router = APIRouter(include_in_schema=False)
TYPES, LANGUAGES = get_args(SessionType), get_args(Language)
FACETS, RULES = ("traditional", "non-traditional", "both"), ("REC", "CHR", "CLO")
NEW = "new"
"""Where a session is made; no code is written small."""


@router.get("/desk/{forum}/programme/sessions/new")
async def empty(request: Request, forum: str) -> Response:
    """An empty form, with the next free code of the day's series."""
    desk, (working, _) = await _read(request, forum, NEW)
    offered = _offered(working, request.query_params.get("day", ""))
    kept = {"code": offered, "type": "panel", "attribution": "REC"}
    return _page(request, desk, working, None, Form(kept))


@router.post("/desk/{forum}/programme/sessions/new")
async def make(request: Request, forum: str) -> Response:
    """Make a session."""
    return await _save(request, forum, NEW)


@router.get("/desk/{forum}/programme/sessions/{code}")
async def session(request: Request, forum: str, code: str) -> Response:
    """A session's form, ready to be changed; whoever opens it is marked as having it open."""
    known, now = code_of(code), clock.now()
    desk, (working, state) = await _read(request, forum, known)
    await site_of(request).write(desk.forum.slug, lambda db: mark(db, desk.actor, desk.forum, known, now=now))
    assert state is not None  # noqa: S101 - `_read` raises where it is not there
    number = edition_in(request.query_params.get("edit"))
    edit = await site_of(request).read(lambda db: edit_of(db, desk, number))
    form = Form(fields_of(state.draft, desk.forum.timezone))
    return _page(request, desk, working, state, form, **said(request, working, edit))


@router.post("/desk/{forum}/programme/sessions/{code}")
async def save(request: Request, forum: str, code: str) -> Response:
    """Save a session's form."""
    return await _save(request, forum, code_of(code))


@router.post("/desk/{forum}/programme/sessions/{code}/cancellation")
async def cancellation(request: Request, forum: str, code: str) -> Response:
    """Take a session out of the programme."""
    known, now = code_of(code), clock.now()

    def deed(db: Db, desk: Desk, found: Forum, edition: int, _reason: str) -> editing.Edited:
        return editing.cancel(db, desk.actor, found, known, edition=edition, now=now)

    return await _act(request, forum, known, deed)


@router.post("/desk/{forum}/programme/sessions/{code}/restoration")
async def restoration(request: Request, forum: str, code: str) -> Response:
    """Let a cancelled session take place after all."""
    known, now = code_of(code), clock.now()

    def deed(db: Db, desk: Desk, found: Forum, edition: int, reason: str) -> editing.Edited:
        taken = sign_up_counts(db, found)
        return editing.restore(db, desk.actor, found, known, edition=edition, now=now, reason=reason, taken=taken)

    return await _act(request, forum, known, deed)


@router.post("/desk/{forum}/programme/sessions/{code}/mark")
async def keep_mark(request: Request, forum: str, code: str) -> Response:
    """The form is still open: say so, and learn who else has it open."""
    sent, now, known = await read_form(request), clock.now(), code_of(code)
    desk, _ = await deps.read_at_desk(request, forum, must_edit)
    await deps.write_at_desk(request, desk, sent, lambda db, found: mark(db, desk.actor, found, known, now=now))
    desk, working = await deps.read_at_desk(request, forum, lambda db, desk: read_working(db, desk, now))
    there = working.session(known)
    marks = working.marks.get(there.uid, []) if there else []
    return deps.show_at_desk(request, desk, "desk/_marks.html", marks=marks, alone=True)


async def _save(request: Request, forum: str, known: str) -> Response:
    sent, now = await read_form(request, fields=MOST_FIELDS), clock.now()
    desk, (working, state) = await _read(request, forum, known, gone_too=True)
    draft = None
    try:
        draft = read_session(sent, desk.forum.timezone, working.speakers, state.draft if state else None)
        reason = parse(ActInput, {"reason": sent.get("reason", "")}).reason
        wanted, edition = draft, edition_in(sent.get("edition"))

        def deed(db: Db, found: Forum) -> editing.Edited:
            taken = sign_up_counts(db, found)
            if known == NEW:
                return editing.create(db, desk.actor, found, wanted, now=now, reason=reason, taken=taken)
            return editing.change(
                db, desk.actor, found, known, wanted, edition=edition, now=now, reason=reason, taken=taken
            )

        if known != NEW and state is None:
            raise Conflict("session_gone")
        done = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        return await _again(request, forum, known, sent, refused, draft)
    return deps.back(f"{desk.base}/programme/sessions/{done.code}?{query_of(None, done)}")


async def _act(request: Request, forum: str, known: str, deed: Any) -> Response:
    """A button beside the form, and where it leads; where it is refused, the form with why."""
    sent = await read_form(request)
    desk, (working, _) = await _read(request, forum, known)
    try:
        reason = parse(ActInput, {"reason": sent.get("reason", "")}).reason
        edition = edition_in(sent.get("edition"))
        done = await deps.write_at_desk(request, desk, sent, lambda db, found: deed(db, desk, found, edition, reason))
    except (Refused, Expired) as refused:
        return await _again(request, forum, known, sent, refused, None)
    if done.kind is Edit.REMOVED:
        there = working.session(known)
        day = working.local_day(there.starts_at) if there and there.starts_at else None
        return deps.back(f"{desk.base}/programme?{query_of(day, done)}")
    return deps.back(f"{desk.base}/programme/sessions/{done.code}?{query_of(None, done)}")


async def _read(
    request: Request, forum: str, known: str, *, gone_too: bool = False
) -> tuple[Desk, tuple[Working, State | None]]:
    """The working copy and one session of it, for those who may edit. Raises Forbidden, and NotFound for a session
    that is not there; with `gone_too` only for one that never was."""
    now = clock.now()

    def read(db: Db, desk: Desk) -> tuple[Working, State | None]:
        own = forum_id(desk.forum)
        desk.actor.must(Permission.EDIT_PROGRAMME, own)
        state = None if known == NEW else next(iter(states_of(db, own, code=known).values()), None)
        if known != NEW and state is None and not (gone_too and uid_of_code(db, own, known)):
            raise NotFound
        return read_working(db, desk, now), state

    return await deps.read_at_desk(request, forum, read)


async def _again(
    request: Request, forum: str, known: str, sent: FormData, refused: Answer, draft: SessionInput | None
) -> Response:
    """The form as it was sent, with what is wrong; where others saved meanwhile, both versions side by side."""
    desk, (working, state) = await _read(request, forum, known, gone_too=True)
    form = refilled(desk.lang, sent, refused, several=SEVERAL)
    if draft is None and state is not None and "title_en" not in sent:  # a button beside the form
        form = Form(fields_of(state.draft, desk.forum.timezone), form.faults)
    names = Names(desk.lang, working.page, working.speakers)
    stale = isinstance(refused, Conflict)
    both = differences(names, draft, state.draft) if stale and draft and state else []
    new = [working.obstacle(one) for one in refused.values.get("found", ())]
    edition = None if stale or state is None else edition_in(sent.get("edition"))
    return _page(
        request, desk, working, state, form, status=refused.status, stale=stale, both=both, new=new, edition=edition
    )


def _page(
    request: Request,
    desk: Desk,
    working: Working,
    state: State | None,
    form: Form,
    *,
    status: int = 200,
    edition: int | None = None,
    **values: Any,
) -> Response:
    there = working.session(state.draft.code) if state else None
    lang, page = desk.lang, working.page
    shown: dict[str, Any] = {
        "form": form,
        "state": state,
        "block": block(working, there) if there else None,
        "marks": working.marks.get(state.uid, []) if state else [],
        "edition": edition if edition is not None else state.edition if state else 0,
        "rows": rows_of(form.kept),
        "roles": ROLES,
        "speakers": [(code, *_in_script(name, lang)) for code, name in working.speakers.items()],
        "rooms": room_choices(working),
        "tracks": [(track.code, f"{track.code} · {track.short_title.of(lang)}", "") for track in page.tracks],
        "themes": [(slug, title.of(lang), "") for track in page.tracks for slug, title in track.themes],
        "objectives": [(str(number), text.of(lang), "") for number, text in page.objectives],
        "types": [(each, text_of(lang, f"programme.type.{each}")) for each in TYPES],
        "setups": [(each, text_of(lang, f"rooms.setup_names.{each}")) for each in SETUPS],
        "facets": [(each, text_of(lang, f"programme.facets.{each}")) for each in FACETS],
        "rules": [(each, text_of(lang, f"editor.attribution.{each}")) for each in RULES],
        "languages": [(each, text_of(lang, f"programme.language.{each}"), "") for each in LANGUAGES],
        "closed_code": next_code((session.code for session in working.sessions), CLOSED),
        "public": working.published.get(state.uid) if state else None,
        "stale": False,
        "both": [],
        "new": [],
        "done": "",
        "edit": None,
        "together": 0,
        "undo_edition": 0,
    }
    return deps.show_at_desk(request, desk, "desk/programme_session.html", status=status, **{**shown, **values})


def _in_script(name: Bilingual, lang: Lang) -> tuple[str, str]:
    """A name as an option shows it, and the language it is to be read in: some have a name in one script alone."""
    words = name.of(lang)
    return words, "km" if is_khmer(words) else "en"


def _offered(working: Working, text: str) -> str:
    """The next free code of the series of a day, or of the first where none is named."""
    codes = [session.code for session in working.sessions]
    days = sorted({working.local_day(s.starts_at) for s in working.sessions if s.starts_at})
    on = next((day for day in days if day.isoformat() == text), days[0] if days and not text else None)
    there = [s.code for s in working.sessions if on and s.starts_at and working.local_day(s.starts_at) == on]
    first = working.page.forum.starts_on
    asked = _date(text)
    number = (asked - first).days + 1 if asked and first and asked >= first else 1
    return next_code(codes, series_of(there, f"D{number}-"))


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
