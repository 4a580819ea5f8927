"""Who may come through which door: every route and method of the site against everybody who may knock."""

import base64
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from app.accounts.actor import Actor
from app.accounts.models import User
from app.accounts.rules import PERMISSIONS, Permission, Role
from app.accounts.signing_in import LINK_LASTS, LOGIN_LASTS
from app.correspondence.wording import editions_of, kind_of
from app.editions.form import ForumFile
from app.forum import furnishing
from app.forum.access import grant
from app.forum.inputs import RoomInput
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.forum.setting import mark_of as mark_of_setting
from app.forum.setting import state_of
from app.kit import codes
from app.kit.db import Db, table
from app.kit.i18n import LANGS, Bilingual
from app.kit.pen import SITE
from app.kit.pictures import Picture
from app.mail.outbox import claim, mark_failed
from app.programme import sharing, speaking
from app.programme.altering import foresee
from app.programme.copying import look_at_copy
from app.programme.describing import described, mark_of
from app.programme.drafting import states_of
from app.programme.editing import Edited, change, create
from app.programme.inputs import AppearanceInput, CopyInput, SessionInput
from app.programme.publishing import pending, publish
from app.programme.remembering import State
from app.programme.reverting import before_together, of_version
from app.programme.tabling import look_at
from app.registration import applying, deciding_many, foreseeing_many, tagging
from app.registration.desk_filters import Further
from app.registration.desk_inputs import BulkInput, TagInput
from app.registration.desk_queries import Wanted
from app.registration.models import Application, Category, Tag
from app.registration.quotas import house_of
from app.registration.rank_queries import rank_of
from app.registration.ranking import rank_seen
from app.web.desk_numbers_form import fields_of
from app.web.desk_settings_form import fields_of as setting_fields
from tests.breadth import some
from tests.cast import NOW, SECRET, SLUG, the_forum
from tests.conftest import Clock
from tests.doors import (
    A_MAILING,
    A_PHOTO,
    COMPANION,
    ELSEWHERE,
    Doors,
    Page,
    Speaking,
    Standing,
    import_one,
    open_doors,
)
from tests.embassies import delegate
from tests.papers import make_material
from tests.registration.asked import send_file

ROLES = tuple(role.value for role in Role)
CAST = ("", "participant", "nobody", "foreign", "site_owner", *ROLES)
"""Nobody signed in; a participant who sends the secret of their link as if it were a login; a user without any role;
an owner of the other forum; an owner of the site; and each role in this forum."""

ALL = frozenset(CAST)
FEW = ("", "participant", "nobody", "site_owner", "viewer")
"""Who shows that a door is open to everybody: it asks for no role, so not each role knocks there."""
DESK = frozenset(("site_owner", *ROLES))
PEOPLE = frozenset(("site_owner", "owner", "organiser", "registrar", "protocol_officer", "finance"))
DECIDE = frozenset(("site_owner", "owner", "organiser", "registrar"))
EDIT = frozenset(("site_owner", "owner", "organiser", "programme_editor"))
ORGANISE = frozenset(("site_owner", "owner", "organiser"))
OWNERS = frozenset(("site_owner", "owner"))
SENSITIVE = frozenset(("site_owner", "owner", "organiser", "protocol_officer"))
PROTOCOL = frozenset(("site_owner", "owner", "organiser", "protocol_officer"))
SIGNED_IN = ALL - {"", "participant"}
NOT_SIGNED_IN = ALL - SIGNED_IN


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    folder = tmp_path_factory.mktemp("permissions")
    with open_doors(
        loaded_file, folder, forum_file, SMTP_URL="smtp://127.0.0.1:9", BASE_URL="http://localhost"
    ) as found:
        found.enrol("nobody")
        found.enrol("foreign", Role.OWNER, slug=ELSEWHERE)
        found.enrol("site_owner", site_owner=True)
        for role in Role:
            found.enrol(role.value, role)
        found.write(SLUG, add_badges)
        found.pretend("participant", found.register().secret)
        yield found


def sealed(purpose: str, bound_to: str = "") -> dict[str, str]:
    """The hidden field of a form that was opened just now."""
    opened = f"{int(NOW.timestamp() * 1000)}-{codes.public_code(20)}"
    return {"form": codes.seal(SECRET, f"form/{purpose}/{bound_to}", opened)}


def desk_form(doors: Doors, by: str) -> dict[str, str]:
    """A form of the desk, as shown to this very login."""
    return sealed("desk", codes.digest(doors.login_of(by)))


@dataclass(frozen=True, slots=True)
class Knock:
    """One request: its address and, for a form, what is in it."""

    address: str
    fields: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A door of the matrix: how one knocks, who may come in, what they are answered, and what the others are.

    `others` is "desk" (no login: led to sign in, or 401 for a form; no desk here: 404; another role: 403) or a status.
    """

    knock: Callable[[Doors, str], Knock]
    who: frozenset[str]
    done: int = 200
    others: str | int = "desk"


def at(address: str) -> Callable[[Doors, str], Knock]:
    return lambda _doors, _by: Knock(address)


def decision(act: str, kind: str, /, **fields: str) -> Callable[[Doors, str], Knock]:
    """A form of the desk about a registration of its own each time."""

    def knock(doors: Doors, by: str) -> Knock:
        one = doors.register(kind)
        return Knock(f"/desk/{SLUG}/registrations/{one.code}/{act}", {**desk_form(doors, by), **fields})

    return knock


def mine(tail: str = "", button: bool = False, offered: bool = False, **fields: str) -> Callable[[Doors, str], Knock]:
    """Something on a participant's page: whoever holds its link is the participant."""

    def knock(doors: Doors, _by: str) -> Knock:
        one = doors.register()
        if offered:
            offer(doors, one)
        return Knock(f"/en/my/{one.secret}{tail}", {**sealed("my", one.code), **fields} if button else None)

    return knock


def offer(doors: Doors, one: Standing) -> None:
    values = {"state": "offered", "offer_until": NOW + timedelta(hours=48)}
    table_of = table(Application)
    doors.write(SLUG, lambda db: db.execute(update(table_of).where(table_of.c.id == one.id).values(**values)))


DETAILS = {
    "institution": "An embassy",
    "deadline": "2027-02-01T17:00",
    "focal_name": "Dara Lim",
    "focal_email": "dara@embassy.example",
    "language": "en",
}


OUTSIDE = "BADGE"
"""A class of badges outside the hall: every knock has a delegation of its own, and the hall would be full."""


def add_badges(db: Db) -> None:
    kinds = table(Category)
    one = dict(db.execute(select(kinds).where(kinds.c.code == "ORG")).mappings().first() or {})
    own = {"code": OUTSIDE, "in_hall": False, "guarantee": 0, "limit": None, "position": 99}
    one.pop("id", None)  # the database gives another
    db.execute(insert(kinds).values({**one, **own}))


def ours(tail: str = "", button: bool = False, **fields: str) -> Callable[[Doors, str], Knock]:
    """Something on a focal point's page: whoever holds its link is the focal point."""

    def knock(doors: Doors, _by: str) -> Knock:
        person = delegate(1, email="", family_name=f"Envoy {codes.public_code()}")
        party = doors.delegate(person, seats=2, category=OUTSIDE)
        address = f"/en/delegations/{party.secret}{tail.format(code=party.people[0])}"
        # the focal point is the same person everywhere, whose people have names of their own
        typed = {name: value.format(one=codes.public_code()) for name, value in fields.items()}
        return Knock(address, {**sealed("delegation", party.code), **typed} if button else None)

    return knock


def accepting_a_list(doors: Doors, by: str) -> Knock:
    """A list that was read, on its way back."""
    asked = ours("/list", button=True, pasted="family name\nNew {one}")(doors, by)
    page = Page(doors.post(asked.address, by, asked.fields).text)
    return Knock(f"{asked.address}/acceptance", page.hidden)


def inviting_an_institution(doors: Doors, by: str) -> Knock:
    fields = {**desk_form(doors, by), **DETAILS, "category": OUTSIDE, "seats": "1"}
    return Knock(f"{THE_DESK}/delegations", fields)


def of_theirs(act: str, /, **fields: str) -> Callable[[Doors, str], Knock]:
    """A form of the desk about a delegation of its own each time."""

    def knock(doors: Doors, by: str) -> Knock:
        party = doors.delegate(seats=1, category=OUTSIDE)
        return Knock(f"{THE_DESK}/delegations/{party.code}/{act}", {**desk_form(doors, by), **fields})

    return knock


def registering(doors: Doors, _by: str) -> Knock:
    sent = {"email": f"{codes.public_code().lower()}@crowd.example", "family_name": "New", "consent": "yes"}
    return Knock(f"/en/{SLUG}/register/stu", {**sealed(f"register/{SLUG}/STU"), **sent})


def undecided(act: str, /, **fields: str) -> Callable[[Doors, str], Knock]:
    """A form about somebody who awaits a decision and holds no seat, with a seat kept back in the group."""

    def knock(doors: Doors, by: str) -> Knock:
        one = doors.register("MIN")
        chosen = {"hold_back": str(doors.keep_back("MIN"))} if act == "hold-back" else {}
        return Knock(f"/desk/{SLUG}/registrations/{one.code}/{act}", {**desk_form(doors, by), **fields, **chosen})

    return knock


def beyond_the_limit(doors: Doors, by: str) -> Knock:
    """A form about somebody whose group may have no seat."""
    one, kinds = doors.register("PTY"), table(Category)
    none = update(kinds).where(kinds.c.code == "PTY").values(guarantee=0, limit=0)
    doors.write(SLUG, lambda db: db.execute(none))
    return Knock(f"/desk/{SLUG}/registrations/{one.code}/seat", {**desk_form(doors, by), "reason": "Asked for by name"})


def held_back(tail: str, **fields: str) -> Callable[[Doors, str], Knock]:
    """A form about a hold-back of its own each time."""
    return lambda doors, by: Knock(
        f"/desk/{SLUG}/hold-backs/{doors.keep_back('DIP')}/{tail}", {**desk_form(doors, by), **fields}
    )


def numbers(tail: str = "") -> Callable[[Doors, str], Knock]:
    """The form of the forum's numbers as it stands."""

    def knock(doors: Doors, by: str) -> Knock:
        forum = the_forum_of(doors)
        house = doors.site.database.read(lambda db: house_of(db, forum_id(forum)))
        fields = {**fields_of(house, forum.timezone), "edition": str(house.terms.edition), "over_is_meant": "yes"}
        return Knock(f"/desk/{SLUG}/seats{tail}", {**desk_form(doors, by), **fields})

    return knock


def the_forum_of(doors: Doors) -> Any:
    return doors.site.database.read(the_forum)


def setting_form(doors: Doors, by: str) -> Knock:
    """The place of the forum as it stands, the note another each time."""
    state = doors.site.database.read(lambda db: state_of(db, the_forum(db), "place"))
    fields = {name: str(value) for name, value in setting_fields("place", state).items()}
    noted = {f"venue_note_{lang}": codes.public_code() for lang in LANGS}
    sent = {**desk_form(doors, by), **fields, **noted, "mark": mark_of_setting(state), "act": "save"}
    return Knock(f"{THE_DESK}/settings/place", sent)


def opening_an_edition(doors: Doors, by: str) -> Knock:
    """A bare one, at an address of its own each time."""
    words = {f"{name}_{lang}": "x" for name in ("title", "short_title") for lang in LANGS}
    slug = f"edition-{codes.public_code().lower()}"
    days = {"starts_on": "2029-03-20", "ends_on": "2029-03-21"}
    return Knock(f"{THE_DESK}/edition", {**desk_form(doors, by), **words, **days, "slug": slug, "takes": "topics"})


