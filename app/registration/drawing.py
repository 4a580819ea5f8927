"""Ids and places that registrations of one commit draw ahead, many in one question.

Whoever registers alone draws one of each, the first of many as many as there are. What a run of them draws holds as
long as its neighbours only register (`settling.leave_settled`): nobody else writes in between, so what was free is
free, but for what they took themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, bindparam, func, select

from app.kit.db import Db, new_ids, table
from app.kit.questions import Question
from app.registration.models import Application, Place, Seat
from app.registration.rules.seats import asks_at

_applications, _places, _seats = table(Application), table(Place), table(Seat)
_LATEST = Question(select(func.max(_applications.c.asked_at)).where(_applications.c.forum_id == bindparam("own")))
_FREE = Question(
    select(_places.c.number)
    .outerjoin(_seats, (_seats.c.forum_id == _places.c.forum_id) & (_seats.c.number == _places.c.number))
    .where(
        _places.c.forum_id == bindparam("own"),
        _places.c.number > bindparam("full_to"),
        _places.c.retiring.is_(False),
        _seats.c.id.is_(None),
    )
    .order_by(_places.c.number)
    .limit(bindparam("many", type_=Integer))
)
MANY = 32
"""So many are drawn where somebody registered right before: others will come right behind."""
_MOST = 256
"""So many are drawn at once at most."""


@dataclass(slots=True)
class Drawn:
    """What one registration left for the next; made anew it is empty, and one of each is drawn, or as many as are
    wanted."""

    many: int = 1
    _ids: Iterator[int] = field(default_factory=lambda: iter(()))
    _places: Iterator[int] = field(default_factory=lambda: iter(()))
    _latest: datetime | None = None
    _knows_latest: bool = False

    @classmethod
    def first_of(cls, db: Db) -> "Drawn":
        """For the first of those who register in a commit."""
        many, db.expected = min(db.expected, _MOST), 1
        return cls(many)

    def next_id(self, db: Db) -> int:
        """The id of the next application. A query where none is drawn."""
        number = next(self._ids, None)
        if number is None:
            self._ids = new_ids(db, _applications, self.many)
            number = next(self._ids)
        return number

    def next_place(self, db: Db, own: int, full_to: int) -> int | None:
        """The lowest free place of a forum, none up to `full_to` being free; None where all are taken. A query where
        none is drawn."""
        number = next(self._places, None)
        if number is None:

            def is_above(seat: dict[str, Any]) -> bool:
                return seat["forum_id"] == own and (seat["number"] or 0) > full_to

            rows = db.ask(_FREE, {"own": own, "full_to": full_to, "many": self.many}, matters=is_above)
            self._places = iter([row[0] for row in rows])
            number = next(self._places, None)
        return number

    def asks_at(self, db: Db, own: int, now: datetime) -> datetime:
        """The time at which whoever asks `now` has asked in this forum, behind those before them
        (`rules.seats.asks_at`). A query at first."""
        if not self._knows_latest:
            self._latest, self._knows_latest = db.ask(_LATEST, {"own": own})[0][0], True
        at = asks_at(now, self._latest)
        self._latest = at if self._latest is None else max(self._latest, at)
        return at
