"""Whatever is done in one commit with registrations in between ends as if each deed had stood in a commit of its own.

Random deeds of visitors, organisers, focal points and the worker, refused and failing ones too, are written twice: many
to a commit as a busy site writes them, where a registration takes over what the one before left, and one by one, where
each asks everything anew. Answers, registrations, seats, facts and mail have to be the same on both sides.
"""

import asyncio
import json
import re
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from sqlalchemy import insert, select

from app.accounts.actor import Actor
from app.audit.models import Fact
from app.audit.recording import first_broken
from app.calendars.recent import stand_of
from app.editions.form import ForumFile
from app.kit.absences import Sought
from app.kit.codes import digest
from app.kit.db import Db, table
from app.kit.errors import Invalid, Refused
from app.kit.inputs import parse
from app.kit.pen import SITE, Pen
from app.kit.throttling import count_visits, sought
from app.mail.models import Message
from app.registration import applying, replying, reviewing
from app.registration.accompanying import add
from app.registration.answering import Sent
from app.registration.applying import Asked, apply, cancel, confirm, feed_token, manage_token
from app.registration.arranging import put_terms
from app.registration.delegations import delegation_of
from app.registration.desk_queries import tallies
from app.registration.entering import enter
from app.registration.holding import keep_back
from app.registration.inputs import CategoryInput, CompanionInput, HoldBackInput, QuestionInput, TermsInput
from app.registration.invitation_inputs import CodeInput
from app.registration.inviting import make_code
from app.registration.models import Application, Category, Delegation, Invitation, Seat
from app.registration.overriding import seat_beyond
from app.registration.questioning import put_questions, retire_question, save_question
from app.registration.seating import start_hours
from app.registration.settling import forum_ahead, settle, settle_ahead
from app.registration.tallying import Counted
from app.web.site import Site
from tests import cluster
from tests.breadth import SOAK
from tests.cast import NOW, SECRET, SLUG, holder, small_terms, somebody, the_forum
from tests.conftest import opened, settings_for
from tests.embassies import delegate, make_delegation, name_some

