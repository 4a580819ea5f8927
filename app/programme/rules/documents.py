"""Documents that are taken as materials: their kind by bytes and structure, never by name, and nothing that can run.

This is no scanner for viruses: it refuses the kinds of files, and the parts of files, that could carry one.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from enum import StrEnum

_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN = "application/vnd.oasis.opendocument"


class DocumentKind(StrEnum):
    """A kind that is taken, as its media type."""

    PDF = "application/pdf"
    PNG = "image/png"
    JPEG = "image/jpeg"
    TEXT = "text/plain"
    DOCX = f"{_OFFICE}.wordprocessingml.document"
    PPTX = f"{_OFFICE}.presentationml.presentation"
    XLSX = f"{_OFFICE}.spreadsheetml.sheet"
    ODT = f"{_OPEN}.text"
    ODP = f"{_OPEN}.presentation"
    ODS = f"{_OPEN}.spreadsheet"

    @property
    def ending(self) -> str:
        """How the name of a file of this kind ends."""
        return {DocumentKind.JPEG: "jpg", DocumentKind.TEXT: "txt"}.get(self, self.name.lower())


class Unfit(StrEnum):
    """Why a file is not taken; the words stand under `refused`."""

    EMPTY = "material_empty"
    KIND = "material_kind"
    BROKEN = "material_broken"
    """Cut off, damaged, or two kinds in one."""
    ACTIVE = "material_active"
    """Something in it runs: a macro, a script, an attached program."""
    PROTECTED = "material_protected"
    """Locked with a password, so that nobody can say what is in it."""
    SWELLS = "material_swells"
    """Unpacks to more than any document needs."""


MOST_PARTS = 5000
MOST_STREAMS = 100_000
MOST_UNPACKED = 300 << 20
"""How many parts an archive may have, how many streams a PDF, and how many bytes either may unpack to."""
_MOST_RATIO = 500
_SMALL = 4 << 20
_TAIL = 1024


def examine(body: bytes) -> DocumentKind | Unfit:
    """The kind of a file, or why it is not taken."""
    if not body.strip(b"\0 \t\r\n"):
        return Unfit.EMPTY
    if body.startswith(b"%PDF-"):
        return _pdf(body)
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return DocumentKind.PNG if body.endswith(b"IEND\xaeB`\x82") else Unfit.BROKEN
    if body.startswith(b"\xff\xd8\xff"):
        return DocumentKind.JPEG if b"\xff\xd9" in body[-_TAIL:] else Unfit.BROKEN
    if body.startswith(b"PK\x03\x04"):
        return _packed(body)
    return DocumentKind.TEXT if _is_text(body) else Unfit.KIND


def _is_text(body: bytes) -> bool:
    """UTF-8 without control characters, and no page or script by its first letters."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    if re.search(r"[\x00-\x08\x0b\x0e-\x1f\x7f\x80-\x9f]", text):
        return False
    return not re.match(r"\s*(?:#!|<(?:!doctype|html|svg|script|\?xml|\?php))", text, re.IGNORECASE)


# ---- PDF (ISO 32000-1)


def _named(*names: str) -> re.Pattern[bytes]:
    """Finds one of these names, each letter as it is or escaped (§7.3.5): undoing all escapes of a file first takes
    minutes where there is nothing else in it."""
    written = ("".join(f"(?:{letter}|(?i:#{ord(letter):02x}))" for letter in name) for name in names)
    return re.compile(f"/(?:{'|'.join(written)})(?=[\\s/<>\\[\\](){{}}%]|$)".encode())


_RUNS = _named(
    *("JavaScript", "Launch", "EmbeddedFile", "EmbeddedFiles", "RichMedia"),
    *("Rendition", "ImportData", "SubmitForm", "XFA"),
)
_LOCKED, _OBJECTS = _named("Encrypt"), _named("ObjStm")
_LONGEST_NAME = 64
_AT_ONCE = 1 << 20
_STREAM = re.compile(rb"(?<!end)stream\r?\n")


def _pdf(body: bytes) -> DocumentKind | Unfit:
    """From its first line to its last mark, with no action that runs, no attached file and no lock.

    Names may be written with escapes (§7.3.5), and objects packed into streams (§7.5.7): both are seen through.
    """
    end = body.rfind(b"%%EOF")
    if end < 0 or b"startxref" not in body[:end] or body[end + 5 :].strip(b"\0 \t\r\n\x1a"):
        return Unfit.BROKEN
    if _LOCKED.search(body):
        return Unfit.PROTECTED
    if _RUNS.search(body):
        return Unfit.ACTIVE
    if body.count(b"stream") > 2 * MOST_STREAMS:  # each begins and ends with the word
        return Unfit.SWELLS
    left = MOST_UNPACKED
    for begun in _STREAM.finditer(body):
        head = body[max(0, begun.start() - 4096) : begun.start()]
        if not _OBJECTS.search(head[head.rfind(b" obj") + 1 :]):
            continue
        before = b""
        try:
            for piece in _inflated(body, begun.end()):
                left -= len(piece)
                if left <= 0:
                    return Unfit.SWELLS
                if _RUNS.search(before + piece):
                    return Unfit.ACTIVE
                before = piece[-_LONGEST_NAME:]
        except zlib.error:
            return Unfit.BROKEN
    return DocumentKind.PDF


