"""The order of precedence as it stands: a forum's ladder, and its people in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from babel import Locale
from sqlalchemy import func, select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.i18n import Bilingual, text_of
from app.registration.models import Application, Category, Delegation, Ladder, Rank, Rung
from app.registration.rules import precedence
from app.registration.rules.collation import sort_key
from app.registration.rules.precedence import Guest, in_order
from app.registration.rules.states import State

_applications, _categories, _delegations = table(Application), table(Category), table(Delegation)
_ladders, _rungs, _ranks = table(Ladder), table(Rung), table(Rank)
LIVE = (State.SEATED, State.OFFERED, State.WAITING, State.AWAITING_APPROVAL)
"""Who may stand in the order at all; the usual question is only for those who are seated."""


@dataclass(frozen=True, slots=True)
class RungView:
    """A rung with its name; `id` and `edition` are 0 while the usual ladder stands and nobody changed it."""

    id: int
    edition: int
    name: Bilingual
    rule: precedence.Rung

    @property
    def code(self) -> str:
        return self.rule.code


@dataclass(frozen=True, slots=True)
class LadderView:
    """A forum's ladder, the highest rung first, and its alphabet; `is_usual` while nobody changed it."""

    alphabet: str
    rungs: tuple[RungView, ...]
    is_usual: bool

    def named(self, code: str) -> RungView | None:
        """The rung of this code, or None."""
        return next((rung for rung in self.rungs if rung.code == code), None)


@dataclass(frozen=True, slots=True)
class Ranked:
    """Somebody in the order of precedence. `row` has the registration's columns with its category's and delegation's;
    `rung` is None on no rung, `put` says that somebody put the person there."""

    row: Any
    rung: RungView | None
    put: bool


def ladder_of(db: Db, own: int) -> LadderView:
    """The ladder of the forum with this id, or the usual one. Two queries at most."""
    kept = db.execute(select(_ladders.c.alphabet).where(_ladders.c.forum_id == own)).first()
    if kept is None:
        return LadderView("en", usual_ladder(), is_usual=True)
    rows = db.execute(select(_rungs).where(_rungs.c.forum_id == own).order_by(_rungs.c.position, _rungs.c.id))
    return LadderView(kept.alphabet, tuple(map(_view, rows)), is_usual=False)


def usual_ladder() -> tuple[RungView, ...]:
    """What every forum begins with, with its names from the catalogues."""
    return tuple(
        RungView(0, 0, Bilingual(*(text_of(lang, f"precedence.usual.{rung.code}") for lang in ("en", "km"))), rung)
        for rung in precedence.USUAL
    )


def _view(row: Any) -> RungView:
    rule = precedence.Rung(row.code, tuple(row.categories), tuple(row.titles), tuple(row.functions), row.heads)
    return RungView(row.id, row.edition, row.name, rule)


def collated(text: str) -> str:
    """A text by its place in a list, Khmer and Latin alike (`rules/collation.py`)."""
    return sort_key(text).hex() if text else ""


def people_in_order(
    db: Db, by: Actor, forum: Forum, ladder: LadderView, *, states: Sequence[State] = (State.SEATED,)
) -> list[Ranked]:
    """Everybody of the hall in these states, in order of precedence; badges outside the hall take no part. One query.

    Raises Forbidden without `see_people`.
    """
    own = forum_id(forum)
    by.must(Permission.SEE_PEOPLE, own)
    # classes of badges outside the hall: companions, interpreters, press, staff
    mine = (_applications.c.forum_id == own) & _categories.c.in_hall & _applications.c.erased_at.is_(None)
    rows = db.execute(
        select(
            *(_applications.c[name] for name in _COLUMNS),
            _categories.c.code.label("category"),
            _categories.c.letter,
            _categories.c.band,
            _categories.c.name.label("category_name"),
            _categories.c.position.label("category_position"),
            _delegations.c.institution.label("delegation_name"),
            _delegations.c.institution_km.label("delegation_name_km"),
            _delegations.c.country.label("delegation_country"),
            _ranks.c.rung_id,
            _ranks.c.since,
        )
        .join(_categories, _categories.c.id == _applications.c.category_id)
        .outerjoin(_delegations, _delegations.c.id == _applications.c.delegation_id)
        .outerjoin(_ranks, _ranks.c.application_id == _applications.c.id)
        .where(mine, _applications.c.state.in_([state.value for state in states]))
    ).all()
    known, codes = {row.id: row for row in rows}, {rung.id: rung.code for rung in ladder.rungs if rung.id}
    guests = [_guest(row, ladder.alphabet, codes) for row in rows]
    views = {rung.code: rung for rung in ladder.rungs}
    return [
        Ranked(known[guest.id], views[rung.code] if rung else None, bool(rung and guest.rung == rung.code))
        for guest, rung in in_order(guests, [rung.rule for rung in ladder.rungs], collated=collated)
    ]


def rank_of(db: Db, application: int) -> Any:
    """What protocol knows of one person's rank (rung_id, since, reason, the rung's code), or None. One query."""
    wanted = select(_ranks, _rungs.c.code.label("rung")).outerjoin(_rungs, _rungs.c.id == _ranks.c.rung_id)
    return db.execute(wanted.where(_ranks.c.application_id == application)).first()


def rung_now(db: Db, own: int, row: Any, category: str) -> tuple[RungView | None, bool]:
    """The rung on which the person of a registration stands, and whether they were put there. Three queries at most."""
    ladder, rank = ladder_of(db, own), rank_of(db, row.id)
    put = str(rank.rung or "") if rank else ""
    is_private = row.attends_as == "private"
    function, heads = "" if is_private else row.position_title, row.heads_delegation and not is_private
    guest = Guest(row.id, category, tuple(row.titles or ()), function, heads, rung=put)
    rung = precedence.rung_of(guest, [one.rule for one in ladder.rungs])
    return (ladder.named(rung.code), rung.code == put) if rung else (None, False)


def how_many_put(db: Db, rung: int) -> int:
    """How many people were put on the rung with this id. One query."""
    return int(db.execute(select(func.count()).where(_ranks.c.rung_id == rung)).scalar_one())


def country_in(alphabet: str, code: str) -> str:
    """A country's name in one of the alphabets; "" for none and for one without a name there."""
    return _territories(alphabet).get(code, "").replace("\u200b", "") if code else ""


@cache
def _territories(alphabet: str) -> dict[str, str]:
    return {code: str(name) for code, name in Locale(alphabet).territories.items()}


def _guest(row: Any, alphabet: str, codes: dict[int, str]) -> Guest:
    is_private = row.attends_as == "private"
    institution = row.delegation_name or row.institution
    if alphabet == "km":
        institution = row.delegation_name_km or institution
    return Guest(
        id=row.id,
        category=row.category,
        titles=tuple(row.titles or ()),
        function="" if is_private else row.position_title,
        heads=row.heads_delegation and not is_private,
        delegation=(
            country_in(alphabet, row.country if is_private else row.delegation_country or row.country),
            "" if is_private else institution,
        ),
        family_name=row.family_name or row.display_name or row.name_km,
        given_name=row.given_name,
        since=row.since,
        rung=codes.get(row.rung_id, ""),
    )


_COLUMNS = (
    "id",
    "code",
    "state",
    "titles",
    "family_name",
    "given_name",
    "name_km",
    "name_order",
    "display_name",
    "attends_as",
    "institution",
    "position_title",
    "country",
    "delegation_id",
    "heads_delegation",
    "confirmed_at",
)
