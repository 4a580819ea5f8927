"""Who comes along: a badge outside the hall with its own limit, and an end with whom they accompany."""

from typing import Any

import pytest

from app.accounts.actor import Actor
from app.kit.errors import NotFound, Refused
from app.kit.inputs import parse
from app.registration.accompanying import MOST_COMPANIONS, Added, add, company_of, remove, ties_of
from app.registration.applying import cancel, confirm
from app.registration.inputs import CategoryInput, CompanionInput
from app.registration.merging import merge
from tests.cast import NOW, SECRET, holder
from tests.registration.hall import SmallHall

OPERATOR = Actor.operator()


def badges(hall: SmallHall, code: str, limit: int | None) -> CategoryInput:
    return hall.categories[0].model_copy(
        update={"code": code, "guarantee": 0, "limit": limit, "in_hall": False, "mode": "invitation"}
    )


@pytest.fixture
def hall_with_badges(hall: SmallHall) -> SmallHall:
    hall.arrange(
        categories=[*hall.categories, badges(hall, "INTP", 1), badges(hall, "ACC", None), badges(hall, "PRS", 5)]
    )
    return hall


def confirmed(hall: SmallHall, **changes: Any) -> Any:
    row = hall.ask(**changes)
    confirm(hall.db, OPERATOR, hall.forum, row.code, now=NOW)
    return hall.row(row.code)


def bring(hall: SmallHall, row: Any, name: str = "Lim", category: str = "INTP", key: str = "") -> Added:
    sent = parse(CompanionInput, {"category": category, "family_name": name})
    return add(hall.db, holder(row), hall.forum, row.code, sent, key or f"{row.code}{name}", SECRET, now=NOW)


def test_a_companion_has_a_badge_and_takes_none_of_the_halls_places(hall_with_badges: SmallHall):
    hall = hall_with_badges
    principal = confirmed(hall)
    added = bring(hall, principal)
    row = hall.row(added.code)
    assert (added.state, hall.seat(row).outside, hall.seat(row).number) == ("seated", True, None)
    assert (row.email, row.accompanies_id, row.confirmed_at) == (principal.email, principal.id, NOW)
    assert hall.state(hall.ask()) == "seated", "the second of the hall's two seats is still there"
    assert hall.mails(row) == ["companion_seated"]
    assert ties_of(hall.db, row).accompanies == principal.code
    assert [each.code for each in company_of(hall.db, principal).people] == [added.code]
    assert [kind.code for kind in company_of(hall.db, principal).kinds] == ["INTP", "ACC"]


def test_where_every_badge_is_given_the_next_waits_and_gets_the_first_that_is_freed(hall_with_badges: SmallHall):
    hall = hall_with_badges
    first, second = confirmed(hall), confirmed(hall)
    given, waits = bring(hall, first), bring(hall, second)
    assert (given.state, waits.state) == ("seated", "waiting")
    assert hall.mails(hall.row(waits.code)) == ["companion_waiting"]
    assert remove(hall.db, holder(first), hall.forum, first.code, given.code, now=NOW)
    assert hall.row(waits.code).state == "seated"
    assert not remove(hall.db, holder(first), hall.forum, first.code, given.code, now=NOW), "gone already"


def test_a_companion_ends_with_whom_they_accompany_and_the_badge_goes_on(hall_with_badges: SmallHall):
    hall = hall_with_badges
    first, second = confirmed(hall), confirmed(hall)
    given, waits = bring(hall, first), bring(hall, second)
    cancel(hall.db, holder(first), hall.forum, first.code, now=NOW)
    assert (hall.row(given.code).state, hall.row(waits.code).state) == ("cancelled", "seated")
    assert company_of(hall.db, first).people == ()


def test_the_same_form_twice_brings_one(hall_with_badges: SmallHall):
    hall = hall_with_badges
    principal = confirmed(hall)
    first = bring(hall, principal, key="one key")
    again = bring(hall, principal, key="one key")
    assert (again.code, again.same_request) == (first.code, True)


