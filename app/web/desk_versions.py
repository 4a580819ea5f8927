"""Publishing at the desk: the versions there are, what publishing would change, and the form that does it."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.calendars.common import common_sessions
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Expired, Fault, Invalid, Refused
from app.kit.i18n import LANGS, Bilingual, Lang, text_of
from app.kit.inputs import parse
from app.programme import telling as telling_speakers
from app.programme.comparing import Step, entries, steps
from app.programme.inputs import PublishInput
from app.programme.publishing import Pending, pending, publish
from app.programme.queries import history
from app.programme.rules.changes import Change, changes_for
from app.programme.rules.visibility import PUBLIC, Viewer
from app.programme.worded import line_of, words_of
from app.registration import telling
from app.registration.signing_up import move_lists
from app.web import deps
from app.web.deps import Desk
from app.web.forms import Form, read_form, refilled
from app.web.working import Working, read_working

router = APIRouter(include_in_schema=False)
DESK = Viewer(desk=True)
MOST_IN_EXAMPLE = 5


@dataclass(frozen=True, slots=True)
class Seen:
    """What the page is made of, read on one view of the database; `concerned` counts people."""

    pending: Pending
    steps: list[Step]
    working: Working
    concerned: int
    example: tuple[Change, ...]


@router.get("/desk/{forum}/programme/versions")
async def versions(request: Request, forum: str) -> Response:
    """Every version with its changes, and what publishing now would change."""
    return await _page(request, forum)


@router.post("/desk/{forum}/programme/versions")
async def create(request: Request, forum: str) -> Response:
    """Publish what was looked at, or say what stands in the way."""
    sent, now = await read_form(request), clock.now()
    desk, _ = await deps.read_at_desk(request, forum, _must_publish)
    try:
        read = parse(PublishInput, {name: sent.get(name, "") for name in PublishInput.model_fields})
        note = _note(read)

        def deed(db: Db, found: Forum) -> int:
            number = publish(db, desk.actor, found, now=now, note=note, reason=read.reason, looked_at=read.mark)
            move_lists(db, found, None, now=now)
            return number

        number = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        return await _page(request, forum, sent, refused)
    return deps.back(f"{desk.base}/programme/versions?done={number}")


def _must_publish(_db: Db, desk: Desk) -> None:
    desk.actor.must(Permission.PUBLISH_PROGRAMME, forum_id(desk.forum))


def _note(read: PublishInput) -> Bilingual | None:
    """The note in both languages or none: whoever reads the other one would find nothing."""
    texts = {lang: getattr(read, f"note_{lang}") for lang in LANGS}
    missing = [lang for lang, text in texts.items() if not text]
    if len(missing) == 1:
        raise Invalid([Fault(f"note_{missing[0]}", "missing")])
    return None if missing else Bilingual(texts["en"], texts["km"])


def _read(db: Db, desk: Desk) -> Seen:
    now, own = clock.now(), forum_id(desk.forum)
    waiting = pending(db, desk.forum, now=now)
    common = common_sessions(db, own, waiting.before.with_sessions(waiting.sessions))
    return Seen(
        waiting,
        steps(history(db, own), DESK),
        read_working(db, desk, now),
        telling.concerned(db, desk.forum, waiting.changes, common)
        + telling_speakers.concerned_speakers(db, desk.forum, waiting.changes),
        tuple(changes_for(entries(waiting.before.sessions), entries(waiting.sessions), PUBLIC)),
    )


async def _page(request: Request, forum: str, sent: FormData | None = None, refused: Answer | None = None) -> Response:
    desk, seen = await deps.read_at_desk(request, forum, _read)
    form = refilled(desk.lang, sent, refused) if sent is not None and refused is not None else Form({})
    zone, waiting = desk.forum.timezone, seen.pending
    done = request.query_params.get("done", "")
    example = seen.example[:MOST_IN_EXAMPLE]
    values: dict[str, Any] = {
        "form": Form({**form.kept, "mark": waiting.mark}, form.faults),
        "waiting": waiting,
        "lines": [words_of(change, desk.lang, zone) for change in waiting.changes],
        "obstacles": [one for one in seen.working.obstacles if not one.intended],
        "calls": bool(waiting.gaps) or any(one.calls for one in seen.working.obstacles),
        "concerned": seen.concerned,
        "examples": [(lang, _subject(lang), [line_of(change, lang, zone) for change in example]) for lang in LANGS],
        "past": [
            (step, _summary(desk.lang, step), [words_of(c, desk.lang, zone) for c in step.changes])
            for step in seen.steps
        ],
        "publishes": desk.may(Permission.PUBLISH_PROGRAMME),
        "edits": desk.may(Permission.EDIT_PROGRAMME),
        "done": int(done) if refused is None and done.isascii() and done.isdigit() and len(done) < 6 else 0,
    }
    return deps.show_at_desk(
        request, desk, "desk/programme_versions.html", status=refused.status if refused else 200, **values
    )


def _subject(lang: Lang) -> str:
    return text_of(lang, "mail.registration.programme_changed.subject")


def _summary(lang: Lang, step: Step) -> str:
    key, count = ("first", step.sessions) if step.first else ("some" if step.changes else "none", len(step.changes))
    return text_of(lang, f"programme.history.{key}", n=count)
