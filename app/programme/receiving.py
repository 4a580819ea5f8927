"""A table on its way to be imported: read from what was sent, and sealed until what it would change was looked at."""

import base64
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from app.kit import codes
from app.kit.errors import Refused
from app.kit.sheets import Rows, read_file, read_text

LONGEST = 1_000_000
"""Bytes of a pasted table, and of a sealed one on its way back."""
_OF_A_TABLE = {"list_empty": "table_empty", "list_too_long": "table_too_long", "list_overfull": "table_overfull"}
"""What is said of a list of people, said of a programme."""


def rows_in_file(body: bytes) -> Rows:
    """The rows of a CSV text or XLSX workbook. Raises Refused as `kit.sheets.read_file`, said of a programme."""
    with _said_of_a_table():
        return read_file(body)


def rows_in_text(text: str) -> Rows:
    """The rows of a pasted text, likewise."""
    with _said_of_a_table():
        return read_text(text)


def sealed(secret: bytes, slug: str, rows: Rows) -> str:
    """A table that was read, sealed for this forum: it is kept nowhere until it is imported."""
    text = zlib.compress(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode())
    return codes.seal(secret, _purpose(slug), base64.urlsafe_b64encode(text).decode())


def unsealed(secret: bytes, slug: str, text: object) -> Rows:
    """The rows of a sealed table. Raises Refused("table_spoilt") for what was not sealed here for this forum."""
    packed = codes.unseal(secret, _purpose(slug), text) if isinstance(text, str) else None
    if packed is None:
        raise Refused("table_spoilt")
    rows: list[tuple[int, list[str]]] = json.loads(zlib.decompress(base64.urlsafe_b64decode(packed)))
    return [(number, cells) for number, cells in rows]


def _purpose(slug: str) -> str:
    return f"programme-table/{slug}"


@contextmanager
def _said_of_a_table() -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        raise Refused(_OF_A_TABLE.get(refused.code, refused.code), **refused.values) from None
