"""Choosing sessions: places, lists, clashes, and what may not be chosen."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.kit.db import Db, table
from app.kit.errors import Conflict, Forbidden, NotFound, Refused
from app.programme.models import Session
from app.programme.publishing import publish
from app.registration.applying import accept, application_of, apply, cancel
from app.registration.models import Pick
from app.registration.picking import Clash, change_places, first_picks, pick, put_picks, refuse_clashes, unpick
from app.registration.reviewing import approve
from app.registration.signing_up import move_lists
from tests.cast import DARA, NOW, SECRET, SLUG, SOKHA, holder, make_actor, somebody, the_forum
from tests.registration.hall import SmallHall

A, B, C = "D1-07", "D1-08", "D2-04"
"""Three sessions that ask for sign-up; the first two are at the same time."""
OPEN = "D1-13"
LATER = NOW + timedelta(hours=1)
OPERATOR = Actor.operator()


def closed_code(db: Db) -> str:
    sessions = table(Session)
    return str(db.execute(select(sessions.c.code).where(sessions.c.attribution == "CLO")).scalar_one())


def choose(hall: SmallHall, row: Any, *codes: str, edition: int | None = None, **more: Any) -> bool:
    return put_picks(hall.db, holder(row), hall.forum, row.code, set(codes), edition, now=more.pop("now", NOW), **more)


def stands(hall: SmallHall, row: Any) -> dict[str, tuple[str, int | None]]:
    """A person's picks: code → state and place."""
    picks, sessions = table(Pick), table(Session)
    wanted = (
        select(sessions.c.code, picks.c.state, picks.c.number)
        .join(sessions, sessions.c.uid == picks.c.session_uid)
        .where(picks.c.application_id == row.id)
    )
    return {each.code: (each.state, each.number) for each in hall.db.execute(wanted)}


def room_of(hall: SmallHall, code: str, places: int | None, now: Any = NOW) -> bool:
    return change_places(hall.db, OPERATOR, hall.forum, code, places, now=now)


@pytest.fixture
def three(hall: SmallHall) -> tuple[Any, Any, Any]:
    """Three people with a seat each."""
    hall.arrange(capacity=3)
    return hall.ask(), hall.ask(), hall.ask()


def test_a_place_is_given_at_once_and_a_session_without_sign_up_is_only_picked(
    hall: SmallHall, three: tuple[Any, Any, Any]
) -> None:
    assert choose(hall, three[0], A, OPEN)
    assert stands(hall, three[0]) == {A: ("seated", 1), OPEN: ("picked", None)}
    fact = history(hall.db, SLUG, f"registration:{three[0].code}")[-2:]
    assert [each.kind for each in fact] == ["registration.picks", "registration.picked_up"]
    assert hall.mails(three[0]) == ["seated"], "the page says it already"


def test_the_same_choice_again_changes_nothing_whatever_its_edition(
    hall: SmallHall, three: tuple[Any, Any, Any]
) -> None:
    assert choose(hall, three[0], A, edition=0)
    facts = hall.facts(three[0])
    assert not choose(hall, three[0], A, edition=0)
    assert hall.facts(three[0]) == facts
    with pytest.raises(Conflict, match="picks_changed_meanwhile"):
        choose(hall, three[0], C, edition=0)
    assert choose(hall, three[0], C, edition=1)
    assert stands(hall, three[0]) == {C: ("seated", 1)}


def test_a_full_session_has_a_list_in_the_order_asked_and_a_freed_place_goes_to_the_first(
    hall: SmallHall, three: tuple[Any, Any, Any]
) -> None:
    first, second, third = three
    room_of(hall, A, 1)
    choose(hall, first, A)
    choose(hall, third, A, now=NOW + timedelta(minutes=1))
    choose(hall, second, A, now=NOW + timedelta(minutes=2))
    assert [stands(hall, row)[A][0] for row in three] == ["seated", "waiting", "waiting"]
    assert unpick(hall.db, holder(first), hall.forum, first.code, A, now=LATER)
    assert stands(hall, third) == {A: ("seated", 1)}
    assert stands(hall, second) == {A: ("waiting", None)}
    assert hall.mails(third)[-1] == "picked_up"
    assert not unpick(hall.db, holder(first), hall.forum, first.code, A, now=LATER)


def test_a_cancelled_registration_gives_its_places_to_the_next_and_keeps_no_picks(
    hall: SmallHall, three: tuple[Any, Any, Any]
) -> None:
    first, second, _ = three
    room_of(hall, A, 1), room_of(hall, C, 1)
    choose(hall, first, A, C), choose(hall, second, A, C)
    cancel(hall.db, holder(first), hall.forum, first.code, now=LATER)
    assert stands(hall, first) == {}
    assert stands(hall, second) == {A: ("seated", 1), C: ("seated", 1)}
    assert hall.mails(second).count("picked_up") == 1, "one mail about both"


