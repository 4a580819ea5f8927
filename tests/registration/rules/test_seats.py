"""Every line of rules §1 that a pure function could break, as a property over small halls."""

import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.registration.rules.seats import (
    Availability,
    FaultCode,
    Over,
    Quota,
    Waiting,
    admit,
    availability,
    check_quotas,
    eats_guarantee_of,
    guarantee_at,
    may_give,
    may_override,
    over_by,
    standing,
)

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CATEGORIES = ("PARL", "STU", "PTY", "DIP")
moderate = settings(deadline=None)


@dataclass(frozen=True)
class Hall:
    capacity: int
    quotas: list[Quota]
    taken: dict[str, int]
    waiting: list[Waiting]
    now: datetime = NOON

    @property
    def given(self) -> list[Waiting]:
        return admit(self.capacity, self.quotas, self.taken, self.waiting, self.now)

    @property
    def after(self) -> dict[str, int]:
        return dict(Counter(self.taken) + Counter(person.category for person in self.given))

    @property
    def refused(self) -> list[Waiting]:
        return [person for person in self.waiting if person not in self.given]

    def quota(self, category: str) -> Quota:
        return next(quota for quota in self.quotas if quota.category == category)

    def promised(self, taken: dict[str, int]) -> int:
        return sum(max(taken.get(quota.category, 0), guarantee_at(quota, self.now)) for quota in self.quotas)

    def may_give(self, category: str, taken: dict[str, int]) -> bool:
        return may_give(self.capacity, self.quotas, taken, category, self.now)


@st.composite
def quotas_of(draw: st.DrawFn, category: str) -> Quota:
    guarantee = draw(st.integers(0, 4))
    limit = draw(st.none() | st.integers(guarantee, 7))
    lapses_at = draw(st.sampled_from([None, None, NOON - HOUR, NOON, NOON + HOUR]))
    return Quota(category, guarantee, limit, lapses_at)


@st.composite
def people_waiting(draw: st.DrawFn, categories: tuple[str, ...]) -> list[Waiting]:
    rows = draw(
        st.lists(
            st.tuples(st.sampled_from(categories), st.sampled_from([0, 0, 0, 1, 2]), st.integers(0, 5)),
            max_size=16,
        )
    )
    numbers = draw(st.permutations(range(1, len(rows) + 1)))
    return [
        Waiting(number, category, priority, NOON - HOUR + timedelta(minutes=minutes))
        for number, (category, priority, minutes) in zip(numbers, rows, strict=True)
    ]


@st.composite
def halls(draw: st.DrawFn) -> Hall:
    """Any state, also one that is over its capacity, its limits or its guarantees."""
    categories = CATEGORIES[: draw(st.integers(1, 4))]
    quotas = [draw(quotas_of(category)) for category in categories]
    taken = {category: draw(st.integers(0, 5)) for category in categories}
    return Hall(draw(st.integers(0, 16)), quotas, taken, draw(people_waiting(categories)))


@st.composite
def sound_halls(draw: st.DrawFn) -> Hall:
    """A state the rule itself can reach: nothing is over."""
    hall = draw(halls())
    taken = {
        quota.category: min(hall.taken[quota.category], 5 if quota.limit is None else quota.limit)
        for quota in hall.quotas
    }
    return replace(hall, taken=taken, capacity=hall.promised(taken) + draw(st.integers(0, 5)))


def slow_admit(hall: Hall) -> list[Waiting]:
    """The rule word for word: again and again, the best placed of all who may be given a seat."""
    taken, waiting, given_seats = dict(hall.taken), list(hall.waiting), []
    while True:
        possible = []
        for person in waiting:
            quota = hall.quota(person.category)
            own = taken[person.category]
            within_limit = quota.limit is None or own < quota.limit
            within_capacity = sum(taken.values()) < hall.capacity
            kept_for_them = own < guarantee_at(quota, hall.now)
            if within_limit and within_capacity and (kept_for_them or hall.promised(taken) < hall.capacity):
                possible.append(person)
        if not possible:
            return given_seats
        best = min(possible, key=lambda person: (-person.priority, person.asked_at, person.id))
        waiting.remove(best)
        given_seats.append(best)
        taken[best.category] += 1


@moderate
@given(halls())
def test_the_rule_agrees_with_its_slow_and_literal_reading(hall: Hall) -> None:
    assert hall.given == slow_admit(hall)


@moderate
@given(halls())
def test_nobody_is_given_a_seat_who_was_not_waiting_or_twice(hall: Hall) -> None:
    assert len(set(hall.given)) == len(hall.given)
    assert set(hall.given) <= set(hall.waiting)


