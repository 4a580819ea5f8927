"""A version's way: changed at the desk, looked at, published with a note, read on a telephone and in a calendar."""

from collections.abc import Callable
from typing import Any

import pytest
from icalendar import Calendar

from app.kit.i18n import text_of
from tests.cast import SLUG
from tests.journeys.conftest import PHONE, Served

pytestmark = pytest.mark.browser
DESK_PAGE = f"/desk/{SLUG}/programme"


def slot(tab: Any, served: Served) -> tuple[int, str]:
    """SEQUENCE and local start of the session in everybody's calendar."""
    text = tab.context.request.get(f"{served.address}/en/{SLUG}/sessions/D1-04.ics").body()
    (vevent,) = Calendar.from_ical(text).walk("VEVENT")
    return int(vevent.get("SEQUENCE", 0)), f"{vevent['DTSTART'].dt:%H:%M}"


def test_what_was_changed_is_looked_at_published_and_read(site_of_my_own: Served, browse: Callable[..., Any]) -> None:
    tab = browse(site_of_my_own.address)
    tab.goto(f"/login/{site_of_my_own.doors.sign_in_link()}")
    tab.click("form.form button")
    public = browse(site_of_my_own.address, viewport=PHONE, is_mobile=True)
    sequence, start = slot(public, site_of_my_own)

    tab.goto(f"{DESK_PAGE}/versions?lang=en")
    assert text_of("en", "versions.nothing") in tab.inner_text("main")
    tab.goto(f"{DESK_PAGE}/sessions/D1-04?lang=en")
    tab.fill("#title_en", "A title of another kind")
    tab.click(f"form button:text-is('{text_of('en', 'editor.save')}')")
    assert text_of("en", "editor.done.changed") in tab.inner_text("[data-said]")
    assert slot(public, site_of_my_own) == (sequence, start), "the working copy is nobody's business"

    tab.goto(f"{DESK_PAGE}/versions?lang=en")
    assert "A title of another kind" in tab.inner_text("#difference")
    tab.fill("#note_en", "It has another title")
    tab.fill("#note_km", "មានចំណងជើងថ្មី")
    tab.click("#difference form .buttons button")
    assert text_of("en", "versions.done", number="2") in tab.inner_text("[role=status]")

    public.goto(f"/km/{SLUG}/programme/changes")
    assert "មានចំណងជើងថ្មី" in public.inner_text("main")
    public.goto(f"/en/{SLUG}/programme/D1-04")
    assert public.inner_text("h1") == "A title of another kind"
    public.wait_for_timeout(1100)  # so long may what was published before be served
    assert slot(public, site_of_my_own) == (sequence + 1, start)
    public.goto(f"/en/{SLUG}/programme/versions/1")
    assert "A title of another kind" not in public.inner_text("main")