STORMS = min(SOAK, 400) or 4
DEEDS, PEOPLE = 60, 25
OPERATOR = Actor.operator()
OPEN = ("STU", "ORG", "CSO")
_applications, _categories, _seats = table(Application), table(Category), table(Seat)
_facts, _messages = table(Fact), table(Message)
Deed = Callable[[Db], Any]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that somebody does at `now`: a deed about seats as the site has it written, or a plain one."""

    what: str
    now: datetime
    deed: Deed
    settled: bool = True
    counted: Deed | None = None
    quiet: bool = False
    scope: str = SLUG
    ahead: tuple[Sought, ...] = ()


def seeks(key: str, sent: Any) -> Sought:
    return applying.sought(1, key, sent)  # the forum is the first


def coded(db: Db, key: str) -> str:
    return str(db.execute(select(_applications.c.code).where(_applications.c.request_key == key)).scalar_one())


def row_of(db: Db, key: str) -> Any:
    return db.execute(select(_applications).where(_applications.c.request_key == key)).one()


@dataclass(slots=True)
class Storm:
    """What is done, drawn by chance; the same for the same number."""

    file: ForumFile
    number: int
    now: datetime = NOW
    count: int = 0
    keys: list[str] = field(default_factory=list)
    chance: Random = field(init=False)
    terms: TermsInput = field(init=False)
    categories: list[CategoryInput] = field(init=False)

    def __post_init__(self) -> None:
        self.chance = Random(self.number)
        quotas = {"STU": (2, 5, "open"), "ORG": (3, None, "open"), "CSO": (0, 3, "open"), "DIP": (2, None, "moderated")}
        terms, categories = small_terms(self.file, 9, **quotas, ACC=(0, 2, "invitation"))  # type: ignore[arg-type]
        categories[1] = categories[1].model_copy(
            update={"lapses_at": NOW + timedelta(seconds=self.chance.randint(1, 40))}
        )
        categories[3] = categories[3].model_copy(update={"hold_while_reviewing": self.chance.random() < 0.5})
        categories[4] = categories[4].model_copy(update={"in_hall": False})
        closes = NOW + timedelta(seconds=self.chance.choice([25, 9000, 9000]))
        promotion = self.chance.choice(["seat", "offer"])
        self.terms = terms.model_copy(update={"opens_at": NOW, "closes_at": closes, "promotion": promotion})
        self.categories = categories

    def begins(self, db: Db) -> None:
        forum = the_forum(db)
        put_terms(db, OPERATOR, forum, self.terms, self.categories, now=NOW)
        put_questions(db, OPERATOR, forum, [], now=NOW)
        make_delegation(db, "DIP", 2, deadline=NOW + timedelta(seconds=20))
        make_code(db, OPERATOR, forum, CodeInput(category="STU", uses=2, reserves=True, code="COMEALONG"), now=NOW)

    def steps(self) -> Iterator[list[Step]]:
        """Deeds by the commits in which they are written."""
        deeds = [self._step() for _ in range(DEEDS)]
        while deeds:
            many = self.chance.choice([1, 3, 12, 30])
            yield deeds[:many]
            deeds = deeds[many:]

    def _step(self) -> Step:
        self.count += 1
        self.now += timedelta(
            seconds=self.chance.choice([0, 0, 0, 0, 0, 0.5, 0.5, 1, 2, -1, self.chance.choice([3, 11])])
        )
        draws = [
            (self._registers, 14),
            (self._enters, 2),
            (self._uses_the_code, 2),
            (self._ends, 3),
            (self._reviews, 2),
        ]
        draws += [(self._mail_leaves, 2), (self._keeps_back, 1), (self._narrows, 1), (self._asks, 1), (self._fails, 2)]
        draws += [
            (self._goes_on, 1),
            (self._names, 1),
            (self._brings, 1),
            (self._beyond, 1),
            (self._looks, 1),
            (self._elsewhere, 1),
        ]
        makes, weights = zip(*draws, strict=True)
        (make,) = self.chance.choices(makes, weights)
        return make()

    def _who(self) -> tuple[Any, str]:
        """A person and the key of their form: often somebody new, at times the same again, or their form once more."""
        category = self.chance.choice((*OPEN, "DIP"))
        if self.keys and self.chance.random() < 0.1:
            return somebody(self.chance.randrange(PEOPLE), category), self.chance.choice(self.keys)
        number = self.chance.choice([self.chance.randrange(PEOPLE), 100 + self.count])
        changes = {}
        if self.chance.random() < 0.1:
            changes = {"assistant_name": "An Assistant", "email": "assistant@crowd.example"}
        key = f"storm{self.number}-{self.count}"
        self.keys.append(key)
        return somebody(number, category, **changes), key

    def _known(self) -> str:
        return self.chance.choice(self.keys) if self.keys else "nobody"

    def _registers(self) -> Step:
        (sent, key), now = self._who(), self.now
        fails = self.chance.random()
        why = Refused("no_place") if fails < 0.08 else ValueError("so") if fails < 0.12 else None
        answers = Sent() if self.chance.random() < 0.5 else None
        who = self.chance.choice(["this", "that"])

        def deed(db: Db) -> Asked:
            forum = forum_ahead(db, SLUG)
            asked = apply(db, Actor.visitor(), forum, sent, key, SECRET, now=now, answers=answers)
            if why is not None:
                raise why
            return asked

        def count(db: Db) -> None:
            count_visits(db, [(who, 12)], 3600, now=now)

        counted = count if self.chance.random() < 0.8 else None
        ahead = seeks(key, sent), sought(who)
        return Step(f"{key} registers", now, deed, counted=counted, quiet=True, ahead=ahead)

    def _enters(self) -> Step:
        (sent, key), now = self._who(), self.now
        return Step(
            f"{key} is entered", now, lambda db: enter(db, OPERATOR, the_forum(db), sent, "so", key, SECRET, now=now)
        )

    def _uses_the_code(self) -> Step:
        (sent, key), now = self._who(), self.now
        sent = sent.model_copy(update={"category": "STU"})

        def deed(db: Db) -> Any:
            code = db.execute(select(table(Invitation).c.id)).scalar_one()
            return replying.accept(db, forum_ahead(db, SLUG), code, sent, key, SECRET, now=now)

        return Step(f"{key} uses the code", now, deed, ahead=(seeks(key, sent),))

    def _ends(self) -> Step:
        key, now, end = self._known(), self.now, self.chance.choice([cancel, cancel, confirm])
        return Step(f"{key}: {end.__name__}", now, lambda db: end(db, OPERATOR, the_forum(db), coded(db, key), now=now))

    def _reviews(self) -> Step:
        key, now, verb = self._known(), self.now, self.chance.choice([reviewing.approve, reviewing.decline])
        return Step(
            f"{key}: {verb.__name__}", now, lambda db: verb(db, OPERATOR, the_forum(db), coded(db, key), now=now)
        )

    def _mail_leaves(self) -> Step:
        """Long ago, so that the hours of which it speaks are over in a moment."""
        key, now, soon = self._known(), self.now, timedelta(seconds=self.chance.choice([0, 1, 3, 8, 12]))
        template = self.chance.choice(["registration/seated", "registration/offered", "registration/promoted"])

        def deed(db: Db) -> None:
            start_hours(db, the_forum(db), coded(db, key), template, sent_at=now + soon - timedelta(hours=48))

        return Step(f"{key}: mail left", now, deed, settled=False)

    def _keeps_back(self) -> Step:
        now, until = self.now, self.now + timedelta(seconds=self.chance.choice([1, 5, 9, 30]))
        sent = HoldBackInput(category=self.chance.choice(OPEN), seats=1, purpose="so", release_at=until)
        return Step("a hold-back", now, lambda db: keep_back(db, OPERATOR, the_forum(db), sent, now=now) > 0)

    def _narrows(self) -> Step:
        now, which = self.now, self.chance.randrange(3)
        limit = self.chance.choice([None, 2, 4, 8])
        numbers = {"limit": limit, "guarantee": self.chance.randint(0, limit or 3)}
        categories = list(self.categories)
        categories[which] = categories[which].model_copy(update=numbers)
        terms = self.terms.model_copy(update={"capacity": self.chance.choice([8, 9, 11])})

        def deed(db: Db) -> bool:
            return put_terms(db, OPERATOR, the_forum(db), terms, categories, now=now, over_is_meant=True)

        return Step("other numbers", now, deed, settled=self.chance.random() < 0.5)

    def _asks(self) -> Step:
        now, code = self.now, f"q{self.count % 3}"
        words = {"en": "A word", "km": "ពាក្យ"}
        asked = {"code": code, "kind": "text", "label": words, "why": words, "required": self.chance.random() < 0.5}
        sent, retired = parse(QuestionInput, asked), self.chance.random() < 0.5

        def deed(db: Db) -> Any:
            if retired:
                return retire_question(db, OPERATOR, the_forum(db), code, retired=True, now=now)
            return save_question(db, OPERATOR, the_forum(db), sent, now=now)

        return Step(f"question {code}", now, deed, settled=False)

    def _fails(self) -> Step:
        """The database itself says no, after something was written."""
        (sent, key), now = self._who(), self.now

        def deed(db: Db) -> None:
            apply(db, Actor.visitor(), forum_ahead(db, SLUG), sent, key, SECRET, now=now)
            db.execute(insert(_seats).values(forum_id=1, number=999, category_id=1, kind="person", given_at=now))

        return Step(f"{key} fails", now, deed, quiet=True, ahead=(seeks(key, sent),))

    def _goes_on(self) -> Step:
        """One deed that registers somebody and then gives somebody else's seat up."""
        (sent, key), other, now = self._who(), self._known(), self.now

        def deed(db: Db) -> Any:
            asked = apply(db, Actor.visitor(), forum_ahead(db, SLUG), sent, key, SECRET, now=now)
            return asked.state, cancel(db, OPERATOR, the_forum(db), coded(db, other), now=now)

        return Step(f"{key} instead of {other}", now, deed, ahead=(seeks(key, sent),))

    def _names(self) -> Step:
        now, number = self.now, self.count

        def deed(db: Db) -> Any:
            row = delegation_of(db, the_forum(db), db.execute(select(table(Delegation).c.code)).scalar_one())
            return len(name_some(db, row, delegate(number), now=now, key=f"storm{self.number}-{number}-named"))

        return Step("a delegation names", now, deed)

    def _brings(self) -> Step:
        key, now = self._known(), self.now
        sent = parse(CompanionInput, {"category": "ACC", "family_name": f"Along{self.count}", "given_name": "An"})
        new = f"storm{self.number}-{self.count}-along"

        def deed(db: Db) -> Any:
            row = row_of(db, key)
            return add(db, holder(row), the_forum(db), row.code, sent, new, SECRET, now=now).state

        return Step(f"{key} brings somebody", now, deed)

    def _beyond(self) -> Step:
        key, now = self._known(), self.now
        return Step(
            f"{key} is seated beyond",
            now,
            lambda db: seat_beyond(db, OPERATOR, the_forum(db), coded(db, key), "so", now=now),
        )

    def _looks(self) -> Step:
        """Somebody whose deed was given back after what was due before it had been done; or the worker."""
        now, look = self.now, self.chance.choice([lambda db: settle_ahead(db, SLUG, now=now), self._worker(self.now)])
        return Step("what is due", now, look, settled=False)

    @staticmethod
    def _worker(now: datetime) -> Deed:
        def deed(db: Db) -> None:
            settle(db, the_forum(db), now=now)

        return deed

    def _elsewhere(self) -> Step:
        now = self.now
        return Step("elsewhere", now, lambda db: count_visits(db, [("x", 9)], 60, now=now), settled=False, scope=SITE)


