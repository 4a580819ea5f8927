"""An organiser writes to a segment: a draft, whom it reaches, an example, a test, its time, and what arrives."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.jobs.crew import Crew
from app.jobs.duties import deliver, send_mailings
from app.kit.i18n import text_of
from tests.cast import NOW, SLUG
from tests.conftest import Clock, serving
from tests.doors import Doors, Standing
from tests.jobs.conftest import Sink, sink  # noqa: F401 - the fixture
from tests.journeys.conftest import DESK, Served

pytestmark = pytest.mark.browser


def say(key: str, **values: Any) -> str:
    return text_of("en", key, **values)


@pytest.fixture
def with_mail(sqlite_url: str, sink: Sink) -> Iterator[tuple[Served, Crew]]:  # noqa: F811 - as above
    """A served site whose mail goes to the sink when a worker is asked to send it."""
    with serving(sqlite_url, SMTP_URL=sink.url) as (address, app):
        doors = Doors(app, None)
        yield Served(address, doors), Crew(doors.site.settings, doors.site.database, doors.site.pen)


def work(crew: Crew) -> None:
    while send_mailings(crew):
        pass
    while deliver(crew):
        pass


@pytest.fixture
def people(with_mail: tuple[Served, Crew], sink: Sink) -> Standing:  # noqa: F811 - as above
    """Two who are meant, in each language, and two who are not; what they were sent is put away. The first of them."""
    doors, named = with_mail[0].doors, {"given_name": "A", "name_km": ""}
    meant = doors.register("INT", family_name="Meant", language="en", email="meant@crowd.example", **named)
    doors.register("INT", family_name="Khmer", language="km", email="khmer@crowd.example", **named)
    doors.register("STU", family_name="Other", email="other@crowd.example")
    doors.confirmed("INT", family_name="Confirmed", email="confirmed@crowd.example")
    work(with_mail[1])
    sink.mails.clear()
    return meant


def write(tab: Any) -> None:
    """A draft to those in one group whose address is not confirmed."""
    tab.click(f"a[href='/desk/{SLUG}/mailings']")
    tab.click(f"a:text-is('{say('mailings.new')}')")
    tab.fill("#name", "Seated, not confirmed")
    tab.click(f"summary:text-is('{say('mailings.categories')}')")
    tab.check("input[name=categories][value=INT]")
    tab.select_option("#confirmed", "no")
    for lang, subject in (("en", "Please confirm, {name}"), ("km", "សូមបញ្ជាក់ {name}")):
        tab.fill(f"#subject_{lang}", subject)
        tab.fill(f"#text_{lang}", "{forum} – {code}")


def test_a_mail_draft_to_a_segment(
    with_mail: tuple[Served, Crew],
    people: Standing,
    browse: Callable[..., Any],
    sink: Sink,  # noqa: F811 - as above
    clock: Clock,
) -> None:
    served, crew = with_mail
    tab = browse(served.address, viewport=DESK)
    tab.goto(f"/login/{served.doors.sign_in_link()}")
    tab.click("form.form button")

    write(tab)
    example = tab.locator("article.mail").first
    example.wait_for()
    assert "Please confirm, A Meant" in example.inner_text(), "shown while one types"
    assert say("mailings.reach", n=2) in tab.inner_text("#reach")
    tab.click(f"button:text-is('{say('mailings.save')}')")
    assert say("mailings.done.saved") in tab.inner_text("[role=status]")
    assert "សូមបញ្ជាក់ A Khmer" in tab.locator("article.mail").nth(1).inner_text()

    tab.click(f"button:text-is('{say('mailings.try_button')}')")
    work(crew)
    assert [mail["Subject"] for mail in sink.mails] == ["[Test] Please confirm, A Meant", "[សាកល្បង] សូមបញ្ជាក់ A Khmer"]
    sink.mails.clear()

    tab.fill("#send_at", "2027-01-05T09:00")
    tab.click(f"button:text-is('{say('mailings.schedule')}')")
    assert say("mailings.state.scheduled") in tab.inner_text("main")
    work(crew)
    assert sink.mails == [], "its time has not come"
    clock.move(days=60)
    work(crew)
    arrived = {str(mail["To"]).partition("<")[2][:-1]: mail for mail in sink.mails}
    assert {name: mail["Subject"] for name, mail in arrived.items()} == {
        "meant@crowd.example": "Please confirm, A Meant",
        "khmer@crowd.example": "សូមបញ្ជាក់ A Khmer",
    }
    clock.at = NOW
    tab.reload()
    assert say("mailings.state.sent") in tab.inner_text("main")

    link = re.search(r"/en/unsubscribe/[a-z2-7]{32}", arrived["meant@crowd.example"]["List-Unsubscribe"])
    assert link
    tab.goto(link[0])
    tab.click(f"button:text-is('{say('mailings.opting.turn_off')}')")
    assert say("mailings.opting.done_off") in tab.inner_text("[role=status]")
    tab.goto(f"/en/my/{people.secret}")
    assert say("mailings.opting.is_off") in tab.inner_text("main")
