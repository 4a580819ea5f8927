"""Mailings at the desk: a draft to a segment, looked at and tried, its time, and how far it has come."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from sqlalchemy import select
from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.correspondence import mailing
from app.correspondence.mailing_queries import batch_of, mailing_of, mailings_of
from app.correspondence.previewing import preview_mailing
from app.correspondence.recipients import Reach, reach_of
from app.correspondence.rendering import Rendered
from app.correspondence.rules.mailings import State
from app.correspondence.rules.segments import Segment, from_kept
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db, table
from app.kit.errors import Answer, Conflict, Expired, Fault, Invalid, NotFound, Refused
from app.kit.i18n import Lang, text_of
from app.kit.settings import Settings
from app.mail.outbox import batch_counts
from app.programme.queries import published
from app.registration.desk_queries import group_names
from app.registration.models import Delegation
from app.registration.tagging import names_of, tags_of
from app.web import deps
from app.web.countries import countries
from app.web.deps import Desk
from app.web.desk_mailing_form import (
    MOST_FIELDS,
    SEVERAL,
    TEXTS,
    choices,
    in_words,
    kept,
    parsed,
    questions,
    segment_in_words,
)
from app.web.desk_mailing_list import asks, beginning
from app.web.desk_outbox import STATES as MAIL_STATES
from app.web.forms import Form, read_form, refilled
from app.web.local_times import instant
from app.web.pages import read_form_token
from app.web.signs import Label
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
DONE = frozenset({"saved", "tried", "scheduled", "taken_back", "stopped", "removed"})
NEW = "new"
"""Where the empty form stands; the others have a number."""
NAMED = 200
"""So many of those meant are shown by name."""
TONES = {"draft": ("still", "·"), "scheduled": ("wait", "…"), "sending": ("river", "→"), "sent": ("good", "✓")}
TONES |= {"stopped": ("still", "×")}


@dataclass(frozen=True, slots=True)
class Seen:
    """A mailing (None: the empty form), whom it is for and means now (None: not said), how it reads for them, and how
    its mails stand; `nobody`: somebody came from the list of registrations and had chosen no one there."""

    row: Any
    segment: Segment
    reach: Reach | None
    shown: list[Rendered]
    counts: dict[str, int]
    lists: dict[str, list[tuple[str, str]]]
    nobody: bool = False


@router.get("/desk/{forum}/mailings")
async def mailings(request: Request, forum: str) -> Response:
    """Every mailing, the newest first."""
    desk, (rows, groups, tags) = await deps.read_at_desk(request, forum, _read_list)
    lines = [(row, _label(desk.lang, row.state), segment_in_words(desk, row, groups, tags)[1]) for row in rows]
    done = request.query_params.get("done", "")
    sends, removed = desk.may(Permission.SEND_MAIL), "removed" if done == "removed" else ""
    return deps.show_at_desk(request, desk, "desk/mailings.html", lines=lines, sends=sends, done=removed)


@router.get("/desk/{forum}/mailings/{number}")
async def one(request: Request, forum: str, number: str) -> Response:
    """One mailing: its form while it is a draft, how far it has come afterwards."""
    known, listed = _known(number), request.query_params
    return await _page(request, forum, known, listed=listed if known is None and asks(listed) else None)


@router.post("/desk/{forum}/mailings/{number}")
async def act(request: Request, forum: str, number: str) -> Response:
    """Keep a draft or look at it; try it; give it a time; take that back; stop it; remove it."""
    known, sent = _known(number), await read_form(request, fields=MOST_FIELDS)
    desk, _ = await deps.read_at_desk(request, forum, lambda db, desk: _must_send(db, desk, known))
    try:
        if sent.get("act") == "preview":
            read_form_token(request, sent, deps.DESK_FORM, desk.login)
            return await _page(request, forum, known, sent=sent)
        deed, done = _deed(desk, known, sent, site_of(request).settings)
        came = await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        return await _page(request, forum, known, sent=sent, refused=refused)
    tail = "" if done == "removed" else f"/{came if done == 'saved' else number}"
    return deps.back(f"{desk.base}/mailings{tail}?done={done}")


def _deed(desk: Desk, number: int | None, sent: FormData, settings: Settings) -> tuple[Any, str]:
    """The deed of the button that was pressed, and what the page says after it. Raises Refused("not_a_choice")."""
    now, edition, zone, by = clock.now(), _whole(sent.get("edition")), desk.forum.timezone, desk.actor
    if sent.get("act") == "save":
        read = parsed(sent, zone)
        return lambda db, forum: mailing.save(db, by, forum, number, read, edition, now=now), "saved"
    if number is None:
        raise Refused("not_a_choice")
    at = _send_at(sent, zone, now)
    deeds: dict[Any, tuple[Any, str]] = {
        "try": (lambda db, forum: mailing.try_out(db, by, forum, number, settings.secret_key, now=now), "tried"),
        "schedule": (lambda db, forum: mailing.schedule(db, by, forum, number, edition, at, now=now), "scheduled"),
        "send": (lambda db, forum: mailing.schedule(db, by, forum, number, edition, now, now=now), "scheduled"),
        "take_back": (lambda db, forum: mailing.take_back(db, by, forum, number, edition, now=now), "taken_back"),
        "stop": (lambda db, forum: mailing.stop(db, by, forum, number, now=now), "stopped"),
        "remove": (lambda db, forum: mailing.remove(db, by, forum, number, edition, now=now), "removed"),
    }
    if sent.get("act") not in deeds:
        raise Refused("not_a_choice")
    return deeds[sent.get("act")]


def _send_at(sent: FormData, zone: str, now: datetime) -> datetime:
    if sent.get("act") != "schedule":
        return now
    typed = sent.get("send_at")
    at = instant(typed, zone, "send_at") if isinstance(typed, str) else None
    if at is None:
        raise Invalid([Fault("send_at", "missing")])
    return at


def _known(number: str) -> int | None:
    if number == NEW:
        return None
    if not (number.isascii() and number.isdigit() and len(number) < 9):
        raise NotFound
    return int(number)


def _whole(text: Any) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 9 else -1


def _read_list(db: Db, desk: Desk) -> tuple[list[Any], dict[str, str], dict[str, str]]:
    own = forum_id(desk.forum)
    desk.actor.must(Permission.SEE_MAIL, own)
    return mailings_of(db, own), group_names(db, desk.forum, desk.lang), _tags(db, desk)


def _must_send(db: Db, desk: Desk, number: int | None) -> None:
    desk.actor.must(Permission.SEND_MAIL, forum_id(desk.forum))
    if number is not None:
        mailing_of(db, desk.forum, number)


async def _page(
    request: Request,
    forum: str,
    number: int | None,
    *,
    sent: FormData | None = None,
    refused: Answer | None = None,
    listed: QueryParams | None = None,
) -> Response:
    """The page; after a form with what was sent, and where that can be read with whom it means. A new one may begin
    with those `listed`: what the list of registrations was asked."""
    settings, now = site_of(request).settings, clock.now()
    faulty: list[Answer] = [refused] if refused else []

    def read(db: Db, desk: Desk) -> Seen:
        own, row = forum_id(desk.forum), None
        desk.actor.must(Permission.SEND_MAIL if number is None else Permission.SEE_MAIL, own)
        if number is not None:
            row = mailing_of(db, desk.forum, number)
        words, segment, essential = _asked(row)
        begun = None
        try:
            begun = beginning(db, desk, listed) if listed is not None else None
        except Refused as wrong:
            faulty.append(wrong)
        segment = begun or segment
        known = True
        if sent is not None and "audience" in sent:
            try:
                known = False
                read = parsed(sent, desk.forum.timezone)
                known, segment, essential = True, read.segment, read.essential
                words = {name: getattr(mailing.checked(read), name) for name in TEXTS}
            except Refused as wrong:
                faulty.append(wrong)
        sends = known and desk.may(Permission.SEND_MAIL) and (row is None or row.state in _BEFORE)
        reach = (
            reach_of(db, desk.actor, desk.forum, segment, settings.secret_key, essential=essential)
            if sends
            else Reach()
        )
        whose = segment.audience.value
        shown = (
            preview_mailing(db, desk.forum, words, reach, whose, settings, essential=essential, now=now)
            if words
            else []
        )
        counts = batch_counts(db, batch_of(desk.forum, number)) if number is not None else {}
        nobody = listed is not None and begun is None and not faulty
        lists = _lists(db, desk, segment)
        return Seen(row, segment, reach if sends else None, shown, counts, lists, nobody)

    desk, seen = await deps.read_at_desk(request, forum, read)
    return _show(request, desk, seen, sent, faulty[0] if faulty else None)


_BEFORE = frozenset({State.DRAFT.value, State.SCHEDULED.value})


def _asked(row: Any) -> tuple[dict[str, str], Segment, bool]:
    """The words, the segment and whether it is essential, of a kept mailing or of none."""
    if row is None:
        return {}, Segment(standings=("seated",)), False
    return {name: getattr(row, name) for name in TEXTS}, from_kept(row.segment), row.essential


def _tags(db: Db, desk: Desk) -> dict[str, str]:
    """The forum's tags by number, for whoever may see whom they mark."""
    return {**names_of(tags_of(db, desk.actor, desk.forum))} if desk.may(Permission.SEE_PEOPLE) else {}


