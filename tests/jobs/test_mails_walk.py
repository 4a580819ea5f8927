"""The walk through the mails: every kind of mail, to every kind of reader, says nothing of a session they may not know.

Sessions of every rule are published and chosen, changed by a new version and closed meanwhile; mails are queued by the
deeds that queue them, and read as they arrive.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select, update

from app.accounts.actor import Actor
from app.accounts.models import User
from app.correspondence import mailing
from app.correspondence.contents import contents
from app.correspondence.mailing import PLACEHOLDERS, MailingInput
from app.correspondence.mailing_queries import NOTICE
from app.correspondence.rules.segments import Audience
from app.editions.form import ForumFile
from app.forum.queries import forum_id
from app.jobs import letters
from app.jobs.crew import Crew
from app.jobs.duties import deliver, settle
from app.jobs.reactions import react
from app.kit import clock
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.kit.i18n import Bilingual, catalogue
from app.kit.inputs import parse
from app.kit.pen import SITE
from app.mail.models import Message
from app.mail.outbox import Claimed
from app.programme.asking_queries import speaker_of
from app.programme.editing import cancel, change, create
from app.programme.inputs import AppearanceInput, SessionInput
from app.programme.models import Session
from app.programme.publishing import publish
from app.programme.queries import published
from app.registration import inviting, picking
from app.registration.applying import application_of
from app.registration.delegations import delegation_of
from tests.cast import NOW, SLUG, the_forum
from tests.doors import Doors, Standing, furnish, open_doors
from tests.jobs.conftest import Sink, free_port
from tests.jobs.test_reactions import until_idle
from tests.web.test_walk import CODES as WALKED
from tests.web.test_walk import DRAFT, RULES, traces

CODES = {**WALKED, "Turned": "WT-01"}
"""What is closed later has a series of its own: no code is missed in it."""
SPOKEN = "Chr"
"""In which a speaker is, who was asked and is in no other."""
CHOSEN = ("Rec", "Chr", "Gone", "Turned")
"""What somebody may choose who was admitted to nothing."""


@dataclass(frozen=True, slots=True)
class Post:
    """What arrived: each mail as its reader sees it, by their address; and the templates that left."""

    texts: dict[str, list[str]]
    templates: set[str]
    crew: Crew
    stranger: Standing
    waited: Standing
    admitted: Standing
    delegation: str
    invitation: str
    speaker: str
    user: str
    uids: list[str]
    before: int


@contextmanager
def server() -> Iterator[Sink]:
    kept, port = Sink(), free_port()
    controller = Controller(kept, hostname="127.0.0.1", port=port, enable_SMTPUTF8=True)
    controller.start()
    kept.url = f"smtp://127.0.0.1:{port}"
    yield kept
    controller.stop()


def walked(kind: str, part: str, **changes: Any) -> SessionInput:
    """A session of this kind with words of its own, in a place and time of its own."""
    at = datetime(2027, 3, 24, 1, tzinfo=UTC) + timedelta(minutes=5 * list(RULES).index(kind))
    words = Bilingual(f"Walk{kind}{part}", f"ពាក្យ Walk{kind}{part}")
    sent = {"code": CODES[kind], "type": "panel", "title": words, "abstract": words, "attribution": RULES[kind]}
    times = {"starts_at": at, "ends_at": at + timedelta(minutes=60), "overlap_intended": True}
    return SessionInput(**{**sent, **times, **changes})


def plant(db: Db, speaker: str) -> int:
    """Everything published, what will be closed still on the record, with this speaker in one; the version's number."""
    forum, by = the_forum(db), Actor.operator()
    for kind in RULES:
        rule = "REC" if kind == "Turned" else RULES[kind]
        people = (AppearanceInput(speaker=speaker, role="speaker"),) if kind == SPOKEN else ()
        sent = walked(kind, "Title", attribution=rule, people=people)
        create(db, by, forum, sent, now=NOW, reason="For the walk")
    return publish(db, by, forum, now=NOW, reason="For the walk")


