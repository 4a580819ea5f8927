"""The head table: who sits at it and where. It is set in the order of precedence; two seats are exchanged by hand."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field
from sqlalchemy import delete, insert, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Conflict, Fault, Invalid
from app.kit.i18n import latin_digits
from app.kit.inputs import Filled, Input
from app.registration.models import HeadTable, TableGuest
from app.registration.rank_queries import Ranked, ladder_of, people_in_order
from app.registration.rules.head_table import MOST_SEATS, Plan, Shape, plan

_tables, _guests = table(HeadTable), table(TableGuest)
HOST = 0
"""The host's seat."""


def _number(value: object) -> object:
    text = latin_digits(value).strip() if isinstance(value, str) else value
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 6 else text


class TableInput(Input):
    """How many guests the table is set for beside the host, and how it stands."""

    seats: Annotated[int, Field(ge=1, le=MOST_SEATS), BeforeValidator(_number)]
    shape: Shape


class ExchangeInput(Input):
    """Two seats whose people change places, and why."""

    first: Annotated[int, Field(ge=1, le=MOST_SEATS), BeforeValidator(_number)]
    second: Annotated[int, Field(ge=1, le=MOST_SEATS), BeforeValidator(_number)]
    reason: Filled


@dataclass(frozen=True, slots=True)
class TableView:
    """The table as it is set; `edition` is 0 before it ever was.

    `at` has who sits on which seat; one whose person is not seated in the hall any more is empty. `people` are all
    who are seated, in order of precedence.
    """

    seats: int
    shape: Shape
    edition: int
    at: dict[int, Ranked]
    people: tuple[Ranked, ...]

    @property
    def plan(self) -> Plan:
        return plan(self.seats, self.shape)


def table_of(db: Db, by: Actor, forum: Forum) -> TableView:
    """The table, for those who see people. Five queries at most."""
    own = forum_id(forum)
    people = people_in_order(db, by, forum, ladder_of(db, own))
    kept = db.execute(select(_tables).where(_tables.c.forum_id == own)).first()
    known = {one.row.id: one for one in people}
    rows = db.execute(select(_guests.c.application_id, _guests.c.seat).where(_guests.c.forum_id == own)).all()
    at = {row.seat: known[row.application_id] for row in rows if row.application_id in known}
    if kept is None:
        return TableView(8, Shape.ROW, 0, at, tuple(people))
    return TableView(kept.seats, Shape(kept.shape), kept.edition, at, tuple(people))


def set_table(
    db: Db,
    by: Actor,
    forum: Forum,
    sent: TableInput,
    guests: Collection[str],
    host: str,
    edition: int,
    *,
    now: datetime,
) -> None:
    """Set the table for these people (codes of registrations) in their order of precedence, and the host ("" where the
    host is not registered) in the middle. What was exchanged by hand is gone.

    Raises Invalid: `not_a_choice` for whoever is not seated in the hall, `table_full`; Conflict("table_changed").
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_PROTOCOL, own)
    there = table_of(db, by, forum)
    if there.edition != edition:
        raise Conflict("table_changed")
    known = {one.row.code: one for one in there.people}
    if host and host not in known:
        raise Invalid([Fault("host", "not_a_choice")])
    wanted = set(guests) - {host}
    if not wanted <= known.keys():
        raise Invalid([Fault("guests", "not_a_choice")])
    if len(wanted) > sent.seats:
        raise Invalid([Fault("guests", "table_full", {"n": len(wanted), "seats": sent.seats})])
    db.execute(delete(_guests).where(_guests.c.forum_id == own))
    ordered = [one.row.id for one in there.people if one.row.code in wanted]
    rows = [{"application_id": person, "forum_id": own, "seat": seat} for seat, person in enumerate(ordered, 1)]
    rows += [{"application_id": known[host].row.id, "forum_id": own, "seat": HOST}] if host else []
    if rows:
        db.execute(insert(_guests), rows)
    _grown(db, own, sent, edition)
    after = {"seats": sent.seats, "people": len(rows), "kind": sent.shape.value}
    record(db, forum.slug, by.signature, "head_table.set", f"forum:{forum.slug}", now=now, after=after)


def exchange(db: Db, by: Actor, forum: Forum, sent: ExchangeInput, edition: int, *, now: datetime) -> None:
    """Whoever sits on two seats changes places, or the one moves to the other, empty seat. The reason is personal.

    Raises Conflict("table_changed"); Invalid: `not_a_choice`.
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_PROTOCOL, own)
    there = table_of(db, by, forum)
    if there.edition != edition:
        raise Conflict("table_changed")
    pair = (sent.first, sent.second)
    people = [there.at.get(seat) for seat in pair]
    for name, seat in zip(("first", "second"), pair, strict=True):
        if seat > there.seats:
            raise Invalid([Fault(name, "not_a_choice")])
    if sent.first == sent.second or not any(people):
        raise Invalid([Fault("second", "not_a_choice")])
    db.execute(delete(_guests).where(_guests.c.forum_id == own, _guests.c.seat.in_(pair)))
    for one, former, seat in zip(people, pair, reversed(pair), strict=True):
        if one is None:
            continue
        db.execute(insert(_guests).values(application_id=one.row.id, forum_id=own, seat=seat))
        subject, told = f"registration:{one.row.code}", {"reason": sent.reason}
        before, after = {"place": former}, {"place": seat}
        kind = "registration.exchanged"
        record(db, forum.slug, by.signature, kind, subject, now=now, before=before, after=after, personal=told)
    _grown(db, own, TableInput(seats=there.seats, shape=there.shape), edition)


def _grown(db: Db, own: int, sent: TableInput, edition: int) -> None:
    values = {"seats": sent.seats, "shape": sent.shape.value, "edition": edition + 1}
    if edition:
        db.execute(update(_tables).where(_tables.c.forum_id == own).values(**values))
    else:
        db.execute(insert(_tables).values(forum_id=own, **values))
