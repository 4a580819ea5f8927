"""Invitations: how a code is read, when the one reminder goes out, and what keeps an invitation from being used."""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from unicodedata import decimal

REMIND_BEFORE = timedelta(days=7)
LEAST_LETTERS = 6
"""The letters and digits a code must have, so that it is not guessed."""


class Kind(StrEnum):
    """What an invitation is."""

    PERSONAL = "personal"
    """To one person, by a secret link."""
    CODE = "code"
    """A code that may be used a number of times."""


class Reply(StrEnum):
    """Where an invitation stands. One by code is open as long as it may be used, however often it was."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


def normal_code(typed: str) -> str:
    """A code as it is compared: capitals, digits of either script, without spaces, dashes and other signs."""
    letters = _in_latin_digits(typed).upper()
    return "".join(letter for letter in letters if letter.isascii() and letter.isalnum())


def tidy_code(typed: str) -> str:
    """A code as it is kept and shown: capitals and digits, one dash between groups."""
    letters = _in_latin_digits(typed).upper()
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in letters)
    return "-".join(part for part in kept.split("-") if part)


def _in_latin_digits(typed: str) -> str:
    return "".join(str(decimal(letter)) if letter.isdecimal() else letter for letter in typed)


def reminder_at(invited_at: datetime, reply_by: datetime | None) -> datetime | None:
    """When the one reminder is due (aware UTC): a week before the reply date, but not in the first half of the time.

    None without a reply date: nothing presses then.
    """
    if reply_by is None:
        return None
    return max(invited_at + (reply_by - invited_at) / 2, reply_by - REMIND_BEFORE)


def refusal_of(state: str, reply_by: datetime | None, used: int, uses: int, now: datetime) -> str:
    """Why an invitation may not be used at `now`, as a refusal's code; "" where it may.

    `used` counts the live registrations made with it: who cancels may come back with the same invitation.
    """
    if state in {Reply.DECLINED, Reply.LAPSED, Reply.WITHDRAWN}:
        return f"invitation_{state}"
    if reply_by is not None and now >= reply_by:
        return "invitation_lapsed"
    return "invitation_used" if used >= uses else ""


def may_withdraw(state: str, used: int) -> bool:
    """May an organiser take an invitation back? One that waits for an answer, and one that was accepted as long as no
    live registration (`used` of them) stands on it: who has a seat is cancelled, not uninvited."""
    return state == Reply.OPEN or (state == Reply.ACCEPTED and used == 0)


def repeated(addresses: Collection[str]) -> set[str]:
    """The addresses, in the form they are compared in, that stand more than once; empty ones do not count."""
    seen: set[str] = set()
    twice: set[str] = set()
    for address in addresses:
        (twice if address in seen else seen).add(address)
    return twice - {""}
