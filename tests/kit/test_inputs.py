from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import StringConstraints

from app.kit.errors import Invalid
from app.kit.i18n import LANGS, Bilingual, text_of
from app.kit.inputs import Chosen, Day, Filled, Input, Instant, Line, ShortWords, Text, Words, parse
from app.registration.inputs import ApplicationInput, Person
from tests.cast import VANNA, fields


class Sent(Input):
    """Something small that people send."""

    line: Line = ""
    text: Text = ""
    filled: Filled = "x"
    words: Words = Bilingual("a", "ក")


def faults(**sent: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        parse(Sent, sent)
    return [(fault.field, fault.code) for fault in refused.value.faults]


def test_white_space_around_a_line_goes_and_inside_it_stays():
    assert parse(Sent, {"line": "  Sok  Vanna "}).line == "Sok  Vanna"


def test_khmer_keeps_its_zero_width_spaces():
    assert parse(Sent, {"line": "សុខ\u200bវណ្ណា"}).line == "សុខ\u200bវណ្ណា"


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\n", "\u202e", "\u2066", "\ufeff", "\ud800", "\uffff"])
def test_characters_that_cannot_be_seen_are_refused_in_a_line(character: str):
    assert faults(line=f"a{character}b") in ([("line", "control_characters")], [("line", "string_unicode")])


@pytest.mark.parametrize("word", ["=?utf-8?b?QQ0KQg==?=", "a =?UTF-8?Q?a=0D=0Ab?= c", "=??b?xxx?=)"])
def test_an_encoded_word_of_a_mails_header_is_no_line(word: str):
    assert faults(line=word) == [("line", "control_characters")]
    assert faults(filled=word) == [("filled", "control_characters")]
    assert parse(Sent, {"line": "Why = ? b = ?"}).line == "Why = ? b = ?"


def test_paragraphs_keep_their_lines():
    assert parse(Sent, {"text": "one\r\ntwo\rthree\n"}).text == "one\ntwo\nthree"
    assert faults(text="a\x00b") == [("text", "control_characters")]


def test_a_filled_line_may_not_be_blank():
    assert faults(filled="") == [("filled", "missing")]
    assert faults(filled="   ") == [("filled", "missing")]


def test_short_words_have_a_thousand_letters_in_each_language_and_no_more():
    class Short(Input):
        words: ShortWords

    for en, km in (("x" * 1001, "ក"), ("x", "ក" * 1001)):
        with pytest.raises(Invalid) as refused:
            parse(Short, {"words": {"en": en, "km": km}})
        assert [(fault.field, fault.code) for fault in refused.value.faults] == [("words", "too_long")]
    assert len(parse(Short, {"words": {"en": "x" * 1000, "km": "ក"}}).words.en) == 1000


def test_words_are_needed_in_both_languages():
    assert faults(words={"en": "hall", "km": " "}) == [("words", "both_languages")]
    assert faults(words={"en": "hall", "km": "សាលា", "fr": "salle"}) == [("words.fr", "not_known_here")]


def test_nothing_is_guessed_from_another_type():
    assert faults(line=5) == [("line", "not_a_text")]
    assert faults(line=["a"]) == [("line", "not_a_text")]


def test_an_unknown_field_is_refused():
    assert faults(other="x") == [("other", "not_known_here")]


def test_what_was_typed_is_never_repeated_in_a_fault():
    with pytest.raises(Invalid) as refused:
        parse(Sent, {"line": "secret\x00secret"})
    assert "secret" not in repr(refused.value.faults)


ANYTHING: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELD = st.sampled_from(sorted(ApplicationInput.model_fields)) | st.text(max_size=8)


@given(st.dictionaries(FIELD, ANYTHING, max_size=4))
def test_whatever_is_sent_is_taken_or_told_in_words(changes: dict[str, Any]):
    try:
        parse(ApplicationInput, {**fields(VANNA), **changes})
    except Invalid as refused:
        for fault in refused.faults:
            for lang in LANGS:
                assert text_of(lang, f"refused.{fault.code}", **fault.values)


def test_titles_are_read_from_lines_and_commas():
    assert parse(Person, {"name_km": "ជា បុប្ផា", "titles": "Samdech\nH.E., Dr."}).titles == ("Samdech", "H.E.", "Dr.")


class Choosing(Input):
    few: Literal["one", "other"]
    listed: Annotated[str, StringConstraints(pattern="^[A-Z]+$"), Chosen()]
    typed: Annotated[str, StringConstraints(pattern="^[A-Z]+$")] = "A"
    day: Day = None


def test_nothing_chosen_is_said_to_be_that_and_nothing_typed_is_not() -> None:
    def codes(**sent: str) -> dict[str, str]:
        with pytest.raises(Invalid) as invalid:
            parse(Choosing, sent)
        return {fault.field: fault.code for fault in invalid.value.faults}

    assert codes() == {"few": "not_chosen", "listed": "not_chosen"}
    assert codes(few="", listed="") == {"few": "not_chosen", "listed": "not_chosen"}
    assert codes(few="none", listed="none") == {"few": "not_a_choice", "listed": "not_this_form"}
    assert codes(few="one", listed="A", typed="") == {"typed": "not_this_form"}


def test_a_day_is_read_in_either_digits_and_what_is_none_is_no_day() -> None:
    def read(text: str) -> Any:
        return parse(Choosing, {"few": "one", "listed": "A", "day": text}).day

    assert read("2027-03-23") == read("២០២៧-០៣-២៣") == date(2027, 3, 23)
    assert read(" ") is None
    with pytest.raises(Invalid) as invalid:
        read("23 March")
    assert [fault.code for fault in invalid.value.faults] == ["not_a_day"]


def test_an_instant_has_its_zone_and_can_be_read_in_every_other() -> None:
    class Timed(Input):
        at: Instant

    assert parse(Timed, {"at": "2027-03-23T08:00:00+07:00"}).at == datetime(2027, 3, 23, 1, tzinfo=UTC)
    for odd in ("9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+12:00", "2027-03-23T08:00"):
        with pytest.raises(Invalid) as refused:
            parse(Timed, {"at": odd})
        (fault,) = refused.value.faults
        assert (fault.field, fault.code in {"not_a_moment", "not_a_date"}) == ("at", True)
