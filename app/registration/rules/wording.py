"""In which wording a person is told how they stand: of a seat in the hall, or of a badge."""

BADGES = "badges"
"""The room of the catalogue with the second wording of texts that speak of a seat; see `kit.i18n.worded`."""


def wording_of(*, in_hall: bool) -> str:
    """The wording for a category: whoever works at the forum has a badge, and takes no seat in the hall."""
    return "" if in_hall else BADGES
