"""The programme of another edition, copied into this one's working copy: new sessions on other days at the same hours.

Versions, sign-ups and cancelled sessions stay where they are. A session here is a new slot with a uid of its own, so
that no calendar takes it for the old one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_by_slug, forum_id, forums, tracks_of
from app.kit.db import Db, table
from app.kit.errors import Fault, NotFound, Refused
from app.programme.altering import Alteration, Altered, Wanted, carry_out, foresee
from app.programme.drafting import states_of
from app.programme.inputs import CopyInput, SessionInput
from app.programme.models import Speaker
from app.programme.remembering import Edit
from app.programme.reverting import Known
from app.programme.rules.codes import next_code, split
from app.programme.rules.shifting import days_between, is_shown, shifted

_speakers = table(Speaker)
_WHO = ("name", "function", "institution", "country", "kind", "bio", "guest")


@dataclass(frozen=True, slots=True)
class Copy:
    """What would be copied; `speakers` are the codes here of those who would be new, by their codes there."""

    alteration: Alteration
    speakers: Mapping[str, str]


def editions_for(db: Db, by: Actor, forum: Forum) -> list[Forum]:
    """The other forums whose desk somebody may see, the newest first. One query."""
    own = forum_id(forum)
    return [each for each in forums(db) if forum_id(each) != own and by.may(Permission.SEE_DESK, forum_id(each))]


def look_at_copy(db: Db, by: Actor, forum: Forum, sent: CopyInput) -> Copy:
    """What copying would change. Writes nothing; as many queries however much is copied.

    Raises NotFound for a forum whose desk they may not see: its closed sessions are none of their business.
    Refused("nothing_to_copy") where it has no session, or none with a time.
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_PROGRAMME, own)
    source = forum_by_slug(db, sent.source)
    if source.slug == forum.slug or not by.may(Permission.SEE_DESK, forum_id(source)):
        raise NotFound
    drafts = _drafts_of(db, source, closed=sent.closed == "yes")
    timed = [draft.starts_at for draft in drafts if draft.starts_at]
    if not timed:
        raise Refused("nothing_to_copy")
    zone = ZoneInfo(source.timezone)
    first = source.starts_on or min(at.astimezone(zone).date() for at in timed)
    move = _Move(days_between(first, sent.first_day), zone, ZoneInfo(forum.timezone))
    here = {state.draft.code for state in states_of(db, own).values()}
    codes = _free_codes((draft.code for draft in drafts), here)
    people = _people(db, forum_id(source), own, drafts) if sent.speakers == "yes" else {}
    tracks, there = _same_tracks(db, source, forum), Known.of(db, own)
    known = Known({**there.choices, "people": frozenset(people.values())})
    wanted = []
    for draft in drafts:
        named = _named_here(draft, tracks, people)
        notes = (*known.left_out(named), *move.notes(draft))
        if codes[draft.code] != draft.code:
            notes = (*notes, Fault("code", "code_suggested", {"code": codes[draft.code]}))
        wanted.append(Wanted("", None, move.moved(known.possible(named), codes[draft.code]), notes=notes))
    new = {code: mine for code, mine in people.items() if mine not in there.choices["people"]}
    return Copy(foresee(db, forum, wanted), new)


def _named_here(draft: SessionInput, tracks: Mapping[str, str], people: Mapping[str, str]) -> SessionInput:
    """A session of theirs with what it names in the words of this forum; who does not come along is in no session."""
    cast = tuple(
        part.model_copy(update={"speaker": people[part.speaker]}) for part in draft.people if part.speaker in people
    )
    return draft.model_copy(update={"tracks": tuple(tracks.get(code, code) for code in draft.tracks), "people": cast})


