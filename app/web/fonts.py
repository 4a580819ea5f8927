"""The two type families, cut down from the installed font packages to what the site sets and written as woff2.

Latin is Source Serif 4 (upright and italic), Khmer is Noto Sans Khmer; both under the Open Font License. The style
sheets name the files as `url("/static/fonts/<name>")`.
"""

import fcntl
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import fontpkg

# Basic Latin, Latin-1, Extended-A, Vietnamese letters and marks, punctuation, currency, the arrows and signs we set
LATIN = (
    *range(0x20, 0x7F),
    *range(0xA0, 0x180),
    *(0x192, 0x1A0, 0x1A1, 0x1AF, 0x1B0, 0x2BC, 0x2C6, 0x2C7, 0x2D8, 0x2DA, 0x2DC),
    *(0x300, 0x301, 0x302, 0x303, 0x304, 0x306, 0x309, 0x31B, 0x323, 0x327),
    *range(0x1EA0, 0x1EFA),
    *range(0x2010, 0x2028),
    *(0x2030, 0x2032, 0x2033, 0x2039, 0x203A, 0x2044, 0x20AC, 0x2116, 0x2122, 0x2190, 0x2191, 0x2192, 0x2193),
    *(0x2197, 0x2212, 0x2248, 0x2260, 0x2264, 0x2265),
)
# the Khmer block, its lunar-date symbols, and the invisible marks that decide where its words may break
KHMER = (*range(0x1780, 0x1800), *range(0x19E0, 0x1A00), 0x200B, 0x200C, 0x200D, 0x25CC)

# small capitals and fractions are left out: they double the glyphs and are not set
LATIN_FEATURES = ("case", "ccmp", "kern", "liga", "lnum", "locl", "mark", "mkmk", "onum", "pnum", "sups", "tnum")


@dataclass(frozen=True, slots=True)
class Cut:
    """One file to make: from which family and style, which characters, axes (kept from–to, or pinned) and
    OpenType features ("*" keeps all: Khmer is shaped by them)."""

    name: str
    package: str
    family: str
    style: str
    characters: tuple[int, ...]
    axes: dict[str, tuple[float, float] | float]
    features: tuple[str, ...]


CUTS = (
    Cut(
        "source-serif.woff2",
        "fontpkg-source-serif-4",
        "Source Serif 4",
        "normal",
        LATIN,
        {"wght": (400, 700), "opsz": (10, 48)},
        LATIN_FEATURES,
    ),
    Cut(
        "source-serif-italic.woff2",
        "fontpkg-source-serif-4",
        "Source Serif 4",
        "italic",
        LATIN,
        {"wght": (400, 700), "opsz": 16},
        LATIN_FEATURES,
    ),
    Cut(
        "noto-sans-khmer.woff2",
        "fontpkg-noto-sans-khmer",
        "Noto Sans Khmer",
        "normal",
        KHMER,
        {"wght": (400, 700), "wdth": 100},
        ("*",),
    ),
)


def build(into: Path) -> list[Path]:
    """Write every font under `into/fonts` and answer the paths; a few seconds once, nothing while they are current.

    A stamp beside the fonts holds the versions and cuts they were made from; where it differs they are made anew, by
    one process at a time: others that start meanwhile wait and take what it made. Raises fontpkg.FamilyNotInstalled
    where a font package is missing.
    """
    folder = into / "fonts"
    paths = [folder / cut.name for cut in CUTS]
    stamp, wanted = into / "fonts.stamp", _stamp()

    def current() -> bool:
        return all(path.exists() for path in paths) and stamp.exists() and stamp.read_text() == wanted

    if current():
        return paths
    folder.mkdir(parents=True, exist_ok=True)
    with (into / "fonts.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not current():
            for cut, path in zip(CUTS, paths, strict=True):
                part = path.with_suffix(".part")
                _make(cut, part)
                part.replace(path)  # another process never reads half a font
            stamp.write_text(wanted)
    return paths


def _stamp() -> str:
    packages = sorted({cut.package for cut in CUTS} | {"fonttools", "brotli"})
    return "\n".join([*(f"{name} {version(name)}" for name in packages), *map(repr, CUTS), ""])


def _make(cut: Cut, path: Path) -> None:
    from fontTools import subset  # noqa: PLC0415 - a tenth of a second that a site whose fonts are there needs not
    from fontTools.ttLib import TTFont  # noqa: PLC0415 - see above
    from fontTools.varLib import instancer  # noqa: PLC0415 - see above

    font = TTFont(fontpkg.path(cut.family, 400, cut.style), recalcTimestamp=False)
    # characters first: fewer glyphs make limiting the axes quick
    options = subset.Options(layout_features=list(cut.features), notdef_outline=True, hinting=False, flavor="woff2")
    worker = subset.Subsetter(options)
    worker.populate(unicodes=cut.characters)
    worker.subset(font)
    font = instancer.instantiateVariableFont(font, cut.axes, inplace=True)
    font.flavor = "woff2"
    font.save(path)