@moderate
@given(halls())
def test_never_more_than_the_capacity_is_taken(hall: Hall) -> None:
    assert sum(hall.after.values()) <= max(hall.capacity, sum(hall.taken.values()))


@moderate
@given(halls())
def test_never_more_than_a_limit_is_taken_in_its_category(hall: Hall) -> None:
    for quota in hall.quotas:
        if quota.limit is not None:
            already = hall.taken[quota.category]
            assert hall.after.get(quota.category, 0) <= max(quota.limit, already)


@moderate
@given(sound_halls())
def test_the_rule_never_leads_a_sound_hall_into_a_state_that_is_over(hall: Hall) -> None:
    assert not over_by(hall.capacity, hall.quotas, hall.after, hall.now)


@moderate
@given(sound_halls())
def test_a_category_below_its_guarantee_is_never_refused(hall: Hall) -> None:
    for person in hall.refused:
        guarantee = guarantee_at(hall.quota(person.category), hall.now)
        assert hall.after.get(person.category, 0) >= guarantee


@moderate
@given(halls())
def test_below_its_guarantee_only_a_full_hall_refuses_a_category(hall: Hall) -> None:
    for person in hall.refused:
        guarantee = guarantee_at(hall.quota(person.category), hall.now)
        full = sum(hall.after.values()) >= hall.capacity
        assert full or hall.after.get(person.category, 0) >= guarantee


@moderate
@given(halls())
def test_nobody_waits_who_could_be_seated(hall: Hall) -> None:
    assert not [person for person in hall.refused if hall.may_give(person.category, hall.after)]


@moderate
@given(halls())
def test_running_it_twice_changes_nothing(hall: Hall) -> None:
    assert admit(hall.capacity, hall.quotas, hall.after, hall.refused, hall.now) == []


@moderate
@given(halls())
def test_within_a_category_nobody_is_seated_before_a_person_with_better_standing(hall: Hall) -> None:
    for refused in hall.refused:
        for seated in hall.given:
            if seated.category == refused.category:
                assert standing(seated) < standing(refused)


@moderate
@given(halls())
def test_pool_seats_go_by_standing_across_the_categories(hall: Hall) -> None:
    filled = dict(hall.taken)
    from_the_pool = []
    for person in hall.given:
        if filled[person.category] >= guarantee_at(hall.quota(person.category), hall.now):
            from_the_pool.append(person)
        filled[person.category] += 1
    for refused in hall.refused:
        limit = hall.quota(refused.category).limit
        if limit is None or hall.after.get(refused.category, 0) < limit:
            assert all(standing(person) < standing(refused) for person in from_the_pool)


@moderate
@given(halls())
def test_seats_are_given_in_the_order_of_standing(hall: Hall) -> None:
    assert hall.given == sorted(hall.given, key=standing)


@moderate
@given(halls(), st.randoms(use_true_random=False))
def test_the_order_of_the_inputs_is_irrelevant(hall: Hall, chance) -> None:
    shuffled = replace(
        hall,
        quotas=chance.sample(hall.quotas, len(hall.quotas)),
        waiting=chance.sample(hall.waiting, len(hall.waiting)),
        taken=dict(chance.sample(sorted(hall.taken.items()), len(hall.taken))),
    )
    assert shuffled.given == hall.given


@moderate
@given(halls(), st.integers(0, 8))
def test_a_larger_room_keeps_everybody_the_smaller_one_admits(hall: Hall, more: int) -> None:
    larger = replace(hall, capacity=hall.capacity + more)
    assert set(hall.given) <= set(larger.given)


@moderate
@given(sound_halls(), st.integers(0, 4))
def test_a_raised_limit_never_admits_fewer_of_its_category_nor_fewer_in_all(hall: Hall, more: int) -> None:
    first = hall.quotas[0]
    raised = None if first.limit is None or more == 4 else first.limit + more
    higher = replace(hall, quotas=[replace(first, limit=raised), *hall.quotas[1:]])
    own = {person for person in hall.given if person.category == first.category}
    assert own <= set(higher.given)
    assert len(higher.given) >= len(hall.given)


@moderate
@given(sound_halls())
def test_a_lapse_takes_nothing_from_the_other_categories_and_admits_no_fewer_in_all(hall: Hall) -> None:
    first = replace(hall.quotas[0], lapses_at=NOON + HOUR)
    before = replace(hall, quotas=[first, *hall.quotas[1:]])
    before = replace(before, capacity=max(hall.capacity, before.promised(hall.taken)))
    after = replace(before, quotas=[replace(first, lapses_at=NOON), *hall.quotas[1:]])
    others = {person for person in before.given if person.category != first.category}
    assert others <= set(after.given)
    assert len(after.given) >= len(before.given)


