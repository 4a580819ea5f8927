"""Taking much back at the desk: a version's sessions, or edits made together, seen first in either language."""

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.accounts.rules import Role
from app.web.site import Site
from tests.web.test_desk_import import draft, hidden
from tests.web.test_desk_versions import retitle
from tests.web.visits import DESK, sign_in

PAGE = f"{DESK}/programme/versions/1/return"


@pytest.fixture
def desk(client: TestClient, site: Site) -> TestClient:
    sign_in(client, site, Role.PROGRAMME_EDITOR)
    return client


@pytest.mark.parametrize(("lang", "words"), [("en", "Another title"), ("km", "ចំណងជើងថ្មី")])
def test_the_difference_to_a_version_is_seen_in_words(desk: TestClient, site: Site, lang: str, words: str) -> None:
    assert "mark" not in hidden(desk.get(f"{PAGE}?lang={lang}")), "there is nothing to take back"
    retitle(site, "D1-04", "Another title", "ចំណងជើងថ្មី")
    assert re.search(rf"<del[^>]*>{words}</del>", desk.get(f"{PAGE}?lang={lang}").text)


def test_its_sessions_are_taken_back_and_that_is_taken_back_too(desk: TestClient, site: Site) -> None:
    title = draft(site, "D1-04").title
    retitle(site, "D1-04", "Another title", "ចំណងជើងថ្មី")
    assert f'href="{PAGE}"' in desk.get(f"{DESK}/programme/versions").text
    done = desk.post(f"{PAGE}?since=leave", data=hidden(desk.get(PAGE)))
    assert draft(site, "D1-04").title == title
    said = desk.get(done.headers["location"])
    assert "sessions are back" in said.text
    (back,) = re.findall(r'href="([^"]+/edits/together/\d+)"', said.text)
    assert desk.post(back, data=hidden(desk.get(back))).status_code == 303
    assert draft(site, "D1-04").title.en == "Another title"


def test_what_was_edited_meanwhile_is_shown_anew(desk: TestClient, site: Site) -> None:
    retitle(site, "D1-04", "Another title", "ចំណងជើងថ្មី")
    seen = hidden(desk.get(PAGE))
    retitle(site, "D1-08", "Edited meanwhile", "កែក្នុងពេលនោះ")
    answer = desk.post(PAGE, data=seen)
    assert answer.status_code == 409
    assert "Edited meanwhile" in answer.text
    assert draft(site, "D1-04").title.en == "Another title"
    assert desk.post(PAGE, data=hidden(answer)).status_code == 303


@pytest.mark.parametrize("tail", ["versions/9/return", "versions/x/return", "edits/together/9", "edits/together/0"])
def test_what_there_is_not_is_not_found(desk: TestClient, tail: str) -> None:
    assert desk.get(f"{DESK}/programme/{tail}").status_code == 404
    assert desk.get(f"{PAGE}?since=burn").status_code == 404


def test_who_only_looks_finds_no_way_to_take_a_version_back(client: TestClient, site: Site) -> None:
    sign_in(client, site, Role.VIEWER)
    assert PAGE not in client.get(f"{DESK}/programme/versions").text
    answer: Any = client.get(PAGE)
    assert answer.status_code == 403
