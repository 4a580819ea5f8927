"""Every router of the HTML door, in the order they are asked."""

from fastapi import APIRouter

from app.web import home, my, programme, registration, speakers, static, subscribing

ROUTERS: tuple[APIRouter, ...] = (
    static.router,
    my.router,  # before the forums: /{lang}/my is no forum
    home.router,
    programme.router,
    speakers.router,
    subscribing.router,
    registration.router,
)
