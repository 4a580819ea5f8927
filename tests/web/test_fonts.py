"""The fonts: small, and still able to set Khmer."""

import fcntl
import re
import shutil
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from starlette.testclient import TestClient

from app import main
from app.web import fonts
from tests.conftest import settings_for


@pytest.fixture
def khmer_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """One cut instead of three: the making is the same and takes a third of the time."""
    monkeypatch.setattr(fonts, "CUTS", tuple(cut for cut in fonts.CUTS if "khmer" in cut.name))


@pytest.fixture
def small(khmer_only: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of that the first letter alone, for what has nothing to do with what is in it."""
    monkeypatch.setattr(fonts, "CUTS", tuple(replace(cut, characters=(0x1780,)) for cut in fonts.CUTS))


def test_khmer_keeps_what_stacks_and_reorders_its_signs(khmer_only: None, tmp_path: Path) -> None:
    (path,) = fonts.build(tmp_path)
    assert path.stat().st_size < 60_000
    font = TTFont(path)
    assert font.flavor == "woff2"
    features = {record.FeatureTag for name in ("GSUB", "GPOS") for record in font[name].table.FeatureList.FeatureRecord}
    assert {"pref", "blwf", "abvf", "pstf", "pres", "blws", "abvs", "psts", "mark"} <= features
    assert {0x1780, 0x17D2, 0x17E9, 0x200B} <= set(font.getBestCmap())
    assert [(axis.axisTag, axis.minValue, axis.maxValue) for axis in font["fvar"].axes] == [("wght", 400, 700)]


def test_fonts_are_made_once_and_anew_when_what_they_are_made_of_changes(small: None, tmp_path: Path) -> None:
    (path,) = fonts.build(tmp_path)
    made = path.stat().st_mtime_ns
    fonts.build(tmp_path)
    assert path.stat().st_mtime_ns == made
    (tmp_path / "fonts.stamp").write_text("fonttools 0")
    fonts.build(tmp_path)
    assert path.stat().st_mtime_ns > made


def test_a_site_that_starts_in_an_empty_folder_has_its_fonts(small: None, tmp_path: Path, loaded_file: Path) -> None:
    settings = settings_for(f"sqlite:///{loaded_file}", SALA_VAR=str(tmp_path))
    with TestClient(main.app(settings), base_url="http://localhost") as browser:
        (sheet,) = re.findall(r'"(/static/[^"]*tokens\.css)"', browser.get("/login").text)
        (font,) = re.findall(r'url\("(/static/[^"]*khmer\.woff2)"\)', browser.get(sheet).text)
        answer = browser.get(font)
    assert (answer.status_code, answer.content[:4]) == (200, b"wOF2")


def test_of_two_that_start_at_once_one_makes_the_fonts_and_the_other_takes_them(small: None, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    (made,) = fonts.build(there)
    here.mkdir()
    with ThreadPoolExecutor(1) as other, (here / "fonts.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        later = other.submit(fonts.build, here)
        assert wait([later], timeout=0.3).not_done, "it waits for whoever makes them"
        shutil.copytree(there / "fonts", here / "fonts", copy_function=shutil.copy2, dirs_exist_ok=True)
        shutil.copy(there / "fonts.stamp", here)
        fcntl.flock(lock, fcntl.LOCK_UN)
        (path,) = later.result(60)
    assert path.stat().st_mtime_ns == made.stat().st_mtime_ns, "taken as it was made"
