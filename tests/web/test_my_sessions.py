"""One's own sessions: the page, the form to register, and the calendar that follows."""

import re
from typing import Any

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from app.accounts.actor import Actor
from app.kit import codes
from app.kit.db import Db, table
from app.programme.models import Session
from app.programme.publishing import publish
from app.registration.applying import application_of, cancel, feed_token, manage_token
from app.registration.models import Application, Pick, SignUp
from app.registration.picking import change_places, pick, put_picks
from app.registration.signing_up import move_lists
from app.web.site import Site
from tests.cast import CHAN, NOW, SECRET, SLUG, VANNA, holder, make_application, the_forum
from tests.conftest import Clock
from tests.doors import Page
from tests.web.visits import seal_on

A, B, C = "D1-07", "D1-08", "D2-04"
"""Two sessions at the same time, and another; all ask for sign-up."""
OPERATOR = Actor.operator()


def come(site: Site, figure: Any = VANNA, **changes: Any) -> Any:
    return site.pen.write_now(SLUG, lambda db: make_application(db, figure, **changes))


def address(row: Any, lang: str = "en") -> str:
    return f"/{lang}/my/{manage_token(SECRET, row.id, 1)}/sessions"


def choose(client: TestClient, row: Any, *wanted: str, **more: str) -> Any:
    """Open the page and send it with these ticked."""
    page = Page(client.get(address(row)).text)
    fields = {"form": page.hidden["form"], "edition": page.hidden["edition"], "pick": list(wanted), **more}
    return client.post(address(row), data=fields)


def places(site: Site, code: str, count: int) -> None:
    site.pen.write_now(SLUG, lambda db: change_places(db, OPERATOR, the_forum(db), code, count, now=NOW))


def ticked(page: Page) -> set[str]:
    return {each.attributes["value"] for each in page.all("input", name="pick") if "checked" in each.attributes}


def feed(client: TestClient, row: Any) -> Any:
    return client.get(f"/calendars/{feed_token(SECRET, row.id, 1)}.ics")


def forget_feeds(site: Site) -> None:
    """A second passes: feeds are remembered for less than that."""
    site.recent.seconds = 0


def title_of(site: Site, code: str) -> str:
    sessions = table(Session)
    return site.database.read(
        lambda db: str(db.execute(select(sessions.c.title).where(sessions.c.code == code)).scalar_one().en)
    )


def test_a_student_chooses_is_refused_a_clash_forces_it_waits_gets_a_place_and_has_it_in_the_calendar(
    client: TestClient, site: Site, clock: Clock
) -> None:
    places(site, A, 1)
    chan, vanna = come(site, CHAN), come(site)
    assert choose(client, chan, A).status_code == 303
    before = feed(client, vanna)

    refused = choose(client, vanna, A, B)
    assert refused.status_code == 422
    page = Page(refused.text)
    errors = page.one("div", id="errors").text
    assert title_of(site, A) in errors
    assert title_of(site, B) in errors
    assert ticked(page) == {A, B}, "what was ticked is kept"

    clock.move(minutes=5)
    sent = {"form": page.hidden["form"], "edition": page.hidden["edition"], "pick": [A, B], "forced": "yes"}
    answer = client.post(address(vanna), data=sent)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{address(vanna)}?done=saved")
    shown = Page(client.get(f"{address(vanna)}?done=saved").text)
    assert "Your choice is saved." in shown.text
    assert "On the waiting list, number 1" in shown.text
    assert f"At the same time: {title_of(site, A)}" in shown.text
    assert ticked(shown) == {A, B}
    forget_feeds(site)
    waiting = feed(client, vanna)
    assert (title_of(site, B)[:20] in waiting.text, title_of(site, A)[:20] in waiting.text) == (False, False), "in km"
    assert waiting.headers["etag"] != before.headers["etag"]
    assert waiting.headers["last-modified"] > before.headers["last-modified"]

    clock.move(hours=1)
    site.pen.write_now(SLUG, lambda db: cancel(db, holder(chan), the_forum(db), chan.code, now=clock.at))
    assert "On the waiting list" not in client.get(address(vanna)).text
    assert client.get(address(vanna)).text.count("You have a place") == 2
    forget_feeds(site)
    after = feed(client, vanna)
    assert after.headers["etag"] != waiting.headers["etag"]
    assert after.text.count("BEGIN:VEVENT") == waiting.text.count("BEGIN:VEVENT") + 1
    kept = {"if-none-match": waiting.headers["etag"], "if-modified-since": waiting.headers["last-modified"]}
    path = f"/calendars/{feed_token(SECRET, vanna.id, 1)}.ics"
    assert client.get(path, headers=kept).status_code == 200
    assert client.get(path, headers={"if-modified-since": waiting.headers["last-modified"]}).status_code == 200
    assert client.get(path, headers={"if-none-match": after.headers["etag"]}).status_code == 304


