from datetime import timedelta
from typing import Any

import pyotp
import pytest
from fido2.utils import websafe_encode
from sqlalchemy import select, update

from app.accounts import passkeys
from app.accounts.actor import Actor
from app.accounts.authenticators import Relying, made, named, shown
from app.accounts.logins import FRESH
from app.accounts.models import Challenge, RecoveryCode, User
from app.accounts.passkeys import CHALLENGE_LASTS, MOST, kept, passkeys_of
from app.accounts.rules import Role
from app.accounts.second_factor import CodeInput, address_of, begin, confirm, finish, forget_factor, turn_off
from app.accounts.signing_in import make_link, sign_in, user_of_login
from app.audit.recording import first_broken, history
from app.forum.access import actor_of, grant, needs_second_factor
from app.kit.codes import digest
from app.kit.db import Db, table
from app.kit.errors import Conflict, Expired, Invalid, NotFound, Refused
from app.kit.inputs import parse
from app.kit.pen import SITE, Pen
from app.mail.models import Message
from tests.authenticator import FLAG, SURE, Device
from tests.cast import CHAN, DARA, NOW, SECRET, make_user, the_forum

HERE = Relying("localhost", "http://localhost")
BROWSER, ELSEWHERE = "one browser", "another"


class Somebody:
    """One of the cast with a login that was opened just now."""

    def __init__(self, db: Db, figure: Any) -> None:
        self.db, self.user = db, make_user(db, figure)
        self.by = Actor("user", self.user.id)
        self.login = self.follow_link()

    def follow_link(self, now: Any = NOW) -> str:
        return sign_in(self.db, make_link(self.db, Actor.operator(), self.user, now=now), now=now)

    def ask(self, now: Any = NOW) -> Any:
        return passkeys.begin_adding(self.db, self.by, digest(self.login), HERE, now=now)

    def add(self, device: Device, name: str = "The laptop", now: Any = NOW, asked: Any = None) -> list[str]:
        new = made(HERE, device.make(asked or self.ask(now)))
        return passkeys.add(self.db, self.by, digest(self.login), new, name, "en", SECRET, now=now)

    def remove(self, *, needed: bool = False, now: Any = NOW) -> None:
        number = passkeys_of(self.db, self.by)[0].id
        passkeys.remove(self.db, self.by, digest(self.login), number, "km", needed=needed, now=now)

    def facts(self) -> list[str]:
        return [fact.kind for fact in history(self.db, SITE, f"user:{self.user.id}")]


@pytest.fixture
def chan(db: Db) -> Somebody:
    return Somebody(db, CHAN)


def ask(db: Db, browser: str = BROWSER, now: Any = NOW) -> Any:
    return passkeys.begin_signing_in(db, browser, HERE, now=now)


def use(db: Db, answer: str, browser: str = BROWSER, former: str = "", now: Any = NOW) -> str | None:
    """Sign in with what a device answered."""
    found = kept(db, named(answer))
    return passkeys.sign_in(db, found, shown(HERE, answer, found.key), browser, former, now=now)


def who(db: Db, login: str | None) -> int | None:
    user = user_of_login(db, login or "", now=NOW)
    return user.id if user else None


# ---- adding


def test_a_passkey_is_kept_told_of_and_brings_recovery_codes_once(db: Db, chan: Somebody):
    device = Device(flags=SURE | FLAG.BE | FLAG.BS)
    codes = chan.add(device, "ទូរសព្ទ")
    assert len(codes) == 10
    assert chan.add(Device(id=b"second")) == [], "those there are count for both"
    first, _ = passkeys_of(db, chan.by)
    assert (first.name, first.synced, first.used_at) == ("ទូរសព្ទ", True, None)
    assert chan.facts().count("passkey.added") == 2
    mails = db.execute(select(table(Message).c.template, table(Message).c.to_address)).all()
    assert mails == [("accounts/passkey_added", CHAN.email)] * 2
    assert actor_of(db, chan.user).second_factor


def test_all_passkeys_of_a_user_call_them_the_same_and_know_each_other(db: Db, chan: Somebody):
    before = chan.ask()
    chan.add(Device(), asked=before)
    after = chan.ask()
    assert after["user"]["id"] == before["user"]["id"]
    assert after["excludeCredentials"] == [{"type": "public-key", "id": websafe_encode(Device().id)}]
    assert Somebody(db, DARA).ask()["user"]["id"] != before["user"]["id"]


