"""The desk's speakers: who there is, how it stands with each, and the form of one."""

from collections.abc import Sequence
from dataclasses import dataclass
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
from app.kit.errors import Answer, Conflict, Expired, Refused
from app.kit.i18n import Bilingual, Lang, text_of
from app.kit.inputs import parse
from app.programme import casting
from app.programme.asking_queries import Role, roles_of, speaker_of, speakers_of
from app.programme.inputs import TypedSpeaker
from app.programme.published import PublishedPerson
from app.programme.queries import published
from app.programme.rules.speakers import OPEN, Reply, face_of
from app.reports.history import told
from app.web import deps
from app.web.countries import countries, country_name
from app.web.deps import Desk
from app.web.desk_outbox import letter
from app.web.desk_story import story_of
from app.web.forms import Form, read_form, refilled
from app.web.pages import slug
from app.web.photographs import ACCEPTED
from app.web.signs import Label
from app.web.site import site_of
from app.web.speaker_words import TONES, away_in_words, label

router = APIRouter(include_in_schema=False)
DONE = frozenset({"added", "changed", "same", "asked", "renewed", "withdrawn", "photo", "no_photo", "erased"})
LIST_DONE = frozenset({"removed"})


@dataclass(frozen=True, slots=True)
class Line:
    """One speaker of the list; `standing` is "new", "changed" or "" against the public version."""

    row: Any
    label: Label
    roles: Sequence[Role]
    standing: str


@router.get("/desk/{forum}/speakers")
async def speakers(request: Request, forum: str) -> Response:
    """Everybody, in order, with what they were asked and answered."""
    desk, lines = await deps.read_at_desk(request, forum, _lines)
    done = request.query_params.get("done", "")
    values: dict[str, Any] = {
        "lines": lines,
        "edits": desk.may(Permission.EDIT_PROGRAMME),
        "counts": [(label(desk.lang, state), sum(_reply(each.row) is state for each in lines)) for state in TONES],
        "done": done if done in LIST_DONE else "",
    }
    return deps.show_at_desk(request, desk, "desk/speakers.html", **values)


@router.get("/desk/{forum}/speakers/{code}")
async def speaker(request: Request, forum: str, code: str) -> Response:
    """One speaker's page, or the empty form."""
    return await show_speaker(request, forum, code)


@router.post("/desk/{forum}/speakers/{code}")
async def save(request: Request, forum: str, code: str) -> Response:
    """Add a speaker, or change one if nobody else did meanwhile."""
    sent, now, known = await read_form(request), clock.now(), slug(code)
    desk, _ = await deps.read_at_desk(request, forum, lambda db, desk: read_speaker(db, desk, known))
    try:
        read = parse(TypedSpeaker, _typed(sent, known))

        def deed(db: Db, found: Forum) -> tuple[str, str]:
            if known == casting.NEW:
                return casting.add_speaker(db, desk.actor, found, read, now=now), "added"
            edition = _edition(sent)
            changed = casting.change_speaker(db, desk.actor, found, known, read, edition=edition, now=now)
            return known, "changed" if changed else "same"

        made, done = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        return await show_speaker(request, forum, code, sent=sent, refused=refused)
    return deps.back(f"{desk.base}/speakers/{made}?done={done}")


@router.post("/desk/{forum}/speakers/{code}/removal")
async def remove(request: Request, forum: str, code: str) -> Response:
    """Remove a speaker who stands in no session."""
    sent, now, known = await read_form(request), clock.now(), slug(code)
    desk, _ = await deps.read_at_desk(request, forum, lambda db, desk: read_speaker(db, desk, known))
    try:
        await deps.write_at_desk(
            request, desk, sent, lambda db, found: casting.remove_speaker(db, desk.actor, found, known, now=now)
        )
    except (Refused, Expired) as refused:
        return await show_speaker(request, forum, code, refused=refused)
    return deps.back(f"{desk.base}/speakers?done=removed")


def _reply(row: Any) -> Reply:
    return Reply(row.state or Reply.UNASKED)


def _lines(db: Db, desk: Desk) -> list[Line]:
    """Three queries, however many speakers there are."""
    own = forum_id(desk.forum)
    roles, public = roles_of(db, own), published(db, own).people
    return [
        Line(row, label(desk.lang, _reply(row)), roles.get(row.code, ()), _standing(row, public.get(row.code)))
        for row in speakers_of(db, own)
    ]


def _standing(row: Any, before: PublishedPerson | None) -> str:
    """How a speaker stands to the public version: "new", "changed", or "" where nothing differs."""
    if before is None:
        return "new"
    face = face_of(announced=row.announced, name=row.name, bio=row.bio, photo=row.photo)
    now_is = (face.name, row.function, row.institution, row.country, face.bio, face.photo)
    public = (before.name, before.function, before.institution, before.country, before.bio, before.photo)
    return "" if now_is == public else "changed"