def test_the_form_sent_twice_is_taken_once_and_an_old_one_shows_what_is_so(client: TestClient, site: Site) -> None:
    row = come(site)
    page = Page(client.get(address(row)).text)
    sent = {"form": page.hidden["form"], "edition": page.hidden["edition"], "pick": [A]}
    assert [client.post(address(row), data=sent).status_code for _ in range(2)] == [303, 303]
    late = client.post(address(row), data={**sent, "pick": [C]})
    assert late.status_code == 409
    again = Page(late.text)
    assert ticked(again) == {A}
    assert again.hidden["edition"] == "1"
    assert choose(client, row).status_code == 303
    assert ticked(Page(client.get(address(row)).text)) == set()


def test_a_form_from_elsewhere_or_with_an_unknown_session_is_refused(client: TestClient, site: Site) -> None:
    row = come(site)
    assert client.post(address(row), data={"pick": A, "edition": "0"}).status_code == 422
    assert choose(client, row, "D9-99").status_code == 422
    assert choose(client, row, "<script>").status_code == 422
    assert client.get("/en/my/" + "a" * 32 + "/sessions").status_code == 404


def test_a_closed_session_is_there_only_for_the_person_admitted_to_it(client: TestClient, site: Site) -> None:
    sessions = table(Session)
    closed = site.database.read(
        lambda db: db.execute(select(sessions.c.code, sessions.c.title).where(sessions.c.attribution == "CLO")).one()
    )
    chan, vanna = come(site, CHAN), come(site)
    site.pen.write_now(SLUG, lambda db: pick(db, OPERATOR, the_forum(db), chan.code, closed.code, now=NOW))
    assert closed.code in client.get(address(chan)).text
    assert closed.title.en.split(":")[0] in feed(client, chan).text
    for text in (
        client.get(address(vanna)).text,
        client.get(f"/en/{SLUG}/register/stu").text,
        feed(client, vanna).text,
    ):
        assert closed.code not in text
        assert closed.title.en not in text
    unknown, hidden = choose(client, vanna, "D9-99"), choose(client, vanna, closed.code)
    assert unknown.status_code == hidden.status_code == 422
    assert Page(unknown.text).one("div", id="errors").text == Page(hidden.text).one("div", id="errors").text


def test_no_number_of_places_is_said_where_sign_ups_stay_inside(client: TestClient, site: Site) -> None:
    page = client.get(address(come(site))).text
    said = dict(re.findall(r'id="about-(D\d-\d\d)">(.*?)</p>', page, re.DOTALL))
    assert "Places available" in said[A], "a session under the Chatham House rule"
    assert "110 places left" in said[B]
    assert "In everybody" in said["D1-01"]
    assert "No sign-up needed" in said["D1-13"] or "In everybody" in said["D1-13"]


def test_a_version_that_moves_a_session_into_another_marks_both_and_a_cancelled_one_says_so(
    client: TestClient, site: Site
) -> None:
    row = come(site)
    choose(client, row, A, C)

    def publish_anew(db: Db, code: str, **values: Any) -> None:
        db.execute(update(table(Session)).where(table(Session).c.code == code).values(**values))
        publish(db, OPERATOR, the_forum(db), now=NOW, reason="a test")

    times = site.database.read(
        lambda db: db.execute(
            select(table(Session).c.starts_at, table(Session).c.ends_at).where(table(Session).c.code == A)
        ).one()
    )
    site.pen.write_now(SLUG, lambda db: publish_anew(db, C, starts_at=times.starts_at, ends_at=times.ends_at))
    page = client.get(address(row)).text
    assert f"At the same time: {title_of(site, A)}" in page
    assert f"At the same time: {title_of(site, C)}" in page.replace("&#39;", "'")
    site.pen.write_now(SLUG, lambda db: publish_anew(db, C, cancelled=True))
    page = client.get(address(row)).text  # before the worker has brought the picks to it
    assert "At the same time" not in page
    assert "Cancelled" in page
    assert f'value="{C}"' not in page
    assert "STATUS:CANCELLED" in feed(client, row).text
    site.pen.write_now(SLUG, lambda db: move_lists(db, the_forum(db), None, now=NOW))
    forget_feeds(site)
    assert "STATUS:CANCELLED" in feed(client, row).text


@pytest.mark.parametrize(
    ("state", "words"), [("waiting", "counts when you have a seat"), ("seated", "You have a place")]
)
def test_a_choice_before_a_seat_says_when_it_counts(client: TestClient, site: Site, state: str, words: str) -> None:
    row = come(site)
    change = update(table(Application)).where(table(Application).c.id == row.id).values(state=state)
    site.pen.write_now(SLUG, lambda db: db.execute(change))
    choose(client, row, A)
    assert words in client.get(address(row)).text


def test_an_ended_registration_has_no_sessions_to_choose(client: TestClient, site: Site) -> None:
    row = come(site)
    site.pen.write_now(SLUG, lambda db: cancel(db, holder(row), the_forum(db), row.code, now=NOW))
    assert 'name="pick"' not in client.get(address(row)).text


def test_the_page_asks_the_database_as_often_whatever_was_chosen(client: TestClient, site: Site, queries: Any) -> None:
    asked = []
    for figure, wanted in ((VANNA, {A}), (CHAN, {A, C, "D2-07"})):
        row = come(site, figure)
        by = holder(row)
        site.pen.write_now(
            SLUG,
            lambda db, row=row, by=by, wanted=wanted: put_picks(db, by, the_forum(db), row.code, wanted, 0, now=NOW),
        )
        asked.append(counted(client, site, address(row)))
    assert asked[0] == asked[1] <= 22


