"""Empty forms to register that are kept for a moment: each with its own token, none older than what it says."""

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from app.web.blanks import EMAIL, LINK, TOKEN
from app.web.site import Site
from tests.cast import BOPHA, RITH, SLUG, VANNA, Figure, fields, make_application
from tests.conftest import Clock
from tests.web.visits import seal_on

FORM = f"/en/{SLUG}/register/stu"


@pytest.fixture
def opened(client: TestClient) -> TestClient:
    """A browser before a form that was opened just now."""
    assert client.get(FORM).status_code == 200
    return client


def test_two_who_open_a_form_at_one_moment_get_tokens_of_their_own_and_the_same_page(opened: TestClient) -> None:
    first, second = opened.get(FORM), opened.get(FORM)
    assert seal_on(first) != seal_on(second)
    assert first.text.replace(seal_on(first), "") == second.text.replace(seal_on(second), "")
    for answer in (first, second):
        assert TOKEN not in answer.text
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.headers["content-language"] == "en"
    assert opened.get(f"/km/{SLUG}/register/stu").headers["content-language"] == "km"


def test_it_is_rendered_once_and_costs_nothing_more(opened: TestClient) -> None:
    before = dict(opened_forms(opened))
    opened.get(FORM)
    assert opened_forms(opened)[FORM] is before[FORM]


def opened_forms(client: TestClient):
    from tests.conftest import site_behind

    return site_behind(client).blanks.kept


def test_whatever_this_process_writes_shows_at_once(opened: TestClient, site: Site) -> None:
    site.pen.write_now(SLUG, make_application)
    before = opened_forms(opened)[FORM]
    opened.get(FORM)
    assert opened_forms(opened)[FORM] is not before


def test_what_another_process_wrote_shows_within_a_second(opened: TestClient, site: Site, clock: Clock) -> None:
    before = opened_forms(opened)[FORM]
    with site.database.write_engine.begin() as connection:
        connection.execute(text("UPDATE registration_terms SET closes_at = '2000-01-01 00:00:00'"))
    assert opened_forms(opened)[FORM] is before
    clock.move(seconds=1)
    assert 'name="family_name"' not in opened.get(FORM).text


def register(client: TestClient, figure: Figure, path: str = FORM, **changes: str):
    sent = {name: value for name, value in fields(figure).items() if name not in {"category", "language"}}
    return client.post(path, data={**sent, "form": seal_on(client.get(path)), **changes})


def test_a_registration_leaves_the_form_as_it_is_until_the_seats_stand_otherwise(
    opened: TestClient, site: Site
) -> None:
    before = opened_forms(opened)[FORM].body
    assert register(opened, VANNA).status_code == 200
    opened.get(FORM)
    assert opened_forms(opened)[FORM].body is before
    # the last seats go in the next one's commit
    with site.database.write_engine.begin() as connection:
        connection.execute(text("UPDATE registration_category SET \"limit\" = 1, guarantee = 0 WHERE code = 'STU'"))
    assert register(opened, RITH).status_code == 200
    shown = opened.get(FORM).text
    assert opened_forms(opened)[FORM].body is not before
    assert "waiting list" in shown.lower()


def test_what_is_kept_of_an_answer_is_nobodys(opened: TestClient) -> None:
    one, other = register(opened, VANNA).text, register(opened, BOPHA, email="o'b&b@embassy.example").text
    assert VANNA.email in one or "/en/my/" in one
    links = [page.split("/en/my/", 1)[1].split('"')[0] for page in (one, other)]
    assert links[0] != links[1]
    assert links[0] not in other
    for page in (one, other):
        assert not {mark for mark in (EMAIL, LINK, TOKEN) if mark in page}
    again = register(opened, VANNA).text
    assert "/en/my/" not in again, "an earlier registration's link is not shown"
    assert VANNA.email in again
    assert register(opened, BOPHA, email="o'b&b@embassy.example").text.count("o&#39;b&amp;b@embassy.example") == 1


def test_who_is_refused_sees_the_form_as_it_is_now(opened: TestClient, site: Site) -> None:
    form = seal_on(opened.get(FORM))
    assert register(opened, VANNA).status_code == 200, "what the form asks is known now"
    with site.database.write_engine.begin() as connection:
        connection.execute(text("UPDATE registration_terms SET closes_at = '2000-01-01 00:00:00'"))
    sent = {name: value for name, value in fields(RITH).items() if name not in {"category", "language"}}
    refused = opened.post(FORM, data={**sent, "form": form})
    assert refused.status_code == 422
    assert 'name="family_name"' not in refused.text
