"""What comes along in a merge: sessions without clashes, answers where there are none, and nothing twice."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.audit.recording import history
from app.kit.db import table
from app.kit.errors import Conflict
from app.registration.duplicates import compared
from app.registration.merging import merge
from app.registration.models import Answer, Consent, File, Pick, PickList
from app.registration.question_queries import agreed_of, answers_of, consents_of
from tests.cast import NOW, SLUG
from tests.registration.asked import PDF, answer, ask_also, question
from tests.registration.hall import SmallHall
from tests.registration.test_merging import OPERATOR, join
from tests.registration.test_picking import OPEN, A, B, C, choose, room_of, stands

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def hall(hall: SmallHall) -> SmallHall:
    hall.arrange(capacity=4)
    return hall


# ---- sessions


@pytest.mark.parametrize("who", ["kept", "dropped"])
def test_sessions_chosen_after_the_two_were_looked_at_are_not_overrun(hall: SmallHall, who: str) -> None:
    kept, dropped = hall.ask(), hall.ask()
    choose(hall, kept, A)
    choose(hall, dropped, C)
    seen = compared(hall.db, OPERATOR, hall.forum, kept.code, dropped.code).brings_first.editions
    assert seen == (1, 1)
    choose(hall, kept if who == "kept" else dropped, B)
    editions = kept.edition, dropped.edition
    with pytest.raises(Conflict, match="changed_meanwhile"), hall.db.begin_nested():
        merge(hall.db, OPERATOR, hall.forum, kept.code, dropped.code, editions, now=NOW, picks=seen)
    with pytest.raises(Conflict, match="changed_meanwhile"), hall.db.begin_nested():
        merge(hall.db, OPERATOR, hall.forum, kept.code, dropped.code, editions, now=NOW)
    assert hall.state(dropped) == "seated"
    join(hall, kept, dropped)
    assert hall.state(dropped) == "cancelled"


def test_sessions_come_along_with_their_places_and_what_clashes_goes_to_the_next_in_its_list(hall: SmallHall) -> None:
    kept, dropped, waits = hall.ask(), hall.ask(), hall.ask()
    room_of(hall, B, 1)
    choose(hall, kept, A)
    choose(hall, dropped, B, C, OPEN)
    choose(hall, waits, B)
    assert stands(hall, waits) == {B: ("waiting", None)}
    join(hall, kept, dropped)
    assert stands(hall, kept) == {A: ("seated", 1), C: ("seated", 1), OPEN: ("picked", None)}
    assert stands(hall, dropped) == {}
    assert stands(hall, waits) == {B: ("seated", 1)}
    assert hall.mails(waits)[-1] == "picked_up"
    merged = next(fact for fact in history(hall.db, SLUG, f"registration:{kept.code}") if "merged" in fact.kind)
    assert merged.after["sessions"] == sorted([C, OPEN])
    gone = history(hall.db, SLUG, f"registration:{dropped.code}")[-1]
    assert gone.before == {"sessions": [B]}


def test_a_place_the_other_has_in_a_session_both_chose_is_kept_and_nobody_gains_one(hall: SmallHall) -> None:
    kept, dropped, third = hall.ask(), hall.ask(), hall.ask()
    room_of(hall, A, 1)
    for row in (dropped, third, kept):
        choose(hall, row, A)
    join(hall, kept, dropped)
    assert (stands(hall, kept), stands(hall, third)) == ({A: ("seated", 1)}, {A: ("waiting", None)})
    picks = table(Pick)
    assert hall.db.execute(select(func.count()).where(picks.c.state == "seated")).scalar_one() == 1


def test_places_stay_with_a_person_whose_other_registration_alone_had_a_seat(hall: SmallHall) -> None:
    hall.arrange(capacity=2)
    seated, third, waiting = hall.ask(), hall.ask(), hall.ask()
    room_of(hall, A, 1)
    for row in (seated, third):
        choose(hall, row, A)
    choose(hall, waiting, A, C)
    assert set(stands(hall, waiting).values()) == {("waiting", None)}
    join(hall, waiting, seated)
    assert stands(hall, waiting) == {A: ("seated", 1), C: ("seated", 1)}
    assert stands(hall, third) == {A: ("waiting", None)}


def test_what_was_chosen_without_a_seat_asks_from_now_on(hall: SmallHall) -> None:
    hall.arrange(capacity=3)
    kept, holds, third, without = hall.ask(), hall.ask(), hall.ask(), hall.ask()
    room_of(hall, A, 1)
    choose(hall, holds, A)
    choose(hall, without, A, now=NOW - timedelta(hours=1))
    choose(hall, third, A)
    join(hall, kept, without)
    choose(hall, holds, C)
    assert stands(hall, kept) == {A: ("waiting", None)}
    assert stands(hall, third) == {A: ("seated", 1)}, "who held a seat when asking stands before"


def test_a_form_opened_before_the_merge_is_told_of_it(hall: SmallHall) -> None:
    kept, dropped = hall.ask(), hall.ask()
    choose(hall, dropped, C)
    join(hall, kept, dropped)
    lists = table(PickList)
    row = hall.db.execute(select(lists).where(lists.c.application_id == kept.id)).one()
    assert (row.edition, row.changed_at) == (1, NOW)


# ---- answers


def test_answers_files_and_consents_come_along_where_the_kept_one_has_none(hall: SmallHall) -> None:
    kept, dropped = hall.ask(), hall.ask()
    ask_also(hall.db, question("club"), question("paper", "file"), question("photo", "consent"), question("town"))
    answer(hall.db, kept.id, club="Its own")
    answer(hall.db, dropped.id, club="Another", town="Kampot", paper=PDF, photo="yes")
    join(hall, kept, dropped)
    told = {one.question.code: one.words[0].en for one in answers_of(hall.db, kept.id, sensitive=True) if not one.file}
    assert (told["club"], told["town"]) == ("Its own", "Kampot")
    assert agreed_of(hall.db, kept.id) == {"photo"}
    files, answers = table(File), table(Answer)
    assert hall.db.execute(select(files.c.application_id)).scalars().all() == [kept.id]
    left = hall.db.execute(select(answers.c.value).where(answers.c.application_id == dropped.id)).scalars().all()
    assert "Another" in left, "nothing is lost: it stays with the ended one"


def test_a_consent_that_was_withdrawn_stays_withdrawn(hall: SmallHall) -> None:
    kept, dropped = hall.ask(), hall.ask()
    ask_also(hall.db, question("photo", "consent"))
    answer(hall.db, kept.id, photo="yes")
    answer(hall.db, kept.id)
    answer(hall.db, dropped.id, photo="yes")
    join(hall, kept, dropped)
    assert agreed_of(hall.db, kept.id) == frozenset()
    assert len([one for one in consents_of(hall.db, kept.id) if one.question == "photo"]) == 1


def test_an_answer_that_the_kept_ones_answers_do_not_ask_for_stays_behind(hall: SmallHall) -> None:
    kept, dropped = hall.ask(), hall.ask()
    ask_also(hall.db, question("subject", shown_if="scholar", shown_for=["student"]))
    answer(hall.db, kept.id, scholar="scholar")
    answer(hall.db, dropped.id, scholar="student", subject="Law")
    join(hall, kept, dropped)
    assert [one.question.code for one in answers_of(hall.db, kept.id, sensitive=True)] == ["scholar"]


def test_the_forms_own_consent_comes_along_to_one_entered_at_the_desk(hall: SmallHall) -> None:
    kept, dropped = hall.ask(by=OPERATOR), hall.ask()
    join(hall, kept, dropped)
    rows = table(Consent)
    assert hall.db.execute(select(rows.c.application_id)).scalars().all() == [kept.id]


# ---- said beforehand


def test_the_comparison_says_what_comes_along_and_what_does_not_and_writes_nothing(hall: SmallHall) -> None:
    kept, dropped = hall.ask(phone=""), hall.ask(phone="012 345 678")
    ask_also(hall.db, question("club"), question("town"))
    choose(hall, kept, A)
    choose(hall, dropped, B, C)
    answer(hall.db, kept.id, club="Its own")
    answer(hall.db, dropped.id, club="Another", town="Kampot")
    found = compared(hall.db, OPERATOR, hall.forum, kept.code, dropped.code)
    brings = found.brings_first
    assert (brings.codes(brings.picks), brings.codes(brings.clashing)) == ([C], [B])
    assert [one.code for one in brings.answers] == ["town"]
    assert [one.code for one in brings.behind] == ["club"]
    assert list(brings.columns) == ["phone"]
    other = found.brings_second
    assert (other.codes(other.picks), other.codes(other.clashing), other.answers) == ([], [A], ())
    assert stands(hall, dropped) == {B: ("seated", 1), C: ("seated", 1)}
