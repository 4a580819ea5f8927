"""How much of what is alike a run looks at: a part, another one for each neighbour, or, in a soak, all of it.

`make test` has to be over in minutes, so that it is run at every change. What one reader, one template or one rule
makes for many is shown there by a few of them, and by all of them with SALA_SOAK (`make soak`).
"""

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
SOAK = max(0, int(os.environ.get("SALA_SOAK", "0")))
"""How long a soak is, as sequences of deeds; 0: a usual run."""
EXAMPLES = min(SOAK, 300)
"""Of what is tried on one rule alone a soak needs no thousands."""


def some(everything: Sequence[T], turn: int, *, each: int) -> Sequence[T]:
    """One of `each` things alike, other ones at every turn; all of them in a soak."""
    return everything if SOAK else everything[turn % each :: each]
