import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit import outward
from app.kit.outward import Unreachable, is_public, place_of, post

INSIDE = (
    "127.0.0.1",
    "0.0.0.0",  # noqa: S104 - nothing is bound to it
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.8",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "2002:7f00:1::",
    "fec0::1",
    "3fff::1",
    "5f00::1",
    "192.88.99.1",
    "64:ff9b::a00:1",
    "2001:db8::1",
    "no address",
)


@pytest.mark.parametrize("text", INSIDE)
def test_what_is_inside_is_not_public(text: str):
    assert not is_public(text)


@pytest.mark.parametrize("text", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_the_open_internet_is(text: str):
    assert is_public(text)


@given(st.ip_addresses(network="10.0.0.0/8") | st.ip_addresses(network="192.168.0.0/16"))
def test_a_private_address_is_not_public_however_it_is_wrapped(address: Any):
    assert not is_public(str(address))
    assert not is_public(f"::ffff:{address}")


@pytest.mark.parametrize(
    "address",
    [
        "http://program.example/",
        "ftp://program.example/",
        "https://program.example:22/",
        "https://user:word@program.example/",
        "https://program.example/#part",
        "https:///path",
        "https://program.example\\@10.0.0.1/",
        "https://pro gram.example/",
        "https://program.example:99999/",
        "https://[::1",
        "http://127.0.0.1/",
        "",
        "//program.example/",
    ],
)
def test_an_odd_address_is_none(address: str):
    with pytest.raises(Unreachable):
        place_of(address, loopback=False)


def test_an_address_is_taken_apart():
    place = place_of("https://program.example:8443/sala?a=b", loopback=False)
    assert (place.secure, place.host, place.port, place.target) == (True, "program.example", 8443, "/sala?a=b")
    assert place_of("http://127.0.0.1:8123/x", loopback=True).port == 8123


@pytest.mark.parametrize("found", [["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::ffff:192.168.0.1"], []])
def test_a_name_that_means_something_inside_is_not_asked(found: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outward.socket, "getaddrinfo", lambda *_a, **_k: [(0, 0, 0, "", (one, 443)) for one in found])
    monkeypatch.setattr(outward.socket, "create_connection", lambda *_a, **_k: pytest.fail("a line was opened"))
    with pytest.raises(Unreachable, match="open internet"):
        post("https://program.example/", b"{}", {}, loopback=False)


def test_the_line_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch):
    asked: list[Any] = []

    def connect(place: Any, _timeout: Any) -> Any:
        asked.append(place)
        raise OSError

    answers = iter([[(0, 0, 0, "", ("8.8.8.8", 443))], [(0, 0, 0, "", ("10.0.0.1", 443))]])
    monkeypatch.setattr(outward.socket, "getaddrinfo", lambda *_a, **_k: next(answers))
    monkeypatch.setattr(outward.socket, "create_connection", connect)
    with pytest.raises(Unreachable):
        post("https://program.example/", b"{}", {}, loopback=False)
    assert asked == [("8.8.8.8", 443)]


class Receiver(http.server.BaseHTTPRequestHandler):
    """Answers as its address says: /200, /302, or letter by letter for ever."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/drip":
            self.server.dripping.wait(30)  # type: ignore[attr-defined]
            return
        self.send_response(int(self.path[1:]))
        self.send_header("location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        """Nothing is written."""


@pytest.fixture(scope="module")
def receiver() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.dripping = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.dripping.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_answer_is_its_status_and_no_redirect_is_followed(receiver: str):
    assert post(f"{receiver}/200", b"{}", {}, loopback=True) == 200
    assert post(f"{receiver}/302", b"{}", {}, loopback=True) == 302
    with pytest.raises(Unreachable):
        post(f"{receiver}/200", b"{}", {}, loopback=False)


def test_who_does_not_answer_is_not_waited_for(receiver: str):
    with pytest.raises(Unreachable, match="no answer"):
        post(f"{receiver}/drip", b"{}", {}, loopback=True, seconds=0.1)
