"""A speaker's own page, by secret link: sessions, yes or no, words and photograph, when not to come, a calendar."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.accounts.actor import Actor
from app.forum.models import Forum
from app.forum.queries import forum_by_slug, forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Expired, Refused
from app.kit.i18n import Bilingual, Lang, clock_time, day, other, text_of
from app.kit.inputs import parse
from app.programme import speaking
from app.programme.asking import speaker_feed_token
from app.programme.asking_queries import OwnPage, speaker_by_token
from app.programme.inputs import AnswerInput, AvailabilityInput, BioInput
from app.programme.portraits import portrait_of
from app.programme.published import PublishedSession
from app.programme.queries import published, working_copy
from app.programme.rules.speakers import Reply, face_of
from app.web.countries import country_name
from app.web.forms import Form, read_form, refilled
from app.web.headers import SECRET
from app.web.pages import form_token, language, page, read_form_token, token
from app.web.photographs import ACCEPTED, jpeg, read_photo
from app.web.site import site_of
from app.web.speaker_words import TONES, away_in_words, part_choices
from app.web.subscribing import ways

router = APIRouter(include_in_schema=False)
Deed = Callable[[Db, Actor, Forum, str], object]
DONE = frozenset({"accepted", "declined", "bio", "photo", "no_photo", "availability", "calendar"})
MOST_FIELDS = 80
"""Of the form of availability: three parts of a day for each of two weeks, and the rest."""


@dataclass(frozen=True, slots=True)
class Part:
    """A session with what the person does in it, ready to read; `standing` is "public", "new" or "changed"."""

    code: str
    title: str
    roles: str
    when: str
    room: str
    rule: tuple[str, str]
    standing: str
    cancelled: bool
    href: str


@dataclass(frozen=True, slots=True)
class Seen:
    """The page's speaker, their sessions of the working copy, and whether the next version changes what is said."""

    own: OwnPage
    parts: tuple[PublishedSession, ...]
    public: tuple[PublishedSession, ...]
    pending: bool

    @property
    def row(self) -> Any:
        return self.own.row

    @property
    def forum(self) -> Forum:
        return self.own.forum


@router.get("/{lang}/speaking/{secret}")
async def own_page(request: Request, lang: str, secret: str) -> Response:
    """Sessions, answer, words and photograph, availability, calendar, and what is held."""
    words, seen = await _seen(request, lang, secret)
    return _show(request, words, secret, seen)


@router.post("/{lang}/speaking/{secret}/acceptance")
async def accept(request: Request, lang: str, secret: str) -> Response:
    """Say yes."""
    return await _answer(request, lang, secret, Reply.ACCEPTED)


@router.post("/{lang}/speaking/{secret}/refusal")
async def decline(request: Request, lang: str, secret: str) -> Response:
    """Say no."""
    return await _answer(request, lang, secret, Reply.DECLINED)


@router.post("/{lang}/speaking/{secret}/bio")
async def write_bio(request: Request, lang: str, secret: str) -> Response:
    """What the programme says about the person."""
    sent, now = await read_form(request), clock.now()

    def deed(db: Db, by: Actor, forum: Forum, code: str) -> None:
        read = parse(BioInput, _texts(sent, BioInput))
        speaking.write_bio(db, by, forum, code, read, now=now)

    return await _do(request, lang, secret, sent, "bio", deed)


@router.get("/{lang}/speaking/{secret}/photo.jpg")
async def photo(request: Request, lang: str, secret: str) -> Response:
    """The photograph as it was made anew, before any version shows it."""
    language(lang)
    known = token(secret)

    def read(db: Db) -> Response:
        row = speaker_by_token(db, known).row
        return jpeg(portrait_of(db, row.forum_id, row.code, row.photo))

    return await site_of(request).read(read)


@router.post("/{lang}/speaking/{secret}/photo")
async def put_photo(request: Request, lang: str, secret: str) -> Response:
    """Send a photograph, or take it away."""
    words, seen = await _seen(request, lang, secret)
    sent, now = await read_form(request, files=1), clock.now()
    try:
        picture = await read_photo(request, sent)
    except Refused as refused:
        return _show(request, words, secret, seen, refilled(words, sent, refused), refused.status)

    def deed(db: Db, by: Actor, forum: Forum, code: str) -> None:
        speaking.put_photo(db, by, forum, code, picture, now=now)

    return await _do(request, lang, secret, sent, "photo" if picture else "no_photo", deed)


