"""Random sequences of deeds about delegations: a swap keeps its seat, no seat appears or is wasted (rules §3)."""

import shutil
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
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
from sqlalchemy import select

from app.accounts.actor import Actor
from app.audit.recording import first_broken
from app.editions.form import ForumFile
from app.kit.codes import public_code
from app.kit.db import Database, Db, table
from app.kit.errors import NotFound, Refused
from app.kit.inputs import parse
from app.kit.pen import Pen
from app.registration import nominating
from app.registration.applying import apply, cancel
from app.registration.arranging import put_terms
from app.registration.delegating import correct_delegation, resize, withdraw
from app.registration.delegation_inputs import DelegationInput, SeatsInput
from app.registration.models import Application, Delegation, Seat
from app.registration.settling import settle
from tests.breadth import SOAK
from tests.cast import NOW, SECRET, SLUG, holder, small_terms, somebody, the_forum
from tests.embassies import delegate, inviting, make_delegation
from tests.registration.test_seats_stateful import SEQUENCES

OPERATOR, VISITOR, CAPACITY = Actor.operator(), Actor.visitor(), 5


class Hall:
    """What stands in the database at one moment, read without the deeds' own code."""

    def __init__(self, db: Db) -> None:
        self.people = {row.id: row for row in db.execute(select(table(Application)))}
        self.parties = {row.id: row for row in db.execute(select(table(Delegation)))}
        self.seats = {row.id: row for row in db.execute(select(table(Seat)))}

    def of(self, party: int) -> list[Any]:
        return [seat for seat in self.seats.values() if seat.delegation_id == party]

    def waits(self) -> bool:
        return any(row.state == "waiting" for row in self.people.values())


