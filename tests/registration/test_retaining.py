"""The day of the purge: what it empties, what stays, and that the chain of facts stays whole."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.accounts.actor import Actor
from app.audit.recording import first_broken, history
from app.forum.queries import forum_id
from app.jobs import duties
from app.jobs.crew import Crew
from app.kit.db import Database, Db, table
from app.kit.errors import Refused
from app.kit.inputs import parse
from app.kit.pen import Pen
from app.mail.models import Message
from app.programme import asking, casting
from app.programme.asking_queries import speaker_of
from app.programme.inputs import TypedSpeaker
from app.registration.models import Needs
from app.registration.question_queries import answers_of
from app.registration.retaining import dry_run, purge, purge_at, put_retention, retention_of
from tests.cast import NOW, SECRET, SLUG, VANNA, make_application, the_forum
from tests.conftest import Clock, settings_for
from tests.registration.asked import PDF, answer, ask_also, question
from tests.registration.hall import SmallHall
from tests.registration.whole import everything, mark, whole_person

OPERATOR = Actor.operator()
DAY = date(2027, 9, 30)


def furnish(db: Db) -> Any:
    ask_also(db, question("diet", sensitive=True), question("letter", "file"))
    row = make_application(db, VANNA, meals="no pork")
    answer(db, row.id, diet="something", letter=PDF, scholar="scholar")
    return row


@pytest.fixture
def row(db: Db) -> Any:
    return furnish(db)


def test_the_real_forum_has_a_day(db: Db) -> None:
    assert retention_of(db, the_forum(db)) == DAY
    assert purge_at(the_forum(db), DAY).isoformat() == "2027-09-29T17:00:00+00:00"


@pytest.mark.parametrize(
    ("on", "code"), [(date(2027, 3, 24), "retention_before_end"), (date(2020, 1, 1), "retention_before_end")]
)
def test_a_day_before_the_forum_is_over_is_refused(db: Db, on: date, code: str) -> None:
    with pytest.raises(Refused, match=code):
        put_retention(db, OPERATOR, the_forum(db), on, now=NOW)


def test_a_day_that_lies_behind_is_refused(db: Db) -> None:
    with pytest.raises(Refused, match="retention_past"):
        put_retention(db, OPERATOR, the_forum(db), date(2027, 5, 1), now=NOW + timedelta(days=365))


def test_a_dry_run_counts_and_changes_nothing(db: Db, row: Any) -> None:
    found = dry_run(db, OPERATOR, the_forum(db), now=NOW)
    assert (found.needs, found.answers, found.files, found.consents) == (1, 1, 1, 0)
    assert (found.registrations, found.erased, found.other_answers) == (1, 0, 1)
    assert found.facts >= 1
    assert found.mails == 1
    assert dry_run(db, OPERATOR, the_forum(db), now=NOW) == found
    assert not found.due(NOW)


def test_a_speakers_address_answer_and_link_go_and_the_programme_stays(db: Db) -> None:
    forum, now = the_forum(db), purge_at(the_forum(db), DAY)
    named = {"name_en": "Tellingname", "announced": "yes", "email": "telling@institute.example"}
    sent = parse(TypedSpeaker, {**named, "function_en": "Director", "function_km": "នាយក"})
    code = casting.add_speaker(db, OPERATOR, forum, sent, now=NOW)
    asking.ask(db, OPERATOR, forum, code, SECRET, now=NOW)
    found = dry_run(db, OPERATOR, forum, now=now)
    assert (found.speakers, found.mails) == (1, 1)
    purge(db, Actor.worker(), forum, now=now)
    assert "telling@" not in everything(db)
    row = speaker_of(db, forum_id(forum), code)
    assert (row.name.en, row.state) == ("Tellingname", None)
    assert dry_run(db, OPERATOR, forum, now=now).emptied == 0


def test_the_purge_empties_what_the_dry_run_said_and_leaves_the_rest(db: Db, row: Any) -> None:
    forum, now = the_forum(db), purge_at(the_forum(db), DAY)
    expected = dry_run(db, OPERATOR, forum, now=now)
    assert purge(db, Actor.worker(), forum, now=now) == expected.emptied
    assert db.execute(select(table(Needs))).first() is None
    assert [one.question.code for one in answers_of(db, row.id, sensitive=True)] == ["scholar"]
    assert all(not fact.personal for fact in history(db, SLUG, f"registration:{row.code}"))
    mails = db.execute(select(table(Message))).all()
    assert {(mail.to_address, mail.to_name, mail.state) for mail in mails} == {("", "", "withheld")}
    assert first_broken(db, SLUG) is None
    left = dry_run(db, OPERATOR, forum, now=now)
    assert (left.emptied, left.registrations, left.other_answers) == (0, 1, 1)
    assert purge(db, Actor.worker(), forum, now=now) == 0
    noted = history(db, SLUG, f"forum:{SLUG}")[-1]
    assert (noted.kind, noted.after["needs"]) == ("retention.purged", 1)


def test_before_the_day_nothing_is_purged_unless_that_is_meant(db: Db, row: Any) -> None:
    forum = the_forum(db)
    with pytest.raises(Refused, match="retention_not_yet"):
        purge(db, OPERATOR, forum, now=purge_at(forum, DAY) - timedelta(seconds=1))
    assert purge(db, OPERATOR, forum, now=NOW, before_the_day=True) > 0


def test_without_a_day_nothing_is_due(db: Db, row: Any) -> None:
    forum = the_forum(db)
    assert put_retention(db, OPERATOR, forum, None, now=NOW)
    assert not dry_run(db, OPERATOR, forum, now=NOW + timedelta(days=9999)).due(NOW + timedelta(days=9999))


def test_a_mail_written_after_the_day_keeps_its_address_until_it_has_left(db: Db, row: Any) -> None:
    forum, messages = the_forum(db), table(Message)
    now = purge_at(forum, DAY) + timedelta(days=1)
    db.execute(update(messages).values(created_at=now))
    purge(db, Actor.worker(), forum, now=now)
    assert db.execute(select(messages.c.to_address)).scalars().all() == [VANNA.email]
    db.execute(update(messages).values(state="sent"))
    purge(db, Actor.worker(), forum, now=now)
    assert db.execute(select(messages.c.to_address)).scalars().all() == [""]


def test_the_worker_purges_when_the_day_has_come_and_not_before(either_database: Database, clock: Clock) -> None:
    pen = Pen(either_database)
    pen.write_now(SLUG, furnish)
    crew = Crew(settings_for(str(either_database.url.render_as_string(hide_password=False))), either_database, pen)
    assert duties.purge(crew) == 0
    clock.at = purge_at(either_database.read(the_forum), DAY)
    assert duties.purge(crew) > 0
    assert either_database.read(lambda db: first_broken(db, SLUG)) is None
    assert duties.purge(crew) == 0


STAYS = {
    "registration_application": "the list of participants",
    "registration_application.accompanies_id": "the same",
    "registration_application.merged_into_id": "the same",
    "registration_invitation": "who was invited",
    "registration_delegation": "which institution was",
    "registration_rank.application_id": "the order in which it stands",
    "registration_kept_line.application_id": "a final list of participants, as it was given out",
    "registration_letter.application_id:request_key": "random",
    "registration_consent.application_id:wording": "what was agreed to on the form; that of a sensitive question goes",
    "audit_fact:actor_name": "whoever did it",
}
"""What the purge leaves as it is (docs/decisions/0007): `table[.key][:column]` → why."""


def test_of_a_mark_in_every_column_the_purge_leaves_what_the_decision_says(hall: SmallHall) -> None:
    db, row = hall.db, whole_person(hall)
    marks = mark(db, row)
    purge(db, OPERATOR, hall.forum, now=NOW, before_the_day=True)
    text = everything(db)
    left = {name for name, word in marks.items() if word in text}
    assert {name for name in left if not {name, name.partition(":")[0]} & STAYS.keys()} == set()
    gone = {name.partition(":")[0] for name in marks.keys() - left}
    assert gone >= {f"registration_{each}.application_id" for each in ("needs", "answer", "file", "letter")}
    assert {"mail_message", "audit_fact"} <= gone
    assert first_broken(db, SLUG) is None
