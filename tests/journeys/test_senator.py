"""A senator's way: invited by name with a seat kept, or by a code in the letter. Without JavaScript, on a phone."""

from collections.abc import Callable
from typing import Any

import pytest

from app.kit.i18n import text_of
from tests.cast import SLUG
from tests.journeys.conftest import DESK, PHONE, Served

pytestmark = pytest.mark.browser


def say(key: str, **values: Any) -> str:
    """A text of the Khmer catalogue."""
    return text_of("km", key, **values)


def at_the_desk(site: Served, browse: Callable[..., Any]) -> Any:
    """A tab at the desk, an owner signed in."""
    site.doors.enrol("owner", site_owner=True)
    desk = browse(site.address, viewport=DESK, java_script_enabled=False, locale="en")
    login = {"name": "sala_login", "value": site.doors.login_of("owner"), "url": site.address}
    desk.context.add_cookies([login])
    return desk


def test_a_senator_is_invited_by_name_and_accepts_the_kept_seat(
    site_of_my_own: Served, browse: Callable[..., Any]
) -> None:
    desk = at_the_desk(site_of_my_own, browse)
    desk.goto(f"/desk/{SLUG}/invitations?lang=en")
    desk.click("text=Invite a person")
    for name, value in {"family_name": "Keo", "name_km": "កែវ ចាន់", "email": "keo@senate.example"}.items():
        desk.fill(f"#{name}", value)
    desk.select_option("#category", "THK")
    desk.fill("#reply_by", "2027-01-20")
    desk.check("#reserves")
    desk.click("form.form button[type=submit]")
    assert "The invitation is made." in desk.inner_text("[role=status]")
    desk.click("button[formaction$='/link']")
    link = desk.input_value("#personal-link")
    assert "/km/invitations/" in link

    phone = browse(site_of_my_own.address, viewport=PHONE, java_script_enabled=False, locale="km")
    phone.goto(link)
    assert "កែវ ចាន់" in phone.inner_text("h1")
    assert say("registration.invitation.kept") in phone.inner_text("main")
    phone.click("a[href$='/registration']")
    assert phone.input_value("#email") == "keo@senate.example"
    phone.check("#consent")
    phone.click("form.form button[type=submit]")
    phone.click('main a[href^="/km/my/"]')
    assert say("registration.my.state.seated.short") in phone.inner_text("main"), "confirmed with the invitation"
    phone.goto(link)
    assert say("registration.invitation.reply.accepted.short") in phone.inner_text("main")

    desk.goto(f"/desk/{SLUG}/invitations?reply=accepted&lang=en")
    desk.click("th a")
    assert "KEO" in desk.inner_text("section:has-text('Registrations made with it')")


def test_another_senator_comes_with_the_code_of_the_letter(site_of_my_own: Served, browse: Callable[..., Any]) -> None:
    desk = at_the_desk(site_of_my_own, browse)
    desk.goto(f"/desk/{SLUG}/invitations/new?kind=code&lang=en")
    desk.fill("#code", "Senate 7f3k")
    desk.select_option("#category", "THK")
    desk.click("form.form button[type=submit]")
    assert "SENATE-7F3K" in desk.inner_text("h1")

    other = browse(site_of_my_own.address, viewport=PHONE, java_script_enabled=False, locale="km")
    other.goto(f"/km/{SLUG}/register")
    other.fill("#code", "not this one")
    other.click("form.code button")
    assert say("refused.code_unknown") in other.inner_text("#errors")
    other.fill("#code", "senate-៧f៣k")
    other.click("form.code button")
    other.fill("#email", "other@senate.example")
    other.fill("#name_km", "ហេង ឫទ្ធិ")
    other.check("#consent")
    other.click("form.form:not(.code) button[type=submit]")
    other.click('main a[href^="/km/my/"]')
    assert say("registration.my.state.unconfirmed.short") in other.inner_text("main"), "a code proves no address"

    desk.goto(f"/desk/{SLUG}/invitations/SENATE-7F3K?lang=en")
    assert "1 of 1 used" in desk.inner_text("main")
