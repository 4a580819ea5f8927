"""A participant's own page, by secret link: how the registration stands, and everything one may do about it."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.accounts.actor import Actor
from app.correspondence.mailboxes import mailbox_of, opt_out_token
from app.forum.models import Forum
from app.forum.queries import ends_at, forum_by_slug
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Expired, Refused
from app.kit.i18n import Lang, text_of
from app.programme.worded import Words
from app.registration import answering, applying, lettering, looking
from app.registration.accompanying import company_of
from app.registration.inputs import Person
from app.registration.people import shown_name
from app.registration.queries import Own, own_registration
from app.registration.question_queries import Questionnaire, questionnaire_of
from app.registration.rules.eligibility import Door, Mode, door_state
from app.registration.rules.states import HOLDS_SEAT, State
from app.registration.rules.wording import wording_of
from app.web.answers import fields_for, file_again, files_asked, read_answers, said, several
from app.web.countries import countries, country_name
from app.web.forms import Form, read_form, refilled
from app.web.institutions import institutions
from app.web.my_sessions import chosen_sessions, moved_sessions
from app.web.pages import form_token, language, page, read_form_token, token
from app.web.picks import ChoiceDay
from app.web.sheets import MOST_FIELDS, fields_of, parse_with
from app.web.site import site_of
from app.web.subscribing import ways

router = APIRouter(include_in_schema=False)
Deed = Callable[[Db, Actor, Forum, str], object]


@router.get("/{lang}/my/{secret}")
async def my(request: Request, lang: str, secret: str) -> Response:
    """Status, place in the queue, details, calendar."""
    words, own = await own_of(request, lang, secret)
    return await _front(request, words, secret, own)


@router.post("/{lang}/my/{secret}/seen")
async def seen(request: Request, lang: str, secret: str) -> Response:
    """What is marked as changed has been seen, as far as it was on the page that the form stands on."""
    words, own, sent = await posted(request, lang, secret)
    try:
        seen_at = clock.now() - timedelta(seconds=read_form_token(request, sent, "my", own.row.code)[1])
        await do(request, own, lambda *what: looking.look(*what, seen_at=seen_at))
    except (Refused, Expired) as refused:
        return await _front(request, words, secret, own, refilled(words, sent, refused), refused.status)
    return back(words, secret, "seen")


@router.get("/{lang}/my/{secret}/details")
async def details(request: Request, lang: str, secret: str) -> Response:
    """The form to correct one's details."""
    words, own = await own_of(request, lang, secret)
    asked = await _questionnaire(request, own)
    answered = {one.field: asked.values[one.code] for one in asked.questions if one.code in asked.values}
    return _details(request, words, secret, own, asked, Form({**_typed(own), **answered}))


@router.post("/{lang}/my/{secret}/details")
async def correct(request: Request, lang: str, secret: str) -> Response:
    """Take corrected details."""
    words, own = await own_of(request, lang, secret)
    asked = await _questionnaire(request, own)
    sent = await read_form(request, fields=MOST_FIELDS, files=files_asked(asked.questions))
    came = await read_answers(sent, asked.questions, site_of(request).settings.file_limit_bytes)
    answers = came if sent.get("questions") else None  # a page opened before there were any leaves them as they are
    try:
        check_token(request, sent, own)
        more = () if answers is None else answering.read(asked.questions, answers, asked.files).faults
        read = parse_with(Person, fields_of(sent, _FIELDS), more)
        edition, now = _edition(sent), clock.now()

        def deed(db: Db, by: Actor, forum: Forum, code: str) -> bool:
            return applying.correct(db, by, forum, code, read, edition, now=now, answers=answers, language=words)

        await do(request, own, deed)
    except (Refused, Expired) as refused:
        again = refilled(words, sent, file_again(refused, asked.questions, came), several(asked.questions))
        return _details(request, words, secret, own, asked, again, refused.status)
    return back(words, secret, "corrected")


@router.post("/{lang}/my/{secret}/confirmation")
async def confirm(request: Request, lang: str, secret: str) -> Response:
    """The address is right."""
    now = clock.now()
    return await _button(request, lang, secret, "confirmed", lambda *what: applying.confirm(*what, now=now))


@router.post("/{lang}/my/{secret}/acceptance")
async def accept(request: Request, lang: str, secret: str) -> Response:
    """Take an offered seat."""
    now = clock.now()
    return await _button(request, lang, secret, "accepted", lambda *what: applying.accept(*what, now=now))


