"""Every router of the HTML door, in the order they are asked."""

from fastapi import APIRouter

from app.web import (
    calendars,
    changes,
    desk,
    desk_duplicates,
    desk_letters,
    desk_outbox,
    desk_registration,
    desk_registrations,
    home,
    login,
    my,
    my_companions,
    my_letters,
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
    desk_duplicates.router,
    desk_letters.router,
    desk_outbox.router,
    my.router,
    my_companions.router,
    my_letters.router,
    calendars.router,  # before pages whose last part would take `….ics` for a code
    home.router,
    changes.router,  # before the sessions: none has the code "changes"
    programme.router,
    speakers.router,
    subscribing.router,
    registration.router,
)