def _inflated(body: bytes, start: int) -> Iterator[bytes]:
    """What is packed from here on, a piece at a time: a small file may unpack to more than there is memory. Raises
    zlib.error where it is not packed as objects are."""
    unpacking = zlib.decompressobj()
    for at in range(start, len(body), _AT_ONCE):
        packed = body[at : at + _AT_ONCE]
        while packed and not unpacking.eof:
            yield unpacking.decompress(packed, _AT_ONCE)
            packed = unpacking.unconsumed_tail
        if unpacking.eof:
            return


# ---- what is packed: OOXML and OpenDocument

_MAIN = {
    f"{_OFFICE}.wordprocessingml.document.main+xml": DocumentKind.DOCX,
    f"{_OFFICE}.presentationml.presentation.main+xml": DocumentKind.PPTX,
    f"{_OFFICE}.presentationml.slideshow.main+xml": DocumentKind.PPTX,
    f"{_OFFICE}.spreadsheetml.sheet.main+xml": DocumentKind.XLSX,
}
_ACTIVE_PARTS = re.compile(r"vbaproject|vbadata|activex|macrosheets|oleobject|^basic/|^scripts/|^object [0-9]+$")
_PROGRAMS = re.compile(r"\.(?:exe|dll|com|bat|cmd|js|jse|vbs|vbe|wsf|hta|scr|ps1|jar|lnk|msi|sh|html?)$")


def _packed(body: bytes) -> DocumentKind | Unfit:
    """A document packed as ZIP: looked at by its list of parts before anything is unpacked."""
    if body.count(b"PK\x01\x02") > 2 * MOST_PARTS:  # before the list itself is read; a part may be an archive
        return Unfit.SWELLS
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as parts:
            listed = parts.infolist()
            return _fault_of(listed, len(body)) or _kind_of(parts, {one.filename: one for one in listed})
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError, RuntimeError, OSError):
        return Unfit.BROKEN


def _fault_of(listed: list[zipfile.ZipInfo], size: int) -> Unfit | None:
    unpacked = sum(one.file_size for one in listed)
    if len(listed) > MOST_PARTS or unpacked > MOST_UNPACKED or (unpacked > _SMALL and unpacked > size * _MOST_RATIO):
        return Unfit.SWELLS
    names = [one.filename for one in listed]
    if len(set(names)) < len(names) or any(_leads_out(name) for name in names):
        return Unfit.BROKEN
    if any(one.flag_bits & 1 for one in listed):
        return Unfit.PROTECTED
    if any(_ACTIVE_PARTS.search(name.lower()) or _PROGRAMS.search(name.lower()) for name in names):
        return Unfit.ACTIVE
    return None


def _leads_out(name: str) -> bool:
    return name.startswith("/") or "\\" in name or ".." in name.split("/") or ":" in name


def _kind_of(parts: zipfile.ZipFile, listed: dict[str, zipfile.ZipInfo]) -> DocumentKind | Unfit:
    if "mimetype" in listed:
        told = _text(parts, "mimetype").strip()
        return next((kind for kind in DocumentKind if kind.value == told and told.startswith(_OPEN)), Unfit.KIND)
    if "[Content_Types].xml" not in listed:
        return Unfit.KIND
    types = _text(parts, "[Content_Types].xml")
    if re.search(r"macroenabled|vbaproject|activex|oleobject", types, re.IGNORECASE):
        return Unfit.ACTIVE
    if any(_fetches(_text(parts, name)) for name in listed if name.lower().endswith(".rels")):
        return Unfit.ACTIVE
    return next((kind for told, kind in _MAIN.items() if f'"{told}"' in types), Unfit.KIND)


def _fetches(relations: str) -> bool:
    """Does opening it fetch something, such as a template from elsewhere? Links that a reader follows are none."""
    return any(
        "external" in one.lower() and re.search(r"attachedtemplate|oleobject|frame|subdocument", one.lower())
        for one in re.findall(r"<Relationship\b[^<>]*>", relations)
    )


def _text(parts: zipfile.ZipFile, name: str) -> str:
    with parts.open(name) as part:
        return part.read(2 << 20).decode("utf-8", "replace")
