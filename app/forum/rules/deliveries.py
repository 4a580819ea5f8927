"""When a webhook is tried again, when its address is given up, and how what it is sent is signed.

The form is that of Standard Webhooks (standardwebhooks.com): headers `webhook-id`, `webhook-timestamp` and
`webhook-signature`, the last "v1," and the HMAC-SHA256 of "id.timestamp.body" in base64.
"""

import base64
import hmac
from datetime import datetime, timedelta

WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""After the first, second, … try that failed; after the last of them a delivery has failed."""
PATIENCE = timedelta(days=3)
"""An address of which every try failed for so long is told nothing more until somebody has seen to it."""
CLAIM_LASTS = timedelta(minutes=5)
"""Longer than one try can last."""


def next_try(attempts: int, now: datetime) -> datetime | None:
    """When to try again after `attempts` ≥ 1 that failed, the last just now; None: it has failed for good."""
    return now + WAITS[attempts - 1] if attempts <= len(WAITS) else None


def is_given_up(failing_since: datetime | None, status: int, now: datetime) -> bool:
    """Is the address told nothing more? After days of failing, and at once where it says that it is gone (410)."""
    return status == 410 or (failing_since is not None and now - failing_since >= PATIENCE)


def is_taken(status: int) -> bool:
    """Has the receiver taken what it was sent? Nothing else but 2xx is that; a redirect is not followed."""
    return 200 <= status < 300


def wants(families: tuple[str, ...], kind: str) -> bool:
    """Is a fact of this kind ("registration.approved") told where these families are asked for? None means all."""
    return not families or kind.partition(".")[0] in families


def signature(secret: bytes, message: str, at: datetime, body: bytes) -> str:
    """The `webhook-signature` of a body, sent as `message` at this instant."""
    signed = f"{message}.{int(at.timestamp())}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()


def secret_text(secret: bytes) -> str:
    """A secret as receivers are given it: "whsec_" and base64."""
    return "whsec_" + base64.b64encode(secret).decode()
