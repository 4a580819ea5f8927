"""Registering with the keyboard alone."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.breadth import some
from tests.cast import SLUG
from tests.journeys.conftest import DESK, PHONE, Served

pytestmark = pytest.mark.browser
FOCUS = """async () => { await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  const e = document.activeElement, s = getComputedStyle(e), b = e.getBoundingClientRect();
  return {id: e.id, href: e.getAttribute('href'), tag: e.tagName, type: e.type || '',
          seen: (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1) || s.boxShadow !== 'none',
          inside: b.bottom > 0 && b.top < innerHeight && b.width > 0} }"""


def tab_to(page: Any, wanted: Callable[[dict[str, Any]], bool], most: int = 60) -> dict[str, Any]:
    """Press Tab until what has the focus is the wanted; everything on the way is seen to have it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        focus: dict[str, Any] = page.evaluate(FOCUS)
        assert focus["tag"] == "BODY" or (focus["seen"] and focus["inside"]), focus
        assert focus["id"] != "website", "the trap is out of the keyboard's way"
        if wanted(focus):
            return focus
    raise AssertionError("it cannot be reached")


@pytest.mark.parametrize("viewport", some([PHONE, DESK], 1, each=2), ids=lambda size: str(size["width"]))
def test_a_registration_needs_no_pointer(
    site_of_my_own: Served, browse: Callable[..., Any], viewport: dict[str, int]
) -> None:
    tab = browse(site_of_my_own.address, viewport=viewport, reduced_motion="reduce")
    tab.goto(f"/en/{SLUG}")
    first = tab_to(tab, lambda focus: focus["tag"] == "A", most=1)
    assert first["href"] == "#main", "the way past the menu comes first"
    tab.keyboard.press("Enter")
    tab_to(tab, lambda focus: focus["href"] == f"/en/{SLUG}/register")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/register")
    tab_to(tab, lambda focus: focus["href"] == f"/en/{SLUG}/register/stu")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/register/stu")

    # the assistant's own name is asked for once somebody else is chosen
    names = ["titles", "family_name", "given_name", "name_order", "name_km", "display_name"]
    order = ["for_whom-1", "email", *names]
    met = [tab_to(tab, lambda focus: focus["tag"] == "INPUT")["id"]]
    while met[-1] != order[-1]:
        tab.keyboard.press("Tab")
        met.append(tab.evaluate(FOCUS)["id"])
    assert met == order
    tab_to(tab, lambda focus: focus["type"] == "submit")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#errors")
    assert tab.evaluate(FOCUS)["id"] == "errors", "what is wrong is read out first"

    tab.keyboard.press("Tab")
    assert tab.evaluate(FOCUS)["href"] == "#email"
    tab.keyboard.press("Enter")
    # following the link puts the reader at the field: the next key typed or the next Tab goes there
    if tab.evaluate(FOCUS)["id"] != "email":
        tab_to(tab, lambda focus: focus["id"] == "email", most=1)
    tab.keyboard.type("keys@elsewhere.example")
    tab_to(tab, lambda focus: focus["id"] == "family_name")
    tab.keyboard.type("Keyboard")
    tab_to(tab, lambda focus: focus["type"] == "radio")
    tab.keyboard.press("ArrowDown")
    tab_to(tab, lambda focus: focus["id"] == "country")
    tab.keyboard.type("France")
    tab_to(tab, lambda focus: focus["id"] == "consent")
    tab.keyboard.press("Space")
    tab_to(tab, lambda focus: focus["type"] == "submit", most=1)
    tab.keyboard.press("Enter")
    tab.wait_for_selector('main a[href^="/en/my/"]')
    tab_to(tab, lambda focus: str(focus["href"]).startswith("/en/my/"))
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/my/*")
    told = tab.inner_text("main")
    assert "Keyboard" in told
    assert "keys@elsewhere.example" in told
