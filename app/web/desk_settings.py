"""The forum's settings at the desk, part by part: what would be seen of them, saving, and taking a change back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.forum.models import Forum, SettingEdit
from app.forum.setting import State, mark_of
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Conflict, Expired, NotFound, Refused
from app.kit.i18n import Lang, text_of
from app.kit.inputs import Input
from app.registration.changing_settings import NAMES, change_part, changes_of, part_of, take_back_change
from app.reports.history import who
from app.web import deps
from app.web.deps import DESK_FORM, Desk
from app.web.desk_settings_form import LANGUAGES, Block, Entry, blocks_of, fields_of, placed, read_part
from app.web.desk_settings_look import Frame, frames_with
from app.web.forms import Form, read_form, refilled
from app.web.pages import read_form_token

router = APIRouter(include_in_schema=False)
MOST_FIELDS = 1000
DONE = frozenset({"saved", "same", "taken_back", "opened", "without_programme"})


@router.get("/desk/{forum}/settings")
async def settings(request: Request, forum: str) -> Response:
    """Every part, and the last changes of them."""
    return await _overview(request, forum)


@router.get("/desk/{forum}/settings/{part}")
async def part_form(request: Request, forum: str, part: str) -> Response:
    """The form of one part as it stands."""
    desk, state = await _state(request, forum, part)
    return _form(request, desk, part, state, Form(fields_of(part, state)))


@router.post("/desk/{forum}/settings/{part}")
async def act(request: Request, forum: str, part: str) -> Response:
    """Save a part, show what would be seen of it, or take a change of it back, as `act` says."""
    sent = await read_form(request, fields=MOST_FIELDS)
    desk, state = await _state(request, forum, part)
    if sent.get("act") == "undo":
        return await _take_back(request, desk, part, sent)
    try:
        read = read_part(part, sent, state)
        if _looks(sent):
            return await _look(request, desk, part, state, sent, read)
        changed = await _save(request, desk, part, sent, read)
    except (Refused, Expired) as refused:
        return await _form_again(request, forum, part, sent, refused)
    return deps.back(f"{desk.base}/settings?done={'saved' if changed else 'same'}")


def _looks(sent: FormData) -> bool:
    """Is it to be looked at, and not to be saved? Raises Refused for anything else."""
    if sent.get("act") not in {"save", "look"}:
        raise Refused("not_a_choice")
    return sent.get("act") == "look"


async def _save(request: Request, desk: Desk, part: str, sent: FormData, read: Input) -> bool:
    mark, now, by = str(sent.get("mark", "")), clock.now(), desk.actor

    def deed(db: Db, found: Forum) -> bool:
        return change_part(db, by, found, part, read, mark=mark, now=now)

    return await deps.write_at_desk(request, desk, sent, deed)


async def _take_back(request: Request, desk: Desk, part: str, sent: FormData) -> Response:
    number, now, by = _number(sent.get("number")), clock.now(), desk.actor

    def deed(db: Db, found: Forum) -> bool:
        return take_back_change(db, by, found, number, now=now, part=part)

    try:
        await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        form = refilled(desk.lang, FormData(), refused)
        return await _overview(request, desk.forum.slug, form, refused.status)
    return deps.back(f"{desk.base}/settings?done=taken_back")


def _number(text: object) -> int:
    """The number of a change. Raises NotFound where it can be none."""
    if not (isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound
    return int(text)


async def _look(request: Request, desk: Desk, part: str, state: State, sent: FormData, read: Input) -> Response:
    """The form as it was sent, and the pages as they would be; nothing is written."""
    read_form_token(request, sent, DESK_FORM, desk.login)
    frames = await frames_with(request, desk, part, read)
    return _form(request, desk, part, state, Form(_texts(sent)), mark=str(sent.get("mark", "")), frames=frames)


# ---- the pages


async def _state(request: Request, forum: str, part: str) -> tuple[Desk, State]:
    return await deps.read_at_desk(request, forum, lambda db, desk: part_of(db, desk.actor, desk.forum, part))


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that differs: its label, the language typed in it, and what stood before and after."""

    label: str
    lang: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A change in the history: who made it, what differs, and whether it is the part's last."""

    edit: SettingEdit
    who: str
    changes: Sequence[Difference]
    is_last: bool


