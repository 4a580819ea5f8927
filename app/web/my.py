"""A participant's own page, by secret link: how the registration stands, and everything one may do about it."""

from collections.abc import Callable

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.accounts.actor import Actor
from app.forum.models import Forum
from app.forum.queries import forum_by_slug
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Expired, Refused
from app.kit.i18n import Lang
from app.kit.inputs import parse
from app.registration import applying, lettering
from app.registration.inputs import Person
from app.registration.people import shown_name
from app.registration.queries import Own, own_registration
from app.registration.rules.states import State
from app.web.countries import countries
from app.web.forms import Form, read_form, refilled
from app.web.institutions import institutions
from app.web.pages import form_token, language, page, read_form_token, token
from app.web.registration import fields_of
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
Deed = Callable[[Db, Actor, Forum, str], object]


@router.get("/{lang}/my/{secret}")
async def my(request: Request, lang: str, secret: str) -> Response:
    """Status, place in the queue, details, calendar."""
    words, own = await own_of(request, lang, secret)
    return _show(request, words, secret, own)


@router.get("/{lang}/my/{secret}/details")
async def details(request: Request, lang: str, secret: str) -> Response:
    """The form to correct one's details."""
    words, own = await own_of(request, lang, secret)
    return _details(request, words, secret, own, Form(_typed(own)))


@router.post("/{lang}/my/{secret}/details")
async def correct(request: Request, lang: str, secret: str) -> Response:
    """Take corrected details."""
    words, own, sent = await posted(request, lang, secret)
    try:
        check_token(request, sent, own)
        read = parse(Person, fields_of(sent, _FIELDS))
        edition, now = _edition(sent), clock.now()
        await do(
            request, own, lambda db, by, forum, code: applying.correct(db, by, forum, code, read, edition, now=now)
        )
    except (Refused, Expired) as refused:
        again = refilled(
            words, sent, refused if isinstance(refused, Refused) else Refused(refused.code, **refused.values)
        )
        return _details(request, words, secret, own, again, refused.status)
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


@router.get("/{lang}/my/{secret}/cancellation")
async def cancellation(request: Request, lang: str, secret: str) -> Response:
    """Ask once more before giving the registration up."""
    words, own = await own_of(request, lang, secret)
    return _show(request, words, secret, own, template="registration/cancel.html")


@router.post("/{lang}/my/{secret}/cancellation")
async def cancel(request: Request, lang: str, secret: str) -> Response:
    """Give the registration up; the seat goes to the next at once."""
    now = clock.now()
    return await _button(request, lang, secret, "cancelled", lambda *what: applying.cancel(*what, now=now))


async def own_of(request: Request, lang: str, secret: str) -> tuple[Lang, Own]:
    """The language and registration of a page under a secret link. Raises NotFound."""
    words, found = language(lang), token(secret)
    return words, await site_of(request).read(lambda db: own_registration(db, found))


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
        said = refilled(words, sent, refused)
        again = await site_of(request).read(lambda db: own_registration(db, secret))
        return _show(request, words, secret, again, said, status=refused.status)
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
    }
    return so.get(done, False)


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
) -> Response:
    site = site_of(request)
    done = request.query_params.get("done", "")
    feed = applying.feed_token(site.settings.secret_key, own.row.id, own.row.feed_generation)
    values = {
        "forum": own.forum,
        "own": own,
        "name": shown_name(own.row, lang),
        "state": State(own.row.state),
        "brings": lettering.deserves_letters(own.row) and own.category.in_hall and own.row.accompanies_id is None,
        "gets_letters": lettering.deserves_letters(own.row),
        "given_up": _GIVEN_UP.get(own.row.state, "request"),
        "secret_path": f"/{lang}/my/{secret}",
        "feed_path": f"/calendars/{feed}.ics",
        "form": form or Form(),
        "token": form_token(request, "my", own.row.code),
        "done": done if form is None and _is_so(done, own) else "",
        "no_mail": not site.settings.sends_mail,
    }
    return page(request, lang, template, status=status, secret=True, **values)


def _details(request: Request, lang: Lang, secret: str, own: Own, form: Form, status: int = 200) -> Response:
    values = {
        "forum": own.forum,
        "own": own,
        "form": form,
        "edition": form.kept.get("edition", own.row.edition),
        "token": form_token(request, "my", own.row.code),
        "secret_path": f"/{lang}/my/{secret}",
        "countries": countries(lang),
        "institutions": institutions(lang),
    }
    return page(request, lang, "registration/details.html", status=status, secret=True, **values)
