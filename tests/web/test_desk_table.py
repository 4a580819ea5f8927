"""The table of registrations in a browser's place: views, tags, notes, a row put right, many at once, side by side.

One site for all of them, because they are pages of one table: `desk_views`, `desk_tags`, `desk_details`, `desk_many`,
`desk_compare`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from app.accounts.models import User
from app.accounts.rules import Role
from app.editions.form import ForumFile
from app.jobs import many
from app.jobs.crew import Crew
from app.kit.db import table
from app.kit.i18n import text_of
from app.registration import deciding_many
from app.registration.models import Bulk
from app.web import desk_many
from app.web.desk_columns import SHOWN
from tests.cast import SLUG
from tests.conftest import settings_for
from tests.doors import ELSEWHERE, Doors, Page, open_doors

REGISTRAR = table(User).c.email == "registrar@desk.example"
LIST = f"/desk/{SLUG}/registrations"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    folder = tmp_path_factory.mktemp("table")
    with open_doors(loaded_file, folder, forum_file, SMTP_URL="smtp://127.0.0.1:9") as found:
        for name in ("owner", "registrar", "finance"):
            found.enrol(name, Role(name))
        yield found


def send(doors: Doors, address: str, by: str = "registrar", **fields: Any) -> Any:
    return doors.post(address, by, {"form": doors.seal(f"/desk/{SLUG}?lang=en", by), **fields})


def names(page: Page) -> list[str]:
    """The names the list shows, in its order."""
    return [each.text.split("  ")[0] for each in page.all("th", scope="row")]


def box(page: Page) -> list[str]:
    return [each.attributes["value"] for each in page.all("input", name="code")]


def test_a_view_is_kept_opened_first_changed_shared_removed_and_brought_back(doors: Doors) -> None:
    one, _ = doors.register("INT", family_name="Viewed", name_km="ហេង"), doors.register("STU")
    asked = "?category=INT&q=viewed&order=name_km&column=name_km&column=email"
    kept = send(doors, f"{LIST}/views{asked}", act="keep", name="Guests abroad", usual="yes")
    address = kept.headers["location"]
    assert kept.status_code == 303
    assert address.startswith(f"{LIST}{asked}&view=")
    shown = doors.page(f"{LIST}?lang=en", "registrar")
    assert box(shown) == [one.code], "what one sees first without a question"
    assert [each.text for each in shown.all("th", scope="col")][2:4] == ["Name in Khmer", "E-mail"]
    assert len(box(doors.page(f"{LIST}?view=0&lang=en", "registrar"))) > 1
    assert box(doors.page(f"{LIST}?lang=en", "owner")) != [one.code], "nobody else's"
    view = address.partition("view=")[2].partition("&")[0]
    send(doors, f"{LIST}/views{asked}", act="change", view=view, name="Guests", shared="yes")
    assert "Guests (shared)" in doors.page(f"{LIST}?lang=en", "owner").text
    twice = send(doors, f"{LIST}/views?state=waiting&lang=en", act="keep", name="GUESTS")
    assert (twice.status_code, "You have a view called" in twice.text) == (422, True)
    assert send(doors, f"{LIST}/views", "finance", act="remove", view=view).status_code == 404, "not theirs"
    gone = send(doors, f"{LIST}/views", act="remove", view=view).headers["location"]
    page = doors.page(f"{gone}&lang=en", "registrar")
    assert "Guests (shared)" not in page.text
    assert [each.text for each in page.all("button", value="bring_back")] == ["Bring it back"]
    send(doors, f"{LIST}/views", act="bring_back", view=view)
    assert "Guests (shared)" in doors.page(f"{LIST}?lang=en", "owner").text


def test_a_view_that_cannot_be_asked_any_more_hides_nothing(doors: Doors) -> None:
    send(doors, f"{LIST}/views?needs=any", "owner", act="keep", name="Needs", usual="yes")
    assert doors.get(f"{LIST}?lang=en", "owner").status_code == 200
    kept = send(doors, f"{LIST}/views?needs=any", "registrar", act="keep", name="Needs", usual="yes")
    assert kept.status_code == 303
    assert doors.get(f"{LIST}?lang=en", "registrar").status_code == 200, "though needs are not for this role"
    assert doors.get(f"{LIST}?needs=any", "registrar").status_code == 403


def test_what_is_asked_stands_in_chips_and_each_can_be_taken_off(doors: Doors) -> None:
    asked = f"{LIST}?state=waiting&country=KH&capacity=official&since=2026-11-01&lang=en"
    chips = doors.page(asked, "registrar").one("ul", class_="chips")
    for words in ("Waiting list", "Country: Cambodia", "Capacity: Official", "Asked from: 1 Nov 2026"):
        assert words in chips.text
    less = f'href="{LIST}?state=waiting&amp;capacity=official&amp;since=2026-11-01"'
    assert less in doors.get(asked, "registrar").text


def test_the_usual_columns_are_not_carried_along(doors: Doors) -> None:
    doors.register("INT")
    usual = "&".join(f"column={name}" for name in SHOWN)
    page = doors.get(f"{LIST}?{usual}&order=name&lang=en", "registrar").text
    assert [link for link in Page(page).links if "column=place" in link and "lang=" not in link] == []
    assert f'href="{LIST}?order=name-down"' in page


@pytest.mark.parametrize(
    "asked",
    ["capacity=x", "needs=x", "tag=x", "tag=9999999999", "since=tomorrow", "until=0001-01-01", "code=%25", "order=x"],
)
def test_a_question_that_cannot_be_asked_is_not_found(doors: Doors, asked: str) -> None:
    assert doors.get(f"{LIST}?{asked}", "owner").status_code == 404


def make_tag(doors: Doors, name: str) -> str:
    tags = f"/desk/{SLUG}/tags"
    assert send(doors, tags, act="put", name=name, letter="f", tone="red").headers["location"] == f"{tags}?done=put"
    row = next(line for line in doors.page(f"{tags}?lang=en", "registrar").links if f"{LIST}?tag=" in line)
    assert row
    text = doors.get(f"{tags}?lang=en", "registrar").text
    return text.split(f">{name}<")[1].split(f"{LIST}?tag=")[1].split('"')[0]


def test_a_tag_is_made_put_on_shown_in_the_list_and_removed(doors: Doors) -> None:
    one, tag = doors.register("INT", family_name="Tagged"), make_tag(doors, "Front row")
    page = f"{LIST}/{one.code}"
    assert send(doors, f"{page}/notes", act="tags", tag=tag).headers["location"].endswith("?done=tags#notes")
    listed = doors.page(f"{LIST}?tag={tag}&lang=en", "registrar")
    assert box(listed) == [one.code]
    assert listed.one("span", class_="band-red").text == "F Front row"
    assert "Front row" in doors.page(f"/en/my/{one.secret}/data").text, "told to whom it is about"
    faulty = send(doors, f"/desk/{SLUG}/tags?lang=en", act="put", name="", letter="long", tone="plaid")
    shown = Page(faulty.text)
    assert faulty.status_code == 422
    assert {"name-fault", "letter-fault", "tone-fault"} <= set(shown.ids)
    assert send(doors, f"{page}/notes", "finance", act="tags", tag=tag).status_code == 403
    assert send(doors, f"/desk/{SLUG}/tags", act="remove", tag=tag).status_code == 303
    assert box(doors.page(f"{LIST}?tag={tag}", "registrar")) == []


def test_a_note_is_for_the_desk_and_taken_out_by_whom_it_is_of(doors: Doors) -> None:
    one = doors.register("INT", family_name="Noted")
    page = f"{LIST}/{one.code}"
    send(doors, f"{page}/notes", "finance", act="note", words="Pays <later>\n\nបង់ពេលក្រោយ")
    shown = doors.page(f"{page}?lang=en", "registrar")
    assert "Pays <later>" in shown.one("section", id="notes").text
    assert "Finance Desk" in shown.one("section", id="notes").text
    assert "Pays <later>" in doors.page(f"/en/my/{one.secret}/data").text
    number = shown.all("button", class_="link")[-1].attributes["value"]
    assert number.startswith("remove-")
    assert send(doors, f"{LIST}/{doors.register().code}/notes", act=number).status_code == 404, "not about that one"
    assert send(doors, f"{page}/notes", "finance", act=number).status_code == 303
    assert "Pays" not in doors.page(page, "registrar").text
    empty = send(doors, f"{page}/notes?lang=en", act="note", words=" ")
    assert (empty.status_code, "words-fault" in Page(empty.text).ids) == (422, True)


def test_a_row_is_put_right_and_both_versions_stand_side_by_side(doors: Doors) -> None:
    one = doors.register("INT", family_name="Rihgt", meals="no pork", phone="+85512345678", titles="Dr.")
    address = f"{LIST}/{one.code}/details"
    page = doors.page(f"{address}?q=right", "registrar")
    fields = {each.attributes["name"]: each.attributes["value"] for each in page.all("input", type="text")}
    fields |= {"edition": page.hidden["edition"], "country": "KH", "attends_as": "private"}
    saved = send(doors, f"{address}?q=right", **{**fields, "family_name": "Right"})
    assert saved.headers["location"] == f"{LIST}?done=edited&q=right"
    late = send(doors, f"{address}?lang=en", **{**fields, "family_name": "Wrong"})
    shown = Page(late.text)
    assert late.status_code == 409
    assert shown.one("input", name="family_name").attributes["value"] == "Wrong", "what was typed is kept"
    assert "Right" in shown.one("section", id="theirs").text
    assert text_of("en", "refused.details_changed") in late.text, "nobody is sent away to see the other version"
    again = {**fields, "family_name": "Right", "edition": shown.hidden["edition"]}
    assert send(doors, address, **again).headers["location"] == f"{LIST}?done=same"
    own = doors.page(f"{LIST}/{one.code}?q=right", "registrar")
    from_there = next(href for href in own.links if "/details?" in href)
    back = send(doors, from_there, **{**again, "institution": "A ministry"}).headers["location"]
    assert back == f"{LIST}/{one.code}?done=edited&q=right", "back to where one came from"
    assert text_of("en", "desk.done.edited") in doors.page(back, "registrar").text
    own = doors.page(f"/en/my/{one.secret}/data").text
    assert all(words in own for words in ("no pork", "+855 12 345 678", "Dr.")), "what was not in the form stays"
    faulty = send(doors, f"{address}?lang=en", **{**again, "family_name": "", "given_name": "", "name_km": ""})
    assert faulty.status_code == 422


def test_registrations_stand_side_by_side_with_what_differs_marked(doors: Doors) -> None:
    first, second = (doors.register("INT", family_name=name, institution="A bank") for name in ("Same", "Other"))
    page = doors.page(f"{LIST}/compare?code={first.code}&code={second.code}&lang=en", "finance")
    differs = [each.attributes.get("class", "") for each in page.all("tr") if "Family name" in each.text]
    same = [each.attributes.get("class", "") for each in page.all("tr") if "Institution" in each.text]
    assert (differs, same) == (["differs"], [""])
    assert f"/desk/{SLUG}/duplicates/{first.code}/{second.code}" in page.links
    assert "Choose 2 to 4" in doors.page(f"{LIST}/compare?code={first.code}&lang=en", "finance").text
    theirs = doors.register("INT", slug=ELSEWHERE)
    assert doors.get(f"{LIST}/compare?code={first.code}&code={theirs.code}", "finance").status_code == 404


def test_many_are_looked_at_approved_and_taken_back(doors: Doors) -> None:
    chosen = [doors.register("MIN", family_name=f"Many{number}") for number in range(3)]
    codes = "&".join(f"code={one.code}" for one in chosen)
    look = doors.page(f"{LIST}/bulk?act=approve&{codes}&lang=en", "registrar")
    assert "This can be done with 3 registrations." in look.text
    fields = {"act": "approve", "mark": look.hidden["mark"], "note": "As decided"}
    done = send(doors, f"{LIST}/bulk?{codes}", **fields)
    assert {doors.state(one) for one in chosen} == {"seated"}
    page = doors.page(f"{done.headers['location']}?lang=en", "registrar")
    assert "It is done." in page.text
    assert "Take it back for 3 registrations" in page.text
    assert doors.get(done.headers["location"], "finance").status_code == 403
    back = send(doors, done.headers["location"])
    assert {doors.state(one) for one in chosen} == {"awaiting"}
    assert "It was taken back" in doors.page(f"{back.headers['location']}?lang=en", "registrar").text
    assert send(doors, done.headers["location"]).status_code == 422


def test_everybody_that_fits_is_meant_and_a_stale_look_is_refused(doors: Doors) -> None:
    doors.register("MIN", family_name="Wholly", given_name="First")
    asked = "whole=1&q=wholly&state=awaiting"
    look = doors.page(f"{LIST}/bulk?act=decline&{asked}&lang=en", "registrar")
    doors.register("MIN", family_name="Wholly", given_name="Second")
    fields = {"act": "decline", "mark": look.hidden["mark"]}
    stale = send(doors, f"{LIST}/bulk?{asked}&lang=en", **fields)
    shown = Page(stale.text)
    assert stale.status_code == 409
    assert "This can be done with 2 registrations." in shown.text, "what would happen now"
    done = send(doors, f"{LIST}/bulk?{asked}", **{**fields, "mark": shown.hidden["mark"]})
    assert done.status_code == 303
    assert "cannot be taken back" in doors.page(f"{done.headers['location']}?lang=en", "registrar").text


def test_what_is_missing_is_asked_for(doors: Doors) -> None:
    one, tag = doors.register("INT"), make_tag(doors, "Later")
    assert doors.page(f"{LIST}/bulk?act=tag&code={one.code}", "registrar").one("select", id="with_tag")
    assert "mark" not in doors.page(f"{LIST}/bulk?act=move&code={one.code}", "registrar").hidden
    assert doors.page(f"{LIST}/bulk?act=tag&with_tag={tag}&code={one.code}", "registrar").hidden["mark"]
    for asked, status in (
        ("act=tag&with_tag=999", 404),
        ("act=approve", 422),
        ("act=dance", 404),
        ("act=tag&with_tag=x", 422),
    ):
        assert doors.get(f"{LIST}/bulk?{asked}", "registrar").status_code == status, asked


def test_what_is_left_is_done_by_the_worker_in_the_name_of_whoever_began_it(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen, tag = [doors.register("INT") for _ in range(3)], make_tag(doors, "By and by")
    monkeypatch.setattr(desk_many, "AT_ONCE", 0)
    codes = "&".join(f"code={one.code}" for one in chosen)
    look = doors.page(f"{LIST}/bulk?act=tag&with_tag={tag}&{codes}", "registrar")
    done = send(doors, f"{LIST}/bulk?{codes}", act="tag", with_tag=tag, mark=look.hidden["mark"])
    site = doors.site
    crew = Crew(settings_for(str(site.database.url)), site.database, site.pen)
    while many.go_on(crew):
        pass
    assert site.database.read(deciding_many.pending) is None
    assert "It is done." in doors.page(f"{done.headers['location']}?lang=en", "registrar").text
    assert len(box(doors.page(f"{LIST}?tag={tag}", "registrar"))) == 3


def test_of_whoever_is_disabled_or_came_with_nothing_to_go_by_the_worker_does_nothing_more(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, bulks = doors.site, table(Bulk)
    crew = Crew(settings_for(str(site.database.url)), site.database, site.pen)
    monkeypatch.setattr(desk_many, "AT_ONCE", 0)
    for name, broken in (
        ("Left us", lambda db: db.execute(update(table(User)).where(REGISTRAR).values(disabled=True))),
        ("From afar", lambda db: db.execute(update(bulks).where(bulks.c.state == "doing").values(values={}))),
    ):
        one, tag = doors.register("INT"), make_tag(doors, name)
        look = doors.page(f"{LIST}/bulk?act=tag&with_tag={tag}&code={one.code}", "registrar")
        send(doors, f"{LIST}/bulk?code={one.code}", act="tag", with_tag=tag, mark=look.hidden["mark"])
        doors.write(SLUG, broken)
        many.go_on(crew)
        assert site.database.read(deciding_many.pending) is None
        doors.write(SLUG, lambda db: db.execute(update(table(User)).values(disabled=False)))
        assert box(doors.page(f"{LIST}?tag={tag}", "registrar")) == []