def failed_mail(doors: Doors, slug: str = SLUG) -> int:
    """A mail of this forum that did not leave: of somebody new, whose mail nobody has claimed."""
    doors.use_up(spare=True)
    subject = f"registration:{doors.register(slug=slug).code}"

    def fail(db: Db) -> int:
        # a year on it is due whatever the worker, who finds no server, has put off meanwhile
        last = claim(db, now=NOW + timedelta(days=365), subject=subject)[-1]
        mark_failed(db, last, "550 no", None)
        return last.id

    return doors.write(slug, fail)


def trying_again(doors: Doors, by: str) -> Knock:
    return Knock(f"/desk/{SLUG}/outbox/{failed_mail(doors)}/attempt", desk_form(doors, by))


def changing_places(doors: Doors, by: str) -> Knock:
    return Knock(f"/desk/{SLUG}/sign-ups/D1-07/places", {**desk_form(doors, by), "places": "111"})


def listing(doors: Doors, by: str) -> Knock:
    return Knock(f"/desk/{SLUG}/sign-ups/D1-07/names", {**desk_form(doors, by), "registration": doors.register().code})


def unlisting(doors: Doors, by: str) -> Knock:
    code = doors.register().code
    return Knock(f"/desk/{SLUG}/sign-ups/D1-07/names/{code}/removal", desk_form(doors, by))


def about_session(tail: str, code: str = "D1-02", /, **fields: str) -> Callable[[Doors, str], Knock]:
    """A form of the editor about a session as it stands now."""

    def knock(doors: Doors, by: str) -> Knock:
        state = draft_of(doors, code)
        more = {"edition": str(state.edition)} if fields.get("edition") else {}
        typed = {name: value.format(one=codes.public_code().lower()) for name, value in fields.items()}
        return Knock(f"{THE_DESK}/programme/sessions/{code}{tail}", {**desk_form(doors, by), **typed, **more})

    return knock


def draft_of(doors: Doors, code: str) -> State:
    with doors.site.database.reading() as db:
        return next(iter(states_of(db, forum_id(the_forum(db)), code=code).values()))


WHOLE = {"type": "keynote", "title_en": "Anew {one}", "title_km": "ថ្មី {one}", "abstract_en": "x", "abstract_km": "x"}
WHOLE |= {"guiding_question_en": "x", "guiding_question_km": "x", "facet": "both", "room": "grand-ballroom"}
WHOLE |= {"starts_at": "2027-03-23T09:15", "ends_at": "2027-03-23T09:45", "attribution": "REC", "tracks": "A"}
WHOLE |= {"themes": "maritime-lanes", "objectives": "1", "spoken": "en", "interpreted": "km", "reason": "So it is"}
WHOLE |= {"person-1": "keynote-scholar", "role-1": "speaker", "order-1": "1", "overlap_intended": "yes"}
"""A session's form filled in."""


def making_a_session(doors: Doors, by: str) -> Knock:
    typed = {name: value.format(one=codes.public_code()) for name, value in WHOLE.items()}
    # a series of its own each time: no closed session is missed in it
    code = f"X{codes.public_code(4)}-01"
    return Knock(f"{THE_DESK}/programme/sessions/new", {**desk_form(doors, by), **typed, "code": code})


def moving(doors: Doors, by: str) -> Knock:
    minutes = str(30 + 5 * (draft_of(doors, "D2-10").edition % 2))
    sent = {"starts_at": "2027-03-24T07:00", "minutes": minutes, "room": "mekong", "reason": "So it is"}
    return about_session("/place", "D2-10", edition="1", day="2027-03-24", **sent)(doors, by)


def an_edit(doors: Doors) -> Edited:
    """An edit of a session that only these tests touch."""
    code = f"Y{codes.public_code(4)}-01"

    def deed(db: Db) -> Edited:
        words = Bilingual("One of them", "មួយក្នុងចំណោមនោះ")
        return create(db, Actor.operator(), the_forum(db), SessionInput(code=code, type="panel", title=words), now=NOW)

    return doors.write(SLUG, deed)


def taking_back(tail: str) -> Callable[[Doors, str], Knock]:
    def knock(doors: Doors, by: str) -> Knock:
        made = an_edit(doors)
        fields = {**desk_form(doors, by), "edition": "1", "reason": "So it is"}
        return Knock(f"{THE_DESK}/programme/edits/{made.number}/{tail}", fields)

    return knock


def taking_out(tail: str) -> Callable[[Doors, str], Knock]:
    return lambda doors, by: about_session(tail, an_edit(doors).code, edition="1", reason="So it is")(doors, by)


def explaining(doors: Doors, by: str) -> Knock:
    """A reason for a conflict that stands: a session that begins after it ends."""
    code = f"Z{codes.public_code(4)}-01"

    def deed(db: Db) -> None:
        at = datetime(2027, 3, 23, 2, tzinfo=UTC)
        sent = SessionInput(code=code, type="panel", title=Bilingual("One of them", "មួយ"), starts_at=at, ends_at=at)
        create(db, Actor.operator(), the_forum(db), sent, now=NOW, reason="So it is")

    doors.write(SLUG, deed)
    fields = {"kind": "ends_before_start", "codes": code, "place": "", "reason": "So it is", "day": "2027-03-23"}
    return Knock(f"{THE_DESK}/programme/reasons", {**desk_form(doors, by), **fields})


def publishing(doors: Doors, by: str) -> Knock:
    """A version with a session more, as the difference was seen just now."""
    an_edit(doors)
    mark = doors.write(SLUG, lambda db: pending(db, the_forum(db), now=NOW)).mark
    return Knock(f"{THE_DESK}/programme/versions", {**desk_form(doors, by), "mark": mark, "reason": "So it is"})


def sending_a_table(doors: Doors, by: str) -> Knock:
    pasted = "code\ttype\ttitle_en\ttitle_km\nQ-01\tpanel\tOne more\tមួយទៀត"
    return Knock(f"{THE_DESK}/programme/import", {**desk_form(doors, by), "pasted": pasted})


def importing(doors: Doors, by: str) -> Knock:
    """A table of one new session, as it was looked at just now."""
    code = f"Q{codes.public_code(4)}-01"
    rows = [(1, ["code", "type", "title_en", "title_km"]), (2, [code, "panel", "One more", "មួយទៀត"])]
    with doors.site.database.reading() as db:
        seen = look_at(db, the_forum(db), rows).alteration
    assert seen is not None
    packed = base64.urlsafe_b64encode(zlib.compress(json.dumps(rows).encode())).decode()
    table_of = codes.seal(SECRET, f"programme-table/{SLUG}", packed)
    fields = {"table": table_of, "mark": seen.mark, "reason": "So it is"}
    return Knock(f"{THE_DESK}/programme/import/acceptance", {**desk_form(doors, by), **fields})


def taking_an_import_back(doors: Doors, by: str) -> Knock:
    number = import_one(doors, f"Q{codes.public_code(4)}-01")
    with doors.site.database.reading() as db:
        forum = the_forum(db)
        mark = foresee(db, forum, before_together(db, forum, number).wanted).mark
    fields = {"mark": mark, "reason": "So it is"}
    return Knock(f"{THE_DESK}/programme/edits/together/{number}", {**desk_form(doors, by), **fields})


def taking_a_version_back(doors: Doors, by: str) -> Knock:
    """A version's sessions, while another is there that it has not."""
    an_edit(doors)
    with doors.site.database.reading() as db:
        forum = the_forum(db)
        mark = foresee(db, forum, of_version(db, forum, 1, "take_out")).mark
    fields = {"mark": mark, "reason": "So it is"}
    return Knock(f"{THE_DESK}/programme/versions/1/return?since=take_out", {**desk_form(doors, by), **fields})


def saying_whose_voice(doors: Doors, by: str) -> Knock:
    """Another voice each time, as the speakers were seen just now."""
    with doors.site.database.reading() as db:
        there = described(db, forum_id(the_forum(db)))
    now = next(one.voice.kind for one in there if one.code == "forum-chair")
    kind = "academia" if now == "diplomacy" else "diplomacy"
    fields = {"mark": mark_of(there), "kind-forum-chair": kind}
    return Knock(f"{THE_DESK}/programme/coverage", {**desk_form(doors, by), **fields})


THIRD = "kampot-2029"
"""A forum whose desk those who may edit here see too."""


def copying(doors: Doors, by: str) -> Knock:
    """The programme of the third forum, which has one session alone."""
    sent = CopyInput(source=THIRD, first_day=date(2027, 3, 23), speakers="yes", closed="yes")

    def look(db: Db) -> str:
        if db.execute(select(table(Forum).c.id).where(table(Forum).c.slug == THIRD)).first() is None:
            db.add(Forum(slug=THIRD, starts_on=date(2029, 3, 20), created_at=NOW, changed_at=NOW))
            db.flush()
            at = datetime(2029, 3, 20, 2, tzinfo=UTC)
            words = Bilingual("One of them", "មួយក្នុងចំណោមនោះ")
            only = SessionInput(code="V-01", type="panel", title=words, starts_at=at, ends_at=at + timedelta(hours=1))
            create(db, Actor.operator(), the_forum(db, THIRD), only, now=NOW, reason="So it is")
        user = db.execute(select(User).where(table(User).c.email == f"{by}@desk.example")).scalar_one_or_none()
        if user is not None and by in EDIT:
            grant(db, Actor.operator(), the_forum(db, THIRD), user, Role.VIEWER, now=NOW)
        return look_at_copy(db, Actor.operator(), the_forum(db), sent).alteration.mark

    fields = {**sent.model_dump(mode="json"), "mark": doors.write(THIRD, look), "reason": "So it is"}
    return Knock(f"{THE_DESK}/programme/copy", {**desk_form(doors, by), **fields})


def with_file(doors: Doors, *, sensitive: bool = False) -> tuple[Standing, int]:
    """A registration with a file that was sent as an answer."""
    one = doors.register()
    return one, doors.write(SLUG, lambda db: send_file(db, one.id, sensitive=sensitive))


def own_file(doors: Doors, _by: str) -> Knock:
    one, number = with_file(doors)
    return Knock(f"/en/my/{one.secret}/files/{number}")


def desk_file(doors: Doors, _by: str) -> Knock:
    one, number = with_file(doors)
    return Knock(f"{THE_DESK}/registrations/{one.code}/files/{number}")


def question_form(doors: Doors, by: str) -> Knock:
    words = {f"{name}_{lang}": f"{name} {lang}" for name in ("label", "why") for lang in ("en", "km")}
    code = f"q{codes.public_code().lower()}"
    return Knock(f"{THE_DESK}/questions/new", {**desk_form(doors, by), **words, "code": code, "kind": "text"})


def question_button(act: str, **fields: str) -> Callable[[Doors, str], Knock]:
    return lambda doors, by: Knock(f"/desk/{SLUG}/questions/chamber/{act}", {**desk_form(doors, by), **fields})


def room_form(doors: Doors, by: str) -> Knock:
    fields = {"name_en": "Room", "name_km": "បន្ទប់", "seats": "10", "setup": "theatre", "changeover_minutes": "15"}
    code = f"r{codes.public_code().lower()}"
    return Knock(f"{THE_DESK}/rooms/new", {**desk_form(doors, by), **fields, "code": code})


def ranking_somebody(doors: Doors, by: str) -> Knock:
    """The rank of one and the same person each time: the hall is not filled by it."""
    people, own = table(Application), select(Forum.id).where(table(Forum).c.slug == SLUG).scalar_subquery()
    mine = (people.c.forum_id == own) & people.c.erased_at.is_(None)
    first = select(people.c.id, people.c.code).where(mine).order_by(people.c.id).limit(1)
    row = doors.site.database.read(lambda db: db.execute(first).first()) or doors.register("INT")
    seen = rank_seen(doors.site.database.read(lambda db: rank_of(db, row.id)))
    fields = {"rung": "ambassadors", "reason": "Doyen", "since": "", "seen": seen}
    return Knock(f"{THE_DESK}/registrations/{row.code}/precedence", {**desk_form(doors, by), **fields})


