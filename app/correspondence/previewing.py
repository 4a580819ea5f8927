"""How a message would read for a real person, links masked: before its words are saved, before a mailing is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import literal, select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.correspondence.contents import MASK, Contents, as_meant, contents, for_program, why_of
from app.correspondence.mailing_queries import TEST
from app.correspondence.recipients import Reach, example_for
from app.correspondence.rendering import Rendered, rendered
from app.correspondence.wording import MessageKind, Words, about, samples
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Fault, Invalid, NotFound
from app.kit.i18n import LANGS, Lang
from app.kit.settings import Settings
from app.mail.outbox import Claimed
from app.programme.models import Asking, Speaker
from app.programme.queries import published
from app.programme.rules.speakers import OPEN
from app.registration.models import Application, Delegation, Invitation, Terms
from app.registration.people import shown_name
from app.registration.rules.invitations import Kind

_applications, _invitations, _delegations = table(Application), table(Invitation), table(Delegation)
_speakers, _askings = table(Speaker), table(Asking)


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody as whom a message is looked at; `subject` is what it is about ("registration:K3TP9QA")."""

    code: str
    subject: str
    address: str
    name: str


def reader_of(db: Db, by: Actor, forum: Forum, kind: MessageKind, code: str) -> Reader | None:
    """The reader with this code, or the newest there is without one.

    None where there is nobody at all. Raises Invalid at `reader` where nobody has the code here.
    """
    own = forum_id(forum)
    by.must(Permission.SEE_PEOPLE, own)
    whom = about(kind)
    if whom == "accounts":
        return None
    rows, theirs = _readers(own)[whom]
    row = db.execute((rows.where(theirs.c.code == code) if code else rows).limit(1)).first()
    if row is None and code:
        raise Invalid([Fault("reader", "no_such_reader")])
    if row is None:
        return None
    name = shown_name(row, row.language) if whom == "registration" else row.name
    return Reader(row.code, f"{whom}:{row.code}", row.email, str(name))


def _readers(own: int) -> dict[str, tuple[Any, Any]]:
    """Those who may be looked for, the newest first, by what a message is about; and the table that has their codes."""
    asked = select(_speakers.c.code, _askings.c.email, literal("").label("name"))
    invited = select(_invitations.c.code, _invitations.c.email, literal("").label("name"))
    personal = (_invitations.c.kind == Kind.PERSONAL.value) & (_invitations.c.email != "")
    kept = select(
        _delegations.c.code, _delegations.c.focal_email.label("email"), _delegations.c.focal_name.label("name")
    )
    there, joined = _applications.c.erased_at.is_(None), _askings.c.speaker_id == _speakers.c.id
    registered = select(_applications).where(_applications.c.forum_id == own, there)
    spoken = asked.join(_askings, joined).where(_speakers.c.forum_id == own, _askings.c.state.in_(OPEN))
    going = (_delegations.c.forum_id == own) & _delegations.c.ended_at.is_(None)
    return {
        "registration": (registered.order_by(_applications.c.id.desc()), _applications),
        "invitation": (
            invited.where(_invitations.c.forum_id == own, personal).order_by(_invitations.c.id.desc()),
            _invitations,
        ),
        "delegation": (kept.where(going).order_by(_delegations.c.id.desc()), _delegations),
        "speaker": (spoken.order_by(_speakers.c.id.desc()), _speakers),
    }


def preview(
    db: Db,
    forum: Forum,
    kind: MessageKind,
    words: dict[str, str],
    reader: Reader | None,
    settings: Settings,
    *,
    now: datetime,
    to_program: bool = False,
) -> list[Rendered]:
    """A message in both languages with these words, as the reader would get it. What it cannot be said of them now
    (nothing changed in their sessions) is shown by a word that stands for it, and so is `to_program` what no program
    may read (`for_program`)."""
    shown = []
    for lang in LANGS:
        found = _of_reader(db, forum, kind, reader, lang, settings, now) or _made_up(forum, lang)
        if to_program and reader is not None:
            found = for_program(db, forum, reader.subject, found)
        found = replace(found, values={**samples(lang), **found.values}, wording=kind.wording)
        own = Words(words[f"subject_{lang}"], words[f"text_{lang}"])
        shown.append(rendered(kind.template, lang, replace(found, own=own)))
    return shown


def _of_reader(
    db: Db,
    forum: Forum,
    kind: MessageKind,
    reader: Reader | None,
    lang: Lang,
    settings: Settings,
    now: datetime,
) -> Contents | None:
    if reader is None:
        return None
    try:
        like = _claimed(forum, kind.template, lang, reader, _given(db, forum))
        return contents(db, like, settings, now=now, masked=True)
    except (NotFound, KeyError):  # not so for this reader now, or queued with more than can be made up
        return None


def _given(db: Db, forum: Forum) -> dict[str, Any]:
    """Values that one message or another is queued with."""
    own = forum_id(forum)
    there, terms = published(db, own), table(Terms)
    hours = db.execute(select(terms.c.confirm_hours).where(terms.c.forum_id == own)).scalar()
    version = {"uids": [one.uid for one in there.sessions], "since": max(0, there.number - 1), "to": there.number}
    return {"hours": hours or 0, "common": [], **version}


def _claimed(forum: Forum, template: str, lang: Lang, reader: Reader, values: dict[str, Any]) -> Claimed:
    whose = (reader.address, reader.name, reader.subject)
    return Claimed(0, "", forum.slug, template, lang, *whose, values, 0, 0, repeated=False)


def _made_up(forum: Forum, lang: Lang) -> Contents:
    made_up = samples(lang)
    return Contents({"forum": forum.title.of(lang)}, MASK, forum.title.of(lang), made_up["name"])


def preview_mailing(
    db: Db,
    forum: Forum,
    words: Mapping[str, str],
    reach: Reach,
    audience: str,
    settings: Settings,
    *,
    essential: bool,
    now: datetime,
) -> list[Rendered]:
    """A mailing in both languages with these words, as somebody meant would read it."""
    shown = []
    for lang in LANGS:
        like = example_for(reach, lang)
        found = as_meant(db, forum, like.subject if like else "", audience, lang, settings, now=now)
        own = Words(words[f"subject_{lang}"], words[f"text_{lang}"])
        why, opt_out = why_of(essential=essential), "" if essential else MASK
        shown.append(rendered(TEST, lang, replace(found, own=own, why=why, opt_out=opt_out)))
    return shown
