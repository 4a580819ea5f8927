"""What one sees where the thing asked for is not given."""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import psycopg
import pytest
from sqlalchemy import select
from sqlalchemy.exc import TimeoutError as NoConnection
from starlette.testclient import TestClient

from app.accounts.rules import Role
from app.kit.db import table
from app.kit.i18n import LANGS, Lang, text_of
from app.kit.pen import PATIENCE, SITE
from app.main import create_app
from app.registration.models import Application
from app.web.site import Site
from tests.cast import SLUG, VANNA, fields
from tests.conftest import settings_for, site_behind
from tests.doors import Page
from tests.web.visits import seal_on, sign_in


@pytest.mark.parametrize("lang", ["en", "km"])
@pytest.mark.parametrize("tail", ["/no-such-page", "/programme/D9-99", "/programme?day=2001-01-01", "/a/b/c"])
def test_an_error_inside_a_forum_keeps_its_menu(client: TestClient, lang: str, tail: str) -> None:
    answer = client.get(f"/{lang}/{SLUG}{tail}")
    assert answer.status_code == 404
    links = Page(answer.text).links
    for way in ("programme", "speakers", "register", "calendar"):
        assert f"/{lang}/{SLUG}/{way}" in links
    assert text_of(lang, "web.nav.programme") in answer.text


@pytest.mark.parametrize(
    "path", ["/en/nowhere", "/en/nowhere/programme", "/en", "/xx/" + SLUG, "/desk/nowhere/x", "/en/my/" + "a" * 30]
)
def test_an_error_outside_every_forum_has_no_menu(client: TestClient, path: str) -> None:
    client.get(f"/en/{SLUG}/no-such-page")
    answer = client.get(path)
    assert answer.status_code == 404
    assert Page(answer.text).all("nav") == []


