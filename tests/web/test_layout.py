"""How the public pages stand in a real browser."""

from typing import Any

import pytest

from tests.cast import SLUG

TAILS = ("", "/programme", "/programme/D1-07", "/programme/changes", "/speakers", "/calendar", "/no-such-page")


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["en", "km"])
def test_no_page_scrolls_sideways_or_breaks_its_own_content_policy(tab: Any, lang: str) -> None:
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    for tail in TAILS:
        tab.goto(f"/{lang}/{SLUG}{tail}")
        for width in (1366, 768, 320):  # at 390 every kind of page is looked at in tests/journeys
            tab.set_viewport_size({"width": width, "height": 800})
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
@pytest.mark.parametrize("lang", ["en", "km"])
def test_on_a_phone_letters_are_squares_and_every_way_to_a_calendar_is_in_sight(tab: Any, lang: str) -> None:
    tab.set_viewport_size({"width": 390, "height": 800})
    tab.goto(f"/{lang}/{SLUG}/register")
    boxes = [letter.bounding_box() for letter in tab.locator(".category > .letter").all()]
    assert len(boxes) == 12
    assert [box for box in boxes if not 0.9 < box["width"] / box["height"] < 1.15] == []
    tab.goto(f"/{lang}/{SLUG}/calendar")
    links = [link.bounding_box() for link in tab.locator("main a").all()]
    assert len(links) == 25
    assert [box for box in links if box["x"] < 0 or box["x"] + box["width"] > 390] == []
    cut = "[...document.querySelectorAll('main *')].filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 1)"
    assert tab.evaluate(f"{cut}.map(e => e.className)") == []
