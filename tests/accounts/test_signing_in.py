from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.accounts.actor import Actor
from app.accounts.models import Login, SignInLink, User
from app.accounts.signing_in import (
    LINK_LASTS,
    LOGIN_LASTS,
    ask_for_link,
    link_is_good,
    make_link,
    put_owner,
    sign_in,
    sign_out,
    user_of_login,
)
from app.audit.recording import first_broken, history
from app.kit.db import Db, table
from app.kit.errors import Expired
from app.kit.pen import SITE
from app.mail.outbox import about
from tests.cast import NOW, SOKHA, make_user

OPERATOR = Actor.operator()


@pytest.fixture
def sokha(db: Db) -> User:
    return make_user(db, SOKHA)


def signed_in(db: Db, user: User) -> str:
    return sign_in(db, make_link(db, OPERATOR, user, now=NOW), now=NOW)


def test_there_is_no_password_nor_any_user_to_begin_with(db: Db):
    assert db.execute(select(table(User))).all() == []


def test_the_owner_is_made_once(db: Db):
    first = put_owner(db, OPERATOR, "Sokha@Secretariat.example", "Sokha", now=NOW)
    again = put_owner(db, OPERATOR, " sokha@secretariat.EXAMPLE ", "", now=NOW)
    assert (first.id, first.site_owner) == (again.id, True)
    assert [fact.kind for fact in history(db, SITE, f"user:{first.id}")] == ["user.made_owner"]


def test_an_existing_user_can_be_made_owner(db: Db, sokha: User):
    assert put_owner(db, OPERATOR, SOKHA.email, "", now=NOW).id == sokha.id
    assert db.execute(select(table(User).c.site_owner)).scalar_one()


def test_a_link_signs_in_once(db: Db, sokha: User):
    link = make_link(db, OPERATOR, sokha, now=NOW)
    login = sign_in(db, link, now=NOW)
    found = user_of_login(db, login, now=NOW)
    assert found is not None
    assert found.id == sokha.id
    with pytest.raises(Expired, match="sign_in_link"):
        sign_in(db, link, now=NOW)
    assert [fact.kind for fact in history(db, SITE, f"user:{sokha.id}")] == ["sign_in.link_made", "sign_in.done"]
    assert first_broken(db, SITE) is None


def test_looking_at_a_link_does_not_use_it_up(db: Db, sokha: User):
    link = make_link(db, OPERATOR, sokha, now=NOW)
    assert [link_is_good(db, link, now=NOW) for _ in range(2)] == [True, True]
    assert not link_is_good(db, link, now=NOW + LINK_LASTS)
    assert not link_is_good(db, link + "x", now=NOW)


def test_a_link_ends_with_its_time(db: Db, sokha: User):
    link = make_link(db, OPERATOR, sokha, now=NOW)
    with pytest.raises(Expired):
        sign_in(db, link, now=NOW + LINK_LASTS)
    assert sign_in(db, link, now=NOW + LINK_LASTS - timedelta(seconds=1))


def test_a_disabled_user_stays_out(db: Db, sokha: User):
    link, login = make_link(db, OPERATOR, sokha, now=NOW), signed_in(db, sokha)
    db.execute(update(table(User)).values(disabled=True))
    with pytest.raises(Expired):
        sign_in(db, link, now=NOW)
    assert user_of_login(db, login, now=NOW) is None


def test_a_login_ends_with_its_time_or_by_signing_out(db: Db, sokha: User):
    first, second = signed_in(db, sokha), signed_in(db, sokha)
    assert user_of_login(db, first, now=NOW + LOGIN_LASTS) is None
    sign_out(db, first, now=NOW)
    assert user_of_login(db, first, now=NOW) is None
    assert user_of_login(db, second, now=NOW) is not None, "other browsers stay"
    sign_out(db, "unknown", now=NOW)


def test_only_digests_of_tokens_are_stored(db: Db, sokha: User):
    link = make_link(db, OPERATOR, sokha, now=NOW)
    login = sign_in(db, link, now=NOW)
    stored = f"{db.execute(select(table(SignInLink))).all()}{db.execute(select(table(Login))).all()}"
    assert link not in stored
    assert login not in stored


def test_a_link_is_mailed_to_users_alone(db: Db, sokha: User):
    ask_for_link(db, f" {SOKHA.email.upper()} ", "km", now=NOW)
    ask_for_link(db, "rith@elsewhere.example", "en", now=NOW)
    (message,) = about(db, SITE, f"user:{sokha.id}")
    assert (message.template, message.language, message.to_address) == ("accounts/sign_in_link", "km", SOKHA.email)
