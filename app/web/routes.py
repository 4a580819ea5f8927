"""Every router of the HTML door, in the order they are asked."""

from fastapi import APIRouter
from starlette.routing import BaseRoute

from app.web import (
    account,
    calendars,
    changes,
    delegation,
    delegation_list,
    desk,
    desk_asking,
    desk_calendar,
    desk_compare,
    desk_copy,
    desk_coverage,
    desk_delegation,
    desk_delegations,
    desk_details,
    desk_duplicates,
    desk_edits,
    desk_enter,
    desk_export,
    desk_facts,
    desk_hold_backs,
    desk_import,
    desk_invitation,
    desk_invitations,
    desk_invite_list,
    desk_letters,
    desk_many,
    desk_materials,
    desk_outbox,
    desk_overrides,
    desk_people,
    desk_privacy,
    desk_programme,
    desk_questions,
    desk_registration,
    desk_registrations,
    desk_rooms,
    desk_seats,
    desk_session,
    desk_sign_ups,
    desk_speakers,
    desk_tags,
    desk_take_back,
    desk_versions,
    desk_views,
    exports,
    home,
    invitations,
    login,
    materials,
    my,
    my_companions,
    my_data,
    my_letters,
    my_sessions,
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
    versions,
)

ROUTERS: tuple[APIRouter, ...] = (
    calendars.own_router,
    static.router,
    account.router,
    second_factor.router,  # before the links: none is called "code"
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
    desk_hold_backs.router,
    desk_seats.router,
    desk_duplicates.router,
    desk_letters.router,
    desk_delegations.router,
    desk_delegation.router,
    desk_outbox.router,
    desk_facts.router,
    desk_people.router,
    desk_questions.router,
    desk_privacy.router,
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


def _included() -> tuple[BaseRoute, ...]:
    whole = APIRouter()
    for router in ROUTERS:
        whole.include_router(router)
    return tuple(whole.routes)


ROUTES = _included()
"""The same, included once: what FastAPI works out of a route at its first request serves every application here."""
