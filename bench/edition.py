"""Editions to measure with: the real forum's file with as many sessions as wanted, and a hall of any size.

Plainly fictional: every session is called by its number. What is real of it is the shape: texts as long as real ones
in both languages, rooms, tracks, people, and the groups that register.
"""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from app.kit import clock

REAL = Path(__file__).parent.parent / "app" / "editions" / "forums" / "phnom-penh-2027.yaml"
OPEN = "ORG"
"""The group in which people register here: open, without a limit."""
A_DAY = 24
AHEAD = timedelta(days=200)


def write_edition(path: Path, slug: str, *, sessions: int = A_DAY, hall: int | None = None) -> None:
    """Write a forum file with this slug and so many sessions, and a hall of another size if one is given; it opened to
    registrations a month ago and begins in 200 days."""
    file = edition(slug, sessions, hall)
    path.write_text(yaml.dump(file, Dumper=_WithoutAliases, allow_unicode=True, sort_keys=False), encoding="utf-8")


class _WithoutAliases(yaml.SafeDumper):
    """Writes everything out: a forum file takes no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - as it is called
        return True


def edition(slug: str, sessions: int, hall: int | None = None) -> dict[str, Any]:
    """The same as values."""
    file: dict[str, Any] = yaml.safe_load(REAL.read_text(encoding="utf-8"))
    first = (clock.now() + AHEAD).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    days = -(-sessions // A_DAY)
    file["forum"] |= {"slug": slug, "featured": False}
    file["forum"] |= {"starts_on": first.date(), "ends_on": (first + timedelta(days=days - 1)).date()}
    opens, closes = first - AHEAD - timedelta(days=30), first - timedelta(days=1)
    file["registration"] |= {"opens_at": opens, "closes_at": closes, "retention_on": None}
    for category in file["categories"]:
        category["lapses_at"] = None
        if hall is not None and category.get("in_hall", True):
            category |= {"guarantee": 0, "limit": None}
    if hall is not None:
        file["registration"] |= {"capacity": hall, "target": hall}
    kinds = [one for one in file["sessions"] if one["abstract"] and one["attribution"] != "CLO"]
    file["sessions"] = [_session(kinds[n % len(kinds)], n, first) for n in range(sessions)]
    return file


def _shuffled(text: str, number: int) -> str:
    """The same words in another order for each session, so that no compression finds one text many times."""
    words = text.split()
    random.Random(number).shuffle(words)
    return " ".join(words)


_ROOMS = ("grand-ballroom", "mekong", "foyer")


def _session(like: Mapping[str, Any], number: int, first: datetime) -> dict[str, Any]:
    """A session like a real one at a time of its own: a day has 24, one after the other, each half an hour, so that
    no room and nobody is booked twice."""
    day, slot = divmod(number, A_DAY)
    start = first + timedelta(days=day, hours=7, minutes=30 * slot)
    abstract = {lang: _shuffled(text, number) for lang, text in like["abstract"].items()}
    title = {lang: " ".join(text.split()[:6]) for lang, text in abstract.items()}
    return {
        **like,
        "code": f"B{day + 1}-{slot + 1:02}",
        "title": {
            "en": f"Benchmark session {number + 1}: {title['en']}",
            "km": f"វគ្គសាកល្បង {number + 1}៖ {title['km']}",
        },
        "abstract": abstract,
        "room": _ROOMS[number % len(_ROOMS)],
        "start": start,
        "end": start + timedelta(minutes=25),
        "signup_places": None,
        "overlap_intended": True,
    }
