import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.editions.form import ForumFile
from app.editions.reading import MOST_BYTES, BadFile, Misplaced, read_forum_file
from app.kit.i18n import LANGS, text_of
from tests.breadth import EXAMPLES
from tests.conftest import FORUM_FILE

TEXT = FORUM_FILE.read_text(encoding="utf-8")


def faults(text: str | bytes) -> list[tuple[int, str, str]]:
    """(line, place, code) of each fault of a bad file; each of them can be said in both languages."""
    with pytest.raises(BadFile) as refused:
        read_forum_file(text.encode() if isinstance(text, str) else text)
    for misplaced in refused.value.faults:
        for lang in LANGS:
            assert text_of(lang, f"refused.{misplaced.fault.code}", **misplaced.fault.values)
    return [(misplaced.line, misplaced.fault.field, misplaced.fault.code) for misplaced in refused.value.faults]


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_the_real_forum_is_read_whole(forum_file: ForumFile):
    assert len(forum_file.sessions) == 29
    assert len(forum_file.tracks) == 3
    assert len(forum_file.objectives) >= 1
    assert sum(category.guarantee for category in forum_file.categories) == 250


@pytest.mark.parametrize("path", sorted(FORUM_FILE.parent.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_forum_that_comes_with_sala_can_be_read(path):
    assert read_forum_file(path.read_bytes()).forum.slug == path.stem


def test_a_byte_order_mark_is_no_fault():
    assert read_forum_file(b"\xef\xbb\xbf" + TEXT.encode()).forum.slug


Change = tuple[str, Callable[[str], str], str, str]
CHANGES: list[Change] = [
    ("an unknown key", lambda t: t.replace("  featured: true", "  feature: true"), "feature: true", "not_known_here"),
    ("an unknown part", lambda t: t + "\nguests: []\n", "guests:", "not_known_here"),
    (
        "a word for a number",
        lambda t: t.replace("  capacity: 300", "  capacity: many"),
        "capacity: many",
        "not_a_number",
    ),
    ("a fraction for a number", lambda t: t.replace("capacity: 300", "capacity: 3.5"), "capacity: 3.5", "not_a_number"),
    ("a list for a text", lambda t: t.replace("name: Denis Schrey", "name: [a, b]"), "name: [a, b]", "not_a_text"),
    ("a text for a table", lambda t: re.sub(r"(?m)^forum:\n", "forum: x\nforum2:\n", t), "forum: x", "not_a_table"),
    (
        "a date that is none",
        lambda t: t.replace("starts_on: 2027-03-23", "starts_on: soon"),
        "starts_on: soon",
        "not_a_date",
    ),
    (
        "a forum that ends first",
        lambda t: t.replace("ends_on: 2027-03-24", "ends_on: 2027-03-20"),
        "  slug: phnom",
        "ends_before_start",
    ),
    (
        "no time zone",
        lambda t: t.replace("timezone: Asia/Phnom_Penh", "timezone: Mekong/Delta"),
        "timezone: M",
        "not_a_time_zone",
    ),
    (
        "an address that is none",
        lambda t: t.replace("secretariat@example.org", "secretariat"),
        "email: secretariat",
        "not_an_email",
    ),
    (
        "an unknown track",
        lambda t: re.sub(r"(?m)^    tracks: \[A\]", "    tracks: [Q]", t, count=1),
        "tracks: [Q]",
        "unknown_name",
    ),
    (
        "an unknown room",
        lambda t: t.replace("    room: grand-ballroom", "    room: cellar", 1),
        "room: cellar",
        "unknown_name",
    ),
    ("another format", lambda t: t.replace("sala-forum/1", "sala-forum/9"), "format:", "not_a_choice"),
    (
        "control characters",
        lambda t: t.replace("name: Denis Schrey", 'name: "Denis\\u202ESchrey"'),
        'name: "D',
        "control_characters",
    ),
    ("an absurd length", lambda t: t.replace("name: Denis Schrey", f"name: {'x' * 201}"), "name: xxx", "too_long"),
    ("a negative capacity", lambda t: t.replace("  capacity: 300", "  capacity: -1"), "capacity: -1", "too_small"),
    (
        "a number of changes that no calendar can hold",
        lambda t: f"{t}\nforum_calendar:\n  uid: forum@sala.example\n  sequence: {10**20}\n",
        f"  sequence: {10**20}",
        "too_large",
    ),
    (
        "a place in a list beyond all lists",
        lambda t: t.replace("    order: 1", f"    order: {10**20}", 1),
        "order: 1000",
        "too_large",
    ),
    ("an unknown mode", lambda t: t.replace("    mode: open", "    mode: opne", 1), "mode: opne", "not_a_choice"),
    ("an unknown band", lambda t: t.replace("    band: red", "    band: pink", 1), "band: pink", "not_a_choice"),
    ("a letter that is two", lambda t: t.replace("    letter: P", "    letter: PP", 1), "letter: PP", "not_this_form"),
    (
        "a guarantee above its limit",
        lambda t: t.replace("    guarantee: 40\n    limit: 90", "    guarantee: 40\n    limit: 39"),
        "    guarantee: 40\n    limit: 39",
        "guarantee_above_limit",
    ),
    (
        "guarantees above the capacity",
        lambda t: t.replace("  capacity: 300\n  target: 250", "  capacity: 249\n  target: 249"),
        "capacity: 249",
        "guarantees_above_capacity",
    ),
    (
        "a target above the capacity",
        lambda t: t.replace("  target: 250", "  target: 301"),
        "opens_at: 2026-11-01",
        "target_above_capacity",
    ),
    (
        "a registration that closes before it opens",
        lambda t: t.replace("  closes_at: 2027-03-19T17:00", "  closes_at: 2026-10-01T09:00"),
        "  opens_at: 2026-11-01",
        "ends_before_start",
    ),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change[0])
def test_a_fault_is_told_with_its_line_and_reason(change: Change):
    _, apply, where, code = change
    text = apply(TEXT)
    assert text != TEXT, "the change must change something"
    found = faults(text)
    assert (line_of(text, where), code) in [(line, reason) for line, _, reason in found]


def test_a_missing_language_is_told_with_its_place():
    start = TEXT.index("  short_title:")
    end = TEXT.index("    km:", start)
    text = TEXT[:end] + TEXT[TEXT.index("\n", end) + 1 :]
    assert [(place, code) for _, place, code in faults(text)] == [("forum.short_title", "both_languages")]


def test_an_unknown_speaker_is_told_with_its_line():
    text = TEXT.replace("speaker: host-representative", "speaker: nobody", 1)
    assert (line_of(text, "speaker: nobody"), "unknown_name") in [(line, code) for line, _, code in faults(text)]


@pytest.mark.parametrize(
    ("part", "line"),
    [("rooms", "  - code: mekong\n"), ("speakers", "  - code: forum-chair\n"), ("categories", "  - code: DIP\n")],
)
def test_a_code_that_stands_twice_is_told_at_both_places(part: str, line: str):
    other = {"rooms": "bassac", "speakers": "keynote-scholar", "categories": "MIN"}[part]
    text = TEXT.replace(line, f"  - code: {other}\n", 1)
    assert [code for _, place, code in faults(text) if place.startswith(part)] == ["twice", "twice"]


def test_a_key_that_stands_twice_is_told_with_its_line():
    text = TEXT.replace("  featured: true\n", "  featured: true\n  featured: false\n")
    assert faults(text) == [(line_of(text, "  featured: false"), "forum.featured", "twice")]


def test_every_fault_is_told_at_once_and_in_the_order_of_the_lines():
    text = TEXT.replace("  featured: true", "  feature: true").replace("  capacity: 300", "  capacity: many")
    found = faults(text)
    assert len(found) >= 2
    assert [line for line, _, _ in found] == sorted(line for line, _, _ in found)


def test_anchors_and_aliases_are_refused():
    assert faults("a: &x [1, 2]\nb: *x\n") == [(2, "", "no_anchors")]


def test_a_file_that_would_fill_memory_is_refused_at_once():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert faults("\n".join(lines)) == [(2, "", "no_anchors")]


def test_a_file_that_is_not_utf_8_is_told_with_its_line():
    assert faults(b"format: sala-forum/1\nforum: \xff\n") == [(2, "", "not_utf8")]


def test_tabs_are_told_with_their_line():
    assert [(line, code) for line, _, code in faults("format: sala-forum/1\nforum:\n\tslug: x\n")] == [(3, "not_yaml")]


@pytest.mark.parametrize(
    "text",
    [
        "a: [1, 2",
        "a: {b",
        "- 'x",
        "!!python/object:os.system {}",
        "a: !secret x",
        "\x00",
        "%YAML 9.9\n---\na: 1",
        "a: b: c",
    ],
)
def test_what_is_no_yaml_is_told_so(text: str):
    assert [code for _, _, code in faults(text)] == ["not_yaml"]


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "---\n"])
def test_an_empty_file_is_told_so(text: str):
    assert [code for _, _, code in faults(text)] == ["empty_file" if "---" not in text else "not_a_table"]


