"""The site as those see it who knock: one running site with two forums, everybody who may come, and pages read as HTML.

A module that only looks shares one site (`open_doors`); whoever is signed in is named by a word, such as "registrar".
"""

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pyotp
from fastapi.routing import iter_route_contexts
from sqlalchemy import TextClause, delete, select, text, update
from sqlmodel import SQLModel
from starlette.testclient import TestClient

from app.accounts import authenticators, passkeys, second_factor
from app.accounts.actor import Actor
from app.accounts.models import Login, User
from app.accounts.rules import Role
from app.accounts.signing_in import make_link, sign_in
from app.correspondence import mailing
from app.correspondence.mailboxes import open_mailbox, opt_out_token
from app.correspondence.mailing import MailingInput
from app.editions.form import ForumFile
from app.editions.loading import load
from app.forum import people
from app.forum.access import give, grant
from app.forum.inputs import ColleagueInput
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.codes import digest, public_code
from app.kit.db import Database, Db, table
from app.kit.i18n import Bilingual
from app.kit.inputs import parse
from app.kit.pen import SITE, Pen
from app.kit.pictures import Picture
from app.main import create_app
from app.programme import asking, casting, sharing, speaking
from app.programme.asking_queries import speaker_of
from app.programme.drafting import states_of
from app.programme.editing import change
from app.programme.inputs import AppearanceInput, AvailabilityInput, TypedSpeaker
from app.programme.rules.speakers import Reply
from app.programme.tabling import import_table, look_at
from app.registration import (
    accompanying,
    applying,
    deciding_many,
    delegating,
    foreseeing_many,
    holding,
    inviting,
    lettering,
    nominating,
    noting,
    overriding,
    picking,
    replying,
    reviewing,
    tagging,
)
from app.registration.applying import application_of, apply, feed_token, manage_token
from app.registration.delegations import delegation_feed_token
from app.registration.desk_filters import Further
from app.registration.desk_inputs import BulkInput, NoteInput, TagInput
from app.registration.desk_queries import Wanted
from app.registration.erasing import erase
from app.registration.inputs import CompanionInput, HoldBackInput, PriorityInput
from app.registration.invitation_inputs import CodeInput, Guest
from app.registration.letter_inputs import LetterInput
from app.registration.models import Application, Category, Seat
from app.registration.queries import registration_of
from app.registration.releasing import lapse_invitation
from app.web.public import read_as_public
from app.web.routes import DESK, ROUTES
from app.web.site import Site
from app.web.speakers import people_of
from tests import openly
from tests.authenticator import Device
from tests.cast import NOW, RITH, SECRET, SLUG, SOKHA, VANNA, Figure, make_user, request, the_forum
from tests.conftest import settings_for
from tests.embassies import delegate, make_delegation, name_some, page_of
from tests.papers import docx, make_material, pdf
from tests.registration.asked import answer_some

ELSEWHERE = "siem-reap-2028"
"""The second forum, loaded from the same file."""
A_PHOTO = b"\xff\xd8\xff\xe0 stands for a photograph"
COMPANION = "INTP"
A_MAILING: Mapping[str, Any] = {
    "name": "News",
    "purpose": "To be known",
    "subject_en": "News for {name}",
    "subject_km": "ព័ត៌មានជូន {name}",
    "text_en": "There is news of {forum}.",
    "text_km": "មានព័ត៌មានអំពី {forum}។",
    "audience": "people",
}
"""A mailing to everybody who is registered."""
"""A class of badges for those who come along, which the first forum has."""
FORMS = "application/x-www-form-urlencoded"
VOID = frozenset({"meta", "link", "input", "img", "br", "hr", "path", "rect", "circle", "use", "line"})


@dataclass(frozen=True, slots=True)
class Standing:
    """A registration as a test needs it: its code, the secrets of its page and its calendar, and its row's id."""

    code: str
    secret: str
    feed: str
    id: int


@dataclass(frozen=True, slots=True)
class Party:
    """A delegation as a test needs it: its code, the secrets of its page and its calendar, its people, its row's id."""

    code: str
    secret: str
    feed: str
    people: tuple[str, ...]
    id: int


