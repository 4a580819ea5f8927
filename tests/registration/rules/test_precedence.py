"""Who stands before whom: total, the same whatever order people come in, and a rung chosen by hand goes before all."""

from datetime import date
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.registration.rules.precedence import USUAL, Guest, Rung, in_order, rung_of

LADDER = (
    Rung("first", functions=("Minister", "រដ្ឋមន្ត្រី")),
    Rung("second", categories=("DIP",), heads=True),
    Rung("third", titles=("Oknha",)),
    Rung("chosen"),
)
WORDS = st.sampled_from(["", "Minister", "Minister of Trade", "Administrator", "Oknha", "Chea", "Sok", "ហេង"])


@st.composite
def crowds(draw: st.DrawFn) -> list[Guest]:
    return [
        Guest(
            id=number,
            category=draw(st.sampled_from(["DIP", "STU"])),
            titles=(draw(WORDS),),
            function=draw(WORDS),
            heads=draw(st.booleans()),
            delegation=(draw(WORDS), draw(WORDS)),
            family_name=draw(WORDS),
            given_name=draw(WORDS),
            since=draw(st.none() | st.dates(date(2020, 1, 1), date(2020, 1, 3))),
            rung=draw(st.sampled_from(["", "", "chosen", "first", "gone"])),
        )
        for number in range(draw(st.integers(0, 8)))
    ]


def ids(crowd: list[Guest]) -> list[int]:
    return [guest.id for guest, _ in in_order(crowd, LADDER)]


@given(crowds(), st.randoms(use_true_random=False))
def test_the_order_people_come_in_is_of_no_matter_and_nobody_is_lost(crowd: list[Guest], shuffled: object) -> None:
    other = crowd.copy()
    shuffled.shuffle(other)  # type: ignore[attr-defined]
    assert ids(other) == ids(crowd)
    assert sorted(ids(crowd)) == [guest.id for guest in crowd]


@given(crowds())
def test_a_higher_rung_always_stands_before_a_lower_one_and_those_on_none_at_the_end(crowd: list[Guest]) -> None:
    codes = [rung.code for rung in LADDER]
    places = [codes.index(rung.code) if rung else len(codes) for _, rung in in_order(crowd, LADDER)]
    assert places == sorted(places)


@given(crowds())
def test_a_rung_chosen_by_hand_goes_before_the_rule_while_it_is_on_the_ladder(crowd: list[Guest]) -> None:
    for guest in crowd:
        rung = rung_of(guest, LADDER)
        if guest.rung in {"chosen", "first"}:
            assert rung is not None
            assert rung.code == guest.rung
        else:
            assert rung is None or rung.takes(guest)


@given(crowds())
def test_on_one_rung_the_earliest_credentials_go_first(crowd: list[Guest]) -> None:
    found = in_order(crowd, LADDER)
    for (one, rung), (after, next_rung) in pairwise(found):
        if rung == next_rung:
            assert (one.since or date.max) <= (after.since or date.max)


def test_a_function_is_known_by_its_beginning_in_whole_words() -> None:
    rung = Rung("pm", functions=("Prime Minister", "នាយករដ្ឋមន្ត្រី"))
    takes = {
        text: rung.takes(Guest(1, "GOV", function=text))
        for text in (
            "Prime Minister",
            "prime minister of the Kingdom",
            "Deputy Prime Minister",
            "Prime Ministerial Adviser",
            "នាយករដ្ឋមន្ត្រីនៃព្រះរាជាណាចក្រកម្ពុជា",
            "ឧបនាយករដ្ឋមន្ត្រី",
        )
    }
    assert list(takes.values()) == [True, True, False, False, True, False]


def test_everything_a_rung_asks_must_fit_and_one_that_asks_nothing_takes_nobody() -> None:
    counsellor = Guest(1, "DIP", function="Minister Counsellor")
    assert rung_of(counsellor, [Rung("ministers", categories=("GOV",), functions=("Minister",))]) is None
    assert rung_of(counsellor, [Rung("honoured")]) is None


def test_the_head_stands_before_the_members_and_countries_in_the_alphabets_order() -> None:
    crowd = [
        Guest(1, "DIP", delegation=("Vietnam", ""), family_name="An", heads=True),
        Guest(2, "DIP", delegation=("Japan", ""), family_name="Abe"),
        Guest(3, "DIP", delegation=("Japan", ""), family_name="Sato", heads=True),
        Guest(4, "DIP", family_name="Alone"),
    ]
    assert [guest.id for guest, _ in in_order(crowd, [Rung("all", categories=("DIP",))])] == [3, 2, 1, 4]


def test_the_usual_ladder_follows_the_speech_from_the_throne() -> None:
    crowd = [
        Guest(1, "STU"),
        Guest(2, "DIP", function="Ambassador Extraordinary and Plenipotentiary"),
        Guest(3, "PROV", function="Governor of Kampot"),
        Guest(4, "MIN", titles=("H.E.",), function="Minister of Health"),
        Guest(5, "GOV", titles=("Samdech",), function="Prime Minister"),
        Guest(6, "PARL", titles=("សម្ដេច",), function="ប្រធានព្រឹទ្ធសភា"),
        Guest(7, "DIP", function="Minister Counsellor"),
    ]
    assert [guest.id for guest, _ in in_order(crowd, USUAL)] == [6, 5, 4, 3, 2, 7, 1]
