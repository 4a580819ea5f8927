"""A file is what its first bytes say."""

import pytest

from app.registration.rules.files import FileKind, kind_of


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"%PDF-1.7\n", FileKind.PDF),
        (b"\xff\xd8\xff\xe0rest", FileKind.JPEG),
        (b"\x89PNG\r\n\x1a\nrest", FileKind.PNG),
        (b"<html>%PDF-1.7", None),
        (b"GIF89a", None),
        (b"PK\x03\x04", None),
        (b"MZ", None),
        (b"", None),
        (b"\x89PNG\n", None),
    ],
)
def test_the_kind_of_a_file_is_known_by_its_beginning_alone(body: bytes, kind: FileKind | None) -> None:
    assert kind_of(body) is kind
    if kind:
        assert kind.ending in {"pdf", "jpg", "png"}
