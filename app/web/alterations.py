"""What several sessions would become, in words: for every preview before the working copy is changed in one go."""

from dataclasses import dataclass

from starlette.datastructures import FormData

from app.kit.errors import Answer, Fault
from app.kit.i18n import Lang, text_of
from app.kit.inputs import parse
from app.programme.altering import Alteration, Wanted
from app.programme.inputs import AlterInput
from app.web.desk_session_words import Difference, Names, differences, in_words
from app.web.forms import Form, refilled
from app.web.pages import sentence
from app.web.working import Obstacle, Working

_SIGNS = {"new": ("good", "+"), "changed": ("still", "✎"), "cancelled": ("bad", "×"), "removed": ("bad", "×")}


@dataclass(frozen=True, slots=True)
class Line:
    """One session that would change: what happens to it, its row in a table (0: none), what differs, what is left out.

    `when` is where and when it takes place after it.
    """

    kind: str
    tone: str
    sign: str
    code: str
    title: str
    row: int
    when: str
    changes: tuple[Difference, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """A whole alteration in words: its lines, how many of each kind, and what stands in the way."""

    lines: tuple[Line, ...]
    counts: str
    untouched: int
    found: tuple[Obstacle, ...]
    gaps: tuple[str, ...]
    mark: str
    can_be_done: bool


def preview_of(working: Working, alteration: Alteration) -> Preview:
    """What would change, in the reader's words."""
    names = Names(working.lang, working.page, working.speakers)
    lines = tuple(_line(names, one) for one in alteration.wanted)
    kinds = [line.kind for line in lines]
    counts = [text_of(working.lang, f"altering.count.{kind}", n=n) for kind in _SIGNS if (n := kinds.count(kind))]
    return Preview(
        lines,
        text_of(working.lang, "programme.and").join(counts),
        len(alteration.untouched),
        tuple(working.obstacle(one) for one in alteration.found),
        alteration.gaps,
        alteration.mark,
        alteration.can_be_done,
    )


def _line(names: Names, one: Wanted) -> Line:
    before, after = one.before.draft if one.before else None, one.after
    named = after or before
    assert named is not None  # noqa: S101 - a session is there before or after
    said = in_words(names, named)
    when = " · ".join(part for part in (said["starts_at"], said["room"]) if part)
    changes = () if after is None else tuple(each for each in differences(names, before, after) if _says(each, before))
    tone, sign = _SIGNS[one.kind]
    notes = tuple(note_of(names.lang, note) for note in one.notes)
    return Line(one.kind, tone, sign, named.code, named.title.of(names.lang), one.row, when, changes, notes)


def _says(one: Difference, before: object) -> bool:
    """Of a new session its code and titles stand in its line already."""
    return before is not None or not one.field.startswith(("code", "title"))


def note_of(lang: Lang, note: Fault) -> str:
    """A note with the name of what it is about."""
    return text_of(lang, "altering.note", what=text_of(lang, f"editor.field.{note.field}"), fault=sentence(lang, note))


def agreed(sent: FormData) -> AlterInput:
    """The button under a preview, read. Raises Invalid."""
    return parse(AlterInput, {name: sent.get(name, "") for name in AlterInput.model_fields})


def asked_again(lang: Lang, sent: FormData, refused: Answer | None) -> Form:
    """The form under a preview: the reason that was typed and what is wrong; the mark is the new preview's."""
    form = refilled(lang, sent, refused) if refused else Form()
    return Form({name: text for name, text in form.kept.items() if name == "reason"}, form.faults)
