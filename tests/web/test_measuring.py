"""What each request is called, and what is said of it."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.kit.logs import REQUEST
from app.main import create_app
from app.web.measuring import Measured
from tests.cast import SLUG
from tests.conftest import settings_for, site_behind
from tests.web.asgi import Answered, ask

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
