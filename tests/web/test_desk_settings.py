"""The settings in a browser's place: saved, looked at unwritten, taken back; and a forum that is not public."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from app.accounts.rules import Role
from app.editions.form import ForumFile
from app.registration.changing_settings import NAMES
from tests.cast import SLUG
from tests.doors import ELSEWHERE, Doors, Page, open_doors

SETTINGS = f"/desk/{SLUG}/settings"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("settings"), forum_file) as found:
        found.enrol("owner", Role.OWNER)
        found.enrol("elsewhere", Role.OWNER, slug=ELSEWHERE)
        yield found


def opened(doors: Doors, part: str, base: str = SETTINGS, by: str = "owner") -> dict[str, Any]:
    """The fields of a part's form as a browser would send them back."""
    page = doors.page(f"{base}/{part}", by)
    fields: dict[str, Any] = dict(page.hidden)
    for each in page.all("input"):
        kind, name = each.attributes.get("type"), each.attributes.get("name", "")
        if kind in {"checkbox", "radio"} and "checked" not in each.attributes:
            continue
        value = each.attributes.get("value", "")
        fields[name] = [*fields.get(name, []), value] if name == "languages" else value
    html = doors.get(f"{base}/{part}", by).text
    for name, inner in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n?(.*?)</textarea>', html, re.DOTALL):
        fields[name] = unescape(inner).replace("\n", "\r\n")
    for name, inner in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', html, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', inner)
        fields[name] = chosen[1] if chosen else ""
    return fields


def send(doors: Doors, part: str, fields: dict[str, Any], act: str = "save", **changes: str) -> Any:
    return doors.post(f"{SETTINGS}/{part}", "owner", {**fields, **changes, "act": act})


@pytest.mark.parametrize("part", NAMES)
def test_a_part_saved_as_it_was_opened_changes_nothing(doors: Doors, part: str) -> None:
    before = doors.rows()
    assert send(doors, part, opened(doors, part)).headers["location"] == f"{SETTINGS}?done=same"
    assert doors.rows() == before


def test_a_title_is_looked_at_saved_read_and_taken_back(doors: Doors) -> None:
    fields, before = opened(doors, "words"), doors.rows()
    former = fields["title_en"]
    look = send(doors, "words", fields, "look", title_en="As <it> would be")
    frames = [unescape(frame) for frame in re.findall(r'srcdoc="([^"]*)"', look.text)]
    assert look.status_code == 200
    assert len(frames) == 4, "two languages on two widths"
    assert all("As &lt;it&gt; would be" in frame for frame in frames)
    assert {re.search('<html lang="(..)"', frame)[1] for frame in frames} == {"en", "km"}  # type: ignore[index]
    assert all("allow-scripts" not in tag for tag in re.findall("<iframe[^>]*sandbox[^>]*>", look.text))
    assert doors.rows() == before, "nothing is written"
    assert former in doors.get(f"/en/{SLUG}").text
    assert Page(look.text).one("input", name="title_en").attributes["value"] == "As <it> would be"
    assert send(doors, "words", fields, title_en="As it is now").status_code == 303
    assert "As it is now" in doors.get(f"/en/{SLUG}?anew").text
    stale = send(doors, "words", fields, title_en="Mine")
    assert stale.status_code == 409
    assert "As it is now" in Page(stale.text).one("section", id="theirs").text
    assert Page(stale.text).one("input", name="title_en").attributes["value"] == "Mine"
    page = doors.page(SETTINGS, "owner")
    number = page.all("input", name="number")[0].attributes["value"]
    undo = {"form": page.hidden["form"], "act": "undo", "number": number}
    assert doors.post(f"{SETTINGS}/words", "owner", undo).headers["location"] == f"{SETTINGS}?done=taken_back"
    assert former in doors.get(f"/en/{SLUG}?back").text
    assert doors.post(f"{SETTINGS}/words", "owner", undo).status_code == 409
    assert doors.post(f"{SETTINGS}/place", "owner", undo).status_code == 404
    assert doors.post(f"/desk/{ELSEWHERE}/settings/words", "elsewhere", {**undo}).status_code in {404, 422}


