"""The desk's materials in a browser's place: files as browsers send them, both versions, and what is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.accounts.rules import Role
from app.editions.form import ForumFile
from tests.cast import SLUG
from tests.doors import Doors, Page, open_doors
from tests.papers import docx, pdf

HERE = f"/desk/{SLUG}/materials"
FIELDS = {"session": "forum", "kind": "paper", "title_en": "Lanes at sea", "title_km": "ផ្លូវសមុទ្រ"}
FIELDS |= {"note_en": "", "note_km": "", "link": "", "release": "at_once", "release_at": "", "announced": "yes"}
LIMIT = 200_000


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    folder = tmp_path_factory.mktemp("desk-materials")
    with open_doors(
        loaded_file, folder, forum_file, BODY_LIMIT_BYTES="65536", MATERIAL_LIMIT_BYTES=str(LIMIT)
    ) as found:
        found.enrol("editor", Role.PROGRAMME_EDITOR)
        found.enrol("viewer", Role.VIEWER)
        yield found


def send(doors: Doors, tail: str, by: str = "editor", files: Any = None, **fields: str) -> Any:
    """The form as a browser sends it, with `files` by field as (name, bytes)."""
    sent = {"form": doors.seal(f"{HERE}/new", "editor"), **fields}
    if files is None:
        return doors.post(f"{HERE}/{tail}", by, sent)
    return doors.ask("POST", f"{HERE}/{tail}", by, data=sent, files=files)


def share(doors: Doors, body: bytes = b"", name: str = "paper.pdf", **changes: str) -> Any:
    return send(doors, "new", files={"file_en": (name, body or pdf())}, **{**FIELDS, **changes})


def codes(doors: Doors) -> list[str]:
    """The codes of the materials in the list, in order."""
    links = doors.page(HERE, "editor").links
    return [href.rpartition("/")[2] for href in links if href.startswith(f"{HERE}/") and href.count("/") == 4][1:]


def test_a_paper_is_shared_found_changed_removed_and_brought_back(doors: Doors) -> None:
    assert share(doors, name="ក្រដាស <b>.pdf").headers["location"] == f"{HERE}?done=added"
    (code,) = codes(doors)
    page = doors.page(f"{HERE}/{code}", "editor")
    assert "ក្រដាស b.pdf" in page.text, "the sender's name is shown, without what could be read as markup"
    file = doors.get(f"{HERE}/{code}/en", "editor")
    assert (file.content, file.headers["cache-control"]) == (pdf(), "private, no-store")
    edition = page.hidden["edition"]
    longer = {**FIELDS, "title_en": "Longer lanes", "edition": edition}
    assert send(doors, code, files={"file_km": ("x.docx", docx())}, **longer).status_code == 303
    late = send(doors, code, files={"file_en": ("x", pdf("other"))}, **{**longer, "title_en": "Mine"})
    shown = Page(late.text)
    assert late.status_code == 409
    assert shown.one("input", name="title_en").attributes["value"] == "Mine", "what was typed is kept"
    assert "Longer lanes" in shown.one("section", id="theirs").text
    assert shown.all("p", id="file_en-fault"), "the file has to be chosen again"
    again = {**longer, "title_en": "Mine", "edition": shown.hidden["edition"]}
    assert send(doors, code, **again).headers["location"] == f"{HERE}?done=changed"
    again["edition"] = doors.page(f"{HERE}/{code}", "editor").hidden["edition"]
    assert send(doors, code, **again).headers["location"] == f"{HERE}?done=same"
    assert send(doors, f"{code}/removal").headers["location"] == f"{HERE}?done=removed"
    assert codes(doors) == []
    assert doors.get(f"{HERE}/{code}", "editor").status_code == 404
    assert send(doors, f"{code}/restoration").headers["location"] == f"{HERE}?done=restored"
    assert codes(doors) == [code]


def test_a_file_may_be_larger_than_any_other_form_and_a_form_sent_twice_shares_once(doors: Doors) -> None:
    before = codes(doors)
    form = doors.seal(f"{HERE}/new", "editor")
    for _ in range(2):
        answer = share(doors, pdf("x" * 150_000), title_en="A long one", form=form)
        assert answer.headers["location"] == f"{HERE}?done=added"
    assert len(codes(doors)) == len(before) + 1
    assert doors.post(f"{HERE}/new", "editor", {**FIELDS, "note_en": "x" * 150_000}).status_code == 413
    elsewhere = doors.ask("POST", f"/desk/{SLUG}/rooms/new", "editor", files={"file_en": ("x", pdf("x" * 150_000))})
    assert elsewhere.status_code == 413


def test_two_papers_change_places_and_those_of_one_session_stand_alone(doors: Doors) -> None:
    for title in ("First", "Second"):
        assert share(doors, title_en=title, session="D1-08").status_code == 303
    mine = doors.page(f"{HERE}?session=D1-08", "editor").text
    assert mine.index("First") < mine.index("Second")
    second = codes(doors)[-1]
    assert send(doors, f"{second}/place", to="up").headers["location"] == f"{HERE}?done=placed"
    mine = doors.page(f"{HERE}?session=D1-08", "editor").text
    assert mine.index("Second") < mine.index("First")
    assert "Lanes at sea" not in mine
    opened = doors.page(f"{HERE}/new?session=D1-08", "editor")
    assert next(one.attributes["value"] for one in opened.all("option") if "selected" in one.attributes) == "D1-08"


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"\0", "paper.pdf"),
        (b"MZ\x90\0 program", "paper.pdf"),
        (b"<html><script>alert(1)</script>", "paper.pdf"),
        (b"<!doctype html>" + pdf(), "paper.pdf"),
        (pdf()[:40], "paper.pdf"),
        (pdf(inside=b"/S /JavaScript"), "paper.pdf"),
        (docx(**{"word/vbaProject.bin": b"x"}), "paper.docx"),
        (pdf("x" * LIMIT), "paper.pdf"),
    ],
    ids=range(8),
)
def test_a_file_that_is_not_taken_is_refused_beside_its_field_and_nothing_is_written(
    doors: Doors, body: bytes, name: str
) -> None:
    before = doors.rows()
    answer = share(doors, body, name)
    assert answer.status_code == 422
    page = Page(answer.text)
    assert page.all("p", id="file_en-fault")
    assert page.one("input", name="title_en").attributes["value"] == "Lanes at sea"
    assert doors.rows() == before


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd",
        "C:\\evil.exe",
        "a\r\nSet-Cookie: x=1",
        "\u202egnp.exe",
        '"; rm -rf',
        "x" * 3000,
        "ឯកសារ🙂",
    ],
    ids=ascii,
)
def test_whatever_a_file_is_called_its_name_makes_no_path_and_no_header(doors: Doors, name: str) -> None:
    before = codes(doors)
    answer = share(doors, name=name, kind="reading")
    assert answer.status_code in {303, 400, 422}
    for code in set(codes(doors)) - set(before):
        told = doors.get(f"/en/{SLUG}/materials/{code}/en").headers
        assert told["content-disposition"] == f'attachment; filename="{SLUG}-reading-{code.lower()}-en.pdf"'
        assert "set-cookie" not in told
        assert "\u202e" not in doors.page(f"{HERE}/{code}", "editor").text


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("session", ""),
        ("session", "D9-99"),
        ("kind", ""),
        ("kind", "programme"),
        ("title_km", ""),
        ("note_en", "Only in English"),
        ("link", "http://plain.example"),
        ("release", "never"),
        ("release", "with_start"),
        ("release", "at"),
        ("release_at", "tomorrow"),
    ],
)
def test_a_faulty_form_is_shown_again_and_nothing_is_written(doors: Doors, field: str, typed: str) -> None:
    before = doors.rows()
    answer = share(doors, **{field: typed})
    assert answer.status_code == 422
    places = {"title_km": "title_en"} | ({"release": "release_at"} if typed == "at" else {})
    assert Page(answer.text).all("p", id=f"{places.get(field, field)}-fault")
    assert doors.rows() == before


def test_a_form_without_anything_to_read_or_with_a_speech_of_a_closed_session_is_refused(doors: Doors) -> None:
    empty = send(doors, "new", **FIELDS)
    assert (empty.status_code, "nothing to read" in empty.text) == (422, True)
    page = Page(share(doors, session="C-01", kind="speech").text)
    assert page.all("p", id="kind-fault")


def test_what_is_announced_as_too_large_is_not_read_and_a_viewer_sends_nothing(doors: Doors) -> None:
    before = doors.rows()
    headers = {"content-type": "multipart/form-data; boundary=x", "content-length": str(2 << 30)}
    assert doors.ask("POST", f"{HERE}/new", "editor", content=b"x", headers=headers).status_code == 413
    assert doors.ask("POST", f"{HERE}/new", "viewer", files={"file_en": ("x", pdf())}).status_code == 403
    assert doors.ask("POST", f"{HERE}/new", files={"file_en": ("x", pdf())}).status_code == 401
    assert doors.get(HERE, "viewer").status_code == 403
    assert "/materials" not in "".join(doors.page(f"/desk/{SLUG}", "viewer").links)
    assert doors.rows() == before


@pytest.mark.parametrize("many", [1, 3])
def test_the_list_asks_as_often_for_three_as_for_one(
    tmp_path: Path, loaded_file: Path, forum_file: ForumFile, many: int
) -> None:
    from sqlalchemy import event

    with open_doors(loaded_file, tmp_path, forum_file) as found:
        found.enrol("editor", Role.PROGRAMME_EDITOR)
        for _ in range(many):
            assert share(found, session="D1-07").status_code == 303
        asked: list[str] = []
        engine = found.site.database.read_engine
        event.listen(engine, "before_cursor_execute", lambda _c, _k, statement, *_: asked.append(statement))
        found.page(HERE, "editor")
        assert len([each for each in asked if each.startswith("SELECT")]) == 8
