"""How a message would read for a real person, links masked: before its words are saved, before a mailing is sent."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.correspondence.contents import MASK, Contents, as_meant, contents, why_of
from app.correspondence.mailing_queries import TEST
from app.correspondence.recipients import Reach, example_for
from app.correspondence.rendering import Rendered, rendered
from app.correspondence.wording import OF_MEMBERS, MessageKind, Words, samples
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
from app.registration.models import Application, Delegation, Invitation
from app.registration.queries import terms_of
from app.registration.rules.invitations import Kind

_applications, _invitations, _delegations = table(Application), table(Invitation), table(Delegation)
_speakers, _askings = table(Speaker), table(Asking)


def reader_of(db: Db, by: Actor, forum: Forum, kind: MessageKind, code: str) -> tuple[str, str, str] | None:
    """(subject, address, code) of the reader with this code, or of the newest there is without one.

    None where there is nobody at all. Raises Invalid at `reader` where nobody has the code here.
    """
    own = forum_id(forum)
    by.must(Permission.SEE_PEOPLE, own)
    about = "registration" if kind.template in OF_MEMBERS else kind.room
    if about == "accounts":
        return None
    rows = {
        "registration": select(_applications.c.code, _applications.c.email)
        .where(_applications.c.forum_id == own, _applications.c.erased_at.is_(None))
        .order_by(_applications.c.id.desc()),
        "invitation": select(_invitations.c.code, _invitations.c.email)
        .where(_invitations.c.forum_id == own, _invitations.c.kind == Kind.PERSONAL.value, _invitations.c.email != "")
        .order_by(_invitations.c.id.desc()),
        "delegation": select(_delegations.c.code, _delegations.c.focal_email.label("email"))
        .where(_delegations.c.forum_id == own, _delegations.c.ended_at.is_(None))
        .order_by(_delegations.c.id.desc()),
        "speaker": select(_speakers.c.code, _askings.c.email)
        .join(_askings, _askings.c.speaker_id == _speakers.c.id)
        .where(_speakers.c.forum_id == own, _askings.c.state.in_(OPEN))
        .order_by(_speakers.c.id.desc()),
    }[about]
    wanted = rows.limit(1)
    if code:
        columns = {"registration": _applications, "invitation": _invitations, "delegation": _delegations}
        wanted = rows.where(columns.get(about, _speakers).c.code == code).limit(1)
    row = db.execute(wanted).first()
    if row is None and code:
        raise Invalid([Fault("reader", "no_such_reader")])
    return (f"{about}:{row.code}", row.email, row.code) if row else None


def preview(
    db: Db,
    forum: Forum,
    kind: MessageKind,
    words: dict[str, str],
    reader: tuple[str, str, str] | None,
    settings: Settings,
    *,
    now: datetime,
) -> list[Rendered]:
    """A message in both languages with these words, as the reader would get it. What it cannot be said of them now
    (nothing changed in their sessions) is shown by a word that stands for it."""
    shown = []
    for lang in LANGS:
        found = _of_reader(db, forum, kind, reader, lang, settings, now) or _made_up(forum, lang)
        found = replace(found, values={**samples(lang), **found.values}, wording=kind.wording)
        own = Words(words[f"subject_{lang}"], words[f"text_{lang}"])
        shown.append(rendered(kind.template, lang, replace(found, own=own)))
    return shown


def _of_reader(
    db: Db,
    forum: Forum,
    kind: MessageKind,
    reader: tuple[str, str, str] | None,
    lang: Lang,
    settings: Settings,
    now: datetime,
) -> Contents | None:
    if reader is None:
        return None
    subject, address, _ = reader
    try:
        return contents(
            db,
            _claimed(forum, kind.template, lang, subject, address, _given(db, forum)),
            settings,
            now=now,
            masked=True,
        )
    except (NotFound, KeyError):  # not so for this reader now, or queued with more than can be made up
        return None


def _given(db: Db, forum: Forum) -> dict[str, Any]:
    """Values that one message or another is queued with."""
    own = forum_id(forum)
    there, terms = published(db, own), terms_of(db, own)
    version = {"uids": [one.uid for one in there.sessions], "since": max(0, there.number - 1), "to": there.number}
    return {"hours": terms.confirm_hours, "common": [], **version}


def _claimed(forum: Forum, template: str, lang: Lang, subject: str, address: str, values: dict[str, Any]) -> Claimed:
    return Claimed(0, "", forum.slug, template, lang, address, address, subject, values, 0, 0, repeated=False)


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
        of = (like.subject, like.email) if like else ("", "")
        found = as_meant(db, forum, of, audience, lang, settings, now=now)
        own = Words(words[f"subject_{lang}"], words[f"text_{lang}"])
        why, opt_out = why_of(essential=essential), "" if essential else MASK
        shown.append(rendered(TEST, lang, replace(found, own=own, why=why, opt_out=opt_out)))
    return shown
