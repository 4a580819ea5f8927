"""Who is at the desk's door, and in which language."""

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from app.accounts.actor import Actor
from app.accounts.models import User
from app.accounts.rules import Role
from app.audit.recording import history
from app.editions.form import ForumFile
from app.editions.loading import load
from app.forum.access import grant
from app.kit.db import table
from app.kit.pen import SITE
from app.web.cookies import LOGIN as COOKIE
from app.web.site import Site
from tests.cast import CHAN, NOW, SLUG, SOKHA, make_application, make_user, the_forum
from tests.web.visits import DESK, seal_on, sign_in

PAGES = ("/desk", DESK, f"{DESK}/registrations", f"{DESK}/registrations/ABCDEFG", f"{DESK}/outbox")
FORMS = tuple(
    f"{DESK}/registrations/ABCDEFG/{act}"
    for act in ("approval", "refusal", "cancellation", "category", "confirmation", "link")
)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("login", [None, "", "x" * 43, "’not ascii".encode().decode("latin-1")])
def test_a_page_leads_whoever_is_not_signed_in_to_signing_in(client: TestClient, page: str, login: str | None) -> None:
    headers = {} if login is None else {"cookie": f"{COOKIE}={login}".encode("latin-1")}
    answer = client.get(page, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


@pytest.mark.parametrize("form", FORMS)
def test_a_form_of_whoever_is_not_signed_in_is_refused_in_words(client: TestClient, form: str) -> None:
    answer = client.post(form, headers={"accept-language": "km"})
    assert answer.status_code == 401
    assert "www-authenticate" in answer.headers
    assert "សូមចូលជាមុនសិន" in answer.text


@pytest.mark.parametrize("page", PAGES[1:])
def test_a_desk_is_not_there_for_whoever_has_no_role_in_its_forum(client: TestClient, site: Site, page: str) -> None:
    sign_in(client, site, figure=CHAN)
    here, nowhere = client.get(page), client.get(page.replace(SLUG, "no-such-forum"))
    assert here.status_code == nowhere.status_code == 404
    assert here.text.replace(SLUG, "") == nowhere.text.replace("no-such-forum", "")


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_not_there_for_whoever_has_no_role_in_its_forum(client: TestClient, site: Site, form: str) -> None:
    sign_in(client, site, figure=CHAN)
    assert client.post(form, data={"form": "x"}).status_code == 404


def test_a_disabled_user_is_out_at_once(client: TestClient, site: Site) -> None:
    sign_in(client, site, Role.OWNER)
    assert client.get(DESK).status_code == 200
    site.pen.write_now(SITE, lambda db: db.execute(update(table(User)).values(disabled=True)) and None)
    assert client.get(DESK).headers["location"] == "/login"


def test_a_language_asked_for_is_kept_and_the_other_is_one_press_away(client: TestClient, site: Site) -> None:
    sign_in(client, site, Role.OWNER)
    page = client.get(f"{DESK}/registrations?state=waiting&q=%E1%9E%9F%E1%9E%BB%E1%9E%81&lang=km")
    assert '<html lang="km">' in page.text
    assert (
        'href="/desk/phnom-penh-2027/registrations?state=waiting&amp;q=%E1%9E%9F%E1%9E%BB%E1%9E%81&amp;lang=en"'
        in page.text
    )
    assert "lang=km" in page.headers["set-cookie"]
    assert '<html lang="km">' in client.get(DESK).text


def test_a_language_there_is_none_of_changes_nothing(client: TestClient, site: Site) -> None:
    sign_in(client, site, Role.OWNER)
    page = client.get(f"{DESK}?lang=xx")
    assert '<html lang="en">' in page.text
    assert "set-cookie" not in page.headers


@pytest.mark.parametrize("page", [*PAGES, "/login"])
def test_what_is_shown_at_the_desk_is_never_stored(client: TestClient, site: Site, page: str) -> None:
    sign_in(client, site, Role.OWNER)
    assert client.get(page).headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("form", FORMS)
def test_a_form_needs_the_seal_of_this_very_login(client: TestClient, site: Site, form: str) -> None:
    code = site.pen.write_now(SLUG, make_application).code
    sign_in(client, site, Role.OWNER)
    other = seal_on(client.get(DESK))
    sign_in(client, site, Role.OWNER, figure=CHAN)
    for seal in (other, "", "forged.AAAA"):
        answer = client.post(form.replace("ABCDEFG", code), data={"form": seal, "category": "STU"})
        assert answer.status_code == 422
    facts = site.database.read(lambda db: history(db, SLUG, f"registration:{code}"))
    assert {fact.kind for fact in facts} == {"registration.submitted", "seat.given"}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_sent_by_another_sites_page_changes_nothing(client: TestClient, site: Site, form: str) -> None:
    code = site.pen.write_now(SLUG, make_application).code
    sign_in(client, site, Role.OWNER)
    sent = {"form": seal_on(client.get(DESK)), "category": "ORG"}
    answer = client.post(form.replace("ABCDEFG", code), data=sent, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert len(site.database.read(lambda db: history(db, SLUG, f"registration:{code}"))) == 2


def test_a_role_in_one_forum_opens_no_other_and_finds_nothing_of_it(
    client: TestClient, site: Site, forum_file: ForumFile
) -> None:
    second = forum_file.model_copy(update={"forum": forum_file.forum.model_copy(update={"slug": "second"})})
    site.pen.write_now("second", lambda db: load(db, Actor.operator(), second, now=NOW))
    code = site.pen.write_now(SLUG, make_application).code
    sign_in(client, site, Role.OWNER)
    assert client.get("/desk/second").status_code == 404
    with_both = site.pen.write_now("second", lambda db: make_user(db, SOKHA))
    site.pen.write_now(
        "second", lambda db: grant(db, Actor.operator(), the_forum(db, "second"), with_both, Role.OWNER, now=NOW)
    )
    assert client.get("/desk/second").status_code == 200
    assert client.get(f"{DESK}/registrations/{code}").status_code == 200
    assert client.get(f"/desk/second/registrations/{code}").status_code == 404
    seal = seal_on(client.get("/desk/second"))
    for act in ("cancellation", "link"):
        answer = client.post(f"/desk/second/registrations/{code}/{act}", data={"form": seal})
        assert answer.status_code == 404
