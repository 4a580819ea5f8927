"""Every router of the HTML door, in the order they are asked."""

from fastapi import APIRouter

from app.web import (
    calendars,
    changes,
    desk,
    desk_hold_backs,
    desk_outbox,
    desk_overrides,
    desk_registration,
    desk_registrations,
    desk_seats,
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
    desk_overrides.router,
    desk_hold_backs.router,
    desk_seats.router,
    desk_outbox.router,
    my.router,
    calendars.router,  # before pages whose last part would take `….ics` for a code
    home.router,
    changes.router,  # before the sessions: none has the code "changes"
    programme.router,
    speakers.router,
    subscribing.router,
    registration.router,
)
