"""What changed between two versions of a programme (rules §4.1), and the stamps calendars live by (rules §5).

One list of changes serves the public page, the messages and the log.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum

from app.programme.rules.visibility import Attribution, Viewer, shown


class Kind(StrEnum):
    """What can happen to a session between two versions."""

    ADDED = "added"
    WITHDRAWN = "withdrawn"
    """Gone without a trace. Publishing never does that (`next_sequences` keeps it as cancelled)."""
    CANCELLED = "cancelled"
    RESTORED = "restored"
    MOVED = "moved"
    """In time, to another room, or both."""
    RETITLED = "retitled"
    SPEAKERS_CHANGED = "speakers_changed"
    EDITED = "edited"
    """Anything else one can read: code, tracks, attribution rule, the rest by its fingerprint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A session as the working copy has it: all that a published version says of it."""

    uid: str
    """Immutable; what a calendar knows it by."""
    code: str
    title: tuple[str, str]
    """English, Khmer."""
    start: datetime | None
    """Aware UTC, as `end`; None while it is to be announced."""
    end: datetime | None
    room: str | None
    people: tuple[tuple[str, str], ...]
    """(speaker, role), in the order shown."""
    tracks: tuple[str, ...]
    attribution: Attribution | None
    cancelled: bool
    fingerprint: str
    """Of the remaining public content: equal as long as that is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published(Planned):
    """A session as a published version has it, with its calendar stamps."""

    sequence: int
    """SEQUENCE (RFC 5545 §3.8.7.4)."""
    changed_at: datetime
    """DTSTAMP and LAST-MODIFIED (RFC 5545 §3.8.7.2–3): when anything of it last changed, aware UTC."""


FIELDS: Mapping[Kind, tuple[str, ...]] = {
    Kind.CANCELLED: ("cancelled",),
    Kind.RESTORED: ("cancelled",),
    Kind.MOVED: ("start", "end", "room"),
    Kind.RETITLED: ("title",),
    Kind.SPEAKERS_CHANGED: ("people",),
    Kind.EDITED: ("code", "tracks", "attribution", "fingerprint"),
}
"""Which fields a change of each kind is about; adding and withdrawing are about all."""
STAMPS = ("sequence", "changed_at")
"""Go along with every change of an entry."""
SEQUENCED = ("start", "end", "room", "title", "cancelled")
"""Time, place, title, status: their change raises SEQUENCE (rules §5)."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one session. `before` is None only for ADDED, `after` only for WITHDRAWN."""

    kind: Kind
    before: Published | None
    after: Published | None

    @property
    def entry(self) -> Published:
        """The session as it is now, or was last."""
        entry = self.after or self.before
        if entry is None:
            raise ValueError("a change needs a before or an after")
        return entry

    @property
    def altered(self) -> tuple[str, ...]:
        """Which of the kind's fields differ (MOVED: time, room or both); none if added or withdrawn."""
        if self.before is None or self.after is None:
            return ()
        return _differing(FIELDS[self.kind], self.before, self.after)


def changes(before: Mapping[str, Published], after: Mapping[str, Published]) -> list[Change]:
    """Everything that differs between two versions (uid → entry), by time and code.

    A session that changed in several ways has several changes, in the order of `FIELDS`. `apply` puts them
    back onto `before`.
    """
    found = [change for uid, entry in after.items() for change in _of_one(before.get(uid), entry)]
    found += [Change(Kind.WITHDRAWN, entry, None) for uid, entry in before.items() if uid not in after]
    return sorted(found, key=_order)


def changes_for(before: Mapping[str, Published], after: Mapping[str, Published], viewer: Viewer) -> list[Change]:
    """The changes this viewer may know of (rules §4.5).

    A session opened to the viewer is added. One that has been closed is in no list, not even as withdrawn.
    """
    hidden = {uid for uid, entry in after.items() if not shown(entry, viewer)}
    return changes(
        {uid: entry for uid, entry in before.items() if uid not in hidden and shown(entry, viewer)},
        {uid: entry for uid, entry in after.items() if uid not in hidden},
    )


def apply(before: Mapping[str, Published], made: Iterable[Change]) -> dict[str, Published]:
    """The version that `made` leads to: `apply(before, changes(before, after)) == after`.

    Each change brings only the fields of its kind and the stamps. A session not in `before`: KeyError.
    """
    entries = dict(before)
    for change in made:
        uid = change.entry.uid
        if change.after is None:
            del entries[uid]
        elif change.before is None:
            entries[uid] = change.after
        else:
            brought = {name: getattr(change.after, name) for name in (*FIELDS[change.kind], *STAMPS)}
            entries[uid] = replace(entries[uid], **brought)
    return entries


def next_sequences(before: Mapping[str, Published], after: Iterable[Planned], now: datetime) -> dict[str, Published]:
    """The version to publish at `now` (aware UTC): the working copy with its stamps, uid → entry (rules §5).

    `before` is the last published version with all its tombstones. SEQUENCE grows by one exactly when time,
    place, title or status differ from it, so also when an older state is restored; a new uid begins at 0.
    `changed_at` moves to `now` exactly when anything differs, else the entry is the very same. What the
    working copy lacks stays as cancelled, and goes on from there should it return.
    """
    entries = {planned.uid: _stamped(before.get(planned.uid), planned, now) for planned in after}
    for uid, entry in before.items():
        if uid not in entries:
            entries[uid] = _stamped(entry, replace(entry, cancelled=True), now)
    return entries


def _stamped(before: Published | None, planned: Planned, now: datetime) -> Published:
    content = {field.name: getattr(planned, field.name) for field in fields(Planned)}
    if before is None:
        return Published(**content, sequence=0, changed_at=now)
    if not _differing(tuple(content), before, planned):
        return before
    grows = bool(_differing(SEQUENCED, before, planned))
    return Published(**content, sequence=before.sequence + grows, changed_at=now)


def _of_one(before: Published | None, after: Published) -> list[Change]:
    if before is None:
        return [Change(Kind.ADDED, None, after)]
    kinds = [
        kind for kind, names in FIELDS.items() if _differing(names, before, after) and kind is not _opposite(after)
    ]
    if not kinds and before != after:
        # Only stamps differ. Publishing does not do that, but a list that hid it could not be applied.
        kinds = [Kind.EDITED]
    return [Change(kind, before, after) for kind in kinds]


def _opposite(after: Published) -> Kind:
    return Kind.RESTORED if after.cancelled else Kind.CANCELLED


def _differing(names: tuple[str, ...], before: Planned, after: Planned) -> tuple[str, ...]:
    return tuple(name for name in names if getattr(before, name) != getattr(after, name))


def _order(change: Change) -> tuple[bool, datetime, str, str]:
    entry = change.entry
    start = entry.start or datetime.min.replace(tzinfo=UTC)
    return (entry.start is None, start, entry.code, entry.uid)
