"""Editing one session: refused where it is stale or collides, kept whole in its history, and taken back."""

import shutil
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Database, Db, table
from app.kit.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from app.programme.drafting import states_of
from app.programme.editing import Edited, cancel, change, create, move, restore
from app.programme.inputs import AppearanceInput, MoveInput, SessionInput
from app.programme.models import Session
from app.programme.overriding import conflict_from, explain, key_of, reasons_of
from app.programme.publishing import conflicts_of, publish
from app.programme.remembering import Edit, State, history_of, recent, revision
from app.programme.reverting import bring_back
from app.programme.rules.conflicts import Kind
from tests.breadth import EXAMPLES
from tests.cast import DARA, NOW, RITH, SLUG, SOKHA, make_actor, the_forum
from tests.programme.test_drafting import put as load_talks
from tests.programme.test_drafting import talk

OPERATOR = Actor.operator()
AT = datetime(2027, 3, 23, 2, tzinfo=UTC)
"""Nine in the morning of the forum's first day."""


def timed(code: str, start: int = 0, minutes: int = 60, **changes: Any) -> SessionInput:
    """A talk that begins so many minutes after nine."""
    begins = AT + timedelta(minutes=start)
    return talk(code, **{"starts_at": begins, "ends_at": begins + timedelta(minutes=minutes), **changes})


@pytest.fixture
def forum(db: Db) -> Forum:
    """The real forum, its working copy two talks in two rooms at the same time, the first published."""
    found = the_forum(db)
    load_talks(db, found, timed("T-01", room="mekong"))
    publish(db, OPERATOR, found, now=NOW)
    load_talks(db, found, timed("T-01", room="mekong"), timed("T-02", room="bassac"))
    return found


def stands(db: Db, forum: Forum, code: str) -> State | None:
    return next(iter(states_of(db, forum_id(forum), code=code).values()), None)


def standing(db: Db, forum: Forum, code: str) -> State:
    found = stands(db, forum, code)
    assert found is not None
    return found


def edit(db: Db, forum: Forum, of: str, by: Actor = OPERATOR, **changes: Any) -> Edited:
    was = standing(db, forum, of)
    sent = was.draft.model_copy(update=changes)
    return change(db, by, forum, of, sent, edition=was.edition, now=NOW)


def to(room: str | None, start: int | None = 0, minutes: int = 60, reason: str = "") -> MoveInput:
    begins = None if start is None else AT + timedelta(minutes=start)
    return MoveInput(starts_at=begins, minutes=minutes, room=room, reason=reason)


def go(db: Db, forum: Forum, code: str, where: MoveInput) -> Edited:
    return move(db, OPERATOR, forum, code, where, edition=standing(db, forum, code).edition, now=NOW)


def undo(db: Db, forum: Forum, edited: Edited, **options: Any) -> Edited:
    there = states_of(db, forum_id(forum)).get(revision(db, forum_id(forum), edited.number).session_uid)
    return bring_back(db, OPERATOR, forum, edited.number, edition=there.edition if there else 0, now=NOW, **options)


def test_an_edit_changes_one_session_alone_and_says_what(db: Db, forum: Forum):
    other = standing(db, forum, "T-02")
    was = standing(db, forum, "T-01")
    done = edit(db, forum, "T-01", type="keynote", people=(AppearanceInput(speaker="the-chair", role="chair"),))
    now = standing(db, forum, "T-01")
    assert (now.edition, now.draft.type, now.uid) == (was.edition + 1, "keynote", was.uid)
    assert standing(db, forum, "T-02") == other
    fact = history(db, SLUG, "session:T-01")[-1]
    assert (fact.kind, fact.after["changed"]) == ("session.changed", ["type", "people"])
    kept = revision(db, forum_id(forum), done.number)
    assert (kept.before, kept.after, kept.edition) == (was.snapshot, now.snapshot, now.edition)


def test_an_edit_that_changes_nothing_is_none(db: Db, forum: Forum):
    was, facts = standing(db, forum, "T-01"), len(history(db, SLUG, "session:T-01"))
    assert edit(db, forum, "T-01").number == 0
    assert standing(db, forum, "T-01") == was
    assert len(history(db, SLUG, "session:T-01")) == facts


