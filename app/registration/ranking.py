"""The order of precedence as protocol keeps it: the rungs of the ladder, and whoever is put on one with a reason."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.codes import public_code
from app.kit.db import Db, table
from app.kit.errors import Conflict, Fault, Invalid, NotFound, Refused
from app.registration.models import Application, Category, Ladder, Rank, Rung
from app.registration.rank_inputs import MOST_RUNGS, LadderInput, RankInput, RungInput
from app.registration.rank_queries import LadderView, RungView, how_many_put, ladder_of, rank_of
from app.registration.rules.precedence import ALPHABETS

_applications, _categories = table(Application), table(Category)
_ladders, _rungs, _ranks = table(Ladder), table(Rung), table(Rank)


def add_rung(db: Db, by: Actor, forum: Forum, sent: RungInput, *, now: datetime) -> str:
    """One more rung, under the others; its code. Raises Refused: `too_many_rungs`, `unknown_category`."""
    own, ladder = _to_change(db, by, forum)
    if len(ladder.rungs) >= MOST_RUNGS:
        raise Refused("too_many_rungs", most=MOST_RUNGS)
    code, last = public_code().lower(), _last(db, own)
    _check(db, own, sent)
    db.execute(insert(_rungs).values(forum_id=own, code=code, position=last + 1, edition=1, **_columns(sent)))
    _told(db, by, forum, "rung.added", code, now=now)
    return code


def change_rung(db: Db, by: Actor, forum: Forum, code: str, sent: RungInput, edition: int, *, now: datetime) -> bool:
    """Change the rung with this code if nobody else did since `edition`; says whether anything changed. Raises
    NotFound; Conflict("changed_meanwhile"); Refused("unknown_category")."""
    own, ladder = _to_change(db, by, forum, code)
    there = _rung(ladder, code)
    # while the usual ladder stood, its rungs had no edition yet
    if there.edition != max(edition, 1):
        raise Conflict("changed_meanwhile")
    if as_input(there) == sent:
        return False
    _check(db, own, sent)
    values = {**_columns(sent), "edition": there.edition + 1}
    db.execute(update(_rungs).where(_rungs.c.id == there.id).values(**values))
    _told(db, by, forum, "rung.changed", code, now=now)
    return True


def place_rung(db: Db, by: Actor, forum: Forum, code: str, *, up: bool, now: datetime) -> bool:
    """One place up or down; False for the first upwards and the last downwards. Raises NotFound."""
    _, ladder = _to_change(db, by, forum, code)
    order = [rung.id for rung in ladder.rungs]
    here = order.index(_rung(ladder, code).id)
    there = here + (-1 if up else 1)
    if not 0 <= there < len(order):
        return False
    order[here], order[there] = order[there], order[here]
    for position, rung in enumerate(order):
        db.execute(update(_rungs).where(_rungs.c.id == rung).values(position=position))
    _told(db, by, forum, "rung.placed", code, now=now, after={"place": there + 1})
    return True


def remove_rung(db: Db, by: Actor, forum: Forum, code: str, *, now: datetime) -> None:
    """A rung goes; whoever stood on it by its rule stands on the next that takes them. Raises NotFound;
    Refused("rung_used") while people are put on it by hand."""
    _, ladder = _to_change(db, by, forum, code)
    there = _rung(ladder, code)
    if put := how_many_put(db, there.id):
        raise Refused("rung_used", n=put)
    db.execute(delete(_rungs).where(_rungs.c.id == there.id))
    _told(db, by, forum, "rung.removed", code, now=now)


def choose_alphabet(db: Db, by: Actor, forum: Forum, alphabet: str, *, now: datetime) -> bool:
    """In which language countries are put in order; says whether it is another than before. Raises
    Invalid("not_a_choice")."""
    own, ladder = _to_change(db, by, forum)
    if alphabet not in ALPHABETS:
        raise Invalid([Fault("alphabet", "not_a_choice")])
    if alphabet == ladder.alphabet:
        return False
    db.execute(update(_ladders).where(_ladders.c.forum_id == own).values(alphabet=alphabet))
    record(
        db,
        forum.slug,
        by.signature,
        "ladder.alphabet",
        f"forum:{forum.slug}",
        now=now,
        before={"language": ladder.alphabet},
        after={"language": alphabet},
    )
    return True


def put_ladder(db: Db, by: Actor, forum: Forum, sent: LadderInput, *, now: datetime) -> bool:
    """Bring the ladder to what was sent; a rung keeps its row while its code stays. Says whether anything changed.
    Raises Refused("rung_used") where people are put on one that goes."""
    own = forum_id(forum)
    by.must(Permission.EDIT_PROTOCOL, own)
    before = ladder_of(db, own)
    wanted = [(rung.code, _columns(rung)) for rung in sent.rungs]
    there = [(rung.code, _columns(as_input(rung))) for rung in before.rungs]
    if (sent.alphabet, wanted) == (before.alphabet, there):
        return False
    known = {rung.code: rung for rung in _settled(db, own).rungs}
    for code in known.keys() - {code for code, _ in wanted}:
        if put := how_many_put(db, known[code].id):
            raise Refused("rung_used", n=put)
        db.execute(delete(_rungs).where(_rungs.c.id == known[code].id))
    for position, (code, columns) in enumerate(wanted):
        values = {**columns, "position": position}
        if code in known:
            values["edition"] = known[code].edition + 1
            db.execute(update(_rungs).where(_rungs.c.id == known[code].id).values(**values))
        else:
            db.execute(insert(_rungs).values(forum_id=own, code=code, edition=1, **values))
    db.execute(update(_ladders).where(_ladders.c.forum_id == own).values(alphabet=sent.alphabet))
    after = {"entries": len(wanted), "language": sent.alphabet}
    record(db, forum.slug, by.signature, "ladder.loaded", f"forum:{forum.slug}", now=now, after=after)
    return True


def rank_person(db: Db, by: Actor, forum: Forum, code: str, sent: RankInput, *, seen: str, now: datetime) -> bool:
    """Put the person of a registration on a rung with a reason, or back under the ladder's own rule (no rung), and say
    since when they hold their office; says whether anything changed. The reason is personal: it is in no file and goes
    with the person. `seen` is what the form was opened on (`rank_seen`).

    Raises NotFound; Invalid: `not_a_choice`, `missing` (the reason); Conflict("changed_meanwhile").
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_PROTOCOL, own)
    mine = (_applications.c.forum_id == own) & (_applications.c.code == code) & _applications.c.erased_at.is_(None)
    row = db.execute(select(_applications.c.id).where(mine)).first()
    if row is None:
        raise NotFound
    ladder = _settled(db, own)
    rung = ladder.named(sent.rung)
    if sent.rung and rung is None:
        raise Invalid([Fault("rung", "not_a_choice")])
    if rung and not sent.reason:
        raise Invalid([Fault("reason", "missing")])
    before = rank_of(db, row.id)
    if rank_seen(before) != seen:
        raise Conflict("changed_meanwhile")
    reason = sent.reason if rung else ""
    wanted = (rung.id if rung else None, sent.since, reason)
    if wanted == ((before.rung_id, before.since, before.reason) if before else (None, None, "")):
        return False
    db.execute(delete(_ranks).where(_ranks.c.application_id == row.id))
    if rung or sent.since:
        values = {"rung_id": wanted[0], "since": sent.since, "reason": reason}
        db.execute(insert(_ranks).values(application_id=row.id, **values))
    told = {"reason": reason, "since": str(sent.since or "")}
    was = {"rung": (before.rung or "") if before else ""}
    subject, after = f"registration:{code}", {"rung": rung.code if rung else ""}
    kind = "registration.ranked"
    record(db, forum.slug, by.signature, kind, subject, now=now, before=was, after=after, personal=told)
    return True


