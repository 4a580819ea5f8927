"""What an authenticator is asked and what it answers (W3C WebAuthn Level 3), read and verified with `fido2`.

Bytes in, values out: no database, and nothing of it runs under the pen. Challenges are told apart by whoever gave
them (`app.accounts.passkeys`): what is verified here is that the answer was signed for the challenge it names.
"""

import ipaddress
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from fido2 import cbor
from fido2.cose import ES256, RS256, EdDSA
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorData,
    CollectedClientData,
    PublicKeyCredentialRpEntity,
    RegistrationResponse,
)

from app.kit.errors import Fault, Invalid

T = TypeVar("T")
ALGORITHMS = (ES256.ALGORITHM, EdDSA.ALGORITHM, RS256.ALGORITHM)
"""What every authenticator can do one of (WebAuthn §5.4)."""
LONGEST = 16_384
"""Characters of an answer: one without attestation has about a thousand, one with certificates some thousands."""
LONGEST_ID = 1023
"""Bytes of a credential's id (WebAuthn §7.1, step 25)."""
PATIENCE_MS = 300_000


@dataclass(frozen=True, slots=True)
class Relying:
    """The site as authenticators know it: the name that keys are bound to, and the one origin that may use them."""

    id: str
    origin: str


@dataclass(frozen=True, slots=True)
class Made:
    """A new key pair's public half, as `app.accounts.models.Passkey` keeps it, and the challenge it was made for."""

    challenge: str
    credential: str
    key: bytes
    count: int
    syncable: bool
    synced: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A key that was shown: whose it says it is, what it signed, its count and whether it has copies."""

    challenge: str
    credential: str
    handle: str
    count: int
    syncable: bool
    synced: bool


def relying_on(base_url: str) -> Relying | None:
    """The site at this address; None where browsers know no passkeys: an address in numbers, or without https but on
    this machine (WebAuthn §5.1.3, secure contexts)."""
    parts = urlsplit(base_url)
    name = _in_ascii(parts.hostname or "")
    local = name == "localhost" or name.endswith(".localhost")
    if not name or _is_number(name) or (parts.scheme != "https" and not local):
        return None
    port = f":{parts.port}" if parts.port and (parts.scheme, parts.port) not in {("https", 443), ("http", 80)} else ""
    return Relying(name, f"{parts.scheme}://{name}{port}")


def _in_ascii(name: str) -> str:
    """A name in any letters as browsers compare it (RFC 3490); "" where it cannot be one."""
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return ""


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def to_make(relying: Relying, challenge: str, handle: str, name: str, shown: str, there: Sequence[str]) -> Any:
    """What a browser is asked for to make a key (PublicKeyCredentialCreationOptionsJSON): one that is found without a
    name, that asks who one is (PIN, finger, face), in no authenticator that has one of those `there`; no attestation.
    """
    return {
        "rp": {"id": relying.id, "name": "Sala"},
        "user": {"id": handle, "name": name, "displayName": shown},
        "challenge": challenge,
        "pubKeyCredParams": [{"type": "public-key", "alg": each} for each in ALGORITHMS],
        "timeout": PATIENCE_MS,
        "excludeCredentials": [{"type": "public-key", "id": each} for each in there],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
    }


def to_show(relying: Relying, challenge: str) -> Any:
    """What a browser is asked for to show a key (PublicKeyCredentialRequestOptionsJSON): any that is for this site, so
    that nobody learns which users there are or have one."""
    return {
        "rpId": relying.id,
        "challenge": challenge,
        "timeout": PATIENCE_MS,
        "allowCredentials": [],
        "userVerification": "required",
    }


def made(relying: Relying, text: str) -> Made:
    """A new key, from the answer's JSON. Raises Invalid("passkey_wrong") at `credential` for whatever is none."""

    def read(answer: Any) -> Made:
        registration = RegistrationResponse.from_dict(answer)
        client = registration.response.client_data
        seen = _server(relying).register_complete(_state(client), registration)
        credential = seen.credential_data
        if credential is None or credential.credential_id != registration.raw_id:
            raise ValueError("no credential")
        if len(credential.credential_id) > LONGEST_ID or credential.public_key.get(3) not in ALGORITHMS:
            raise ValueError("not asked for")
        return Made(
            websafe_encode(client.challenge),
            websafe_encode(credential.credential_id),
            bytes(credential),
            seen.counter,
            *_copies(seen),
        )

    return _tried(text, read)


