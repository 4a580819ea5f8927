"""The site's messages at the desk: own words, both versions side by side, a preview, and the way back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.accounts.rules import Role
from app.editions.form import ForumFile
from tests.cast import SLUG
from tests.doors import ELSEWHERE, Doors, Page, open_doors

MESSAGES = f"/desk/{SLUG}/messages"
SEATED = f"{MESSAGES}/registration.seated"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("messages"), forum_file) as found:
        found.enrol("owner", Role.OWNER)
        found.enrol("registrar", Role.REGISTRAR)
        yield found


def fields(doors: Doors, address: str = SEATED, **changes: str) -> dict[str, str]:
    """The form as it stands, with something changed."""
    page = doors.page(address, "owner")
    kept = {each.attributes["name"]: each.attributes["value"] for each in page.all("input", type="text")}
    kept |= {each.attributes["name"]: "".join(each.texts) for each in page.all("textarea")}
    edition = page.all("input", name="edition")[0].attributes["value"]
    return {**kept, "form": page.hidden["form"], "edition": edition, **changes}


def send(doors: Doors, sent: dict[str, str], address: str = SEATED) -> Any:
    return doors.post(address, "owner", sent)


def test_words_are_saved_shown_in_the_list_brought_back_and_left_again(doors: Doors) -> None:
    opened = fields(doors, act="save", subject_en="A chair for {name}")
    assert send(doors, opened).headers["location"] == f"{SEATED}?done=saved"
    assert "Own words: English" in doors.page(MESSAGES, "owner").text
    late = send(doors, {**opened, "subject_en": "Late words"})
    shown = Page(late.text)
    assert late.status_code == 409
    assert shown.one("input", name="subject_en").attributes["value"] == "Late words", "what was typed is kept"
    assert "A chair for {name}" in shown.one("section", id="theirs").text
    again = {**opened, "subject_en": "Late words", "edition": shown.all("input", name="edition")[0].attributes["value"]}
    assert send(doors, again).headers["location"] == f"{SEATED}?done=saved"
    assert send(doors, fields(doors, act="return", number="1")).status_code == 303
    assert fields(doors)["subject_en"] == "A chair for {name}"
    assert send(doors, fields(doors, act="return", number="99")).status_code == 404
    assert send(doors, fields(doors, act="built_in")).headers["location"] == f"{SEATED}?done=saved"
    assert send(doors, fields(doors, act="save")).headers["location"] == f"{SEATED}?done=same"


def test_a_preview_shows_what_is_typed_as_a_real_person_would_get_it_and_keeps_nothing(doors: Doors) -> None:
    one = doors.register("STU", family_name="{hours} <b>Sok</b>", given_name="Vanna")
    before = doors.rows()
    sent = fields(doors, act="preview", text_en="Dear {name}: {hours} left\nof {code}.", reader=one.code.lower())
    page = Page(send(doors, sent).text)
    english = page.all("article", class_="mail")[0]
    assert "{hours} <b>Sok</b>" in english.text
    assert f"48 left of {one.code}." in english.text
    assert one.secret not in page.html
    assert page.one("input", name="reader").attributes["value"] == one.code
    assert doors.rows() == before


@pytest.mark.parametrize(
    ("field", "typed"),
    [("text_en", "{hours} {token}"), ("text_km", "x"), ("subject_en", "{"), ("reader", "ZZZZZZZ"), ("subject_km", "")],
)
def test_a_fault_stands_beside_its_field_and_nothing_is_shown_as_if_it_were_right(
    doors: Doors, field: str, typed: str
) -> None:
    before = doors.rows()
    for act in ("preview", "save") if field != "reader" else ("preview",):
        answer = send(doors, fields(doors, act=act, **{field: typed}))
        assert answer.status_code == 422
        page = Page(answer.text)
        assert f"{field}-fault" in page.ids
        shown = {each.attributes["name"]: each.attributes["value"] for each in page.all("input", type="text")}
        shown |= {each.attributes["name"]: "".join(each.texts) for each in page.all("textarea")}
        assert shown[field] == typed or field == "reader"
    assert doors.rows() == before


def test_nobody_of_another_forum_is_a_reader_here(doors: Doors) -> None:
    theirs = doors.register("STU", slug=ELSEWHERE)
    answer = doors.get(f"{SEATED}?reader={theirs.code}", "owner")
    assert answer.status_code == 422
    page = Page(answer.text)
    assert "reader-fault" in page.ids
    assert not any(theirs.code in mail.text for mail in page.all("article", class_="mail"))


def test_whoever_may_not_edit_the_forum_looks_and_finds_no_form(doors: Doors) -> None:
    page = doors.page(SEATED, "registrar")
    assert page.all("textarea") == []
    assert page.all("article", class_="mail")
