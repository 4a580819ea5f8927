"""What each request is called, and what is said of it."""

import logging
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from app.accounts.models import Login
from app.accounts.rules import Role
from app.kit.db import table
from app.kit.logs import REQUEST
from app.kit.pen import SITE
from app.kit.spans import SILENT
from app.main import create_app
from app.web.measuring import Measured
from app.web.site import Site
from tests.cast import SLUG
from tests.conftest import Clock, settings_for, site_behind
from tests.web.asgi import Answered, ask
from tests.web.visits import DESK, sign_in

Run = Callable[[Callable[[], Any]], Any]
PROXY = "10.0.0.1"


class Inside:
    """What is behind the layer: it notes the request's id."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        self.seen.append(REQUEST.get())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def asked(in_loop: Run) -> Callable[..., Answered]:
    inside = Inside()

    def send(given: str = "", peer: str = "192.0.2.9") -> Answered:
        layer = Measured(inside, trusts=lambda each: each == PROXY)
        headers = {"x-request-id": given} if given else {}
        answer: Answered = in_loop(lambda: ask(layer, headers=headers, peer=peer))
        assert inside.seen[-1] == answer.headers["x-request-id"]
        return answer

    return send


def test_every_request_has_an_id_of_its_own(asked: Callable[..., Answered]) -> None:
    first, second = asked().headers["x-request-id"], asked().headers["x-request-id"]
    assert len(first) == 16
    assert first != second


def test_an_id_is_taken_over_from_a_trusted_proxy_alone(asked: Callable[..., Answered]) -> None:
    assert asked("abcd-1234-efgh", PROXY).headers["x-request-id"] == "abcd-1234-efgh"
    assert asked("abcd-1234-efgh").headers["x-request-id"] != "abcd-1234-efgh"


@pytest.mark.parametrize("given", ["short", "x" * 65, "with a blank in it", 'quote"and<more>'])
def test_what_is_no_id_is_not_taken_over_from_anybody(asked: Callable[..., Answered], given: str) -> None:
    assert asked(given, PROXY).headers["x-request-id"] != given


def test_a_request_is_said_by_its_template_and_not_by_its_address(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_for(sqlite_url, LOG_REQUESTS="1")
    with (
        caplog.at_level(logging.INFO, "sala.request"),
        TestClient(create_app(settings), base_url="http://localhost") as browser,
    ):
        answer = browser.get(f"/en/my/{'a' * 32}?email=rith@elsewhere.example")
    (record,) = [each for each in caplog.records if each.name == "sala.request"]
    assert record.getMessage().startswith("GET /{lang}/my/{secret}: 404 in ")
    assert "a" * 32 not in caplog.text
    assert "elsewhere" not in caplog.text
    assert answer.headers["x-request-id"]


def test_what_a_request_waited_for_others_makes_no_route_slow(in_loop: Run) -> None:
    told: list[float] = []

    async def inside(scope: Any, receive: Any, send: Any) -> None:
        scope["waited"] = 5.0
        await Inside()(scope, receive, send)

    in_loop(lambda: ask(Measured(inside, lambda *all_of_it: told.append(all_of_it[3]))))
    assert told == [0.0]


def test_a_fault_of_ours_is_shown_with_the_id_that_the_log_has(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(settings_for(sqlite_url))

    def broken(_query: Any) -> Any:
        raise OSError

    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as browser:
        monkeypatch.setattr(site_behind(browser).database, "read", broken)
        answer = browser.get(f"/en/{SLUG}")
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] in answer.text
    assert answer.headers["x-request-id"] in caplog.text


def test_ready_answers_carry_no_id_that_was_another_requests(client: TestClient) -> None:
    assert "x-request-id" in client.get("/login").headers
    client.get(f"/en/{SLUG}")
    assert "x-request-id" not in client.get(f"/en/{SLUG}").headers


def test_what_is_refused_is_said_with_the_route_and_the_number_of_whom(
    client: TestClient, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "sala.security"):
        assert client.get("/login/" + "a" * 43).status_code == 410
        assert client.post(f"{DESK}/seats", data={"form": "x"}).status_code == 401
        sign_in(client, site, Role.VIEWER)
        assert client.get(f"{DESK}/settings").status_code == 403
        assert client.get("/api/v1/forums/x", headers={"authorization": "Bearer nonsense"}).status_code == 401
        assert client.get(DESK).status_code == 200
    told = [record.getMessage() for record in caplog.records if record.name == "sala.security"]
    assert told[0] == "refused: GET /login/{link}: 410 to nobody known × 1"
    assert re.fullmatch(r"refused: GET /desk/\{forum\}/settings: 403 to user:\d+", told[1])
    assert len(told) == 2, "what others who are not known are refused is counted and told in a minute"
    layer = Measured(Inside())
    for route, status in (("/desk/{forum}", 401), ("/login/{link}", 410), ("/login", 400), ("/en", 404)):
        scope = {"method": "GET", "route": SimpleNamespace(path=route)}
        layer._strangers._told -= 60
        layer._tell(scope, status, 0.0, SILENT)
    told = [record.getMessage() for record in caplog.records if record.name == "sala.security"][2:]
    assert told == [
        "refused: GET /desk/{forum}: 401 to nobody known × 1",
        "refused: GET /login/{link}: 410 to nobody known × 1",
    ]
    assert "a" * 43 not in caplog.text
    assert "@" not in " ".join(told)


def test_that_a_login_is_used_is_written_once_an_hour(client: TestClient, site: Site, clock: Clock) -> None:
    sign_in(client, site, Role.VIEWER)
    seen = select(table(Login).c.seen_at)

    def noted() -> list[Any]:
        site.pen.submit(SITE, lambda _db: None).result(10)  # behind whatever was to be written
        return list(site.database.read(lambda db: db.execute(seen).scalars().all()))

    for minutes, wanted in ((0, False), (61, True)):
        clock.move(minutes=minutes)
        assert client.get(DESK).status_code == 200
        assert [at is not None for at in noted()] == [wanted]
    clock.move(minutes=30)
    before = noted()
    assert client.get(DESK).status_code == 200
    assert noted() == before
