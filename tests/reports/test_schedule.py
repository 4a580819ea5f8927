"""The schedule files, held against the rules of the form's public schema."""

import re
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from xml.etree import ElementTree

import pytest

from app.forum.queries import forum_id, forum_page
from app.kit.db import Db
from app.kit.i18n import Lang
from app.programme.queries import published, visible_to
from app.programme.rules.visibility import PUBLIC, Viewer
from app.reports.schedule import Attached, Source, as_schedule, as_xml, has_days
from tests.cast import SLUG

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DURATION, START = re.compile(r"[0-9]+:[0-9]{2}"), re.compile(r"[0-2][0-9]:[0-5][0-9]")
CONFERENCE = {"title", "acronym", "days", "daysCount", "start", "end", "timeslot_duration", "time_zone_name", "rooms"}
SESSION = {
    *("abstract", "answers", "attachments", "date", "description", "do_not_record", "duration", "guid", "id"),
    *("language", "links", "logo", "persons", "recording_license", "room", "slug", "start", "subtitle", "title"),
    *("track", "type", "url"),
}
"""What the schema requires of a session and all that it allows."""


def source(db: Db, lang: Lang = "en", viewer: Viewer = PUBLIC) -> Source:
    page = forum_page(db, SLUG)
    programme = visible_to(published(db, forum_id(page.forum)), viewer)
    return Source(page, programme, lang, "https://forum.example")


def sessions(schedule: dict[str, Any]) -> list[dict[str, Any]]:
    days = schedule["schedule"]["conference"]["days"]
    return [session for day in days for room in day["rooms"].values() for session in room]


@pytest.fixture(params=["en", "km"])
def schedule(request: pytest.FixtureRequest, db: Db) -> dict[str, Any]:
    return as_schedule(source(db, request.param))


def test_every_public_session_at_a_known_time_is_in_it_once(schedule: dict[str, Any]) -> None:
    found = sessions(schedule)
    assert len(found) == 28
    for name in ("id", "guid", "slug"):
        assert len({session[name] for session in found}) == 28, name


def test_the_conference_is_told_as_the_schema_asks(schedule: dict[str, Any]) -> None:
    whole = schedule["schedule"]
    assert {"version", "base_url", "conference"} <= set(whole)
    told = whole["conference"]
    assert set(told) == CONFERENCE
    assert re.fullmatch(r"[a-z0-9_-]+", told["acronym"])
    assert (told["start"], told["end"], told["daysCount"]) == ("2027-03-23", "2027-03-24", 2)
    assert DURATION.fullmatch(told["timeslot_duration"])
    for room in told["rooms"]:
        assert set(room) == {"guid", "name", "capacity"}
        assert UUID.fullmatch(room["guid"])
    names = {room["name"] for room in told["rooms"]}
    assert {name for day in told["days"] for name in day["rooms"]} <= names


def test_every_day_holds_its_own_sessions_between_its_two_ends(schedule: dict[str, Any]) -> None:
    for number, day in enumerate(schedule["schedule"]["conference"]["days"], 1):
        assert set(day) == {"index", "date", "day_start", "day_end", "rooms"}
        assert day["index"] == number
        for name, held in day["rooms"].items():
            for session in held:
                start = datetime.fromisoformat(session["date"])
                assert start.date() == date.fromisoformat(day["date"])
                assert datetime.fromisoformat(day["day_start"]) <= start < datetime.fromisoformat(day["day_end"])
                assert session["room"] == name
                assert session["start"] == f"{start:%H:%M}"


def test_what_there_is_to_read_is_attached_and_what_stands_elsewhere_is_linked(db: Db) -> None:
    plain = source(db)
    one = next(session for session in plain.programme.sessions if session.code == "D1-07")
    ours, theirs = (
        Attached("A paper", "https://forum.example/1"),
        Attached("A film", "https://film.example", leaves=True),
    )
    whole = as_schedule(replace(plain, attached={one.uid: [ours, theirs]}))
    said = {session["slug"]: (session["attachments"], session["links"]) for session in sessions(whole)}
    assert said.pop(f"{SLUG}-d1-07") == (
        [{"title": "A paper", "url": "https://forum.example/1"}],
        [{"title": "A film", "url": "https://film.example"}],
    )
    assert set(map(str, said.values())) == {"([], [])"}
    root = ElementTree.fromstring(as_xml(whole))  # noqa: S314 - our own
    found = {each.tag: (each.get("href"), each.text) for name in ("link", "attachment") for each in root.iter(name)}
    assert found == {
        "attachment": ("https://forum.example/1", "A paper"),
        "link": ("https://film.example", "A film"),
    }


def test_every_session_has_exactly_the_names_and_forms_of_the_schema(schedule: dict[str, Any]) -> None:
    for session in sessions(schedule):
        assert set(session) == SESSION
        assert isinstance(session["id"], int)
        assert 0 < session["id"] < 2**53, "every reader's numbers can hold it"
        assert UUID.fullmatch(session["guid"])
        assert DURATION.fullmatch(session["duration"])
        assert START.fullmatch(session["start"])
        assert datetime.fromisoformat(session["date"]).utcoffset() is not None
        assert session["url"].startswith("https://forum.example/")
        assert session["title"]
        for person in session["persons"]:
            assert isinstance(person["id"], int)
            assert person["public_name"]


def test_ids_stay_whatever_the_language(db: Db) -> None:
    english, khmer = sessions(as_schedule(source(db, "en"))), sessions(as_schedule(source(db, "km")))
    assert [(one["id"], one["guid"]) for one in english] == [(one["id"], one["guid"]) for one in khmer]
    assert [one["subtitle"] for one in english] == [one["title"] for one in khmer]


def test_under_the_chatham_house_rule_and_where_nothing_is_said_nothing_is_recorded(db: Db) -> None:
    seen = source(db)
    rules = {one.code: one.attribution for one in seen.programme.sessions}
    recorded = {
        one["slug"].removeprefix(f"{SLUG}-").upper(): one["do_not_record"] for one in sessions(as_schedule(seen))
    }
    assert {code for code, forbidden in recorded.items() if not forbidden} == {
        code for code, rule in rules.items() if rule == "REC"
    }


def test_the_xml_says_what_the_json_says(schedule: dict[str, Any]) -> None:
    root = ElementTree.fromstring(as_xml(schedule))  # noqa: S314 - our own
    assert [child.tag for child in root][:3] == ["generator", "version", "conference"], "the schema's order"
    found = {there.get("guid"): there for there in root.iter("event")}
    assert len(found) == 28
    for session in sessions(schedule):
        there = found[session["guid"]]
        assert there.get("id") == str(session["id"])
        for name in ("room", "title", "subtitle", "type", "date", "start", "duration", "abstract", "slug", "track"):
            assert (there.findtext(name) or "") == session[name]
        assert [person.text for person in there.iter("person")] == [one["public_name"] for one in session["persons"]]
        assert there.findtext("recording/optout") == ("true" if session["do_not_record"] else "false")
    for day in root.iter("day"):
        assert all(re.search(r"[+-]\d\d:\d\d$", day.get(name, "")) for name in ("start", "end"))


def test_without_a_session_at_a_known_time_there_is_no_schedule(db: Db) -> None:
    seen = source(db)
    assert has_days(seen)
    empty = Source(seen.page, seen.programme.with_sessions(()), "en", seen.base_url)
    assert not has_days(empty)
