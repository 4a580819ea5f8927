"""The columns of lists of registrations, on the page and in files: one list of them, each cell in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.kit.i18n import Lang, text_of
from app.registration.exporting import COLUMNS
from app.registration.people import listed_name, shown_institution
from app.registration.rules.states import State
from app.web.countries import country_name
from app.web.deps import Desk
from app.web.local_times import typed

SHOWN = ("category", "standing", "tags", "place", "asked_at", "code")
"""What the list shows beside the name unless other columns are chosen."""
CHOOSABLE = tuple(name for name in ("tags", *COLUMNS) if name != "listed_name")
"""What may be chosen; the name always stands first."""
SORTS = {
    "category": "category",
    "standing": "standing",
    "asked_at": "asked",
    "institution": "institution",
    "name_km": "name_km",
}
"""Column → the order it stands for."""


def standing_of(row: Any) -> str:
    """A registration's standing: its state, `seated` split by whether the address is confirmed."""
    if row.state == State.SEATED.value:
        return "confirmed" if row.confirmed_at is not None else "unconfirmed"
    return str(row.state)


def heading(lang: Lang, name: str) -> str:
    """A column's name for the reader."""
    return text_of(lang, "table.tags") if name == "tags" else text_of(lang, f"export.column.{name}")


def cells(desk: Desk, row: Any) -> Mapping[str, str]:
    """A registration as the cells of a table, by column. Times are of the forum's zone; in a private capacity the
    institution and position are left out (rules §2)."""
    lang, zone = desk.lang, desk.forum.timezone
    return {
        **{name: str(getattr(row, name) or "") for name in COLUMNS if hasattr(row, name)},
        "standing": text_of(lang, f"desk.standing.{standing_of(row)}"),
        "category": f"{row.category} · {row.category_name.of(lang)}",
        "listed_name": listed_name(row),
        "titles": ", ".join(row.titles or ()),
        "language": text_of(lang, f"desk.language.{row.language}"),
        "attends_as": text_of(lang, f"export.{row.attends_as}"),
        "institution": shown_institution(row),
        "position_title": "" if row.attends_as == "private" else row.position_title,
        "country": country_name(row.country, lang) if row.country else "",
        "asked_at": typed(row.asked_at, zone).replace("T", " "),
        "confirmed_at": typed(row.confirmed_at, zone).replace("T", " "),
    }


def known(names: Sequence[str]) -> tuple[str, ...]:
    """Those of these columns that there are, each once, in the list's own order; none where they are the usual ones."""
    found = tuple(name for name in CHOOSABLE if name in names)
    return () if set(found) == set(SHOWN) else found
