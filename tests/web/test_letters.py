"""Letters as they are printed: the name of the passport stands in every one of them."""

import unicodedata
from typing import Any

import pytest

from app.kit.errors import Invalid
from app.kit.inputs import parse
from app.kit.printing import can_be_set
from app.registration.applying import confirm
from app.registration.letter_inputs import LetterInput
from app.registration.lettering import ask_for_letter, letter_of
from app.registration.models import Category
from app.reports.letters import letter_values
from tests.cast import NOW, holder
from tests.registration.hall import SmallHall

NAMES = (
    "NGUYỄN VĂN ĐỨC",
    unicodedata.normalize("NFD", "LÊ HỮU PHƯỚC"),
    "ĀNANDA ṬHĀKUR ḌṆ",
    "MÜLLER-STRAẞE",
    "Ŋ Ɖ Ə Ɓ Ɗ Ƙ Ɣ Ȧ",
    "ʻALISI FALETAU",
    "Ñandú Ṣẹ́gun",
    "QASIMOVA ƏLİYƏ",
)


def given(name: str) -> str:
    sent = {"kind": "visa", "language": "en", "passport_name": name, "nationality": "VN"}
    return parse(LetterInput, sent).passport_name


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lang", ["en", "km"])
def test_a_name_that_the_form_takes_stands_in_the_letter(hall: SmallHall, name: str, lang: str) -> None:
    row = hall.ask()
    confirm(hall.db, holder(row), hall.forum, row.code, now=NOW)
    sent = {"kind": "visa", "language": lang, "passport_name": name, "nationality": "VN"}
    code = ask_for_letter(hall.db, holder(row), hall.forum, row.code, parse(LetterInput, sent), "k", now=NOW)
    letter = letter_of(hall.db, row.id, code)
    category = hall.db.get(Category, row.category_id)
    values: dict[str, Any] = letter_values(hall.forum, hall.row(row.code), category, letter)
    assert values["person"][0][1] == given(name)
    assert can_be_set(given(name))


def test_every_letter_of_latin_that_the_form_takes_can_be_printed() -> None:
    latin = [chr(n) for n in range(0x30000) if chr(n).isalpha() and unicodedata.name(chr(n), "").startswith("LATIN")]
    assert len(latin) > 1000
    assert [letter for letter in latin if not can_be_set(letter)] == []


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("A\u1dfa", "not_printable"),
        ("HENG\u20e3 RITH", "not_printable"),
        ("ABC\u17d2", "not_latin"),
        ("ហេង", "not_latin"),
    ],
)
def test_what_cannot_be_printed_is_refused_where_it_is_typed(name: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        given(name)
    assert [(fault.field, fault.code) for fault in refused.value.faults] == [("passport_name", code)]