def setting_the_table(doors: Doors, by: str) -> Knock:
    edition = "0"
    if by in PROTOCOL:
        edition = doors.page(f"{THE_DESK}/head-table", by).hidden.get("edition", "0")
    fields = {"act": "set", "seats": "6", "shape": "row", "host": "", "edition": edition}
    return Knock(f"{THE_DESK}/head-table", {**desk_form(doors, by), **fields})


def spare_room(doors: Doors, by: str) -> Knock:
    """The removal of a room of its own, which nothing uses."""
    code = f"r{codes.public_code().lower()}"
    sent = RoomInput(code=code, name=Bilingual("Room", "បន្ទប់"), seats=10)
    doors.write(SLUG, lambda db: furnishing.add_room(db, Actor.operator(), the_forum(db), sent, now=NOW))
    return Knock(f"{THE_DESK}/rooms/{code}/removal", desk_form(doors, by))


def with_material(doors: Doors) -> str:
    """The code of a paper of the forum as a whole, which everybody may read."""
    return str(doors.write(SLUG, make_material))


def reading(address: str) -> Callable[[Doors, str], Knock]:
    return lambda doors, _by: Knock(address.format(code=with_material(doors)))


def own_reading(doors: Doors, _by: str) -> Knock:
    return Knock(f"/en/my/{doors.register().secret}/materials/{with_material(doors)}/en")


def sharing_one(doors: Doors, by: str) -> Knock:
    typed = {"session": "forum", "kind": "reading", "title_en": "Words", "title_km": "ពាក្យ", "release": "at"}
    typed |= {"note_en": "x", "note_km": "x", "release_at": "2027-03-23T09:00", "link": "https://paper.example/1"}
    return Knock(f"{THE_DESK}/materials/new", {**desk_form(doors, by), **typed})


def about_material(act: str, **fields: str) -> Callable[[Doors, str], Knock]:
    """A button about a material of its own each time."""

    def knock(doors: Doors, by: str) -> Knock:
        code = with_material(doors)
        if act == "restoration":
            doors.write(SLUG, lambda db: sharing.remove(db, Actor.operator(), the_forum(db), code, now=NOW))
        return Knock(f"{THE_DESK}/materials/{code}/{act}", {**desk_form(doors, by), **fields})

    return knock


SPEAKER = {"name_en": "A name", "function_en": "A function", "function_km": "មុខងារមួយ", "language": "en"}
SPEAKER |= {"institution_en": "x", "institution_km": "x", "country": "KH", "bio_en": "x", "email": "a@b.example"}
SPEAKER |= {"announced": "yes", "guest": "yes"}


def speaker_form(doors: Doors, by: str) -> Knock:
    code = f"s{codes.public_code().lower()}"
    return Knock(f"{THE_DESK}/speakers/new", {**desk_form(doors, by), **SPEAKER, "code": code})


def about_speaker(act: str, /, *, asked: bool = True, **fields: str) -> Callable[[Doors, str], Knock]:
    """A form of the desk about a speaker of its own each time."""

    def knock(doors: Doors, by: str) -> Knock:
        one = doors.speaker(asked=asked)
        return Knock(f"{THE_DESK}/speakers/{one.code}/{act}", {**desk_form(doors, by), **fields})

    return knock


def speaks(tail: str = "", button: bool = False, **fields: str) -> Callable[[Doors, str], Knock]:
    """Something on a speaker's page: whoever holds its link is the speaker."""

    def knock(doors: Doors, _by: str) -> Knock:
        one = doors.speaker()
        token = sealed("speaking", f"{SLUG}/{one.code}")
        return Knock(f"/en/speaking/{one.secret}{tail}", {**token, **fields} if button else None)

    return knock


def photographed(doors: Doors) -> Speaking:
    """A speaker with a photograph that nothing public shows yet."""
    one, picture = doors.speaker(), Picture(A_PHOTO, 2, 1)

    def deed(db: Db) -> None:
        speaking.put_photo(db, Actor.operator(), the_forum(db), one.code, picture, now=NOW)

    doors.write(SLUG, deed)
    return one


def public_photo(doors: Doors, _by: str) -> Knock:
    """A photograph that a version of the other forum shows: in this one others publish."""
    one = doors.speaker(announced="yes", slug=ELSEWHERE)

    def deed(db: Db) -> None:
        forum, by, own = the_forum(db, ELSEWHERE), Actor.operator(), forum_id(the_forum(db, ELSEWHERE))
        speaking.put_photo(db, by, forum, one.code, Picture(A_PHOTO, 2, 1), now=NOW)
        (state,) = states_of(db, own, code="D1-02").values()
        draft = state.draft.model_copy(update={"people": (AppearanceInput(speaker=one.code, role="speaker"),)})
        change(db, by, forum, "D1-02", draft, edition=state.edition, now=NOW, reason="For the test")
        publish(db, by, forum, now=NOW, reason="For the test")

    doors.write(ELSEWHERE, deed)
    return Knock(f"/en/{ELSEWHERE}/speakers/{one.code}/photo.jpg")


def unused_link(doors: Doors, _by: str) -> Knock:
    return Knock(f"/login/{doors.sign_in_link()}")


def using_a_link(doors: Doors, _by: str) -> Knock:
    doors.enrol("passing", site_owner=True)
    link = doors.sign_in_link()
    return Knock(f"/login/{link}", sealed("use-link", link))


def asking_for_a_link(doors: Doors, _by: str) -> Knock:
    return Knock("/login", {**sealed("ask-link"), "email": "somebody@else.example"})


def somebody_new() -> dict[str, str]:
    return {"email": f"{codes.public_code().lower()}@crowd.example", "family_name": "New"}


def ending_a_login(doors: Doors, by: str) -> Knock:
    """Another login of whoever knocks."""
    return Knock(f"/account/logins/{doors.sign_in_again(by)}/removal", desk_form(doors, by))


def beginning(doors: Doors, by: str) -> Knock:
    doors.forget_factor(by)
    return Knock("/account/factor", desk_form(doors, by))


def making_a_token(doors: Doors, by: str) -> Knock:
    """A token for a forum one works for; whoever works for none would end somebody else's."""
    made = {"forum": ELSEWHERE if by == "foreign" else SLUG, "name": "A program", "days": "30"}
    return Knock("/account/tokens", {**desk_form(doors, by), **({"end": "1"} if by == "nobody" else made)})


def with_code(act: str, *, on: bool) -> Callable[[Doors, str], Knock]:
    """A form of the own page that takes a code, with one that is good."""

    def knock(doors: Doors, by: str) -> Knock:
        code = doors.factor(by, on=on)
        return Knock(f"/account/factor/{act}", {**desk_form(doors, by), "code": code})

    return knock


def renaming_a_passkey(doors: Doors, by: str) -> Knock:
    number = str(doors.passkey(by))
    fields = {"act": "rename", "number": number, f"name-{number}": "The telephone"}
    return Knock("/account/passkeys", {**desk_form(doors, by), **fields})


def letting_in(doors: Doors, by: str) -> Knock:
    sent = {"email": f"{codes.public_code().lower()}@desk.example", "name": "New", "role": "viewer", "language": "en"}
    return Knock(f"{THE_DESK}/people", {**desk_form(doors, by), **sent})


def about_colleague(act: str, **fields: str) -> Callable[[Doors, str], Knock]:
    """A form about a colleague of its own each time, who is invited and has not signed in."""

    def knock(doors: Doors, by: str) -> Knock:
        number = doors.colleague()
        return Knock(f"{THE_DESK}/people/{number}/{act}", {**desk_form(doors, by), **fields})

    return knock


def entering(doors: Doors, by: str) -> Knock:
    sent = {**somebody_new(), "category": "THK", "language": "en", "consent": "yes"}
    return Knock(f"/desk/{SLUG}/registrations/new", {**desk_form(doors, by), **sent})


def inviting_one(doors: Doors, by: str) -> Knock:
    sent = {**somebody_new(), "category": "THK", "language": "en"}
    return Knock(f"/desk/{SLUG}/invitations/new", {**desk_form(doors, by), **sent})


def inviting_several(doors: Doors, by: str) -> Knock:
    people = f"{somebody_new()['email']},,New,Person"
    sent = {"people": people, "category": "THK", "language": "en", "accept": "yes"}
    return Knock(f"/desk/{SLUG}/invitations/several", {**desk_form(doors, by), **sent})


def about_invitation(act: str, **fields: str) -> Callable[[Doors, str], Knock]:
    """A form of the desk about an invitation of its own each time."""

    def knock(doors: Doors, by: str) -> Knock:
        return Knock(f"/desk/{SLUG}/invitations/{doors.invite().code}/{act}", {**desk_form(doors, by), **fields})

    return knock


def letter(doors: Doors, by: str, tail: str = "") -> Knock:
    """A letter of somebody confirmed, on their own page or, with a tail, at the desk."""
    one = doors.guest()
    code = doors.letter(one)
    return Knock(f"/desk/{SLUG}/letters/{code}.pdf" if tail else f"/en/my/{one.secret}/letters/{code}.pdf")


def asking_for_a_letter(doors: Doors, _by: str) -> Knock:
    one = doors.guest()
    sent = {"kind": "visa", "language": "en", "passport_name": "HENG RITH", "nationality": "KH"}
    return Knock(f"/en/my/{one.secret}/letters", {**sealed("my", one.code), **sent})


def bringing(doors: Doors, _by: str) -> Knock:
    one = doors.guest()
    sent = {"category": COMPANION, "family_name": f"Comer {codes.public_code()}"}
    return Knock(f"/en/my/{one.secret}/companions", {**sealed("my", one.code), **sent})


def taking_off(doors: Doors, _by: str) -> Knock:
    one = doors.guest()
    code = doors.companion(one)
    return Knock(f"/en/my/{one.secret}/companions/{code}/removal", sealed("my", one.code))


def pair(act: str = "") -> Callable[[Doors, str], Knock]:
    """Two registrations of one name, looked at or decided on."""

    def knock(doors: Doors, by: str) -> Knock:
        one, other = doors.register("DIP"), doors.register("DIP")
        address = f"/desk/{SLUG}/duplicates/{one.code}/{other.code}"
        if not act:
            return Knock(address)
        if act != "merge":
            return Knock(f"{address}/{act}", desk_form(doors, by))
        editions = {f"edition-{one.code}": "1", f"edition-{other.code}": "1"}
        return Knock(f"{address}/{act}", {**desk_form(doors, by), "keep": one.code, **editions})

    return knock


def invited(tail: str = "", button: bool = False) -> Callable[[Doors, str], Knock]:
    """Something on an invited person's page: whoever holds its link is the invited person."""

    def knock(doors: Doors, _by: str) -> Knock:
        one = doors.invite()
        return Knock(f"/en/invitations/{one.secret}{tail}", sealed("invitation", one.code) if button else None)

    return knock


def accepting(doors: Doors, _by: str) -> Knock:
    one = doors.invite()
    sent = {**somebody_new(), "consent": "yes"}
    return Knock(f"/en/invitations/{one.secret}/registration", {**sealed(f"invitation/{SLUG}/THK", one.code), **sent})


WORDED = {"act": "save", "subject_en": "For you", "text_en": "{hours}", "subject_km": "ជូន", "text_km": "{hours}"}


def wording_one(doors: Doors, by: str) -> Knock:
    """Own words for a message, on the edition that it has now."""
    kind = kind_of("registration.seated")
    with doors.site.database.reading() as db:
        editions = editions_of(db, forum_id(the_forum(db)), kind)
    edition = str(editions[0].edition if editions else 0)
    return Knock(f"{THE_DESK}/messages/{kind.code}", {**desk_form(doors, by), **WORDED, "edition": edition})


def mailing_form(doors: Doors, by: str) -> Knock:
    fields = {**desk_form(doors, by), **A_MAILING, "act": "save", "essential": "yes", "edition": "1"}
    return Knock(f"{THE_DESK}/mailings/{doors.mailing()}", {name: str(value) for name, value in fields.items()})


