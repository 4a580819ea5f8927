"""Every router of the HTML door, in the order they are asked."""

from fastapi import APIRouter

from app.web import programme, static

ROUTERS: tuple[APIRouter, ...] = (
    static.router,
    programme.router,
)
