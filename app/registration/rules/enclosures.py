"""Which calendar entries a mail takes along for its reader (rules §5): the difference between what they were sent last
and what should stand in their calendar now.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Method(StrEnum):
    """What an entry sent by mail asks of the reader's calendar (RFC 5546 §3.2)."""

    REQUEST = "REQUEST"
    """Take it in, or bring it to what it says."""
    CANCEL = "CANCEL"
    """Take it out."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it was sent to one address, or is due to be."""

    uid: str
    method: Method
    sequence: int


def latest(sent: Iterable[Entry]) -> dict[str, Entry]:
    """What the reader's calendar knows: of each uid the entry that was sent last. `sent` is in the order of sending."""
    return {entry.uid: entry for entry in sent}


def due(sent: Mapping[str, Entry], standing: Mapping[str, int], gone: Mapping[str, int]) -> list[Entry]:
    """What has to be sent, in the order of `standing` and then of `sent`.

    `sent` is what was sent last by uid, `standing` the SEQUENCE of everything that should be in the calendar, `gone`
    that of what should not and is known to have one by now. REQUEST for what is not there or has a lower SEQUENCE,
    CANCEL for what is there and stands no more. For no uid does SEQUENCE ever fall: what comes back after a CANCEL
    has at least the CANCEL's. When all of it is sent, nothing is due.
    """
    found = []
    for uid, sequence in standing.items():
        last = sent.get(uid)
        if last is None or last.method is Method.CANCEL or sequence > last.sequence:
            found.append(Entry(uid, Method.REQUEST, max(sequence, last.sequence if last else 0)))
    for uid, last in sent.items():
        if uid not in standing and last.method is Method.REQUEST:
            found.append(Entry(uid, Method.CANCEL, max(last.sequence, gone.get(uid, 0))))
    return found
