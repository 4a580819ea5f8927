"""The public programme as a schedule in frab's form, which conference applications read, as JSON and as XML.

Checked against the rules of the form's public schema (version of 2024: required names, forms of times, unique ids).
What a viewer may not see is not in the programme that comes in here; this room decides nothing about it.
"""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

from app.forum.queries import ForumPage
from app.kit.i18n import Lang, other, text_of
from app.programme.published import Programme, PublishedPerson, PublishedSession
from app.programme.rules.visibility import may_record

_OURS = uuid.UUID("7c0f3c53-5f0e-5d1c-9a3e-5a1a00000001")
"""The namespace of our ids as UUIDs, which the form wants."""
_TIMESLOT = "00:05"


@dataclass(frozen=True, slots=True)
class Attached:
    """What there is to read of a session: a file of ours, or an address elsewhere (`leaves`)."""

    title: str
    url: str
    leaves: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A forum with its programme as the viewer may see it, in one language; `base_url` is the site's own.

    `attached` has what the viewer may read now, by the sessions' uids.
    """

    page: ForumPage
    programme: Programme
    lang: Lang
    base_url: str
    attached: Mapping[str, Sequence[Attached]] = field(default_factory=dict)

    @property
    def root(self) -> str:
        """The forum's first page."""
        return f"{self.base_url}/{self.lang}/{self.page.forum.slug}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.page.forum.timezone)

    def timed(self) -> list[tuple[PublishedSession, datetime, datetime]]:
        """Sessions that take place at a known time with both ends local, in order. Cancelled ones are not: the form
        has no word for them."""
        found = [
            (one, one.starts_at.astimezone(self.zone), one.ends_at.astimezone(self.zone))
            for one in self.programme.sessions
            if one.starts_at and one.ends_at and not one.cancelled
        ]
        return sorted(found, key=lambda each: (each[1], each[0].code))


def as_schedule(source: Source) -> dict[str, Any]:
    """The whole schedule as values of JSON. Needs the forum's dates; without them there is no schedule yet."""
    forum, lang = source.page.forum, source.lang
    days = _days(source)
    first, last = (forum.starts_on, forum.ends_on) if forum.starts_on and forum.ends_on else (days[0][0], days[-1][0])
    return {
        "$schema": "https://c3voc.de/schedule/schema.json",
        "schedule": {
            "url": f"{source.root}/programme.json",
            "version": str(source.programme.public_number),
            "base_url": f"{source.root}/",
            "generator": {"name": "Sala", "version": "1"},
            "conference": {
                "acronym": forum.slug,
                "title": forum.title.of(lang),
                "start": first.isoformat(),
                "end": last.isoformat(),
                "daysCount": len(days),
                "timeslot_duration": _TIMESLOT,
                "time_zone_name": forum.timezone,
                "rooms": [
                    {"name": room.name.of(lang), "guid": guid(forum.slug, "room", room.code), "capacity": room.seats}
                    for room in source.page.rooms.values()
                    if any(room.code == session.room for session in source.programme.sessions)
                ],
                "days": [_day(source, index, *each) for index, each in enumerate(days, 1)],
            },
        },
    }


def as_xml(schedule: Mapping[str, Any]) -> bytes:
    """The same schedule as XML, in UTF-8."""
    whole = schedule["schedule"]
    root = ElementTree.Element("schedule")
    ElementTree.SubElement(root, "generator", whole["generator"])
    _text(root, "version", whole["version"])
    conference, said = ElementTree.SubElement(root, "conference"), whole["conference"]
    for name in ("acronym", "title", "start", "end"):
        _text(conference, name, said[name])
    _text(conference, "days", str(said["daysCount"]))
    for name in ("timeslot_duration", "time_zone_name"):
        _text(conference, name, said[name])
    _text(conference, "base_url", whole["base_url"])
    for day in said["days"]:
        marks = {"index": str(day["index"]), "date": day["date"], "start": day["day_start"], "end": day["day_end"]}
        there = ElementTree.SubElement(root, "day", marks)
        for name, sessions in day["rooms"].items():
            room = ElementTree.SubElement(there, "room", {"name": name})
            for session in sessions:
                _session_xml(room, session)
    ElementTree.indent(root)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def has_days(source: Source) -> bool:
    """Is there anything a schedule could hold: a session at a known time?"""
    return bool(source.timed())


