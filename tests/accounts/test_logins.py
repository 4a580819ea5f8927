from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.actor import Actor
from app.accounts.browsers import kind_of_browser
from app.accounts.logins import end_login, end_other_logins, logins_of
from app.accounts.models import User
from app.accounts.signing_in import (
    LOGIN_LASTS,
    LOGIN_RESTS,
    make_link,
    note_login,
    sign_in,
    user_of_login,
    whose_login,
)
from app.audit.recording import history
from app.kit.codes import digest
from app.kit.db import Db
from app.kit.errors import NotFound
from app.kit.pen import SITE
from tests.cast import CHAN, DARA, NOW, make_actor, make_user

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
EDGE = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1 Version/19.0 Safari/604.1"


@pytest.mark.parametrize(
    ("said", "kind"),
    [(FIREFOX, "Firefox, Windows"), (EDGE, "Edge, macOS"), (PHONE, "Safari, iPhone"), ("curl/8", ""), ("", "")],
)
def test_a_browser_is_known_in_a_few_words(said: str, kind: str):
    assert kind_of_browser(said) == kind


@given(st.text())
def test_nothing_that_a_browser_says_of_itself_is_kept_as_it_said_it(said: str):
    assert len(kind_of_browser(said)) < 40


def signed_in(db: Db, user: User) -> str:
    return sign_in(db, make_link(db, Actor.operator(), user, now=NOW), now=NOW, browser="Firefox, Windows")


def test_ones_own_logins_are_seen_and_ended_one_by_one_and_all_but_this(db: Db):
    chan = make_user(db, CHAN)
    by = Actor("user", chan.id)
    here, there, elsewhere = (signed_in(db, chan) for _ in range(3))
    seen = logins_of(db, by, now=NOW)
    assert {one.digest for one in seen} == {digest(here), digest(there), digest(elsewhere)}
    assert {one.browser for one in seen} == {"Firefox, Windows"}
    end_login(db, by, next(one.id for one in seen if one.digest == digest(there)), now=NOW)
    assert user_of_login(db, there, now=NOW) is None
    assert end_other_logins(db, by, digest(here), now=NOW) == 1
    assert user_of_login(db, elsewhere, now=NOW) is None
    assert user_of_login(db, here, now=NOW) is not None
    assert end_other_logins(db, by, digest(here), now=NOW) == 0
    assert [fact.kind for fact in history(db, SITE, f"user:{chan.id}")][-2:] == ["sign_in.ended"] * 2
    note_login(db, here, now=NOW + LOGIN_LASTS - timedelta(days=1))
    assert logins_of(db, by, now=NOW + LOGIN_LASTS) == []
    assert len(logins_of(db, by, now=NOW + LOGIN_LASTS - timedelta(minutes=1))) == 1


def test_a_login_of_somebody_else_is_not_found(db: Db):
    chan, dara = make_user(db, CHAN), make_actor(db, DARA)
    login = signed_in(db, chan)
    (one,) = logins_of(db, Actor("user", chan.id), now=NOW)
    for by in (dara, Actor.participant(chan.id or 0), Actor.visitor()):
        with pytest.raises(NotFound):
            end_login(db, by, one.id, now=NOW)
    assert end_other_logins(db, dara, "", now=NOW) == 0
    assert user_of_login(db, login, now=NOW) is not None


# ---- logins that nobody uses


def test_a_login_that_nobody_uses_ends_and_one_in_use_lasts_its_two_weeks(db: Db):
    chan = make_user(db, CHAN)
    unused, used = signed_in(db, chan), signed_in(db, chan)
    for day in range(1, LOGIN_LASTS.days):
        now = NOW + timedelta(days=day)
        found = whose_login(db, used, now=now)
        assert found is not None
        assert found.is_stale
        note_login(db, used, now=now)
    assert user_of_login(db, unused, now=NOW + LOGIN_RESTS - timedelta(seconds=1)) is not None
    assert user_of_login(db, unused, now=NOW + LOGIN_RESTS) is None
    assert user_of_login(db, used, now=NOW + LOGIN_LASTS) is None


def test_the_use_of_a_login_is_noted_once_an_hour_and_never_back(db: Db):
    login = signed_in(db, make_user(db, CHAN))
    seen = {minutes: whose_login(db, login, now=NOW + timedelta(minutes=minutes)) for minutes in (59, 61)}
    assert [each.is_stale for each in seen.values() if each] == [False, True]
    note_login(db, login, now=NOW + timedelta(days=3))
    note_login(db, login, now=NOW + timedelta(days=1))
    assert user_of_login(db, login, now=NOW + timedelta(days=6)) is not None
