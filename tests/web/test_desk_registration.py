"""One registration at the desk, and what may be decided there."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from app.accounts.actor import Actor
from app.accounts.rules import PERMISSIONS, Permission, Role
from app.audit.recording import first_broken, history
from app.editions.form import ForumFile
from app.kit.codes import digest
from app.kit.db import Db, table
from app.registration.applying import application_of, cancel
from app.registration.arranging import put_terms
from app.registration.desk_inputs import TagInput
from app.registration.holding import keep_back
from app.registration.inputs import HoldBackInput
from app.registration.models import Application
from app.registration.tagging import put_tag
from app.web.deps import Desk
from app.web.desk_registration import DONE, _read
from app.web.site import Site
from tests.cast import BOPHA, DARA, NOW, RITH, SLUG, SOKHA, VANNA, Figure, make_application, small_terms, the_forum
from tests.conftest import Clock
from tests.web.visits import DESK, seal_on, send, sign_in

ACTS = {
    "approval": Permission.DECIDE_REGISTRATIONS,
    "refusal": Permission.DECIDE_REGISTRATIONS,
    "cancellation": Permission.DECIDE_REGISTRATIONS,
    "category": Permission.DECIDE_REGISTRATIONS,
    "confirmation": Permission.DECIDE_REGISTRATIONS,
    "link": Permission.SHOW_LINKS,
}


def register(site: Site, figure: Figure = BOPHA, **changes: Any) -> str:
    """A figure's registration; the address of its page at the desk."""
    row = site.pen.write_now(SLUG, lambda db: make_application(db, figure, **changes))
    return f"{DESK}/registrations/{row.code}"


def now_of(site: Site, page: str) -> Any:
    """The row as it stands."""
    return site.database.read(lambda db: application_of(db, the_forum(db), page.rsplit("/", 1)[1]))


def facts_of(site: Site, page: str) -> list[Any]:
    return site.database.read(lambda db: history(db, SLUG, f"registration:{page.rsplit('/', 1)[1]}"))


def onward(page: str) -> list[tuple[str, str]]:
    """Where the focus is led, and in which words."""
    return re.findall(r'href="([^"]+)"[^>]* autofocus>([^<]+)<', page)


@pytest.fixture
def desk(client: TestClient, site: Site) -> TestClient:
    """Sokha at the desk, as an owner."""
    sign_in(client, site, Role.OWNER)
    return client


@pytest.mark.parametrize("lang", ["en", "km"])
def test_everything_about_a_person_is_shown(desk: TestClient, site: Site, lang: str) -> None:
    page = desk.get(f"{register(site, meals='Halal', access='Ramp', phone='012 345 678')}?lang={lang}").text
    for words in ("CHEA Bopha", "ជា បុប្ផា", "H.E., Dr.", "A ministry", "Minister", BOPHA.email, "+855 12 345 678"):
        assert words in page
    assert "Halal" in page
    assert "Ramp" in page
    assert ("Cambodia" if lang == "en" else "កម្ពុជា") in page
    assert ("Place 1 in the hall" if lang == "en" else "កៅអីលេខ ១ ក្នុងសាល") in page


def test_a_private_capacity_is_marked(desk: TestClient, site: Site) -> None:
    page = desk.get(register(site, DARA, attends_as="private")).text
    assert "In a private capacity" in page
    assert "An embassy" in page


def test_an_unknown_code_is_not_found(desk: TestClient) -> None:
    for code in ("ABCDEFG", "abcdefg", "%00", "A" * 200):
        assert desk.get(f"{DESK}/registrations/{code}").status_code == 404


def test_approving_gives_a_seat_and_tells_the_person(desk: TestClient, site: Site) -> None:
    page = register(site)
    answer = send(desk, page, f"{page}/approval", note="Named by the ministry")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{page}?done=approved_seated")
    assert (now_of(site, page).state, now_of(site, page).decision_note) == ("seated", "Named by the ministry")
    shown = desk.get(answer.headers["location"]).text
    assert "Approved: a seat is given" in shown
    assert "Named by the ministry" in shown
    assert "Sokha Meas" in shown.split("History")[1]
    assert f"{page}/approval" not in shown


def test_approving_without_a_free_seat_puts_on_the_waiting_list(
    desk: TestClient, site: Site, forum_file: ForumFile
) -> None:
    def full(db: Db) -> None:
        terms = small_terms(forum_file, 1, STU=(0, None, "open"), MIN=(0, None, "moderated"))
        put_terms(db, Actor.operator(), the_forum(db), *terms, now=NOW)

    site.pen.write_now(SLUG, full)
    register(site, VANNA, by=Actor.operator())
    page = register(site, BOPHA, by=Actor.operator(), category="MIN")
    answer = send(desk, page, f"{page}/approval")
    assert answer.headers["location"].endswith("done=approved_waiting")
    assert "Number 1 in the group’s queue" in desk.get(page).text


