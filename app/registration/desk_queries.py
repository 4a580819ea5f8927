"""Reads about registration for the desk. Each asks for its permission itself, and looks inside its forum alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, bindparam, case, false, func, literal, or_, select, true, union_all

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.kit.i18n import Bilingual, Lang, latin_digits
from app.registration.desk_filters import ASKED, NOTHING, Further, behind, conditions, must_see, ordered
from app.registration.models import Application, Category, Delegation, Needs, Seat
from app.registration.queries import place_in_queue
from app.registration.question_queries import Answered, Given, answers_of, consents_of
from app.registration.quotas import Beyond, House, beyond, house_of
from app.registration.rules.names import normal_email, normal_name
from app.registration.rules.seats import Availability, guarantee_at
from app.registration.rules.states import State

_applications, _categories, _seats, _needs = table(Application), table(Category), table(Seat), table(Needs)
_delegations = table(Delegation)

STANDINGS = ("awaiting", "confirmed", "unconfirmed", "held", "waiting", "offered", "cancelled", "declined", "expired")
"""How the desk sorts registrations: the states, `seated` split by whether the address is confirmed, and `held`:
a seat kept while somebody decides (an offer, or an approval in a category that holds seats meanwhile)."""


@dataclass(frozen=True, slots=True)
class Tally:
    """One category's registrations by standing (`held` ones are also counted as awaiting or offered)."""

    code: str
    letter: str
    band: str
    name: Bilingual
    by_standing: dict[str, int] = field(default_factory=dict)

    def of(self, standing: str) -> int:
        """How many stand so."""
        return self.by_standing.get(standing, 0)

    @property
    def all(self) -> int:
        return sum(n for standing, n in self.by_standing.items() if standing != "held")


@dataclass(frozen=True, slots=True)
class SeatTally:
    """One category's seats against its numbers, at one instant, in seats.

    `taken` = confirmed + unconfirmed + held; held ones without an application are reserved or held back.
    `left` is how many could be given now if only this category asked.
    """

    tally: Tally
    category_id: int
    in_hall: bool
    guarantee: int
    limit: int | None
    lapsed: bool
    taken: int
    confirmed: int
    unconfirmed: int
    held: int
    left: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The forum's seats at one instant; `beyond` says by category what one more seat there takes."""

    capacity: int
    target: int
    free: Availability
    seats: tuple[SeatTally, ...]
    beyond: Mapping[str, Beyond]

    def total(self, name: str) -> int:
        """The sum of one column of `seats` in the hall: badges outside it take none of its places."""
        return sum(getattr(row, name) for row in self.seats if row.in_hall)

    @property
    def nameless(self) -> int:
        """The hall's seats for nobody by name: held back, or of a delegation or an invitation without one."""
        return sum(row.held - row.tally.of("held") for row in self.seats if row.in_hall)

    def standing(self, name: str, *, in_hall: bool = False) -> int:
        """How many registrations stand so, in all categories, or in those of the hall."""
        return sum(row.tally.of(name) for row in self.seats if row.in_hall or not in_hall)


def group_names(db: Db, forum: Forum, lang: Lang) -> dict[str, str]:
    """The groups' names by code, in the organisers' order. One query."""
    groups = _categories.c
    wanted = select(groups.code, groups.name).where(groups.forum_id == forum_id(forum)).order_by(groups.position)
    return {row.code: row.name.of(lang) for row in db.execute(wanted)}


def tallies(db: Db, by: Actor, forum: Forum) -> tuple[Tally, ...]:
    """Every category with how its registrations stand, in the organisers' order. One query."""
    by.must(Permission.SEE_DESK, forum_id(forum))
    found: dict[str, Tally] = {}
    for row in db.execute(_TALLIES, {"own": forum_id(forum)}):
        tally = found.setdefault(row.code, Tally(row.code, row.letter, row.band, row.name))
        if row.n:
            tally.by_standing[row.standing] = row.n
    return tuple(found.values())


