"""Which sessions are everybody's, for those who are told of the programme."""

from collections.abc import Collection

from sqlalchemy import select

from app.calendars.rules import plenaries
from app.kit.db import Db, table
from app.programme.published import Programme
from app.programme.queries import visible_to
from app.programme.rules.visibility import PUBLIC
from app.registration.models import SignUp

_sign_ups = table(SignUp)


def common_sessions(db: Db, forum_id: int, programme: Programme) -> frozenset[str]:
    """The uids of the plenaries of a version, cancelled ones too. One query."""
    asks = set(db.execute(select(_sign_ups.c.session_uid).where(_sign_ups.c.forum_id == forum_id)).scalars())
    return common_of(programme, asks)


def common_of(programme: Programme, asks: Collection[str]) -> frozenset[str]:
    """The same, where it is known which sessions (uids) ask for sign-up."""
    return frozenset(one.uid for one in plenaries(visible_to(programme, PUBLIC).sessions, asks))
