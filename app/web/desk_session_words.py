"""A session of the working copy in words, field by field: for its history, and for two versions side by side."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.forum.queries import ForumPage
from app.kit.i18n import Bilingual, Lang, moment, text_of
from app.programme.inputs import SessionInput


@dataclass(frozen=True, slots=True)
class Names:
    """What the codes in a session stand for, and how its times are read."""

    lang: Lang
    page: ForumPage
    speakers: Mapping[str, Bilingual]


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs: its name in the catalogue, and both values in words ("" for nothing)."""

    field: str
    before: str
    after: str

    @property
    def lang(self) -> str:
        """The language of both values where the field says it; "" for the reader's."""
        return self.field[-2:] if self.field.endswith(("_en", "_km")) else ""


def in_words(names: Names, draft: SessionInput | None) -> dict[str, str]:
    """Every field of a session in words; nothing where there is no session."""
    if draft is None:
        return {}
    lang, page = names.lang, names.page
    found = {"code": draft.code, "type": text_of(lang, f"programme.type.{draft.type}")}
    for name in ("title", "abstract", "guiding_question"):
        text: Bilingual = getattr(draft, name) or Bilingual()
        found |= {f"{name}_en": text.en, f"{name}_km": text.km}
    themes = {slug: title for track in page.tracks for slug, title in track.themes}
    aims = {number: str(number) for number, _ in page.objectives}
    found["tracks"] = _joined(lang, draft.tracks)
    found["themes"] = _joined(lang, (themes[slug].of(lang) if slug in themes else slug for slug in draft.themes))
    found["objectives"] = _joined(lang, (aims.get(number, str(number)) for number in draft.objectives))
    found["facet"] = text_of(lang, f"programme.facets.{draft.facet}") if draft.facet else ""
    room = page.rooms.get(draft.room or "")
    found["room"] = room.name.of(lang) if room else draft.room or ""
    found["setup"] = text_of(lang, f"rooms.setup_names.{draft.setup}") if draft.setup else ""
    found |= {name: _moment(names, getattr(draft, name)) for name in ("starts_at", "ends_at")}
    found["people"] = _joined(lang, (_part(names, part.speaker, part.role) for part in draft.people))
    for name in ("spoken", "interpreted"):
        found[name] = _joined(lang, (text_of(lang, f"programme.language.{each}") for each in getattr(draft, name)))
    found["attribution"] = text_of(lang, f"editor.attribution.{draft.attribution}") if draft.attribution else ""
    found |= {name: _yes(lang, getattr(draft, name)) for name in ("overlap_intended", "cancelled")}
    return found


def differences(names: Names, before: SessionInput | None, after: SessionInput | None) -> list[Difference]:
    """The fields whose words differ, in the form's order."""
    old, new = in_words(names, before), in_words(names, after)
    fields = dict.fromkeys([*old, *new])
    both = (Difference(field, old.get(field, ""), new.get(field, "")) for field in fields)
    return [one for one in both if one.before != one.after]


def _part(names: Names, speaker: str, role: str) -> str:
    named = names.speakers.get(speaker)
    known: Any = {
        "role": text_of(names.lang, f"editor.role.{role}"),
        "name": named.of(names.lang) if named else speaker,
    }
    return text_of(names.lang, "editor.part", **known)


def _moment(names: Names, at: datetime | None) -> str:
    return moment(at, names.lang, names.page.forum.timezone) if at else ""


def _joined(lang: Lang, words: Iterable[str]) -> str:
    return text_of(lang, "programme.and").join(words)


def _yes(lang: Lang, flag: bool) -> str:
    return text_of(lang, "editor.yes") if flag else ""
