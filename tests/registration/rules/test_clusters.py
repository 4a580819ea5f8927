"""Who hangs together: everybody who is like somebody, whoever that is like in turn."""

from hypothesis import given
from hypothesis import strategies as st

from app.registration.rules.clusters import clusters
from app.registration.rules.likeness import Sketch, pairs
from tests.registration.rules.test_likeness import sketch, sketches


def test_who_shares_a_name_with_one_and_a_telephone_with_another_ties_the_two():
    name, both, phone = (
        sketch(1, family_name="Sok"),
        sketch(2, family_name="sok", phone="+85512345678"),
        sketch(3, phone="+855 12 345 678"),
    )
    assert clusters([name, phone, both]) == [(1, 2, 3)]


def test_a_pair_said_to_be_two_people_ties_nobody_but_the_others_stay_together():
    three = [sketch(number, family_name="Sok") for number in (1, 2, 3)]
    assert clusters(three[:2], [(2, 1)]) == []
    assert clusters(three, [(2, 1)]) == [(1, 2, 3)]
    assert clusters(three, [(2, 1), (1, 3)]) == [(2, 3)]


def test_a_thousand_of_one_name_are_one_cluster():
    assert clusters([sketch(number, family_name="Same") for number in range(1000)]) == [tuple(range(1000))]


def test_those_with_a_name_in_common_come_before_those_with_a_telephone():
    people = [
        sketch(1, phone="+85512345678"), sketch(2, phone="+85512345678"),
        sketch(3, family_name="Sok"), sketch(4, family_name="Sok"),
    ]  # fmt: skip
    assert clusters(people) == [(3, 4), (1, 2)]


@given(sketches, st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), max_size=8))
def test_the_clusters_are_what_the_pairs_connect(people: list[Sketch], distinct: list[tuple[int, int]]):
    ties: dict[int, set[int]] = {}
    people = people[:18]  # all their pairs, fewer than a sitting’s
    for pair in pairs(people, distinct):
        joined = ties.get(pair.first, {pair.first}) | ties.get(pair.second, {pair.second})
        for one in joined:
            ties[one] = joined
    wanted = {tuple(sorted(each)) for each in ties.values()}
    found = clusters(people, distinct)
    assert set(found) == wanted
    assert len(found) == len(wanted)


@given(sketches, st.randoms())
def test_the_order_in_which_people_are_read_changes_nothing(people: list[Sketch], random):
    shuffled = list(people)
    random.shuffle(shuffled)
    assert clusters(shuffled) == clusters(people)
