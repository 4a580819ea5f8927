"""Empty forms to register that are kept for a moment: each with its own token, none older than what it says."""

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from app.web.blanks import TOKEN
from app.web.site import Site
from tests.cast import SLUG, make_application
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
