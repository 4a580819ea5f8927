from datetime import timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.logins import FRESH, logins_of
from app.accounts.models import RecoveryCode, User
from app.accounts.second_factor import (
    STEP_SECONDS,
    TURNED_OFF,
    TURNED_ON,
    CodeInput,
    address_of,
    begin,
    confirm,
    finish,
    forget_factor,
    renew_codes,
    stands,
    step_of,
    turn_off,
    waits,
)
from app.accounts.signing_in import HALF_LASTS, make_link, sign_in, user_of_login
from app.audit.recording import history
from app.kit.codes import digest
from app.kit.db import Db, table
from app.kit.errors import Conflict, Expired, Invalid, NotFound, Refused
from app.kit.inputs import parse
from app.kit.pen import SITE
from app.mail.models import Message
from tests.cast import CHAN, DARA, NOW, SECRET, make_actor, make_user

LATER = NOW + timedelta(seconds=STEP_SECONDS)


def signed_in(db: Db, user: User) -> str:
    return sign_in(db, make_link(db, Actor.operator(), user, now=NOW), now=NOW)


def fresh(db: Db, user: User) -> str:
    """The digest of a login that was opened just now, by the link alone or half."""
    return digest(signed_in(db, user))


def plain(code: str) -> str:
    return parse(CodeInput, {"code": code}).code


def turned_on(db: Db, user: User) -> tuple[pyotp.TOTP, list[str]]:
    """The authenticator of a user, and the recovery codes."""
    by, login = Actor("user", user.id), fresh(db, user)
    begin(db, by, login, SECRET, now=NOW)
    found = address_of(db, by, SECRET)
    assert found is not None
    clock = pyotp.parse_uri(found[1])
    assert isinstance(clock, pyotp.TOTP)
    codes = confirm(db, by, login, SECRET, clock.at(NOW), now=NOW)
    db.refresh(user)
    return clock, codes


# ---- time steps


@given(st.integers(-3, 3), st.integers(0, 10**6))
def test_a_code_is_good_for_its_step_and_its_neighbours(off: int, moment: int):
    secret, now = pyotp.random_base32(), NOW + timedelta(seconds=moment)
    here = int(now.timestamp()) // STEP_SECONDS
    code = pyotp.TOTP(secret).generate_otp(here + off)
    near = [here + each for each in (-1, 0, 1) if pyotp.TOTP(secret).generate_otp(here + each) == code]
    assert step_of(secret, code, after=0, now=now) == (near[0] if near else None)
    assert bool(near) or abs(off) > 1


@given(st.integers(-1, 1))
def test_a_code_is_never_taken_again_nor_one_before_it(off: int):
    secret = pyotp.random_base32()
    step = int(NOW.timestamp()) // STEP_SECONDS + off
    code = pyotp.TOTP(secret).generate_otp(step)
    assert step_of(secret, code, after=step + 1, now=NOW) is None


@pytest.mark.parametrize(
    ("typed", "read"), [("១២៣ ៤៥៦", "123456"), ("abcde-fghjk", "ABCDEFGHJK"), (" 123-456 ", "123456")]
)
def test_a_code_is_read_as_people_type_it(typed: str, read: str):
    assert plain(typed) == read


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "x" * 39, "12345\u202e", "ééééé-ééééé"])
def test_what_can_be_no_code_is_refused_before_it_is_tried(typed: str):
    with pytest.raises(Invalid):
        plain(typed)


# ---- setting up, changing, turning off


def test_nothing_counts_before_a_code_was_given(db: Db):
    chan = make_user(db, CHAN)
    by, login = Actor("user", chan.id), fresh(db, chan)
    with pytest.raises(Conflict, match="factor_not_begun"):
        confirm(db, by, login, SECRET, "000000", now=NOW)
    begin(db, by, login, SECRET, now=NOW)
    first = address_of(db, by, SECRET)
    begin(db, by, login, SECRET, now=NOW)
    assert address_of(db, by, SECRET) != first, "begun anew is another secret"
    assert user_of_login(db, signed_in(db, chan), now=NOW) is not None
    with pytest.raises(Invalid):
        confirm(db, by, login, SECRET, "000000", now=NOW)
    assert stands(db, by) == (None, 0)


def test_the_secret_and_the_recovery_codes_are_nowhere_in_the_clear(db: Db):
    chan = make_user(db, CHAN)
    clock, codes = turned_on(db, chan)
    assert clock.secret not in chan.factor
    kept = set(db.execute(select(table(RecoveryCode).c.digest)).scalars())
    assert len(kept) == len(codes) == 10
    assert not kept & {plain(code) for code in codes}
    assert address_of(db, Actor("user", chan.id), SECRET) is None, "it is shown while it is set up, and never again"
    kinds = [fact.kind for fact in history(db, SITE, f"user:{chan.id}")]
    assert [kind for kind in kinds if kind.startswith("factor.")] == ["factor.begun", "factor.on"]


def test_it_is_set_up_once_and_turned_off_by_a_code(db: Db):
    chan = make_user(db, CHAN)
    clock, _ = turned_on(db, chan)
    by = Actor("user", chan.id)
    code = clock.at(NOW)
    for deed in (lambda: begin(db, by, "", SECRET, now=NOW), lambda: confirm(db, by, "", SECRET, code, now=NOW)):
        with pytest.raises(Conflict, match="factor_on"):
            deed()
    with pytest.raises(Invalid):
        turn_off(db, by, SECRET, clock.at(NOW), now=NOW)
    turn_off(db, by, SECRET, clock.at(LATER), now=LATER)
    assert stands(db, by) == (None, 0)
    with pytest.raises(Conflict, match="factor_off"):
        turn_off(db, by, SECRET, clock.at(LATER), now=LATER)


