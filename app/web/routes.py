"""Every router of the HTML door, in the order they are asked."""

from fastapi import APIRouter

from app.web import (
    calendars,
    changes,
    delegation,
    delegation_list,
    desk,
    desk_delegation,
    desk_delegations,
    desk_outbox,
    desk_registration,
    desk_registrations,
    home,
    login,
    my,
    programme,
    registration,
    speakers,
    static,
    subscribing,
)

ROUTERS: tuple[APIRouter, ...] = (
    static.router,
    login.router,  # before the forums: neither /login nor /desk nor /{lang}/my is one
    desk.router,
    desk_registrations.router,
    desk_registration.router,
    desk_delegations.router,
    desk_delegation.router,
    desk_outbox.router,
    my.router,
    delegation_list.router,  # its empty tables before a delegation's page: no secret is called list.csv
    delegation.router,
    calendars.router,  # before pages whose last part would take `….ics` for a code
    home.router,
    changes.router,  # before the sessions: none has the code "changes"
    programme.router,
    speakers.router,
    subscribing.router,
    registration.router,
)