@dataclass(frozen=True, slots=True)
class Seen:
    """One speaker with what stands around them; facts and mails are None where the role may not see them."""

    row: Any
    roles: Sequence[Role]
    standing: str
    facts: list[Any] | None
    mails: list[Any] | None


def read_speaker(db: Db, desk: Desk, code: str) -> Seen | None:
    """The speaker with this code for those who edit, or None for the empty form. Raises Forbidden and NotFound."""
    own = forum_id(desk.forum)
    desk.actor.must(Permission.EDIT_PROGRAMME, own)
    if code == casting.NEW:
        return None
    row = speaker_of(db, own, code)
    before = published(db, own).people.get(code)
    story = story_of(db, desk, f"speaker:{code}")
    return Seen(row, roles_of(db, own).get(code, ()), _standing(row, before), *story)


async def show_speaker(
    request: Request,
    forum: str,
    code: str,
    *,
    sent: FormData | None = None,
    refused: Answer | None = None,
    link: str = "",
) -> Response:
    """A speaker's page: as it stands; with the form as it was sent and what is wrong with it; with the link, once."""
    known = slug(code)
    desk, seen = await deps.read_at_desk(request, forum, lambda db, desk: read_speaker(db, desk, known))
    row = seen.row if seen else None
    form = Form(_kept(row)) if refused is None else refilled(desk.lang, sent or FormData(), refused)
    if refused is not None and sent is None:  # a button beside the form
        form = Form(_kept(row), form.faults)
    stale = isinstance(refused, Conflict) and row is not None
    edition = row.edition if row is not None and (stale or sent is None) else _edition(sent or FormData())
    done = request.query_params.get("done", "") if refused is None and not link else ""
    values: dict[str, Any] = {
        "one": row,
        "seen": seen,
        "label": label(desk.lang, _reply(row)) if row is not None else None,
        "is_open": row is not None and row.state in OPEN,
        "accepted": row is not None and row.state == Reply.ACCEPTED,
        "country": country_name(row.country, desk.lang) if row is not None else "",
        "countries": countries(desk.lang),
        "form": form,
        "edition": edition,
        "theirs": _in_words(desk.lang, row) if stale else [],
        "away": away_in_words(desk.lang, desk.forum, row.away or ()) if row is not None else [],
        "facts": seen and seen.facts and [told(desk.lang, fact, {}) for fact in seen.facts],
        "mails": seen and seen.mails and [letter(desk.lang, mail) for mail in seen.mails],
        "shows_links": desk.may(Permission.SHOW_LINKS),
        "accept": ACCEPTED,
        "link": link,
        "done": done if done in DONE else "",
        "sends_mail": site_of(request).settings.sends_mail,
    }
    status = refused.status if refused is not None else 200
    return deps.show_at_desk(request, desk, "desk/speaker.html", status=status, **values)


_TEXTS = ("name", "function", "institution", "bio")


def _kept(row: Any) -> dict[str, str | Sequence[str]]:
    """A stored speaker as the form's fields."""
    if row is None:
        return {"language": "en"}
    kept = {"country": row.country or "", "email": row.email or "", "language": row.language or "en"}
    for name in _TEXTS:
        words = getattr(row, name) or Bilingual()
        kept |= {f"{name}_en": words.en, f"{name}_km": words.km}
    ticked = {name: "yes" if getattr(row, name) else "" for name in ("announced", "guest")}
    return {**kept, **ticked}


def _typed(sent: FormData, known: str) -> dict[str, str]:
    """The form's fields; the code only where one is made."""
    names = TypedSpeaker.model_fields.keys() - (set() if known == casting.NEW else {"code"})
    return {name: value for name in names if isinstance(value := sent.get(name, ""), str)}


def _in_words(lang: Lang, row: Any) -> list[tuple[str, str]]:
    """A speaker as (label, words)."""
    kept = {**_kept(row), "country": country_name(row.country, lang)}
    for name in ("announced", "guest"):
        kept[name] = text_of(lang, "rooms.yes" if kept[name] else "rooms.no")
    kept["language"] = text_of(lang, f"desk.language.{kept['language']}")
    texts = [f"{name}_{each}" for name in _TEXTS for each in ("en", "km")]
    names = (*texts, "country", "announced", "guest", "email", "language")
    return [(text_of(lang, f"speakers.field.{name}"), str(kept[name]) or "–") for name in names]


def _edition(sent: FormData) -> int:
    """The edition the form was opened on; 0, which none is, where that is not said."""
    text = sent.get("edition")
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 9 else 0
