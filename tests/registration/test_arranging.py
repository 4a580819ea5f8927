from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.kit.db import table
from app.kit.errors import Conflict, Forbidden, NotFound, Refused
from app.kit.pen import revisions
from app.registration.applying import cancel
from app.registration.arranging import put_terms
from app.registration.inputs import TermsInput
from app.registration.models import Place
from app.registration.quotas import house_of
from app.registration.seating import take
from tests.cast import DARA, NOW, RITH, SLUG, SOKHA, holder, make_actor
from tests.registration.hall import SmallHall

_places = table(Place)


def places(hall: SmallHall) -> dict[int, bool]:
    """Number → is it retiring?"""
    own = select(_places).where(_places.c.forum_id == hall.forum.id).order_by(_places.c.number)
    return {row.number: row.retiring for row in hall.db.execute(own)}


def with_numbers(hall: SmallHall, number: int, **changes: Any) -> list[Any]:
    categories = list(hall.categories)
    categories[number] = categories[number].model_copy(update=changes)
    return categories


def test_there_are_as_many_places_as_the_capacity_says(hall: SmallHall):
    assert places(hall) == {1: False, 2: False}
    hall.arrange(4)
    assert places(hall) == {1: False, 2: False, 3: False, 4: False}
    hall.arrange(1)
    assert places(hall) == {1: False}


def test_the_same_numbers_again_change_nothing(hall: SmallHall):
    before = revisions(hall.db)[SLUG], len(history(hall.db, SLUG, f"forum:{SLUG}"))
    assert not hall.arrange()
    assert (revisions(hall.db)[SLUG], len(history(hall.db, SLUG, f"forum:{SLUG}"))) == before


def test_other_numbers_are_recorded_and_published_pages_are_stale(hall: SmallHall):
    before = revisions(hall.db)[SLUG]
    assert hall.arrange(3)
    fact = history(hall.db, SLUG, f"forum:{SLUG}")[-1]
    assert (fact.kind, fact.after["capacity"]) == ("registration.terms", 3)
    assert revisions(hall.db)[SLUG] == before + 1


@pytest.mark.parametrize(
    ("reason", "capacity", "changes"),
    [
        ("guarantee_above_limit", 2, {"guarantee": 2, "limit": 1}),
        ("guarantees_above_capacity", 2, {"guarantee": 3}),
    ],
)
def test_numbers_that_contradict_each_other_are_refused(
    hall: SmallHall, reason: str, capacity: int, changes: dict[str, int]
):
    with pytest.raises(Refused, match=reason):
        hall.arrange(capacity, with_numbers(hall, 0, **changes))


def test_a_category_that_stands_twice_is_refused(hall: SmallHall):
    with pytest.raises(Refused, match="category_twice"):
        hall.arrange(2, [hall.categories[0], hall.categories[0]])


def test_a_raised_capacity_seats_those_who_wait(hall: SmallHall):
    rows = [hall.ask("STU") for _ in range(4)]
    hall.arrange(3)
    assert [hall.state(row) for row in rows] == ["seated", "seated", "seated", "waiting"]
    assert hall.mails(rows[2]) == ["waiting", "promoted"]


def test_a_raised_limit_seats_those_who_wait(hall: SmallHall):
    rows = [hall.ask("ORG") for _ in range(2)]
    hall.arrange(2, with_numbers(hall, 1, limit=2))
    assert [hall.state(row) for row in rows] == ["seated", "seated"]


def test_a_lowered_guarantee_seats_those_who_wait(hall: SmallHall):
    hall.arrange(2, with_numbers(hall, 3, guarantee=1))
    rows = [hall.ask("STU") for _ in range(2)]
    hall.arrange(2, hall.categories)
    assert [hall.state(row) for row in rows] == ["seated", "seated"]


def test_a_capacity_below_what_is_taken_is_refused_with_the_numbers(hall: SmallHall):
    hall.ask("STU"), hall.ask("STU")
    with pytest.raises(Refused, match="over") as refused:
        hall.arrange(1)
    assert [(fault.field, fault.code, fault.values) for fault in refused.value.faults] == [
        ("capacity", "over_capacity", {"n": 1})
    ]


def test_a_guarantee_that_cannot_be_kept_is_refused_with_the_numbers(hall: SmallHall):
    hall.ask("STU"), hall.ask("STU")
    with pytest.raises(Refused, match="over") as refused:
        hall.arrange(2, with_numbers(hall, 1, guarantee=1))
    assert [(fault.field, fault.code, fault.values) for fault in refused.value.faults] == [
        ("", "over_guarantees", {"n": 1})
    ]


def test_a_limit_below_what_is_taken_is_refused_with_the_numbers(hall: SmallHall):
    hall.ask("STU"), hall.ask("STU")
    with pytest.raises(Refused, match="over") as refused:
        hall.arrange(2, with_numbers(hall, 0, limit=1))
    assert [(fault.field, fault.code, fault.values) for fault in refused.value.faults] == [
        ("STU", "over_limit", {"n": 1, "category": hall.categories[0].name})
    ]


