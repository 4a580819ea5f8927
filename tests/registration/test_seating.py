from datetime import datetime, timedelta
from typing import Any

import pytest

from app.accounts.actor import Actor
from app.audit.recording import history
from app.kit.errors import Refused
from app.registration.applying import cancel, confirm
from app.registration.quotas import house_of
from app.registration.seating import asking, give
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
    late = hall.ask("STU", now=in_hours(2))
    early = hall.ask("STU", now=in_hours(1))
    preferred = hall.ask("STU", now=in_hours(3))
    applications = table(Application)
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
