"""Another edition's programme copied here: new sessions at the same hours, and nothing that may not be seen there."""

from datetime import date
from typing import Any

import pytest

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.editions.form import ForumFile
from app.editions.loading import load
from app.forum.access import actor_of, grant
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.errors import Conflict, Forbidden, NotFound, Refused
from app.kit.i18n import Bilingual
from app.programme.copying import copy_programme, editions_for, look_at_copy
from app.programme.describing import described
from app.programme.drafting import put_programme, states_of
from app.programme.inputs import AppearanceInput, CopyInput, SpeakerInput
from tests.cast import DARA, NOW, SLUG, SOKHA, make_user, the_forum
from tests.programme.test_editing import timed

OPERATOR = Actor.operator()
HERE = "kampot-2029"
WORDS = Bilingual("Somebody else", "បុគ្គលផ្សេង")


@pytest.fixture
def here(db: Db, forum_file: ForumFile) -> Forum:
    """Another forum with the same topics and without sessions, speakers and one of the rooms."""
    rooms = tuple(room for room in forum_file.rooms if room.code != "mekong")
    named = forum_file.forum.model_copy(update={"slug": HERE, "featured": False})
    empty: dict[str, Any] = {"sessions": (), "speakers": (), "calendar": {}, "rooms": rooms}
    load(db, OPERATOR, forum_file.model_copy(update={"forum": named, **empty}), now=NOW)
    return the_forum(db, HERE)


def ask(**changes: Any) -> CopyInput:
    return CopyInput(**{"source": SLUG, "first_day": date(2029, 3, 20), "speakers": "yes", **changes})


def copy(db: Db, here: Forum, sent: CopyInput, by: Actor = OPERATOR, **options: Any) -> Any:
    mark = look_at_copy(db, by, here, sent).alteration.mark
    return copy_programme(db, by, here, sent, **{"mark": mark, "now": NOW, "reason": "As there", **options})


def drafts(db: Db, forum: Forum) -> dict[str, Any]:
    return {state.draft.code: state for state in states_of(db, forum_id(forum)).values()}


def test_every_session_is_a_new_one_at_the_same_hour_of_its_new_day(db: Db, here: Forum):
    there = drafts(db, the_forum(db))
    done = copy(db, here, ask(closed="yes"))
    found = drafts(db, here)
    assert done.sessions == len(found) == len(there)
    assert not {state.uid for state in found.values()} & {state.uid for state in there.values()}
    for code, state in found.items():
        old, new = there[code].draft, state.draft
        assert (new.title, new.attribution, new.tracks, new.themes) == (
            old.title,
            old.attribution,
            old.tracks,
            old.themes,
        )
        assert [part.speaker for part in new.people] == [part.speaker for part in old.people]
        if old.starts_at and old.ends_at:
            assert new.starts_at is not None
            assert (new.starts_at - old.starts_at).days == (date(2029, 3, 20) - date(2027, 3, 23)).days
            assert new.starts_at.time() == old.starts_at.time()
    fact = history(db, HERE, f"forum:{HERE}")[-1]
    assert (fact.kind, fact.after["other"]) == ("programme.copied", SLUG)


def test_closed_and_cancelled_sessions_stay_where_they_are_unless_the_closed_are_asked_for(db: Db, here: Forum):
    put_programme(
        db, OPERATOR, the_forum(db), [],
        [timed("T-01"), timed("T-02", start=90, cancelled=True), timed("C-01", start=180, attribution="CLO")], now=NOW,
    )  # fmt: skip
    assert {one.after.code for one in look_at_copy(db, OPERATOR, here, ask()).alteration.wanted if one.after} == {
        "T-01"
    }
    copy(db, here, ask(closed="yes"))
    assert drafts(db, here)["C-01"].draft.attribution == "CLO"


