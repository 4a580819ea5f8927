"""The columns of lists of registrations, on the page and in files: one list of them, each cell in words."""

from collections.abc import Sequence

from app.registration.exporting import COLUMNS

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


def known(names: Sequence[str]) -> tuple[str, ...]:
    """Those of these columns that there are, each once, in the list's own order; none where they are the usual ones."""
    found = tuple(name for name in CHOOSABLE if name in names)
    return () if set(found) == set(SHOWN) else found
