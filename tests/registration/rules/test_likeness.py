"""Who may be one person: seen in either script and order, never by a shared office alone."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from app.registration.rules.likeness import MOST_PAIRS, SWITCHBOARD, Pair, Reason, Sketch, pairs, reasons

names = st.sampled_from(["Sok", "SOK", "Vanna", "vanna", "Lê", "Le", "Mc Kay", "", "សុខ", "សុខ\u200b"])
sketches = st.lists(
    st.builds(
        Sketch,
        id=st.integers(1, 40),
        email=st.sampled_from(["a@x.example", "b@x.example", "c@x.example"]),
        family_name=names,
        given_name=names,
        name_km=st.sampled_from(["", "សុខ វណ្ណា", "សុខវណ្ណា", "វណ្ណា សុខ", "សុ\u200bខ វណ្ណា", "ជា បុប្ផា"]),
        phone=st.sampled_from(["", "+855 12 345 678", "+85512345678", "+32 2 669 31 70"]),
        assisted=st.booleans(),
    ),
    max_size=14,
    unique_by=lambda person: person.id,
)


def sketch(number: int, **what: object) -> Sketch:
    return Sketch(number, f"p{number}@x.example", **what)  # type: ignore[arg-type]


def test_one_name_typed_in_capitals_with_a_dash_or_without_marks_is_seen():
    assert reasons(sketch(1, family_name="Lê-Minh", given_name="An"), sketch(2, family_name="LE MINH", given_name="an"))
    first, second = sketch(1, family_name="Sok", given_name="Vanna"), sketch(2, family_name="SOK", given_name="Vanna ")
    assert reasons(first, second) == (Reason.LATIN_NAME,)


def test_family_and_given_name_that_changed_places_are_seen_in_both_scripts():
    first, second = sketch(1, family_name="Sok", given_name="Vanna"), sketch(2, family_name="Vanna", given_name="Sok")
    assert reasons(first, second) == (Reason.NAME_SWAPPED,)
    assert reasons(sketch(1, name_km="សុខ វណ្ណា"), sketch(2, name_km="វណ្ណា សុខ")) == (Reason.NAME_SWAPPED,)


def test_a_khmer_name_with_invisible_breaks_or_in_one_word_is_the_same_name():
    assert reasons(sketch(1, name_km="សុខ វណ្ណា"), sketch(2, name_km="សុខ\u200bវណ្ណា")) == (Reason.KHMER_NAME,)
    assert reasons(sketch(1, name_km="សុខវណ្ណា"), sketch(2, family_name="សុខ", given_name="វណ្ណា")) == (Reason.KHMER_NAME,)
    assert not reasons(sketch(1, name_km="សុខ វណ្ណា"), sketch(2, name_km="សុខ វណ្ណ")), "another vowel, another name"


def test_principals_of_one_assistant_are_not_one_person_for_sharing_address_and_telephone():
    phone = "+855 23 123 456"
    first = Sketch(1, "office@x.example", family_name="Chea", given_name="Bopha", phone=phone, assisted=True)
    second = Sketch(2, "office@x.example", family_name="Lim", given_name="Dara", phone=phone, assisted=True)
    assert reasons(first, second) == ()
    again = Sketch(3, "office@x.example", family_name="Bopha", given_name="Chea", phone=phone, assisted=True)
    assert reasons(first, again) == (Reason.NAME_SWAPPED,)


def test_a_telephone_shared_by_two_is_a_reason_and_one_shared_by_an_office_is_none():
    crowd = [sketch(n, family_name=f"Name{n}", phone="+855 12 345 678") for n in range(1, SWITCHBOARD)]
    assert len(pairs(crowd)) == len(list(combinations(crowd, 2)))
    assert pairs([*crowd, sketch(9, family_name="Ninth", phone="+855 12 345 678")]) == []


def test_two_who_were_said_to_be_two_are_not_shown_again():
    one, other = sketch(1, family_name="Sok"), sketch(2, family_name="sok")
    assert pairs([one, other]) == [Pair(1, 2, (Reason.LATIN_NAME,))]
    assert pairs([one, other], [(2, 1)]) == []


def test_a_thousand_of_one_name_do_not_make_a_list_without_end():
    assert len(pairs([sketch(n, family_name="Same") for n in range(1000)])) == MOST_PAIRS


@given(sketches)
def test_likeness_goes_both_ways_and_nobody_is_like_themselves(people: list[Sketch]):
    for one, other in combinations(people, 2):
        assert reasons(one, other) == reasons(other, one)
    assert not any(reasons(one, one) for one in people)


@given(sketches)
def test_the_boxes_find_exactly_the_pairs_that_comparing_everybody_would(people: list[Sketch]):
    counted: dict[str, int] = {}
    for one in people:
        digits = "".join(letter for letter in one.phone if letter.isdigit())
        counted[digits] = counted.get(digits, 0) + 1

    def office_only(one: Sketch, why: tuple[Reason, ...]) -> bool:
        digits = "".join(letter for letter in one.phone if letter.isdigit())
        return why == (Reason.PHONE,) and counted[digits] >= SWITCHBOARD

    wanted = {
        frozenset((one.id, other.id))
        for one, other in combinations(people, 2)
        if (why := reasons(one, other)) and not office_only(one, why)
    }
    assert {frozenset((pair.first, pair.second)) for pair in pairs(people)} == wanted


@given(sketches, st.randoms())
def test_the_order_in_which_people_are_read_changes_nothing(people: list[Sketch], random):
    shuffled = list(people)
    random.shuffle(shuffled)
    assert pairs(shuffled) == pairs(people)
