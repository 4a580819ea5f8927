"""The one writer: the bytes themselves, and what other programs read in them."""

import itertools
import re
import unicodedata
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import icalendar
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.calendars.feeds import whole_forum
from app.calendars.ics import LINE, Head, Place, calendar_head, clean, fold, vevent, vtimezone
from app.kit.i18n import LANGS, Bilingual, Lang
from app.programme.published import PublishedSession
from tests.calendars.sample import (
    CANCELLED,
    CLOSED,
    LONG,
    MOVED,
    MOVED_SESSION,
    NOW,
    OPENING,
    golden,
    session,
    shelf,
)

SHOWN = (OPENING, LONG, MOVED_SESSION, CANCELLED)
KHMER = "កិច្ចសហប្រតិបត្តិការសន្តិសុខ ស្ត្រី សង្គ្រោះ រដ្ឋមន្ត្រី អ៊ុំ "
PLACE = Place(Bilingual("House", "ផ្ទះ"), Bilingual("Quay", "ច្រាំង"), 11.5, 104.9, "Asia/Phnom_Penh")
HEAD = Head("Forum", "en", "Asia/Phnom_Penh", "https://f.example/a.ics", "https://f.example/a", "river")


def lines_of(text: bytes) -> list[bytes]:
    assert text.endswith(b"\r\n")
    return text[:-2].split(b"\r\n")


def unfolded(text: bytes) -> list[str]:
    """RFC 5545 §3.1, written again and independent of the writer."""
    return text.replace(b"\r\n ", b"").decode().split("\r\n")[:-1]


def value_of(text: bytes, name: str) -> str:
    """The value of a property as sent, unescaped as RFC 5545 §3.3.11 says."""
    sent = next(line for line in unfolded(text) if re.match(rf"{name}[;:]", line)).split(":", 1)[1]
    return re.sub(r"\\([\\;,nN])", lambda found: "\n" if found[1] in "nN" else found[1], sent)


def titled(title: str, lang: Lang = "en") -> bytes:
    made = session("D1-04", title=Bilingual(title, title))
    return vevent(made, PLACE, lang, page="https://f.example/p", tracks={}, listed=True)


def parsed(text: bytes) -> dict[str, icalendar.Event]:
    return {str(found["UID"]): found for found in icalendar.Calendar.from_ical(text).walk("VEVENT")}


# ---- the bytes


@pytest.mark.parametrize("lang", LANGS)
def test_the_feed_is_what_the_golden_file_holds(lang: Lang) -> None:
    assert whole_forum(shelf(lang), now=NOW).body == golden(lang).read_bytes()


def test_the_same_version_written_twice_is_the_same_to_the_byte() -> None:
    assert whole_forum(shelf(), now=NOW).body == whole_forum(shelf(), now=NOW + timedelta(days=9)).body


@pytest.mark.parametrize("lang", LANGS)
def test_no_line_is_longer_than_75_octets_and_each_is_text_by_itself(lang: Lang) -> None:
    lines = lines_of(whole_forum(shelf(lang), now=NOW).body)
    assert max(map(len, lines)) <= LINE
    assert any(line.startswith(b" ") for line in lines)
    for line in lines:
        line.decode()
        assert b"\n" not in line
        assert b"\r" not in line


def test_a_long_khmer_title_is_folded_between_clusters() -> None:
    lines = [line.decode() for line in lines_of(titled(LONG.title.km, "km"))]
    start = next(number for number, line in enumerate(lines) if line.startswith("SUMMARY:"))
    folds = [lines[start]]
    for line in lines[start + 1 :]:
        if not line.startswith(" "):
            break
        folds.append(line[1:])
    assert len(folds) > 3
    for before, after in itertools.pairwise(folds):
        assert not unicodedata.category(after[0]).startswith("M")
        assert not before.endswith("\u17d2")
    assert "".join(folds) == f"SUMMARY:{LONG.title.km}"


@given(st.text(max_size=300))
@example(KHMER * 9)
@example("\u1780" + "\u17d2\u1780" * 60)
@example("👩‍👩‍👧‍👦🇰🇭🇪🇺👍🏽" * 12)
@example("é" * 80 + "\\n\\," * 30)
def test_folding_keeps_every_character_and_every_limit(text: str) -> None:
    line = "SUMMARY:" + clean(text).replace("\n", " ")
    parts = fold(line).split(b"\r\n ")
    assert all(
        len(part) <= (LINE if first else LINE - 1) for first, part in zip([True, *[False] * 400], parts, strict=False)
    )
    assert "".join(part.decode() for part in parts) == line


def test_a_line_of_exactly_75_octets_is_not_folded() -> None:
    assert fold("X" * 75) == b"X" * 75
    assert fold("X" * 76) == b"X" * 75 + b"\r\n X"


# ---- text of users