def test_a_decision_leads_on_to_the_oldest_left_of_the_same_question(desk: TestClient, site: Site) -> None:
    first, second, third = (register(site, BOPHA, email=f"person{n}@crowd.example") for n in range(3))
    register(site, DARA)
    answer = send(desk, f"{third}?state=awaiting&category=GOV", f"{third}/approval?state=awaiting&category=GOV&q=")
    assert answer.headers["location"] == f"{third}?done=approved_seated&state=awaiting&category=GOV"
    shown = desk.get(answer.headers["location"]).text
    assert onward(shown) == [(f"{first}?state=awaiting&amp;category=GOV", "Next to decide (2 left)")]
    answer = send(desk, first, f"{first}/refusal?state=awaiting&category=GOV")
    shown = desk.get(answer.headers["location"]).text
    assert onward(shown) == [(f"{second}?state=awaiting&amp;category=GOV", "Next to decide (one left)")]
    answer = send(desk, second, f"{second}/approval?state=awaiting&category=GOV")
    shown = desk.get(answer.headers["location"]).text
    assert "Nothing is left to decide here." in shown
    assert onward(shown) == [(f"{DESK}/registrations?state=awaiting&amp;category=GOV", "Back to the list")]


def test_one_left_for_later_comes_after_those_behind_it(desk: TestClient, site: Site) -> None:
    first, second, third = (register(site, BOPHA, email=f"person{n}@crowd.example") for n in range(3))
    assert onward(desk.get(send(desk, second, f"{second}/approval").headers["location"]).text)[0][0] == third
    assert onward(desk.get(send(desk, third, f"{third}/approval").headers["location"]).text)[0][0] == first


def test_only_a_decision_leads_on_and_only_those_who_decide(client: TestClient, site: Site) -> None:
    page = register(site)
    register(site, DARA)
    sign_in(client, site, Role.OWNER)
    assert onward(client.get(f"{page}?done=moved").text) == onward(client.get(page).text) == []
    sign_in(client, site, Role.PROTOCOL_OFFICER, figure=RITH)
    assert onward(client.get(f"{page}?done=declined").text) == []


def test_the_panel_says_in_numbers_that_the_seat_is_held_already(desk: TestClient, site: Site) -> None:
    shown = desk.get(register(site)).text
    assert re.search(r"<p>[^<]+: 1 taken, \d+ guaranteed, \d+ left. The seat is already held", shown)


def test_the_panel_says_in_numbers_what_approving_does(desk: TestClient, site: Site, forum_file: ForumFile) -> None:
    def tight(db: Db) -> None:
        terms = small_terms(forum_file, 1, STU=(0, None, "open"), MIN=(0, None, "moderated"))
        put_terms(db, Actor.operator(), the_forum(db), *terms, now=NOW)

    site.pen.write_now(SLUG, tight)
    page = register(site, BOPHA, by=Actor.operator(), category="MIN")
    assert ": 0 taken, 0 guaranteed, 1 left. Approving gives a seat." in desk.get(page).text
    register(site, VANNA, by=Actor.operator())
    assert ": 0 taken, 0 guaranteed, 0 left. Approving puts the person on the waiting list." in desk.get(page).text


def test_what_opens_says_only_what_is_in_it(desk: TestClient, site: Site) -> None:
    awaiting, seated = register(site), register(site, VANNA)
    assert "<summary>Cancel this registration</summary>" in desk.get(awaiting).text
    assert ("<summary>Cancel or decline</summary>" in desk.get(seated).text) == (
        f"{seated}/refusal" in desk.get(seated).text
    )


def test_declining_frees_what_was_held(desk: TestClient, site: Site) -> None:
    page = register(site)
    assert send(desk, page, f"{page}/refusal", note="Twice").headers["location"] == f"{page}?done=declined"
    assert now_of(site, page).state == "declined"
    assert facts_of(site, page)[-2].kind == "seat.freed"


def test_cancelling_frees_the_seat(desk: TestClient, site: Site) -> None:
    page = register(site, VANNA)
    assert send(desk, page, f"{page}/cancellation").headers["location"] == f"{page}?done=cancelled"
    assert now_of(site, page).state == "cancelled"


def test_moving_takes_the_seat_along(desk: TestClient, site: Site) -> None:
    page = register(site, VANNA)
    answer = send(desk, page, f"{page}/category", category="CSO", note="Works for one")
    assert answer.headers["location"] == f"{page}?done=moved"
    shown = desk.get(page).text
    assert "Moved from Students and scholars to Civil society and NGOs" in shown
    assert "Works for one" in shown
    assert "Place 1 in the hall" in shown


