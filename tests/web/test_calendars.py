"""The addresses of the calendar files, as calendar applications ask for them."""

import re
from datetime import datetime, timedelta
from typing import Any

import icalendar
import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from app.accounts.actor import Actor
from app.kit.db import Db, table
from app.programme.models import Session
from app.programme.publishing import publish
from app.registration.applying import cancel, feed_token
from app.registration.models import Application
from app.registration.rules.states import State
from app.web.site import Site
from tests.cast import NOW, SECRET, SLUG, VANNA, make_application, the_forum

WHOLE = f"/en/{SLUG}/calendar.ics"
PUBLIC = [
    WHOLE,
    f"/km/{SLUG}/calendar.ics",
    f"/en/{SLUG}/days/2027-03-23.ics",
    f"/km/{SLUG}/days/2027-03-24.ics",
    f"/en/{SLUG}/tracks/existing-architectures.ics",
    f"/en/{SLUG}/sessions/D1-07.ics",
    f"/km/{SLUG}/speakers/keynote-scholar.ics",
]
UNKNOWN = [
    f"/fr/{SLUG}/calendar.ics",
    "/en/no-such-forum/calendar.ics",
    f"/en/{SLUG}/days/2027-03-22.ics",
    f"/en/{SLUG}/days/20270323.ics",
    f"/en/{SLUG}/days/2027-W12-2.ics",
    f"/en/{SLUG}/days/tomorrow.ics",
    f"/en/{SLUG}/tracks/no-such-track.ics",
    f"/en/{SLUG}/tracks/A.ics",
    f"/en/{SLUG}/sessions/X-99.ics",
    f"/en/{SLUG}/sessions/<script>.ics",
    f"/en/{SLUG}/speakers/nobody.ics",
    "/calendars/abcdefghijklmnopqrstuvwxyz234567.ics",
    "/calendars/short.ics",
    "/calendars/%00%0d%0aSet-Cookie.ics",
]


@pytest.fixture
def feed_path(site: Site) -> str:
    """The address of Vanna's own calendar, seated."""
    row = site.pen.write_now(SLUG, lambda db: make_application(db, VANNA))
    assert row.state == State.SEATED.value
    return f"/calendars/{feed_token(SECRET, row.id, 1)}.ics"


