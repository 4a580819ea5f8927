"""What holds for every request: the bearer, the form of questions and answers, keys, tags, parts of lists, limits."""

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.barring import bar
from app.accounts.rules import Permission, Role
from app.accounts.signing_in import known_user
from app.audit.models import Fact
from app.editions.form import ForumFile
from app.forum.access import actor_of, take_away
from app.forum.models import Forum
from app.forum.tokens import new_token
from app.kit.db import Db, table
from app.kit.pen import SITE
from app.programme.subscribing import desk_feed_token, renew_subscription, subscription_of
from tests.api.programs import BASE, Programs, open_programs
from tests.cast import NOW, SECRET, SLUG, Figure, make_user, the_forum
from tests.doors import ELSEWHERE

ROOM = {"code": "annex", "name": {"en": "Annex", "km": "អគារបន្ថែម"}, "seats": 40}


def problem(answer: Any, status: int, code: str = "") -> dict[str, Any]:
    """The problem in an answer, which has this status and code."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "private, no-store"
    said: dict[str, Any] = answer.json()
    assert (said["status"], said["code"]) == (status, code)
    assert said["type"].endswith(f"/api/docs#problem-{status}")
    return said


# ---- the bearer


def test_without_a_good_token_nothing_is_answered(programs: Programs) -> None:
    assert problem(programs.ask("GET", ""), 401)["title"] == "A token is needed"
    assert programs.ask("GET", "").headers["www-authenticate"] == 'Bearer realm="Sala"'
    for sent in (new_token(), "sala_", "x", "a" * 5000, programs.tokens["organiser"] + "a"):
        answer = programs.ask("GET", "", authorization=f"Bearer {sent}")
        problem(answer, 401, "token_not_good")
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    good = programs.tokens["organiser"]
    for sent in (f"Basic {good}", good, "", "Bearer"):
        assert programs.ask("GET", "", authorization=sent).status_code == 401
    assert programs.ask("GET", f"{BASE}?token={good}&access_token={good}").status_code == 401
    assert programs.ask("POST", "/rooms", body=b"{not json", authorization="Bearer x").status_code == 401


def test_whoever_is_barred_has_neither_programs_nor_a_calendar_of_the_desk_any_more(programs: Programs) -> None:
    """At once, what was asked a moment before too; and whatever a program would write is not written."""
    programs.enrol("barred", Role.ORGANISER)

    def subscribe(db: Db) -> str:
        forum, user = the_forum(db), known_user(db, "barred@desk.example")
        assert user is not None
        renew_subscription(db, actor_of(db, user), forum, "en", SECRET, now=NOW)
        row = subscription_of(db, forum, user.id)
        return f"/calendars/{desk_feed_token(SECRET, row.id, row.generation)}.ics"

    feed = programs.doors.write(SLUG, subscribe)
    asked = ("/rooms", "/registrations", "/facts")
    assert [programs.get(at, "barred").status_code for at in asked] == [200] * 3
    assert [programs.doors.get(feed).status_code for _ in range(2)] == [200, 200]
    programs.doors.write(SITE, lambda db: bar(db, Actor.operator(), "barred@desk.example", now=NOW))
    for at in asked:
        problem(programs.get(at, "barred"), 401, "token_not_good")
    problem(programs.post("/rooms", {**ROOM, "code": "barred"}, "barred"), 401, "token_not_good")
    assert programs.get("/rooms/barred").status_code == 404
    assert programs.doors.get(feed).status_code == 404


def test_a_login_of_the_desk_opens_nothing_here(programs: Programs) -> None:
    assert programs.doors.get(f"/desk/{SLUG}", "organiser").status_code == 200
    assert programs.doors.get(BASE, "organiser").status_code == 401


def test_a_token_opens_its_own_forum_alone(programs: Programs) -> None:
    programs.enrol("both", Role.OWNER)
    programs.tokens["there"] = programs.enrol("elsewhere", Role.OWNER, slug=ELSEWHERE)
    assert programs.get("", "both").json()["slug"] == SLUG
    problem(programs.get(f"/api/v1/forums/{ELSEWHERE}", "both"), 404)
    problem(programs.get("", "there"), 404)
    problem(programs.get("/api/v1/forums/no-such-forum", "both"), 404)


def test_a_token_does_no_more_than_its_scope(programs: Programs) -> None:
    programs.enrol("narrow", Role.OWNER, scope=(Permission.SEE_PEOPLE,))
    assert programs.get("/token", "narrow").json()["permissions"] == ["see_desk", "see_people"]
    assert programs.get("/registrations", "narrow").status_code == 200
    problem(programs.get("/facts", "narrow"), 403, "forbidden")


def test_an_ended_token_is_answered_at_the_next_request(programs: Programs) -> None:
    programs.enrol("leaving", Role.VIEWER)
    assert programs.get("", "leaving").status_code == 200
    form = {"form": programs.doors.seal("/account/tokens", "leaving")}
    number = programs.doors.page("/account/tokens", "leaving").one("button", name="end").attributes["value"]
    programs.doors.post("/account/tokens", "leaving", {**form, "end": number})
    problem(programs.get("", "leaving"), 401, "token_not_good")


@pytest.mark.parametrize(
    ("address", "kind", "body"),
    [
        ("/speakers", "application/json", b'{"function_en": "Minister", "function_km": "\xe1\x9e\x80"}'),
        ("/programme/import/trial", "text/csv", b"code,title_en,title_km\r\nD1-05,One,Two\r\n"),
    ],
    ids=["json", "file"],
)
def test_a_body_that_takes_its_time_is_held_against_the_roles_when_it_is_there(
    programs: Programs, address: str, kind: str, body: bytes
) -> None:
    programs.enrol("slow", Role.PROGRAMME_EDITOR, Role.VIEWER)
    before = programs.doors.rows()["programme_speaker"]
    answers: list[dict[str, Any]] = []
    pieces = [body[:9], body[9:]]

    def narrow(db: Db) -> None:
        forum, user = the_forum(db), make_user(db, Figure("slow@desk.example", "Desk", "Slow", "", "ORG"))
        take_away(db, Actor.operator(), forum, user.id or 0, Role.PROGRAMME_EDITOR, now=NOW)

    async def receive() -> dict[str, Any]:
        if len(pieces) == 1:
            programs.doors.write(SLUG, narrow)
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def send(message: dict[str, Any]) -> None:
        answers.append(message)

    sent = {"host": "localhost", "authorization": f"Bearer {programs.tokens['slow']}", "content-type": kind}
    sent |= {"idempotency-key": "slowly"}
    headers = [(name.encode(), value.encode()) for name, value in sent.items()]
    scope = {"type": "http", "method": "POST", "path": f"{BASE}{address}", "raw_path": f"{BASE}{address}".encode()}
    scope |= {"query_string": b"", "headers": headers, "client": ("127.0.0.1", 1), "server": ("localhost", 80)}
    scope |= {"scheme": "http", "http_version": "1.1", "root_path": ""}
    client = programs.doors.client
    client.portal.call(client.app, scope, receive, send)
    assert answers[0]["status"] == 403
    assert programs.doors.rows()["programme_speaker"] == before


def test_a_use_is_seen_on_the_own_page(programs: Programs) -> None:
    programs.enrol("used", Role.VIEWER)
    assert "Never" in programs.doors.page("/account/tokens", "used").text
    programs.get("", "used")
    programs.doors.write(SLUG, lambda _db: None)  # the pen is behind it
    assert "Never" not in programs.doors.page("/account/tokens", "used").text


def test_a_forum_that_asks_for_a_second_factor_asks_programs_too(
    tmp_path: Path, loaded_file: Path, forum_file: ForumFile
) -> None:
    with open_programs(loaded_file, tmp_path, forum_file) as programs:

        def require(db: Db) -> None:
            forum: Forum = db.execute(select(Forum).where(table(Forum).c.slug == SLUG)).scalar_one()
            forum.second_factor = True
            db.add(forum)

        programs.doors.write(SLUG, require)
        problem(programs.get(""), 403, "second_factor_needed")
        programs.doors.factor("organiser", on=True)
        assert programs.get("").status_code == 200


# ---- questions and answers


def test_a_problem_is_told_in_the_callers_language(programs: Programs) -> None:
    answer = programs.get("/registrations/NOSUCH", accept_language="km")
    said = problem(answer, 404)
    assert re.search("[\u1780-\u17ff]", said["title"])
    assert answer.headers["content-language"] == "km"
    assert problem(programs.get("/registrations/NOSUCH"), 404)["title"] == "Not there"


def test_only_json_comes_and_goes(programs: Programs) -> None:
    problem(programs.get("", accept="text/html"), 406)
    problem(programs.get("", accept="application/json;q=0"), 406)
    for accept in ("*/*", "application/*", "text/html, application/json;q=0.1", "application/problem+json"):
        assert programs.get("", accept=accept).status_code == 200, accept
    problem(programs.post("/rooms", b"code=annex", content_type="application/x-www-form-urlencoded"), 415)
    problem(programs.post("/rooms", b"{}", content_type="application/json; charset=latin-1"), 415)
    problem(programs.post("/rooms", b"{", content_type="application/json"), 400, "not_json")
    for odd in (b'{"a": "\xff\xfe"}', b"[" * 100_000, b"1" * 9000):
        problem(programs.post("/rooms", odd), 400, "not_json")
    assert programs.ask("PATCH", "/rooms", "organiser", ROOM).status_code == 405
    assert problem(programs.ask("DELETE", "/rooms", "organiser"), 405)
    problem(programs.get("/api/v1/no-such-thing"), 404)
    problem(programs.post("/rooms", b" " * 2_000_000), 413)


def test_every_field_that_is_wrong_is_pointed_at(programs: Programs) -> None:
    said = problem(programs.post("/rooms", {"code": "A b", "name": {"en": "x"}, "~/": 1}), 422, "invalid")
    at = {one["pointer"]: one["code"] for one in said["errors"]}
    assert at["#/seats"] == "missing"
    assert at["#/code"] == "not_this_form"
    assert at["#/~0~1"] == "not_known_here"
    said = problem(programs.post("/rooms", {"code": "a", "half a letter \ud800": 1}), 422, "invalid")
    assert [(one["pointer"], one["code"]) for one in said["errors"]] == [("#", "control_characters")]
    said = problem(programs.get("/registrations?limit=1000"), 422, "invalid")
    assert [(one["parameter"], one["code"]) for one in said["errors"]] == [("limit", "too_large")]


def test_of_a_thousand_wrong_fields_the_first_are_told(programs: Programs) -> None:
    said = problem(programs.ask("POST", "/rooms", "organiser", {f"x{n}": 1 for n in range(1000)}), 422, "invalid")
    assert len(said["errors"]) == 50


def test_a_body_of_very_many_parts_is_not_even_looked_through(programs: Programs) -> None:
    problem(programs.put("/voices", {"voices": {f"A {n}": "x" for n in range(5000)}}, if_match="*"), 413)
    problem(programs.post("/rooms", {f"x{n}": 1 for n in range(5000)}), 413)
    many = {"voices": {f"nobody-{n}": None for n in range(2000)}}
    assert programs.put("/voices", many, if_match="*").status_code != 413, "as many as the document allows"


def test_what_a_deed_finds_wrong_is_pointed_at_where_it_was_sent(programs: Programs) -> None:
    draft = {"code": "D1-05", "type": "panel", "title": {"en": "x", "km": "y"}, "attribution": "REC"}
    said = problem(programs.post("/sessions", {"session": draft}), 422, "invalid")
    assert [(one["pointer"], one["code"]) for one in said["errors"]] == [("#/session/code", "session_code_taken")]
    seen = programs.get("/sessions/D1-04")
    said = problem(programs.put("/sessions/D1-04", {"session": draft}, if_match=seen.headers["etag"]), 422, "invalid")
    assert [one["pointer"] for one in said["errors"]] == ["#/session/code"]
    said = problem(programs.get("/messages/registration.approved/example?reader=NOSUCH"), 422, "invalid")
    assert [(one["parameter"], one["code"]) for one in said["errors"]] == [("reader", "no_such_reader")]


@pytest.mark.parametrize(
    "address", ["/outbox?status=failed", "/facts?since=2027-01-01T00:00:00Z&x=1", "/rooms?limit=1", "/tags?after="]
)
def test_a_name_in_an_address_that_nobody_knows_is_refused(programs: Programs, address: str) -> None:
    said = problem(programs.get(address), 422, "invalid")
    assert {one["code"] for one in said["errors"]} == {"not_known_here"}
    problem(programs.post("/rooms?dry_run=1", ROOM), 422, "invalid")


# ---- keys


def test_the_same_request_with_the_same_key_is_done_once_and_answered_alike(programs: Programs) -> None:
    before = programs.doors.rows()
    first = programs.post("/rooms", ROOM, idempotency_key="one-annex")
    assert (first.status_code, first.headers["location"]) == (201, f"{BASE}/rooms/annex")
    between = programs.doors.rows()
    again = programs.post("/rooms", ROOM, idempotency_key="one-annex")
    assert (again.status_code, again.content, again.headers["location"]) == (
        first.status_code,
        first.content,
        first.headers["location"],
    )
    assert programs.doors.rows() == between
    assert between["forum_meeting_room"] == before["forum_meeting_room"] + 1
    problem(programs.post("/rooms", {**ROOM, "seats": 41}, idempotency_key="one-annex"), 422, "key_used")
    problem(programs.post("/speakers", ROOM, idempotency_key="one-annex"), 422, "invalid")
    problem(programs.post("/registrations/ABC/confirmation", idempotency_key="one-annex"), 422, "key_used")


def test_a_key_is_the_callers_own(programs: Programs) -> None:
    programs.tokens["second"] = programs.token("organiser")
    room = {**ROOM, "code": "second-annex"}
    assert programs.post("/rooms", room, idempotency_key="mine").status_code == 201
    problem(programs.post("/rooms", room, "second", idempotency_key="mine"), 422, "room_twice")


def test_a_refused_request_keeps_no_answer(programs: Programs) -> None:
    before = programs.doors.rows()
    problem(programs.post("/registrations/NOSUCH/approval", {}, idempotency_key="too-early"), 404)
    assert programs.doors.rows() == before


def test_a_post_without_a_key_does_nothing(programs: Programs) -> None:
    before = programs.doors.rows()
    problem(programs.post("/rooms", {**ROOM, "code": "no-key"}, idempotency_key=""), 400, "key_missing")
    problem(programs.post("/rooms", {**ROOM, "code": "no-key"}, idempotency_key="a b"), 400, "key_odd")
    problem(programs.post("/rooms", {**ROOM, "code": "no-key"}, idempotency_key="x" * 129), 400, "key_odd")
    assert programs.doors.rows() == before


# ---- tags


def test_what_has_not_changed_is_not_sent_again(programs: Programs) -> None:
    first = programs.get("/rooms/grand-ballroom")
    tag = first.headers["etag"]
    assert re.fullmatch('"[0-9a-f]{32}"', tag)
    again = programs.get("/rooms/grand-ballroom", if_none_match=f'"other", W/{tag}')
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert programs.get("/rooms/grand-ballroom", if_none_match='"other"').status_code == 200


def test_a_change_says_what_it_has_seen(programs: Programs) -> None:
    seen = programs.get("/rooms/grand-ballroom")
    room = {**seen.json()["room"], "seats": 290}
    problem(programs.put("/rooms/grand-ballroom", room), 428, "if_match_missing")
    problem(programs.put("/rooms/grand-ballroom", room, if_match='"other"'), 412, "stale")
    problem(programs.put("/rooms/grand-ballroom", room, if_match=f"W/{seen.headers['etag']}"), 412, "stale")
    done = programs.put("/rooms/grand-ballroom", room, if_match=seen.headers["etag"])
    assert done.status_code == 200
    assert done.json()["room"]["seats"] == 290
    assert done.headers["etag"] == programs.get("/rooms/grand-ballroom").headers["etag"] != seen.headers["etag"]
    problem(programs.put("/rooms/grand-ballroom", room, if_match=seen.headers["etag"]), 412, "stale")
    assert programs.put("/rooms/grand-ballroom", {**room, "seats": 300}, if_match="*").status_code == 200


# ---- lists


def test_a_list_is_read_in_parts_without_gap_or_repetition(programs: Programs) -> None:
    there = [programs.doors.register().code for _ in range(5)]
    address, seen = "/registrations?limit=2&order=oldest&category=STU", []
    while address:
        answer = programs.get(address)
        seen += [one["code"] for one in answer.json()["items"]]
        link = re.fullmatch(r'<http://[^/]+(/[^>]+)>; rel="next"', answer.headers.get("link", ""))
        assert bool(link) == (answer.json()["after"] is not None)
        address = link[1] if link else ""
    assert seen == there


# ---- limits


def test_a_program_that_asks_too_much_waits(tmp_path: Path, loaded_file: Path, forum_file: ForumFile) -> None:
    with open_programs(loaded_file, tmp_path, forum_file, API_PER_MINUTE="3") as programs:
        assert [programs.get("").status_code for _ in range(4)] == [200, 200, 200, 429]
        answer = programs.get("")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        problem(answer, 429, "too_many")
        programs.tokens["other"] = programs.token("organiser")
        assert programs.get("", "other").status_code == 200, "another token has a count of its own"
        guesses = [programs.ask("GET", "", authorization="Bearer x").status_code for _ in range(4)]
        assert guesses == [401, 401, 401, 429]


def test_facts_are_asked_by_time(programs: Programs) -> None:
    newest = programs.get("/facts?limit=1").json()["items"][0]
    at = newest["at"].replace("Z", "%2B00:00")
    assert programs.get(f"/facts?limit=1&since={at}").json()["items"] == [newest]
    assert newest not in programs.get(f"/facts?limit=100&until={at}").json()["items"]
    assert programs.get("/facts?since=2099-01-01T00:00:00Z").json()["items"] == []
    following = programs.get(f"/facts?limit=1&since={at}").headers["link"]
    assert "&since=" in following or "?since=" in following, "the next part is asked the same"
    problem(programs.get("/facts?since=2027-01-01"), 422, "invalid")


def test_a_fact_names_whoever_the_program_acts_for(programs: Programs) -> None:
    assert programs.post("/rooms", {**ROOM, "code": "named-annex"}).status_code == 201
    facts = table(Fact)
    with programs.doors.site.database.reading() as db:
        wanted = select(facts.c.actor, facts.c.actor_name).where(facts.c.subject == "room:named-annex")
        actor, name = db.execute(wanted).one()
    assert actor.startswith("user:")
    assert name == "Organiser Desk (API)"


@pytest.mark.parametrize("header", ["access-control-allow-origin", "set-cookie"])
def test_no_page_of_another_site_may_read_an_answer(programs: Programs, header: str) -> None:
    answer = programs.get("", origin="https://elsewhere.example")
    assert answer.status_code == 200
    assert header not in answer.headers
