"""Traces of whole processes: a site behind a proxy, one before which none is believed, and a worker, with a collector,
a mail server and a webhook's listener that are real."""

import email
import http.client
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aiosmtpd.controller import Controller

from app.accounts.actor import Actor
from app.forum.webhooks import WebhookInput, add_webhook
from app.kit.pen import Pen
from tests.breadth import some
from tests.cast import NOW, SECRET_KEY, SLUG, VANNA, fields, the_forum
from tests.collecting import Collector, Seen, collecting
from tests.conftest import opened
from tests.nursery import Child, Nursery, free_port, mothering, nursery

FORM = f"/en/{SLUG}/register/stu"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SENT = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "stranger=unmistakable", "x-request-id": "abcd-1234"}
TYPED = {"family_name": "Quixotzalcoatl", "given_name": "Zyxwvut", "email": "quixotzal@unmistakable.example"}
HOOK_SECRET = "hook-unmistakable-4711"


@dataclass
class Post:
    """An SMTP server that keeps the letters."""

    url: str = ""
    letters: list[str] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - as it is called
        parts = email.message_from_bytes(envelope.content).walk()
        plain = next(part for part in parts if part.get_content_type() == "text/plain")
        self.letters.append(bytes(plain.get_payload(decode=True)).decode())
        return "250 OK"


@pytest.fixture(scope="module")
def mother() -> Iterator[Any]:
    """The process that every site of these tests is forked from."""
    with mothering() as found:
        yield found


@pytest.fixture
def post() -> Iterator[Post]:
    kept, port = Post(), free_port()
    controller = Controller(kept, hostname="127.0.0.1", port=port)
    controller.start()
    kept.url = f"smtp://127.0.0.1:{port}"
    yield kept
    controller.stop()


