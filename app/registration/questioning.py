"""What a forum asks: an organiser's deeds about its questions."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, or_, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Conflict, NotFound, Refused
from app.kit.i18n import Bilingual
from app.registration.inputs import QuestionInput
from app.registration.models import Answer, Category, Consent, File, Question
from app.registration.question_queries import QuestionView, questions_of, view_of
from app.registration.rules.questions import MOST_FILES, Asked, Kind, condition_faults

_questions, _categories = table(Question), table(Category)
_answered = (table(Answer), table(File), table(Consent))


def put_questions(db: Db, by: Actor, forum: Forum, sent: Sequence[QuestionInput], *, now: datetime) -> bool:
    """Bring a forum's questions to what was sent, in this order; says whether anything changed.

    One that is no longer sent is retired, or goes where nobody has answered it. Raises what `save_question` raises.
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_FORUM, own)
    there = {one.code: one for one in questions_of(db, own, retired=True)}
    before = [(one.code, _columns_of(one)) for one in there.values() if not one.retired]
    if before == [(one.code, _columns(one)) for one in sent]:
        return False
    for position, one in enumerate(sent):
        _write(db, own, one, there.get(one.code), position)
    for code, former in there.items():
        if code not in {one.code for one in sent}:
            _take_out(db, former, now)
    _check(db, own, {code for one in sent for code in one.categories})
    after = {"questions": [one.code for one in sent]}
    record(db, forum.slug, by.signature, "questions.loaded", f"forum:{forum.slug}", now=now, after=after)
    return True


