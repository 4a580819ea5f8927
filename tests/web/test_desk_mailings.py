"""Mailings at the desk: the form with what it reaches, faults, both versions, and every button."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.accounts.rules import Role
from app.correspondence import mailing
from app.correspondence.mailing_queries import mailing_of
from app.editions.form import ForumFile
from app.kit import clock
from app.kit.i18n import text_of
from tests.cast import NOW, SECRET, SLUG, the_forum
from tests.doors import A_MAILING, Doors, Page, open_doors

MAILINGS = f"/desk/{SLUG}/mailings"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("mailings"), forum_file) as found:
        found.enrol("owner", Role.OWNER)
        found.register("STU", family_name="Khmer", language="km")
        found.register("INT", family_name="English", language="en")
        yield found


def send(doors: Doors, number: Any, **fields: Any) -> Any:
    sent = {"form": doors.seal(f"{MAILINGS}/new", "owner"), **fields}
    return doors.post(f"{MAILINGS}/{number}", "owner", sent)


def row(doors: Doors, number: int) -> Any:
    return doors.site.database.read(lambda db: mailing_of(db, the_forum(db), number))


def test_a_draft_says_how_many_it_reaches_and_how_it_reads_in_each_language(doors: Doors) -> None:
    before = doors.rows()
    looked = Page(send(doors, "new", act="preview", **A_MAILING, categories=["STU"]).text)
    assert looked.one("h2", id="reach").text == text_of("en", "mailings.reach", n=1)
    assert doors.rows() == before
    number = int(send(doors, "new", act="save", **A_MAILING).headers["location"].split("/")[-1].split("?")[0])
    page = doors.page(f"{MAILINGS}/{number}", "owner")
    assert page.one("h2", id="reach").text == text_of("en", "mailings.reach", n=2)
    english, khmer = page.all("article", class_="mail")
    assert "English" in english.text
    assert "Khmer" in khmer.text
    assert "someone" in page.one("section", **{"data-reach": ""}).text
    assert "/my/" not in page.one("section", **{"data-reach": ""}).text


def test_a_fault_is_told_beside_its_field_with_what_was_typed(doors: Doors) -> None:
    before = doors.rows()
    faulty = {"text_km": "{link}", "name": "", "asked_from": "yesterday", "country": "Cambodia"}
    answer = send(doors, "new", act="save", **{**A_MAILING, **faulty})
    page = Page(answer.text)
    assert answer.status_code == 422
    assert "asked_from-fault" in page.ids
    later = Page(send(doors, "new", act="save", **{**A_MAILING, **faulty, "asked_from": ""}).text)
    assert {"name-fault", "country-fault"} <= set(later.ids)
    last = Page(send(doors, "new", act="save", **{**A_MAILING, "text_km": "{link}"}).text)
    assert "text_km-fault" in last.ids
    assert last.all("textarea", name="text_km")[0].text == "{link}"
    assert doors.rows() == before


def test_the_second_of_two_sees_both_versions(doors: Doors) -> None:
    number = doors.mailing()
    assert send(doors, number, act="save", edition="1", **{**A_MAILING, "name": "First"}).status_code == 303
    late = send(doors, number, act="save", edition="1", **{**A_MAILING, "name": "Second"})
    page = Page(late.text)
    assert late.status_code == 409
    assert page.all("input", id="name")[0].attributes["value"] == "Second"
    assert "First" in page.one("section", id="theirs").text
    edition = page.all("input", name="edition")[0].attributes["value"]
    assert send(doors, number, act="save", edition=edition, **{**A_MAILING, "name": "Second"}).status_code == 303


def test_a_mailing_goes_its_way_by_its_buttons(doors: Doors) -> None:
    number = doors.mailing(essential=True)
    assert send(doors, number, act="schedule", edition="1", send_at="").status_code == 422
    assert send(doors, number, act="schedule", edition="1", send_at="2020-01-01T10:00").status_code == 422
    answer = send(doors, number, act="schedule", edition="1", send_at="2027-01-05T09:00")
    assert answer.headers["location"].endswith("?done=scheduled")
    assert row(doors, number).send_at.isoformat() == "2027-01-05T02:00:00+00:00", "nine o'clock in Phnom Penh"
    page = doors.page(f"{MAILINGS}/{number}", "owner")
    assert page.all("textarea") == []
    assert send(doors, number, act="take_back", edition="2").headers["location"].endswith("?done=taken_back")
    assert send(doors, number, act="send", edition="3").headers["location"].endswith("?done=scheduled")
    with clock.reading(lambda: NOW + timedelta(minutes=1)):
        doors.write(SLUG, lambda db: mailing.step(db, the_forum(db), number, SECRET, now=NOW))
    page = doors.page(f"{MAILINGS}/{number}", "owner")
    assert text_of("en", "mailings.state.sent") in page.text
    assert send(doors, number, act="stop").headers["location"].endswith("?done=stopped")
    assert send(doors, number, act="stop").status_code == 409
    assert text_of("en", "mailings.state.stopped") in doors.page(MAILINGS, "owner").text


def test_a_draft_is_tried_and_removed(doors: Doors) -> None:
    number = doors.mailing()
    before = doors.rows()["mail_message"]
    assert send(doors, number, act="try").headers["location"].endswith("?done=tried")
    assert doors.rows()["mail_message"] == before + 2
    assert send(doors, number, act="remove", edition="1").headers["location"] == f"{MAILINGS}?done=removed"
    assert doors.get(f"{MAILINGS}/{number}", "owner").status_code == 404
    for act in ("try", "send", "stop", "anything"):
        assert send(doors, "new", act=act).status_code == 422
    assert send(doors, number, act="try").status_code == 404


def test_a_mailing_begins_with_whom_the_list_has_chosen(doors: Doors) -> None:
    standing = doors.register("INT", family_name="Chosen", language="en")
    listed = f"/desk/{SLUG}/registrations"

    def reached(question: str) -> tuple[str, Page]:
        page = doors.page(f"{MAILINGS}/new?{question}", "owner")
        return page.one("h2", id="reach").text, page

    def of(n: int) -> str:
        return text_of("en", "mailings.reach", n=n)

    written, page = reached(f"code={standing.code}&act=approve")
    assert written == of(1), "one was ticked"
    assert "Chosen" in page.one("section", **{"data-reach": ""}).text
    ticked = {"chosen": page.one("input", id="chosen").attributes["value"]}
    assert reached("whole=1&state=unconfirmed&category=STU&act=approve")[0] == of(1), "a mailing asks the same"
    assert reached("whole=1&q=chosen&act=approve")[0] == of(1), "a mailing asks for no words: one by one"
    total = doors.page(f"{listed}?state=unconfirmed", "owner").one("label", **{"for": "whole"}).text
    assert total == text_of("en", "many.whole", n=3)
    assert reached("whole=1&state=unconfirmed&act=approve")[0] == of(3)
    assert text_of("en", "mailings.nobody_chosen") in reached("act=approve")[1].text
    assert doors.get(f"{MAILINGS}/new?whole=1&state=nothing", "owner").status_code == 404
    draft = {name: value for name, value in A_MAILING.items() if name != "audience"}
    saved = send(doors, "new", act="save", **draft, audience="people", **ticked).headers["location"]
    again = doors.page(saved, "owner")
    assert again.one("h2", id="reach").text == of(1)
    assert again.one("input", id="chosen").attributes["value"] == standing.code
    wider = send(doors, "new", act="preview", **A_MAILING)
    assert Page(wider.text).one("h2", id="reach").text == of(3), "the tick was taken away"
    assert send(doors, "new", act="save", **A_MAILING, chosen="../x").status_code == 422


def test_a_mailing_asks_for_a_tag_and_an_institution_as_the_list_does(doors: Doors) -> None:
    one = doors.register("INT", institution="The Institute of Rivers", language="en")
    marks = {"name": "Front row", "letter": "F", "tone": "red"}
    doors.post(
        f"/desk/{SLUG}/tags", "owner", {"form": doors.seal(f"/desk/{SLUG}/tags", "owner"), "act": "put", **marks}
    )
    listed = doors.page(f"{MAILINGS}/new?lang=en", "owner")
    tag = next(each for each in listed.all("option") if each.text == "Front row").attributes["value"]
    page = f"/desk/{SLUG}/registrations/{one.code}"
    doors.post(f"{page}/notes", "owner", {"form": doors.seal(page, "owner"), "act": "tags", "tag": tag})
    begun = doors.page(f"{MAILINGS}/new?whole=1&tag={tag}&institution=rivers&act=approve", "owner")
    assert begun.one("h2", id="reach").text == text_of("en", "mailings.reach", n=1)
    assert begun.all("input", id="chosen") == [], "asked again when it is sent, and nobody one by one"
    assert begun.one("input", id="institution").attributes["value"] == "rivers"
    number = doors.mailing(tag=tag, institution="rivers")
    assert "Institution: rivers · Tag: Front row" in doors.page(f"{MAILINGS}?lang=en", "owner").text
    sent = {"form": doors.seal(f"/desk/{SLUG}/tags", "owner"), "act": "remove", "tag": tag}
    doors.post(f"/desk/{SLUG}/tags", "owner", sent)
    after = doors.page(f"{MAILINGS}/{number}?lang=en", "owner")
    assert after.one("h2", id="reach").text == text_of("en", "mailings.reach", n=0)
    kept = [each.attributes["value"] for each in after.all("option") if "selected" in each.attributes]
    assert tag in kept, "saved once more it does not mean everybody"


def test_a_fault_leaves_the_number_of_those_who_are_asked_for(doors: Doors) -> None:
    sent = {**A_MAILING, "text_en": "{nobody}", "standings": ["declined"]}
    assert Page(send(doors, "new", act="save", **sent).text).one("h2", id="reach").text.startswith("0 ")
    unread = Page(send(doors, "new", act="save", **{**sent, "country": "nowhere"}).text)
    assert unread.all("h2", id="reach") == [], "nobody knows whom that means"


def test_whom_a_mailing_is_for_is_said_in_words(doors: Doors) -> None:
    asked_from = NOW - timedelta(days=1)
    doors.mailing(name="Worded", categories=["STU"], country="FR", asked_from=asked_from)
    page = doors.page(MAILINGS, "owner").text
    for words in ("Students and scholars", "France", text_of("en", "mailings.asked_from")):
        assert words in page
