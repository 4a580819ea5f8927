"""A list of delegates: sent as a file or pasted, looked at with its faults by row and column, and accepted."""

import base64
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from fastapi import APIRouter
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.actor import Actor
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import clock, codes
from app.kit.db import Db
from app.kit.errors import Answer, Fault, NotFound, Refused
from app.kit.i18n import Lang, text_of
from app.kit.inputs import parse
from app.kit.sheets import (
    MOST_BYTES,
    Rows,
    as_text,
    empty_csv,
    empty_workbook,
    letter_of,
    read_file,
    read_text,
)
from app.registration import nominating
from app.registration.delegation_inputs import DelegateInput
from app.registration.delegation_queries import Party
from app.registration.listing import COLUMNS, Listing, most_people, read_list
from app.registration.naming_twice import identity_of
from app.registration.rules.countries import COUNTRIES
from app.registration.rules.names import list_name
from app.registration.same_person import registered_already
from app.web.countries import country_name
from app.web.delegates import to_write
from app.web.delegation_pages import back, common, count_try, do, own, told_to_wait
from app.web.forms import Form, read_form, refilled
from app.web.headers import FEED
from app.web.pages import language, page, read_form_token, sentence
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
_KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_LONGEST = 1_000_000
"""Bytes of a pasted table, and of a list that was read, on its way back for acceptance."""
_LONGEST_TEXT = 900_000
"""Bytes of a file's rows that are shown as a text to mend."""
_LONGEST_CELL = 60
"""Letters of a faulty cell that are shown beside what is wrong with it."""


@router.get("/{lang}/delegations/list.{kind}")
async def template(_request: Request, lang: str, kind: str) -> Response:
    """An empty table to fill in, as CSV or XLSX, with the columns named in the page's language."""
    if kind not in _KINDS:
        raise NotFound
    headers = {"content-disposition": f'attachment; filename="delegation.{kind}"', "cache-control": FEED}
    return Response(_empty(language(lang), kind), headers=headers, media_type=_KINDS[kind])


@cache
def _empty(lang: Lang, kind: str) -> bytes:
    headers = [text_of(lang, f"delegations.column.{field}") for field in COLUMNS]
    return empty_csv(headers) if kind == "csv" else empty_workbook(headers, text_of(lang, "delegations.delegation"))


@router.get("/{lang}/delegations/{secret}/list")
async def sending(request: Request, lang: str, secret: str) -> Response:
    """The form to send a list, and what its columns mean."""
    words, party = await own(request, lang, secret)
    return _form(request, words, secret, party, Form())


@router.post("/{lang}/delegations/{secret}/list")
async def preview(request: Request, lang: str, secret: str) -> Response:
    """Read a list and show what was read, with its faults by row and column. Nothing is written."""
    words, party = await own(request, lang, secret)
    sent = await read_form(request, files=1, longest=_LONGEST)
    rows: Rows = []
    try:
        read_form_token(request, sent, "delegation", party.row.code)
        await count_try(request, party)
        read = await _reader(sent)

        def look(db: Db) -> Listing:
            rows.extend(read())
            return _listing(db, party, rows)

        # a thousand rows take a while to look through: not in the loop that answers everybody
        listing = await site_of(request).read_list(look)
    except Answer as refused:
        form = _with_text(refilled(words, sent, refused), _text_of(sent, rows))
        shown = _form(request, words, secret, party, form, refused.status, by_file=_is_file(sent))
        return told_to_wait(shown, refused)
    finally:
        await sent.close()  # and with it the file, which may lie on the disk meanwhile
    form = _with_text(Form(), _text_of(sent, rows))
    return _preview(request, words, secret, party, listing, rows, form, by_file=_is_file(sent))


def _is_file(sent: FormData) -> bool:
    file = sent.get("file")
    return isinstance(file, UploadFile) and bool(file.filename)


def _text_of(sent: FormData, rows: Rows) -> str:
    """The list as a text to mend in place: as it was pasted, or what was read of a file; "" where that is too long to
    be sent back."""
    pasted = sent.get("pasted")
    if not _is_file(sent):
        return pasted if isinstance(pasted, str) else ""
    text = as_text(rows)
    return text if len(text.encode()) <= _LONGEST_TEXT else ""


def _with_text(form: Form, text: str) -> Form:
    return Form({**form.kept, "pasted": text}, form.faults)


async def _reader(sent: FormData) -> Callable[[], Rows]:
    """What reads the list that was sent: the file, or else the pasted table. Raises Refused("list_missing")."""
    file, pasted = sent.get("file"), sent.get("pasted")
    if _is_file(sent) and isinstance(file, UploadFile):
        body = await file.read(MOST_BYTES + 1)
        return lambda: read_file(body)
    if isinstance(pasted, str) and pasted.strip():
        return lambda: read_text(pasted)
    raise Refused("list_missing")


def _listing(db: Db, party: Party, rows: Rows) -> Listing:
    own_forum = forum_id(party.forum)
    return read_list(
        rows,
        party.unnamed,
        party.row.institution,
        _country_names,
        lambda person: identity_of(party.row, person),
        lambda people: registered_already(db, own_forum, people),
    )


def _country_names(lang: str) -> Mapping[str, str]:
    known: Lang = "km" if lang == "km" else "en"
    return {code: country_name(code, known) for code in COUNTRIES}