def rank_seen(rank: Any) -> str:
    """What stands of somebody's rank (as `rank_of` gives it), for a form to say what it was opened on."""
    return f"{rank.rung or ''} {rank.since or ''}" if rank else " "


def as_input(rung: RungView) -> RungInput:
    """A rung as somebody would send it."""
    rule = rung.rule
    return RungInput(
        name=rung.name, categories=rule.categories, titles=rule.titles, functions=rule.functions, heads=rule.heads
    )


def _to_change(db: Db, by: Actor, forum: Forum, code: str = "") -> tuple[int, LadderView]:
    """The forum's id and its ladder, ready to be changed. Raises NotFound where a rung is named that is not on it."""
    own = forum_id(forum)
    by.must(Permission.EDIT_PROTOCOL, own)
    if code:
        _rung(ladder_of(db, own), code)
    return own, _settled(db, own)


def _settled(db: Db, own: int) -> LadderView:
    """The ladder as rows: the usual one is written down before anything about it is changed."""
    ladder = ladder_of(db, own)
    if not ladder.is_usual:
        return ladder
    db.execute(insert(_ladders).values(forum_id=own, alphabet=ladder.alphabet))
    for position, rung in enumerate(ladder.rungs):
        values = _columns(as_input(rung))
        db.execute(insert(_rungs).values(forum_id=own, code=rung.code, position=position, edition=1, **values))
    return ladder_of(db, own)


def _rung(ladder: LadderView, code: str) -> RungView:
    found = ladder.named(code)
    if found is None:
        raise NotFound
    return found


def _last(db: Db, own: int) -> int:
    positions = db.execute(select(_rungs.c.position).where(_rungs.c.forum_id == own)).scalars()
    return max(positions, default=-1)


def _check(db: Db, own: int, sent: RungInput) -> None:
    groups = set(db.execute(select(_categories.c.code).where(_categories.c.forum_id == own)).scalars())
    if not set(sent.categories) <= groups:
        raise Invalid([Fault("categories", "unknown_category")])


def _columns(sent: RungInput) -> dict[str, Any]:
    return {
        "name": sent.name,
        "categories": list(sent.categories),
        "titles": list(sent.titles),
        "functions": list(sent.functions),
        "heads": sent.heads,
    }


def _told(
    db: Db, by: Actor, forum: Forum, kind: str, code: str, *, now: datetime, after: Mapping[str, Any] | None = None
) -> None:
    record(db, forum.slug, by.signature, kind, f"rung:{code}", now=now, after=after)
