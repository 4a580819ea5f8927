"""One registration at the desk: everything about it, its history, and what may be decided."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Expired, Refused
from app.kit.inputs import Input, parse
from app.registration import applying, linking, reviewing
from app.registration.accompanying import Ties, ties_of
from app.registration.desk_queries import (
    Overview,
    SeatTally,
    Wanted,
    Whole,
    desk_registration,
    next_to_decide,
    overview,
)
from app.registration.erasing import erase
from app.registration.filing import desk_file
from app.registration.holding import hold_backs
from app.registration.inputs import DecisionInput, MoveInput, SureInput
from app.registration.noting import notes_of
from app.registration.overriding import SEATABLE
from app.registration.rank_queries import RungView, rung_now
from app.registration.rules.states import State, may_follow
from app.registration.rules.wording import wording_of
from app.registration.tagging import TagView, tagged, tags_of
from app.reports.history import told
from app.web import deps
from app.web.answers import download, file_number, said
from app.web.countries import country_name
from app.web.deps import Desk
from app.web.desk_outbox import letter
from app.web.desk_registrations import asked_for, label, link, name_of, styled
from app.web.desk_story import story_of
from app.web.forms import Form, read_form, refilled
from app.web.pages import code as code_of
from app.web.seats_left import left_words
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
Read = TypeVar("Read", bound=Input)
Deed = Callable[[Db, Actor, Forum, str, Read], str]
DONE = frozenset(
    {
        "edited",
        "approved_seated",
        "approved_waiting",
        "declined",
        "cancelled",
        "ended_before",
        "moved",
        "confirmed",
        "known",
        "seated_beyond",
        "seated_held_back",
        "priority",
        "priority_as_before",
        "erased",
        "note",
        "tags",
    }
)
"""What the page says after a form: keys of the catalogue."""
DECIDED = frozenset({"approved_seated", "approved_waiting", "declined"})
"""After these the page leads on to the next to decide."""
TOLD = frozenset({"approved_seated", "approved_waiting", "declined", "cancelled", "seated_beyond", "seated_held_back"})
"""Those of which the person is written a mail."""


@router.get("/desk/{forum}/registrations/{code}")
async def registration(request: Request, forum: str, code: str) -> Response:
    """The page of one registration; the list's question stays in its address, for the way back and onward."""
    return await _page(request, forum, code)


@router.post("/desk/{forum}/registrations/{code}/approval")
async def approve(request: Request, forum: str, code: str) -> Response:
    """Approve: a seat where one may be given, else a place in the queue."""
    now = clock.now()

    def deed(db: Db, by: Actor, found: Forum, code: str, read: DecisionInput) -> str:
        return f"approved_{reviewing.approve(db, by, found, code, now=now, note=read.note)}"

    return await act(request, forum, code, DecisionInput, deed)


@router.post("/desk/{forum}/registrations/{code}/refusal")
async def decline(request: Request, forum: str, code: str) -> Response:
    """Decline; what it held goes to the next."""
    now = clock.now()

    def deed(db: Db, by: Actor, found: Forum, code: str, read: DecisionInput) -> str:
        reviewing.decline(db, by, found, code, now=now, note=read.note)
        return "declined"

    return await act(request, forum, code, DecisionInput, deed)


@router.post("/desk/{forum}/registrations/{code}/cancellation")
async def cancel(request: Request, forum: str, code: str) -> Response:
    """Cancel on the person's behalf; the seat goes to the next."""
    now = clock.now()

    def deed(db: Db, by: Actor, found: Forum, code: str, read: DecisionInput) -> str:
        return "cancelled" if applying.cancel(db, by, found, code, now=now, note=read.note) else "ended_before"

    return await act(request, forum, code, DecisionInput, deed)


@router.post("/desk/{forum}/registrations/{code}/category")
async def move(request: Request, forum: str, code: str) -> Response:
    """Move to another category, the seat with it."""
    now = clock.now()

    def deed(db: Db, by: Actor, found: Forum, code: str, read: MoveInput) -> str:
        reviewing.move(db, by, found, code, read.category, now=now, note=read.note)
        return "moved"

    return await act(request, forum, code, MoveInput, deed)


@router.post("/desk/{forum}/registrations/{code}/confirmation")
async def confirm(request: Request, forum: str, code: str) -> Response:
    """Confirm the address by hand, for when the person was reached otherwise."""
    now = clock.now()

    def deed(db: Db, by: Actor, found: Forum, code: str, _read: Input) -> str:
        return "confirmed" if applying.confirm(db, by, found, code, now=now) else "known"

    return await act(request, forum, code, Input, deed)


@router.post("/desk/{forum}/registrations/{code}/erasure")
async def erase_all(request: Request, forum: str, code: str) -> Response:
    """Erase what is personal about it, at the person's own wish; a live one ends."""
    now = clock.now()

    def deed(db: Db, by: Actor, found: Forum, code: str, _read: SureInput) -> str:
        erase(db, by, found, code, now=now)
        return "erased"

    return await act(request, forum, code, SureInput, deed)


