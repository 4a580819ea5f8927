"""Importing at the desk: a table is sent, what it would change is looked at, and just that is done."""

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.accounts.rules import Role
from app.forum.queries import forum_id
from app.kit.sheets import empty_workbook, read_file, workbook
from app.programme.drafting import states_of
from app.programme.tabling import headings
from app.web.site import Site
from tests.cast import the_forum
from tests.web.test_desk_programme import queries_of
from tests.web.test_desk_versions import change
from tests.web.visits import DESK, seal_on, sign_in

PAGE = f"{DESK}/programme/import"
NEW = "code\ttype\ttitle_en\ttitle_km\nQ-01\tpanel\t<b>One</b> more\tមួយទៀត"


@pytest.fixture
def desk(client: TestClient, site: Site) -> TestClient:
    sign_in(client, site, Role.PROGRAMME_EDITOR)
    return client


def draft(site: Site, code: str) -> Any:
    found = site.database.read(lambda db: states_of(db, forum_id(the_forum(db)), code=code))
    return next((state.draft for state in found.values()), None)


def look(desk: TestClient, pasted: str = "", file: bytes = b"", name: str = "table.csv", lang: str = "en") -> Any:
    files = {"file": (name, file)} if file else {}
    fields = {"form": seal_on(desk.get(f"{PAGE}?lang={lang}")), "pasted": pasted}
    return desk.post(f"{PAGE}?lang={lang}", data=fields, files=files)


def hidden(page: Any) -> dict[str, str]:
    found = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    return {name: found[name] for name in ("form", "mark", "table") if name in found}


def confirm(desk: TestClient, page: Any, **more: str) -> Any:
    return desk.post(f"{PAGE}/acceptance", data={**hidden(page), **more})


def test_a_pasted_table_is_looked_at_confirmed_and_taken_back_as_a_whole(desk: TestClient, site: Site) -> None:
    seen = look(desk, NEW)
    assert seen.status_code == 200
    assert "&lt;b&gt;One&lt;/b&gt; more" in seen.text
    assert draft(site, "Q-01") is None, "nothing is written before it is confirmed"
    done = confirm(desk, seen)
    assert done.status_code == 303
    assert draft(site, "Q-01").title.en == "<b>One</b> more"
    page = desk.get(done.headers["location"])
    (back,) = re.findall(r'href="(/desk/[^"]+/programme/edits/together/\d+)"', page.text)
    undone = desk.post(back, data=hidden(desk.get(back)))
    assert undone.status_code == 303
    assert draft(site, "Q-01") is None
    assert back in desk.get(f"{DESK}/programme/edits").text


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_programme_goes_out_and_comes_back_with_what_was_edited_alone(
    desk: TestClient, site: Site, kind: str
) -> None:
    table = desk.get(f"{PAGE}/programme.{kind}")
    assert table.headers["content-disposition"] == f'attachment; filename="programme.{kind}"'
    seen = look(desk, file=table.content, name=f"programme.{kind}")
    assert "Nothing would change" in seen.text
    rows = [cells + [""] * (len(headings()) - len(cells)) for _, cells in read_file(table.content)]
    (row,) = [cells for cells in rows if cells[0] == "D1-04"]
    row[rows[0].index(headings()[3])] = "ចំណងជើងថ្មី"
    seen = look(desk, file=workbook(rows[0], rows[1:], "x"), name="programme.xlsx", lang="km")
    assert seen.text.count('<span class="code">') == 1
    assert ">ចំណងជើងថ្មី</ins>" in seen.text
    assert confirm(desk, seen).status_code == 303
    assert draft(site, "D1-04").title.km == "ចំណងជើងថ្មី"


def test_an_empty_table_to_fill_in_has_every_column(desk: TestClient) -> None:
    for kind in ("csv", "xlsx"):
        assert read_file(desk.get(f"{PAGE}/empty.{kind}").content) == [(1, headings())]
    for wrong in ("empty.pdf", "nothing.csv"):
        assert desk.get(f"{PAGE}/{wrong}").status_code == 404