@moderate
@given(halls())
def test_a_full_or_overfull_hall_gives_nothing_to_anyone(hall: Hall) -> None:
    full = replace(hall, capacity=min(hall.capacity, sum(hall.taken.values())))
    assert full.given == []
    assert not any(full.may_give(quota.category, full.taken) for quota in full.quotas)


@moderate
@given(sound_halls(), st.integers(1, 3))
def test_over_a_limit_blocks_only_its_own_category(hall: Hall, too_many: int) -> None:
    first = hall.quotas[0]
    at_limit = replace(first, limit=max(hall.taken[first.category], first.guarantee))
    over = {**hall.taken, first.category: at_limit.limit + too_many}
    widened = hall.capacity + at_limit.limit + too_many - hall.taken[first.category]
    blocked = replace(hall, quotas=[at_limit, *hall.quotas[1:]], taken=over, capacity=widened)
    others = [person for person in hall.waiting if person.category != first.category]
    assert blocked.given == replace(blocked, waiting=others).given
    assert over_by(blocked.capacity, blocked.quotas, over, NOON).limits == ((first.category, too_many),)


@moderate
@given(halls())
def test_availability_is_how_many_of_a_category_would_be_admitted_if_only_they_asked(hall: Hall) -> None:
    shown = availability(hall.capacity, hall.quotas, hall.taken, hall.now)
    for quota in hall.quotas:
        crowd = [Waiting(number, quota.category, 0, NOON) for number in range(30)]
        assert shown.seats_left[quota.category] == len(replace(hall, waiting=crowd).given)


@moderate
@given(halls())
def test_a_category_with_people_still_waiting_shows_no_seats_left(hall: Hall) -> None:
    shown = availability(hall.capacity, hall.quotas, hall.after, hall.now)
    assert not any(shown.seats_left[person.category] for person in hall.refused)


@moderate
@given(sound_halls())
def test_an_override_eats_a_guarantee_exactly_when_the_promises_no_longer_fit_after_it(hall: Hall) -> None:
    assume(may_override(hall.capacity, hall.taken))
    for quota in hall.quotas:
        eaten = eats_guarantee_of(hall.capacity, hall.quotas, hall.taken, quota.category, hall.now)
        with_it = {**hall.taken, quota.category: hall.taken[quota.category] + 1}
        assert bool(eaten) == (hall.promised(with_it) > hall.capacity)
        assert all(guarantee_at(hall.quota(name), NOON) - hall.taken[name] == left for name, left in eaten)


def test_students_fill_the_pool_but_not_the_seats_kept_for_parliament() -> None:
    quotas = [Quota("PARL", 3, None), Quota("STU", 1, None)]
    students = [Waiting(number, "STU", 0, NOON) for number in range(1, 6)]
    assert [person.id for person in admit(6, quotas, {}, students, NOON)] == [1, 2, 3]
    late = Waiting(9, "PARL", 0, NOON + HOUR)
    assert admit(6, quotas, {"STU": 3}, [*students[3:], late], NOON) == [late]


def test_a_lapse_opens_the_unused_seats_at_its_instant_and_not_before() -> None:
    quotas = [Quota("PARL", 3, None, lapses_at=NOON), Quota("STU", 0, None)]
    students = [Waiting(number, "STU", 0, NOON - HOUR) for number in range(1, 4)]
    just_before = NOON - timedelta(microseconds=1)
    assert admit(3, quotas, {"PARL": 1}, students, just_before) == []
    assert admit(3, quotas, {"PARL": 1}, students, NOON) == students[:2]


def test_priority_goes_before_time_and_time_before_number() -> None:
    quotas = [Quota("STU", 0, None), Quota("PARL", 0, None)]
    late_but_first = Waiting(3, "PARL", 1, NOON)
    early = Waiting(2, "STU", 0, NOON - HOUR)
    same_time_lower_number = Waiting(1, "STU", 0, NOON - HOUR)
    waiting = [early, late_but_first, same_time_lower_number]
    assert admit(3, quotas, {}, waiting, NOON) == [late_but_first, same_time_lower_number, early]


def test_an_override_that_used_a_guarantee_leaves_the_rest_of_it_to_its_category() -> None:
    quotas = [Quota("DIP", 2, None), Quota("STU", 0, None)]
    diplomats = [Waiting(number, "DIP", 0, NOON) for number in (1, 2)]
    assert over_by(3, quotas, {"STU": 2}, NOON) == Over((), promised=1, taken=0)
    assert admit(3, quotas, {"STU": 2}, diplomats, NOON) == diplomats[:1]