def test_confirming_by_hand_is_noted_with_who_did_it(desk: TestClient, site: Site) -> None:
    page = register(site, VANNA)
    assert send(desk, page, f"{page}/confirmation").headers["location"] == f"{page}?done=confirmed"
    assert now_of(site, page).confirmed_at == NOW
    assert (facts_of(site, page)[-1].kind, facts_of(site, page)[-1].actor_name) == (
        "registration.confirmed",
        SOKHA.name,
    )
    assert f"{page}/confirmation" not in desk.get(page).text


def test_the_personal_link_is_shown_once_and_works(desk: TestClient, site: Site) -> None:
    page = register(site, VANNA)
    before = desk.get(page).text
    answer = send(desk, page, f"{page}/link")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-store"
    found = re.search(r'value="[^"]*(/km/my/([a-z2-7]+))"', answer.text)
    assert found
    assert digest(found[2]) == now_of(site, page).manage_digest
    assert desk.get(found[1]).status_code == 200
    after = desk.get(page).text
    assert "/my/" not in before
    assert found[2] not in after
    assert "own link was shown at the desk" in after


def test_a_second_decision_is_refused_and_the_page_shows_how_it_stands(desk: TestClient, site: Site) -> None:
    page = register(site)
    seal = seal_on(desk.get(page))
    assert desk.post(f"{page}/approval", data={"form": seal}).status_code == 303
    again = desk.post(f"{page}/approval", data={"form": seal})
    assert again.status_code == 409
    assert 'role="alert"' in again.text
    assert "the registration has moved on" in again.text
    assert len([fact for fact in facts_of(site, page) if fact.kind == "registration.seated"]) == 1


def test_what_has_ended_can_only_be_looked_at(desk: TestClient, site: Site) -> None:
    page = register(site, VANNA)
    code = page.rsplit("/", 1)[1]
    seal = seal_on(desk.get(page))
    site.pen.write_now(SLUG, lambda db: cancel(db, Actor.operator(), the_forum(db), code, now=NOW))
    shown = desk.get(page).text
    for act in ACTS.keys() - {"link"}:
        assert f"{page}/{act}" not in shown
    answers = {act: desk.post(f"{page}/{act}", data={"form": seal, "category": "ORG"}) for act in ACTS}
    assert {act: answer.status_code for act, answer in answers.items()} == {
        "approval": 409,
        "refusal": 409,
        "cancellation": 303,
        "category": 422,
        "confirmation": 422,
        "link": 200,
    }
    assert answers["cancellation"].headers["location"].endswith("done=ended_before")


def test_a_refused_decision_takes_back_nothing_that_was_due_before_it(desk: TestClient, site: Site) -> None:
    late, page = register(site, VANNA), register(site, RITH)
    gone = table(Application).c.code == late.rsplit("/", 1)[1]
    values = {"confirm_by": NOW, "confirmed_at": None}
    site.pen.write_now(SLUG, lambda db: db.execute(update(table(Application)).where(gone).values(**values)).rowcount)
    assert send(desk, page, f"{page}/category", category="NONE").status_code == 422
    assert now_of(site, late).state == "expired"


@pytest.mark.parametrize("category", ["", "NONE", "<b>", "STU"])
def test_a_group_that_cannot_be_moved_to_is_refused(desk: TestClient, site: Site, category: str) -> None:
    page = register(site, VANNA)
    answer = send(desk, page, f"{page}/category", category=category)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert now_of(site, page).state == "seated"


def test_a_note_that_is_too_long_is_refused_and_kept(desk: TestClient, site: Site) -> None:
    page, note = register(site), "long " * 801
    answer = send(desk, page, f"{page}/approval", note=note)
    assert answer.status_code == 422
    assert note.strip() in answer.text
    assert now_of(site, page).state == "awaiting"


def test_a_page_left_open_too_long_is_shown_again(desk: TestClient, site: Site, clock: Clock) -> None:
    page = register(site)
    seal = seal_on(desk.get(page))
    clock.move(hours=13)
    answer = desk.post(f"{page}/approval", data={"form": seal, "note": "kept"})
    assert answer.status_code == 410
    assert ">kept</textarea>" in answer.text
    assert now_of(site, page).state == "awaiting"


