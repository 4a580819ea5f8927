"""The desk's materials: what stands with which session, from when, and the files as they were sent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Conflict, Expired, Fault, Invalid, NotFound, Refused
from app.kit.i18n import Bilingual, moment, number, text_of
from app.kit.inputs import parse
from app.programme import sharing
from app.programme.inputs import MaterialInput
from app.programme.materials import MaterialView, file_name, material_of, materials_of, sessions_with_materials
from app.programme.published import Programme, PublishedSession
from app.programme.queries import published, working_copy
from app.programme.rules.materials import MaterialKind, Release, Stage, opens_at, stage
from app.programme.rules.visibility import PUBLIC, Viewer
from app.programme.sharing import LANGUAGES, Document, document
from app.web import deps, pages
from app.web.answers import WithFiles
from app.web.deps import Desk
from app.web.forms import Form, read_form, refilled
from app.web.headers import SECRET
from app.web.local_times import instant, typed
from app.web.materials import answer, texts_of
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
DONE = frozenset({"added", "changed", "placed", "removed", "restored", "same"})
NEW, OF_FORUM = "new", "forum"
"""Where the empty form stands, and what is chosen for the forum as a whole: no code is in small letters."""
BOXES = ("announced", "against_delivery", "stays")


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything of the forum that the pages show: its materials, the working copy, what is published."""

    materials: list[MaterialView]
    sessions: tuple[PublishedSession, ...]
    programme: Programme

    def of(self, uid: str | None) -> PublishedSession | None:
        """The session with this uid as it is published, None where it is not."""
        return next((one for one in self.programme.sessions if one.uid == uid), None)

    def draft(self, uid: str | None) -> PublishedSession | None:
        """The same in the working copy."""
        return next((one for one in self.sessions if one.uid == uid), None)


@dataclass(frozen=True, slots=True)
class Standing:
    """A material in the desk's list, with how it stands for everybody (`sign`, `tone`, `words`), how it is released and
    when that is, where a time is known."""

    material: MaterialView
    tone: str
    sign: str
    words: str
    release: str
    when: str
    texts: tuple[Any, ...]


@router.get("/desk/{forum}/materials")
async def materials(request: Request, forum: str) -> Response:
    """The materials by session, those of one session alone with `?session=`."""
    return await _list(request, forum)


@router.get("/desk/{forum}/materials/{code}")
async def material(request: Request, forum: str, code: str) -> Response:
    """The form of one material, or the empty one, for a session with `?session=`."""
    desk, seen = await deps.read_at_desk(request, forum, _read)
    one = _named(seen, code)
    kept = _kept(seen, one, desk.forum.timezone)
    if one is None and (asked := request.query_params.get("session", "")):
        kept["session"] = next((each.code for each in seen.sessions if each.code == asked), "")
    return _form(request, desk, one, seen, Form(kept))


@router.post("/desk/{forum}/materials/{code}")
async def save(request: Request, forum: str, code: str) -> Response:
    """Add a material, or change one if nobody else did meanwhile. Who may not is turned away before a file is read."""
    desk, seen = await deps.read_at_desk(request, forum, _read)
    one = _named(seen, code)
    sent, now = await read_form(request, files=len(LANGUAGES)), clock.now()
    try:
        key, _ = pages.read_form_token(request, sent, deps.DESK_FORM, desk.login)
        read, files = await _parsed(request, desk, sent)

        def deed(db: Db, found: Forum) -> bool:
            if one is None:
                return bool(sharing.share(db, desk.actor, found, read, files, now=now, key=key))
            dropped = {each for each in LANGUAGES if sent.get(f"drop_{each}") == "yes"}
            return sharing.change(db, desk.actor, found, one.code, read, files, dropped, _edition(sent), now=now)

        changed = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        return await _form_again(request, forum, code, sent, refused)
    finally:
        await sent.close()
    done = ("added" if one is None else "changed") if changed else "same"
    return deps.back(f"{desk.base}/materials?done={done}")