def said(answer: Any) -> Any:
    """An answer, or a failure, without what differs from one database to the other."""
    if isinstance(answer, Asked):
        return answer.state, answer.same_request, answer.known
    if isinstance(answer, Invalid):
        return [(fault.field, fault.code) for fault in answer.faults]
    if isinstance(answer, Refused):
        return type(answer).__name__, answer.code
    return answer if isinstance(answer, bool | int | str | tuple | None) else type(answer).__name__


def state_of(db: Db) -> dict[str, Any]:
    """All that the deeds left, by the keys of the forms: codes, tokens and salts differ each time, and
    PostgreSQL gives the number of a hold-back that was refused to no other."""
    codes = {row.code: row.request_key for row in db.execute(select(_applications))}
    codes |= dict.fromkeys(db.execute(select(table(Delegation).c.code)).scalars(), "delegation")
    names = {row.id: row.code for row in db.execute(select(_categories))}
    keys = {row.id: row.request_key for row in db.execute(select(_applications))}

    def told(value: Any) -> str:
        text = json.dumps(value, sort_keys=True, default=str)
        for code, key in codes.items():
            text = text.replace(code, key)
        return text

    people = db.execute(select(_applications).order_by(_applications.c.id)).all()
    for row in people:
        assert row.manage_digest == digest(manage_token(SECRET, row.id, row.manage_generation))
        assert row.feed_digest == digest(feed_token(SECRET, row.id, row.feed_generation))
    kept = ("request_key", "state", "live_key", "asked_at", "confirmed_at", "confirm_by", "offer_until", "ended_at")
    seats = db.execute(select(_seats)).all()
    mails = db.execute(select(_messages).order_by(_messages.c.id)).all()
    facts = db.execute(select(_facts).where(_facts.c.scope == SLUG).order_by(_facts.c.number)).all()
    return {
        "people": [(names[row.category_id], *(str(getattr(row, name)) for name in kept)) for row in people],
        "seats": sorted(
            str((row.number, row.outside, names[row.category_id], row.kind, keys.get(row.application_id)))
            for row in seats
        ),
        "mails": [(row.template, row.to_address, told(row.subject), row.state) for row in mails],
        "facts": [
            (row.kind, re.sub(r"hold_back:\d+", "", told(row.subject)), told(row.before), told(row.after), str(row.at))
            for row in facts
        ],
        "broken": first_broken(db, SLUG),
    }


