"""A delegation's calendar, behind its own token: what its members attend, and nothing about any of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select

from app.calendars import rules
from app.calendars.feeds import Feed, feed_of
from app.calendars.personal import Holder
from app.calendars.shelves import Shelf
from app.forum.models import Forum
from app.kit import codes
from app.kit.db import Db, table
from app.kit.i18n import Lang, text_of
from app.programme.queries import visible_to
from app.programme.rules.visibility import PUBLIC, withholds_attendance
from app.registration.models import Application, Delegation, Pick, PickList, Seat, SignUp
from app.registration.rules.picks import PickState

_delegations, _seats, _forums = table(Delegation), table(Seat), table(Forum)
_people, _picks, _lists, _sign_ups = table(Application), table(Pick), table(PickList), table(SignUp)


def delegation_holder(db: Db, token: str) -> Holder | None:
    """The delegation that this token is of, as far as its calendar needs to know; None where there is none.

    It holds a seat while any is the delegation's, named or not; its picks are the sessions in which anybody on one of
    them has a place. Two queries, however many members there are.
    """
    own = _seats.c.delegation_id == _delegations.c.id
    columns = (
        _delegations.c.id,
        _delegations.c.language,
        _delegations.c.created_at,
        _delegations.c.released_at,
        _delegations.c.ended_at,
        _latest(_lists.c.changed_at, _lists.c.application_id == _people.c.id).label("picked"),
        _latest(_people.c.ended_at).label("left"),
        _forums.c.slug,
    )
    row = db.execute(
        select(*columns, func.count(_seats.c.id).label("seats"), func.max(_seats.c.given_at).label("given"))
        .join(_forums, _forums.c.id == _delegations.c.forum_id)
        .outerjoin(_seats, own)
        .where(_delegations.c.feed_digest == codes.digest(token))
        .group_by(_delegations.c.id, _forums.c.id)
    ).first()
    if row is None:
        return None
    lang: Lang = "km" if row.language == "km" else "en"
    instants = (row.created_at, row.released_at, row.ended_at, row.given, row.picked, row.left)
    return Holder(row.slug, lang, row.seats > 0, max(at for at in instants if at), _places_of(db, row.id))


def _latest(instant: Any, *joined: Any) -> Any:
    """The latest of these instants of the people ever named by the delegation: with one who left, sessions left too."""
    mine = _people.c.delegation_id == _delegations.c.id
    return select(func.max(instant)).where(mine, *joined).correlate(_delegations).scalar_subquery()


def _places_of(db: Db, delegation: int) -> frozenset[str]:
    """The uids of the sessions in which somebody on one of the delegation's seats has a place.

    A place in a session that was cancelled has become a pick without one; it stays to be seen as cancelled.
    """
    asks = _picks.c.session_uid.in_(select(_sign_ups.c.session_uid))
    held = or_(_picks.c.state == PickState.SEATED.value, and_(_picks.c.state == PickState.PICKED.value, asks))
    wanted = (
        select(_picks.c.session_uid)
        .distinct()
        .join(_seats, _seats.c.application_id == _picks.c.application_id)
        .where(_seats.c.delegation_id == delegation, held)
    )
    return frozenset(db.execute(wanted).scalars())


def of_delegation(shelf: Shelf, holder: Holder, token: str, *, now: datetime) -> Feed:
    """The plenaries, and each session in which a member has a place, once; without vevents where no seat is left.

    The calendar is shared, so of a session whose rule keeps sign-ups inside (rules §4.5) it does not say that anybody
    of the delegation has a place; that stands in the person's own.
    """
    sessions = visible_to(shelf.programme, PUBLIC).sessions if holder.holds_seat else ()
    told = {one.uid for one in sessions if one.uid in holder.picks and not withholds_attendance(one.attribution)}
    return feed_of(
        shelf,
        rules.shared_sessions(sessions, shelf.sign_ups, told),
        text_of(shelf.lang, "calendars.ics.delegation", forum=shelf.short_title),
        f"{shelf.base_url}/calendars/{token}.ics",
        f"{shelf.root}/programme",
        (shelf.forum.slug, "delegation"),
        now=now,
        changed_at=holder.changed_at,
    )
