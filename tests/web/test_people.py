"""Through the doors: an assistant's choice, companions, letters, and two registrations that are one person's."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from app.accounts.actor import Actor
from app.editions.form import ForumFile
from app.kit.i18n import Lang, text_of
from app.registration.picking import put_picks
from tests.cast import BOPHA, NOW, SLUG, fields, the_forum
from tests.doors import COMPANION, Doors, open_doors

LETTER = {"kind": "visa", "language": "en", "passport_name": "HENG RITH", "nationality": "KH"}


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("people"), forum_file, FORM_MIN_SECONDS="0") as found:
        found.enrol("owner", site_owner=True)
        yield found


def send(doors: Doors, page: str, to: str = "", by: str = "", **sent: Any) -> Any:
    return doors.post(to or page, by, {"form": doors.seal(page, by), **sent})


# ---- whom one registers


def test_who_registers_somebody_else_is_asked_who_they_are(doors: Doors):
    address = f"/en/{SLUG}/register/gov"
    typed = {**fields(BOPHA), "for_whom": "other", "assistant_name": ""}
    answer = send(doors, address, **typed)
    assert answer.status_code == 422
    assert "Please give your own name, as the assistant." in answer.text
    assert 'value="other" checked' in answer.text, "the choice is kept"
    assert BOPHA.name_km in answer.text, "and what was typed"


def test_a_name_left_in_the_assistants_field_is_dropped_where_one_registers_oneself(doors: Doors):
    typed = {**fields(BOPHA, email="herself@ministry.example"), "for_whom": "self", "assistant_name": "Left over"}
    answer = send(doors, f"/en/{SLUG}/register/gov", **typed)
    assert answer.status_code == 200
    assert "Left over" not in doors.get(f"/desk/{SLUG}/registrations?q=herself", "owner").text


def test_ministries_and_provinces_are_offered_in_the_readers_language_and_any_other_is_taken(doors: Doors):
    english, khmer = (doors.page(f"/{lang}/{SLUG}/register/stu") for lang in ("en", "km"))
    offered = {option.attributes["value"] for option in english.all("option")}
    assert {"Senate", "Ministry of Interior", "Phnom Penh Capital Administration"} <= offered
    assert sum("Provincial Administration" in each for each in offered) == 24
    assert "រដ្ឋបាលខេត្តសៀមរាប" in {option.attributes["value"] for option in khmer.all("option")}
    assert english.one("input", name="institution").attributes["list"] == "institutions"
    free = {**fields(BOPHA, email="free@text.example", institution="An office in no list"), "for_whom": "self"}
    assert send(doors, f"/en/{SLUG}/register/gov", **free).status_code == 200


def test_names_are_written_in_the_order_their_owner_stated(doors: Doors):
    for order, listed in (("", "MOHAMED Sales"), ("family", "MOHAMED Sales"), ("given", "Sales MOHAMED")):
        one = doors.register("STU", family_name="Mohamed", given_name="Sales", name_km="", name_order=order)
        page = doors.page(f"/desk/{SLUG}/registrations/{one.code}", "owner")
        assert page.one("h1").text == listed
        own = doors.page(f"/en/my/{one.secret}").one("h1").text
        assert own == ("Mohamed Sales" if order == "family" else "Sales Mohamed")


def test_whoever_attends_in_a_private_capacity_has_no_institution_in_the_list(doors: Doors):
    doors.register("STU", family_name="Quietly", institution="A ministry of note", attends_as="private")
    shown = doors.get(f"/desk/{SLUG}/registrations?q=quietly", "owner").text
    assert "QUIETLY" in shown
    assert "A ministry of note" not in shown


# ---- companions


def test_a_companion_is_added_seen_and_taken_off(doors: Doors):
    one = doors.confirmed(family_name="Bringing")
    address = f"/en/my/{one.secret}/companions"
    added = send(doors, address, category=COMPANION, family_name="Lim", given_name="Thida", phone="០៨៨ ១២៣ ៤៥៦៧")
    assert (added.status_code, added.headers["location"]) == (303, f"{address}?done=added")
    page = doors.page(address)
    assert "Thida Lim" in page.text
    (code,) = [form.attributes["action"].split("/")[-2] for form in page.all("form") if "removal" in str(form)]
    desk = doors.get(f"/desk/{SLUG}/registrations/{code}", "owner").text
    assert "+855 88 123 4567" in desk
    assert f"/registrations/{one.code}" in desk, "it says whom they come with"
    assert "A badge outside the hall was given" in desk
    assert send(doors, address, f"{address}/{code}/removal").status_code == 303
    assert "Thida" not in doors.page(address).text


def test_a_companion_without_a_name_is_refused_with_what_was_typed(doors: Doors):
    one = doors.confirmed()
    answer = send(doors, f"/en/my/{one.secret}/companions", category=COMPANION, titles="Dr.", phone="12")
    assert answer.status_code == 422
    assert 'value="Dr."' in answer.text
    assert answer.text.count('class="fault"') == 2


def test_nobody_brings_somebody_before_their_own_seat_is_final(doors: Doors):
    one = doors.register("STU")
    assert "/companions" not in "".join(doors.page(f"/en/my/{one.secret}").links)
    assert "as soon as you have a seat" in doors.page(f"/en/my/{one.secret}/companions").text


@pytest.mark.parametrize(("page", "words"), [("cancellation", "ends with you;"), ("erasure", "is erased with you;")])
def test_who_gives_up_is_told_who_ends_with_them(doors: Doors, page: str, words: str):
    one, alone = doors.confirmed(), doors.confirmed()
    doors.companion(one, family_name="Lim", given_name="Thida")
    doors.companion(one, family_name="Nou", given_name="Kiri", category="DRV")
    shown = doors.page(f"/en/my/{one.secret}/{page}")
    for said in (words, "Thida Lim · Interpreters", "Kiri Nou · Drivers"):
        assert said in shown.text
    assert words not in doors.page(f"/en/my/{alone.secret}/{page}").text
    assert "ប័ណ្ណទាំងនេះនឹងទៅអ្នកដទៃភ្លាម" in doors.page(f"/km/my/{one.secret}/{page}").text


@pytest.mark.parametrize(("category", "along"), [("acc", True), ("intp", True), ("drv", True), ("staff", False)])
def test_who_comes_along_is_told_that_a_participant_adds_them(doors: Doors, category: str, along: bool):
    shown = doors.page(f"/en/{SLUG}/register/{category}").text
    assert ("adds them on the own page" in shown) is along
    assert ("Invitations come from the secretariat" in shown) is not along


# ---- letters


@pytest.mark.parametrize("language", ["en", "km"])
@pytest.mark.parametrize("kind", ["visa", "invitation"])
def test_a_letter_is_asked_for_and_fetched_as_a_pdf(doors: Doors, kind: str, language: str):
    one = doors.confirmed(attends_as="private", institution="A ministry of note")
    address = f"/km/my/{one.secret}/letters"
    assert send(doors, address, **{**LETTER, "kind": kind, "language": language}).status_code == 303
    (link,) = [href for href in doors.page(address).links if href.endswith(".pdf")]
    answer = doors.get(link)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.content.startswith(b"%PDF-")
    assert answer.headers["cache-control"] == "private, no-store"
    assert f'-{kind}-{language}.pdf"' in answer.headers["content-disposition"]
    assert doors.get(link).content == answer.content, "the same each time"
    desk = [href for href in doors.page(f"/desk/{SLUG}/letters", "owner").links if href.endswith(link.split("/")[-1])]
    assert doors.get(desk[0], "owner").content == answer.content, "and the same at the desk"


def test_what_was_typed_for_a_letter_stays_where_something_is_wrong(doors: Doors):
    one = doors.confirmed()
    sent = {**LETTER, "passport_name": "ហេង ឫទ្ធិ", "passport_number": "N1234567"}
    answer = send(doors, f"/en/my/{one.secret}/letters", **sent)
    assert answer.status_code == 422
    assert "in Latin letters." in answer.text
    assert 'value="N1234567"' in answer.text


def test_a_letter_of_one_person_is_not_found_by_another_nor_after_the_seat_is_given_up(doors: Doors):
    one, other = doors.confirmed(), doors.confirmed()
    code = doors.letter(one)
    assert doors.get(f"/en/my/{other.secret}/letters/{code}.pdf").status_code == 404
    assert doors.get(f"/en/my/{one.secret}/letters/{code}.pdf").status_code == 200
    send(doors, f"/en/my/{one.secret}/cancellation", f"/en/my/{one.secret}/cancellation")
    assert doors.get(f"/en/my/{one.secret}/letters/{code}.pdf").status_code == 404


# ---- two registrations of one person


def test_two_registrations_are_compared_and_joined_and_the_old_link_says_so(doors: Doors):
    names = {"family_name": "Twice", "given_name": "Told", "name_km": ""}
    kept, dropped = doors.register("STU", **names), doors.register("STU", **{**names, "family_name": "TWICE"})
    listed = doors.page(f"/desk/{SLUG}/duplicates", "owner")
    address = f"/desk/{SLUG}/duplicates/{kept.code}/{dropped.code}"
    assert address in listed.links
    for one, chosen in ((kept, {"D1-07"}), (dropped, {"D1-08", "D2-04"})):
        by = Actor.participant(one.id)
        doors.write(SLUG, lambda db, o=one, c=chosen, by=by: put_picks(db, by, the_forum(db), o.code, c, None, now=NOW))
    page = doors.page(address, "owner")
    for expected in ("Comes along", "Sessions at the time of one kept, given back", "There is no way back"):
        assert expected in page.text
    editions = {name: value for name, value in page.hidden.items() if name.startswith("edition-")}
    stale = {**editions, f"edition-picks-{dropped.code}": "0"}
    assert send(doors, address, f"{address}/merge", "owner", keep=kept.code, **stale).status_code == 409
    answer = send(doors, address, f"{address}/merge", "owner", keep=kept.code, **editions)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/desk/{SLUG}/duplicates?done=merged")
    own = doors.page(f"/en/my/{dropped.secret}")
    assert "was joined with another one" in own.text
    assert kept.secret not in own.html, "the old link does not lead to the page of the kept one"
    assert doors.state(kept) == "seated"
    assert (
        f"/desk/{SLUG}/registrations/{kept.code}"
        in doors.page(f"/desk/{SLUG}/registrations/{dropped.code}", "owner").links
    )
    again = send(doors, f"/desk/{SLUG}/duplicates/{kept.code}/{dropped.code}", f"{address}/merge", "owner", keep="X")
    assert again.status_code == 422


def test_whoever_looks_alike_stands_once_in_a_group_and_the_menu_leads_there(doors: Doors):
    same = {"family_name": "Thrice", "given_name": "Told", "name_km": ""}
    three = [doors.register("STU", **same) for _ in range(3)]
    page = doors.page(f"/desk/{SLUG}/duplicates", "owner")
    for one in three:
        assert page.html.count(f'href="/desk/{SLUG}/registrations/{one.code}"') == 1
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert f"/desk/{SLUG}/duplicates/{three[one].code}/{three[other].code}" in page.links
    assert "registrations that look alike" in page.text
    menu = doors.page(f"/desk/{SLUG}", "owner").one("nav", class_="menu")
    assert {"Duplicates", "Letters"} <= set(menu.text.split())


def test_a_change_while_one_compares_is_not_overrun(doors: Doors):
    kept, dropped = doors.register("STU"), doors.register("STU")
    address = f"/desk/{SLUG}/duplicates/{kept.code}/{dropped.code}"
    stale = {f"edition-{kept.code}": "1", f"edition-{dropped.code}": "0"}
    answer = send(doors, address, f"{address}/merge", "owner", keep=kept.code, **stale)
    assert answer.status_code == 409
    assert doors.state(dropped) == "seated"


def test_a_pair_said_to_be_two_people_does_not_come_back(doors: Doors):
    names = {"family_name": "Common", "given_name": "Name", "name_km": ""}
    one, other = doors.register("STU", **names), doors.register("STU", **names)
    address = f"/desk/{SLUG}/duplicates/{one.code}/{other.code}"
    assert address in doors.page(f"/desk/{SLUG}/duplicates", "owner").links
    assert send(doors, address, f"{address}/difference", "owner").status_code == 303
    assert address not in doors.page(f"/desk/{SLUG}/duplicates", "owner").links


@pytest.mark.parametrize("pairs", [1, 3])
def test_lists_take_as_many_queries_for_three_as_for_one(
    tmp_path: Path, loaded_file: Path, forum_file: ForumFile, pairs: int
):
    with open_doors(loaded_file, tmp_path, forum_file) as doors:
        doors.enrol("owner", site_owner=True)
        one = doors.confirmed()
        for number in range(pairs):
            for _ in range(2):
                doors.register("STU", family_name=f"Pair{number}", name_km="")
            doors.companion(one)
            doors.letter(one)
        seen: list[str] = []
        engine = doors.site.database.read_engine
        event.listen(engine, "before_cursor_execute", lambda _c, _k, said, *_rest: seen.append(said))
        counted = []
        for address, by in (
            (f"/desk/{SLUG}/duplicates", "owner"),
            (f"/desk/{SLUG}/letters", "owner"),
            (f"/en/my/{one.secret}/companions", ""),
            (f"/en/my/{one.secret}/letters", ""),
        ):
            seen.clear()
            assert doors.get(address, by).status_code == 200
            counted.append(sum(said.startswith("SELECT") for said in seen))
    assert counted == [5, 4, 12, 11]


# ---- the country is said, not guessed


@pytest.mark.parametrize("lang", ["en", "km"])
def test_no_form_says_of_anybody_from_which_country_they_are(doors: Doors, lang: str):
    invited, one = doors.invite(), doors.confirmed(country="KH")
    forms = [(f"/{lang}/{SLUG}/register/stu", "", "country"), (f"/desk/{SLUG}/registrations/new", "owner", "country")]
    forms += [(f"/{lang}/invitations/{invited.secret}/registration", "", "country")]
    forms += [(f"/{lang}/my/{one.secret}/letters", "", "nationality")]
    for address, by, name in forms:
        shown = doors.get(address, by).text.split(f'<select id="{name}"')[1].split("</select>")[0]
        assert "selected" not in shown, address
        assert '<option value="">' in shown, address


def test_the_country_one_said_stands_on_the_own_page(doors: Doors):
    said, unsaid = doors.register("STU", country="FR"), doors.register("STU", country="")
    shown = {one.secret: doors.get(f"/en/my/{one.secret}").text for one in (said, unsaid)}
    assert "<dt>Country</dt><dd>France</dd>" in shown[said.secret]
    assert "<dt>Country</dt>" not in shown[unsaid.secret]


def test_a_letter_for_a_visa_needs_the_nationality_and_its_label_does_not_say_otherwise(doors: Doors):
    one = doors.confirmed()
    address = f"/en/my/{one.secret}/letters"
    label = doors.get(address).text.split('<label for="nationality">')[1].split("</label>")[0]
    assert label == "Nationality"
    answer = send(doors, address, **{**LETTER, "nationality": ""})
    assert answer.status_code == 422
    assert 'id="nationality-fault"' in answer.text
    assert send(doors, address, **{**LETTER, "kind": "invitation", "nationality": ""}).status_code == 303


@pytest.mark.parametrize("lang", ["en", "km"])
def test_beside_each_field_of_the_form_stands_why_it_is_asked(doors: Doors, lang: Lang):
    form = doors.get(f"/{lang}/{SLUG}/register/stu").text
    for name in ("titles", "name_order", "institution", "position_title", "country", "phone"):
        field = form.split(f'<label for="{name}"')[1].split("<label")[0]
        hint = field.split(f'id="{name}-hint">')[1].split("</p>")[0]
        reason = ("For ", "So that ") if lang == "en" else ("សម្រាប់", "ដើម្បី")
        assert hint.startswith(reason), (name, hint)
        assert f'aria-describedby="{name}-hint"' in field
    who = form.split("family_name")[0]
    assert text_of(lang, "registration.form.who_why") in who, "and of the names, above them"


def summary(answer: Any) -> list[str]:
    """The lines on top of a refused form."""
    top = answer.text.split('id="errors">')[1].split("</div>")[0]
    return [re.sub(r"<[^>]+>", "", line).strip() for line in re.findall(r"<li>(.*?)</li>", top, re.DOTALL)]


def test_on_top_of_each_form_every_fault_says_which_field_it_is_of(doors: Doors):
    typed = {**fields(BOPHA, email="nonsense", phone="x"), "for_whom": "self", "consent": ""}
    told = summary(send(doors, f"/en/{SLUG}/register/gov", **typed))
    assert {line.split(": ")[0] for line in told} >= {"E-mail address", "Telephone"}
    assert any(line.startswith("I agree that the organisers") for line in told)
    new = f"/desk/{SLUG}/registrations/new"
    desk = summary(send(doors, new, by="owner", email="a@b.example", family_name="X", language="en", consent="yes"))
    assert desk == ["Group: Please choose one."]
    one = doors.confirmed()
    letter = summary(send(doors, f"/en/my/{one.secret}/letters", passport_name="HENG RITH", birth_date="soon"))
    assert letter == [
        "Date of birth: Please give a date: day, month and year.",
        "Which letter? Please choose one.",
        "In which language? Please choose one.",
    ]
    visa = summary(send(doors, f"/km/my/{one.secret}/letters", **{**LETTER, "nationality": ""}))
    assert visa == ["សញ្ជាតិ៖ សូមជ្រើសរើសមួយ។"]
    companion = summary(send(doors, f"/en/my/{one.secret}/companions", category="", family_name="Lim"))
    assert companion == ["Comes as: Please choose one."]


# ---- many of them, so these come last


def test_the_groups_of_duplicates_come_twenty_to_a_page(doors: Doors):
    for number in range(21):
        for _ in range(2):
            doors.register("STU", family_name=f"Paged{number}", given_name="", name_km="")
    first = doors.page(f"/desk/{SLUG}/duplicates", "owner")
    assert len(first.all("tbody", class_="group")) == 20
    (on,) = [link for link in first.links if "/duplicates?after=" in link]
    rest = doors.page(on, "owner")
    assert 1 <= len(rest.all("tbody", class_="group")) < 20
    assert f"/desk/{SLUG}/duplicates" in rest.links
    both = {row.text for page in (first, rest) for row in page.all("span", class_="code")}
    assert len(both) >= 42
