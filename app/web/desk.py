"""The desk's first pages: the forums somebody works for, and one forum at a glance."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id, forums
from app.kit import clock
from app.kit.db import Db
from app.mail.outbox import counts
from app.registration.desk_queries import Overview, asked_since, overview
from app.web import deps
from app.web.deps import Desk, SignedIn
from app.web.drawings import days, waffle
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
DAYS_SHOWN = 42


@router.get("/desk")
async def index(request: Request) -> Response:
    """The forums one may see the desk of; where there is only one, straight to it."""
    someone, found = await site_of(request).read(lambda db: _forums_of(db, request))
    if len(found) == 1:
        return deps.back(f"/desk/{found[0].slug}")
    return deps.show(request, someone, "desk/index.html", forums=found)


@router.get("/desk/{forum}")
async def glance(request: Request, forum: str) -> Response:
    """Seats against guarantee, target and capacity; what waits for a decision; how mail stands."""
    now = clock.now()
    desk, seen = await deps.read_at_desk(request, forum, lambda db, desk: _look(db, desk, now))
    values: dict[str, Any] = {"seen": seen.overview, "waffle": waffle(seen.overview), "mail": seen.mail}
    values["outside"] = [row for row in seen.overview.seats if not row.in_hall]
    lately = days(seen.asked, _first_day(seen), seen.today)
    values["sees_people"], values["sees_mail"] = desk.may(Permission.SEE_PEOPLE), desk.may(Permission.SEE_MAIL)
    values["sends_mail"] = site_of(request).settings.sends_mail
    return deps.show_at_desk(request, desk, "desk/overview.html", **values, days=lately)


def _forums_of(db: Db, request: Request) -> tuple[SignedIn, list[Forum]]:
    someone = deps.actor_of_request(db, request)
    return someone, [found for found in forums(db) if someone.actor.may(Permission.SEE_DESK, forum_id(found))]


@dataclass(frozen=True, slots=True)
class Glance:
    """What the overview shows; the days are the forum's own."""

    overview: Overview
    mail: dict[str, int]
    asked: list[date]
    today: date


def _look(db: Db, desk: Desk, now: datetime) -> Glance:
    zone = ZoneInfo(desk.forum.timezone)
    today = now.astimezone(zone).date()
    since = datetime.combine(today - timedelta(days=DAYS_SHOWN - 1), time(), tzinfo=zone).astimezone(UTC)
    asked = asked_since(db, desk.actor, desk.forum, since=since)
    return Glance(
        overview=overview(db, desk.actor, desk.forum, now=now),
        mail=_mail(counts(db, desk.forum.slug)),
        asked=[instant.astimezone(zone).date() for instant in asked],
        today=today,
    )


def _first_day(seen: Glance) -> date:
    """The first day drawn: that of the first registration in sight, but always the last fortnight."""
    return min([*seen.asked[:1], seen.today - timedelta(days=13)])


def _mail(by_state: dict[str, int]) -> dict[str, int]:
    """Mails by what an organiser asks of them; one being sent at this moment still waits."""
    return {
        "waiting": by_state.get("queued", 0) + by_state.get("sending", 0),
        "retrying": by_state.get("retrying", 0),
        "failed": by_state.get("failed", 0),
    }
