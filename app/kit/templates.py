"""The Jinja environments, one per language, so that texts, dates and digits need no argument in a template."""

from collections.abc import Callable
from datetime import date, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context, select_autoescape
from markupsafe import Markup, escape

from app.kit import i18n
from app.kit.compiled import Compiled
from app.kit.i18n import Bilingual, Lang

TEMPLATES = Path(__file__).parent.parent.parent / "templates"
_COMPILED = Compiled("trim_blocks lstrip_blocks autoescape=html,svg,xml")
"""What every language compiles to: see `_at_rendering`."""


def keep_compiled_in(folder: Path) -> None:
    """Let later processes find what this one compiles."""
    _COMPILED.folder = folder


def compile_all(folder: Path) -> None:
    """Compile every template into `folder`, ahead of all who will render: two seconds, nothing while they are there."""
    keep_compiled_in(folder)
    for path in TEMPLATES.rglob("*.*"):
        environment("en").get_template(path.relative_to(TEMPLATES).as_posix())


@cache
def environment(lang: Lang) -> Environment:
    """The environment for pages and mails in `lang`.

    In it: `t(key, …)`, `lang`, `other_lang`, and the filters `words` (a Bilingual's text), `day`, `time`, `moment`,
    `digits` (a number with the reader's digits), `typed` (what a person typed, marked as Khmer on an English page).
    """
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html", "svg", "xml"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=_COMPILED,
    )

    def words(text: Bilingual | None) -> str:
        return text.of(lang) if text else ""

    def day(value: date | datetime, style: str = "full", zone: str | None = None) -> str:
        return i18n.day(value, lang, style, zone)

    def digits(value: float | str) -> str:
        if isinstance(value, str):
            return i18n.khmer_digits(value) if lang == "km" else value
        return i18n.number(value, lang)

    def typed(text: str) -> Markup:
        shown = escape(text)
        if lang != "km" and i18n.is_khmer(text):  # WCAG 2.2, 3.1.2: so that it is read out and set as Khmer
            return Markup('<span lang="km">{}</span>').format(shown)
        return shown

    env.globals.update(t=partial(i18n.text_of, lang), lang=lang, other_lang=i18n.other(lang))
    filters: dict[str, Callable[..., Any]] = {
        "words": words,
        "day": day,
        "digits": digits,
        "typed": typed,
        "time": lambda value, zone: i18n.clock_time(value, lang, zone),
        "moment": lambda value, zone: i18n.moment(value, lang, zone),
    }
    env.filters.update({name: _at_rendering(each) for name, each in filters.items()})
    return env


def _at_rendering(of_a_language: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that is not applied while compiling, not even to a constant: what is compiled is for every language."""

    @pass_context
    def applied(_context: Any, *values: Any, **options: Any) -> Any:
        return of_a_language(*values, **options)

    return applied


def render(lang: Lang, name: str, **context: Any) -> str:
    """Render `templates/<name>` for a reader of `lang` with ready values."""
    return environment(lang).get_template(name).render(context)
