"""Those who wait for a mail are told where mail leaves late: SMTP is down, or no worker runs."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.kit.i18n import LANGS, Lang, text_of
from app.main import create_app
from app.web.late_mail import LateMail
from tests.cast import SLUG, VANNA, fields
from tests.conftest import Clock, settings_for, site_behind
from tests.web.visits import seal_on


@pytest.fixture
def client(sqlite_url: str) -> Iterator[TestClient]:
    """A site whose mail server takes no calls."""
    settings = settings_for(sqlite_url, SMTP_URL="smtp://127.0.0.1:9")
    with TestClient(create_app(settings), base_url="http://localhost") as browser:
        yield browser


def registered(client: TestClient, lang: Lang, email: str) -> Any:
    form = f"/{lang}/{SLUG}/register/stu"
    typed = {name: value for name, value in fields(VANNA).items() if name not in {"category", "language"}}
    return client.post(form, data={**typed, "email": email, "form": seal_on(client.get(form))})


@pytest.mark.parametrize("lang", LANGS)
def test_who_registers_or_asks_for_a_link_is_told_that_mail_leaves_late(
    client: TestClient, clock: Clock, lang: Lang
) -> None:
    words = text_of(lang, "web.late_mail")
    assert words not in registered(client, lang, "first@hotel.example").text
    clock.move(minutes=6)
    assert words not in registered(client, lang, "second@hotel.example").text, "looked at once in ten seconds"
    site_behind(client).late_mail._looked -= 10
    assert words in registered(client, lang, "third@hotel.example").text
    asked = client.post(f"/login?lang={lang}", data={"form": seal_on(client.get("/login")), "email": "x@y.example"})
    assert words in asked.text


def test_an_outbox_that_cannot_be_read_says_nothing(in_loop: Any) -> None:
    async def broken(_query: Any) -> Any:
        raise OSError

    assert in_loop(lambda: LateMail().look(broken)) is False
