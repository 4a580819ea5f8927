"""Invitations, seats kept back, and delegations."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from app.api.shapes.general import WHEN, example


class HoldBackShape(BaseModel):
    """Seats kept back: `kept` nobody sits on yet, `given` people were put on."""

    model_config = example(
        id=4, category="GOV", purpose="Late dignitaries", kept=5, given=1, release_at=WHEN, released_at=None
    )

    id: int
    category: str
    purpose: str
    kept: int
    given: int
    release_at: datetime | None
    released_at: datetime | None


class InvitationShape(BaseModel):
    """An invitation: personal, or a code with a number of uses. Its secret link is in no answer, and the institution in
    none where it was answered in a private capacity."""

    model_config = example(
        id=7,
        code="THK-9QAK3",
        kind="personal",
        state="open",
        category="THK",
        uses=1,
        used=0,
        kept=1,
        reserves=True,
        titles=["Dr."],
        family_name="Chea",
        given_name="Bopha",
        name_km="ជា បុប្ផា",
        display_name="",
        institution="A ministry",
        position_title="Minister",
        email="bopha@ministry.example",
        language="km",
        reference="",
        reply_by=WHEN,
        created_at=WHEN,
        answered_at=None,
    )

    id: int
    code: str
    kind: str
    state: str
    category: str
    uses: int
    used: int
    kept: int
    reserves: bool
    titles: list[str]
    family_name: str
    given_name: str
    name_km: str
    display_name: str
    institution: str
    position_title: str
    email: str
    language: str
    reference: str
    reply_by: datetime | None
    created_at: datetime
    answered_at: datetime | None


class DelegationLine(BaseModel):
    """A delegation in the list: how many of its seats are named."""

    model_config = example(
        code="DK3TP9Q",
        category="DIP",
        institution="An embassy",
        institution_km="",
        country="FR",
        reference="NV 12/2026",
        seats=3,
        named=2,
        unnamed=1,
        uneven_reason="",
        deadline=WHEN,
        focal_name="Dara Lim",
        focal_email="dara@embassy.example",
        language="en",
        released_at=None,
        ended_at=None,
        edition=1,
    )

    code: str
    category: str
    institution: str
    institution_km: str
    country: str
    reference: str
    seats: int
    named: int
    unnamed: int
    uneven_reason: str
    deadline: datetime
    focal_name: str
    focal_email: str
    language: str
    released_at: datetime | None
    ended_at: datetime | None
    edition: int


class MemberShape(BaseModel):
    """Somebody a focal point named."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    state: str
    family_name: str
    given_name: str
    name_km: str
    display_name: str
    heads_delegation: bool
    on_seat: bool


class DelegationShape(BaseModel):
    """A delegation with its people, without those in a private capacity: they stand without the institution, and so in
    no list of it. `named` counts them all the same."""

    delegation: DelegationLine
    people: list[MemberShape]
