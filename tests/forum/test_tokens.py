import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.rules import Permission, Role
from app.audit.recording import history
from app.forum.access import take_away
from app.forum.models import Token
from app.forum.queries import forum_id
from app.forum.tokens import (
    MARK,
    MOST_TOKENS,
    TokenInput,
    bearer_of,
    end_token,
    is_token,
    make_token,
    new_token,
    note_use,
    tokens_of,
)
from app.kit.db import Db, table
from app.kit.errors import Forbidden, Invalid, NotFound, Refused
from tests.cast import CHAN, NOW, RITH, SLUG, SOKHA, make_actor, the_forum


def asked(*scope: Permission, days: int = 30) -> TokenInput:
    return TokenInput(forum=SLUG, name="The badge printer", days=days, scope=scope)


def make(db: Db, by: Actor, *scope: Permission, days: int = 30) -> str:
    return make_token(db, by, the_forum(db), asked(*scope, days=days), now=NOW)


def test_a_token_is_known_by_its_form():
    token = new_token()
    assert re.fullmatch(r"sala_[a-z2-7]{47}", token)
    assert is_token(token)
    assert new_token() != token


@given(st.integers(len(MARK), len(MARK) + 46), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_token_with_one_other_sign_is_none(at: int, sign: str):
    whole = new_token()
    changed = whole[:at] + sign + whole[at + 1 :]
    assert is_token(changed) == (changed == whole)


@given(st.text(max_size=80))
def test_no_text_breaks_the_check(text: str):
    assert is_token(text) is False
    assert is_token(f"sala_{text}") is False


def test_of_a_token_only_the_digest_and_its_end_are_kept(db: Db):
    sokha = make_actor(db, SOKHA, Role.ORGANISER)
    token = make(db, sokha, Permission.SEE_PEOPLE)
    row = db.execute(select(table(Token))).mappings().one()
    assert token[5:] not in " ".join(str(value) for value in row.values())
    assert row["ending"] == token[-4:]
    (fact,) = history(db, SLUG, f"token:{row['id']}")
    assert (fact.kind, fact.personal) == ("token.made", {"name": "The badge printer"})
    assert fact.after == {"day": "2026-12-31", "scope": ["see_desk", "see_people"]}


def test_a_program_may_what_the_token_says_and_its_user_may(db: Db):
    own = forum_id(the_forum(db))
    sokha = make_actor(db, SOKHA, Role.REGISTRAR)
    found = bearer_of(db, make(db, sokha, Permission.SEE_PEOPLE), now=NOW)
    assert found is not None
    assert found.actor.signature == (f"user:{sokha.id}", "Sokha Meas (API)")
    assert {one for one in Permission if found.actor.may(one, own)} == {Permission.SEE_DESK, Permission.SEE_PEOPLE}
    assert not found.actor.may(Permission.SEE_DESK, own + 1)
    with pytest.raises(Forbidden):
        make(db, found.actor)
    with pytest.raises(Invalid) as refused:
        make(db, sokha, Permission.MANAGE_ACCESS)
    assert [(fault.field, fault.code) for fault in refused.value.faults] == [("scope", "scope_beyond")]
    with pytest.raises(NotFound):
        make(db, make_actor(db, RITH))


def test_a_role_that_was_taken_away_takes_its_part_and_the_last_one_the_token(db: Db):
    forum, own = the_forum(db), forum_id(the_forum(db))
    chan = make_actor(db, CHAN, Role.REGISTRAR, Role.VIEWER)
    token = make(db, chan, Permission.SEE_PEOPLE)
    take_away(db, Actor.operator(), forum, chan.id or 0, Role.REGISTRAR, now=NOW)
    left = bearer_of(db, token, now=NOW)
    assert left is not None
    assert not left.actor.may(Permission.SEE_PEOPLE, own)
    take_away(db, Actor.operator(), forum, chan.id or 0, Role.VIEWER, now=NOW)
    assert bearer_of(db, token, now=NOW) is None
    make_actor(db, CHAN, Role.REGISTRAR)
    assert bearer_of(db, token, now=NOW) is None, "a role that comes back brings no token back"


def test_a_token_ends_by_its_owner_and_by_time(db: Db):
    sokha, rith = make_actor(db, SOKHA, Role.VIEWER), make_actor(db, RITH, Role.VIEWER)
    token, other = make(db, sokha, days=1), make(db, sokha, days=2)
    assert bearer_of(db, token, now=NOW + timedelta(days=1)) is None
    later = bearer_of(db, other, now=NOW + timedelta(days=1))
    assert later is not None
    number = tokens_of(db, sokha, now=NOW)[0].id
    with pytest.raises(NotFound):
        end_token(db, rith, number, now=NOW)
    end_token(db, sokha, number, now=NOW)
    assert bearer_of(db, other, now=NOW) is None
    with pytest.raises(NotFound):
        end_token(db, sokha, number, now=NOW)
    assert [one.ending for one in tokens_of(db, sokha, now=NOW)] == [token[-4:]]


def test_the_last_use_is_written_once_a_minute(db: Db):
    sokha = make_actor(db, SOKHA, Role.VIEWER)
    found = bearer_of(db, token := make(db, sokha), now=NOW)
    assert found is not None
    assert found.is_stale
    note_use(db, found.token, now=NOW)
    again = bearer_of(db, token, now=NOW + timedelta(seconds=59))
    later = bearer_of(db, token, now=NOW + timedelta(seconds=60))
    assert again is not None
    assert later is not None
    assert (again.is_stale, later.is_stale) == (False, True)
    assert tokens_of(db, sokha, now=NOW)[0].used_at == NOW


def test_nobody_has_more_tokens_than_they_can_know_apart(db: Db):
    sokha = make_actor(db, SOKHA, Role.VIEWER)
    for _ in range(MOST_TOKENS):
        make(db, sokha)
    with pytest.raises(Refused, match="tokens_enough"):
        make(db, sokha)


def test_a_forum_that_asks_for_a_second_factor_gives_no_token_without_one(db: Db):
    sokha = make_actor(db, SOKHA, Role.ORGANISER)
    forum = the_forum(db)
    forum.second_factor = True
    db.add(forum)
    db.flush()
    with pytest.raises(Refused, match="second_factor_needed"):
        make(db, sokha)