def _tallies() -> Any:
    own, people, categories = bindparam("own", type_=Integer), _applications.c, _categories.c
    mine, seated = people.forum_id == own, people.state == State.SEATED.value
    how = case((people.confirmed_at.is_not(None), "confirmed"), else_="unconfirmed").label("standing")
    holders = select(_seats.c.application_id).where(_seats.c.forum_id == own, _seats.c.application_id.is_not(None))
    # the first counts in an index alone, each pair by itself: to sort a hundred thousand entries into groups takes
    # twice as long. The others read no more rows than there are seats
    named = (select(literal(state.value).label("standing")) for state in State if state is not State.SEATED)
    others = union_all(*named).subquery()
    of_each = mine & (people.state == others.c.standing) & (people.category_id == categories.id)
    by_standing = union_all(
        select(
            categories.id.label("category_id"),
            others.c.standing,
            select(func.count()).where(of_each).correlate(_categories, others).scalar_subquery().label("n"),
        )
        .select_from(_categories.join(others, true()))
        .where(categories.forum_id == own),
        select(people.category_id, how, func.count()).where(mine, seated).group_by(people.category_id, how),
        select(people.category_id, literal("held"), func.count())
        .where(~seated, people.id.in_(holders))
        .group_by(people.category_id),
    ).cte("by_standing")
    # else each is counted twice: to see whether there are any, and to say how many
    by_standing = by_standing.prefix_with("MATERIALIZED")
    return (
        select(
            *(categories[name] for name in ("code", "letter", "band", "name")), by_standing.c.standing, by_standing.c.n
        )
        .outerjoin(by_standing, (by_standing.c.category_id == categories.id) & (by_standing.c.n > 0))
        .where(categories.forum_id == own)
        .order_by(categories.position)
    )


_TALLIES = _tallies()
"""Built once: putting it together takes longer than counting three hundred registrations."""


