"""What a message of the outbox says: the values its text needs, looked up when it is rendered.

Links are made here and nowhere stored (rules §7); whoever only looks at a message gets `MASK` in their place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.accounts import signing_in
from app.accounts.actor import Actor
from app.accounts.models import User
from app.accounts.passkeys import ADDED, REMOVED
from app.accounts.second_factor import TURNED_OFF, TURNED_ON
from app.correspondence.addressing import reader_now
from app.correspondence.colleagues import about_colleague
from app.correspondence.delegations import about_delegation
from app.correspondence.mailboxes import mailbox_of, opt_out_token
from app.correspondence.mailing_queries import MAILINGS, TEST, mailing_of
from app.correspondence.speakers import about_speaker
from app.correspondence.wording import Words, own_words, samples
from app.forum.access import GIVEN, INVITED
from app.forum.models import Forum
from app.forum.queries import forum_by_slug, forum_id
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.kit.i18n import Lang, days, moment, text_of, worded
from app.kit.pen import SITE
from app.kit.settings import Settings
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
MASK = "…"
"""Stands for a link that only its reader may have."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a letter says: values for the texts `mail.<template>`, and the one link under them.

    `to_name` is who reads it; `principal` who attends, where an assistant reads it, else empty. `foot` are lines about
    the forum, `why` the text that says why the mail was sent, `wording` the second wording of its texts, if any.
    `own` are the organisers' words in place of the built-in ones, `action` the text on the link where it is not the
    message's own, `opt_out` the link of whoever wants no more such mail; a `test` goes to an organiser.
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
    own: Words | None = None
    action: str = ""
    opt_out: str = ""
    test: bool = False


def contents(db: Db, message: Claimed, settings: Settings, *, now: datetime, masked: bool = False) -> Contents:
    """Look up what a message needs, links `masked` for whoever is not its reader: then nothing is written. Raises
    NotFound where what it was about is gone."""
    if message.template in MAILINGS:
        found = _of_mailing(db, message, settings, now=now, masked=masked)
    else:
        found = _looked_up(db, message, settings, now=now, masked=masked)
        if message.forum != SITE:
            own, lang = forum_id(forum_by_slug(db, message.forum)), message.language
            found = replace(found, own=own_words(db, own, message.template, found.wording, lang))
    return replace(found, link=MASK, opt_out=MASK if found.opt_out else "") if masked else found


def _of_mailing(db: Db, message: Claimed, settings: Settings, *, now: datetime, masked: bool) -> Contents:
    """A mail of a mailing, in its words. Raises NotFound for whoever wants no such mail any more."""
    forum = forum_by_slug(db, message.forum)
    row = mailing_of(db, forum, int(message.values["mailing"]))
    words = Words(row.subject_km, row.text_km) if message.language == "km" else Words(row.subject_en, row.text_en)
    if message.template == TEST:
        found = as_meant(
            db, forum, str(message.values["like"]), row.segment["audience"], message.language, settings, now=now
        )
        return replace(found, own=words, why=why_of(essential=row.essential), test=True)
    opt_out = ""
    if not row.essential:
        box = mailbox_of(db, forum, message.to_address, settings.secret_key)
        if box is None or box.opted_out_at is not None:
            raise NotFound
        token = opt_out_token(settings.secret_key, box.id, box.generation)
        opt_out = f"{settings.base_url}/{message.language}/unsubscribe/{token}"
    found = _looked_up(db, message, settings, now=now, masked=masked)
    action = action_of(row.segment["audience"])
    named, why = {"name": found.to_name, **found.values}, why_of(essential=row.essential)
    return replace(found, values=named, own=words, action=action, why=why, opt_out=opt_out)


def action_of(audience: str) -> str:
    """The text on the link of a mailing, which leads each to their own page."""
    return f"mail.mailing_action.{audience}"


def why_of(*, essential: bool) -> str:
    """The text that says why a mailing was sent."""
    return "mail.foot_essential" if essential else "mail.foot_news"


def for_program(db: Db, forum: Forum, subject: str, found: Contents) -> Contents:
    """The same as a program may read it: of a registration without the sessions that somebody is in, which may be such
    of which nobody outside may learn it (rules §4.5), and in a private capacity without the institution (§2)."""
    kind, _, code = subject.partition(":")
    if kind != "registration":
        return found
    withheld = {"sessions", "changes"} & found.values.keys()
    if application_of(db, forum, code).attends_as == "private":
        withheld |= {"institution"}
    return replace(found, values={**found.values, **dict.fromkeys(withheld, MASK)})


def as_meant(
    db: Db, forum: Forum, like: str, audience: str, language: str, settings: Settings, *, now: datetime
) -> Contents:
    """What somebody meant by a mailing, `like` (what mail to them is about), would read, their link masked; made-up
    values where there is nobody, or where nothing can be said to them any more."""
    lang: Lang = "km" if language == "km" else "en"
    to = reader_now(db, forum, like)
    message = Claimed(0, "", forum.slug, TEST, lang, *to, like, {}, 0, 0, repeated=False)
    try:
        found = _looked_up(db, message, settings, now=now, masked=True)
    except NotFound:
        made_up = {**samples(lang), "forum": forum.title.of(lang)}
        found = Contents(made_up, MASK, forum.title.of(lang), made_up["name"], foot=_foot(forum, lang))
    return replace(found, values={"name": found.to_name, **found.values}, action=action_of(audience), link=MASK)


def _must_be_theirs(db: Db, message: Claimed, user_id: int) -> None:
    """What signs in, or speaks of that, goes to its user's own address, and for the site alone but for what colleagues
    are told: an archive may bring any mail with it, and a desk try it again. Raises NotFound."""
    mine = (_users.c.id == user_id) & (_users.c.email_normal == message.to_address.strip().casefold())
    of_this_forum = message.forum == SITE or message.template in COLLEAGUES
    if not of_this_forum or db.execute(select(_users.c.id).where(mine)).first() is None:
        raise NotFound


def _looked_up(db: Db, message: Claimed, settings: Settings, *, now: datetime, masked: bool) -> Contents:
    kind, _, name = message.subject.partition(":")
    if kind == "user":
        _must_be_theirs(db, message, int(name))
    if kind == "registration":
        return _about_registration(db, message, name, settings)
    if kind == "invitation":
        return _about_invitation(db, message, name, settings)
    if kind == "delegation":
        return _about_delegation(db, message, name, settings)
    if kind == "speaker":
        return _about_speaker(db, message, name, settings)
    if kind == "user" and message.template in COLLEAGUES:
        return _about_colleague(db, message, int(name), settings, now=now, masked=masked)
    if kind == "user" and message.template in {ADDED, REMOVED, TURNED_ON, TURNED_OFF}:
        return _about_account(db, message, int(name), settings)
    if kind == "user" and not masked:
        return _sign_in(db, message, int(name), settings, now=now)
    raise NotFound


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
    """An invitation or its reminder. Raises NotFound where it does not wait for an answer any more, or is another
    address's by now."""
    forum = forum_by_slug(db, message.forum)
    row = invitation_of(db, forum, code)
    if row.state != Reply.OPEN.value or normal_email(row.email) != normal_email(message.to_address):
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


def _about_colleague(
    db: Db, message: Claimed, user_id: int, settings: Settings, *, now: datetime, masked: bool
) -> Contents:
    forum = forum_by_slug(db, message.forum)
    lang: Lang = "km" if message.language == "km" else "en"
    found, foot = about_colleague(db, forum, message, user_id, lang, now=now, masked=masked), _foot(forum, lang)
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
