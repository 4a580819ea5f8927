"""iTIP objects: the feeds' own entry, with one attendee and what is asked of the calendar."""

from datetime import UTC, date, datetime

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ical.calendar_stream import IcsCalendarStream

from app.calendars import ics, itip
from app.calendars.shelves import place_of
from app.kit.i18n import LANGS, Lang
from app.programme.published import PublishedSession
from app.registration.rules.enclosures import Entry, Method
from tests.calendars.sample import CLOSED, LONG, MOVED_SESSION, PUBLISHED, forum, shelf

MADE = datetime(2027, 1, 5, 10, 0, 7, 123456, tzinfo=UTC)
ORGANISER = ("A Small Forum", "desk@secretariat.example")
VANNA = ("Vanna Sok", "vanna@university.example")
PARTIES = itip.Parties(ORGANISER, "sala@localhost", VANNA)
PLACE = place_of(forum())
THEIRS = {"DTSTAMP", "ORGANIZER", "ATTENDEE", "DESCRIPTION"}
"""What differs in a mail: when it was made, between whom, and how changes come."""


def entry_of(session: PublishedSession, lang: Lang = "en") -> icalendar.Event:
    tracks = {track.code: track.title.of(lang) for track in shelf(lang).tracks}
    page, listed = f"https://forum.example/{lang}/small-forum/programme/{session.code}", session is not CLOSED
    return ics.entry_of(session, PLACE, lang, page=page, tracks=tracks, listed=listed, by_mail=True)


def made(session: PublishedSession, method: Method = Method.REQUEST, lang: Lang = "en") -> bytes:
    asked = Entry(session.uid, method, session.sequence)
    return itip.object_of(asked, entry_of(session, lang), PARTIES, lang, zone=shelf(lang).zone, made_at=MADE)


def read(text: bytes) -> icalendar.Event:
    (vevent,) = icalendar.Calendar.from_ical(text).walk("VEVENT")
    assert isinstance(vevent, icalendar.Event)
    return vevent


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("session", [LONG, MOVED_SESSION, CLOSED], ids=lambda one: one.code)
def test_a_request_says_of_a_session_what_its_feed_says(session: PublishedSession, lang: Lang) -> None:
    feed = read(b"BEGIN:VCALENDAR\r\n" + shelf(lang).vevents[session.uid] + ics.END)
    mail = read(made(session, lang=lang))
    assert {name: mail[name] for name in mail if name not in THEIRS} == {
        name: feed[name] for name in feed if name not in THEIRS
    }
    assert mail["DTSTAMP"].dt == MADE.replace(microsecond=0)


def test_the_object_and_its_calendar_say_the_same_of_what_is_asked() -> None:
    for method in Method:
        text = made(MOVED_SESSION, method)
        assert text.count(b"METHOD:") == 1
        assert f"METHOD:{method.value}\r\n".encode() in text
        assert text.count(b"BEGIN:VEVENT") == text.count(b"BEGIN:VTIMEZONE") == 1
        (again,) = IcsCalendarStream.calendar_from_ics(text.decode()).events
        assert (again.uid, again.sequence, len(again.attendees)) == (MOVED_SESSION.uid, 1, 1)


def test_a_cancel_is_cancelled_and_takes_no_time() -> None:
    vevent = read(made(MOVED_SESSION, Method.CANCEL))
    assert (vevent["STATUS"], vevent["TRANSP"]) == ("CANCELLED", "TRANSPARENT")


def test_a_cancel_without_its_entry_names_no_more_than_which_one_goes() -> None:
    asked = Entry(CLOSED.uid, Method.CANCEL, 4)
    text = itip.object_of(asked, None, PARTIES, "en", zone=shelf().zone, made_at=MADE)
    vevent = read(text)
    assert set(vevent) == {"UID", "DTSTAMP", "SEQUENCE", "STATUS", "TRANSP", "ORGANIZER", "ATTENDEE"}
    assert (vevent["SEQUENCE"], b"VTIMEZONE" in text) == (4, False)


def test_who_writes_for_the_organiser_is_said_only_where_it_is_another() -> None:
    def organiser(sender: str) -> icalendar.vCalAddress:
        parties = itip.Parties(ORGANISER, sender, VANNA)
        asked = Entry(LONG.uid, Method.REQUEST, 0)
        found: icalendar.vCalAddress = read(
            itip.object_of(asked, entry_of(LONG), parties, "en", zone=b"", made_at=MADE)
        )["ORGANIZER"]
        return found

    assert organiser("sala@localhost").params["SENT-BY"] == "mailto:sala@localhost"
    assert "SENT-BY" not in organiser(ORGANISER[1]).params


def test_the_forum_is_one_entry_over_its_days_and_ends_after_the_last() -> None:
    whole = ics.WholeForum(
        "f0123456@sala", 2, PUBLISHED, date(2027, 3, 23), date(2027, 3, 24), forum().title, forum().summary, "https://f"
    )
    text = itip.object_of(
        Entry(whole.uid, Method.REQUEST, 2),
        ics.whole_entry_of(whole, PLACE, "km"),
        PARTIES,
        "km",
        zone=b"",
        made_at=MADE,
    )
    vevent = read(text)
    assert b"DTSTART;VALUE=DATE:20270323\r\nDTEND;VALUE=DATE:20270325\r\n" in text
    assert (vevent["SUMMARY"], vevent["SEQUENCE"]) == ("វេទិកាតូចមួយ", 2)
    assert vevent["LAST-MODIFIED"].dt == PUBLISHED


@given(st.text(max_size=80))
def test_whatever_a_name_is_the_object_keeps_its_form(name: str) -> None:
    parties = itip.Parties(ORGANISER, "sala@localhost", (name, VANNA[1]))
    asked = Entry(LONG.uid, Method.REQUEST, 0)
    text = itip.object_of(asked, entry_of(LONG), parties, "en", zone=b"", made_at=MADE)
    assert max(len(line) for line in text.split(b"\r\n")) <= ics.LINE
    vevent = read(text)
    assert vevent["ATTENDEE"] == f"mailto:{VANNA[1]}"
    assert set(vevent["ATTENDEE"].params) <= {"CN", "CUTYPE", "ROLE", "PARTSTAT", "RSVP"}
    assert text.count(b"BEGIN:VEVENT") == 1
