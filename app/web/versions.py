"""An older version of the programme at its lasting address, as far as everybody may know of it today."""

from dataclasses import replace

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.forum.queries import forum_id
from app.kit.errors import NotFound
from app.kit.i18n import day
from app.programme.comparing import version_for
from app.programme.published import PublishedSession
from app.programme.queries import history, withheld_names
from app.programme.rules.visibility import PUBLIC
from app.web.cards import Card, card, days_of, in_order
from app.web.public import Public, public, show
from app.web.site import site_of

router = APIRouter()


@router.get("/{lang}/{forum}/programme/versions/{number}")
async def version(request: Request, lang: str, forum: str, number: str) -> Response:
    seen = await public(request, lang, forum)
    wanted = _number(number)
    own = forum_id(seen.forum)
    past, withheld = await site_of(request).read(lambda db: (history(db, own), withheld_names(db, own)))
    then = version_for(past, wanted, PUBLIC, withheld)
    if then is None:
        raise NotFound
    told = replace(seen, programme=then)
    ordered = in_order(told, then.sessions)
    cards = [(session.starts_at, _card(seen, told, session)) for session in ordered]
    groups = [
        (day(on, seen.lang, "full"), [one for at, one in cards if at and told.local_day(at) == on])
        for on in days_of(told)
    ]
    untimed = [one for at, one in cards if at is None]
    return show(
        request,
        seen,
        "programme/version.html",
        then=then,
        groups=groups,
        untimed=untimed,
        is_present=then.public_number == seen.programme.public_number,
    )


def _number(text: str) -> int:
    """A version's number as addresses write it. Raises NotFound for any other form, so that it has one address."""
    if not (text.isascii() and text.isdecimal() and len(text) < 7) or text.startswith("0"):
        raise NotFound
    return int(text)


def _card(seen: Public, told: Public, session: PublishedSession) -> Card:
    """A session as it stood then; it leads to its page where there still is one."""
    there = card(told, session)
    return there if seen.programme.session(session.code) else replace(there, href="")
