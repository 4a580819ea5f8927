"""Reads about registration shared by the doors."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, or_, select

from app.forum.models import Forum
from app.forum.queries import ends_at, forum_id
from app.kit.codes import digest
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.kit.i18n import Bilingual
from app.registration.models import Application, Category, Needs, Seat, Terms
from app.registration.question_queries import Answered, Given, answers_of, consents_of, questionnaire_of
from app.registration.quotas import house_of, times_of
from app.registration.rules.eligibility import Door, Mode, Standing, door_state, standing, valid_until
from app.registration.rules.states import State

_applications, _categories = table(Application), table(Category)
_seats, _needs, _forums, _terms = table(Seat), table(Needs), table(Forum), table(Terms)


@dataclass(frozen=True, slots=True)
class CategoryView:
    """A category as people see it: may one apply, from when to when (UTC), and how the seats stand."""

    code: str
    letter: str
    band: str
    name: Bilingual
    description: Bilingual
    mode: Mode
    in_hall: bool
    door: Door
    opens_at: datetime | None
    closes_at: datetime | None
    standing: Standing


@dataclass(frozen=True, slots=True)
class Registration:
    """How registration stands at one instant; `valid_until` is the next at which a door opens or closes (UTC).

    `opens_at` is when the first group that is still closed opens, `closes_at` when the last open one closes (UTC).
    """

    categories: tuple[CategoryView, ...]
    opens_at: datetime | None
    closes_at: datetime | None
    confirm_hours: int
    promotion: str
    offer_hours: int
    valid_until: datetime | None
    retention_on: date | None

    def category(self, code: str) -> CategoryView:
        """The category with this code. Raises NotFound."""
        for category in self.categories:
            if category.code == code:
                return category
        raise NotFound

    @property
    def participants(self) -> tuple[CategoryView, ...]:
        """The kinds of participants, who sit in the hall."""
        return tuple(category for category in self.categories if category.in_hall)

    @property
    def others(self) -> tuple[CategoryView, ...]:
        """The classes of badges outside the hall that people may ask for themselves."""
        return tuple(one for one in self.categories if not one.in_hall and one.mode is not Mode.INVITATION)

    @property
    def door(self) -> Door:
        """Registration as a whole: open where any door of a kind of participants is."""
        return widest([category.door for category in self.participants])


def widest(doors: Sequence[Door]) -> Door:
    """Of the categories' doors the one that lets most in: registration as a whole."""
    order = (Door.OPEN, Door.BY_INVITATION, Door.NOT_YET, Door.CLOSED)
    return next((door for door in order if door in doors), Door.OVER)


def registration_of(db: Db, forum: Forum, *, now: datetime) -> Registration:
    """Doors and seats of every category, counted from the seat rows. Two queries.

    Raises Refused("registration_not_set_up") for a forum without categories.
    """
    house = house_of(db, forum_id(forum))
    free, ends = house.available(now), ends_at(forum)
    times = {code: times_of(house, row) for code, row in house.categories.items()}
    views = tuple(
        CategoryView(
            code=code,
            letter=row.letter,
            band=row.band,
            name=row.name,
            description=row.description,
            mode=Mode(row.mode),
            in_hall=row.in_hall,
            door=door_state(*times[code], ends, Mode(row.mode), now),
            opens_at=times[code][0],
            closes_at=times[code][1],
            standing=standing(free, house.quota_of(code)),
        )
        for code, row in house.categories.items()
    )
    modes = ((times[view.code], view.mode) for view in views)
    until = [at for pair, mode in modes if (at := valid_until(*pair, ends, mode, now)) is not None]
    terms = house.terms
    hours = terms.confirm_hours, terms.promotion, terms.offer_hours
    opens_at, closes_at = first_and_last(views)
    return Registration(views, opens_at, closes_at, *hours, min(until, default=None), terms.retention_on)


def first_and_last(views: Iterable[Any]) -> tuple[datetime | None, datetime | None]:
    """When the first category that is not open yet opens, and the last open one closes; None where that is not known.

    `views` have a `door`, `opens_at` and `closes_at`.
    """
    opening = [view.opens_at for view in views if view.door is Door.NOT_YET and view.opens_at is not None]
    closing = [view.closes_at for view in views if view.door in {Door.OPEN, Door.BY_INVITATION}]
    last = None if None in closing else max(closing, default=None)
    return min(opening, default=None), last


@dataclass(frozen=True, slots=True)
class Own:
    """A person's own registration with what their page shows. `place_in_queue` counts from 1, in the category.

    `place` is None without a seat in the hall; `seat_given_at` (UTC) is set for a badge outside it, too.
    """

    row: Any
    forum: Forum
    category: Any
    terms: Any
    place: int | None
    seat_given_at: datetime | None
    place_in_queue: int | None
    needs: tuple[str, str]
    answers: tuple[Answered, ...]
    consents: tuple[Given, ...]
    unanswered: int


def own_registration(db: Db, token: str) -> Own:
    """The registration whose secret link this token is. Raises NotFound."""
    row = db.execute(select(_applications).where(_applications.c.manage_digest == digest(token))).first()
    if row is None:
        raise NotFound
    forum = db.execute(select(Forum).where(_forums.c.id == row.forum_id)).scalar_one()
    category = db.execute(select(_categories).where(_categories.c.id == row.category_id)).one()
    terms = terms_of(db, row.forum_id)
    seat = db.execute(select(_seats.c.number, _seats.c.given_at).where(_seats.c.application_id == row.id)).first()
    place, given_at = (seat.number, seat.given_at) if seat else (None, None)
    needs = db.execute(select(_needs.c.meals, _needs.c.access).where(_needs.c.application_id == row.id)).first()
    queue = place_in_queue(db, row) if row.state == State.WAITING.value else None
    told = (needs.meals, needs.access) if needs else ("", "")
    answers, consents = answers_of(db, row.id, sensitive=True), consents_of(db, row.id)
    left = 0
    if row.ended_at is None:
        left = questionnaire_of(db, row.forum_id, category.code, row.id, answers).unanswered
    return Own(row, forum, category, terms, place, given_at, queue, told, answers, consents, left)


def terms_of(db: Db, own: int) -> Any:
    """The terms of the forum with id `own`, as a row: hours, and whether a freed seat is given or offered."""
    return db.execute(select(_terms).where(_terms.c.forum_id == own)).one()


def place_in_queue(db: Db, row: Any) -> int:
    """How many of the category wait with better standing, plus one: priority, then time asked, then id."""
    before = or_(
        _applications.c.priority > row.priority,
        and_(
            _applications.c.priority == row.priority,
            or_(
                _applications.c.asked_at < row.asked_at,
                and_(_applications.c.asked_at == row.asked_at, _applications.c.id < row.id),
            ),
        ),
    )
    waiting = (
        (_applications.c.forum_id == row.forum_id)
        & (_applications.c.category_id == row.category_id)
        & (_applications.c.state == State.WAITING.value)
    )
    return int(db.execute(select(func.count()).where(waiting, before)).scalar_one()) + 1
