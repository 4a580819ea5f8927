import base64
import hmac
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.forum.rules.deliveries import PATIENCE, WAITS, is_given_up, is_taken, next_try, secret_text, signature, wants
from tests.cast import NOW


def test_the_signature_is_that_of_standard_webhooks():
    """The example of the specification's own libraries."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = NOW.fromtimestamp(1614265330, tz=NOW.tzinfo)
    signed = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert secret_text(secret) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@given(st.binary(min_size=1), st.text(alphabet="abc", min_size=1), st.binary())
def test_another_body_or_secret_has_another_signature(secret: bytes, message: str, body: bytes):
    own = signature(secret, message, NOW, body)
    assert hmac.compare_digest(own, signature(secret, message, NOW, body))
    assert own != signature(secret + b"x", message, NOW, body)
    assert own != signature(secret, message, NOW, body + b"x")
    assert own != signature(secret, message, NOW + timedelta(seconds=1), body)


def test_each_wait_is_longer_and_there_is_a_last():
    waits = [next_try(attempts, NOW) for attempts in range(1, len(WAITS) + 1)]
    assert waits == sorted(waits, key=lambda at: at or NOW)
    assert next_try(len(WAITS) + 1, NOW) is None


@pytest.mark.parametrize(("status", "taken"), [(200, True), (204, True), (199, False), (302, False), (500, False)])
def test_only_2xx_is_taken(status: int, taken: bool):
    assert is_taken(status) is taken


def test_an_address_is_given_up_after_days_or_where_it_is_gone():
    assert is_given_up(None, 410, NOW)
    assert not is_given_up(None, 500, NOW)
    assert not is_given_up(NOW - PATIENCE + timedelta(seconds=1), 500, NOW)
    assert is_given_up(NOW - PATIENCE, 500, NOW)


def test_no_family_is_every_family():
    assert wants((), "room.added")
    assert wants(("room",), "room.added")
    assert not wants(("room",), "rooms.added")
    assert not wants(("room",), "session.moved")
