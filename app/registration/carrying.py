"""What comes along when two registrations of one person become one: chosen sessions, answers, files, consents, needs.

The same look says it to the organiser beforehand and to the deed. Of sessions at the same time the kept one's own stay.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.i18n import Bilingual
from app.programme.published import PublishedSession
from app.programme.queries import published
from app.registration.models import (
    Answer,
    Application,
    Consent,
    File,
    Letter,
    Needs,
    Note,
    Pick,
    PickList,
    Rank,
    TableGuest,
    Tagged,
)
from app.registration.people import SEARCHED, searched_by, sort_columns
from app.registration.question_queries import QuestionView, questionnaire_of
from app.registration.rules.picks import PickState, overlap
from app.registration.rules.questions import Kind, check
from app.registration.rules.states import HOLDS_SEAT, State
from app.registration.signing_up import ask_anew, move_lists, times_to_ask

_applications, _letters, _needs = table(Application), table(Letter), table(Needs)
_answers, _files, _consents = table(Answer), table(File), table(Consent)
_picks, _lists = table(Pick), table(PickList)
_PROTOCOL = (table(Rank), table(TableGuest))
_notes, _tagged = table(Note), table(Tagged)
FILLED = ("titles", "name_km", "name_order", "position_title", "institution", "country", "phone")
"""What the kept registration takes from the other where it says nothing itself."""


@dataclass(frozen=True, slots=True)
class Luggage:
    """What the other registration brings (`picks`, `answers`, …) and what it does not.

    `better` are pairs (own pick, the other's) of a session both chose in which the other stands better; `clashing` the
    other's sessions at the time of one of the kept one's, `behind` its answers where the kept one has another: they
    stay with the ended one. Nothing is written by looking.
    """

    sessions: Mapping[str, PublishedSession]
    own: tuple[Any, ...]
    picks: tuple[Any, ...]
    better: tuple[tuple[Any, Any], ...]
    clashing: tuple[Any, ...]
    answers: tuple[QuestionView, ...]
    behind: tuple[QuestionView, ...]
    columns: Mapping[str, Any]
    form_consent: bool
    needs: bool
    companions: int
    letters: int
    editions: tuple[int, int]
    """Those of the two lists of sessions, the kept one's first; 0 where nobody chose."""

    def titles(self, picks: Collection[Any]) -> list[Bilingual]:
        """The sessions of these picks, as far as they are in the programme."""
        return [self.sessions[pick.session_uid].title for pick in picks if pick.session_uid in self.sessions]

    def codes(self, picks: Collection[Any]) -> list[str]:
        """The same as codes, sorted."""
        return sorted(self.sessions[pick.session_uid].code for pick in picks if pick.session_uid in self.sessions)

    @property
    def places(self) -> list[Bilingual]:
        """The sessions in which the other's place becomes the kept one's."""
        return self.titles([theirs for _, theirs in self.better if theirs.state == PickState.SEATED.value])

    def labels(self, questions: Collection[QuestionView]) -> list[Bilingual]:
        """The questions in words; the sensitive ones are not named."""
        return [one.label for one in questions if not one.sensitive]


def luggage(db: Db, forum: Forum, kept: Any, dropped: Any, category: str) -> Luggage:
    """What the registration `dropped` brings to `kept` (rows), which is in `category` (its code) afterwards."""
    own = forum_id(forum)
    sessions = {session.uid: session for session in published(db, own).sessions}
    mine, theirs = _picks_of(db, kept.id), _picks_of(db, dropped.id)
    there = {pick.session_uid: pick for pick in mine}
    new = [pick for pick in theirs if pick.session_uid not in there]
    both = [(there[pick.session_uid], pick) for pick in theirs if pick.session_uid in there]
    clashing = [pick for pick in new if _clashes(pick, mine, sessions)]
    answers, behind = _answers_of(db, own, kept.id, dropped.id, category)

    def any_of(rows: Any, application: int, *more: Any) -> int:
        return int(db.execute(select(func.count()).where(rows.c.application_id == application, *more)).scalar_one())

    form = _consents.c.question_id.is_(None)
    along = select(func.count()).where(_applications.c.accompanies_id == dropped.id)
    return Luggage(
        sessions=sessions,
        own=tuple(mine),
        picks=tuple(pick for pick in new if pick not in clashing),
        better=tuple((one, other) for one, other in both if _stands(other) < _stands(one)),
        clashing=tuple(clashing),
        answers=answers,
        behind=behind,
        columns={name: getattr(dropped, name) for name in FILLED if getattr(dropped, name) and not getattr(kept, name)},
        form_consent=any_of(_consents, dropped.id, form) > 0 and not any_of(_consents, kept.id, form),
        needs=any_of(_needs, dropped.id) > 0 and not any_of(_needs, kept.id),
        companions=int(db.execute(along).scalar_one()),
        letters=any_of(_letters, dropped.id),
        editions=_editions_of(db, kept.id, dropped.id),
    )


def _editions_of(db: Db, kept: int, dropped: int) -> tuple[int, int]:
    mine = _lists.c.application_id.in_((kept, dropped))
    found = {row[0]: int(row[1]) for row in db.execute(select(_lists.c.application_id, _lists.c.edition).where(mine))}
    return found.get(kept, 0), found.get(dropped, 0)


def _picks_of(db: Db, application: int) -> list[Any]:
    return list(db.execute(select(_picks).where(_picks.c.application_id == application).order_by(_picks.c.id)))


def _stands(pick: Any) -> tuple[bool, bool, datetime]:
    """The lower the better: who has a place, then whom an organiser admitted, then who asked first."""
    return pick.state != PickState.SEATED.value, not pick.admitted, pick.asked_at


def _clashes(pick: Any, mine: Collection[Any], sessions: Mapping[str, PublishedSession]) -> bool:
    session = sessions.get(pick.session_uid)
    if session is None or session.cancelled:
        return False
    others = (sessions.get(other.session_uid) for other in mine)
    return any(other is not None and not other.cancelled and overlap(session, other) for other in others)


def _answers_of(
    db: Db, own: int, kept: int, dropped: int, category: str
) -> tuple[tuple[QuestionView, ...], tuple[QuestionView, ...]]:
    """The questions whose answer comes along, and those whose answer stays behind because it is another.

    Only what the kept one is asked, with the answers of both, comes along; a consent it has withdrawn stays withdrawn.
    """
    mine, theirs = questionnaire_of(db, own, category, kept), questionnaire_of(db, own, category, dropped)
    touched = set(
        db.execute(select(_consents.c.question_id).where(_consents.c.application_id == kept).distinct()).scalars()
    )
    brought = {
        one.code: theirs.values[one.code]
        for one in theirs.questions
        if one.code in theirs.values and one.code not in mine.values and one.id not in touched
    }
    shown = check([one.asked for one in mine.questions], {**brought, **mine.values}).shown
    coming = tuple(one for one in mine.questions if one.code in brought and one.code in shown)
    behind = tuple(
        one
        for one in mine.questions
        if one.code in theirs.values
        and one not in coming
        and (one.kind is Kind.FILE or theirs.values[one.code] != mine.values.get(one.code))
    )
    return coming, behind


def filled(luggage: Luggage, kept: Any) -> dict[str, Any]:
    """The columns of the kept registration that change, with those to search and sort by."""
    values = dict(luggage.columns)
    if values:
        there = {name: getattr(kept, name) for name in (*SEARCHED, "attends_as")} | values
        values |= {"name_search": searched_by(there), **sort_columns(SimpleNamespace(**there))}
    return values


def unpack_papers(db: Db, luggage: Luggage, kept: int, dropped: int) -> None:
    """Answers, files, consents, needs, letters, companions, notes, tags, rank and seat at the head table go over to the
    kept registration."""
    db.execute(update(_notes).where(_notes.c.application_id == dropped).values(application_id=kept))
    there = select(_tagged.c.tag_id).where(_tagged.c.application_id == kept)
    new = (_tagged.c.application_id == dropped) & _tagged.c.tag_id.not_in(there)
    db.execute(update(_tagged).where(new).values(application_id=kept))
    for rows in (_answers, _files, _consents):
        chosen: ColumnElement[bool] = rows.c.question_id.in_([one.id for one in luggage.answers])
        if rows is _consents and luggage.form_consent:
            chosen |= rows.c.question_id.is_(None)
        db.execute(update(rows).where(rows.c.application_id == dropped, chosen).values(application_id=kept))
    if luggage.needs:
        db.execute(update(_needs).where(_needs.c.application_id == dropped).values(application_id=kept))
    db.execute(update(_letters).where(_letters.c.application_id == dropped).values(application_id=kept))
    db.execute(update(_applications).where(_applications.c.accompanies_id == dropped).values(accompanies_id=kept))
    for rows in _PROTOCOL:  # the kept one's own rank and seat at the head table stay
        if db.execute(select(rows.c.application_id).where(rows.c.application_id == kept)).first() is None:
            db.execute(update(rows).where(rows.c.application_id == dropped).values(application_id=kept))


def lift_picks(db: Db, dropped: int) -> None:
    """Take the other's picks off every list, before it ends: its places are given to nobody meanwhile."""
    db.execute(delete(_picks).where(_picks.c.application_id == dropped))


def unpack_picks(db: Db, forum: Forum, luggage: Luggage, kept: Any, dropped: Any, state: str, *, now: datetime) -> None:
    """Put what comes along onto the kept registration, which stands in `state` now; places left over go to the next.

    A pick counts from when its person holds a seat (rules §1.11): what was chosen without one asks from now on.
    """
    holds = State(state) in HOLDS_SEAT
    if holds and State(kept.state) not in HOLDS_SEAT:
        ask_anew(db, kept.id, [pick.session_uid for pick in luggage.own], now=now)
    counted = not holds or State(dropped.state) in HOLDS_SEAT
    for own, other in luggage.better:
        values = {"state": other.state, "number": other.number, "admitted": own.admitted or other.admitted}
        asked = {"asked_at": other.asked_at} if counted else {}
        db.execute(update(_picks).where(_picks.c.id == own.id).values(**values, **asked))
    times = times_to_ask(db, [pick.session_uid for pick in luggage.picks], now=now)
    for pick in luggage.picks:
        values = {name: getattr(pick, name) for name in ("session_uid", "state", "number", "admitted")}
        asked_at = pick.asked_at if counted else times[pick.session_uid]
        db.execute(insert(_picks).values(application_id=kept.id, asked_at=asked_at, **values))
    if luggage.picks or luggage.better:
        _note_change(db, kept.id, now)
    every = (*luggage.own, *luggage.picks, *luggage.clashing, *(other for _, other in luggage.better))
    uids = {pick.session_uid for pick in every}
    if uids:
        move_lists(db, forum, uids, now=now)


def _note_change(db: Db, application: int, now: datetime) -> None:
    mine = _lists.c.application_id == application
    changed = update(_lists).where(mine).values(edition=_lists.c.edition + 1, changed_at=now)
    if not db.execute(changed).rowcount:  # type: ignore[attr-defined]
        db.execute(insert(_lists).values(application_id=application, edition=1, changed_at=now))
