"""Invitations, and delegations with their focal points."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from app.accounts.actor import Actor
from app.api.calling import Call, Door, Matching, Reading, Writing
from app.api.inputs import sent
from app.api.registrations import Code, Limit
from app.api.shapes.general import Changed, Coded, Counted, Page
from app.api.shapes.inviting import DelegationLine, DelegationShape, InvitationShape, MemberShape
from app.forum.models import Forum
from app.kit.db import Db
from app.kit.inputs import Line
from app.registration import delegating, delegation_links, inviting, nominating
from app.registration.delegation_inputs import (
    DelegationInput,
    HandBackInput,
    InvitingInput,
    SeatsInput,
    ShareInput,
    WithdrawalInput,
)
from app.registration.delegation_queries import delegations, desk_delegation
from app.registration.inputs import SureInput
from app.registration.invitation_inputs import CodeInput, Guest, ReplyDate
from app.registration.invitation_queries import Sought, desk_invitation, desk_invitations
from app.registration.list_queries import answered_privately
from app.registration.rules.invitations import Reply
from app.registration.uninviting import erase_invited

router = APIRouter(prefix="/forums/{forum}", route_class=Door, tags=["invitations"])
AfterNumber = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="The mark of the part before.")]
GUEST = {
    "category": "THK",
    "language": "en",
    "email": "guest@institute.example",
    "family_name": "Keo",
    "given_name": "Chan",
    "reply_by": "2027-02-01",
    "reserves": True,
}
DELEGATION = {
    "institution": "An embassy",
    "country": "FR",
    "reference": "NV 12/2026",
    "deadline": "2027-02-01T10:00:00Z",
    "focal_name": "Dara Lim",
    "focal_email": "dara@embassy.example",
    "language": "en",
}


@router.get("/invitations", response_model=Page[InvitationShape])
async def list_invitations(
    call: Reading, state: Reply | None = None, q: Line = "", after: AfterNumber = None, limit: Limit = 50
) -> Response:
    """The invitations, the newest first. Takes `see_people`."""
    sought = Sought(state.value if state else "", q, after)

    def read(db: Db) -> tuple[list[Any], str]:
        rows, more = desk_invitations(db, call.by, call.forum, sought, most=limit)
        privately = answered_privately(db, call.by, call.forum)
        shown = [_invitation(row, is_private=row.id in privately) for row in rows]
        return shown, str(rows[-1].id) if more else ""

    return await call.page(InvitationShape, read, state=sought.reply, q=q, limit=limit)


@router.get("/invitations/{code}", response_model=InvitationShape)
async def get_invitation(call: Reading, code: Code) -> Response:
    """One invitation. Takes `see_people`."""

    def read(db: Db) -> InvitationShape:
        row = desk_invitation(db, call.by, call.forum, code).row
        return _invitation(row, is_private=row.id in answered_privately(db, call.by, call.forum))

    return await call.one(read)


@router.post("/invitations", response_model=Coded, status_code=201)
async def invite(call: Writing, guest: Annotated[Guest, sent(**GUEST)]) -> Response:
    """Invite one person, who is written to. Takes `decide_registrations`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Coded:
        return Coded(code=inviting.invite(db, call.by, forum, guest, call.secret, now=now))

    return await call.write(deed, status=201, made="code")


