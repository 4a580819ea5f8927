"""An authenticator in software: it makes keys and shows them as a browser would send it (WebAuthn), and lies when told.

What it answers is what `app.accounts.authenticators` reads; nothing of it is a stand-in for our own code.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import sha256, websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

FLAG = AuthenticatorData.FLAG
SURE = FLAG.UP | FLAG.UV
"""Somebody was there, and was known by finger, face or PIN."""


@dataclass
class Device:
    """One key of one user at one site."""

    id: bytes = b"a credential's id"
    origin: str = "http://localhost"
    rp: str = "localhost"
    handle: bytes = b""
    count: int = 0
    flags: AuthenticatorData.FLAG = SURE
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, asked: Mapping[str, Any], **lies: Any) -> str:
        """The answer to being asked for a new key, as JSON; `lies` go into the browser's own part."""
        self.handle = websafe_decode(asked["user"]["id"])
        client = self._client(CollectedClientData.TYPE.CREATE, asked, lies)
        key = AttestedCredentialData.create(b"\0" * 16, self.id, ES256.from_cryptography_key(self.private.public_key()))
        seen = AuthenticatorData.create(sha256(self.rp.encode()), self.flags | FLAG.AT, self.count, key)
        made = AttestationObject.create("none", seen, {})
        return self._written(clientDataJSON=client, attestationObject=made)

    def show(self, asked: Mapping[str, Any], **lies: Any) -> str:
        """The answer to being asked for a key, as JSON."""
        client = self._client(CollectedClientData.TYPE.GET, asked, lies)
        seen = AuthenticatorData.create(sha256(self.rp.encode()), self.flags, self.count)
        signature = self.private.sign(seen + client.hash, ec.ECDSA(SHA256()))
        said = {"clientDataJSON": client, "authenticatorData": seen, "signature": signature, "userHandle": self.handle}
        return self._written(**{name: value for name, value in said.items() if value})

    def _client(self, kind: str, asked: Mapping[str, Any], lies: Mapping[str, Any]) -> CollectedClientData:
        said = {"type": kind, "challenge": asked["challenge"], "origin": self.origin, **lies}
        return CollectedClientData.create(**said)

    def _written(self, **said: bytes) -> str:
        response = {name: websafe_encode(value) for name, value in said.items()}
        own = websafe_encode(self.id)
        return json.dumps({"id": own, "rawId": own, "type": "public-key", "response": response})
