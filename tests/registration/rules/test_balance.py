from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.programme.rules.coverage import Group
from app.registration.rules.balance import Present, Share, Side, balance, side_of

PEOPLE = st.lists(
    st.builds(
        Present,
        st.sampled_from(["GOV", "STU", "THK", "ORG"]),
        st.sampled_from(["KH", "TL", "FR", ""]),
        st.sampled_from(["A ministry", "A university", ""]),
        st.booleans(),
        st.integers(1, 5),
    ),
    max_size=12,
)


def total(shares: Sequence[Share]) -> int:
    return sum(share.all for share in shares)


@given(PEOPLE)
def test_every_part_counts_everybody_once(people: list[Present]):
    found, everybody = balance(people), sum(one.number for one in people)
    assert [total(part) for part in (found.groups, found.sides, found.categories, found.countries)] == [everybody] * 4
    assert total(found.institutions) == sum(one.number for one in people if one.institution)
    assert found.all == everybody


@given(PEOPLE)
def test_the_order_in_which_people_come_is_nothing(people: list[Present]):
    assert balance(people) == balance(reversed(people))


def test_the_largest_come_first_and_groups_in_their_order():
    found = balance(
        [
            Present("STU", "FR", "A university", confirmed=True, number=1),
            Present("GOV", "KH", "A ministry", confirmed=False, number=3),
            Present("GOV", "", "", confirmed=True, number=2),
        ]
    )
    assert [(share.key, share.all) for share in found.groups] == [("asean", 3), ("other", 1), ("unknown", 2)]
    assert [(share.key, share.all) for share in found.sides] == [
        ("policy", 5),
        ("science", 1),
        ("both", 0),
        ("neither", 0),
    ]
    assert found.countries[0] == Share("KH", 0, 3)
    assert [share.key for share in found.categories] == ["GOV", "STU"]


@pytest.mark.parametrize(("country", "group"), [("TL", Group.ASEAN), ("KH", Group.ASEAN), ("JP", Group.OTHER)])
def test_timor_leste_is_a_member_and_japan_is_none(country: str, group: Group):
    found = balance([Present("ORG", country, "", confirmed=True, number=1)])
    assert [share.key for share in found.groups if share.all] == [group.value]


@pytest.mark.parametrize(
    ("code", "side"),
    [("MIN", Side.POLICY), ("STU", Side.SCIENCE), ("THK", Side.BOTH), ("CSO", Side.NEITHER), ("NEW", Side.NEITHER)],
)
def test_a_group_stands_for_a_community_as_the_call_names_it(code: str, side: Side):
    assert side_of(code) is side
