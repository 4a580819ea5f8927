"""Every router of the HTML door, in the order they are asked."""

from fastapi import APIRouter

from app.web import calendars, home, my, programme, registration, speakers, static, subscribing

ROUTERS: tuple[APIRouter, ...] = (
    static.router,
    my.router,  # before the forums: /{lang}/my is no forum
    calendars.router,  # before pages whose last part would take `….ics` for a code
    home.router,
    programme.router,
    speakers.router,
    subscribing.router,
    registration.router,
)
