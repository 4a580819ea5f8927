"""A version's sessions taken back into the working copy: under their own uids, and never behind in SEQUENCE."""

from typing import Any

import pytest
from sqlalchemy import delete, select

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Conflict, Forbidden, NotFound, Refused
from app.programme import editing
from app.programme.altering import foresee
from app.programme.drafting import put_programme, states_of
from app.programme.inputs import AppearanceInput, SpeakerInput
from app.programme.models import Appearance, Session
from app.programme.publishing import publish
from app.programme.queries import published
from app.programme.remembering import made_together
from app.programme.reverting import before_together, of_version, take_back_together, take_back_version
from tests.cast import DARA, NOW, SLUG, make_actor, the_forum
from tests.conftest import Clock
from tests.programme.test_drafting import WORDS
from tests.programme.test_drafting import put as load_talks
from tests.programme.test_editing import edit, standing, stands, timed

OPERATOR = Actor.operator()


@pytest.fixture
def forum(db: Db) -> Forum:
    """The real forum with two talks, published as version 2; since then the first was edited and a third is there."""
    found = the_forum(db)
    people = (AppearanceInput(speaker="the-chair", role="chair"),)
    load_talks(db, found, timed("T-01", room="mekong", people=people), timed("T-02", room="bassac"))
    publish(db, OPERATOR, found, now=NOW)
    edit(db, found, "T-01", type="keynote", people=())
    editing.create(db, OPERATOR, found, timed("T-03", room="tonle-sap"), now=NOW)
    return found


def take(db: Db, forum: Forum, number: int = 2, since: Any = "leave", **options: Any) -> Any:
    mark = foresee(db, forum, of_version(db, forum, number, since)).mark
    return take_back_version(db, OPERATOR, forum, number, since, **{"mark": mark, "now": NOW, **options})


def test_its_sessions_are_as_they_were_and_what_came_since_stays(db: Db, forum: Forum):
    done = take(db, forum)
    back = standing(db, forum, "T-01")
    assert (back.draft.type, [part.speaker for part in back.draft.people]) == ("panel", ["the-chair"])
    assert stands(db, forum, "T-03") is not None
    (kept,) = made_together(db, forum_id(forum), done.number)
    assert (kept.kind, kept.code, kept.edition) == ("taken_back", "T-01", back.edition)
    fact = history(db, SLUG, f"forum:{SLUG}")[-1]
    assert (fact.kind, fact.after["version"]) == ("programme.taken_back", 2)


def test_what_came_since_can_go_and_comes_back_with_all_the_rest(db: Db, forum: Forum):
    before = {uid: state.draft for uid, state in states_of(db, forum_id(forum)).items()}
    done = take(db, forum, since="take_out")
    assert stands(db, forum, "T-03") is None
    mark = foresee(db, forum, before_together(db, forum, done.number).wanted).mark
    take_back_together(db, OPERATOR, forum, done.number, mark=mark, now=NOW)
    assert {uid: state.draft for uid, state in states_of(db, forum_id(forum)).items()} == before


def test_what_was_published_since_is_cancelled_and_not_removed(db: Db, forum: Forum):
    publish(db, OPERATOR, forum, now=NOW)
    take(db, forum, since="take_out")
    assert standing(db, forum, "T-03").draft.cancelled


def test_a_session_that_is_gone_comes_back_under_its_uid_and_is_never_behind_for_calendars(
    db: Db, forum: Forum, clock: Clock
):
    uid = standing(db, forum, "T-02").uid
    sequences = [published(db, forum_id(forum)).session("T-02").sequence]  # type: ignore[union-attr]
    sessions, parts = table(Session), table(Appearance)
    (row,) = db.execute(select(sessions.c.id).where(sessions.c.uid == uid)).scalars()
    db.execute(delete(parts).where(parts.c.session_id == row))
    db.execute(delete(sessions).where(sessions.c.id == row))
    editing.create(db, OPERATOR, forum, timed("T-02", start=300), now=NOW)  # another slot under the code
    publish(db, OPERATOR, forum, now=clock.move(days=1))
    gone = next(one for one in published(db, forum_id(forum)).sessions if one.uid == uid)
    assert gone.cancelled
    sequences.append(gone.sequence)

    take(db, forum)
    back = states_of(db, forum_id(forum))[uid]
    assert (back.draft.room, back.draft.cancelled, back.draft.code) == ("bassac", False, "T-04")
    assert standing(db, forum, "T-02").uid != uid, "the code is another's now, and that one keeps it"
    publish(db, OPERATOR, forum, now=clock.move(days=1))
    public = [one for one in published(db, forum_id(forum)).sessions if one.uid == uid]
    assert [(one.cancelled, one.code) for one in public] == [(False, "T-04")]
    sequences.append(public[0].sequence)
    assert sequences == sorted(sequences)
    assert sequences[2] > sequences[1] > sequences[0]


def test_sessions_that_swapped_their_codes_swap_them_back(db: Db, forum: Forum):
    first, second = standing(db, forum, "T-01").uid, standing(db, forum, "T-02").uid
    edit(db, forum, "T-01", code="T-09")
    edit(db, forum, "T-02", code="T-01")
    edit(db, forum, "T-09", code="T-02")
    take(db, forum)
    assert (standing(db, forum, "T-01").uid, standing(db, forum, "T-02").uid) == (first, second)


def test_who_and_what_is_there_no_more_is_left_out_and_told(db: Db, forum: Forum):
    load_talks(db, forum, timed("T-01", room="mekong", type="keynote"), timed("T-02", room="bassac"))
    rest = [SpeakerInput(code="the-speaker", function=WORDS)]
    sessions = [timed("T-01", room="mekong", type="keynote"), timed("T-02", room="bassac")]
    put_programme(db, OPERATOR, forum, rest, sessions, now=NOW)
    wanted = next(one for one in of_version(db, forum, 2, "leave") if one.before and one.before.draft.code == "T-01")
    assert [(note.field, note.values["named"]) for note in wanted.notes] == [("people", "the-chair")]
    take(db, forum)
    assert standing(db, forum, "T-01").draft.people == ()


def test_what_was_edited_meanwhile_is_looked_at_again(db: Db, forum: Forum):
    mark = foresee(db, forum, of_version(db, forum, 2, "leave")).mark
    edit(db, forum, "T-01", type="plenary")
    with pytest.raises(Conflict, match="working_copy_changed"):
        take(db, forum, mark=mark)
    assert standing(db, forum, "T-01").draft.type == "plenary"


def test_taking_back_what_stands_is_nothing_and_a_version_there_is_not_is_not_found(db: Db, forum: Forum):
    take(db, forum)
    with pytest.raises(Refused, match="nothing_differs"):
        take(db, forum)
    for number in (0, 99):
        with pytest.raises(NotFound):
            of_version(db, forum, number, "leave")
    with pytest.raises(NotFound):
        before_together(db, forum, 99)


def test_who_may_not_edit_may_not_take_back(db: Db, forum: Forum):
    with pytest.raises(Forbidden):
        take_back_version(db, make_actor(db, DARA, Role.VIEWER), forum, 2, "leave", mark="x", now=NOW)