@router.post("/{lang}/speaking/{secret}/availability")
async def put_availability(request: Request, lang: str, secret: str) -> Response:
    """Say when one cannot come."""
    sent, now = await read_form(request, fields=MOST_FIELDS), clock.now()

    def deed(db: Db, by: Actor, forum: Forum, code: str) -> None:
        away = tuple(value for value in sent.getlist("away") if isinstance(value, str))
        read = parse(AvailabilityInput, {**_texts(sent, AvailabilityInput), "away": away})
        speaking.put_availability(db, by, forum, code, read, now=now)

    return await _do(request, lang, secret, sent, "availability", deed)


@router.post("/{lang}/speaking/{secret}/calendar")
async def renew_feed(request: Request, lang: str, secret: str) -> Response:
    """Another address for one's calendar."""
    sent, now, key = await read_form(request), clock.now(), site_of(request).settings.secret_key

    def deed(db: Db, by: Actor, forum: Forum, code: str) -> None:
        speaking.renew_feed(db, by, forum, code, key, now=now)

    return await _do(request, lang, secret, sent, "calendar", deed)


@router.get("/{lang}/speaking/{secret}/erasure")
async def ask_erasure(request: Request, lang: str, secret: str) -> Response:
    """Say what erasing means and ask once more."""
    words, seen = await _seen(request, lang, secret)
    return _show(request, words, secret, seen, template="speaking/erasure.html")


@router.post("/{lang}/speaking/{secret}/erasure")
async def erase(request: Request, lang: str, secret: str) -> Response:
    """Erase; the link is dead afterwards, so the answer itself says that it is done."""
    words, seen = await _seen(request, lang, secret)
    sent, now, forum = await read_form(request), clock.now(), seen.forum
    refused = await _write(
        request, seen, sent, lambda db, by, found, code: speaking.erase_speaker(db, by, found, code, now=now)
    )
    if refused is not None:
        again = refilled(words, sent, refused)
        return _show(request, words, secret, seen, again, refused.status, template="speaking/erasure.html")
    twin = f"/{other(words)}/{forum.slug}"
    return page(request, words, "speaking/erased.html", secret=True, forum=forum, twin=twin)


async def _answer(request: Request, lang: str, secret: str, reply: Reply) -> Response:
    sent, now = await read_form(request), clock.now()

    def deed(db: Db, by: Actor, forum: Forum, code: str) -> None:
        read = parse(AnswerInput, _texts(sent, AnswerInput))
        speaking.answer(db, by, forum, code, reply, read.note, now=now)

    return await _do(request, lang, secret, sent, reply.value, deed)


def _texts(sent: FormData, model: Any) -> dict[str, str]:
    names = model.model_fields.keys() - {"away"}
    return {name: value for name in names if isinstance(value := sent.get(name, ""), str)}


async def _do(request: Request, lang: str, secret: str, sent: FormData, done: str, deed: Deed) -> Response:
    """A form of the page: its deed, and the page again saying what was done or what is wrong."""
    words, seen = await _seen(request, lang, secret)
    refused = await _write(request, seen, sent, deed)
    if refused is not None:
        form = refilled(words, sent, refused, several=("away",))
        return _show(request, words, secret, seen, form, refused.status)
    return RedirectResponse(f"/{words}/speaking/{secret}?done={done}", 303, headers={"cache-control": SECRET})


async def _write(request: Request, seen: Seen, sent: FormData, deed: Deed) -> Refused | Expired | None:
    slug, code, by = seen.forum.slug, seen.row.code, Actor.speaker(seen.row.id)
    try:
        read_form_token(request, sent, "speaking", f"{slug}/{code}")
        await site_of(request).write(slug, lambda db: deed(db, by, forum_by_slug(db, slug), code))
    except (Refused, Expired) as refused:
        return refused
    return None


async def _seen(request: Request, lang: str, secret: str) -> tuple[Lang, Seen]:
    """The language and speaker of a page under a secret link. Raises NotFound."""
    words, known = language(lang), token(secret)

    def read(db: Db) -> Seen:
        own = speaker_by_token(db, known)
        forum, row = forum_id(own.forum), own.row
        mine = tuple(each for each in working_copy(db, forum) if any(who.code == row.code for who in each.people))
        version = published(db, forum)
        before = version.people.get(row.code)
        face = face_of(announced=row.announced, name=row.name, bio=row.bio, photo=row.photo)
        pending = before is None or (before.bio, before.photo) != (face.bio, face.photo)
        return Seen(own, mine, version.sessions, pending)

    return words, await site_of(request).read(read)


