"""Several sessions of the working copy brought to something at once: looked at first, then done just so. Each is an
edit with its place in the history; all of them can be taken back together (rules §4.1, §4.3, §4.4)."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import delete, func, select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id, rooms_of
from app.kit.db import Db, table
from app.kit.errors import Conflict as Stale
from app.kit.errors import Fault, Invalid, Refused
from app.programme.drafting import assign, columns_of, new_uid, published_uids, states_of
from app.programme.inputs import SessionInput
from app.programme.models import Appearance, Session, Speaker
from app.programme.overriding import keep_one_reason, key_of, reasons_of, recode, recoded, unexplained
from app.programme.publishing import conflicts_among
from app.programme.remembering import Edit, State, last_editions, remember_together
from app.programme.rules.conflicts import Conflict, Part, Slot
from app.programme.rules.visibility import betrayed_by_gap

_sessions, _speakers, _appearances = table(Session), table(Speaker), table(Appearance)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one session is to become.

    `uid` is empty for a session that never was; `before` is None where it is not there now, `after` None where it is to
    be taken out. `row` is its row in a table that was sent, `notes` what could not be brought along.
    """

    uid: str
    before: State | None
    after: SessionInput | None
    row: int = 0
    notes: tuple[Fault, ...] = ()

    @property
    def kind(self) -> Literal["new", "changed", "cancelled", "removed"]:
        """What happens to the session."""
        if self.before is None:
            return "new"
        if self.after is None:
            return "removed"
        return "cancelled" if self.after.cancelled and not self.before.draft.cancelled else "changed"


@dataclass(frozen=True, slots=True)
class Alteration:
    """What would change, and a `mark` of just this.

    `wanted` holds only what differs; `untouched` are the codes of all others. `found` are the hard conflicts that it
    would make and nobody has given a reason for, `gaps` the closed codes that would come to be missed.
    """

    wanted: tuple[Wanted, ...]
    untouched: tuple[str, ...]
    found: tuple[Conflict, ...]
    gaps: tuple[str, ...]
    mark: str

    @property
    def can_be_done(self) -> bool:
        """Is there anything to confirm? Conflicts may stand with a reason, gaps may not."""
        return bool(self.wanted) and not self.gaps


@dataclass(frozen=True, slots=True)
class Altered:
    """What was done: the number that the edits share, and how many there are."""

    number: int
    sessions: int


def foresee(db: Db, forum: Forum, wanted: Sequence[Wanted], *, states: Mapping[str, State] | None = None) -> Alteration:
    """What bringing these sessions to this would change. Writes nothing; as many queries whatever is wanted.

    `states` are the sessions as they stand, where they were read already. A session that was published is not taken
    out but cancelled: calendars hold it. Raises Invalid where two sessions would have one code.
    """
    own = forum_id(forum)
    states, known = states_of(db, own) if states is None else states, published_uids(db, own)
    real = tuple(one for one in (_real(one, known) for one in wanted) if _differs(one))
    touched = {one.uid for one in real if one.before}
    stay = [state.draft for uid, state in states.items() if uid not in touched]
    after = [*stay, *(one.after for one in real if one.after)]
    codes = [draft.code for draft in after]
    if twice := sorted({code for code in codes if codes.count(code) > 1} if len(set(codes)) < len(codes) else ()):
        raise Invalid([Fault("code", "session_code_taken", {"code": ", ".join(twice)})])
    codes_now = _codes_now(real)
    before = [state.draft for state in states.values()]
    old = {recoded(key_of(one), codes_now) for one in _conflicts(forum, before)}
    reasons = {recoded(key, codes_now): reason for key, reason in reasons_of(db, own).items()}
    found = tuple(one for one in unexplained(_conflicts(forum, after), reasons) if key_of(one) not in old)
    gaps = tuple(sorted(set(betrayed_by_gap(_coded(after))) - set(betrayed_by_gap(_coded(before)))))
    return Alteration(real, tuple(draft.code for draft in stay), found, gaps, _mark(real, found, gaps))


def _real(one: Wanted, published: set[str]) -> Wanted:
    if one.after is None and one.before and one.uid in published:
        return replace(one, after=one.before.draft.model_copy(update={"cancelled": True}))
    return one


def _differs(one: Wanted) -> bool:
    return one.after is not None if one.before is None else one.before.draft != one.after


def _coded(drafts: Iterable[SessionInput]) -> list[Any]:
    """Drafts as the rule of gaps looks at them: they have both names."""
    return list(drafts)


def _codes_now(wanted: Iterable[Wanted]) -> dict[str, str]:
    """Old → new code of those that are given another."""
    both = ((one.before.draft.code, one.after.code) for one in wanted if one.before and one.after)
    return {old: new for old, new in both if old != new}


def _conflicts(forum: Forum, drafts: Iterable[SessionInput]) -> list[Conflict]:
    """What is hard among these; for warnings one would need to know more."""
    slots = [
        Slot(
            code=draft.code,
            type=draft.type,
            start=draft.starts_at,
            end=draft.ends_at,
            room=draft.room,
            people=tuple(Part(part.speaker, part.role) for part in draft.people),
        )
        for draft in drafts
        if not draft.cancelled
    ]
    return [one for one in conflicts_among(forum, slots) if one.hard]