@pytest.mark.parametrize("text", ["just words", "- a\n- list\n", "12", "null"])
def test_a_file_that_is_no_table_is_told_so(text: str):
    assert faults(text) == [(1, "", "not_a_table")]


def test_a_file_too_large_is_refused_unread():
    assert faults(b"x" * (MOST_BYTES + 1)) == [(0, "", "file_too_large")]


@pytest.mark.parametrize("text", ["[" * 5000, "a:\n" + "".join(" " * n + "- \n" for n in range(1, 600)), "{" * 3000])
def test_deep_nesting_is_a_fault_and_not_a_breakdown(text: str):
    assert {code for _, _, code in faults(text)} & {"not_yaml", "not_a_table", "not_known_here", "missing"}


@pytest.mark.parametrize(
    "text",
    [
        "2027-99-99: 1",
        "a: 2027-99-99",
        "? [a, b]\n: 1",
        "? {a: b}\n: 1",
        "<<: 1",
        "a: 1e999",
        "1: 2",
        "a: 0o99",
        "a: 1:99:99",
        "a: " + "9" * 5000,
    ],
)
def test_odd_values_are_faults_and_not_breakdowns(text: str):
    assert faults(text)


TAGGED = [
    "!!bool x",
    "!!float x",
    "!!float ''",
    "!!int x",
    "!!int ''",
    "!!timestamp x",
    "!!binary x",
    "!!null {}",
    "!x",
]