@router.post("/invitation-codes", response_model=Coded, status_code=201)
async def make_code(
    call: Writing, wanted: Annotated[CodeInput, sent(category="THK", uses=10, reply_by="2027-02-01")]
) -> Response:
    """Make a code with a number of uses; without one of your own it is made up. Takes `decide_registrations`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Coded:
        return Coded(code=inviting.make_code(db, call.by, forum, wanted, now=now))

    return await call.write(deed, status=201)


@router.post("/invitations/{code}/mail", response_model=Coded)
async def send_invitation_again(call: Writing, code: Code) -> Response:
    """Send it once more."""
    return await _done(call, code, lambda db, forum, now: inviting.send_again(db, call.by, forum, code, now=now))


@router.post("/invitations/{code}/renewal", response_model=Coded)
async def renew_invitation(call: Writing, code: Code) -> Response:
    """End the old link and send a new one."""
    return await _done(
        call, code, lambda db, forum, now: inviting.renew(db, call.by, forum, code, call.secret, now=now)
    )


@router.post("/invitations/{code}/date", response_model=Changed)
async def set_reply_date(call: Writing, code: Code, to: Annotated[ReplyDate, sent(reply_by="2027-02-01")]) -> Response:
    """Another day to reply by."""

    def deed(db: Db, forum: Forum, now: datetime) -> Changed:
        return Changed(changed=inviting.set_reply_date(db, call.by, forum, code, to.reply_by, now=now))

    return await call.write(deed)


@router.post("/invitations/{code}/withdrawal", response_model=Coded)
async def withdraw_invitation(call: Writing, code: Code) -> Response:
    """Take it back; seats kept with it go to the next."""
    return await _done(call, code, lambda db, forum, now: inviting.withdraw(db, call.by, forum, code, now=now))


@router.post("/invitations/{code}/erasure", response_model=Coded)
async def erase_invitation(call: Writing, code: Code, sure: Annotated[SureInput, sent(sure=True)]) -> Response:
    """Erase what it says of the person, at their own wish; it cannot be used any more."""
    assert sure.sure  # noqa: S101 - the input takes nothing else
    return await _done(call, code, lambda db, forum, now: erase_invited(db, call.by, forum, code, now=now))


@router.get("/delegations", response_model=Page[DelegationLine])
async def list_delegations(call: Reading) -> Response:
    """Every delegation by category and institution; the list is whole. Takes `see_people`."""

    def read(db: Db) -> tuple[list[Any], str]:
        return [_line(one.row, one.named, one.unnamed) for one in delegations(db, call.by, call.forum)], ""

    return await call.page(DelegationLine, read)


@router.get("/delegations/{code}", response_model=DelegationShape)
async def get_delegation(call: Reading, code: Code) -> Response:
    """One delegation with its people. Takes `see_people`."""
    return await call.one(lambda db: delegation_shape(db, call.by, call.forum, code))


@router.post("/delegations", response_model=Coded, status_code=201)
async def invite_delegation(
    call: Writing, wanted: Annotated[InvitingInput, sent(**DELEGATION, category="DIP", seats=3)]
) -> Response:
    """Invite an institution with a number of seats; its focal point is written to. Takes `decide_registrations`."""

    def deed(db: Db, forum: Forum, now: datetime) -> Coded:
        return Coded(code=delegating.invite(db, call.by, forum, wanted, call.secret, now=now))

    return await call.write(deed, status=201, made="code")


@router.put("/delegations/{code}", response_model=DelegationShape)
async def correct_delegation(
    call: Matching, code: Code, to: Annotated[DelegationInput, sent(**DELEGATION)]
) -> Response:
    """Change its words, deadline or focal point."""

    def deed(db: Db, forum: Forum, now: datetime) -> DelegationShape:
        edition = desk_delegation(db, call.by, forum, code).row.edition
        delegating.correct_delegation(db, call.by, forum, code, to, edition, call.secret, now=now)
        return delegation_shape(db, call.by, forum, code)

    return await call.write(deed, present=lambda db, forum: delegation_shape(db, call.by, forum, code))


@router.post("/delegations/{code}/seats", response_model=Changed)
async def resize_delegation(call: Writing, code: Code, to: Annotated[SeatsInput, sent(seats=4)]) -> Response:
    """Give it another number of seats. Takes `decide_registrations`, beyond a limit `seat_over_limits` too."""

    def deed(db: Db, forum: Forum, now: datetime) -> Changed:
        return Changed(changed=delegating.resize(db, call.by, forum, code, to, now=now))

    return await call.write(deed)


@router.post("/delegations/{code}/returned-seats", response_model=Counted)
async def hand_back(call: Writing, code: Code, back: Annotated[HandBackInput, sent(seats=1)]) -> Response:
    """Hand seats back that nobody is named for; how many unnamed ones are left."""

    def deed(db: Db, forum: Forum, now: datetime) -> Counted:
        return Counted(number=nominating.hand_back(db, call.by, forum, code, back.seats, now=now))

    return await call.write(deed)


@router.post("/delegations/{code}/invitation", response_model=Coded)
async def write_to_delegation_again(call: Writing, code: Code) -> Response:
    """Send the focal point the link once more."""
    return await _done(
        call, code, lambda db, forum, now: delegation_links.write_again(db, call.by, forum, code, now=now)
    )


@router.post("/delegations/{code}/renewal", response_model=Coded)
async def renew_delegation(call: Writing, code: Code) -> Response:
    """End the focal point's link and send a new one."""
    return await _done(
        call, code, lambda db, forum, now: delegation_links.renew_link(db, call.by, forum, code, call.secret, now=now)
    )


@router.post("/delegations/{code}/withdrawal", response_model=Changed)
async def withdraw_delegation(
    call: Writing, code: Code, how: Annotated[WithdrawalInput, sent(people=False, note="")]
) -> Response:
    """Withdraw the invitation; with `people` those who were named are cancelled too."""

    def deed(db: Db, forum: Forum, now: datetime) -> Changed:
        done = delegating.withdraw(db, call.by, forum, code, people=how.people, now=now, note=how.note)
        return Changed(changed=done)

    return await call.write(deed)


@router.post("/equal-shares", response_model=Counted)
async def share_evenly(call: Writing, share: Annotated[ShareInput, sent(seats=3)]) -> Response:
    """Give every party the same number of seats."""

    def deed(db: Db, forum: Forum, now: datetime) -> Counted:
        return Counted(number=delegating.share_evenly(db, call.by, forum, share, now=now))

    return await call.write(deed)


async def _done(call: Call, code: str, deed: Any) -> Response:
    def done(db: Db, forum: Forum, now: datetime) -> Coded:
        deed(db, forum, now)
        return Coded(code=code)

    return await call.write(done)


def _invitation(row: Any, *, is_private: bool) -> InvitationShape:
    """An invitation; without the institution where somebody answered it in a private capacity (rules §2)."""
    shown = InvitationShape.model_validate(row, from_attributes=True)
    return shown.model_copy(update={"institution": "", "position_title": ""}) if is_private else shown


def delegation_shape(db: Db, by: Actor, forum: Forum, code: str) -> DelegationShape:
    """A delegation with its people. Four queries."""
    party = desk_delegation(db, by, forum, code)
    line = _line(party.row, party.named, party.unnamed, category=party.category.code)
    people = [
        MemberShape.model_validate({**one.row._mapping, "on_seat": one.on_seat})  # noqa: SLF001 - its public name
        for one in party.people
        if one.row.attends_as != "private"
    ]
    return DelegationShape(delegation=line, people=people)


def _line(row: Any, named: int, unnamed: int, **more: Any) -> DelegationLine:
    return DelegationLine.model_validate({**row._mapping, "named": named, "unnamed": unnamed, **more})  # noqa: SLF001