@router.post("/{lang}/my/{secret}/refusal")
async def turn_down(request: Request, lang: str, secret: str) -> Response:
    """Decline an offered seat; it goes to the next at once."""
    now = clock.now()
    return await _button(request, lang, secret, "turned_down", lambda *what: applying.turn_down(*what, now=now))


@router.get("/{lang}/my/{secret}/cancellation")
async def cancellation(request: Request, lang: str, secret: str) -> Response:
    """Ask once more before giving the registration up."""
    words, own = await own_of(request, lang, secret)
    return _show(
        request, words, secret, own, template="registration/cancel.html", along=await along_of(request, words, own)
    )


@router.post("/{lang}/my/{secret}/cancellation")
async def cancel(request: Request, lang: str, secret: str) -> Response:
    """Give the registration up; the seat goes to the next at once."""
    now = clock.now()
    return await _button(request, lang, secret, "cancelled", lambda *what: applying.cancel(*what, now=now))


async def own_of(request: Request, lang: str, secret: str) -> tuple[Lang, Own]:
    """The language and registration of a page under a secret link. Raises NotFound."""
    words, found = language(lang), token(secret)
    return words, await site_of(request).read(lambda db: own_registration(db, found))


async def _front(
    request: Request, lang: Lang, secret: str, own: Own, form: Form | None = None, status: int = 200
) -> Response:
    """The page itself, with the sessions chosen and what changed in them; of a registration that has ended none is."""
    if own.row.ended_at is not None:
        return _show(request, lang, secret, own, form, status=status)
    site = site_of(request)

    def read(db: Db) -> dict[str, Any]:
        shelf = site.shelves.at(db, own.forum.slug, lang, site.settings.base_url)
        return {
            "chosen": chosen_sessions(db, lang, own),
            "moved": moved_sessions(db, lang, own, shelf),
            "box": mailbox_of(db, own.forum, own.row.email, site.settings.secret_key),
        }

    return _show(request, lang, secret, own, form, status=status, **await site.read(read))


async def along_of(request: Request, lang: Lang, own: Own) -> list[tuple[str, str]]:
    """Who comes with the person and ends with them: names and classes of badges."""
    people = (await site_of(request).read(lambda db: company_of(db, own.row))).people
    return [(shown_name(one, lang), one.category_name.of(lang)) for one in people]


async def _questionnaire(request: Request, own: Own) -> Questionnaire:
    """What the form of this registration asks, with what was answered."""
    row, category = own.row, own.category.code
    return await site_of(request).read(lambda db: questionnaire_of(db, row.forum_id, category, row.id))


async def posted(request: Request, lang: str, secret: str) -> tuple[Lang, Own, FormData]:
    """The same for a form of such a page, with what was sent."""
    words, own = await own_of(request, lang, secret)
    return words, own, await read_form(request)


async def do(request: Request, own: Own, deed: Deed) -> None:
    """Have the person's own deed written."""
    by, slug, code = Actor.participant(own.row.id), own.forum.slug, own.row.code
    await site_of(request).write_settled(slug, lambda db: deed(db, by, forum_by_slug(db, slug), code))


async def _button(request: Request, lang: str, secret: str, done: str, deed: Deed) -> Response:
    """A button of the page: its token, its deed, and the page again saying what was done."""
    words, own, sent = await posted(request, lang, secret)
    try:
        check_token(request, sent, own)
        await do(request, own, deed)
    except (Refused, Expired) as refused:
        said = refilled(words, sent, refused, wording=wording_of(in_hall=own.category.in_hall))
        again = await site_of(request).read(lambda db: own_registration(db, secret))
        return await _front(request, words, secret, again, said, refused.status)
    return back(words, secret, done)


def check_token(request: Request, sent: FormData, own: Own) -> str:
    """The request key of a form that was shown on this person's page. Raises what `read_form_token` does."""
    return read_form_token(request, sent, "my", own.row.code)[0]


def _edition(sent: FormData) -> int:
    """Which edition of the registration the form was opened on; 0, which none is, where that is not said."""
    edition = sent.get("edition")
    return (
        int(edition) if isinstance(edition, str) and edition.isascii() and edition.isdigit() and len(edition) < 9 else 0
    )


def back(lang: Lang, secret: str, done: str) -> Response:
    """After a form: the person's page, saying what was done."""
    return RedirectResponse(f"/{lang}/my/{secret}?done={done}", 303)


_GIVEN_UP = {State.SEATED.value: "seat", State.OFFERED.value: "seat", State.WAITING.value: "queue"}
"""What one loses by cancelling, in each state; in the others a request that is with the organisers."""


