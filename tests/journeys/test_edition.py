"""The next edition's way in a browser: opened from this one, worded, looked at, and made public."""

from collections.abc import Callable
from typing import Any

import pytest

from app.kit.i18n import text_of
from tests.cast import SLUG
from tests.journeys.conftest import PHONE, Served

pytestmark = pytest.mark.browser
NEXT = "phnom-penh-2029"


def test_the_next_edition_is_opened_worded_and_made_public(site_of_my_own: Served, browse: Callable[..., Any]) -> None:
    tab = browse(site_of_my_own.address)
    tab.goto(f"/login/{site_of_my_own.doors.sign_in_link()}")
    tab.click("form.form button")
    public = browse(site_of_my_own.address, viewport=PHONE, is_mobile=True)

    tab.goto(f"/desk/{SLUG}/edition?lang=en")
    tab.fill("#slug", NEXT)
    for name in ("title_en", "title_km", "short_title_en", "short_title_km"):
        tab.fill(f"#{name}", "The fourth forum")
    tab.fill("#starts_on", "2029-03-20")
    tab.fill("#ends_on", "2029-03-21")
    tab.click("form.form .buttons button")
    assert text_of("en", "settings.done.opened") in tab.inner_text("[role=status]")
    assert public.goto(f"/en/{NEXT}").status == 404

    tab.goto(f"/desk/{NEXT}/programme?lang=en")
    assert "D1-02" in tab.inner_text("main")
    tab.goto(f"/desk/{NEXT}/settings/words")
    tab.fill("#title_en", "The fifth forum")
    tab.click("button[value=look]")
    assert tab.frame_locator("iframe").first.locator("h1").inner_text() == "The fifth forum"
    tab.click("button[value=save]")

    tab.goto(f"/desk/{NEXT}/settings/standing")
    tab.check("#public")
    tab.click("button[value=save]")
    assert public.goto(f"/en/{NEXT}").status == 200
    assert public.inner_text("h1") == "The fifth forum"
    assert "20 March" in public.inner_text("main")