async def one_by_one(site: Site, steps: Iterable[Step]) -> list[Any]:
    answers, counted = [], Counted()

    def figures(db: Db) -> tuple[Any, Any]:
        forum = the_forum(db)
        return counted.of(db, OPERATOR, forum), tallies(db, OPERATOR, forum)

    for step in steps:
        before = site.database.read(calendars)
        answers.append(said(await _done(site, step)))
        after = site.database.read(calendars)
        assert before[1] == after[1] or before[0] != after[0], f"no fact tells that a calendar changed: {step.what}"
        shown, true = site.database.read(figures)
        assert shown == true, f"no fact tells that figures changed: {step.what}"
    return answers


def calendars(db: Db) -> tuple[Any, Any]:
    """What calendars are remembered by, and what those of the people hang on."""
    people = _applications.c
    told = (people.id, people.state, people.language, people.asked_at, people.ended_at, people.feed_digest)
    rows = select(*told, _seats.c.given_at).outerjoin(_seats, _seats.c.application_id == people.id).order_by(people.id)
    return stand_of(db).of(SLUG), db.execute(rows).all()


async def _done(site: Site, step: Step) -> Any:
    try:
        if not step.settled:
            return await site.pen.write(step.scope, step.deed)
        return await site.write_settled(
            SLUG, step.deed, now=step.now, counted=step.counted, quiet=step.quiet, ahead=step.ahead
        )
    except Exception as failure:  # noqa: BLE001 - whatever it is must be the same on both sides
        return failure


