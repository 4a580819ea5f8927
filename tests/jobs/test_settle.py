"""What is due is done by the worker, and by every deed about seats before it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from app.accounts.actor import Actor
from app.editions.form import ForumFile
from app.editions.loading import load
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.jobs.crew import Crew
from app.jobs.duties import deliver, settle
from app.kit.codes import public_code
from app.kit.db import Db, table
from app.mail.models import Message
from app.programme.models import Session, Version
from app.programme.publishing import publish
from app.registration.applying import accept, application_of, apply
from app.registration.arranging import put_terms
from app.registration.models import Pick
from app.registration.picking import put_picks
from tests.cast import NOW, SECRET, SLUG, holder, make_application, request, small_terms, the_forum
from tests.jobs.conftest import Sink

_messages = table(Message)


def one_seat(crew: Crew, file: ForumFile, promotion: str = "seat", lapses_in_hours: int | None = None) -> None:
    """A hall with one seat for students; DIP may be guaranteed it until a lapse."""
    guarantee = 1 if lapses_in_hours else 0
    terms, categories = small_terms(file, 1, STU=(0, None, "open"), DIP=(guarantee, None, "moderated"))
    terms = terms.model_copy(
        update={
            "opens_at": NOW - timedelta(days=1),
            "closes_at": NOW + timedelta(days=60),
            "promotion": promotion,
        }
    )
    if lapses_in_hours:
        lapse = NOW + timedelta(hours=lapses_in_hours)
        categories[1] = categories[1].model_copy(update={"lapses_at": lapse})
    crew.pen.write_now(SLUG, lambda db: put_terms(db, Actor.operator(), the_forum(db), terms, categories, now=NOW))


def student(crew: Crew, number: int) -> Any:
    address = f"student{number}@university.example"
    return crew.pen.write_now(SLUG, lambda db: make_application(db, email=address))


def state(crew: Crew, row: Any) -> str:
    found: str = crew.database.read(lambda db: application_of(db, the_forum(db), row.code).state)
    return found


def templates(crew: Crew, row: Any) -> list[str]:
    wanted = select(_messages.c.template).where(_messages.c.subject == f"registration:{row.code}")
    return crew.database.read(lambda db: list(db.execute(wanted.order_by(_messages.c.id)).scalars()))


def test_a_seat_not_confirmed_in_time_goes_to_the_next_in_line(
    crew: Crew, sink: Sink, forum_file: ForumFile, clock: Any
) -> None:
    one_seat(crew, forum_file)
    first, second = student(crew, 1), student(crew, 2)
    deliver(crew)
    clock.move(hours=47)
    settle(crew)
    assert (state(crew, first), state(crew, second)) == ("seated", "waiting")
    clock.move(hours=1)
    settle(crew)
    assert (state(crew, first), state(crew, second)) == ("expired", "seated")
    assert templates(crew, second)[-1] == "registration/promoted"


def test_nothing_expires_while_no_mail_could_leave(
    crew_with: Callable[..., Crew], forum_file: ForumFile, clock: Any
) -> None:
    crew = crew_with()
    one_seat(crew, forum_file)
    row = student(crew, 1)
    deliver(crew)
    clock.move(days=30)
    settle(crew)
    assert state(crew, row) == "seated"


def test_one_reminder_is_sent_half_way(crew: Crew, sink: Sink, forum_file: ForumFile, clock: Any) -> None:
    one_seat(crew, forum_file)
    row = student(crew, 1)
    deliver(crew)
    for _ in range(3):
        clock.move(hours=12)
        settle(crew)
    assert templates(crew, row) == ["registration/seated", "registration/reminder"]
    deliver(crew)
    assert len(sink.mails) == 2


def test_a_lapsed_guarantee_opens_the_seat_to_those_who_wait(
    crew: Crew, sink: Sink, forum_file: ForumFile, clock: Any
) -> None:
    one_seat(crew, forum_file, lapses_in_hours=3)
    row = student(crew, 1)
    settle(crew)
    assert state(crew, row) == "waiting"
    clock.move(hours=3)
    settle(crew)
    assert state(crew, row) == "seated"


def test_an_offer_not_accepted_in_time_passes_on(crew: Crew, sink: Sink, forum_file: ForumFile, clock: Any) -> None:
    one_seat(crew, forum_file, promotion="offer")
    first, second, third = (student(crew, number) for number in (1, 2, 3))
    deliver(crew)
    clock.move(hours=48)
    settle(crew)
    assert [state(crew, row) for row in (first, second, third)] == ["expired", "offered", "waiting"]
    deliver(crew)
    clock.move(hours=48)
    settle(crew)
    assert [state(crew, row) for row in (second, third)] == ["expired", "offered"]

    def take(db: Db) -> bool:
        return accept(db, holder(third), the_forum(db), third.code, now=clock.at)

    assert crew.pen.write_now(SLUG, take)
    assert state(crew, third) == "seated"


def test_what_a_version_cancels_frees_its_places(crew_with: Callable[..., Crew]) -> None:
    crew = crew_with()
    row = crew.pen.write_now(SLUG, make_application)
    picks = table(Pick)

    def choose_and_publish(db: Db) -> None:
        put_picks(db, holder(row), the_forum(db), row.code, {"D1-07"}, 0, now=NOW)
        db.execute(update(table(Session)).where(table(Session).c.code == "D1-07").values(cancelled=True))
        publish(db, Actor.operator(), the_forum(db), now=NOW)

    crew.pen.write_now(SLUG, choose_and_publish)
    for _ in range(2):
        settle(crew)
        found = crew.database.read(lambda db: db.execute(select(picks.c.state, picks.c.number)).one())
        assert tuple(found) == ("picked", None)


def test_a_forum_in_which_it_fails_holds_up_no_other(crew: Crew, sink: Sink, forum_file: ForumFile, clock: Any) -> None:
    one_seat(crew, forum_file)
    first, second = student(crew, 1), student(crew, 2)
    deliver(crew)
    crew.pen.write_now("broken", lambda db: break_one_before_it(db, forum_file))
    clock.move(hours=49)
    with pytest.raises(KeyError):
        settle(crew)
    assert (state(crew, first), state(crew, second)) == ("expired", "seated")


def break_one_before_it(db: Db, file: ForumFile) -> None:
    """Another forum, looked at first, whose published programme nobody can read."""
    named = file.forum.model_copy(update={"slug": "broken", "featured": False})
    other = file.model_copy(update={"forum": named, "calendar": {}, "forum_calendar": None})
    load(db, Actor.operator(), other, now=NOW)
    forum, versions = the_forum(db, "broken"), table(Version)
    db.execute(update(versions).where(versions.c.forum_id == forum_id(forum)).values(document={}))
    asked = apply(db, Actor.visitor(), forum, request(), public_code(20), SECRET, now=NOW)
    chosen = {"application_id": application_of(db, forum, asked.code).id, "session_uid": "x", "state": "picked"}
    db.execute(insert(table(Pick)).values(**chosen, admitted=False, asked_at=NOW))
    assert db.execute(select(table(Forum).c.slug)).scalars().first() == "broken"
