"""Every router of the HTML door, in the order they are asked."""

from collections.abc import Awaitable, Callable, Sequence
from functools import wraps

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from app.web import (
    account,
    api_docs,
    calendars,
    changes,
    delegation,
    delegation_list,
    desk,
    desk_archive,
    desk_asking,
    desk_calendar,
    desk_compare,
    desk_copy,
    desk_coverage,
    desk_delegation,
    desk_delegations,
    desk_details,
    desk_duplicates,
    desk_edition,
    desk_edits,
    desk_enter,
    desk_export,
    desk_facts,
    desk_head_table,
    desk_hold_backs,
    desk_import,
    desk_invitation,
    desk_invitations,
    desk_invite_list,
    desk_letters,
    desk_lists,
    desk_mail,
    desk_mailings,
    desk_many,
    desk_materials,
    desk_messages,
    desk_outbox,
    desk_overrides,
    desk_participants,
    desk_people,
    desk_precedence,
    desk_privacy,
    desk_programme,
    desk_questions,
    desk_registration,
    desk_registrations,
    desk_rooms,
    desk_seats,
    desk_session,
    desk_settings,
    desk_sign_ups,
    desk_speakers,
    desk_tags,
    desk_take_back,
    desk_versions,
    desk_views,
    desk_webhooks,
    exports,
    health,
    home,
    invitations,
    login,
    materials,
    my,
    my_companions,
    my_data,
    my_letters,
    my_sessions,
    opting_out,
    passkeys,
    photographs,
    pictures,
    printed,
    programme,
    registration,
    second_factor,
    speakers,
    speaking,
    static,
    subscribing,
    themes,
    tokens,
    versions,
)

ROUTERS: tuple[APIRouter, ...] = (
    calendars.own_router,
    static.router,
    health.router,
    account.router,
    api_docs.router,
    tokens.router,
    second_factor.router,  # before the links: none is called "code"
    passkeys.router,  # nor "passkey"
    login.router,  # before the forums: neither /login nor /desk nor /{lang}/my is one
    desk.router,
    desk_registrations.router,
    desk_enter.router,  # before one registration: none has the code "new"
    desk_export.router,  # nor the code "export"
    desk_views.router,
    desk_many.router,  # nor the code "bulk"
    desk_compare.router,  # nor the code "compare"
    desk_details.router,
    desk_tags.router,
    desk_registration.router,
    desk_invitations.router,
    desk_invite_list.router,  # before one invitation
    desk_invitation.router,
    desk_overrides.router,
    desk_precedence.router,
    desk_head_table.router,
    desk_participants.router,
    desk_lists.router,
    desk_hold_backs.router,
    desk_seats.router,
    desk_duplicates.router,
    desk_letters.router,
    desk_delegations.router,
    desk_delegation.router,
    desk_outbox.router,
    desk_mail.router,
    desk_mailings.router,
    desk_messages.router,
    desk_facts.router,
    desk_people.router,
    desk_webhooks.router,
    desk_questions.router,
    desk_privacy.router,
    desk_settings.router,
    desk_edition.router,
    desk_archive.router,
    desk_rooms.router,
    desk_materials.router,
    desk_sign_ups.router,
    desk_speakers.router,
    desk_asking.router,
    desk_calendar.router,
    desk_programme.router,
    desk_edits.router,
    desk_session.router,
    desk_versions.router,
    desk_import.router,
    desk_copy.router,
    desk_coverage.router,
    desk_take_back.router,
    my.router,
    my_data.router,
    my_sessions.router,
    invitations.router,
    speaking.router,
    my_companions.router,
    my_letters.router,
    opting_out.router,
    delegation_list.router,  # its empty tables before a delegation's page: no secret is called list.csv
    delegation.router,
    exports.router,  # before pages: neither a forum nor a session is called like a file
    printed.router,
    pictures.router,
    photographs.router,
    calendars.router,  # before pages whose last part would take `….ics` for a code
    home.router,
    changes.router,  # before the sessions: none has the code "changes"
    versions.router,
    themes.router,
    materials.router,
    programme.router,
    speakers.router,
    subscribing.router,
    registration.router,
)


