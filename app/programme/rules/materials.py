"""When a material is there and for whom (rules §4.2, §4.5).

Beside `visibility.shown`, which says whether a session exists for somebody: `stage` is the one function that every
page, list, export and file asks about a material.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from app.programme.rules.visibility import Attribution, Entry, Viewer, shown, withholds_attendance


class MaterialKind(StrEnum):
    """What a material is."""

    CONCEPT = "concept"
    GUIDELINES = "guidelines"
    PRACTICES = "practices"
    PAPER = "paper"
    SLIDES = "slides"
    SPEECH = "speech"
    READING = "reading"
    NOTES = "notes"
    RECORDING = "recording"


class Release(StrEnum):
    """From when a material may be read."""

    AT_ONCE = "at_once"
    WITH_START = "with_start"
    """When its session begins, as published; not before a time is announced."""
    AT = "at"
    """At an instant of its own."""


class Stage(StrEnum):
    """How a material stands for one viewer."""

    ABSENT = "absent"
    """For this viewer there is none."""
    ANNOUNCED = "announced"
    """Title, kind and note are told, and from when it may be read; neither file nor link."""
    THERE = "there"


TELLS_WHO = frozenset({MaterialKind.SPEECH, MaterialKind.NOTES, MaterialKind.RECORDING})
"""What says who said what: stays inside wherever that does (`visibility.withholds_attendance`)."""


class Held(Protocol):
    """What this rule looks at of a material. `release_at` is an instant (UTC), for `Release.AT` alone."""

    @property
    def session_uid(self) -> str | None:
        """The session it belongs to; None for the forum as a whole."""

    @property
    def kind(self) -> MaterialKind: ...

    @property
    def release(self) -> Release: ...

    @property
    def release_at(self) -> datetime | None: ...

    @property
    def announced(self) -> bool:
        """Is it told of before it is released?"""

    @property
    def stays(self) -> bool:
        """Does it stay where its session is cancelled?"""

    @property
    def removed_at(self) -> datetime | None: ...

    @property
    def has_text(self) -> bool:
        """Is there anything to read: a file in some language, or an address elsewhere?"""


class Slot(Entry, Protocol):
    """A session as published, as this rule looks at it."""

    @property
    def starts_at(self) -> datetime | None: ...

    @property
    def cancelled(self) -> bool: ...


def withheld(kind: MaterialKind, attribution: Attribution | None) -> bool:
    """Does a session's rule keep this kind of material inside? The papers handed in beforehand it lets pass."""
    return kind in TELLS_WHO and withholds_attendance(attribution)


def opens_at(material: Held, session: Slot | None) -> datetime | None:
    """From when (UTC) it may be read; None where it may at once, or no time is known yet."""
    if material.release is Release.AT:
        return material.release_at
    if material.release is Release.WITH_START and session is not None:
        return session.starts_at
    return None


def stage(material: Held, session: Slot | None, viewer: Viewer, *, now: datetime) -> Stage:
    """How a material stands for a viewer. `session` is the published one it belongs to, None where there is none:
    what belongs to a session nobody has published is not there.

    The desk sees what is not released, what is withheld and what still waits for its text, but nothing that was
    removed.
    """
    if material.removed_at is not None:
        return Stage.ABSENT
    if viewer.desk:
        return Stage.THERE
    if not material.has_text:
        return Stage.ABSENT
    if material.session_uid is not None:
        if session is None or not shown(session, viewer):
            return Stage.ABSENT
        if (session.cancelled and not material.stays) or withheld(material.kind, session.attribution):
            return Stage.ABSENT
    at = opens_at(material, session)
    if material.release is Release.AT_ONCE or (at is not None and at <= now):
        return Stage.THERE
    return Stage.ANNOUNCED if material.announced else Stage.ABSENT


def next_release(pairs: Iterable[tuple[Held, Slot | None]], *, now: datetime) -> datetime | None:
    """The next instant (UTC) at which `stage` answers otherwise of one of these; None where time changes nothing."""
    instants = (opens_at(material, session) for material, session in pairs if material.removed_at is None)
    return min((at for at in instants if at is not None and at > now), default=None)