def test_the_second_of_two_editors_is_refused_and_told_the_edition_there_is(db: Db, forum: Forum):
    was = standing(db, forum, "T-01")
    edit(db, forum, "T-01", type="keynote")
    with pytest.raises(Conflict, match="session_changed") as refused:
        change(db, OPERATOR, forum, "T-01", was.draft, edition=was.edition, now=NOW)
    assert refused.value.values == {"edition": was.edition + 1}
    with pytest.raises(Conflict):
        cancel(db, OPERATOR, forum, "T-01", edition=was.edition, now=NOW)


def test_a_load_counts_as_an_edit_of_what_it_changed_alone(db: Db, forum: Forum):
    first, second = standing(db, forum, "T-01"), standing(db, forum, "T-02")
    load_talks(
        db,
        forum,
        timed("T-01", room="mekong", people=(AppearanceInput(speaker="the-chair", role="chair"),)),
        timed("T-02", room="bassac"),
    )
    assert standing(db, forum, "T-01").edition == first.edition + 1
    assert standing(db, forum, "T-02") == second
    newest = recent(db, forum_id(forum))[0]
    assert (newest.kind, newest.code, newest.before) == ("loaded", "T-01", first.snapshot)


def test_a_move_gives_time_length_and_room_and_none_of_them_lets_it_wait(db: Db, forum: Forum):
    go(db, forum, "T-01", to("tonle-sap", 90, 30))
    draft = standing(db, forum, "T-01").draft
    assert (draft.room, draft.starts_at, draft.ends_at) == (
        "tonle-sap", AT + timedelta(minutes=90), AT + timedelta(minutes=120),
    )  # fmt: skip
    go(db, forum, "T-01", to("tonle-sap", None))
    draft = standing(db, forum, "T-01").draft
    assert (draft.room, draft.starts_at, draft.ends_at) == ("tonle-sap", None, None)


def test_a_room_that_is_taken_refuses_the_move_unless_there_is_a_reason_which_is_kept(db: Db, forum: Forum):
    was = standing(db, forum, "T-02")
    with pytest.raises(Refused, match="new_conflicts") as refused:
        go(db, forum, "T-02", to("mekong"))
    assert [one.kind for one in refused.value.values["found"]] == [Kind.ROOM_TAKEN]
    assert standing(db, forum, "T-02") == was
    go(db, forum, "T-02", to("mekong", reason="One hall, two halves"))
    (reason,) = reasons_of(db, forum_id(forum)).values()
    assert reason.words == "One hall, two halves"
    assert history(db, SLUG, "session:T-01")[-1].personal["reason"] == "One hall, two halves"
    assert publish(db, OPERATOR, forum, now=NOW) == 3, "what was given a reason is not asked for again"


def test_another_code_loses_no_reason_and_makes_no_new_conflict(db: Db, forum: Forum):
    go(db, forum, "T-02", to("mekong", reason="One hall, two halves"))
    edit(db, forum, "T-02", code="S-02")
    assert {key[1] for key in reasons_of(db, forum_id(forum))} == {"S-02 T-01"}
    publish(db, OPERATOR, forum, now=NOW)


def test_an_edit_that_makes_nothing_worse_is_not_held_up_by_an_old_conflict(db: Db, forum: Forum):
    load_talks(db, forum, timed("T-01", room="mekong"), timed("T-02", room="mekong"))
    edit(db, forum, "T-02", type="keynote")
    go(db, forum, "T-02", to("mekong", 15))
    with pytest.raises(Refused, match="conflicts"):
        publish(db, OPERATOR, forum, now=NOW)


def test_a_reason_is_given_to_a_conflict_that_stands_and_taken_back(db: Db, forum: Forum):
    load_talks(db, forum, timed("T-01", room="mekong"), timed("T-02", room="mekong"))
    (found,) = conflicts_of(db, forum)
    named = conflict_from(*key_of(found))
    explain(db, OPERATOR, forum, named, "Meant so", now=NOW, present=[found])
    assert reasons_of(db, forum_id(forum))[key_of(found)].words == "Meant so"
    explain(db, OPERATOR, forum, named, "", now=NOW, present=[found])
    assert reasons_of(db, forum_id(forum)) == {}
    with pytest.raises(NotFound):
        explain(db, OPERATOR, forum, named, "Meant so", now=NOW, present=[])