@router.post("/desk/{forum}/materials/{code}/place")
async def place(request: Request, forum: str, code: str) -> Response:
    """One place up or down among those of its session."""

    def deed(db: Db, desk: Desk, found: Forum, sent: FormData) -> str:
        if sent.get("to") not in {"up", "down"}:
            raise Refused("not_a_choice")
        up = sent.get("to") == "up"
        return "placed" if sharing.place(db, desk.actor, found, code, up=up, now=clock.now()) else "same"

    return await _act(request, forum, code, deed)


@router.post("/desk/{forum}/materials/{code}/removal")
async def remove(request: Request, forum: str, code: str) -> Response:
    """Take a material away; it can be brought back."""

    def deed(db: Db, desk: Desk, found: Forum, _sent: FormData) -> str:
        sharing.remove(db, desk.actor, found, code, now=clock.now())
        return "removed"

    return await _act(request, forum, code, deed)


@router.post("/desk/{forum}/materials/{code}/restoration")
async def restore(request: Request, forum: str, code: str) -> Response:
    """Bring a removed material back."""

    def deed(db: Db, desk: Desk, found: Forum, _sent: FormData) -> str:
        sharing.bring_back(db, desk.actor, found, code, now=clock.now())
        return "restored"

    return await _act(request, forum, code, deed)


@router.get("/desk/{forum}/materials/{code}/{language}")
async def file(request: Request, forum: str, code: str, language: str) -> Response:
    """A file as it was sent, released or not."""
    desk, (one, session) = await deps.read_at_desk(request, forum, lambda db, desk: _of_file(db, desk, code))
    name = file_name(desk.forum.slug, session, one, language)
    return answer(request, one.file(language), name, SECRET)


def _of_file(db: Db, desk: Desk, code: str) -> tuple[MaterialView, str]:
    own = _must_edit(desk)
    one = material_of(db, own, pages.code(code))
    session = next((each.code for each in working_copy(db, own) if each.uid == one.session_uid), "")
    return one, session


def _must_edit(desk: Desk) -> int:
    own = forum_id(desk.forum)
    desk.actor.must(Permission.EDIT_PROGRAMME, own)
    return own


def _read(db: Db, desk: Desk) -> Seen:
    """Everything, for those who edit the programme: what is not released is nobody else's. Five queries."""
    own = _must_edit(desk)
    return Seen(materials_of(db, own), working_copy(db, own), published(db, own))


def _named(seen: Seen, code: str) -> MaterialView | None:
    """The material that stands under this code, None for a new one. Raises NotFound."""
    if code == NEW:
        return None
    known = pages.code(code)
    for one in seen.materials:
        if one.code == known and one.removed_at is None:
            return one
    raise NotFound


async def _act(request: Request, forum: str, code: str, deed: Callable[[Db, Desk, Forum, FormData], str]) -> Response:
    """A button of the list."""
    pages.code(code)
    sent = await read_form(request)
    desk, _ = await deps.read_at_desk(request, forum, lambda _db, desk: _must_edit(desk))
    try:
        done = await deps.write_at_desk(request, desk, sent, lambda db, found: deed(db, desk, found, sent))
    except (Refused, Expired) as refused:
        return await _list(request, forum, refilled(desk.lang, FormData(), refused), refused.status)
    return deps.back(f"{desk.base}/materials?done={done}")


async def _list(request: Request, forum: str, form: Form | None = None, status: int = 200) -> Response:
    desk, seen = await deps.read_at_desk(request, forum, _read)
    asked, done = request.query_params.get("session", ""), request.query_params.get("done", "")
    alone = next((one for one in seen.sessions if one.code == asked), None)
    by_session = sessions_with_materials(seen.materials)
    groups = [
        (heading, session, [_standing(desk, seen, one) for one in by_session.get(uid, ())])
        for uid, heading, session in _headings(desk, seen, by_session)
        if alone is None or uid == alone.uid
    ]
    removed = [one for one in seen.materials if one.removed_at and one.removed_at + sharing.KEPT > clock.now()]
    values: dict[str, Any] = {
        "groups": [group for group in groups if group[2]],
        "alone": alone,
        "removed": removed if alone is None else [],
        "days_kept": sharing.KEPT.days,
        "form": form or Form(),
        "done": done if form is None and done in DONE else "",
    }
    return deps.show_at_desk(request, desk, "desk/materials.html", status=status, **values)