@pytest.mark.parametrize("lang", ["en", "km"])
def test_what_is_wrong_stands_by_row_and_column_and_the_table_can_be_mended(
    desk: TestClient, site: Site, lang: str
) -> None:
    seen = look(desk, "code\ttype\ttitle_en\ttitle_km\troom\nQ-01\tpanel\tOne\tមួយ\t<attic>", lang=lang)
    assert seen.status_code == 422
    assert 'class="code">E2<' in seen.text
    assert "&lt;attic&gt;" in seen.text
    assert "Q-01\tpanel" in seen.text, "what was sent can be mended in place"
    assert "mark" not in hidden(seen)


NO_TABLES = (
    ("Écrit".encode("cp1252"), "letters of this file cannot be read"),
    (b"\xd0\xcf\x11\xe0rest", "workbook of the old form"),
    (b"PK\x03\x04rest", "cannot be read as a table"),
    (b"a,b\n1,2\n", "names of the columns were not found"),
    (b"\n", "no session in the table"),
    (empty_workbook(headings(), "x"), "no session in the table"),
    (b"code\n" + b"\n".join(b"Q-%d" % number for number in range(1200)), "sessions at once"),
    (b"x" * 1_000_001, "too large"),
)


def test_a_file_that_is_no_table_of_sessions_is_refused_in_words(desk: TestClient) -> None:
    for file, words in NO_TABLES:
        seen = look(desk, file=file)
        assert (words, seen.status_code) == (words, 422)
        assert words in seen.text


def test_columns_stand_between_any_of_the_usual_signs(desk: TestClient) -> None:
    for sign in (";", ",", "\t", "|"):
        for mark in (b"", b"\xef\xbb\xbf"):
            seen = look(desk, file=mark + NEW.replace("\t", sign).encode())
            assert (sign, seen.status_code) == (sign, 200)
            assert "Q-01" in seen.text


def test_what_was_edited_meanwhile_is_shown_anew_and_what_was_typed_stays(desk: TestClient, site: Site) -> None:
    seen = look(desk, "code\ttype\nD1-04\troundtable")
    change(site, "D1-04", setup="cabaret")
    answer = confirm(desk, seen, reason="Kept words")
    assert answer.status_code == 409
    assert draft(site, "D1-04").type != "roundtable"
    assert "edited by somebody else while you looked" in answer.text
    assert hidden(answer)["mark"] != hidden(seen)["mark"]
    assert confirm(desk, answer).status_code == 303
    assert (draft(site, "D1-04").type, draft(site, "D1-04").setup) == ("roundtable", "cabaret")


def test_a_conflict_that_would_come_is_shown_and_asks_for_a_reason(desk: TestClient, site: Site) -> None:
    taken = draft(site, "D1-04")
    change(site, "D2-12", starts_at=taken.starts_at, ends_at=taken.ends_at, room="bassac")
    seen = look(desk, f"code\troom\nD2-12\t{taken.room}")
    assert 'id="new-conflicts"' in seen.text
    refused = confirm(desk, seen, reason="")
    assert refused.status_code == 422
    assert draft(site, "D2-12").room == "bassac"
    assert confirm(desk, refused, reason="Two halves").status_code == 303
    assert draft(site, "D2-12").room == taken.room


def test_a_table_that_was_changed_on_its_way_or_is_of_another_forum_is_refused(desk: TestClient) -> None:
    sent = hidden(look(desk, NEW))
    answer = desk.post(f"{PAGE}/acceptance", data={**sent, "table": sent["table"].replace("e", "f", 1)})
    assert answer.status_code == 422
    assert "changed on its way" in answer.text


def test_looking_at_a_table_takes_as_many_queries_however_long_it_is(desk: TestClient, site: Site) -> None:
    long = NEW + "".join(f"\nQ-{number:02d}\tpanel\tOne\tមួយ" for number in range(2, 30))
    assert queries_of(site, lambda: look(desk, long)) == queries_of(site, lambda: look(desk, NEW))
