"""JSON as a database gives it, read by whichever reader is quicker for it."""

import json
from typing import Any

from pydantic_core import from_json

_SHORT = 256
"""Letters up to which the one is: a list of titles takes it a tenth of the other's time, pages in Khmer more."""


def decoded(text: str | bytes) -> Any:
    """The value that a JSON text says. Raises `json.JSONDecodeError` (a ValueError) where it is none."""
    if len(text) <= _SHORT:
        try:
            return from_json(text)
        except ValueError:
            pass  # half a letter, which only the other reads; or no JSON, which it says in words of its own
    return json.loads(text)