class Deeds(RuleBasedStateMachine):
    """Everything a focal point, an organiser, the people and time may do to delegations in a hall of five seats."""

    source: Path
    folder: Path
    file: ForumFile
    parties = Bundle("parties")

    def __init__(self) -> None:
        super().__init__()
        self.database = Database(f"sqlite:///{shutil.copy(self.source, self.folder / f'{public_code(20)}.sqlite')}")
        self.pen, self.now, self.count = Pen(self.database), NOW, 0
        self.hall = self.database.read(Hall)

    def teardown(self) -> None:
        broken = self.database.read(lambda db: first_broken(db, SLUG))
        self.database.close()
        assert broken is None, "the chain of facts is broken"

    def do(self, deed: Any) -> Any:
        """Have the pen write what is due and then a deed, as a door does; None where it was refused."""
        self.pen.write_now(SLUG, lambda db: settle(db, the_forum(db), now=self.now))
        before = self.hall = self.database.read(Hall)
        try:
            answer = self.pen.write_now(SLUG, lambda db: deed(db, the_forum(db)))
        except (Refused, NotFound):
            assert self.database.read(Hall).seats == before.seats, "a refused deed changed a seat"
            return None
        finally:
            self.hall = self.database.read(Hall)
        return answer

    def party(self, code: str) -> Any:
        return next(row for row in self.hall.parties.values() if row.code == code)

    def members(self, code: str) -> list[Any]:
        """Those on the delegation's seats."""
        seats = self.hall.of(self.party(code).id)
        return [self.hall.people[seat.application_id] for seat in seats if seat.application_id is not None]

    def by(self, code: str) -> Actor:
        return Actor.focal_point(self.party(code).id)

    @initialize()
    def open_the_hall(self) -> None:
        terms, categories = small_terms(self.file, CAPACITY, STU=(1, None, "open"), ORG=(1, 4, "open"))
        terms = terms.model_copy(update={"opens_at": NOW - timedelta(days=1)})
        self.do(lambda db, forum: put_terms(db, OPERATOR, forum, terms, categories, now=self.now))

    @rule(target=parties, category=st.sampled_from(["STU", "ORG"]), seats=st.integers(1, 3), days=st.integers(4, 20))
    def invite(self, category: str, seats: int, days: int) -> Any:
        self.count += 1
        deadline, email = self.now + timedelta(days=days), f"focal{self.count}@embassy.example"
        before = len(self.hall.seats)
        row = self.do(
            lambda db, _: make_delegation(db, category, seats, now=self.now, deadline=deadline, focal_email=email)
        )
        if row is None:
            return multiple()
        assert len(self.hall.of(row.id)) == seats
        assert len(self.hall.seats) >= before
        return row.code

    @rule(code=parties, several=st.integers(1, 3), has_address=st.booleans(), heads=st.booleans())
    def name(self, code: str, several: int, has_address: bool, heads: bool) -> None:
        people = []
        for place in range(several):
            self.count += 1
            more = {} if has_address else {"email": ""}
            people.append(delegate(self.count, heads="yes" if heads and not place else "", **more))
        self.named(code, people, public_code(20))

    def named(self, code: str, people: list[Any], key: str) -> None:
        before = {seat.id for seat in self.hall.of(self.party(code).id)}
        deed = nominating.name
        for _ in range(2):  # a form sent twice
            self.do(lambda db, forum: deed(db, self.by(code), forum, code, people, key, SECRET, now=self.now))
        assert {seat.id for seat in self.hall.of(self.party(code).id)} <= before, "naming adds no seat"

    @rule(code=parties, which=st.integers(0, 5))
    def substitute(self, code: str, which: int) -> None:
        if not (members := self.members(code)):
            return
        old = members[which % len(members)]
        seat = next(one for one in self.hall.seats.values() if one.application_id == old.id)
        self.count += 1
        new, key = delegate(self.count), public_code(20)
        swap = nominating.substitute
        found = self.do(
            lambda db, forum: swap(db, self.by(code), forum, code, old.code, new, key, SECRET, now=self.now)
        )
        if found is None:
            assert self.party(code).ended_at is not None, "a swap is always possible but in a withdrawn delegation"
            return
        after = self.hall.seats[seat.id]
        assert (after.number, after.delegation_id) == (seat.number, seat.delegation_id)
        assert self.hall.people[after.application_id].code == found
        assert self.hall.people[old.id].state == "cancelled"

    @rule(code=parties, which=st.integers(0, 5), themselves=st.booleans())
    def withdraw_somebody(self, code: str, which: int, themselves: bool) -> None:
        if not (members := self.members(code)):
            return
        one = members[which % len(members)]
        if themselves:
            self.do(lambda db, forum: cancel(db, holder(one), forum, one.code, now=self.now))
        else:
            deed = nominating.withdraw_member
            self.do(lambda db, forum: deed(db, self.by(code), forum, code, one.code, now=self.now))

    @rule(code=parties, seats=st.integers(1, 3))
    def hand_back(self, code: str, seats: int) -> None:
        deed = nominating.hand_back
        self.do(lambda db, forum: deed(db, self.by(code), forum, code, seats, now=self.now))

    @rule(code=parties, seats=st.integers(1, 5))
    def resize(self, code: str, seats: int) -> None:
        sent = SeatsInput(seats=seats)
        if self.do(lambda db, forum: resize(db, OPERATOR, forum, code, sent, now=self.now)) is not None:
            assert len(self.hall.of(self.party(code).id)) == seats

    @rule(code=parties, people=st.booleans())
    def withdraw(self, code: str, people: bool) -> None:
        self.do(lambda db, forum: withdraw(db, OPERATOR, forum, code, people=people, now=self.now))

    @rule(code=parties, days=st.integers(1, 9))
    def set_another_deadline(self, code: str, days: int) -> None:
        row = self.party(code)
        sent = {name: value for name, value in inviting().items() if name in DelegationInput.model_fields}
        wanted = {**sent, "focal_email": row.focal_email, "deadline": self.now + timedelta(days=days)}
        read = parse(DelegationInput, wanted)
        deed = correct_delegation
        self.do(lambda db, forum: deed(db, OPERATOR, forum, code, read, row.edition, SECRET, now=self.now))

    @rule(code=parties)
    def put_another_in_charge(self, code: str) -> None:
        row = self.party(code)
        self.count += 1
        kept = {name: getattr(row, name) for name in DelegationInput.model_fields}
        read = parse(DelegationInput, {**kept, "focal_email": f"focal{self.count}@embassy.example"})
        deed = correct_delegation
        self.do(lambda db, forum: deed(db, OPERATOR, forum, code, read, row.edition, SECRET, now=self.now))

    @rule(category=st.sampled_from(["STU", "ORG"]), several=st.integers(2, 5))
    def people_apply(self, category: str, several: int) -> None:
        for _ in range(several):
            self.count += 1
            sent, key = somebody(self.count, category), public_code(20)
            self.do(lambda db, forum, s=sent, k=key: apply(db, VISITOR, forum, s, k, SECRET, now=self.now))

    @rule(days=st.integers(1, 5))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)
        self.do(lambda db, forum: settle(db, forum, now=self.now))

    @invariant()
    def seats_are_as_promised(self) -> None:
        assert len(self.hall.seats) <= CAPACITY
        for row in self.hall.parties.values():
            seats = self.hall.of(row.id)
            named = [seat for seat in seats if seat.application_id is not None]
            unnamed = [seat for seat in seats if seat.application_id is None]
            assert len(named) + len(unnamed) == len(seats) <= row.seats
            if row.released_at is not None or row.ended_at is not None:
                assert not unnamed, "released seats are no longer kept for nobody"
            for seat in named:
                person = self.hall.people[seat.application_id]
                assert (person.state, person.delegation_id) == ("seated", row.id)
            heads = [one for one in self.hall.people.values() if one.delegation_id == row.id and one.heads_delegation]
            assert len(heads) <= 1
            assert all(head.state == "seated" for head in heads)

    @invariant()
    def a_focal_point_speaks_for_whom_it_named(self) -> None:
        for person in self.hall.people.values():
            if person.assistant_name:
                focal = self.hall.parties[person.delegation_id].focal_email
                assert person.email_normal == focal
                assert person.ended_at or person.live_key.startswith(f"{focal}|")

    @invariant()
    def nobody_waits_who_could_be_seated(self) -> None:
        waiting = Counter(row.category_id for row in self.hall.people.values() if row.state == "waiting")
        if not waiting:
            return
        taken = Counter(seat.category_id for seat in self.hall.seats.values())
        quotas = self.database.read(self.quotas)
        for category in waiting:
            guarantee, limit = quotas[category]
            full = limit is not None and taken[category] >= limit
            promised = sum(max(taken[one], own) for one, (own, _) in quotas.items())
            could = len(self.hall.seats) < CAPACITY and (taken[category] < guarantee or promised < CAPACITY)
            assert full or not could, "a seat is wasted"

    @staticmethod
    def quotas(db: Db) -> dict[int, tuple[int, int | None]]:
        from app.registration.models import Category

        return {row.id: (row.guarantee, row.limit) for row in db.execute(select(table(Category)))}


def test_no_sequence_of_deeds_about_delegations_breaks_a_promise(
    loaded_file: Path, tmp_path: Path, forum_file: ForumFile
) -> None:
    Deeds.source, Deeds.folder, Deeds.file = loaded_file, tmp_path, forum_file
    run_state_machine_as_test(
        Deeds,
        settings=settings(
            max_examples=SEQUENCES, stateful_step_count=25, deadline=None, derandomize=not SOAK, print_blob=True
        ),
    )


def test_the_check_of_waste_can_fail(loaded_file: Path, tmp_path: Path, forum_file: ForumFile) -> None:
    Deeds.source, Deeds.folder, Deeds.file = loaded_file, tmp_path, forum_file
    machine = Deeds()
    machine.open_the_hall()
    machine.people_apply("STU", 1)
    values = {"state": "waiting"}
    people, seats = table(Application), table(Seat)

    def spoil(db: Db) -> None:
        db.execute(seats.delete())
        db.execute(people.update().values(**values))

    machine.pen.write_now(SLUG, spoil)
    machine.hall = machine.database.read(Hall)
    with pytest.raises(AssertionError, match="wasted"):
        machine.nobody_waits_who_could_be_seated()
    machine.database.close()
