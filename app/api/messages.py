"""The messages that the site sends by itself, in a forum's own words."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.api.calling import Door, Matching, Reading
from app.api.inputs import sent
from app.api.mails import letter
from app.api.shapes.general import Page
from app.api.shapes.letters import WORDS, EditionShape, ExampleShape, MessageLine, MessageShape
from app.correspondence import wording
from app.correspondence.previewing import preview, reader_of
from app.correspondence.wording import MessageKind, WordsInput
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.i18n import LANGS

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["mail"])
Template = Annotated[
    str,
    Path(pattern=r"^[a-z_.]{1,64}$", description="A message's code.", examples=["registration.approved"]),
]
Reader = Annotated[
    str,
    Query(pattern=r"^[A-Za-z0-9-]{0,32}$", description="The code of whoever it is made for, without one the newest."),
]


@router.get("/messages", response_model=Page[MessageLine])
async def list_messages(call: Reading) -> Response:
    """The messages by what they are about; the list is whole. Takes `see_mail`."""

    def read(db: Db) -> tuple[list[Any], str]:
        own = forum_id(call.forum)
        call.by.must(Permission.SEE_MAIL, own)
        there = wording.worded_kinds(db, own)
        return [_line(kind, there.get((kind.template, kind.wording))) for kind in wording.kinds()], ""

    return await call.page(MessageLine, read)


@router.get("/messages/{template}", response_model=MessageShape)
async def get_message(call: Reading, template: Template) -> Response:
    """One message with its words. Takes `see_mail`."""
    return await call.one(lambda db: _message(db, call.by, call.forum, template))


@router.put("/messages/{template}", response_model=MessageShape)
async def word_message(call: Matching, template: Template, words: Annotated[WordsInput, sent(**WORDS)]) -> Response:
    """Give a message the forum's own words from now on, in what waits in the outbox too; a language that is left empty
    has the built-in ones. Takes `see_mail` and `edit_forum`."""

    def deed(db: Db, forum: Forum, now: datetime) -> MessageShape:
        _put(db, call.by, forum, template, words, now)
        return _message(db, call.by, forum, template)

    return await call.write(deed, present=lambda db, forum: _message(db, call.by, forum, template))


@router.delete("/messages/{template}", status_code=204)
async def unword_message(call: Matching, template: Template) -> Response:
    """Go back to the built-in words in both languages; the own ones stay among the editions. Takes `see_mail` and
    `edit_forum`."""
    return await call.remove(
        lambda db, forum, now: _put(db, call.by, forum, template, WordsInput(), now),
        present=lambda db, forum: _message(db, call.by, forum, template),
    )


@router.get("/messages/{template}/editions", response_model=Page[EditionShape])
async def list_editions(call: Reading, template: Template) -> Response:
    """Every words of its own that a message ever had, the newest first; the list is whole. Takes `see_mail`."""

    def read(db: Db) -> tuple[list[Any], str]:
        own = forum_id(call.forum)
        call.by.must(Permission.SEE_MAIL, own)
        rows = wording.editions_of(db, own, wording.kind_of(template))
        return [
            EditionShape(edition=row.edition, words=_as_kept(row), by=row.by, written_at=row.written_at) for row in rows
        ], ""

    return await call.page(EditionShape, read)


@router.get("/messages/{template}/example", response_model=ExampleShape)
async def get_example(call: Reading, template: Template, reader: Reader = "") -> Response:
    """How a message reads for somebody, as it is sent now. Takes `see_mail` and `see_people`."""

    def read(db: Db) -> ExampleShape:
        own = forum_id(call.forum)
        call.by.must(Permission.SEE_MAIL, own)
        kind = wording.kind_of(template)
        editions = wording.editions_of(db, own, kind)
        words = wording.filled_up(kind, _as_kept(editions[0] if editions else None))
        whom = reader_of(db, call.by, call.forum, kind, reader if kind.room == "speaker" else reader.upper())
        shown = preview(db, call.forum, kind, words, whom, call.behind.settings, now=clock.now(), to_program=True)
        return ExampleShape(reader=whom.code if whom else "", letters=[letter(one) for one in shown])

    return await call.one(read)


@router.post("/messages/{template}/example", response_model=ExampleShape)
async def try_words(call: Reading, template: Template, words: Annotated[WordsInput, sent(**WORDS)]) -> Response:
    """How a message would read in these words for a made-up reader; nothing is written, so it takes no key. Takes
    `edit_forum`."""

    def look(db: Db) -> ExampleShape:
        call.by.must(Permission.EDIT_FORUM, forum_id(call.forum))
        kind = wording.kind_of(template)
        shown = wording.filled_up(kind, wording.checked(kind, words))
        letters = preview(db, call.forum, kind, shown, None, call.behind.settings, now=clock.now())
        return ExampleShape(reader="", letters=[letter(one) for one in letters])

    return await call.foreseen(look)


def _put(db: Db, by: Actor, forum: Forum, template: str, words: WordsInput, now: datetime) -> None:
    by.must(Permission.EDIT_FORUM, forum_id(forum))
    kind = wording.kind_of(template)
    editions = wording.editions_of(db, forum_id(forum), kind)
    wording.put_words(db, by, forum, kind, words, editions[0].edition if editions else 0, now=now)


def _line(kind: MessageKind, row: Any | None) -> MessageLine:
    return MessageLine(
        code=kind.code,
        about=wording.about(kind),
        edition=row.edition if row else 0,
        own=[lang for lang in LANGS if row and getattr(row, f"text_{lang}")],
        placeholders=list(wording.placeholders_of(kind)),
        needed=sorted(wording.NEEDED.get(kind.template, ())),
    )


def _message(db: Db, by: Actor, forum: Forum, template: str) -> MessageShape:
    own = forum_id(forum)
    by.must(Permission.SEE_MAIL, own)
    kind = wording.kind_of(template)
    editions = wording.editions_of(db, own, kind)
    row = editions[0] if editions else None
    built_in = WordsInput.model_construct(None, **wording.filled_up(kind, WordsInput()))
    return MessageShape(**_line(kind, row).model_dump(), words=_as_kept(row), built_in=built_in)


def _as_kept(row: Any | None) -> WordsInput:
    """A kept edition, with nothing of it refused: what was taken once is told."""
    return WordsInput.model_construct(
        None, **{name: getattr(row, name) if row else "" for name in WordsInput.model_fields}
    )
