"""Which changes of a programme are somebody's own (rules §4.1)."""

from app.programme.rules.changes import Change, Kind

_OF_OWN = frozenset(Kind) - {Kind.EDITED, Kind.WITHDRAWN}
_OF_COMMON = frozenset({Kind.CANCELLED, Kind.RESTORED})


def is_news(change: Change, *, own: bool, common: bool) -> bool:
    """Is somebody written to about this change of a session?

    Of one they picked or hold a place in (`own`): whatever they would notice, so all but details. Of one that is
    everybody's (`common`): only that it takes place or not, and another time; another room stands on the door, and a
    new title sends nobody elsewhere.
    """
    if own and change.kind in _OF_OWN:
        return True
    moved_in_time = change.kind is Kind.MOVED and not {"start", "end"}.isdisjoint(change.altered)
    return common and (change.kind in _OF_COMMON or moved_in_time)