async def _overview(request: Request, forum: str, form: Form | None = None, status: int = 200) -> Response:
    desk, edits = await deps.read_at_desk(request, forum, lambda db, desk: changes_of(db, desk.actor, desk.forum))
    done = request.query_params.get("done", "")
    values: dict[str, Any] = {
        "parts": NAMES,
        "edits": _shown(desk.lang, edits),
        "form": form or Form(),
        "done": done if form is None and done in DONE else "",
    }
    return deps.show_at_desk(request, desk, "desk/settings.html", status=status, **values)


def _shown(lang: Lang, edits: Sequence[SettingEdit]) -> list[Shown]:
    seen: set[str] = set()
    shown = []
    for edit in edits:
        changes = differences(lang, edit.part, edit.before, edit.after)
        shown.append(Shown(edit, who(lang, edit.by, edit.by_name), changes, edit.part not in seen))
        seen.add(edit.part)
    return shown


def differences(lang: Lang, part: str, before: State, after: State) -> list[Difference]:
    """What differs between two states of a part, in the order of its form."""
    return _differ(lang, part, fields_of(part, before), fields_of(part, after), after)


def _differ(lang: Lang, part: str, old: Mapping[str, Any], new: Mapping[str, Any], state: State) -> list[Difference]:
    found, told = [], set()
    for fields in (new, old):
        for block in blocks_of(part, fields, lang, state):
            for entry in _entries(block):
                was, now = _said(entry, old, lang), _said(entry, new, lang)
                if was != now and entry.name not in told:
                    told.add(entry.name)
                    label = text_of(lang, f"settings.field.{entry.text}")
                    found.append(Difference(f"{block.title}: {label}" if block.title else label, entry.lang, was, now))
    return found


def _entries(block: Block) -> list[Entry]:
    return [*block.entries, *(entry for inner in block.inner for entry in inner.entries)]


def _said(entry: Entry, fields: Mapping[str, Any], lang: Lang) -> str:
    value = fields.get(entry.name, "")
    if entry.kind == "tick":
        return text_of(lang, "settings.yes" if value == "yes" else "settings.no")
    if entry.kind == "languages":
        return ", ".join(text_of(lang, f"settings.languages.{each}") for each in value)
    if entry.kind in {"colour", "band"} and value:
        return text_of(lang, f"settings.{entry.kind}s.{value}")
    return str(value)


async def _form_again(request: Request, forum: str, part: str, sent: FormData, refused: Answer) -> Response:
    """The form as it was sent; after a save of somebody else's with what stands now beside it."""
    desk, state = await _state(request, forum, part)
    form = refilled(desk.lang, sent, placed(refused), several=("languages",))
    if not isinstance(refused, Conflict):
        return _form(request, desk, part, state, form, refused.status, mark=str(sent.get("mark", "")))
    theirs = _differ(desk.lang, part, form.kept, fields_of(part, state), state)
    return _form(request, desk, part, state, form, refused.status, theirs=theirs)


def _texts(sent: FormData) -> dict[str, str | Sequence[str]]:
    texts: dict[str, str | Sequence[str]] = {name: value for name, value in sent.items() if isinstance(value, str)}
    texts["languages"] = [value for value in sent.getlist("languages") if isinstance(value, str)]
    return texts


def _form(
    request: Request,
    desk: Desk,
    part: str,
    state: State,
    form: Form,
    status: int = 200,
    *,
    theirs: Sequence[Difference] = (),
    frames: Sequence[Frame] = (),
    mark: str | None = None,
) -> Response:
    values: dict[str, Any] = {
        "part": part,
        "blocks": blocks_of(part, form.kept, desk.lang, state),
        "form": form,
        "languages": LANGUAGES,
        "mark": mark_of(state) if mark is None else mark,
        "theirs": theirs,
        "frames": frames,
    }
    return deps.show_at_desk(request, desk, "desk/setting.html", status=status, **values)