def over(hall: SmallHall, capacity: int) -> None:
    terms = hall.terms.model_copy(update={"capacity": capacity})
    put_terms(hall.db, Actor.operator(), hall.forum, terms, hall.categories, now=NOW, over_is_meant=True)


def test_a_confirmed_lower_capacity_unseats_nobody_and_its_places_retire(hall: SmallHall):
    rows = [hall.ask("STU") for _ in range(2)]
    over(hall, 1)
    assert [hall.state(row) for row in rows] == ["seated", "seated"]
    assert places(hall) == {1: False, 2: True}
    newcomer = hall.ask("STU")
    assert newcomer.state == "waiting", "over the capacity blocks everybody"
    cancel(hall.db, holder(rows[1]), hall.forum, rows[1].code, now=NOW)
    assert places(hall) == {1: False}, "a retiring place goes when it is freed"
    assert hall.state(newcomer) == "waiting"


def test_a_retiring_place_comes_back_with_the_capacity(hall: SmallHall):
    rows = [hall.ask("STU") for _ in range(2)]
    over(hall, 1)
    hall.arrange(2)
    assert places(hall) == {1: False, 2: False}
    assert [hall.seat(row).number for row in rows] == [1, 2]


def test_a_place_freed_under_a_lower_capacity_goes_and_a_retiring_one_stays_in_its_stead(hall: SmallHall):
    rows = [hall.ask("STU") for _ in range(2)]
    over(hall, 1)
    waits = hall.ask("STU")
    cancel(hall.db, holder(rows[0]), hall.forum, rows[0].code, now=NOW)
    assert hall.state(waits) == "waiting", "one is still seated, on the retiring place"
    assert places(hall) == {2: False}, "else the database would hold two seats in a hall of one"
    with pytest.raises(Refused, match="no_place"):
        take(hall.db, hall.forum, house_of(hall.db, hall.forum.id or 0), "STU", "person", now=NOW)
    cancel(hall.db, holder(rows[1]), hall.forum, rows[1].code, now=NOW)
    assert hall.seat(waits).number == 2
    assert not hall.arrange(1), "the same numbers leave the places as they are"


def test_there_are_never_more_places_than_the_capacity_or_than_are_taken(hall: SmallHall):
    hall.arrange(5)
    rows = [hall.ask("STU") for _ in range(5)]
    for row in rows[:2]:
        cancel(hall.db, holder(row), hall.forum, row.code, now=NOW)
    over(hall, 2)
    assert places(hall) == {3: False, 4: False, 5: True}
    cancel(hall.db, holder(rows[2]), hall.forum, rows[2].code, now=NOW)
    assert places(hall) == {4: False, 5: False}
    cancel(hall.db, holder(rows[3]), hall.forum, rows[3].code, now=NOW)
    assert places(hall) == {4: False, 5: False}, "one is free now"
    hall.arrange(4)
    assert places(hall) == {1: False, 2: False, 4: False, 5: False}


@pytest.mark.parametrize("ends", [False, True])
def test_a_category_that_somebody_applied_in_stays(hall: SmallHall, ends: bool):
    row = hall.ask("STU")
    if ends:
        cancel(hall.db, holder(row), hall.forum, row.code, now=NOW)
    with pytest.raises(Refused, match="category_in_use"):
        hall.arrange(2, hall.categories[1:])


def test_an_unused_category_goes(hall: SmallHall):
    assert hall.arrange(2, hall.categories[1:])
    with pytest.raises(Refused, match="unknown_category"):
        hall.ask("STU")


def test_setting_the_hall_is_for_those_whose_role_includes_it(hall: SmallHall):
    def arrange(by: Actor) -> bool:
        terms = hall.terms.model_copy(update={"capacity": 3})
        return put_terms(hall.db, by, hall.forum, terms, hall.categories, now=NOW)

    with pytest.raises(Forbidden):
        arrange(make_actor(hall.db, DARA, Role.VIEWER))
    with pytest.raises(NotFound):
        arrange(make_actor(hall.db, RITH))
    assert arrange(make_actor(hall.db, SOKHA, Role.ORGANISER))


def test_registration_cannot_close_before_it_opens():
    with pytest.raises(ValidationError):
        TermsInput(capacity=1, target=1, opens_at=NOW, closes_at=NOW)


def test_numbers_read_at_an_older_edition_are_not_saved_over_newer_ones(hall: SmallHall):
    own = house_of(hall.db, hall.forum.id or 0).terms.edition
    terms = hall.terms.model_copy(update={"capacity": 3})
    arguments = (hall.db, Actor.operator(), hall.forum, terms, hall.categories)
    assert put_terms(*arguments, now=NOW, edition=own)
    assert house_of(hall.db, hall.forum.id or 0).terms.edition == own + 1
    with pytest.raises(Conflict, match="numbers_changed"):
        put_terms(*arguments, now=NOW, edition=own)
    assert not put_terms(*arguments, now=NOW, edition=own + 1), "the same numbers make no new edition"
    assert house_of(hall.db, hall.forum.id or 0).terms.edition == own + 1
