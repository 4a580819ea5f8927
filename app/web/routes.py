"""Every router of the HTML door, in the order they are asked."""

from fastapi import APIRouter

from app.web import home, programme, speakers, static, subscribing

ROUTERS: tuple[APIRouter, ...] = (
    static.router,
    programme.router,
    speakers.router,
    subscribing.router,
    home.router,
)