@given(st.text(min_size=1, max_size=120), st.sampled_from(LANGS))
@example("One, two; three: \\ four\\n", "en")
@example("\r\nBEGIN:VEVENT\r\nUID:forged@sala\r\nEND:VEVENT", "en")
@example("a\rATTENDEE:mailto:rith@elsewhere.example\n b", "km")
@example("\x0bSTATUS:CANCELLED\x0c\x1c\x85\u2028\u2029", "en")
@example(KHMER, "km")
@example('🇰🇭 “quotes” "plain" 👩‍👩‍👧‍👦', "en")
def test_a_title_comes_back_as_it_was_and_never_adds_a_line(title: str, lang: Lang) -> None:
    plain, made = titled("Plain", lang), titled(title, lang)
    names = [re.split("[;:]", line)[0] for line in unfolded(plain)]
    expected = names if clean(title) else [name for name in names if name != "SUMMARY"]
    assert [re.split("[;:]", line)[0] for line in unfolded(made)] == expected
    assert len(made.decode().splitlines()) == len(lines_of(made))
    if clean(title):
        assert value_of(made, "SUMMARY") == clean(title)
        whole = calendar_head(HEAD) + made + b"END:VCALENDAR\r\n"
        found = icalendar.Calendar.from_ical(whole).walk("VEVENT")
        assert [str(one["SUMMARY"]) for one in found] == [clean(title)]


@pytest.mark.parametrize("title", ["Plain", "One, two; three: \\ four", "“Quotes” and 🇰🇭 flags", KHMER.strip()])
def test_clean_text_is_left_as_it_is(title: str) -> None:
    assert clean(title) == title


def test_every_kind_of_line_break_becomes_one_and_control_characters_go() -> None:
    assert clean("a\r\nb\rc\nd\u2028e\x85f") == "a\nb\nc\nd\ne\nf"
    assert clean("a\x00b\x07c\x7fd\ud800e\tf") == "abcde\tf"


@given(st.text(min_size=1, max_size=60).filter(clean))
@example("Forum\r\nMETHOD:CANCEL")
@example("a, b; c")
def test_a_calendars_name_is_escaped_and_adds_no_line(name: str) -> None:
    made = calendar_head(replace(HEAD, name=name))
    assert len(unfolded(made)) == len(unfolded(calendar_head(HEAD)))
    assert value_of(made, "NAME") == value_of(made, "X-WR-CALNAME") == clean(name)


def test_a_tracks_title_with_a_comma_stays_one_category() -> None:
    found = parsed(whole_forum(shelf(), now=NOW).body)
    assert found[LONG.uid].categories == ["Issues, old and new", "Review"]
    assert found[CANCELLED.uid].categories == ["Review"]
    assert "CATEGORIES" not in found[OPENING.uid]


# ---- what stands in it


def test_the_head_names_the_calendar_its_source_its_colour_and_how_often_to_look() -> None:
    made = unfolded(calendar_head(HEAD))
    assert made[0] == "BEGIN:VCALENDAR"
    assert set(made[1:]) == {
        "VERSION:2.0",
        "PRODID:-//Sala//Forum calendar//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "NAME:Forum",
        "X-WR-CALNAME:Forum",
        "X-WR-TIMEZONE:Asia/Phnom_Penh",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
        "COLOR:steelblue",
        "X-APPLE-CALENDAR-COLOR:#0c4766",
        "SOURCE;VALUE=URI:https://f.example/a.ics",
        "URL:https://f.example/a",
    }


def test_phnom_penh_is_seven_hours_ahead_all_year() -> None:
    made = unfolded(vtimezone("Asia/Phnom_Penh", date(2027, 3, 23), date(2027, 3, 24)))
    assert made == [
        "BEGIN:VTIMEZONE",
        "TZID:Asia/Phnom_Penh",
        "BEGIN:STANDARD",
        "DTSTART:20270101T000000",
        "TZNAME:+07",
        "TZOFFSETFROM:+0700",
        "TZOFFSETTO:+0700",
        "END:STANDARD",
        "END:VTIMEZONE",
    ]


def test_a_zone_with_summer_time_brings_both_offsets() -> None:
    made = unfolded(vtimezone("Europe/Brussels", date(2027, 3, 23), date(2027, 3, 24)))
    assert "BEGIN:DAYLIGHT" in made
    assert {"TZOFFSETTO:+0100", "TZOFFSETTO:+0200"} <= set(made)


def test_both_languages_have_the_same_uids_sequences_and_times() -> None:
    names = ("UID", "SEQUENCE", "DTSTART", "DTEND", "DTSTAMP", "LAST-MODIFIED", "STATUS", "GEO", "CLASS", "TRANSP")
    english, khmer = (parsed(whole_forum(shelf(lang), now=NOW).body) for lang in LANGS)
    assert english.keys() == khmer.keys()
    for uid, entry in english.items():
        for name in names:
            assert entry[name].to_ical() == khmer[uid][name].to_ical(), name
        assert entry["SUMMARY"] != khmer[uid]["SUMMARY"]


def test_the_stamp_is_the_last_change_and_the_sequence_is_the_published_one() -> None:
    entry = parsed(whole_forum(shelf(), now=NOW).body)[MOVED_SESSION.uid]
    assert entry["SEQUENCE"] == 1
    assert entry["DTSTAMP"].dt == entry["LAST-MODIFIED"].dt == MOVED.replace(microsecond=0)


