import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit import codes

SECRET = b"a key for tests alone, long enough to be taken"


def test_public_codes_hold_nothing_that_is_read_as_something_else():
    letters = set("".join(codes.public_code() for _ in range(500)))
    assert not letters & set("01ILOU")
    assert all(len(codes.public_code(length)) == length for length in (5, 7, 20))


def test_a_lasting_link_is_the_same_each_time_and_differs_in_each_part():
    token = codes.lasting_token(SECRET, "my", 7, 1)
    assert token == codes.lasting_token(SECRET, "my", 7, 1)
    others = {
        codes.lasting_token(b"another", "my", 7, 1),
        codes.lasting_token(SECRET, "feed", 7, 1),
        codes.lasting_token(SECRET, "my", 8, 1),
        codes.lasting_token(SECRET, "my", 7, 2),
        codes.lasting_token(SECRET, "my", 71, 1),
    }
    assert len(others | {token}) == 6
    assert len(token) * 5 >= 128, "bits"


def test_one_time_tokens_never_repeat():
    assert len({codes.one_time_token() for _ in range(100)}) == 100


@given(st.text(max_size=80), st.text(min_size=1, max_size=20))
def test_what_is_sealed_comes_back_for_its_purpose_alone(text: str, purpose: str):
    sealed = codes.seal(SECRET, purpose, text)
    assert codes.unseal(SECRET, purpose, sealed) == text
    assert codes.unseal(SECRET, purpose + "x", sealed) is None
    assert codes.unseal(b"another", purpose, sealed) is None


@given(st.text(max_size=60))
def test_what_was_never_sealed_is_nothing(text: str):
    assert codes.unseal(SECRET, "form", text) is None


@pytest.mark.parametrize(
    "change", [lambda s: "x" + s, lambda s: s + "x", lambda s: s[:-1], lambda s: s.replace(".", "")]
)
def test_a_changed_seal_is_nothing(change):
    assert codes.unseal(SECRET, "form", change(codes.seal(SECRET, "form", "text"))) is None
