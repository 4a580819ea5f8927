"""The desk's invitations: the list, and the forms to invite one person or to make a code."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Expired, NotFound, Refused
from app.kit.i18n import LANGS, Lang, text_of
from app.kit.inputs import parse
from app.registration import inviting
from app.registration.desk_queries import overview
from app.registration.invitation_inputs import CodeInput, Guest
from app.registration.invitation_queries import REPLIES, Sought, desk_invitations, reply_counts
from app.registration.people import listed_name
from app.registration.rules.invitations import Kind
from app.reports.standings import invitation_words, stands_of_invitation
from app.web import deps
from app.web.deps import Desk
from app.web.desk_registrations import styled
from app.web.forms import Form, read_form, refilled
from app.web.seats_left import left_words
from app.web.signs import Filter, Label
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
TONES = {
    "open": ("wait", "…"),
    "usable": ("river", "●"),
    "accepted": ("good", "✓"),
    "used": ("good", "✓"),
    "declined": ("bad", "×"),
    "lapsed": ("still", "–"),
    "withdrawn": ("still", "–"),
}
"""How an invitation stands → tone and sign of its label. An open code is `usable`, or `used` up."""


@router.get("/desk/{forum}/invitations")
async def invitations(request: Request, forum: str) -> Response:
    """The list as asked for by `?reply= &q= &after=`, the newest first."""
    sought = asked_for(request.query_params)
    desk, (found, counted) = await deps.read_at_desk(
        request,
        forum,
        lambda db, desk: (
            desk_invitations(db, desk.actor, desk.forum, sought),
            reply_counts(db, desk.actor, desk.forum),
        ),
    )
    rows, more = found
    address = f"{desk.base}/invitations"
    values: dict[str, Any] = {
        "sought": sought,
        "address": address,
        "filters": _filters(desk.lang, address, counted, sought),
        "lines": [line(desk.lang, row, f"{address}/{row.code}") for row in rows],
        "following": _link(address, sought, rows[-1].id) if more else "",
        "beginning": _link(address, sought) if sought.after is not None else "",
        "may_invite": desk.may(Permission.DECIDE_REGISTRATIONS),
        "made": _made(request.query_params),
    }
    return deps.show_at_desk(request, desk, "desk/invitations.html", **values)


def asked_for(params: QueryParams) -> Sought:
    """What the address asks for. Raises NotFound for a reply there is none of."""
    reply, after = params.get("reply", ""), params.get("after", "")
    if reply not in {"", *REPLIES}:
        raise NotFound
    words = "".join(letter for letter in params.get("q", "")[:200] if letter.isprintable() or letter == "\u200b")
    number = int(after) if after.isascii() and after.isdigit() and len(after) < 10 else None
    return Sought(reply, words.strip(), number)


def _made(params: QueryParams) -> int:
    """How many invitations were just made by a list; 0 where the address does not say so."""
    made = params.get("made", "")
    return int(made) if made.isascii() and made.isdigit() and len(made) < 5 else 0


def _link(address: str, sought: Sought, after: int | None = None) -> str:
    pairs = {"reply": sought.reply, "q": sought.words, "after": str(after) if after is not None else ""}
    kept = {name: value for name, value in pairs.items() if value}
    return f"{address}?{urlencode(kept)}" if kept else address


def _filters(lang: Lang, address: str, counted: Mapping[str, int], sought: Sought) -> list[Filter]:
    choices = [("", text_of(lang, "desk.standing.all"), sum(counted.values()))]
    choices += [(reply, text_of(lang, f"desk.invitation.reply.{reply}"), counted.get(reply, 0)) for reply in REPLIES]
    return [
        Filter(words, _link(address, Sought(reply, sought.words)), count, sought.reply == reply)
        for reply, words, count in choices
    ]


@dataclass(frozen=True, slots=True)
class Line:
    """One invitation in the list, in ready words, with the address of its page; `under` stands below the name."""

    row: Any
    href: str
    name: str
    under: str
    is_code: bool
    label: Label


def line(lang: Lang, row: Any, href: str) -> Line:
    """A row of the query as a line of the list."""
    is_code = row.kind == Kind.CODE.value
    parts = [row.reference] if is_code else [styled(row), row.institution, row.email, row.reference]
    return Line(row, href, name_of(lang, row), " · ".join(part for part in parts if part), is_code, label(lang, row))


def name_of(lang: Lang, row: Any) -> str:
    """The code, or the invited person's name for lists; that it was erased where there is none any more."""
    if row.kind == Kind.CODE.value:
        return str(row.code)
    return listed_name(row) or text_of(lang, "desk.erased.name")