class Doors:
    """One running site. Everything asked of it is asked by somebody: "" is whoever is not signed in."""

    def __init__(self, app: Any, client: Any) -> None:
        self.app, self.client = inner(app), client
        self.site: Site = self.app.state.site
        self._cookies: dict[str, str] = {"": ""}
        self._people = 0
        self._guests: list[Standing] = []
        self._spare: dict[str, list[Any]] = {}
        self._handed: list[tuple[str, Any]] = []

    def ask(self, method: str, address: str, by: str = "", **more: Any) -> Any:
        """One request, with no cookies but those of `by`."""
        self.client.cookies.clear()
        headers = {**({"cookie": self._cookies[by]} if self._cookies[by] else {}), **more.pop("headers", {})}
        return self.client.request(method, address, headers=headers, **more)

    def get(self, address: str, by: str = "", **more: Any) -> Any:
        return self.ask("GET", address, by, **more)

    def post(self, address: str, by: str = "", fields: Mapping[str, Any] | None = None, **more: Any) -> Any:
        """A form as a browser sends it."""
        content = urlencode(fields or {}, doseq=True).encode()
        headers = {"content-type": FORMS, **more.pop("headers", {})}
        return self.ask("POST", address, by, content=content, headers=headers, **more)

    def page(self, address: str, by: str = "") -> "Page":
        """A page that is there, read."""
        answer = self.get(address, by)
        assert answer.status_code == 200, (address, answer.status_code)
        return Page(answer.text)

    def write(self, slug: str, deed: Any) -> Any:
        with clock.reading(lambda: NOW):
            return self.site.pen.write_now(slug, deed)

    def enrol(self, name: str, *roles: Role, slug: str = SLUG, site_owner: bool = False) -> None:
        """Somebody with a login, called `name` from now on."""
        figure = Figure(f"{name}@desk.example", "Desk", name.title(), "", "ORG")

        def deed(db: Db) -> str:
            user: User = make_user(db, figure, site_owner=site_owner)
            for role in roles:
                grant(db, Actor.operator(), the_forum(db, slug), user, role, now=NOW)
            return sign_in(db, make_link(db, Actor.operator(), user, now=NOW), now=NOW)

        self._cookies[name] = f"sala_login={self.write(SITE, deed)}"

    def colleague(self, role: Role = Role.VIEWER, slug: str = SLUG) -> int:
        """Somebody who was given a role and has not signed in; the number of the user."""
        self._people += 1
        email = f"colleague{self._people}@desk.example"
        sent = ColleagueInput(email=email, name=f"Colleague {self._people}", role=role, language="en")

        def deed(db: Db) -> int:
            forum, by = the_forum(db, slug), Actor.operator()
            give(db, by, forum, sent, now=NOW)
            return next(one.id for one in people.people_of(db, by, forum) if one.email == email)

        return int(self.write(slug, deed))

    def sign_in_again(self, name: str) -> int:
        """Another login of somebody with a login, in another browser; its number. 1 for whoever is not signed in."""
        logins = table(Login)
        mine = select(logins.c.user_id).where(logins.c.token_digest == digest(self.login_of(name)))

        def deed(db: Db) -> int:
            user = db.execute(select(User).where(table(User).c.id.in_(mine))).scalar_one_or_none()
            if user is None:
                return 1
            token = sign_in(db, make_link(db, Actor.operator(), user, now=NOW), now=NOW, browser="Firefox, Linux")
            return int(db.execute(select(logins.c.id).where(logins.c.token_digest == digest(token))).scalar_one())

        return int(self.write(SITE, deed))

    def factor(self, name: str, *, on: bool) -> str:
        """Somebody's second factor, begun or on, and a code of it that is good now; any where nobody is signed in."""
        users, logins = table(User), table(Login)
        login = digest(self.login_of(name))
        mine = select(logins.c.user_id).where(logins.c.token_digest == login)

        def deed(db: Db) -> str:
            user = db.execute(select(User).where(users.c.id.in_(mine))).scalar_one_or_none()
            if user is None:
                return "000000"
            by = Actor("user", user.id)
            second_factor.forget_factor(db, by, user, now=NOW)
            second_factor.begin(db, by, login, SECRET, now=NOW)
            secret, _ = second_factor.address_of(db, by, SECRET) or ("", "")
            clock_of = pyotp.TOTP(secret)
            if on:
                second_factor.confirm(db, by, login, SECRET, clock_of.at(NOW), now=NOW)
                return clock_of.at(NOW + timedelta(seconds=30))
            return clock_of.at(NOW)

        return str(self.write(SITE, deed))

    def passkey(self, name: str, device: Device | None = None) -> int:
        """One more passkey of somebody with a login, by this device; its number. 1 for whoever is not signed in."""
        users, logins, login = table(User), table(Login), digest(self.login_of(name))
        mine = select(logins.c.user_id).where(logins.c.token_digest == login)
        relying, device = authenticators.Relying("localhost", "http://localhost"), device or Device()
        device.id = device.id + public_code(20).encode()

        def deed(db: Db) -> int:
            user = db.execute(select(users.c.id).where(users.c.id.in_(mine))).scalar_one_or_none()
            if user is None:
                return 1
            by = Actor("user", user)
            made = authenticators.made(relying, device.make(passkeys.begin_adding(db, by, login, relying, now=NOW)))
            passkeys.add(db, by, login, made, "The laptop", "en", SECRET, now=NOW)
            return passkeys.passkeys_of(db, by)[-1].id

        return int(self.write(SITE, deed))

    def forget_factor(self, name: str) -> None:
        """Somebody's second factor is off."""
        users, logins = table(User), table(Login)
        mine = select(logins.c.user_id).where(logins.c.token_digest == digest(self.login_of(name)))
        off = {"factor": "", "factor_since": None, "factor_step": 0}
        self.write(SITE, lambda db: db.execute(update(users).where(users.c.id.in_(mine)).values(**off)))

    def pretend(self, name: str, login: str) -> None:
        """Somebody whose browser sends this as its login."""
        self._cookies[name] = f"sala_login={login}"

    def login_of(self, name: str) -> str:
        """The token in somebody's cookie."""
        return self._cookies[name].partition("=")[2]

    def sign_in_link(self) -> str:
        """A one-time link of the secretariat that nobody has used yet."""
        return str(
            self.write(SITE, lambda db: make_link(db, Actor.operator(), make_user(db, SOKHA, site_owner=True), now=NOW))
        )

    def _made(self, key: str, make: Callable[[], Any]) -> Any:
        spare = self._spare.get(key)
        made = spare.pop() if spare else make()
        self._handed.append((key, made))
        return made

    def give_back(self) -> None:
        """What was made last had no use, because whoever knocked was refused: the next who needs such gets it."""
        for key, made in self._handed:
            self._spare.setdefault(key, []).append(made)
        self._handed.clear()

    def use_up(self, *, spare: bool = False) -> None:
        """What was made last is somebody's now; with `spare`, so is all that was given back."""
        self._handed.clear()
        if spare:
            self._spare.clear()

    def register(self, category: str = "STU", slug: str = SLUG, figure: Figure = RITH, **changes: Any) -> Standing:
        """A registration of one more person, through the deed."""
        key = repr(("register", category, slug, figure, changes))
        found: Standing = self._made(key, lambda: self._register(category, slug, figure, **changes))
        return found

    def _register(self, category: str, slug: str, figure: Figure, **changes: Any) -> Standing:
        self._people += 1
        named = {"email": f"someone{self._people}@crowd.example", "family_name": f"Someone{self._people}"}

        def deed(db: Db) -> Standing:
            sent = request(figure, **{**named, "category": category, **changes})
            asked = apply(db, Actor.visitor(), the_forum(db, slug), sent, public_code(20), SECRET, now=NOW)
            row = application_of(db, the_forum(db, slug), asked.code)
            return Standing(
                asked.code, manage_token(SECRET, row.id, row.manage_generation), feed_token(SECRET, row.id, 1), row.id
            )

        found: Standing = self.write(slug, deed)
        return found

    def delegate(self, *people: Any, slug: str = SLUG, now: Any = NOW, **changes: Any) -> Party:
        """A delegation invited and its people named, through the deeds."""
        key = repr(("delegate", people, slug, now, changes))
        found: Party = self._made(key, lambda: self._delegate(*people, slug=slug, now=now, **changes))
        return found

    def _delegate(self, *people: Any, slug: str, now: Any, **changes: Any) -> Party:
        def deed(db: Db) -> Party:
            row = make_delegation(db, slug=slug, now=now, **changes)
            named = name_some(db, row, *people, slug=slug, now=now) if people else []
            return Party(row.code, page_of(row), delegation_feed_token(SECRET, row.id, 1), tuple(named), row.id)

        found: Party = self.write(slug, deed)
        return found

    def invite(self, category: str = "THK", slug: str = SLUG, **changes: Any) -> "Invited":
        """A personal invitation of one more person, through the deed."""
        self._people += 1
        named = {"email": f"guest{self._people}@crowd.example", "family_name": f"Guest{self._people}"}
        sent = parse(Guest, {"category": category, "language": "en", **named, "reply_by": "2026-12-20", **changes})

        def deed(db: Db) -> Invited:
            code = inviting.invite(db, Actor.operator(), the_forum(db, slug), sent, SECRET, now=NOW)
            row = inviting.invitation_of(db, the_forum(db, slug), code)
            return Invited(code, inviting.invitation_token(SECRET, row.id, row.generation), row.id)

        found: Invited = self.write(slug, deed)
        return found

    def make_code(self, code: str = "", uses: int = 5, category: str = "THK") -> "Invited":
        """An invitation by code; it has no page of its own."""
        sent = parse(CodeInput, {"category": category, "uses": uses, "code": code})

        def deed(db: Db) -> Invited:
            made = inviting.make_code(db, Actor.operator(), the_forum(db), sent, now=NOW)
            return Invited(made, "", inviting.invitation_of(db, the_forum(db), made).id)

        found: Invited = self.write(SLUG, deed)
        return found

    def speaker(self, *, asked: bool = True, slug: str = SLUG, **changes: Any) -> "Speaking":
        """One more speaker, asked or not, through the deeds."""
        self._people += 1
        named = {"function_en": f"Speaker {self._people}", "function_km": f"វាគ្មិន {self._people}"}
        named |= {"name_en": f"Name{self._people}", "email": f"speaker{self._people}@crowd.example"}
        sent, by = parse(TypedSpeaker, {**named, **changes}), Actor.operator()

        def deed(db: Db) -> Speaking:
            forum = the_forum(db, slug)
            code = casting.add_speaker(db, by, forum, sent, now=NOW)
            if asked:
                asking.ask(db, by, forum, code, SECRET, now=NOW)
            row = speaker_of(db, forum_id(forum), code)
            page, feed = (row.generation, row.feed_generation) if asked else (0, 0)
            tokens = asking.speaker_token(SECRET, row.id, page), asking.speaker_feed_token(SECRET, row.id, feed)
            return Speaking(code, *tokens, row.id)

        found: Speaking = self.write(slug, deed)
        return found

    def make_wait(self, standing: Standing) -> None:
        """A registration loses its seat and waits, as if the hall had been full."""
        applications, seats = table(Application), table(Seat)

        def deed(db: Db) -> None:
            db.execute(update(applications).where(applications.c.id == standing.id).values(state="waiting"))
            db.execute(delete(seats).where(seats.c.application_id == standing.id))

        self.write(SLUG, deed)

    def keep_back(self, category: str) -> int:
        """A hold-back of one seat, through the deed, beyond the rule if need be; its id."""
        purpose, reason = "For late dignitaries", "Asked for by the host"
        sent = HoldBackInput(category=category, seats=1, purpose=purpose, reason=reason)
        return int(self.write(SLUG, lambda db: holding.keep_back(db, Actor.operator(), the_forum(db), sent, now=NOW)))

    def confirmed(self, category: str = "INT", **changes: Any) -> Standing:
        """A registration of one more person whose seat is final."""
        one = self.register(category, **changes)
        self.write(SLUG, lambda db: applying.confirm(db, Actor.operator(), the_forum(db), one.code, now=NOW))
        return one

    def guest(self) -> Standing:
        """One of eight whose seat is final, in turn: many ask in their name, and the hall is small."""
        if len(self._guests) < 8:
            self.use_up(spare=True)  # eight people, not one eight times
            self._guests.append(self.confirmed("ORG"))
            return self._guests[-1]
        self._guests.append(self._guests.pop(0))
        return self._guests[-1]

    def companion(self, principal: Standing, **changes: Any) -> str:
        """The code of somebody who comes along with this person."""
        sent = parse(CompanionInput, {"category": COMPANION, "family_name": f"Comer {public_code()}", **changes})
        key, by = public_code(20), Actor.participant(principal.id)
        added = self.write(
            SLUG,
            lambda db: accompanying.add(db, by, the_forum(db), principal.code, sent, key, SECRET, now=NOW),
        )
        return str(added.code)

    def letter(self, standing: Standing, **changes: Any) -> str:
        """The code of a letter made for this person."""
        asked = {"kind": "visa", "language": "en", "passport_name": "HENG RITH", "nationality": "KH", **changes}
        sent, key, by = parse(LetterInput, asked), public_code(20), Actor.participant(standing.id)
        return str(
            self.write(
                SLUG,
                lambda db: lettering.ask_for_letter(db, by, the_forum(db), standing.code, sent, key, now=NOW),
            )
        )

    def mailing(self, slug: str = SLUG, **changes: Any) -> int:
        """A draft of a mailing; its number."""
        sent, by = parse(MailingInput, {**A_MAILING, **changes}), Actor.operator()
        return int(self.write(slug, lambda db: mailing.save(db, by, the_forum(db, slug), None, sent, 0, now=NOW)))

    def mailbox(self) -> str:
        """The secret of a link by which somebody turns mail off that is not essential."""
        self._people += 1
        address = f"mailbox{self._people}@crowd.example"
        row = self.write(SLUG, lambda db: open_mailbox(db, the_forum(db), address, SECRET))
        return opt_out_token(SECRET, row.id, row.generation)

    def state(self, standing: Standing, slug: str = SLUG) -> str:
        """How a registration stands."""
        return str(self.site.database.read(lambda db: application_of(db, the_forum(db, slug), standing.code).state))

    def seal(self, address: str, by: str = "") -> str:
        """The token that a form on this page carries."""
        return self.page(address, by).hidden["form"]

    def rows(self) -> dict[str, int]:
        """How many rows every table holds."""
        return rows(self.site.database)

    @property
    def routes(self) -> set[tuple[str, str]]:
        """Every (method, path) the site has; HEAD goes with GET."""
        return {
            (method, str(route.path))
            for route in iter_route_contexts([*ROUTES, *DESK.read().routes])
            for method in sorted(getattr(route, "methods", None) or ())
            if method != "HEAD"
        }


