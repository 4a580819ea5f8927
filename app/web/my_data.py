"""What is held about a person, on their own page: to read, to take along, to have erased."""

import json

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.accounts.actor import Actor
from app.forum.queries import forum_by_slug
from app.kit import clock
from app.kit.errors import Expired, Refused
from app.kit.i18n import Lang, has_text, text_of
from app.registration.erasing import erase
from app.registration.filing import own_file
from app.registration.held import Held, as_json, held_about
from app.registration.people import shown_name
from app.registration.queries import Own, own_registration
from app.registration.rules.wording import wording_of
from app.web.answers import download, file_number, said
from app.web.countries import country_name
from app.web.desk_history import told
from app.web.forms import Form, read_form, refilled
from app.web.headers import SECRET
from app.web.my import along_of, own_of
from app.web.pages import form_token, language, page, read_form_token, token
from app.web.site import site_of

router = APIRouter(include_in_schema=False)


@router.get("/{lang}/my/{secret}/data")
async def data(request: Request, lang: str, secret: str) -> Response:
    """Everything held about this registration, to read."""
    words, held = await _held(request, lang, secret)
    return _data_page(request, words, secret, held)


@router.get("/{lang}/my/{secret}/data.json")
async def data_file(request: Request, lang: str, secret: str) -> Response:
    """The same as a file."""
    _, held = await _held(request, lang, secret)
    body = json.dumps(as_json(held), ensure_ascii=False, indent=2).encode()
    headers = {
        "content-disposition": f'attachment; filename="{held.own.row.code}.json"',
        "cache-control": SECRET,
    }
    return Response(body, media_type="application/json", headers=headers)


@router.get("/{lang}/my/{secret}/files/{number}")
async def sent_file(request: Request, lang: str, secret: str, number: str) -> Response:
    """A file that was sent with the form, to save."""
    language(lang)
    found, wanted, site = token(secret), file_number(number), site_of(request)
    return download(await site.read(lambda db: own_file(db, own_registration(db, found).row.id, wanted)))


@router.get("/{lang}/my/{secret}/erasure")
async def ask_erasure(request: Request, lang: str, secret: str) -> Response:
    """Say what erasing means and ask once more."""
    words, own = await own_of(request, lang, secret)
    return await _erasure_page(request, words, secret, own)


@router.post("/{lang}/my/{secret}/erasure")
async def erase_all(request: Request, lang: str, secret: str) -> Response:
    """Erase: the registration ends, a seat goes to the next, and what is personal goes."""
    words, own = await own_of(request, lang, secret)
    sent, slug, code, now = await read_form(request), own.forum.slug, own.row.code, clock.now()
    by = Actor.participant(own.row.id)
    try:
        read_form_token(request, sent, "my", code)
        await site_of(request).write_settled(slug, lambda db: erase(db, by, forum_by_slug(db, slug), code, now=now))
    except (Refused, Expired) as refused:
        return await _erasure_page(request, words, secret, own, refilled(words, sent, refused), refused.status)
    return RedirectResponse(f"/{words}/my/{secret}", 303, headers={"cache-control": SECRET})


async def _held(request: Request, lang: str, secret: str) -> tuple[Lang, Held]:
    words, found = language(lang), token(secret)
    return words, await site_of(request).read(lambda db: held_about(db, own_registration(db, found)))


def _data_page(request: Request, lang: Lang, secret: str, held: Held) -> Response:
    own, row = held.own, held.own.row
    names = {own.category.code: own.category.name.of(lang)}
    written = ("family_name", "given_name", "name_km", "display_name", "institution", "position_title")
    details = [("registration.form.titles", ", ".join(row.titles))]
    details += [(f"registration.form.{name}", getattr(row, name)) for name in written]
    details += [
        ("registration.form.country", country_name(row.country, lang)),
        ("registration.form.phone", row.phone),
        ("registration.my.email", row.email),
        ("registration.my.assistant", row.assistant_name),
        ("registration.form.attends_as", text_of(lang, f"registration.form.{row.attends_as}") if row.email else ""),
        ("registration.form.meals", own.needs[0]),
        ("registration.form.access", own.needs[1]),
        ("registration.data.priority", row.priority_reason),
        ("registration.data.note", row.decision_note),
    ]
    values = {
        "forum": own.forum,
        "own": own,
        "details": [(text_of(lang, key), value) for key, value in details if value],
        "state": text_of(lang, f"desk.state.{row.state}"),
        "answers": said(lang, own.answers, f"/{lang}/my/{secret}/files"),
        "mails": [(_mail(lang, mail.template), mail) for mail in held.mails],
        "facts": [told(lang, fact, names) for fact in held.facts],
        "secret_path": f"/{lang}/my/{secret}",
        "retention_on": own.terms.retention_on,
    }
    return page(request, lang, "registration/data.html", secret=True, **values)


def _mail(lang: Lang, template: str) -> str:
    key = f"desk.mail_kind.{template.replace('/', '.')}"
    return text_of(lang, key) if has_text(lang, key) else template


async def _erasure_page(
    request: Request, lang: Lang, secret: str, own: Own, form: Form | None = None, status: int = 200
) -> Response:
    values = {
        "forum": own.forum,
        "own": own,
        "name": shown_name(own.row, lang),
        "form": form or Form(),
        "token": form_token(request, "my", own.row.code),
        "secret_path": f"/{lang}/my/{secret}",
        "along": await along_of(request, lang, own),
    }
    template = "registration/erasure.html" if own.row.erased_at is None else "registration/erased.html"
    wording = wording_of(in_hall=own.category.in_hall)
    return page(request, lang, template, status=status, secret=True, wording=wording, **values)
