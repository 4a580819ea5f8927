"""The list of participants in words: the values of its page to print, and the rows of its workbook."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from app.forum.models import Forum
from app.kit.i18n import LANGS, Lang, days, khmer_digits, moment, text_of
from app.kit.printing import as_set
from app.registration.participant_lists import Issue
from app.reports.countries import country_name
from app.reports.tables import Cell, as_workbook

COLUMNS = ("number", "heading", "titles", "name", "titles_km", "name_km", "post", "institution", "country", "note")


def status(lang: Lang, issue: Issue) -> str:
    """Provisional, final, or final and which revision."""
    if issue.number > 1:
        return text_of(lang, "participants.status.revised", number=issue.number - 1)
    return text_of(lang, f"participants.status.{'final' if issue.number else 'provisional'}")


def languages_of(issue: Issue) -> tuple[Lang, ...]:
    """The languages a list is in, the first of them that of its page."""
    return LANGS if issue.layout.language == "both" else (issue.layout.language,)


def printed_values(forum: Forum, issue: Issue) -> dict[str, Any]:
    """What `templates/print/participants.typ` says, every text as it is printed."""
    langs = languages_of(issue)

    def both(key: str, **values: Any) -> str:
        return _joined(text_of(lang, key, **values) for lang in langs)

    sections, number = [], 0
    for heading, lines in _sections(issue):
        people = []
        for line in lines:
            number += 1
            people.append(_person(langs, number, line))
        sections.append({"heading": _joined(_heading(lang, heading) for lang in langs), "people": people})
    values = {
        "lang": langs[0],
        "both": len(langs) > 1,
        "label": _joined(forum.format_label.of(lang) for lang in langs),
        "titles": [forum.title.of(lang) for lang in langs],
        "sender": forum.short_title.of(langs[0]),
        "where": [_where(forum, lang) for lang in langs],
        "list": both("participants.print.title"),
        "status": _joined(status(lang, issue) for lang in langs),
        "as_of": [as_of(lang, forum, issue) for lang in langs],
        "foot": f"{status(langs[0], issue)} · {as_of(langs[0], forum, issue)}",
        "sections": sections,
        "total": both("participants.print.total", n=number),
    }
    return {name: _set(value) for name, value in values.items()}


def as_of(lang: Lang, forum: Forum, issue: Issue) -> str:
    """Of which moment the list speaks, at the forum's place."""
    return text_of(lang, "participants.as_of", when=moment(issue.made_at, lang, forum.timezone))


def workbook_of(forum: Forum, issue: Issue) -> bytes:
    """The list as a workbook: what it is and of when stands above; one row for each person."""
    langs = languages_of(issue)
    shown = [name for name in COLUMNS if len(langs) > 1 or not name.endswith("_km")]
    headings = [_joined(text_of(lang, f"participants.column.{name}") for lang in langs) for name in shown]
    rows: list[list[Cell]] = []
    for heading, lines in _sections(issue):
        for line in lines:
            cells: dict[str, Cell] = {
                "number": len(rows) + 1,
                "heading": _joined(_heading(lang, heading) for lang in langs),
                "post": line["post"],
                "institution": _joined(line["institution"][lang] for lang in langs),
                "country": _joined(country_name(line["country"], lang) for lang in langs),
                "note": _joined(_note(lang, line) for lang in langs),
                "titles": line["titles"],
                "name": line["name"],
                "titles_km": line["titles_km"],
                "name_km": line["name_km"],
            }
            if langs == ("km",):
                cells |= {"titles": line["titles_km"], "name": line["name_km"] or line["name"]}
            rows.append([cells[name] for name in shown])
    title = _joined(text_of(lang, "participants.print.title") for lang in langs)
    state = _joined(f"{status(lang, issue)} – {as_of(lang, forum, issue)}" for lang in langs)
    above = [title, _joined(forum.title.of(lang) for lang in langs), state]
    return as_workbook(headings, rows, text_of(langs[0], "participants.print.title"), above)


def _sections(issue: Issue) -> list[tuple[dict[str, str], list[dict[str, Any]]]]:
    found = groupby(issue.lines, key=lambda line: (line["heading"]["en"], line["heading"]["km"]))
    return [({"en": en, "km": km}, list(lines)) for (en, km), lines in found]


def _heading(lang: Lang, heading: dict[str, str]) -> str:
    return heading[lang] or heading["en"] or text_of(lang, "precedence.private")


def _person(langs: Sequence[Lang], number: int, line: dict[str, Any]) -> dict[str, Any]:
    latin = " ".join(part for part in (line["titles"], line["name"]) if part)
    khmer = " ".join(part for part in (line["titles_km"], line["name_km"]) if part) if line["name_km"] else ""
    names = [khmer or latin] if langs[0] == "km" else [latin, khmer if len(langs) > 1 else ""]
    # what stands over the line need not stand in it
    heading = line["heading"]
    institutions = dict.fromkeys(line["institution"][lang] for lang in langs if line["institution"] != heading)
    countries = _joined(country_name(line["country"], lang) for lang in langs)
    return {
        "number": khmer_digits(str(number)) if langs[0] == "km" else str(number),
        "names": [name for name in names if name],
        "note": _joined(_note(lang, line) for lang in langs) if heading["en"] else "",
        "said": [part for part in (line["post"], *institutions, countries) if part],
    }


def _note(lang: Lang, line: dict[str, Any]) -> str:
    if line["private"]:
        return text_of(lang, "precedence.private")
    return text_of(lang, "participants.head") if line["head"] else ""


def _where(forum: Forum, lang: Lang) -> str:
    place = forum.venue_name.of(lang) or text_of(lang, "forum.place_open")
    return f"{days(forum.starts_on, forum.ends_on, lang) or text_of(lang, 'forum.dates_open')}, {place}"


def _joined(parts: Any) -> str:
    return " · ".join(dict.fromkeys(part for part in parts if part))


def _set(value: Any) -> Any:
    """Every text within, so that it can be set: one letter that no typeface has must not take the paper from all."""
    if isinstance(value, dict):
        return {name: _set(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_set(each) for each in value]
    return as_set(value) if isinstance(value, str) else value
