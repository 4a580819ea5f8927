"""One invitation at the desk: how it stands, its history and mails, and what may be done about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Expired, Refused
from app.kit.i18n import LANGS, text_of
from app.kit.inputs import parse
from app.registration import inviting
from app.registration.inputs import SureInput
from app.registration.invitation_inputs import ReplyDate
from app.registration.invitation_queries import WholeInvitation, desk_invitation
from app.registration.people import listed_name
from app.registration.rules.invitations import Kind, Reply, may_withdraw
from app.registration.uninviting import erase_invited, is_empty
from app.reports.history import told
from app.web import deps
from app.web.deps import Desk
from app.web.desk_invitations import label, name_of, typed
from app.web.desk_outbox import letter
from app.web.desk_registrations import label as registration_label
from app.web.desk_registrations import styled
from app.web.desk_story import story_of
from app.web.forms import Form, read_form, refilled
from app.web.pages import code as code_of
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
Deed = Callable[[Db, Actor, Forum, str], object]
DONE = frozenset({"created", "sent_again", "renewed", "date", "withdrawn", "erased"})
"""What the page says after a form: keys of the catalogue."""


@router.get("/desk/{forum}/invitations/{code}")
async def invitation(request: Request, forum: str, code: str) -> Response:
    """The page of one invitation."""
    return await _page(request, forum, code)


@router.post("/desk/{forum}/invitations/{code}/mail")
async def send_again(request: Request, forum: str, code: str) -> Response:
    """Send it once more."""
    now = clock.now()
    return await _act(request, forum, code, "sent_again", lambda *what: inviting.send_again(*what, now=now))


@router.post("/desk/{forum}/invitations/{code}/renewal")
async def renew(request: Request, forum: str, code: str) -> Response:
    """End the old link and send a new one."""
    now, secret = clock.now(), site_of(request).settings.secret_key

    def deed(db: Db, by: Actor, found: Forum, known: str) -> None:
        inviting.renew(db, by, found, known, secret, now=now)

    return await _act(request, forum, code, "renewed", deed)


@router.post("/desk/{forum}/invitations/{code}/date")
async def set_date(request: Request, forum: str, code: str) -> Response:
    """Another day to reply by."""
    now, sent = clock.now(), await read_form(request)

    def deed(db: Db, by: Actor, found: Forum, known: str) -> object:
        read = parse(ReplyDate, typed(sent, ("reply_by",)))
        return inviting.set_reply_date(db, by, found, known, read.reply_by, now=now)

    return await _act(request, forum, code, "date", deed)


@router.post("/desk/{forum}/invitations/{code}/withdrawal")
async def withdraw(request: Request, forum: str, code: str) -> Response:
    """Take it back; seats kept with it go to the next."""
    now = clock.now()
    return await _act(request, forum, code, "withdrawn", lambda *what: inviting.withdraw(*what, now=now))


@router.post("/desk/{forum}/invitations/{code}/erasure")
async def erase(request: Request, forum: str, code: str) -> Response:
    """Erase what it says of the person, at their own wish; it cannot be used any more."""
    now, sent = clock.now(), await read_form(request)

    def deed(db: Db, by: Actor, found: Forum, known: str) -> object:
        parse(SureInput, {"sure": sent.get("sure", "")})
        return erase_invited(db, by, found, known, now=now)

    return await _act(request, forum, code, "erased", deed)


@router.post("/desk/{forum}/invitations/{code}/link")
async def show_link(request: Request, forum: str, code: str) -> Response:
    """Show the invited person's link in the answer itself: it stands in no address and in no log."""
    sent, now, site, known = await read_form(request), clock.now(), site_of(request), code_of(code)
    desk, _ = await deps.read_at_desk(request, forum, _nothing)
    secret = site.settings.secret_key
    try:
        lang, token = await deps.write_at_desk(
            request, desk, sent, lambda db, found: inviting.show_link(db, desk.actor, found, known, secret, now=now)
        )
    except (Refused, Expired) as refused:
        again = refilled(desk.lang, sent, refused)
        return await _page(request, forum, code, form=again, status=refused.status)
    return await _page(request, forum, code, link=f"{site.settings.base_url}/{lang}/invitations/{token}")


