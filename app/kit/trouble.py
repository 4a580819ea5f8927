"""What is wrong with the database itself, as far as a failure says it: not reached, not writable, too busy.

A failure that is none of these is a fault of ours and is treated as one.
"""

import errno

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

BUSY, UNREACHABLE, UNWRITABLE = "busy", "unreachable", "unwritable"
UNCERTAIN = "uncertain"
"""The database failed at the commit: whether it was written cannot be known."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})
_SQLITE = {
    "SQLITE_FULL": UNWRITABLE,
    "SQLITE_READONLY": UNWRITABLE,
    "SQLITE_IOERR": UNWRITABLE,
    "SQLITE_BUSY": BUSY,
    "SQLITE_LOCKED": BUSY,
    "SQLITE_CANTOPEN": UNREACHABLE,
    "SQLITE_CORRUPT": UNREACHABLE,
    "SQLITE_NOTADB": UNREACHABLE,
}
_POSTGRES = {
    "08": UNREACHABLE,  # the connection
    "57P": UNREACHABLE,  # ended by the administrator, starting up, shutting down
    "53300": UNREACHABLE,  # too many connections
    "53100": UNWRITABLE,  # disk full
    "25006": UNWRITABLE,  # a read-only transaction: a replica, or a default that somebody set
    "58": UNWRITABLE,  # the system, such as a file that cannot be written
    "40": BUSY,  # rolled back for another's sake
    "55P03": BUSY,
}


def leaves_open(failure: BaseException) -> bool:
    """Of a COMMIT that failed so it is not known whether it was written: the line broke before the answer, or the disk
    failed at the very last. What a database refuses, with a full disk too, it has not done."""
    if not isinstance(failure, DBAPIError):
        return False
    name = getattr(failure.orig, "sqlite_errorname", "")
    if name:
        return name.startswith("SQLITE_IOERR") and name != "SQLITE_IOERR_WRITE"
    return trouble_of(failure) == UNREACHABLE


def lacks_schema(failure: DBAPIError) -> bool:
    """Does a table or column not stand in the database: it was never migrated, or not to this program's schema?"""
    if state := getattr(failure.orig, "sqlstate", ""):
        return state in {"42P01", "42703"}
    return str(failure.orig).startswith(("no such table", "no such column"))


def trouble_of(failure: BaseException) -> str:
    """BUSY, UNREACHABLE or UNWRITABLE; "" where the database is well as far as this failure says."""
    if isinstance(failure, NoConnection):
        return BUSY
    if isinstance(failure, DBAPIError):
        return _of_a_driver(failure)
    return UNWRITABLE if isinstance(failure, OSError) and failure.errno in _FULL else ""


def _of_a_driver(failure: DBAPIError) -> str:
    cause = failure.orig
    if name := getattr(cause, "sqlite_errorname", ""):
        return next((trouble for known, trouble in _SQLITE.items() if name.startswith(known)), "")
    if state := getattr(cause, "sqlstate", None):
        return next((trouble for known, trouble in _POSTGRES.items() if state.startswith(known)), "")
    return UNREACHABLE if failure.connection_invalidated or _is_of_the_line(cause) else ""


def _is_of_the_line(cause: BaseException | None) -> bool:
    """A driver that got no answer at all has no code for it."""
    return any(kind.__name__ == "OperationalError" for kind in type(cause).__mro__)