@pytest.fixture
def any_path(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    path: str = request.getfixturevalue("feed_path") if name == "own" else name
    return path


def vevents(text: bytes) -> list[Any]:
    return list(icalendar.Calendar.from_ical(text).walk("VEVENT"))


def closed_session(site: Site) -> Any:
    sessions = table(Session)
    return site.database.read(lambda db: db.execute(sessions.select().where(sessions.c.attribution == "CLO")).one())


EVERY = pytest.mark.parametrize("any_path", [*PUBLIC, "own"], indirect=True)


@EVERY
def test_a_calendar_is_served_as_one_with_everything_applications_look_at(client: TestClient, any_path: str) -> None:
    answer = client.get(any_path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert re.fullmatch(r'inline; filename="[a-zA-Z0-9-]+\.ics"', answer.headers["content-disposition"])
    assert re.fullmatch(r'"[^"]+"', answer.headers["etag"])
    assert answer.headers["last-modified"].endswith(" GMT")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers
    scope = "private" if any_path.startswith("/calendars/") else "public"
    assert answer.headers["cache-control"] == f"{scope}, max-age=300"
    assert vevents(answer.content)


@EVERY
def test_the_same_version_built_anew_days_later_is_the_same_to_the_byte(
    client: TestClient, site: Site, any_path: str, clock: Any
) -> None:
    first = client.get(any_path)
    clock.move(days=3)
    site.recent.seconds = 0
    site.shelves._kept.clear()
    assert client.get(f"{any_path}?not-kept").content == first.content
    assert client.get(any_path).headers["etag"] == first.headers["etag"]


@EVERY
@pytest.mark.parametrize("encoding", ["identity", "gzip", "gzip, deflate, br"])
def test_who_has_it_gets_304_by_either_validator(client: TestClient, any_path: str, encoding: str) -> None:
    accepts = {"accept-encoding": encoding}
    whole = client.get(any_path, headers=accepts)
    etag, modified = whole.headers["etag"], whole.headers["last-modified"]
    for validator in (
        {"if-none-match": etag},
        {"if-none-match": f"W/{etag}"},
        {"if-none-match": f'"other", {etag}'},
        {"if-none-match": "*"},
        {"if-modified-since": modified},
        {"if-none-match": etag, "if-modified-since": "Thu, 01 Jan 1970 00:00:00 GMT"},
    ):
        answer = client.get(any_path, headers={**accepts, **validator})
        assert (answer.status_code, answer.content) == (304, b""), validator
        assert answer.headers["etag"] == etag
        assert answer.headers["last-modified"] == modified
        assert answer.headers["cache-control"] == whole.headers["cache-control"]
    for stale in ({"if-none-match": '"other"'}, {"if-modified-since": "Thu, 01 Jan 1970 00:00:00 GMT"}):
        assert client.get(any_path, headers={**accepts, **stale}).status_code == 200


@EVERY
def test_head_is_the_answer_without_its_body(client: TestClient, any_path: str) -> None:
    head, whole = client.head(any_path), client.get(any_path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "last-modified", "content-type", "content-length", "content-disposition", "cache-control"):
        assert head.headers[name] == whole.headers[name]
    assert client.head(any_path, headers={"if-none-match": whole.headers["etag"]}).status_code == 304


def test_the_first_question_of_all_may_be_answered_304_too(client: TestClient) -> None:
    plain = {"accept-encoding": "identity"}
    etag = client.get(f"{WHOLE}?not-kept", headers=plain).headers["etag"]
    for path in (f"{WHOLE}?not-kept", WHOLE):
        answer = client.get(path, headers={**plain, "if-none-match": etag})
        assert (answer.status_code, answer.headers["etag"]) == (304, etag)


def test_an_address_with_a_query_is_the_same_calendar(client: TestClient) -> None:
    plain, asked = client.get(WHOLE), client.get(f"{WHOLE}?x=1")
    assert asked.content == plain.content
    assert asked.headers["last-modified"] == plain.headers["last-modified"]
    assert asked.headers["cache-control"] == plain.headers["cache-control"]


@pytest.mark.parametrize("path", UNKNOWN)
def test_what_is_not_there_is_plain_text_without_a_way_to_sign_in(client: TestClient, path: str) -> None:
    for answer in (client.get(path), client.head(path)):
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["cache-control"] == "private, no-store"
        assert "location" not in answer.headers
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("lang", ["en", "km"])
def test_a_closed_session_is_absent_everywhere_and_its_address_as_unknown_as_any(
    client: TestClient, site: Site, lang: str
) -> None:
    closed = closed_session(site)
    base = f"/{lang}/{SLUG}"
    tails = ["calendar.ics", "days/2027-03-23.ics", "days/2027-03-24.ics"]
    tails += [f"tracks/{slug}.ics" for slug in ("traditional-and-non-traditional", "existing-architectures")]
    for tail in tails:
        text = client.get(f"{base}/{tail}").content.replace(b"\r\n ", b"").decode()
        assert closed.uid not in text
        assert closed.title.of(lang) not in text
        assert f"/programme/{closed.code}\r\n" not in text
    answer, other = client.get(f"{base}/sessions/{closed.code}.ics"), client.get(f"{base}/sessions/X-99.ics")
    assert (answer.status_code, answer.content) == (other.status_code, other.content)
    for each in (answer, other):
        del each.headers["x-request-id"]  # each request has its own
    assert answer.headers == other.headers


def test_the_whole_calendar_holds_every_public_session_in_both_languages(client: TestClient, site: Site) -> None:
    sessions = table(Session)
    rows = site.database.read(lambda db: db.execute(sessions.select()).all())
    shown = {row.uid for row in rows if row.attribution != "CLO" and row.starts_at}
    for lang in ("en", "km"):
        assert {str(one["UID"]) for one in vevents(client.get(f"/{lang}/{SLUG}/calendar.ics").content)} == shown


def edit(site: Site, code: str, at: datetime, **values: Any) -> None:
    """Change a session of the working copy and publish it."""

    def deed(db: Db) -> None:
        sessions = table(Session)
        db.execute(update(Session).where(sessions.c.code == code).values(**values))
        publish(db, Actor.operator(), the_forum(db), now=at, reason="a change for this test")

    site.pen.write_now(SLUG, deed)


def entry(client: TestClient, code: str) -> Any:
    """A session's entry as a fresh reader gets it, past whatever is kept."""
    found = vevents(client.get(f"/en/{SLUG}/sessions/{code}.ics?now").content)
    return found[0] if found else None


def test_a_move_and_a_cancellation_raise_the_sequence_and_leave_the_rest_as_it_was(
    client: TestClient, site: Site, clock: Any
) -> None:
    before, beside = entry(client, "D1-07"), entry(client, "D1-08")
    start = before["DTSTART"].dt
    moved_at = clock.move(hours=2)
    edit(site, "D1-07", moved_at, starts_at=start + timedelta(minutes=5))
    moved = entry(client, "D1-07")
    assert moved["UID"] == before["UID"]
    assert (before["SEQUENCE"], moved["SEQUENCE"]) == (0, 1)
    assert moved["DTSTAMP"].dt == moved["LAST-MODIFIED"].dt == moved_at
    assert moved["DTSTART"].dt == start + timedelta(minutes=5)
    edit(site, "D1-07", clock.move(hours=2), cancelled=True)
    gone = entry(client, "D1-07")
    assert (gone["UID"], gone["SEQUENCE"], gone["STATUS"]) == (before["UID"], 2, "CANCELLED")
    assert entry(client, "D1-08").to_ical() == beside.to_ical()


def test_a_session_whose_time_is_taken_back_leaves_the_calendar(client: TestClient, site: Site, clock: Any) -> None:
    edit(site, "D1-07", clock.move(hours=1), starts_at=None, ends_at=None)
    assert entry(client, "D1-07") is None
    whole = client.get(f"{WHOLE}?now").content
    assert len(vevents(whole)) == len(vevents(client.get(f"/km/{SLUG}/calendar.ics?now").content))
    assert b"sessions/D1-07" not in whole


def test_the_forums_last_midnight_takes_what_was_cancelled_out_of_the_kept_calendar(
    client: TestClient, site: Site, clock: Any
) -> None:
    edit(site, "D1-07", clock.move(hours=1), cancelled=True)
    kept = client.get(WHOLE)
    assert b"STATUS:CANCELLED" in kept.content
    clock.at = datetime.fromisoformat("2027-03-24T23:59:59+07:00")
    assert client.get(WHOLE).content == kept.content
    clock.move(seconds=1)
    after = client.get(WHOLE)
    assert b"STATUS:CANCELLED" not in after.content
    assert len(vevents(after.content)) == len(vevents(kept.content)) - 1
    assert client.get(WHOLE, headers={"if-modified-since": kept.headers["last-modified"]}).status_code == 200


# ---- a person's own


def test_an_own_calendar_is_in_the_persons_language_and_holds_the_plenaries(client: TestClient, feed_path: str) -> None:
    answer = client.get(feed_path, headers={"accept-language": "en"})
    assert 'filename="phnom-penh-2027-my-sessions-km.ics"' in answer.headers["content-disposition"]
    entries = {str(one["URL"]).rsplit("/", 1)[1]: one for one in vevents(answer.content)}
    assert {"D1-01", "D1-02", "D2-13"} <= entries.keys()
    assert not {"D1-07", "D1-03", "D1-06"} & entries.keys()
    whole = client.get(f"/km/{SLUG}/calendar.ics").content
    assert all(one.to_ical() in {other.to_ical() for other in vevents(whole)} for one in entries.values())


def test_an_own_calendar_is_never_kept_by_the_layer_in_front(client: TestClient, feed_path: str) -> None:
    client.get(feed_path)
    layer: Any = client.app
    assert not [key for key in layer._kept if key[0].startswith("/calendars/")]


def test_after_a_cancellation_the_calendar_is_empty_and_who_kept_the_old_one_hears_of_it(
    client: TestClient, site: Site, feed_path: str, clock: Any
) -> None:
    before = client.get(feed_path)
    later = clock.move(days=1)
    code = site.database.read(lambda db: db.execute(table(Application).select()).one().code)
    person = site.database.read(lambda db: db.execute(table(Application).select()).one().id)
    site.pen.write_now(SLUG, lambda db: cancel(db, Actor.participant(person), the_forum(db), code, now=later))
    site.recent.seconds = 0  # a second later
    for stale in ({"if-none-match": before.headers["etag"]}, {"if-modified-since": before.headers["last-modified"]}):
        answer = client.get(feed_path, headers=stale)
        assert answer.status_code == 200
        assert vevents(answer.content) == []
    assert client.get(feed_path, headers={"if-modified-since": answer.headers["last-modified"]}).status_code == 304
    assert later > NOW


def test_a_busy_token_costs_no_query(client: TestClient, feed_path: str, site: Site) -> None:
    from sqlalchemy import event

    client.get(feed_path)
    seen: list[str] = []
    event.listen(site.database.read_engine, "before_cursor_execute", lambda *said: seen.append(said[2]))
    site.recent.seconds = 60  # however slow this machine is
    assert client.get(feed_path).status_code == 200
    assert seen == []


def test_what_is_remembered_is_answered_as_the_route_answers_it(client: TestClient, feed_path: str, site: Site) -> None:
    site.recent.seconds = 60
    whole = client.get(feed_path)
    questions = [
        ("GET", {}),
        ("HEAD", {}),
        ("GET", {"accept-encoding": "identity"}),
        ("GET", {"if-none-match": whole.headers["etag"]}),
        ("HEAD", {"if-modified-since": whole.headers["last-modified"]}),
        ("GET", {"if-none-match": '"another"', "if-modified-since": whole.headers["last-modified"]}),
        ("POST", {}),
    ]

    def answers() -> list[Any]:
        found = []
        for method, headers in questions:
            site.recent._kept.update(remembered)
            answer = client.request(method, feed_path, headers=headers)
            told = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
            found.append((answer.status_code, told, answer.content))
        return found

    remembered = dict(site.recent._kept)
    quick = answers()
    remembered.clear()
    site.recent.seconds = 0  # looked at first, so the route answers
    assert answers() == quick
    assert [answer[0] for answer in quick] == [200, 200, 200, 304, 304, 200, 405]
    for odd in (f"{feed_path}.ics", feed_path.removesuffix(".ics"), f"{feed_path}/", feed_path.upper()):
        site.recent.seconds = 60
        assert client.get(odd).status_code == 404, odd


def untyped(component: Any) -> Any:
    """A jCal component as (name, properties by name, components), whatever their order."""
    name, properties, inside = component
    return name, sorted((one[0], str(one[3])) for one in properties), sorted(map(untyped, inside), key=str)


@pytest.mark.parametrize("address", PUBLIC)
def test_each_public_calendar_is_there_as_jcal_and_says_the_same(client: TestClient, address: str) -> None:
    text, jcal = client.get(address), client.get(address.removesuffix(".ics") + ".json")
    assert jcal.headers["content-type"] == "application/calendar+json"
    there = icalendar.Calendar.from_jcal(jcal.json())
    assert untyped(there.to_jcal()) == untyped(icalendar.Calendar.from_ical(text.content).to_jcal())
    uids = {str(event["uid"]) for event in there.events}
    assert uids == {str(event["uid"]) for event in icalendar.Calendar.from_ical(text.content).events}
    assert uids
    again = client.get(address.removesuffix(".ics") + ".json", headers={"if-none-match": jcal.headers["etag"]})
    assert again.status_code == 304
    assert "C-01" not in jcal.text
