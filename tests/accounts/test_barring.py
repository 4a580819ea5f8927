"""Who is let in no more."""

import pytest

from app.accounts.actor import Actor
from app.accounts.barring import bar, lift, sign_out_everywhere
from app.accounts.models import User
from app.accounts.signing_in import link_is_good, make_link, sign_in, user_of_login
from app.audit.recording import history
from app.kit.db import Db
from app.kit.errors import Expired, NotFound, Refused
from app.kit.pen import SITE
from tests.cast import CHAN, NOW, make_user

OPERATOR = Actor.operator()


def link_for(db: Db, user: User) -> str:
    return make_link(db, OPERATOR, user, now=NOW)


def test_whoever_is_barred_is_out_and_no_link_lets_them_in_until_it_is_lifted(db: Db) -> None:
    chan = make_user(db, CHAN)
    login, unused = sign_in(db, link_for(db, chan), now=NOW), link_for(db, chan)
    assert bar(db, OPERATOR, CHAN.email.upper(), now=NOW) == 1
    assert user_of_login(db, login, now=NOW) is None
    assert not link_is_good(db, unused, now=NOW)
    with pytest.raises(Expired):
        sign_in(db, link_for(db, chan), now=NOW)
    assert bar(db, OPERATOR, CHAN.email, now=NOW) == 0
    lift(db, OPERATOR, CHAN.email, now=NOW)
    assert user_of_login(db, login, now=NOW) is None, "what ended stays ended"
    assert user_of_login(db, sign_in(db, link_for(db, chan), now=NOW), now=NOW) is not None
    kinds = [fact.kind for fact in history(db, SITE, f"user:{chan.id}")]
    assert (kinds.count("user.barred"), kinds.count("user.let_in_again")) == (1, 1)


def test_whoever_is_signed_out_may_sign_in_again(db: Db) -> None:
    chan = make_user(db, CHAN)
    logins = [sign_in(db, link_for(db, chan), now=NOW) for _ in range(2)]
    assert sign_out_everywhere(db, OPERATOR, CHAN.email, now=NOW) == 2
    assert [user_of_login(db, login, now=NOW) for login in logins] == [None, None]
    assert user_of_login(db, sign_in(db, link_for(db, chan), now=NOW), now=NOW) is not None


@pytest.mark.parametrize("deed", [bar, lift, sign_out_everywhere])
def test_only_the_operator_bars_and_only_somebody_there_is(db: Db, deed: object) -> None:
    chan = make_user(db, CHAN, site_owner=True)
    assert callable(deed)
    with pytest.raises(NotFound):
        deed(db, Actor("user", chan.id, site_owner=True), CHAN.email, now=NOW)
    with pytest.raises(Refused, match="user_unknown"):
        deed(db, OPERATOR, "stranger@elsewhere.example", now=NOW)
