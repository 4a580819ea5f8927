"""Who comes along, on a person's own page: companions added and taken off again."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.kit import clock
from app.kit.errors import Expired, Refused
from app.kit.i18n import Lang
from app.kit.inputs import parse
from app.registration import accompanying
from app.registration.inputs import CompanionInput
from app.registration.people import shown_name
from app.registration.queries import Own
from app.registration.rules.wording import wording_of
from app.web.forms import Form, refilled
from app.web.my import check_token, do, own_of, posted
from app.web.pages import code as code_of
from app.web.pages import form_token, page
from app.web.sheets import fields_of
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
_FIELDS = ("category", "titles", "name_km", "family_name", "given_name", "name_order", "phone")
_DONE = frozenset({"added", "removed"})


@router.get("/{lang}/my/{secret}/companions")
async def companions(request: Request, lang: str, secret: str) -> Response:
    """Who comes along so far, and the form to add somebody."""
    words, own = await own_of(request, lang, secret)
    return await _show(request, words, secret, own, Form())


@router.post("/{lang}/my/{secret}/companions")
async def add(request: Request, lang: str, secret: str) -> Response:
    """Add a companion."""
    words, own, sent = await posted(request, lang, secret)
    key_of_site, now = site_of(request).settings.secret_key, clock.now()
    try:
        key = check_token(request, sent, own)
        read = parse(CompanionInput, fields_of(sent, _FIELDS))
        await do(
            request,
            own,
            lambda db, by, forum, code: accompanying.add(db, by, forum, code, read, key, key_of_site, now=now),
        )
    except (Refused, Expired) as refused:
        again = refilled(words, sent, refused, wording=wording_of(in_hall=own.category.in_hall))
        return await _show(request, words, secret, own, again, refused.status)
    return _back(words, secret, "added")


@router.post("/{lang}/my/{secret}/companions/{companion}/removal")
async def remove(request: Request, lang: str, secret: str, companion: str) -> Response:
    """Take a companion off again; the badge goes to the next."""
    words, own, sent = await posted(request, lang, secret)
    known, now = code_of(companion), clock.now()
    try:
        check_token(request, sent, own)
        await do(request, own, lambda db, by, forum, code: accompanying.remove(db, by, forum, code, known, now=now))
    except (Refused, Expired) as refused:
        again = refilled(words, sent, refused, wording=wording_of(in_hall=own.category.in_hall))
        return await _show(request, words, secret, own, again, refused.status)
    return _back(words, secret, "removed")


def _back(lang: Lang, secret: str, done: str) -> Response:
    return RedirectResponse(f"/{lang}/my/{secret}/companions?done={done}", 303)


async def _show(request: Request, lang: Lang, secret: str, own: Own, form: Form, status: int = 200) -> Response:
    company = await site_of(request).read(lambda db: accompanying.company_of(db, own.row))
    final = own.row.state == "seated" and own.row.confirmed_at is not None
    done = request.query_params.get("done", "")
    values = {
        "forum": own.forum,
        "own": own,
        "people": [(row, shown_name(row, lang)) for row in company.people],
        "kinds": [(kind.code, kind.name.of(lang)) for kind in company.kinds],
        "brings": final and own.category.in_hall and own.row.accompanies_id is None,
        "enough": len(company.people) >= accompanying.MOST_COMPANIONS,
        "most": accompanying.MOST_COMPANIONS,
        "form": form,
        "token": form_token(request, "my", own.row.code),
        "secret_path": f"/{lang}/my/{secret}",
        "done": done if done in _DONE and not form.faults else "",
    }
    wording = wording_of(in_hall=own.category.in_hall)
    return page(request, lang, "registration/companions.html", status=status, secret=True, wording=wording, **values)
