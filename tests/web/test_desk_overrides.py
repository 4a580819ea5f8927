"""Priority and seats beyond limits, on the page of one registration."""

import pytest
from starlette.testclient import TestClient

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.editions.form import ForumFile
from app.registration.applying import application_of
from app.registration.arranging import put_terms
from app.web.site import Site
from tests.cast import DARA, NOW, RITH, SLUG, VANNA, Figure, make_application, small_terms, the_forum
from tests.web.visits import DESK, send, sign_in


@pytest.fixture
def page(client: TestClient, site: Site, forum_file: ForumFile) -> str:
    """The desk's page of somebody who waits: one of two seats is taken, the other guaranteed to the diplomats."""
    sign_in(client, site, Role.ORGANISER)
    terms, kinds = small_terms(forum_file, 2, STU=(0, 1, "open"), DIP=(1, None, "moderated"))
    terms = terms.model_copy(update={"opens_at": NOW})
    site.pen.write_now(SLUG, lambda db: put_terms(db, Actor.operator(), the_forum(db), terms, kinds, now=NOW))

    def ask(figure: Figure) -> str:
        return str(site.pen.write_now(SLUG, lambda db: make_application(db, figure, category="STU")).code)

    ask(RITH)
    return f"{DESK}/registrations/{ask(VANNA)}"


def state(site: Site, page: str) -> str:
    return str(site.database.read(lambda db: application_of(db, the_forum(db), page.rsplit("/", 1)[1]).state))


def test_the_page_names_what_a_seat_beyond_the_rule_goes_over_before_the_button(
    client: TestClient, site: Site, page: str
) -> None:
    form = client.get(page).text.split("Seat beyond the rule")[1].split("</form>")[0]
    assert "over the limit of the group Students and scholars, which is 1" in form
    assert "Diplomatic corps: 1" in form
    assert form.index("Diplomatic corps: 1") < form.index("<button")
    assert send(client, page, f"{page}/seat", reason=" ").status_code == 422
    assert state(site, page) == "waiting"
    answer = send(client, page, f"{page}/seat", reason="Named by the host")
    shown = client.get(answer.headers["location"]).text
    assert state(site, page) == "seated"
    assert "Seated beyond the rule; the reason stays in the history." in shown
    assert "Seated beyond the rule in the group Students and scholars" in shown
    assert "Named by the host" in shown


def test_in_a_full_hall_there_is_no_button(client: TestClient, site: Site, page: str) -> None:
    site.pen.write_now(SLUG, lambda db: make_application(db, DARA, by=Actor.operator()))
    approved = site.pen.write_now(SLUG, lambda db: make_application(db, DARA))
    send(client, f"{DESK}/registrations/{approved.code}", f"{DESK}/registrations/{approved.code}/approval")
    assert "Beyond its capacity nobody can be seated." in client.get(page).text
    answer = send(client, page, f"{page}/seat", reason="Named by the host")
    assert (answer.status_code, state(site, page)) == (422, "waiting")


def test_a_priority_is_set_with_its_reason_and_shown_in_the_list(client: TestClient, page: str) -> None:
    answer = send(client, page, f"{page}/priority", priority="4", reason="")
    assert answer.status_code == 422
    assert "a priority above 0 needs a reason" in answer.text
    assert 'name="priority" type="number" min="0" max="9" required class="short" value="4"' in answer.text
    answer = send(client, page, f"{page}/priority", priority="4", reason="Speaks in the first panel")
    shown = client.get(answer.headers["location"]).text
    assert "The priority is set; the queue goes by it." in shown
    assert "Priority in the queue: 4" in shown
    assert "priority 4" in client.get(f"{DESK}/registrations").text


def test_a_registrar_sets_priority_and_seats_nobody_beyond_the_rule(client: TestClient, site: Site, page: str) -> None:
    sign_in(client, site, Role.REGISTRAR, figure=DARA)
    shown = client.get(page).text
    assert f"{page}/priority" in shown
    assert f"{page}/seat" not in shown
