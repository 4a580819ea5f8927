"""The form to register, whichever way one came to it: what it asks, what was sent, and the page again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from markupsafe import escape
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.accounts.actor import Actor
from app.forum.models import Forum
from app.forum.queries import ForumPage, forum_id
from app.kit import clock
from app.kit.absences import Sought
from app.kit.db import Db
from app.kit.errors import Answer, Fault, Invalid, Refused, TooMany
from app.kit.i18n import Lang
from app.kit.inputs import Input, parse
from app.kit.pen import Deed
from app.kit.settings import Settings
from app.kit.throttling import count_visits, network, sought, who
from app.programme.queries import visible_to
from app.programme.rules.visibility import PUBLIC
from app.registration import accompanying, answering, applying, picking, replying
from app.registration.answering import Sent
from app.registration.assistants import Principals, is_read
from app.registration.inputs import ApplicationInput
from app.registration.pick_queries import counts_of
from app.registration.queries import CategoryView, Registration
from app.registration.question_queries import QuestionView
from app.registration.rules.eligibility import Door
from app.registration.rules.names import normal_email
from app.registration.rules.wording import wording_of
from app.registration.settling import forum_ahead
from app.web.answers import fields_for, file_again, files_asked, read_answers, several
from app.web.blanks import EMAIL, LINK, Answers
from app.web.countries import countries
from app.web.forms import Form, read_form, refilled
from app.web.headers import SECRET
from app.web.institutions import institutions
from app.web.invitation_codes import try_typed_code
from app.web.pages import form_token, page, read_form_token, twin
from app.web.picks import ChoiceDay, choices, codes_sent
from app.web.public import Public
from app.web.site import site_of

Read = TypeVar("Read", bound=Input)
MOST_FIELDS = 600
"""The fields of a registration, of as many questions as a forum may ask, each box of several being one, and a box for
each session."""
FIELDS = tuple(name for name in ApplicationInput.model_fields if name not in {"category", "language"})
"""What the form sends about the person; the address says the category and the language."""


@dataclass(frozen=True, slots=True)
class Way:
    """How one came to a form: by the open door, with a code, or by a personal invitation and its secret link.

    `bound_to` binds the form's token to the invitation, whose row's id is `invitation`; `reply_by` (UTC) is until when
    that holds.
    """

    code: str = ""
    secret: str = ""
    bound_to: str = ""
    invitation: int | None = None
    reply_by: datetime | None = None

    @property
    def is_invited(self) -> bool:
        return bool(self.code or self.secret)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A category's form for one reader: what it asks beside the usual details."""

    lang: Lang
    forum: Forum
    registration: Registration
    category: CategoryView
    questions: tuple[QuestionView, ...]
    way: Way = Way()

    @property
    def purpose(self) -> str:
        """What the form's token is sealed for."""
        return f"{'invitation' if self.way.secret else 'register'}/{self.forum.slug}/{self.category.code}"


async def read_sheet(request: Request, sheet: Sheet) -> tuple[FormData, Sent]:
    """The form as it was sent, and the answers in it."""
    sent = await read_form(request, fields=MOST_FIELDS, files=files_asked(sheet.questions))
    return sent, await read_answers(sent, sheet.questions, site_of(request).settings.file_limit_bytes)


async def send(
    request: Request, sheet: Sheet, sent: FormData, answers: Sent
) -> tuple[applying.Asked, ApplicationInput]:
    """Have what was sent written. Raises what the form's token, its fields, the throttles and the deed raise."""
    key = read_key(request, sent, sheet.purpose, sheet.way.bound_to)
    details = {**fields_of(sent, FIELDS), "category": sheet.category.code, "language": sheet.lang}
    read = parse_with(ApplicationInput, details, answering.read(sheet.questions, answers).faults)
    site, now = site_of(request), clock.now()
    wanted, forced = codes_sent(sent), sent.get("forced") == "yes"
    if sheet.way.code and (tried := await try_typed_code(request, sheet.forum.slug, sheet.way.code)).is_unknown:
        raise Refused(tried.refusal)

    def deed(db: Db) -> applying.Asked:
        found = forum_ahead(db, sheet.forum.slug)
        picking.refuse_clashes(db, found, wanted, forced=forced)
        asked = _written(db, site.settings, sheet, found, read, key, answers, now=now)
        picking.first_picks(db, found, asked, wanted, now=now)
        return asked

    counted, tries = _count_of(request, sheet.forum, read, now=now)
    ahead = tries, applying.sought(forum_id(sheet.forum), key, read)
    # what else is chosen counts against the places of sessions, which the form shows
    written = site.write_settled(sheet.forum.slug, deed, now=now, counted=counted, quiet=not wanted, ahead=ahead)
    return await written, read


