"""Which files are taken: by what is in them, never by what they are called."""

import struct
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.programme.rules import documents
from app.programme.rules.documents import DocumentKind, Unfit, examine
from tests.papers import JPEG, PNG, TYPES, docx, packed, pdf

ODT = {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<office/>"}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (pdf(), DocumentKind.PDF),
        (pdf(packed=b"1 0 << /Type /Page /S /GoTo >>"), DocumentKind.PDF),
        (PNG, DocumentKind.PNG),
        (JPEG, DocumentKind.JPEG),
        ("# សុន្ទរកថា\n\nA speech".encode(), DocumentKind.TEXT),
        (b"\xef\xbb\xbfWith a mark", DocumentKind.TEXT),
        (docx(), DocumentKind.DOCX),
        (docx(TYPES.replace("wordprocessingml.document", "presentationml.presentation")), DocumentKind.PPTX),
        (docx(TYPES.replace("wordprocessingml.document", "spreadsheetml.sheet")), DocumentKind.XLSX),
        (packed(ODT), DocumentKind.ODT),
        (packed({**ODT, "mimetype": "application/vnd.oasis.opendocument.presentation"}), DocumentKind.ODP),
    ],
)
def test_a_sound_document_is_taken_as_what_it_is(body: bytes, kind: DocumentKind) -> None:
    assert examine(body) is kind
    assert kind.ending.isalnum()


REMOTE = '<Relationship Type="http://x/attachedTemplate" Target="https://evil.example/t.dotm" TargetMode="External"/>'


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", Unfit.EMPTY),
        (b"\0" * 100, Unfit.EMPTY),
        (b" \n", Unfit.EMPTY),
        (b"MZ\x90\0\x03", Unfit.KIND),
        (b"\x7fELF\x02\x01", Unfit.KIND),
        (b"<!DOCTYPE html><p>Hello", Unfit.KIND),
        (b"<svg xmlns='x'/>", Unfit.KIND),
        (b"#!/bin/sh\nls", Unfit.KIND),
        (b"GIF89a" + b"\0" * 9, Unfit.KIND),
        (b"ID3\x04" + b"\0" * 9, Unfit.KIND),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Unfit.KIND),
        (b"Latin \xe9 letters", Unfit.KIND),
        (b"<html>" + pdf(), Unfit.KIND),
        (pdf()[:-10], Unfit.BROKEN),
        (pdf() + packed({"a": "b"}), Unfit.BROKEN),
        (pdf() + b"<script>alert(1)</script>", Unfit.BROKEN),
        (PNG[:-4], Unfit.BROKEN),
        (JPEG[:-2], Unfit.BROKEN),
        (docx()[:-30], Unfit.BROKEN),
        (pdf(inside=b"/OpenAction << /S /JavaScript /JS (app.alert) >>"), Unfit.ACTIVE),
        (pdf(inside=b"/OpenAction << /S /Java#53cript >>"), Unfit.ACTIVE),
        (pdf(inside=b"/A << /S /Launch /F (calc.exe) >>"), Unfit.ACTIVE),
        (pdf(inside=b"/Names << /EmbeddedFiles 4 0 R >>"), Unfit.ACTIVE),
        (pdf(packed=b"1 0 << /S /JavaScript /JS (x) >>"), Unfit.ACTIVE),
        (pdf(packed=b" " * (1 << 20) + b"<< /S /#4a#61vaScr#69pt >>"), Unfit.ACTIVE),
        (pdf(packed=b" " * ((1 << 20) - 6) + b"/Launch 1"), Unfit.ACTIVE),
        (pdf(inside=b"/Encrypt 3 0 R"), Unfit.PROTECTED),
        (pdf(inside=b"/Encr#79pt 3 0 R"), Unfit.PROTECTED),
        (docx(**{"word/vbaProject.bin": b"x"}), Unfit.ACTIVE),
        (docx("application/vnd.ms-word.document.macroEnabled.main+xml"), Unfit.ACTIVE),
        (docx(**{"word/_rels/settings.xml.rels": REMOTE}), Unfit.ACTIVE),
        (docx(**{"word/embeddings/oleObject1.bin": b"x"}), Unfit.ACTIVE),
        (docx(**{"xl/macrosheets/sheet1.xml": b"x"}), Unfit.ACTIVE),
        (docx(**{"word/setup.exe": b"MZ"}), Unfit.ACTIVE),
        (packed({**ODT, "Basic/Standard/Module1.xml": "x"}), Unfit.ACTIVE),
        (docx(**{"../../etc/passwd": "x"}), Unfit.BROKEN),
        (packed({"readme.txt": "any archive"}), Unfit.KIND),
        (packed({**ODT, "mimetype": "application/epub+zip"}), Unfit.KIND),
        (docx(**{"word/media/zeros": b"\0" * (40 << 20)}), Unfit.SWELLS),
    ],
)  # fmt: skip
def test_what_is_no_document_or_can_run_is_refused_with_its_reason(body: bytes, why: Unfit) -> None:
    assert examine(body) is why


def test_too_many_parts_and_a_lock_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_PARTS", 3)
    assert examine(docx(a="1", b="2")) is Unfit.SWELLS
    locked = bytearray(docx())
    at = locked.rfind(b"PK\x01\x02")
    locked[at + 8 : at + 10] = struct.pack("<H", 1)
    assert examine(bytes(locked)) is Unfit.PROTECTED


def test_what_would_take_long_to_look_at_is_refused_at_once() -> None:
    assert examine(pdf("stream\n" * 200_001)) is Unfit.SWELLS
    assert examine(b"PK\x03\x04" + b"PK\x01\x02" * 10_001) is Unfit.SWELLS
    endless = docx(**{"word/_rels/x.rels": "<Relationship " * 140_000})
    assert examine(endless) is DocumentKind.DOCX


def test_objects_that_unpack_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_UNPACKED", 1 << 16)
    assert examine(pdf(packed=b" " * (1 << 20))) is Unfit.SWELLS


def test_a_small_file_full_of_escapes_is_looked_at_quickly_and_in_little_memory() -> None:
    body = pdf(packed=b"#41" * (30 << 20))
    assert len(body) < 1 << 20
    tracemalloc.start()
    began = time.process_time()
    assert examine(body) is DocumentKind.PDF
    took, (_, most) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 5, "undoing each escape takes half a minute"
    assert most < 16 << 20


def test_a_link_in_a_document_is_not_something_that_runs() -> None:
    link = '<Relationship Type="http://x/hyperlink" Target="https://forum.example" TargetMode="External"/>'
    assert examine(docx(**{"word/_rels/document.xml.rels": link})) is DocumentKind.DOCX


@given(st.sampled_from([pdf(), docx(), packed(ODT), PNG, JPEG]), st.integers(0, 10_000), st.binary(max_size=40))
def test_whatever_is_cut_off_or_spoilt_is_answered_and_never_a_fault(sound: bytes, at: int, spoilt: bytes) -> None:
    at %= len(sound)
    for body in (sound[:at], sound[:at] + spoilt + sound[at:], spoilt + sound, sound + spoilt):
        assert isinstance(examine(body), DocumentKind | Unfit)
