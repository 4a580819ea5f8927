"""A list of delegates, sent as a file or pasted: looked at with its faults by row and column, accepted all or none."""

import csv
import io
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select
from starlette.testclient import TestClient

from app.accounts.actor import Actor
from app.editions.form import ForumFile
from app.kit.codes import seal
from app.kit.db import table
from app.kit.i18n import text_of
from app.registration.arranging import put_terms
from app.registration.delegations import seat_rows
from app.registration.models import Application
from app.web.site import Site
from tests.cast import DARA, NOW, SECRET, SLUG, make_application, small_terms, the_forum
from tests.doors import Page
from tests.embassies import delegate, make_delegation, name_some, page_of
from tests.web.visits import seal_on

PEOPLE = 500
HEADERS = [
    "Titles",
    "Family name",
    "Given name",
    "Name in Khmer",
    "Position",
    "Institution",
    "Country",
    "E-mail",
    "Telephone",
    "Language",
    "Capacity",
    "Head of delegation",
]
FAMILY, KHMER, COUNTRY, EMAIL, PHONE, LANGUAGE, CAPACITY, HEAD = (
    HEADERS.index(name)
    for name in (
        "Family name",
        "Name in Khmer",
        "Country",
        "E-mail",
        "Telephone",
        "Language",
        "Capacity",
        "Head of delegation",
    )
)


class Embassy:
    """A delegation of 500 seats in a large hall, and what its focal point's browser does."""

    def __init__(self, client: TestClient, site: Site, file: ForumFile, seats: int = PEOPLE) -> None:
        self.client, self.site = client, site
        terms, categories = small_terms(file, 600, DIP=(0, None, "moderated"), STU=(0, None, "open"))

        def prepare(db: Any) -> Any:
            put_terms(db, Actor.operator(), the_forum(db), terms, categories, now=NOW)
            return make_delegation(db, "DIP", seats)

        self.row = site.pen.write_now(SLUG, prepare)
        self.base = f"/en/delegations/{page_of(self.row)}"

    def send(self, body: bytes | str, name: str = "people.csv", base: str = "") -> Any:
        """Send a file, or paste a text; the page that follows."""
        form = {"form": seal_on(self.client.get(f"{self.base}/list"))}
        to = f"{base or self.base}/list"
        if isinstance(body, str):
            return self.client.post(to, data={**form, "pasted": body})
        return self.client.post(to, data=form, files={"file": (name, body)})

    def accept(self, page: Any) -> Any:
        return self.client.post(f"{self.base}/list/acceptance", data=Page(page.text).hidden)

    def registered(self) -> int:
        with self.site.database.reading() as db:
            found: int = db.execute(select(func.count()).select_from(table(Application))).scalar_one()
            return found

    def named(self) -> int:
        with self.site.database.reading() as db:
            return sum(seat.application_id is not None for seat in seat_rows(db, self.row.id))


@pytest.fixture
def embassy(client: TestClient, site: Site, forum_file: ForumFile) -> Iterator[Embassy]:
    return Embassy(client, site, forum_file)


def delegates(count: int = PEOPLE) -> list[list[str]]:
    """A list without faults: the names of the columns, then one person in each row."""
    people = [
        [
            "H.E.",
            f"Family{n}",
            "Given",
            "",
            "Attaché",
            "",
            "France",
            f"delegate{n}@list.example",
            "012 345 678",
            "English",
            "",
            "",
        ]
        for n in range(2, count + 2)
    ]
    people[0][HEAD] = "yes"
    return [HEADERS, *people]


def as_csv(rows: list[list[str]], sign: str = ",") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=sign).writerows(rows)
    return text.getvalue().encode("utf-8-sig")


def as_workbook(rows: list[list[str]]) -> bytes:
    book = Workbook()
    sheet: Any = book.active
    for row in rows:
        sheet.append(row)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


