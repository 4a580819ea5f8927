"""PDFs by Typst: what people typed is never markup, and what cannot be set whole is not set at all."""

from typing import Any

import pytest

from app.kit import printing
from app.kit.printing import NotPrinted, pdf
from tests.cast import NOW


def values(**changes: Any) -> dict[str, Any]:
    names = ("title", "forum", "label", "reference_label", "reference", "date", "addressee", "subject", "greeting")
    found: dict[str, Any] = {name: f"The {name}" for name in (*names, "signed_for", "signer", "foot")}
    found |= {"lang": "en", "sender": ["Somewhere"], "before": ["First."], "after": ["Last."]}
    return {**found, "person": [["Name", "HENG Rith"]], **changes}


def printed(**changes: Any) -> bytes:
    return pdf("print/letter.typ", values(**changes), at=NOW)


def test_a_letter_is_a_tagged_pdf_with_our_own_typefaces_in_it():
    made = printed(lang="km", before=["កៅអីមួយត្រូវបានបញ្ជាក់"])
    assert made.startswith(b"%PDF-")
    assert b"NotoSansKhmer" in made
    assert b"/MarkInfo" in made


def test_letters_that_the_first_typeface_lacks_are_set_in_another():
    assert b"NotoSerif" not in printed()
    assert b"NotoSerif" in printed(person=[["Name", "Ɖ"]])
    assert b"NotoSerif" in printed(person=[["Name", "Ɖ"]], lang="km")


def test_what_no_typeface_has_cannot_be_set():
    assert printing.can_be_set("Ŋ Ɖ Ə ḌṬ ẞ ហេង 12")
    assert not printing.can_be_set("汉")
    assert not printing.can_be_set("")


def test_what_cannot_be_set_has_a_mark_in_its_place():
    assert printing.as_set("ហេង 12\n汉语 Ŋ 😀\ufe0f!") == "ហេង 12\n\ufffd Ŋ \ufffd!"
    assert printed(person=[["Name", printing.as_set("汉")]]).startswith(b"%PDF-")


def test_the_same_values_give_the_same_bytes():
    assert printed() == printed()
    assert printed(subject="Another") != printed()


@pytest.mark.parametrize(
    "typed", ["#panic()", "$x$ *b* _i_", "@nobody", '#read("/etc/passwd")', "\\", "`", "= A", "<a>"]
)
def test_what_is_typed_is_set_as_it_stands(typed: str):
    assert len(printed(person=[["Name", typed]])) > 1000


def test_a_value_that_is_missing_makes_no_letter():
    told = values()
    del told["greeting"]
    with pytest.raises(NotPrinted, match="greeting"):
        pdf("print/letter.typ", told, at=NOW)


def test_an_unknown_typeface_makes_no_letter(monkeypatch: pytest.MonkeyPatch):
    printing._fonts.cache_clear()
    monkeypatch.setattr(printing, "FAMILIES", ("Source Serif 4",))
    try:
        with pytest.raises(NotPrinted, match="unknown font family: noto sans khmer"):
            printed(lang="km")
    finally:
        printing._fonts.cache_clear()
