"""A forum's own words for the messages that the site sends by itself: what may be said anew, and by which placeholders.

Around the words stand the greeting, the link with its button and the foot, which nobody can leave out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from string import Formatter
from typing import Any

from sqlalchemy import func, insert, select

from app.accounts.actor import Actor
from app.accounts.models import User
from app.accounts.passkeys import ADDED, REMOVED
from app.accounts.rules import Permission
from app.accounts.second_factor import TURNED_OFF, TURNED_ON
from app.audit.recording import record
from app.correspondence.models import OwnWords
from app.correspondence.rules.placeholders import faults
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Conflict, Fault, Invalid, NotFound
from app.kit.i18n import LANGS, Lang, catalogue, has_text, text_of
from app.kit.inputs import Input, Line, Text
from app.registration.rules.wording import BADGES

_words, _users = table(OwnWords), table(User)


@dataclass(frozen=True, slots=True)
class Words:
    """Subject and text in one language, with placeholders."""

    subject: str
    text: str


class WordsInput(Input):
    """Own words as an organiser sends them; a language left empty has the built-in ones."""

    subject_en: Line = ""
    subject_km: Line = ""
    text_en: Text = ""
    text_km: Text = ""


@dataclass(frozen=True, slots=True)
class MessageKind:
    """A message that the site sends: its template and the second wording it is for, "" for the usual one."""

    template: str
    wording: str = ""

    @property
    def code(self) -> str:
        """Its name in an address: "registration.seated", "registration.seated.badges"."""
        return ".".join(part for part in (self.template.replace("/", "."), self.wording) if part)

    @property
    def when(self) -> str:
        """The text that says when it is sent."""
        return f"messages.when.{self.template.replace('/', '.')}"

    @property
    def room(self) -> str:
        """What it is about: a registration, an invitation, a delegation, a speaker, or somebody's access."""
        return self.template.partition("/")[0]

    def built_in(self, lang: Lang) -> Words:
        """The words it has where the forum has none of its own."""
        key = f"mail.{self.template.replace('/', '.')}"

        def text(part: str) -> str:
            second = f"{self.wording}.{key}.{part}"
            return text_of(lang, second if self.wording and has_text(lang, second) else f"{key}.{part}")

        return Words(text("subject"), text("text").strip())


NOT_A_FORUMS = frozenset({"accounts/sign_in_link", ADDED, REMOVED, TURNED_ON, TURNED_OFF})
"""What the site sends for itself and no forum."""
ALWAYS: Mapping[str, frozenset[str]] = {
    "registration": frozenset({"name", "code", "category", "forum"}),
    "invitation": frozenset({"category", "forum"}),
    "delegation": frozenset({"institution", "category", "forum", "code"}),
    "speaker": frozenset({"forum", "function"}),
    "accounts": frozenset({"forum"}),
}
"""What can be said in every message about something, beside what the built-in words say."""
OF_MEMBERS = frozenset({"delegation/named", "delegation/substituted"})
"""What a delegation's members get: about their registration, and not about the delegation."""
NEEDED: Mapping[str, frozenset[str]] = {
    "registration/seated": frozenset({"hours"}),
    "registration/offered": frozenset({"hours"}),
    "registration/reminder": frozenset({"until"}),
    "registration/picked_up": frozenset({"sessions"}),
    "registration/programme_changed": frozenset({"changes"}),
    "invitation/sent": frozenset({"until"}),
    "invitation/reminder": frozenset({"until"}),
    "delegation/invited": frozenset({"deadline", "seats"}),
    "delegation/reminder": frozenset({"deadline"}),
    "speaker/asked": frozenset({"sessions"}),
    "speaker/programme_changed": frozenset({"changes"}),
    "accounts/invited": frozenset({"roles"}),
}
"""Without these a message would not say what it is sent for: until when, or what."""


@cache
def kinds() -> tuple[MessageKind, ...]:
    """Every message that a forum may put into its own words, in the order of what they are about."""
    named = [key.split(".") for key in catalogue("en") if key.startswith("mail.") and key.endswith(".subject")]
    templates = sorted({f"{parts[1]}/{parts[2]}" for parts in named if len(parts) == 4} - NOT_A_FORUMS)
    badges = {
        f"{parts[2]}/{parts[3]}"
        for parts in (key.split(".") for key in catalogue("en") if key.startswith(f"{BADGES}.mail."))
    }
    there = [MessageKind(template) for template in templates]
    there += [MessageKind(template, BADGES) for template in templates if template in badges]
    order = [key for key in catalogue("en") if key.startswith("messages.when.")]
    return tuple(sorted(there, key=lambda kind: (list(ALWAYS).index(kind.room), order.index(kind.when), kind.wording)))


def kind_of(code: str) -> MessageKind:
    """The message with this name in an address. Raises NotFound."""
    for kind in kinds():
        if kind.code == code:
            return kind
    raise NotFound


@cache
def placeholders_of(kind: MessageKind) -> tuple[str, ...]:
    """What may be put into the words of a message: a closed list, those it needs first."""
    there = {name for lang in LANGS for name in _names(kind.built_in(lang))}
    needed = NEEDED.get(kind.template, frozenset())
    return (*sorted(needed), *sorted((there | ALWAYS[about(kind)]) - needed))


