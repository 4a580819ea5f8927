from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.kit.i18n import text_of
from app.web.guards import BodyTooLarge, Guards
from app.web.headers import ALWAYS
from tests.cast import SLUG
from tests.conftest import settings_for
from tests.web.asgi import Answered, ask

Run = Callable[[Callable[[], Any]], Any]
LIMIT = 4096


class Inside:
    """What is behind the guards: it reads the whole body and remembers who asked."""

    def __init__(self) -> None:
        self.reached = False
        self.client = ""
        self.read = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.reached, self.client = True, scope["client_address"]
        more = True
        while more:
            message = await receive()
            self.read += len(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-frame-options", b"SAMEORIGIN")]})
        await send({"type": "http.response.body", "body": b"inside"})


async def too_large(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 413, "headers": []})
    await send({"type": "http.response.body", "body": b"too large"})


@pytest.fixture
def inside() -> Inside:
    return Inside()


@pytest.fixture
def through(inside: Inside, in_loop: Run) -> Callable[..., Answered]:
    def send(*, environment: dict[str, str] | None = None, **request: Any) -> Answered:
        settings = settings_for("sqlite:///unused.sqlite", BODY_LIMIT_BYTES=str(LIMIT), **(environment or {}))
        answer: Answered = in_loop(lambda: ask(Guards(inside, settings, too_large), **request))
        return answer

    return send


Through = Callable[..., Answered]


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "LOCALHOST", "127.0.0.1:80"])
def test_a_known_host_is_served(through: Through, host: str):
    assert through(headers={"host": host}).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "", "localhost.evil.example", "evil.example:localhost", "localhost:80:80", "[::1"]
)
def test_another_host_is_refused_before_anything_runs(through: Through, inside: Inside, host: str):
    assert through(headers={"host": host}).status == 400
    assert not inside.reached


@pytest.mark.parametrize("hosts", [["localhost"], ["evil.example"], []])
def test_a_request_with_more_than_one_host_or_none_is_refused(through: Through, inside: Inside, hosts: list[str]):
    sent = [("host", "localhost"), *(("host", host) for host in hosts)] if hosts else []
    assert through(raw_headers=sent).status == 400
    assert not inside.reached


@pytest.mark.parametrize("host", ["evil.example", "localhost:80@evil.example", "127.0.0.1:evil.example", ""])
def test_a_page_that_is_ready_answers_to_the_sites_own_name_alone(client: TestClient, host: str):
    path = f"/en/{SLUG}"
    for _ in range(2):
        assert client.get(path).status_code == 200
        assert client.get(path, headers={"host": host}).status_code == 400
        assert client.head(path, headers={"host": host}).status_code == 400
    twice = [("host", "localhost"), ("host", host or "localhost")]
    assert client.get(path, headers=twice).status_code == 400
    assert client.get(path).status_code == 200


def test_any_name_is_served_where_the_settings_say_so_and_a_port_is_digits_all_the_same(through: Through):
    anybody = {"ALLOWED_HOSTS": "*"}
    assert through(headers={"host": "whoever.example:8000"}, environment=anybody).status == 200
    assert through(headers={"host": "whoever.example:80@evil"}, environment=anybody).status == 400


@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"content-length": "-1"}, {"content-length": "99999"}])
def test_the_line_of_who_is_refused_unread_is_closed(through: Through, headers: dict[str, str]):
    assert through(method="POST", headers=headers).headers["connection"] == "close"
    assert "connection" not in through(method="POST").headers


def test_the_hosts_are_those_of_the_settings(through: Through):
    environment = {"ALLOWED_HOSTS": "forum.example"}
    assert through(headers={"host": "forum.example"}, environment=environment).status == 200
    assert through(headers={"host": "localhost"}, environment=environment).status == 400


@pytest.mark.parametrize("length", ["-1", "abc", "", "1, 1", "0x10", "１"])
def test_a_length_that_is_none_is_refused(in_loop: Run, inside: Inside, length: str):
    settings = settings_for("sqlite:///unused.sqlite")
    raw = length.encode("utf-8").decode("latin-1")
    answer = in_loop(lambda: ask(Guards(inside, settings, too_large), method="POST", headers={"content-length": raw}))
    assert answer.status == 400
    assert not inside.reached


