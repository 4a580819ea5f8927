from datetime import datetime, timedelta
from typing import Any

import pytest

from app.accounts.actor import Actor
from app.audit.recording import history
from app.forum.queries import ends_at
from app.kit.errors import Refused
from app.registration.applying import cancel, confirm
from app.registration.quotas import house_of
from app.registration.reviewing import approve
from app.registration.seating import asking, give, move_queue
from app.registration.settling import remind, settle
from tests.cast import NOW, holder
from tests.registration.hall import SmallHall

OPERATOR, WORKER = Actor.operator(), Actor.worker()


def in_hours(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


# ---- hours


def test_nothing_expires_while_its_mail_has_not_left(hall: SmallHall):
    row = hall.ask("STU")
    settle(hall.db, hall.forum, now=NOW + timedelta(days=50))
    assert hall.state(row) == "seated"


def test_the_hours_start_when_the_mail_leaves(hall: SmallHall):
    row = hall.ask("STU")
    hall.mail_leaves(row, at=in_hours(10))
    assert hall.row(row.code).confirm_by == in_hours(58)


def test_a_second_mail_does_not_start_them_anew(hall: SmallHall):
    row = hall.ask("STU")
    hall.mail_leaves(row, at=in_hours(10))
    hall.mail_leaves(row, at=in_hours(20))
    assert hall.row(row.code).confirm_by == in_hours(58)


def test_an_unconfirmed_seat_goes_on_when_its_hours_end(hall: SmallHall):
    first, _, third = hall.ask("STU"), hall.ask("STU"), hall.ask("STU")
    hall.mail_leaves(first)
    settle(hall.db, hall.forum, now=in_hours(48) - timedelta(microseconds=1))
    assert hall.state(first) == "seated"
    settle(hall.db, hall.forum, now=in_hours(48))
    assert (hall.state(first), hall.state(third)) == ("expired", "seated")
    assert hall.mails(first) == ["expired"]
    assert hall.facts(first)[-2:] == ["seat.freed", "registration.expired"]


def test_a_confirmed_seat_does_not_expire(hall: SmallHall):
    row = hall.ask("STU")
    hall.mail_leaves(row)
    confirm(hall.db, holder(row), hall.forum, row.code, now=in_hours(1))
    settle(hall.db, hall.forum, now=in_hours(480))
    assert hall.state(row) == "seated"


def test_settling_twice_changes_nothing(hall: SmallHall):
    row = hall.ask("STU")
    hall.mail_leaves(row)
    for _ in range(2):
        settle(hall.db, hall.forum, now=in_hours(48))
    assert hall.facts(row).count("registration.expired") == 1


@pytest.mark.parametrize(("hours", "reminded"), [(23, 0), (24, 1), (47, 1), (48, 0)])
def test_one_reminder_goes_out_half_way(hall: SmallHall, hours: int, reminded: int):
    row = hall.ask("STU")
    hall.mail_leaves(row)
    assert remind(hall.db, hall.forum, now=in_hours(hours)) == reminded
    assert remind(hall.db, hall.forum, now=in_hours(hours)) == 0
    assert hall.mails(row).count("reminder") == reminded


# ---- guarantees that lapse


def lapsing(hall: SmallHall, at: datetime) -> None:
    """PTY keeps one of the two seats until `at`."""
    categories = list(hall.categories)
    categories[3] = categories[3].model_copy(update={"guarantee": 1, "lapses_at": at})
    hall.arrange(categories=categories)


def test_a_kept_seat_is_not_given_to_others(hall: SmallHall):
    lapsing(hall, in_hours(5))
    assert [hall.ask("STU").state for _ in range(2)] == ["seated", "waiting"]


def test_a_lapse_moves_the_waiting_list(hall: SmallHall):
    lapsing(hall, in_hours(5))
    _, waits = hall.ask("STU"), hall.ask("STU")
    settle(hall.db, hall.forum, now=in_hours(5))
    assert hall.state(waits) == "seated"
    facts = history(hall.db, hall.forum.slug, "category:PTY")
    assert [(fact.kind, fact.after) for fact in facts] == [("category.lapsed", {"guarantee": 1, "seated": 0})]


def test_nobody_passes_the_queue_because_the_worker_is_late(hall: SmallHall):
    lapsing(hall, in_hours(5))
    _, waits = hall.ask("STU"), hall.ask("STU")
    newcomer = hall.ask("STU", now=in_hours(6))
    assert (hall.state(waits), hall.state(newcomer)) == ("seated", "waiting")


# ---- the queue


def test_better_standing_goes_first(hall: SmallHall):
    from sqlalchemy import update

    from app.kit.db import table
    from app.registration.models import Application

    seated = [hall.ask("STU"), hall.ask("STU")]
    late = hall.ask("STU", now=in_hours(1))
    early = hall.ask("STU", now=in_hours(2))
    preferred = hall.ask("STU", now=in_hours(3))
    applications = table(Application)
    hall.db.execute(update(applications).where(applications.c.id == late.id).values(asked_at=in_hours(2.5)))
    hall.db.execute(update(applications).where(applications.c.id == preferred.id).values(priority=1))
    order = []
    for row in (*seated, preferred):
        cancel(hall.db, OPERATOR, hall.forum, row.code, now=in_hours(4))
        order += [waits.code for waits in (late, early, preferred) if hall.state(waits) == "seated"]
    assert list(dict.fromkeys(order)) == [preferred.code, early.code, late.code]


def test_one_freed_seat_of_the_pool_goes_to_who_asked_first_across_categories(hall: SmallHall):
    seated, _ = hall.ask("STU"), hall.ask("STU")
    organisation = hall.ask("ORG", now=in_hours(1))
    student = hall.ask("STU", now=in_hours(2))
    cancel(hall.db, holder(seated), hall.forum, seated.code, now=in_hours(3))
    assert (hall.state(organisation), hall.state(student)) == ("seated", "waiting")


def test_places_are_given_from_the_lowest_free_number(hall: SmallHall):
    first, second = hall.ask("STU"), hall.ask("STU")
    cancel(hall.db, holder(first), hall.forum, first.code, now=NOW)
    third = hall.ask("STU")
    assert [hall.seat(row).number for row in (second, third)] == [2, 1]


def test_the_table_of_places_is_the_last_word(hall: SmallHall):
    row: Any = [hall.ask("STU") for _ in range(3)][-1]
    house = house_of(hall.db, hall.forum.id or 0)
    with pytest.raises(Refused, match="no_place"):
        give(hall.db, OPERATOR, hall.forum, house, asking(row, "STU"), now=NOW)


# ---- a late worker does things in their own order


def with_guarantee_for_one_organisation(hall: SmallHall, lapses_at: datetime) -> None:
    """ORG, open for one, keeps one of the two seats until `lapses_at`."""
    categories = list(hall.categories)
    categories[1] = categories[1].model_copy(update={"guarantee": 1, "lapses_at": lapses_at})
    hall.arrange(categories=categories)


@pytest.mark.parametrize(("lapse", "seated"), [(47, "student"), (48, "student"), (49, "organisation")])
def test_a_freed_seat_is_given_by_the_rule_of_the_instant_it_was_freed(hall: SmallHall, lapse: int, seated: str):
    with_guarantee_for_one_organisation(hall, in_hours(lapse))
    expires, _ = hall.ask("ORG"), hall.ask("STU")
    student, organisation = hall.ask("STU", now=in_hours(1)), hall.ask("ORG", now=in_hours(2))
    hall.mail_leaves(expires)
    settle(hall.db, hall.forum, now=in_hours(100))
    assert hall.state(expires) == "expired"
    wait = {"student": student, "organisation": organisation}
    assert [name for name, row in wait.items() if hall.state(row) == "seated"] == [seated]


@pytest.mark.parametrize(("earlier", "later"), [(0, 1), (1, 0)])
def test_of_two_seats_that_expire_the_first_in_line_gets_the_one_that_expired_first(
    hall: SmallHall, earlier: int, later: int
):
    held = [hall.ask("STU"), hall.ask("STU")]
    places = [hall.seat(row).number for row in held]
    first, second = hall.ask("STU", now=in_hours(1)), hall.ask("STU", now=in_hours(2))
    hall.mail_leaves(held[later], at=in_hours(5))
    hall.mail_leaves(held[earlier], at=in_hours(4))
    settle(hall.db, hall.forum, now=in_hours(100))
    assert [hall.seat(row).number for row in (first, second)] == [places[earlier], places[later]]


def test_who_gets_the_seats_is_as_if_each_had_been_given_in_time(hall: SmallHall):
    with_guarantee_for_one_organisation(hall, in_hours(55))
    later, earlier = hall.ask("ORG"), hall.ask("STU")
    first, second = hall.ask("STU", now=in_hours(1)), hall.ask("STU", now=in_hours(2))
    organisation = hall.ask("ORG", now=in_hours(3))
    hall.mail_leaves(later, at=in_hours(12))
    hall.mail_leaves(earlier, at=in_hours(2))
    settle(hall.db, hall.forum, now=in_hours(100))
    # the other way round the organisation would have met a seat kept for it, with nobody of its category on it
    assert [hall.state(row) for row in (first, second, organisation)] == ["seated", "seated", "waiting"]


def test_the_list_moves_by_the_rule_of_the_instant_it_is_asked_for(hall: SmallHall):
    with_guarantee_for_one_organisation(hall, in_hours(5))
    hall.ask("STU")
    waits = hall.ask("STU")
    house = house_of(hall.db, hall.forum.id or 0)
    before, lapse = in_hours(5) - timedelta(microseconds=1), in_hours(5)
    assert move_queue(hall.db, hall.forum, house, now=in_hours(6), at=before) == 0
    assert move_queue(hall.db, hall.forum, house, now=in_hours(6), at=lapse) == 1
    assert hall.seat(waits).given_at == in_hours(6), "what is done now is dated now"


# ---- a seat held for somebody under review


def test_a_held_seat_not_confirmed_in_time_goes_on_and_the_review_with_it_not(hall: SmallHall):
    reviewed, _ = hall.ask("DIP"), hall.ask("STU")
    waits = hall.ask("STU")
    hall.mail_leaves(reviewed)
    settle(hall.db, hall.forum, now=in_hours(48) - timedelta(microseconds=1))
    assert hall.seat(reviewed).kind == "hold"
    settle(hall.db, hall.forum, now=in_hours(48))
    row = hall.row(reviewed.code)
    assert (row.state, row.ended_at, row.confirm_by, hall.seat(row)) == ("awaiting", None, None, None)
    assert hall.state(waits) == "seated"
    assert hall.mails(reviewed) == ["awaiting"], "nothing has ended, so nothing is told"
    assert approve(hall.db, OPERATOR, hall.forum, reviewed.code, now=in_hours(50)) == "waiting"


def test_a_held_seat_whose_person_confirmed_is_held_until_the_decision(hall: SmallHall):
    reviewed = hall.ask("DIP")
    hall.mail_leaves(reviewed)
    confirm(hall.db, holder(reviewed), hall.forum, reviewed.code, now=in_hours(1))
    settle(hall.db, hall.forum, now=in_hours(480))
    assert hall.seat(reviewed).kind == "hold"


def test_no_hours_run_for_somebody_under_review_for_whom_no_seat_is_held(hall: SmallHall):
    reviewed = hall.ask("PTY")
    hall.mail_leaves(reviewed)
    assert hall.row(reviewed.code).confirm_by is None


# ---- after the forum


@pytest.mark.parametrize(("seconds", "states"), [(-1, ["expired", "seated"]), (0, ["seated", "waiting"])])
def test_when_the_forum_is_over_nothing_expires_any_more(hall: SmallHall, seconds: int, states: list[str]):
    over = ends_at(hall.forum)
    assert over is not None
    unconfirmed, _ = hall.ask("STU"), hall.ask("STU")
    waits = hall.ask("STU")
    hall.mail_leaves(unconfirmed, at=over - timedelta(hours=50))
    settle(hall.db, hall.forum, now=over + timedelta(seconds=seconds))
    assert [hall.state(row) for row in (unconfirmed, waits)] == states


@pytest.mark.parametrize(("seconds", "state"), [(-1, "seated"), (0, "waiting")])
def test_when_the_forum_is_over_the_list_does_not_move_any_more(hall: SmallHall, seconds: int, state: str):
    over = ends_at(hall.forum)
    assert over is not None
    gives_up, _ = hall.ask("STU"), hall.ask("STU")
    waits = hall.ask("STU")
    cancel(hall.db, holder(gives_up), hall.forum, gives_up.code, now=over + timedelta(seconds=seconds))
    assert (hall.state(gives_up), hall.state(waits)) == ("cancelled", state)


@pytest.mark.parametrize(("seconds", "reminded"), [(-1, 1), (0, 0)])
def test_when_the_forum_is_over_nobody_is_reminded_any_more(hall: SmallHall, seconds: int, reminded: int):
    over = ends_at(hall.forum)
    assert over is not None
    hall.mail_leaves(hall.ask("STU"), at=over - timedelta(hours=40))
    assert remind(hall.db, hall.forum, now=over + timedelta(seconds=seconds)) == reminded
