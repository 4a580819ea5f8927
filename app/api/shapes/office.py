"""Mails, colleagues and webhooks."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from app.api.shapes.general import WHEN, example

MAIL: dict[str, Any] = {
    "id": 12,
    "template": "registration/approved",
    "language": "km",
    "to_address": "vanna@university.example",
    "to_name": "Vanna Sok",
    "subject": "registration:K3TP9QA",
    "state": "queued",
    "created_at": WHEN,
    "due_at": WHEN,
    "sent_at": None,
    "attempts": 0,
    "error": "",
    "bounced_at": None,
}


class MailShape(BaseModel):
    """A mail of the outbox, without its values: links are in no answer."""

    model_config = example(**MAIL)

    id: int
    template: str
    language: str
    to_address: str
    to_name: str
    subject: str
    state: str
    created_at: datetime
    due_at: datetime
    sent_at: datetime | None
    attempts: int
    error: str
    bounced_at: datetime | None


class ColleagueShape(BaseModel):
    """Somebody with a role in the forum, or an owner of the site. `came_at`: signed in last."""

    model_config = example(
        id=2,
        email="chan@institute.example",
        name="Chan Keo",
        roles=["rapporteur"],
        site_owner=False,
        disabled=False,
        second_factor=True,
        came_at=WHEN,
    )

    id: int
    email: str
    name: str
    roles: list[str]
    site_owner: bool
    disabled: bool
    second_factor: bool
    came_at: datetime | None


class WebhookShape(BaseModel):
    """An address that is told what happens: `families` of facts, none for all. Its secret is in no answer."""

    model_config = example(
        id=1,
        address="https://program.example/sala",
        families=["registration"],
        created_at=WHEN,
        failing_since=None,
        paused_at=None,
        waiting=0,
        failed=0,
    )

    id: int
    address: str
    families: list[str]
    created_at: datetime
    failing_since: datetime | None
    paused_at: datetime | None
    waiting: int
    failed: int


class DeliveryShape(BaseModel):
    """A fact told to a webhook, and how that went; `number` is the fact's, 0 for a trial."""

    model_config = example(
        id=9,
        address="https://program.example/sala",
        number=41,
        kind="registration.approved",
        subject="registration:K3TP9QA",
        message="msg_K3TP9QAK3TP9QAK3TP9QAK3T",
        made_at=WHEN,
        state="delivered",
        due_at=WHEN,
        attempts=1,
        status=200,
        error="",
    )

    id: int
    address: str
    number: int
    kind: str
    subject: str
    message: str
    made_at: datetime
    state: str
    due_at: datetime
    attempts: int
    status: int
    error: str
