"""The questions of a form: as the page shows them, and as they come back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from app.kit.errors import Answer, Fault, NotFound
from app.kit.i18n import Lang, day, text_of
from app.registration.answering import Sent, Upload
from app.registration.filing import Filed
from app.registration.question_queries import Answered, QuestionView
from app.registration.rules.questions import MOST_FILES, Kind
from app.web.headers import SECRET

FEW = 7
"""Up to so many choices stand in sight; more are a list to choose from."""
KINDS_TAKEN = ".pdf,.jpg,.jpeg,.png,application/pdf,image/jpeg,image/png"


@dataclass(frozen=True, slots=True)
class Field:
    """A question, ready to show: its field, words and choices (value, words, hint); on which field's values it depends.

    `there` is the sender's name of the file kept, `href` where it is.
    """

    name: str
    kind: str
    label: str
    hint: str
    required: bool
    choices: tuple[tuple[str, str, str], ...]
    in_sight: bool
    shown_if: str
    shown_for: str
    there: str = ""
    href: str = ""

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The choices as (value, words)."""
        return [(value, words) for value, words, _ in self.choices]

    @property
    def accept(self) -> str:
        """The kinds of files that a browser offers to choose."""
        return KINDS_TAKEN


def fields_for(
    lang: Lang,
    questions: Sequence[QuestionView],
    files: dict[str, tuple[int, str]] | None = None,
    address: str = "",
) -> list[Field]:
    """The questions as fields; `files` are those kept, which stand under `address`."""
    by_code = {one.code: one for one in questions}
    found = []
    for one in questions:
        if one.shown_if and one.shown_if not in by_code:
            continue  # it depends on what is not asked of this group
        number, there = (files or {}).get(one.code, (0, ""))
        found.append(
            Field(
                name=one.field,
                kind=one.kind.value,
                label=one.label.of(lang),
                hint=_hint(lang, one, by_code),
                required=one.required,
                choices=tuple((value, words.of(lang), "") for value, words in one.options),
                in_sight=len(one.options) <= FEW,
                shown_if=by_code[one.shown_if].field if one.shown_if else "",
                shown_for=" ".join(one.shown_for),
                there=there or (text_of(lang, "registration.questions.file_unnamed") if number else ""),
                href=f"{address}/{number}" if number else "",
            )
        )
    return found


def _hint(lang: Lang, one: QuestionView, by_code: dict[str, QuestionView]) -> str:
    """Everything under the label: on what it depends, help, the kinds of files, why it is asked, who sees it."""
    parts = []
    if one.shown_if:
        decides = by_code[one.shown_if]
        answers = [decides.words_of(value).of(lang) for value in one.shown_for]
        if decides.kind is Kind.CONSENT:
            parts.append(text_of(lang, "registration.questions.only_if_agreed", question=decides.label.of(lang)))
        else:
            parts.append(
                text_of(
                    lang, "registration.questions.only_if", question=decides.label.of(lang), answers=", ".join(answers)
                )
            )
    parts.append(one.help.of(lang))
    if one.kind is Kind.FILE:
        parts.append(text_of(lang, "registration.questions.file_kinds"))
    parts.append(text_of(lang, "registration.questions.why", why=one.why.of(lang)))
    if one.sensitive:
        parts.append(text_of(lang, "registration.questions.sensitive"))
    return " ".join(part for part in parts if part)


def several(questions: Sequence[QuestionView]) -> tuple[str, ...]:
    """The fields that come with a list of values."""
    return tuple(one.field for one in questions if one.kind is Kind.SEVERAL)


def files_asked(questions: Sequence[QuestionView]) -> int:
    """How many files a form may bring."""
    return min(MOST_FILES, sum(one.kind is Kind.FILE for one in questions))


async def read_answers(sent: FormData, questions: Sequence[QuestionView], most_bytes: int) -> Sent:
    """What a form brought for these questions; the files are read, and those too large are not."""
    values: dict[str, str | tuple[str, ...]] = {}
    files: dict[str, Upload] = {}
    for one in questions:
        came = [value for value in sent.getlist(one.field) if isinstance(value, str)]
        values[one.code] = tuple(came) if one.kind is Kind.SEVERAL else (came[0] if came else "")
        upload = sent.get(one.field)
        if one.kind is Kind.FILE and isinstance(upload, UploadFile) and upload.size:
            too_large = upload.size > most_bytes
            files[one.code] = Upload(upload.filename or "", b"" if too_large else await upload.read(), too_large)
    dropped = {one.code for one in questions if sent.get(f"drop-{one.field}") == "yes"}
    await sent.close()
    return Sent(values, files, frozenset(dropped), most_bytes)


class WithFiles(Answer):
    """A refusal with more to say of its fields; its status is the first one's."""

    def __init__(self, refused: Answer, more: Sequence[Fault]) -> None:
        super().__init__(refused.code, **refused.values)
        self.status = refused.status
        self._faults = (*refused.faults, *more)

    @property
    def faults(self) -> tuple[Fault, ...]:
        return self._faults


def file_again(refused: Answer, questions: Sequence[QuestionView], sent: Sent) -> Answer:
    """The same refusal, saying of each good file that it has to be chosen again: no page can keep one."""
    faulty = {fault.field for fault in refused.faults}
    again = [
        Fault(one.field, "upload_again") for one in questions if one.code in sent.files and one.field not in faulty
    ]
    return WithFiles(refused, again) if again else refused


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, ready to read: the question's words, the answer's, or a file with where it is."""

    label: str
    words: str
    sensitive: bool
    typed: bool
    file_name: str = ""
    href: str = ""


def said(lang: Lang, answers: Sequence[Answered], address: str) -> list[Said]:
    """Answers to show; files stand under `address`."""
    found = []
    for one in answers:
        words = ", ".join(words.of(lang) for words in one.words)
        if one.question.kind is Kind.DATE and isinstance(one.value, str):
            words = day_in_words(lang, one.value)
        name = one.file_name or (text_of(lang, "registration.questions.file_unnamed") if one.file else "")
        href = f"{address}/{one.file}" if one.file else ""
        typed = one.question.kind in {Kind.TEXT, Kind.LONG}
        found.append(
            Said(one.question.label.of(lang), "" if one.file else words, one.question.sensitive, typed, name, href)
        )
    return found


def day_in_words(lang: Lang, text: str) -> str:
    """A kept date (YYYY-MM-DD) as the reader expects it."""
    return day(date.fromisoformat(text), lang, "long")


def file_number(text: str) -> int:
    """A path's number of a file. Raises NotFound where it cannot be one."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound
    return int(text)


def download(filed: Filed) -> Response:
    """A file to save, never to be shown within the site: its kind is what its bytes said, its name is made of codes."""
    headers = {
        "content-disposition": f'attachment; filename="{filed.name}"',
        "cache-control": SECRET,
        "x-content-type-options": "nosniff",
    }
    return Response(filed.body, media_type=filed.kind.value, headers=headers)