def inner(app: Any) -> Any:
    """The router's own application behind the layers in front of it."""
    while not hasattr(app, "state"):
        app = app.app
    return app


def rows(database: Database) -> dict[str, int]:
    """How many rows every table of a database holds."""
    with database.reading() as db:
        return {row[0]: row[1] for row in db.execute(_counting())}


@cache
def _counting() -> TextClause:
    """Asked thousands of times, so it is put together once."""
    counts = [f"SELECT '{each.name}', count(*) FROM {each.name}" for each in SQLModel.metadata.sorted_tables]  # noqa: S608
    return text(" UNION ALL ".join(counts))


@contextmanager
def open_doors(loaded_file: Path, folder: Path, file: ForumFile, **environment: str) -> Iterator[Doors]:
    """A site of its own in `folder`, started, with the real forum and another one."""
    path = shutil.copy(with_two_forums(loaded_file, file), folder / "doors.sqlite")
    with clock.reading(lambda: NOW):
        app = create_app(settings_for(f"sqlite:///{path}", **environment))
        with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
            yield Doors(app, client)
    openly.hold_against_file(str(path))


def with_two_forums(loaded_file: Path, file: ForumFile) -> Path:
    """A database with the real forum, which has badges for companions, and another one: made once a worker, beside the
    one with the real forum alone, and only copied."""
    made = loaded_file.with_name("two-forums.sqlite")
    if not made.exists():
        making = shutil.copy(loaded_file, loaded_file.with_name("making.sqlite"))
        database = Database(f"sqlite:///{making}")
        with clock.reading(lambda: NOW):
            Pen(database).write_now(SLUG, give_badges)
            Pen(database).write_now(ELSEWHERE, lambda db: load_elsewhere(db, file))
        database.close()
        making.rename(made)
    return made


