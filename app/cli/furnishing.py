"""What `sala demo` sets up around its people: delegations, invitations, seats kept back, companions, letters, chosen
sessions, a pair that may be one person. Plainly fictional, through the same deeds; done twice it adds nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select

from app.accounts.actor import Actor
from app.cli.house import House
from app.forum.models import Forum
from app.forum.queries import ends_at, forum_by_slug, forum_id
from app.kit import clock
from app.kit.db import Db, table
from app.kit.errors import Answer
from app.kit.inputs import parse
from app.programme import asking, casting, speaking
from app.programme.asking_queries import speaker_of
from app.programme.inputs import TypedSpeaker
from app.programme.models import Speaker
from app.programme.queries import published
from app.programme.rules.speakers import Reply
from app.programme.rules.visibility import PUBLIC, visible
from app.registration import (
    accompanying,
    delegating,
    entering,
    holding,
    inviting,
    lettering,
    nominating,
    picking,
    replying,
)
from app.registration.answering import Sent, read
from app.registration.applying import Asked, application_of
from app.registration.delegation_inputs import DelegateInput, InvitingInput
from app.registration.delegations import delegation_of
from app.registration.inputs import ApplicationInput, CompanionInput, HoldBackInput
from app.registration.invitation_inputs import CodeInput, Guest
from app.registration.letter_inputs import LetterInput
from app.registration.models import Delegation, HoldBack, Invitation, SignUp
from app.registration.question_queries import questions_of
from app.registration.rules.questions import Kind

BY = Actor.operator()
AHEAD = timedelta(days=30)
DELEGATIONS: tuple[tuple[dict[str, Any], tuple[tuple[str, str, str], ...]], ...] = (
    ({"institution": "Embassy of Exampleland (demo)", "institution_km": "ស្ថានទូតនៃប្រទេសឧទាហរណ៍ (សាកល្បង)",
      "category": "DIP", "seats": 4, "reference": "NV 12/DEMO", "focal_name": "Dara Example",
      "focal_email": "dara@demo.example", "language": "en"},
     (("Example", "Robin", "robin@demo.example"), ("Example", "Noor", ""))),
    ({"institution": "A ministry (demo)", "institution_km": "ក្រសួងមួយ (សាកល្បង)", "category": "MIN", "seats": 2,
      "focal_name": "Keo Ratha", "focal_email": "ratha@demo.example", "language": "km"},
     (("Keo", "Ratha", "ratha@demo.example"), ("Lim", "Sothea", "sothea@demo.example"))),
    ({"institution": "A political party (demo)", "institution_km": "គណបក្សនយោបាយមួយ (សាកល្បង)", "category": "PTY",
      "seats": 2, "focal_name": "Sam Makara", "focal_email": "makara@demo.example", "language": "km"}, ()),
)  # fmt: skip
"""Each with whom its focal point names: family name, given name, address or none. One has no names yet."""
GUESTS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"family_name": "Placeholder", "given_name": "Kim", "titles": ("Prof.",), "email": "kim@demo.example",
      "institution": "A research institute (demo)", "language": "en", "reserves": "yes"}, ""),
    ({"family_name": "Meas", "given_name": "Kunthea", "name_km": "មាស គន្ធា", "titles": ("Dr.",),
      "email": "kunthea@demo.example", "language": "km", "reserves": "yes"}, "accepted"),
    ({"family_name": "Sample", "given_name": "Alex", "email": "alex@demo.example", "language": "en"}, "declined"),
)  # fmt: skip
"""Whom the organisers invite, and what they answered."""
CODE = {"category": "THK", "code": "DEMO-THINKERS", "uses": 10, "reference": "A code for a faculty (demo)"}
KEPT = (
    {"category": "GOV", "seats": 3, "purpose": "Protocol: late dignitaries (demo)"},
    {"category": "ORG", "seats": 2, "purpose": "Sponsors (demo)"},
)
STUDENTS = ("Kosal", "Veasna", "Thida", "Piseth", "Chanthou", "Sreymom")
PLACES = 4
"""Of the session that the students choose, so that two of them wait."""


def furnish(house: House, slug: str, *, now: datetime) -> list[str]:
    """Set all of it up as of `now`, each part in a transaction; the names of the parts that could not be, since the
    forum has not the groups or the seats for them."""
    refused = []
    for part in PARTS:
        try:
            house.pen.write_now(slug, partial(_set_up, part, house.settings.secret_key, slug, now))
        except Answer:
            refused.append(part.__name__.replace("_", " "))
    return refused


def answers_of(db: Db, own: int, category: str, number: int) -> Sent | None:
    """Answers to a group's questions, other ones for another number; None where it asks for what a demo has not, such
    as a file."""
    values: dict[str, str | tuple[str, ...]] = {}
    questions = questions_of(db, own, category)
    for one in questions:
        if one.kind is Kind.CHOICE and one.options:
            values[one.code] = one.options[number % len(one.options)][0]
        elif one.kind is Kind.SEVERAL and one.options:
            values[one.code] = (one.options[number % len(one.options)][0],)
        elif one.kind in {Kind.TEXT, Kind.LONG}:
            values[one.code] = f"{one.label.en} (demo)"
    return None if read(questions, Sent(values)).faults else Sent(values)


def delegations(db: Db, secret: bytes, forum: Forum, now: datetime) -> None:
    """Three delegations: some of a delegation's people named, all of them, and none."""
    until = min(day for day in (clock.now() + AHEAD, ends_at(forum)) if day is not None)
    for fields, people in DELEGATIONS:
        if _is_there(db, forum, Delegation, focal_email=fields["focal_email"]):
            continue
        code = delegating.invite(db, BY, forum, parse(InvitingInput, {**fields, "deadline": until}), secret, now=now)
        focal = Actor.focal_point(delegation_of(db, forum, code).id)
        for place, (family, given, email) in enumerate(people):
            sent = {"family_name": family, "given_name": given, "email": email or None, "heads": not place}
            one = parse(DelegateInput, sent)
            nominating.name(db, focal, forum, code, [one], f"demo-delegate-{code}-{place}", secret, now=now)