def opting_out(doors: Doors, _by: str) -> Knock:
    token = doors.mailbox()
    return Knock(f"/en/unsubscribe/{token}", {**sealed("opt-out", token), "news": "off"})


def looking_at_many(doors: Doors, _by: str) -> Knock:
    return Knock(f"{THE_DESK}/registrations/bulk?act=cancel&code={doors.register().code}")


def doing_many(doors: Doors, by: str) -> Knock:
    """One registration cancelled as if it were many, as it was looked at just now."""
    code = doors.register().code
    sent = BulkInput(act="cancel")

    def look(db: Db) -> str:
        wanted = Wanted(further=Further(codes=(code,)))
        return foreseeing_many.look_at(db, Actor.operator(), the_forum(db), wanted, sent, now=NOW).mark

    fields = {**desk_form(doors, by), "act": "cancel", "mark": doors.site.database.read(look)}
    return Knock(f"{THE_DESK}/registrations/bulk?code={code}", fields)


def a_bulk(doors: Doors, by: str, button: bool = True) -> Knock:
    """Something done with one registration, which can be taken back."""
    code, forum_tag = doors.register().code, codes.public_code()

    def deed(db: Db) -> int:
        forum, operator = the_forum(db), Actor.operator()
        tag = tagging.put_tag(db, operator, forum, TagInput(name=forum_tag, letter="T", tone="river"), now=NOW)
        wanted, sent = Wanted(further=Further(codes=(code,))), BulkInput(act="tag", with_tag=tag)
        mark = foreseeing_many.look_at(db, operator, forum, wanted, sent, now=NOW).mark
        number = deciding_many.begin(db, operator, forum, wanted, sent, mark=mark, now=NOW)
        deciding_many.go_on(db, operator, forum, number, now=NOW)
        return number

    number = a_bulk_of(doors, deed)
    return Knock(f"{THE_DESK}/registrations/bulk/{number}", desk_form(doors, by) if button else None)


def a_bulk_of(doors: Doors, deed: Callable[[Db], int]) -> int:
    kept = doors.site.database.read(lambda db: db.execute(select(table(Tag).c.id).order_by(table(Tag).c.id)).all())
    if len(kept) > 50:
        doors.write(SLUG, lambda db: tagging.remove_tag(db, Actor.operator(), the_forum(db), kept[0][0], now=NOW))
    return int(doors.write(SLUG, deed))