def test_a_challenge_adds_one_passkey_for_the_login_that_asked_and_soon(db: Db, chan: Somebody):
    dara = Somebody(db, DARA)
    theirs = dara.ask()
    with pytest.raises(Refused, match="passkey_stale"):
        chan.add(Device(), asked=theirs)
    with pytest.raises(Refused, match="passkey_stale"):
        chan.add(Device(), asked={**chan.ask(), "challenge": ask(db, chan.login)["challenge"]})
    early = chan.ask()
    chan.add(Device(), asked=early)
    with pytest.raises(Refused, match="passkey_stale"):
        chan.add(Device(id=b"second"), asked=early)
    late = chan.ask()
    with pytest.raises(Refused, match="passkey_stale"):
        chan.add(Device(id=b"second"), asked=late, now=NOW + CHALLENGE_LASTS)
    ask(db, now=NOW + CHALLENGE_LASTS)
    assert len(db.execute(select(table(Challenge))).all()) == 1, "what is too old goes when another is given"


def test_a_login_that_was_left_open_neither_adds_nor_removes(db: Db, chan: Somebody):
    chan.add(Device())
    for deed in (chan.ask, chan.remove):
        with pytest.raises(Refused, match="login_old"):
            deed(now=NOW + FRESH)


def test_a_credential_is_kept_once_and_nobody_has_any_number(db: Db, chan: Somebody):
    chan.add(Device())
    with pytest.raises(Conflict, match="passkey_known"):
        Somebody(db, DARA).add(Device())
    for number in range(MOST - 1):
        chan.add(Device(id=f"one more {number}".encode()))
    with pytest.raises(Refused, match="passkeys_enough"):
        chan.ask()


# ---- changing


def test_a_passkey_of_somebody_else_is_not_found(db: Db, chan: Somebody):
    chan.add(Device())
    (one,), dara = passkeys_of(db, chan.by), Somebody(db, DARA)
    for by in (dara.by, Actor.visitor(), Actor.participant(chan.user.id or 0)):
        with pytest.raises(NotFound):
            passkeys.rename(db, by, one.id, "Mine", now=NOW)
        with pytest.raises(NotFound):
            passkeys.remove(db, by, digest(dara.login), one.id, "en", needed=False, now=NOW)
    passkeys.rename(db, chan.by, one.id, "The telephone", now=NOW)
    assert [each.name for each in passkeys_of(db, chan.by)] == ["The telephone"]
    (fact,) = [fact for fact in history(db, SITE, f"user:{chan.user.id}") if fact.kind == "passkey.renamed"]
    assert (fact.after, fact.personal) == ({}, {"name": "The telephone"})


def test_the_last_factor_stays_where_a_forum_asks_for_one(db: Db, chan: Somebody):
    grant(db, Actor.operator(), the_forum(db), chan.user, Role.VIEWER, now=NOW)
    forum = the_forum(db)
    assert not needs_second_factor(db, actor_of(db, chan.user))
    forum.second_factor = True
    db.add(forum)
    db.flush()
    assert needs_second_factor(db, actor_of(db, chan.user))
    assert not needs_second_factor(db, Somebody(db, DARA).by), "nobody there"
    assert needs_second_factor(db, Actor("user", 1, site_owner=True))
    chan.add(Device())
    with pytest.raises(Refused, match="passkey_needed"):
        chan.remove(needed=True)
    chan.add(Device(id=b"second"))
    chan.remove(needed=True)
    chan.remove()
    assert not actor_of(db, chan.user).second_factor
    assert db.execute(select(table(RecoveryCode))).all() == []
    assert chan.facts().count("passkey.removed") == 2
    assert first_broken(db, SITE) is None


def test_the_first_passkey_ends_every_login_that_the_link_alone_opened(db: Db, chan: Somebody):
    stolen = chan.follow_link()
    chan.add(Device())
    assert who(db, stolen) is None
    assert who(db, chan.login) == chan.user.id
    chan.add(Device(id=b"second"))
    assert who(db, chan.login) == chan.user.id


