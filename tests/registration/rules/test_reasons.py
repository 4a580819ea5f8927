from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.registration.rules.reasons import Why, why_waiting
from app.registration.rules.seats import Quota, may_give

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
NAMES = ("PARL", "STU", "PTY")


@st.composite
def halls(draw: st.DrawFn) -> tuple[int, list[Quota], dict[str, int]]:
    quotas = []
    for name in NAMES:
        guarantee = draw(st.integers(0, 4))
        lapses = draw(st.sampled_from([None, NOON, NOON + timedelta(hours=1)]))
        quotas.append(Quota(name, guarantee, draw(st.none() | st.integers(guarantee, 6)), lapses))
    return draw(st.integers(0, 12)), quotas, {name: draw(st.integers(0, 6)) for name in NAMES}


@given(halls(), st.sampled_from(NAMES))
def test_there_is_a_reason_exactly_where_no_seat_may_be_given(hall: tuple[int, list[Quota], dict[str, int]], name: str):
    reason = why_waiting(*hall, name, NOON)
    assert (reason.why is Why.DUE) == may_give(*hall, name, NOON)


@given(halls(), st.sampled_from(NAMES))
def test_what_is_named_as_the_reason_is_so(hall: tuple[int, list[Quota], dict[str, int]], name: str):
    capacity, quotas, taken = hall
    reason, quota = why_waiting(*hall, name, NOON), next(one for one in quotas if one.category == name)
    sitting = sum(taken.values())
    if reason.why is Why.LIMIT:
        assert taken[name] >= reason.limit == quota.limit
    if reason.why is Why.OVER:
        assert reason.over == sitting - capacity > 0
    if reason.why is Why.FULL:
        assert sitting == capacity
    if reason.why is Why.OTHERS:
        assert reason.free == capacity - sitting > 0
        # were their guarantees nought, a seat could be given
        lapsed = [Quota(q.category, 0, q.limit) if q.category in reason.promised_to else q for q in quotas]
        assert name not in reason.promised_to
        assert may_give(capacity, lapsed, taken, name, NOON)


@pytest.mark.parametrize(
    ("taken", "why"),
    [
        ({"STU": 3, "PARL": 2}, Why.LIMIT),
        ({"STU": 1, "PARL": 9}, Why.FULL),
        ({"STU": 1, "PARL": 11}, Why.OVER),
        ({"STU": 2, "PTY": 4}, Why.OTHERS),
        ({"STU": 1}, Why.DUE),
    ],
)
def test_of_several_reasons_the_nearest_is_told(taken: dict[str, int], why: Why):
    quotas = [Quota("PARL", 4, None), Quota("STU", 0, 3), Quota("PTY", 0, None)]
    assert why_waiting(10, quotas, taken, "STU", NOON).why is why


def test_a_group_that_nobody_knows_has_no_reason():
    with pytest.raises(KeyError):
        why_waiting(1, [], {}, "STU", NOON)