def named(text: str) -> str:
    """The id of the credential that an answer says it is by. Raises Invalid, as `made`."""
    return _tried(text, lambda answer: websafe_encode(AuthenticationResponse.from_dict(answer).raw_id))


def shown(relying: Relying, text: str, key: bytes) -> Shown:
    """A key shown, from the answer's JSON, verified with the public one. Raises Invalid, as `made`."""

    def read(answer: Any) -> Shown:
        authentication = AuthenticationResponse.from_dict(answer)
        client, seen = authentication.response.client_data, authentication.response.authenticator_data
        _server(relying).authenticate_complete(_state(client), [AttestedCredentialData(key)], authentication)
        handle = authentication.response.user_handle
        if not handle:
            raise ValueError("a key that is found without a name says whose it is (WebAuthn §7.2, step 6)")
        return Shown(
            websafe_encode(client.challenge),
            websafe_encode(authentication.raw_id),
            websafe_encode(handle),
            seen.counter,
            *_copies(seen),
        )

    return _tried(text, read)


def _server(relying: Relying) -> Fido2Server:
    rp = PublicKeyCredentialRpEntity(id=relying.id, name="Sala")
    return Fido2Server(rp, verify_origin=lambda origin: origin == relying.origin)


def _state(client: CollectedClientData) -> dict[str, Any]:
    if client.cross_origin is not False:
        raise ValueError("asked for inside another site's page")
    return {"challenge": websafe_encode(client.challenge), "user_verification": "required"}


def _copies(seen: AuthenticatorData) -> tuple[bool, bool]:
    """Whether the key can have copies and has. One that has and cannot is not to be believed (§6.1.3)."""
    if seen.is_backed_up() and not seen.is_backup_eligible():
        raise ValueError("backed up and not eligible")
    return seen.is_backup_eligible(), seen.is_backed_up()


_PARTS = ("clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle")


def _plain(text: str) -> Any:
    """The answer with the parts that are read, each of its own type. Raises ValueError, KeyError or TypeError.

    The library takes a number where bytes belong for a length, and makes so many of them: a number of ten digits would
    take the memory of the whole machine.
    """
    answer = json.loads(text)
    parts = {name: answer["response"][name] for name in _PARTS if answer["response"].get(name) is not None}
    _must_be(str, answer["id"], answer["rawId"], *parts.values())
    client = json.loads(websafe_decode(parts["clientDataJSON"]))
    _must_be(str, client["type"], client["challenge"], client["origin"])
    if "attestationObject" in parts:
        made_of = cbor.decode(websafe_decode(parts["attestationObject"]))
        _must_be(dict, made_of)
        _must_be(bytes, cast("dict[str, Any]", made_of)["authData"])
    return {"id": answer["id"], "rawId": answer["rawId"], "type": "public-key", "response": parts}


def _must_be(kind: type, *values: Any) -> None:
    if not all(isinstance(value, kind) for value in values):
        raise TypeError(f"not {kind.__name__}")


def _tried(text: str, read: Callable[[Any], T]) -> T:
    if len(text) > LONGEST:
        raise Invalid([Fault("credential", "passkey_wrong")])
    try:
        return read(_plain(text))
    except Exception as fault:  # anybody's bytes, read as JSON, base64, CBOR and a key by the library: it may stumble
        raise Invalid([Fault("credential", "passkey_wrong")]) from fault
