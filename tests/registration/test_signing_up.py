"""The last place of a session, asked for at the same instant (rules §1.9, §1.11); and any sequence of choices."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from app.accounts.actor import Actor
from app.audit.recording import first_broken
from app.editions.form import ForumFile
from app.kit.codes import public_code
from app.kit.db import Database, Db, table
from app.kit.errors import Refused
from app.kit.pen import Pen
from app.registration.applying import apply, cancel
from app.registration.arranging import put_terms
from app.registration.models import Application, Pick, SignUp
from app.registration.picking import change_places, put_picks
from app.registration.rules.states import HOLDS_SEAT, State
from tests.breadth import EXAMPLES
from tests.cast import NOW, SECRET, SLUG, holder, make_application, small_terms, somebody, the_forum

_picks, _applications = table(Pick), table(Application)
A, B, C = "D1-07", "D1-08", "D2-04"


def people(database: Database, count: int) -> list[Any]:
    def deed(db: Db) -> list[Any]:
        return [make_application(db, email=f"p{n}@crowd.example", key=f"k{n}") for n in range(count)]

    return Pen(database).write_now(SLUG, deed)


def test_two_people_ask_for_the_last_place_of_a_session_and_one_waits(either_database: Database) -> None:
    rows = people(either_database, 6)
    pen = Pen(either_database)
    pen.write_now(SLUG, lambda db: change_places(db, Actor.operator(), the_forum(db), A, 1, now=NOW))
    other = Pen(Database(either_database.url.render_as_string(hide_password=False)))
    pen.start(), other.start()

    def ask(number: int) -> bool:
        row, by = rows[number], (pen, other)[number % 2]
        deed: Callable[[Db], bool] = lambda db: put_picks(  # noqa: E731
            db, holder(row), the_forum(db), row.code, {A}, 0, now=NOW
        )
        return by.submit(SLUG, deed).result(60)

    with ThreadPoolExecutor(6) as together:
        assert list(together.map(ask, range(6))) == [True] * 6
    pen.stop(), other.stop()
    other.database.close()
    with either_database.reading() as db:
        states = db.execute(select(_picks.c.state, func.count()).group_by(_picks.c.state))
        assert {row[0]: row[1] for row in states} == {"seated": 1, "waiting": 5}
        assert first_broken(db, SLUG) is None


def test_the_database_itself_refuses_two_people_on_one_place_of_a_session(either_database: Database) -> None:
    rows = people(either_database, 2)

    def sit(db: Db, row: Any) -> None:
        values = {"application_id": row.id, "session_uid": "x@sala", "state": "seated", "number": 1}
        db.execute(insert(_picks).values(**values, admitted=False, asked_at=NOW))

    pen = Pen(either_database)
    pen.write_now(SLUG, lambda db: sit(db, rows[0]))
    with pytest.raises(IntegrityError):
        pen.write_now(SLUG, lambda db: sit(db, rows[1]))


class Choices(RuleBasedStateMachine):
    """People come, choose, give up and cancel; the room grows and shrinks."""

    source: Path
    folder: Path
    file: ForumFile

    def __init__(self) -> None:
        super().__init__()
        path = shutil.copy(self.source, self.folder / f"{public_code(20)}.sqlite")
        self.database = Database(f"sqlite:///{path}")
        self.pen = Pen(self.database)
        self.now, self.count = NOW, 0
        self.codes: list[str] = []
        self.seats_before: dict[str, int] = {}

    def teardown(self) -> None:
        broken = self.database.read(lambda db: first_broken(db, SLUG))
        self.database.close()
        assert broken is None

    def do(self, deed: Any) -> None:
        self.now += timedelta(minutes=1)
        try:
            self.pen.write_now(SLUG, deed)
        except Refused as refused:
            if refused.code != "ended":
                raise

    @initialize()
    def open_the_hall(self) -> None:
        terms, categories = small_terms(self.file, 3, STU=(0, None, "open"))
        opened = terms.model_copy(update={"opens_at": NOW - timedelta(days=1)})
        self.do(lambda db: put_terms(db, Actor.operator(), the_forum(db), opened, categories, now=self.now))
        for code in (A, B, C):
            self.do(lambda db, code=code: change_places(db, Actor.operator(), the_forum(db), code, 1, now=self.now))

    @rule()
    def somebody_comes(self) -> None:
        self.count += 1
        sent, key = somebody(self.count), f"key{self.count}"

        def deed(db: Db) -> None:
            self.codes.append(apply(db, Actor.visitor(), the_forum(db), sent, key, SECRET, now=self.now).code)

        self.do(deed)

    @rule(who=st.integers(0, 50), wanted=st.sets(st.sampled_from([A, B, C, "D1-13"])))
    def choose(self, who: int, wanted: set[str]) -> None:
        if self.codes:
            code = self.codes[who % len(self.codes)]
            by = holder(self.row(code))
            self.do(lambda db: put_picks(db, by, the_forum(db), code, wanted, None, now=self.now, forced=True))

    @rule(who=st.integers(0, 50))
    def cancel(self, who: int) -> None:
        if self.codes:
            code = self.codes[who % len(self.codes)]
            by = holder(self.row(code))
            self.do(lambda db: cancel(db, by, the_forum(db), code, now=self.now))

    @rule(session=st.sampled_from([A, B, C]), places=st.one_of(st.none(), st.integers(0, 3)))
    def change_the_room(self, session: str, places: int | None) -> None:
        self.do(lambda db: change_places(db, Actor.operator(), the_forum(db), session, places, now=self.now))

    def row(self, code: str) -> Any:
        return self.database.read(
            lambda db: db.execute(select(_applications).where(_applications.c.code == code)).one()
        )

    @invariant()
    def every_list_is_in_order(self) -> None:
        with self.database.reading() as db:
            places = {row.session_uid: row.places for row in db.execute(select(table(SignUp)))}
            joined = select(_picks, _applications.c.state.label("person")).join(
                _applications, _applications.c.id == _picks.c.application_id
            )
            rows = list(db.execute(joined))
        taken: dict[str, int] = {}
        for row in rows:
            assert State(row.person) not in {State.CANCELLED, State.EXPIRED}
            assert (row.state == "picked") == (row.session_uid not in places)
            assert row.state != "seated" or State(row.person) in HOLDS_SEAT
            taken[row.session_uid] = taken.get(row.session_uid, 0) + (row.state == "seated")
        for uid, count in taken.items():
            grew = count > self.seats_before.get(uid, 0)
            assert not grew or uid not in places or count <= places[uid], "more than there are"
            waiting = [row for row in rows if row.session_uid == uid and row.state == "waiting"]
            eligible = [row for row in waiting if State(row.person) in HOLDS_SEAT]
            assert not (eligible and uid in places and count < places[uid]), "a place is wasted"
        for row in rows:
            key = (row.session_uid, row.application_id)
            if row.state == "seated" and key not in self.seated:
                behind = [
                    each
                    for each in rows
                    if each.session_uid == row.session_uid
                    and each.state == "waiting"
                    and State(each.person) in HOLDS_SEAT
                ]
                assert all((row.asked_at, row.id) < (each.asked_at, each.id) for each in behind), "somebody was passed"
        self.seats_before = taken
        self.seated = {(row.session_uid, row.application_id) for row in rows if row.state == "seated"}

    seated: set[tuple[str, int]] = set()


def test_any_sequence_of_choices_keeps_the_rule_in_every_room(
    loaded_file: Path, tmp_path: Path, forum_file: ForumFile
) -> None:
    class Here(Choices):
        source, folder, file = loaded_file, tmp_path, forum_file

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=EXAMPLES or 10,
            stateful_step_count=25,
            derandomize=not EXAMPLES,
            phases=[Phase.explicit, Phase.generate],
        ),
    )
