"""The programme as everybody may see it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete
from starlette.testclient import TestClient

from app.forum.queries import forum_by_slug, forum_id
from app.kit import clock
from app.kit.db import Database, Db, table
from app.kit.pen import republish
from app.programme.models import Version
from app.programme.published import PublishedSession, to_document
from app.programme.publishing import told_as
from app.programme.queries import history
from app.web.public import read_as_public
from app.web.site import Site
from tests.cast import SLUG
from tests.doors import Page

PAGE = f"/en/{SLUG}/programme"


def publish_again(
    site: Site, edit: Callable[[PublishedSession], PublishedSession | None], extra: Sequence[PublishedSession] = ()
) -> None:
    """One more version, in which `edit` was done to every session (None leaves it out); `extra` come along."""

    def deed(db: Db) -> None:
        own = forum_id(forum_by_slug(db, SLUG))
        last = history(db, own)[-1]
        edited = tuple(new for session in last.sessions if (new := edit(session)) is not None) + tuple(extra)
        public_number, public_at = told_as(last, edited, now=clock.now())
        version = Version(
            forum_id=own,
            number=last.number + 1,
            published_at=clock.now(),
            public_number=public_number,
            public_at=public_at,
            published_by="Sokha",
            document=to_document(edited),
        )
        db.add(version)
        db.flush()
        republish(db, SLUG)

    site.pen.write_now(SLUG, deed)


def only(code: str, **changes: Any) -> Callable[[PublishedSession], PublishedSession]:
    """An edit of one session."""
    return lambda session: replace(session, **changes) if session.code == code else session


def closed(site: Site) -> PublishedSession:
    """The closed session of the loaded forum."""
    with site.database.reading() as db:
        sessions = history(db, forum_id(forum_by_slug(db, SLUG)))[-1].sessions
    return next(session for session in sessions if session.attribution == "CLO")


@pytest.mark.parametrize("lang", ["en", "km"])
def test_the_programme_shows_every_public_session_and_no_closed_one(client: TestClient, site: Site, lang: str) -> None:
    page = client.get(f"/{lang}/{SLUG}/programme").text
    assert page.count('<article class="session') == 28
    hidden = closed(site)
    assert hidden.title.of(lang) not in page
    assert f"/programme/{hidden.code}" not in page


def test_times_are_those_of_phnom_penh_in_the_readers_digits(client: TestClient) -> None:
    assert "08:30–09:15" in client.get(PAGE).text
    assert "០៨:៣០–០៩:១៥" in client.get(f"/km/{SLUG}/programme").text


@pytest.mark.parametrize(
    ("query", "sessions"),
    [
        ("day=2027-03-24", 14),
        ("track=B", 6),
        ("room=bassac", 2),
        ("q=asia pacific", 4),
        ("q=ASIA-PACIFIC", 4),
        ("day=2027-03-24&track=B&room=tonle-sap", 1),
        ("q=nothing+of+the+kind", 0),
        ("room=chaktomuk", 0),
    ],
)
def test_filters_leave_what_was_asked_for(client: TestClient, query: str, sessions: int) -> None:
    page = client.get(f"{PAGE}?{query}")
    assert page.status_code == 200
    assert page.text.count('<article class="session') == sessions


def test_khmer_words_are_found_from_the_english_page(client: TestClient) -> None:
    assert client.get(f"{PAGE}?q=ផ្លូវសមុទ្រ").text.count('<article class="session') >= 1


def test_nothing_found_is_said_plainly_with_a_way_back(client: TestClient) -> None:
    page = client.get(f"{PAGE}?q=zebra").text
    assert "Nothing in the programme fits this." in page
    assert f'href="{PAGE}"' in page


@pytest.mark.parametrize(
    "query",
    ["day=yesterday", "day=2027-13-45", "day=2027-03-29", "track=%00", "track=Z", "room=../.."],
)
def test_a_filter_that_the_programme_does_not_have_is_not_found_and_says_so(client: TestClient, query: str) -> None:
    answer = client.get(f"{PAGE}?{query}")
    assert answer.status_code == 404
    assert "no such day, topic or room" in answer.text


@pytest.mark.parametrize("query", ["track=A&track=B", "q=" + "x" * 5000, "?=&&=", "day=&track=&room=&q="])
def test_odd_queries_are_no_error(client: TestClient, query: str) -> None:
    assert client.get(f"{PAGE}?{query}").status_code == 200


def test_what_was_searched_for_is_shown_escaped(client: TestClient) -> None:
    page = client.get(PAGE, params={"q": '"><script>alert(1)</script>'}).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("query", ["", "?day=2027-03-23", "?day=&track=A&room=&q=", "?track=C&room=mekong"])
def test_our_own_filters_are_kept_as_ready_bytes(client: TestClient, query: str) -> None:
    assert "etag" in client.get(f"{PAGE}{query}").headers


@pytest.mark.parametrize("query", ["?x=1", "?q=sea", "?track=A&day=2027-03-23", "?track=A&track=A", "?day=2026-01-01"])
def test_addresses_that_anybody_can_make_up_are_not_kept(client: TestClient, query: str) -> None:
    assert "etag" not in client.get(f"{PAGE}{query}").headers


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("", ""),
        ("?day=&track=A&room=&q=", "?track=A"),
        ("?day=2027-03-23&track=A", "?day=2027-03-23&track=A"),
        ("?q=%22%3E%3Cb%3E+%26", "?q=%22%3E%3Cb%3E+%26"),
        ("?track=A&mark=someone%40demo.example&lang=xx", "?track=A"),
        ("?mark=1", ""),
    ],
)
def test_the_other_language_shows_the_same_choice_and_carries_nothing_unknown(
    client: TestClient, query: str, kept: str
) -> None:
    for _ in range(2):  # rendered, and from memory
        answer = client.get(f"{PAGE}{query}")
        assert Page(answer.text).one("a", class_="twin").attributes["href"] == f"/km/{SLUG}/programme{kept}"
        assert "someone" not in answer.text
    other = client.get(f"/km/{SLUG}/programme{kept}")
    assert other.status_code == 200
    assert Page(other.text).one("a", class_="twin").attributes["href"] == f"/en/{SLUG}/programme{kept}"


@pytest.mark.parametrize("lang", ["en", "km"])
def test_a_session_page_tells_all_that_is_known_of_it(client: TestClient, site: Site, lang: str) -> None:
    with site.database.reading() as db:
        seen = read_as_public(db, "km" if lang == "km" else "en", SLUG)
    for session in seen.programme.sessions:
        page = client.get(f"/{lang}/{SLUG}/programme/{session.code}")
        assert page.status_code == 200
        texts = [session.title, session.abstract, session.guiding_question, session.room_name]
        texts += [person.shown_as for person in session.people]
        for text in texts:
            assert text is None or escaped(text.of(lang)) in page.text
        assert f"/{lang}/{SLUG}/sessions/{session.code}.ics" in page.text


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("'", "&#39;").replace('"', "&#34;")


def test_the_attribution_rule_is_explained_where_there_is_one(client: TestClient, site: Site) -> None:
    with site.database.reading() as db:
        sessions = read_as_public(db, "en", SLUG).programme.sessions
    held_back = next(session.code for session in sessions if session.attribution == "CHR")
    coffee = next(session.code for session in sessions if session.attribution is None)
    assert "but not who said it" in client.get(f"{PAGE}/{held_back}").text
    assert "What may be quoted" not in client.get(f"{PAGE}/{coffee}").text


def test_a_closed_session_is_as_unknown_as_one_that_never_was(client: TestClient, site: Site) -> None:
    code = closed(site).code
    there, nowhere = client.get(f"{PAGE}/{code}"), client.get(f"{PAGE}/D9-99")
    assert there.status_code == nowhere.status_code == 404
    assert there.text.replace(code, "D9-99") == nowhere.text


@pytest.mark.parametrize("code", ["d1-01", "D1-01'", "%2e%2e", "D1-01.ics", "X" * 200])
def test_a_code_that_cannot_be_one_is_not_found(client: TestClient, code: str) -> None:
    assert client.get(f"{PAGE}/{code}").status_code == 404


def test_before_and_after_lead_from_session_to_session_past_the_closed_one(client: TestClient, site: Site) -> None:
    with site.database.reading() as db:
        seen = read_as_public(db, "en", SLUG)
    address, met = f"{PAGE}/{seen.programme.sessions[0].code}", set()
    while address not in met:
        met.add(address)
        page = client.get(address).text
        if 'rel="next"' not in page:
            break
        address = page.split('rel="next" class="on" href="')[1].split('"')[0]
    assert len(met) == 28


def test_a_cancelled_session_keeps_its_page_and_says_so(client: TestClient, site: Site) -> None:
    publish_again(site, only("D1-03", cancelled=True))
    page = client.get(f"{PAGE}/D1-03").text
    assert "This session has been cancelled." in page
    assert "Add to your calendar" not in page
    assert "Cancelled" in client.get(PAGE).text


def test_a_session_without_a_time_yet_is_listed_and_says_so(client: TestClient, site: Site) -> None:
    publish_again(site, only("D1-03", starts_at=None, ends_at=None))
    assert "Time to be announced" in client.get(PAGE).text
    page = client.get(f"{PAGE}/D1-03").text
    assert "Time to be announced" in page
    assert ".ics" not in page


def test_a_session_that_asks_for_sign_up_says_how_many_may(client: TestClient, site: Site) -> None:
    with site.database.reading() as db:
        sessions = read_as_public(db, "en", SLUG).programme.sessions
    panel = next(session.code for session in sessions if session.room == "bassac")
    shown = client.get(f"{PAGE}/{panel}").text
    assert "Sign-up needed; 90 places" in shown
    beside = shown.split("Sign-up needed")[1].split("</dd>")[0]
    assert f'href="/en/{SLUG}/register"' in beside, "and how one does"
    assert "Choose this session on your own page" in beside
    opening = next(session.code for session in sessions if session.type == "opening")
    assert "Choose this session" not in client.get(f"{PAGE}/{opening}").text


def test_before_the_first_version_the_programme_is_to_be_announced(client: TestClient, site: Site) -> None:
    def forget(db: Db) -> None:
        db.execute(delete(table(Version)))
        republish(db, SLUG)

    site.pen.write_now(SLUG, forget)
    for lang, sentence in (("en", "The programme is to be announced."), ("km", "កម្មវិធីនឹងប្រកាសជូន")):
        for tail in ("programme", "programme/changes"):
            assert sentence in client.get(f"/{lang}/{SLUG}/{tail}").text
        assert client.get(f"/{lang}/{SLUG}/speakers").status_code == 200


def test_the_whole_programme_is_read_with_seven_queries(database: Database, queries: Callable[[], Any]) -> None:
    with database.reading() as db, queries() as counted:
        read_as_public(db, "en", SLUG)
    assert len(counted) == 7
