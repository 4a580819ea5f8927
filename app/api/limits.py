"""How many requests one caller may make in a minute: each process counts for itself, so that reading writes nothing."""

from datetime import datetime

_WINDOW = 60
_MOST_CALLERS = 10_000


class Limits:
    """At most `per_minute` requests of one caller in each minute of the clock; 0 = no limit."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._made: dict[str, tuple[int, int]] = {}

    def wait(self, caller: str, *, now: datetime) -> int:
        """Count one request; the seconds to wait where too many were made, else 0."""
        if not self._per_minute:
            return 0
        at = int(now.timestamp())
        minute, made = self._made.get(caller, (0, 0))
        if minute != at // _WINDOW:
            minute, made = at // _WINDOW, 0
            if len(self._made) >= _MOST_CALLERS:
                self._made = {one: count for one, count in self._made.items() if count[0] == minute}
        if made >= self._per_minute:
            return _WINDOW - at % _WINDOW
        self._made[caller] = (minute, made + 1)
        return 0
