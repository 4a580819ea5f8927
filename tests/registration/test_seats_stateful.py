"""Random sequences of deeds on a real database: after each, every promise about seats holds (rules §1)."""

import shutil
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from app.accounts.actor import Actor
from app.audit.models import Fact
from app.audit.recording import first_broken
from app.editions.form import ForumFile
from app.kit.codes import public_code
from app.kit.db import Database, Db, table
from app.kit.errors import NotFound, Refused
from app.kit.pen import SITE, Pen
from app.mail.outbox import Claimed, claim, mark_sent
from app.registration.applying import accept, apply, cancel, confirm, turn_down
from app.registration.arranging import put_terms
from app.registration.erasing import erase
from app.registration.holding import change_release, give_held, keep_back, release
from app.registration.inputs import CategoryInput, HoldBackInput, PriorityInput, TermsInput
from app.registration.merging import merge
from app.registration.models import Application, Category, HoldBack, Place, Seat, Terms
from app.registration.overriding import seat_beyond, set_priority
from app.registration.reviewing import approve, decline, move
from app.registration.seating import start_hours
from app.registration.settling import settle
from app.registration.simulating import Simulation, simulate
from tests.breadth import SOAK
from tests.cast import NOW, SECRET, SLUG, holder, small_terms, somebody, the_forum

OPERATOR = Actor.operator()
KINDS = ["STU", "ORG", "DIP", "PTY", "THK"]
CATEGORIES = st.sampled_from(KINDS)
SEATED, WAITING, AWAITING, OFFERED = "seated", "waiting", "awaiting", "offered"
ENDED = {"cancelled", "declined", "expired"}
SEQUENCES = SOAK or 12
"""The same ones in every run of the suite; `make soak` looks for new ones."""


class Hall:
    """What stands in the database at one moment, read without the rules' own code."""

    def __init__(self, db: Db) -> None:
        self.applications = {row.id: row for row in db.execute(select(table(Application)))}
        self.categories = {row.id: row for row in db.execute(select(table(Category)).where(_small()))}
        self.terms: Any = db.execute(select(table(Terms))).one()
        self.places = list(db.execute(select(table(Place))))
        self.seats = list(db.execute(select(table(Seat)).where(~table(Seat).c.outside)))
        self.badges = list(db.execute(select(table(Seat)).where(table(Seat).c.outside)))
        self.hold_backs = {row.id: row for row in db.execute(select(table(HoldBack)))}
        self.facts = db.execute(select(func.max(table(Fact).c.id))).scalar_one()
        self.every = [*self.seats, *self.badges]
        self.taken = Counter(seat.category_id for seat in self.every)
        self.seat_of = {seat.application_id: seat for seat in self.every if seat.application_id is not None}

    def waiting(self, category: int) -> list[Any]:
        """Those who wait in a category, best standing first."""
        rows = [row for row in self.applications.values() if row.state == WAITING and row.category_id == category]
        return sorted(rows, key=_standing)

    def could_give(self, category: int, now: datetime) -> bool:
        """May one more seat be given: the sentence of rules §1, written out."""
        if not self.categories[category].in_hall:
            return self.taken[category] < self.categories[category].limit
        kept = {
            row.id: 0 if row.lapses_at and row.lapses_at <= now else row.guarantee
            for row in self.categories.values()
            if row.in_hall
        }
        own, limit, capacity = self.taken[category], self.categories[category].limit, self.terms.capacity
        if (limit is not None and own >= limit) or len(self.seats) >= capacity:
            return False
        return own < kept[category] or sum(max(self.taken[k], g) for k, g in kept.items()) < capacity


def _small() -> Any:
    return table(Category).c.code.in_(KINDS)


def _standing(row: Any) -> tuple[int, datetime, int]:
    return (-row.priority, row.asked_at, row.id)


