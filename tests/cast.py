"""The cast every test speaks of, and what they send: plainly fictional people, one of each kind the forum meets.

Sokha keeps the secretariat, Dara is an embassy's focal point, Bopha an invited minister, Vanna a student, Chan a
rapporteur, Rith a stranger. `make_…` functions go through the deeds, so a test meets what a door would meet.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.models import User
from app.accounts.rules import Role
from app.editions.form import ForumFile
from app.forum.access import actor_of, grant
from app.forum.models import Forum
from app.forum.queries import forum_by_slug
from app.kit.codes import public_code
from app.kit.db import Db, table
from app.kit.inputs import parse
from app.registration.applying import application_of, apply
from app.registration.inputs import ApplicationInput, CategoryInput, TermsInput

SLUG = "phnom-penh-2027"
SECRET_KEY = "a key for tests alone, long enough to be taken"
SECRET = SECRET_KEY.encode()
NOW = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
"""Ten in the morning in Phnom Penh on a day on which registration is open."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the cast: names in both scripts, an address of their own, and the category they would apply in."""

    email: str
    family_name: str
    given_name: str
    name_km: str
    category: str
    titles: str = ""
    institution: str = ""
    position_title: str = ""
    country: str = "KH"
    language: str = "en"

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"


SOKHA = Figure("sokha@secretariat.example", "Meas", "Sokha", "មាស សុខា", "ORG", institution="Forum secretariat")
DARA = Figure("dara@embassy.example", "Lim", "Dara", "លឹម ដារ៉ា", "DIP", institution="An embassy", country="FR")
BOPHA = Figure(
    "bopha@ministry.example",
    "Chea",
    "Bopha",
    "ជា បុប្ផា",
    "GOV",
    titles="H.E., Dr.",
    institution="A ministry",
    position_title="Minister",
    language="km",
)
VANNA = Figure("vanna@university.example", "Sok", "Vanna", "សុខ វណ្ណា", "STU", institution="A university", language="km")
CHAN = Figure("chan@institute.example", "Keo", "Chan", "កែវ ចាន់", "CSO", institution="An institute")
RITH = Figure("rith@elsewhere.example", "Heng", "Rith", "ហេង ឫទ្ធិ", "INT")
CAST = (SOKHA, DARA, BOPHA, VANNA, CHAN, RITH)


def fields(figure: Figure = VANNA, **changes: Any) -> dict[str, Any]:
    """What a figure types into the form to register, as a door reads it."""
    names = ("email", "family_name", "given_name", "name_km", "category", "titles", "institution", "country")
    sent: dict[str, Any] = {name: getattr(figure, name) for name in (*names, "position_title", "language")}
    return {**sent, "consent": "yes", **changes}


def request(figure: Figure = VANNA, **changes: Any) -> ApplicationInput:
    """The same, validated."""
    return parse(ApplicationInput, fields(figure, **changes))


def somebody(number: int, category: str = "STU", **changes: Any) -> ApplicationInput:
    """One of as many people as a test needs, each with an address of their own."""
    named = {"email": f"person{number}@crowd.example", "family_name": f"Person{number}"}
    return request(RITH, **{**named, "category": category, **changes})


def the_forum(db: Db, slug: str = SLUG) -> Forum:
    """The real forum, as loaded."""
    return forum_by_slug(db, slug)


def make_application(
    db: Db,
    figure: Figure = VANNA,
    *,
    now: datetime = NOW,
    by: Actor | None = None,
    key: str = "",
    **changes: Any,
) -> Any:
    """The application of a figure in the real forum, as it stands after the deed: its row."""
    forum = the_forum(db)
    asked = apply(db, by or Actor.visitor(), forum, request(figure, **changes), key or public_code(20), SECRET, now=now)
    return application_of(db, forum, asked.code)


def make_user(db: Db, figure: Figure = SOKHA, *, site_owner: bool = False, now: datetime = NOW) -> User:
    """A figure with a user's account, made once."""
    found: User | None = db.execute(
        select(User).where(table(User).c.email_normal == figure.email.casefold())
    ).scalar_one_or_none()
    if found is None:
        found = User(
            email=figure.email,
            email_normal=figure.email.casefold(),
            name=figure.name,
            site_owner=site_owner,
            created_at=now,
        )
        db.add(found)
        db.flush()
    return found


def make_actor(db: Db, figure: Figure, *roles: Role, now: datetime = NOW) -> Actor:
    """A figure signed in, with these roles in the real forum."""
    user = make_user(db, figure, now=now)
    for role in roles:
        grant(db, Actor.operator(), the_forum(db), user, role, now=now)
    return actor_of(db, user)


def holder(row: Any) -> Actor:
    """Whoever holds the secret link of this application."""
    return Actor.participant(row.id)


def small_terms(
    file: ForumFile, capacity: int, **quotas: tuple[int, int | None, str]
) -> tuple[TermsInput, list[CategoryInput]]:
    """A hall small enough to fill: `STU=(guarantee, limit, mode)`; words and letters come from the real file."""
    words = {part.code: part for part in file.categories}
    categories = [
        CategoryInput(
            code=code,
            letter=words[code].letter,
            band=words[code].band,
            name=words[code].name,
            description=words[code].description,
            mode=mode,
            guarantee=guarantee,
            limit=limit,
        )
        for code, (guarantee, limit, mode) in quotas.items()
    ]
    return TermsInput(capacity=capacity, target=capacity), categories
