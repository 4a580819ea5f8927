"""Photographs that people send: read under limits, and made anew, so that nothing of the file that came is kept."""

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from app.kit.errors import Refused

KINDS = ("JPEG", "PNG", "WEBP")
"""What is read; Pillow tries no other reader, whatever the file is called."""
MOST_PIXELS = 40_000_000
"""Of a picture before it is made smaller: what a telephone takes, and no more memory than 160 megabytes."""
SIDE = 800
"""The longer side afterwards."""
QUALITY = 85


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG of our own making, and its size in pixels."""

    body: bytes
    width: int
    height: int


def made_anew(sent: bytes, *, most_bytes: int) -> Picture:
    """The picture in a file as a JPEG of at most 800 pixels a side: upright, on white, in sRGB, without metadata.

    Only pixels go over, so no EXIF, place, comment, profile, thumbnail or anything behind the picture's end does.
    Takes long enough to be called outside the pen. Raises Refused: `picture_too_large`, `picture_kind` where it is no
    JPEG, PNG or WebP, `picture_too_many_pixels`, `picture_broken`.
    """
    if len(sent) > most_bytes:
        raise Refused("picture_too_large", most=most_bytes // (1024 * 1024))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the limit is ours and lower; a truncated tag is no matter, as none is kept
        try:
            with Image.open(io.BytesIO(sent), formats=KINDS) as found:
                _must_be_small(found)
                found.draft("RGB", (2 * SIDE, 2 * SIDE))  # a large JPEG is decoded smaller
                upright = ImageOps.exif_transpose(found)
                return _jpeg(upright)
        except UnidentifiedImageError:
            raise Refused("picture_kind") from None
        except Image.DecompressionBombError:
            raise Refused("picture_too_many_pixels", most=MOST_PIXELS // 1_000_000) from None
        except Refused:
            raise
        except Exception:  # noqa: BLE001 - Pillow's readers raise anything of files cut or forged, struct.error too
            raise Refused("picture_broken") from None


def _must_be_small(picture: Image.Image) -> None:
    if picture.width * picture.height > MOST_PIXELS:
        raise Refused("picture_too_many_pixels", most=MOST_PIXELS // 1_000_000)


def _jpeg(picture: Image.Image) -> Picture:
    picture.thumbnail((SIDE, SIDE))
    ground = Image.new("RGB", picture.size, "white")
    layers = picture.convert("RGBA")
    ground.paste(layers, mask=layers.getchannel("A"))
    made = io.BytesIO()
    ground.save(made, "JPEG", quality=QUALITY, optimize=True)
    return Picture(made.getvalue(), ground.width, ground.height)
