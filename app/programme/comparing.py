"""Published sessions in the form the rule of changes compares, and the change list of every version for one viewer."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.programme.published import Programme, PublishedSession, to_document
from app.programme.rules.changes import Change, Published, changes_for
from app.programme.rules.visibility import Attribution, Viewer, shown

# what the rule compares field by field, and so leaves to no fingerprint
_COMPARED = {"uid", "code", "title", "starts_at", "ends_at", "room", "tracks", "attribution", "cancelled"}
_STAMPS = {"sequence", "changed_at"}


@dataclass(frozen=True, slots=True)
class Step:
    """A version and what is new in it for one viewer; `first` has no changes but a number of sessions."""

    programme: Programme
    changes: tuple[Change, ...]
    sessions: int
    first: bool


def entries(sessions: Iterable[PublishedSession]) -> dict[str, Published]:
    """Sessions by uid, as `rules.changes` takes them."""
    return {session.uid: entry(session) for session in sessions}


def entry(session: PublishedSession) -> Published:
    """One session as `rules.changes` takes it."""
    return Published(
        uid=session.uid,
        code=session.code,
        title=(session.title.en, session.title.km),
        start=session.starts_at,
        end=session.ends_at,
        room=session.room,
        people=tuple((person.code, person.role) for person in session.people),
        tracks=session.tracks,
        attribution=Attribution(session.attribution) if session.attribution else None,
        cancelled=session.cancelled,
        fingerprint=fingerprint(session),
        sequence=session.sequence,
        changed_at=session.changed_at,
    )


def fingerprint(session: PublishedSession) -> str:
    """A digest of everything public that the rule does not compare by itself: equal as long as that is."""
    (whole,) = to_document((session,))["sessions"]
    rest = {name: value for name, value in whole.items() if name not in _COMPARED | _STAMPS}
    text = json.dumps(rest, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def steps(history: Sequence[Programme], viewer: Viewer) -> list[Step]:
    """The change lists of all versions, the newest first, as far as they exist for this viewer (rules §4.5).

    `history` is in the order of publication. A session that is closed to the viewer today stands in no list of the
    past either: an old list would tell what the present one keeps to itself.
    """
    if not history:
        return []
    gone = {session.uid for session in history[-1].sessions if not shown(entry(session), viewer)}
    found: list[Step] = []
    before: dict[str, Published] = {}
    for version in history:
        after = {uid: one for uid, one in entries(version.sessions).items() if uid not in gone}
        seen = sum(shown(one, viewer) for one in after.values())
        first = not found
        new = () if first else tuple(changes_for(before, after, viewer))
        found.append(Step(version, new, seen, first))
        before = after
    return found[::-1]