def give_badges(db: Db) -> None:
    """A class of badges for companions beside the categories of the file, unless the file has it."""
    words = {"name": Bilingual("Interpreters", "អ្នកបកប្រែ"), "description": Bilingual("Badges", "ប័ណ្ណ")}
    own, categories = forum_id(the_forum(db)), table(Category)
    there = (categories.c.forum_id == own) & (categories.c.code == COMPANION)
    if db.execute(select(categories.c.id).where(there)).first() is None:
        outside = {"in_hall": False, "guarantee": 0, "limit": None, "mode": "invitation", "position": 90}
        db.add(Category(forum_id=own, code=COMPANION, letter="Z", band="blue", **words, **outside))
        db.flush()


def load_elsewhere(db: Db, file: ForumFile) -> None:
    """A second forum beside the first, from the same file under another slug."""
    named = file.forum.model_copy(update={"slug": ELSEWHERE, "featured": False})
    other = file.model_copy(update={"forum": named, "calendar": {}})
    load(db, Actor.operator(), other, now=NOW)


# ---- where everything is


KHMER_ONLY = {
    "family_name": "",
    "given_name": "",
    "titles": "ឯកឧត្តម",
    "institution": "សាកលវិទ្យាល័យមួយ",
    "position_title": "និស្សិត",
    "assistant_name": "លឹម ដារ៉ា",
    "meals": "អាហារបួស",
    "access": "ផ្លូវជម្រាល",
    "language": "en",
}
"""What somebody types who writes Khmer alone, and reads English."""


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation as a test needs it: its code at the desk, the secret of its page, and its row's id."""

    code: str
    secret: str
    id: int


