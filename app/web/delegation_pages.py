"""What the pages of a focal point share: whose link it is, having a deed done, and showing the delegation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.accounts.actor import Actor
from app.forum.models import Forum
from app.forum.queries import forum_by_slug
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Expired, NotFound, Refused, TooMany
from app.kit.i18n import Lang
from app.kit.throttling import count_visit, who
from app.registration import nominating
from app.registration.applying import manage_token
from app.registration.delegation_inputs import DelegateInput
from app.registration.delegation_queries import Member, Party, own_delegation
from app.registration.delegations import delegation_feed_token, institution_name, speaks_for
from app.registration.inputs import Person
from app.registration.people import shown_name
from app.registration.rules.names import list_name
from app.registration.rules.states import State
from app.web.countries import countries
from app.web.delegates import to_read
from app.web.forms import Form
from app.web.pages import code as code_of
from app.web.pages import form_token, language, page, read_form_token, token
from app.web.site import site_of

Deed = Callable[[Db, Actor, Forum, str, str], object]
"""A deed of the focal point: (db, by, forum, the delegation's code, the form's request key)."""
DONE = frozenset({"named", "list", "substituted", "head", "corrected", "withdrawn", "handed_back", "calendar"})
"""What the page says after a form: keys of the catalogue."""
_SENSITIVE = frozenset({"meals", "access"})
NAMED = tuple(name for name in DelegateInput.model_fields if name not in _SENSITIVE)
PERSON = tuple(name for name in Person.model_fields if name not in _SENSITIVE)
"""What a focal point is asked of a person: never what is sensitive."""


async def own(request: Request, lang: str, secret: str) -> tuple[Lang, Party]:
    """The language and the delegation of a link. Raises NotFound."""
    words, known = language(lang), token(secret)
    return words, await site_of(request).read(lambda db: own_delegation(db, known))


async def count_try(request: Request, party: Party) -> None:
    """Count one list looked at or one naming: its answer says whether somebody is registered anywhere in the forum, so
    a link must not be asked about any number of people. Raises TooMany.

    As many as the delegation has seats, and some. Written by itself, so that a refusal of the deed takes nothing back.
    """
    site, now = site_of(request), clock.now()
    spare, window = site.settings.throttle_per_delegation, site.settings.throttle_window_seconds
    whom = who(site.settings.secret_key, "delegation", f"{party.forum.slug}/{party.row.code}")
    most = int(party.row.seats) + spare if spare else 0
    await site.write(party.forum.slug, lambda db: count_visit(db, whom, most, window, now=now))


async def do(
    request: Request, party: Party, sent: FormData, deed: Deed, *, names_people: bool = False
) -> Answer | None:
    """Have the focal point's own deed written; what it was refused with, or None where it was done.

    One that `names_people` is counted.
    """
    by, slug, code = Actor.focal_point(party.row.id), party.forum.slug, party.row.code
    try:
        key, _ = read_form_token(request, sent, "delegation", code)
        if names_people:
            await count_try(request, party)
        await site_of(request).write_settled(slug, lambda db: deed(db, by, forum_by_slug(db, slug), code, key))
    except (Refused, Expired, TooMany) as refused:
        return refused
    return None


def told_to_wait(response: Response, refused: Answer) -> Response:
    """The same page, which says for programs too when to try again where that is why it came."""
    if isinstance(refused, TooMany):
        response.headers["retry-after"] = str(refused.values["seconds"])
    return response


def back(lang: Lang, secret: str, done: str, people: int = 0) -> Response:
    """To the delegation's page, which says what was done."""
    return RedirectResponse(f"/{lang}/delegations/{secret}?done={done}{f'&people={people}' if people else ''}", 303)


def fields_of(sent: FormData, names: tuple[str, ...]) -> dict[str, str]:
    """The named text fields that were sent."""
    return {name: value for name in names if isinstance(value := sent.get(name), str)}


def number_of(text: object) -> int:
    """A number as an address or a hidden field says it; 0 where it is none."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 9 else 0


def blank(party: Party, lang: Lang) -> dict[str, str]:
    """What the form for a new person begins with."""
    kept = {"attends_as": "official", "institution": institution_name(party.row, lang), "country": party.row.country}
    return {**kept, "language": party.row.language}


def member_of(party: Party, code: str) -> Member:
    """The person with this code on one of the delegation's seats. Raises NotFound."""
    known = code_of(code)
    member = next((one for one in party.members if one.row.code == known), None)
    if member is None:
        raise NotFound
    return member


