"""One thing done with many registrations: looked at first, done just so in pieces, taken back where that can be
(docs/decisions/0023). Each registration goes through the deed that a single one goes through."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.latest import last_facts
from app.audit.recording import head_of, record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Conflict, Fault, Invalid, NotFound, Refused
from app.mail.delaying import delay, still_here
from app.registration import applying, reviewing, tagging
from app.registration.desk_filters import ASKED
from app.registration.desk_inputs import BulkInput
from app.registration.desk_queries import Wanted, desk_list
from app.registration.models import Application, Bulk, BulkItem, Category, Tagged
from app.registration.quotas import Beyond, House, beyond, house_of
from app.registration.rules.seats import Waiting, standing
from app.registration.rules.states import State, may_follow
from app.registration.simulating import once_settled
from app.registration.taking_back import APPROVALS, before_approval, take_back_approval

_applications, _categories, _tagged = table(Application), table(Category), table(Tagged)
_bulks, _items = table(Bulk), table(BulkItem)
MOST, PIECE = 2000, 50
"""So many registrations may be chosen at once, and so many are done in one turn of the pen."""
MAILS_WAIT = timedelta(minutes=10)
"""How long the mails of approvals wait, so that these can be taken back before anybody is told."""
DONE = frozenset({"seated", "waiting", "declined", "cancelled", "moved", "tagged", "untagged"})
"""Outcomes; every other word says why not, a code of the catalogue under `refused`."""
MAILS = {"seated": 1, "waiting": 1, "declined": 1, "cancelled": 1}
"""Outcome → mails that leave to each person."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What would become of one registration: an outcome of `DONE`, or a code that says why not. `why` says of one who
    would wait what stands in the way: the hall, a limit or guarantees."""

    row: Any
    outcome: str
    why: str = ""

    @property
    def possible(self) -> bool:
        return self.outcome in DONE


@dataclass(frozen=True, slots=True)
class Prospect:
    """What would become of each, in the order in which it would be done, and a mark of just this."""

    lines: tuple[Expected, ...]
    mark: str

    @property
    def counts(self) -> Counter[str]:
        """How many come to each outcome."""
        return Counter(line.outcome for line in self.lines)

    @property
    def possible(self) -> int:
        return sum(line.possible for line in self.lines)

    @property
    def mails(self) -> int:
        """How many mails leave to these people themselves; who gets a freed seat is told beside."""
        return sum(MAILS.get(line.outcome, 0) for line in self.lines)


def look_at(db: Db, by: Actor, forum: Forum, wanted: Wanted, sent: BulkInput, *, now: datetime) -> Prospect:
    """What doing this with everybody that fits the question would do. Writes nothing; as many queries however many fit.

    Raises Forbidden; NotFound for a tag or group there is none of; Refused: `nobody_chosen`, `too_many_chosen`; Invalid
    where a group or tag is missing.
    """
    own = forum_id(forum)
    by.must(Permission.DECIDE_REGISTRATIONS, own)
    house = house_of(db, own)
    _must_be_whole(db, own, house, sent)
    everybody = replace(wanted, after="", order=ASKED, oldest_first=True)
    rows, more = desk_list(db, by, forum, everybody, most=MOST)
    if more:
        raise Refused("too_many_chosen", most=MOST)
    if not rows:
        raise Refused("nobody_chosen")
    rows = sorted(rows, key=lambda row: standing(Waiting(row.id, row.category, row.priority, row.asked_at)))
    lines = tuple(_LOOKS[sent.act](db, forum, house, rows, sent, now))
    return Prospect(lines, _mark(sent, lines))


def _must_be_whole(db: Db, own: int, house: House, sent: BulkInput) -> None:
    if sent.act == "move":
        if not sent.to:
            raise Invalid([Fault("to", "not_chosen")])
        if sent.to not in house.categories:
            raise Invalid([Fault("to", "unknown_category")])
    if sent.act in {"tag", "untag"}:
        if sent.with_tag is None:
            raise Invalid([Fault("with_tag", "tag_not_chosen")])
        tagging.known_tag(db, own, sent.with_tag)


def _mark(sent: BulkInput, lines: Sequence[Expected]) -> str:
    """A digest of what would be done to whom."""
    told = [sent.act, sent.to, sent.with_tag, [[line.row.id, line.row.state, line.outcome] for line in lines]]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


Looks = Callable[[Db, Forum, House, Sequence[Any], BulkInput, datetime], list[Expected]]


def _approved(
    db: Db, forum: Forum, house: House, rows: Sequence[Any], _sent: BulkInput, now: datetime
) -> list[Expected]:
    """In the order of standing, as the deed would give the seats: the list before somebody changes what is left."""
    hall, people = once_settled(db, forum, house, now=now)
    taken = hall.taken(people)
    here = replace(house, taken={code: taken[code] for code in house.categories})
    found = []
    for row in rows:
        if row.state != State.AWAITING_APPROVAL.value:
            found.append(Expected(row, "step_not_possible"))
        elif row.id in hall.sitting:
            found.append(Expected(row, "seated"))
        elif (more := beyond(here, row.category, now=now)).by_rule:
            here.taken[row.category] += 1
            found.append(Expected(row, "seated"))
        else:
            found.append(Expected(row, "waiting", _why(more)))
    return found


def _why(more: Beyond) -> str:
    if not more.possible:
        return "hall"
    return "limit" if more.over_limit else "guarantees"


def _ended(outcome: str, to: State) -> Looks:
    def look(
        _db: Db, _forum: Forum, _house: House, rows: Sequence[Any], _sent: BulkInput, _now: datetime
    ) -> list[Expected]:
        return [Expected(row, outcome if may_follow(State(row.state), to) else "step_not_possible") for row in rows]

    return look


def _moved(db: Db, forum: Forum, house: House, rows: Sequence[Any], sent: BulkInput, now: datetime) -> list[Expected]:
    hall, people = once_settled(db, forum, house, now=now)
    taken = hall.taken(people)
    here = replace(house, taken={code: taken[code] for code in house.categories})
    best = min((_standing(people[one]) for one in hall.waiting if people[one].category == sent.to), default=None)
    found = []
    for row in rows:
        outcome = "moved"
        if row.ended_at is not None:
            outcome = "ended"
        elif row.category == sent.to:
            outcome = "same_category"
        elif row.id in hall.sitting:
            here.taken[row.category] -= 1
            fits = beyond(here, sent.to, now=now).by_rule
            outcome = "moved" if fits else "no_seat_there"
            if fits and best is not None and best < _standing(row):
                outcome = "others_wait_there"
            here.taken[sent.to if outcome == "moved" else row.category] += 1
        found.append(Expected(row, outcome))
    return found


def _standing(row: Any) -> Any:
    return standing(Waiting(row.id, "", row.priority, row.asked_at))


def _marked(on: bool) -> Looks:
    def look(
        db: Db, _forum: Forum, _house: House, rows: Sequence[Any], sent: BulkInput, _now: datetime
    ) -> list[Expected]:
        there = set(db.execute(select(_tagged.c.application_id).where(_tagged.c.tag_id == sent.with_tag)).scalars())

        def outcome(row: Any) -> str:
            if row.erased_at is not None:
                return "erased"
            if (row.id in there) == on:
                return "as_it_is"
            return "tagged" if on else "untagged"

        return [Expected(row, outcome(row)) for row in rows]

    return look


_LOOKS: Mapping[str, Looks] = {
    "approve": _approved,
    "decline": _ended("declined", State.DECLINED),
    "cancel": _ended("cancelled", State.CANCELLED),
    "move": _moved,
    "tag": _marked(True),
    "untag": _marked(False),
}


def begin(db: Db, by: Actor, forum: Forum, wanted: Wanted, sent: BulkInput, *, mark: str, now: datetime) -> int:
    """Write down that this is to be done with everybody of whom it can be, as it was seen under this `mark`; the
    number under which it is gone on with.

    Raises what `look_at` raises, Conflict("bulk_changed") where it would do something else by now, and
    Refused("bulk_nothing").
    """
    own = forum_id(forum)
    prospect = look_at(db, by, forum, wanted, sent, now=now)
    if prospect.mark != mark:
        raise Conflict("bulk_changed")
    chosen = [line for line in prospect.lines if line.possible]
    if not chosen:
        raise Refused("bulk_nothing")
    last = db.execute(select(func.max(_bulks.c.number)).where(_bulks.c.forum_id == own)).scalar_one()
    number = int(last or 0) + 1
    values = {name: value for name, value in (("category", sent.to), ("tag", sent.with_tag)) if value}
    bulk = {
        "forum_id": own,
        "user_id": by.id if by.kind == "user" else None,
        "number": number,
        "act": sent.act,
        "values": values,
        "note": sent.note,
        "state": "doing",
        "begun_at": now,
        "until": now + MAILS_WAIT if sent.act == "approve" else None,
    }
    made = int(db.execute(insert(_bulks).values(**bulk).returning(_bulks.c.id)).scalar_one())
    empty = {"outcome": "", "before": {}, "fact": 0, "back": ""}
    items = [
        {"bulk_id": made, "application_id": line.row.id, "position": place, **empty}
        for place, line in enumerate(chosen)
    ]
    db.execute(insert(_items), items)
    after = {"act": sent.act, "people": len(items), **values}
    record(db, forum.slug, by.signature, "bulk.begun", f"bulk:{number}", now=now, after=after)
    return number


def go_on(db: Db, by: Actor, forum: Forum, number: int, *, now: datetime, most: int = PIECE) -> int:
    """Do the next of a bulk, or take the next back; how many are left. Whoever goes on with it must still be one who
    decides. Raises NotFound, Forbidden."""
    by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    bulk = bulk_of(db, forum, number)
    if bulk.state not in {"doing", "taking_back"}:
        return 0
    doing = bulk.state == "doing"
    rows = db.execute(_next(bulk, doing).limit(most + 1)).all()
    touched = {} if doing else last_facts(db, forum.slug, [f"registration:{row.code}" for row in rows])
    for row in rows[:most]:
        if doing:
            values = _do(db, by, forum, bulk, row, now=now)
        else:
            values = {"back": _undo(db, by, forum, bulk, row, touched, now=now)}
        here = (_items.c.bulk_id == bulk.id) & (_items.c.application_id == row.application_id)
        db.execute(update(_items).where(here).values(**values))
    if len(rows) > most:
        return int(db.execute(_count(_next(bulk, doing))).scalar_one())
    _finish(db, by, forum, bulk, now=now)
    return 0


def _next(bulk: Any, doing: bool) -> Any:
    """The items whose turn has not come, in their order. Taken back is what was done, first whoever waits: a seat that
    another gives up must not go to somebody who is taken back next."""
    mine = _items.c.bulk_id == bulk.id
    mine &= _items.c.outcome == "" if doing else _items.c.outcome.in_(DONE) & (_items.c.back == "")
    wanted = select(_items, _applications.c.code).join(_applications, _applications.c.id == _items.c.application_id)
    order = (_items.c.position,) if doing else (_items.c.outcome != "waiting", _items.c.position.desc())
    return wanted.where(mine).order_by(*order)


def _count(wanted: Any) -> Any:
    return select(func.count()).select_from(wanted.order_by(None).subquery())


def _do(db: Db, by: Actor, forum: Forum, bulk: Any, row: Any, *, now: datetime) -> dict[str, Any]:
    """One registration through its deed, in a savepoint of its own: a refusal takes back this one alone."""
    try:
        with db.begin_nested():
            outcome, before = _ACTS[bulk.act](db, by, forum, row.code, bulk, now)
    except (Refused, NotFound) as refused:
        return {"outcome": refused.code or "gone"}
    head = head_of(db, forum.slug)
    return {"outcome": outcome, "before": before, "fact": head[0] if head else 0}


def _approve(db: Db, by: Actor, forum: Forum, code: str, bulk: Any, now: datetime) -> tuple[str, dict[str, Any]]:
    before = before_approval(db, forum, code)
    outcome = reviewing.approve(db, by, forum, code, now=now, note=bulk.note)
    delay(db, forum.slug, f"registration:{code}", APPROVALS, until=bulk.until)
    return outcome, before


def _decline(db: Db, by: Actor, forum: Forum, code: str, bulk: Any, now: datetime) -> tuple[str, dict[str, Any]]:
    reviewing.decline(db, by, forum, code, now=now, note=bulk.note)
    return "declined", {}


def _cancel(db: Db, by: Actor, forum: Forum, code: str, bulk: Any, now: datetime) -> tuple[str, dict[str, Any]]:
    if not applying.cancel(db, by, forum, code, now=now, note=bulk.note):
        raise Refused("ended")
    return "cancelled", {}


def _move(db: Db, by: Actor, forum: Forum, code: str, bulk: Any, now: datetime) -> tuple[str, dict[str, Any]]:
    row = applying.application_of(db, forum, code)
    before = db.execute(select(_categories.c.code).where(_categories.c.id == row.category_id)).scalar_one()
    reviewing.move(db, by, forum, code, bulk.values["category"], now=now, note=bulk.note[:200])
    return "moved", {"category": before}


def _tag(db: Db, by: Actor, forum: Forum, code: str, bulk: Any, now: datetime) -> tuple[str, dict[str, Any]]:
    on = bulk.act == "tag"
    if not tagging.mark(db, by, forum, code, bulk.values["tag"], on=on, now=now):
        raise Refused("as_it_is")
    return ("tagged" if on else "untagged"), {}


_ACTS: Mapping[str, Callable[[Db, Actor, Forum, str, Any, datetime], tuple[str, dict[str, Any]]]] = {
    "approve": _approve,
    "decline": _decline,
    "cancel": _cancel,
    "move": _move,
    "tag": _tag,
    "untag": _tag,
}
TAKEN_BACK = frozenset({"approve", "move", "tag", "untag"})
"""What can be taken back at all. Whoever was declined or cancelled may have registered again, and the seat has gone."""


def _undo(db: Db, by: Actor, forum: Forum, bulk: Any, row: Any, touched: Mapping[str, int], *, now: datetime) -> str:
    """Take one back; "done", or why it stays."""
    tagging_alone = bulk.act in {"tag", "untag"}
    if not tagging_alone and touched.get(f"registration:{row.code}", 0) > row.fact:
        return "touched"
    try:
        with db.begin_nested():
            if bulk.act == "approve":
                take_back_approval(db, by, forum, row.code, row.before, now=now)
            elif bulk.act == "move":
                reviewing.move(db, by, forum, row.code, row.before["category"], now=now)
            elif not tagging.mark(db, by, forum, row.code, bulk.values["tag"], on=bulk.act == "untag", now=now):
                return "as_it_is"
    except (Refused, NotFound) as refused:
        return refused.code or "gone"
    return "done"


def _finish(db: Db, by: Actor, forum: Forum, bulk: Any, *, now: datetime) -> None:
    doing = bulk.state == "doing"
    mine = _items.c.bulk_id == bulk.id
    good = _items.c.outcome.in_(DONE) if doing else _items.c.back == "done"
    people = int(db.execute(select(func.count()).select_from(_items).where(mine, good)).scalar_one())
    state = "done" if doing else "taken_back"
    # the note stands in each history now, where it goes with its person
    db.execute(update(_bulks).where(_bulks.c.id == bulk.id).values(state=state, note=""))
    after = {"act": bulk.act, "people": people}
    record(db, forum.slug, by.signature, f"bulk.{state}", f"bulk:{bulk.number}", now=now, after=after)


def take_back(db: Db, by: Actor, forum: Forum, number: int) -> None:
    """Say that what was done is to be taken back, as far as that can be; `go_on` does it. Raises NotFound; Refused:
    `not_reversible`, `taken_back_already`, `not_pending` while it is still being done."""
    by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    bulk = bulk_of(db, forum, number)
    if bulk.act not in TAKEN_BACK:
        raise Refused("not_reversible")
    if bulk.state in {"taking_back", "taken_back"}:
        raise Refused("taken_back_already")
    if bulk.state == "doing":
        raise Refused("not_pending")
    values = {"state": "taking_back", "taken_back_by": by.id if by.kind == "user" else None}
    db.execute(update(_bulks).where(_bulks.c.id == bulk.id).values(**values))


def stop(db: Db, by: Actor, forum: Forum, number: int, *, now: datetime) -> None:
    """Whoever began it may not decide any more: what has not been done stays undone."""
    bulk = bulk_of(db, forum, number)
    db.execute(update(_bulks).where(_bulks.c.id == bulk.id).values(state="stopped", note=""))
    record(db, forum.slug, by.signature, "bulk.stopped", f"bulk:{number}", now=now)


def bulk_of(db: Db, forum: Forum, number: int) -> Any:
    """The forum's bulk with this number. Raises NotFound."""
    mine = (_bulks.c.forum_id == forum_id(forum)) & (_bulks.c.number == number)
    row = db.execute(select(_bulks).where(mine)).first()
    if row is None:
        raise NotFound
    return row


