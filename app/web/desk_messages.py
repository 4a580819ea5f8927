"""The messages that the site sends by itself, at the desk: when, to whom, and in the forum's own words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.correspondence import wording
from app.correspondence.previewing import preview, reader_of
from app.correspondence.rendering import Rendered
from app.correspondence.wording import MessageKind, WordsInput
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Conflict, Expired, NotFound, Refused
from app.kit.i18n import Lang, text_of
from app.kit.inputs import parse
from app.web import deps
from app.web.deps import Desk
from app.web.forms import Form, read_form, refilled
from app.web.pages import read_form_token
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
DONE = frozenset({"saved", "same"})
WORDS = tuple(WordsInput.model_fields)


@dataclass(frozen=True, slots=True)
class Line:
    """A message in the list; `own` are the languages in which the forum has its own words for it."""

    code: str
    name: str
    badges: bool
    when: str
    own: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A message with every edition of its own words; how it reads, and for whom ("" for a made-up reader)."""

    editions: Sequence[Any]
    shown: Sequence[Rendered]
    reader: str

    @property
    def edition(self) -> int:
        return self.editions[0].edition if self.editions else 0


@router.get("/desk/{forum}/messages")
async def messages(request: Request, forum: str) -> Response:
    """Every message, by what it is about."""
    desk, own = await deps.read_at_desk(request, forum, _read_list)
    rooms = {
        kind.room: [_line(desk.lang, one, own) for one in wording.kinds() if one.room == kind.room]
        for kind in wording.kinds()
    }
    return deps.show_at_desk(request, desk, "desk/messages.html", rooms=rooms)


@router.get("/desk/{forum}/messages/{template}")
async def message(request: Request, forum: str, template: str) -> Response:
    """One message: its words, how it reads for somebody, its former words."""
    return await _page(request, forum, wording.kind_of(template))


@router.post("/desk/{forum}/messages/{template}")
async def change(request: Request, forum: str, template: str) -> Response:
    """Look at words, keep them, or go back to former or to the built-in ones."""
    kind, sent = wording.kind_of(template), await read_form(request)
    desk, editions = await deps.read_at_desk(request, forum, lambda db, desk: _read_to_change(db, desk, kind))
    try:
        if sent.get("act") == "preview":
            read_form_token(request, sent, deps.DESK_FORM, desk.login)
            wording.checked(kind, _words(sent))
            return await _page(request, forum, kind, _as_typed(sent), sent=sent)
        done = await _keep(request, desk, kind, editions, sent)
    except (Refused, Expired) as refused:
        return await _page(request, forum, kind, refilled(desk.lang, sent, refused), refused, sent)
    return deps.back(f"{desk.base}/messages/{kind.code}?done={'saved' if done else 'same'}")


async def _keep(request: Request, desk: Desk, kind: MessageKind, editions: Sequence[Any], sent: FormData) -> bool:
    now, edition = clock.now(), _whole(sent.get("edition"))
    if sent.get("act") == "save":
        words = _words(sent)
    elif sent.get("act") == "built_in":
        words = WordsInput()
    elif sent.get("act") == "return":
        words = _of_edition(editions, _whole(sent.get("number")))
    else:
        raise Refused("not_a_choice")

    def deed(db: Db, found: Forum) -> bool:
        return wording.put_words(db, desk.actor, found, kind, words, edition, now=now)

    return await deps.write_at_desk(request, desk, sent, deed)


def _as_typed(sent: FormData) -> Form:
    return Form({name: value for name, value in sent.items() if isinstance(value, str)})


def _of_edition(editions: Sequence[Any], number: int) -> WordsInput:
    for row in editions:
        if row.edition == number:
            return wording.as_sent(row)
    raise NotFound


def _words(sent: FormData) -> WordsInput:
    return parse(WordsInput, {name: sent.get(name, "") for name in WORDS})


def _whole(text: Any) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 9 else -1


def _read_list(db: Db, desk: Desk) -> dict[tuple[str, str], Any]:
    own = forum_id(desk.forum)
    desk.actor.must(Permission.SEE_MAIL, own)
    return wording.worded_kinds(db, own)