def test_a_forum_whose_desk_one_may_not_see_is_not_there(db: Db, here: Forum):
    user = make_user(db, DARA)
    grant(db, OPERATOR, here, user, Role.PROGRAMME_EDITOR, now=NOW)
    assert editions_for(db, actor_of(db, user), here) == []
    for source in (SLUG, HERE, "nowhere"):
        with pytest.raises(NotFound):
            look_at_copy(db, actor_of(db, user), here, ask(source=source))
    grant(db, OPERATOR, the_forum(db), user, Role.VIEWER, now=NOW)
    assert [forum.slug for forum in editions_for(db, actor_of(db, user), here)] == [SLUG]
    copy(db, here, ask(), by=actor_of(db, user))
    other = make_user(db, SOKHA)
    grant(db, OPERATOR, the_forum(db), other, Role.OWNER, now=NOW)
    grant(db, OPERATOR, here, other, Role.VIEWER, now=NOW)
    with pytest.raises(Forbidden):
        look_at_copy(db, actor_of(db, other), here, ask())


def test_a_room_that_is_not_here_is_left_empty_and_told(db: Db, here: Forum):
    put_programme(
        db, OPERATOR, the_forum(db), [], [timed("T-01", room="mekong"), timed("T-02", room="bassac")], now=NOW
    )
    seen = {one.after.code: one for one in look_at_copy(db, OPERATOR, here, ask()).alteration.wanted if one.after}
    assert [(note.field, note.values["named"]) for note in seen["T-01"].notes] == [("room", "mekong")]
    assert (seen["T-01"].after.room, seen["T-02"].after.room) == (None, "bassac")  # type: ignore[union-attr]


def test_codes_that_are_taken_here_are_the_next_free_ones(db: Db, here: Forum):
    put_programme(db, OPERATOR, the_forum(db), [], [timed("T-01"), timed("T-02", start=90)], now=NOW)
    copy(db, here, ask())
    seen = look_at_copy(db, OPERATOR, here, ask(first_day=date(2029, 3, 22))).alteration
    assert [one.after.code for one in seen.wanted if one.after] == ["T-03", "T-04"]
    assert seen.untouched == ("T-01", "T-02")


def test_speakers_come_along_if_asked_once_and_never_for_somebody_else_of_the_same_code(db: Db, here: Forum):
    people = (AppearanceInput(speaker="guest", role="speaker"), AppearanceInput(speaker="host", role="chair"))
    guest = SpeakerInput(code="guest", function=WORDS, country="FR", kind="academia")
    host = SpeakerInput(code="host", function=WORDS)
    put_programme(db, OPERATOR, the_forum(db), [guest, host], [timed("T-01", people=people)], now=NOW)
    taken = SpeakerInput(code="guest", function=Bilingual("Another guest", "ភ្ញៀវផ្សេង"))
    put_programme(db, OPERATOR, here, [taken, host], [], now=NOW)
    without = look_at_copy(db, OPERATOR, here, ask(speakers="")).alteration.wanted[0].after
    assert without is not None
    assert without.people == ()
    copy(db, here, ask())
    (state,) = drafts(db, here).values()
    assert [(part.speaker, part.role) for part in state.draft.people] == [("guest-2", "speaker"), ("host", "chair")]
    voices = {one.code: one.voice.kind for one in described(db, forum_id(here))}
    assert voices == {"guest": None, "host": None, "guest-2": "academia"}


def test_what_changed_there_meanwhile_is_looked_at_again_and_nobody_is_copied(db: Db, here: Forum):
    mark = look_at_copy(db, OPERATOR, here, ask()).alteration.mark
    put_programme(db, OPERATOR, the_forum(db), [], [timed("T-01")], now=NOW)
    with pytest.raises(Conflict, match="working_copy_changed"):
        copy(db, here, ask(), mark=mark)
    assert described(db, forum_id(here)) == []


def test_a_forum_without_a_session_in_time_gives_nothing(db: Db, here: Forum):
    put_programme(db, OPERATOR, here, [], [timed("T-01", starts_at=None, ends_at=None)], now=NOW)
    with pytest.raises(Refused, match="nothing_to_copy"):
        look_at_copy(db, OPERATOR, the_forum(db), ask(source=HERE))


def test_it_takes_as_many_reads_however_much_is_copied(db: Db, here: Forum, queries: Any):
    counted = []
    for number in (1, 3):
        sessions = [timed(f"T-{each:02d}", start=90 * each) for each in range(number)]
        put_programme(db, OPERATOR, the_forum(db), [], sessions, now=NOW)
        with queries() as one:
            look_at_copy(db, OPERATOR, here, ask())
        counted.append(len(one))
    assert counted[0] == counted[1]