def pending(db: Db) -> Any | None:
    """The bulk that has waited longest to be gone on with, of whatever forum, or None. One query."""
    wanted = select(_bulks).where(_bulks.c.state.in_(("doing", "taking_back"))).order_by(_bulks.c.id).limit(1)
    return db.execute(wanted).first()


@dataclass(frozen=True, slots=True)
class Report:
    """A bulk with what became of each: rows with the item's and the person's columns. `can_go_back` are the ids of
    those that could be taken back now, `stays` says of the others why not."""

    bulk: Any
    items: list[Any]
    can_go_back: frozenset[int]
    stays: Mapping[int, str]

    @property
    def left(self) -> int:
        """How many have not had their turn."""
        back = self.bulk.state == "taking_back"
        return sum(not (row.back or row.outcome not in DONE if back else row.outcome) for row in self.items)

    @property
    def outcomes(self) -> Counter[str]:
        return Counter(row.outcome for row in self.items if row.outcome)


def report(db: Db, by: Actor, forum: Forum, number: int) -> Report:
    """What became of a bulk, and of whom it can be taken back. Four queries. Raises NotFound, Forbidden."""
    by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    bulk = bulk_of(db, forum, number)
    names = ("code", "family_name", "given_name", "name_km", "name_order", "display_name", "erased_at", "state")
    wanted = (
        select(_items, *(_applications.c[name] for name in names))
        .join(_applications, _applications.c.id == _items.c.application_id)
        .where(_items.c.bulk_id == bulk.id)
        .order_by(_items.c.position)
    )
    rows = list(db.execute(wanted))
    done = [row for row in rows if row.outcome in DONE and not row.back]
    stays: dict[int, str] = {}
    if bulk.act not in TAKEN_BACK:
        stays = {row.application_id: "not_reversible" for row in done}
    elif bulk.act in {"approve", "move"}:
        subjects = [f"registration:{row.code}" for row in done]
        touched = last_facts(db, forum.slug, subjects)
        here = still_here(db, forum.slug, subjects, APPROVALS) if bulk.act == "approve" else set(subjects)
        for row in done:
            subject = f"registration:{row.code}"
            if touched.get(subject, 0) > row.fact:
                stays[row.application_id] = "touched"
            elif subject not in here:
                stays[row.application_id] = "mail_left"
    return Report(bulk, rows, frozenset(row.application_id for row in done if row.application_id not in stays), stays)
