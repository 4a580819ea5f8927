"""E-mail addresses as people type them: plain ones, taken at a look, are what the library makes of them."""

from typing import Annotated

import email_validator
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import EmailStr, StringConstraints, TypeAdapter, ValidationError

from app.registration.inputs import LONGEST_ADDRESS, Mailbox

MINE: TypeAdapter[str] = TypeAdapter(Mailbox)
THEIRS: TypeAdapter[str] = TypeAdapter(Annotated[EmailStr, StringConstraints(max_length=LONGEST_ADDRESS)])


def read(by: TypeAdapter[str], text: object) -> object:
    """The address as it is kept, or the kinds of faults it has."""
    try:
        return by.validate_python(text)
    except ValidationError as error:
        return [fault["type"] for fault in error.errors()]


PIECES = st.sampled_from(
    [
        "a",
        "b7",
        "sokha",
        ".",
        "-",
        "--",
        "_",
        "+",
        "@",
        "@",
        "xn--",
        "com",
        "kh",
        "1",
        "A",
        " ",
        "é",
        "ខ",
        "'",
        '"',
        "<",
    ]
)
NAMES = st.from_regex(r"[a-z0-9._+-]{1,70}@[a-z0-9.-]{1,70}\.[a-z0-9-]{1,10}", fullmatch=True)


@given(st.one_of(st.lists(PIECES, max_size=14).map("".join), NAMES))
@example("person.7@bench.example")
@example("x" * 64 + "@a.com")
@example("x" * 65 + "@a.com")
@example("x@" + "a" * 63 + ".com")
@example("x@" + "a" * 64 + ".com")
@example("x@" + "a." * 124 + "com")
@example("x@" + "a." * 126 + "com")
@example("x@ab--cd.com")
@example("a..b@a.com")
@example(".a@a.com")
@example("a@a.c")
@example("a@a.com\n")
@example("POSTMASTER@a.com")
@example("Sokha <sokha@a.com>")
def test_an_address_is_kept_or_refused_as_the_library_does(text: str) -> None:
    assert read(MINE, text) == read(THEIRS, text)


@pytest.mark.parametrize("reserved", sorted(email_validator.SPECIAL_USE_DOMAIN_NAMES))
@pytest.mark.parametrize("before", ["", "mail."])
def test_whatever_is_no_address_of_the_world_is_refused(reserved: str, before: str) -> None:
    assert read(MINE, f"a@{before}{reserved}") == ["value_error"]


@pytest.mark.parametrize("odd", [None, 7, b"a@a.com", ["a@a.com"]])
def test_what_is_no_text_is_refused_as_the_library_does(odd: object) -> None:
    assert read(MINE, odd) == read(THEIRS, odd)
