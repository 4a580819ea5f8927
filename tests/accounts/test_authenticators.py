import json
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.utils import websafe_decode, websafe_encode
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.authenticators import LONGEST, Relying, made, named, relying_on, shown, to_make, to_show
from app.kit.errors import Invalid
from tests.authenticator import FLAG, SURE, Device

HERE = Relying("localhost", "http://localhost")
CHALLENGE = websafe_encode(b"c" * 32)
NEW = to_make(HERE, CHALLENGE, websafe_encode(b"h" * 48), "chan@institute.example", "Chan Keo", [])
ASKED = to_show(HERE, CHALLENGE)


def known(**traits: Any) -> tuple[Device, bytes]:
    """A device with a key that was made here, and its public half."""
    device = Device(**traits)
    return device, made(HERE, device.make(NEW)).key


# ---- the site


@pytest.mark.parametrize(
    ("address", "name", "origin"),
    [
        ("https://forum.example", "forum.example", "https://forum.example"),
        ("https://Forum.example:443/desk", "forum.example", "https://forum.example"),
        ("https://forum.example:8443", "forum.example", "https://forum.example:8443"),
        ("https://វេទិកា.example", "xn--i2e7a6a8gd2d.example", "https://xn--i2e7a6a8gd2d.example"),
        ("http://localhost:8000", "localhost", "http://localhost:8000"),
    ],
)
def test_the_site_is_known_by_its_own_address(address: str, name: str, origin: str):
    assert relying_on(address) == Relying(name, origin)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8000",
        "https://a..example",
        "https://192.0.2.7",
        "https://[2001:db8::1]",
        "http://forum.example",
    ],
)
def test_where_browsers_know_no_passkeys_there_are_none(address: str):
    assert relying_on(address) is None


def test_no_attestation_is_asked_for_and_always_who_one_is():
    assert NEW["attestation"] == "none"
    assert NEW["authenticatorSelection"]["userVerification"] == ASKED["userVerification"] == "required"
    assert ASKED["allowCredentials"] == [], "nobody learns from it which users there are"


# ---- what is taken


def test_a_key_is_made_and_shown():
    device, key = known(flags=SURE | FLAG.BE | FLAG.BS, count=3)
    again = device.show(ASKED)
    assert websafe_decode(named(again)) == device.id
    found = shown(HERE, again, key)
    assert (found.challenge, found.handle, found.count) == (CHALLENGE, websafe_encode(b"h" * 48), 3)
    assert (found.syncable, found.synced) == (True, True)


# ---- what is not


LIES: dict[str, dict[str, Any]] = {
    "another origin": {"origin": "https://localhost.evil.example"},
    "the right name without its port": {"origin": "http://localhost:8080"},
    "another kind": {"type": "payment.get"},
    "a frame": {"cross_origin": True},
}
TRAITS: dict[str, dict[str, Any]] = {
    "another site's key": {"rp": "evil.example"},
    "nobody there": {"flags": FLAG.UV},
    "not asked who": {"flags": FLAG.UP},
    "copies that cannot be": {"flags": SURE | FLAG.BS},
}


@pytest.mark.parametrize("lies", LIES.values(), ids=LIES)
def test_an_answer_that_was_given_elsewhere_is_refused(lies: dict[str, Any]):
    device, key = known()
    for read in (lambda: made(HERE, Device().make(NEW, **lies)), lambda: shown(HERE, device.show(ASKED, **lies), key)):
        with pytest.raises(Invalid):
            read()


@pytest.mark.parametrize("traits", TRAITS.values(), ids=TRAITS)
def test_an_authenticator_that_did_not_do_what_was_asked_is_refused(traits: dict[str, Any]):
    device, key = known()
    with pytest.raises(Invalid):
        made(HERE, Device(**traits).make(NEW))
    with pytest.raises(Invalid):
        shown(HERE, replace(device, **traits).show(ASKED), key)


def test_a_key_of_somebody_else_signs_nothing():
    device, key = known()
    with pytest.raises(Invalid):
        shown(HERE, replace(device, private=ec.generate_private_key(ec.SECP256R1())).show(ASKED), key)
    with pytest.raises(Invalid):
        shown(HERE, replace(device, id=b"another").show(ASKED), key)
    with pytest.raises(Invalid):
        shown(HERE, replace(device, handle=b"").show(ASKED), key)