def test_two_ways_to_say_the_length_are_refused(through: Through, inside: Inside):
    headers = {"content-length": "3", "transfer-encoding": "chunked"}
    assert through(method="POST", headers=headers, body=[b"abc"]).status == 400
    assert not inside.reached


@pytest.mark.parametrize("length", [str(LIMIT + 1), "9" * 5000])
def test_a_body_announced_too_large_is_refused_unread(through: Through, inside: Inside, length: str):
    assert through(method="POST", headers={"content-length": length}, body=[b"x"]).status == 413
    assert not inside.reached


def test_a_body_of_just_the_limit_is_taken(through: Through, inside: Inside):
    assert through(method="POST", headers={"content-length": str(LIMIT)}, body=[b"x" * LIMIT]).status == 200
    assert inside.read == LIMIT


def test_a_body_that_grows_too_large_in_pieces_is_cut(through: Through, inside: Inside):
    with pytest.raises(BodyTooLarge):
        through(method="POST", headers={"transfer-encoding": "chunked"}, body=[b"x" * 1000] * 10)
    assert inside.read <= LIMIT


def test_a_body_that_lies_about_its_length_is_cut(through: Through, inside: Inside):
    with pytest.raises(BodyTooLarge):
        through(method="POST", headers={"content-length": "10"}, body=[b"x" * 1000] * 10)
    assert inside.read <= LIMIT


def test_every_answer_carries_the_headers_that_protect(through: Through):
    for answer in (through(), through(headers={"host": "evil.example"})):
        for name, value in ALWAYS:
            assert answer.headers[name] == (
                "SAMEORIGIN" if name == "x-frame-options" and answer.status == 200 else value
            )


def test_https_is_insisted_on_only_where_the_site_has_it(through: Through):
    assert "strict-transport-security" not in through().headers
    secure = {"BASE_URL": "https://localhost"}
    insisted = through(environment=secure).headers["strict-transport-security"]
    assert insisted == "max-age=31536000; includeSubDomains"
    alone = through(environment={**secure, "HSTS_SUBDOMAINS": "0"}).headers["strict-transport-security"]
    assert alone == "max-age=31536000"


@pytest.mark.parametrize(
    ("peer", "said", "client"),
    [
        ("192.0.2.9", "", "192.0.2.9"),
        ("192.0.2.9", "203.0.113.5", "192.0.2.9"),
        ("10.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "203.0.113.5, 10.0.0.1", "203.0.113.5"),
        ("10.0.0.1", "not an address", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "2001:db8::7", "2001:db8::7"),
    ],
)
def test_only_a_trusted_proxy_says_who_asks(through: Through, inside: Inside, peer: str, said: str, client: str):
    headers = {"x-forwarded-for": said} if said else {}
    through(headers=headers, peer=peer, environment={"TRUSTED_PROXIES": "10.0.0.1"})
    assert inside.client == client


def test_a_proxy_is_believed_however_many_there_were_and_nobody_else_ever(inside: Inside):
    guards = Guards(inside, settings_for("sqlite:///unused.sqlite", TRUSTED_PROXIES="10.0.0.0/22"), too_large)
    proxies = [f"10.0.{part}.{last}" for part in range(3) for last in range(256)]
    for _ in range(2):
        assert all(guards.is_proxy(each) for each in proxies)
        assert not any(
            guards.is_proxy(each) for each in ("10.0.4.1", "10.1.0.1", "", "10.0.0.1 ", "10.0.0.1, 10.0.0.2")
        )


def test_the_real_site_says_in_words_that_a_body_is_too_large(client: TestClient):
    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    head = {"content-type": "application/x-www-form-urlencoded", "accept-language": "km"}
    for content in (b"x" * 2_000_000, pieces()):
        answer = client.post(f"/km/{SLUG}/register/stu", content=content, headers=head)
        assert answer.status_code == 413
        assert text_of("km", "errors.413.title") in answer.text
        assert "x-frame-options" in answer.headers
