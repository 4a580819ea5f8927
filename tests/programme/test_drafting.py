from typing import Any

import pytest

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.errors import Forbidden, NotFound, Refused
from app.kit.i18n import Bilingual
from app.kit.pen import revisions
from app.programme.drafting import put_programme
from app.programme.inputs import AppearanceInput, SessionInput, SpeakerInput
from app.programme.publishing import publish
from app.programme.queries import published, working_copy
from tests.cast import DARA, NOW, RITH, SLUG, SOKHA, make_actor, the_forum
from tests.conftest import Clock

OPERATOR = Actor.operator()
WORDS = Bilingual("A talk", "បាឋកថា")
CHAIR = SpeakerInput(code="the-chair", function=Bilingual("Chair", "ប្រធាន"))
SPEAKER = SpeakerInput(code="the-speaker", function=Bilingual("Speaker", "វាគ្មិន"))


def talk(code: str, **changes: Any) -> SessionInput:
    return SessionInput(**{"code": code, "type": "panel", "title": WORDS, **changes})


@pytest.fixture
def forum(db: Db) -> Forum:
    """The real forum with a working copy of two talks, not published yet."""
    found = the_forum(db)
    put(db, found, talk("T-01"), talk("T-02"))
    return found


def put(db: Db, forum: Forum, *sessions: SessionInput, by: Actor = OPERATOR, **options: Any) -> bool:
    return put_programme(db, by, forum, [CHAIR, SPEAKER], sessions, now=NOW, **options)


def drafts(db: Db, forum: Forum) -> dict[str, Any]:
    return {session.code: session for session in working_copy(db, forum_id(forum)) if not session.cancelled}


def test_the_same_programme_changes_nothing(db: Db, forum: Forum):
    before = len(history(db, SLUG, f"forum:{SLUG}"))
    assert not put(db, forum, talk("T-01"), talk("T-02"))
    assert len(history(db, SLUG, f"forum:{SLUG}")) == before


def test_nothing_drafted_is_public(db: Db, forum: Forum):
    before = revisions(db)[SLUG]
    put(db, forum, talk("T-01", type="keynote"), talk("T-03"))
    assert {"T-01", "T-03"}.isdisjoint(session.code for session in published(db, forum_id(forum)).sessions)
    assert revisions(db)[SLUG] == before, "and no public page is stale"


def test_a_session_keeps_its_uid_while_its_code_stays(db: Db, forum: Forum):
    before = {code: session.uid for code, session in drafts(db, forum).items()}
    put(db, forum, talk("T-02", type="keynote"), talk("T-01", room="mekong"))
    assert {code: session.uid for code, session in drafts(db, forum).items()} == before
    assert len(set(before.values())) == 2


def test_uids_known_elsewhere_are_kept(db: Db, forum: Forum):
    put(db, forum, talk("T-09"), uids={"T-09": "known-elsewhere@sala"})
    assert drafts(db, forum)["T-09"].uid == "known-elsewhere@sala"


def test_a_session_that_was_never_published_goes(db: Db, forum: Forum):
    put(db, forum, talk("T-01"))
    assert not [session for session in working_copy(db, forum_id(forum)) if session.code == "T-02"]


def test_a_session_that_calendars_hold_is_cancelled_and_comes_back_under_its_uid(db: Db, forum: Forum, clock: Clock):
    publish(db, OPERATOR, forum, now=NOW, reason="as arranged")
    uid = drafts(db, forum)["T-02"].uid
    put(db, forum, talk("T-01"))
    publish(db, OPERATOR, forum, now=clock.move(days=1), reason="as arranged")
    gone = published(db, forum_id(forum)).session("T-02")
    assert gone is not None
    assert (gone.cancelled, gone.uid) == (True, uid)
    put(db, forum, talk("T-01"), talk("T-02"))
    publish(db, OPERATOR, forum, now=clock.move(days=1), reason="as arranged")
    back = published(db, forum_id(forum)).session("T-02")
    assert back is not None
    assert (back.cancelled, back.uid) == (False, uid)
    assert back.sequence > gone.sequence


def test_the_cast_of_a_session_is_kept_in_order(db: Db, forum: Forum):
    people = (
        AppearanceInput(speaker="the-speaker", role="speaker"),
        AppearanceInput(speaker="the-chair", role="chair"),
    )
    put(db, forum, talk("T-01", people=people))
    assert [(person.code, person.role) for person in drafts(db, forum)["T-01"].people] == [
        ("the-speaker", "speaker"),
        ("the-chair", "chair"),
    ]
    assert not put(db, forum, talk("T-01", people=people))
    assert put(db, forum, talk("T-01", people=people[::-1]))


def test_a_speaker_that_goes_leaves_the_sessions(db: Db, forum: Forum):
    people = (AppearanceInput(speaker="the-speaker", role="speaker"),)
    put(db, forum, talk("T-01", people=people))
    put_programme(db, OPERATOR, forum, [CHAIR], [talk("T-01")], now=NOW)
    assert drafts(db, forum)["T-01"].people == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"room": "no-such-room"}, "unknown_room"),
        ({"people": (AppearanceInput(speaker="nobody", role="chair"),)}, "unknown_speaker"),
    ],
)
def test_what_nothing_bears_is_refused(db: Db, forum: Forum, changes: dict[str, Any], reason: str):
    with pytest.raises(Refused, match=reason):
        put(db, forum, talk("T-01", **changes))


def test_drafting_is_for_those_who_edit_the_programme(db: Db, forum: Forum):
    with pytest.raises(Forbidden):
        put(db, forum, talk("T-01"), by=make_actor(db, DARA, Role.REGISTRAR))
    with pytest.raises(NotFound):
        put(db, forum, talk("T-01"), by=make_actor(db, RITH))
    assert put(db, forum, talk("T-01"), by=make_actor(db, SOKHA, Role.PROGRAMME_EDITOR))
