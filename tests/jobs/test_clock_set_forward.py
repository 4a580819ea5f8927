"""A clock that jumps ahead, and is set right again: nothing more happens than in that time, and nothing is lost."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.signing_in import make_link, sign_in, user_of_login
from app.audit.recording import first_broken
from app.editions.form import ForumFile
from app.jobs.crew import Crew
from app.jobs.duties import deliver, settle
from app.kit.db import Db, table
from app.kit.errors import TooMany
from app.kit.throttling import count_visit, forget_visits
from app.mail.models import Message
from app.registration.applying import accept, application_of
from tests.cast import CHAN, NOW, SLUG, holder, make_user, the_forum
from tests.jobs.conftest import Sink
from tests.jobs.test_settle import one_seat, state, student

AHEAD = timedelta(days=10)
HOUR = 3600


def row_of(crew: Crew, row: Any) -> Any:
    return crew.database.read(lambda db: application_of(db, the_forum(db), row.code))


def mails_about(crew: Crew, row: Any) -> list[str]:
    rows = table(Message)
    wanted = select(rows.c.state).where(rows.c.subject == f"registration:{row.code}").order_by(rows.c.id)
    return crew.database.read(lambda db: list(db.execute(wanted).scalars()))


def test_what_was_due_expires_and_whoever_comes_next_has_all_of_their_hours(
    crew: Crew, sink: Sink, forum_file: ForumFile, clock: Any
) -> None:
    """Ten days would do for five offers one after the other: those who were told of none do not lose theirs."""
    one_seat(crew, forum_file, promotion="offer")
    first, second, third = (student(crew, number) for number in (1, 2, 3))
    deliver(crew)
    clock.at = NOW + AHEAD
    for _ in range(3):
        settle(crew)
        deliver(crew)
    assert [state(crew, row) for row in (first, second, third)] == ["expired", "offered", "waiting"]
    assert row_of(crew, second).offer_until == NOW + AHEAD + timedelta(hours=48)


def test_once_it_is_set_right_offers_places_in_the_queue_and_mail_of_the_time_ahead_are_there(
    crew: Crew, sink: Sink, forum_file: ForumFile, clock: Any
) -> None:
    one_seat(crew, forum_file, promotion="offer")
    _, second, third = (student(crew, number) for number in (1, 2, 3))
    deliver(crew)
    clock.at = NOW + AHEAD
    settle(crew)
    fourth = student(crew, 4)
    assert mails_about(crew, fourth) == ["queued"]
    clock.at = NOW + timedelta(hours=1)
    fifth = student(crew, 5)
    settle(crew)
    deliver(crew)
    assert mails_about(crew, fourth) == ["sent"], "written by a clock that was ahead, it does not wait for that time"
    assert mails_about(crew, second)[-1] == "sent"
    assert [state(crew, row) for row in (second, third, fourth, fifth)] == ["offered", "waiting", "waiting", "waiting"]

    def take(db: Db) -> bool:
        return accept(db, holder(second), the_forum(db), second.code, now=clock.at)

    assert crew.pen.write_now(SLUG, take)
    assert state(crew, second) == "seated"
    asked = [row_of(crew, row).asked_at for row in (third, fourth, fifth)]
    assert asked == sorted(asked), "whoever asked later stands behind, whatever the clock said"
    assert crew.database.read(lambda db: first_broken(db, SLUG)) is None


def test_a_throttle_lets_in_as_after_that_time_and_holds_again_for_a_window_at_most(db: Db) -> None:
    count_visit(db, "somebody", 1, HOUR, now=NOW)
    count_visit(db, "somebody", 1, HOUR, now=NOW + AHEAD)
    with pytest.raises(TooMany) as refused:
        count_visit(db, "somebody", 1, HOUR, now=NOW + timedelta(minutes=1))
    assert refused.value.values["seconds"] <= HOUR
    forget_visits(db, before=NOW + AHEAD - timedelta(seconds=HOUR))
    count_visit(db, "somebody", 1, HOUR, now=NOW + timedelta(minutes=2))


def test_a_sign_in_is_over_as_after_that_time_and_good_again_once_it_is_set_right(db: Db) -> None:
    chan = make_user(db, CHAN)
    login = sign_in(db, make_link(db, Actor.operator(), chan, now=NOW), now=NOW)
    assert user_of_login(db, login, now=NOW + timedelta(days=400)) is None
    known = user_of_login(db, login, now=NOW + timedelta(minutes=1))
    assert known is not None
    assert known.email == CHAN.email