def copy_programme(
    db: Db, by: Actor, forum: Forum, sent: CopyInput, *, mark: str, now: datetime, reason: str = ""
) -> Altered:
    """Copy what was looked at. Raises as `look_at_copy` and `altering.carry_out`."""
    by.must(Permission.EDIT_PROGRAMME, forum_id(forum))
    seen = look_at_copy(db, by, forum, sent)
    if seen.alteration.mark == mark:
        _copy_speakers(db, forum_id(forum_by_slug(db, sent.source)), forum_id(forum), seen.speakers)
    told = {"other": sent.source, "people": len(seen.speakers)}
    return carry_out(db, by, forum, seen.alteration, Edit.COPIED, mark=mark, now=now, reason=reason, told=told)


@dataclass(frozen=True, slots=True)
class _Move:
    """So many days later, from one forum's clocks to another's."""

    days: int
    zone: ZoneInfo
    to: ZoneInfo

    def moved(self, draft: SessionInput, code: str) -> SessionInput:
        """The session on its new day."""
        times: dict[str, Any] = {
            name: shifted(at, self.days, self.zone, self.to) if (at := getattr(draft, name)) else None
            for name in ("starts_at", "ends_at")
        }
        return draft.model_copy(update={**times, "code": code})

    def notes(self, draft: SessionInput) -> tuple[Fault, ...]:
        """What is to be said of its times."""
        return tuple(
            Fault(name, "no_such_hour")
            for name in ("starts_at", "ends_at")
            if (at := getattr(draft, name)) and not is_shown(at, self.days, self.zone, self.to)
        )


def _drafts_of(db: Db, source: Forum, *, closed: bool) -> list[SessionInput]:
    """What of a forum's working copy can be copied, in the order of the programme."""
    drafts = [state.draft for state in states_of(db, forum_id(source)).values()]
    taken = [draft for draft in drafts if not draft.cancelled and (closed or draft.attribution != "CLO")]
    return sorted(taken, key=lambda draft: (draft.starts_at is None, draft.starts_at or 0, draft.code))


def _free_codes(wanted: Iterable[str], here: Iterable[str]) -> dict[str, str]:
    """The code that each is given: its own where that is free, else the next of its series."""
    codes, taken = list(wanted), {*here}
    given = {code: code for code in codes if code not in taken}
    taken |= given.keys()
    for code in codes:
        if code not in given:
            given[code] = next_code(taken, split(code)[0])
            taken.add(given[code])
    return given


def _same_tracks(db: Db, source: Forum, forum: Forum) -> dict[str, str]:
    """The code of a track there → the code here of the track with the same slug; of one that is not here, a code that
    no track here has."""
    here = {track.slug: track.code for track in tracks_of(db, forum_id(forum))}
    return {track.code: here.get(track.slug, track.slug) for track in tracks_of(db, forum_id(source))}


def _people(db: Db, source: int, own: int, drafts: Iterable[SessionInput]) -> dict[str, str]:
    """Code there → code here of everybody in these sessions: the same where it is the same person, or nobody's yet."""
    there, here = (_speakers_of(db, each) for each in (source, own))
    needed = {part.speaker for draft in drafts for part in draft.people}
    taken, given = set(here), {}
    for code, row in there.items():
        if code not in needed:
            continue
        same = here.get(code)
        if same is None or (same.name, same.function) == (row.name, row.function):
            given[code] = code
        else:
            given[code] = next(f"{code}-{n}" for n in range(2, 1000) if f"{code}-{n}" not in taken)
        taken.add(given[code])
    return given


def _speakers_of(db: Db, own: int) -> dict[str, Any]:
    wanted = select(_speakers).where(_speakers.c.forum_id == own).order_by(_speakers.c.position)
    return {row.code: row for row in db.execute(wanted)}


def _copy_speakers(db: Db, source: int, own: int, new: Mapping[str, str]) -> None:
    last = int(db.execute(select(func.max(_speakers.c.position)).where(_speakers.c.forum_id == own)).scalar() or 0)
    for place, (code, row) in enumerate(_speakers_of(db, source).items(), last + 1):
        if code in new:
            said = {name: getattr(row, name) for name in _WHO}
            # nobody has said yes to this edition, so no name is announced in it
            db.add(Speaker(forum_id=own, code=new[code], position=place, announced=False, **said))
    db.flush()
