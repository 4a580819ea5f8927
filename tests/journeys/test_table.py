"""The table of registrations in a browser: many approved and taken back, a view, a row put right where it stands, and
all of it with the keyboard alone."""

from collections.abc import Callable
from typing import Any

import pytest

from app.accounts.rules import Role
from tests.cast import SLUG
from tests.journeys.conftest import Served

pytestmark = pytest.mark.browser
LIST = f"/desk/{SLUG}/registrations"


@pytest.fixture
def desk(site_of_my_own: Served, browse: Callable[..., Any]) -> Any:
    """A registrar's tab, with three ministers who await a decision."""
    doors = site_of_my_own.doors
    doors.enrol("registrar", Role.REGISTRAR)
    for name in ("Alpha", "Beta", "Gamma"):
        doors.register("MIN", family_name=name)
    tab = browse(site_of_my_own.address, reduced_motion="reduce")
    cookie = {"name": "sala_login", "value": doors.login_of("registrar"), "url": site_of_my_own.address}
    tab.context.add_cookies([cookie])
    return tab


def names(tab: Any) -> list[str]:
    return [each.split()[0] for each in tab.locator("tr[data-row] th a").all_inner_texts()]


def test_many_are_approved_and_taken_back_and_the_question_is_kept_as_a_view(desk: Any) -> None:
    desk.goto(f"{LIST}?state=awaiting&lang=en")
    assert names(desk) == ["ALPHA", "BETA", "GAMMA"]
    desk.check("#whole")
    desk.select_option("#act", "approve")
    desk.click("text=See what would happen")
    desk.wait_for_selector("text=This can be done with 3 registrations.")
    desk.click("text=Approve 3")
    desk.wait_for_selector("text=It is done.")
    assert desk.locator(".status-good").count() >= 3
    desk.click("text=Take it back for 3 registrations")
    desk.wait_for_selector("text=It was taken back")
    desk.goto(f"{LIST}?state=awaiting&order=name-down&lang=en")
    assert names(desk) == ["GAMMA", "BETA", "ALPHA"]
    desk.click("text=Keep this as a view")
    desk.fill("#name", "To decide, from the end")
    desk.check("#usual")
    desk.click("text=Keep as a new view")
    desk.wait_for_selector("text=The view is kept.")
    desk.goto(LIST)
    assert names(desk) == ["GAMMA", "BETA", "ALPHA"], "what opens first"


def test_the_table_needs_no_pointer(desk: Any) -> None:
    desk.goto(f"{LIST}?state=awaiting&lang=en")
    press = desk.keyboard.press
    press("?")
    assert desk.locator("[data-keys]").get_attribute("open") is not None
    press("/")
    desk.keyboard.type("jx alpha")
    assert desk.locator("#q").input_value() == "jx alpha", "in a field keys are letters"
    press("Escape")
    press("x")
    press("j")
    press("ArrowDown")
    press("k")
    press("x")
    chosen = desk.locator("tr[data-row] input:checked")
    assert chosen.count() == 2
    assert desk.evaluate("document.activeElement.name") == "code", "the focus is on the row"
    press("e")
    desk.wait_for_selector("tr.editing #family_name")
    assert desk.evaluate("document.activeElement.id") == "family_name"
    desk.locator("#family_name").fill("Delta")
    press("Enter")
    desk.wait_for_selector("text=The row is saved.")
    assert names(desk) == ["ALPHA", "DELTA", "GAMMA"]
    press("a")
    assert chosen.count() == 3
    press("b")
    desk.keyboard.type("Decl")
    press("Tab")
    press("Enter")
    desk.wait_for_selector("text=This cannot be taken back")
    desk.go_back()
    press("j")
    press("o")
    desk.wait_for_selector("h1:has-text('ALPHA')")


def test_a_row_that_somebody_else_changed_meanwhile_shows_both_where_it_stands(
    desk: Any, site_of_my_own: Served
) -> None:
    desk.goto(f"{LIST}?state=awaiting&lang=en")
    desk.locator("[data-edit]").first.click()
    desk.wait_for_selector("tr.editing #family_name")
    other = desk.context.new_page()
    other.goto(desk.locator("[data-edit]").first.get_attribute("href"))
    other.fill("#family_name", "Quicker")
    other.click("main form[data-details] button")
    other.wait_for_selector("text=The row is saved.")
    desk.fill("tr.editing #family_name", "Slower")
    desk.click("tr.editing button")
    desk.wait_for_selector("tr.editing #theirs >> text=Quicker")
    assert desk.locator("tr.editing #family_name").input_value() == "Slower"
    desk.click("tr.editing button")
    desk.wait_for_selector("text=The row is saved.")
    assert names(desk)[0] == "SLOWER"
