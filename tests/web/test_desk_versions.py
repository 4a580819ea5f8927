"""Publishing at the desk: what would change is seen first, and just that is published."""

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.forum.queries import forum_id
from app.programme import editing
from app.programme.drafting import states_of
from app.programme.inputs import SessionInput
from app.programme.queries import published
from app.web.site import Site
from tests.cast import NOW, SLUG, the_forum
from tests.web.test_desk_programme import queries_of
from tests.web.visits import DESK, seal_on, sign_in

PAGE = f"{DESK}/programme/versions"


@pytest.fixture
def desk(client: TestClient, site: Site) -> TestClient:
    sign_in(client, site, Role.ORGANISER)
    return client


def change(site: Site, code: str, **words: Any) -> None:
    """An edit of the working copy, with a reason for whatever it collides with."""

    def deed(db: Any) -> None:
        forum = the_forum(db)
        state = next(iter(states_of(db, forum_id(forum), code=code).values()))
        draft = SessionInput(**{**state.draft.model_dump(), **words})
        editing.change(
            db,
            Actor.operator(),
            forum,
            code,
            draft,
            edition=state.edition,
            reason=words.pop("why", "So it is"),
            now=NOW,
        )

    site.pen.write_now(SLUG, deed)


def retitle(site: Site, code: str, en: str, km: str) -> None:
    change(site, code, title={"en": en, "km": km})


def public(site: Site) -> Any:
    return site.database.read(lambda db: published(db, forum_id(the_forum(db))))


def fields(desk: TestClient, **typed: str) -> dict[str, str]:
    page = desk.get(PAGE)
    (mark,) = re.findall('name="mark" value="([^"]+)"', page.text)
    return {"form": seal_on(page), "mark": mark, **typed}


def test_while_nothing_differs_there_is_nothing_to_publish(desk: TestClient) -> None:
    page = desk.get(PAGE)
    assert "Nothing differs from what is public" in page.text
    assert 'name="mark"' not in page.text


@pytest.mark.parametrize(("lang", "words"), [("en", "From one title"), ("km", "ចំណងជើងថ្មី")])
def test_the_difference_is_seen_in_words_before_it_is_published(
    desk: TestClient, site: Site, lang: str, words: str
) -> None:
    retitle(site, "D1-04", "From one title to another", "ចំណងជើងថ្មី")
    assert words in desk.get(f"{PAGE}?lang={lang}").text
    assert words not in desk.get(f"/{lang}/{SLUG}/programme").text


def test_what_was_looked_at_becomes_the_next_version_with_its_note(desk: TestClient, site: Site) -> None:
    retitle(site, "D1-04", "Another title", "ចំណងជើងថ្មី")
    before = public(site).number
    answer = desk.post(PAGE, data=fields(desk, note_en="A better title", note_km="ចំណងជើងល្អជាង"))
    assert answer.headers["location"] == f"{PAGE}?done={before + 1}"
    now = public(site)
    assert (now.number, now.session("D1-04").title.en, now.note.km) == (before + 1, "Another title", "ចំណងជើងល្អជាង")
    assert f"Version {before + 1} is public" in desk.get(answer.headers["location"]).text
    changes = desk.get(f"/en/{SLUG}/programme/changes").text
    assert "A better title" in changes
    assert "Another title" in changes


def test_whatever_was_edited_meanwhile_is_looked_at_first_and_what_was_typed_stays(
    desk: TestClient, site: Site
) -> None:
    retitle(site, "D1-04", "Another title", "ចំណងជើងថ្មី")
    sent = fields(desk, note_en="Kept words", note_km="ពាក្យ")
    retitle(site, "D1-08", "Edited meanwhile", "កែក្នុងពេលនោះ")
    before = public(site).number
    answer = desk.post(PAGE, data=sent)
    assert answer.status_code == 409
    assert public(site).number == before
    assert "Edited meanwhile" in answer.text
    assert "Kept words" in answer.text
    assert sent["mark"] not in answer.text, "the next try is about what is seen now"


def test_a_note_in_one_language_alone_is_refused_beside_its_field(desk: TestClient, site: Site) -> None:
    retitle(site, "D1-04", "Another title", "ចំណងជើងថ្មី")
    before = public(site).number
    answer = desk.post(PAGE, data=fields(desk, note_en="Half a note"))
    assert answer.status_code == 422
    assert 'id="note_km-fault"' in answer.text
    assert "Half a note" in answer.text
    assert public(site).number == before


def test_a_conflict_without_a_reason_is_refused_and_goes_through_with_one(desk: TestClient, site: Site) -> None:
    taken = public(site).session("D1-04")
    change(site, "D2-12", starts_at=taken.starts_at, ends_at=taken.ends_at, room=taken.room)
    forget = "DELETE FROM programme_override"
    site.pen.write_now(SLUG, lambda db: db.connection().exec_driver_sql(forget))
    before = public(site).number
    refused = desk.post(PAGE, data=fields(desk))
    assert refused.status_code == 422
    assert public(site).number == before
    assert desk.post(PAGE, data=fields(desk, reason="On purpose")).status_code == 303
    assert public(site).number == before + 1


def test_an_editor_who_may_not_publish_sees_the_difference_and_no_form(client: TestClient, site: Site) -> None:
    sign_in(client, site, Role.PROGRAMME_EDITOR)
    retitle(site, "D1-04", "Another title", "ចំណងជើងថ្មី")
    page = client.get(PAGE)
    assert "Another title" in page.text
    assert 'name="mark"' not in page.text
    assert client.post(PAGE, data={"form": seal_on(client.get(DESK)), "mark": "x"}).status_code == 403


def test_it_takes_as_many_queries_whatever_differs(desk: TestClient, site: Site) -> None:
    retitle(site, "D1-04", "One", "មួយ")
    one = queries_of(site, lambda: desk.get(PAGE))
    for code in ("D1-08", "D1-11"):
        retitle(site, code, f"Another {code}", "ចំណងជើងថ្មី")
    assert queries_of(site, lambda: desk.get(PAGE)) == one