def invitations(db: Db, secret: bytes, forum: Forum, now: datetime) -> None:
    """Three invitations, one of them accepted and one declined, and a code."""
    until = str((clock.now() + AHEAD).date())
    for fields, reply in GUESTS:
        if _is_there(db, forum, Invitation, email=fields["email"]):
            continue
        guest = parse(Guest, {**fields, "category": "THK", "reply_by": until})
        code = inviting.invite(db, BY, forum, guest, secret, now=now)
        number = inviting.invitation_of(db, forum, code).id
        if reply == "accepted":
            sent = _person(str(guest.email), fields["family_name"], fields["given_name"], "THK", guest.language)
            replying.accept(db, forum, number, sent, f"demo-{code}", secret, now=now)
        elif reply:
            replying.decline(db, forum, number, "I am teaching that week.", now=now)
    if not _is_there(db, forum, Invitation, code=CODE["code"]):
        inviting.make_code(db, BY, forum, parse(CodeInput, CODE), now=now)


def hold_backs(db: Db, _secret: bytes, forum: Forum, now: datetime) -> None:
    """Seats kept back until somebody releases them, and until a day."""
    for place, fields in enumerate(KEPT):
        if not _is_there(db, forum, HoldBack, purpose=fields["purpose"]):
            until = {"release_at": clock.now() + AHEAD} if place else {}
            holding.keep_back(db, BY, forum, parse(HoldBackInput, {**fields, **until}), now=now)


def company(db: Db, secret: bytes, forum: Forum, now: datetime) -> None:
    """An envoy with whoever comes along and the letters for the journey."""
    code = _enter(db, secret, forum, _person("envoy@demo.example", "Specimen", "Robin", "DIP", "en"), now).code
    for kind, family, given in (("ACC", "Specimen", "Kim"), ("INTP", "Tep", "Chanthou")):
        sent = parse(CompanionInput, {"category": kind, "family_name": family, "given_name": given})
        accompanying.add(db, BY, forum, code, sent, f"demo-{kind}", secret, now=now)
    for kind, language in (("visa", "en"), ("invitation", "km")):
        wanted = {"kind": kind, "language": language, "passport_name": "SPECIMEN ROBIN", "nationality": "FR"}
        lettering.ask_for_letter(db, BY, forum, code, parse(LetterInput, wanted), f"demo-{kind}", now=now)