def _is_so(done: str, own: Own) -> bool:
    """Does the registration stand as the notice `done` says? An address with one may be kept, or made up."""
    row = own.row
    so: dict[str, bool] = {
        "corrected": True,
        "confirmed": row.confirmed_at is not None and row.ended_at is None,
        "accepted": row.state == State.SEATED.value,
        "cancelled": row.state == State.CANCELLED.value,
        "turned_down": row.turned_down,
    }
    return so.get(done, False)


def door_of(own: Own) -> Door:
    """How the door of the registration's category stands now, for who would come back."""
    opens_at, closes_at = own.category.opens_at or own.terms.opens_at, own.category.closes_at or own.terms.closes_at
    return door_state(opens_at, closes_at, ends_at(own.forum), Mode(own.category.mode), clock.now())


def _news(secret: bytes, lang: Lang, box: Any) -> tuple[bool, str] | None:
    """Whether news come by mail, and where that is turned off and on; None where none was ever written."""
    if box is None:
        return None
    return box.opted_out_at is None, f"/{lang}/unsubscribe/{opt_out_token(secret, box.id, box.generation)}"


_FIELDS = tuple(Person.model_fields)


def _typed(own: Own) -> dict[str, str]:
    """The stored details as the form's fields."""
    row = own.row
    kept = {name: getattr(row, name) for name in _FIELDS if name not in {"titles", "meals", "access"}}
    return {**kept, "titles": ", ".join(row.titles), "meals": own.needs[0], "access": own.needs[1]}


def _show(
    request: Request,
    lang: Lang,
    secret: str,
    own: Own,
    form: Form | None = None,
    *,
    status: int = 200,
    template: str = "registration/my.html",
    along: Sequence[tuple[str, str]] = (),
    chosen: Sequence[ChoiceDay] = (),
    moved: Sequence[Words] = (),
    box: Any = None,
) -> Response:
    if own.row.erased_at is not None:
        template = "registration/erased.html"
    site = site_of(request)
    done = request.query_params.get("done", "")
    secret_feed = applying.feed_token(site.settings.secret_key, own.row.id, own.row.feed_generation)
    title = text_of(lang, "calendars.ics.own", forum=own.forum.short_title.of(lang))
    values = {
        "forum": own.forum,
        "own": own,
        "name": shown_name(own.row, lang),
        "country": country_name(own.row.country, lang),
        "state": State(own.row.state),
        "brings": lettering.deserves_letters(own.row) and own.category.in_hall and own.row.accompanies_id is None,
        "gets_letters": lettering.deserves_letters(own.row),
        "given_up": _GIVEN_UP.get(own.row.state, "request"),
        "secret_path": f"/{lang}/my/{secret}",
        "feed": ways(site.settings.base_url, f"/calendars/{secret_feed}.ics", title, title),
        "form": form or Form(),
        "door": door_of(own).value,
        "token": form_token(request, "my", own.row.code),
        "done": done if form is None and (_is_so(done, own) or (done == "seen" and not moved)) else "",
        "answers": said(lang, own.answers, f"/{lang}/my/{secret}/files"),
        "no_mail": not site.settings.sends_mail,
        "along": along,
        "chosen": chosen,
        "moved": moved,
        "moved_codes": {one.code for one in moved},
        "holds_seat": State(own.row.state) in HOLDS_SEAT,
        "news": _news(site.settings.secret_key, lang, box),
    }
    wording = wording_of(in_hall=own.category.in_hall)
    return page(request, lang, template, status=status, secret=True, wording=wording, **values)


def _details(
    request: Request, lang: Lang, secret: str, own: Own, asked: Questionnaire, form: Form, status: int = 200
) -> Response:
    if own.row.erased_at is not None:
        return _show(request, lang, secret, own, status=status)
    values = {
        "questions": fields_for(lang, asked.questions, asked.files, f"/{lang}/my/{secret}/files"),
        "brings_files": files_asked(asked.questions) > 0,
        "retention_on": own.terms.retention_on,
        "forum": own.forum,
        "own": own,
        "form": form,
        "edition": form.kept.get("edition", own.row.edition),
        "token": form_token(request, "my", own.row.code),
        "secret_path": f"/{lang}/my/{secret}",
        "countries": countries(lang),
        "institutions": institutions(lang),
    }
    wording = wording_of(in_hall=own.category.in_hall)
    return page(request, lang, "registration/details.html", status=status, secret=True, wording=wording, **values)