PUBLIC = f"/en/{SLUG}"
THE_DESK = f"/desk/{SLUG}"
MATRIX: dict[tuple[str, str], Row] = {
    ("GET", "/"): Row(at("/"), ALL, 303),
    ("GET", "/healthz"): Row(at("/healthz"), ALL),
    ("GET", "/readyz"): Row(at("/readyz"), ALL),
    ("GET", "/metrics"): Row(at("/metrics"), ALL, 404),
    ("GET", "/static/{rest:path}"): Row(lambda doors, _by: Knock(doors.site.assets.url("base/layout.css")), ALL),
    ("GET", "/{lang}/{forum}"): Row(at(PUBLIC), ALL),
    ("GET", "/{lang}/{forum}/programme"): Row(at(f"{PUBLIC}/programme"), ALL),
    ("GET", "/{lang}/{forum}/programme/changes"): Row(at(f"{PUBLIC}/programme/changes"), ALL),
    ("GET", "/{lang}/{forum}/programme/{code}"): Row(at(f"{PUBLIC}/programme/D1-02"), ALL),
    ("GET", "/{lang}/{forum}/speakers"): Row(at(f"{PUBLIC}/speakers"), ALL),
    ("GET", "/{lang}/{forum}/speakers/{code}"): Row(
        lambda doors, _by: Knock(next(href for href in doors.page(f"{PUBLIC}/speakers").links if "/speakers/" in href)),
        ALL,
    ),
    ("GET", "/{lang}/{forum}/calendar"): Row(at(f"{PUBLIC}/calendar"), ALL),
    ("GET", "/{lang}/{forum}/calendar.json"): Row(at(f"{PUBLIC}/calendar.json"), ALL),
    ("GET", "/{lang}/{forum}/calendar.ics"): Row(at(f"{PUBLIC}/calendar.ics"), ALL),
    ("GET", "/{lang}/{forum}/programme.json"): Row(at(f"{PUBLIC}/programme.json"), ALL),
    ("GET", "/{lang}/{forum}/programme.xml"): Row(at(f"{PUBLIC}/programme.xml"), ALL),
    ("GET", "/{lang}/{forum}/programme.csv"): Row(at(f"{PUBLIC}/programme.csv"), ALL),
    ("GET", "/{lang}/{forum}/programme/versions/{number}"): Row(at(f"{PUBLIC}/programme/versions/1"), ALL),
    ("GET", "/{lang}/{forum}/themes"): Row(at(f"{PUBLIC}/themes"), ALL),
    ("GET", "/{lang}/{forum}/themes/{slug}"): Row(
        lambda doors, _by: Knock(next(href for href in doors.page(f"{PUBLIC}/themes").links if "/themes/" in href)), ALL
    ),
    ("GET", "/{lang}/{forum}/programme/changes.atom"): Row(at(f"{PUBLIC}/programme/changes.atom"), ALL),
    ("GET", "/{lang}/{forum}/programme.pdf"): Row(at(f"{PUBLIC}/programme.pdf"), ALL),
    ("GET", "/{lang}/{forum}/picture.png"): Row(at(f"{PUBLIC}/picture.png"), ALL),
    ("GET", "/{lang}/{forum}/programme/{code}/picture.png"): Row(at(f"{PUBLIC}/programme/D1-07/picture.png"), ALL),
    ("GET", "/{lang}/{forum}/days/{on}.pdf"): Row(at(f"{PUBLIC}/days/2027-03-23.pdf"), ALL),
    ("GET", "/sitemaps/{forum}.xml"): Row(at(f"/sitemaps/{SLUG}.xml"), ALL),
    ("GET", "/sitemap.xml"): Row(at("/sitemap.xml"), ALL),
    ("GET", "/robots.txt"): Row(at("/robots.txt"), ALL),
    ("GET", "/{lang}/{forum}/days/{on}.ics"): Row(at(f"{PUBLIC}/days/2027-03-23.ics"), ALL),
    ("GET", "/{lang}/{forum}/days/{on}.json"): Row(at(f"{PUBLIC}/days/2027-03-23.json"), ALL),
    ("GET", "/{lang}/{forum}/tracks/{slug}.json"): Row(
        lambda doors, _by: Knock(
            next(
                href for href in doors.page(f"{PUBLIC}/calendar").links if href.startswith(f"{PUBLIC}/tracks/")
            ).replace(".ics", ".json")
        ),
        ALL,
    ),
    ("GET", "/{lang}/{forum}/sessions/{code}.json"): Row(at(f"{PUBLIC}/sessions/D1-02.json"), ALL),
    ("GET", "/{lang}/{forum}/speakers/{code}.json"): Row(
        lambda doors, _by: Knock(
            next(href for href in doors.page(f"{PUBLIC}/speakers").links if "/speakers/" in href) + ".json"
        ),
        ALL,
    ),
    ("GET", "/{lang}/{forum}/tracks/{slug}.ics"): Row(
        lambda doors, _by: Knock(
            next(href for href in doors.page(f"{PUBLIC}/calendar").links if href.startswith(f"{PUBLIC}/tracks/"))
        ),
        ALL,
    ),
    ("GET", "/{lang}/{forum}/sessions/{code}.ics"): Row(at(f"{PUBLIC}/sessions/D1-02.ics"), ALL),
    ("GET", "/{lang}/{forum}/speakers/{code}.ics"): Row(
        lambda doors, _by: Knock(
            next(href for href in doors.page(f"{PUBLIC}/speakers").links if "/speakers/" in href) + ".ics"
        ),
        ALL,
    ),
    ("GET", "/calendars/{token}.ics"): Row(lambda doors, _by: Knock(f"/calendars/{doors.register().feed}.ics"), ALL),
    ("GET", "/{lang}/{forum}/register"): Row(at(f"{PUBLIC}/register"), ALL),
    ("GET", "/{lang}/{forum}/register/{category}"): Row(at(f"{PUBLIC}/register/stu"), ALL),
    ("POST", "/{lang}/{forum}/register/{category}"): Row(registering, ALL),
    ("GET", "/{lang}/my/{secret}"): Row(mine(), ALL),
    ("GET", "/{lang}/my/{secret}/details"): Row(mine("/details"), ALL),
    ("POST", "/{lang}/my/{secret}/details"): Row(
        mine("/details", button=True, family_name="Other", edition="1"), ALL, 303
    ),
    ("POST", "/{lang}/my/{secret}/confirmation"): Row(mine("/confirmation", button=True), ALL, 303),
    ("POST", "/{lang}/my/{secret}/acceptance"): Row(mine("/acceptance", button=True, offered=True), ALL, 303),
    ("POST", "/{lang}/my/{secret}/seen"): Row(mine("/seen", button=True), ALL, 303),
    ("GET", "/{lang}/my/{secret}/sessions"): Row(mine("/sessions"), ALL),
    ("POST", "/{lang}/my/{secret}/sessions"): Row(mine("/sessions", button=True, pick="D1-07", edition="0"), ALL, 303),
    ("POST", "/{lang}/my/{secret}/refusal"): Row(mine("/refusal", button=True, offered=True), ALL, 303),
    ("GET", "/{lang}/my/{secret}/cancellation"): Row(mine("/cancellation"), ALL),
    ("POST", "/{lang}/my/{secret}/cancellation"): Row(mine("/cancellation", button=True), ALL, 303),
    ("GET", "/{lang}/my/{secret}/data"): Row(mine("/data"), ALL),
    ("GET", "/{lang}/my/{secret}/data.json"): Row(mine("/data.json"), ALL),
    ("GET", "/{lang}/my/{secret}/files/{number}"): Row(own_file, ALL),
    ("GET", "/{lang}/my/{secret}/erasure"): Row(mine("/erasure"), ALL),
    ("POST", "/{lang}/my/{secret}/erasure"): Row(mine("/erasure", button=True), ALL, 303),
    ("GET", "/{lang}/my/{secret}/companions"): Row(mine("/companions"), ALL),
    ("POST", "/{lang}/my/{secret}/companions"): Row(bringing, ALL, 303),
    ("POST", "/{lang}/my/{secret}/companions/{companion}/removal"): Row(taking_off, ALL, 303),
    ("GET", "/{lang}/my/{secret}/letters"): Row(mine("/letters"), ALL),
    ("POST", "/{lang}/my/{secret}/letters"): Row(asking_for_a_letter, ALL, 303),
    ("GET", "/{lang}/my/{secret}/letters/{letter}.pdf"): Row(letter, ALL),
    ("GET", "/{lang}/speaking/{secret}"): Row(speaks(), ALL),
    ("POST", "/{lang}/speaking/{secret}/acceptance"): Row(speaks("/acceptance", button=True, note="Yes"), ALL, 303),
    ("POST", "/{lang}/speaking/{secret}/refusal"): Row(speaks("/refusal", button=True, note="No"), ALL, 303),
    ("POST", "/{lang}/speaking/{secret}/bio"): Row(speaks("/bio", button=True, bio_en="x", bio_km="x"), ALL, 303),
    ("GET", "/{lang}/speaking/{secret}/photo.jpg"): Row(
        lambda doors, _by: Knock(f"/en/speaking/{photographed(doors).secret}/photo.jpg"), ALL
    ),
    ("POST", "/{lang}/speaking/{secret}/photo"): Row(speaks("/photo", button=True, drop="yes"), ALL, 303),
    ("POST", "/{lang}/speaking/{secret}/availability"): Row(
        speaks("/availability", button=True, away="2027-03-23.morning", away_note="x"), ALL, 303
    ),
    ("POST", "/{lang}/speaking/{secret}/calendar"): Row(speaks("/calendar", button=True), ALL, 303),
    ("GET", "/{lang}/speaking/{secret}/erasure"): Row(speaks("/erasure"), ALL),
    ("POST", "/{lang}/speaking/{secret}/erasure"): Row(speaks("/erasure", button=True), ALL),
    ("GET", "/{lang}/{forum}/speakers/{code}/photo.jpg"): Row(public_photo, ALL),
    ("GET", "/{lang}/delegations/list.{kind}"): Row(at("/km/delegations/list.xlsx"), ALL),
    ("GET", "/{lang}/delegations/{secret}"): Row(ours(), ALL),
    ("GET", "/{lang}/delegations/{secret}/people"): Row(ours("/people"), ALL),
    ("POST", "/{lang}/delegations/{secret}/people"): Row(
        ours("/people", button=True, family_name="New {one}", attends_as="official"), ALL, 303
    ),
    ("GET", "/{lang}/delegations/{secret}/people/{code}"): Row(ours("/people/{code}"), ALL),
    ("POST", "/{lang}/delegations/{secret}/people/{code}/details"): Row(
        ours("/people/{code}/details", button=True, family_name="Other {one}", edition="1"), ALL, 303
    ),
    ("GET", "/{lang}/delegations/{secret}/people/{code}/substitution"): Row(ours("/people/{code}/substitution"), ALL),
    ("POST", "/{lang}/delegations/{secret}/people/{code}/substitution"): Row(
        ours("/people/{code}/substitution", button=True, family_name="Else {one}"), ALL, 303
    ),
    ("POST", "/{lang}/delegations/{secret}/people/{code}/head"): Row(
        ours("/people/{code}/head", button=True), ALL, 303
    ),
    ("POST", "/{lang}/delegations/{secret}/people/{code}/cancellation"): Row(
        ours("/people/{code}/cancellation", button=True), ALL, 303
    ),
    ("POST", "/{lang}/delegations/{secret}/seats"): Row(ours("/seats", button=True, seats="1"), ALL, 303),
    ("POST", "/{lang}/delegations/{secret}/calendar"): Row(ours("/calendar", button=True), ALL, 303),
    ("GET", "/{lang}/delegations/{secret}/list"): Row(ours("/list"), ALL),
    ("POST", "/{lang}/delegations/{secret}/list"): Row(
        ours("/list", button=True, pasted="family name\nNew {one}"), ALL
    ),
    ("POST", "/{lang}/delegations/{secret}/list/acceptance"): Row(accepting_a_list, ALL, 303),
    ("GET", "/desk/{forum}/delegations"): Row(at(f"{THE_DESK}/delegations"), PEOPLE),
    ("GET", "/desk/{forum}/delegations/new"): Row(at(f"{THE_DESK}/delegations/new"), DECIDE),
    ("POST", "/desk/{forum}/delegations"): Row(inviting_an_institution, DECIDE, 303),
    ("POST", "/desk/{forum}/delegations/shares"): Row(
        lambda doors, by: Knock(f"{THE_DESK}/delegations/shares", {**desk_form(doors, by), "seats": "1"}), DECIDE, 303
    ),
    ("GET", "/desk/{forum}/delegations/{code}"): Row(
        lambda doors, _by: Knock(f"{THE_DESK}/delegations/{doors.delegate(seats=1, category=OUTSIDE).code}"), PEOPLE
    ),
    ("POST", "/desk/{forum}/delegations/{code}/seats"): Row(of_theirs("seats", seats="1"), DECIDE, 303),
    ("POST", "/desk/{forum}/delegations/{code}/details"): Row(
        of_theirs("details", edition="1", reference="NV 2", **DETAILS), DECIDE, 303
    ),
    ("POST", "/desk/{forum}/delegations/{code}/invitation"): Row(of_theirs("invitation"), DECIDE, 303),
    ("POST", "/desk/{forum}/delegations/{code}/renewal"): Row(of_theirs("renewal"), DECIDE, 303),
    ("POST", "/desk/{forum}/delegations/{code}/withdrawal"): Row(of_theirs("withdrawal"), DECIDE, 303),
    ("POST", "/desk/{forum}/delegations/{code}/link"): Row(of_theirs("link"), DECIDE),
    ("GET", "/login"): Row(at("/login"), NOT_SIGNED_IN, 200, 303),
    ("POST", "/login"): Row(asking_for_a_link, ALL),
    ("GET", "/login/{link}"): Row(unused_link, ALL),
    ("POST", "/login/{link}"): Row(using_a_link, NOT_SIGNED_IN, 303),
    ("POST", "/logout"): Row(lambda doors, by: Knock("/logout", desk_form(doors, by)), frozenset(), 303),
    ("GET", "/account"): Row(at("/account"), SIGNED_IN),
    ("GET", "/api/docs"): Row(at("/api/docs"), ALL),
    ("GET", "/account/tokens"): Row(at("/account/tokens"), SIGNED_IN),
    ("POST", "/account/tokens"): Row(making_a_token, SIGNED_IN - {"nobody"}),
    ("GET", "/account/factor"): Row(at("/account/factor"), SIGNED_IN),
    ("POST", "/account/factor"): Row(beginning, SIGNED_IN, 303),
    ("POST", "/account/factor/confirmation"): Row(with_code("confirmation", on=False), SIGNED_IN),
    ("POST", "/account/factor/codes"): Row(with_code("codes", on=True), SIGNED_IN),
    ("POST", "/account/factor/removal"): Row(with_code("removal", on=True), SIGNED_IN, 303),
    ("POST", "/account/passkeys"): Row(renaming_a_passkey, SIGNED_IN, 303),
    ("POST", "/login/passkey"): Row(
        lambda _doors, _by: Knock("/login/passkey", {**sealed("ask-link"), "act": "begin"}), ALL
    ),
    ("GET", "/login/code"): Row(at("/login/code"), frozenset(), 200, 303),
    ("POST", "/login/code"): Row(
        lambda _doors, _by: Knock("/login/code", {**sealed("enter-code"), "code": "123456"}), frozenset(), 303, 401
    ),
    ("POST", "/account/logins/others"): Row(
        lambda doors, by: Knock("/account/logins/others", desk_form(doors, by)), SIGNED_IN, 303
    ),
    ("POST", "/account/logins/{number}/removal"): Row(ending_a_login, SIGNED_IN, 303),
    ("GET", "/desk"): Row(at("/desk"), frozenset({"nobody", "site_owner"}), 200, 303),
    ("GET", "/desk/{forum}"): Row(at(THE_DESK), DESK),
    ("GET", "/desk/{forum}/registrations"): Row(at(f"{THE_DESK}/registrations"), PEOPLE),
    ("POST", "/desk/{forum}/registrations/views"): Row(
        lambda doors, by: Knock(
            f"{THE_DESK}/registrations/views?state=waiting",
            {**desk_form(doors, by), "act": "keep", "name": codes.public_code()},
        ),
        PEOPLE,
        303,
    ),
    ("GET", "/desk/{forum}/registrations/bulk"): Row(looking_at_many, DECIDE),
    ("POST", "/desk/{forum}/registrations/bulk"): Row(doing_many, DECIDE, 303),
    ("GET", "/desk/{forum}/registrations/bulk/{number}"): Row(
        lambda doors, by: a_bulk(doors, by, button=False), DECIDE
    ),
    ("POST", "/desk/{forum}/registrations/bulk/{number}"): Row(a_bulk, DECIDE, 303),
    ("GET", "/desk/{forum}/registrations/compare"): Row(at(f"{THE_DESK}/registrations/compare"), PEOPLE),
    ("GET", "/desk/{forum}/registrations/{code}/details"): Row(
        lambda doors, _by: Knock(f"{THE_DESK}/registrations/{doors.register().code}/details"), DECIDE
    ),
    ("POST", "/desk/{forum}/registrations/{code}/details"): Row(
        decision("details", "STU", family_name="Other", attends_as="official", edition="1"), DECIDE, 303
    ),
    ("POST", "/desk/{forum}/registrations/{code}/notes"): Row(
        decision("notes", "STU", act="note", words="Comes later"), PEOPLE, 303
    ),
    ("GET", "/desk/{forum}/tags"): Row(at(f"{THE_DESK}/tags"), PEOPLE),
    ("POST", "/desk/{forum}/tags"): Row(
        lambda doors, by: Knock(
            f"{THE_DESK}/tags",
            {**desk_form(doors, by), "name": codes.public_code(), "letter": "V", "tone": "lotus", "act": "put"},
        ),
        DECIDE,
        303,
    ),
    ("GET", "/desk/{forum}/registrations/{code}"): Row(
        lambda doors, _by: Knock(f"{THE_DESK}/registrations/{doors.register().code}"), PEOPLE
    ),
    ("POST", "/desk/{forum}/registrations/{code}/approval"): Row(decision("approval", "DIP"), DECIDE, 303),
    ("POST", "/desk/{forum}/registrations/{code}/refusal"): Row(decision("refusal", "DIP"), DECIDE, 303),
    ("POST", "/desk/{forum}/registrations/{code}/cancellation"): Row(decision("cancellation", "STU"), DECIDE, 303),
    ("POST", "/desk/{forum}/registrations/{code}/category"): Row(
        decision("category", "STU", category="INT"), DECIDE, 303
    ),
    ("POST", "/desk/{forum}/registrations/{code}/confirmation"): Row(decision("confirmation", "STU"), DECIDE, 303),
    ("POST", "/desk/{forum}/registrations/{code}/link"): Row(decision("link", "STU"), DECIDE),
    ("GET", "/desk/{forum}/sign-ups"): Row(at(f"{THE_DESK}/sign-ups"), DESK),
    ("GET", "/desk/{forum}/sign-ups/{code}"): Row(at(f"{THE_DESK}/sign-ups/D1-07"), DESK),
    ("POST", "/desk/{forum}/sign-ups/{code}/places"): Row(changing_places, EDIT, 303),
    ("POST", "/desk/{forum}/sign-ups/{code}/names"): Row(listing, DECIDE, 303),
    ("POST", "/desk/{forum}/sign-ups/{code}/names/{registration}/removal"): Row(unlisting, DECIDE, 303),
    ("GET", "/desk/{forum}/programme"): Row(at(f"{THE_DESK}/programme"), DESK),
    ("GET", "/desk/{forum}/programme/edits"): Row(at(f"{THE_DESK}/programme/edits"), EDIT),
    ("GET", "/desk/{forum}/programme/sessions/new"): Row(at(f"{THE_DESK}/programme/sessions/new"), EDIT),
    ("POST", "/desk/{forum}/programme/sessions/new"): Row(making_a_session, EDIT, 303),
    ("GET", "/desk/{forum}/programme/sessions/{code}"): Row(at(f"{THE_DESK}/programme/sessions/D1-02"), EDIT),
    ("POST", "/desk/{forum}/programme/sessions/{code}"): Row(
        about_session("", "D1-02", edition="1", code="D1-02", **WHOLE), EDIT, 303
    ),
    ("GET", "/desk/{forum}/programme/sessions/{code}/history"): Row(
        at(f"{THE_DESK}/programme/sessions/D1-02/history"), EDIT
    ),
    ("POST", "/desk/{forum}/programme/sessions/{code}/place"): Row(moving, EDIT, 303),
    ("POST", "/desk/{forum}/programme/sessions/{code}/cancellation"): Row(taking_out("/cancellation"), EDIT, 303),
    ("POST", "/desk/{forum}/programme/sessions/{code}/restoration"): Row(taking_out("/restoration"), EDIT, 303),
    ("POST", "/desk/{forum}/programme/sessions/{code}/mark"): Row(about_session("/mark"), EDIT),
    ("GET", "/desk/{forum}/programme/versions"): Row(at(f"{THE_DESK}/programme/versions"), DESK),
    ("POST", "/desk/{forum}/programme/versions"): Row(publishing, ORGANISE, 303),
    ("GET", "/desk/{forum}/programme/import"): Row(at(f"{THE_DESK}/programme/import"), EDIT),
    ("GET", "/desk/{forum}/programme/import/{name}.{kind}"): Row(
        at(f"{THE_DESK}/programme/import/programme.csv"), EDIT
    ),
    ("POST", "/desk/{forum}/programme/import"): Row(sending_a_table, EDIT),
    ("POST", "/desk/{forum}/programme/import/acceptance"): Row(importing, EDIT, 303),
    ("GET", "/desk/{forum}/programme/coverage"): Row(at(f"{THE_DESK}/programme/coverage"), DESK),
    ("GET", "/desk/{forum}/programme/coverage.csv"): Row(at(f"{THE_DESK}/programme/coverage.csv"), EDIT),
    ("POST", "/desk/{forum}/programme/coverage"): Row(saying_whose_voice, EDIT, 303),
    ("GET", "/desk/{forum}/programme/copy"): Row(at(f"{THE_DESK}/programme/copy"), EDIT),
    ("POST", "/desk/{forum}/programme/copy"): Row(copying, EDIT, 303),
    ("GET", "/desk/{forum}/programme/versions/{number}/return"): Row(
        at(f"{THE_DESK}/programme/versions/1/return"), EDIT
    ),
    ("POST", "/desk/{forum}/programme/versions/{number}/return"): Row(taking_a_version_back, EDIT, 303),
    ("GET", "/desk/{forum}/programme/edits/together/{number}"): Row(
        lambda doors, by: Knock(taking_an_import_back(doors, by).address), EDIT
    ),
    ("POST", "/desk/{forum}/programme/edits/together/{number}"): Row(taking_an_import_back, EDIT, 303),
    ("POST", "/desk/{forum}/programme/reasons"): Row(explaining, EDIT, 303),
    ("POST", "/desk/{forum}/programme/edits/{number}/undo"): Row(taking_back("undo"), EDIT, 303),
    ("POST", "/desk/{forum}/programme/edits/{number}/return"): Row(taking_back("return"), EDIT, 303),
    ("GET", "/desk/{forum}/registrations/new"): Row(at(f"{THE_DESK}/registrations/new"), DECIDE),
    ("POST", "/desk/{forum}/registrations/new"): Row(entering, DECIDE, 303),
    ("GET", "/desk/{forum}/invitations"): Row(at(f"{THE_DESK}/invitations"), PEOPLE),
    ("GET", "/desk/{forum}/invitations/new"): Row(at(f"{THE_DESK}/invitations/new"), DECIDE),
    ("POST", "/desk/{forum}/invitations/new"): Row(inviting_one, DECIDE, 303),
    ("GET", "/desk/{forum}/invitations/several"): Row(at(f"{THE_DESK}/invitations/several"), DECIDE),
    ("POST", "/desk/{forum}/invitations/several"): Row(inviting_several, DECIDE, 303),
    ("GET", "/desk/{forum}/invitations/{code}"): Row(
        lambda doors, _by: Knock(f"{THE_DESK}/invitations/{doors.invite().code}"), PEOPLE
    ),
    ("POST", "/desk/{forum}/invitations/{code}/mail"): Row(about_invitation("mail"), DECIDE, 303),
    ("POST", "/desk/{forum}/invitations/{code}/renewal"): Row(about_invitation("renewal"), DECIDE, 303),
    ("POST", "/desk/{forum}/invitations/{code}/date"): Row(
        about_invitation("date", reply_by="2027-01-20"), DECIDE, 303
    ),
    ("POST", "/desk/{forum}/invitations/{code}/withdrawal"): Row(about_invitation("withdrawal"), DECIDE, 303),
    ("POST", "/desk/{forum}/invitations/{code}/link"): Row(about_invitation("link"), DECIDE),
    ("GET", "/{lang}/invitations/{secret}"): Row(invited(), ALL),
    ("GET", "/{lang}/invitations/{secret}/registration"): Row(invited("/registration"), ALL),
    ("POST", "/{lang}/invitations/{secret}/registration"): Row(accepting, ALL),
    ("POST", "/{lang}/invitations/{secret}/refusal"): Row(invited("/refusal", button=True), ALL),
    ("GET", "/{lang}/invitations/{secret}/erasure"): Row(invited("/erasure"), ALL),
    ("POST", "/{lang}/invitations/{secret}/erasure"): Row(invited("/erasure", button=True), ALL, 303),
    ("POST", "/desk/{forum}/invitations/{code}/erasure"): Row(about_invitation("erasure", sure="yes"), DECIDE, 303),
    ("POST", "/desk/{forum}/registrations/{code}/erasure"): Row(decision("erasure", "STU", sure="yes"), DECIDE, 303),
    ("GET", "/desk/{forum}/registrations/{code}/files/{number}"): Row(desk_file, PEOPLE),
    ("GET", "/desk/{forum}/questions"): Row(at(f"{THE_DESK}/questions"), ORGANISE),
    ("GET", "/desk/{forum}/questions/{code}"): Row(at(f"{THE_DESK}/questions/rank"), ORGANISE),
    ("POST", "/desk/{forum}/questions/{code}"): Row(question_form, ORGANISE, 303),
    ("POST", "/desk/{forum}/questions/{code}/place"): Row(question_button("place", to="up"), ORGANISE, 303),
    ("POST", "/desk/{forum}/questions/{code}/retirement"): Row(
        question_button("retirement", retired="no"), ORGANISE, 303
    ),
    ("GET", "/desk/{forum}/privacy"): Row(at(f"{THE_DESK}/privacy"), ORGANISE),
    ("POST", "/desk/{forum}/privacy/retention"): Row(
        lambda doors, by: Knock(
            f"{THE_DESK}/privacy/retention", {**desk_form(doors, by), "retention_on": "2027-10-01"}
        ),
        ORGANISE,
        303,
    ),
    ("POST", "/desk/{forum}/registrations/{code}/seat"): Row(beyond_the_limit, ORGANISE, 303),
    ("POST", "/desk/{forum}/registrations/{code}/hold-back"): Row(undecided("hold-back"), DECIDE, 303),
    ("POST", "/desk/{forum}/registrations/{code}/priority"): Row(
        undecided("priority", priority="3", reason="Speaks in the first panel"), DECIDE, 303
    ),
    ("GET", "/desk/{forum}/settings"): Row(at(f"{THE_DESK}/settings"), ORGANISE),
    ("GET", "/desk/{forum}/settings/{part}"): Row(at(f"{THE_DESK}/settings/topics"), ORGANISE),
    ("POST", "/desk/{forum}/settings/{part}"): Row(setting_form, ORGANISE, 303),
    ("GET", "/desk/{forum}/archive"): Row(at(f"{THE_DESK}/archive"), OWNERS),
    ("POST", "/desk/{forum}/archive"): Row(
        lambda doors, by: Knock(f"{THE_DESK}/archive", desk_form(doors, by)), OWNERS
    ),
    ("GET", "/desk/{forum}/edition"): Row(at(f"{THE_DESK}/edition"), OWNERS),
    ("POST", "/desk/{forum}/edition"): Row(opening_an_edition, OWNERS, 303),
    ("GET", "/desk/{forum}/rooms"): Row(at(f"{THE_DESK}/rooms"), DESK),
    ("GET", "/desk/{forum}/rooms/{code}"): Row(at(f"{THE_DESK}/rooms/mekong"), ORGANISE),
    ("POST", "/desk/{forum}/rooms/{code}"): Row(room_form, ORGANISE, 303),
    ("POST", "/desk/{forum}/rooms/{code}/place"): Row(
        lambda doors, by: Knock(f"{THE_DESK}/rooms/mekong/place", {**desk_form(doors, by), "to": "up"}), ORGANISE, 303
    ),
    ("POST", "/desk/{forum}/rooms/{code}/removal"): Row(spare_room, ORGANISE, 303),
    ("GET", "/{lang}/{forum}/materials"): Row(at(f"{PUBLIC}/materials"), ALL),
    ("GET", "/{lang}/{forum}/materials/{material}/{language}"): Row(reading(f"{PUBLIC}/materials/{{code}}/en"), ALL),
    ("GET", "/{lang}/my/{secret}/materials"): Row(mine("/materials"), ALL),
    ("GET", "/{lang}/my/{secret}/materials/{material}/{language}"): Row(own_reading, ALL),
    ("GET", "/desk/{forum}/materials"): Row(at(f"{THE_DESK}/materials"), EDIT),
    ("GET", "/desk/{forum}/materials/{code}"): Row(at(f"{THE_DESK}/materials/new"), EDIT),
    ("POST", "/desk/{forum}/materials/{code}"): Row(sharing_one, EDIT, 303),
    ("GET", "/desk/{forum}/materials/{code}/{language}"): Row(reading(f"{THE_DESK}/materials/{{code}}/en"), EDIT),
    ("POST", "/desk/{forum}/materials/{code}/place"): Row(about_material("place", to="up"), EDIT, 303),
    ("POST", "/desk/{forum}/materials/{code}/removal"): Row(about_material("removal"), EDIT, 303),
    ("POST", "/desk/{forum}/materials/{code}/restoration"): Row(about_material("restoration"), EDIT, 303),
    ("GET", "/desk/{forum}/speakers"): Row(at(f"{THE_DESK}/speakers"), DESK),
    ("GET", "/desk/{forum}/speakers/{code}"): Row(at(f"{THE_DESK}/speakers/keynote-scholar"), EDIT),
    ("POST", "/desk/{forum}/speakers/{code}"): Row(speaker_form, EDIT, 303),
    ("POST", "/desk/{forum}/speakers/{code}/asking"): Row(about_speaker("asking", asked=False), EDIT, 303),
    ("POST", "/desk/{forum}/speakers/{code}/renewal"): Row(about_speaker("renewal"), EDIT, 303),
    ("POST", "/desk/{forum}/speakers/{code}/withdrawal"): Row(about_speaker("withdrawal"), EDIT, 303),
    ("POST", "/desk/{forum}/speakers/{code}/erasure"): Row(about_speaker("erasure", sure="yes"), EDIT, 303),
    ("POST", "/desk/{forum}/speakers/{code}/removal"): Row(about_speaker("removal"), EDIT, 303),
    ("POST", "/desk/{forum}/speakers/{code}/link"): Row(about_speaker("link"), ORGANISE),
    ("POST", "/desk/{forum}/speakers/{code}/photo"): Row(about_speaker("photo", drop="yes"), EDIT, 303),
    ("GET", "/desk/{forum}/speakers/{code}/photo.jpg"): Row(
        lambda doors, _by: Knock(f"{THE_DESK}/speakers/{photographed(doors).code}/photo.jpg"), DESK
    ),
    ("GET", "/desk/{forum}/calendar"): Row(at(f"{THE_DESK}/calendar"), DESK),
    ("POST", "/desk/{forum}/calendar/renewal"): Row(
        lambda doors, by: Knock(f"{THE_DESK}/calendar/renewal", desk_form(doors, by)), DESK, 303
    ),
    ("POST", "/desk/{forum}/calendar/removal"): Row(
        lambda doors, by: Knock(f"{THE_DESK}/calendar/removal", desk_form(doors, by)), DESK, 303
    ),
    ("GET", "/desk/{forum}/hold-backs"): Row(at(f"{THE_DESK}/hold-backs"), PEOPLE),
    ("POST", "/desk/{forum}/hold-backs"): Row(
        lambda doors, by: Knock(
            f"{THE_DESK}/hold-backs", {**desk_form(doors, by), "category": "PROV", "seats": "1", "purpose": "Protocol"}
        ),
        DECIDE,
        303,
    ),
    ("POST", "/desk/{forum}/hold-backs/{number}/date"): Row(held_back("date"), DECIDE, 303),
    ("POST", "/desk/{forum}/hold-backs/{number}/release"): Row(held_back("release"), DECIDE, 303),
    ("GET", "/desk/{forum}/seats"): Row(at(f"{THE_DESK}/seats"), ORGANISE),
    ("POST", "/desk/{forum}/seats"): Row(numbers(), ORGANISE, 303),
    ("POST", "/desk/{forum}/seats/trial"): Row(numbers("/trial"), ORGANISE),
    ("GET", "/desk/{forum}/duplicates"): Row(at(f"{THE_DESK}/duplicates"), PEOPLE),
    ("GET", "/desk/{forum}/duplicates/{first}/{second}"): Row(pair(), PEOPLE),
    ("POST", "/desk/{forum}/duplicates/{first}/{second}/merge"): Row(pair("merge"), DECIDE, 303),
    ("POST", "/desk/{forum}/duplicates/{first}/{second}/difference"): Row(pair("difference"), DECIDE, 303),
    ("GET", "/desk/{forum}/letters"): Row(at(f"{THE_DESK}/letters"), SENSITIVE),
    ("GET", "/desk/{forum}/letters/{letter}.pdf"): Row(lambda doors, by: letter(doors, by, "desk"), SENSITIVE),
    ("GET", "/desk/{forum}/registrations/export"): Row(at(f"{THE_DESK}/registrations/export"), PEOPLE),
    ("POST", "/desk/{forum}/registrations/export"): Row(
        lambda doors, by: Knock(
            f"{THE_DESK}/registrations/export", {**desk_form(doors, by), "columns": "code", "kind": "csv"}
        ),
        PEOPLE,
    ),
    ("GET", "/desk/{forum}/precedence"): Row(at(f"{THE_DESK}/precedence"), PEOPLE),
    ("POST", "/desk/{forum}/precedence"): Row(
        lambda doors, by: Knock(
            f"{THE_DESK}/precedence", {**desk_form(doors, by), "act": "up", "rung": "senate-president"}
        ),
        PROTOCOL,
        303,
    ),
    ("GET", "/desk/{forum}/head-table"): Row(at(f"{THE_DESK}/head-table"), PEOPLE),
    ("POST", "/desk/{forum}/head-table"): Row(setting_the_table, PROTOCOL, 303),
    ("GET", "/desk/{forum}/participants"): Row(at(f"{THE_DESK}/participants"), PEOPLE),
    ("POST", "/desk/{forum}/participants"): Row(
        lambda doors, by: Knock(
            f"{THE_DESK}/participants",
            {**desk_form(doors, by), "language": "en", "group": "category", "status": "provisional", "kind": "xlsx"},
        ),
        PEOPLE,
    ),
    ("GET", "/desk/{forum}/lists"): Row(at(f"{THE_DESK}/lists"), DESK),
    ("GET", "/desk/{forum}/lists/{name}"): Row(at(f"{THE_DESK}/lists/rooms"), DESK),
    ("POST", "/desk/{forum}/lists/{name}"): Row(
        lambda doors, by: Knock(f"{THE_DESK}/lists/rooms", {**desk_form(doors, by), "columns": "code", "kind": "csv"}),
        DESK,
    ),
    ("GET", "/desk/{forum}/precedence/{rung}"): Row(at(f"{THE_DESK}/precedence/ambassadors"), PROTOCOL),
    ("POST", "/desk/{forum}/precedence/{rung}"): Row(
        lambda doors, by: Knock(
            f"{THE_DESK}/precedence/new", {**desk_form(doors, by), "name_en": "Guests of honour", "name_km": "ភ្ញៀវ"}
        ),
        PROTOCOL,
        303,
    ),
    ("GET", "/desk/{forum}/registrations/{code}/precedence"): Row(
        lambda doors, _by: Knock(ranking_somebody(doors, "").address), PEOPLE
    ),
    ("POST", "/desk/{forum}/registrations/{code}/precedence"): Row(ranking_somebody, PROTOCOL, 303),
    ("GET", "/desk/{forum}/facts"): Row(at(f"{THE_DESK}/facts"), ORGANISE),
    ("GET", "/desk/{forum}/outbox"): Row(at(f"{THE_DESK}/outbox"), DECIDE),
    ("POST", "/desk/{forum}/outbox/{message}/attempt"): Row(trying_again, DECIDE, 303),
    ("GET", "/desk/{forum}/outbox/{message}"): Row(
        lambda doors, _by: Knock(f"{THE_DESK}/outbox/{failed_mail(doors)}"), DECIDE
    ),
    ("POST", "/desk/{forum}/outbox/{message}"): Row(
        lambda doors, by: Knock(f"{THE_DESK}/outbox/{failed_mail(doors)}", desk_form(doors, by)), DECIDE, 303
    ),
    ("GET", "/desk/{forum}/messages"): Row(at(f"{THE_DESK}/messages"), DECIDE),
    ("GET", "/desk/{forum}/messages/{template}"): Row(at(f"{THE_DESK}/messages/registration.seated"), DECIDE),
    ("POST", "/desk/{forum}/messages/{template}"): Row(wording_one, ORGANISE, 303),
    ("GET", "/desk/{forum}/mailings"): Row(at(f"{THE_DESK}/mailings"), DECIDE),
    ("GET", "/desk/{forum}/mailings/{number}"): Row(
        lambda doors, _by: Knock(f"{THE_DESK}/mailings/{doors.mailing()}"), DECIDE
    ),
    ("POST", "/desk/{forum}/mailings/{number}"): Row(mailing_form, DECIDE, 303),
    ("GET", "/{lang}/unsubscribe/{secret}"): Row(lambda doors, _by: Knock(f"/en/unsubscribe/{doors.mailbox()}"), ALL),
    ("POST", "/{lang}/unsubscribe/{secret}"): Row(opting_out, ALL, 303),
    ("GET", "/desk/{forum}/people"): Row(at(f"{THE_DESK}/people"), OWNERS),
    ("POST", "/desk/{forum}/people"): Row(letting_in, OWNERS, 303),
    ("POST", "/desk/{forum}/people/{number}/removal"): Row(about_colleague("removal", role="viewer"), OWNERS, 303),
    ("POST", "/desk/{forum}/people/{number}/invitation"): Row(about_colleague("invitation"), OWNERS, 303),
    ("POST", "/desk/{forum}/people/{number}/withdrawal"): Row(about_colleague("withdrawal"), OWNERS, 303),
    ("POST", "/desk/{forum}/people/second-factor"): Row(
        lambda doors, by: Knock(f"{THE_DESK}/people/second-factor", {**desk_form(doors, by), "required": "no"}),
        OWNERS,
        303,
    ),
    ("GET", "/desk/{forum}/webhooks"): Row(at(f"{THE_DESK}/webhooks"), ORGANISE),
    ("POST", "/desk/{forum}/webhooks"): Row(
        lambda doors, by: Knock(
            f"{THE_DESK}/webhooks", {**desk_form(doors, by), "address": "https://program.example/", "families": "room"}
        ),
        ORGANISE,
    ),
    ("GET", "/desk/{forum}/permissions"): Row(at(f"{THE_DESK}/permissions"), DESK),
}
TWICE = {("POST", "/logout"), ("POST", "/login/{link}")}
"""What ends a login: asked in tests of its own, so that the cast keeps theirs."""


