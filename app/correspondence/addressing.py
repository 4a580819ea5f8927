"""Who reads what a message is about, now: their address and name."""

from sqlalchemy import select

from app.accounts.models import User
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.programme.asking_queries import speaker_of
from app.registration.applying import application_of
from app.registration.delegations import delegation_of
from app.registration.inviting import invitation_of
from app.registration.people import shown_name

_users = table(User)


def reader_now(db: Db, forum: Forum, subject: str) -> tuple[str, str]:
    """(address, name) of the reader of mail about a subject ("registration:K3TP9QA") in this forum; both empty where
    there is nobody any more."""
    kind, _, code = subject.partition(":")
    try:
        if kind == "registration":
            row = application_of(db, forum, code)
            return str(row.email), shown_name(row, row.language)
        if kind == "invitation":
            row = invitation_of(db, forum, code)
            return str(row.email), shown_name(row, row.language)
        if kind == "delegation":
            row = delegation_of(db, forum, code)
            return str(row.focal_email), str(row.focal_name)
        if kind == "speaker":
            row = speaker_of(db, forum_id(forum), code)
            return str(row.email or ""), ""
        if kind == "user" and code.isdigit():
            row = db.execute(select(_users.c.email, _users.c.name).where(_users.c.id == int(code))).first()
            return (str(row.email), str(row.name)) if row else ("", "")
    except NotFound:
        return "", ""
    return "", ""
