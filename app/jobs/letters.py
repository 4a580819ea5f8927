"""From a message of the outbox to a letter: the values its text needs, looked up when it is rendered.

Links are made here and nowhere stored (rules §7).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.accounts import signing_in
from app.accounts.actor import Actor
from app.accounts.models import User
from app.accounts.passkeys import ADDED, REMOVED
from app.accounts.second_factor import TURNED_OFF, TURNED_ON
from app.forum.access import GIVEN, INVITED
from app.forum.models import Forum
from app.forum.queries import forum_by_slug, forum_id
from app.jobs.colleague_letters import about_colleague
from app.jobs.delegation_letters import about_delegation
from app.jobs.enclosures import Brought
from app.jobs.speaker_letters import about_speaker
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.kit.i18n import Lang, days, moment, text_of, worded
from app.kit.settings import Settings
from app.kit.templates import render
from app.mail.delivery import Letter
from app.mail.outbox import Claimed
from app.programme.queries import published
from app.registration import telling
from app.registration.applying import application_of, manage_token
from app.registration.inviting import invitation_of, invitation_token
from app.registration.models import Category
from app.registration.people import shown_name
from app.registration.pick_queries import places_held
from app.registration.queries import terms_of
from app.registration.rules.invitations import Reply
from app.registration.rules.names import normal_email
from app.registration.rules.wording import wording_of

_categories, _users = table(Category), table(User)
COLLEAGUES = frozenset({INVITED, GIVEN})


@dataclass(frozen=True, slots=True)
class Contents:
    """What a letter says: values for the texts `mail.<template>`, and the one link under them.

    `to_name` is who reads it; `principal` who attends, where an assistant reads it, else empty. `foot` are lines about
    the forum, `why` the text that says why the mail was sent, `wording` the second wording of its texts, if any.
    """

    values: dict[str, Any]
    link: str
    forum_title: str
    to_name: str
    principal: str = ""
    foot: tuple[str, ...] = ()
    reply_to: str = ""
    why: str = "mail.foot"
    wording: str = ""


def contents(db: Db, message: Claimed, settings: Settings, *, now: datetime) -> Contents:
    """Look up what a message needs. Raises NotFound where what it was about is gone."""
    kind, _, name = message.subject.partition(":")
    if kind == "registration":
        return _about_registration(db, message, name, settings)
    if kind == "invitation":
        return _about_invitation(db, message, name, settings)
    if kind == "delegation":
        return _about_delegation(db, message, name, settings)
    if kind == "speaker":
        return _about_speaker(db, message, name, settings)
    if kind == "user" and message.template in COLLEAGUES:
        return _about_colleague(db, message, int(name), settings, now=now)
    if kind == "user" and message.template in {ADDED, REMOVED, TURNED_ON, TURNED_OFF}:
        return _about_account(db, message, int(name), settings)
    if kind == "user":
        return _sign_in(db, message, int(name), settings, now=now)
    raise NotFound


def writes(message: Claimed) -> bool:
    """Does looking up this message's contents write (a one-time link), and so need the pen?"""
    return message.template in {"accounts/sign_in_link", INVITED}


def _about_registration(db: Db, message: Claimed, code: str, settings: Settings) -> Contents:
    forum = forum_by_slug(db, message.forum)
    row = application_of(db, forum, code)
    if row.erased_at is not None:
        raise NotFound
    if normal_email(message.to_address) != row.email_normal:
        raise NotFound  # the link is for the address the registration has now, and for no former one
    lang: Lang = "km" if message.language == "km" else "en"
    category = db.execute(
        select(_categories.c.name, _categories.c.in_hall).where(
            _categories.c.id == row.category_id, _categories.c.forum_id == forum_id(forum)
        )
    ).one()
    wording = wording_of(in_hall=category.in_hall)
    terms, name = terms_of(db, row.forum_id), shown_name(row, lang)
    values = {
        "name": name,
        "code": row.code,
        "category": category.name.of(lang),
        "forum": forum.title.of(lang),
        "next": worded(lang, wording, f"registration.promotion.{terms.promotion}", hours=terms.offer_hours),
        **message.values,
    }
    if message.template == "registration/picked_up":
        values["sessions"] = _sessions(db, forum, row.id, message.values["uids"], lang)
    if message.template == telling.TEMPLATE:
        values["changes"] = telling.told_in_words(db, forum, row, message.values, lang)
    if row.confirm_by:
        values["until"] = moment(row.confirm_by, lang, forum.timezone)
    token = manage_token(settings.secret_key, row.id, row.manage_generation)
    return Contents(
        values,
        f"{settings.base_url}/{lang}/my/{token}{_PAGES.get(message.template, '')}",
        forum.title.of(lang),
        row.assistant_name or message.to_name,
        principal=name if row.assistant_name else "",
        foot=_foot(forum, lang),
        reply_to=_secretariat(forum),
        wording=wording,
    )


