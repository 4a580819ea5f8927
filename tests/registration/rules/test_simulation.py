from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.registration.rules.seats import Quota, Waiting, admit, standing
from app.registration.rules.simulation import from_nothing, what_if

NOON = datetime(2026, 12, 1, 5, tzinfo=UTC)
QUOTAS = (Quota("STU", 1, 3), Quota("ORG", 2, None), Quota("DIP", 0, 2))


@st.composite
def crowds(draw: st.DrawFn) -> list[Waiting]:
    size = draw(st.integers(0, 12))
    return [
        Waiting(
            number,
            draw(st.sampled_from(["STU", "ORG", "DIP"])),
            draw(st.integers(0, 2)),
            NOON + timedelta(minutes=draw(st.integers(0, 3))),
        )
        for number in range(size)
    ]


def counted(people: list[Waiting]) -> dict[str, int]:
    return {quota.category: sum(one.category == quota.category for one in people) for quota in QUOTAS}


@given(crowds(), st.integers(0, 10), st.integers(0, 6))
def test_other_numbers_seat_whom_the_rule_admits_and_everybody_else_waits_on(
    crowd: list[Waiting], capacity: int, seated: int
):
    sit, wait = crowd[:seated], crowd[seated:]
    found = what_if(capacity, QUOTAS, counted(sit), wait, NOON)
    assert list(found.given) == admit(capacity, QUOTAS, counted(sit), wait, NOON)
    assert sorted((*found.given, *found.waiting), key=standing) == sorted(wait, key=standing)
    assert list(found.waiting) == sorted(found.waiting, key=standing)


@given(crowds(), st.integers(3, 10), st.integers(0, 6))
def test_given_anew_seats_are_within_the_numbers_and_the_differences_add_up(
    crowd: list[Waiting], capacity: int, seated: int
):
    sit, wait = crowd[:seated], crowd[seated:]
    found = from_nothing(capacity, QUOTAS, {"STU": 1}, sit, wait, NOON)
    assert sum(found.seated.values()) <= capacity - 1
    assert sum(found.seated.values()) == len(sit) + len(found.gaining) - len(found.losing)
    assert {one.id for one in found.gaining} <= {one.id for one in wait}
    assert {one.id for one in found.losing} <= {one.id for one in sit}


def test_who_sits_by_an_old_order_is_named_when_somebody_stands_better():
    sits = Waiting(1, "DIP", 0, NOON + timedelta(hours=1))
    waits = Waiting(2, "DIP", 1, NOON + timedelta(hours=2))
    found = from_nothing(1, (Quota("DIP", 0, None),), {}, [sits], [waits], NOON)
    assert (found.gaining, found.losing, found.seated) == ((waits,), (sits,), {"DIP": 1})
