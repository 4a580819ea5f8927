"""What search engines and messengers read of a public page: linked data of schema.org and Open Graph."""

import json
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from app.programme.published import PublishedSession
from app.web.public import Public, Shared

_SCHEDULED, _CANCELLED = "https://schema.org/EventScheduled", "https://schema.org/EventCancelled"


def of_forum(seen: Public, base_url: str) -> Shared:
    """The forum's first page; without linked data while its dates are to be announced."""
    forum, lang = seen.forum, seen.lang
    description = forum.summary.of(lang)
    if forum.starts_on is None or forum.ends_on is None:
        return Shared(description)
    return Shared(
        description,
        _json(
            {
                "@context": "https://schema.org",
                **_forum(seen, base_url),
                "description": description,
                "inLanguage": list(forum.languages),
                "startDate": forum.starts_on.isoformat(),
                "endDate": forum.ends_on.isoformat(),
                "eventStatus": _SCHEDULED,
                "eventAttendanceMode": "https://schema.org/OfflineEventAttendanceMode",
                "location": _place(seen),
            }
        ),
    )


def of_session(seen: Public, one: PublishedSession, base_url: str) -> Shared:
    """A session's page; without linked data while its time is to be announced. Only announced names are told."""
    lang = seen.lang
    words = one.abstract or one.guiding_question
    description = words.of(lang) if words else seen.forum.short_title.of(lang)
    picture = f"/programme/{one.code}/picture.png"
    if one.starts_at is None or one.ends_at is None:
        return Shared(description, picture=picture)
    linked = {
        "@context": "https://schema.org",
        "@type": "Event",
        "@id": f"{base_url}{seen.base}/programme/{one.code}",
        "url": f"{base_url}{seen.base}/programme/{one.code}",
        "name": one.title.of(lang),
        "description": description,
        "inLanguage": list(one.spoken),
        "startDate": one.starts_at.astimezone(seen.zone).isoformat(),
        "endDate": one.ends_at.astimezone(seen.zone).isoformat(),
        "eventStatus": _CANCELLED if one.cancelled else _SCHEDULED,
        "eventAttendanceMode": "https://schema.org/OfflineEventAttendanceMode",
        "location": _place(seen, one.room_name.of(lang) if one.room_name else ""),
        "superEvent": _forum(seen, base_url),
        "performer": [{"@type": "Person", "name": who.name.of(lang)} for who in one.people if who.name],
    }
    return Shared(description, _json({name: value for name, value in linked.items() if value}), picture)


def _forum(seen: Public, base_url: str) -> dict[str, Any]:
    address = f"{base_url}{seen.base}"
    return {"@type": "Event", "@id": address, "url": address, "name": seen.forum.title.of(seen.lang)}


def _place(seen: Public, room: str = "") -> dict[str, Any]:
    forum, lang = seen.forum, seen.lang
    name = ", ".join(part for part in (room, forum.venue_name.of(lang)) if part)
    place: dict[str, Any] = {"@type": "Place", "name": name, "address": forum.venue_address.of(lang)}
    if forum.latitude is not None and forum.longitude is not None:
        place["geo"] = {"@type": "GeoCoordinates", "latitude": forum.latitude, "longitude": forum.longitude}
    return place


def _json(values: Mapping[str, Any]) -> Markup:
    """JSON that ends no element of the page it stands in: a data block is read to the next `</script`."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704 - nothing in it is markup any more