def test_only_who_has_a_final_seat_in_the_hall_brings_somebody(hall_with_badges: SmallHall):
    hall = hall_with_badges
    unconfirmed, principal, waiting = hall.ask(), confirmed(hall), hall.ask()
    for row in (unconfirmed, waiting):
        with pytest.raises(Refused, match="companion_not_yet"):
            bring(hall, row)
    companion = hall.row(bring(hall, principal).code)
    with pytest.raises(Refused, match="companion_not_yet"):
        bring(hall, companion, "Another", "ACC")


def test_only_classes_for_companions_may_be_chosen(hall_with_badges: SmallHall):
    hall = hall_with_badges
    principal = confirmed(hall)
    for code in ("STU", "PRS", "NONE"):
        with pytest.raises(Refused, match="companion_kind"):
            bring(hall, principal, category=code)


def test_one_name_comes_once_and_not_more_than_so_many(hall_with_badges: SmallHall):
    hall = hall_with_badges
    principal = confirmed(hall)
    bring(hall, principal, "Lim", "ACC")
    with pytest.raises(Refused, match="principal_twice"):
        bring(hall, principal, "LIM", "ACC", key="another form")
    for number in range(MOST_COMPANIONS - 1):
        bring(hall, principal, f"Name{number}", "ACC")
    with pytest.raises(Refused, match="companions_enough"):
        bring(hall, principal, "Too many", "ACC")


def test_nobody_takes_off_the_companion_of_another(hall_with_badges: SmallHall):
    hall = hall_with_badges
    first, second = confirmed(hall), confirmed(hall)
    added = bring(hall, first)
    with pytest.raises(NotFound):
        remove(hall.db, holder(second), hall.forum, second.code, added.code, now=NOW)
    with pytest.raises(NotFound):
        remove(hall.db, holder(second), hall.forum, first.code, added.code, now=NOW)


def test_companions_stay_with_the_person_whose_two_registrations_are_joined(hall_with_badges: SmallHall):
    hall = hall_with_badges
    kept, dropped = confirmed(hall), confirmed(hall)
    added = bring(hall, dropped)
    merge(hall.db, OPERATOR, hall.forum, kept.code, dropped.code, (kept.edition, dropped.edition), now=NOW)
    assert hall.row(added.code).state == "seated"
    assert ties_of(hall.db, hall.row(added.code)).accompanies == kept.code


def test_a_person_and_their_own_companion_are_not_joined_nor_a_seat_lost_for_a_badge(hall_with_badges: SmallHall):
    hall = hall_with_badges
    principal, other = confirmed(hall), confirmed(hall)
    companion = hall.row(bring(hall, principal).code)
    with pytest.raises(Refused, match="merge_companion"):
        merge(hall.db, OPERATOR, hall.forum, principal.code, companion.code, (1, 1), now=NOW)
    with pytest.raises(Refused, match="merge_outside"):
        merge(hall.db, OPERATOR, hall.forum, companion.code, other.code, (1, 1), now=NOW)
    merge(hall.db, OPERATOR, hall.forum, other.code, companion.code, (1, 1), now=NOW)
    assert hall.state(other) == "seated"
    assert not hall.seat(other).outside


@pytest.mark.parametrize(("name", "category"), [("Keo", "INTP"), ("Lim", "ACC")])
def test_the_same_form_with_somebody_else_in_it_is_refused_and_not_said_to_be_done(
    hall_with_badges: SmallHall, name: str, category: str
):
    hall = hall_with_badges
    principal, other = confirmed(hall), confirmed(hall)
    bring(hall, principal, key="one key")
    with pytest.raises(Refused, match="form_sent_already"):
        bring(hall, principal, name, category, key="one key")
    with pytest.raises(Refused, match="form_sent_already"):
        bring(hall, other, key="one key")
    assert len(company_of(hall.db, principal).people) == 1
