"""The desk's list of registrations."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from app.accounts.rules import PERMISSIONS, Permission, Role
from app.kit.db import Db
from app.kit.i18n import Lang, moment, text_of
from app.registration.desk_queries import STANDINGS, Wanted
from app.web import desk_registrations
from app.web.desk_registrations import TONES, link
from app.web.site import Site
from tests.cast import BOPHA, CAST, DARA, NOW, RITH, SLUG, VANNA, make_application
from tests.doors import Page
from tests.web.visits import DESK, sign_in

LIST = f"{DESK}/registrations"


def everybody(db: Db) -> None:
    for number, figure in enumerate(CAST):
        make_application(db, figure, now=NOW + timedelta(minutes=number))


def names(page: Any) -> list[str]:
    """The names the list shows, in its order."""
    return re.findall(rf'<a href="{LIST}/[A-Z0-9]+(?:\?[^"]*)?">([^<]+)</a>', page.text)


@pytest.fixture
def desk(client: TestClient, site: Site) -> TestClient:
    """The registrar at the desk, with the whole cast registered."""
    site.pen.write_now(SLUG, everybody)
    sign_in(client, site, Role.REGISTRAR)
    return client


def test_family_names_stand_in_capitals_and_nothing_else_is_changed(desk: TestClient) -> None:
    assert names(desk.get(LIST)) == ["HENG Rith", "KEO Chan", "SOK Vanna", "CHEA Bopha", "LIM Dara", "MEAS Sokha"]


@pytest.mark.parametrize("lang", ["en", "km"])
@pytest.mark.parametrize("state", ["", *STANDINGS])
def test_every_standing_has_its_page_in_both_languages(desk: TestClient, state: str, lang: str) -> None:
    page = desk.get(LIST, params={"state": state, "lang": lang})
    assert page.status_code == 200
    assert f'lang="{lang}"' in page.text


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("?state=awaiting", ["LIM Dara", "CHEA Bopha"]),
        ("?state=awaiting&order=newest", ["CHEA Bopha", "LIM Dara"]),
        ("?state=awaiting&order=oldest", ["LIM Dara", "CHEA Bopha"]),
        ("?category=STU", ["SOK Vanna"]),
        (f"?q={quote('វណ្ណា')}", ["SOK Vanna"]),
        ("?q=an+embassy", ["LIM Dara"]),
        ("?q=bopha%40ministry.example", ["CHEA Bopha"]),
        ("?state=awaiting&category=GOV&q=chea", ["CHEA Bopha"]),
        ("?q=%25", []),
        ("?q=%00%0a%E2%80%AE", ["HENG Rith", "KEO Chan", "SOK Vanna", "CHEA Bopha", "LIM Dara", "MEAS Sokha"]),
        ("?unknown=1&category=", ["HENG Rith", "KEO Chan", "SOK Vanna", "CHEA Bopha", "LIM Dara", "MEAS Sokha"]),
    ],
)
def test_the_address_says_what_is_shown(desk: TestClient, asked: str, shown: list[str]) -> None:
    assert names(desk.get(LIST + asked)) == shown


def test_what_was_asked_stays_in_the_form(desk: TestClient) -> None:
    page = desk.get(f'{LIST}?state=awaiting&category=GOV&order=oldest&q=%22%3Ex"').text
    assert 'value="&#34;&gt;x&#34;"' in page
    assert '<option value="GOV" selected>' in page
    assert '<option value="oldest" selected>' in page
    assert '<input type="hidden" name="state" value="awaiting">' in page
    assert "No registration fits this question." in page


@pytest.mark.parametrize("asked", ["?state=asleep", "?order=random", "?category=ក", "?category=ZZ", "?after=ក"])
def test_a_question_that_cannot_be_asked_is_not_found(desk: TestClient, asked: str) -> None:
    assert desk.get(LIST + asked).status_code == 404


def test_the_list_leads_to_a_page_that_knows_the_question(desk: TestClient) -> None:
    page = desk.get(f"{LIST}?state=awaiting&category=DIP&q=lim&order=newest&evil=//else.example")
    led = re.search(rf'href="({LIST}/[A-Z0-9]+\?[^"]+)"', page.text)
    assert led
    question = "?state=awaiting&amp;category=DIP&amp;q=lim&amp;order=newest"
    assert led[1].endswith(question)
    assert f'href="{LIST}{question}"' in desk.get(led[1].replace("&amp;", "&")).text


def test_an_order_nobody_asked_for_does_not_go_along_to_another_standing(desk: TestClient) -> None:
    page = desk.get(f"{LIST}?state=awaiting").text
    assert f'href="{LIST}?state=confirmed"' in page
    assert f'href="{LIST}?state=awaiting"' in desk.get(f"{LIST}?state=confirmed").text


def test_one_key_leads_past_the_filters_to_the_list(desk: TestClient) -> None:
    page = desk.get(LIST).text
    assert '<a class="skip" href="#list">' in page
    assert 'class="table" id="list"' in page
    assert "#list" not in desk.get(f"{LIST}?q=%25").text


def test_titles_and_position_stand_below_the_name(desk: TestClient) -> None:
    assert "H.E., Dr. · Minister · A ministry" in desk.get(f"{LIST}?q=chea").text


def test_a_mark_of_nobody_shows_an_empty_page(desk: TestClient) -> None:
    assert names(desk.get(f"{LIST}?after=ABCDEFG")) == []


def test_the_filters_count_what_they_lead_to(desk: TestClient) -> None:
    page = desk.get(LIST)
    led = re.findall(rf'<a href="({LIST}[^"]*)"[^>]*>[^<]+<b class="numbers">(\d+)</b>', page.text)
    assert len(led) == 1 + len(STANDINGS)
    for address, count in led:
        assert len(names(desk.get(address))) == int(count), address


def test_in_a_private_capacity_the_list_leaves_the_institution_out(client: TestClient, site: Site) -> None:
    site.pen.write_now(SLUG, lambda db: make_application(db, DARA, attends_as="private", position_title="Chargé"))
    sign_in(client, site, Role.OWNER)
    page = client.get(LIST).text
    assert "in a private capacity" in page
    assert "An embassy" not in page
    assert "Chargé" not in page


def test_a_principal_is_named_and_the_assistant_beside(client: TestClient, site: Site) -> None:
    site.pen.write_now(SLUG, lambda db: make_application(db, BOPHA, email=DARA.email, assistant_name="Lim Dara"))
    sign_in(client, site, Role.OWNER)
    page = client.get(LIST)
    assert names(page) == ["CHEA Bopha"]
    assert "registered by Lim Dara" in page.text


def test_a_name_that_is_markup_stays_text(client: TestClient, site: Site) -> None:
    site.pen.write_now(SLUG, lambda db: make_application(db, VANNA, family_name="<script>x</script>"))
    sign_in(client, site, Role.OWNER)
    page = client.get(LIST).text
    assert "<script>" not in page.lower()
    assert "&lt;SCRIPT&gt;" in page


def test_long_lists_turn_and_come_back(client: TestClient, site: Site) -> None:
    def crowd(db: Db) -> None:
        for number in range(53):
            make_application(db, RITH, email=f"person{number}@crowd.example", given_name=f"N{number:02}")

    site.pen.write_now(SLUG, crowd)
    sign_in(client, site, Role.OWNER)
    first = client.get(f"{LIST}?order=oldest&q=heng")
    following = re.search(r'href="([^"]+)" rel="next"', first.text)
    assert following
    second = client.get(following[1].replace("&amp;", "&"))
    assert "Rows 1 to 50 of 53." in first.text
    assert "Rows 51 to 53 of 53." in second.text
    assert names(first) + names(second) == [f"HENG N{number:02}" for number in range(53)]
    assert 'rel="next"' not in second.text
    assert f'href="{LIST}?q=heng&amp;order=oldest" rel="first"' in second.text


def test_a_list_to_print_holds_all_of_what_was_asked_up_to_its_bound(
    client: TestClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crowd(db: Db) -> None:
        for number in range(53):
            make_application(db, RITH, email=f"person{number}@crowd.example", given_name=f"N{number:02}")
        make_application(db, VANNA)

    site.pen.write_now(SLUG, crowd)
    sign_in(client, site, Role.OWNER)
    asked = f"{LIST}?q=heng&order=oldest"
    screen = client.get(asked).text
    assert f'href="{asked}&amp;all=1"'.replace("?q=heng&order", "?q=heng&amp;order") in screen
    assert "All 53 on one page, to print" in screen
    page = client.get(f"{asked}&all=1")
    assert len(names(page)) == 53
    assert "All 53 rows." in page.text
    assert "to print" not in page.text
    monkeypatch.setattr(desk_registrations, "MOST_ROWS", 52)
    assert "The first 52 on one page, to print" in client.get(asked).text
    page = client.get(f"{asked}&all=1")
    assert len(names(page)) == 52
    assert "Rows 1 to 52 of 53." in page.text
    following = re.search(r'href="([^"]+)" rel="next"', page.text)
    assert following
    rest = client.get(following[1].replace("&amp;", "&"))
    assert "all=1" in following[1]
    assert "Rows 53 to 53 of 53." in rest.text


@pytest.mark.parametrize("lang", ["en", "km"])
def test_a_printed_list_says_what_was_asked_and_when(desk: TestClient, lang: Lang) -> None:
    asked = {"state": "confirmed", "category": "STU", "q": "<b>", "lang": lang}
    assert Page(desk.get(LIST, params=asked).text).all("div", class_="printed") == []
    page = Page(desk.get(LIST, params={**asked, "state": "", "q": "sok"}).text)
    head = page.one("div", class_="printed").text
    for words in (
        text_of(lang, "desk.standing.all"),
        text_of(lang, "desk.list.with_words", words="sok"),
        text_of(lang, "desk.list.newest"),
        text_of(lang, "desk.list.read_at", at=moment(NOW, lang, "Asia/Phnom_Penh")),
    ):
        assert words in head
    assert text_of(lang, "desk.list.all_rows", n=1) in page.text


@pytest.mark.parametrize("role", Role)
def test_names_are_for_the_roles_that_need_them(client: TestClient, site: Site, role: Role) -> None:
    sign_in(client, site, role)
    allowed = Permission.SEE_PEOPLE in PERMISSIONS[role]
    assert client.get(LIST).status_code == (200 if allowed else 403)


def test_every_standing_has_a_sign_of_its_own_tone() -> None:
    assert set(TONES) | {"held"} == set(STANDINGS)
    assert all(sign for _, sign in TONES.values())


def test_another_question_begins_at_the_beginning() -> None:
    asked = Wanted("waiting", "STU", "sok vanna", oldest_first=True, after="ABCDEFG")
    assert link("/x", asked, category="") == "/x?state=waiting&q=sok+vanna&order=oldest"
    assert link("/x", Wanted()) == "/x"