def test_rows_of_a_category_without_a_quota_fill_the_hall_but_cannot_be_asked_for() -> None:
    quotas = [Quota("STU", 0, None)]
    assert not may_give(2, quotas, {"gone": 2}, "STU", NOON)
    assert availability(5, quotas, {"gone": 2}, NOON).pool_left == 3
    with pytest.raises(KeyError):
        may_give(2, quotas, {}, "gone", NOON)


def test_a_programme_session_with_sign_up_is_one_category_without_guarantee() -> None:
    asked = [Waiting(number, "seat", 0, NOON + timedelta(seconds=number)) for number in range(100)]
    assert admit(90, [Quota("seat", 0, None)], {"seat": 88}, asked, NOON) == asked[:2]


def test_an_override_is_possible_beyond_everything_but_the_capacity() -> None:
    assert may_override(3, {"STU": 2})
    assert not may_override(3, {"STU": 3})


def test_the_override_page_names_those_whose_unused_seats_it_eats() -> None:
    quotas = [Quota("PARL", 2, None), Quota("DIP", 3, None), Quota("STU", 1, None)]
    taken = {"PARL": 2, "DIP": 1, "STU": 2}
    assert eats_guarantee_of(7, quotas, taken, "STU", NOON) == [("DIP", 2)]
    assert eats_guarantee_of(8, quotas, taken, "STU", NOON) == []
    assert eats_guarantee_of(7, quotas, taken, "DIP", NOON) == []
    assert eats_guarantee_of(5, quotas, taken, "STU", NOON) == []


def test_availability_tells_the_pool_from_the_seats_kept() -> None:
    quotas = [Quota("PARL", 4, None), Quota("STU", 1, 3), Quota("PTY", 0, 0)]
    shown = availability(10, quotas, {"PARL": 1, "STU": 2}, NOON)
    assert shown == Availability(free_total=7, pool_left=4, seats_left={"PARL": 7, "STU": 1, "PTY": 0})


def test_over_by_counts_rows_beyond_a_limit_and_promises_beyond_the_capacity() -> None:
    quotas = [Quota("STU", 0, 4), Quota("PARL", 5, None)]
    assert over_by(8, quotas, {"STU": 6, "PARL": 1}, NOON) == Over((("STU", 2),), promised=3, taken=0)
    assert over_by(6, quotas, {"STU": 6, "PARL": 1}, NOON) == Over((("STU", 2),), promised=5, taken=1)
    assert not over_by(11, quotas, {"STU": 4, "PARL": 1}, NOON)


def test_sound_quotas_have_no_fault_and_may_fill_the_hall_to_the_last_seat() -> None:
    assert check_quotas(5, [Quota("PARL", 3, 3), Quota("STU", 2, None), Quota("PTY", 0, 0)]) == []


def test_each_fault_of_the_quotas_is_named_with_its_numbers() -> None:
    quotas = [Quota("PARL", 4, 3), Quota("STU", -1, None), Quota("PTY", 0, -2), Quota("PARL", 9, None)]
    assert [(fault.code, fault.values) for fault in check_quotas(10, quotas)] == [
        (FaultCode.GUARANTEE_ABOVE_LIMIT, {"category": "PARL", "guarantee": 4, "limit": 3}),
        (FaultCode.GUARANTEE_NEGATIVE, {"category": "STU", "guarantee": -1}),
        (FaultCode.LIMIT_NEGATIVE, {"category": "PTY", "limit": -2}),
        (FaultCode.CATEGORY_TWICE, {"category": "PARL"}),
        (FaultCode.GUARANTEES_ABOVE_CAPACITY, {"guarantees": 12, "capacity": 10}),
    ]
    assert [fault.code for fault in check_quotas(-1, [])] == [
        FaultCode.CAPACITY_NEGATIVE,
        FaultCode.GUARANTEES_ABOVE_CAPACITY,
    ]


def test_a_guarantee_that_lapses_still_has_to_fit_when_it_is_saved() -> None:
    lapsed_long_ago = Quota("PARL", 6, None, lapses_at=NOON - HOUR)
    assert [fault.code for fault in check_quotas(5, [lapsed_long_ago])] == [FaultCode.GUARANTEES_ABOVE_CAPACITY]


def test_a_crowd_of_twenty_thousand_is_sorted_out_in_less_than_two_seconds_of_work() -> None:
    quotas = [Quota(f"K{number:02}", 20, 90) for number in range(11)]
    crowd = [
        Waiting(number, f"K{number % 11:02}", number % 3, NOON + timedelta(seconds=number * 7919 % 5000))
        for number in range(20_000)
    ]
    begun = time.process_time()
    given_seats = admit(300, quotas, {}, crowd, NOON)
    assert time.process_time() - begun < 2
    assert len(given_seats) == 300
