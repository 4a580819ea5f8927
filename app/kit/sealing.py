"""Keeping a secret in a table that this installation has to read again: encrypted, for one purpose and one row."""

import base64
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


def encrypt(secret: bytes, purpose: str, bound_to: str, text: str) -> str:
    """`text` by AES-256-GCM (NIST SP 800-38D) with a key derived for the purpose, readable for `bound_to` alone."""
    nonce = secrets.token_bytes(_NONCE)
    kept = nonce + AESGCM(_key(secret, purpose)).encrypt(nonce, text.encode(), bound_to.encode())
    return base64.urlsafe_b64encode(kept).decode()


def decrypt(secret: bytes, purpose: str, bound_to: str, kept: str) -> str | None:
    """The text again, or None where it was encrypted with another key, for something else, or changed."""
    try:
        raw = base64.urlsafe_b64decode(kept.encode())
        return AESGCM(_key(secret, purpose)).decrypt(raw[:_NONCE], raw[_NONCE:], bound_to.encode()).decode()
    except (InvalidTag, ValueError):
        return None


def _key(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, b"sala/encrypted/" + purpose.encode(), "sha256")