def test_a_login_that_is_not_fresh_sets_none_up_not_even_beside_a_passkey(db: Db):
    chan = make_user(db, CHAN)
    by, login = Actor("user", chan.id), fresh(db, chan)
    begin(db, by, login, SECRET, now=NOW)
    _, address = address_of(db, by, SECRET) or ("", "")
    later = NOW + FRESH
    clock = pyotp.parse_uri(address)
    assert isinstance(clock, pyotp.TOTP)
    for deed in (
        lambda: begin(db, by, login, SECRET, now=later),
        lambda: confirm(db, by, login, SECRET, clock.at(later), now=later),
    ):
        with pytest.raises(Refused, match="login_old"):
            deed()
    assert stands(db, by) == (None, 0)


def test_the_first_factor_ends_every_login_that_the_link_alone_opened(db: Db):
    chan, dara = make_user(db, CHAN), make_user(db, DARA)
    stolen, another, mine = signed_in(db, chan), signed_in(db, dara), signed_in(db, chan)
    by, login = Actor("user", chan.id), digest(mine)
    begin(db, by, login, SECRET, now=NOW)
    secret, _ = address_of(db, by, SECRET) or ("", "")
    confirm(db, by, login, SECRET, pyotp.TOTP(secret).at(NOW), now=NOW)
    assert user_of_login(db, stolen, now=NOW) is None
    assert user_of_login(db, mine, now=NOW) == chan
    assert user_of_login(db, another, now=NOW) == dara


def test_other_recovery_codes_end_the_former_ones(db: Db):
    chan = make_user(db, CHAN)
    _, codes = turned_on(db, chan)
    by = Actor("user", chan.id)
    fresh = renew_codes(db, by, SECRET, plain(codes[0]), now=NOW)
    assert stands(db, by)[1] == 10
    with pytest.raises(Invalid):
        turn_off(db, by, SECRET, plain(codes[1]), now=NOW)
    turn_off(db, by, SECRET, plain(fresh[1]), now=NOW)


def test_a_user_is_told_that_it_is_on_and_off(db: Db):
    chan, dara, mails = make_user(db, CHAN), make_user(db, DARA), table(Message)
    turned_on(db, dara)
    clock, _ = turned_on(db, chan)
    turn_off(db, Actor("user", chan.id), SECRET, clock.at(LATER), now=LATER, language="km")
    mine = select(mails.c.template, mails.c.language).where(mails.c.to_address == chan.email).order_by(mails.c.id)
    assert [tuple(row) for row in db.execute(mine)] == [(TURNED_ON, "en"), (TURNED_OFF, "km")]


def test_a_code_of_somebody_else_is_none(db: Db):
    chan, dara = make_user(db, CHAN), make_user(db, DARA)
    clock, codes = turned_on(db, chan)
    turned_on(db, dara)
    for code in (clock.at(LATER), plain(codes[0])):
        with pytest.raises(Invalid):
            turn_off(db, Actor("user", dara.id), SECRET, code, now=LATER)


def test_only_somebody_signed_in_has_one(db: Db):
    for by in (Actor.visitor(), Actor.participant(1), Actor.operator()):
        with pytest.raises(NotFound):
            begin(db, by, "", SECRET, now=NOW)


# ---- signing in


def test_the_link_alone_is_half_a_login_and_a_code_makes_another_whole(db: Db):
    chan = make_user(db, CHAN)
    clock, _ = turned_on(db, chan)
    there = logins_of(db, Actor("user", chan.id), now=NOW)
    half = signed_in(db, chan)
    assert user_of_login(db, half, now=NOW) is None
    assert logins_of(db, Actor("user", chan.id), now=NOW) == there
    with pytest.raises(Invalid):
        finish(db, half, SECRET, clock.at(NOW), now=NOW)  # the code it was set up with
    whole = finish(db, half, SECRET, clock.at(LATER), now=LATER)
    assert whole != half
    found = user_of_login(db, whole, now=LATER)
    assert found is not None
    assert found.id == chan.id
    assert user_of_login(db, half, now=LATER) is None
    with pytest.raises(Expired):
        finish(db, half, SECRET, clock.at(LATER + timedelta(seconds=30)), now=LATER)
    again = signed_in(db, chan)
    with pytest.raises(Invalid):
        finish(db, again, SECRET, clock.at(LATER), now=LATER)  # used already


def test_a_recovery_code_signs_in_once(db: Db):
    chan = make_user(db, CHAN)
    _, codes = turned_on(db, chan)
    assert user_of_login(db, finish(db, signed_in(db, chan), SECRET, plain(codes[3]), now=NOW), now=NOW) is not None
    with pytest.raises(Invalid):
        finish(db, signed_in(db, chan), SECRET, plain(codes[3]), now=NOW)
    assert stands(db, Actor("user", chan.id))[1] == 9
    assert "factor.recovery_code_used" in [fact.kind for fact in history(db, SITE, f"user:{chan.id}")]


def test_half_a_login_ends_soon_and_a_whole_one_is_none(db: Db):
    chan, dara = make_user(db, CHAN), make_user(db, DARA)
    turned_on(db, chan)
    half = signed_in(db, chan)
    assert waits(db, half, now=NOW + HALF_LASTS - timedelta(seconds=1)) == chan.id
    assert waits(db, half, now=NOW + HALF_LASTS) is None
    assert waits(db, signed_in(db, dara), now=NOW) is None


def test_whoever_runs_the_machine_helps_where_device_and_codes_are_lost(db: Db):
    chan = make_user(db, CHAN)
    turned_on(db, chan)
    forget_factor(db, Actor.operator(), chan, now=NOW)
    db.refresh(chan)
    assert user_of_login(db, signed_in(db, chan), now=NOW) is not None
    assert not make_actor(db, CHAN).second_factor
