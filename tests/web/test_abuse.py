"""Against abuse: throttles with a clear answer, a trap and a time, the same for known and unknown addresses."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from app.kit.db import Db, table
from app.mail.models import Message
from app.main import create_app
from app.registration.models import Application
from app.web.site import Site
from tests.cast import NOW, SLUG, VANNA, fields
from tests.conftest import Clock, settings_for, site_behind
from tests.doors import rows
from tests.web.visits import seal_on

FORM = f"/en/{SLUG}/register/stu"
LIMITS = {"THROTTLE_PER_ADDRESS": "4", "THROTTLE_PER_EMAIL": "2", "FORM_MIN_SECONDS": "3"}
LIMITS |= {"SMTP_URL": "smtp://127.0.0.1:9"}


@pytest.fixture
def strict(sqlite_url: str) -> Iterator[TestClient]:
    """A site with tight throttles."""
    settings = settings_for(sqlite_url, **LIMITS)
    with TestClient(create_app(settings), base_url="http://localhost", follow_redirects=False) as browser:
        yield browser


def filled(**changes: Any) -> dict[str, Any]:
    sent = {name: value for name, value in fields(VANNA).items() if name not in {"category", "language"}}
    return {**sent, **changes}


def send(client: TestClient, clock: Clock, wait: float = 5, **changes: Any) -> Any:
    seal = seal_on(client.get(FORM))
    clock.move(seconds=wait)
    return client.post(FORM, data={**filled(**changes), "form": seal})


def test_a_filled_trap_writes_nothing_and_is_answered_in_plain_words(strict: TestClient, clock: Clock) -> None:
    before = rows(site_behind(strict).database)
    answer = send(strict, clock, website="https://spam.example")
    assert answer.status_code == 422
    assert "A field that people do not see was filled in" in answer.text
    assert "spam.example" not in answer.text, "the form shown again can be sent by a person"
    assert rows(site_behind(strict).database) == before


def test_a_form_sent_quicker_than_a_person_can_writes_nothing(strict: TestClient, clock: Clock) -> None:
    before = rows(site_behind(strict).database)
    answer = send(strict, clock, wait=1)
    assert answer.status_code == 422
    assert "sent quicker than a person can" in answer.text
    assert rows(site_behind(strict).database) == before
    assert send(strict, clock, wait=3).status_code == 200


def test_who_mends_a_fault_may_send_again_at_once(strict: TestClient, clock: Clock) -> None:
    refused = send(strict, clock, wait=5, phone="nonsense")
    assert refused.status_code == 422
    again = strict.post(FORM, data={**filled(), "form": seal_on(refused)})
    assert again.status_code == 200, "the time runs from the first opening"
    assert "We have written to" in again.text


def test_a_form_shown_again_for_being_too_quick_need_not_wait_anew(strict: TestClient, clock: Clock) -> None:
    refused = send(strict, clock, wait=2)
    clock.move(seconds=1)
    assert strict.post(FORM, data={**filled(), "form": seal_on(refused)}).status_code == 200


def test_a_form_sent_before_for_another_person_is_shown_again_with_a_key_of_its_own(
    strict: TestClient, clock: Clock
) -> None:
    seal = seal_on(strict.get(FORM))
    clock.move(seconds=5)
    assert strict.post(FORM, data={**filled(), "form": seal}).status_code == 200
    other = filled(email="another@crowd.example", family_name="Another")
    refused = strict.post(FORM, data={**other, "form": seal})
    assert refused.status_code == 422
    clock.move(seconds=5)
    assert strict.post(FORM, data={**other, "form": seal_on(refused)}).status_code == 200


def test_an_address_of_mail_is_throttled_alike_whether_it_is_known_or_not(strict: TestClient, clock: Clock) -> None:
    answers = [send(strict, clock) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].text == answers[1].text, "unknown, then known"
    assert "There were too many tries. Please try again in 60 minutes." in answers[2].text
    assert 3500 < int(answers[2].headers["retry-after"]) <= 3600
    assert VANNA.family_name in answers[2].text, "what was typed is kept"
    clock.move(seconds=int(answers[2].headers["retry-after"]) + 1)
    assert send(strict, clock).status_code == 200


def test_a_network_address_is_throttled_over_all_addresses_of_mail(strict: TestClient, clock: Clock) -> None:
    statuses = [send(strict, clock, email=f"person{number}@crowd.example").status_code for number in range(5)]
    assert statuses == [200, 200, 200, 200, 429]


def test_asking_for_a_sign_in_link_is_throttled_with_the_time_to_wait(strict: TestClient, clock: Clock) -> None:
    def ask() -> Any:
        return strict.post("/login", data={"form": seal_on(strict.get("/login")), "email": "rith@elsewhere.example"})

    answers = [ask() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["retry-after"]) > 0


def test_a_throttle_of_nought_is_none(sqlite_url: str, clock: Clock) -> None:
    settings = settings_for(sqlite_url, THROTTLE_PER_ADDRESS="0", THROTTLE_PER_EMAIL="0")
    with TestClient(create_app(settings), base_url="http://localhost", follow_redirects=False) as client:
        assert {send(client, clock).status_code for _ in range(9)} == {200}


ASSISTANT = {"for_whom": "other", "assistant_name": "An assistant", "email": "victim@elsewhere.example"}


def mails(site: Site, address: str = "victim@elsewhere.example") -> list[str]:
    templates = select(table(Message).c.template).where(table(Message).c.to_address == address)
    with site.database.reading() as db:
        return list(db.execute(templates).scalars())


def test_an_assistants_name_lifts_no_throttle_from_an_address_that_nobody_has_confirmed(
    strict: TestClient, clock: Clock
) -> None:
    answers = [send(strict, clock, **ASSISTANT).status_code for _ in range(3)]
    assert answers == [200, 200, 429]
    assert mails(site_behind(strict)) == ["registration/seated", "registration/known"]
    assert send(strict, clock, email=ASSISTANT["email"]).status_code == 429, "nor does leaving it out"


def test_an_assistant_whose_address_is_confirmed_counts_like_a_network_address(sqlite_url: str, clock: Clock) -> None:
    settings = settings_for(sqlite_url, **LIMITS | {"THROTTLE_PER_ADDRESS": "9"})
    with TestClient(create_app(settings), base_url="http://localhost", follow_redirects=False) as client:
        assert send(client, clock, **ASSISTANT, family_name="Aone").status_code == 200
        site = site_behind(client)
        site.pen.write_now(SLUG, confirm_everybody)
        answers = [send(client, clock, **ASSISTANT, family_name=f"B{letter}").status_code for letter in "abcdefg"]
        assert answers == [200] * 7


def test_what_is_refused_after_the_form_is_counted_too(strict: TestClient, clock: Clock) -> None:
    answers = [send(strict, clock, pick=["D1-07", "D1-08"], email=f"a{n}@crowd.example") for n in range(5)]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 429]
    assert mails(site_behind(strict), "a0@crowd.example") == []


def test_a_sending_that_is_throttled_writes_nothing(strict: TestClient, clock: Clock) -> None:
    for number in range(4):
        send(strict, clock, email=f"a{number}@crowd.example")
    before = rows(site_behind(strict).database)
    assert send(strict, clock, email="late@crowd.example").status_code == 429
    assert rows(site_behind(strict).database) == before


def test_the_numbers_of_an_assistants_people_are_settings(sqlite_url: str, clock: Clock) -> None:
    limits = {"UNCONFIRMED_PRINCIPALS": "1", "PRINCIPALS_PER_ADDRESS": "2", "THROTTLE_PER_EMAIL": "9"}
    with TestClient(
        create_app(settings_for(sqlite_url, **limits)), base_url="http://localhost", follow_redirects=False
    ) as client:
        assert send(client, clock, **ASSISTANT, family_name="Aone").status_code == 200
        refused = send(client, clock, **ASSISTANT, family_name="Btwo")
        assert (refused.status_code, "From one address 1 people" in refused.text) == (422, True)
        site_behind(client).pen.write_now(SLUG, confirm_everybody)
        assert send(client, clock, **ASSISTANT, family_name="Btwo").status_code == 200
        refused = send(client, clock, **ASSISTANT, family_name="Cthree")
        assert (refused.status_code, "write to the secretariat" in refused.text) == (422, True)


def confirm_everybody(db: Db) -> None:
    db.execute(update(table(Application)).values(confirmed_at=NOW))


def test_a_form_opened_before_the_clock_was_set_back_is_taken(strict: TestClient, clock: Clock) -> None:
    assert send(strict, clock, wait=-3600).status_code == 200


def test_a_form_too_old_by_a_clock_that_was_ahead_is_taken_once_it_is_set_right(
    strict: TestClient, clock: Clock
) -> None:
    """And what was typed is shown again meanwhile, on a form that is good by the clock as it is."""
    seal = seal_on(strict.get(FORM))
    clock.move(hours=24)
    refused = strict.post(FORM, data={**filled(), "form": seal})
    assert refused.status_code == 410
    assert VANNA.email in refused.text
    clock.move(hours=-23)
    assert strict.post(FORM, data={**filled(), "form": seal}).status_code == 200
