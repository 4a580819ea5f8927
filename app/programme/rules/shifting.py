"""A time of one edition on another's days: the same hour on the clocks of the place, so many whole days later."""

from datetime import UTC, date, datetime, timedelta, tzinfo


def shifted(at: datetime, days: int, zone: tzinfo, to: tzinfo) -> datetime:
    """An instant (aware) of `zone` at the same local date and time so many days later in `to`, in UTC.

    An hour that the clocks there skip is read as they stood before the change (PEP 495).
    """
    local = at.astimezone(zone).replace(tzinfo=None, fold=0) + timedelta(days=days)
    return local.replace(tzinfo=to).astimezone(UTC)


def is_shown(at: datetime, days: int, zone: tzinfo, to: tzinfo) -> bool:
    """Do the clocks of `to` ever show the hour that `shifted` is to keep?"""
    local = at.astimezone(zone).replace(tzinfo=None, fold=0) + timedelta(days=days)
    return shifted(at, days, zone, to).astimezone(to).replace(tzinfo=None, fold=0) == local


def days_between(first: date, new_first: date) -> int:
    """How many days later an edition begins that begins on another day."""
    return (new_first - first).days