def counted(client: TestClient, site: Site, path: str) -> int:
    from sqlalchemy import event

    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith(("SELECT", "WITH")):
            seen.append(statement)

    event.listen(site.database.read_engine, "before_cursor_execute", note)
    try:
        assert client.get(path).status_code == 200
    finally:
        event.remove(site.database.read_engine, "before_cursor_execute", note)
    return len(seen)


# ---- with the form to register


def registering(client: TestClient, email: str, **more: Any) -> Any:
    path = f"/en/{SLUG}/register/stu"
    sent = {"email": email, "family_name": "New", "attends_as": "private", "consent": "yes"}
    return client.post(path, data={"form": seal_on(client.get(path)), **sent, **more})


def picks_of(site: Site, email: str) -> set[str]:
    def read(db: Db) -> set[str]:
        wanted = (
            select(table(Session).c.code)
            .join(table(Pick), table(Pick).c.session_uid == table(Session).c.uid)
            .join(table(Application), table(Application).c.id == table(Pick).c.application_id)
            .where(table(Application).c.email == email)
        )
        return set(db.execute(wanted).scalars())

    return site.database.read(read)


def test_sessions_may_be_chosen_with_the_form_and_a_clash_keeps_what_was_typed(client: TestClient, site: Site) -> None:
    assert "<details" in client.get(f"/en/{SLUG}/register/stu").text
    clash = registering(client, "new@crowd.example", pick=[A, B])
    assert clash.status_code == 422
    page = Page(clash.text)
    assert ticked(page) == {A, B}
    assert page.one("input", id="email").attributes["value"] == "new@crowd.example"
    assert page.all("input", name="forced")
    assert picks_of(site, "new@crowd.example") == set()
    assert registering(client, "new@crowd.example", pick=[A, C]).status_code == 200
    assert picks_of(site, "new@crowd.example") == {A, C}
    assert registering(client, "new@crowd.example", pick=["D2-07"]).status_code == 200
    assert picks_of(site, "new@crowd.example") == {A, C}, "a known person keeps their own"
    assert registering(client, "other@crowd.example", pick=[A, B], forced="yes").status_code == 200
    assert picks_of(site, "other@crowd.example") == {A, B}
    assert registering(client, "plain@crowd.example").status_code == 200


def test_known_and_unknown_addresses_are_refused_alike(client: TestClient, site: Site) -> None:
    registering(client, "known@crowd.example")
    answers = [registering(client, f"{who}@crowd.example", pick=["D9-99"]) for who in ("known", "unknown")]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert len({Page(answer.text).one("div", id="errors").text for answer in answers}) == 1


def test_a_sign_up_of_an_unpublished_session_is_in_nobodys_way(client: TestClient, site: Site) -> None:
    row = come(site)
    forum = site.database.read(lambda db: application_of(db, the_forum(db), row.code).forum_id)
    site.pen.write_now(SLUG, lambda db: db.add(SignUp(session_uid=codes.public_code(9), forum_id=forum, places=3)))
    assert client.get(address(row)).status_code == 200


# ---- on the own page


def own_page(row: Any, lang: str = "en") -> str:
    return address(row, lang).removesuffix("/sessions")


def listed(page: Page) -> str:
    """What the own page says between its heading of sessions and that of the calendar."""
    return page.html.split("My sessions</h2>")[1].split("<h2>")[0]


def test_the_own_page_lists_the_chosen_sessions_with_time_and_how_one_stands(client: TestClient, site: Site) -> None:
    places(site, A, 1)
    chan, vanna = come(site, CHAN), come(site)
    before = Page(client.get(own_page(vanna)).text)
    assert "Choose sessions" in listed(before)
    assert title_of(site, A) not in before.text
    choose(client, chan, A), choose(client, vanna, A, C)
    shown = listed(Page(client.get(own_page(vanna)).text))
    for words in (
        title_of(site, A),
        title_of(site, C),
        "On the waiting list, number 1",
        "You have a place",
        "23 March",
    ):
        assert words in shown
    assert title_of(site, B) not in shown
    assert f'href="/en/{SLUG}/programme/{A}"' in shown


def test_before_a_seat_the_own_page_says_from_when_a_choice_counts(client: TestClient, site: Site) -> None:
    row = come(site)
    choose(client, row, C)
    waiting = update(table(Application)).where(table(Application).c.id == row.id).values(state="waiting")
    site.pen.write_now(SLUG, lambda db: db.execute(waiting))
    shown = listed(Page(client.get(own_page(row)).text))
    assert "A choice counts from the moment you have a seat" in shown
    assert "Chosen; counts when you have a seat" in shown


def test_the_own_page_says_that_the_calendar_holds_the_chosen_sessions(client: TestClient, site: Site) -> None:
    row = come(site)
    assert "the sessions you have chosen, but for those in which you wait" in client.get(own_page(row)).text
