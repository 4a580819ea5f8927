"""The programme editor's way: a session dragged, moved by keyboard, put over another for a reason, and taken back."""

from collections.abc import Callable
from typing import Any

import pytest

from app.kit.i18n import text_of
from tests.breadth import some
from tests.cast import SLUG
from tests.journeys.conftest import PHONE, Served

pytestmark = pytest.mark.browser
PAGE = f"/desk/{SLUG}/programme"
WIDE = {"width": 1366, "height": 1200}


def say(key: str, **values: Any) -> str:
    return text_of("en", key, **values)


def at_the_desk(served: Served, browse: Callable[..., Any], **options: Any) -> Any:
    tab = browse(served.address, **options)
    tab.goto(f"/login/{served.doors.sign_in_link()}")
    tab.click("form.form button")
    tab.goto(f"{PAGE}?day=2027-03-23&lang=en")
    return tab


def hours(tab: Any, code: str) -> str:
    return str(tab.inner_text(f"#s-{code} .hours"))


def drag(tab: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    tab.mouse.move(*start)
    tab.mouse.down()
    tab.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    tab.mouse.move(*end)
    tab.mouse.up()


def moved(tab: Any) -> None:
    tab.wait_for_function(
        "words => document.querySelector('[data-said]').textContent.includes(words)", arg=say("editor.done.moved")
    )


def test_a_session_is_dragged_made_longer_let_wait_and_taken_back(
    site_of_my_own: Served, browse: Callable[..., Any]
) -> None:
    tab = at_the_desk(site_of_my_own, browse, viewport=WIDE)
    assert hours(tab, "D1-01") == "08:30–09:15"
    block = tab.locator("#s-D1-01").bounding_box()
    room = tab.locator("[data-head=mekong]").bounding_box()
    drag(tab, (block["x"] + 30, block["y"] + 8), (room["x"] + 30, block["y"] + 8))
    moved(tab)
    assert (hours(tab, "D1-01"), tab.get_attribute("#s-D1-01", "data-room")) == ("08:30–09:15", "mekong")
    assert say("editor.standing.changed") in tab.inner_text("#s-D1-01")

    block = tab.locator("#s-D1-01").bounding_box()
    edge = (block["x"] + 30, block["y"] + block["height"] - 3)
    drag(tab, edge, (edge[0], edge[1] + 30))
    tab.wait_for_function("() => !document.querySelector('#s-D1-01 .hours').textContent.endsWith('09:15')")
    assert hours(tab, "D1-01").startswith("08:30–09:")

    block = tab.locator("#s-D1-01").bounding_box()
    beside = tab.locator("[data-waiting] h2").bounding_box()
    drag(tab, (block["x"] + 30, block["y"] + 8), (beside["x"] + 20, beside["y"] + 8))
    tab.wait_for_selector("[data-waiting] #s-D1-01")

    block = tab.locator("[data-waiting] #s-D1-01").bounding_box()
    hall, eight = tab.locator("[data-head='tonle-sap']").bounding_box(), tab.locator(".hour").nth(1).bounding_box()
    drag(tab, (block["x"] + 30, block["y"] + 8), (hall["x"] + 30, eight["y"] + 10))
    tab.wait_for_selector("[data-rows] #s-D1-01[data-room=tonle-sap]")
    assert hours(tab, "D1-01").startswith("08:00–")

    tab.click("[data-said] button")
    assert say("editor.done.brought_back") in tab.inner_text("[data-said]")
    assert tab.locator("[data-waiting] #s-D1-01").count() == 1


def test_a_session_is_moved_by_keyboard_and_nothing_is_sent_before_enter(
    site_of_my_own: Served, browse: Callable[..., Any]
) -> None:
    tab = at_the_desk(site_of_my_own, browse, viewport=WIDE)
    tab.focus("#s-D1-01")
    for key in ("ArrowUp", "PageUp", "ArrowRight", "Shift+ArrowDown"):
        tab.keyboard.press(key)
    assert tab.inner_text("[data-told]") == "08:10–09:00, Mekong Room 110"
    tab.keyboard.press("Escape")
    assert (hours(tab, "D1-01"), tab.inner_text("[data-told]")) == ("08:30–09:15", "")
    for key in ("PageUp", "ArrowRight", "Shift+PageDown"):
        tab.keyboard.press(key)
    tab.keyboard.press("Enter")
    moved(tab)
    assert (hours(tab, "D1-01"), tab.get_attribute("#s-D1-01", "data-room")) == ("08:15–09:15", "mekong")
    assert tab.evaluate("document.activeElement.id") == "s-D1-01"


def test_a_session_is_put_over_another_only_for_a_reason(site_of_my_own: Served, browse: Callable[..., Any]) -> None:
    tab = at_the_desk(site_of_my_own, browse, viewport=WIDE)
    tab.focus("#s-D1-02")
    tab.keyboard.press("PageUp")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/place")
    assert "Grand Ballroom" in tab.inner_text("#new-conflicts")
    tab.fill("#reason", "The keynote is part of the opening")
    tab.click("main form button")
    assert "done=moved" in tab.url
    assert hours(tab, "D1-02") == "09:00–09:30"
    assert "The keynote is part of the opening" in tab.inner_text("#conflicts")


@pytest.mark.parametrize("viewport", some([WIDE, PHONE], 1, each=2), ids=lambda size: str(size["width"]))
def test_plain_forms_do_the_same_without_scripts(
    site_of_my_own: Served, browse: Callable[..., Any], viewport: dict[str, int]
) -> None:
    tab = at_the_desk(site_of_my_own, browse, viewport=viewport, java_script_enabled=False)
    tab.focus("#s-D1-01 .move summary")
    tab.keyboard.press("Enter")
    tab.fill("#at-D1-01", "2027-03-23T07:30")
    tab.fill("#for-D1-01", "40")
    tab.select_option("#in-D1-01", "mekong")
    tab.click("#s-D1-01 .move button")
    assert hours(tab, "D1-01") == "07:30–08:10"
    tab.click("[data-said] button")
    assert hours(tab, "D1-01") == "08:30–09:15"
    tab.goto(f"{PAGE}/sessions/D1-01")
    tab.fill("#title_en", "The opening")
    tab.select_option("#person-4", "forum-chair")
    tab.click(f"form button:text-is('{say('editor.save')}')")
    assert say("editor.done.changed") in tab.inner_text("[data-said]")
    assert tab.input_value("#person-4") == "forum-chair"
    tab.click(f"a:text-is('{say('editor.history')}')")
    assert "The opening" in tab.inner_text("main")
