"""Keys by which names stand in lists."""

import random
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.registration.rules.collation import NOWHERE, khmer_key, name_key, sort_key

_IN_ORDER = """
កង កឹម កុយ កួយ កែម កែវ កាំង ខឹម ខៀវ គង់ គឹម គួច ឃុន ងួន ចន្ទ
ចន្ទ្រា ចាន់ ចាន់ថា ចិន ចេង ឆាយ ឆេង ជ័យ ជា ជាតិ ជឹម ជួន ជុំ ឈាង
ញឹម ដារ៉ា ដួង ឌី ឌឿន ណារិន ណុប តាន់ តុប ត្រឹង ថន ថាវី ថៃ ទិត្យ
ទូច ទេព ធារ៉ា ធី នាង នួន ប៉ិច ប៊ុន ប៊ុនធឿន បុប្ផា ប៉ែន ប្រាក់
ផល្លា ផាន់ ពេជ្រ ពៅ ព្រំ ភក្តី ភឿន ម៉ម មាស ម៉ី មុនី មុំ យ៉ាង យិន
រតនា រ័ត្ន រស់ រិទ្ធ ឫទ្ធិ ឫទ្ធី លន់ លាង លី លឹម លួន លោក វណ្ណៈ
វណ្ណា វ៉ាន់ វិចិត្រ វុទ្ធី សាន់ សារ៉ាត់ សារិន ស៊ឹម សុខ សុខា សុខុម
សុន ស៊ុន សួន សួស សឿន សៀង សេង សំ សំណាង សាំ ស្រី ស្រួយ ស្វាយ ហង្ស
ហាក់ ហ៊ាន ហ៊ុន ហួត ហេង ហៃ ឡាយ ឡុង អង្គ អាត អាន អ៊ិន ឥន្ទ្រ អ៊ឹម
អ៊ុក ឧត្តម ឧសភា ឪ អឿន ឯម ឱក ឱម អ៊ុំ
"""
BY_ICU = _IN_ORDER.split()
"""Names as ICU's collator for Khmer (78.3) puts them in order."""
KHMER = st.text(alphabet=[chr(code) for code in range(0x1780, 0x17D3)], max_size=12)


def test_khmer_names_stand_as_a_dictionary_has_them() -> None:
    names = list(BY_ICU)
    random.Random(1).shuffle(names)
    assert sorted(names) != BY_ICU, "or the order of code points would do"
    assert sorted(names, key=sort_key) == BY_ICU


@pytest.mark.parametrize(
    "names",
    [
        ["Chan", "CHAN", "Chân", "Chea", "Đặng", "Dara", "Ødegaard", "Sok", "Sok Vanna", "Soka"],
        ["10 Rooms", "2 Rooms", "សុខ", "Sok", "Сок"],
        ["Lim-Heng", "Limb"],
    ],
)
def test_neither_case_nor_accents_decide_between_different_names(names: list[str]) -> None:
    shuffled = sorted(names, key=lambda name: name[::-1])
    assert [primary(name) for name in sorted(shuffled, key=sort_key)] == [primary(name) for name in names]


def test_whoever_has_no_name_in_a_script_stands_behind_those_who_have() -> None:
    assert name_key("Zzz", "") < name_key("", "កក")
    assert khmer_key("អ៊ុំ", "") < khmer_key("", "Aaa")
    assert name_key("", "  ") == khmer_key("", "") == NOWHERE
    assert name_key("", "អ៊ុំ") < NOWHERE


@given(KHMER, KHMER)
def test_only_one_text_has_a_key(one: str, other: str) -> None:
    assert (sort_key(one) == sort_key(other)) == (normalize("NFC", one) == normalize("NFC", other))


@given(st.sampled_from(BY_ICU), st.sampled_from(BY_ICU))
def test_a_name_stands_before_whatever_goes_on_from_it(one: str, more: str) -> None:
    assert sort_key(one) < sort_key(one, more) < sort_key(one + "អ៊ុំ", more) or one == more


@given(KHMER)
def test_what_draws_nothing_changes_no_place(name: str) -> None:
    assert primary("\u200b".join(name)) == primary(name)


@given(st.text(max_size=300))
def test_any_text_has_a_key_and_it_is_short(text: str) -> None:
    assert 1 <= len(sort_key(text)) <= 121


def primary(name: str) -> bytes:
    """The part of a key that decides first."""
    return sort_key(name).partition(b"\x00")[0]
