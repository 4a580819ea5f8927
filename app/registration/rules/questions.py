"""Questions: which are shown for the answers so far, what is wrong with answers, what may depend on what (rules §2).

A question may depend on earlier ones alone, so one look from the first to the last decides; a circle cannot be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Kind(StrEnum):
    """What an answer is."""

    TEXT = "text"
    LONG = "long"
    CHOICE = "choice"
    SEVERAL = "several"
    DATE = "date"
    FILE = "file"
    CONSENT = "consent"


CHOSEN = frozenset({Kind.CHOICE, Kind.SEVERAL})
"""Kinds with options."""
DECIDING = CHOSEN | {Kind.CONSENT}
"""Kinds on whose answer another question may depend."""
YES = "yes"
"""The answer of a consent that was given, and of a file that is there."""
LINE, PAGE = 200, 4000
"""The most characters of a text and of a long text."""
YEARS = (1900, 2199)
MOST_FILES = 3
"""Files one form may ask for: a request that holds more is not taken."""

Answer = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the rule knows it; `options` are the values one may choose."""

    code: str
    kind: Kind
    required: bool = False
    options: tuple[str, ...] = ()
    shown_if: str = ""
    shown_for: tuple[str, ...] = ()

    @property
    def deciding_values(self) -> tuple[str, ...]:
        """The answers on which another question may depend."""
        return (YES,) if self.kind is Kind.CONSENT else self.options


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing wrong: the question, a code, and the values of its sentence."""

    question: str
    code: str
    values: Mapping[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checked:
    """What is to be kept, by question; which questions were shown; what is wrong."""

    answers: Mapping[str, Answer]
    shown: frozenset[str]
    wrong: tuple[Wrong, ...]


_NOTHING = {Kind.CONSENT: "answer_agree", Kind.CHOICE: "not_chosen", Kind.SEVERAL: "none_chosen"}
"""What is said of a required question without an answer; of the other kinds that it is missing."""


def check(questions: Sequence[Asked], sent: Mapping[str, Answer]) -> Checked:
    """Answers as sent, against the questions in their order.

    A question not shown keeps no answer, whatever was sent for it, and is never missing. A faulty answer counts as
    none for what depends on it.
    """
    answers: dict[str, Answer] = {}
    shown: set[str] = set()
    wrong: list[Wrong] = []
    for question in questions:
        if not _is_shown(question, shown, answers):
            continue
        shown.add(question.code)
        answer, fault = _read(question, sent.get(question.code, ""))
        if fault is None and not answer and question.required:
            fault = Wrong(question.code, _NOTHING.get(question.kind, "missing"))
        if fault is not None:
            wrong.append(fault)
        elif answer:
            answers[question.code] = answer
    return Checked(answers, frozenset(shown), tuple(wrong))


def _is_shown(question: Asked, shown: set[str], answers: Mapping[str, Answer]) -> bool:
    if not question.shown_if:
        return True
    if question.shown_if not in shown:
        return False
    answer = answers.get(question.shown_if, ())
    given = (answer,) if isinstance(answer, str) else answer
    return not set(given).isdisjoint(question.shown_for)


def _read(question: Asked, sent: Answer) -> tuple[Answer, Wrong | None]:
    """The answer in the form in which it is kept, or what is wrong with it."""
    one = sent if isinstance(sent, str) else (sent[0] if sent else "")
    several = tuple(value for value in ((sent,) if isinstance(sent, str) else sent) if value)
    if question.kind is Kind.SEVERAL:
        if not set(several) <= set(question.options):
            return (), Wrong(question.code, "not_a_choice")
        return tuple(value for value in question.options if value in several), None
    if len(several) > 1:
        return "", Wrong(question.code, "not_a_choice")
    if not one:
        return "", None
    match question.kind:
        case Kind.CHOICE:
            return (one, None) if one in question.options else ("", Wrong(question.code, "not_a_choice"))
        case Kind.DATE:
            return _date(question, one)
        case Kind.TEXT | Kind.LONG:
            most = LINE if question.kind is Kind.TEXT else PAGE
            return (one, None) if len(one) <= most else ("", Wrong(question.code, "too_long", {"most": most}))
        case _:
            return (YES if one == YES else "", None)


def _date(question: Asked, text: str) -> tuple[Answer, Wrong | None]:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return "", Wrong(question.code, "not_a_day")
    if not YEARS[0] <= day.year <= YEARS[1]:
        return "", Wrong(question.code, "not_a_day")
    return day.isoformat(), None


def condition_faults(questions: Sequence[Asked]) -> tuple[Wrong, ...]:
    """Conditions that cannot be asked, for the questions of a forum in their order.

    `condition_not_before`: there is no such question before this one. `condition_kind`: nothing is chosen there.
    `condition_value`: that cannot be answered there.
    """
    before: dict[str, Asked] = {}
    wrong: list[Wrong] = []
    for question in questions:
        if question.shown_if:
            decides = before.get(question.shown_if)
            if decides is None:
                wrong.append(Wrong(question.code, "condition_not_before", {"needed": question.shown_if}))
            elif decides.kind not in DECIDING:
                wrong.append(Wrong(question.code, "condition_kind", {"needed": question.shown_if}))
            elif not question.shown_for or not set(question.shown_for) <= set(decides.deciding_values):
                values = ", ".join(decides.deciding_values)
                wrong.append(Wrong(question.code, "condition_value", {"values": values}))
        before[question.code] = question
    return tuple(wrong)