def test_a_speaker_is_not_in_two_sessions_at_once(db: Db, forum: Forum):
    chair = (AppearanceInput(speaker="the-chair", role="chair"),)
    edit(db, forum, "T-01", people=chair)
    with pytest.raises(Refused) as refused:
        edit(db, forum, "T-02", people=chair)
    assert [one.kind for one in refused.value.values["found"]] == [Kind.CHAIR_TAKEN]


def test_a_new_session_has_a_code_of_its_own_and_what_the_forum_knows(db: Db, forum: Forum):
    create(db, OPERATOR, forum, talk("T-03", tracks=("A",)), now=NOW)
    for wrong, field in ((talk("T-01"), "code"), (talk("T-04", tracks=("Z",)), "tracks")):
        with pytest.raises(Invalid) as refused:
            create(db, OPERATOR, forum, wrong, now=NOW)
        assert [fault.field for fault in refused.value.faults] == [field]
    with pytest.raises(Refused, match="unknown_room"):
        create(db, OPERATOR, forum, talk("T-04", room="attic"), now=NOW)


def test_a_closed_session_must_leave_no_gap_between_public_codes(db: Db, forum: Forum):
    with pytest.raises(Invalid) as refused:
        edit(db, forum, "T-01", attribution="CLO")
    assert [fault.code for fault in refused.value.faults] == ["code_gap"]
    edit(db, forum, "T-02", attribution="CLO")
    with pytest.raises(Invalid):
        create(db, OPERATOR, forum, talk("T-03"), now=NOW)
    edit(db, forum, "T-02", code="C-09")
    create(db, OPERATOR, forum, talk("T-03"), now=NOW)


def test_what_was_never_published_is_removed_and_what_was_is_cancelled(db: Db, forum: Forum):
    for code, kind in (("T-01", Edit.CANCELLED), ("T-02", Edit.REMOVED)):
        edition = standing(db, forum, code).edition
        assert cancel(db, OPERATOR, forum, code, edition=edition, now=NOW).kind is kind
    assert standing(db, forum, "T-01").draft.cancelled
    assert stands(db, forum, "T-02") is None
    edition = standing(db, forum, "T-01").edition
    restore(db, OPERATOR, forum, "T-01", edition=edition, now=NOW)
    assert not standing(db, forum, "T-01").draft.cancelled


def test_what_was_removed_comes_back_as_it_was_under_its_uid(db: Db, forum: Forum):
    was = standing(db, forum, "T-02")
    done = cancel(db, OPERATOR, forum, "T-02", edition=was.edition, now=NOW)
    undo(db, forum, done)
    back = standing(db, forum, "T-02")
    assert (back.uid, back.draft) == (was.uid, was.draft)
    assert back.edition > was.edition, "an old form is stale"


def test_the_undo_of_an_undo_is_the_edit(db: Db, forum: Forum):
    was = standing(db, forum, "T-01").draft
    done = go(db, forum, "T-01", to("tonle-sap", 30))
    moved = standing(db, forum, "T-01").draft
    back = undo(db, forum, done)
    assert standing(db, forum, "T-01").draft == was
    undo(db, forum, back)
    assert standing(db, forum, "T-01").draft == moved
    undo(db, forum, done, side="after")
    assert standing(db, forum, "T-01").draft == moved


def test_an_undo_does_not_undo_what_another_did_meanwhile(db: Db, forum: Forum):
    done = go(db, forum, "T-01", to("tonle-sap", 30))
    edition = standing(db, forum, "T-01").edition
    edit(db, forum, "T-01", type="keynote")
    with pytest.raises(Conflict, match="session_changed"):
        bring_back(db, OPERATOR, forum, done.number, edition=edition, now=NOW)


def test_an_undo_looks_for_conflicts_as_every_edit_does(db: Db, forum: Forum):
    done = go(db, forum, "T-01", to("tonle-sap"))
    go(db, forum, "T-02", to("mekong"))
    with pytest.raises(Refused, match="new_conflicts"):
        undo(db, forum, done)
    undo(db, forum, done, reason="Two halves of one hall")