_PAGES = {"registration/picked_up": "/sessions"}
"""Where on a person's own page the link of a letter leads, if not to its front."""


def _sessions(db: Db, forum: Forum, application: int, uids: Sequence[str], lang: Lang) -> str:
    """The sessions in which the person still has a place, each with its time, but none that was closed to them
    meanwhile. Raises NotFound where there is none."""
    held = places_held(db, application, uids)
    reader = next(iter(telling.readers(db, forum, [application])), None)
    lines = []
    for session in published(db, forum_id(forum)).sessions:
        if session.uid in held and reader is not None and reader.knows_of(session):
            at = moment(session.starts_at, lang, forum.timezone) if session.starts_at else ""
            lines.append(" – ".join(part for part in (session.title.of(lang), at) if part))
    if not lines:
        raise NotFound
    return "\n\n".join(lines)


def _about_invitation(db: Db, message: Claimed, code: str, settings: Settings) -> Contents:
    """An invitation or its reminder. Raises NotFound where it does not wait for an answer any more."""
    forum = forum_by_slug(db, message.forum)
    row = invitation_of(db, forum, code)
    if row.state != Reply.OPEN.value:
        raise NotFound
    lang: Lang = "km" if message.language == "km" else "en"
    named = select(_categories.c.name, _categories.c.in_hall).where(_categories.c.id == row.category_id)
    category = db.execute(named).one()
    wording = wording_of(in_hall=category.in_hall)
    until = [text_of(lang, "registration.invitation.no_date")]
    if row.reply_by:
        at = moment(row.reply_by, lang, forum.timezone)
        until = [text_of(lang, "registration.invitation.reply_by", at=at)]
    if row.reference:
        until.append(text_of(lang, "registration.invitation.reference", reference=row.reference))
    kept = "kept" if row.reserves else "not_kept"
    values = {
        "category": category.name.of(lang),
        "forum": forum.title.of(lang),
        "until": " ".join(until),
        "seat": worded(lang, wording, f"registration.invitation.{kept}"),
    }
    token = invitation_token(settings.secret_key, row.id, row.generation)
    link = f"{settings.base_url}/{lang}/invitations/{token}"
    foot, name = _foot(forum, lang), shown_name(row, lang)
    to, why = (forum.title.of(lang), name), "mail.foot_invitation"
    return Contents(values, link, *to, foot=foot, reply_to=_secretariat(forum), why=why, wording=wording)


def _about_delegation(db: Db, message: Claimed, code: str, settings: Settings) -> Contents:
    forum = forum_by_slug(db, message.forum)
    lang: Lang = "km" if message.language == "km" else "en"
    values, link, wording = about_delegation(db, forum, message, code, lang, settings)
    foot, reply_to, title = _foot(forum, lang), _secretariat(forum), forum.title.of(lang)
    return Contents(values, link, title, message.to_name, foot=foot, reply_to=reply_to, wording=wording)


def _about_speaker(db: Db, message: Claimed, code: str, settings: Settings) -> Contents:
    forum = forum_by_slug(db, message.forum)
    lang: Lang = "km" if message.language == "km" else "en"
    values, link, name = about_speaker(db, forum, message, code, lang, settings)
    foot, reply_to, title = _foot(forum, lang), _secretariat(forum), forum.title.of(lang)
    return Contents(values, link, title, name, foot=foot, reply_to=reply_to, why="mail.foot_speaker")