@router.post("/desk/{forum}/registrations/{code}/link")
async def show_link(request: Request, forum: str, code: str) -> Response:
    """Show the person's own link in the answer itself: it stands in no address and in no log."""
    sent, now, site = await read_form(request), clock.now(), site_of(request)
    desk, _ = await deps.read_at_desk(request, forum, _nothing)
    secret = site.settings.secret_key
    lang, token = await deps.write_at_desk(
        request,
        desk,
        sent,
        lambda db, found: linking.show_link(db, desk.actor, found, code_of(code), secret, now=now),
    )
    return await _page(request, forum, code, personal_link=f"{site.settings.base_url}/{lang}/my/{token}")


@router.get("/desk/{forum}/registrations/{code}/files/{number}")
async def sent_file(request: Request, forum: str, code: str, number: str) -> Response:
    """A file that was sent as an answer, to save."""
    known, wanted = code_of(code), file_number(number)
    _, found = await deps.read_at_desk(
        request, forum, lambda db, desk: desk_file(db, desk.actor, desk.forum, known, wanted)
    )
    return download(found)


def _nothing(_db: Db, _desk: Desk) -> None:
    return None


async def act(request: Request, forum: str, code: str, model: type[Read], deed: Deed[Read]) -> Response:
    """A form of the page: what was sent, its deed, and the page again saying what was done or why not."""
    sent = await read_form(request)
    desk, _ = await deps.read_at_desk(request, forum, _nothing)
    known = code_of(code)
    try:
        read = parse(model, {name: sent.get(name, "") for name in model.model_fields})
        done = await deps.write_at_desk(request, desk, sent, lambda db, found: deed(db, desk.actor, found, known, read))
    except (Refused, Expired) as refused:
        again = refilled(desk.lang, sent, refused)
        return await _page(request, forum, code, form=again, status=refused.status)
    return deps.back(link(f"{desk.base}/registrations/{known}?done={done}", asked_for(request.query_params)))


@dataclass(frozen=True, slots=True)
class Seen:
    """A registration with what stands around it; facts and mails are None where the role may not see them.

    `following` is the code of the next to decide and how many are left; None where nothing was decided just now.
    """

    whole: Whole
    overview: Overview
    facts: list[Any] | None
    mails: list[Any] | None
    hold_backs: list[Any]
    ties: Ties
    following: tuple[str, int] | None
    rung: tuple[RungView | None, bool]
    notes: list[Any]
    tags: list[Any]
    forum_tags: list[TagView]


def _read(db: Db, desk: Desk, code: str, wanted: Wanted | None = None) -> Seen:
    """Sixteen queries, whatever has happened to the registration; one more where the ladder of precedence is its
    forum's own, one for the hold-backs that somebody without a seat may be put on, one for what is next to decide.
    """
    whole = desk_registration(db, desk.actor, desk.forum, code)
    facts, mails = story_of(db, desk, f"registration:{code}")
    return Seen(
        whole=whole,
        overview=overview(db, desk.actor, desk.forum, now=clock.now()),
        facts=facts,
        hold_backs=_hold_backs(db, desk, whole),
        mails=mails,
        ties=ties_of(db, whole.row),
        rung=rung_now(db, forum_id(desk.forum), whole.row, whole.category.code),
        following=None if wanted is None else next_to_decide(db, desk.actor, desk.forum, wanted, after=code),
        notes=notes_of(db, whole.row.id),
        tags=tagged(db, [whole.row.id]).get(whole.row.id, []),
        forum_tags=tags_of(db, desk.actor, desk.forum),
    )


def _hold_backs(db: Db, desk: Desk, whole: Whole) -> list[Any]:
    if State(whole.row.state) not in SEATABLE or not desk.may(Permission.DECIDE_REGISTRATIONS):
        return []
    return hold_backs(db, desk.actor, desk.forum, category_id=whole.category.id)


async def registration_again(request: Request, forum: str, code: str, form: Form, status: int) -> Response:
    """The page with a form of it that was refused."""
    return await _page(request, forum, code, form=form, status=status)


