"""An organiser registers somebody: any category, confirmed at once, after closing too."""

from datetime import datetime

from sqlalchemy import update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Refused
from app.registration.applying import Asked, application_of, apply
from app.registration.inputs import ApplicationInput
from app.registration.models import Application
from app.registration.welcome import Welcome

_applications = table(Application)


def enter(
    db: Db, by: Actor, forum: Forum, sent: ApplicationInput, note: str, key: str, secret: bytes, *, now: datetime
) -> Asked:
    """Register somebody from the desk: seated where the seat rule allows, else waiting; nobody reviews it again.

    The note stays in the history. Raises Refused("registered_already") with the code of the registration there is,
    and what `apply` raises.
    """
    by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    welcome = Welcome(template="registration/entered", confirmed=True, after_closing=True)
    asked = apply(db, by, forum, sent, key, secret, now=now, welcome=welcome)
    if asked.known:
        raise Refused("registered_already", registration=asked.code)
    if note and not asked.same_request:
        row = application_of(db, forum, asked.code)
        db.execute(update(_applications).where(_applications.c.id == row.id).values(decision_note=note))
        subject = f"registration:{asked.code}"
        personal = {"note": note}  # what an organiser writes may name somebody
        record(db, forum.slug, by.signature, "registration.noted", subject, now=now, personal=personal)
    return asked
