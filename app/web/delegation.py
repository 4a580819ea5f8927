"""A focal point's page, by secret link: the delegation's seats, its people one by one, its calendar."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.actor import Actor
from app.forum.models import Forum
from app.kit import clock
from app.kit.db import Db
from app.kit.inputs import parse
from app.registration import delegation_links, nominating
from app.registration.delegation_inputs import DelegateInput, HandBackInput
from app.registration.inputs import Person
from app.web.delegation_pages import (
    NAMED,
    PERSON,
    Deed,
    back,
    blank,
    do,
    fields_of,
    member_of,
    number_of,
    own,
    show,
    show_form,
    show_member,
    told_to_wait,
)
from app.web.forms import Form, read_form, refilled
from app.web.pages import code as code_of
from app.web.site import site_of

router = APIRouter(include_in_schema=False)


@router.get("/{lang}/delegations/{secret}")
async def delegation(request: Request, lang: str, secret: str) -> Response:
    """Seats, people, calendar."""
    words, party = await own(request, lang, secret)
    return show(request, words, secret, party)


@router.get("/{lang}/delegations/{secret}/people")
async def naming(request: Request, lang: str, secret: str) -> Response:
    """The form to name somebody."""
    words, party = await own(request, lang, secret)
    return show_form(request, words, secret, party, Form(blank(party, words)))


@router.post("/{lang}/delegations/{secret}/people")
async def name(request: Request, lang: str, secret: str) -> Response:
    """Name somebody."""
    words, party = await own(request, lang, secret)
    sent, now, site = await read_form(request), clock.now(), site_of(request)

    def deed(db: Db, by: Actor, forum: Forum, code: str, key: str) -> object:
        read = parse(DelegateInput, fields_of(sent, NAMED))
        return nominating.name(db, by, forum, code, [read], key, site.settings.secret_key, now=now)

    refused = await do(request, party, sent, deed, names_people=True)
    if refused is None:
        return back(words, secret, "named")
    shown = show_form(request, words, secret, party, refilled(words, sent, refused), refused.status)
    return told_to_wait(shown, refused)


@router.get("/{lang}/delegations/{secret}/people/{code}")
async def person(request: Request, lang: str, secret: str, code: str) -> Response:
    """One of its people: details, and what can be done."""
    words, party = await own(request, lang, secret)
    return show_member(request, words, secret, party, member_of(party, code))


@router.post("/{lang}/delegations/{secret}/people/{code}/details")
async def correct(request: Request, lang: str, secret: str, code: str) -> Response:
    """Correct the details of somebody without an address of their own."""
    words, party = await own(request, lang, secret)
    member = member_of(party, code)
    sent, now = await read_form(request), clock.now()
    edition = number_of(sent.get("edition"))

    def deed(db: Db, by: Actor, forum: Forum, delegation: str, _key: str) -> object:
        read = parse(Person, fields_of(sent, PERSON))
        return nominating.correct_member(db, by, forum, delegation, member.row.code, read, edition, now=now)

    refused = await do(request, party, sent, deed)
    if refused is None:
        return back(words, secret, "corrected")
    return show_member(request, words, secret, party, member, refilled(words, sent, refused), refused.status)


@router.get("/{lang}/delegations/{secret}/people/{code}/substitution")
async def exchanging(request: Request, lang: str, secret: str, code: str) -> Response:
    """The form to put another person on a seat."""
    words, party = await own(request, lang, secret)
    member = member_of(party, code)
    kept = {**blank(party, words), "heads": "yes" if member.row.heads_delegation else ""}
    return show_form(request, words, secret, party, Form(kept), member=member)


@router.post("/{lang}/delegations/{secret}/people/{code}/substitution")
async def substitute(request: Request, lang: str, secret: str, code: str) -> Response:
    """Put another person on a seat, which stays the delegation's."""
    words, party = await own(request, lang, secret)
    sent, now, site, known = await read_form(request), clock.now(), site_of(request), code_of(code)

    def deed(db: Db, by: Actor, forum: Forum, delegation: str, key: str) -> object:
        read = parse(DelegateInput, fields_of(sent, NAMED))
        secret_key = site.settings.secret_key
        return nominating.substitute(db, by, forum, delegation, known, read, key, secret_key, now=now)

    refused = await do(request, party, sent, deed, names_people=True)
    if refused is None:
        return back(words, secret, "substituted")
    form = refilled(words, sent, refused)
    shown = show_form(request, words, secret, party, form, refused.status, member_of(party, code))
    return told_to_wait(shown, refused)


@router.post("/{lang}/delegations/{secret}/people/{code}/head")
async def mark_head(request: Request, lang: str, secret: str, code: str) -> Response:
    """Mark the head of the delegation."""
    now, known = clock.now(), code_of(code)
    return await _button(
        request,
        lang,
        secret,
        "head",
        lambda db, by, forum, party, _key: nominating.set_head(db, by, forum, party, known, now=now),
    )


@router.post("/{lang}/delegations/{secret}/people/{code}/cancellation")
async def withdraw(request: Request, lang: str, secret: str, code: str) -> Response:
    """Withdraw somebody."""
    now, known = clock.now(), code_of(code)
    done = "withdrawn"
    return await _button(
        request,
        lang,
        secret,
        done,
        lambda db, by, forum, party, _key: nominating.withdraw_member(db, by, forum, party, known, now=now),
    )


@router.post("/{lang}/delegations/{secret}/seats")
async def hand_back(request: Request, lang: str, secret: str) -> Response:
    """Give seats without a name back."""
    words, party = await own(request, lang, secret)
    sent, now = await read_form(request), clock.now()

    def deed(db: Db, by: Actor, forum: Forum, code: str, _key: str) -> object:
        read = parse(HandBackInput, fields_of(sent, ("seats",)))
        return nominating.hand_back(db, by, forum, code, read.seats, now=now)

    refused = await do(request, party, sent, deed)
    if refused is None:
        return back(words, secret, "handed_back")
    words, party = await own(request, lang, secret)
    return show(request, words, secret, party, refilled(words, sent, refused), refused.status)


@router.post("/{lang}/delegations/{secret}/calendar")
async def renew_calendar(request: Request, lang: str, secret: str) -> Response:
    """Give the delegation's calendar a new address."""
    now, key = clock.now(), site_of(request).settings.secret_key
    return await _button(
        request,
        lang,
        secret,
        "calendar",
        lambda db, by, forum, party, _key: delegation_links.renew_feed(db, by, forum, party, key, now=now),
    )


async def _button(request: Request, lang: str, secret: str, done: str, deed: Deed) -> Response:
    """A button: its token, its deed, and the delegation's page saying what was done or why not."""
    words, party = await own(request, lang, secret)
    sent = await read_form(request)
    refused = await do(request, party, sent, deed)
    if refused is None:
        return back(words, secret, done)
    words, party = await own(request, lang, secret)
    return show(request, words, secret, party, refilled(words, sent, refused), refused.status)
