"""Published sessions in the form the rule of changes compares, and the change list of every version for one viewer."""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.kit.i18n import Bilingual
from app.programme.published import Programme, PublishedSession, to_document
from app.programme.rules.changes import Change, Published, changes_for
from app.programme.rules.visibility import Attribution, Viewer, shown

# what the rule compares field by field, and so leaves to no fingerprint
_COMPARED = {"uid", "code", "title", "starts_at", "ends_at", "room", "room_name"}
_COMPARED |= {"people", "tracks", "attribution", "cancelled"}
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
        room=place_of(session),
        people=people_of(session),
        tracks=session.tracks,
        attribution=Attribution(session.attribution) if session.attribution else None,
        cancelled=session.cancelled,
        fingerprint=fingerprint(session),
        sequence=session.sequence,
        changed_at=session.changed_at,
    )


def place_of(session: PublishedSession) -> str | None:
    """The room as it is compared, its code and both names: to a calendar a renamed room is another place."""
    name = session.room_name or Bilingual()
    return "\n".join((session.room, name.en, name.km)) if session.room else None


def place_name(place: str | None) -> Bilingual:
    """The room's name at that time, from what `place_of` made; empty where there is no room."""
    _, en, km = place.split("\n") if place else ("", "", "")
    return Bilingual(en, km)


def people_of(session: PublishedSession) -> tuple[tuple[str, str], ...]:
    """Who speaks as it is compared, with a digest of what is said of each: a name announced is a change of speakers.

    A photograph is not: nobody is written to about one (`fingerprint` has it).
    """
    (whole,) = to_document((session,))["sessions"]
    return tuple(
        (f"{person['code']}\n{_digest({**person, 'photo': None})}", person["role"]) for person in whole["people"]
    )


def fingerprint(session: PublishedSession) -> str:
    """A digest of everything public that the rule does not compare by itself: equal as long as that is."""
    (whole,) = to_document((session,))["sessions"]
    photos = {person["code"]: person["photo"] for person in whole["people"] if person["photo"]}
    kept = {name: value for name, value in whole.items() if name not in _COMPARED | _STAMPS}
    return _digest({**kept, "photos": photos})


def _digest(value: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:32]


def version_for(
    history: Sequence[Programme], number: int, viewer: Viewer, withheld: Collection[str] = ()
) -> Programme | None:
    """The version that everybody was told of under this number, as far as this viewer may know of it today; or None.

    `history` is in the order of publication. A session that is closed to the viewer now is in no old version either,
    and whoever is shown by function now is so in all of them; so is, of those who are in no session any more, whoever
    is among the `withheld` (`queries.withheld_names`).
    """
    then = next((version for version in history if version.public_number == number), None)
    if then is None:
        return None
    gone = {session.uid for session in history[-1].sessions if not shown(session, viewer)}
    people = history[-1].people
    unnamed = {person.code for session in history[-1].sessions for person in session.people if person.name is None}
    unnamed |= {code for code in withheld if code not in people}
    kept = (session for session in then.sessions if session.uid not in gone and shown(session, viewer))
    return then.with_sessions(tuple(_by_function(session, unnamed) for session in kept))


def _by_function(session: PublishedSession, codes: Collection[str]) -> PublishedSession:
    """The session with these speakers shown by function alone."""
    people = (
        replace(person, name=None, bio=None, photo=None) if person.code in codes else person
        for person in session.people
    )
    return replace(session, people=tuple(people))


def steps(history: Sequence[Programme], viewer: Viewer) -> list[Step]:
    """The change lists of all versions that everybody is told of, the newest first (rules §4.5).

    `history` is in the order of publication. A version that changed nothing public has a step only for a viewer who
    sees what it changed. A session that is closed to the viewer today stands in no list of the past either: an old list
    would tell what the present one keeps to itself.
    """
    if not history:
        return []
    gone = {session.uid for session in history[-1].sessions if not shown(entry(session), viewer)}
    found: list[Step] = []
    before: dict[str, Published] = {}
    told = 0
    for version in history:
        after = {uid: one for uid, one in entries(version.sessions).items() if uid not in gone}
        seen = sum(shown(one, viewer) for one in after.values())
        first = not found
        new = () if first else tuple(changes_for(before, after, viewer))
        if new or version.public_number != told:
            found.append(Step(version, new, seen, first))
        before, told = after, version.public_number
    return found[::-1]
