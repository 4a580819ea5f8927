"""PDF and pictures by Typst: `templates/print/`, values as JSON; what people typed is set, never read as markup."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import fontpkg

from app.kit.templates import TEMPLATES

FAMILIES = ("Source Serif 4", "Noto Serif", "Noto Sans Khmer")
"""Latin, its rarer letters, and Khmer, from the installed font packages; nothing of the machine's own is used."""


class NotPrinted(Exception):
    """The template and these values make no document, or one with something missing in it (an unknown font)."""


def pdf(template: str, values: Mapping[str, Any], *, at: datetime) -> bytes:
    """The PDF (PDF/UA-1) of `templates/<template>` with `values`; the same bytes for the same values and `at`.

    Takes some milliseconds of one core, so call it in a thread and never under the pen. Raises NotPrinted.
    """
    return _set(template, values, format="pdf", pdf_standards=["ua-1"], timestamp=int(at.timestamp()))


def png(template: str, values: Mapping[str, Any]) -> bytes:
    """The one page of `templates/<template>` as a picture, a pixel for each point; otherwise as `pdf`."""
    return _set(template, values, format="png", ppi=72)


def _set(template: str, values: Mapping[str, Any], **wanted: Any) -> bytes:
    import typst  # noqa: PLC0415 - a library of 84 MB, of use only to who prints

    path = TEMPLATES / template
    try:
        compiler = typst.Compiler(
            str(path),
            root=str(path.parent),
            font_paths=_fonts(),
            ignore_system_fonts=True,
            sys_inputs={"values": json.dumps(dict(values), ensure_ascii=False)},
        )
        made, warnings = compiler.compile_with_warnings(**wanted)
    except typst.TypstError as fault:
        raise NotPrinted(f"{template}: {fault.message}") from fault
    if warnings:
        raise NotPrinted(f"{template}: " + "; ".join(warning.message for warning in warnings))
    if not isinstance(made, bytes):
        raise NotPrinted(f"{template}: not one document")
    return made


def can_be_set(text: str) -> bool:
    """Is there something, and has one of the typefaces each letter and mark of it? Else boxes would be printed."""
    return bool(text) and all(ord(letter) in _letters() for letter in text)


def as_set(text: str) -> str:
    """The text with a replacement mark for each run of letters that none of the typefaces has: one of them anywhere
    would make no document at all."""
    return "".join(
        "".join(run) if known else MISSING
        for known, run in groupby(text.replace(_PICTURED, ""), key=lambda letter: letter in "\n\t" or _is_cut(letter))
    )


MISSING = "\ufffd"
"""Stands for letters that cannot be set; the typefaces have it."""
_PICTURED = "\ufe0f"
"""Asks for the coloured form of the sign before it, and is nothing by itself."""


def _is_cut(letter: str) -> bool:
    return ord(letter) in _letters()


@cache
def _letters() -> frozenset[int]:
    from fontTools.ttLib import TTFont  # noqa: PLC0415 - read by whoever prints

    cut: set[int] = set()
    for family in FAMILIES:
        with TTFont(_file(family), lazy=True) as font:
            cut |= font.getBestCmap().keys()
    return frozenset(cut)


def _file(family: str) -> str:
    return str(fontpkg.path(family, 400, "normal"))


@cache
def _fonts() -> Any:
    import typst  # noqa: PLC0415 - as above

    folders = sorted({str(Path(_file(family)).parent) for family in FAMILIES})
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)