@pytest.mark.parametrize("done", sorted(DONE))
@pytest.mark.parametrize("lang", ["en", "km"])
def test_what_was_done_is_said_only_where_the_registration_stands_so(
    desk: TestClient, site: Site, done: str, lang: str
) -> None:
    page = register(site, BOPHA)
    assert 'role="status"' not in desk.get(f"{page}?done={done}&lang={lang}").text
    if done in ("moved", "confirmed", "known"):
        send(desk, page, f"{page}/{'category' if done == 'moved' else 'confirmation'}", category="CSO")
    elif done == "edited":
        form = desk.get(f"{page}/details").text
        edition = re.search(r'name="edition" value="([^"]+)"', form)
        assert edition
        named = {"family_name": "Corrected", "attends_as": "official", "edition": edition[1]}
        send(desk, page, f"{page}/details", **named)
    elif done == "note":
        send(desk, page, f"{page}/notes", act="note", words="Comes later")
    elif done == "tags":
        tag = TagInput(name="Front", letter="F", tone="red")
        site.pen.write_now(SLUG, lambda db: put_tag(db, Actor.operator(), the_forum(db), tag, now=NOW))
        send(desk, page, f"{page}/notes", act="tags", tag="1")
    elif done == "erased":
        send(desk, page, f"{page}/erasure", sure="yes")
    elif done.startswith("priority"):
        send(desk, page, f"{page}/priority", priority="1", reason="Speaks in the first panel")
    else:
        state = "seated" if done.startswith("seated") else done.removeprefix("approved_")
        values = {"state": state.replace("ended_before", "cancelled"), "ended_at": NOW}
        change = update(table(Application)).where(table(Application).c.code == page.rsplit("/", 1)[1])
        site.pen.write_now(SLUG, lambda db: db.execute(change.values(**values)))
    assert 'role="status"' in desk.get(f"{page}?done={done}&lang={lang}").text


def test_without_a_mail_server_the_desk_says_that_the_mail_waits(desk: TestClient, site: Site) -> None:
    page = register(site)
    answer = send(desk, page, f"{page}/refusal")
    shown = desk.get(answer.headers["location"]).text
    assert "the mail to the person waits in the outbox" in shown
    assert "told by mail.</p>" not in shown


def test_nothing_else_can_be_put_into_the_page_by_its_address(desk: TestClient, site: Site) -> None:
    shown = desk.get(f"{register(site)}?done=<b>x")
    assert shown.status_code == 200
    assert 'role="status"' not in shown.text


@pytest.mark.parametrize("role", Role)
def test_each_act_is_for_the_roles_that_have_it(client: TestClient, site: Site, role: Role) -> None:
    sign_in(client, site, role)
    sees = Permission.SEE_PEOPLE in PERMISSIONS[role]
    for number, act in enumerate(ACTS):
        page = register(site, email=f"bopha{number}@ministry.example")
        allowed = ACTS[act] in PERMISSIONS[role]
        shown = client.get(page if sees else DESK)
        if sees:
            assert (f"{page}/{act}" in shown.text) == allowed, act
        answer = client.post(f"{page}/{act}", data={"form": seal_on(shown), "category": "ORG"})
        assert answer.status_code == ((200 if act == "link" else 303) if allowed else 403), act
        assert (len(facts_of(site, page)) > 2) == allowed, act


@pytest.mark.parametrize("role", Role)
def test_each_role_sees_what_it_needs_and_no_more(client: TestClient, site: Site, role: Role) -> None:
    page = register(site, meals="Halal")
    sign_in(client, site, role)
    held = PERMISSIONS[role]
    answer = client.get(page)
    assert answer.status_code == (200 if Permission.SEE_PEOPLE in held else 403)
    if answer.status_code == 200:
        assert ("Halal" in answer.text) == (Permission.SEE_SENSITIVE in held)
        assert ("Mails about it" in answer.text) == (Permission.SEE_MAIL in held)
        reads_history = bool({Permission.SEE_FACTS, Permission.DECIDE_REGISTRATIONS} & held)
        assert ("Asked to attend in the group" in answer.text) == reads_history


def test_all_of_it_leaves_the_chain_of_facts_whole(desk: TestClient, site: Site) -> None:
    page = register(site)
    for act in ("confirmation", "link", "approval", "category", "cancellation"):
        send(desk, page, f"{page}/{act}", category="ORG")
    assert site.database.read(lambda db: first_broken(db, SLUG)) is None


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_takes_as_many_queries_for_three_as_for_one(
    desk: TestClient, site: Site, queries: Callable[[], Any], database: Any, rows: int
) -> None:
    page = register(site)
    for number in range(rows):
        kept = HoldBackInput(category="GOV", seats=1, purpose=f"Late guests {number}")
        site.pen.write_now(SLUG, lambda db, kept=kept: keep_back(db, Actor.operator(), the_forum(db), kept, now=NOW))
        category = ("ORG", "CSO", "INT")[number]
        send(desk, page, f"{page}/category", category=category)
        register(site, RITH, email=f"person{number}@crowd.example")
    forum = database.read(the_forum)
    with queries() as counted:
        database.read(lambda db: _read(db, Desk(Actor.operator(), "en", "", forum), page.rsplit("/", 1)[1]))
    assert len(counted) == 17, counted
