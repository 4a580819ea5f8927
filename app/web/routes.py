"""Every router of the HTML door, in the order they are asked."""

from fastapi import APIRouter

from app.web import changes, home, my, programme, registration, speakers, static, subscribing

ROUTERS: tuple[APIRouter, ...] = (
    static.router,
    my.router,  # before the forums: /{lang}/my is no forum
    home.router,
    changes.router,  # before the sessions: no session has the code "changes"
    programme.router,
    speakers.router,
    subscribing.router,
    registration.router,
)
