"""The programme at the desk: seen, moved, changed, refused with what was typed, taken back; and nobody's work lost."""

import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from app.accounts import signing_in
from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.editions.form import ForumFile
from app.editions.loading import load
from app.forum.queries import forum_id
from app.kit.pen import SITE
from app.programme.drafting import states_of
from app.programme.editing import create
from app.programme.remembering import State, recent
from app.web.cookies import LOGIN as COOKIE
from app.web.desk_session_form import fields_of
from app.web.site import Site
from tests.cast import DARA, NOW, SLUG, SOKHA, the_forum
from tests.conftest import Clock
from tests.programme.test_drafting import talk
from tests.programme.test_editing import timed
from tests.web.visits import DESK, make_link, seal_on, sign_in

PAGE = f"{DESK}/programme"
ONE = f"{PAGE}/sessions/D1-02"
FIELD = re.compile(r'<(input|select|textarea)[^>]*\bname="([\w-]+)"[^>]*>')


@pytest.fixture
def desk(client: TestClient, site: Site) -> TestClient:
    sign_in(client, site, Role.PROGRAMME_EDITOR)
    return client


def standing(site: Site, code: str = "D1-02") -> State:
    return next(iter(site.database.read(lambda db: states_of(db, forum_id(the_forum(db)), code=code)).values()))


def form(desk: TestClient, site: Site, code: str = "D1-02", **changes: Any) -> dict[str, Any]:
    """A session's form as the page shows it, with something typed in."""
    state = standing(site, code)
    fields = {**fields_of(state.draft, "Asia/Phnom_Penh"), "edition": str(state.edition)}
    return {**fields, "form": seal_on(desk.get(PAGE)), **{name.replace("__", "-"): v for name, v in changes.items()}}


def move(desk: TestClient, site: Site, code: str = "D1-02", **changes: str) -> Any:
    state = standing(site, code)
    sent = {"starts_at": "2027-03-23T09:15", "minutes": "30", "room": "grand-ballroom", "day": "2027-03-23"}
    sent |= {"edition": str(state.edition), "form": seal_on(desk.get(PAGE)), **changes}
    return desk.post(f"{PAGE}/sessions/{code}/place", data=sent)


