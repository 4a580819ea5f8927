"""What is held about somebody, to read and to take along; a person erased through the doors."""

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.accounts.rules import Role
from app.audit.recording import first_broken
from app.editions.form import ForumFile
from app.kit.db import Db
from app.kit.pen import Pen
from app.registration.applying import application_of, manage_token
from app.web.site import Site
from tests.cast import SECRET, SLUG, VANNA, fields, make_application, the_forum
from tests.conftest import opened
from tests.registration.asked import ask_also, question
from tests.registration.hall import SmallHall
from tests.registration.whole import mark, secret_of, whole_person
from tests.web.visits import DESK, seal_on, send, sign_in

FORM = f"/en/{SLUG}/register/stu"
PICTURE = ("my picture.png", b"\x89PNG\r\n\x1a\nfictional", "text/html")


def typed(**changes: Any) -> dict[str, Any]:
    sent = {name: value for name, value in fields(VANNA, **changes).items() if name not in {"category", "language"}}
    return {**sent, "q-scholar": "student", "q-university": "A plainly fictional university"}


def registered(client: TestClient, **files: Any) -> str:
    """Vanna registers through the form; the address of her own page, shown because no mail can leave."""
    data = {**typed(meals="no pork"), "form": seal_on(client.get(FORM))}
    page = client.post(FORM, data=data, files=files or None)
    found = re.search(r'href="(/en/my/[a-z0-9]+)"', page.text)
    assert found, page.status_code
    return found[1]


def test_everything_held_can_be_read_and_taken_along(client: TestClient, site: Site) -> None:
    site.pen.write_now(SLUG, lambda db: ask_also(db, question("letter", "file")))
    mine = registered(client, **{"q-letter": PICTURE})
    page = client.get(f"{mine}/data")
    for words in (VANNA.email, VANNA.name_km, "A plainly fictional university", "no pork", "my picture.png", "I agree"):
        assert words in page.text
    answer = client.get(f"{mine}/data.json")
    assert re.fullmatch(r'attachment; filename="[A-Z0-9]+\.json"', answer.headers["content-disposition"])
    held = answer.json()
    assert held["registration"]["email"] == VANNA.email
    assert {one["question"]["code"]: one["value"] for one in held["answers"]} == {
        "scholar": "student",
        "university": "A plainly fictional university",
        "letter": None,
    }
    assert held["needs"]["meals"] == "no pork"
    assert held["consents"][0]["wording"].startswith("I agree")
    assert [mail["to"] for mail in held["mails"]] == [VANNA.email]
    assert held["history"][0]["personal"]["email"] == VANNA.email
    assert mine.rpartition("/")[2] not in answer.text


ONLY_IN_THE_FILE = {"to_name", "error", "bounce", "personal", "country", "nationality", "uid", "method"}
"""Beside the address, in the words of a server, where it is no sentence of ours, marks that are no country, and what
calendars alone read of the mails that stand on the page."""


def test_the_page_says_what_the_file_says(client: TestClient, site: Site, forum_file: ForumFile) -> None:
    def deed(db: Db) -> tuple[str, dict[str, str]]:
        row = whole_person(SmallHall(db, forum_file))
        return f"my/{secret_of(row)}", mark(db, row)

    mine, marks = site.pen.write_now(SLUG, deed)
    told = client.get(f"/en/{mine}/data.json").text
    words = {name: word for name, word in marks.items() if word.startswith("mark") and word in told}
    assert len(words) > 40
    pages = ""
    for lang in ("en", "km"):
        page = client.get(f"/{lang}/{mine}/data")
        assert page.status_code == 200
        pages += page.text
    left = {name for name, word in words.items() if word not in pages}
    assert {name for name in left if name.partition(":")[2] not in ONLY_IN_THE_FILE} == set()
    held = client.get(f"/en/{mine}/data").text
    for expected in ("Letter for a visa request", "Who comes along", "What happened with the invitation", "D1-07"):
        assert expected in held


def test_a_file_is_given_back_to_be_saved_under_a_name_of_ours(client: TestClient, site: Site) -> None:
    site.pen.write_now(SLUG, lambda db: ask_also(db, question("letter", "file")))
    mine = registered(client, **{"q-letter": ('x"\r\nx-evil: 1.html', PICTURE[1], "text/html")})
    found = re.search(rf'href="({mine}/files/\d+)"', client.get(mine).text)
    assert found
    answer = client.get(found[1])
    assert (answer.status_code, answer.content) == (200, PICTURE[1])
    assert re.fullmatch(r'attachment; filename="[A-Z0-9]+-letter\.png"', answer.headers["content-disposition"])
    assert (answer.headers["content-type"], answer.headers["x-content-type-options"]) == ("image/png", "nosniff")
    assert answer.headers["cache-control"] == "private, no-store"
    assert client.get(f"{mine}/files/99").status_code == 404


def test_a_person_is_erased_and_their_page_and_the_desk_say_so(client: TestClient, site: Site) -> None:
    mine = registered(client)
    code = client.get(f"{mine}/data.json").json()["registration"]["code"]
    asked = client.get(f"{mine}/erasure")
    assert "Your registration ends with it" in asked.text
    assert client.post(f"{mine}/erasure", data={"form": "nonsense"}).status_code == 422
    assert VANNA.family_name in client.get(mine).text, "only the button of this page erases"
    done = send(client, f"{mine}/erasure", f"{mine}/erasure")
    assert (done.status_code, done.headers["location"]) == (303, mine)
    for tail in ("", "/details", "/cancellation", "/erasure"):
        page = client.get(mine + tail)
        assert "Everything is erased" in page.text
        assert VANNA.family_name not in page.text
    held = client.get(f"{mine}/data.json").text
    for words in (VANNA.email, VANNA.family_name, VANNA.name_km, "fictional university", "no pork"):
        assert words not in held
    sign_in(client, site, Role.OWNER)
    for address in (f"{DESK}/registrations", f"{DESK}/registrations/{code}", f"{DESK}/outbox"):
        page = client.get(address)
        assert VANNA.email not in page.text
        assert VANNA.family_name.upper() not in page.text
    assert "(erased)" in client.get(f"{DESK}/registrations/{code}").text
    assert site.database.read(lambda db: first_broken(db, SLUG)) is None
    assert site.database.read(lambda db: application_of(db, the_forum(db), code).state) == "cancelled"


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["en", "km"])
def test_no_part_of_what_is_held_is_cut_off_on_a_phone(tab: Any, sqlite_url: str, lang: str) -> None:
    with opened(sqlite_url) as database:
        row = Pen(database).write_now(SLUG, lambda db: make_application(db, VANNA))
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.goto(f"/{lang}/my/{manage_token(SECRET, row.id, 1)}/data")
    assert VANNA.email in tab.inner_text("main")
    scrolled = "each => each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX !== 'visible'"
    whole = "[...document.querySelectorAll('main *')]"
    assert tab.evaluate(f"{whole}.filter({scrolled}).map(each => each.outerHTML)") == []