def choices(db: Db, secret: bytes, forum: Forum, now: datetime) -> None:
    """Students who choose the same session with few places: it is full, and two are on its waiting list."""
    own = forum_id(forum)
    sign_ups = table(SignUp)
    asking = set(db.execute(select(sign_ups.c.session_uid).where(sign_ups.c.forum_id == own)).scalars())
    there = visible(published(db, own).sessions, PUBLIC)
    sessions = sorted(one.code for one in there if one.uid in asking and not one.cancelled)
    if not sessions:
        return
    people = [_person(f"student.{name.lower()}@demo.example", "Sample", name, "STU", "km") for name in STUDENTS]
    new = [one for sent in people if not (one := _enter(db, secret, forum, sent, now)).same_request]
    if new:
        picking.change_places(db, BY, forum, sessions[0], PLACES, now=now)
    for one in new:
        themselves = Actor.participant(application_of(db, forum, one.code).id)
        picking.put_picks(db, themselves, forum, one.code, {sessions[0]}, None, now=now)


def twice(db: Db, secret: bytes, forum: Forum, now: datetime) -> None:
    """Two registrations that may be one person's: the same names in another order, from two addresses."""
    for mailbox, family, given in (("noor", "Specimen", "Noor"), ("noor.two", "Noor", "Specimen")):
        email = f"{mailbox}@demo.example"
        _enter(db, secret, forum, _person(email, family, given, "STU", "en"), now)


def speakers(db: Db, secret: bytes, forum: Forum, now: datetime) -> None:
    """Three speakers: one has accepted and is announced, one is asked, one has declined."""
    if _is_there(db, forum, Speaker, code="sample-scholar"):
        return
    for name, function, khmer, reply in (
        ("Specimen Scholar", "Sample scholar", "អ្នកសិក្សាគំរូ", Reply.ACCEPTED),
        ("Specimen Official", "Sample official", "មន្ត្រីគំរូ", None),
        ("Specimen Diplomat", "Sample diplomat", "អ្នកការទូតគំរូ", Reply.DECLINED),
    ):
        typed = {"name_en": name, "function_en": function, "function_km": khmer, "guest": "yes", "language": "en"}
        typed |= {"announced": "yes", "bio_en": "A plainly fictional speaker."} if reply is Reply.ACCEPTED else {}
        code = casting.add_speaker(db, BY, forum, parse(TypedSpeaker, typed), now=now)
        asking.ask(db, BY, forum, code, secret, now=now)
        themselves = Actor.speaker(speaker_of(db, forum_id(forum), code).id)
        if reply is not None:
            speaking.answer(db, themselves, forum, code, reply, "", now=now)


PARTS: tuple[Callable[[Db, bytes, Forum, datetime], None], ...] = (
    delegations,
    invitations,
    hold_backs,
    company,
    choices,
    twice,
    speakers,
)


def _set_up(part: Callable[..., None], secret: bytes, slug: str, now: datetime, db: Db) -> None:
    part(db, secret, forum_by_slug(db, slug), now)


def _is_there(db: Db, forum: Forum, model: Any, **values: Any) -> bool:
    rows = table(model)
    wanted = [rows.c.forum_id == forum_id(forum), *(rows.c[name] == value for name, value in values.items())]
    return db.execute(select(rows.c.id).where(*wanted).limit(1)).first() is not None


def _person(email: str, family: str, given: str, category: str, language: str) -> ApplicationInput:
    fields = {"family_name": family, "given_name": given, "email": email, "category": category}
    return parse(ApplicationInput, {**fields, "language": language, "consent": True})


def _enter(db: Db, secret: bytes, forum: Forum, sent: ApplicationInput, now: datetime) -> Asked:
    return entering.enter(db, BY, forum, sent, "", f"demo-{sent.email}", secret, now=now)
