"""Whom a mailing may be written to: registrations, speakers and focal points as the rule of segments asks about them.

A further question (a role at the hall's door) is a field of `rules.segments.Person`, filled in here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.correspondence.mailboxes import key_of, opted_out
from app.correspondence.rules.segments import Audience, Person, Segment, fits
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.i18n import Lang
from app.programme.models import Asking, Session, Speaker
from app.programme.rules.speakers import OPEN
from app.registration.desk_filters import Further, conditions
from app.registration.models import Application, Category, Delegation, Pick
from app.registration.people import shown_name

_applications, _categories, _picks = table(Application), table(Category), table(Pick)
_delegations, _speakers, _askings, _sessions = table(Delegation), table(Speaker), table(Asking), table(Session)
ALL = 2**31 - 1
_NAMED = ("titles", "family_name", "given_name", "name_km", "name_order", "display_name")
_ASKED = (
    "email",
    "language",
    "state",
    "attends_as",
    "confirmed_at",
    "country",
    "institution",
    "asked_at",
    "assistant_name",
)


def people_of(db: Db, forum: Forum, segment: Segment, *, below: int = ALL, most: int = ALL) -> list[Person]:
    """The next so many of the segment's audience below an id, the newest first, whether they fit or not. At most two
    queries."""
    if segment.audience is Audience.SPEAKERS:
        return _speaking(db, forum, below, most)
    if segment.audience is Audience.FOCAL_POINTS:
        return _keeping(db, forum, below, most)
    return _registered(db, forum, segment, below, most)


def _registered(db: Db, forum: Forum, segment: Segment, below: int, most: int) -> list[Person]:
    """Erased people have no address, and those joined into another registration are written to as that one."""
    own = forum_id(forum)
    wanted = (
        select(
            _applications.c.id,
            _applications.c.code,
            *(_applications.c[name] for name in (*_NAMED, *_ASKED)),
            _categories.c.code.label("category"),
            _delegations.c.code.label("delegation"),
        )
        .join(_categories, _categories.c.id == _applications.c.category_id)
        .outerjoin(_delegations, _delegations.c.id == _applications.c.delegation_id)
        .where(_applications.c.forum_id == own, _applications.c.id < below)
        .where(_applications.c.erased_at.is_(None), _applications.c.merged_into_id.is_(None))
        # as the desk's list asks it, letter by letter: whoever comes from there writes to those it counted
        .where(*conditions(forum, Further(institution=segment.institution, tag=segment.tag)))
        .order_by(_applications.c.id.desc())
        .limit(most)
    )
    if segment.chosen:
        wanted = wanted.where(_applications.c.code.in_(segment.chosen))
    rows = list(db.execute(wanted))
    chosen = _chose(db, own, segment.session) if segment.session else frozenset()
    return [
        Person(
            id=row.id,
            subject=f"registration:{row.code}",
            email=row.email,
            name=shown_name(row, row.language),
            language=row.language,
            standing=row.state,
            category=row.category,
            capacity=row.attends_as,
            confirmed=row.confirmed_at is not None,
            country=row.country,
            delegation=row.delegation or "",
            institution="" if row.attends_as == "private" else row.institution,
            tags=frozenset({segment.tag} if segment.tag else ()),
            asked_at=row.asked_at,
            sessions=frozenset({segment.session} if row.id in chosen else ()),
            code=row.code,
        )
        for row in rows
    ]


def _chose(db: Db, own: int, code: str) -> frozenset[int]:
    """The applications that chose the session with this code, hold a place in it or wait for one."""
    wanted = (
        select(_picks.c.application_id)
        .join(_sessions, _sessions.c.uid == _picks.c.session_uid)
        .where(_sessions.c.forum_id == own, _sessions.c.code == code)
    )
    return frozenset(db.execute(wanted).scalars())


def _speaking(db: Db, forum: Forum, below: int, most: int) -> list[Person]:
    """Speakers whose own page is open: those who were asked and have an address."""
    wanted = (
        select(_speakers, _askings.c.email, _askings.c.language)
        .join(_askings, _askings.c.speaker_id == _speakers.c.id)
        .where(_speakers.c.forum_id == forum_id(forum), _speakers.c.id < below, _askings.c.state.in_(OPEN))
        .order_by(_speakers.c.id.desc())
        .limit(most)
    )
    return [
        Person(
            row.id,
            f"speaker:{row.code}",
            row.email,
            (row.name or row.function).of(row.language),
            row.language,
            country=row.country or "",
        )
        for row in db.execute(wanted)
    ]


def _keeping(db: Db, forum: Forum, below: int, most: int) -> list[Person]:
    """Focal points of the delegations that were not withdrawn."""
    mine = (_delegations.c.forum_id == forum_id(forum)) & (_delegations.c.id < below)
    wanted = (
        select(_delegations)
        .where(mine, _delegations.c.ended_at.is_(None))
        .order_by(_delegations.c.id.desc())
        .limit(most)
    )
    return [
        Person(
            row.id, f"delegation:{row.code}", row.focal_email, row.focal_name, row.language, country=row.country or ""
        )
        for row in db.execute(wanted)
    ]


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a segment means now: the people who would be written to, how many of them read each language, and how many
    are left out because they want nothing that is not essential. `named` are those of them whom a list may name, and
    `examples` the first of these who read each language."""

    people: Sequence[Person] = ()
    named: Sequence[Person] = ()
    opted_out: int = 0
    by_language: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, Person] = field(default_factory=dict)


def reach_of(db: Db, by: Actor, forum: Forum, segment: Segment, secret: bytes, *, essential: bool) -> Reach:
    """Whom the segment means now. At most three queries, however many they are."""
    by.must(Permission.SEND_MAIL, forum_id(forum))
    meant = once_each([one for one in people_of(db, forum, segment) if fits(segment, one)])
    closed = frozenset[str]() if essential else opted_out(db, forum)
    people = [one for one in meant if not closed or key_of(forum, one.email, secret) not in closed]
    by_language: dict[str, int] = {}
    examples: dict[str, Person] = {}
    for one in people:
        by_language[one.language] = by_language.get(one.language, 0) + 1
    named = [one for one in people if _may_be_named(segment, one)]
    for one in named:
        examples.setdefault(one.language, one)
    return Reach(people, named, len(meant) - len(people), by_language, examples)


def _may_be_named(segment: Segment, person: Person) -> bool:
    """The members of one delegation by name would say where those come from who attend in a private capacity."""
    return person.capacity != "private" or segment.delegation in {"", "any", "none"}


def once_each(people: Sequence[Person]) -> list[Person]:
    """Each name at each address once, as they stand first: who registered again after a cancellation is one person."""
    found: dict[tuple[str, str], Person] = {}
    for one in people:
        found.setdefault((one.email, one.name), one)
    return list(found.values())


def example_for(reach: Reach, lang: Lang) -> Person | None:
    """Whose mail is shown in this language: a reader of it, or else anybody meant."""
    return reach.examples.get(lang) or next(iter(reach.named), None)
