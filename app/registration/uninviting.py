"""Erasing invited people who never registered, and the contacts of delegations: at their wish, or when their time has
come (docs/decisions/0007)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.purging import purge_personal
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import NotFound, Refused
from app.mail.redacting import redact
from app.registration.inviting import invitation_of
from app.registration.models import Delegation, Invitation
from app.registration.quotas import house_of
from app.registration.releasing import end_answered, lapse_invitation
from app.registration.replying import uses_of
from app.registration.rules.invitations import Kind, Reply
from app.registration.rules.names import normal_email, normal_name
from app.registration.seating import is_over, move_queue
from app.registration.settling import settle

_delegations, _invitations = table(Delegation), table(Invitation)
_WORDS = ("email", "family_name", "given_name", "name_km", "display_name", "institution", "position_title")
_EMPTY: dict[str, Any] = {**dict.fromkeys(_WORDS, ""), "titles": []}
_OVER = (Reply.DECLINED.value, Reply.LAPSED.value, Reply.WITHDRAWN.value)


def is_empty(invitation: Any) -> bool:
    """Was the person erased from this invitation (a row)? One by code never named anybody."""
    return invitation.kind == Kind.PERSONAL.value and not any(getattr(invitation, name) for name in _WORDS)


def erase_invited(db: Db, by: Actor, forum: Forum, code: str, *, now: datetime) -> bool:
    """End a personal invitation and empty what names the person: its columns, facts and mails. A seat kept with it goes
    to the next. False where that was done before.

    The link's digest stays, so that its page can say it is done. For the invited person, or an organiser who decides;
    anybody else finds nothing. Raises NotFound for one by code, Refused("invitation_in_use") as long as a live
    registration stands on it: that one is erased on its own page, and takes the invitation along.
    """
    settle(db, forum, now=now)
    row = invitation_of(db, forum, code)
    if row.kind != Kind.PERSONAL.value:
        raise NotFound
    if not by.owns_invitation(row.id):
        by.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    if is_empty(row):
        return False
    if uses_of(db, row.id):
        raise Refused("invitation_in_use")
    freed = 0
    if row.state in (Reply.OPEN.value, Reply.ACCEPTED.value):
        ends_as = Reply.DECLINED if by.owns_invitation(row.id) else Reply.WITHDRAWN
        freed = lapse_invitation(db, by, forum, row, ends_as.value, now=now)
    record(db, forum.slug, by.signature, "invitation.erased", f"invitation:{code}", now=now)
    _forget(db, forum, [row])
    if freed:
        move_queue(db, forum, house_of(db, forum_id(forum)), now=now)
    return True


def erase_with(db: Db, by: Actor, forum: Forum, application: Any, *, now: datetime) -> int:
    """A registration (its row, not emptied yet) is being erased: so are the personal invitation it was made with and
    the open ones that have gone to its address. None of them can be used any more, and no reminder leaves. How many
    seats that gave up; the caller moves the queue.

    From an assistant's address only what was sent to a person of the same name: it carries several (rules §2).
    """
    end_answered(db, by, forum, application.invitation_id, now=now)
    mine = (_invitations.c.id == application.invitation_id) & (_invitations.c.kind == Kind.PERSONAL.value)
    gone, freed = list(db.execute(select(_invitations).where(mine))), 0
    for row in _sent_to(db, application):
        freed += lapse_invitation(db, by, forum, row, Reply.WITHDRAWN.value, now=now)
        gone.append(row)
    _forget(db, forum, gone)
    return freed


def _sent_to(db: Db, application: Any) -> list[Any]:
    mine = (_invitations.c.forum_id == application.forum_id) & (_invitations.c.kind == Kind.PERSONAL.value)
    waits = (_invitations.c.state == Reply.OPEN.value) & (_invitations.c.email != "")
    return [
        row
        for row in db.execute(select(_invitations).where(mine, waits).order_by(_invitations.c.id))
        if normal_email(row.email) == application.email_normal
        and (not application.assistant_name or _named(row) == _named(application))
    ]


def _named(row: Any) -> str:
    return normal_name(row.family_name, row.given_name) or normal_name(row.name_km)


def _forget(db: Db, forum: Forum, rows: Iterable[Any]) -> None:
    """Empty invitations, and the personal part of facts and mails about them."""
    subjects = [f"invitation:{row.code}" for row in rows]
    mine = (_invitations.c.forum_id == forum_id(forum)) & _invitations.c.id.in_([row.id for row in rows])
    db.execute(update(_invitations).where(mine).values(**_EMPTY))
    purge_personal(db, forum.slug, subjects=subjects)
    redact(db, forum.slug, subjects=subjects)


# ---- on the day of the purge


def count_invited(db: Db, forum: Forum, *, now: datetime) -> int:
    """How many invitations `forget_invited` would empty."""
    return int(db.execute(select(func.count()).where(_unaccepted(forum, now))).scalar_one())


def forget_invited(db: Db, by: Actor, forum: Forum, *, now: datetime) -> None:
    """Empty the personal invitations nobody came by: declined, lapsed, withdrawn, and once the forum is over those
    without an answer, which lapse. The caller asks permission, records it, and empties facts and mails."""
    rows = db.execute(select(_invitations).where(_unaccepted(forum, now)).order_by(_invitations.c.id)).all()
    for row in rows:
        if row.state == Reply.OPEN.value:
            lapse_invitation(db, by, forum, row, Reply.LAPSED.value, now=now)
    db.execute(update(_invitations).where(_unaccepted(forum, now)).values(**_EMPTY))


def _unaccepted(forum: Forum, now: datetime) -> ColumnElement[bool]:
    over = (*_OVER, Reply.OPEN.value) if is_over(forum, now) else _OVER
    mine = (_invitations.c.forum_id == forum_id(forum)) & (_invitations.c.kind == Kind.PERSONAL.value)
    return mine & _invitations.c.state.in_(over) & or_(*(_invitations.c[name] != "" for name in _WORDS))


def count_contacts(db: Db, forum: Forum, *, now: datetime) -> int:
    """How many delegations `forget_contacts` would empty of their contact."""
    return int(db.execute(select(func.count()).where(_nobodys(forum, now))).scalar_one())


def forget_contacts(db: Db, forum: Forum, *, now: datetime) -> None:
    """Empty the focal point's name and address of delegations that name nobody any more: withdrawn, past their
    deadline, or of a forum that is over. The institution stays. The caller asks permission and records it."""
    db.execute(update(_delegations).where(_nobodys(forum, now)).values(focal_name="", focal_email=""))


def _nobodys(forum: Forum, now: datetime) -> ColumnElement[bool]:
    mine = (_delegations.c.forum_id == forum_id(forum)) & (
        (_delegations.c.focal_name != "") | (_delegations.c.focal_email != "")
    )
    if is_over(forum, now):
        return mine
    return mine & (_delegations.c.ended_at.is_not(None) | _delegations.c.released_at.is_not(None))
