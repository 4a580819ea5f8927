"""Which questions are shown, what is wrong with answers, and what may depend on what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.registration.rules.questions import CHOSEN, DECIDING, YES, Asked, Kind, check, condition_faults

CODES = [f"q{number}" for number in range(6)]
OPTIONS = ("a", "b", "c")


@st.composite
def forms(draw: st.DrawFn) -> list[Asked]:
    """Questions in order, each free or depending on an earlier one."""
    found: list[Asked] = []
    for code in CODES[: draw(st.integers(1, 6))]:
        kind = draw(st.sampled_from(list(Kind)))
        options = OPTIONS if kind in CHOSEN else ()
        before = [one for one in found if one.kind in DECIDING]
        decides = draw(st.none() | st.sampled_from(before)) if before else None
        shown_for = tuple(draw(st.sets(st.sampled_from(decides.deciding_values), min_size=1))) if decides else ()
        found.append(Asked(code, kind, draw(st.booleans()), options, decides.code if decides else "", shown_for))
    return found


one_value = st.sampled_from(["", "a", "b", "z", YES, "2027-03-23", "x" * 201])
sent = st.dictionaries(st.sampled_from(CODES), one_value | st.lists(one_value, max_size=3).map(tuple))


@given(forms(), sent)
def test_nothing_is_kept_or_asked_for_of_a_question_that_is_not_shown(form: list[Asked], answers: dict) -> None:
    checked = check(form, answers)
    assert checked.answers.keys() <= checked.shown
    assert {wrong.question for wrong in checked.wrong} <= checked.shown


@given(forms(), sent)
def test_a_question_is_shown_exactly_where_its_condition_is_answered(form: list[Asked], answers: dict) -> None:
    checked = check(form, answers)
    for one in form:
        answer = checked.answers.get(one.shown_if, ())
        given_values = {answer} if isinstance(answer, str) else set(answer)
        met = not one.shown_if or (one.shown_if in checked.shown and bool(given_values & set(one.shown_for)))
        assert (one.code in checked.shown) == met


@given(forms(), sent)
def test_what_is_kept_is_taken_again_and_stays_the_same(form: list[Asked], answers: dict) -> None:
    first = check(form, answers)
    again = check(form, dict(first.answers))
    assert again.answers == first.answers
    assert {wrong.code for wrong in again.wrong} <= {"missing", "not_chosen", "none_chosen", "answer_agree"}


@given(forms(), sent)
def test_a_needed_answer_is_there_or_is_asked_for(form: list[Asked], answers: dict) -> None:
    checked = check(form, answers)
    wrong = {one.question for one in checked.wrong}
    for one in form:
        if one.required and one.code in checked.shown:
            assert (one.code in checked.answers) != (one.code in wrong)


@given(forms())
def test_a_form_whose_questions_depend_on_earlier_ones_makes_sense(form: list[Asked]) -> None:
    assert condition_faults(form) == ()


@given(forms())
def test_a_form_turned_round_says_which_question_comes_too_early(form: list[Asked]) -> None:
    depending = {one.code for one in form if one.shown_if}
    assert {wrong.question for wrong in condition_faults(form[::-1])} == depending


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        (Kind.CHOICE, "z", "not_a_choice"),
        (Kind.CHOICE, ("a", "b"), "not_a_choice"),
        (Kind.SEVERAL, ("a", "z"), "not_a_choice"),
        (Kind.DATE, "23 March", "not_a_day"),
        (Kind.DATE, "2027-02-30", "not_a_day"),
        (Kind.DATE, "0001-01-01", "not_a_day"),
        (Kind.TEXT, "x" * 201, "too_long"),
        (Kind.LONG, "x" * 4001, "too_long"),
    ],
)
def test_what_cannot_be_answered_is_refused_and_not_kept(kind: Kind, text: str, code: str) -> None:
    options = OPTIONS if kind in CHOSEN else ()
    checked = check([Asked("q", kind, options=options)], {"q": text})
    assert [wrong.code for wrong in checked.wrong] == [code]
    assert checked.answers == {}


def test_several_are_kept_once_each_in_the_order_of_the_choices() -> None:
    checked = check([Asked("q", Kind.SEVERAL, options=OPTIONS)], {"q": ("c", "a", "c")})
    assert checked.answers == {"q": ("a", "c")}


@pytest.mark.parametrize(
    ("decides", "shown_for", "code"),
    [
        (Asked("first", Kind.TEXT), ("a",), "condition_kind"),
        (Asked("first", Kind.CHOICE, options=OPTIONS), ("z",), "condition_value"),
        (Asked("first", Kind.CONSENT), ("no",), "condition_value"),
        (Asked("other", Kind.CHOICE, options=OPTIONS), ("a",), "condition_not_before"),
    ],
)
def test_a_condition_that_cannot_be_asked_is_named(decides: Asked, shown_for: tuple[str, ...], code: str) -> None:
    depends = Asked("second", Kind.TEXT, shown_if="first", shown_for=shown_for)
    assert [(wrong.question, wrong.code) for wrong in condition_faults([decides, depends])] == [("second", code)]
