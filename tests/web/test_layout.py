"""How the public pages stand in a real browser."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.cast import SLUG

TAILS = ("", "/programme", "/programme/D1-07", "/programme/changes", "/speakers", "/calendar", "/no-such-page")


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["en", "km"])
def test_no_page_scrolls_sideways_or_breaks_its_own_content_policy(tab: Any, lang: str) -> None:
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    for width in (1366, 768, 390, 320):
        tab.set_viewport_size({"width": width, "height": 800})
        for tail in TAILS:
            tab.goto(f"/{lang}/{SLUG}{tail}")
            excess = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert excess == 0, f"{tail} at {width}"
    assert [text for text in said if "404" not in text] == []


@pytest.mark.browser
def test_khmer_has_the_line_height_its_signs_need(tab: Any) -> None:
    for tail in TAILS:
        tab.goto(f"/km/{SLUG}{tail}")
        tight = tab.evaluate(
            """() => [...document.querySelectorAll('main *')].filter(e => {
                 const own = [...e.childNodes].some(n => n.nodeType === 3 && /[\\u1780-\\u17ff]/.test(n.data));
                 const style = getComputedStyle(e), ratio = parseFloat(style.lineHeight) / parseFloat(style.fontSize);
                 return own && !e.closest('select') && ratio < 1.695;
               }).map(e => `${e.tagName}.${e.className}: ${e.textContent.trim().slice(0, 30)}`)"""
        )
        assert tight == [], tail


@pytest.mark.browser
def test_the_timetable_puts_parallel_rooms_side_by_side_on_a_wide_screen_and_below_each_other_on_a_phone(
    tab: Any,
) -> None:
    def boxes() -> list[dict[str, float]]:
        tab.goto(f"/en/{SLUG}/programme?room=&q=&day=2027-03-23")
        found = [tab.locator(f'.session:has(a[href$="/{code}"])').bounding_box() for code in ("D1-07", "D1-08")]
        assert all(found)
        return found

    tab.set_viewport_size({"width": 1366, "height": 900})
    left, right = boxes()
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]
    tab.set_viewport_size({"width": 390, "height": 800})
    upper, lower = boxes()
    assert upper["x"] == lower["x"]
    assert upper["y"] + upper["height"] <= lower["y"]


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "km"])
def test_people_who_see_or_steer_differently_can_use_every_page(tab: Any, lang: str, scheme: str) -> None:
    """WCAG 2.2 at level AA, and the contrast of level AAA."""
    tab.emulate_media(color_scheme=scheme)
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "wcag2aaa", "best-practice"]}
    for tail in TAILS:
        tab.goto(f"/{lang}/{SLUG}{tail}")
        found = Axe().run(tab, options=rules).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], tail
