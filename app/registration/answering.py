"""Answers: read from what was sent, checked by the rule, kept with files and consents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import delete, insert, select, update

from app.kit.db import Db, table
from app.kit.errors import Fault, Invalid
from app.kit.i18n import Lang, latin_digits, text_of
from app.kit.inputs import Line, Text, faults_of
from app.registration.models import Answer, Consent, File
from app.registration.question_queries import Questionnaire, QuestionView
from app.registration.rules import questions as rule
from app.registration.rules.files import kind_of
from app.registration.rules.questions import YES, Kind

_answers, _files, _consents = table(Answer), table(File), table(Consent)
_LINE, _TEXT = TypeAdapter(Line), TypeAdapter(Text)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came: the sender's name for it, and its bytes; `too_large` where it was more than is taken."""

    name: str
    body: bytes
    too_large: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """What came from a form for its questions, by their codes; `dropped` are files to be taken away.

    `most_bytes` is how large a file may be.
    """

    values: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    files: Mapping[str, Upload] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    most_bytes: int = 5 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ready:
    """Answers that may be kept: the questions asked, which were shown, and the answers by code."""

    questions: tuple[QuestionView, ...]
    answers: Mapping[str, str | tuple[str, ...]]
    sent: Sent
    faults: tuple[Fault, ...]

    def or_refuse(self) -> "Ready":
        """Itself. Raises Invalid with every fault, by field."""
        if self.faults:
            raise Invalid(self.faults)
        return self


def read(questions: Sequence[QuestionView], sent: Sent, there: Mapping[str, tuple[int, str]] | None = None) -> Ready:
    """What was sent, cleaned and checked; `there` are the files kept already. Faults name the fields of the form."""
    faults: dict[str, Fault] = {}
    values: dict[str, str | tuple[str, ...]] = {}
    for one in questions:
        if one.kind is Kind.FILE:
            values[one.code] = _file(one, sent, there or {}, faults)
        else:
            values[one.code] = _clean(one, sent.values.get(one.code, ""), faults)
    checked = rule.check([one.asked for one in questions], values)
    fields = {one.code: one.field for one in questions}
    for wrong in checked.wrong:
        faults.setdefault(wrong.question, Fault(fields[wrong.question], wrong.code, dict(wrong.values)))
    found = tuple(faults[one.code] for one in questions if one.code in faults and one.code in checked.shown)
    return Ready(tuple(questions), checked.answers, sent, found)


def _clean(one: QuestionView, value: str | tuple[str, ...], faults: dict[str, Fault]) -> str | tuple[str, ...]:
    """A typed answer without what cannot be seen; a date in Khmer digits is read too."""
    if not isinstance(value, str):
        return value
    if one.kind is Kind.DATE:
        return latin_digits(value.strip())
    if one.kind not in {Kind.TEXT, Kind.LONG}:
        return value
    try:
        cleaned: str = (_LINE if one.kind is Kind.TEXT else _TEXT).validate_python(value)
    except ValidationError as error:
        (fault, *_) = faults_of(error)
        faults[one.code] = Fault(one.field, fault.code, fault.values)
        return ""
    return cleaned


