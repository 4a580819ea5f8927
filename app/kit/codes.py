"""Public codes, lasting links and one-time tokens (rules §7)."""

import base64
import hashlib
import hmac
import secrets
from functools import lru_cache

_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"  # nothing that is read or heard as something else
_MANY = len(_LETTERS)


def public_code(length: int = 7) -> str:
    """A random code people can read to each other; unique only as far as the caller's table makes it so."""
    code = ""
    while len(code) < length:
        # each letter as likely as any other: bytes beyond the last whole round of the letters are left out
        code += "".join(_LETTERS[byte % _MANY] for byte in secrets.token_bytes(length + 4) if byte < 256 - 256 % _MANY)
    return code[:length]


def lasting_token(secret: bytes, purpose: str, number: int, generation: int) -> str:
    """The token of a lasting link: HMAC-SHA256 over (id, generation) with a key derived for the purpose.

    160 bits as 32 lower-case base32 characters. It is computed when a link is shown, never stored:
    the row keeps the generation and `digest(token)`; a higher generation ends the old link.
    """
    mac = _mac(_key(secret, purpose), f"{number}/{generation}".encode())
    return base64.b32encode(mac[:20]).decode().lower()


@lru_cache(maxsize=64)
def _key(secret: bytes, purpose: str) -> bytes:
    """The key derived for a purpose: of an installation's few, each token asks for one."""
    return _mac(secret, b"sala/" + purpose.encode())


def _mac(key: bytes, text: bytes) -> bytes:
    """HMAC-SHA256. Not by `hmac.digest`, which lets another thread go on meanwhile: where the pen writes, the loop had
    to wait for its turn again, milliseconds for two of them."""
    return hmac.new(key, text, "sha256").digest()


def one_time_token() -> str:
    """A random token of 256 bits for a link that is used once."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What a table keeps of a token: enough to find the row, not enough to make the link."""
    return hashlib.sha256(token.encode()).hexdigest()


def seal(secret: bytes, purpose: str, text: str) -> str:
    """`text` with a signature that only this installation can make, for form tokens; see `unseal`."""
    mac = _mac(_key(secret, purpose), text.encode())
    return f"{text}.{base64.urlsafe_b64encode(mac[:20]).decode().rstrip('=')}"


def unseal(secret: bytes, purpose: str, sealed: str) -> str | None:
    """The text that was sealed for this purpose, or None where the signature does not fit."""
    text, dot, _ = sealed.rpartition(".")
    if not dot or not hmac.compare_digest(seal(secret, purpose, text).encode(), sealed.encode()):
        return None
    return text
