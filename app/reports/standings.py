"""How things stand, in the reader's words: registrations, invitations, delegations, what a speaker answered, mails."""

from datetime import datetime
from typing import Any

from app.kit.i18n import Lang, has_text, text_of
from app.programme.rules.speakers import Reply
from app.registration.rules.invitations import Kind
from app.registration.rules.states import State


def standing_of(row: Any) -> str:
    """A registration's standing: its state, `seated` split by whether the address is confirmed."""
    if row.state == State.SEATED.value:
        return "confirmed" if row.confirmed_at is not None else "unconfirmed"
    return str(row.state)


def registration_words(lang: Lang, row: Any) -> str:
    """A registration's standing in words."""
    return text_of(lang, f"desk.standing.{standing_of(row)}")


def stands_of_invitation(row: Any) -> str:
    """An invitation's state; of an open code whether it can still be used."""
    if row.state == "open" and row.kind == Kind.CODE.value:
        return "used" if row.used >= row.uses else "usable"
    return str(row.state)


def invitation_words(lang: Lang, row: Any) -> str:
    """How an invitation stands in words."""
    return text_of(lang, f"desk.invitation.reply.{stands_of_invitation(row)}")


def stands_of_delegation(row: Any, now: datetime) -> str:
    """Whether a delegation is open, closed (its deadline is past, or its seats were released) or ended."""
    return "ended" if row.ended_at else "closed" if row.released_at or row.deadline <= now else "open"


def delegation_words(lang: Lang, row: Any, now: datetime) -> str:
    """How a delegation stands in words."""
    return text_of(lang, f"delegations.desk.state.{stands_of_delegation(row, now)}")


def reply_words(lang: Lang, reply: Reply) -> str:
    """What a speaker answered in words."""
    return text_of(lang, f"speakers.state.{reply.value}")


def code_in(subject: str) -> str:
    """The code of the registration, invitation or delegation that a mail is about; "" of anything else."""
    about, _, code = subject.partition(":")
    return code if about in {"registration", "invitation", "delegation"} else ""


def mail_kind(lang: Lang, template: str) -> str:
    """What a mail is; a template without words of its own shows its name."""
    key = f"desk.mail_kind.{template.replace('/', '.')}"
    return text_of(lang, key) if has_text(lang, key) else template


def mail_state(lang: Lang, state: str) -> str:
    """How a mail stands in words."""
    return text_of(lang, f"desk.mail_state.{state}.name")
