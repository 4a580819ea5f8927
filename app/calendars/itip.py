"""Calendar entries as mails bring them (RFC 5546, RFC 6047): each object holds one entry and one attendee.

The entry is the one that feeds have; what is added says whose it is and what the reader's calendar is asked to do.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from icalendar import Calendar, Event, vCalAddress, vText

from app.calendars import ics
from app.kit.i18n import Lang
from app.registration.rules.enclosures import Entry, Method


@dataclass(frozen=True, slots=True)
class Parties:
    """Between whom the object goes: the organiser's name and address, the `sender` that writes for them, and the one
    attendee's name and address."""

    organiser: tuple[str, str]
    sender: str
    attendee: tuple[str, str]


def object_of(
    asked: Entry, subject: Event | None, parties: Parties, lang: Lang, *, zone: bytes, made_at: datetime
) -> bytes:
    """The whole text of one object: REQUEST with the entry, or CANCEL of it. Without a `subject` the CANCEL says no
    more than which entry goes.

    SEQUENCE is that of `asked`. DTSTAMP is when the object was made (RFC 5545 §3.8.7.2), so that of two with the same
    SEQUENCE the later one counts (RFC 5546 §2.1.5).
    """
    entry = Event() if subject is None else subject
    values = {
        "uid": vText(asked.uid),
        "sequence": asked.sequence,
        "dtstamp": made_at.astimezone(UTC).replace(microsecond=0),
    }
    if asked.method is Method.CANCEL:
        values |= {"status": vText("CANCELLED"), "transp": vText("TRANSPARENT")}
    for name, value in values.items():
        entry.pop(name, None)
        entry.add(name, value)
    entry.add("organizer", _organiser(parties))
    entry.add("attendee", _attendee(parties))
    calendar = Calendar()
    calendar.add("prodid", f"-//Sala//Forum calendar//{lang.upper()}")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", asked.method.value)
    head = ics.text(calendar).removesuffix(ics.END)
    return b"".join((head, zone if subject is not None else b"", ics.text(entry), ics.END))


def _organiser(parties: Parties) -> vCalAddress:
    name, address = parties.organiser
    found = vCalAddress(f"mailto:{address}")
    found.params["CN"] = _name(name)
    if parties.sender != address:
        found.params["SENT-BY"] = f"mailto:{parties.sender}"
    return found


def _attendee(parties: Parties) -> vCalAddress:
    """Who registered has said that they come: nothing is asked of them."""
    name, address = parties.attendee
    found = vCalAddress(f"mailto:{address}")
    found.params["CN"] = _name(name)
    found.params["CUTYPE"] = "INDIVIDUAL"
    found.params["ROLE"] = "REQ-PARTICIPANT"
    found.params["PARTSTAT"] = "ACCEPTED"
    found.params["RSVP"] = "FALSE"
    return found


def _name(text: str) -> str:
    """A name as a parameter may hold it: no quotation mark (RFC 5545 §3.2), whose later escape many do not read."""
    return " ".join(ics.clean(text).replace('"', "'").replace("^", "'").split())