PLANTED = {
    "name_missing": (FAMILY, "", [5, 61, 305]),
    "not_an_email": (EMAIL, "nobody at home", [9, 77, 130, 402]),
    "not_a_phone": (PHONE, "extension five", [12, 88, 222, 499]),
    "unknown_country": (COUNTRY, "Atlantis", [15, 90, 311]),
    "too_long": (FAMILY, "F" * 201, [20, 150]),
    "control_characters": (FAMILY, "Fam\u202eily", [25, 160, 320]),
    "formula": (FAMILY, "=A1&B1", [30, 170, 330, 480]),
    "unknown_attends_as": (CAPACITY, "half", [35, 180, 340, 470]),
    "unknown_language": (LANGUAGE, "Latin", [40, 190, 350]),
    "unknown_heads": (HEAD, "perhaps", [45, 200, 360]),
    "twice_in_list_row": (EMAIL, "delegate2@list.example", [50, 210, 370, 490]),
    "member_registered": (EMAIL, "envoy1@embassy.example", [55]),
    "beyond_header": (len(HEADERS), "a cell too many", [60]),
    "head_twice": (HEAD, "yes", [65]),
}
"""Kind → column, what is typed there, and the rows (as a spreadsheet counts them) that it is planted in."""


def plant(rows: list[list[str]]) -> dict[str, str]:
    """Plant all of them; cell → what the page must say of it."""
    expected = {}
    values = {"twice_in_list_row": {"row": 2}, "head_twice": {"row": 2}, "too_long": {"most": 200}}
    for kind, (column, typed, places) in PLANTED.items():
        for row in places:
            cells = rows[row - 1]
            cells += [""] * (column + 1 - len(cells))
            cells[column] = typed
            expected[f"{chr(65 + column)}{row}"] = text_of("en", f"refused.{kind}", **values.get(kind, {}))
    return expected


def faults_on(page: Any) -> dict[str, str]:
    """What the preview's table says: cell → sentence."""
    lines = re.findall(r'<tr><th scope="row" class="code">([A-Z]+\d+)</th><td>.*?</td><td>([^<]*)</td></tr>', page.text)
    return {cell: unescape(words) for cell, words in lines}


@pytest.mark.parametrize("form", [as_csv, as_workbook])
def test_forty_faults_of_twelve_kinds_among_500_are_each_said_by_row_and_column_and_nothing_is_written(
    embassy: Embassy, form: Any
) -> None:
    rows = delegates()
    expected = plant(rows)
    assert len(expected) >= 40
    assert len(PLANTED) >= 12
    other = embassy.site.pen.write_now(SLUG, lambda db: make_delegation(db, "DIP", 1, institution="Another"))
    embassy.site.pen.write_now(SLUG, lambda db: name_some(db, other, delegate(1)))
    before = embassy.registered()

    page = embassy.send(form(rows), "people.xlsx" if form is as_workbook else "people.csv")
    assert page.status_code == 422
    assert faults_on(page) == expected
    assert "list/acceptance" not in page.text, "there is nothing to accept"
    assert embassy.registered() == before

    page = embassy.send(form(delegates()), "people.xlsx" if form is as_workbook else "people.csv")
    assert page.status_code == 200
    assert embassy.registered() == before, "a list that was looked at is not accepted yet"
    done = embassy.accept(page)
    assert (done.status_code, done.headers["location"]) == (303, f"{embassy.base}?done=list&people=500")
    assert (embassy.named(), embassy.registered()) == (PEOPLE, before + PEOPLE)
    assert embassy.accept(page).status_code == 303, "the same acceptance once more"
    assert embassy.registered() == before + PEOPLE


@pytest.fixture
def small(client: TestClient, site: Site, forum_file: ForumFile) -> Embassy:
    return Embassy(client, site, forum_file, seats=3)


def test_a_pasted_table_with_khmer_names_of_columns_is_read(small: Embassy) -> None:
    pasted = "ឈ្មោះជាអក្សរខ្មែរ\tភាសា\tលេខទូរសព្ទ\tប្រទេស\tលរ\nលឹម ដារ៉ា\tខ្មែរ\t០១២ ៣៤៥ ៦៧៨\tកម្ពុជា\t១"
    page = small.send(pasted)
    assert page.status_code == 200
    assert "លរ" in page.text, "what is not taken is said"
    assert small.accept(page).status_code == 303
    with small.site.database.reading() as db:
        row = db.execute(select(table(Application))).one()
    assert (row.name_km, row.language, row.phone, row.country) == ("លឹម ដារ៉ា", "km", "+855 12 345 678", "KH")
    assert (row.institution, row.assistant_name) == ("An embassy", "Dara Lim")