def test_times_are_local_to_the_forum_and_name_its_zone() -> None:
    made = unfolded(titled("Plain"))
    assert "DTSTART;TZID=Asia/Phnom_Penh:20270323T090000" in made
    assert "DTEND;TZID=Asia/Phnom_Penh:20270323T100000" in made


def test_a_cancelled_session_is_cancelled_and_transparent_and_says_so() -> None:
    entry = parsed(whole_forum(shelf(), now=NOW).body)[CANCELLED.uid]
    assert (entry["STATUS"], entry["TRANSP"]) == ("CANCELLED", "TRANSPARENT")
    assert str(entry["DESCRIPTION"]).startswith("Cancelled: Panel\n")
    assert entry["SUMMARY"] == CANCELLED.title.en


def test_the_place_is_room_house_and_address_with_its_position() -> None:
    entry = parsed(whole_forum(shelf(), now=NOW).body)[OPENING.uid]
    assert entry["LOCATION"] == "Hall, Cambodiana Hotel, 313 Sisowath Quay, Phnom Penh"
    assert entry["GEO"].to_ical() == "11.5622;104.9383"


def test_the_description_is_whole_in_the_feeds_language() -> None:
    english, khmer = (str(parsed(whole_forum(shelf(lang), now=NOW).body)[LONG.uid]["DESCRIPTION"]) for lang in LANGS)
    assert english.split("\n\n")[:-1] == [
        "Panel",
        "Guiding question: Which challenges are common?",
        "First line.\nSecond line, with a backslash \\ in it.",
        "Chair: Moderator, member of a research institute\nSpeaker: Prof. Chan Keo, Senior scholar, An institute",
        "Spoken: Khmer, English\nInterpretation into: Khmer, English",
        "Chatham House Rule: What is said may be used, but not who said it, nor who else was in the room.",
    ]
    assert "changes come by themselves" in english.split("\n\n")[-1]
    assert len(khmer.split("\n\n")) == len(english.split("\n\n"))
    assert not re.search("[A-Za-z]{3}", khmer)


def test_no_entry_names_an_attendee_or_organizer() -> None:
    assert not [line for line in unfolded(golden("en").read_bytes()) if line.startswith(("ATTENDEE", "ORGANIZER"))]


def test_a_closed_session_is_confidential_and_asks_not_to_be_passed_on() -> None:
    made = shelf().vevents[CLOSED.uid]
    assert "CLASS:CONFIDENTIAL" in unfolded(made)
    assert "known only to those admitted" in value_of(made, "DESCRIPTION")


def test_an_end_that_is_not_after_the_start_is_left_out() -> None:
    wrong = session("D1-04", ends_at=OPENING.starts_at)
    made = unfolded(vevent(wrong, PLACE, "en", page="https://f.example/p", tracks={}, listed=True))
    assert not [line for line in made if line.startswith("DTEND")]


# ---- what other programs read


def expected(lang: Lang) -> dict[str, tuple[str, datetime, datetime, int]]:
    return {s.uid: (s.title.of(lang), _start(s), _end(s), s.sequence) for s in SHOWN}


def _start(one: PublishedSession) -> datetime:
    assert one.starts_at
    return one.starts_at


def _end(one: PublishedSession) -> datetime:
    assert one.ends_at
    return one.ends_at


def with_icalendar(text: str) -> Iterator[tuple[str, str, datetime, datetime, int, str]]:
    for one in icalendar.Calendar.from_ical(text).walk("VEVENT"):
        yield str(one["UID"]), str(one["SUMMARY"]), one.start, one.end, int(one["SEQUENCE"]), str(one["STATUS"])


def with_ics(text: str) -> Iterator[tuple[str, str, datetime, datetime, int, str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the program's own
        import ics

        found = ics.Calendar(text).events
    for one in found:
        sequence = next(int(line.value) for line in one.extra if line.name == "SEQUENCE")
        yield one.uid, one.name, one.begin.datetime, one.end.datetime, sequence, one.status


def with_ical(text: str) -> Iterator[tuple[str, str, datetime, datetime, int, str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ical.calendar_stream import IcsCalendarStream

        found = IcsCalendarStream.calendar_from_ics(text).events
    for one in found:
        assert one.status
        yield one.uid, one.summary, one.start, one.end, one.sequence, one.status.value  # type: ignore[misc]


def with_vobject(text: str) -> Iterator[tuple[str, str, datetime, datetime, int, str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import vobject

        found = vobject.readOne(text).vevent_list
    for one in found:
        start, end = one.dtstart.value, one.dtend.value
        yield one.uid.value, one.summary.value, start, end, int(one.sequence.value), one.status.value


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("read", [with_icalendar, with_ics, with_ical, with_vobject])
def test_four_other_programs_read_the_same_uids_titles_times_and_states(read: object, lang: Lang) -> None:
    assert callable(read)
    text = whole_forum(shelf(lang), now=NOW).body.decode()
    found = list(read(text))
    assert {uid: (title, start.astimezone(UTC), end.astimezone(UTC), n) for uid, title, start, end, n, _ in found} == (
        expected(lang)
    )
    assert {uid for uid, *_, state in found if state == "CANCELLED"} == {CANCELLED.uid}