def test_only_programme_editors_edit_and_only_their_own_forums(db: Db, forum: Forum):
    was = standing(db, forum, "T-01")
    for by, refusal in ((make_actor(db, DARA, Role.REGISTRAR), Forbidden), (make_actor(db, RITH), NotFound)):
        with pytest.raises(refusal):
            change(db, by, forum, "T-01", was.draft, edition=was.edition, now=NOW)
        with pytest.raises(refusal):
            create(db, by, forum, talk("T-05"), now=NOW)
        with pytest.raises(refusal):
            bring_back(db, by, forum, 1, edition=1, now=NOW)
    edit(db, forum, "T-01", by=make_actor(db, SOKHA, Role.PROGRAMME_EDITOR), type="keynote")
    with pytest.raises(NotFound):
        bring_back(db, OPERATOR, forum, 999_999, edition=1, now=NOW)


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["T-01", "T-02", "T-03"]),
        st.sampled_from(["move", "change", "cancel", "restore", "create", "undo", "back"]),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=EXAMPLES or 12)  # each is a dozen edits of whole sessions in a database
@given(EDITS)
def test_any_sequence_of_edits_and_undos_leaves_a_whole_history(sqlite_history: Database, steps: list[Any]):
    """After whatever happened: revisions of a session follow from each other, the last is what stands, editions only
    grow, and an undo gives exactly the state before."""
    with Db(sqlite_history.write_engine) as db:
        try:
            _play(db, steps)
        finally:
            db.rollback()


def _play(db: Db, steps: list[Any]) -> None:
    forum = the_forum(db)
    own = forum_id(forum)
    load_talks(db, forum, timed("T-01", room="mekong"))
    publish(db, OPERATOR, forum, now=NOW)
    load_talks(db, forum, timed("T-01", room="mekong"), timed("T-02", room="bassac"))
    for code, what, number in steps:
        was = stands(db, forum, code)
        try:
            if what == "create":
                create(db, OPERATOR, forum, timed(code, 30 * number), now=NOW)
            elif what in {"undo", "back"}:
                edits = [each for each in recent(db, own, most=500) if each.code.startswith("T-")]
                chosen = edits[number % len(edits)]
                there = states_of(db, own).get(chosen.session_uid)
                side: Any = "before" if what == "undo" else "after"
                edition = there.edition if there else 0
                bring_back(db, OPERATOR, forum, chosen.id or 0, edition=edition, now=NOW, side=side, reason="so")
                back = states_of(db, own).get(chosen.session_uid)
                wanted = chosen.before if side == "before" else chosen.after
                if wanted is not None:
                    assert back is not None
                    assert back.snapshot == wanted
                else:
                    assert back is None or back.draft.cancelled
            elif was is None:
                continue
            elif what == "move":
                move(db, OPERATOR, forum, code, to("mekong", 30 * number, reason="so"), edition=was.edition, now=NOW)
            elif what == "change":
                sent = was.draft.model_copy(update={"objectives": tuple(range(1, number))})
                change(db, OPERATOR, forum, code, sent, edition=was.edition, now=NOW)
            else:
                (cancel if what == "cancel" else restore)(db, OPERATOR, forum, code, edition=was.edition, now=NOW)
        except Invalid:  # a code that was given to another session meanwhile
            continue
        except Refused as refused:
            _nothing_there(refused)
    _whole(db, own)


def _nothing_there(refused: Refused) -> None:
    assert refused.code == "nothing_there"


def _whole(db: Db, own: int) -> None:
    there = states_of(db, own)
    ours = {row.session_uid for row in recent(db, own, most=500) if row.code.startswith("T-")}
    for uid in ours:
        edits = history_of(db, own, uid)[::-1]
        assert edits[0].before is None
        for one, following in pairwise(edits):
            assert following.before == one.after
            assert following.edition > one.edition
        last = edits[-1]
        assert last.after == (there[uid].snapshot if uid in there else None)
        if uid in there:
            assert there[uid].edition == last.edition
    assert db.execute(select(func.count()).select_from(table(Session))).scalar() == len(there)


@pytest.fixture(scope="module")
def sqlite_history(loaded_file: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = shutil.copy(loaded_file, tmp_path_factory.mktemp("history") / "sala.sqlite")
    database = Database(f"sqlite:///{path}")
    yield database
    database.close()