def _headings(desk: Desk, seen: Seen, by_session: Any) -> list[tuple[str | None, str, PublishedSession | None]]:
    """The forum as a whole, the sessions in the working copy's order, and those that were taken out of it."""
    found: list[tuple[str | None, str, PublishedSession | None]] = [
        (None, text_of(desk.lang, "materials.of_forum"), None)
    ]
    found += [(one.uid, one.title.of(desk.lang), one) for one in seen.sessions]
    known = {uid for uid, _, _ in found}
    return found + [(uid, text_of(desk.lang, "materials.taken_out"), None) for uid in by_session if uid not in known]


def _standing(desk: Desk, seen: Seen, one: MaterialView) -> Standing:
    """A material as everybody meets it now, in words."""
    session = seen.of(one.session_uid)
    now = clock.now()
    how = stage(one, session, PUBLIC, now=now)
    tone, sign = {Stage.THERE: ("good", "●"), Stage.ANNOUNCED: ("wait", "…"), Stage.ABSENT: ("still", "–")}[how]
    words = how.value
    if how is Stage.ABSENT and session is not None:
        within = stage(one, session, Viewer(frozenset({session.code})), now=now)
        words = "admitted" if within is not Stage.ABSENT else words
    if not one.has_text:
        words = "awaits_text"
    at = opens_at(one, session or seen.draft(one.session_uid))
    return Standing(
        material=one,
        tone=tone,
        sign=sign,
        words=text_of(desk.lang, f"materials.stage.{words}"),
        release=text_of(desk.lang, f"materials.release.{one.release.value}"),
        when=moment(at, desk.lang, desk.forum.timezone) if at is not None else "",
        texts=texts_of(desk.lang, one, f"{desk.base}/materials"),
    )


def _form(
    request: Request,
    desk: Desk,
    one: MaterialView | None,
    seen: Seen,
    form: Form,
    status: int = 200,
    *,
    theirs: Sequence[tuple[str, str]] = (),
    edition: int | None = None,
) -> Response:
    def named(key: str) -> str:
        return text_of(desk.lang, key)

    values: dict[str, Any] = {
        "one": one,
        "sessions": [
            (OF_FORUM, named("materials.of_forum")),
            *((each.code, f"{each.code} · {each.title.of(desk.lang)}") for each in seen.sessions),
        ],
        "kinds": [(each.value, named(f"materials.kind.{each.value}")) for each in MaterialKind],
        "releases": [(each.value, named(f"materials.release.{each.value}"), "") for each in Release],
        "languages": LANGUAGES,
        "there": {each.language: each for each in one.files} if one else {},
        "most": number(site_of(request).settings.material_limit_bytes >> 20, desk.lang),
        "form": form,
        "theirs": theirs,
        "edition": edition if edition is not None else one.edition if one else 0,
    }
    return deps.show_at_desk(request, desk, "desk/material.html", status=status, **values)


async def _form_again(request: Request, forum: str, code: str, sent: FormData, refused: Answer) -> Response:
    """The form as it was sent; after a save of somebody else's with the material as it stands now beside it."""
    desk, seen = await deps.read_at_desk(request, forum, _read)
    one = _named(seen, code)
    form = refilled(desk.lang, sent, _placed(refused, sent))
    quicker = isinstance(refused, Conflict) and one is not None
    theirs = _in_words(desk, seen, one) if quicker and one else []
    edition = one.edition if quicker and one else _edition(sent)
    return _form(request, desk, one, seen, form, refused.status, theirs=theirs, edition=edition)


def _in_words(desk: Desk, seen: Seen, one: MaterialView) -> list[tuple[str, str]]:
    """A material as (label, words)."""
    lang = desk.lang
    draft = seen.draft(one.session_uid)
    standing = _standing(desk, seen, one)
    parts = [
        ("session", draft.title.of(lang) if draft else text_of(lang, "materials.of_forum")),
        ("kind_is", text_of(lang, f"materials.kind.{one.kind.value}")),
        ("title_en", one.title.en),
        ("title_km", one.title.km),
        ("note_en", one.note.en if one.note else ""),
        ("note_km", one.note.km if one.note else ""),
        ("link", one.link or ""),
        ("release_is", " · ".join(part for part in (standing.release, standing.when) if part)),
        *((name, text_of(lang, "materials.yes" if getattr(one, name) else "materials.no")) for name in BOXES),
        ("files", ", ".join(f"{text.words} ({text.about})" for text in standing.texts)),
    ]
    return [(text_of(lang, f"materials.{name}"), words or "–") for name, words in parts]


