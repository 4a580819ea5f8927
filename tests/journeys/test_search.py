"""Searching the programme: what is found shows while one types, in both scripts, and the address keeps the question."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cast import SLUG
from tests.journeys.conftest import PHONE, Furnished

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("lang", "words", "title"),
    [("en", "sea lan", "Strategic Sea Lanes"), ("km", "ផ្លូវសមុទ្រ", "ផ្លូវសមុទ្រ")],
)
def test_what_is_found_shows_while_one_types(
    furnished: Furnished, browse: Callable[..., Any], lang: str, words: str, title: str
) -> None:
    tab = browse(furnished.address, viewport=PHONE)
    tab.goto(f"/{lang}/{SLUG}/programme")
    before = tab.locator("[data-results] article.session").count()
    tab.locator("#q").press_sequentially(words)
    tab.wait_for_url(lambda url: parse_qs(urlsplit(url).query).get("q") == [words])
    assert before > 20
    assert title in tab.inner_text("[data-results]")
    assert tab.inner_text("[data-told]")
    assert tab.evaluate("document.activeElement.id") == "q", "the letters go on going where they went"
    tab.reload()
    assert tab.input_value("#q") == words
    assert tab.locator("[data-results] article.session").count() < 5
    tab.fill("#q", "")
    tab.wait_for_url(lambda url: not urlsplit(url).query)
    assert tab.locator("[data-results] article.session").count() == before


def test_without_scripts_the_button_finds_the_same(furnished: Furnished, browse: Callable[..., Any]) -> None:
    tab = browse(furnished.address, java_script_enabled=False)
    tab.goto(f"/en/{SLUG}/programme")
    tab.fill("#q", "sea lan")
    tab.click("form.filter button")
    assert "Strategic Sea Lanes" in tab.inner_text("main")