def _nothing(_db: Db, _desk: Desk) -> None:
    return None


async def _act(request: Request, forum: str, code: str, done: str, deed: Deed) -> Response:
    """A form of the page: its deed, and the page again saying what was done or why not."""
    sent, known = await read_form(request), code_of(code)
    desk, _ = await deps.read_at_desk(request, forum, _nothing)
    try:
        await deps.write_at_desk(request, desk, sent, lambda db, found: deed(db, desk.actor, found, known))
    except (Refused, Expired) as refused:
        again = refilled(desk.lang, sent, refused)
        return await _page(request, forum, code, form=again, status=refused.status)
    return deps.back(f"{desk.base}/invitations/{known}?done={done}")


@dataclass(frozen=True, slots=True)
class Seen:
    """An invitation with what stands around it; facts and mails are None where the role may not see them."""

    whole: WholeInvitation
    facts: list[Any] | None
    mails: list[Any] | None


def _read(db: Db, desk: Desk, code: str) -> Seen:
    """Four queries, whatever has happened to the invitation."""
    return Seen(
        desk_invitation(db, desk.actor, desk.forum, code),
        *story_of(db, desk, f"invitation:{code}"),
    )


@dataclass(frozen=True, slots=True)
class Possible:
    """What this person at the desk may do with this invitation as it stands; the deeds ask again."""

    send: bool
    renew: bool
    date: bool
    link: bool
    withdraw: bool
    erase: bool

    @property
    def anything(self) -> bool:
        return any(getattr(self, name) for name in self.__dataclass_fields__)


def possible(desk: Desk, row: Any) -> Possible:
    """Permission and reply together."""
    is_open, personal = row.state == Reply.OPEN.value, row.kind == Kind.PERSONAL.value
    may_decide = desk.may(Permission.DECIDE_REGISTRATIONS)
    decides = is_open and may_decide
    return Possible(
        send=decides and personal and bool(row.email),
        renew=decides and personal,
        date=decides,
        link=is_open and personal and desk.may(Permission.SHOW_LINKS) and decides,
        withdraw=may_decide and may_withdraw(row.state, row.used),
        erase=may_decide and personal and not row.used and not is_empty(row),
    )


async def _page(
    request: Request, forum: str, code: str, *, form: Form | None = None, status: int = 200, link: str = ""
) -> Response:
    known = code_of(code)
    desk, seen = await deps.read_at_desk(request, forum, lambda db, desk: _read(db, desk, known))
    row, site = seen.whole.row, site_of(request)
    names = {row.category: row.category_name.of(desk.lang)}
    done = request.query_params.get("done", "") if form is None else ""
    is_code, gone = row.kind == Kind.CODE.value, text_of(desk.lang, "desk.erased.name")
    public = f"{site.settings.base_url}/{{}}/{desk.forum.slug}/register?code={quote(row.code)}"
    made = [
        (listed_name(one) or gone, f"{desk.base}/registrations/{one.code}", registration_label(desk.lang, one))
        for one in seen.whole.registrations
    ]
    values: dict[str, Any] = {
        "row": row,
        "is_code": is_code,
        "name": name_of(desk.lang, row),
        "erased": not is_code and not listed_name(row),
        "styled": styled(row),
        "label": label(desk.lang, row),
        "made": made,
        "may": possible(desk, row),
        "facts": seen.facts if seen.facts is None else [told(desk.lang, fact, names) for fact in seen.facts],
        "mails": seen.mails if seen.mails is None else [letter(desk.lang, mail) for mail in seen.mails],
        "form": form or Form(),
        "done": done if done in DONE and (done != "withdrawn" or row.state == done) else "",
        "addresses": [(one, public.format(one)) for one in LANGS] if is_code else [],
        "link": link,
        "sends_mail": site.settings.sends_mail,
    }
    return deps.show_at_desk(request, desk, "desk/invitation.html", status=status, **values)