def test_more_places_go_to_those_who_wait_and_fewer_unseat_nobody(hall: SmallHall, three: tuple[Any, Any, Any]) -> None:
    room_of(hall, A, 2)
    for row in three:
        choose(hall, row, A)
    assert room_of(hall, A, 1)
    assert [stands(hall, row)[A] for row in three] == [("seated", 1), ("seated", 2), ("waiting", None)]
    unpick(hall.db, holder(three[0]), hall.forum, three[0].code, A, now=LATER)
    assert stands(hall, three[2]) == {A: ("waiting", None)}, "one of one place is taken"
    assert room_of(hall, A, 2)
    assert not room_of(hall, A, 2)
    assert stands(hall, three[2]) == {A: ("seated", 1)}


def test_sign_up_may_end_and_begin_again_for_those_who_picked(hall: SmallHall, three: tuple[Any, Any, Any]) -> None:
    for row in three:
        choose(hall, row, A)
    assert room_of(hall, A, None)
    assert [stands(hall, row)[A] for row in three] == [("picked", None)] * 3
    assert room_of(hall, A, 2)
    assert [stands(hall, row)[A] for row in three] == [("seated", 1), ("seated", 2), ("waiting", None)]


def test_places_are_changed_by_who_edits_the_programme_of_a_session_that_is_there(db: Db) -> None:
    with pytest.raises(Forbidden):
        change_places(db, make_actor(db, DARA, Role.REGISTRAR), the_forum(db), A, 5, now=NOW)
    with pytest.raises(NotFound):
        change_places(db, OPERATOR, the_forum(db), "D9-99", 5, now=NOW)
    by = make_actor(db, SOKHA, Role.PROGRAMME_EDITOR)
    assert change_places(db, by, the_forum(db), A, 5, now=NOW)
    assert history(db, SLUG, f"session:{A}")[-1].after == {"places": 5}


def test_sessions_at_the_same_time_are_refused_with_both_titles_unless_forced(
    hall: SmallHall, three: tuple[Any, Any, Any]
) -> None:
    row = three[0]
    with pytest.raises(Clash) as refused:
        choose(hall, row, A, B)
    assert [(one.code, other.code) for one, other in refused.value.pairs] == [(A, B)]
    (fault,) = refused.value.faults
    assert {fault.values["one"].en, fault.values["other"].en} == {one.title.en for one in refused.value.pairs[0]}
    assert stands(hall, row) == {}
    assert choose(hall, row, A, B, forced=True)
    assert choose(hall, row, A, B, C), "what was forced once is not asked about again"


# ---- before a seat, and with one


def test_picks_made_before_a_seat_count_from_the_moment_of_the_seat(hall: SmallHall) -> None:
    hall.arrange(capacity=1)
    room_of(hall, A, 1)
    first = hall.ask()
    second = hall.ask(now=NOW + timedelta(minutes=1))
    assert second.state == "waiting"
    choose(hall, second, A)
    assert stands(hall, second) == {A: ("waiting", None)}
    choose(hall, first, C)
    cancel(hall.db, holder(first), hall.forum, first.code, now=LATER)
    assert stands(hall, second) == {A: ("seated", 1)}
    assert hall.mails(second)[-2:] == ["picked_up", "promoted"]
    row = hall.db.execute(select(table(Pick)).where(table(Pick).c.application_id == second.id)).one()
    assert row.asked_at == LATER


@pytest.mark.parametrize("promotion", ["seat", "offer"])
def test_whoever_comes_to_hold_a_seat_later_waits_behind_those_who_asked_with_one(
    hall: SmallHall, promotion: str
) -> None:
    hall.arrange(capacity=3, promotion=promotion)
    room_of(hall, A, 1)
    people = [hall.ask() for _ in range(4)]
    choose(hall, people[3], A)
    choose(hall, people[0], A), choose(hall, people[1], A, now=NOW + timedelta(minutes=5))
    cancel(hall.db, holder(people[2]), hall.forum, people[2].code, now=LATER)
    assert hall.state(people[3]) in {"seated", "offered"}
    assert [stands(hall, people[n])[A][0] for n in (0, 1, 3)] == ["seated", "waiting", "waiting"]
    cancel(hall.db, holder(people[0]), hall.forum, people[0].code, now=LATER)
    assert stands(hall, people[1])[A][0] == "seated"
    if promotion == "offer":
        accept(hall.db, holder(people[3]), hall.forum, people[3].code, now=LATER)
    cancel(hall.db, holder(people[1]), hall.forum, people[1].code, now=LATER)
    assert stands(hall, people[3])[A] == ("seated", 1)


def test_an_approval_lets_the_picks_count(hall: SmallHall) -> None:
    row = hall.ask("PTY")
    choose(hall, row, A)
    assert stands(hall, row)[A][0] == "waiting"
    approve(hall.db, OPERATOR, hall.forum, row.code, now=LATER)
    assert stands(hall, row)[A] == ("seated", 1)


