"""Letters on a person's own page: asking for one with the passport's name, and fetching the PDF."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.kit import clock
from app.kit.errors import Expired, NotFound, Refused
from app.kit.i18n import Lang
from app.kit.inputs import parse
from app.registration import lettering
from app.registration.letter_inputs import LetterInput
from app.registration.lettering import reference
from app.registration.queries import Own
from app.registration.rules.wording import wording_of
from app.web.countries import countries
from app.web.forms import Form, refilled
from app.web.letters import letter_answer
from app.web.my import check_token, do, own_of, posted
from app.web.pages import code as code_of
from app.web.pages import form_token, page
from app.web.sheets import fields_of
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
_FIELDS = tuple(LetterInput.model_fields)


@router.get("/{lang}/my/{secret}/letters")
async def letters(request: Request, lang: str, secret: str) -> Response:
    """The letters made so far, and the form for another."""
    words, own = await own_of(request, lang, secret)
    return await _show(request, words, secret, own, _opened(words))


@router.post("/{lang}/my/{secret}/letters")
async def ask(request: Request, lang: str, secret: str) -> Response:
    """Have a letter made."""
    words, own, sent = await posted(request, lang, secret)
    try:
        key, now = check_token(request, sent, own), clock.now()
        read = parse(LetterInput, fields_of(sent, _FIELDS))
        await do(
            request,
            own,
            lambda db, by, forum, code: lettering.ask_for_letter(db, by, forum, code, read, key, now=now),
        )
    except (Refused, Expired) as refused:
        again = refilled(words, sent, refused, wording=wording_of(in_hall=own.category.in_hall))
        return await _show(request, words, secret, own, again, refused.status)
    return RedirectResponse(f"/{words}/my/{secret}/letters?done=made", 303)


@router.get("/{lang}/my/{secret}/letters/{letter}.pdf")
async def fetch(request: Request, lang: str, secret: str, letter: str) -> Response:
    """One letter, in its own language, as long as what it says is so."""
    _, own = await own_of(request, lang, secret)
    if not lettering.deserves_letters(own.row):
        raise NotFound
    known = code_of(letter)
    found = await site_of(request).read(lambda db: lettering.letter_of(db, own.row.id, known))
    return await letter_answer(site_of(request), own.forum, own.row, own.category, found)


def _opened(lang: Lang) -> Form:
    """The form as it opens: name and nationality are left to be copied from the passport. The name may be spelt
    otherwise there, and the country one comes from need not be the passport's."""
    return Form({"kind": "visa", "language": lang})


async def _show(request: Request, lang: Lang, secret: str, own: Own, form: Form, status: int = 200) -> Response:
    found = await site_of(request).read(lambda db: lettering.letters_of(db, own.row.id))
    values = {
        "forum": own.forum,
        "own": own,
        "letters": [(letter, reference(own.forum, letter)) for letter in found],
        "may_ask": lettering.deserves_letters(own.row) and len(found) < lettering.MOST_LETTERS,
        "deserves": lettering.deserves_letters(own.row),
        "most": lettering.MOST_LETTERS,
        "form": form,
        "token": form_token(request, "my", own.row.code),
        "secret_path": f"/{lang}/my/{secret}",
        "countries": countries(lang),
        "done": bool(found) and request.query_params.get("done") == "made" and not form.faults,
    }
    wording = wording_of(in_hall=own.category.in_hall)
    return page(request, lang, "registration/letters.html", status=status, secret=True, wording=wording, **values)
