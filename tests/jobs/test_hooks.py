"""Webhooks against a real receiver on this machine: what it is told, how often, and when it is left alone."""

import hmac
import http.server
import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select, update

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.forum import furnishing, webhooks
from app.forum.inputs import RoomInput
from app.forum.models import Delivery, Webhook
from app.forum.rules.deliveries import PATIENCE, WAITS
from app.forum.webhooks import WebhookInput, add_webhook, deliveries_of, webhooks_of
from app.jobs.crew import Crew
from app.jobs.hooks import tell
from app.kit.db import Database, Db, table
from app.kit.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from app.kit.i18n import Bilingual
from app.kit.pen import Pen
from tests.cast import CHAN, NOW, SECRET, SLUG, SOKHA, make_actor, the_forum
from tests.conftest import Clock, settings_for

_deliveries, _webhooks = table(Delivery), table(Webhook)


@dataclass
class Receiver:
    """What came, and what is answered."""

    address: str = ""
    answers: int = 200
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    there = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            there.came.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(there.answers)
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            """Nothing is written."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    there.address = f"http://127.0.0.1:{server.server_port}/sala"
    yield there
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def crew(database: Database, pen: Pen, sqlite_url: str) -> Crew:
    return Crew(settings_for(sqlite_url), database, pen)


def add(crew: Crew, address: str, *families: Any) -> tuple[int, bytes]:
    sent = WebhookInput(address=address, families=families)
    return crew.pen.write_now(
        SLUG,
        lambda db: add_webhook(db, Actor.operator(), the_forum(db), sent, SECRET, loopback=True, now=NOW),
    )


def furnish(crew: Crew, code: str) -> None:
    sent = RoomInput(code=code, name=Bilingual("Annex", "អគារ"), seats=40)
    crew.pen.write_now(SLUG, lambda db: furnishing.add_room(db, Actor.operator(), the_forum(db), sent, now=NOW))


def states(crew: Crew) -> list[str]:
    return crew.database.read(
        lambda db: list(db.execute(select(_deliveries.c.state).order_by(_deliveries.c.id)).scalars())
    )


def act(crew: Crew, deed: Any, number: int) -> None:
    crew.pen.write_now(SLUG, lambda db: deed(db, Actor.operator(), the_forum(db), number, now=NOW))


def test_a_receiver_is_told_what_happens_from_now_on_signed_and_without_anybodys_name(crew: Crew, receiver: Receiver):
    furnish(crew, "before")
    number, secret = add(crew, receiver.address, "room")
    furnish(crew, "annex")
    assert tell(crew) > 0
    assert states(crew) == ["delivered"]
    ((headers, body),) = receiver.came
    told = json.loads(body)
    assert told["type"] == "room.added"
    assert set(told) == {"type", "timestamp", "data"}
    assert set(told["data"]) == {"forum", "fact", "subject", "href"}
    assert told["data"]["subject"] == "room:annex"
    assert told["data"]["href"].endswith(f"/api/v1/forums/{SLUG}/rooms/annex")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    assert headers["webhook-signature"] == "v1," + b64encode(hmac.digest(secret, signed, "sha256")).decode()
    assert tell(crew) == 0
    assert len(receiver.came) == 1
    assert number


def test_of_what_nobody_asked_for_nothing_is_told(crew: Crew, receiver: Receiver):
    add(crew, receiver.address, "session")
    furnish(crew, "annex")
    tell(crew)
    assert receiver.came == []
    assert states(crew) == []


def test_what_was_not_taken_comes_again_under_the_same_id_and_later_each_time(
    crew: Crew, receiver: Receiver, clock: Clock
):
    add(crew, receiver.address, "room")
    furnish(crew, "annex")
    receiver.answers = 302
    for wait in WAITS[:2]:
        tell(crew)
        assert states(crew) == ["retrying"]
        clock.move(seconds=wait.total_seconds() - 1)
        tried = len(receiver.came)
        tell(crew)
        assert len(receiver.came) == tried, "before its time nothing is tried"
        clock.move(seconds=1)
    receiver.answers = 204
    tell(crew)
    assert states(crew) == ["delivered"]
    assert len({headers["webhook-id"] for headers, _ in receiver.came}) == 1
    assert len({headers["webhook-signature"] for headers, _ in receiver.came}) == 3


def test_one_that_fails_costs_one_try_at_a_time_and_keeps_no_other_back(crew: Crew, receiver: Receiver):
    add(crew, "http://127.0.0.1:1/nobody", "room")
    add(crew, receiver.address, "room")
    for code in ("one", "two", "three"):
        furnish(crew, code)
    tell(crew)
    assert len(receiver.came) == 3
    assert sorted(states(crew)) == ["delivered"] * 3 + ["queued"] * 2 + ["retrying"]


def test_after_days_of_failing_it_is_paused_and_goes_on_when_somebody_has_seen_to_it(
    crew: Crew, receiver: Receiver, clock: Clock
):
    number, _ = add(crew, receiver.address, "room")
    furnish(crew, "annex")
    receiver.answers = 500
    tell(crew)
    clock.move(seconds=PATIENCE.total_seconds())
    tell(crew)
    (seen,) = crew.database.read(lambda db: webhooks_of(db, Actor.operator(), the_forum(db)))
    assert seen.paused_at == clock.at
    kinds = crew.database.read(lambda db: [fact.kind for fact in history(db, SLUG, f"webhook:{number}")])
    assert kinds == ["webhook.added", "webhook.paused"]
    furnish(crew, "meanwhile")
    tell(crew)
    assert len(receiver.came) == 2
    receiver.answers = 200
    act(crew, webhooks.resume_webhook, number)
    clock.move(days=1)
    tell(crew)
    assert [json.loads(body)["data"]["subject"] for _, body in receiver.came[2:]] == ["room:meanwhile", "room:annex"]
    with pytest.raises(Conflict, match="webhook_goes"):
        act(crew, webhooks.resume_webhook, number)


def test_an_address_that_says_it_is_gone_is_left_alone(crew: Crew, receiver: Receiver):
    add(crew, receiver.address, "room")
    furnish(crew, "annex")
    receiver.answers = 410
    tell(crew)
    assert crew.database.read(lambda db: webhooks_of(db, Actor.operator(), the_forum(db)))[0].paused_at == NOW


def test_a_trial_comes_and_a_delivery_comes_once_more_when_asked_for(crew: Crew, receiver: Receiver):
    number, _ = add(crew, receiver.address)
    act(crew, webhooks.try_webhook, number)
    tell(crew)
    (row,) = crew.database.read(lambda db: deliveries_of(db, Actor.operator(), the_forum(db)))
    assert (row.kind, row.number, row.state) == ("webhook.tried", 0, "delivered")
    act(crew, webhooks.send_again, row.id)
    with pytest.raises(Conflict, match="delivery_waits"):
        act(crew, webhooks.send_again, row.id)
    tell(crew)
    assert len({headers["webhook-id"] for headers, _ in receiver.came}) == 1
    assert len(receiver.came) == 2


def test_what_was_ended_is_told_nothing_not_even_what_waited(crew: Crew, receiver: Receiver):
    number, _ = add(crew, receiver.address)
    furnish(crew, "annex")
    act(crew, webhooks.end_webhook, number)
    tell(crew)
    assert receiver.came == []
    with pytest.raises(NotFound):
        act(crew, webhooks.try_webhook, number)


def test_a_claim_that_was_cut_is_taken_up_again(crew: Crew, receiver: Receiver, clock: Clock):
    number, _ = add(crew, receiver.address)
    act(crew, webhooks.try_webhook, number)
    cut = {"state": "sending", "claimed_at": NOW, "attempts": 1}
    crew.pen.write_now(SLUG, lambda db: db.execute(update(_deliveries).values(**cut)))
    tell(crew)
    assert receiver.came == []
    clock.move(minutes=5)
    tell(crew)
    assert len(receiver.came) == 1


def test_the_desks_lists_are_one_query_each_however_many_there_are(crew: Crew, receiver: Receiver, queries: Any):
    asked = []
    for many in (1, 2):
        for _ in range(many):
            number, _ = add(crew, receiver.address)
            act(crew, webhooks.try_webhook, number)
        with queries() as counted:
            crew.database.read(lambda db: (webhooks_of(db, Actor.operator(), the_forum(db)),))
            crew.database.read(lambda db: deliveries_of(db, Actor.operator(), the_forum(db)))
        asked.append(len(counted))
    assert asked == [4, 4], "two of them find the forum"


def test_another_secret_ends_the_former(db: Db):
    forum, by = the_forum(db), make_actor(db, SOKHA, Role.ORGANISER)
    sent = WebhookInput(address="https://program.example/sala")
    number, first = add_webhook(db, by, forum, sent, SECRET, loopback=False, now=NOW)
    second = webhooks.renew_secret(db, by, forum, number, SECRET, now=NOW)
    assert first != second
    assert db.execute(select(_webhooks.c.generation)).scalar_one() == 2
    stored = " ".join(map(str, db.execute(select(_webhooks)).one()))
    assert second.hex() not in stored


def test_only_who_may_change_the_forum_and_see_its_facts_tells_others(db: Db):
    forum, sent = the_forum(db), WebhookInput(address="https://program.example/sala")
    with pytest.raises(Forbidden):
        add_webhook(db, make_actor(db, CHAN, Role.REGISTRAR), forum, sent, SECRET, loopback=False, now=NOW)
    by = make_actor(db, SOKHA, Role.ORGANISER)
    inside = WebhookInput(address="http://127.0.0.1:9/")
    with pytest.raises(Invalid):
        add_webhook(db, by, forum, inside, SECRET, loopback=False, now=NOW)
    for _ in range(webhooks.MOST_WEBHOOKS):
        add_webhook(db, by, forum, sent, SECRET, loopback=False, now=NOW)
    with pytest.raises(Refused, match="webhooks_enough"):
        add_webhook(db, by, forum, sent, SECRET, loopback=False, now=NOW)
