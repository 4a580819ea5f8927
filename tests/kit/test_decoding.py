"""JSON of a database: whichever reader is chosen, it says the same."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.decoding import decoded

TEXTS = st.text(st.characters(codec=None), max_size=40)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda each: st.lists(each, max_size=4) | st.dictionaries(TEXTS, each, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.booleans())
def test_whatever_was_written_is_read_as_it_was(value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert decoded(text) == json.loads(text)
    if "\\ud" in text or text.isascii():
        assert decoded(text.encode()) == json.loads(text)


@pytest.mark.parametrize("text", ["", "{", '{"a": 1,}', "['a']", "x" * 300, '{"a": "' + "x" * 300])
def test_what_is_no_json_is_said_to_be_none(text: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        decoded(text)


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "12345678901234567890123", "1e400", "-0.0", "NaN", '"\\ud83d"'])
def test_what_may_be_read_in_two_ways_is_read_as_ever(text: str) -> None:
    assert repr(decoded(text)) == repr(json.loads(text))
