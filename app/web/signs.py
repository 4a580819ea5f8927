"""How something stands, to be seen at a glance: a tone, a sign and words; and the standings to choose from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """A standing as tone, sign and words."""

    tone: str
    sign: str
    words: str


@dataclass(frozen=True, slots=True)
class Filter:
    """One standing to choose, with how many there are in the chosen category."""

    words: str
    href: str
    count: int
    chosen: bool