def turn(db: Db, speaker: str) -> None:
    """A version in which all of them have other words and times, two are cancelled, and one is closed; then a draft."""
    forum, by = the_forum(db), Actor.operator()
    for kind in RULES:
        people = (AppearanceInput(speaker=speaker, role="speaker"),) if kind == SPOKEN else ()
        sent = walked(kind, "Anew", people=people)
        assert sent.ends_at is not None
        later = sent.model_copy(update={"ends_at": sent.ends_at + timedelta(minutes=5)})
        change(db, by, forum, CODES[kind], later, edition=1, now=NOW, reason="For the walk")
        if kind in {"Gone", "Shut"}:
            cancel(db, by, forum, CODES[kind], edition=2, now=NOW)
    publish(db, by, forum, now=NOW, reason="For the walk")
    sessions = table(Session)
    drafted = {"title": Bilingual(DRAFT, DRAFT), "abstract": Bilingual(DRAFT, DRAFT)}
    db.execute(update(sessions).where(sessions.c.code.in_(["D1-02", CODES["Rec"]])).values(**drafted))


def choose(doors: Doors, one: Standing, codes: set[str]) -> None:
    by = Actor.participant(one.id)
    doors.write(
        SLUG,
        lambda db: picking.put_picks(db, by, the_forum(db), one.code, codes, None, now=NOW, forced=True),
    )


def places(doors: Doors, number: int) -> None:
    """So many places in what is on the record and in what will be closed."""
    for kind in ("Rec", "Turned"):
        doors.write(
            SLUG,
            lambda db, code=CODES[kind]: picking.change_places(
                db, Actor.operator(), the_forum(db), code, number, now=NOW
            ),
        )


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Post]:
    folder = tmp_path_factory.mktemp("mails")
    with (
        clock.reading(lambda: NOW),
        server() as sink,
        open_doors(loaded_file, folder, forum_file, SMTP_URL=sink.url, THROTTLE_PER_EMAIL="0") as doors,
    ):
        crew = Crew(doors.site.settings, doors.site.database, doors.site.pen)
        shown = furnish(doors)
        until_idle(react, crew)
        speaker = shown.speakers["asked"].code
        before = doors.write(SLUG, lambda db: plant(db, speaker))
        stranger, waited, admitted = (doors.confirmed(email=f"{name}@walk.example") for name in NAMES)
        places(doors, 1)
        for one in (stranger, waited):
            choose(doors, one, {CODES[kind] for kind in CHOSEN})
        for kind in ("Rec", "Closed"):
            doors.write(SLUG, lambda db, code=CODES[kind]: admit(db, admitted, code))
        until_idle(react, crew)
        places(doors, 3)
        doors.write(SLUG, lambda db: turn(db, speaker))
        until_idle(deliver, crew)  # what was on its way while a session was closed
        until_idle(react, crew)
        settle(crew)
        with clock.reading(lambda: NOW + timedelta(days=40)):
            settle(crew)
            until_idle(deliver, crew)
        until_idle(deliver, crew)
        wanted = select(table(Message).c.template).where(table(Message).c.state == "sent")
        templates = doors.site.database.read(lambda db: set(db.execute(wanted).scalars()))
        texts: dict[str, list[str]] = {}
        for mail in sink.mails:
            parts = [str(part.get_content()) for part in mail.walk() if part.get_content_maintype() == "text"]
            texts.setdefault(str(mail["to"]), []).append("\n".join([str(mail["subject"]), *parts]))
        user, uids = doors.site.database.read(lambda db: (the_user(db), uids_of(db)))
        abouts = (f"delegation:{shown.delegations['open'].code}", f"invitation:{shown.invitations['open'].code}")
        abouts += (f"speaker:{speaker}", user)
        yield Post(texts, templates, crew, stranger, waited, admitted, *abouts, uids, before)


def the_user(db: Db) -> str:
    return f"user:{db.execute(select(table(User).c.id)).scalars().first()}"


def uids_of(db: Db) -> list[str]:
    there = published(db, forum_id(the_forum(db))).sessions
    return [one.uid for one in there if one.code in CODES.values()]


NAMES = ("stranger", "waited", "admitted")


def admit(db: Db, one: Standing, code: str) -> None:
    picking.pick(db, Actor.operator(), the_forum(db), one.code, code, now=NOW, forced=True)


def to(post: Post, name: str) -> str:
    return "\n".join(text for reader, texts in post.texts.items() if f"{name}@" in reader for text in texts).casefold()


def test_the_mails_that_tell_of_sessions_are_among_those_that_left(post: Post) -> None:
    told = {"registration/picked_up", "registration/programme_changed", "registration/seated", "delegation/named"}
    assert told | {"invitation/sent", "registration/cancelled", "registration/promoted"} <= post.templates


KINDS = sorted({".".join(key.split(".")[1:3]) for key in catalogue("en") if re.fullmatch(r"mail(\.\w+){3}", key)})
OF_MEMBERS = {"delegation.named", "delegation.substituted"}
"""What a delegation's members get, not its focal point."""
GIVEN = {"hours": 48, "until": "Monday", "other": "ABCDEFG", "institution": "An embassy", "common": []}
"""Values that one mail or another is queued with."""