def test_codes_and_passkeys_stand_for_each_other(db: Db, chan: Somebody):
    recovery = chan.add(Device())
    begin(db, chan.by, digest(chan.login), SECRET, now=NOW)
    secret, _ = address_of(db, chan.by, SECRET) or ("", "")
    codes = confirm(db, chan.by, digest(chan.login), SECRET, pyotp.TOTP(secret).at(NOW), now=NOW)
    assert codes != recovery
    chan.remove(needed=True)
    later = NOW + timedelta(seconds=30)
    chan.add(Device(id=b"second"))
    turn_off(db, chan.by, SECRET, pyotp.TOTP(secret).at(later), now=later)
    half = chan.follow_link()
    assert who(db, half) is None, "the passkey asks for more than the link"
    code = parse(CodeInput, {"code": codes[0]}).code
    assert who(db, finish(db, half, SECRET, code, now=NOW)) == chan.user.id, "the recovery codes stayed"
    forget_factor(db, Actor.operator(), chan.user, now=NOW)
    assert passkeys_of(db, chan.by) == []
    assert who(db, chan.follow_link()) == chan.user.id


# ---- signing in


def test_a_passkey_signs_in_wholly_and_ends_the_browsers_former_login(db: Db, chan: Somebody):
    device = Device(count=7)
    chan.add(device)
    device.count = 8
    login = use(db, device.show(ask(db)), former=chan.login)
    assert who(db, login) == chan.user.id
    assert who(db, chan.login) is None
    (one,) = passkeys_of(db, chan.by)
    assert one.used_at == NOW
    assert chan.facts()[-1] == "sign_in.done"


def test_a_half_login_is_made_whole_by_a_passkey_of_its_own_user_alone(db: Db, chan: Somebody):
    dara, mine, theirs = Somebody(db, DARA), Device(), Device(id=b"theirs")
    chan.add(mine)
    dara.add(theirs)
    half = chan.follow_link()
    with pytest.raises(Refused, match="passkey_other"):
        use(db, theirs.show(ask(db)), former=half)
    assert who(db, half) is None
    assert who(db, use(db, mine.show(ask(db)), former=half)) == chan.user.id
    with pytest.raises(Expired):
        finish(db, half, SECRET, "0" * 10, now=NOW)


def test_a_challenge_signs_in_once_in_the_browser_that_asked_and_soon(db: Db, chan: Somebody):
    device = Device()
    chan.add(device)
    asked = ask(db)
    answer = device.show(asked)
    for wrong in ({"browser": ELSEWHERE}, {"now": NOW + CHALLENGE_LASTS}):
        with pytest.raises(Refused, match="passkey_stale"):
            use(db, answer, **wrong)  # type: ignore[arg-type]
    assert use(db, answer) is not None
    with pytest.raises(Refused, match="passkey_stale"):
        use(db, answer)
    made_up = {**asked, "challenge": websafe_encode(b"x" * 32)}
    for other in (made_up, chan.ask()):
        with pytest.raises(Refused, match="passkey_stale"):
            use(db, device.show(other))


def test_a_count_that_did_not_grow_signs_nobody_in_and_is_a_fact(db: Db, chan: Somebody):
    device = Device(count=5)
    chan.add(device)
    for count in (5, 4, 0):
        device.count = count
        assert use(db, device.show(ask(db))) is None
    device.count = 6
    assert use(db, device.show(ask(db))) is not None
    told = [fact for fact in history(db, SITE, f"user:{chan.user.id}") if fact.kind == "passkey.copied"]
    assert [(fact.before["number"], fact.after["number"]) for fact in told] == [(5, 5), (5, 4), (5, 0)]


def test_a_key_that_is_gone_wrong_or_of_somebody_disabled_looks_like_one_that_never_was(db: Db, chan: Somebody):
    device = Device()
    chan.add(device)
    answer = device.show(ask(db))
    found = kept(db, named(answer))
    seen = shown(HERE, answer, found.key)
    stranger = Device(id=device.id, private=device.private, handle=b"somebody else")
    with pytest.raises(Invalid):
        use(db, stranger.show(ask(db)))
    with pytest.raises(Invalid):
        kept(db, websafe_encode(b"never was"))
    db.execute(update(table(User)).where(table(User).c.id == chan.user.id).values(disabled=True))
    with pytest.raises(Invalid):
        kept(db, named(answer))
    with pytest.raises(Invalid):
        passkeys.sign_in(db, found, seen, BROWSER, "", now=NOW)


def test_it_is_the_same_on_either_database(either_database: Any):
    def deed(db: Db) -> int | None:
        chan, device = Somebody(db, CHAN), Device(count=2**32 - 2)
        chan.add(device)
        device.count += 1
        assert who(db, use(db, device.show(ask(db)))) == chan.user.id
        chan.remove()
        return chan.user.id

    assert Pen(either_database).write_now(SITE, deed)