def _lists(db: Db, desk: Desk, segment: Segment) -> dict[str, list[tuple[str, str]]]:
    """What may be chosen in this forum: groups, delegations, tags, sessions, closed ones too. Four queries.

    A tag that was removed stays a choice of the mailing that asks for it: with nothing chosen in its place the next
    form would mean everybody.
    """
    tags = _tags(db, desk)
    if segment.tag:
        tags.setdefault(segment.tag, text_of(desk.lang, "mailings.tag_gone"))
    own, lang, delegations = forum_id(desk.forum), desk.lang, table(Delegation)
    invited = select(delegations.c.code, delegations.c.institution).where(
        delegations.c.forum_id == own, delegations.c.ended_at.is_(None)
    )
    anybody = [(one, text_of(lang, f"mailings.delegation_{one}")) for one in ("any", "none")]
    return {
        **choices(lang),
        "categories": list(group_names(db, desk.forum, lang).items()),
        "delegations": anybody
        + [(row.code, row.institution) for row in db.execute(invited.order_by(delegations.c.institution))],
        "tags": list(tags.items()),
        "sessions": [(one.code, f"{one.code} {one.title.of(lang)}") for one in published(db, own).sessions],
        "countries": countries(lang),
    }


def _label(lang: Lang, state: str) -> Label:
    tone, sign = TONES[state]
    return Label(tone, sign, text_of(lang, f"mailings.state.{state}"))


