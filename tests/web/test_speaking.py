"""A speaker's own page, and the desk's pages about speakers, in a browser's place."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.editions.form import ForumFile
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.i18n import text_of
from app.programme.drafting import states_of
from app.programme.editing import change
from app.programme.inputs import AppearanceInput
from app.programme.publishing import publish
from tests.cast import NOW, SLUG, the_forum
from tests.doors import ELSEWHERE, Doors, Page, Speaking, open_doors

OPERATOR = Actor.operator()
DESK = f"/desk/{SLUG}"
CLOSED = "C-01"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("speaking"), forum_file) as found:
        found.enrol("owner", Role.OWNER)
        found.enrol("editor", Role.PROGRAMME_EDITOR)
        found.enrol("leaving", Role.VIEWER)
        yield found


def speak(doors: Doors, one: Speaking, code: str, role: str = "speaker", *, public: bool = False) -> None:
    """The speaker is in this session of the working copy, and of a version where that is asked for."""

    def deed(db: Db) -> None:
        forum = the_forum(db)
        (state,) = states_of(db, forum_id(forum), code=code).values()
        people = (*state.draft.people, AppearanceInput.model_validate({"speaker": one.code, "role": role}))
        draft = state.draft.model_copy(update={"people": people})
        change(db, OPERATOR, forum, code, draft, edition=state.edition, now=NOW, reason="For the test")
        if public:
            publish(db, OPERATOR, forum, now=NOW, reason="For the test")

    doors.write(SLUG, deed)


def send(doors: Doors, page: str, tail: str, by: str = "", **fields: str) -> Any:
    return doors.post(f"{page}{tail}", by, {"form": doors.seal(page, by), **fields})


def page_of(one: Speaking, lang: str = "en") -> str:
    return f"/{lang}/speaking/{one.secret}"


def fetched(doors: Doors, address: str) -> Any:
    """A calendar as it is after the second for which it is remembered."""
    doors.site.recent.seconds = 0
    return doors.get(address)


def uids(answer: Any) -> list[str]:
    return re.findall(r"^UID:(.+)\r$", answer.text, re.MULTILINE)


# ---- the speaker's own page


def test_the_page_is_for_nobody_else_and_is_kept_by_nobody(doors: Doors) -> None:
    answer = doors.get(page_of(doors.speaker()))
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert '<meta name="robots" content="noindex">' in answer.text
    assert doors.get(f"/en/speaking/{'a' * 32}").status_code == 404


@pytest.mark.parametrize("lang", ["en", "km"])
def test_a_speaker_sees_their_own_sessions_closed_and_unpublished_ones_too_and_no_others(
    doors: Doors, lang: Any
) -> None:
    one, another = doors.speaker(), doors.speaker()
    speak(doors, one, CLOSED, "chair")
    with doors.site.database.reading() as db:
        title = states_of(db, forum_id(the_forum(db)), code=CLOSED).popitem()[1].draft.title.of(lang)
    mine, theirs = doors.page(page_of(one, lang)), doors.page(page_of(another, lang))
    assert title in mine.text
    assert text_of(lang, "speakers.closed.text") in mine.text
    assert text_of(lang, "programme.role.chair", n=1) in mine.text
    assert title not in theirs.text
    assert text_of(lang, "speakers.sessions_open") in theirs.text
    assert not [href for href in mine.links if href.endswith(f"/programme/{CLOSED}")], "the public has no such page"


def test_yes_may_become_no_and_the_desk_reads_the_word(doors: Doors) -> None:
    one = doors.speaker()
    page = page_of(one)
    assert send(doors, page, "/acceptance", note="With pleasure").headers["location"] == f"{page}?done=accepted"
    assert "With pleasure" in doors.page(f"{DESK}/speakers/{one.code}", "editor").text
    assert not doors.page(page).all("form", action=f"{page}/acceptance")
    assert send(doors, page, "/refusal", note="Abroad then").status_code == 303
    assert text_of("en", "speakers.own.state.declined") in doors.page(page).text


def test_a_form_of_another_speakers_page_is_refused_and_what_was_typed_is_kept(doors: Doors) -> None:
    one, other = doors.speaker(), doors.speaker()
    stolen = {"form": doors.seal(page_of(other)), "note": "In your place"}
    refused = doors.post(f"{page_of(one)}/acceptance", fields=stolen)
    assert refused.status_code == 422
    assert "In your place" in Page(refused.text).one("textarea", id="note").text


def test_words_and_times_are_kept_and_shown_again(doors: Doors) -> None:
    one = doors.speaker(announced="yes")
    page = page_of(one)
    assert send(doors, page, "/bio", bio_en="Writes.\r\nReads.", bio_km="").status_code == 303
    assert send(doors, page, "/availability", away="2027-03-24.evening", away_note="Flies").status_code == 303
    shown = doors.page(page)
    assert shown.one("textarea", id="bio_en").attributes["lang"] == "en"
    assert "Writes." in shown.text
    assert [box.attributes["value"] for box in shown.all("input", name="away") if "checked" in box.attributes] == [
        "2027-03-24.evening"
    ]
    assert "Flies" in doors.page(f"{DESK}/speakers/{one.code}", "owner").text
    assert send(doors, page, "/availability", away="2027-04-01.morning").status_code == 422
    long = send(doors, page, "/bio", bio_en="x" * 4001)
    assert Page(long.text).all("p", id="bio_en-fault")


def test_after_erasing_the_answer_says_so_and_every_link_is_dead(doors: Doors) -> None:
    one = doors.speaker(announced="yes")
    page = page_of(one)
    asked = doors.page(f"{page}/erasure")
    done = doors.post(f"{page}/erasure", fields={"form": asked.hidden["form"]})
    assert text_of("en", "speakers.own.erased") in Page(done.text).one("h1").text
    assert {doors.get(address).status_code for address in (page, f"/calendars/{one.feed}.ics")} == {404}


# ---- calendars


def test_a_speakers_calendar_holds_their_published_sessions_closed_ones_too(doors: Doors) -> None:
    one = doors.speaker()
    address = f"/calendars/{one.feed}.ics"
    speak(doors, one, "D2-04")
    assert uids(doors.get(address)) == [], "nothing unpublished"
    speak(doors, one, CLOSED, public=True)
    answer = fetched(doors, address)
    assert len(uids(answer)) == 2
    assert answer.headers["cache-control"].startswith("private")
    assert "ATTENDEE" not in answer.text
    send(doors, page_of(one), "/refusal")
    empty = fetched(doors, address)
    assert (empty.status_code, uids(empty)) == (200, []), "who does not come keeps an empty calendar"


def test_a_speakers_calendar_is_offered_every_way_and_can_be_given_another_address(doors: Doors) -> None:
    one = doors.speaker()
    page = page_of(one)
    links = doors.page(page).links
    for way in (
        "webcal://",
        "https://calendar.google.com/",
        "https://outlook.live.com/",
        "https://outlook.office.com/",
    ):
        assert [one.feed in link for link in links if link.startswith(way)] == [True], way
    assert send(doors, page, "/calendar").headers["location"] == f"{page}?done=calendar"
    assert fetched(doors, f"/calendars/{one.feed}.ics").status_code == 404
    (fresh,) = [link for link in doors.page(page).links if link.startswith("/calendars/")]
    assert doors.get(fresh).status_code == 200


def test_an_organisers_calendar_holds_everything_published_as_long_as_they_see_the_desk(doors: Doors) -> None:
    page = f"{DESK}/calendar"
    assert send(doors, page, "/renewal", "leaving").headers["location"] == f"{page}?done=made"
    (address,) = [link for link in doors.page(page, "leaving").links if link.startswith("/calendars/")]
    public, mine = doors.get(f"/en/{SLUG}/calendar.ics"), doors.get(address)
    assert set(uids(public)) < set(uids(mine))
    assert send(doors, page, "/renewal", "leaving").status_code == 303
    assert fetched(doors, address).status_code == 404, "renewed"
    (address,) = [link for link in doors.page(page, "leaving").links if link.startswith("/calendars/")]
    assert doors.get(address).status_code == 200
    assert not [link for link in doors.page(page, "owner").links if link.startswith("/calendars/")], "one's own alone"
    leave(doors, "leaving")
    assert fetched(doors, address).status_code == 404, "who has left the desk reads it no more"


def leave(doors: Doors, name: str) -> None:
    from sqlalchemy import delete, select

    from app.accounts.models import User
    from app.forum.models import RoleGrant
    from app.kit.db import table

    users, grants = table(User), table(RoleGrant)
    who = select(users.c.id).where(users.c.email == f"{name}@desk.example")
    doors.write(SLUG, lambda db: db.execute(delete(grants).where(grants.c.user_id.in_(who))))


def test_an_organisers_calendar_ends_when_they_say_so(doors: Doors) -> None:
    page = f"{DESK}/calendar"
    send(doors, page, "/renewal", "editor")
    (address,) = [link for link in doors.page(page, "editor").links if link.startswith("/calendars/")]
    assert send(doors, page, "/removal", "editor").headers["location"] == f"{page}?done=ended"
    assert doors.get(address).status_code == 404


# ---- the desk


def test_a_speaker_is_added_changed_and_removed_and_both_versions_stand_side_by_side(doors: Doors) -> None:
    fields = {"name_en": "Bopha", "function_en": "Minister", "function_km": "រដ្ឋមន្ត្រី", "language": "km"}
    made = send(doors, f"{DESK}/speakers/new", "", "editor", **fields)
    assert made.headers["location"] == f"{DESK}/speakers/minister?done=added"
    page = f"{DESK}/speakers/minister"
    opened = doors.page(page, "editor").hidden["edition"]
    assert send(doors, page, "", "editor", **{**fields, "country": "KH"}, edition=opened).status_code == 303
    late = send(doors, page, "", "editor", **{**fields, "name_en": "Chea Bopha"}, edition=opened)
    shown = Page(late.text)
    assert late.status_code == 409
    assert shown.one("input", id="name_en").attributes["value"] == "Chea Bopha"
    assert "Cambodia" in shown.one("section", id="theirs").text
    saved = send(doors, page, "", "editor", **{**fields, "name_en": "Chea Bopha"}, edition=shown.hidden["edition"])
    assert saved.headers["location"] == f"{page}?done=changed"
    assert send(doors, page, "/removal", "editor").headers["location"] == f"{DESK}/speakers?done=removed"
    assert doors.get(page, "editor").status_code == 404


def test_the_list_says_how_it_stands_with_each_and_what_is_not_public_yet(doors: Doors) -> None:
    one = doors.speaker(guest="yes", announced="yes")
    speak(doors, one, "D2-05")
    page = doors.page(f"{DESK}/speakers", "owner")
    for words in ("speakers.state.asked", "speakers.guest", "speakers.standing.new", "speakers.named"):
        assert text_of("en", words) in page.text
    assert "D2-05" in page.text
    assert "crowd.example" not in page.text, "addresses stand on the speaker's page alone"


def test_who_stands_in_a_session_cannot_be_removed(doors: Doors) -> None:
    one = doors.speaker()
    speak(doors, one, "D2-07", "rapporteur")
    page = f"{DESK}/speakers/{one.code}"
    assert not doors.page(page, "owner").all("form", action=f"{page}/removal")
    refused = send(doors, page, "/removal", "owner")
    assert refused.status_code == 422
    assert "D2-07" in Page(refused.text).one("div", id="errors").text


def test_the_link_is_shown_once_to_whom_may_see_it_and_opens_the_page(doors: Doors) -> None:
    one = doors.speaker()
    page = f"{DESK}/speakers/{one.code}"
    shown = Page(send(doors, page, "/link", "owner").text)
    address = shown.one("input", id="personal-link").attributes["value"]
    assert address.endswith(f"/en/speaking/{one.secret}")
    assert not doors.page(page, "editor").all("form", action=f"{page}/link")
    assert one.secret not in doors.page(page, "owner").html
    assert send(doors, page, "/renewal", "owner").headers["location"] == f"{page}?done=renewed"
    assert doors.get(page_of(one)).status_code == 404


def test_a_speaker_of_another_forum_is_not_found_here(doors: Doors) -> None:
    theirs = doors.speaker(slug=ELSEWHERE, code="theirs-alone")
    for tail in ("", "/photo.jpg"):
        assert doors.get(f"{DESK}/speakers/{theirs.code}{tail}", "owner").status_code == 404
    form = {"form": doors.page(f"{DESK}/calendar", "owner").hidden["form"]}
    for tail in ("", "/asking", "/link", "/renewal", "/withdrawal", "/removal", "/erasure", "/photo"):
        answer = doors.post(f"{DESK}/speakers/{theirs.code}{tail}", "owner", {**form, "sure": "yes", "drop": "yes"})
        assert answer.status_code == 404, tail
    assert doors.get(page_of(theirs)).status_code == 200


def test_a_name_that_is_not_announced_is_in_no_public_answer(doors: Doors) -> None:
    one = doors.speaker(name_en="Tellingname", name_km="ឈ្មោះប្រាប់", bio_en="Tellingbio")
    speak(doors, one, "D2-08", public=True)
    base = f"/en/{SLUG}"
    tails = ("", "/programme", "/programme/D2-08", "/programme?q=Tellingname", "/speakers", f"/speakers/{one.code}")
    tails += ("/programme.json", "/programme.xml", "/programme.csv", "/calendar.ics", f"/speakers/{one.code}.ics")
    tails += ("/programme/changes", "/programme/changes.atom", "/sessions/D2-08.ics")
    for tail in tails:
        answer = doors.get(f"{base}{tail}")
        assert answer.status_code == 200, tail
        assert "Tellingbio" not in answer.text, tail
        assert tail.endswith("q=Tellingname") or "Tellingname" not in answer.text, tail
    found = doors.page(f"{base}/programme?q=Tellingname")
    assert not found.all("article", class_="session"), "the search knows no name that is not announced"
    assert doors.page(f"{base}/speakers/{one.code}").one("h1").text.startswith("Speaker ")
