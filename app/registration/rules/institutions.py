"""What a person may choose as an institution: the state's own offices and the administrations of its provinces.

Names stand in the catalogues; a person may type any other.
"""

STATE = (
    "assembly",
    "senate",
    "council",
    "agriculture",
    "civil_service",
    "commerce",
    "cults",
    "culture",
    "economy",
    "education",
    "environment",
    "foreign",
    "health",
    "industry",
    "information",
    "interior",
    "justice",
    "labour",
    "land",
    "mines",
    "defence",
    "planning",
    "post",
    "works",
    "rural",
    "social",
    "tourism",
    "water",
    "women",
)
"""Both chambers, the Council of Ministers' office, and the ministries."""

PROVINCES = tuple(f"{number:02}" for number in range(1, 26))
"""The 25 by the official geographic codes: 24 provinces and, as 12, the capital."""

CAPITAL = "12"