def overview(db: Db, by: Actor, forum: Forum, *, now: datetime, house: House | None = None) -> Overview:
    """Seats by category against guarantee, limit, target and capacity, counted from the rows. Three queries, or one
    where the `house` was read before."""
    house = house or house_of(db, forum_id(forum))
    free = house.available(now)
    rows = []
    for tally in tallies(db, by, forum):
        quota, taken = house.quota_of(tally.code), house.taken[tally.code]
        rows.append(
            SeatTally(
                tally=tally,
                category_id=house.categories[tally.code].id,
                in_hall=house.categories[tally.code].in_hall,
                guarantee=quota.guarantee,
                limit=quota.limit,
                lapsed=guarantee_at(quota, now) < quota.guarantee,
                taken=taken,
                confirmed=tally.of("confirmed"),
                unconfirmed=tally.of("unconfirmed"),
                held=taken - tally.of("confirmed") - tally.of("unconfirmed"),
                left=free.seats_left[tally.code],
            )
        )
    more = {code: beyond(house, code, now=now) for code in house.categories}
    return Overview(house.terms.capacity, house.terms.target, free, tuple(rows), more)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which registrations the list shows: standing and category ("" for all), words to find, what else is asked, and
    after whom. `order` is a name of `desk_filters.ORDERS`; with `oldest_first` it goes up, else down.
    `columns` are those to be shown, none: the usual ones."""

    standing: str = ""
    category: str = ""
    words: str = ""
    oldest_first: bool = False
    after: str = ""
    order: str = ASKED
    further: Further = NOTHING
    columns: tuple[str, ...] = ()

    def other(self, **changes: Any) -> "Wanted":
        """The same question with something changed, from its beginning."""
        return replace(self, **{"after": "", **changes})


FEW = 1000
"""So many rows are found by an index and sorted more quickly than by walking the table in order."""


def desk_list(
    db: Db, by: Actor, forum: Forum, wanted: Wanted, *, most: int = 50, of: int = 0, there: int | None = None
) -> tuple[list[Any], bool]:
    """Registrations as asked for, and whether there are more. One query, whatever its length.

    Each row has what the list shows, with the category's code, letter, band and name, and the seat's place or None.
    `of` is how many there are of that standing and category (`counted_by`): where they are many, the table is walked
    in the list's order and left after a page, so that a page costs the same however long the list is. `there` is how
    many there are on this very view of the database, where that was counted: nobody is looked for behind the last.
    """
    by.must(Permission.SEE_PEOPLE, forum_id(forum))
    must_see(db, by, forum, wanted.further)
    if there == 0:
        return [], False
    own, many = _applications.c.forum_id, of > FEW and not wanted.further.codes
    # a sum is what no index is taken for: the walk is by id, or else by the index of the order alone
    mine = own + 0 == forum_id(forum) if many and wanted.order == ASKED else own == forum_id(forum)
    chosen = (
        select(
            *(_applications.c[name] for name in _LISTED),
            _categories.c.code.label("category"),
            _categories.c.letter,
            _categories.c.band,
            _categories.c.name.label("category_name"),
            _seats.c.number.label("place"),
        )
        .join(_categories, _categories.c.id == _applications.c.category_id)
        .outerjoin(_seats, _seats.c.application_id == _applications.c.id)
        .where(mine, *_conditions(forum, wanted, walked=many), *_after(forum, wanted))
        .order_by(*ordered(wanted.order, up=wanted.oldest_first))
        .limit(most + 1 if there is None else min(most + 1, there))
    )
    rows = list(db.execute(chosen))
    return rows[:most], len(rows) > most


def desk_count(db: Db, by: Actor, forum: Forum, wanted: Wanted, *, erased: bool = True, of: int = 0) -> tuple[int, int]:
    """How many registrations fit the question, and how many of them stand before the list's beginning; without those
    who were erased where `erased` is false. `of` as in `desk_list`: where they are many, every row is read in a row.
    One query."""
    by.must(Permission.SEE_PEOPLE, forum_id(forum))
    must_see(db, by, forum, wanted.further)
    counted = func.count().label("n")
    kept = [] if erased else [_applications.c.erased_at.is_(None)]
    rest = func.sum(case((and_(*_after(forum, wanted)), 1), else_=0)) if wanted.after else counted
    people: Any = _applications  # joined with what is asked about alone: a hundred thousand seats are soon looked up
    if wanted.category:
        people = people.join(_categories, _categories.c.id == _applications.c.category_id)
    if wanted.standing == "held":
        people = people.outerjoin(_seats, _seats.c.application_id == _applications.c.id)
    own, many = _applications.c.forum_id, of > FEW and not wanted.further.codes
    mine = own + 0 == forum_id(forum) if many else own == forum_id(forum)
    asked = select(counted, rest.label("rest")).select_from(people)
    row = db.execute(asked.where(mine, *_conditions(forum, wanted, walked=many), *kept)).one()
    return row.n, row.n - int(row.rest or 0)


def counted_by(counted: Sequence[Tally], wanted: Wanted) -> int:
    """How many registrations are of the question's standing and category, as the tallies say, whatever its words."""
    fitting = (tally for tally in counted if wanted.category in {"", tally.code})
    return sum(tally.of(wanted.standing) if wanted.standing else tally.all for tally in fitting)


_LISTED = (
    "id",
    "edition",
    "code",
    "state",
    "family_name",
    "given_name",
    "name_km",
    "name_order",
    "display_name",
    "titles",
    "attends_as",
    "institution",
    "position_title",
    "country",
    "email",
    "phone",
    "language",
    "assistant_name",
    "asked_at",
    "confirmed_at",
    "ended_at",
    "erased_at",
    "priority",
    "priority_reason",
)


def next_to_decide(db: Db, by: Actor, forum: Forum, wanted: Wanted, *, after: str) -> tuple[str, int]:
    """The code of the registration to decide on after the one with the code `after`, and how many there are to decide.

    Looks among those of the question's category and words, whatever its standing; the oldest first, from `after` on
    and round again, so that one left for later comes back at the end. ("", 0) where none is left. One query.
    """
    by.must(Permission.SEE_PEOPLE, forum_id(forum))
    must_see(db, by, forum, wanted.further)
    own, seen = _applications.c.forum_id == forum_id(forum), _applications.alias("seen")
    mark = select(seen.c.id).where(seen.c.forum_id == forum_id(forum), seen.c.code == after).scalar_subquery()
    awaiting = wanted.other(standing=State.AWAITING_APPROVAL.value, further=replace(wanted.further, codes=()))
    found = db.execute(
        select(_applications.c.code, func.count().over().label("n"))
        .join(_categories, _categories.c.id == _applications.c.category_id)
        .where(own, _applications.c.code != after, *_conditions(forum, awaiting))
        .order_by(case((_applications.c.id > mark, 0), else_=1), _applications.c.id)
        .limit(1)
    ).first()
    return (found.code, found.n) if found else ("", 0)