def about(kind: MessageKind) -> str:
    """What a message is about; what members of a delegation get is about their registrations."""
    return "registration" if kind.template in OF_MEMBERS else kind.room


def _names(words: Words) -> Iterator[str]:
    for text in (words.subject, words.text):
        yield from (name for _, name, _, _ in Formatter().parse(text) if name)


def samples(lang: Lang) -> dict[str, str]:
    """A word for every placeholder there is, for where there is nobody to take one from."""
    beginning = "messages.sample."
    return {
        key.removeprefix(beginning): str(text) for key, text in catalogue(lang).items() if key.startswith(beginning)
    }


def own_words(db: Db, own: int, template: str, wording: str, lang: str) -> Words | None:
    """The forum's own words for a message in this language; None where it has the built-in ones. One query."""
    row = _newest(db, own, template, wording)
    if row is None:
        return None
    words = Words(row.subject_km, row.text_km) if lang == "km" else Words(row.subject_en, row.text_en)
    return words if words.text else None


def _newest(db: Db, own: int, template: str, wording: str) -> Any | None:
    mine = (_words.c.forum_id == own) & (_words.c.template == template) & (_words.c.wording == wording)
    return db.execute(select(_words).where(mine).order_by(_words.c.edition.desc()).limit(1)).first()


def worded_kinds(db: Db, own: int) -> dict[tuple[str, str], Any]:
    """The newest edition of each message that the forum ever put into its own words. One query."""
    last = select(func.max(_words.c.id)).where(_words.c.forum_id == own).group_by(_words.c.template, _words.c.wording)
    return {(row.template, row.wording): row for row in db.execute(select(_words).where(_words.c.id.in_(last)))}


def editions_of(db: Db, own: int, kind: MessageKind) -> list[Any]:
    """Every edition of a forum's own words for a message, the newest first, with `by`, who wrote it. One query."""
    mine = (_words.c.forum_id == own) & (_words.c.template == kind.template) & (_words.c.wording == kind.wording)
    wanted = select(_words, _users.c.name.label("by")).outerjoin(_users, _users.c.id == _words.c.user_id)
    return list(db.execute(wanted.where(mine).order_by(_words.c.edition.desc())))


def checked(kind: MessageKind, sent: WordsInput) -> WordsInput:
    """What was sent, a language that says what the built-in words say left empty.

    Raises Invalid, beside the field: `placeholder_unknown`, `placeholder_open`, `placeholder_missing`, `missing` where
    a language has one of subject and text alone.
    """
    kept: dict[str, str] = {}
    wrong: list[Fault] = []
    for lang in LANGS:
        subject, text = getattr(sent, f"subject_{lang}"), getattr(sent, f"text_{lang}")
        as_built_in = Words(subject, text) == kind.built_in(lang)
        kept |= {f"subject_{lang}": "" if as_built_in else subject, f"text_{lang}": "" if as_built_in else text}
        if not as_built_in and (subject or text):
            wrong += wrong_words(lang, subject, text, placeholders_of(kind), NEEDED.get(kind.template, frozenset()))
    if wrong:
        raise Invalid(wrong)
    return WordsInput(**kept)


def wrong_words(
    lang: Lang, subject: str, text: str, known: Sequence[str], needed: frozenset[str] = frozenset()
) -> Iterator[Fault]:
    """What is wrong with subject and text in a language, beside the fields they are sent in."""
    for field, typed, must in ((f"subject_{lang}", subject, frozenset[str]()), (f"text_{lang}", text, needed)):
        if not typed:
            yield Fault(field, "missing")
        else:
            yield from (Fault(field, code, {"name": f"{{{name}}}"}) for code, name in faults(typed, known, must))


def put_words(
    db: Db, by: Actor, forum: Forum, kind: MessageKind, sent: WordsInput, edition: int, *, now: datetime
) -> bool:
    """Give a message the forum's own words from now on, if nobody else did since `edition` (0: never before); says
    whether they are others than before. What waits in the outbox is rendered in them too.

    Raises what `checked` raises; Conflict("words_changed").
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_FORUM, own)
    there = _newest(db, own, kind.template, kind.wording)
    if (there.edition if there else 0) != edition:
        raise Conflict("words_changed")
    words = checked(kind, sent)
    if as_sent(there) == words:
        return False
    whose = {"forum_id": own, "template": kind.template, "wording": kind.wording, "edition": edition + 1}
    signed = {"written_at": now, "user_id": by.id if by.kind == "user" else None}
    db.execute(insert(_words).values(**words.model_dump(), **whose, **signed))
    after = {"mail": kind.template, "number": edition + 1}
    record(db, forum.slug, by.signature, "mail.worded", f"message:{kind.code}", now=now, after=after)
    return True


def as_sent(row: Any | None) -> WordsInput:
    """A kept edition as somebody would send it; none is all built-in."""
    return WordsInput(**{name: getattr(row, name) if row else "" for name in WordsInput.model_fields})


def filled_up(kind: MessageKind, words: WordsInput) -> dict[str, str]:
    """Words as the form shows them: the built-in ones where a language has none of its own."""
    shown: dict[str, str] = {}
    for lang in LANGS:
        built_in = kind.built_in(lang)
        own = Words(getattr(words, f"subject_{lang}"), getattr(words, f"text_{lang}"))
        shown |= {f"subject_{lang}": own.subject or built_in.subject, f"text_{lang}": own.text or built_in.text}
    return shown
