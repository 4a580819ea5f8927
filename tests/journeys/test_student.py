"""A student's way: from the form to a seat, and from a seat given up to the next in the queue. Without JavaScript."""

import re
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import icalendar
import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import update

from app.jobs.crew import Crew
from app.jobs.duties import deliver
from app.kit.db import table
from app.kit.i18n import text_of
from app.registration.models import Category
from tests.cast import SLUG, VANNA
from tests.conftest import serving
from tests.doors import Doors
from tests.journeys.conftest import DESK, PHONE, Served

pytestmark = pytest.mark.browser
MY_PAGE = re.compile(r"/km/my/[a-z0-9]{32}\Z")


def say(key: str, **values: Any) -> str:
    """A text of the Khmer catalogue."""
    return text_of("km", key, **values)


def only_one_seat_for_students(doors: Doors) -> None:
    categories = table(Category)
    small = update(categories).where(categories.c.code == "STU").values(guarantee=1, limit=1)
    doors.write(SLUG, lambda db: db.execute(small))


def register(tab: Any, **changes: str) -> None:
    """Fill in the form in Khmer, from the forum's first page on."""
    tab.goto(f"/km/{SLUG}")
    tab.click(f'main a[href="/km/{SLUG}/register"] >> nth=0')
    tab.click(f'a[href="/km/{SLUG}/register/stu"]')
    typed = {"email": VANNA.email, "name_km": VANNA.name_km, "family_name": VANNA.family_name, **changes}
    for name, value in typed.items():
        tab.fill(f"#{name}", value)
    tab.get_by_label(say("registration.form.private")).check()
    tab.check("#consent")
    tab.click("form.form button[type=submit]")


def test_a_student_registers_confirms_corrects_and_gives_the_seat_to_the_next(
    site_of_my_own: Served, browse: Callable[..., Any]
) -> None:
    only_one_seat_for_students(site_of_my_own.doors)
    tab = browse(site_of_my_own.address, viewport=PHONE, java_script_enabled=False, locale="km")

    register(tab)
    assert say("registration.sent.no_mail") in tab.inner_text("main")
    tab.click('main a[href^="/km/my/"]')
    assert MY_PAGE.search(tab.url)
    mine = tab.url
    assert VANNA.name_km in tab.inner_text("h1")
    assert say("registration.my.state.unconfirmed.short") in tab.inner_text("main")

    tab.click("form[action$='/confirmation'] button")
    assert tab.url == f"{mine}?done=confirmed"
    assert say("registration.my.done.confirmed") in tab.inner_text("[role=status]")
    assert say("registration.my.state.seated.short") in tab.inner_text("main")
    assert tab.locator("form[action$='/confirmation']").count() == 0

    tab.click("a[href$='/details']")
    assert tab.input_value("#name_km") == VANNA.name_km
    tab.fill("#phone", "not a number")
    tab.fill("#institution", "សាកលវិទ្យាល័យមួយ")
    tab.click("form.form button[type=submit]")
    assert say("refused.not_a_phone") in tab.inner_text("#errors")
    assert tab.input_value("#institution") == "សាកលវិទ្យាល័យមួយ"
    tab.fill("#phone", "០១២ ៣៤៥ ៦៧៨")
    tab.click("form.form button[type=submit]")
    assert tab.url == f"{mine}?done=corrected"
    assert "+855 12 345 678" in tab.inner_text("main")

    with tab.expect_download() as downloading:
        tab.click("a[href^='/calendars/']")
    calendar = icalendar.Calendar.from_ical(Path(downloading.value.path()).read_bytes())
    vevents = list(calendar.walk("VEVENT"))
    assert vevents
    assert {str(each["DTSTART"].params["TZID"]) for each in vevents} == {"Asia/Phnom_Penh"}
    assert VANNA.name_km not in str(calendar)

    another = browse(site_of_my_own.address, viewport=PHONE, java_script_enabled=False)
    register(another, email="next@university.example", name_km="អ្នកបន្ទាប់", family_name="Next")
    another.click('main a[href^="/km/my/"]')
    waiting = another.url
    assert say("registration.my.state.waiting.short") in another.inner_text("main")
    assert say("registration.my.queue", n=1) in another.inner_text("main")

    tab.click("a[href$='/cancellation']")
    tab.click(f"a.button[href='{mine.removeprefix(site_of_my_own.address)}']")
    tab.click("a[href$='/cancellation']")
    tab.click("form[action$='/cancellation'] button")
    assert say("registration.my.done.cancelled") in tab.inner_text("[role=status]")
    assert tab.locator(f"a[href='/km/{SLUG}/register']").count() > 0

    another.goto(waiting)
    assert say("registration.my.state.unconfirmed.short") in another.inner_text("main")
    assert say("registration.my.queue", n=1) not in another.inner_text("main")

    register(tab)
    tab.goto(mine)
    assert say("registration.my.state.cancelled.short") in tab.inner_text("main"), "an ended one stays ended"


class Letterbox:
    """An SMTP server's end: what came, message by message."""

    def __init__(self) -> None:
        self.came: list[EmailMessage] = []

    async def handle_DATA(self, _server: Any, _sender: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.came.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"


@pytest.fixture
def letterbox() -> Iterator[tuple[Letterbox, str]]:
    """An SMTP server on this machine: what came to it, and its address."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    box = Letterbox()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield box, f"smtp://127.0.0.1:{port}"
    finally:
        server.stop()


def test_with_mail_the_link_comes_by_mail_and_on_no_page(
    sqlite_url: str, letterbox: tuple[Letterbox, str], browse: Callable[..., Any]
) -> None:
    box, smtp = letterbox
    with serving(sqlite_url, SMTP_URL=smtp) as (address, app):
        doors = Doors(app, None)
        crew = Crew(doors.site.settings, doors.site.database, doors.site.pen)
        tab = browse(address, viewport=DESK, java_script_enabled=False)

        register(tab, institution="<b>A & B</b>")
        assert VANNA.email in tab.inner_text("main")
        assert tab.locator('a[href*="/my/"]').count() == 0
        assert box.came == []
        assert deliver(crew) == 1
        (letter,) = box.came
        assert letter["To"].addresses[0].addr_spec == VANNA.email
        assert re.search(r"[\u1780-\u17ff]", letter["Subject"])
        plain, html = (letter.get_body((kind,)) for kind in ("plain", "html"))
        assert plain is not None
        assert html is not None
        link = re.search(rf"{re.escape(address)}/km/my/[a-z0-9]{{32}}", plain.get_content())
        assert link
        assert link[0] in html.get_content()
        assert deliver(crew) == 0, "sent once"

        tab.goto(link[0])
        assert say("registration.my.state.unconfirmed.short") in tab.inner_text("main")
        tab.click("form[action$='/confirmation'] button")
        assert say("registration.my.state.seated.short") in tab.inner_text("main")

        register(tab, name_km="ឈ្មោះផ្សេង")
        assert deliver(crew) == 1
        again = box.came[-1].get_body(("plain",))
        assert again is not None
        assert link[0] in again.get_content(), "a known address gets its own link again, by mail alone"
        tab.goto(link[0])
        tab.click("a[href$='/cancellation']")
        tab.click("form[action$='/cancellation'] button")
        assert deliver(crew) == 1
        assert len({letter["Message-ID"] for letter in box.came}) == 3
