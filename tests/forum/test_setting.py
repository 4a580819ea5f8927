"""The settings: changed part by part, held against what was opened, remembered whole and taken back."""

from datetime import date, timedelta
from typing import Any

import pytest

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.forum import setting
from app.forum.models import Forum
from app.forum.queries import featured_slug, forum_page, public_forums
from app.forum.setting_inputs import PARTS, DatesPart, WordsPart
from app.kit.db import Db
from app.kit.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from app.kit.inputs import parse
from app.kit.pen import revisions
from app.programme.queries import topics_used
from tests.cast import DARA, NOW, RITH, SLUG, make_actor, the_forum

OPERATOR = Actor.operator()


@pytest.fixture
def forum(db: Db) -> Forum:
    return the_forum(db)


def put(db: Db, forum: Forum, part: str, by: Actor = OPERATOR, mark: str = "", **changes: object) -> bool:
    state = setting.state_of(db, forum, part)
    sent = parse(PARTS[part], {**state, **changes})
    used = topics_used(db, forum.id or 0)
    return setting.put_part(db, by, forum, part, sent, mark=mark or setting.mark_of(state), now=NOW, used=used)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_as_it_stands_may_be_sent_and_changes_nothing(db: Db, forum: Forum, part: str):
    before = revisions(db).get(SLUG)
    assert put(db, forum, part) is False
    assert revisions(db).get(SLUG) == before
    assert setting.edits_of(db, forum) == []


def test_new_days_move_the_forums_own_entry_and_keep_its_uid_and_can_be_taken_back(db: Db, forum: Forum):
    uid, sequence, revision = forum.uid, forum.sequence, revisions(db)[SLUG]
    first = forum.starts_on
    assert put(db, forum, "dates", starts_on="2027-04-06", ends_on="2027-04-07")
    assert (forum.uid, forum.sequence, forum.slot_changed_at) == (uid, sequence + 1, NOW)
    assert revisions(db)[SLUG] > revision, "published bytes are made anew"
    edit = setting.edits_of(db, forum)[0]
    assert setting.take_back(db, OPERATOR, forum, edit.id or 0, now=NOW)
    assert forum.starts_on == first
    assert forum.sequence == sequence + 2, "it never goes down"
    assert [one.part for one in setting.edits_of(db, forum)] == ["dates", "dates"]
    assert put(db, forum, "dates", starts_on="", ends_on="")
    assert (forum.starts_on, forum.ends_on) == (None, None)


def test_a_change_of_other_words_leaves_the_calendars_sequence_alone(db: Db, forum: Forum):
    sequence = forum.sequence
    assert put(db, forum, "words", summary={"en": "Shorter.", "km": "ខ្លីជាង។"})
    assert forum.sequence == sequence
    assert put(db, forum, "words", title={"en": "Another title", "km": "ចំណងជើងថ្មី"})
    assert forum.sequence == sequence + 1


def test_what_was_saved_meanwhile_is_not_written_over(db: Db, forum: Forum):
    opened = setting.mark_of(setting.state_of(db, forum, "contact"))
    assert put(db, forum, "contact", office_phone="+855 23 000 000")
    with pytest.raises(Conflict, match="setting_changed"):
        put(db, forum, "contact", mark=opened, office_phone="+855 23 111 111")
    first = setting.edits_of(db, forum)[0].id or 0
    assert put(db, forum, "contact", contact_name="", contact_role={"en": "", "km": ""}, contact_phones=[])
    assert forum.contact is None
    with pytest.raises(Conflict, match="setting_moved_on"):
        setting.take_back(db, OPERATOR, forum, first, now=NOW)
    db.expire_all()
    assert [bool(one.after) for one in setting.edits_of(db, forum)] == [True, False], "who is named no more is let go"