def label(lang: Lang, row: Any) -> Label:
    """How an invitation stands, ready to show."""
    tone, sign = TONES[stands_of_invitation(row)]
    return Label(tone, sign, invitation_words(lang, row))


# ---- inviting one person, or making a code


@router.get("/desk/{forum}/invitations/new")
async def form(request: Request, forum: str) -> Response:
    """The form to invite a person, or with `?kind=code` to make a code."""
    kind = _kind(request.query_params.get("kind", ""))
    return await _form(request, forum, kind, Form({"language": "km", "uses": "1"}))


@router.post("/desk/{forum}/invitations/new")
async def invite(request: Request, forum: str) -> Response:
    """Invite the person, or make the code."""
    sent = await read_form(request)
    asked = sent.get("kind", "")
    kind = _kind(asked if isinstance(asked, str) else "")
    desk, _ = await deps.read_at_desk(request, forum, lambda _db, _desk: None)
    try:
        code = await _invite(request, desk, kind, sent)
    except (Refused, Expired) as refused:
        return await _form(request, forum, kind, refilled(desk.lang, sent, refused), refused.status)
    return deps.back(f"{desk.base}/invitations/{code}?done=created")


def _kind(text: str) -> Kind:
    """Raises NotFound for a kind there is none of."""
    if text not in {"", *(kind.value for kind in Kind)}:
        raise NotFound
    return Kind(text or "personal")


async def _invite(request: Request, desk: Desk, kind: Kind, sent: FormData) -> str:
    site, now = site_of(request), clock.now()
    secret = site.settings.secret_key
    if kind is Kind.CODE:
        code = parse(CodeInput, typed(sent, tuple(CodeInput.model_fields)))
        return await deps.write_at_desk(
            request, desk, sent, lambda db, found: inviting.make_code(db, desk.actor, found, code, now=now)
        )
    guest = parse(Guest, typed(sent, tuple(Guest.model_fields)))
    return await deps.write_at_desk(
        request, desk, sent, lambda db, found: inviting.invite(db, desk.actor, found, guest, secret, now=now)
    )


def typed(sent: FormData, names: tuple[str, ...]) -> dict[str, str]:
    """The named text fields that were sent."""
    return {name: value for name in names if isinstance(value := sent.get(name), str)}


async def _form(request: Request, forum: str, kind: Kind, kept: Form, status: int = 200) -> Response:
    desk, groups = await deps.read_at_desk(request, forum, lambda db, desk: groups_of(db, desk, desk.forum))
    values = {
        "form": kept,
        "kind": kind.value,
        "groups": groups,
        "languages": languages(desk.lang),
        "over": desk.may(Permission.SEAT_OVER_LIMITS),
    }
    return deps.show_at_desk(request, desk, "desk/invite.html", status=status, **values)


def groups_of(db: Db, desk: Desk, forum: Forum) -> list[tuple[str, str]]:
    """The categories to choose from, each with the seats left in it. Raises Forbidden for who may not invite."""
    desk.actor.must(Permission.DECIDE_REGISTRATIONS, forum_id(forum))
    seats = overview(db, desk.actor, forum, now=clock.now()).seats
    return [
        (
            row.tally.code,
            f"{row.tally.letter} · {row.tally.name.of(desk.lang)} ({left_words(desk.lang, row.left)})",
        )
        for row in seats
    ]


def languages(lang: Lang) -> list[tuple[str, str]]:
    """The languages of mails to choose from."""
    return [(one, text_of(lang, f"desk.language.{one}")) for one in LANGS]