def expected(method: str, row: Row, by: str) -> int:
    if by in row.who:
        return row.done
    if isinstance(row.others, int):
        return row.others
    if by in NOT_SIGNED_IN:
        return 303 if method == "GET" else 401
    return 403 if by in DESK else 404


def knock(doors: Doors, method: str, row: Row, by: str) -> Any:
    asked = row.knock(doors, by)
    return doors.get(asked.address, by) if asked.fields is None else doors.post(asked.address, by, asked.fields)


def test_every_route_of_the_site_has_its_row_in_the_matrix(doors: Doors) -> None:
    assert doors.routes == set(MATRIX)


def power(by: str) -> int:
    """How much somebody may here, to be compared: the number of permissions, whose owner of the site has most."""
    if by in NOT_SIGNED_IN or by in {"nobody", "foreign"}:
        return 0
    return len(Permission) + 1 if by == "site_owner" else len(PERMISSIONS[Role(by)])


def knocking(row: Row, *, turn: int) -> list[str]:
    """Those between whom the line runs, who show it where it is drawn wrong: the two weakest who may and the three
    strongest who may not. Of all others one in three, another at the next door; all of them in a soak."""
    may = sorted(row.who, key=lambda by: (power(by), CAST.index(by)))
    may_not = sorted(ALL - row.who, key=lambda by: (-power(by), CAST.index(by)))
    return [*may[:2], *may_not[:3], *some([*may[2:], *may_not[3:]], turn, each=3)]


