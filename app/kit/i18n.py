"""Languages: texts in two catalogues, bilingual values, and dates and numbers as each reader expects them."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date
from markupsafe import Markup, escape
from pydantic import ConfigDict
from sqlalchemy import JSON, Dialect
from sqlalchemy.types import TypeDecorator

from app.kit.decoding import decoded

Lang = Literal["en", "km"]
LANGS: tuple[Lang, ...] = ("en", "km")
LOCALES = Path(__file__).parent.parent / "locales"
_TO_KHMER = str.maketrans("0123456789", "០១២៣៤៥៦៧៨៩")
_TO_LATIN = str.maketrans("០១២៣៤៥៦៧៨៩", "0123456789")
_DATES: dict[str, dict[Lang, str]] = {
    # the official Khmer form names each part: ថ្ងៃអង្គារ ទី២៣ ខែមីនា ឆ្នាំ២០២៧
    "full": {"en": "EEEE d MMMM y", "km": "'ថ្ងៃ'EEEE 'ទី'd 'ខែ'MMMM 'ឆ្នាំ'y"},
    "long": {"en": "d MMMM y", "km": "'ថ្ងៃទី'd 'ខែ'MMMM 'ឆ្នាំ'y"},
    "day": {"en": "EEEE d MMMM", "km": "'ថ្ងៃ'EEEE 'ទី'd 'ខែ'MMMM"},
    "short": {"en": "d MMM y", "km": "d MMMM y"},
    "weekday": {"en": "EEEE", "km": "'ថ្ងៃ'EEEE"},
}


@dataclass(frozen=True, slots=True)
class Bilingual:
    """A text in both languages; an empty one falls back to the other."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    en: str = ""
    km: str = ""

    def of(self, lang: str) -> str:
        """The text for a reader of `lang`, or the other language's where it is empty."""
        return (self.km or self.en) if lang == "km" else (self.en or self.km)

    def __bool__(self) -> bool:
        return bool(self.en or self.km)


class BilingualText(TypeDecorator[Bilingual]):
    """A column that holds a `Bilingual` as JSON; NULL is the empty one's None."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Bilingual | None, _dialect: Dialect) -> Any:
        return None if value is None else {"en": value.en, "km": value.km}

    def process_result_value(self, value: Any, _dialect: Dialect) -> Bilingual | None:
        return _bilingual(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """What makes the value of what the driver gives. SQLite gives its text: the same few titles in row after row,
        which are read once."""
        if dialect.name != "sqlite":
            return super().result_processor(dialect, coltype)
        return lambda text: None if text is None else _read_once(text) if len(text) <= _SHORT else _read(text)


_SHORT = 512
"""Letters of a text as it is stored that is kept read: a title, a name, no page's."""


def _bilingual(value: Any) -> Bilingual | None:
    return None if value is None else Bilingual(value["en"], value["km"])


def _read(text: str) -> Bilingual | None:
    return _bilingual(decoded(text))


_read_once = lru_cache(4096)(_read)


def other(lang: Lang) -> Lang:
    return "en" if lang == "km" else "km"


def wished(accepted: str) -> Lang:
    """The language that an Accept-Language header (RFC 9110 §12.5.4) wishes for most, English where it names none."""
    wishes = []
    for part in accepted.split(","):
        name, _, weight = part.strip().partition(";q=")
        try:
            wishes.append((float(weight) if weight else 1.0, name.lower()[:2]))
        except ValueError:
            continue
    best = max((wish for wish in wishes if wish[1] in LANGS), key=lambda wish: wish[0], default=(1.0, "en"))
    return "km" if best[1] == "km" else "en"


def is_khmer(text: str) -> bool:
    """Is any of it written in the Khmer script?"""
    return any("\u1780" <= letter <= "\u17ff" for letter in text)


def khmer_digits(text: str) -> str:
    return text.translate(_TO_KHMER)


def latin_digits(text: str) -> str:
    return text.translate(_TO_LATIN)


