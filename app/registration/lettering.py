"""Letters for participants: asked for with the name in the passport, kept as what to print, printed when fetched."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import codes
from app.kit.db import Db, table
from app.kit.errors import NotFound, Refused
from app.registration.applying import person_of
from app.registration.letter_inputs import LetterInput
from app.registration.models import Application, Category, Letter
from app.registration.rules.states import State

_applications, _categories, _letters = table(Application), table(Category), table(Letter)
MOST_LETTERS = 10
"""For one person: both kinds in both languages, and twice mistyped."""


def ask_for_letter(
    db: Db, by: Actor, forum: Forum, code: str, sent: LetterInput, request_key: str, *, now: datetime
) -> str:
    """Have a letter made for the person with this registration; the letter's code.

    Only for who has a confirmed seat: the letter says so. The same request key gives the same letter. What the
    passport says stands in no fact. Raises Refused: `form_sent_already`, `letter_not_yet`, `letters_enough`.
    """
    own = forum_id(forum)
    row, _ = person_of(db, by, forum, code)
    same = (_letters.c.forum_id == own) & (_letters.c.request_key == request_key)
    before = db.execute(select(_letters).where(same)).first()
    if before is not None:
        wanted = {"application_id": row.id, **sent.model_dump()}
        if any(getattr(before, name) != value for name, value in wanted.items()):
            raise Refused("form_sent_already")  # sent before for another letter, then changed and sent again
        return str(before.code)
    if not deserves_letters(row):
        raise Refused("letter_not_yet")
    mine = select(func.count()).where(_letters.c.application_id == row.id)
    if db.execute(mine).scalar_one() >= MOST_LETTERS:
        raise Refused("letters_enough", most=MOST_LETTERS)
    last = db.execute(select(func.max(_letters.c.number)).where(_letters.c.forum_id == own)).scalar_one()
    number, letter = (last or 0) + 1, codes.public_code(10)
    columns = {"forum_id": own, "application_id": row.id, "number": number, "code": letter, "asked_at": now}
    db.execute(insert(_letters).values(**columns, request_key=request_key, **sent.model_dump()))
    after = {"letter": number, "of": sent.kind, "language": sent.language}
    record(db, forum.slug, by.signature, "letter.asked", f"registration:{row.code}", now=now, after=after)
    return letter


def deserves_letters(row: Any) -> bool:
    """Does this registration have a final seat, so that a letter may say so?"""
    return row.state == State.SEATED.value and row.confirmed_at is not None


def letters_of(db: Db, application: int) -> list[Any]:
    """A person's letters, the newest first. One query."""
    mine = _letters.c.application_id == application
    return list(db.execute(select(_letters).where(mine).order_by(_letters.c.number.desc())))


def letter_of(db: Db, application: int, code: str) -> Any:
    """A person's letter to print. Raises NotFound, also for one whose passport details are purged."""
    mine = (_letters.c.application_id == application) & (_letters.c.code == code) & _letters.c.purged_at.is_(None)
    row = db.execute(select(_letters).where(mine)).first()
    if row is None:
        raise NotFound
    return row


_PERSON = (
    "titles",
    "family_name",
    "given_name",
    "name_km",
    "name_order",
    "display_name",
    "attends_as",
    "institution",
    "position_title",
    "state",
    "confirmed_at",
)


def desk_letters(db: Db, by: Actor, forum: Forum) -> list[Any]:
    """Every letter of the forum with whom it is for, the newest first. One query.

    Passports are sensitive: asks for SEE_SENSITIVE.
    """
    by.must(Permission.SEE_SENSITIVE, forum_id(forum))
    named = [_applications.c[name] for name in _PERSON]
    wanted = (
        select(_letters, _applications.c.code.label("registration"), *named)
        .join(_applications, _applications.c.id == _letters.c.application_id)
        .where(_letters.c.forum_id == forum_id(forum))
        .order_by(_letters.c.number.desc())
    )
    return list(db.execute(wanted))


def desk_letter(db: Db, by: Actor, forum: Forum, code: str) -> tuple[Any, Any, Any]:
    """A letter, its person's application and category, to print at the desk. Raises NotFound as `letter_of` does, and
    where the person has no final seat any more."""
    own = forum_id(forum)
    by.must(Permission.SEE_SENSITIVE, own)
    mine = (_letters.c.forum_id == own) & (_letters.c.code == code) & _letters.c.purged_at.is_(None)
    letter = db.execute(select(_letters).where(mine)).first()
    if letter is None:
        raise NotFound
    row = db.execute(select(_applications).where(_applications.c.id == letter.application_id)).one()
    if not deserves_letters(row):
        raise NotFound
    return letter, row, db.execute(select(_categories).where(_categories.c.id == row.category_id)).one()


def forget_passports(db: Db, forum: Forum, *, now: datetime, application: int | None = None) -> int:
    """Purge what letters hold of passports, of one person or of all; how many letters. The caller asks permission and
    records it (rules §2: purged on the retention date)."""
    held = (_letters.c.forum_id == forum_id(forum)) & _letters.c.purged_at.is_(None)
    if application is not None:
        held &= _letters.c.application_id == application
    gone = {"passport_name": "", "passport_number": "", "nationality": "", "birth_date": None, "purged_at": now}
    return int(db.execute(update(_letters).where(held).values(**gone)).rowcount)  # type: ignore[attr-defined]


def reference(forum: Forum, letter: Any) -> str:
    """Under what the secretariat finds a letter: the forum's slug and the letter's number in it."""
    return f"{forum.slug.upper()}/{letter.number:04}"
