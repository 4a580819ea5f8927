"""An invited person's page, by secret link: who invites to what, and yes or no."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.accounts.actor import Actor
from app.forum.queries import forum_by_slug, forum_id
from app.kit import clock
from app.kit.errors import Expired, Refused, TooMany
from app.kit.i18n import Lang, other
from app.kit.inputs import parse
from app.registration import replying
from app.registration.applying import manage_token
from app.registration.invitation_inputs import DeclineInput
from app.registration.invitation_queries import Invited, invited, made_by_accepting
from app.registration.people import shown_name
from app.registration.question_queries import questions_of
from app.registration.rules.invitations import Reply
from app.registration.rules.wording import wording_of
from app.registration.uninviting import erase_invited, is_empty
from app.web.forms import Form, read_form, refilled
from app.web.headers import SECRET
from app.web.pages import form_token, language, page, read_form_token, token
from app.web.sheets import Sheet, Way, fields_of, read_sheet, send, show_again, show_sent, show_sheet
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
PERSON = ("email", "titles", "family_name", "given_name", "name_km", "display_name", "institution", "position_title")
"""What an invitation fills in."""


@router.get("/{lang}/invitations/{secret}")
async def invitation(request: Request, lang: str, secret: str) -> Response:
    """Who invites to what, and two buttons; or how the invitation stands."""
    words, found = await _invited(request, lang, secret)
    return await _show(request, words, secret, found, Form())


@router.get("/{lang}/invitations/{secret}/registration")
async def form(request: Request, lang: str, secret: str) -> Response:
    """The form of the group one is invited to, with the name filled in."""
    words, found = await _invited(request, lang, secret)
    if found.refusal:
        return await _show(request, words, secret, found, Form())
    row = found.row
    filled = {name: getattr(row, name) for name in PERSON if name != "titles"}
    kept = Form({**filled, "titles": ", ".join(row.titles), "for_whom": "self", "attends_as": "official"})
    return await show_sheet(request, await _sheet(request, words, found, secret), kept)


@router.post("/{lang}/invitations/{secret}/registration")
async def accept(request: Request, lang: str, secret: str) -> Response:
    """Take the invited person's registration."""
    words, found = await _invited(request, lang, secret)
    sheet = await _sheet(request, words, found, secret)
    sent, answers = await read_sheet(request, sheet)
    try:
        asked, read = await send(request, sheet, sent, answers)
    except (Refused, Expired, TooMany) as refused:
        return await show_again(request, sheet, sent, answers, refused)
    return await show_sent(request, sheet, read, asked)


@router.post("/{lang}/invitations/{secret}/refusal")
async def decline(request: Request, lang: str, secret: str) -> Response:
    """Say no; a seat kept with the invitation goes to the next at once."""
    words, found = await _invited(request, lang, secret)
    sent, now, slug = await read_form(request), clock.now(), found.forum.slug
    try:
        read_form_token(request, sent, "invitation", found.row.code)
        read = parse(DeclineInput, fields_of(sent, ("word",)))
        await site_of(request).write_settled(
            slug,
            lambda db: replying.decline(db, forum_by_slug(db, slug), found.row.id, read.word, now=now),
            now=now,
        )
    except (Refused, Expired) as refused:
        _, now_found = await _invited(request, lang, secret)
        return await _show(request, words, secret, now_found, refilled(words, sent, refused), refused.status)
    _, declined = await _invited(request, lang, secret)
    return await _show(request, words, secret, declined, Form())


@router.get("/{lang}/invitations/{secret}/erasure")
async def ask_erasure(request: Request, lang: str, secret: str) -> Response:
    """Say what erasing means and ask once more."""
    words, found = await _invited(request, lang, secret)
    return await _show(request, words, secret, found, Form(), template=_ERASURE)


@router.post("/{lang}/invitations/{secret}/erasure")
async def erase(request: Request, lang: str, secret: str) -> Response:
    """Erase what the invitation says of the person; it cannot be used any more."""
    words, found = await _invited(request, lang, secret)
    sent, now, slug, code = await read_form(request), clock.now(), found.forum.slug, found.row.code
    by = Actor.invited(found.row.id)
    try:
        read_form_token(request, sent, "invitation", code)
        await site_of(request).write_settled(
            slug, lambda db: erase_invited(db, by, forum_by_slug(db, slug), code, now=now), now=now
        )
    except (Refused, Expired) as refused:
        _, still = await _invited(request, lang, secret)
        return await _show(
            request, words, secret, still, refilled(words, sent, refused), refused.status, template=_ERASURE
        )
    return RedirectResponse(f"/{words}/invitations/{secret}", 303, headers={"cache-control": SECRET})


async def _invited(request: Request, lang: str, secret: str) -> tuple[Lang, Invited]:
    words, known, now = language(lang), token(secret), clock.now()

    return words, await site_of(request).read(lambda db: invited(db, known, now=now))


async def _sheet(request: Request, lang: Lang, found: Invited, secret: str) -> Sheet:
    """The form of the group one is invited to."""
    own, code, row = forum_id(found.forum), found.category.code, found.row
    questions = await site_of(request).read(lambda db: questions_of(db, own, code))
    way = Way(secret=secret, bound_to=row.code, invitation=row.id, reply_by=row.reply_by)
    return Sheet(lang, found.forum, found.registration, found.category, questions, way)


async def _own_link(request: Request, lang: Lang, found: Invited) -> str:
    """The path of the own page of who has accepted, where no mail can leave to tell it: as after sending the form."""
    site = site_of(request)
    if found.stands != Reply.ACCEPTED.value or site.settings.sends_mail:
        return ""
    made = await site.read(lambda db: made_by_accepting(db, found.row))
    return f"/{lang}/my/{manage_token(site.settings.secret_key, made.id, made.manage_generation)}" if made else ""


_ERASURE = "registration/invitation_erasure.html"


async def _show(
    request: Request,
    lang: Lang,
    secret: str,
    found: Invited,
    form: Form,
    status: int = 200,
    *,
    template: str = "registration/invitation.html",
) -> Response:
    erased = is_empty(found.row)
    values = {
        "forum": found.forum,
        "invitation": found.row,
        "category": found.category,
        "stands": found.stands,
        "name": shown_name(found.row, lang),
        "in_use": found.in_use,
        "form": form,
        "token": form_token(request, "invitation", found.row.code),
        "secret_path": f"/{lang}/invitations/{secret}",
        "no_mail": not site_of(request).settings.sends_mail,
        "link": await _own_link(request, lang, found),
    }
    twin = f"/{other(lang)}/invitations/{secret}" + ("/erasure" if template == _ERASURE and not erased else "")
    if erased:
        template = "registration/invitation_erased.html"
    wording = wording_of(in_hall=found.category.in_hall)
    return page(request, lang, template, status=status, secret=True, wording=wording, twin=twin, **values)
