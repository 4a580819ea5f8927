"""What one sees where the thing asked for is not given."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.kit.i18n import text_of
from app.web.site import Site
from tests.cast import SLUG
from tests.conftest import settings_for
from tests.doors import Page


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
    from app.main import create_app
    from tests.conftest import site_behind

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