def test_an_answer_of_any_length_is_refused_before_it_is_read():
    device, _ = known()
    long = device.show(ASKED) + " " * LONGEST
    with pytest.raises(Invalid):
        named(long)
    with pytest.raises(Invalid):
        made(HERE, Device(id=b"x" * 1024).make(NEW))


MANGLED = st.one_of(
    st.text(max_size=200),
    st.binary(max_size=200).map(websafe_encode),
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=20), st.lists, max_leaves=5),
)
DEVICE, KEY = known()
ANSWERS = {"make": json.loads(DEVICE.make(NEW)), "show": json.loads(DEVICE.show(ASKED))}


@given(st.sampled_from(["make", "show"]), st.data(), MANGLED)
def test_whatever_stands_in_an_answer_it_is_refused_and_nothing_else(way: str, data: st.DataObject, mangled: Any):
    answer = json.loads(json.dumps(ANSWERS[way]))
    place = data.draw(st.sampled_from([*answer["response"], "id", "rawId", "response"]))
    where = answer["response"] if place in answer["response"] else answer
    taken = place == "userHandle"  # held against the row by whoever signs in with it
    where[place] = mangled
    for read in (made, lambda site, text: shown(site, text, KEY)):
        try:
            read(HERE, json.dumps(answer))
        except Invalid:
            continue
        assert taken


@given(st.sampled_from(["make", "show"]), st.data())
def test_one_byte_that_differs_is_no_fault_of_ours(way: str, data: st.DataObject):
    answer = json.loads(json.dumps(ANSWERS[way]))
    name = data.draw(st.sampled_from(sorted(answer["response"])))
    raw = bytearray(websafe_decode(answer["response"][name]))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    answer["response"][name] = websafe_encode(bytes(raw))
    try:
        made(HERE, json.dumps(answer)) if way == "make" else shown(HERE, json.dumps(answer), KEY)
    except Invalid:
        return
    # without attestation nobody signs what a new key says of itself; a shown one signs all but whose it is
    assert way == "make" or name == "userHandle"


@given(st.binary(max_size=64) | st.integers(1, 3000).map(lambda deep: b"\x81" * deep))
def test_whatever_bytes_stand_for_a_new_key_they_are_refused(raw: bytes):
    answer = json.loads(json.dumps(ANSWERS["make"]))
    answer["response"]["attestationObject"] = websafe_encode(raw)
    with pytest.raises(Invalid):
        made(HERE, json.dumps(answer))


A_LENGTH = 50_000_000


def with_length(place: str) -> str:
    """An answer with a number where bytes belong."""
    answer = json.loads(json.dumps(ANSWERS["make" if place == "authData" else "show"]))
    response = answer["response"]
    if place == "challenge":
        client = json.loads(websafe_decode(response["clientDataJSON"]))
        response["clientDataJSON"] = websafe_encode(json.dumps({**client, "challenge": A_LENGTH}).encode())
    elif place == "authData":
        response["attestationObject"] = websafe_encode(
            cbor.encode({"fmt": "none", "authData": A_LENGTH, "attStmt": {}})
        )
    elif place == "rawId":
        answer |= {"id": A_LENGTH, "rawId": A_LENGTH}
    else:
        response[place] = A_LENGTH
    return json.dumps(answer)


@pytest.mark.parametrize("place", ["userHandle", "signature", "authenticatorData", "rawId", "challenge", "authData"])
def test_a_number_where_bytes_belong_is_not_taken_for_their_length(place: str):
    text = with_length(place)
    tracemalloc.start()
    try:
        for read in (lambda: made(HERE, text), lambda: named(text), lambda: shown(HERE, text, KEY)):
            with pytest.raises(Invalid):
                read()
        assert tracemalloc.get_traced_memory()[1] < A_LENGTH // 10
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "1", '{"response": {}}', "[" * 5000, "\0"])
def test_what_is_no_answer_is_refused(text: str):
    for read in (lambda: made(HERE, text), lambda: named(text), lambda: shown(HERE, text, KEY)):
        with pytest.raises(Invalid):
            read()
