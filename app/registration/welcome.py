"""What it means for a registration that the organisers themselves asked the person to come."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Welcome:
    """Somebody the organisers asked to come: no door by invitation is closed to them, and nobody reviews them.

    `template` is the mail where they are seated at once and the address is known; `confirmed` says that it is.
    `after_closing`: the invitation has a time of its own and outlasts the closing of registration. `seat` is the row
    kept for them, if any, so that a full category refuses nobody; `refusal` why they are not welcome after all.
    """

    template: str
    confirmed: bool = False
    after_closing: bool = False
    invitation_id: int | None = None
    invitation_code: str = ""
    seat: Any = None
    refusal: str = ""