def _kept(seen: Seen, one: MaterialView | None, zone: str) -> dict[str, str | Sequence[str]]:
    """A stored material as the form's fields. One whose session was taken out has none chosen, lest it become the
    forum's by a careless save."""
    if one is None:
        return {"release": Release.AT_ONCE.value, "announced": "yes"}
    draft = seen.draft(one.session_uid)
    note = one.note or Bilingual()
    return {
        "session": OF_FORUM if one.session_uid is None else draft.code if draft else "",
        "kind": one.kind.value,
        "title_en": one.title.en,
        "title_km": one.title.km,
        "note_en": note.en,
        "note_km": note.km,
        "link": one.link or "",
        "release": one.release.value,
        "release_at": typed(one.release_at, zone),
        **{name: "yes" for name in BOXES if getattr(one, name)},
    }


async def _parsed(request: Request, desk: Desk, sent: FormData) -> tuple[MaterialInput, dict[str, Document]]:
    """The form as a material and its files by language. Raises Invalid with everything that is wrong with either."""
    text = {name: value.strip() for name, value in sent.items() if isinstance(value, str)}
    faults: list[Fault] = []
    at = None
    try:
        at = instant(text.get("release_at", ""), desk.forum.timezone, "release_at")
    except Invalid as invalid:
        faults += invalid.faults
    session, note = text.get("session", ""), {each: text.get(f"note_{each}", "") for each in LANGUAGES}
    if not session:
        faults.append(Fault("session", "not_chosen"))
    fields: dict[str, Any] = {
        "session": None if session == OF_FORUM else session,
        "kind": text.get("kind", ""),
        "title": {each: text.get(f"title_{each}", "") for each in LANGUAGES},
        "note": note if any(note.values()) else None,
        "link": text.get("link", ""),
        "release": text.get("release", ""),
        "release_at": at,
        **{name: text.get(name) == "yes" for name in BOXES},
    }
    files, wrong = await _files(sent, site_of(request).settings.material_limit_bytes)
    try:
        read = parse(MaterialInput, fields)
    except Invalid as invalid:
        raise Invalid([*invalid.faults, *faults, *wrong]) from None
    if faults or wrong:
        raise Invalid([*faults, *wrong])
    return read, files


async def _files(sent: FormData, most: int) -> tuple[dict[str, Document], list[Fault]]:
    """What came as files, looked at in a thread; those too large are not even read."""
    files: dict[str, Document] = {}
    wrong: list[Fault] = []
    for language in LANGUAGES:
        field, upload = f"file_{language}", sent.get(f"file_{language}")
        if not isinstance(upload, UploadFile) or not upload.filename:
            continue
        if (upload.size or 0) > most:
            wrong.append(Fault(field, "upload_too_large", {"most": most >> 20}))
            continue
        try:
            body = await upload.read()
            files[language] = await run_in_threadpool(document, field, upload.filename, body)
        except Invalid as invalid:
            wrong += invalid.faults
    return files, wrong


def _edition(sent: FormData) -> int:
    """The edition the form was opened on; 0, which none is, where that is not said."""
    text = sent.get("edition")
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 9 else 0


def _placed(refused: Answer, sent: FormData) -> Answer:
    """The same refusal with its faults beside the form's fields, and of each good file that it has to be chosen
    again: no page can keep one."""
    faults = []
    for fault in refused.faults:
        name = fault.field.split(".")[0]
        place = f"{name}_en" if name in {"title", "note"} else name
        faults.append(Fault(place, fault.code, fault.values))
    faulty = {fault.field for fault in faults}
    for language in LANGUAGES:
        field, upload = f"file_{language}", sent.get(f"file_{language}")
        if isinstance(upload, UploadFile) and upload.filename and field not in faulty:
            faults.append(Fault(field, "upload_again"))
    again = WithFiles(Invalid(faults), [])
    again.status = refused.status
    return again
