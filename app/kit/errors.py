"""What can be answered instead of "done". Reasons are codes; the texts live in the catalogues.

Answer
├── Refused    a rule says no                         422 (or 409 where somebody else was quicker)
│   ├── Invalid    what was sent cannot be read       422, one fault per field
│   └── Conflict   somebody else was quicker          409
├── NotFound   not there, or not for this actor       404
├── Forbidden  there, but not for this role           403
├── Expired    a one-time link or form that is spent  410
├── TooMany    a throttle, with seconds to wait       429
├── Busy       more is waiting than can be served     503
└── Unavailable  the database failed, not the deed    503
"""

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with what was sent: the field (or "" for the whole), a code and the values for its text."""

    field: str
    code: str
    values: dict[str, Any] = dataclasses.field(default_factory=dict)


class Answer(Exception):
    """The root: a deed or door answers something other than the thing asked for."""

    status = 500

    def __init__(self, code: str = "", **values: Any) -> None:
        super().__init__(code)
        self.code = code
        self.values = values

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong, one by one: the answer itself, or the fields' faults of what was sent."""
        return (Fault("", self.code, self.values),)


class Refused(Answer):
    """A rule says no; `code` names the reason in the catalogue under `refused`."""

    status = 422


class Invalid(Refused):
    """What was sent cannot be taken; one fault per field."""

    def __init__(self, faults: list[Fault] | tuple[Fault, ...]) -> None:
        super().__init__("invalid")
        self._faults = tuple(faults)

    @property
    def faults(self) -> tuple[Fault, ...]:
        return self._faults


class Conflict(Refused):
    """The thing changed since it was read; `values` says to what."""

    status = 409


class NotFound(Answer):
    """Not there, or not inside this forum, or not for this actor: the three look alike on purpose."""

    status = 404


class Forbidden(Answer):
    """There, and known to be there, but this role may not."""

    status = 403


class Expired(Answer):
    """A one-time link already used or out of time, or a form too old to be trusted."""

    status = 410


class TooMany(Answer):
    """A throttle: `values["seconds"]` until it may be tried again."""

    status = 429


class Busy(Answer):
    """More is waiting than can be served soon; nothing was written."""

    status = 503


class Unavailable(Answer):
    """The database cannot be reached or written; `code` is one of `app.kit.trouble`."""

    status = 503


class BodyTooLarge(Exception):
    """More came than was announced or than is taken."""