def _written(
    db: Db,
    settings: Settings,
    sheet: Sheet,
    forum: Forum,
    read: ApplicationInput,
    key: str,
    answers: Sent,
    *,
    now: datetime,
) -> applying.Asked:
    invitation, secret = sheet.way.invitation, settings.secret_key
    principals = Principals(settings.unconfirmed_principals, settings.principals_per_address)
    if sheet.way.code:
        found = replying.invitation_by_code(db, forum, sheet.way.code)
        if found is None:
            raise Refused("code_unknown")
        invitation = found.id
    if invitation is None:
        by = Actor.visitor()
        return applying.apply(db, by, forum, read, key, secret, now=now, answers=answers, principals=principals)
    return replying.accept(db, forum, invitation, read, key, secret, now=now, answers=answers, principals=principals)


def read_key(request: Request, sent: FormData, purpose: str, bound_to: str = "") -> str:
    """The request key of a public form, looked at as programs are caught by it.

    Raises Refused: `form_trap`, `form_too_quick`, and what `read_form_token` raises.
    """
    key, age = read_form_token(request, sent, purpose, bound_to)
    if sent.get("website"):
        raise Refused("form_trap")
    if 0 <= age < site_of(request).settings.form_min_seconds:  # below nought the clock was set back meanwhile
        raise Refused("form_too_quick")
    return key


def _count_of(request: Request, forum: Forum, read: ApplicationInput, *, now: datetime) -> tuple[Deed[None], Sought]:
    """Counts one sending of a form to register, by the sender's network address and by the e-mail address.

    An assistant registers many principals from one address, which counts like a network address once it is known that
    its mail is read: until then anybody may have typed it. Raises TooMany. Beside it what it asks of those who are not
    known.
    """
    settings, own = site_of(request).settings, forum_id(forum)
    secret, window, email = settings.secret_key, settings.throttle_window_seconds, normal_email(read.email)
    sender = who(secret, "address", network(request.scope.get("client_address", ""))), settings.throttle_per_address
    by_email = who(secret, "email", email)

    def count(db: Db) -> None:
        if read.assistant_name and is_read(db, own, email):
            mine = who(secret, "assistant", email), settings.throttle_per_address
        else:
            mine = by_email, settings.throttle_per_email
        count_visits(db, (sender, mine), window, now=now)

    return count, sought(sender[0], by_email)


def parse_with(model: type[Read], details: Mapping[str, Any], more: Sequence[Fault]) -> Read:
    """The input, and what else is wrong with the form told with it. Raises Invalid."""
    faults: tuple[Fault, ...] = ()
    try:
        read = parse(model, details)
    except Invalid as invalid:
        faults = invalid.faults
    if faults or more:
        raise Invalid((*faults, *more))
    return read


def fields_of(sent: FormData, names: tuple[str, ...]) -> Mapping[str, Any]:
    """The named text fields that were sent; others a page does not have are left alone, so old pages still work."""
    return {name: value for name, value in sent.items() if name in names and isinstance(value, str)}