@router.post("/{lang}/delegations/{secret}/list/acceptance")
async def accept(request: Request, lang: str, secret: str) -> Response:
    """Name everybody of a list that was looked at, all or none."""
    words, party = await own(request, lang, secret)
    sent, now, site = await read_form(request, longest=_LONGEST), clock.now(), site_of(request)
    listed: list[dict[str, str]] = []
    people: list[DelegateInput] = []

    def deed(db: Db, by: Actor, forum: Forum, code: str, key: str) -> object:
        return nominating.name(db, by, forum, code, people, key, site.settings.secret_key, now=now, listed=True)

    try:
        listed += _unpacked(site.settings.secret_key, party, sent.get("people"))
    except Refused as spoilt:
        return _form(request, words, secret, party, refilled(words, sent, spoilt), spoilt.status)
    people += (parse(DelegateInput, fields) for fields in listed)
    refused = await do(request, party, sent, deed, names_people=True)
    if refused is None:
        return back(words, secret, "list", len(people))
    # somebody registered meanwhile, or a seat went: said as a whole, the list itself is there to be read again
    whole = refused if not refused.faults[0].field else Refused(refused.faults[0].code)
    _, party = await own(request, lang, secret)
    form = _with_text(refilled(words, FormData(), whole), _rewritten(words, listed))
    return told_to_wait(_form(request, words, secret, party, form, refused.status), refused)


def _rewritten(lang: Lang, listed: Sequence[Mapping[str, str]]) -> str:
    """People who were read, as the text of a list that reads the same."""
    held = [field for field in COLUMNS if any(one.get(field) for one in listed)]
    header = [text_of(lang, f"delegations.column.{field}") for field in held]
    rows = [header, *([one.get(field, "") for field in held] for one in listed)]
    return as_text(list(enumerate(rows, 1)))


def _purpose(party: Party) -> str:
    return f"delegation-list/{party.row.code}"


def _packed(secret: bytes, party: Party, listing: Listing) -> str:
    """The people of a list, sealed for this delegation: they are kept nowhere until they are accepted."""
    text = json.dumps([dict(one.fields) for one in listing.people], ensure_ascii=False, separators=(",", ":"))
    return codes.seal(secret, _purpose(party), base64.urlsafe_b64encode(zlib.compress(text.encode())).decode())


def _unpacked(secret: bytes, party: Party, sealed: object) -> list[dict[str, str]]:
    """The people of a sealed list, as they were read. Raises Refused("list_spoilt") for what was not sealed here for
    this delegation."""
    packed = codes.unseal(secret, _purpose(party), sealed) if isinstance(sealed, str) else None
    if packed is None:
        raise Refused("list_spoilt")
    people: list[dict[str, str]] = json.loads(zlib.decompress(base64.urlsafe_b64decode(packed)))
    return people


def _form(
    request: Request,
    lang: Lang,
    secret: str,
    party: Party,
    form: Form,
    status: int = 200,
    *,
    by_file: bool = False,
) -> Response:
    values = {
        **common(request, lang, secret, party),
        "form": form,
        "by_file": by_file,
        "columns": [(text_of(lang, f"delegations.column.{field}"), _about(lang, party, field)) for field in COLUMNS],
        "kilobytes": MOST_BYTES // 1000,
        "rows": most_people(party.unnamed),
    }
    return page(request, lang, "delegation/list.html", status=status, secret=True, **values)


def _about(lang: Lang, party: Party, field: str) -> str:
    return text_of(lang, f"delegations.about.{field}", institution=party.row.institution)


def _shortened(cell: str) -> str:
    return cell if len(cell) <= _LONGEST_CELL else f"{cell[: _LONGEST_CELL - 1]}…"


def _preview(
    request: Request,
    lang: Lang,
    secret: str,
    party: Party,
    listing: Listing,
    rows: Rows,
    form: Form,
    *,
    by_file: bool,
) -> Response:
    faulty = {fault.row for fault in listing.faults}
    cells = {
        f"{letter_of(place)}{number}": cell
        for number, row in rows
        if number in faulty
        for place, cell in enumerate(row)
    }
    faults = [
        {
            "cell": f"{fault.column}{fault.row}",
            "column": text_of(lang, f"delegations.column.{fault.field}") if fault.field in COLUMNS else "",
            "typed": _shortened(cells.get(f"{fault.column}{fault.row}", "")),
            "words": sentence(lang, Fault(fault.field, fault.code, dict(fault.values))),
        }
        for fault in listing.faults
    ]
    people = [
        {
            "row": one.row,
            "name": list_name(
                one.person.family_name, one.person.given_name, one.person.display_name or one.person.name_km
            ),
            "heads": one.person.heads,
            "details": to_write(lang, party.row, one.person),
        }
        for one in listing.people
    ]
    fits = len(people) <= party.unnamed and not faults
    values = {
        **common(request, lang, secret, party),
        "faults": faults,
        "people": people,
        "ignored": ", ".join(listing.ignored),
        "fits": fits,
        "form": form,
        "by_file": by_file,
        "packed": _packed(site_of(request).settings.secret_key, party, listing) if fits else "",
    }
    return page(request, lang, "delegation/preview.html", status=200 if fits else 422, secret=True, **values)