def number(value: float, lang: str) -> str:
    """A number with the reader's digits: 1,250 or ១.២៥០."""
    text = f"{value:,}"
    return khmer_digits(text.replace(",", "\0").replace(".", ",").replace("\0", ".")) if lang == "km" else text


def day(value: date | datetime, lang: Lang, style: str = "full", zone: str | None = None) -> str:
    """A date in words. An instant needs the zone it is read in. Styles: full, long, day, short, weekday."""
    if isinstance(value, datetime):
        value = value.astimezone(ZoneInfo(zone or "UTC")).date()
    text = format_date(value, _DATES[style][lang], locale=lang)
    return khmer_digits(text) if lang == "km" else text


def clock_time(value: datetime, lang: str, zone: str) -> str:
    """An instant's wall-clock time in `zone`: 08:30 or ០៨:៣០."""
    text = value.astimezone(ZoneInfo(zone)).strftime("%H:%M")
    return khmer_digits(text) if lang == "km" else text


def days(first: date | None, last: date | None, lang: Lang) -> str:
    """From which day to which, in words; empty where either is not known."""
    if first is None or last is None:
        return ""
    if first == last:
        return day(first, lang, "full")
    return f"{day(first, lang, 'day' if first.year == last.year else 'full')} – {day(last, lang, 'full')}"


def moment(value: datetime, lang: Lang, zone: str) -> str:
    """Date and time of an instant in `zone`, in words."""
    return text_of(lang, "kit.moment", day=day(value, lang, "full", zone), time=clock_time(value, lang, zone))


@cache
def catalogue(lang: Lang) -> Mapping[str, str | Mapping[str, str]]:
    """Every text of a language by its dotted key; a text with plural forms is a mapping one/other."""
    found: dict[str, str | Mapping[str, str]] = {}
    for path in sorted((LOCALES / lang).glob("*.toml")):
        _flatten(path.stem, tomllib.loads(path.read_text(encoding="utf-8")), found)
    return found


def _flatten(prefix: str, tree: Mapping[str, Any], into: dict[str, str | Mapping[str, str]]) -> None:
    for key, value in tree.items():
        if isinstance(value, str) or set(value) <= {"one", "other"}:
            into[f"{prefix}.{key}"] = value
        else:
            _flatten(f"{prefix}.{key}", value, into)


def has_text(lang: Lang, key: str) -> bool:
    return key in catalogue(lang)


def _shown(value: Any, lang: Lang) -> Any:
    if isinstance(value, Bilingual):
        return value.of(lang)
    return number(value, lang) if isinstance(value, int) and not isinstance(value, bool) else value


def written(value: Any, lang: Lang) -> str:
    """A value as it is put into a text: whole numbers with the reader's digits, a bilingual one in their language."""
    return str(_shown(value, lang))


def worded(lang: Lang, wording: str, key: str, **values: Any) -> str:
    """The text of `key` in a second wording, which stands in the catalogue under `<wording>.<key>`; the usual text
    where there is none or `wording` is empty. Otherwise as `text_of`."""
    second = f"{wording}.{key}"
    return text_of(lang, second if wording and has_text(lang, second) else key, **values)


def text_of(lang: Lang, key: str, **values: Any) -> str:
    """The text of `key`, with its `{named}` values put in; `n` chooses the plural form.

    Whole numbers are written with the reader's digits, bilingual values in the reader's language. Where a value is
    Markup the text is escaped and the answer is Markup, so that a sentence may hold a link. Raises KeyError for an
    unknown key.
    """
    text = catalogue(lang)[key]
    if not isinstance(text, str):
        text = text["one"] if lang == "en" and values.get("n") == 1 and "one" in text else text["other"]
    if not values:
        return text
    shown = {name: _shown(value, lang) for name, value in values.items()}
    if any(isinstance(value, Markup) for value in shown.values()):
        return Markup(escape(text)).format(**shown)  # noqa: S704 - the text is escaped first
    return text.format(**shown)
