"""One thing done with many registrations: looked at first, done just so in pieces, taken back where that can be
(docs/decisions/0023). Each registration goes through the deed that a single one goes through."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
from app.kit.errors import Conflict, NotFound, Refused
from app.mail.delaying import delay, still_here
from app.registration import applying, reviewing, tagging
from app.registration.desk_inputs import BulkInput
from app.registration.desk_queries import Wanted
from app.registration.foreseeing_many import DONE, look_at
from app.registration.models import Application, Bulk, BulkItem, Category
from app.registration.taking_back import APPROVALS, before_approval, take_back_approval

_applications, _categories = table(Application), table(Category)
_bulks, _items = table(Bulk), table(BulkItem)
PIECE = 50
"""So many are done in one turn of the pen."""
MAILS_WAIT = timedelta(minutes=10)
"""How long the mails of approvals wait, so that these can be taken back before anybody is told."""


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