@pytest.mark.parametrize("place", [place for place in MATRIX if place not in TWICE], ids=" ".join)
def test_everybody_is_answered_as_the_matrix_says(doors: Doors, place: tuple[str, str]) -> None:
    method, row = place[0], MATRIX[place]
    answers = {}
    for by in FEW if row.who == ALL else knocking(row, turn=[*MATRIX].index(place)):
        doors.use_up()
        answers[by] = knock(doors, method, row, by)
        if method == "GET" or (expected(method, row, by) in {303, 401, 403, 404} and by not in row.who):
            doors.give_back()  # were it not as it was, the next to whom it is given would be answered otherwise
    assert {by: answer.status_code for by, answer in answers.items()} == {
        by: expected(method, row, by) for by in answers
    }
    for by, answer in answers.items():
        if answer.status_code == 303 and row.others == "desk" and by in NOT_SIGNED_IN and by not in row.who:
            assert answer.headers["location"] == "/login"
        if answer.status_code in {401, 403, 404}:
            assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("by", sorted(ALL - DECIDE))
def test_a_form_of_somebody_who_may_not_changes_nothing(doors: Doors, by: str) -> None:
    acts = {"approval": {}, "refusal": {}, "cancellation": {}, "category": {"category": "INT"}, "confirmation": {}}
    acts |= {"seat": {"reason": "so"}, "priority": {"priority": "1", "reason": "so"}, "hold-back": {"hold_back": "1"}}
    acts |= {"erasure": {"sure": "yes"}}
    one = doors.register("DIP")
    before = doors.rows()
    for act, fields in {**acts, "link": {}}.items():
        doors.post(f"{THE_DESK}/registrations/{one.code}/{act}", by, {**desk_form(doors, by), **fields})
    assert doors.rows() == before
    assert doors.state(one) == "awaiting"


def test_the_forums_of_the_index_are_those_one_has_a_desk_in(doors: Doors) -> None:
    assert doors.get("/desk", "foreign").headers["location"] == f"/desk/{ELSEWHERE}"
    assert doors.get("/desk", "viewer").headers["location"] == f"/desk/{SLUG}"
    page = doors.page("/desk", "site_owner")
    assert {f"/desk/{SLUG}", f"/desk/{ELSEWHERE}"} <= set(page.links)
    assert not any(href.startswith("/desk/") for href in doors.page("/desk", "nobody").links)


def test_meals_and_access_needs_are_shown_to_those_who_seat_and_feed_people_alone(doors: Doors) -> None:
    one = doors.register(meals="Nothing from the sea", access="A chair in the shade")
    address = f"{THE_DESK}/registrations/{one.code}"
    told = {by for by in PEOPLE if "Nothing from the sea" in doors.get(address, by).text}
    assert told == SENSITIVE
    assert {by for by in PEOPLE if "A chair in the shade" in doors.get(address, by).text} == SENSITIVE