def button(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form on a page that is sent to an address ending so."""
    found = re.search(rf'<form[^>]*action="([^"]*{action})"[^>]*>(.*?)</form>', page, re.DOTALL)
    assert found, action
    fields = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', found[2]))
    return {"to": found[1], **{name: unescape(value) for name, value in fields.items()}}


def press(desk: TestClient, page: str, action: str, **more: str) -> Any:
    fields = button(page, action)
    return desk.post(fields.pop("to"), data={**fields, **more})


def test_a_day_stands_as_a_timetable_with_its_closed_session_and_what_waits(desk: TestClient, site: Site) -> None:
    site.pen.write_now(SLUG, lambda db: create(db, Actor.operator(), the_forum(db), talk("T-01"), now=NOW))
    page = desk.get(PAGE).text
    assert 'id="s-C-01"' in page
    assert 'id="s-D2-01"' not in page
    assert page.index('id="s-T-01"') < page.index("data-rows"), "beside the timetable"
    assert "Not published yet" in page
    assert 'id="s-D2-01"' in desk.get(f"{PAGE}?day=2027-03-24").text
    assert desk.get(f"{PAGE}?day=2027-04-01").status_code == 404


def test_whoever_sees_the_desk_alone_sees_the_timetable_and_no_form(client: TestClient, site: Site) -> None:
    sign_in(client, site, Role.VIEWER, figure=DARA)
    page = client.get(PAGE).text
    assert 'id="s-C-01"' in page
    assert "/place" not in page
    assert "/sessions/D1-02" not in page
    assert client.get(ONE).status_code == 403
    for tail in ("sessions/D1-02/place", "sessions/D1-02/mark", "reasons"):
        assert (
            client.post(f"{PAGE}/{tail}", data={"form": seal_on(client.get(PAGE)), "minutes": "x"}).status_code == 403
        )


def test_a_move_by_the_plain_form_is_made_and_taken_back_by_the_button_it_leads_to(
    desk: TestClient, site: Site
) -> None:
    was = standing(site)
    answer = move(desk, site, starts_at="2027-03-24T06:00", minutes="45", room="mekong")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{PAGE}?day=2027-03-24&done=moved&edit=")
    assert standing(site).draft.room == "mekong"
    page = desk.get(answer.headers["location"]).text
    assert "The session was moved." in page
    assert "Changed since published" in page
    assert press(desk, page, r"edits/\d+/undo").headers["location"].startswith(f"{PAGE}?day=2027-03-23&done=brought")
    assert standing(site).draft == was.draft


def test_without_a_time_a_session_waits(desk: TestClient, site: Site) -> None:
    assert move(desk, site, starts_at="").headers["location"].startswith(f"{PAGE}?day=2027-03-23&done=moved")
    assert standing(site).draft.starts_at is None


def test_a_move_that_collides_says_with_what_and_goes_through_with_a_reason_that_is_shown(
    desk: TestClient, site: Site
) -> None:
    answer = move(desk, site, starts_at="2027-03-23T08:30")
    assert answer.status_code == 422
    assert "D1-01" in answer.text
    assert "are in Grand Ballroom at the same time" in answer.text
    assert 'value="2027-03-23T08:30"' in answer.text
    assert move(desk, site, starts_at="2027-03-23T08:30", reason="A <duet>").status_code == 303
    page = desk.get(PAGE).text
    assert "A &lt;duet&gt;" in page
    assert "May stand" in page
    fields = button(page.split('id="conflicts"')[1], "reasons")
    to = fields.pop("to")
    assert desk.post(to, data={**fields, "reason": ""}).headers["location"].endswith("done=unexplained#conflicts")
    assert "Conflict</span>" in desk.get(PAGE).text
    assert desk.post(to, data={**fields, "codes": "D1-01 D1-07", "reason": "x"}).status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"starts_at": "soon"},
        {"minutes": "0"},
        {"minutes": "many"},
        {"room": "no-such-room"},
        {"room": "../x"},
        {"day": "x"},
        {"reason": "x" * 201},
    ],
)
def test_a_move_that_cannot_be_is_refused_with_what_was_typed(
    desk: TestClient, site: Site, changes: dict[str, str]
) -> None:
    was = standing(site)
    answer = move(desk, site, **changes)
    assert answer.status_code == 422
    assert standing(site) == was


def test_the_second_of_two_who_move_a_session_sees_where_it_stands(desk: TestClient, site: Site) -> None:
    edition = str(standing(site).edition)
    move(desk, site, starts_at="2027-03-24T06:00")
    answer = move(desk, site, starts_at="2027-03-24T05:00", edition=edition)
    assert answer.status_code == 409
    assert "06:00–06:30" in answer.text
    assert 'value="2027-03-24T05:00"' in answer.text
    assert press(desk, answer.text, "place", starts_at="2027-03-24T05:00", minutes="30").status_code == 303


def test_the_form_shows_what_stands_and_saved_as_it_is_changes_nothing(desk: TestClient, site: Site) -> None:
    page = desk.get(ONE).text
    assert {"title_en", "title_km", "person-1", "role-4", "attribution"} <= {m[1] for m in FIELD.findall(page)}
    was = standing(site)
    assert desk.post(ONE, data=form(desk, site)).headers["location"] == f"{ONE}?done=as_before"
    assert standing(site) == was


def test_boxes_keep_the_order_that_stood_and_paragraphs_their_breaks(desk: TestClient, site: Site) -> None:
    address, was = f"{PAGE}/sessions/D1-08", standing(site, "D1-08").draft
    assert was.spoken == ("km", "en")
    typed = form(desk, site, "D1-08", spoken=["en", "km"], abstract_en="One\r\n\r\nTwo", abstract_km="មួយ")
    assert "done=changed" in desk.post(address, data=typed).headers["location"]
    now = standing(site, "D1-08").draft
    assert now.spoken == was.spoken
    assert now.abstract is not None
    assert now.abstract.en == "One\n\nTwo"
    assert desk.post(address, data=form(desk, site, "D1-08")).headers["location"].endswith("done=as_before")


def test_every_field_is_saved(desk: TestClient, site: Site) -> None:
    changes: dict[str, Any] = {
        "code": "D1-20", "type": "panel", "title_en": "Anew", "title_km": "ថ្មី", "facet": "traditional",
        "tracks": ["B"], "objectives": ["2", "3"], "spoken": ["km"], "interpreted": [], "room": "mekong",
        "setup": "boardroom",
        "starts_at": "2027-03-24T០៦:00", "ends_at": "2027-03-24T06:30", "attribution": "CHR",
        "overlap_intended": "yes", "person__1": "", "person__3": "forum-chair", "role__3": "rapporteur",
        "order__3": "1", "guiding_question_en": "Why?", "guiding_question_km": "ហេតុអ្វី?",
    }  # fmt: skip
    answer = desk.post(ONE, data=form(desk, site) | dict_of(changes))
    assert answer.headers["location"].startswith(f"{PAGE}/sessions/D1-20?done=changed&edit=")
    draft = standing(site, "D1-20").draft
    assert (draft.type, draft.title.km, draft.facet, draft.tracks, draft.objectives) == (
        "panel", "ថ្មី", "traditional", ("B",), (2, 3),
    )  # fmt: skip
    assert [(part.speaker, part.role) for part in draft.people] == [
        ("forum-chair", "rapporteur"),
        ("keynote-scholar", "speaker"),
    ]
    assert (draft.interpreted, draft.overlap_intended, draft.attribution) == ((), True, "CHR")
    assert (draft.room, draft.setup) == ("mekong", "boardroom")


def test_a_form_sent_as_it_was_opened_keeps_the_set_up_the_session_asks_for(desk: TestClient, site: Site) -> None:
    asked = next(code for code in ("D2-07", "D2-08", "D1-13") if standing(site, code).draft.setup)
    before = standing(site, asked).draft.setup
    desk.post(f"{PAGE}/sessions/{asked}", data=form(desk, site, asked) | {"title_en": "Another title"})
    after = standing(site, asked).draft
    assert (after.title.en, after.setup) == ("Another title", before)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title_km": ""}, "title_en"),
        ({"title_en": "x" * 1001}, "title_en"),
        ({"abstract_en": "x" * 4001}, "abstract_en"),
        ({"code": "d1 02"}, "code"),
        ({"code": "D1-01"}, "code"),
        ({"attribution": "CLO"}, "code"),
        ({"type": "party"}, "type"),
        ({"tracks": ["Z"]}, "tracks"),
        ({"objectives": ["x"]}, "objectives"),
        ({"ends_at": ""}, "ends_at"),
        ({"starts_at": "x"}, "starts_at"),
        ({"person__1": "nobody-known"}, "person-1"),
        ({"role__1": "king"}, "role-1"),
        ({"order__1": "first"}, "order-1"),
        ({"person__2": "moderator-institute", "role__2": "chair"}, "people"),
        ({"overlap_intended": "maybe"}, "overlap_intended"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_is_kept(
    desk: TestClient, site: Site, changes: dict[str, Any], field: str
) -> None:
    was = standing(site)
    answer = desk.post(ONE, data=form(desk, site) | {"title_en": "Typed anew"} | dict_of(changes))
    assert answer.status_code == 422
    assert f'id="{field}-fault"' in answer.text
    assert "title_en" in changes or "Typed anew" in answer.text
    assert standing(site) == was


def dict_of(changes: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("__", "-"): value for name, value in changes.items()}


def test_of_two_editors_the_second_sees_both_versions_and_keeps_hers(desk: TestClient, site: Site) -> None:
    mine = form(desk, site, title_en="Mine", room="mekong")
    desk.post(ONE, data=form(desk, site, title_en="Theirs"))
    answer = desk.post(ONE, data=mine)
    assert answer.status_code == 409
    both = answer.text.split('id="compared"')[1].split("</table>")[0]
    assert re.findall(r"<td>(.*?)</td>", both) == ["Mine", "Theirs", "Mekong Room", "Grand Ballroom"]
    assert 'value="Mine"' in answer.text
    edition = answer.text.split('name="edition" value="')[1].split('"')[0]
    assert desk.post(ONE, data={**mine, "edition": edition}).status_code == 303
    assert standing(site).draft.title.en == "Mine"
    assert desk.get(f"{ONE}/history").text.count("Theirs") == 2, "what was replaced is in the history"


def test_what_was_typed_into_a_session_that_was_removed_meanwhile_is_kept(desk: TestClient, site: Site) -> None:
    site.pen.write_now(SLUG, lambda db: create(db, Actor.operator(), the_forum(db), timed("T-01", -240), now=NOW))
    typed = form(desk, site, "T-01", title_en="Typed meanwhile")
    page = desk.get(f"{PAGE}/sessions/T-01").text
    assert press(desk, page, "cancellation").headers["location"].startswith(f"{PAGE}?day=2027-03-23&done=removed")
    answer = desk.post(f"{PAGE}/sessions/T-01", data=typed)
    assert answer.status_code == 409
    assert 'value="Typed meanwhile"' in answer.text
    assert f'action="{PAGE}/sessions/new"' in answer.text
    assert desk.get(f"{PAGE}/sessions/T-01").status_code == 404
    assert "Removed" in desk.get(f"{PAGE}/sessions/T-01/history").text


def test_what_was_removed_is_brought_back_from_the_history(desk: TestClient, site: Site) -> None:
    site.pen.write_now(SLUG, lambda db: create(db, Actor.operator(), the_forum(db), timed("T-01", -240), now=NOW))
    press(desk, desk.get(f"{PAGE}/sessions/T-01").text, "cancellation")
    assert press(desk, desk.get(f"{PAGE}/edits").text, r"edits/\d+/undo").status_code == 303
    assert standing(site, "T-01").draft.title.en == "A talk"


def test_a_published_session_is_cancelled_restored_and_brought_to_an_older_state(desk: TestClient, site: Site) -> None:
    desk.post(ONE, data=form(desk, site, title_en="Second title"))
    press(desk, desk.get(ONE).text, "cancellation")
    assert standing(site).draft.cancelled
    page = desk.get(ONE).text
    assert "Cancelled" in page
    press(desk, page, "restoration")
    assert not standing(site).draft.cancelled
    history = desk.get(f"{ONE}/history").text
    first = history.rindex("/undo")
    assert press(desk, history[history.rindex("<form", 0, first) :], r"edits/\d+/undo").status_code == 303
    assert standing(site).draft.title.en == "From Dialogue to Action: Regional Security Cooperation"


def test_an_undo_is_refused_where_somebody_edited_meanwhile(desk: TestClient, site: Site) -> None:
    page = desk.get(move(desk, site, starts_at="2027-03-24T06:00").headers["location"]).text
    desk.post(ONE, data=form(desk, site, title_en="Meanwhile"))
    answer = press(desk, page, r"edits/\d+/undo")
    assert answer.status_code == 409
    assert standing(site).draft.title.en == "Meanwhile"


def test_a_new_session_is_offered_the_next_free_code_of_its_day(desk: TestClient, site: Site) -> None:
    assert 'value="D1-14"' in desk.get(f"{PAGE}/sessions/new?day=2027-03-23").text
    page = desk.get(f"{PAGE}/sessions/new?day=2027-03-24").text
    assert 'value="D2-15"' in page
    assert "C-02 is free" in page
    sent = {"form": seal_on(desk.get(PAGE)), "code": "D2-15", "type": "panel", "title_en": "One", "title_km": "មួយ"}
    answer = desk.post(f"{PAGE}/sessions/new", data=sent)
    assert answer.headers["location"].startswith(f"{PAGE}/sessions/D2-15?done=created")
    assert desk.post(f"{PAGE}/sessions/new", data=sent).status_code == 422


def test_who_has_a_form_open_is_told_to_others_until_it_is_saved_or_left(
    desk: TestClient, site: Site, clock: Clock
) -> None:
    desk.get(ONE)
    assert "edits this since" not in desk.get(PAGE).text, "one's own form is no news"
    mine = dict(desk.cookies)
    sign_in(desk, site, Role.PROGRAMME_EDITOR, figure=DARA)
    for page in (PAGE, ONE):
        assert f"{SOKHA.name} edits this since 10:00" in desk.get(page).text
    clock.move(seconds=90)
    seal = seal_on(desk.get(PAGE))
    assert SOKHA.name in desk.post(f"{ONE}/mark", data={"form": seal}).text
    clock.move(seconds=60)
    assert "edits this since" not in desk.get(PAGE).text
    desk.cookies.clear()
    desk.cookies.update(mine)
    assert f"{DARA.name} edits this since 10:00" in desk.get(PAGE).text


def queries_of(site: Site, page: Any) -> int:
    counted: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        counted.append(statement)

    for engine in (site.database.read_engine, site.database.write_engine):
        event.listen(engine, "before_cursor_execute", count)
    try:
        assert page().status_code == 200
    finally:
        for engine in (site.database.read_engine, site.database.write_engine):
            event.remove(engine, "before_cursor_execute", count)
    return len(counted)


@pytest.mark.parametrize("page", [PAGE, f"{PAGE}/edits", f"{ONE}/history"])
def test_a_page_asks_as_many_queries_whatever_it_holds(desk: TestClient, site: Site, page: str) -> None:
    def add(first: int, last: int) -> None:
        for number in range(first, last):
            site.pen.write_now(
                SLUG, lambda db, n=number: create(db, Actor.operator(), the_forum(db), timed(f"T-0{n}", -300), now=NOW)
            )
            move(desk, site, starts_at=f"2027-03-24T0{number}:00", room="")

    add(1, 2)
    few = queries_of(site, lambda: desk.get(page))
    add(2, 4)
    assert queries_of(site, lambda: desk.get(page)) == few


def test_the_history_tells_each_edit_in_words_in_both_languages(desk: TestClient, site: Site) -> None:
    desk.post(ONE, data=form(desk, site, title_en="Another", attribution="CHR"))
    page = desk.get(f"{ONE}/history?lang=en").text
    assert "<del>On the record</del> → <ins>Chatham House Rule</ins>" in page
    assert SOKHA.name in page
    assert "វិធានឆាថាំហោស៍" in desk.get(f"{ONE}/history?lang=km").text
    assert len(site.database.read(lambda db: recent(db, forum_id(the_forum(db)), most=500))) > 1


def test_a_timed_session_without_a_room_stands_before_the_rooms(desk: TestClient, site: Site) -> None:
    assert 'data-head=""' not in desk.get(PAGE).text
    assert move(desk, site, room="").status_code == 303
    page = desk.get(PAGE).text
    assert page.index('data-head=""') < page.index('data-head="grand-ballroom"')


def test_an_edition_without_a_session_or_a_date_says_how_to_begin(
    client: TestClient, site: Site, forum_file: ForumFile
) -> None:
    named = forum_file.forum.model_copy(update={"slug": "bare", "featured": False, "starts_on": None, "ends_on": None})
    bare = forum_file.model_copy(update={"forum": named, "calendar": {}, "sessions": [], "speakers": []})
    site.pen.write_now("bare", lambda db: load(db, Actor.operator(), bare, now=NOW))
    token = make_link(site, SOKHA, site_owner=True)
    client.cookies.set(COOKIE, site.pen.write_now(SITE, lambda db: signing_in.sign_in(db, token, now=NOW)))
    page = client.get("/desk/bare/programme?lang=en").text
    assert "There is no session yet. Make the first one" in page
    assert "Drag a session" not in page
    assert "<tbody></tbody>" not in client.get("/desk/bare/programme/coverage?lang=en").text
    versions = client.get("/desk/bare/programme/versions?lang=en").text
    assert "Publish as version" not in versions, "nothing would be public"