@pytest.mark.parametrize(
    ("part", "field", "typed", "place"),
    [
        ("words", "title_km", "", "title_en"),
        ("words", "about_en", "x" * 7001, "about_en"),
        ("dates", "starts_on", "soon", "starts_on"),
        ("dates", "ends_on", "", "ends_on"),
        ("dates", "ends_on", "2030-01-01", "ends_on"),
        ("place", "latitude", "north", "latitude"),
        ("place", "longitude", "", "latitude"),
        ("contact", "office_email", "nobody", "office_email"),
        ("topics", "aim-1-number", "none", "aim-1-number"),
        ("topics", "aim-2_km", "", "aim-2_en"),
        ("topics", "track-1-theme-1-slug", "Not an address", "track-1-theme-1-slug"),
        ("topics", "track-1-colour", "pink", "track-1-colour"),
        ("groups", "STU-letter", "ab", "STU-letter"),
        ("groups", "STU-band", "pink", "STU-band"),
        ("groups", "STU-name_en", "", "STU-name_en"),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_kept(
    doors: Doors, part: str, field: str, typed: str, place: str
) -> None:
    fields, before = opened(doors, part), doors.rows()
    for act in ("save", "look"):
        if (part, typed, act) == ("dates", "2030-01-01", "look"):
            continue  # the day of the purge is looked at where it is saved
        answer = send(doors, part, fields, act, **{field: typed})
        assert answer.status_code == 422, act
        assert f"{place}-fault" in Page(answer.text).ids
    assert doors.rows() == before


def test_topics_are_looked_at_on_the_page_of_themes_too(doors: Doors) -> None:
    look = send(doors, "topics", opened(doors, "topics"), "look", **{"track-1-theme-1-title_en": "Seas"})
    frames = [unescape(frame) for frame in re.findall(r'srcdoc="([^"]*)"', look.text)]
    assert ["Seas" in frame for frame in frames] == [True, True, False, False] * 2


def test_groups_are_worded_looked_at_and_taken_back(doors: Doors) -> None:
    fields = opened(doors, "groups")
    look = send(doors, "groups", fields, "look", **{"STU-name_en": "Learners"})
    frames = [unescape(frame) for frame in re.findall(r'srcdoc="([^"]*)"', look.text)]
    assert ["Learners" in frame for frame in frames] == [True, True, False, False] * 2, "the first page and the groups'"
    assert send(doors, "groups", fields, **{"STU-name_en": "Learners"}).status_code == 303
    assert "Learners" in doors.get(f"/en/{SLUG}/register").text
    twice = send(doors, "groups", opened(doors, "groups"), **{"STU-letter": fields["PARL-letter"]})
    assert twice.status_code == 422
    page = doors.page(SETTINGS, "owner")
    number = page.all("input", name="number")[0].attributes["value"]
    undo = {"form": page.hidden["form"], "act": "undo", "number": number}
    assert doors.post(f"{SETTINGS}/groups", "owner", undo).status_code == 303
    assert "Learners" not in doors.get(f"/en/{SLUG}/register").text


def test_a_forum_that_is_not_public_is_not_there_for_anybody_but_its_desk_and_secret_links(doors: Doors) -> None:
    one = doors.register()
    paths = {path for method, path in doors.routes if method == "GET" and path.startswith("/{lang}/{forum}")}
    filled = {"lang": "en", "forum": SLUG, "day": "2027-03-23", "slug": "traditional-and-non-traditional"}
    public = [re.sub(r"\{(\w+)(?::\w+)?\}", lambda m: filled.get(m[1], "D1-02"), path) for path in sorted(paths)]
    public += [f"/en/{SLUG}/register/stu", f"/sitemaps/{SLUG}.xml"]
    assert len(public) > 25
    assert doors.get(f"/en/{SLUG}").status_code == 200
    fields = opened(doors, "standing")
    fields.pop("public")
    assert send(doors, "standing", fields).status_code == 303
    try:
        for address in public:
            answer = doors.get(f"{address}?hidden")
            assert answer.status_code == 404, address
            assert "Security Cooperation" not in answer.text, address
        assert SLUG not in doors.get("/sitemap.xml").text
        assert SLUG not in doors.get("/").headers.get("location", "")
        assert doors.get(f"/en/my/{one.secret}").status_code == 200
        assert "not open to the public" in doors.page(SETTINGS, "owner").text
        assert doors.post(f"/en/{SLUG}/register/stu", "", {}).status_code == 404
    finally:
        assert send(doors, "standing", opened(doors, "standing"), public="yes").status_code == 303
    assert doors.get(f"/en/{SLUG}?there").status_code == 200
