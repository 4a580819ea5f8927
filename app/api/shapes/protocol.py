"""The order of precedence and the head table.

In a private capacity a person stands without institution and function, and heads nothing (rules §2).
"""

from datetime import date
from typing import Any

from pydantic import BaseModel, Field

from app.api.shapes.general import example
from app.registration.rank_inputs import RungInput

RUNG: dict[str, Any] = {
    "name": {"en": "Ministers", "km": "រដ្ឋមន្ត្រី"},
    "categories": ["GOV"],
    "titles": ["H.E."],
    "functions": ["Minister"],
    "heads": False,
}
RANKED: dict[str, Any] = {
    "place": 1,
    "code": "K3TP9QA",
    "titles": ["H.E."],
    "family_name": "Chea",
    "given_name": "Bopha",
    "name_km": "ជា បុប្ផា",
    "display_name": "",
    "category": "GOV",
    "attends_as": "official",
    "position_title": "Minister of Examples",
    "institution": "A ministry",
    "heads_delegation": True,
    "since": "2023-08-22",
    "rung": "ministers",
    "put": False,
}


class RungShape(BaseModel):
    """A rung of the ladder: its code, the edition it stands at (0 while the usual ladder was never changed), and the
    rule of who stands on it."""

    model_config = example(code="ministers", edition=1, rung=RUNG)

    code: str
    edition: int
    rung: RungInput


class LadderShape(BaseModel):
    """The ladder, the highest rung first. `is_usual`: nobody changed it yet. Countries are put in order as in the
    language of `alphabet`."""

    model_config = example(alphabet="en", is_usual=False, rungs=[{"code": "ministers", "edition": 1, "rung": RUNG}])

    alphabet: str
    is_usual: bool
    rungs: list[RungShape]


class RankedLine(BaseModel):
    """Somebody in the order of precedence. `rung` is null on none; `put`: somebody put the person there by hand."""

    model_config = example(**RANKED)

    place: int
    code: str
    titles: list[str]
    family_name: str
    given_name: str
    name_km: str
    display_name: str
    category: str
    attends_as: str
    position_title: str
    institution: str
    heads_delegation: bool
    since: date | None = Field(description="Since when they hold their office.")
    rung: str | None
    put: bool


class RankShape(BaseModel):
    """One person's rank: the rung they stand on (null on none, and for badges outside the hall, which take no part),
    and what was said by hand: the rung they are put on, since when they hold their office, and why."""

    model_config = example(code="K3TP9QA", stands_on="ministers", put=False, rung="", since="2023-08-22", reason="")

    code: str
    stands_on: str | None
    put: bool
    rung: str
    since: date | None
    reason: str


class SeatShape(BaseModel):
    """A seat at the head table, 0 the host's; null where nobody sits, or a host who is not registered."""

    seat: int
    guest: RankedLine | None


class HeadTableShape(BaseModel):
    """The head table: `edition` is 0 before it was ever set. `head` and the arms are seats as seen from the room."""

    model_config = example(
        edition=1,
        seats=4,
        shape="row",
        head=[3, 1, 0, 2, 4],
        left_arm=[],
        right_arm=[],
        at=[{"seat": 0, "guest": None}, {"seat": 1, "guest": RANKED}],
    )

    edition: int
    seats: int
    shape: str
    head: list[int]
    left_arm: list[int]
    right_arm: list[int]
    at: list[SeatShape]
