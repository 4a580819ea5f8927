"""Loading a forum file into the house, through the deeds of the rooms that own its parts."""

from dataclasses import dataclass
from datetime import datetime

from app.accounts.actor import Actor
from app.editions.form import CategoryPart, ForumFile, SessionPart, instant
from app.forum.founding import put_forum, put_structure
from app.forum.furnishing import as_input
from app.forum.queries import forum_id, rooms_of
from app.kit.db import Db
from app.programme.drafting import put_programme
from app.programme.inputs import SessionInput
from app.programme.publishing import publish
from app.programme.queries import published, working_copy
from app.registration.arranging import put_terms
from app.registration.inputs import CategoryInput, SignUpInput, TermsInput
from app.registration.questioning import put_questions
from app.registration.quotas import put_sign_ups
from app.registration.ranking import put_ladder
from app.registration.retaining import put_retention


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did: the parts that changed, and whether the first version was published by it."""

    slug: str
    changed: tuple[str, ...]
    published: bool


def load(db: Db, by: Actor, file: ForumFile, *, now: datetime) -> Loaded:
    """Bring the forum at the file's slug to what the file says. Loading the same file again changes nothing.

    A forum that has no published programme yet gets its version 1; later loads change the working copy, which
    an organiser looks at and publishes. Raises what the owners' deeds raise.
    """
    zone = file.forum.timezone
    stands = file.forum_calendar
    own_entry = (stands.uid, stands.sequence, stands.changed_at or now) if stands else None
    forum, forum_changed = put_forum(db, by, file.forum, now=now, known=own_entry)
    # rooms that go stay until the programme has left them
    named = {room.code for room in file.rooms}
    leaving = [as_input(room) for room in rooms_of(db, forum_id(forum)) if room.code not in named]
    structure = put_structure(db, by, forum, file.objectives, file.tracks, [*file.rooms, *leaving], now=now)
    terms = TermsInput(
        **{
            **file.registration.model_dump(exclude={"retention_on"}),
            "opens_at": instant(file.registration.opens_at, zone),
            "closes_at": instant(file.registration.closes_at, zone),
        }
    )
    categories = [_category(part, zone) for part in sorted(file.categories, key=lambda part: part.order)]
    registration = put_terms(db, by, forum, terms, categories, now=now)
    registration |= put_questions(db, by, forum, file.questions, now=now)
    if file.ladder is not None:
        registration |= put_ladder(db, by, forum, file.ladder, now=now)
    registration |= put_retention(db, by, forum, file.registration.retention_on, now=now, past_is_meant=True)
    sessions = [_session(part, zone) for part in file.sessions]
    uids = {code: part.uid for code, part in file.calendar.items()}
    programme = put_programme(db, by, forum, file.speakers, sessions, now=now, uids=uids)
    structure |= put_structure(db, by, forum, file.objectives, file.tracks, file.rooms, now=now)
    own = forum_id(forum)
    known = {session.code: session.uid for session in working_copy(db, own)}
    wanted = [
        SignUpInput(session=part.code, places=part.signup_places)
        for part in file.sessions
        if part.signup_places is not None
    ]
    sign_ups = put_sign_ups(db, by, forum, wanted, known, now=now)
    first = bool(file.sessions) and published(db, own).number == 0
    if first:
        kept = {part.uid: (part.sequence, part.changed_at or now) for part in file.calendar.values()}
        publish(db, by, forum, now=now, known=kept)
    parts = {"forum": forum_changed, "structure": structure, "registration": registration or sign_ups}
    parts["programme"] = programme
    return Loaded(forum.slug, tuple(name for name, changed in parts.items() if changed), first)


def _category(part: CategoryPart, zone: str) -> CategoryInput:
    times = {name: instant(getattr(part, name), zone) for name in ("opens_at", "closes_at", "lapses_at")}
    sent = {**part.model_dump(exclude={"order", "name", "description"}), **times}
    return CategoryInput(**sent, name=part.name, description=part.description)


def _session(part: SessionPart, zone: str) -> SessionInput:
    names = SessionInput.model_fields.keys() - {"starts_at", "ends_at"}
    sent = {name: getattr(part, name) for name in names}
    return SessionInput(**sent, starts_at=instant(part.start, zone), ends_at=instant(part.end, zone))