def save_question(
    db: Db, by: Actor, forum: Forum, sent: QuestionInput, *, now: datetime, edition: int | None = None
) -> bool:
    """Add a question (no `edition`) at the end, or change the one of this code; says whether anything changed.

    Raises Refused: `question_twice`, `unknown_category`, `question_answered` (its kind stays once somebody has
    answered), `too_many_files`, `condition_not_before`, `condition_kind`, `condition_value`; Conflict
    ("changed_meanwhile") where another change came after `edition`; NotFound.
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_FORUM, own)
    former = _find(db, own, sent.code)
    if edition is None:
        if former is not None:
            raise Refused("question_twice", question=sent.code)
        last = db.execute(select(func.max(_questions.c.position)).where(_questions.c.forum_id == own)).scalar_one()
        _write(db, own, sent, None, 0 if last is None else last + 1)
    else:
        if former is None:
            raise NotFound
        if _columns(sent) == _columns_of(former):
            return False
        if former.edition != edition:
            raise Conflict("changed_meanwhile")
        _write(db, own, sent, former, former.position)
    _check(db, own, sent.categories)
    kind = "question.added" if former is None else "question.changed"
    after = {"kind": sent.kind.value, "label": sent.label.en, "sensitive": sent.sensitive}
    record(db, forum.slug, by.signature, kind, f"question:{sent.code}", now=now, after=after)
    return True


def place_question(db: Db, by: Actor, forum: Forum, code: str, *, up: bool, now: datetime) -> bool:
    """Move a question one place up or down; False at the end. Raises `condition_not_before` where one depends on it."""
    own = forum_id(forum)
    by.must(Permission.EDIT_FORUM, own)
    order = list(questions_of(db, own))
    at = next((number for number, one in enumerate(order) if one.code == code), None)
    if at is None:
        raise NotFound
    to = at - 1 if up else at + 1
    if not 0 <= to < len(order):
        return False
    order[at], order[to] = order[to], order[at]
    for position, one in enumerate(order):
        db.execute(update(_questions).where(_questions.c.id == one.id).values(position=position))
    _check(db, own)
    record(db, forum.slug, by.signature, "question.placed", f"question:{code}", now=now, after={"place": to + 1})
    return True


def retire_question(db: Db, by: Actor, forum: Forum, code: str, *, retired: bool, now: datetime) -> bool:
    """Ask a question no more, or again; its answers stay. Raises Refused("condition_in_use"), NotFound."""
    own = forum_id(forum)
    by.must(Permission.EDIT_FORUM, own)
    former = _find(db, own, code)
    if former is None:
        raise NotFound
    if former.retired == retired:
        return False
    needing = [one.code for one in questions_of(db, own) if one.shown_if == code]
    if retired and needing:
        raise Refused("condition_in_use", questions=", ".join(needing))
    values = {"retired_at": now if retired else None, "edition": former.edition + 1}
    db.execute(update(_questions).where(_questions.c.id == former.id).values(**values))
    _check(db, own)
    kind = "question.retired" if retired else "question.asked_again"
    record(db, forum.slug, by.signature, kind, f"question:{code}", now=now)
    return True


def _find(db: Db, own: int, code: str) -> QuestionView | None:
    row = db.execute(select(_questions).where(_questions.c.forum_id == own, _questions.c.code == code)).first()
    return None if row is None else view_of(row)


_NONE = Bilingual()


def _columns(sent: QuestionInput) -> dict[str, Any]:
    return {
        "kind": sent.kind.value,
        "categories": list(sent.categories),
        "label": sent.label,
        "help": sent.help or _NONE,
        "why": sent.why,
        "required": sent.required,
        "sensitive": sent.sensitive,
        "options": [{"value": one.value, "en": one.label.en, "km": one.label.km} for one in sent.options],
        "shown_if": sent.shown_if,
        "shown_for": list(sent.shown_for),
    }


def _columns_of(one: QuestionView) -> dict[str, Any]:
    return {
        "kind": one.kind.value,
        "categories": list(one.categories),
        "label": one.label,
        "help": one.help,
        "why": one.why,
        "required": one.required,
        "sensitive": one.sensitive,
        "options": [{"value": value, "en": words.en, "km": words.km} for value, words in one.options],
        "shown_if": one.shown_if,
        "shown_for": list(one.shown_for),
    }


def _write(db: Db, own: int, sent: QuestionInput, former: QuestionView | None, position: int) -> None:
    values = {**_columns(sent), "position": position, "retired_at": None}
    if former is None:
        db.execute(insert(_questions).values(forum_id=own, code=sent.code, edition=1, **values))
        return
    if former.kind is not sent.kind and _has_answers(db, former.id):
        raise Refused("question_answered", question=sent.code)
    values["edition"] = former.edition + 1
    db.execute(update(_questions).where(_questions.c.id == former.id).values(**values))


def _take_out(db: Db, former: QuestionView, now: datetime) -> None:
    if not _has_answers(db, former.id):
        db.execute(_questions.delete().where(_questions.c.id == former.id))
    elif not former.retired:
        db.execute(update(_questions).where(_questions.c.id == former.id).values(retired_at=now))


def _has_answers(db: Db, question: int) -> bool:
    kept = [select(rows.c.question_id).where(rows.c.question_id == question).exists() for rows in _answered]
    return bool(db.execute(select(or_(*kept))).scalar_one())


def _check(db: Db, own: int, named: Iterable[str] = ()) -> None:
    """What no single question can see: groups `named` that are not there, conditions, how many files one form asks for.

    A group that has gone since leaves its questions, which then nobody is asked.
    """
    questions = questions_of(db, own)
    groups = list(db.execute(select(_categories.c.code).where(_categories.c.forum_id == own)).scalars())
    if not set(named) <= set(groups):
        raise Refused("unknown_category")
    for wrong in condition_faults([one.asked for one in questions]):
        raise Refused(wrong.code, **{**wrong.values, "question": wrong.question})
    for group in groups:
        files = [one for one in questions if one.kind is Kind.FILE and group in (one.categories or groups)]
        if len(files) > MOST_FILES:
            raise Refused("too_many_files", most=MOST_FILES)


def as_asked(sent: QuestionInput) -> Asked:
    """A question of a forum file as the rule knows it."""
    values = tuple(one.value for one in sent.options)
    return Asked(sent.code, sent.kind, sent.required, values, sent.shown_if, sent.shown_for)
