"""Files that are taken: their kind by their first bytes, never by what the sender calls them, and how large."""

from enum import StrEnum

PDF = b"%PDF-"
JPEG = b"\xff\xd8\xff"
PNG = b"\x89PNG\r\n\x1a\n"


class FileKind(StrEnum):
    """A kind that is taken, as its media type."""

    PDF = "application/pdf"
    JPEG = "image/jpeg"
    PNG = "image/png"

    @property
    def ending(self) -> str:
        """How the name of a file of this kind ends."""
        return {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}[self.value]


def kind_of(body: bytes) -> FileKind | None:
    """The kind of a file (ISO 32000-1 §7.5.2; JPEG's SOI marker; PNG §5.2), or None where it is none of them."""
    for kind, start in ((FileKind.PDF, PDF), (FileKind.JPEG, JPEG), (FileKind.PNG, PNG)):
        if body.startswith(start):
            return kind
    return None
