"""Documents as people send them, sound and otherwise, and materials made through the deeds."""

import io
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

from app.accounts.actor import Actor
from app.kit.db import Db
from app.kit.i18n import Bilingual
from app.programme import sharing
from app.programme.inputs import MaterialInput
from app.programme.sharing import document
from tests.cast import NOW, SLUG, the_forum

WORDS = Bilingual("A paper on lanes at sea", "អត្ថបទស្ដីពីផ្លូវសមុទ្រ")
TYPES = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"


def pdf(text: str = "A paper", *, inside: bytes = b"", packed: bytes = b"") -> bytes:
    """A small PDF; `inside` stands among its objects, `packed` in a stream of objects."""
    body = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog " + inside + b" >>\nendobj\n"
    if packed:
        stream = zlib.compress(packed)
        body += b"2 0 obj\n<< /Type /ObjStm /N 1 /Filter /FlateDecode /Length %d >>\nstream\n" % len(stream)
        body += stream + b"\nendstream\nendobj\n"
    body += b"% " + text.encode() + b"\n"
    return body + b"startxref\n%d\n%%%%EOF\n" % len(body)


def packed(parts: Mapping[str, str | bytes]) -> bytes:
    """A ZIP of these parts, the same bytes at whatever second it is made."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as file:
        for name, part in parts.items():
            file.writestr(zipfile.ZipInfo(name), part, zipfile.ZIP_DEFLATED)
    return written.getvalue()


def docx(types: str = TYPES, **parts: str | bytes) -> bytes:
    """A small Word file, with more parts by name."""
    named = f'<Types><Override PartName="/word/document.xml" ContentType="{types}"/></Types>'
    return packed({"[Content_Types].xml": named, "word/document.xml": "<w:document/>", **parts})


PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20 + b"IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 20 + b"\xff\xd9"


def material(**changes: Any) -> MaterialInput:
    """A paper of the forum as a whole, to be read at once."""
    return MaterialInput(**{"kind": "paper", "title": WORDS, "release": "at_once", **changes})


def make_material(
    db: Db, texts: Mapping[str, bytes] | None = None, *, slug: str = SLUG, now: Any = NOW, **changes: Any
) -> str:
    """A material through the deed, with these texts by language; its code."""
    sent = {language: document("file_en", "paper.pdf", body) for language, body in (texts or {"en": pdf()}).items()}
    return sharing.share(db, Actor.operator(), the_forum(db, slug), material(**changes), sent, now=now)