class Page(Route):
    """A page at its address: it is given the request and the words of the address, and nothing is worked out for it.

    FastAPI's own routes find out for each request what a page wants of it, which took longer than a page that is ready.
    """

    def __init__(self, path: str, page: Callable[..., Awaitable[Response]], methods: set[str]) -> None:
        @wraps(page)
        async def answered(request: Request) -> Response:
            return await page(request, **request.path_params)

        super().__init__(path, answered, methods=methods)
        self.methods = methods  # without HEAD, which `app.web.published` makes of GET


def _routes() -> tuple[Route, ...]:
    found: list[Route] = []
    for router in ROUTERS:
        for each in router.routes:
            assert isinstance(each, Route)  # noqa: S101 - nothing else is in them
            is_page = isinstance(each, APIRoute)
            found.append(Page(each.path, each.endpoint, set(each.methods or ())) if is_page else each)
    return tuple(found)


ROUTES = _routes()


class Branch(BaseRoute):
    """Routes that are asked in turn where an address begins as `begins` says; every other address is spared that.

    Of those only the ones are asked that have the second and third word of the address: the same ones for all addresses
    in which none of our own words stands there.
    """

    def __init__(self, begins: Callable[[str], bool], routes: Sequence[Route]) -> None:
        self._begins = begins
        self._shapes = [(route, _shape(route.path)) for route in routes]
        self._words = [{shape[place] for _, shape in self._shapes} - {None} for place in (0, 1)]
        self._likely: dict[tuple[str | None, ...], tuple[Route, ...]] = {}

    def _asked(self, path: str) -> tuple[Route, ...]:
        words = zip((*path.split("/", 4)[2:4], "", ""), self._words, strict=False)
        said = tuple(word if word in ours else None for word, ours in words)
        if said not in self._likely:
            fitting = [route for route, shape in self._shapes if _fits(shape, said)]
            self._likely[said] = tuple(fitting)
        return self._likely[said]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As a router does: the first that fits wholly, else the first whose address fits and whose method does not.
        The scope is told which (`route`): by its template a request is counted."""
        nearly: tuple[Match, Scope] = (Match.NONE, {})
        if self._begins(scope["path"][1:].partition("/")[0]):
            for route in self._asked(scope["path"]):
                match, found = route.matches(scope)
                if match is Match.FULL:
                    return match, {**found, "route": route}
                if match is Match.PARTIAL and nearly[0] is Match.NONE:
                    nearly = match, {**found, "route": route}
        return nearly

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the route that was found."""
        await scope["route"].handle(scope, receive, send)


_Shape = tuple[str | None, ...]


def _shape(path: str) -> _Shape:
    """The second and third word of a route's address, "" where it has none; None where anything may stand."""
    words: list[str | None] = []
    for word in (*path.split("/")[1:4], "", "")[:3]:
        anything = "{" in word or bool(words and words[-1] is None and ":path}" in path)
        words.append(None if anything else word)
    return tuple(words[1:])


def _fits(shape: _Shape, said: _Shape) -> bool:
    return all(mine is None or mine == word for mine, word in zip(shape, said, strict=True))


def _branches() -> tuple[BaseRoute, ...]:
    """The routes by the first word of their addresses: the desk's, other words of ours, and then what is a language's.

    A hundred routers asked in turn took a tenth of a registration.
    """
    known = [(route, route.path.split("/", 2)[1]) for route in ROUTES]
    words = {first for _, first in known if first != "{lang}"}
    desk = [route for route, first in known if first == "desk"]
    ours = [route for route, first in known if first not in {"{lang}", "desk"}]
    rest = [route for route, first in known if first == "{lang}"]
    return (
        Branch(lambda first: first == "desk", desk),
        Branch(lambda first: first in words, ours),
        Branch(lambda first: first not in words, rest),
    )


BRANCHES = _branches()