def _show(
    request: Request,
    lang: Lang,
    secret: str,
    seen: Seen,
    form: Form | None = None,
    status: int = 200,
    *,
    template: str = "speaking/page.html",
) -> Response:
    row, forum, site = seen.row, seen.forum, site_of(request)
    reply, done = Reply(row.state), request.query_params.get("done", "")
    kept: dict[str, str | Sequence[str]] = {**_kept(row), **(form.kept if form else {})}
    feed = f"/calendars/{speaker_feed_token(site.settings.secret_key, row.id, row.feed_generation)}.ics"
    title = text_of(lang, "calendars.ics.own", forum=forum.short_title.of(lang))
    values: dict[str, Any] = {
        "forum": forum,
        "row": row,
        "name": (row.name or row.function).of(lang),
        "country": country_name(row.country, lang),
        "reply": reply.value,
        "tone": TONES[reply],
        "parts": _parts(lang, seen),
        "pending": seen.pending,
        "choices": [(key, words, "") for key, words in part_choices(lang, forum)],
        "away": away_in_words(lang, forum, row.away),
        "feed": ways(site.settings.base_url, feed, title, title),
        "form": Form(kept, form.faults if form else {}),
        "token": form_token(request, "speaking", f"{forum.slug}/{row.code}"),
        "secret_path": f"/{lang}/speaking/{secret}",
        "accept": ACCEPTED,
        "done": done if form is None and done in DONE and done not in _ANSWERS - {reply.value} else "",
    }
    return page(request, lang, template, status=status, secret=True, **values)


_ANSWERS = {Reply.ACCEPTED.value, Reply.DECLINED.value}


def _kept(row: Any) -> dict[str, str | Sequence[str]]:
    """What is stored as the fields of the page's forms."""
    bio = row.bio or Bilingual()
    return {"bio_en": bio.en, "bio_km": bio.km, "note": row.note, "away": list(row.away), "away_note": row.away_note}


def _parts(lang: Lang, seen: Seen) -> list[Part]:
    """The speaker's sessions in the order of the programme, as the organisers plan them now."""
    public, zone = {each.uid: each for each in seen.public}, ZoneInfo(seen.forum.timezone)
    found = []
    for one in seen.parts:
        roles = [text_of(lang, f"programme.role.{who.role}", n=1) for who in one.people if who.code == seen.row.code]
        when = text_of(lang, "programme.time_open")
        if one.starts_at and one.ends_at:
            on = day(one.starts_at.astimezone(zone).date(), lang, "day")
            times = (clock_time(at, lang, seen.forum.timezone) for at in (one.starts_at, one.ends_at))
            when = f"{on}, {'–'.join(times)}"
        before = public.get(one.uid)
        is_open = one.attribution != "CLO"
        found.append(
            Part(
                code=one.code,
                title=one.title.of(lang),
                roles=", ".join(roles),
                when=when,
                room=one.room_name.of(lang) if one.room_name else text_of(lang, "programme.room_open"),
                rule=_rule(lang, one.attribution),
                standing=_standing(one, before),
                cancelled=one.cancelled,
                href=f"/{lang}/{seen.forum.slug}/programme/{one.code}" if before and is_open else "",
            )
        )
    return found


def _standing(one: PublishedSession, before: PublishedSession | None) -> str:
    """How a session stands to the public version, in what its speaker would notice."""
    if before is None:
        return "new"
    noticed = ("title", "starts_at", "ends_at", "room", "attribution", "cancelled")
    roles = [[(who.code, who.role) for who in each.people] for each in (one, before)]
    same = all(getattr(one, name) == getattr(before, name) for name in noticed) and roles[0] == roles[1]
    return "public" if same else "changed"


def _rule(lang: Lang, attribution: str | None) -> tuple[str, str]:
    """The session's rule, its name and what it means for whoever speaks; empty for what has none."""
    if attribution is None:
        return ("", "")
    if attribution == "CLO":
        return (text_of(lang, "speakers.closed.name"), text_of(lang, "speakers.closed.text"))
    key = f"programme.attribution.{attribution}"
    return (text_of(lang, f"{key}.name"), text_of(lang, f"{key}.text"))
