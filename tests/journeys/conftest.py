"""What the journeys travel in: a served site that a test may change, one that is only looked at, and fresh browsers."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.editions.form import ForumFile
from app.kit import clock as kit_clock
from tests.arriving import arriving
from tests.cast import NOW
from tests.conftest import serving
from tests.doors import Doors, Shown, furnish, with_two_forums

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


@dataclass(frozen=True, slots=True)
class Furnished:
    """A served site with everything a page can show: its address, its doors, and what stands in it."""

    address: str
    doors: Doors
    shown: Shown


@pytest.fixture(scope="session")
def furnished(
    loaded_file: Path, forum_file: ForumFile, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Furnished]:
    """One served site for all tests of a worker that only look."""
    path = shutil.copy(with_two_forums(loaded_file, forum_file), tmp_path_factory.mktemp("furnished") / "sala.sqlite")
    with (
        kit_clock.reading(lambda: NOW),
        serving(f"sqlite:///{path}", SMTP_URL="smtp://127.0.0.1:9") as (address, app),
    ):
        doors = Doors(app, None)
        yield Furnished(address, doors, furnish(doors))


@dataclass(frozen=True, slots=True)
class Served:
    """A served site of one test: its address, and its doors for what happens behind them."""

    address: str
    doors: Doors


@pytest.fixture
def site_of_my_own(sqlite_url: str) -> Iterator[Served]:
    """A served site that this test may change; no mail can leave it."""
    with serving(sqlite_url) as (address, app):
        yield Served(address, Doors(app, None))


@pytest.fixture
def browse(chromium_browser: Any) -> Iterator[Callable[..., Any]]:
    """`browse(address, …)`: a fresh tab of a fresh profile before this site; what it complains of fails the test."""
    contexts: list[Any] = []
    said: list[str] = []

    def fresh(address: str, **options: Any) -> Any:
        # a page that glides to each field and button takes a second for every one that is out of sight
        asked = {"viewport": DESK, "reduced_motion": "reduce", **options}
        context = chromium_browser.new_context(base_url=address, **asked)
        context.set_default_timeout(10_000)
        contexts.append(context)
        tab = arriving(context.new_page())
        tab.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on(
            "request", lambda asked: said.append(asked.url) if not asked.url.startswith((address, "data:")) else None
        )
        return tab

    yield fresh
    for context in contexts:
        context.close()
    assert [words for words in said if "status of 4" not in words] == []