def test_a_file_of_a_sensitive_answer_is_given_to_those_who_seat_and_feed_people_alone(doors: Doors) -> None:
    one, number = with_file(doors, sensitive=True)
    address = f"{THE_DESK}/registrations/{one.code}/files/{number}"
    assert {by for by in PEOPLE if doors.get(address, by).status_code == 200} == SENSITIVE
    assert {
        by for by in PEOPLE if f"/files/{number}" in doors.get(address.rpartition("/files")[0], by).text
    } == SENSITIVE
    other = doors.register()
    assert doors.get(f"/en/my/{other.secret}/files/{number}").status_code == 404
    assert doors.get(f"{THE_DESK}/registrations/{other.code}/files/{number}", "owner").status_code == 404


def test_a_page_offers_only_what_whoever_looks_may_do(doors: Doors) -> None:
    one = doors.register("DIP")
    address = f"{THE_DESK}/registrations/{one.code}"
    for by in PEOPLE:
        acts = {form.attributes["action"] for form in doors.page(address, by).all("form", method="post")}
        acts -= {"/logout", f"{address}/notes"}  # a note is written by whoever sees people
        assert bool(acts) == (by in DECIDE), by


# ---- the other forum


ACTS = ("approval", "refusal", "cancellation", "category", "confirmation", "link", "seat", "priority", "hold-back")
ACTS += ("erasure", "notes", "details")


@pytest.mark.parametrize("act", ["", *ACTS])
def test_a_code_of_another_forum_is_not_found_even_by_an_owner_of_both(doors: Doors, act: str) -> None:
    theirs, mine = doors.register("DIP", slug=ELSEWHERE), doors.keep_back("DIP")
    before = doors.rows()
    for by in ("site_owner", "owner"):
        address = f"{THE_DESK}/registrations/{theirs.code}"
        if act:
            more = {"category": "INT", "reason": "so", "priority": "1", "hold_back": str(mine), "sure": "yes"}
            more |= {"act": "note", "words": "so", "edition": "1", "family_name": "So"}
            fields = {**desk_form(doors, by), **more}
            assert doors.post(f"{address}/{act}", by, fields).status_code == 404
        else:
            assert doors.get(address, by).status_code == 404
            assert doors.get(f"/desk/{ELSEWHERE}/registrations/{theirs.code}", "site_owner").status_code == 200
    assert doors.rows() == before
    assert doors.state(theirs, ELSEWHERE) == "awaiting"


def test_a_hold_back_of_another_forum_is_not_found(doors: Doors) -> None:
    mine = doors.keep_back("PROV")
    before = doors.rows()
    for tail in ("date", "release"):
        address = f"/desk/{ELSEWHERE}/hold-backs/{mine}/{tail}"
        assert doors.post(address, "site_owner", desk_form(doors, "site_owner")).status_code == 404
    assert doors.rows() == before


def test_a_mail_of_another_forum_cannot_be_tried_again(doors: Doors) -> None:
    theirs = failed_mail(doors, ELSEWHERE)
    before = doors.rows()
    answer = doors.post(f"{THE_DESK}/outbox/{theirs}/attempt", "site_owner", desk_form(doors, "site_owner"))
    assert answer.status_code == 404
    assert doors.rows() == before


def test_the_desk_of_another_forum_is_not_found(doors: Doors) -> None:
    theirs = doors.register("DIP", slug=ELSEWHERE)
    for by in ("nobody", *ROLES):
        for tail in ("", "/registrations", f"/registrations/{theirs.code}", "/outbox", "/seats", "/hold-backs"):
            assert doors.get(f"/desk/{ELSEWHERE}{tail}", by).status_code == 404, (by, tail)
        sent = doors.post(f"/desk/{ELSEWHERE}/registrations/{theirs.code}/approval", by, desk_form(doors, by))
        assert sent.status_code == 404
    assert doors.state(theirs, ELSEWHERE) == "awaiting"


def test_lists_figures_and_mails_of_one_forum_say_nothing_of_the_other(doors: Doors) -> None:
    theirs = doors.register("STU", slug=ELSEWHERE, family_name="Onlythere")
    for tail in ("/registrations", "/registrations?q=Onlythere", "/outbox"):
        page = doors.get(f"{THE_DESK}{tail}", "site_owner").text
        assert theirs.code not in page
        assert "ONLYTHERE" not in page
    assert theirs.code in doors.get(f"/desk/{ELSEWHERE}/registrations?q=Onlythere", "site_owner").text


def test_a_desk_that_is_none_and_one_that_is_not_ours_look_alike(doors: Doors) -> None:
    none = doors.get("/desk/no-such-forum", "viewer")
    foreign = doors.get(f"/desk/{ELSEWHERE}", "viewer")
    assert none.status_code == foreign.status_code == 404
    assert none.text.replace("no-such-forum", ELSEWHERE) == foreign.text


# ---- secrets


@pytest.mark.parametrize("lang", ["en", "km"])
def test_a_link_opens_the_page_of_its_own_person_alone(doors: Doors, lang: str) -> None:
    one, other = doors.register(family_name="Firstly"), doors.register(family_name="Secondly")
    page = doors.get(f"/{lang}/my/{one.secret}").text
    assert one.code in page
    assert other.code not in page
    assert "Secondly" not in page


@pytest.mark.parametrize("tail", ["", "/details", "/cancellation"])
def test_a_secret_that_is_none_is_not_found(doors: Doors, tail: str) -> None:
    one = doors.register()
    for secret in (
        one.feed,
        one.code,
        one.secret[:-1],
        one.secret + "a",
        one.secret.upper(),
        "a" * 32,
        codes.digest(one.secret),
    ):
        assert doors.get(f"/en/my/{secret}{tail}").status_code == 404
        assert doors.post(f"/en/my/{secret}{tail or '/confirmation'}", fields=sealed("my", one.code)).status_code == 404
    assert doors.get(f"/calendars/{one.secret}.ics").status_code == 404


def test_a_renewed_link_ends_the_old_one(doors: Doors) -> None:
    one = doors.register()
    assert doors.get(f"/en/my/{one.secret}").status_code == 200
    fresh = applying.manage_token(SECRET, one.id, 2)
    applications = table(Application)
    values = {"manage_generation": 2, "manage_digest": codes.digest(fresh)}
    doors.write(SLUG, lambda db: db.execute(update(applications).where(applications.c.id == one.id).values(**values)))
    assert doors.get(f"/en/my/{one.secret}").status_code == 404
    assert doors.get(f"/en/my/{fresh}").status_code == 200


def test_a_form_of_one_participant_does_nothing_on_the_page_of_another(doors: Doors) -> None:
    one, other = doors.register("INT"), doors.register("INT")
    for tail in ("/confirmation", "/cancellation", "/acceptance", "/details"):
        assert doors.post(f"/en/my/{one.secret}{tail}", fields=sealed("my", other.code)).status_code == 422
    assert (doors.state(one), doors.state(other)) == ("seated", "seated")


def test_a_form_shown_to_another_login_does_nothing(doors: Doors) -> None:
    one = doors.register("DIP")
    address = f"{THE_DESK}/registrations/{one.code}/approval"
    for foreign in (desk_form(doors, "organiser"), sealed("desk"), sealed("my", one.code), {}):
        assert doors.post(address, "registrar", foreign).status_code == 422
    assert doors.state(one) == "awaiting"
    assert doors.post(address, "registrar", desk_form(doors, "registrar")).status_code == 303


# ---- signing in and out


def test_a_sign_in_link_is_used_once_and_makes_a_login_of_its_own(doors: Doors) -> None:
    link = doors.sign_in_link()
    page = doors.page(f"/login/{link}")
    assert doors.get(f"/login/{link}").status_code == 200, "looking at it does not use it up"
    used = doors.post(f"/login/{link}", fields={"form": page.hidden["form"]})
    assert (used.status_code, used.headers["location"]) == (303, "/desk")
    cookie = used.headers["set-cookie"]
    for word in ("sala_login=", "HttpOnly", "SameSite=lax", "Path=/"):
        assert word in cookie
    doors.pretend("used", cookie.partition("sala_login=")[2].partition(";")[0])
    assert doors.get("/desk", "used").status_code == 200
    spent = doors.get(f"/login/{link}")
    assert spent.status_code == 410
    assert 'href="/login"' in spent.text
    again = doors.post(f"/login/{link}", fields=sealed("use-link", link))
    assert again.status_code == 410
    assert "set-cookie" not in again.headers


def test_signing_out_ends_the_login_on_the_server_too(doors: Doors) -> None:
    doors.enrol("leaving", Role.VIEWER)
    assert doors.post("/logout", "leaving").status_code == 422
    assert doors.get(THE_DESK, "leaving").status_code == 200
    left = doors.post("/logout", "leaving", desk_form(doors, "leaving"))
    assert (left.status_code, left.headers["location"]) == (303, "/login")
    assert doors.get(THE_DESK, "leaving").headers["location"] == "/login"
    assert doors.post("/logout", "leaving", desk_form(doors, "leaving")).status_code == 401


def test_signing_in_again_ends_the_login_the_browser_had(doors: Doors) -> None:
    doors.enrol("returning", site_owner=True)
    link = doors.sign_in_link()
    assert doors.post(f"/login/{link}", "returning", sealed("use-link", link)).status_code == 303
    assert doors.get(THE_DESK, "returning").status_code == 303


def test_a_link_and_a_login_end_with_their_time(doors: Doors, clock: Clock) -> None:
    link = doors.sign_in_link()
    clock.at = NOW + LINK_LASTS
    assert doors.get(f"/login/{link}").status_code == 410
    assert doors.get(THE_DESK, "viewer").status_code == 200
    clock.at = NOW + LOGIN_LASTS
    assert doors.get(THE_DESK, "viewer").status_code == 303


def test_a_disabled_user_is_out_at_once(doors: Doors) -> None:
    doors.enrol("disabled", Role.ORGANISER)
    users = table(User)
    doors.write(
        SITE,
        lambda db: db.execute(update(users).where(users.c.email == "disabled@desk.example").values(disabled=True)),
    )
    assert doors.get(THE_DESK, "disabled").status_code == 303


def test_a_login_of_digests_and_nonsense_is_none(doors: Doors) -> None:
    for token in (
        codes.digest(doors.login_of("owner")),
        "",
        "x" * 5000,
        "\u00ff",
        "owner",
        f"{doors.login_of('owner')}x",
    ):
        answer = doors.get(THE_DESK, headers={"cookie": f"sala_login={token}".encode("latin-1")})
        assert answer.status_code == 303
        assert answer.headers["location"] == "/login"


@pytest.mark.parametrize("by", sorted(SIGNED_IN))
def test_nobody_signed_in_is_stored_or_named_on_a_public_page(doors: Doors, by: str) -> None:
    page = doors.get(PUBLIC, by)
    assert page.text == doors.get(PUBLIC).text
    assert f"{by}@desk.example" not in page.text


# ---- methods


PARTS = {
    "name": "programme",
    "message": "1",
    "lang": "en",
    "forum": SLUG,
    "code": "D1-02",
    "on": "2027-03-23",
    "slug": "x",
    "category": "stu",
    "number": "1",
}
PARTS |= {"registration": "ABCDEFG", "number": "1", "secret": "a" * 32, "link": "a" * 43, "token": "a" * 32}
PARTS |= {"companion": "ABCDEFG", "letter": "ABCDEFG", "first": "ABCDEFG", "second": "HJKMNPQ"}
PARTS |= {"template": "registration.seated"}
PARTS |= {"kind": "csv", "material": "ABCDEFG", "language": "en", "rung": "ambassadors", "part": "words"}


def test_a_method_a_door_does_not_know_is_refused_and_changes_nothing(doors: Doors) -> None:
    before = doors.rows()
    for path in sorted({path for _, path in MATRIX}):
        address = path.replace("{rest:path}", "base/layout.css").format(**PARTS)
        known = {method for method, found in MATRIX if found == path} | {"GET"}
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} - known:
            answer = doors.ask(method, address, "site_owner")
            assert answer.status_code in {404, 405}, (method, address)
            assert answer.status_code == 405 or path.count("/") > 1, (method, address)
    assert doors.rows() == before