@dataclass(frozen=True, slots=True)
class Shown:
    """Somebody on the page: name, tone and sign and key of the state, and the own page of whoever has no address but
    the focal point's."""

    row: Any
    name: str
    under: str
    tone: str
    sign: str
    state: str
    own_page: str


def _shown(request: Request, lang: Lang, party: Party, member: Member) -> Shown:
    row = member.row
    state = _state(member)
    tone, sign = {"seated": ("good", "✓"), "elsewhere": ("river", "→")}.get(state, ("still", "–"))
    secret = manage_token(site_of(request).settings.secret_key, row.id, row.manage_generation)
    own_page = f"/{lang}/my/{secret}" if member.on_seat and speaks_for(party.row, row) else ""
    name = list_name(row.family_name, row.given_name, row.display_name or row.name_km)
    under = " · ".join(part for part in (row.position_title, "" if row.assistant_name else row.email) if part)
    return Shown(row, name, under, tone, sign, state, own_page)


def _state(member: Member) -> str:
    row = member.row
    if member.on_seat:
        return "seated"
    if row.state == State.CANCELLED.value:
        return "substituted" if row.decision_note == nominating.SUBSTITUTED else "cancelled"
    return "other" if row.ended_at is not None else "elsewhere"


def common(request: Request, lang: Lang, secret: str, party: Party) -> dict[str, Any]:
    """The values every page of a delegation has."""
    return {
        "forum": party.forum,
        "party": party,
        "institution": institution_name(party.row, lang),
        "stands": party.stands(clock.now()),
        "base": f"/{lang}/delegations/{secret}",
        "token": form_token(request, "delegation", party.row.code),
    }


def show(
    request: Request, lang: Lang, secret: str, party: Party, form: Form | None = None, status: int = 200
) -> Response:
    """The delegation's page, with what was done or refused."""
    site = site_of(request)
    done = request.query_params.get("done", "") if form is None else ""
    feed = delegation_feed_token(site.settings.secret_key, party.row.id, party.row.feed_generation)
    values = {
        **common(request, lang, secret, party),
        "members": [_shown(request, lang, party, one) for one in party.members],
        "former": [_shown(request, lang, party, one) for one in party.former],
        "feed_path": f"/calendars/{feed}.ics",
        "form": form or Form({"seats": ""}),
        "done": done if done in DONE and _is_so(done, party) else "",
        "taken": min(number_of(request.query_params.get("people")), party.named),
    }
    return page(request, lang, "delegation/page.html", status=status, secret=True, **values)


def _is_so(done: str, party: Party) -> bool:
    """Does the delegation stand as the notice says? An address of the page may be old, or made up."""
    former = {_state(one) for one in party.former}
    return {
        "named": party.named > 0,
        "list": party.named > 0,
        "substituted": "substituted" in former,
        "head": any(one.row.heads_delegation for one in party.members),
        "withdrawn": "cancelled" in former,
        "handed_back": party.given_up > 0,
    }.get(done, True)


def show_member(
    request: Request, lang: Lang, secret: str, party: Party, member: Member, form: Form | None = None, status: int = 200
) -> Response:
    """The page of one person, or its form as sent with what is wrong."""
    row = member.row
    typed = {name: getattr(row, name) for name in PERSON if name != "titles"} | {"titles": ", ".join(row.titles)}
    values = {
        **common(request, lang, secret, party),
        "one": _shown(request, lang, party, member),
        "name": shown_name(row, lang),
        "details": to_read(lang, row),
        "form": form or Form(typed),
        "edition": form.kept.get("edition", row.edition) if form else row.edition,
        "countries": countries(lang),
    }
    return page(request, lang, "delegation/person.html", status=status, secret=True, **values)


def show_form(
    request: Request,
    lang: Lang,
    secret: str,
    party: Party,
    form: Form,
    status: int = 200,
    member: Member | None = None,
) -> Response:
    """The form for a new person, alone or in the place of `member`."""
    values = {
        **common(request, lang, secret, party),
        "form": form,
        "code": member.row.code if member else "",
        "name": shown_name(member.row, lang) if member else "",
        "countries": countries(lang),
    }
    return page(request, lang, "delegation/name.html", status=status, secret=True, **values)