class Deeds(RuleBasedStateMachine):
    """Everything that people, organisers, the worker and time may do to a small hall."""

    source: Path
    folder: Path
    file: ForumFile
    promotion: str
    people = Bundle("people")
    held = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        path = shutil.copy(self.source, self.folder / f"{public_code(20)}.sqlite")
        self.database = Database(f"sqlite:///{path}")
        self.pen = Pen(self.database)
        self.now = NOW
        self.count = 0
        self.emails: dict[str, int] = {}
        self.refusal = ""
        self.hall = self.database.read(Hall)

    def teardown(self) -> None:
        broken = self.database.read(lambda db: first_broken(db, SLUG))
        self.database.close()
        assert broken is None, "the chain of facts is broken"

    # ---- doing a deed, and what must hold across it

    def do(self, deed: Any, *, beyond: bool = False, aside: str = "") -> Any:
        """Have the pen write a deed; a refusal leaves everything as it was.

        `beyond` may go over a limit, for a reason (rules §1.7); `aside` is the person it seats beside the queue.
        """
        before, self.refusal = self.hall, ""
        try:
            answer = self.pen.write_now(SLUG, deed)
        except (Refused, NotFound) as refused:
            self.refusal = refused.code or "not_found"
            assert self.database.read(Hall).facts == before.facts, "a refused deed wrote something"
            return None
        after = self.hall = self.database.read(Hall)
        self.nothing_was_given_beyond_the_rule(before, after, beyond)
        self.nobody_was_passed_over(before, after, aside)
        self.nobody_waits_who_could_be_seated(after)
        return answer

    def nothing_was_given_beyond_the_rule(self, before: Hall, after: Hall, beyond: bool) -> None:
        if len(after.seats) > len(before.seats):
            assert len(after.seats) <= after.terms.capacity
        for category in after.categories.values():
            grew = after.taken[category.id] > before.taken[category.id]
            assert beyond or not (grew and category.limit is not None and after.taken[category.id] > category.limit)
        stayed = {row.id for row in after.applications.values() if row.state in {SEATED, OFFERED}}
        had = {row.id for row in before.applications.values() if row.state in {SEATED, OFFERED}}
        gone = {after.applications[number].state for number in had - stayed}
        assert gone <= ENDED, "somebody who held a seat lost it and is still there"

    def nobody_was_passed_over(self, before: Hall, after: Hall, aside: str) -> None:
        """No envy: whoever was seated now stands better than everybody who still waits in the category.

        A deed settles first what is due. Whom that seated need not stand better than somebody whom the deed itself
        brought into the queue afterwards (approved or moved a moment too late), so those are left out then.
        """
        queued = {row.id: row.category_id for row in before.applications.values() if row.state == WAITING}
        late = self.due(before)
        given = {seat.id: seat.application_id for seat in before.seats}
        moved = {
            number
            for number in after.seat_of.keys() & before.seat_of.keys()
            if after.seat_of[number].category_id != before.seat_of[number].category_id
        }
        # a seat that went along in a merge was given before, and whoever holds one is never reordered
        along = {
            seat.application_id for seat in after.seats if seat.id in given and given[seat.id] != seat.application_id
        }
        for number in ((after.seat_of.keys() - before.seat_of.keys()) | moved) - along:
            new = after.applications[number]
            if new.code == aside:
                continue
            for row in after.waiting(new.category_id):
                assert _standing(new) < _standing(row) or (late and queued.get(row.id) != row.category_id)

    def nobody_waits_who_could_be_seated(self, hall: Hall) -> None:
        for category in hall.categories:
            assert not (hall.waiting(category) and hall.could_give(category, self.now)), "a seat is wasted"

    # ---- the rules of the machine

    @initialize(lapses=st.booleans())
    def open_the_hall(self, lapses: bool) -> None:
        terms, categories = small_terms(
            self.file,
            4,
            STU=(1, 3, "open"),
            ORG=(1, None, "open"),
            DIP=(1, None, "moderated"),
            PTY=(0, 2, "moderated"),
            THK=(0, 1, "open"),
        )
        categories[4] = categories[4].model_copy(update={"in_hall": False})
        if lapses:
            categories[2] = categories[2].model_copy(update={"lapses_at": NOW + timedelta(hours=72)})
        categories[2] = categories[2].model_copy(update={"hold_while_reviewing": True})
        self.terms = terms.model_copy(update={"promotion": self.promotion, "opens_at": NOW - timedelta(days=1)})
        self.small = categories
        self.do(lambda db: put_terms(db, OPERATOR, the_forum(db), self.terms, categories, now=self.now))

    @rule(target=people, categories=st.lists(CATEGORIES, min_size=1, max_size=5))
    def apply(self, categories: list[str]) -> Any:
        asked = [self.one_applies(category) for category in categories]
        return multiple(*(code for code in asked if code is not None))

    def one_applies(self, category: str) -> str | None:
        self.count += 1
        number, key = self.count, public_code(20)
        sent = somebody(number, category)
        hall = self.hall
        due = self.due(hall)
        asked = self.do(lambda db: apply(db, Actor.visitor(), the_forum(db), sent, key, SECRET, now=self.now))
        if asked is None:
            assert self.refusal == "unknown_category"
            return None
        where = next(row for row in hall.categories.values() if row.code == category)
        if where.mode == "open" and not due:
            # a category below its guarantee is never refused, nor is anybody where the rule has a seat to give
            assert (asked.state == SEATED) == hall.could_give(where.id, self.now)
        self.emails[asked.code] = number
        code: str = asked.code
        return code

    def due(self, hall: Hall) -> bool:
        """Is something due that the next deed settles first?"""
        ends = [at for row in hall.applications.values() for at in (row.confirm_by, row.offer_until) if at]
        ends += [row.release_at for row in hall.hold_backs.values() if row.release_at and not row.released_at]
        ends += [row.lapses_at for row in hall.categories.values() if row.lapses_at and not row.lapse_settled]
        return any(at <= self.now for at in ends)

    @rule(code=people)
    def send_the_same_form_again(self, code: str) -> None:
        row = self.row(code)
        sent = somebody(self.emails[code], "STU")
        again = self.do(
            lambda db: apply(db, Actor.visitor(), the_forum(db), sent, row.request_key, SECRET, now=self.now)
        )
        if row.erased_at is not None:
            assert self.refusal == "form_sent_already", "nobody is known any more by what they sent"
            return
        assert (again.code, again.same_request) == (code, True)

    @rule(target=people, code=people)
    def apply_again(self, code: str) -> Any:
        sent = somebody(self.emails[code], "STU")
        key = public_code(20)
        asked = self.do(lambda db: apply(db, Actor.visitor(), the_forum(db), sent, key, SECRET, now=self.now))
        if asked is None:
            return multiple()
        row = self.row(code)
        assert asked.known or row.state in ENDED
        if asked.known:
            return multiple()
        self.emails[asked.code] = self.emails[code]
        return asked.code

    def row(self, code: str) -> Any:
        return next(row for row in self.hall.applications.values() if row.code == code)

    @rule(code=people)
    def confirm(self, code: str) -> None:
        by = holder(self.row(code))
        self.do(lambda db: confirm(db, by, the_forum(db), code, now=self.now))

    @rule(code=people)
    def accept(self, code: str) -> None:
        by = holder(self.row(code))
        self.do(lambda db: accept(db, by, the_forum(db), code, now=self.now))

    @rule(code=people)
    def turn_down(self, code: str) -> None:
        by = holder(self.row(code))
        self.do(lambda db: turn_down(db, by, the_forum(db), code, now=self.now))

    @rule(code=people, priority=st.integers(0, 2))
    def set_priority(self, code: str, priority: int) -> None:
        sent = PriorityInput(priority=priority, reason="so")
        self.do(lambda db: set_priority(db, OPERATOR, the_forum(db), code, sent, now=self.now))

    @rule(code=people)
    def seat_beyond(self, code: str) -> None:
        hall, row, due = self.hall, self.row(code), self.due(self.hall)
        done = self.do(
            lambda db: seat_beyond(db, OPERATOR, the_forum(db), code, "so", now=self.now), beyond=True, aside=code
        )
        if not due and row.state == WAITING:
            # beyond a limit and a guarantee, never beyond the capacity
            full = hall.categories[row.category_id].in_hall and len(hall.seats) >= hall.terms.capacity
            assert (done is None) == full

    @rule(
        target=held,
        category=CATEGORIES,
        seats=st.integers(1, 2),
        hours=st.none() | st.integers(1, 60),
        reason=st.sampled_from(["", "so"]),
    )
    def keep_back(self, category: str, seats: int, hours: int | None, reason: str) -> Any:
        until = hours and self.now + timedelta(hours=hours)
        sent = HoldBackInput(category=category, seats=seats, purpose="protocol", release_at=until, reason=reason)
        number = self.do(lambda db: keep_back(db, OPERATOR, the_forum(db), sent, now=self.now), beyond=bool(reason))
        return multiple() if number is None else number

    @rule(number=held)
    def release(self, number: int) -> None:
        self.do(lambda db: release(db, OPERATOR, the_forum(db), number, now=self.now))

    @rule(number=held, hours=st.none() | st.integers(1, 60))
    def change_the_release(self, number: int, hours: int | None) -> None:
        until = hours and self.now + timedelta(hours=hours)
        self.do(lambda db: change_release(db, OPERATOR, the_forum(db), number, until, now=self.now))

    @rule(number=held, code=people)
    def give_a_held_back_seat(self, number: int, code: str) -> None:
        before, due = len(self.hall.every), self.due(self.hall)
        self.do(lambda db: give_held(db, OPERATOR, the_forum(db), number, code, now=self.now), aside=code)
        if not self.refusal and not due:
            assert len(self.hall.every) <= before, "naming a person adds no seat"

    @rule(code=people)
    def cancel(self, code: str) -> None:
        by = holder(self.row(code))
        self.do(lambda db: cancel(db, by, the_forum(db), code, now=self.now))

    @rule(code=people)
    def erase(self, code: str) -> None:
        """The seat goes on as at any other end; nothing that names the person stays in the row."""
        by, before = holder(self.row(code)), self.row(code)
        joined = {row.code for row in self.hall.applications.values() if row.merged_into_id == before.id}
        done = self.do(lambda db: erase(db, by, the_forum(db), code, now=self.now))
        assert done == (before.erased_at is None)
        for row in (self.row(one) for one in {code, *joined}):
            assert row.state in ENDED
            assert (row.email, row.family_name, row.live_key) == ("", "", None)
            assert row.id not in self.hall.seat_of

    @rule(code=people)
    def approve(self, code: str) -> None:
        self.do(lambda db: approve(db, OPERATOR, the_forum(db), code, now=self.now))

    @rule(code=people)
    def decline(self, code: str) -> None:
        self.do(lambda db: decline(db, OPERATOR, the_forum(db), code, now=self.now))

    @rule(code=people, category=CATEGORIES)
    def move(self, code: str, category: str) -> None:
        self.do(lambda db: move(db, OPERATOR, the_forum(db), code, category, now=self.now))

    @rule(keep=people, drop=people)
    def merge(self, keep: str, drop: str) -> None:
        """Two become one; nothing is known here of which stands better: the promises must hold either way."""
        if keep == drop:
            return
        editions = self.row(keep).edition, self.row(drop).edition
        self.do(lambda db: merge(db, OPERATOR, the_forum(db), keep, drop, editions, now=self.now))
        if not self.refusal:
            assert self.row(drop).merged_into_id == self.row(keep).id
            assert self.row(drop).id not in self.hall.seat_of

    @rule(hours=st.integers(1, 50))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def mail_leaves(self) -> None:
        """The worker hands every queued message over, which starts the hours it speaks of."""
        for message in self.pen.write_now(SITE, lambda db: claim(db, now=self.now, most=1000)):
            code = message.subject.partition(":")[2]

            def sent(db: Db, message: Claimed = message, code: str = code) -> None:
                assert mark_sent(db, message, now=self.now)
                start_hours(db, the_forum(db), code, message.template, sent_at=self.now)

            self.pen.write_now(SLUG, sent)
        self.hall = self.database.read(Hall)

    @rule()
    def the_worker_looks(self) -> None:
        self.do(lambda db: settle(db, the_forum(db), now=self.now))

    @rule(by=st.sampled_from([-2, -1, 1, 2]), over_is_meant=st.booleans())
    def change_the_capacity(self, by: int, over_is_meant: bool) -> None:
        capacity = max(0, self.hall.terms.capacity + by)
        self.change_terms(self.terms.model_copy(update={"capacity": capacity}), self.small, over_is_meant)

    @rule(
        number=st.integers(0, 3),
        guarantee=st.integers(0, 3),
        limit=st.one_of(st.none(), st.integers(0, 5)),
        over_is_meant=st.booleans(),
    )
    def change_a_category(self, number: int, guarantee: int, limit: int | None, over_is_meant: bool) -> None:
        wanted = list(self.small)
        wanted[number] = wanted[number].model_copy(update={"guarantee": guarantee, "limit": limit})
        self.change_terms(self.terms, wanted, over_is_meant)

    @rule(limit=st.integers(0, 3), over_is_meant=st.booleans())
    def change_the_badges(self, limit: int, over_is_meant: bool) -> None:
        wanted = [*self.small[:4], self.small[4].model_copy(update={"limit": limit})]
        self.change_terms(self.terms, wanted, over_is_meant)

    def change_terms(self, terms: TermsInput, categories: list[CategoryInput], over_is_meant: bool) -> None:
        seen = self.tried(terms, categories)
        self.do(
            lambda db: put_terms(
                db, OPERATOR, the_forum(db), terms, categories, now=self.now, over_is_meant=over_is_meant
            )
        )
        if not self.refusal:
            self.it_came_as_the_trial_said(seen)
            self.terms, self.small = terms, categories

    def tried(self, terms: TermsInput, categories: list[CategoryInput]) -> Simulation | None:
        """What the desk's trial says of these numbers beforehand; None where they contradict each other."""
        try:
            return self.database.read(lambda db: simulate(db, OPERATOR, the_forum(db), terms, categories, now=self.now))
        except Refused:
            return None

    def it_came_as_the_trial_said(self, seen: Simulation | None) -> None:
        assert seen is not None
        codes = {row.id: row.code for row in self.hall.categories.values()}
        taken = Counter({codes[number]: seats for number, seats in self.hall.taken.items()})
        assert {one.code: one.taken + one.given for one in seen.categories} == {code: taken[code] for code in KINDS}
        waiting = {row.id for row in self.hall.applications.values() if row.state == WAITING}
        assert set(seen.waiting) == waiting

    # ---- what holds at every moment

    @invariant()
    def the_hall_is_in_order(self) -> None:
        hall = self.hall
        if not hall.applications and not hall.hold_backs:
            return
        self.each_person_has_what_the_state_says(hall)
        stay = [place for place in hall.places if not place.retiring]
        assert len(stay) == hall.terms.capacity
        taken = {seat.number for seat in hall.seats}
        assert len(taken) == len(hall.seats), "two seats on one place"
        assert len(hall.places) == max(hall.terms.capacity, len(taken)), "a place beyond the capacity is free"
        assert all(place.number in taken for place in hall.places if place.retiring)

    def each_person_has_what_the_state_says(self, hall: Hall) -> None:
        live = [row.live_key for row in hall.applications.values() if row.state not in ENDED]
        assert len(set(live)) == len(live)
        for row in hall.applications.values():
            seat = hall.seat_of.get(row.id)
            assert (row.live_key is None) == (row.state in ENDED) == (row.ended_at is not None)
            if row.state in {SEATED, OFFERED}:
                assert seat is not None
                assert seat.kind == "person"
            elif row.state == AWAITING:
                assert seat is None or seat.kind == "hold"
            else:
                assert seat is None
            assert seat is None or seat.category_id == row.category_id
        for seat in hall.every:
            if seat.application_id is None:
                kept = hall.hold_backs[seat.hold_back_id]
                assert (seat.kind, kept.released_at, seat.category_id) == ("hold_back", None, kept.category_id)


@pytest.mark.parametrize("way", ["seat", "offer"])
def test_any_sequence_of_deeds_keeps_every_promise_about_seats(
    way: str, loaded_file: Path, tmp_path: Path, forum_file: ForumFile
):
    """Once where a promotion seats and once where it makes an offer."""

    class Here(Deeds):
        source, folder, file, promotion = loaded_file, tmp_path, forum_file, way

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=30,
            derandomize=not SOAK,
            phases=[Phase.explicit, Phase.generate],
        ),
    )