async def _page(
    request: Request, forum: str, code: str, *, form: Form | None = None, status: int = 200, personal_link: str = ""
) -> Response:
    known, wanted = code_of(code), asked_for(request.query_params)
    done = request.query_params.get("done", "") if form is None else ""
    onward = wanted if done in DECIDED else None
    desk, seen = await deps.read_at_desk(request, forum, lambda db, desk: _read(db, desk, known, onward))
    names = {row.tally.code: row.tally.name.of(desk.lang) for row in seen.overview.seats}
    values: dict[str, Any] = {
        "row": seen.whole.row,
        "whole": seen.whole,
        "name": name_of(desk.lang, seen.whole.row),
        "answers": said(desk.lang, seen.whole.answers, f"{desk.base}/registrations/{known}/files"),
        "label": label(desk.lang, seen.whole.row),
        "country": country_name(seen.whole.row.country, desk.lang),
        "category_names": names,
        "seats": seen.overview.seats,
        "may": possible(desk, seen),
        "facts": seen.facts if seen.facts is None else [told(desk.lang, fact, names) for fact in seen.facts],
        "came_back": any(mail.bounced_at and mail.to_address == seen.whole.row.email for mail in seen.mails or ()),
        "mails": seen.mails if seen.mails is None else [letter(desk.lang, mail) for mail in seen.mails],
        "form": form or Form(),
        "done": done if done in DONE and form is None and _is_so(done, seen) else "",
        "told": done in TOLD,
        "sends_mail": site_of(request).settings.sends_mail,
        "styled": styled(seen.whole.row),
        "effect": effect(seen),
        "left_words": left_words,
        "own": own_seats(seen),
        "beyond": seen.overview.beyond[seen.whole.category.code],
        "hold_backs": seen.hold_backs,
        "list_address": link(f"{desk.base}/registrations", wanted),
        "question": link("", wanted),
        "ties": seen.ties,
        "rung": seen.rung,
        "following": seen.following if desk.may(Permission.DECIDE_REGISTRATIONS) else None,
        "personal_link": personal_link,
        "notes": seen.notes,
        "tags": seen.tags,
        "forum_tags": seen.forum_tags,
        "me": desk.actor.id,
        "decides": desk.may(Permission.DECIDE_REGISTRATIONS),
        "edit": link(f"{desk.base}/registrations/{known}/details?from=page", wanted) if edits(desk, seen) else "",
        "writes": desk.may(Permission.SEND_MAIL) and seen.whole.row.erased_at is None,
    }
    wording = wording_of(in_hall=seen.whole.category.in_hall)
    return deps.show_at_desk(request, desk, "desk/registration.html", status=status, wording=wording, **values)


def own_seats(seen: Seen) -> SeatTally:
    """The seats of the registration's own category, beside which it is decided."""
    return next(row for row in seen.overview.seats if row.tally.code == seen.whole.category.code)


def edits(desk: Desk, seen: Seen) -> bool:
    """May this person put the registration's details right?"""
    row = seen.whole.row
    return desk.may(Permission.DECIDE_REGISTRATIONS) and row.ended_at is None and row.erased_at is None


def effect(seen: Seen) -> str:
    """What approving does as things stand: "held" (its seat is kept already), "seat" or "waiting" (rules §1)."""
    if seen.whole.place_kind:
        return "held"
    return "seat" if own_seats(seen).left > 0 else "waiting"


def _is_so(done: str, seen: Seen) -> bool:
    """Does the registration stand as the notice says? An address of the page may be old, or made up."""
    row, facts = seen.whole.row, seen.facts or []
    if done == "moved":
        return any(fact.kind == "registration.moved" for fact in facts)
    if done == "edited":
        return any(fact.kind == "registration.corrected" for fact in facts)
    if done in {"confirmed", "known"}:
        return row.confirmed_at is not None
    if done in {"note", "tags"}:
        kinds = {"note": ("noted", "note_removed"), "tags": ("tagged", "untagged")}[done]
        there = seen.notes if done == "note" else seen.tags
        return bool(there) or any(fact.kind.removeprefix("registration.") in kinds for fact in facts)
    if done == "erased":
        return row.erased_at is not None
    if done == "ended_before":
        return row.ended_at is not None
    if done.startswith("priority"):
        return any(fact.kind == "registration.priority" for fact in facts)
    if done.startswith("seated_"):
        return bool(row.state == State.SEATED.value)
    return bool(row.state == done.removeprefix("approved_"))


@dataclass(frozen=True, slots=True)
class Possible:
    """What this person at the desk may do with this registration as it stands."""

    approve: bool
    decline: bool
    cancel: bool
    move: bool
    confirm: bool
    show_link: bool
    seat_beyond: bool
    seat_held_back: bool
    set_priority: bool
    erase: bool

    @property
    def anything(self) -> bool:
        return any(getattr(self, name) for name in self.__dataclass_fields__)


def possible(desk: Desk, seen: Seen) -> Possible:
    """Permission and state together; the deeds ask both again."""
    row, beyond = seen.whole.row, seen.overview.beyond[seen.whole.category.code]
    decides, state, live = desk.may(Permission.DECIDE_REGISTRATIONS), State(row.state), row.ended_at is None
    unseated = state in SEATABLE and seen.whole.place_kind == ""
    return Possible(
        approve=decides and state is State.AWAITING_APPROVAL,
        decline=decides and may_follow(state, State.DECLINED),
        cancel=decides and may_follow(state, State.CANCELLED),
        move=decides and live,
        confirm=decides and live and row.confirmed_at is None,
        show_link=desk.may(Permission.SHOW_LINKS) and row.erased_at is None,
        seat_beyond=unseated and not beyond.by_rule and desk.may(Permission.SEAT_OVER_LIMITS),
        seat_held_back=decides and state in SEATABLE and bool(seen.hold_backs),
        set_priority=decides and state in SEATABLE,
        erase=decides and row.erased_at is None,
    )
