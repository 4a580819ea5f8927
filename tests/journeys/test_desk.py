"""The secretariat's way: sign in by a one-time link, find somebody, decide, move, and look at what was written."""

from collections.abc import Callable
from typing import Any

import pytest

from app.kit.i18n import text_of
from tests.breadth import some
from tests.cast import BOPHA, DARA, SLUG, VANNA
from tests.journeys.conftest import DESK, PHONE, Served

pytestmark = pytest.mark.browser


def say(key: str, **values: Any) -> str:
    """A text of the English catalogue."""
    return text_of("en", key, **values)


@pytest.mark.parametrize("viewport", some([DESK, PHONE], 1, each=2), ids=lambda size: str(size["width"]))
def test_the_secretariat_signs_in_decides_and_sees_what_was_written(
    site_of_my_own: Served, browse: Callable[..., Any], viewport: dict[str, int]
) -> None:
    doors = site_of_my_own.doors
    dara = doors.register("DIP", figure=DARA, family_name=DARA.family_name, email=DARA.email)
    bopha = doors.register("GOV", figure=BOPHA, family_name=BOPHA.family_name, email=BOPHA.email)
    vanna = doors.register("STU", figure=VANNA, family_name=VANNA.family_name, email=VANNA.email, language="en")
    link = doors.sign_in_link()
    tab = browse(site_of_my_own.address, viewport=viewport, java_script_enabled=False)

    tab.goto(f"/desk/{SLUG}")
    assert tab.url.endswith("/login")
    tab.goto(f"/login/{link}")
    tab.click("form.form button")
    assert tab.url.endswith(f"/desk/{SLUG}")
    assert say("web.desk.signed_in", name="Sokha Meas") in tab.inner_text("header")

    def find(words: str) -> None:
        tab.goto(f"/desk/{SLUG}/registrations")
        tab.fill("#q", words)
        tab.press("#q", "Enter")
        assert tab.locator("tbody tr").count() == 1
        tab.click("tbody tr a")

    find("lim")
    assert f"/registrations/{dara.code}?q=lim" in tab.url
    tab.fill("#decide-note", "Known to the secretariat")
    tab.click(f"button:text-is('{say('desk.act.approve')}')")
    assert "done=approved_seated" in tab.url
    assert say("desk.done.approved_seated") in tab.inner_text("[role=status]")
    assert "Known to the secretariat" in tab.inner_text("main")
    assert doors.state(dara) == "seated"

    find("ជា បុប្ផា")
    tab.click(f"button:text-is('{say('desk.act.decline')}')")
    assert say("desk.done.declined") in tab.inner_text("[role=status]")
    assert doors.state(bopha) == "declined"

    find(vanna.code)
    tab.select_option("#category", "INT")
    tab.fill("#move-note", "Not a student any more")
    tab.click(f"button:text-is('{say('desk.act.move')}')")
    assert say("desk.done.moved") in tab.inner_text("[role=status]")
    assert "Not a student any more" in tab.inner_text("main")

    tab.click(f"button:text-is('{say('desk.act.link')}')")
    assert tab.input_value("#personal-link") == f"{site_of_my_own.address}/en/my/{vanna.secret}"

    tab.click(f"a[href='/desk/{SLUG}/outbox']")
    written = tab.inner_text("table")
    for figure in (DARA, BOPHA, VANNA):
        assert figure.email in written
    assert tab.locator("tbody tr").count() == 5
    assert vanna.secret not in tab.content()

    tab.click(f"header button:text-is('{say('desk.sign_out')}')")
    assert tab.url.endswith("/login")
    tab.goto(f"/desk/{SLUG}/outbox")
    assert tab.url.endswith("/login")
    tab.goto(f"/login/{link}")
    assert say("refused.sign_in_link") in tab.inner_text("main")
