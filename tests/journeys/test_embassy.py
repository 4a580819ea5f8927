"""An embassy's way: Dara, its focal point, names people, sends a list, exchanges one and gives a seat back."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from app.accounts.rules import Role
from app.kit.i18n import text_of
from app.registration.delegations import seat_rows
from tests.breadth import some
from tests.cast import SLUG
from tests.doors import Doors
from tests.embassies import delegate
from tests.journeys.conftest import PHONE, Served

pytestmark = pytest.mark.browser


def say(key: str, **values: Any) -> str:
    """A text of the English catalogue."""
    return text_of("en", key, **values)


def seats(doors: Doors, party: Any) -> list[Any]:
    return doors.site.database.read(lambda db: seat_rows(db, party.id))


def send_a_list(tab: Any, doors: Doors, party: Any) -> None:
    """A file with a fault, mended as a text on the page that says so, and accepted."""
    tab.click(f"a[href$='{party.secret}/list']")
    header = "Family name,Given name,E-mail,Telephone\n"
    rows = "Kim,Dany,dany@embassy.example,012 345 678\nNop,Rath,,{phone}\n"
    tab.set_input_files(
        "#file", {"name": "people.csv", "mimeType": "text/csv", "buffer": (header + rows.format(phone="none")).encode()}
    )
    tab.click("form.form button[type=submit]")
    assert "D3" in tab.inner_text("table")
    assert say("refused.not_a_phone") in tab.inner_text("table")
    read = tab.input_value("#pasted")
    assert "Nop\tRath\t\tnone" in read, "what was read from the file is there to be mended"
    tab.fill("#pasted", read.replace("none", "០១២ ៣៤៥ ៦៧៨"))
    tab.click("form.form button[type=submit]")
    assert say("delegations.list.ready", n=2) in tab.inner_text("main")
    assert sum(seat.application_id is not None for seat in seats(doors, party)) == 1
    tab.click("form[action$='/list/acceptance'] button")
    assert say("delegations.my.done.list", n=2) in tab.inner_text("[role=status]")
    assert say("delegations.my.named", n=3) in tab.inner_text("main")


def renew_the_calendar(tab: Any) -> None:
    address = tab.inner_text(".copy code")
    tab.click("details:has(form[action$='/calendar']) > summary")
    tab.click("form[action$='/calendar'] button")
    assert tab.inner_text(".copy code") != address
    assert re.search(r"/calendars/[a-z0-9]{32}\.ics$", tab.inner_text(".copy code"))


def test_a_focal_point_names_sends_a_list_exchanges_and_gives_back(
    site_of_my_own: Served, browse: Callable[..., Any]
) -> None:
    doors = site_of_my_own.doors
    party = doors.delegate(category="DIP", seats=5)
    tab = browse(site_of_my_own.address, viewport=PHONE, java_script_enabled=False)
    base = f"{site_of_my_own.address}/en/delegations/{party.secret}"
    tab.goto(base)
    assert say("delegations.my.unnamed", n=5) in tab.inner_text("main")

    tab.click(f"a[href$='{party.secret}/people']")
    tab.fill("#email", "nowhere")
    tab.fill("#given_name", "Sophea")
    tab.click("form.form button[type=submit]")
    assert say("refused.name_missing") in tab.inner_text("#errors")
    assert tab.input_value("#given_name") == "Sophea", "what was typed stays"
    tab.fill("#family_name", "Chan")
    tab.fill("#email", "sophea@embassy.example")
    tab.check("#heads")
    tab.click("form.form button[type=submit]")
    assert tab.url == f"{base}?done=named"
    assert "CHAN Sophea" in tab.inner_text("main")
    assert say("delegations.my.head") in tab.inner_text("main")

    send_a_list(tab, doors, party)

    kept = {seat.id for seat in seats(doors, party)}
    tab.click("li:has-text('KIM Dany') a")
    tab.click("a[href$='/substitution']")
    tab.fill("#family_name", "Prak")
    tab.fill("#given_name", "Mony")
    tab.click("form.form button[type=submit]")
    assert say("delegations.my.done.substituted") in tab.inner_text("[role=status]")
    assert {seat.id for seat in seats(doors, party)} == kept
    assert "PRAK Mony" in tab.inner_text("main")

    tab.click("li:has-text('NOP Rath') a")
    tab.click("summary")
    tab.click("form[action$='/cancellation'] button")
    assert say("delegations.my.done.withdrawn") in tab.inner_text("[role=status]")
    assert say("delegations.my.unnamed", n=3) in tab.inner_text("main")

    tab.click("details:has(form[action$='/seats']) > summary")
    tab.fill("#seats", "9")
    tab.click("form[action$='/seats'] button")
    assert say("refused.seats_unnamed", free=3, wanted=9) in tab.inner_text("#errors")
    tab.fill("#seats", "2")
    tab.click("form[action$='/seats'] button")
    assert say("delegations.my.done.handed_back") in tab.inner_text("[role=status]")
    assert len(seats(doors, party)) == 3

    renew_the_calendar(tab)
    tab.click("li:has-text('PRAK Mony') a:has-text('Own page')")
    assert "Prak" in tab.inner_text("h1")


def test_after_the_deadline_people_are_only_exchanged_and_withdrawn(
    site_of_my_own: Served, browse: Callable[..., Any], clock: Any
) -> None:
    party = site_of_my_own.doors.delegate(delegate(1), category="DIP", seats=2)
    clock.move(days=31)
    tab = browse(site_of_my_own.address, viewport=PHONE, java_script_enabled=False)
    base = f"{site_of_my_own.address}/en/delegations/{party.secret}"
    tab.goto(base)
    assert say("delegations.my.closed") in tab.inner_text("main")
    assert tab.locator(f"a[href$='{party.secret}/people']").count() == 0
    tab.click("li:has-text('ENVOY1') a")
    tab.click("a[href$='/substitution']")
    tab.fill("#family_name", "Late")
    tab.click("form.form button[type=submit]")
    assert tab.url == f"{base}?done=substituted"
    assert len(seats(site_of_my_own.doors, party)) == 1, "the unnamed seat was released before the deed"


@pytest.mark.parametrize("lang", some(["en", "km"], 1, each=2))
def test_a_delegations_pages_are_whole_on_a_phone(
    site_of_my_own: Served, browse: Callable[..., Any], lang: str
) -> None:
    doors = site_of_my_own.doors
    long = {"institution": "The Embassy of a Republic in the Kingdom", "institution_km": "ស្ថានទូតប្រចាំព្រះរាជាណាចក្រកម្ពុជា"}
    mail = "an.address.longer.than.most@embassy-of-a-republic.example"
    party = doors.delegate(delegate(1, email=mail, heads="yes"), category="DIP", seats=4, focal_email=mail, **long)
    doors.enrol("sokha", Role.REGISTRAR)
    tab = browse(site_of_my_own.address, viewport=PHONE, is_mobile=True)
    login = {"name": "sala_login", "value": doors.login_of("sokha"), "url": site_of_my_own.address}
    tab.context.add_cookies([login])

    def is_whole() -> bool:
        return bool(
            tab.evaluate(
                "document.scrollingElement.scrollWidth <= window.innerWidth &&"
                " [...document.querySelectorAll('.table')].every(e => e.scrollWidth <= e.clientWidth)"
            )
        )

    base, desk = f"/{lang}/delegations/{party.secret}", f"/desk/{SLUG}/delegations"
    for page in (base, f"{base}/people/{party.people[0]}", f"{desk}?lang={lang}", f"{desk}/{party.code}?lang={lang}"):
        tab.goto(page)
        assert is_whole(), page
    for address, mark in (("nobody at all", "#faults"), (f"another.{mail}", "#people")):
        tab.goto(f"{base}/list")
        tab.fill("#pasted", f"Family name,Position,E-mail\nKim,Minister Counsellor and Deputy Head,{address}\n")
        tab.click("form.form button[type=submit]")
        tab.wait_for_selector(mark)
        assert is_whole(), mark
