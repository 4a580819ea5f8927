"""Reads about questions and what was answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from app.kit.db import Db, table
from app.kit.i18n import Bilingual
from app.kit.questions import Question as Query
from app.registration.models import Answer, Consent, File, Question
from app.registration.rules.questions import YES, Asked, Kind, check

_questions, _answers = table(Question), table(Answer)
_files, _consents = table(File), table(Consent)


@dataclass(frozen=True, slots=True)
class QuestionView:
    """A question with its words; `options` are (value, words), `field` the name of its field in a form."""

    id: int
    code: str
    kind: Kind
    categories: tuple[str, ...]
    label: Bilingual
    help: Bilingual
    why: Bilingual
    required: bool
    sensitive: bool
    options: tuple[tuple[str, Bilingual], ...]
    shown_if: str
    shown_for: tuple[str, ...]
    position: int
    retired: bool
    edition: int

    @property
    def field(self) -> str:
        return f"q-{self.code}"

    @property
    def asked(self) -> Asked:
        """The question as the rule knows it."""
        values = tuple(value for value, _ in self.options)
        return Asked(self.code, self.kind, self.required, values, self.shown_if, self.shown_for)

    def words_of(self, value: str) -> Bilingual:
        """An option's words; the value itself where the option is gone."""
        return next((words for known, words in self.options if known == value), Bilingual(value, value))


def view_of(row: Any) -> QuestionView:
    """A row of the table of questions."""
    return QuestionView(
        id=row.id,
        code=row.code,
        kind=Kind(row.kind),
        categories=tuple(row.categories),
        label=row.label,
        help=row.help,
        why=row.why,
        required=row.required,
        sensitive=row.sensitive,
        options=tuple((one["value"], Bilingual(one["en"], one["km"])) for one in row.options),
        shown_if=row.shown_if,
        shown_for=tuple(row.shown_for),
        position=row.position,
        retired=row.retired_at is not None,
        edition=row.edition,
    )


_OF_FORUM = (
    select(_questions).where(_questions.c.forum_id == bindparam("own")).order_by(_questions.c.position, _questions.c.id)
)
_ALL = Query(_OF_FORUM, named=True)
_ASKED = Query(_OF_FORUM.where(_questions.c.retired_at.is_(None)), named=True)


def questions_of(db: Db, own: int, category: str = "", *, retired: bool = False) -> tuple[QuestionView, ...]:
    """The forum's questions in their order: those of one category (its code), or all; retired ones only if asked for.

    One query.
    """
    rows: list[Any] = db.ask(_ALL if retired else _ASKED, {"own": own})
    return tuple(view_of(row) for row in rows if not category or not row.categories or category in row.categories)


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered to a question and when: a value as kept, or the file (its id, the sender's name for it,
    bytes)."""

    question: QuestionView
    value: str | tuple[str, ...]
    file: int | None = None
    file_name: str = ""
    file_size: int = 0
    at: datetime | None = None

    @property
    def words(self) -> tuple[Bilingual, ...]:
        """The answer in words: those of the options; what was typed as it stands."""
        values = (self.value,) if isinstance(self.value, str) else self.value
        if self.question.options:
            return tuple(self.question.words_of(value) for value in values)
        return tuple(Bilingual(value, value) for value in values)


@dataclass(frozen=True, slots=True)
class Given:
    """A consent as it was given: the very words, their language, when, and until when."""

    question: str
    wording: str
    language: str
    given_at: datetime
    withdrawn_at: datetime | None


def answers_of(db: Db, application: int, *, sensitive: bool) -> tuple[Answered, ...]:
    """What was answered in a registration, files without their bodies, in the order of the questions.

    Without `sensitive` the answers to sensitive questions are not even read. Consents stand apart: `consents_of`.
    One query.
    """
    answered = (_answers.c.question_id == _questions.c.id) & (_answers.c.application_id == application)
    sent = (_files.c.question_id == _questions.c.id) & (_files.c.application_id == application)
    wanted = (
        select(
            _questions,
            _answers.c.value,
            _answers.c.answered_at,
            _files.c.sent_at,
            _files.c.id.label("file"),
            _files.c.name.label("file_name"),
            _files.c.size.label("file_size"),
        )
        .outerjoin(_answers, answered)
        .outerjoin(_files, sent)
        .where(_answers.c.value.is_not(None) | _files.c.id.is_not(None))
        .order_by(_questions.c.position, _questions.c.id)
    )
    if not sensitive:
        wanted = wanted.where(_questions.c.sensitive.is_(False))
    found = []
    for row in db.execute(wanted):
        value = YES if row.value is None else tuple(row.value) if isinstance(row.value, list) else str(row.value)
        at = row.sent_at or row.answered_at
        found.append(Answered(view_of(row), value, row.file, row.file_name or "", row.file_size or 0, at))
    return tuple(found)


def consents_of(db: Db, application: int) -> tuple[Given, ...]:
    """Every consent given in a registration, withdrawn ones too, the oldest first. One query."""
    wanted = (
        select(_consents, _questions.c.code)
        .outerjoin(_questions, _questions.c.id == _consents.c.question_id)
        .where(_consents.c.application_id == application)
        .order_by(_consents.c.id)
    )
    return tuple(
        Given(row.code or "", row.wording, row.language, row.given_at, row.withdrawn_at) for row in db.execute(wanted)
    )


def agreed_of(db: Db, application: int) -> frozenset[str]:
    """The codes of the consent questions that are agreed to now. One query."""
    wanted = (
        select(_questions.c.code)
        .join(_consents, _consents.c.question_id == _questions.c.id)
        .where(_consents.c.application_id == application, _consents.c.withdrawn_at.is_(None))
    )
    return frozenset(db.execute(wanted).scalars())


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """The questions a registration is asked now, with what was answered: values by code, files by code (id, name)."""

    questions: tuple[QuestionView, ...]
    values: dict[str, str | tuple[str, ...]]
    files: dict[str, tuple[int, str]]

    @property
    def unanswered(self) -> int:
        """How many of the questions shown need an answer and have none: somebody else may have filled in the form."""
        return len(unanswered(self.questions, self.values))


def unanswered(questions: Sequence[QuestionView], values: dict[str, str | tuple[str, ...]]) -> tuple[str, ...]:
    """The codes of the questions that need an answer for these values and have none."""
    return tuple(wrong.question for wrong in check([one.asked for one in questions], values).wrong)


def questionnaire_of(
    db: Db, own: int, category: str, application: int, answers: Sequence[Answered] | None = None
) -> Questionnaire:
    """What the form of a registration asks now, and what was answered. Three queries, two where all its `answers` are
    known."""
    questions = questions_of(db, own, category)
    codes = {one.code for one in questions}
    known = answers_of(db, application, sensitive=True) if answers is None else answers
    answered = [one for one in known if one.question.code in codes]
    values = {one.question.code: one.value for one in answered}
    values |= dict.fromkeys(agreed_of(db, application) & codes, YES)
    files = {one.question.code: (one.file, one.file_name) for one in answered if one.file is not None}
    return Questionnaire(questions, values, files)