def test_a_storm_of_errors_costs_one_query_a_second(
    client: TestClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    read = site.database.read

    def counted(query: Callable[[Any], Any]) -> Any:
        nonlocal asked
        asked += 1
        return read(query)

    monkeypatch.setattr(site.database, "read", counted)
    for number in range(20):
        assert "<nav" in client.get(f"/en/{SLUG}/a/b/{number}").text
    assert asked == 1
    site.forums._looked -= 1.0
    client.get(f"/en/{SLUG}/a/b/c")
    assert asked == 2


def test_an_error_page_stands_while_the_database_does_not_answer(
    client: TestClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get(f"/en/{SLUG}/a/b/c")
    site.forums._looked -= 1.0

    def broken(_query: Any) -> Any:
        raise OSError

    monkeypatch.setattr(site.database, "read", broken)
    answer = client.get(f"/en/{SLUG}/a/b/c")
    assert answer.status_code == 404
    assert "<nav" in answer.text


def test_a_fault_of_ours_asks_the_database_for_nothing(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with TestClient(
        create_app(settings_for(sqlite_url)), base_url="http://localhost", raise_server_exceptions=False
    ) as client:
        site = site_behind(client)
        asked = 0

        def broken(_query: Any) -> Any:
            nonlocal asked
            asked += 1
            raise OSError

        monkeypatch.setattr(site.database, "read", broken)
        answer = client.get(f"/en/{SLUG}")
        assert answer.status_code == 500
        assert asked == 1
        assert text_of("en", "errors.500.title") in answer.text


# ---- the database is behind, cannot be reached, cannot be written

FORM = f"/{{}}/{SLUG}/register/stu"
TYPED = {**{name: value for name, value in fields(VANNA).items() if name not in {"category", "language"}}}
TYPED |= {"display_name": 'Vanna "the" <Sok>', "titles": "កញ្ញា"}


def hidden(page: str) -> dict[str, str]:
    return {one.attributes["name"]: one.attributes.get("value", "") for one in Page(page).all("input")}


def told(answer: Any, lang: Lang, name: str) -> None:
    """The answer is 503 in these words, says when to come again, and nobody keeps it."""
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["cache-control"] == "private, no-store"
    shown = " ".join(Page(answer.text).all("main")[0].text.split())
    assert text_of(lang, f"errors.{name}.title") in shown
    assert text_of(lang, f"errors.{name}.text") in shown


def registered(site: Site) -> list[str]:
    names = table(Application).c.display_name
    return list(
        site.database.read(lambda db: db.execute(select(names).order_by(table(Application).c.id)).scalars().all())
    )


class Unwritten:
    """A pen that is held, or a database with a fault, until the block ends."""

    def __init__(self, site: Site) -> None:
        self.site, self.going, self.there = site, threading.Event(), threading.Event()

    def __enter__(self) -> None:
        self.site.pen._patience = 0.2
        self.site.pen.submit(SITE, self.hold)
        assert self.there.wait(10)

    def hold(self, _db: Any) -> None:
        self.there.set()
        assert self.going.wait(30)

    def __exit__(self, *_: object) -> None:
        self.going.set()
        self.site.pen.write_now(SITE, lambda _db: None)
        self.site.pen._patience = PATIENCE


@pytest.mark.parametrize("lang", LANGS)
def test_a_storm_on_a_held_pen_is_told_so_with_what_was_typed_and_sent_again_is_taken_once(
    client: TestClient, site: Site, lang: Lang
) -> None:
    form = FORM.format(lang)
    tokens = [seal_on(client.get(form)) for _ in range(12)]
    typed = [{**TYPED, "email": f"vanna{number}@hotel.example", "form": seal} for number, seal in enumerate(tokens)]
    with Unwritten(site), ThreadPoolExecutor(12) as people:
        began = time.monotonic()
        answers = list(people.map(lambda sent: client.post(form, data=sent), typed))
    assert time.monotonic() - began < 10
    for sent, answer in zip(typed, answers, strict=True):
        told(answer, lang, "503")
        assert hidden(answer.text).items() >= sent.items()
    assert registered(site) == []
    for _ in range(2):
        assert [client.post(form, data=hidden(answer.text)).status_code for answer in answers[:2]] == [200, 200]
    assert registered(site) == [TYPED["display_name"]] * 2


def test_a_form_of_the_desk_is_kept_as_well(client: TestClient, site: Site) -> None:
    sign_in(client, site, Role.OWNER)
    address = f"/desk/{SLUG}/people"
    seal = seal_on(client.get(address))
    with Unwritten(site):
        answer = client.post(address, data={"form": seal, "email": "chan@institute.example", "role": "viewer"})
    told(answer, "en", "503")
    assert hidden(answer.text)["email"] == "chan@institute.example"


def test_what_another_site_sent_is_not_offered_to_be_sent_again(client: TestClient, site: Site) -> None:
    def broken(_query: Any) -> Any:
        raise NoConnection

    site.database.read = broken  # type: ignore[method-assign]
    for headers, kept in (({"sec-fetch-site": "same-origin"}, True), ({"sec-fetch-site": "cross-site"}, False)):
        answer = client.post(FORM.format("en"), data=TYPED, headers=headers)
        told(answer, "en", "503")
        assert ("family_name" in hidden(answer.text)) is kept


def fill_up(connection: Any) -> None:
    """Not one more page, and none that is free."""
    connection.execute("PRAGMA max_page_count=1")
    for size in (3000, 300, 30):
        with contextlib.suppress(sqlite3.OperationalError):
            for number in count():
                connection.execute("INSERT INTO kit_scope VALUES (?, 0)", [f"{size}-{number}-".ljust(size, "x")])


def forbid(connection: Any) -> None:
    connection.execute("PRAGMA query_only=ON")


@pytest.mark.parametrize("lang", LANGS)
def test_a_full_disk_and_a_file_that_cannot_be_written_are_told_and_pages_are_read_on(
    client: TestClient, site: Site, lang: Lang
) -> None:
    form, taken = FORM.format(lang), []
    for fault in (fill_up, forbid):
        with site.database.write_engine.connect() as connection:
            fault(connection.connection.driver_connection)
        answer = None
        for number in range(40):  # the last pages have some room left
            name = f"{fault.__name__} {number}"
            typed = {**TYPED, "display_name": name, "email": f"{number}@{fault.__name__.replace('_', '')}.example"}
            answer = client.post(form, data={**typed, "form": seal_on(client.get(form))})
            if answer.status_code != 200:
                break
            taken.append(name)
        told(answer, lang, "unwritable")
        assert client.get(f"/{lang}/{SLUG}/programme").status_code == 200
        assert client.get(form).status_code == 200
        assert registered(site) == taken, "what was acknowledged is there, and nothing else"
        site.database.write_engine.dispose()
        assert client.post(form, data=hidden(answer.text)).status_code == 200, "once there is room, it is taken"
        taken.append(name)


@pytest.mark.postgres
@pytest.mark.parametrize("lang", LANGS)
def test_a_database_that_is_gone_is_told_ready_pages_stand_and_all_is_well_when_it_is_back(
    postgres_url: str, lang: Lang
) -> None:
    name = postgres_url.rpartition("/")[2]
    form, programme = FORM.format(lang), f"/{lang}/{SLUG}/programme"
    with (
        TestClient(create_app(settings_for(postgres_url)), base_url="http://localhost") as client,
        psycopg.connect(f"{postgres_url.rpartition('/')[0]}/postgres", autocommit=True) as server,
    ):
        sent = {**TYPED, "form": seal_on(client.get(form))}
        assert client.get(programme).status_code == 200
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        lost = client.post(form, data=sent)
        ready = client.get(programme)
        asked = client.get(f"/{lang}/{SLUG}/register")
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        told(lost, lang, "unreachable")
        told(asked, lang, "unreachable")
        assert ready.status_code == 200
        assert client.post(form, data=hidden(lost.text)).status_code == 200
        assert len(registered(site_behind(client))) == 1