def test_lines_above_the_names_of_columns_are_passed_over(small: Embassy) -> None:
    page = small.send("Embassy of somewhere,\n,\nFamily name,Given name\nLim,Dara\n")
    assert page.status_code == 200
    assert "LIM Dara" in page.text


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "list_missing"),
        ("Lim,Dara\nSok,Vanna", "list_no_header"),
        ("Family name,Surname\nLim,Lim", "list_column_twice"),
        ("Family name\n", "list_empty"),
        (b"PK\x03\x04", "list_unreadable"),
        (b"\xd0\xcf\x11\xe0", "old_office"),
        ("Nomé".encode("latin-1"), "list_encoding"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_with_what_was_pasted_kept(small: Embassy, body: Any, code: str) -> None:
    page = small.send(body)
    assert page.status_code == 422
    begins = text_of("en", f"refused.{code}", column="Surname", letter="B").split(":")[0]
    assert begins in unescape(page.text)
    if isinstance(body, str):
        assert body.split("\n")[0] in page.text


def test_more_people_than_seats_have_no_name_cannot_be_accepted(small: Embassy) -> None:
    page = small.send(as_csv(delegates(4)))
    assert page.status_code == 422
    assert text_of("en", "delegations.list.more", wanted=4, free=3) in unescape(page.text)
    assert small.named() == 0


def test_a_seat_that_went_meanwhile_refuses_the_whole_list(small: Embassy) -> None:
    page = small.send(as_csv(delegates(3)))
    small.site.pen.write_now(SLUG, lambda db: name_some(db, small.row, delegate(1)))
    refused = small.accept(page)
    assert refused.status_code == 422
    assert text_of("en", "refused.seats_unnamed", free=2, wanted=3) in unescape(refused.text)
    assert small.named() == 1


def test_somebody_who_registered_meanwhile_refuses_the_whole_list(small: Embassy) -> None:
    page = small.send(as_csv(delegates(2)))
    one = delegate(1, email="delegate3@list.example")
    small.site.pen.write_now(SLUG, lambda db: name_some(db, small.row, one))
    refused = small.accept(page)
    assert text_of("en", "refused.member_registered") in unescape(refused.text)
    assert small.named() == 1


def test_a_list_is_accepted_only_as_it_was_read_here_and_by_this_delegation(small: Embassy) -> None:
    page = small.send(as_csv(delegates(2)))
    fields = Page(page.text).hidden
    for spoilt in ("", fields["people"] + "x", seal(SECRET, "delegation-list/OTHER", "x"), fields["people"][10:]):
        answer = small.client.post(f"{small.base}/list/acceptance", data={**fields, "people": spoilt})
        assert answer.status_code == 422
        assert text_of("en", "refused.list_spoilt") in answer.text
    assert small.client.post(f"{small.base}/list/acceptance", data={"people": fields["people"]}).status_code == 422
    assert small.named() == 0


@pytest.mark.parametrize("lang", ["en", "km"])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_empty_table_has_the_columns_that_are_read(small: Embassy, lang: str, kind: str) -> None:
    answer = small.client.get(f"/{lang}/delegations/list.{kind}")
    assert f'filename="delegation.{kind}"' in answer.headers["content-disposition"]
    page = small.send(answer.content)
    assert page.status_code == 422
    assert text_of("en", "refused.list_empty") in page.text, "its names of columns are known, and nobody is in it"
    assert small.client.get(f"/{lang}/delegations/list.pdf").status_code == 404


def test_the_preview_knows_a_person_by_name_under_the_focal_points_own_address(small: Embassy) -> None:
    small.site.pen.write_now(SLUG, lambda db: make_application(db, DARA, category="STU", by=Actor.operator()))
    page = small.send(f"Family name\tGiven name\n{DARA.family_name}\t{DARA.given_name}\nSok\tVanna")
    assert page.status_code == 422
    assert text_of("en", "refused.member_registered") in unescape(page.text)
    twice = small.send(f"Family name\tE-mail\nKeo\t{DARA.email}\nKeo\t")
    assert text_of("en", "refused.twice_in_list_row", row=2) in unescape(twice.text)


FAULTY = "\nFamily name\tGiven name\tE-mail\r\nLim\tDara\tdara@embassy.example\r\n\r\nSok\tVanna\tnowhere\r\n"
"""A table with an empty line in it, one before it, and one bad address."""


def mended(small: Embassy, page: Any, *changes: tuple[str, str]) -> Any:
    """Mend the text on a page as a browser does, and have it read again."""
    shown = Page(page.text)
    text = "".join(shown.one("textarea").texts)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return small.client.post(f"{small.base}/list", data={"form": shown.hidden["form"], "pasted": text})


@pytest.mark.parametrize(("body", "cell"), [(FAULTY, "C5"), (FAULTY.encode(), "C5")])
def test_a_list_with_faults_is_there_to_be_mended_with_its_rows_where_they_were(
    small: Embassy, body: bytes | str, cell: str
) -> None:
    page = small.send(body)
    assert page.status_code == 422
    assert list(faults_on(page)) == [cell]
    assert "<bdi>nowhere</bdi>" in page.text, "what stands there is said"
    assert text_of("en", "delegations.list.read_again") in page.text
    again = mended(small, page)
    assert list(faults_on(again)) == [cell], "nothing was mended, and no row has moved"
    good = mended(small, again, ("nowhere", "vanna@embassy.example"))
    assert good.status_code == 200
    assert small.accept(good).status_code == 303
    assert small.named() == 2


def test_a_file_has_to_be_chosen_again_and_its_rows_are_a_text_meanwhile(small: Embassy) -> None:
    page = small.send(as_workbook([["Name", "Mail"], ["Lim", "Dara"]]), "people.xlsx")
    assert text_of("en", "refused.list_no_header") in page.text
    assert text_of("en", "delegations.list.file_again") in page.text
    good = mended(small, page, ("Name\tMail", "Family name\tGiven name"))
    assert "LIM" in good.text
    pasted = small.send("Name\tMail\nLim\tDara")
    assert text_of("en", "delegations.list.file_again") not in pasted.text


def test_a_file_too_long_to_be_shown_again_is_only_to_be_sent_again(small: Embassy) -> None:
    wide = [f"Remark {n}" for n in range(10)]
    page = small.send(as_csv([["Family name", "E-mail", *wide], ["Lim", "nowhere", *["x" * 95_000 for _ in wide]]]))
    assert page.status_code == 422
    assert "<textarea" not in page.text
    assert text_of("en", "delegations.list.file_again") in page.text
    assert len(page.text) < 100_000


def test_more_people_than_seats_are_there_to_be_made_fewer(small: Embassy) -> None:
    page = small.send("Family name\nLim\nSok\nKeo\nNop\n")
    assert text_of("en", "delegations.list.more", wanted=4, free=3) in unescape(page.text)
    assert mended(small, page, ("Nop", "")).status_code == 200


def test_a_list_refused_at_its_acceptance_is_there_to_be_read_again(small: Embassy) -> None:
    page = small.send(as_csv(delegates(3)))
    small.site.pen.write_now(SLUG, lambda db: name_some(db, small.row, delegate(1)))
    refused = small.accept(page)
    assert refused.status_code == 422
    again = mended(small, refused, ("Family4", "Family4"))
    assert text_of("en", "delegations.list.more", wanted=3, free=2) in unescape(again.text)
    line = next(line for line in Page(again.text).one("textarea").texts if "Family4" in line).split("\r\n")
    shorter = mended(small, again, *((each, "") for each in line if "Family4" in each))
    assert shorter.status_code == 200
    assert "H.E." in shorter.text
    assert "FAMILY2" in shorter.text


def test_the_preview_shows_all_that_will_be_written(small: Embassy) -> None:
    page = small.send(
        "Titles,Family name,Given name,Name in Khmer,Name on the badge,Position,Institution,Country,E-mail,Telephone,"
        "Language,Capacity,Head of delegation\n"
        '"H.E., Dr.",Lim,Dara,លឹម ដារ៉ា,Ambassador Lim,Ambassador,The mission,France,lim@mission.example,012345678,'
        "Khmer,Private,yes\nSok,,,,,,,,,,,\n".replace("\nSok", "\n,Sok")
    )
    assert page.status_code == 200
    first, second = Page(page.text).all("dl")
    names = ("H.E., Dr.", "Lim", "Dara", "លឹម ដារ៉ា", "Ambassador Lim", "Ambassador", "The mission", "France")
    private = text_of("en", "registration.form.private")
    for said in (*names, "lim@mission.example", "+855 12 345 678", "Khmer", private):
        assert said in first.text
    assert text_of("en", "delegations.my.head") in page.text
    assert "An embassy" in second.text, "what is left empty in the list and filled in for it"
    assert text_of("en", "registration.form.official") in second.text
    assert text_of("en", "delegations.list.email") + text_of("en", "delegations.list.to_focal") in second.text
    assert "English" in second.text