async def in_one_commit(site: Site, steps: Sequence[Step]) -> list[Any]:
    """All of them queued behind a deed that waits for them, so that the pen takes them together."""
    begun, gate = threading.Event(), threading.Event()

    def waits(_db: Db) -> None:
        begun.set()
        assert gate.wait(30)

    first = asyncio.wrap_future(site.pen.submit(SITE, waits))
    assert await asyncio.to_thread(begun.wait, 30)
    commits = site.pen.tally.commits
    queued = [asyncio.ensure_future(_done(site, step)) for step in steps]
    await asyncio.sleep(0)
    gate.set()
    await first
    answers = [said(await each) for each in queued]
    assert site.pen.tally.commits == commits + 2
    return answers


@contextmanager
def site_on(url: str, storm: Storm) -> Iterator[Site]:
    with opened(url) as database:
        pen = Pen(database)
        pen.write_now(SLUG, storm.begins)
        pen.start()
        yield Site(settings_for(url), database, pen, cast(Any, None))
        pen.stop()


def both(url: str, other: str, file: ForumFile, number: int, run: Callable[[Callable[[], Any]], Any]) -> dict[str, int]:
    storm = Storm(file, number)
    batches = list(storm.steps())
    with site_on(url, Storm(file, number)) as together, site_on(other, Storm(file, number)) as single:
        for batch in batches:
            answers = run(lambda batch=batch: in_one_commit(together, batch))
            alone = run(lambda batch=batch: one_by_one(single, batch))
            for step, mine, theirs in zip(batch, answers, alone, strict=True):
                assert mine == theirs, f"storm {number}: {step.what} at {step.now}"
        ends = [site.database.read(state_of) for site in (together, single)]
        for part in ends[0]:
            assert ends[0][part] == ends[1][part], f"storm {number}: {part}"
        assert ends[0]["broken"] is None
    kinds = [fact[0] for fact in ends[0]["facts"]]
    return {kind: kinds.count(kind) for kind in kinds}


def test_a_storm_in_few_commits_ends_as_one_deed_after_the_other(
    loaded_file: Path, tmp_path: Path, forum_file: ForumFile, in_loop: Callable[[Callable[[], Any]], Any]
) -> None:
    happened: set[str] = set()
    for number in range(STORMS):
        paths = [shutil.copy(loaded_file, tmp_path / f"{number}-{side}.sqlite") for side in ("many", "one")]
        urls = [f"sqlite:///{path}" for path in paths]
        happened |= both(urls[0], urls[1], forum_file, number, in_loop).keys()
        for path in paths:
            Path(path).unlink()
    assert happened >= {"seat.given", "seat.freed", "category.lapsed", "registration.expired", "hold_back.released"}
    assert happened >= {"registration.cancelled", "invitation.used", "question.added", "registration.companion"}


@pytest.mark.postgres
def test_and_so_on_postgresql(
    postgres_base: str,
    loaded_file: Path,
    tmp_path: Path,
    forum_file: ForumFile,
    in_loop: Callable[[Callable[[], Any]], Any],
) -> None:
    for number in range(1000, 1000 + (min(SOAK, 40) or 1)):
        path = shutil.copy(loaded_file, tmp_path / f"{number}.sqlite")
        with cluster.copy_of(postgres_base, f"storm_{number}") as url:
            both(url, f"sqlite:///{path}", forum_file, number, in_loop)
        Path(path).unlink()
