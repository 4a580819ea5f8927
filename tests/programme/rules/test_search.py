"""Words are found however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.programme.rules.search import fold, found, haystack

TEXT = haystack(["Counter-Terrorism in the Asia-Pacific", "កិច្ចសហប្រតិបត្តិការ\u200bសន្តិសុខ ឆ្នាំ២០២៧", "Track 2"])


@pytest.mark.parametrize(
    "query",
    [
        "counter-terrorism",
        "COUNTERTERRORISM",
        "counter terrorism",
        "counter\u2011terrorism",
        "asia pacific",
        "Asia–Pacific",
        "សន្តិសុខ",
        "សហប្រតិបត្តិការ\u200bសន្តិ\u200bសុខ",
        "2027",
        "២០២៧",
        "track ២",
        "",
        "   ",
    ],
)
def test_a_word_is_found_whatever_its_hyphens_case_digits_and_invisible_characters(query: str) -> None:
    assert found(query, TEXT)


@pytest.mark.parametrize("query", ["maritime", "asia atlantic", "២០២៨", "terrorismcounter"])
def test_a_word_that_is_not_there_is_not_found(query: str) -> None:
    assert not found(query, TEXT)


def test_latin_words_are_found_by_how_they_begin_and_khmer_ones_anywhere() -> None:
    text = haystack(["Research on the Seas", "កិច្ចសហប្រតិបត្តិការ"])
    assert found("sea", text)
    assert not found("arch", text)
    assert found("ប្រតិបត្តិការ", text)


def test_every_word_must_be_there() -> None:
    assert found("pacific terrorism", TEXT)
    assert not found("pacific maritime", TEXT)


@given(st.text(max_size=60))
def test_every_text_is_found_in_itself(text: str) -> None:
    assert found(text, haystack([text]))


@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