@pytest.mark.parametrize("lang", ["en", "km"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_of_mail_tells_somebody_more_than_they_may_know(post: Post, kind: str, lang: str) -> None:
    subjects = {"accounts": [post.user], "delegation": [post.delegation], "invitation": [post.invitation]}
    subjects["speaker"] = [post.speaker]
    readers = {f"registration:{one.code}": one.id for one in (post.stranger, post.waited, post.admitted)}
    for subject in subjects.get(kind.partition(".")[0], list(readers)) if kind not in OF_MEMBERS else readers:
        said = rendered(post, kind.replace(".", "/"), subject, lang)
        kinds = ("Shut", "Turned") if subject.endswith(post.admitted.code) else ("Closed", "Shut", "Turned")
        assert traces(said, kinds) == []
        assert CODES["Turned"] not in said
        if kind == "registration.programme_changed":
            assert ("walkclosedanew" in said.casefold()) == subject.endswith(post.admitted.code)
        if subject == post.speaker:
            assert f"walk{SPOKEN}anew".casefold() in said.casefold()


ADDRESSES: dict[str, Any] = {
    "registration": lambda db, code: application_of(db, the_forum(db), code).email,
    "delegation": lambda db, code: delegation_of(db, the_forum(db), code).focal_email,
    "invitation": lambda db, code: inviting.invitation_of(db, the_forum(db), code).email,
    "speaker": lambda db, code: speaker_of(db, forum_id(the_forum(db)), code).email,
}


def rendered(post: Post, template: str, subject: str, lang: str, **more: Any) -> str:
    """A mail of this kind as it would leave now; "" where it has nothing left to say."""
    values: dict[str, Any] = {**GIVEN, "uids": post.uids, "since": post.before, "to": post.before + 1, **more}

    def look_up(db: Db) -> str:
        kind, _, code = subject.partition(":")
        to = ADDRESSES[kind](db, code) if kind in ADDRESSES else "somebody@walk.example"
        message = Claimed(
            1, "<walk@example>", SLUG, template, lang, to, "Somebody", subject, values, 1, 0, repeated=False
        )
        try:
            found = contents(db, message, post.crew.settings, now=NOW)
        except NotFound:
            return ""
        left = letters.letter(message, found, post.crew.settings)
        return "\n".join((left.subject, left.text, left.html))

    return str(post.crew.pen.write_now(SITE, look_up))


@pytest.mark.parametrize("lang", ["en", "km"])
@pytest.mark.parametrize("audience", list(PLACEHOLDERS), ids=str)
def test_no_placeholder_of_a_mailing_tells_somebody_more_than_they_may_know(
    post: Post, audience: Audience, lang: str
) -> None:
    everything = " ".join(f"{{{name}}}" for name in PLACEHOLDERS[audience])
    words = {f"{part}_{each}": everything for part in ("subject", "text") for each in ("en", "km")}
    sent = parse(MailingInput, {"name": "Walk", "audience": audience.value, "essential": True, **words})
    by = Actor.operator()
    number = post.crew.pen.write_now(SLUG, lambda db: mailing.save(db, by, the_forum(db), None, sent, 0, now=NOW))
    people = [f"registration:{one.code}" for one in (post.stranger, post.waited, post.admitted)]
    subjects = {Audience.SPEAKERS: [post.speaker], Audience.FOCAL_POINTS: [post.delegation]}
    for subject in subjects.get(audience, people):
        said = rendered(post, NOTICE, subject, lang, mailing=number)
        assert said
        assert "{" not in said.partition("<!doctype")[0]
        assert traces(said, ("Closed", "Shut", "Turned")) == []


def test_nobody_reads_of_a_session_they_may_not_know(post: Post) -> None:
    for reader, texts in post.texts.items():
        for text in texts:
            kinds = ("Shut", "Turned") if "admitted@" in reader else ("Closed", "Shut", "Turned")
            assert (reader, traces(text, kinds)) == (reader, [])
            assert CODES["Turned"] not in text


def test_everybody_reads_of_what_is_theirs(post: Post) -> None:
    for name in ("stranger", "waited"):
        assert [kind for kind in ("Rec", "Chr", "Gone") if f"walk{kind}".casefold() not in to(post, name)] == []
    assert "walkclosedanew" in to(post, "admitted")
