"""What a fault is, without its own words: those may hold what somebody typed, a whole row of a database among it.

Told are the kinds, the places in the program, and what a database, system or mail server has a code for: names of
constraints and tables are ours.
"""

import errno
import re
import traceback
from types import TracebackType

_FRAMES = 40
"""So many places of one traceback are told: the first and the last ones. A recursion has a thousand."""
_CHAINED = 8
_SQLITE_SAYS = re.compile(r"(?:UNIQUE|NOT NULL|CHECK) constraint failed: ([\w., ]{1,200})")


def kind_of(fault: BaseException) -> str:
    """The kind of a fault, with the codes that it has: `IntegrityError (NotNullViolation 23502, table.column)`."""
    driver = getattr(fault, "orig", None)  # what SQLAlchemy found at the bottom
    codes = _codes(fault) if not isinstance(driver, BaseException) else [_name(driver), *_codes(driver)]
    return f"{_name(fault)} ({', '.join(codes)})" if codes else _name(fault)


def told(fault: BaseException) -> str:
    """The fault with all that led to it, over several lines, the first cause first."""
    return "\n".join(_lines(fault, set()))


def _name(fault: BaseException) -> str:
    kind = type(fault)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _codes(fault: BaseException) -> list[str]:
    found = []
    if isinstance(fault, OSError) and fault.errno is not None:
        found.append(errno.errorcode.get(fault.errno, str(fault.errno)))
    codes = (getattr(fault, name, None) for name in ("sqlite_errorname", "sqlstate", "smtp_code"))
    found += [str(code) for code in codes if isinstance(code, str | int)]
    if said := _SQLITE_SAYS.fullmatch(str(fault)) if hasattr(fault, "sqlite_errorname") else None:
        found.append(said[1])
    if diagnosis := getattr(fault, "diag", None):  # psycopg's: its other fields are words
        names = (getattr(diagnosis, f"{name}_name", None) for name in ("table", "column", "constraint"))
        if named := ".".join(str(name) for name in names if name):
            found.append(named)
    return found


def _lines(fault: BaseException, seen: set[int]) -> list[str]:
    if id(fault) in seen or len(seen) > _CHAINED:
        return ["…"]
    seen.add(id(fault))
    before = fault.__cause__ or (None if fault.__suppress_context__ else fault.__context__)
    lines = [*_lines(before, seen), "which led to:"] if before is not None else []
    lines += ["Traceback, without words:", *_places(fault.__traceback__), kind_of(fault)]
    if isinstance(fault, BaseExceptionGroup):
        for each in fault.exceptions[:_CHAINED]:
            lines += ["of which one is:", *(f"  {line}" for line in _lines(each, seen))]
    return lines


def _places(raised: TracebackType | None) -> list[str]:
    places = [
        f'  File "{frame.f_code.co_filename}", line {line}, in {frame.f_code.co_name}'
        for frame, line in traceback.walk_tb(raised)
    ]
    half = _FRAMES // 2
    return places if len(places) <= _FRAMES else [*places[:half], "  …", *places[-half:]]