def ask(site: Child, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    if body:
        headers["content-type"] = "application/x-www-form-urlencoded"
    try:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def until(reached: Callable[[], Any], seconds: float = 30) -> Any:
    ends = time.monotonic() + seconds
    while not (found := reached()):
        assert time.monotonic() < ends, "did not come"
        time.sleep(0.05)
    return found


def named(collector: Collector, name: str, program: str = "") -> list[Seen]:
    return [each for each in collector.spans if each.name == name and (not program or each.program == program)]


def below(spans: list[Seen], top: Seen) -> list[Seen]:
    """All spans under one, at any depth."""
    found, ids = [], {top.id}
    for _ in range(6):
        found = [each for each in spans if each.parent in ids]
        ids |= {each.id for each in found}
    return found


def test_spans_tell_of_a_registration_from_the_request_to_the_mail_and_hold_nothing_of_the_person(
    sqlite_url: str, tmp_path: Path, post: Post, mother: Any
) -> None:
    with collecting() as collector, collecting() as listener, opened(sqlite_url) as database:
        hook = WebhookInput(address=f"{listener.address}/{HOOK_SECRET}?key={HOOK_SECRET}")
        add = lambda db: add_webhook(  # noqa: E731 - a deed
            db, Actor.operator(), the_forum(db), hook, SECRET_KEY.encode(), loopback=True, now=NOW
        )
        Pen(database).write_now(SLUG, add)
        sends = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        with nursery(mother, tmp_path, sqlite_url) as house:
            mailing = {**sends, "SMTP_URL": post.url}
            site = house.serve("site", TRUSTED_PROXIES="127.0.0.1", **mailing)
            alone = house.serve("alone", OTEL_SERVICE_NAME="alone", **mailing)
            house.work("worker", **mailing)
            seal, typed = register(site, **SENT), dict(TYPED)
            assert ask(alone, "GET", "/login", **SENT)[0] == 200
            letter = until(lambda: next(iter(post.letters), None))
            link = re.search(r"/en/my/([\w-]+)|/km/my/([\w-]+)", letter)
            assert link
            token = link[1] or link[2]
            assert ask(site, "GET", f"/en/my/{token}?secret={token}")[0] == 200
            assert ask(site, "GET", f"/api/v1/forums/{SLUG}/registrations?email={typed['email']}")[0] == 401
            assert ask(site, "GET", f"/nobody/knows/{token}/here")[0] == 404
            until(lambda: listener.bodies)
            for name in ("mail delivery", "webhook delivery", "GET /{lang}/my/{secret}", "GET none"):
                until(lambda name=name: named(collector, name))
            at_the_end(house, site, collector)
        spans = collector.spans

    of_the_request(spans)
    of_the_worker(spans)
    of_the_mail(spans)
    own = next(each for each in spans if each.program == "alone" and each.name == "GET /login")
    assert own.trace != TRACE
    assert own.parent == ""
    assert own.facts["sala.request.id"] != "abcd-1234"

    secrets = (*TYPED.values(), "quixotzal", "unmistakable", token, HOOK_SECRET, seal, VANNA.name_km, "127.0.0.1")
    for secret in secrets:
        assert secret.encode() not in collector.bytes, secret
    assert len(collector.bytes) > 10_000


def of_the_request(spans: list[Seen]) -> None:
    """The request is part of the proxy's trace, and has in it what the pen and the database did for it."""
    request = next(each for each in spans if each.name == "POST /{lang}/{forum}/register/{category}")
    assert (request.program, request.trace, request.parent) == ("sala", TRACE, PARENT)
    assert request.facts["http.route"] == "/{lang}/{forum}/register/{category}"
    assert (request.facts["http.response.status_code"], request.facts["sala.request.id"]) == (200, "abcd-1234")
    inner = below(spans, request)
    deeds = [each for each in inner if each.name.startswith("deed app.")]
    batch = next(each for each in inner if each.name == "pen batch")
    assert deeds
    assert batch.parent == request.id
    assert all(each.parent == batch.id for each in deeds)
    assert "deed app.web.sheets.send.deed" in {each.name for each in deeds}
    assert batch.facts["sala.pen.deeds"] >= len(deeds)
    assert [each.parent for each in inner if each.name == "COMMIT"] == [batch.id]
    asked = [each for each in spans if each.parent in {deed.id for deed in deeds}]
    assert "SELECT registration_seat" in {each.name for each in asked}
    written = [each for each in spans if each.parent == batch.id and each.name.startswith("INSERT")]
    assert {"INSERT registration_application", "INSERT mail_message"} <= {each.name for each in written}
    assert all("'" not in each.facts["db.query.text"] for each in (*asked, *written))


def of_the_worker(spans: list[Seen]) -> None:
    """The mail and the webhook, each in the duty that delivered it; a duty that found nothing to do is not told."""
    mail = next(each for each in spans if each.name == "mail delivery")
    assert (mail.program, mail.facts["sala.outcome"], mail.facts["sala.forum"]) == ("sala-worker", "sent", SLUG)
    told = next(each for each in spans if each.name == "webhook delivery")
    assert told.facts["http.response.status_code"] == 200
    duties = {each.id: each.name for each in spans if each.name.startswith("duty ")}
    assert (duties[mail.parent], duties[told.parent]) == ("duty deliver", "duty hooks")
    assert all(each.facts["sala.found"] for each in spans if each.id in duties), "what found nothing is not told"
    assert {name for name in duties.values() if name in {"duty mailings", "duty many"}} == set()


def of_the_mail(spans: list[Seen]) -> None:
    """The mail that a request brought about is told in the worker's trace, and names the deed that wrote it."""
    mail = next(each for each in spans if each.name == "mail delivery")
    assert mail.trace != TRACE
    [(trace, writer)] = mail.links
    deed = next(each for each in spans if (each.trace, each.id) == (trace, writer))
    assert (deed.program, deed.trace, deed.name) == ("sala", TRACE, "deed app.web.sheets.send.deed")


def register(site: Child, **headers: str) -> str:
    """Somebody who cannot be mistaken registers; the form's seal."""
    page = ask(site, "GET", FORM)[1]
    seal = re.search(r'name="form" value="([^"]+)"', page)
    assert seal
    typed = {name: value for name, value in fields(VANNA).items() if name not in {"category", "language"}}
    assert ask(site, "POST", FORM, urlencode({**typed, **TYPED, "form": seal[1]}), **headers)[0] == 200
    return seal[1]


def at_the_end(house: Nursery, site: Child, collector: Collector) -> None:
    """What happened just before the end is told, and the end does not wait."""
    assert ask(site, "GET", "/login")[0] == 200
    before = time.monotonic()
    os.kill(site.process, signal.SIGTERM)
    until(lambda: not site.is_there)
    assert time.monotonic() - before < 15
    assert named(collector, "GET /login", "sala"), house.log("site")


@pytest.mark.parametrize("how", some(["nobody answers", "nobody listens"], 0, each=2))
def test_a_collector_that_takes_nothing_holds_nobody_up_and_is_one_line_of_the_log(
    how: str, sqlite_url: str, tmp_path: Path, mother: Any
) -> None:
    with socket.socket() as silent, nursery(mother, tmp_path, sqlite_url) as house:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        if how == "nobody answers":
            silent.listen()
        sends = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}", "OTEL_BSP_SCHEDULE_DELAY": "50"}
        bounds = {"OTEL_EXPORTER_OTLP_TIMEOUT": "1", "OTEL_BSP_MAX_QUEUE_SIZE": "64"}
        bounds["OTEL_BSP_MAX_EXPORT_BATCH_SIZE"] = "32"
        site = house.serve("site", WORKER="inline", **sends, **bounds)
        register(site)
        ends, answered = time.monotonic() + 2, 0
        while time.monotonic() < ends:  # for longer than an attempt to send may take
            assert ask(site, "GET", "/login")[0] == 200
            answered += 1
        assert answered > 4, "two attempts would have been waited for"
        assert about_traces(house) == ["the collector does not take traces: spans are dropped until it does"]
        if how == "nobody listens":
            silent.close()
            with collecting(port) as collector:
                until(lambda: ask(site, "GET", "/login")[0] == 200 and named(collector, "GET /login"))
                until(lambda: "takes traces again" in house.log("site"))
                assert len(about_traces(house)) == 2
        before = time.monotonic()
        os.kill(site.process, signal.SIGTERM)
        until(lambda: not site.is_there)
        assert time.monotonic() - before < 15


def about_traces(house: Nursery) -> list[str]:
    """What the site's log says of them."""
    return [line.partition(" sala.traces: ")[2] for line in house.log("site").splitlines() if " sala.traces: " in line]