def _file(one: QuestionView, sent: Sent, there: Mapping[str, tuple[int, str]], faults: dict[str, Fault]) -> str:
    """YES where a file is there after this; what is wrong with a new one is noted."""
    upload = sent.files.get(one.code)
    if upload is None:
        return YES if one.code in there and one.code not in sent.dropped else ""
    if upload.too_large or len(upload.body) > sent.most_bytes:
        faults[one.code] = Fault(one.field, "upload_too_large", {"most": sent.most_bytes // (1024 * 1024)})
    elif kind_of(upload.body) is None:
        faults[one.code] = Fault(one.field, "upload_kind")
    return YES


def keep_first(db: Db, application: int, ready: Ready, language: str, *, now: datetime) -> None:
    """Keep the answers of the form that made a registration: there is nothing of it yet that they would change."""
    for one in ready.questions:
        answer = ready.answers.get(one.code)
        if answer is None:
            continue
        if one.kind is Kind.CONSENT:
            note_consent(db, application, one.label.of(language), language, now=now, question=one.id)
        elif one.kind is Kind.FILE:
            _add_file(db, application, one, ready, now=now)
        else:
            value = list(answer) if isinstance(answer, tuple) else answer
            row = {"application_id": application, "question_id": one.id, "value": value, "answered_at": now}
            db.later(_answers, row)


def keep(db: Db, application: int, ready: Ready, language: str, *, now: datetime) -> tuple[str, ...]:
    """Keep the answers of one form; the codes of the questions whose answer changed.

    Answers to what the form did not ask (retired, or of a former category) stay as they are.
    """
    asked = {one.id: one for one in ready.questions}
    before = {
        row.question_id: row.value
        for row in db.execute(select(_answers).where(_answers.c.application_id == application))
        if row.question_id in asked
    }
    changed: list[str] = []
    for one in ready.questions:
        answer = ready.answers.get(one.code)
        if one.kind is Kind.CONSENT:
            different = _keep_consent(db, application, one, language, given=answer is not None, now=now)
        elif one.kind is Kind.FILE:
            different = _keep_file(db, application, one, ready, wanted=answer is not None, now=now)
        else:
            different = _keep_answer(db, application, one.id, before, answer, now=now)
        changed += [one.code] if different else []
    return tuple(changed)


def _keep_answer(
    db: Db,
    application: int,
    question: int,
    before: Mapping[int, Any],
    answer: str | tuple[str, ...] | None,
    *,
    now: datetime,
) -> bool:
    value = list(answer) if isinstance(answer, tuple) else answer
    if before.get(question) == value:
        return False
    mine = (_answers.c.application_id == application) & (_answers.c.question_id == question)
    db.execute(delete(_answers).where(mine))
    if value is not None:
        row = {"application_id": application, "question_id": question, "value": value, "answered_at": now}
        db.execute(insert(_answers).values(**row))
    return True


def _keep_consent(db: Db, application: int, one: QuestionView, language: str, *, given: bool, now: datetime) -> bool:
    mine = (
        (_consents.c.application_id == application)
        & (_consents.c.question_id == one.id)
        & _consents.c.withdrawn_at.is_(None)
    )
    there = db.execute(select(_consents.c.id).where(mine)).first() is not None
    if there == given:
        return False
    if given:
        note_consent(db, application, one.label.of(language), language, now=now, question=one.id)
    else:
        db.execute(update(_consents).where(mine).values(withdrawn_at=now))
    return True


def note_consent(
    db: Db, application: int, wording: str, language: str, *, now: datetime, question: int | None = None
) -> None:
    """Keep that somebody agreed, to which words, in which language and when."""
    row = {
        "application_id": application,
        "question_id": question,
        "wording": wording,
        "language": language,
        "given_at": now,
    }
    db.later(_consents, row)


def note_form_consent(db: Db, application: int, language: str, *, now: datetime) -> None:
    """Keep the consent without which no registration is taken, in the words of the form."""
    lang: Lang = "km" if language == "km" else "en"
    parts = (text_of(lang, "registration.form.consent"), text_of(lang, "registration.form.consent_hint"))
    note_consent(db, application, "\n".join(parts), lang, now=now)


def _keep_file(db: Db, application: int, one: QuestionView, ready: Ready, *, wanted: bool, now: datetime) -> bool:
    upload = ready.sent.files.get(one.code)
    mine = (_files.c.application_id == application) & (_files.c.question_id == one.id)
    if wanted and upload is None:
        return False
    gone = db.execute(delete(_files).where(mine)).rowcount > 0  # type: ignore[attr-defined]
    if not wanted or upload is None:
        return bool(gone)
    _add_file(db, application, one, ready, now=now)
    return True


def _add_file(db: Db, application: int, one: QuestionView, ready: Ready, *, now: datetime) -> None:
    upload = ready.sent.files[one.code]
    kind = kind_of(upload.body)
    assert kind is not None  # noqa: S101 - `read` has refused the others
    row = {
        "application_id": application,
        "question_id": one.id,
        "name": readable_name(upload.name),
        "media_type": kind.value,
        "size": len(upload.body),
        "body": upload.body,
        "sent_at": now,
    }
    db.execute(insert(_files).values(**row))


def readable_name(name: str) -> str:
    """A sender's name for a file, for reading alone: its last part, without what cannot be seen, 120 characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:120].strip()


def questionnaire_sent(questionnaire: Questionnaire, sent: Sent) -> Ready:
    """What was sent for the questions a registration is asked, its kept files counted. Raises Invalid."""
    return read(questionnaire.questions, sent, questionnaire.files).or_refuse()