@dataclass(frozen=True, slots=True)
class Speaking:
    """A speaker as a test needs it: the code, the secrets of their page and calendar, and the row's id."""

    code: str
    secret: str
    feed: str
    id: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands on a site that the tests of every page look at: registrations by how they stand."""

    standings: Mapping[str, Standing]
    link: str
    invitations: Mapping[str, Invited]
    delegations: Mapping[str, Party]
    materials: tuple[str, ...]
    speakers: Mapping[str, Speaking]
    mailings: tuple[int, ...]
    mailbox: str


def furnish(doors: Doors) -> Shown:
    """An owner signed in, registrations of every state, mails, and a sign-in link that nobody has used."""
    doors.enrol("owner", site_owner=True)
    doors.write(SLUG, give_badges)
    one = {
        "unconfirmed": doors.register("STU", figure=VANNA, family_name="Sok", access="A ramp, please", meals="no pork"),
        "confirmed": doors.register("INT"),
        "awaiting": doors.register("DIP", attends_as="private"),
        "cancelled": doors.register("STU"),
        "declined": doors.register("DIP"),
        "offered": doors.register("CSO"),
        "waiting": doors.register("CSO", assistant_name="Somebody in the office"),
        "turned_down": doors.register("CSO"),
        "khmer": doors.register("STU", figure=VANNA, **KHMER_ONLY),
        "erased": doors.register("INT"),
    }
    operator = Actor.operator()

    def deed(db: Db) -> None:
        forum = the_forum(db)
        applying.confirm(db, operator, forum, one["confirmed"].code, now=NOW)
        applying.cancel(db, operator, forum, one["cancelled"].code, now=NOW)
        for name, codes in {"confirmed": {"D1-07", "D2-04"}, "unconfirmed": {"D1-07", "D1-08"}}.items():
            by = Actor.participant(one[name].id)
            picking.put_picks(db, by, forum, one[name].code, codes, None, now=NOW, forced=True)
        erase(db, operator, forum, one["erased"].code, now=NOW)
        answer_some(db, one["khmer"].id)
        mark_many(db, [one[name].code for name in ("confirmed", "unconfirmed", "khmer")])
        reviewing.decline(db, operator, forum, one["declined"].code, now=NOW, note="A note for the history")
        applications = table(Application)
        offered = {"state": "offered", "offer_until": NOW + timedelta(hours=48)}
        for name, values in (("offered", offered), ("turned_down", offered)):
            db.execute(update(applications).where(applications.c.code == one[name].code).values(**values))

        applying.turn_down(db, operator, forum, one["turned_down"].code, now=NOW)

    doors.write(SLUG, deed)
    doors.companion(one["confirmed"])
    doors.letter(one["confirmed"])
    doors.keep_back("CSO")
    released = doors.keep_back("DIP")
    priority = PriorityInput(priority=2, reason="Speaks in the first panel")

    def more(db: Db) -> None:
        forum = the_forum(db)
        holding.release(db, operator, forum, released, now=NOW)
        overriding.set_priority(db, operator, forum, one["awaiting"].code, priority, now=NOW)

    doors.write(SLUG, more)
    doors.make_wait(one["waiting"])
    import_one(doors, "I-01")
    kinds = invitations_of_every_kind(doors), furnish_delegations(doors), doors.write(SLUG, materials_of_every_kind)
    speakers = furnish_speakers(doors)
    return Shown(one, doors.sign_in_link(), *kinds, speakers, furnish_mailings(doors), doors.mailbox())


def furnish_mailings(doors: Doors) -> tuple[int, ...]:
    """A draft, one that has its time, one to focal points that everybody meant was written to."""
    draft, waits, sent = doors.mailing(), doors.mailing(essential=True), doors.mailing(audience="focal_points")
    by = Actor.operator()

    def deed(db: Db) -> None:
        forum = the_forum(db)
        mailing.schedule(db, by, forum, waits, 1, NOW + timedelta(days=365), now=NOW)
        mailing.schedule(db, by, forum, sent, 1, NOW, now=NOW)
        while mailing.step(db, forum, sent, SECRET, now=NOW):
            pass

    doors.write(SLUG, deed)
    return draft, waits, sent


def mark_many(db: Db, codes: list[str]) -> None:
    """A tag for these registrations, put on them in one go, and a note about each."""
    forum, operator = the_forum(db), Actor.operator()
    tag = tagging.put_tag(db, operator, forum, TagInput(name="Needs a seat in front", letter="F", tone="red"), now=NOW)
    wanted, sent = Wanted(further=Further(codes=tuple(codes))), BulkInput(act="tag", with_tag=tag)
    mark = foreseeing_many.look_at(db, operator, forum, wanted, sent, now=NOW).mark
    number = deciding_many.begin(db, operator, forum, wanted, sent, mark=mark, now=NOW)
    deciding_many.go_on(db, operator, forum, number, now=NOW)
    for code in codes:
        noting.write_note(db, operator, forum, code, NoteInput(words="A driver is expected"), now=NOW)


def materials_of_every_kind(db: Db) -> tuple[str, ...]:
    """Materials of the forum and of sessions, to be read, announced and removed; the codes of those that stand."""
    note = Bilingual("For the discussion in the second half", "សម្រាប់ការពិភាក្សា")
    later = {"release": "with_start", "announced": True, "against_delivery": True, "note": note}
    standing = (
        make_material(db, {"en": pdf(), "km": docx()}, note=note),
        make_material(db, session="D1-02", kind="speech", **later),
        make_material(db, session="D1-02", kind="slides", link="https://slides.example/1"),
        make_material(db, session="C-01", kind="concept"),
    )
    gone = make_material(db)
    sharing.remove(db, Actor.operator(), the_forum(db), gone, now=NOW)
    return standing


def furnish_speakers(doors: Doors) -> dict[str, Speaking]:
    """Speakers by how it stands with each: one announced with words and a photograph, and in a session."""
    bio = {"bio_en": "Writes about the sea.", "bio_km": "សរសេរអំពីសមុទ្រ។", "announced": "yes"}
    one = {
        "unasked": doors.speaker(asked=False, name_en="", name_km="សុខ ដារា", guest="yes"),
        "asked": doors.speaker(guest="yes", language="km"),
        "accepted": doors.speaker(name_km="ចាន់ សុភា", country="KH", **bio),
        "declined": doors.speaker(email=""),
        "withdrawn": doors.speaker(),
    }

    def deed(db: Db) -> None:
        forum, by = the_forum(db), {name: Actor.speaker(each.id) for name, each in one.items()}
        accepted = one["accepted"].code
        speaking.answer(db, by["accepted"], forum, accepted, Reply.ACCEPTED, "With pleasure", now=NOW)
        speaking.answer(db, by["declined"], forum, one["declined"].code, Reply.DECLINED, "Abroad then", now=NOW)
        away = AvailabilityInput(away=("2027-03-23.morning",), away_note="Not before ten")
        speaking.put_availability(db, by["accepted"], forum, accepted, away, now=NOW)
        speaking.put_photo(db, by["accepted"], forum, accepted, Picture(A_PHOTO, 2, 1), now=NOW)
        asking.withdraw(db, Actor.operator(), forum, one["withdrawn"].code, now=NOW)
        (state,) = states_of(db, forum_id(forum), code="D1-04").values()
        people = (*state.draft.people, AppearanceInput(speaker=accepted, role="moderator"))
        draft = state.draft.model_copy(update={"people": people})
        change(db, Actor.operator(), forum, "D1-04", draft, edition=state.edition, now=NOW, reason="For the test")

    doors.write(SLUG, deed)
    return one


def invitations_of_every_kind(doors: Doors) -> dict[str, Invited]:
    """Invitations by how they stand, and one by code."""
    one = {name: doors.invite() for name in ("accepted", "declined", "lapsed", "withdrawn")}
    one["open"] = doors.invite(reserves="yes", name_km="ជា បុប្ផា", reference="NV 17/2026")

    def deed(db: Db) -> None:
        forum, operator = the_forum(db), Actor.operator()
        sent = request(RITH, email="guest@crowd.example", category="THK")
        replying.accept(db, forum, one["accepted"].id, sent, public_code(20), SECRET, now=NOW)
        replying.decline(db, forum, one["declined"].id, "Abroad then", now=NOW)
        inviting.withdraw(db, operator, forum, one["withdrawn"].code, now=NOW)
        lapsed = inviting.invitation_of(db, forum, one["lapsed"].code)
        lapse_invitation(db, operator, forum, lapsed, "lapsed", now=NOW)

    doors.write(SLUG, deed)
    return {**one, "code": doors.make_code("SENATE-7F3K")}


def import_one(doors: Doors, code: str, *more: list[str]) -> int:
    """A session more, imported as a table; the number of the edits made together."""
    words = [code, "panel", "Imported", "បាននាំចូល"]
    rows = [(1, ["code", "type", "title_en", "title_km"]), (2, words), *enumerate(more, 3)]

    def deed(db: Db) -> int:
        forum = the_forum(db)
        seen = look_at(db, forum, rows).alteration
        assert seen is not None
        return import_table(db, Actor.operator(), forum, rows, mark=seen.mark, now=NOW).number

    return int(doors.write(SLUG, deed))


def furnish_delegations(doors: Doors) -> Mapping[str, Party]:
    """Delegations that are named in part, not at all, past their deadline and withdrawn, and uneven parties."""
    early = NOW - timedelta(days=20)
    past = {"deadline": NOW - timedelta(days=1), "now": early}
    khmer = {"institution_km": "ស្ថានទូតមួយ", "reference": "NV 14/2026"}
    parties = {
        "open": doors.delegate(delegate(1, heads="yes"), delegate(2, email="", name_km="ចាន់"), delegate(3), **khmer),
        "empty": doors.delegate(institution="An agency", category="ORG"),
        "closed": doors.delegate(delegate(4), institution="A ministry", category="MIN", seats=2, **past),
        "ended": doors.delegate(institution="An institute", category="ORG", seats=1),
        "even": doors.delegate(institution="A party", category="PTY", seats=2),
        "uneven": doors.delegate(
            institution="Another party", category="PTY", seats=1, uneven_reason="It asked for one"
        ),
    }
    operator = Actor.operator()

    def deed(db: Db) -> None:
        forum, by = the_forum(db), Actor.focal_point(parties["open"].id)
        nominating.withdraw_member(db, by, forum, parties["open"].code, parties["open"].people[2], now=NOW)
        delegating.withdraw(db, operator, forum, parties["ended"].code, people=True, now=NOW)

    doors.write(SLUG, deed)
    return parties


def places(doors: Doors, shown: Shown, lang: str) -> dict[str, list[str]]:
    """Every path of the site that a GET answers with a page, with all the addresses that it has on this site.

    Those at the desk and of signing in say their language by `?lang=`.
    """
    with doors.site.database.reading() as db:
        seen = read_as_public(db, "km" if lang == "km" else "en", SLUG)
        standing = registration_of(db, the_forum(db), now=NOW)
    base, asked = f"/{lang}/{SLUG}", f"lang={lang}"
    one, embassy = shown.standings.values(), f"/{lang}/delegations/{shown.delegations['open'].secret}"
    people, closed = shown.delegations["open"].people, shown.delegations["closed"].secret
    desk = f"/desk/{SLUG}"
    return {
        "/login": [f"/login?{asked}"],
        "/login/{link}": [f"/login/{shown.link}?{asked}"],
        "/desk": [f"/desk?{asked}"],
        "/account/factor": [f"/account/factor?{asked}", f"/account/factor?needed=1&{asked}"],
        "/api/docs": [f"/api/docs?{asked}"],
        "/account/tokens": [f"/account/tokens?{asked}", f"/account/tokens?done=ended&{asked}"],
        "/account": [f"/account?{asked}", f"/account?done=others&{asked}"],
        "/desk/{forum}/webhooks": [f"{desk}/webhooks?{asked}", f"{desk}/webhooks?done=tried&{asked}"],
        "/desk/{forum}": [f"{desk}?{asked}", f"/desk/{ELSEWHERE}?{asked}"],
        "/desk/{forum}/registrations": [
            f"{desk}/registrations?{asked}{more}"
            for more in (
                "",
                "&state=waiting&order=oldest",
                "&q=Sok&category=STU",
                "&q=nobody+of+the+kind",
                "&order=name_km&tag=1&capacity=official&since=2026-01-01&column=name_km&column=tags&column=email",
            )
        ],
        "/desk/{forum}/registrations/{code}": [f"{desk}/registrations/{each.code}?{asked}" for each in one],
        "/desk/{forum}/registrations/new": [f"{desk}/registrations/new?{asked}"],
        "/desk/{forum}/registrations/{code}/details": [
            f"{desk}/registrations/{shown.standings['unconfirmed'].code}/details?{asked}"
        ],
        "/desk/{forum}/registrations/compare": [
            f"{desk}/registrations/compare?{asked}",
            (
                f"{desk}/registrations/compare?code={shown.standings['unconfirmed'].code}"
                f"&code={shown.standings['khmer'].code}&{asked}"
            ),
        ],
        "/desk/{forum}/registrations/bulk": [
            f"{desk}/registrations/bulk?act={act}&whole=1&state=awaiting&{asked}" for act in ("approve", "tag", "move")
        ],
        "/desk/{forum}/registrations/bulk/{number}": [f"{desk}/registrations/bulk/1?{asked}"],
        "/desk/{forum}/tags": [f"{desk}/tags?{asked}", f"{desk}/tags?tag=1&{asked}"],
        "/desk/{forum}/invitations": [f"{desk}/invitations?{asked}{more}" for more in ("", "&reply=open", "&q=nobody")],
        "/desk/{forum}/invitations/new": [f"{desk}/invitations/new?{asked}"],
        "/desk/{forum}/invitations/several": [f"{desk}/invitations/several?{asked}"],
        "/desk/{forum}/invitations/{code}": [
            f"{desk}/invitations/{each.code}?{asked}" for each in shown.invitations.values()
        ],
        "/{lang}/invitations/{secret}": [
            f"/{lang}/invitations/{each.secret}" for each in shown.invitations.values() if each.secret
        ],
        "/{lang}/invitations/{secret}/erasure": [
            f"/{lang}/invitations/{each.secret}/erasure"
            for name, each in shown.invitations.items()
            if each.secret and name != "erased"
        ],
        "/{lang}/invitations/{secret}/registration": [
            f"/{lang}/invitations/{shown.invitations['open'].secret}/registration"
        ],
        "/desk/{forum}/questions": [f"{desk}/questions?{asked}"],
        "/desk/{forum}/questions/{code}": [
            f"{desk}/questions/{code}?{asked}" for code in ("new", "scholar", "university", "party")
        ],
        "/desk/{forum}/rooms": [f"{desk}/rooms?{asked}", f"{desk}/rooms?done=changed&{asked}"],
        "/desk/{forum}/rooms/{code}": [f"{desk}/rooms/{code}?{asked}" for code in ("new", "mekong", "secretariat")],
        "/desk/{forum}/materials": [
            f"{desk}/materials?{asked}",
            f"{desk}/materials?done=removed&{asked}",
            f"/desk/{ELSEWHERE}/materials?{asked}",
        ],
        "/desk/{forum}/materials/{code}": [f"{desk}/materials/{code}?{asked}" for code in ("new", *shown.materials)],
        "/{lang}/{forum}/materials": [f"{base}/materials", f"/{lang}/{ELSEWHERE}/materials"],
        "/{lang}/my/{secret}/materials": [
            f"/{lang}/my/{shown.standings[name].secret}/materials" for name in ("confirmed", "cancelled")
        ],
        "/desk/{forum}/speakers": [f"{desk}/speakers?{asked}", f"/desk/{ELSEWHERE}/speakers?done=removed&{asked}"],
        "/desk/{forum}/speakers/{code}": [f"{desk}/speakers/new?{asked}", f"{desk}/speakers/keynote-scholar?{asked}"]
        + [f"{desk}/speakers/{each.code}?done=asked&{asked}" for each in shown.speakers.values()],
        "/desk/{forum}/calendar": [f"{desk}/calendar?{asked}"],
        "/{lang}/speaking/{secret}": [
            f"/{lang}/speaking/{shown.speakers[name].secret}?done={name}" for name in ("accepted", "asked", "declined")
        ],
        "/{lang}/speaking/{secret}/erasure": [f"/{lang}/speaking/{shown.speakers['accepted'].secret}/erasure"],
        "/desk/{forum}/privacy": [f"{desk}/privacy?{asked}"],
        "/desk/{forum}/settings": [f"{desk}/settings?{asked}", f"{desk}/settings?done=saved&{asked}"],
        "/desk/{forum}/settings/{part}": [
            f"{desk}/settings/{part}?{asked}" for part in ("words", "dates", "topics", "groups")
        ],
        "/desk/{forum}/archive": [f"{desk}/archive?{asked}"],
        "/desk/{forum}/edition": [f"{desk}/edition?{asked}"],
        "/desk/{forum}/seats": [f"{desk}/seats?{asked}", f"{desk}/seats?done=saved&{asked}"],
        "/desk/{forum}/hold-backs": [f"{desk}/hold-backs?{asked}", f"/desk/{ELSEWHERE}/hold-backs?{asked}"],
        "/desk/{forum}/duplicates": [f"{desk}/duplicates?{asked}"],
        "/desk/{forum}/duplicates/{first}/{second}": [
            f"{desk}/duplicates/{shown.standings[first].code}/{shown.standings[second].code}?{asked}"
            for first, second in (("unconfirmed", "khmer"), ("confirmed", "waiting"), ("cancelled", "offered"))
        ],
        "/desk/{forum}/precedence": [f"{desk}/precedence?{asked}", f"/desk/{ELSEWHERE}/precedence?done=placed&{asked}"],
        "/desk/{forum}/head-table": [f"{desk}/head-table?{asked}", f"/desk/{ELSEWHERE}/head-table?{asked}"],
        "/desk/{forum}/participants": [f"{desk}/participants?{asked}", f"/desk/{ELSEWHERE}/participants?{asked}"],
        "/desk/{forum}/lists": [f"{desk}/lists?{asked}"],
        "/desk/{forum}/lists/{name}": [f"{desk}/lists/{name}?{asked}" for name in ("outbox", "facts", "delegates")],
        "/desk/{forum}/precedence/{rung}": [f"{desk}/precedence/{rung}?{asked}" for rung in ("new", "ambassadors")],
        "/desk/{forum}/registrations/{code}/precedence": [
            f"{desk}/registrations/{shown.standings[name].code}/precedence?{asked}"
            for name in ("confirmed", "cancelled")
        ],
        "/desk/{forum}/letters": [f"{desk}/letters?{asked}", f"/desk/{ELSEWHERE}/letters?{asked}"],
        "/desk/{forum}/registrations/export": [
            f"{desk}/registrations/export?{asked}",
            f"{desk}/registrations/export?category=THK&state=expired&{asked}",
        ],
        "/desk/{forum}/facts": [f"{desk}/facts?{asked}", f"{desk}/facts?part=programme&{asked}"],
        "/desk/{forum}/people": [f"{desk}/people?{asked}", f"{desk}/people?done=invited&{asked}"],
        "/desk/{forum}/permissions": [f"{desk}/permissions?{asked}"],
        "/desk/{forum}/outbox/{message}": [f"{desk}/outbox/{number}?{asked}" for number in (1, 2)],
        "/desk/{forum}/messages": [f"{desk}/messages?{asked}"],
        "/desk/{forum}/messages/{template}": [
            f"{desk}/messages/{template}?{asked}"
            for template in ("registration.seated", "delegation.invited.badges", "accounts.invited")
        ],
        "/desk/{forum}/mailings": [f"{desk}/mailings?{asked}", f"/desk/{ELSEWHERE}/mailings?{asked}"],
        "/desk/{forum}/mailings/{number}": [f"{desk}/mailings/{number}?{asked}" for number in ("new", *shown.mailings)],
        "/{lang}/unsubscribe/{secret}": [f"/{lang}/unsubscribe/{shown.mailbox}"],
        "/desk/{forum}/outbox": [f"{desk}/outbox?{asked}", f"{desk}/outbox?state=queued&{asked}"],
        "/desk/{forum}/programme": [
            f"{desk}/programme?{asked}",
            f"{desk}/programme?day=2027-03-24&done=moved&{asked}",
            f"/desk/{ELSEWHERE}/programme?{asked}",
        ],
        "/desk/{forum}/programme/edits": [f"{desk}/programme/edits?{asked}"],
        "/desk/{forum}/programme/versions": [f"{desk}/programme/versions?{asked}"],
        "/desk/{forum}/programme/versions/{number}/return": [
            f"{desk}/programme/versions/1/return?since={since}&{asked}" for since in ("leave", "take_out")
        ],
        "/desk/{forum}/programme/edits/together/{number}": [f"{desk}/programme/edits/together/1?{asked}"],
        "/desk/{forum}/programme/import": [f"{desk}/programme/import?{asked}"],
        "/desk/{forum}/programme/coverage": [
            f"{desk}/programme/coverage?{asked}",
            f"{desk}/programme/coverage?show=tracks-A&done=saved&{asked}",
        ],
        "/desk/{forum}/programme/copy": [
            f"{desk}/programme/copy?{asked}",
            f"/desk/{ELSEWHERE}/programme/copy?source={SLUG}&first_day=2028-03-21&speakers=yes&closed=yes&{asked}",
        ],
        "/desk/{forum}/programme/sessions/new": [f"{desk}/programme/sessions/new?day=2027-03-24&{asked}"],
        "/desk/{forum}/programme/sessions/{code}": [
            f"{desk}/programme/sessions/{code}?{asked}" for code in ("D1-04", "C-01")
        ],
        "/desk/{forum}/programme/sessions/{code}/history": [f"{desk}/programme/sessions/D1-04/history?{asked}"],
        "/desk/{forum}/sign-ups": [f"{desk}/sign-ups?{asked}"],
        "/desk/{forum}/sign-ups/{code}": [f"{desk}/sign-ups/{code}?{asked}" for code in ("D1-07", "D2-03")]
        + [f"{desk}/sign-ups/D1-07?done=saved&{asked}"],
        "/{lang}/my/{secret}/sessions": [f"/{lang}/my/{each.secret}/sessions" for each in one]
        + [f"/{lang}/my/{shown.standings['confirmed'].secret}/sessions?done=saved"],
        "/{lang}/my/{secret}": [f"/{lang}/my/{each.secret}" for each in one]
        + [f"/{lang}/my/{shown.standings['confirmed'].secret}?done=confirmed"],
        "/{lang}/my/{secret}/details": [f"/{lang}/my/{shown.standings['unconfirmed'].secret}/details"],
        "/{lang}/my/{secret}/cancellation": [
            f"/{lang}/my/{shown.standings[name].secret}/cancellation" for name in ("unconfirmed", "cancelled")
        ],
        "/{lang}/my/{secret}/data": [f"/{lang}/my/{shown.standings[name].secret}/data" for name in ("khmer", "erased")],
        "/{lang}/my/{secret}/erasure": [
            f"/{lang}/my/{shown.standings[name].secret}/erasure" for name in ("confirmed", "cancelled")
        ],
        "/{lang}/my/{secret}/companions": [
            f"/{lang}/my/{shown.standings[name].secret}/companions" for name in ("confirmed", "waiting")
        ],
        "/{lang}/my/{secret}/letters": [
            f"/{lang}/my/{shown.standings[name].secret}/letters" for name in ("confirmed", "waiting")
        ],
        "/desk/{forum}/delegations": [f"{desk}/delegations?{asked}", f"/desk/{ELSEWHERE}/delegations?{asked}"],
        "/desk/{forum}/delegations/new": [f"{desk}/delegations/new?{asked}"],
        "/desk/{forum}/delegations/{code}": [
            f"{desk}/delegations/{each.code}?{asked}" for each in shown.delegations.values()
        ],
        "/{lang}/delegations/{secret}": [f"/{lang}/delegations/{each.secret}" for each in shown.delegations.values()]
        + [f"{embassy}?done=named"],
        "/{lang}/delegations/{secret}/people": [f"{embassy}/people", f"/{lang}/delegations/{closed}/people"],
        "/{lang}/delegations/{secret}/people/{code}": [f"{embassy}/people/{code}" for code in people[:2]],
        "/{lang}/delegations/{secret}/people/{code}/substitution": [f"{embassy}/people/{people[0]}/substitution"],
        "/{lang}/delegations/{secret}/list": [f"{embassy}/list"],
        "/{lang}/{forum}": [base, f"/{lang}/{ELSEWHERE}"],
        "/{lang}/{forum}/programme/changes": [f"{base}/programme/changes"],
        "/{lang}/{forum}/programme/versions/{number}": [f"{base}/programme/versions/1"],
        "/{lang}/{forum}/themes": [f"{base}/themes"],
        "/{lang}/{forum}/themes/{slug}": [f"{base}/themes/{slug}" for slug, _ in seen.page.tracks[0].themes],
        "/{lang}/{forum}/programme": [f"{base}/programme", f"{base}/programme?day=2027-03-24", f"{base}/programme?q=x"],
        "/{lang}/{forum}/programme/{code}": [f"{base}/programme/{each.code}" for each in seen.programme.sessions],
        "/{lang}/{forum}/speakers": [f"{base}/speakers"],
        "/{lang}/{forum}/speakers/{code}": [f"{base}/speakers/{code}" for code in people_of(seen)],
        "/{lang}/{forum}/calendar": [f"{base}/calendar"],
        "/{lang}/{forum}/register": [f"{base}/register"],
        "/{lang}/{forum}/register/{category}": [f"{base}/register/{each.code.lower()}" for each in standing.categories],
    }


# ---- pages


@dataclass(slots=True)
class Element:
    """An opening tag with its attributes, the language it is in, and the pieces of text inside it."""

    name: str
    attributes: dict[str, str]
    lang: str
    pieces: list[str]
    first: int
    behind: int | None = None

    @property
    def texts(self) -> list[str]:
        """The text inside, as it stands in the page."""
        return self.pieces[self.first : self.behind]

    @property
    def text(self) -> str:
        """What is read of it: white space is one space."""
        return " ".join("".join(self.texts).split())


TAG = re.compile(
    r"<!--.*?-->|<!doctype html>|</(?P<end>[a-zA-Z][a-zA-Z0-9-]*)\s*>"
    r"|<(?P<start>[a-zA-Z][a-zA-Z0-9-]*)(?P<given>(?:\s+[^\s\"'<>/=]+(?:=(?:\"[^\"]*\"|'[^']*'|[^\s\"'=<>`]+))?)*)\s*(?P<whole>/?)>",
    re.IGNORECASE | re.DOTALL,
)
ATTRIBUTE = re.compile(r"([^\s\"'<>/=]+)(?:=(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'=<>`]+)))?")
RAW = {"script", "style"}


class Page:
    """A page's elements in order; `text` of an element includes that of everything inside it.

    Thousands of pages are read, so the tags are found by one expression, five times as fast as the library's parser.
    It is stricter too: a "<" that begins no tag as we write them is among the `misnested`.
    """

    def __init__(self, html: str) -> None:
        self.html = html
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self._pieces: list[str] = []
        self.misnested: list[str] = []
        self.spoken: list[tuple[str, str]] = []
        self._read(html)
        self.misnested += [element.name for element in self._open]

    def _read(self, html: str) -> None:
        at = 0
        while found := TAG.search(html, at):
            if found.start() > at:
                self._piece(html[at : found.start()])
            at = found.end()
            if found["start"]:
                self._start(found["start"].lower(), found["given"], whole=bool(found["whole"]))
                name = self.elements[-1].name
                if name in RAW:
                    ends = html.find(f"</{name}>", at)
                    self._pieces.append(html[at:ends])
                    at = ends
            elif found["end"]:
                self._end(found["end"].lower())
        if at < len(html):
            self._piece(html[at:])

    def _start(self, name: str, written: str, *, whole: bool) -> None:
        given = {
            match[1].lower(): unescape(match[2] or match[3] or match[4] or "") for match in ATTRIBUTE.finditer(written)
        }
        around = self._open[-1].lang if self._open else ""
        element = Element(name, given, given.get("lang", around), self._pieces, len(self._pieces))
        self.elements.append(element)
        if name in VOID or whole:
            element.behind = element.first
        else:
            self._open.append(element)

    def _end(self, name: str) -> None:
        if name in VOID:
            return
        if not self._open or self._open[-1].name != name:
            self.misnested.append(name)
            return
        self._open.pop().behind = len(self._pieces)

    def _piece(self, written: str) -> None:
        if "<" in written:
            self.misnested.append(written[written.index("<") :][:30])
        piece, inner = unescape(written), self._open[-1] if self._open else None
        if inner and inner.name == "textarea" and inner.first == len(self._pieces):
            piece = piece.removeprefix("\n")  # as HTML has it: a line break right after the tag is not part of the text
        self._pieces.append(piece)
        if inner and inner.name != "title" and (said := piece.strip()):
            self.spoken.append((inner.lang, said))

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """The elements of this name with these attributes (`class_` for class words)."""
        return [
            element
            for element in self.elements
            if element.name == tag
            and all(
                value in element.attributes.get("class", "").split()
                if key == "class_"
                else element.attributes.get(key) == value
                for key, value in attributes.items()
            )
        ]

    def one(self, tag: str, **attributes: str) -> Element:
        """The only such element."""
        (found,) = self.all(tag, **attributes)
        return found

    @cached_property
    def text(self) -> str:
        """Everything that can be read in the body."""
        return self.one("body").text

    @cached_property
    def hidden(self) -> dict[str, str]:
        """The hidden fields of the page's main forms."""
        return {element.attributes["name"]: element.attributes["value"] for element in self.all("input", type="hidden")}

    @cached_property
    def ids(self) -> list[str]:
        return [element.attributes["id"] for element in self.elements if "id" in element.attributes]

    @cached_property
    def links(self) -> list[str]:
        return [element.attributes["href"] for element in self.all("a") if "href" in element.attributes]


KHMER = re.compile(r"[\u1780-\u17ff]")
