"""An answer that can be read again: in the other language, and after a form."""

import re

import pytest
from starlette.testclient import TestClient

from app.accounts.rules import Role
from app.web.site import Site
from tests.cast import SLUG
from tests.doors import Page
from tests.web.visits import DESK, seal_on, send, sign_in


def twin_of(answer: object) -> str:
    found = re.search(r'class="twin" href="([^"]+)"', answer.text)  # type: ignore[attr-defined]
    assert found
    return found[1].replace("&amp;", "&")


def test_what_answers_a_form_at_the_desk_leads_to_the_forms_page_in_the_other_language(
    client: TestClient, site: Site
) -> None:
    sign_in(client, site, Role.OWNER)
    answer = send(client, f"{DESK}/seats", f"{DESK}/seats/trial", capacity="x")
    assert answer.status_code == 422
    assert twin_of(answer) == f"{DESK}/seats?lang=km"
    there = client.get(twin_of(answer))
    assert there.status_code == 200
    assert '<html lang="km"' in there.text


def test_a_refused_form_without_a_page_of_its_own_leads_to_the_page_above(client: TestClient, site: Site) -> None:
    sign_in(client, site, Role.OWNER)
    answer = client.post(f"{DESK}/hold-backs/1/release", data={"form": seal_on(client.get(f"{DESK}/hold-backs"))})
    assert answer.status_code == 404
    assert twin_of(answer) == f"{DESK}/hold-backs?lang=km"


def test_a_focal_points_refused_form_leads_to_the_delegations_page(client: TestClient) -> None:
    answer = client.post(f"/en/delegations/{'a' * 30}/seats", data={})
    assert twin_of(answer) == f"/km/delegations/{'a' * 30}"


@pytest.mark.parametrize(
    ("sent_to", "page"),
    [
        (f"{DESK}/seats/trial", f"{DESK}/seats"),
        (f"/en/delegations/{'a' * 30}/people/ABCDEFG/head", f"/en/delegations/{'a' * 30}/people/ABCDEFG"),
        (f"/km/my/{'a' * 30}/confirmation", f"/km/my/{'a' * 30}"),
    ],
)
def test_where_only_forms_are_sent_one_is_led_to_the_page_they_are_on(
    client: TestClient, sent_to: str, page: str
) -> None:
    answer = client.get(sent_to)
    assert answer.status_code == 405
    assert page in Page(answer.text).links
    assert twin_of(answer).startswith(page.replace("/en/", "/km/") if "/en/" in page else page.replace("/km/", "/en/"))


def test_a_page_that_is_opened_keeps_its_own_address(client: TestClient) -> None:
    assert twin_of(client.get(f"/en/{SLUG}/programme")) == f"/km/{SLUG}/programme"
    assert twin_of(client.get("/en/nowhere/at/all")) == "/km/nowhere/at/all"