@pytest.mark.parametrize("value", TAGGED)
def test_a_value_that_is_not_what_its_tag_says_is_told_with_its_line(value: str):
    text = TEXT.replace("name: Denis Schrey", f"name: {value}")
    assert faults(text) == [(line_of(text, f"name: {value}"), "", "not_yaml")]


@pytest.mark.parametrize("year", ["0001", "1900", "2200", "9999"])
@pytest.mark.parametrize(
    ("named", "code"), [("starts_on: 2027-03-23", "not_a_day"), ("opens_at: 2026-11-01T09:00", "not_a_moment")]
)
def test_a_time_that_no_other_zone_has_room_for_is_told_with_its_line(named: str, code: str, year: str):
    name, _, at = named.partition(": ")
    text = TEXT.replace(named, f"{name}: {year}{at[4:]}")
    assert (line_of(text, f"{name}: {year}"), code) in [(line, reason) for line, _, reason in faults(text)]


LINES = TEXT.split("\n")
ODD = st.sampled_from(
    [
        *TAGGED,
        *(
            "{}",
            "[]",
            "null",
            "~",
            "''",
            "yes",
            "=",
            "|",
            ">",
            "- ",
            ": ",
            "? ",
            "<<: ",
            "&a",
            "*a",
            "...",
            "---",
            "%YAML 9",
        ),
        *(".nan", ".inf", "1e400", "0x", "0o99", "1_000", "12:30:45", "9" * 30, "1" + ":1" * 300 + ".0"),
        *("2027-02-30", "2027-02-30T24:99", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "24:99"),
        *("!!set", "!!omap", "!!pairs [a]", "!!str", "!!timestamp 2001-99-99", "!!python/object:os.system x"),
        *('"\\ud800"', "\x00", "\u202e", "-" * 500, "[" * 60),
    ]
)
CHANGED = st.lists(
    st.tuples(st.integers(0, len(LINES) - 1), st.sampled_from(["value", "within", "gone", "shifted", "twice"]), ODD),
    min_size=1,
    max_size=4,
)


@settings(max_examples=EXAMPLES or 25, derandomize=not EXAMPLES)
@given(CHANGED)
def test_whatever_a_forum_file_says_it_is_read_or_refused_with_a_line_of_it(changes: list[tuple[int, str, str]]):
    lines = LINES[:]
    for number, how, odd in changes:
        line = lines[number]
        lines[number] = {
            "value": f"{line.partition(': ')[0]}: {odd}",
            "within": f"{line[: len(line) // 2]}{odd}{line[len(line) // 2 :]}",
            "gone": "",
            "shifted": f"   {line.strip()}",
            "twice": f"{line}\n{line}",
        }[how]
    written = "\n".join(lines).encode()
    told: list[Misplaced] = []
    try:
        read_forum_file(written)
    except BadFile as refused:
        told = refused.faults
    assert all(0 <= each.line <= written.count(b"\n") + 1 for each in told)


@settings(max_examples=EXAMPLES or 60, derandomize=not EXAMPLES)
@given(
    st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
)
def test_whatever_is_sent_as_a_forum_file_is_refused(body: bytes):
    with pytest.raises(BadFile):
        read_forum_file(body)