_Timed = tuple[PublishedSession, datetime, datetime]


def _days(source: Source) -> list[tuple[date, list[_Timed]]]:
    by_day: dict[date, list[_Timed]] = {}
    for each in source.timed():
        by_day.setdefault(each[1].date(), []).append(each)
    return sorted(by_day.items())


def _day(source: Source, index: int, on: date, sessions: Sequence[_Timed]) -> dict[str, Any]:
    rooms: dict[str, list[dict[str, Any]]] = {}
    for each in sessions:
        said = _session(source, *each)
        rooms.setdefault(said["room"], []).append(said)
    return {
        "index": index,
        "date": on.isoformat(),
        "day_start": min(start for _, start, _ in sessions).isoformat(),
        "day_end": max(end for _, _, end in sessions).isoformat(),
        "rooms": rooms,
    }


def _session(source: Source, one: PublishedSession, start: datetime, end: datetime) -> dict[str, Any]:
    lang = source.lang
    title, twin = one.title.of(lang), one.title.of(other(lang))
    tracks = {track.code: track.title.of(lang) for track in source.page.tracks}
    attached = source.attached.get(one.uid, ())
    return {
        "id": _number(one.uid),
        "guid": guid(one.uid),
        "logo": "",
        "date": start.isoformat(),
        "start": f"{start:%H:%M}",
        "duration": _duration(start, end),
        "room": one.room_name.of(lang) if one.room_name else text_of(lang, "programme.room_open"),
        "slug": f"{source.page.forum.slug}-{one.code}".lower(),
        "url": f"{source.root}/programme/{one.code}",
        "title": title,
        "subtitle": twin if twin != title else "",
        "track": " / ".join(tracks[code] for code in one.tracks if code in tracks),
        "type": text_of(lang, f"programme.type.{one.type}"),
        "language": "-".join(one.spoken),
        "abstract": one.abstract.of(lang) if one.abstract else "",
        "description": one.guiding_question.of(lang) if one.guiding_question else "",
        "recording_license": "",
        "do_not_record": not may_record(one.attribution),
        "persons": [_person(person, lang) for person in one.people],
        "links": [{"title": each.title, "url": each.url} for each in attached if each.leaves],
        "attachments": [{"title": each.title, "url": each.url} for each in attached if not each.leaves],
        "answers": [],
    }


def _person(person: PublishedPerson, lang: Lang) -> dict[str, Any]:
    """A person by announced name or by function; the role stands with it, as the form has no place for roles."""
    name = person.shown_as.of(lang)
    return {
        "id": _number(f"person:{person.code}"),
        "code": person.code,
        "name": name,
        "public_name": name,
        "biography": person.bio.of(lang) if person.bio else "",
        "role": person.role,
        "answers": [],
    }


def _session_xml(room: ElementTree.Element, session: Mapping[str, Any]) -> None:
    there = ElementTree.SubElement(room, "event", {"id": str(session["id"]), "guid": session["guid"]})
    plain = ("room", "title", "subtitle", "type", "date", "start", "duration", "abstract", "slug", "track", "language")
    for name in (*plain, "description", "url", "logo"):
        _text(there, name, session[name])
    people = ElementTree.SubElement(there, "persons")
    for person in session["persons"]:
        ElementTree.SubElement(people, "person", {"id": str(person["id"])}).text = person["public_name"]
    recording = ElementTree.SubElement(there, "recording")
    _text(recording, "license", session["recording_license"])
    _text(recording, "optout", "true" if session["do_not_record"] else "false")
    for name, one in (("links", "link"), ("attachments", "attachment")):
        listed = ElementTree.SubElement(there, name)
        for each in session[name]:
            ElementTree.SubElement(listed, one, {"href": each["url"]}).text = each["title"]


def _text(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = text


def _duration(start: datetime, end: datetime) -> str:
    minutes = int((end - start).total_seconds() // 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def guid(*names: str) -> str:
    """The UUID of a thing of ours by its lasting names (RFC 9562 §5.5)."""
    return str(uuid.uuid5(_OURS, "/".join(names)))


def _number(name: str) -> int:
    """A positive whole number that stays with the name; 48 bits, so that every reader's numbers can hold it."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6]) or 1