def _mark(wanted: Iterable[Wanted], found: Iterable[Conflict], gaps: Iterable[str]) -> str:
    """A digest of every session before and after, and of what stands in the way."""
    told = [
        [
            [one.uid, one.before.edition if one.before else 0, one.before.snapshot if one.before else None],
            one.after.model_dump(mode="json") if one.after else None,
        ]
        for one in wanted
    ]
    text = json.dumps([told, [key_of(one) for one in found], list(gaps)], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def carry_out(
    db: Db,
    by: Actor,
    forum: Forum,
    alteration: Alteration,
    kind: Edit,
    *,
    mark: str,
    now: datetime,
    reason: str = "",
    told: Mapping[str, Any] | None = None,
) -> Altered:
    """Do what was foreseen in this very transaction and looked at under this `mark`; `told` goes into the fact.

    Raises Conflict("working_copy_changed") where it is something else by now, Refused: `nothing_differs`, `code_gap`,
    and `new_conflicts` without a `reason`.
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_PROGRAMME, own)
    if alteration.mark != mark:
        raise Stale("working_copy_changed")
    if not alteration.wanted:
        raise Refused("nothing_differs")
    if alteration.gaps:
        raise Refused("code_gap", codes=", ".join(alteration.gaps))
    if alteration.found and not reason:
        codes = sorted({code for one in alteration.found for code in one.codes})
        raise Refused("new_conflicts", codes=", ".join(codes), found=alteration.found)
    if codes_now := _codes_now(alteration.wanted):
        recode(db, own, codes_now)
    edits = _write(db, own, alteration.wanted)
    keep_one_reason(db, by, own, alteration.found, reason, now=now)
    number = remember_together(db, by, own, edits, kind, now=now)
    after = {"sessions": len(edits), "number": number, **(told or {})}
    personal = {"reason": reason} if alteration.found else None  # what an editor writes may name somebody
    what, subject = f"programme.{kind.value}", f"forum:{forum.slug}"
    record(db, forum.slug, by.signature, what, subject, now=now, after=after, personal=personal)
    return Altered(number, len(edits))


def _write(db: Db, own: int, wanted: Sequence[Wanted]) -> list[tuple[State | None, State | None]]:
    """Bring the rows to this; the states before and after. As many reads whatever is wanted."""
    rows = {row.uid: row for row in db.execute(select(Session).where(_sessions.c.forum_id == own)).scalars()}
    rooms = {room.code: room.id for room in rooms_of(db, own)}
    _take_out(db, [rows[one.uid] for one in wanted if one.after is None])
    _free_codes(db, rows, wanted)
    last = int(db.execute(select(func.max(_sessions.c.position)).where(_sessions.c.forum_id == own)).scalar() or 0)
    known = last_editions(db, own, [one.uid for one in wanted if one.uid and one.before is None])
    edits: list[tuple[State | None, State | None]] = []
    cast: list[tuple[Session, SessionInput]] = []
    for one in wanted:
        if one.after is None:
            edits.append((one.before, None))
            continue
        columns = {**columns_of(one.after, rooms), "code": one.after.code}
        if one.before is None:
            uid, last = one.uid or new_uid(), last + 1
            row = Session(forum_id=own, uid=uid, position=last, edition=known.get(uid, 0) + 1, **columns)
            db.add(row)
        else:
            row = rows[one.uid]
            assign(row, {**columns, "edition": one.before.edition + 1})
        if one.before is None or one.before.draft.people != one.after.people:
            cast.append((row, one.after))
        edits.append((one.before, State(row.uid, row.edition, one.after)))
    db.flush()
    _put_casts(db, own, cast)
    return edits


def _take_out(db: Db, rows: Sequence[Session]) -> None:
    ids = [row.id for row in rows]
    db.execute(delete(_appearances).where(_appearances.c.session_id.in_(ids)))
    for row in rows:
        db.delete(row)
    db.flush()


def _free_codes(db: Db, rows: Mapping[str, Session], wanted: Sequence[Wanted]) -> None:
    """Let go of the codes that sessions give to each other: a row's code is unique at every moment."""
    for one in wanted:
        if one.before and one.after and one.before.draft.code != one.after.code:
            rows[one.uid].code = f"~{rows[one.uid].id}"
    db.flush()


def _put_casts(db: Db, own: int, cast: Sequence[tuple[Session, SessionInput]]) -> None:
    """Bring the speakers of several sessions to these. Raises Refused for one there is not."""
    mine = select(_speakers.c.code, _speakers.c.id).where(_speakers.c.forum_id == own)
    people: dict[str, int] = {person.code: person.id for person in db.execute(mine)}
    db.execute(delete(_appearances).where(_appearances.c.session_id.in_([row.id for row, _ in cast])))
    for row, draft in cast:
        for position, part in enumerate(draft.people):
            if part.speaker not in people:
                raise Refused("unknown_speaker", speaker=part.speaker)
            speaker, session = people[part.speaker], row.id or 0
            db.add(Appearance(session_id=session, speaker_id=speaker, role=part.role, position=position))
    db.flush()