def _conditions(forum: Forum, wanted: Wanted, *, walked: bool = False) -> Sequence[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.standing:
        found.append(_stands(wanted.standing, walked=walked))
    if wanted.category:
        found.append(_categories.c.code == wanted.category)
    found += [_speaks_of(word) for word in wanted.words.split()]
    return [*found, *conditions(forum, wanted.further)]


def _stands(standing: str, *, walked: bool = False) -> ColumnElement[bool]:
    # where the list is walked in its order, the index of the states must not be taken for it
    state = _applications.c.state.concat("") if walked else _applications.c.state
    if standing == "confirmed":
        return and_(state == State.SEATED.value, _applications.c.confirmed_at.is_not(None))
    if standing == "unconfirmed":
        return and_(state == State.SEATED.value, _applications.c.confirmed_at.is_(None))
    if standing == "held":
        return and_(state != State.SEATED.value, _seats.c.id.is_not(None))
    return state == standing


def _speaks_of(word: str) -> ColumnElement[bool]:
    """Names and institution without case, punctuation and invisible characters; the address; the whole code."""
    hits: list[ColumnElement[bool]] = [
        _applications.c.code == latin_digits(word).upper(),
        _applications.c.email_normal.contains(normal_email(word), autoescape=True) if normal_email(word) else false(),
    ]
    hits += [_applications.c.name_search.contains(part, autoescape=True) for part in (normal_name(word),) if part]
    return or_(*hits)


def _after(forum: Forum, wanted: Wanted) -> Sequence[ColumnElement[bool]]:
    return (behind(forum, wanted.order, wanted.after, up=wanted.oldest_first),) if wanted.after else ()


@dataclass(frozen=True, slots=True)
class Whole:
    """One registration for the desk; `needs` (meals, access) is None where the role may not see them, and sensitive
    answers are left out then. `row` has the code and the names of its delegation too, or None."""

    row: Any
    category: Any
    place: int | None
    place_kind: str
    place_in_queue: int | None
    needs: tuple[str, str] | None
    answers: tuple[Answered, ...]
    consents: tuple[Given, ...]


def desk_registration(db: Db, by: Actor, forum: Forum, code: str) -> Whole:
    """The registration with this code in this forum. Raises NotFound. At most five queries."""
    own = forum_id(forum)
    by.must(Permission.SEE_PEOPLE, own)
    mine = (_applications.c.forum_id == own) & (_applications.c.code == code)
    row = db.execute(
        select(
            _applications,
            _seats.c.number.label("place"),
            _seats.c.kind.label("place_kind"),
            _delegations.c.code.label("delegation"),
            _delegations.c.institution.label("delegation_name"),
            _delegations.c.institution_km.label("delegation_name_km"),
        )
        .outerjoin(_seats, _seats.c.application_id == _applications.c.id)
        .outerjoin(_delegations, _delegations.c.id == _applications.c.delegation_id)
        .where(mine)
    ).first()
    if row is None:
        raise NotFound
    category = db.execute(select(_categories).where(_categories.c.id == row.category_id)).one()
    queue = place_in_queue(db, row) if row.state == State.WAITING.value else None
    sensitive = by.may(Permission.SEE_SENSITIVE, own)
    needs = _needs_of(db, row.id) if sensitive else None
    answers = answers_of(db, row.id, sensitive=sensitive)
    return Whole(row, category, row.place, row.place_kind or "", queue, needs, answers, consents_of(db, row.id))


def _needs_of(db: Db, application: int) -> tuple[str, str]:
    found = db.execute(select(_needs.c.meals, _needs.c.access).where(_needs.c.application_id == application)).first()
    return (found.meals, found.access) if found else ("", "")