def test_what_was_chosen_with_the_form_is_kept_for_a_new_person_and_not_for_a_known_one(hall: SmallHall) -> None:
    sent = somebody(77)
    asked = apply(hall.db, Actor.visitor(), hall.forum, sent, "k77", SECRET, now=NOW)
    first_picks(hall.db, hall.forum, asked, {A}, now=NOW)
    row = application_of(hall.db, hall.forum, asked.code)
    assert stands(hall, row) == {A: ("seated", 1)}
    again = apply(hall.db, Actor.visitor(), hall.forum, sent, "k78", SECRET, now=NOW)
    first_picks(hall.db, hall.forum, again, {C}, now=NOW)
    assert stands(hall, row) == {A: ("seated", 1)}
    with pytest.raises(Clash):
        refuse_clashes(hall.db, hall.forum, {A, B}, forced=False)
    refuse_clashes(hall.db, hall.forum, {A, B}, forced=True)


# ---- what may not be chosen


def test_an_ended_registration_and_a_forum_that_is_over_choose_nothing(
    hall: SmallHall, three: tuple[Any, Any, Any]
) -> None:
    cancel(hall.db, holder(three[0]), hall.forum, three[0].code, now=NOW)
    with pytest.raises(Refused, match="ended"):
        choose(hall, three[0], A)
    with pytest.raises(Refused, match="door_over"):
        choose(hall, three[1], A, now=NOW + timedelta(days=300))


def test_nobody_chooses_for_somebody_else_without_being_allowed_to(
    hall: SmallHall, three: tuple[Any, Any, Any]
) -> None:
    for by in (holder(three[1]), Actor.visitor()):
        with pytest.raises(NotFound):
            put_picks(hall.db, by, hall.forum, three[0].code, {A}, None, now=NOW)


def test_a_closed_session_looks_unknown_until_an_organiser_admits_the_person(
    hall: SmallHall, three: tuple[Any, Any, Any]
) -> None:
    closed = closed_code(hall.db)
    with pytest.raises(Refused, match="unknown_session"):
        choose(hall, three[0], closed)
    with pytest.raises(Refused, match="unknown_session"):
        refuse_clashes(hall.db, hall.forum, {closed}, forced=False)
    with pytest.raises(Refused, match="unknown_session"):
        choose(hall, three[0], "D9-99")
    assert pick(hall.db, OPERATOR, hall.forum, three[0].code, closed, now=NOW)
    assert stands(hall, three[0]) == {closed: ("seated", 1)}
    assert choose(hall, three[0], closed, C), "whoever is admitted may keep it"
    assert not pick(hall.db, OPERATOR, hall.forum, three[0].code, closed, now=NOW)


# ---- a new version


def new_version(hall: SmallHall, code: str, now: Any = LATER, **values: Any) -> None:
    hall.db.execute(update(table(Session)).where(table(Session).c.code == code).values(**values))
    publish(hall.db, OPERATOR, hall.forum, now=now, reason="a test")
    move_lists(hall.db, hall.forum, None, now=now)


def test_a_cancelled_session_frees_its_places_and_gives_them_back_when_it_takes_place_after_all(
    hall: SmallHall, three: tuple[Any, Any, Any]
) -> None:
    room_of(hall, A, 1)
    choose(hall, three[0], A), choose(hall, three[1], A, now=NOW + timedelta(minutes=1))
    new_version(hall, A, cancelled=True)
    assert [stands(hall, row)[A] for row in three[:2]] == [("picked", None), ("waiting", None)]
    with pytest.raises(Refused, match="session_cancelled"):
        choose(hall, three[2], A)
    assert choose(hall, three[0], C), "the cancelled one stays to be seen, whatever is chosen"
    assert A in stands(hall, three[0])
    new_version(hall, A, now=LATER + timedelta(hours=1), cancelled=False)
    assert [stands(hall, row)[A] for row in three[:2]] == [("seated", 1), ("waiting", None)]


def test_a_session_that_is_closed_later_keeps_only_whom_an_organiser_admitted(
    hall: SmallHall, three: tuple[Any, Any, Any]
) -> None:
    room_of(hall, A, 1)
    choose(hall, three[0], A), choose(hall, three[1], A, now=NOW + timedelta(minutes=1))
    pick(hall.db, OPERATOR, hall.forum, three[1].code, A, now=NOW)
    new_version(hall, A, attribution="CLO")
    assert [stands(hall, row)[A] for row in three[:2]] == [("waiting", None), ("seated", 1)]


def test_bringing_the_picks_to_the_programme_twice_changes_nothing(
    hall: SmallHall, three: tuple[Any, Any, Any]
) -> None:
    choose(hall, three[0], A, OPEN)
    facts = hall.facts(three[0])
    assert move_lists(hall.db, hall.forum, None, now=LATER) == 0
    assert hall.facts(three[0]) == facts
