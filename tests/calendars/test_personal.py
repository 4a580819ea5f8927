"""A person's own calendar: who holds one, what is in it, and what it does not say."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.accounts.actor import Actor
from app.calendars.personal import Holder, holder_of, personal
from app.calendars.shelves import Shelf, Shelves
from app.kit import codes
from app.kit.db import Db, table
from app.registration.applying import cancel, feed_token
from app.registration.models import Application
from app.registration.picking import change_places, put_picks
from app.registration.rules.states import HOLDS_SEAT, State
from tests.calendars.sample import CANCELLED, CLOSED, LONG, MOVED, MOVED_SESSION, NOW, OPENING, shelf
from tests.cast import BOPHA, SECRET, SLUG, VANNA, make_application, the_forum
from tests.cast import NOW as TODAY

TOKEN = "a" * 32
SEATED = Holder("small-forum", "en", holds_seat=True, changed_at=MOVED)
WAITING = Holder("small-forum", "en", holds_seat=False, changed_at=MOVED)


def unfolded(text: bytes) -> bytes:
    return text.replace(b"\r\n ", b"")


def uids(text: bytes) -> list[str]:
    return re.findall(r"^UID:(.*?)\r$", text.decode(), re.MULTILINE)


def own(of: Shelf, holder: Holder = SEATED, **more: Any) -> bytes:
    return personal(of, replace(holder, **more), TOKEN, now=NOW).body


def token_of(row: Any, generation: int = 1) -> str:
    return feed_token(SECRET, row.id, generation)


# ---- what is in it


def test_it_holds_the_plenaries_and_the_picks_as_every_feed_writes_them() -> None:
    full = shelf(sign_ups=(MOVED_SESSION.uid,))
    assert uids(own(full)) == [OPENING.uid, LONG.uid]
    assert uids(own(full, picks=frozenset({MOVED_SESSION.uid}))) == [OPENING.uid, LONG.uid, MOVED_SESSION.uid]
    assert full.vevents[MOVED_SESSION.uid] in own(full, picks=frozenset({MOVED_SESSION.uid}))


def test_a_cancelled_pick_stays_as_cancelled() -> None:
    assert uids(own(shelf(), picks=frozenset({CANCELLED.uid})))[-1] == CANCELLED.uid


def test_a_closed_session_is_in_it_only_for_the_person_admitted_to_it() -> None:
    picks = frozenset({CLOSED.uid})
    assert CLOSED.uid not in uids(own(shelf(), picks=picks))
    assert CLOSED.uid in uids(own(shelf(), picks=picks, admitted=picks))


def test_without_a_seat_it_is_a_calendar_without_entries_even_with_picks() -> None:
    text = own(shelf(), WAITING, picks=frozenset({LONG.uid}))
    assert uids(text) == []
    assert text.startswith(b"BEGIN:VCALENDAR\r\n")
    assert b"BEGIN:VTIMEZONE" in text


def test_two_people_with_the_same_sessions_differ_in_the_source_alone() -> None:
    one = personal(shelf(), SEATED, TOKEN, now=NOW)
    other = personal(shelf(), SEATED, "b" * 32, now=NOW)
    assert one.pieces[1:] == other.pieces[1:]
    assert TOKEN.encode() in unfolded(one.pieces[0])
    assert unfolded(one.pieces[0]).replace(TOKEN.encode(), b"b" * 32) == unfolded(other.pieces[0])
    assert one.etag != other.etag


def test_it_was_modified_when_the_persons_standing_last_changed() -> None:
    later = Holder("small-forum", "en", holds_seat=True, changed_at=MOVED + timedelta(hours=3))
    assert personal(shelf(), SEATED, TOKEN, now=NOW).last_modified == MOVED.replace(microsecond=0)
    assert personal(shelf(), later, TOKEN, now=NOW).last_modified == later.changed_at.replace(microsecond=0)


# ---- whose it is


def test_the_token_of_a_seated_person_opens_their_calendar_in_their_language(db: Db) -> None:
    row = make_application(db, VANNA)
    assert row.state == State.SEATED.value
    assert holder_of(db, token_of(row)) == Holder(SLUG, "km", holds_seat=True, changed_at=TODAY)


def test_the_manage_links_token_is_another_one_and_opens_no_calendar(db: Db) -> None:
    row = make_application(db, VANNA)
    assert holder_of(db, codes.lasting_token(SECRET, "my", row.id, 1)) is None
    assert holder_of(db, "no-such-token") is None
    assert holder_of(db, "") is None


def test_a_renewed_token_ends_the_old_one(db: Db) -> None:
    row = make_application(db, VANNA)
    renewed = codes.digest(token_of(row, 2))
    mine = table(Application).c.id == row.id
    db.execute(update(Application).where(mine).values(feed_generation=2, feed_digest=renewed))
    assert holder_of(db, token_of(row)) is None
    assert holder_of(db, token_of(row, 2)) is not None


@pytest.mark.parametrize("state", list(State))
def test_only_who_holds_a_seat_or_an_offer_of_one_has_sessions_in_it(db: Db, state: State) -> None:
    row = make_application(db, VANNA)
    db.execute(update(Application).where(table(Application).c.id == row.id).values(state=state.value))
    holder = holder_of(db, token_of(row))
    assert holder is not None
    assert holder.holds_seat == (state in HOLDS_SEAT) == (state in {State.SEATED, State.OFFERED})


def test_it_holds_what_the_person_picked_and_not_what_they_wait_for_and_dates_the_change(db: Db) -> None:
    row, forum = make_application(db, VANNA), the_forum(db)
    change_places(db, Actor.operator(), forum, "D2-04", 0, now=TODAY)
    later = TODAY + timedelta(hours=5)
    put_picks(db, Actor.participant(row.id), forum, row.code, {"D1-07", "D2-04"}, 0, now=later)
    holder = holder_of(db, token_of(row))
    assert holder is not None
    full = Shelves().at(db, holder.forum, holder.lang, "https://forum.example")
    codes_of = {session.uid: session.code for session in full.programme.sessions}
    assert {codes_of[uid] for uid in holder.picks} == {"D1-07"}
    feed = personal(full, holder, token_of(row), now=later)
    assert {"D1-07"} <= {codes_of[uid] for uid in uids(feed.body)}
    assert "D2-04" not in {codes_of[uid] for uid in uids(feed.body)}
    assert feed.last_modified == later


def test_a_cancelled_registration_empties_the_calendar_and_dates_the_change(db: Db) -> None:
    row = make_application(db, VANNA)
    later = TODAY + timedelta(days=1)
    cancel(db, Actor.participant(row.id), the_forum(db), row.code, now=later)
    holder = holder_of(db, token_of(row))
    assert holder == Holder(SLUG, "km", holds_seat=False, changed_at=later)


def test_it_says_nothing_about_the_person(db: Db) -> None:
    row = make_application(db, BOPHA)
    db.execute(update(Application).where(table(Application).c.id == row.id).values(state=State.SEATED.value))
    token = token_of(row)
    holder = holder_of(db, token)
    assert holder is not None
    full = Shelves().at(db, holder.forum, holder.lang, "https://forum.example")
    text = personal(full, holder, token, now=TODAY).body.replace(b"\r\n ", b"").decode()
    assert "BEGIN:VEVENT" in text
    for said in (BOPHA.email, BOPHA.family_name, BOPHA.name_km, BOPHA.institution, row.code, "ATTENDEE"):
        assert said not in text
