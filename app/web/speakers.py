"""Who speaks: everybody in the public programme, by name where one is announced and by function where not."""

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.kit.errors import NotFound
from app.kit.i18n import text_of
from app.programme.published import PublishedPerson, PublishedSession
from app.web import pages
from app.web.cards import Card, card, in_order
from app.web.countries import country_name
from app.web.public import Public, public, show

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Part:
    """A session and what the person does in it."""

    role: str
    card: Card


@dataclass(frozen=True, slots=True)
class Person:
    """A speaker with every part in the public programme."""

    person: PublishedPerson
    country: str
    parts: tuple[Part, ...]


@router.get("/{lang}/{forum}/speakers")
async def speakers(request: Request, lang: str, forum: str) -> Response:
    seen = await public(request, lang, forum)
    return show(request, seen, "programme/speakers.html", people=list(people_of(seen).values()))


@router.get("/{lang}/{forum}/speakers/{code}")
async def speaker(request: Request, lang: str, forum: str, code: str) -> Response:
    seen = await public(request, lang, forum)
    one = people_of(seen).get(pages.slug(code))
    if one is None:
        raise NotFound
    return show(request, seen, "programme/speaker.html", one=one)


def people_of(seen: Public) -> dict[str, Person]:
    """Everybody who appears in a session the public may see, by code, in the order of first appearance.

    Who speaks only in closed sessions is not among them.
    """
    met: dict[str, PublishedPerson] = {}
    parts: dict[str, list[Part]] = {}
    for session in in_order(seen, seen.programme.sessions):
        for person in session.people:
            met.setdefault(person.code, person)
            parts.setdefault(person.code, []).append(_part(seen, session, person))
    return {
        code: Person(person, country_name(person.country, seen.lang), tuple(parts[code]))
        for code, person in met.items()
    }


def _part(seen: Public, session: PublishedSession, person: PublishedPerson) -> Part:
    return Part(text_of(seen.lang, f"programme.role.{person.role}", n=1), card(seen, session))
