"""Lists of registrations, on the page and in files: the headings of their columns, and each cell in words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.kit.i18n import Lang, text_of
from app.registration.exporting import COLUMNS
from app.registration.people import listed_name, shown_institution
from app.reports.countries import country_name
from app.reports.reader import Reader, local
from app.reports.standings import registration_words
from app.reports.tables import Cell


def heading(lang: Lang, name: str) -> str:
    """A column's name for the reader."""
    return text_of(lang, "table.tags") if name == "tags" else text_of(lang, f"export.column.{name}")


def cells(reader: Reader, row: Any) -> Mapping[str, str]:
    """A registration as the cells of a table, by column. Times are of the forum's zone; in a private capacity the
    institution and position are left out (rules §2)."""
    lang, zone = reader.lang, reader.forum.timezone
    return {
        **{name: str(getattr(row, name) or "") for name in COLUMNS if hasattr(row, name)},
        "standing": registration_words(lang, row),
        "category": f"{row.category} · {row.category_name.of(lang)}",
        "listed_name": listed_name(row),
        "titles": ", ".join(row.titles or ()),
        "language": text_of(lang, f"desk.language.{row.language}"),
        "attends_as": text_of(lang, f"export.{row.attends_as}"),
        "institution": shown_institution(row),
        "position_title": "" if row.attends_as == "private" else row.position_title,
        "country": country_name(row.country, lang) if row.country else "",
        "asked_at": _minute(row.asked_at, zone),
        "confirmed_at": _minute(row.confirmed_at, zone),
    }


def _minute(at: datetime | None, zone: str) -> str:
    return "" if at is None else at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def as_row(reader: Reader, row: Any) -> dict[str, Cell]:
    """The cells that the list shows, numbers and times as a spreadsheet's own."""
    times: dict[str, Cell] = {name: local(reader, getattr(row, name)) for name in ("asked_at", "confirmed_at")}
    return {**cells(reader, row), "place": row.place, **times}
