"""The same request at the same instant, before two processes of one site: done once, answered alike."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from sqlalchemy import func, select
from starlette.testclient import TestClient

from app.accounts.rules import Permission, Role
from app.forum.tokens import TokenInput, make_token
from app.kit.db import table
from app.main import create_app
from app.registration.models import Application
from tests.api.programs import BASE
from tests.cast import NOW, SLUG, SOKHA, fields, make_actor, the_forum
from tests.conftest import Clock, settings_for, site_behind


def test_a_request_that_comes_twice_at_once_is_done_once(either_url: str, clock: Clock) -> None:
    with ExitStack() as stack:
        clients = [
            stack.enter_context(TestClient(create_app(settings_for(either_url)), base_url="http://localhost"))
            for _ in range(2)
        ]
        site = site_behind(clients[0])
        sent = TokenInput(forum=SLUG, name="A program", scope=(Permission.DECIDE_REGISTRATIONS,))
        token = site.pen.write_now(
            SLUG, lambda db: make_token(db, make_actor(db, SOKHA, Role.REGISTRAR), the_forum(db), sent, now=NOW)
        )
        headers = {"authorization": f"Bearer {token}", "idempotency-key": "one-person"}
        person = {**fields(), "consent": True}

        def ask(number: int) -> Any:
            client = clients[number % 2]
            return client.post(f"{BASE}/registrations", json={"person": person}, headers=headers)

        with ThreadPoolExecutor(6) as threads:
            answers = list(threads.map(ask, range(6)))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        there = site.database.read(lambda db: db.execute(select(func.count()).select_from(table(Application))).scalar())
        assert there == 1
        assert clock.at == NOW