def _about_colleague(db: Db, message: Claimed, user_id: int, settings: Settings, *, now: datetime) -> Contents:
    forum = forum_by_slug(db, message.forum)
    lang: Lang = "km" if message.language == "km" else "en"
    found, foot = about_colleague(db, forum, message, user_id, lang, now=now), _foot(forum, lang)
    link, title = f"{settings.base_url}{found.path}", forum.title.of(lang)
    return Contents(found.values, link, title, found.name, foot=foot, why="mail.foot_colleague")


def _foot(forum: Forum, lang: Lang) -> tuple[str, ...]:
    """When and where the forum is, or that it is to be announced."""
    dates = days(forum.starts_on, forum.ends_on, lang) or text_of(lang, "forum.dates_open")
    place = ", ".join(part for part in (forum.venue_name.of(lang), forum.venue_address.of(lang)) if part)
    return (
        text_of(lang, "mail.dates", dates=dates),
        text_of(lang, "mail.place", place=place or text_of(lang, "forum.place_open")),
    )


def _secretariat(forum: Forum) -> str:
    """The secretariat's address; empty while the forum has only the placeholder of a file nobody has filled in yet."""
    address = str((forum.secretariat or {}).get("email") or "")
    # RFC 2606 §3 keeps example.org for documents: an answer sent there reaches nobody
    return "" if address.endswith("@example.org") else address


def _sign_in(db: Db, message: Claimed, user_id: int, settings: Settings, *, now: datetime) -> Contents:
    user = db.execute(select(User).where(_users.c.id == user_id, _users.c.disabled.is_(False))).scalar_one_or_none()
    if user is None:
        raise NotFound
    token = signing_in.make_link(db, Actor.worker(), user, now=now)
    name = user.name or user.email
    return Contents({"name": name, **message.values}, f"{settings.base_url}/login/{token}", "Sala", name)


def _about_account(db: Db, message: Claimed, user_id: int, settings: Settings) -> Contents:
    user = db.execute(select(User).where(_users.c.id == user_id, _users.c.disabled.is_(False))).scalar_one_or_none()
    if user is None:
        raise NotFound
    lang = "km" if message.language == "km" else "en"
    return Contents(
        {}, f"{settings.base_url}/account?lang={lang}", "Sala", user.name or user.email, why="mail.foot_account"
    )


def letter(message: Claimed, found: Contents, settings: Settings, along: Brought | None = None) -> Letter:
    """Render a message in its language: subject, plain text and HTML from the same catalogue texts, and what it takes
    along for a calendar."""
    lang: Lang = "km" if message.language == "km" else "en"
    key = "mail." + message.template.replace("/", ".")
    subject = " ".join(worded(lang, found.wording, f"{key}.subject", **found.values).split())
    paragraphs = worded(lang, found.wording, f"{key}.text", **found.values).strip().split("\n\n")
    paragraphs += along.paragraphs if along else ()
    if found.principal:
        subject = text_of(lang, "mail.for_subject", name=found.principal, subject=subject)
        paragraphs.insert(0, text_of(lang, "mail.for_text", name=found.principal))
    shown = {
        "paragraphs": paragraphs,
        "foot": found.foot,
        "why": text_of(lang, found.why),
        "action": worded(lang, found.wording, f"{key}.action"),
        "greeting": text_of(lang, "mail.greeting", name=found.to_name),
        "link": found.link,
        "forum_title": found.forum_title,
        "subject": subject,
    }
    return Letter(
        message_id=message.message_id,
        sender=settings.mail_from,
        reply_to=found.reply_to,
        to_name=found.to_name,
        to_address=message.to_address,
        language=lang,
        subject=subject,
        text=render(lang, "mail/letter.txt", **shown),
        html=render(lang, "mail/letter.html", **shown),
        invites=along.invites if along else (),
    )