def test_topics_that_sessions_name_stay_and_others_come_and_go(db: Db, forum: Forum):
    state = setting.state_of(db, forum, "topics")
    with pytest.raises(Refused, match="topic_used"):
        put(db, forum, "topics", tracks=state["tracks"][1:])
    more = {"number": 9, "text": {"en": "To go on", "km": "បន្តទៅមុខ"}}
    assert put(db, forum, "topics", objectives=[*state["objectives"], more])
    assert forum_page(db, SLUG).objectives[-1][0] == 9
    assert put(db, forum, "topics", objectives=state["objectives"])
    twice = [state["objectives"][0], *state["objectives"]]
    with pytest.raises(Invalid):
        put(db, forum, "topics", objectives=twice)


def test_a_forum_that_is_not_public_is_led_to_by_nothing(db: Db, forum: Forum):
    assert featured_slug(db) == SLUG
    assert put(db, forum, "standing", public=False)
    assert featured_slug(db) is None
    assert public_forums(db) == []


def test_which_forum_the_site_leads_to_is_its_owners_to_choose(db: Db, forum: Forum):
    organiser = make_actor(db, DARA, Role.ORGANISER)
    assert put(db, forum, "standing", organiser, public=False)
    with pytest.raises(Refused, match="only_site_features"):
        put(db, forum, "standing", organiser, featured=not forum.featured)


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("dates", {"starts_on": "2027-04-06", "ends_on": ""}),
        ("dates", {"starts_on": "2027-04-06", "ends_on": "2027-04-05"}),
        ("dates", {"timezone": "Asia/Nowhere"}),
        ("dates", {"languages": ["de"]}),
        ("place", {"latitude": "91"}),
        ("place", {"latitude": "11", "longitude": ""}),
        ("place", {"latitude": "nan", "longitude": "nan"}),
        ("place", {"venue_name": {"en": "Hotel", "km": ""}}),
        ("words", {"title": {"en": "", "km": ""}}),
        ("words", {"about": {"en": "x" * 7001, "km": "x"}}),
        ("contact", {"office_email": "nobody"}),
        ("contact", {"contact_role": {"en": "", "km": ""}}),
    ],
)
def test_what_cannot_be_is_refused(db: Db, forum: Forum, part: str, changes: dict[str, object]):
    with pytest.raises(Invalid):
        put(db, forum, part, **changes)


def test_how_it_would_look_is_written_nowhere(db: Db, forum: Forum):
    page = forum_page(db, SLUG)
    state = setting.state_of(db, forum, "words")
    sent = parse(WordsPart, {**state, "title": {"en": "Not yet", "km": "មិនទាន់"}})
    seen = setting.as_it_would_be(page, "words", sent)
    assert (seen.forum.title.en, page.forum.title.en) == ("Not yet", state["title"]["en"])
    days = parse(
        DatesPart, {**setting.state_of(db, forum, "dates"), "starts_on": "2028-01-01", "ends_on": "2028-01-02"}
    )
    assert setting.as_it_would_be(page, "dates", days).forum.starts_on == date(2028, 1, 1)
    assert db.is_modified(page.forum) is False
    db.flush()
    assert forum_page(db, SLUG).forum.title.en == state["title"]["en"]


def test_whoever_may_not_edit_the_forum_changes_nothing(db: Db, forum: Forum):
    editor = make_actor(db, DARA, Role.PROGRAMME_EDITOR)
    with pytest.raises(Forbidden):
        put(db, forum, "place", editor)
    stranger = make_actor(db, RITH)
    with pytest.raises(NotFound):
        put(db, forum, "place", stranger)


def test_the_history_is_one_query_however_long_it_is(db: Db, forum: Forum, queries: Any):
    for number in range(3):
        put(db, forum, "contact", office_phone=f"+855 23 00000{number}")
        with queries() as counted:
            found = setting.edits_of(db, forum)
        assert (len(found), len(counted)) == (number + 1, 1)


def test_what_the_fact_says_openly_are_names_of_fields(db: Db, forum: Forum):
    put(db, forum, "contact", office_phone="+855 23 222 222")
    fact = history(db, SLUG, f"forum:{SLUG}")[-1]
    assert (fact.kind, fact.after) == ("forum.changed", {"changed": ["office_phone"]})
    assert fact.at - NOW < timedelta(seconds=1)
