"""Photographs made anew: nothing of the file that came goes along, and what is no photograph is refused."""

import io
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.kit.errors import Refused
from app.kit.pictures import SIDE, made_anew

LIMIT = 8 * 1024 * 1024
SECRET_WORDS = "Taken at home by somebody"


def picture(kind: str = "JPEG", size: tuple[int, int] = (60, 40), mode: str = "RGB", **more: object) -> bytes:
    """A picture whose left half is red and whose right half is blue."""
    made, found = Image.new(mode, size, "blue"), io.BytesIO()
    made.paste("red", (0, 0, size[0] // 2, size[1]))
    made.save(found, kind, **more)
    return found.getvalue()


def tagged(orientation: int = 1) -> bytes:
    """A JPEG as a telephone takes it: with its place, the time, a comment, a profile and a preview."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x0110] = orientation, SECRET_WORDS, "A telephone"
    exif.get_ifd(0x8825).update({1: "N", 2: (11.0, 33.0, 27.0), 3: "E", 4: (104.0, 56.0, 6.0)})
    return picture(exif=exif, comment=SECRET_WORDS.encode(), icc_profile=b"a profile " * 20, quality=95)


def read(body: bytes) -> Image.Image:
    return Image.open(io.BytesIO(body))


def test_place_time_comment_and_profile_are_gone() -> None:
    sent = tagged()
    assert read(sent).getexif().get_ifd(0x8825), "or the test could not fail"
    assert SECRET_WORDS.encode() in sent
    made = made_anew(sent, most_bytes=LIMIT)
    found = read(made.body)
    assert (found.format, found.mode, found.size) == ("JPEG", "RGB", (made.width, made.height))
    assert not dict(found.getexif())
    assert found.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi"}
    assert SECRET_WORDS.encode() not in made.body
    assert b"Exif" not in made.body


@pytest.mark.parametrize(("orientation", "size"), [(1, (60, 40)), (3, (60, 40)), (6, (40, 60)), (8, (40, 60))])
def test_a_picture_taken_askew_stands_upright(orientation: int, size: tuple[int, int]) -> None:
    made = made_anew(tagged(orientation), most_bytes=LIMIT)
    assert (made.width, made.height) == size
    red = {1: (5, 20), 3: (55, 20), 6: (20, 5), 8: (20, 55)}[orientation]
    shown = read(made.body).getpixel(red)
    assert isinstance(shown, tuple)
    assert shown[0] > 200
    assert shown[2] < 60


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *(("JPEG", mode) for mode in ("RGB", "L", "CMYK")),
        *(("PNG", mode) for mode in ("RGB", "L", "P", "RGBA")),
        *(("WEBP", mode) for mode in ("RGB", "L", "P", "RGBA", "CMYK")),
    ],
)
def test_every_usual_kind_and_way_of_colours_is_read(kind: str, mode: str) -> None:
    image, found = Image.new("RGB", (30, 20), "red"), io.BytesIO()
    image.convert(mode).save(found, kind)
    made = made_anew(found.getvalue(), most_bytes=LIMIT)
    assert (made.width, made.height) == (30, 20)


def test_what_can_be_seen_through_stands_on_white() -> None:
    image, found = Image.new("RGBA", (30, 20), (0, 0, 0, 0)), io.BytesIO()
    image.save(found, "PNG")
    assert read(made_anew(found.getvalue(), most_bytes=LIMIT).body).getpixel((5, 5)) == (255, 255, 255)


def test_a_large_picture_is_made_smaller_in_its_shape_and_a_small_one_is_not_made_larger() -> None:
    wide = made_anew(picture(size=(3000, 1500)), most_bytes=LIMIT)
    assert (wide.width, wide.height) == (SIDE, SIDE // 2)
    assert len(wide.body) < 200_000
    assert made_anew(picture(size=(9, 7)), most_bytes=LIMIT).width == 9


def refusal(sent: bytes, most_bytes: int = LIMIT) -> str:
    with pytest.raises(Refused) as refused:
        made_anew(sent, most_bytes=most_bytes)
    return refused.value.code


def test_a_page_named_like_a_picture_and_other_kinds_are_refused() -> None:
    assert refusal(b"<!doctype html><script>alert(1)</script>") == "picture_kind"
    assert refusal(b"<svg xmlns='http://www.w3.org/2000/svg'/>") == "picture_kind"
    assert refusal(b"%PDF-1.7") == "picture_kind"
    assert refusal(b"") == "picture_kind"
    for kind in ("GIF", "BMP", "TIFF", "ICO"):
        assert refusal(picture(kind)) == "picture_kind"


def test_what_stands_behind_or_inside_a_picture_does_not_come_along() -> None:
    page, archive = b"<script>alert(1)</script>", b"PK\x03\x04 an archive"
    for sent in (picture() + page + archive, picture(comment=page + archive), picture("PNG") + page + archive):
        made = made_anew(sent, most_bytes=LIMIT)
        assert b"script" not in made.body
        assert b"PK\x03\x04" not in made.body


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    """Ten thousand million pixels in some bytes: the head of a PNG says so, and nothing behind it is read."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    head = (100_000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    sent = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    assert refusal(sent) == "picture_too_many_pixels"
    assert refusal(picture("PNG", size=(8000, 6000), mode="1")) == "picture_too_many_pixels"


def test_more_bytes_than_are_taken_are_refused() -> None:
    assert refusal(picture(), most_bytes=100) == "picture_too_large"


def test_whatever_stands_in_the_notes_of_a_picture_it_is_a_picture_or_a_refusal() -> None:
    sent = tagged(6)
    at = sent.index(b"Exif")
    for place in range(at, at + 200):
        for spoilt in (0, 5, 10, 255):
            with suppress(Refused):
                made_anew(sent[:place] + bytes([spoilt]) + sent[place + 1 :], most_bytes=LIMIT)


def test_half_a_picture_is_refused() -> None:
    for kind in ("JPEG", "PNG", "WEBP"):
        whole = picture(kind, size=(400, 300))
        assert refusal(whole[: len(whole) // 2]) in {"picture_broken", "picture_kind"}


@given(st.binary(max_size=300), st.integers(0, 400), st.sampled_from(["JPEG", "PNG", "WEBP"]))
def test_whatever_bytes_come_it_is_a_picture_or_a_refusal(noise: bytes, at: int, kind: str) -> None:
    whole = picture(kind)
    for sent in (noise, whole[:at] + noise + whole[at + len(noise) :]):
        try:
            assert read(made_anew(sent, most_bytes=LIMIT).body).format == "JPEG"
        except Refused:
            continue
