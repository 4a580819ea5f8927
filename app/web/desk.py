"""The desk's first pages: the forums somebody works for, and one forum at a glance."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
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
from app.registration.desk_queries import Overview, overview
from app.registration.overview_queries import asked_between
from app.registration.quotas import House, house_of
from app.web import deps, desk_overview
from app.web.deps import Desk, SignedIn
from app.web.drawings import Days, days, waffle
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
DAY, DAYS_SHOWN, CLOSING_SHOWN = timedelta(days=1), 42, timedelta(days=21)
"""How many days are drawn, and how far ahead, where registration closes then."""


@router.get("/desk")
async def index(request: Request) -> Response:
    """The forums one may see the desk of; where there is only one, straight to it."""
    someone, found = await site_of(request).read(lambda db: _forums_of(db, request))
    if len(found) == 1:
        return deps.back(f"/desk/{found[0].slug}")
    return deps.show(request, someone, "desk/index.html", forums=found)


@router.get("/desk/{forum}")
async def glance(request: Request, forum: str) -> Response:
    """What needs a decision; seats against guarantee, target and capacity; who waits and why; the balance."""
    now = clock.now()
    desk, seen = await deps.read_at_desk(request, forum, lambda db, desk: _look(db, desk, now))
    values = desk_overview.values(desk, seen.beside, seen.house, seen.overview, seen.mail, now)
    values |= {"seen": seen.overview, "waffle": waffle(seen.overview), "mail": seen.mail, "days": _drawn(desk, seen)}
    values |= {"closes": seen.closes, "closed": seen.closes is not None and seen.closes <= now}
    values["outside"] = [row for row in seen.overview.seats if not row.in_hall]
    values["sends_mail"] = site_of(request).settings.sends_mail
    return deps.show_at_desk(request, desk, "desk/overview.html", **values)


def _drawn(desk: Desk, seen: "Glance") -> Days:
    closes = seen.closes.astimezone(ZoneInfo(desk.forum.timezone)).date() if seen.closes else None
    return days(seen.asked, seen.first, seen.last, ahead=(seen.last - seen.today).days, closes=closes)


def _forums_of(db: Db, request: Request) -> tuple[SignedIn, list[Forum]]:
    someone = deps.actor_of_request(db, request)
    return someone, [found for found in forums(db) if someone.actor.may(Permission.SEE_DESK, forum_id(found))]


@dataclass(frozen=True, slots=True)
class Glance:
    """What the overview shows; the days are the forum's own, `closes` is when the last door of registration does."""

    overview: Overview
    house: House
    beside: desk_overview.Seen
    mail: dict[str, int]
    asked: dict[date, int]
    first: date
    today: date
    last: date
    closes: datetime | None


def _look(db: Db, desk: Desk, now: datetime) -> Glance:
    zone = ZoneInfo(desk.forum.timezone)
    today = now.astimezone(zone).date()
    shown = [today - timedelta(days=n) for n in reversed(range(DAYS_SHOWN))]
    asked = asked_between(db, desk.actor, desk.forum, [(_begins(day, zone), _begins(day + DAY, zone)) for day in shown])
    by_day = dict(zip(shown, asked, strict=True))
    house = house_of(db, forum_id(desk.forum))
    seats = overview(db, desk.actor, desk.forum, now=now, house=house)
    closes = house.terms.closes_at
    closing = closes.astimezone(zone).date() if closes else today
    return Glance(
        overview=seats,
        house=house,
        beside=desk_overview.look(db, desk, house, seats, now),
        mail=_mail(counts(db, desk.forum.slug)),
        asked=by_day,
        first=min([*(day for day, n in by_day.items() if n), today - timedelta(days=13)]),
        today=today,
        last=closing if today < closing <= today + CLOSING_SHOWN else today,
        closes=closes,
    )


def _begins(day: date, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which a day of the forum begins."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def _mail(by_state: dict[str, int]) -> dict[str, int]:
    """Mails by what an organiser asks of them; one being sent at this moment still waits."""
    return {
        "waiting": by_state.get("queued", 0) + by_state.get("sending", 0),
        "retrying": by_state.get("retrying", 0),
        "failed": by_state.get("failed", 0),
    }