async def show_sheet(request: Request, sheet: Sheet, kept: Form, status: int = 200, token: str = "") -> Response:
    """The form, with what is kept in it and the sessions one may choose; with its token where it was shown before."""
    days = await _sessions(request, sheet, kept)
    values = {
        "forum": sheet.forum,
        "registration": sheet.registration,
        "category": sheet.category,
        "form": kept,
        "days": days,
        "clash": any(name.startswith("pick-") for name in kept.faults),
        "questions": fields_for(sheet.lang, sheet.questions),
        "brings_files": files_asked(sheet.questions) > 0,
        "token": token or form_token(request, sheet.purpose, sheet.way.bound_to),
        "countries": countries(sheet.lang),
        "institutions": institutions(sheet.lang),
        "is_open": sheet.category.door is Door.OPEN or sheet.way.is_invited,
        "comes_along": sheet.category.door is Door.BY_INVITATION and accompanying.is_kind(sheet.category),
        "way": sheet.way,
        "register_path": f"/{sheet.lang}/{sheet.forum.slug}/register",
        "sends_mail": site_of(request).settings.sends_mail,
    }
    if sheet.way.code:
        values["twin"] = f"{twin(request.url.path, sheet.lang)}?{urlencode({'code': sheet.way.code})}"
    wording = wording_of(in_hall=sheet.category.in_hall)
    return page(request, sheet.lang, "registration/form.html", status=status, secret=True, wording=wording, **values)


async def _sessions(request: Request, sheet: Sheet, kept: Form) -> list[ChoiceDay]:
    """The public sessions one may choose with the form. Three queries: the programme is taken ready from its shelf."""
    site, picked = site_of(request), kept.kept.get("pick", ())
    ticked = [picked] if isinstance(picked, str) else picked

    def read(db: Db) -> list[ChoiceDay]:
        shelf = site.shelves.at(db, sheet.forum.slug, sheet.lang, site.settings.base_url)
        programme = visible_to(shelf.programme, PUBLIC)
        seen = Public(sheet.lang, ForumPage(shelf.forum, shelf.tracks, (), {}), programme, shelf.revision)
        days = choices(seen, counts_of(db, forum_id(seen.forum)), ticked)
        offered = (replace(day, choices=tuple(one for one in day.choices if one.offered)) for day in days)
        return [day for day in offered if day.choices]

    return await site.read(read)


_SPENT = frozenset({"form_missing", "form_old", "form_sent_already"})
"""Refusals after which a form needs a new token."""


def _token_again(sent: FormData, refused: Answer) -> str:
    """The token of a form that was refused: its key was not used, and the time it was opened stays that of the first
    opening, so that whoever only mends a field is not too quick. "" where another is needed."""
    token = sent.get("form")
    return token if isinstance(token, str) and refused.code not in _SPENT else ""


async def show_again(request: Request, sheet: Sheet, sent: FormData, answers: Sent, refused: Answer) -> Response:
    """The same form with what was typed and what is wrong with it."""
    told = file_again(refused, sheet.questions, answers)
    kept = refilled(sheet.lang, sent, told, ("pick", *several(sheet.questions)))
    response = await show_sheet(request, sheet, kept, refused.status, _token_again(sent, refused))
    if isinstance(refused, TooMany):
        response.headers["retry-after"] = str(refused.values["seconds"])
    return response


async def show_sent(
    request: Request, sheet: Sheet, read: ApplicationInput, asked: applying.Asked, answers: Answers | None = None
) -> Response:
    """The answer: "we have written to …", and whether mail leaves late. Where none can leave it shows the link itself,
    and says why.

    Not the link of an earlier registration: the form proves nothing about whose address it is. `answers` are those
    that this form was given before: all but the address and the link is the same in them.
    """
    site, link = site_of(request), ""
    if not site.settings.sends_mail and not asked.known:
        link = f"/{sheet.lang}/my/{asked.token}"
    late = site.settings.sends_mail and await site.late_mail.look(site.read)
    kept, which = {} if answers is None else answers, (bool(link), late)
    if which not in kept:
        # the form stands where it was sent
        twins: dict[str, Any] = {} if sheet.way.secret else {"twin": twin(request.url.path, sheet.lang)}
        shown = page(
            request,
            sheet.lang,
            "registration/sent.html",
            secret=True,
            wording=wording_of(in_hall=sheet.category.in_hall),
            forum=sheet.forum,
            category=sheet.category,
            email=EMAIL,
            link=LINK if link else "",
            no_mail=not site.settings.sends_mail,
            late_mail=late,
            **twins,
        )
        kept[which] = bytes(shown.body), shown.headers["content-language"]
    body, spoken = kept[which]
    for place, own in ((EMAIL, read.email), (LINK, link)):
        body = body.replace(place.encode(), escape(own).encode())
    return HTMLResponse(body, headers={"cache-control": SECRET, "content-language": spoken})