def _typed(sent: FormData) -> Form:
    lists = {name: [one for one in sent.getlist(name) if isinstance(one, str)] for name in SEVERAL if name in sent}
    return Form({**{name: value for name, value in sent.items() if isinstance(value, str)}, **lists})


def _show(request: Request, desk: Desk, seen: Seen, sent: FormData | None, refused: Answer | None) -> Response:
    row, zone, done = seen.row, desk.forum.timezone, request.query_params.get("done", "")
    typed = sent is not None and "audience" in sent
    form = _typed(sent or FormData())
    faults = refilled(desk.lang, sent or FormData(), refused, SEVERAL).faults if refused else {}
    begun = kept(row, zone) if row else questions(seen.segment, zone)
    fields = {**begun, **(form.kept if typed else {}), "send_at": form.kept.get("send_at", "")}
    fields |= {name: [] for name in SEVERAL if typed and name not in form.kept}
    fields |= {"chosen": form.kept.get("chosen", "")} if typed else {}
    quicker = isinstance(refused, Conflict) and row is not None
    edition = row.edition if row and (quicker or not sent) else _whole(sent.get("edition")) if sent else 0
    groups, tags = dict(seen.lists["categories"]), dict(seen.lists["tags"])
    values: dict[str, Any] = {
        "one": row,
        "label": _label(desk.lang, row.state) if row else None,
        "segment": segment_in_words(desk, row, groups, tags)[1] if row else "",
        "form": Form(fields, faults),
        "edition": edition,
        "saved": row is not None and not typed,
        "theirs": in_words(desk, row, groups, tags) if quicker else (),
        "lists": seen.lists,
        "placeholders": {
            audience.value: ", ".join(f"{{{name}}}" for name in names)
            for audience, names in mailing.PLACEHOLDERS.items()
        },
        "reach": seen.reach,
        "chosen": len(str(fields["chosen"]).split()),
        "nobody": seen.nobody,
        "by_name": seen.reach.named[:NAMED] if seen.reach and desk.may(Permission.SEE_PEOPLE) else (),
        "shown": seen.shown,
        "states": [
            (Label(*MAIL_STATES[state], text_of(desk.lang, f"desk.mail_state.{state}.name")), seen.counts[state])
            for state in MAIL_STATES
            if seen.counts.get(state)
        ],
        "bounced": seen.counts.get("bounced", 0),
        "waits": sum(seen.counts.get(state, 0) for state in ("queued", "retrying")),
        "sends": desk.may(Permission.SEND_MAIL),
        "rate": site_of(request).settings.bulk_mails_a_minute,
        "sends_mail": site_of(request).settings.sends_mail,
        "done": done if sent is None and done in DONE else "",
    }
    return deps.show_at_desk(request, desk, "desk/mailing.html", status=refused.status if refused else 200, **values)
