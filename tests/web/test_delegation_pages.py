"""What a focal point's pages show and take."""

from html import unescape
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.editions.form import ForumFile
from app.kit.db import Db
from app.kit.errors import Refused
from app.kit.i18n import text_of
from app.kit.inputs import parse
from app.registration import merging, nominating
from app.registration.applying import application_of, manage_token
from app.registration.arranging import put_terms
from app.registration.inputs import Person
from app.web.site import Site
from tests.cast import BOPHA, NOW, SECRET, SLUG, make_application, small_terms, the_forum
from tests.doors import Page
from tests.embassies import delegate, make_delegation, name_some, page_of
from tests.web.visits import DESK, sign_in

OPERATOR = Actor.operator()


class Mission:
    """An embassy with seats in a moderated group of a small hall, and its focal point's browser."""

    def __init__(self, client: TestClient, site: Site, file: ForumFile) -> None:
        self.client, self.site = client, site
        terms, categories = small_terms(file, 12, DIP=(0, None, "moderated"), STU=(0, None, "open"))

        def prepare(db: Db) -> Any:
            put_terms(db, OPERATOR, the_forum(db), terms, categories, now=NOW)
            return make_delegation(db, "DIP", 4)

        self.row = self.write(prepare)
        self.base = f"/en/delegations/{page_of(self.row)}"

    def write(self, deed: Any) -> Any:
        return self.site.pen.write_now(SLUG, deed)

    def person(self, code: str) -> Any:
        return self.site.database.read(lambda db: application_of(db, the_forum(db), code))

    def own_page(self, code: str) -> str:
        row = self.person(code)
        return f"/en/my/{manage_token(SECRET, row.id, row.manage_generation)}"


@pytest.fixture
def mission(client: TestClient, site: Site, forum_file: ForumFile) -> Mission:
    return Mission(client, site, forum_file)


def test_the_own_page_of_somebody_without_an_address_is_the_focal_points(mission: Mission) -> None:
    own, theirs = mission.write(lambda db: name_some(db, mission.row, delegate(1), delegate(2, email="")))
    page = mission.client.get(mission.base).text
    assert mission.own_page(theirs) in page
    assert mission.own_page(own) not in page


def test_the_own_page_of_a_registration_made_by_an_assistant_is_not_the_focal_points_after_two_are_joined(
    mission: Mission,
) -> None:
    def prepare(db: Db) -> tuple[str, str]:
        minister = {"email": "assistant@ministry.example", "assistant_name": "Srey Mom", "for_whom": "other"}
        kept = make_application(db, BOPHA, category="DIP", by=OPERATOR, meals="no fish", **minister)
        (named,) = name_some(db, mission.row, delegate(1, email=""))
        dropped = application_of(db, the_forum(db), named)
        merging.merge(db, OPERATOR, the_forum(db), kept.code, named, (kept.edition, dropped.edition), now=NOW)
        return kept.code, named

    kept, _ = mission.write(prepare)
    assert (mission.person(kept).state, mission.person(kept).delegation_id) == ("seated", mission.row.id)
    page = mission.client.get(mission.base).text
    assert f"/people/{kept}" in page, "the seat is the delegation's still"
    assert mission.own_page(kept) not in page
    one = mission.client.get(f"{mission.base}/people/{kept}").text
    assert "assistant@ministry.example" not in one
    assert '/details"' not in one
    sent, by = parse(Person, {"family_name": "Other"}), Actor.focal_point(mission.row.id)
    with pytest.raises(Refused, match="corrects_alone"):
        mission.write(
            lambda db: nominating.correct_member(
                db, by, the_forum(db), mission.row.code, kept, sent, mission.person(kept).edition, now=NOW
            )
        )


@pytest.mark.parametrize(
    "done", ["nothing", "<b>", "ended", "substituted", "withdrawn", "head", "named", "list", "handed_back"]
)
def test_an_address_made_up_says_nothing_was_done_that_was_not(mission: Mission, done: str) -> None:
    page = mission.client.get(mission.base, params={"done": done, "people": "99"})
    assert page.status_code == 200
    assert 'role="status"' not in page.text


@pytest.mark.parametrize("done", ["nothing", "<b>", "link_shown", "withdrawn", "renewed"])
def test_an_address_of_the_desk_made_up_says_nothing_was_done_that_was_not(mission: Mission, done: str) -> None:
    sign_in(mission.client, mission.site, Role.REGISTRAR)
    for page in (f"{DESK}/delegations/{mission.row.code}", f"{DESK}/delegations"):
        assert 'role="status"' not in mission.client.get(page, params={"done": done}).text
    assert 'role="status"' not in mission.client.get(f"{DESK}/delegations", params={"done": "shared"}).text


def test_what_was_done_is_said(mission: Mission) -> None:
    def said(done: str) -> bool:
        return text_of("en", f"delegations.my.done.{done}") in unescape(
            mission.client.get(f"{mission.base}?done={done}").text
        )

    by, forum_of = Actor.focal_point(mission.row.id), the_forum
    code = mission.row.code
    one, two = mission.write(lambda db: name_some(db, mission.row, delegate(1, heads="yes"), delegate(2)))
    assert said("named")
    assert said("head")
    mission.write(lambda db: nominating.substitute(db, by, forum_of(db), code, one, delegate(3), "k", SECRET, now=NOW))
    assert said("substituted")
    mission.write(lambda db: nominating.withdraw_member(db, by, forum_of(db), code, two, now=NOW))
    assert said("withdrawn")
    mission.write(lambda db: nominating.hand_back(db, by, forum_of(db), code, 1, now=NOW))
    assert said("handed_back")
    assert said("calendar")


def test_the_details_of_somebody_with_an_address_are_shown_to_be_read_only(mission: Mission) -> None:
    told = {"titles": "H.E., Dr.", "name_km": "អង្គ អាន", "institution": "The mission", "phone": "+855 12 345 678"}
    open_one, private = mission.write(
        lambda db: name_some(
            db, mission.row, delegate(1, **told), delegate(2, attends_as="private", institution="Hidden institute")
        )
    )
    page = Page(mission.client.get(f"{mission.base}/people/{open_one}").text)
    shown = page.one("dl").text
    for said in ("H.E., Dr.", "Envoy1", "An", "អង្គ អាន", "Attaché", "The mission", "+855 12 345 678"):
        assert said in shown
    assert text_of("en", "delegations.state.seated") in page.text
    assert text_of("en", "delegations.person.corrects_alone") in page.text
    assert not page.all("input", name="family_name")
    other = Page(mission.client.get(f"{mission.base}/people/{private}").text).text
    assert text_of("en", "registration.form.private") in other
    assert "Hidden institute" not in other
