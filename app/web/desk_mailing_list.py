"""From the list of registrations to a mailing: to the very people who are chosen there."""

from datetime import timedelta

from starlette.datastructures import QueryParams

from app.correspondence.rules.segments import Segment
from app.kit.db import Db
from app.kit.errors import Refused
from app.registration.desk_filters import MOST_CHOSEN, Further, midnight
from app.registration.desk_queries import Wanted, desk_list
from app.web.deps import Desk
from app.web.desk_many import chosen_by

FROM_LIST = ("whole", "code", "act")
"""What the list's form sends with everything: one of these is always there."""
STANDINGS = {"confirmed": ("seated", "yes"), "unconfirmed": ("seated", "no")}
"""A standing of the list as one of a mailing and whether the address is confirmed; the others are called the same."""
SAME = frozenset({"attends_as", "country", "institution", "language", "address", "tag", "since", "until"})
"""What both ask alike, so that it can be asked again when the mailing is sent."""


def asks(params: QueryParams) -> bool:
    """Does somebody come from the list?"""
    return any(name in params for name in FROM_LIST)


def beginning(db: Db, desk: Desk, params: QueryParams) -> Segment | None:
    """Whom a mailing begins with: the list's own question where a mailing can ask it, or else those who fit it now, one
    by one; None where nobody is chosen.

    Raises Forbidden; NotFound for what the list cannot be asked; Refused("too_many_chosen") with `most`.
    """
    wanted = chosen_by(params)
    asked = _asked_too(wanted, desk.forum.timezone) if params.get("whole") == "1" else None
    if asked is not None:
        return asked
    rows, more = desk_list(db, desk.actor, desk.forum, wanted.other(), most=MOST_CHOSEN)
    if more:
        raise Refused("too_many_chosen", most=MOST_CHOSEN)
    return Segment(chosen=tuple(row.code for row in rows)) if rows else None


def _asked_too(wanted: Wanted, zone: str) -> Segment | None:
    """The same question of a mailing; None where it has none that is the same."""
    further: Further = wanted.further
    standing, confirmed = STANDINGS.get(wanted.standing, (wanted.standing, ""))
    address = {"confirmed": "yes", "unconfirmed": "no"}.get(further.address, "")
    contrary = bool(confirmed and address and confirmed != address)
    if wanted.words or wanted.standing == "held" or contrary or set(further.asked) - SAME:
        return None
    return Segment(
        standings=(standing,) if standing else (),
        categories=(wanted.category,) if wanted.category else (),
        capacity=further.attends_as,
        confirmed=confirmed or address,
        country=further.country,
        institution=further.institution,
        tag=further.tag,
        language=further.language,
        asked_from=midnight(further.since, zone) if further.since else None,
        asked_until=midnight(further.until, zone) + timedelta(days=1) if further.until else None,
    )