def _read_to_change(db: Db, desk: Desk, kind: MessageKind) -> list[Any]:
    own = forum_id(desk.forum)
    desk.actor.must(Permission.EDIT_FORUM, own)
    return wording.editions_of(db, own, kind)


def _line(lang: Lang, kind: MessageKind, own: dict[tuple[str, str], Any]) -> Line:
    row = own.get((kind.template, kind.wording))
    name = kind.template.replace("/", ".")
    there = [text_of(lang, f"messages.in_{each}") for each in ("en", "km") if row and getattr(row, f"text_{each}")]
    return Line(
        kind.code,
        text_of(lang, f"desk.mail_kind.{name}"),
        bool(kind.wording),
        text_of(lang, f"messages.when.{name}"),
        ", ".join(there),
    )


async def _page(
    request: Request,
    forum: str,
    kind: MessageKind,
    form: Form | None = None,
    refused: Answer | None = None,
    sent: FormData | None = None,
) -> Response:
    settings, now = site_of(request).settings, clock.now()
    asked = sent.get("reader", "") if sent else request.query_params.get("reader", "")
    whom = asked.strip() if isinstance(asked, str) else ""
    whom = whom if kind.room == "speaker" else whom.upper()

    def read(db: Db, desk: Desk) -> Seen:
        desk.actor.must(Permission.SEE_MAIL, forum_id(desk.forum))
        editions = wording.editions_of(db, forum_id(desk.forum), kind)
        words = wording.filled_up(kind, wording.as_sent(editions[0] if editions else None))
        if form is not None and not form.faults:
            words = wording.filled_up(kind, wording.checked(kind, _words(sent or FormData())))
        reader = reader_of(db, desk.actor, desk.forum, kind, whom)
        return Seen(
            editions, preview(db, desk.forum, kind, words, reader, settings, now=now), reader.code if reader else ""
        )

    try:
        desk, seen = await deps.read_at_desk(request, forum, read)
    except Refused as wrong:  # nobody has this code
        if not whom:
            raise
        whom = ""
        desk, seen = await deps.read_at_desk(request, forum, read)
        form, refused = refilled(desk.lang, sent or FormData({"reader": str(asked)}), wrong), refused or wrong
    return _show(request, desk, kind, seen, form, refused)


def _show(
    request: Request, desk: Desk, kind: MessageKind, seen: Seen, form: Form | None, refused: Answer | None
) -> Response:
    there = wording.filled_up(kind, wording.as_sent(seen.editions[0] if seen.editions else None))
    quicker, done = isinstance(refused, Conflict), request.query_params.get("done", "")
    kept = form.kept if form and "text_en" in form.kept else there
    edition = kept.get("edition", seen.edition) if form and not quicker else seen.edition
    name = kind.template.replace("/", ".")
    values: dict[str, Any] = {
        "kind": kind,
        "name": text_of(desk.lang, f"desk.mail_kind.{name}"),
        "when": text_of(desk.lang, f"messages.when.{name}"),
        "about": wording.about(kind),
        "placeholders": [
            (one, text_of(desk.lang, f"messages.placeholder.{one}"), one in wording.NEEDED.get(kind.template, ()))
            for one in wording.placeholders_of(kind)
        ],
        "edits": desk.may(Permission.EDIT_FORUM),
        "form": Form({**kept, "reader": seen.reader}, form.faults if form else {}),
        "edition": edition,
        "theirs": _in_words(desk.lang, there) if quicker else (),
        "own": [lang for lang in ("en", "km") if seen.editions and getattr(seen.editions[0], f"text_{lang}")],
        "editions": seen.editions,
        "shown": seen.shown,
        "reader": seen.reader,
        "done": done if form is None and done in DONE else "",
    }
    return deps.show_at_desk(request, desk, "desk/message.html", status=refused.status if refused else 200, **values)


def _in_words(lang: Lang, words: dict[str, str]) -> list[tuple[str, str]]:
    return [(text_of(lang, f"messages.{name}"), words[name]) for name in WORDS]
