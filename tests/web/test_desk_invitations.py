"""The desk's invitations: list, forms, a pasted list, one invitation, and the form to register somebody."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.forum.models import Forum
from app.kit.db import Db, table
from app.kit.inputs import parse
from app.registration import inviting, replying
from app.registration.applying import application_of, cancel
from app.registration.erasing import erase
from app.registration.invitation_inputs import Guest
from app.registration.models import Invitation
from app.web.site import Site
from tests.cast import BOPHA, NOW, SECRET, SLUG, VANNA, holder, request, the_forum
from tests.web.visits import DESK, seal_on, send, sign_in

LIST = f"{DESK}/invitations"
ROWS = "email\tfamily name\tgiven name\tinstitution\nkeo@senate.example\tKeo\tChan\tThe Senate\n\tHeng\tRith\t"


@pytest.fixture
def desk(client: TestClient, site: Site) -> TestClient:
    sign_in(client, site, Role.ORGANISER)
    return client


def invite(site: Site, number: int = 1, **changes: str) -> str:
    """An invitation made by the deed; its code."""
    named = {"email": f"guest{number}@senate.example", "family_name": f"Guest{number}", "language": "en"}
    sent = parse(Guest, {"category": "THK", **named, **changes})
    return site.pen.write_now(
        SLUG, lambda db: inviting.invite(db, Actor.operator(), the_forum(db), sent, SECRET, now=NOW)
    )


def one_made(desk: TestClient, **fields: str) -> Any:
    sent = {"category": "THK", "language": "en", "family_name": "Keo", "email": "keo@senate.example", **fields}
    return send(desk, f"{LIST}/new", f"{LIST}/new", **sent)


def test_an_invitation_is_made_and_its_page_says_what_was_sent(desk: TestClient) -> None:
    made = one_made(desk, reserves="yes", reply_by="2026-12-20", reference="NV 17")
    assert made.status_code == 303
    page = desk.get(made.headers["location"]).text
    for words in ("The invitation is made.", "NV 17", "20 Dec 2026, 23:59", "Invited in the group", "Invitation"):
        assert words in page
    assert "KEO" in desk.get(LIST).text


def test_a_fault_keeps_what_was_typed(desk: TestClient) -> None:
    again = one_made(desk, family_name="", institution="The Senate", reply_by="2026-01-01")
    assert again.status_code == 422
    assert 'value="The Senate"' in again.text
    past = one_made(desk, reply_by="2026-01-01")
    assert past.status_code == 422
    assert 'href="#reply_by"' in past.text


def test_a_code_is_made_with_its_addresses(desk: TestClient) -> None:
    made = send(desk, f"{LIST}/new?kind=code", f"{LIST}/new", kind="code", category="THK", uses="5", code="senate 7f3k")
    assert made.headers["location"] == f"{LIST}/SENATE-7F3K?done=created"
    page = desk.get(made.headers["location"]).text
    assert f"/km/{SLUG}/register?code=SENATE-7F3K" in page
    assert "0 of 5 used" in page
    few = send(desk, f"{LIST}/new?kind=code", f"{LIST}/new", kind="code", category="THK", uses="many", code="A-1")
    assert few.status_code == 422
    assert "at least 6 letters" in few.text


def test_a_pasted_list_is_looked_at_first_and_then_sent_whole(desk: TestClient) -> None:
    fields = {"people": ROWS, "category": "THK", "language": "km"}
    seen = send(desk, f"{LIST}/several", f"{LIST}/several", **fields)
    assert seen.status_code == 200
    assert "2 people were understood" in seen.text
    assert "KEO Chan" in seen.text
    assert "Nobody has been invited yet." in desk.get(LIST).text
    sent = desk.post(f"{LIST}/several", data={"form": seal_on(seen), **fields, "accept": "yes"})
    assert sent.headers["location"] == f"{LIST}?made=2"
    page = desk.get(sent.headers["location"]).text
    assert "2 people were invited." in page
    assert "HENG Rith" in page


def test_faults_of_a_list_are_told_by_line_and_nothing_is_sent(desk: TestClient, site: Site) -> None:
    invite(site, email="there@senate.example")
    people = "nonsense,,Keo\nthere@senate.example,,Sok\na@b.example,,Lim\nA@b.example,,Lim\nc@d.example,Dr."
    fields = {"people": people, "category": "THK", "language": "en", "accept": "yes"}
    seen = send(desk, f"{LIST}/several", f"{LIST}/several", **fields)
    assert seen.status_code == 422
    told = re.findall(r"<li>(Line \d\..*?)</li>", seen.text)
    assert [line.split(".")[0] for line in told] == ["Line 1", "Line 2", "Line 3", "Line 4", "Line 5"]
    for number, words in ((1, "E-mail"), (2, "is waiting for an answer"), (3, "more than once"), (5, "family name")):
        assert words in told[number - 1]
    assert len(re.findall(r'<th scope="row"', desk.get(LIST).text)) == 1
    assert people.splitlines()[0] in seen.text, "what was pasted is kept"


def test_seats_that_cannot_be_kept_are_refused_with_the_number_free(desk: TestClient) -> None:
    made = send(desk, f"{LIST}/new?kind=code", f"{LIST}/new", kind="code", category="THK", uses="400", reserves="yes")
    assert made.status_code == 422
    assert re.search(r"the group “Thinkers and policy-makers”: \d+ are free", made.text)


@pytest.mark.parametrize(
    ("act", "fields", "words"),
    [
        ("mail", {}, "is sent again"),
        ("renewal", {}, "The old link has ended"),
        ("date", {"reply_by": "2027-01-20"}, "Reply date set: 2027-01-20"),
        ("withdrawal", {}, "The invitation is withdrawn."),
    ],
)
def test_what_is_done_about_an_invitation_is_said(
    desk: TestClient, site: Site, act: str, fields: dict[str, str], words: str
) -> None:
    page = f"{LIST}/{invite(site)}"
    done = send(desk, page, f"{page}/{act}", **fields)
    assert done.status_code == 303
    assert words in desk.get(done.headers["location"]).text


def test_the_link_is_shown_once_and_opens_the_invitation(desk: TestClient, site: Site) -> None:
    page = f"{LIST}/{invite(site, email='')}"
    assert "/en/invitations/" not in desk.get(page).text
    shown = send(desk, page, f"{page}/link")
    link = re.search(r'value="[^"]*(/en/invitations/[a-z0-9]+)"', shown.text)
    assert link
    assert desk.get(link[1]).status_code == 200
    again = desk.get(page).text
    assert link[1] not in again
    assert "The link was shown at the desk" in again


@pytest.mark.parametrize("address", [LIST, f"{LIST}?reply=open&q=Guest"])
def test_the_list_takes_as_many_queries_with_three_as_with_one(
    desk: TestClient, site: Site, queries: Callable[[], Any], address: str
) -> None:
    invite(site, 1)
    with queries() as counted:
        desk.get(address)
    one = len(counted)
    invite(site, 2)
    invite(site, 3)
    with queries() as counted:
        assert "GUEST3" in desk.get(address).text
    assert len(counted) == one <= 6


@pytest.mark.parametrize(("asked", "shown"), [("?q=guest2", 1), ("?reply=declined", 0), ("?q=senate.example", 3)])
def test_the_list_is_searched_and_filtered(desk: TestClient, site: Site, asked: str, shown: int) -> None:
    for number in (1, 2, 3):
        invite(site, number)
    assert len(re.findall(r'<th scope="row"', desk.get(LIST + asked).text)) == shown


def test_the_desk_registers_somebody_in_a_group_by_invitation(desk: TestClient) -> None:
    new = f"{DESK}/registrations/new"
    fields = {"category": "THK", "language": "en", "email": "keo@senate.example", "family_name": "Keo"}
    refused = send(desk, new, new, **fields)
    assert refused.status_code == 422
    assert 'value="Keo"' in refused.text
    done = send(desk, new, new, **fields, consent="yes", note="By telephone")
    assert done.status_code == 303
    page = desk.get(done.headers["location"]).text
    assert "Confirmed" in page
    assert "By telephone" in page
    again = send(desk, new, new, **fields, consent="yes")
    assert again.status_code == 422
    assert "is registered already" in again.text


def test_the_invitation_of_an_erased_person_says_so_and_leads_to_what_is_left(desk: TestClient, site: Site) -> None:
    code = invite(site)

    def deed(db: Db) -> str:
        forum, rows = the_forum(db), table(Invitation)
        mine = db.execute(select(rows.c.id).where(rows.c.code == code)).scalar_one()
        sent = request(BOPHA, category="THK", email="guest1@senate.example")
        asked = replying.accept(db, forum, mine, sent, "answer", SECRET, now=NOW)
        erase(db, Actor.operator(), forum, asked.code, now=NOW)
        return asked.code

    registration = site.pen.write_now(SLUG, deed)
    shown = desk.get(LIST).text
    assert re.search(rf'href="{LIST}/{code}">\(erased\)</a>', shown)
    page = desk.get(f"{LIST}/{code}").text
    assert "<h1>(erased)</h1>" in page
    assert re.search(r"<dt>E-mail[^<]*</dt><dd>\(erased\)</dd>", page)
    assert re.search(rf'href="{DESK}/registrations/{registration}">\(erased\)</a>', page)
    assert "Erased at the person’s own wish" in page


def test_an_accepted_invitation_is_withdrawn_at_the_desk_once_its_registration_has_ended(
    desk: TestClient, site: Site
) -> None:
    code = invite(site)

    def deed(db: Db, forum: Forum) -> Any:
        row = inviting.invitation_of(db, forum, code)
        sent = request(VANNA, category="THK", email=row.email)
        asked = replying.accept(db, forum, row.id, sent, "answer", SECRET, now=NOW)
        return application_of(db, forum, asked.code)

    row = site.pen.write_now(SLUG, lambda db: deed(db, the_forum(db)))
    assert "withdrawal" not in desk.get(f"{LIST}/{code}").text
    site.pen.write_now(SLUG, lambda db: cancel(db, holder(row), the_forum(db), row.code, now=NOW))
    assert "withdrawal" in desk.get(f"{LIST}/{code}").text
    done = send(desk, f"{LIST}/{code}", f"{LIST}/{code}/withdrawal")
    assert "The invitation is withdrawn." in desk.get(done.headers["location"]).text
