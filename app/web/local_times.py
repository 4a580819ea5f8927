"""Instants in forms: shown and typed as the local time of a forum, kept in UTC."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from app.kit.errors import Fault, Invalid
from app.kit.i18n import latin_digits


def typed(at: datetime | None, zone: str) -> str:
    """An instant as a `datetime-local` field holds it, in `zone`; "" for none."""
    return "" if at is None else at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")


def instant(text: str, zone: str, field: str) -> datetime | None:
    """What was typed in the field, as an instant in UTC; None for nothing. Raises Invalid with `not_a_moment`."""
    if not text.strip():
        return None
    fault = Invalid([Fault(field, "not_a_moment")])
    try:
        local = datetime.fromisoformat(latin_digits(text.strip()))
        found = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise fault from None
    if local.tzinfo is not None:  # a time of elsewhere would be kept as another than was meant
        raise fault
    return found
