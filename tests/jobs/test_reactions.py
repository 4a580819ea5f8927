"""What follows from publishing: lists move, and each person whose own sessions changed is written to once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.accounts.actor import Actor
from app.jobs import reactions
from app.jobs.crew import Crew
from app.jobs.duties import deliver
from app.jobs.reactions import REACTIONS, Reaction, react
from app.kit.db import Database, Db, table
from app.kit.i18n import Bilingual
from app.kit.pen import Pen
from app.mail.models import Message
from app.programme.models import Session
from app.programme.publishing import publish
from app.registration.applying import cancel
from app.registration.picking import put_picks
from app.registration.telling import TEMPLATE
from tests.cast import BOPHA, NOW, RITH, SLUG, VANNA, Figure, holder, make_application, the_forum
from tests.conftest import settings_for
from tests.jobs.conftest import Sink
from tests.jobs.test_deliver import text_of_mail

_messages, _sessions = table(Message), table(Session)
CHOSEN, OTHER, OPENING = "D1-07", "D1-08", "D1-02"
TITLE = Bilingual("Another title", "ចំណងជើងផ្សេង")


def settled(crew: Crew) -> None:
    """Nothing is left to react to."""
    until_idle(react, crew)


def until_idle(duty: Callable[[Crew], int], crew: Crew) -> None:
    """A duty is done again until it finds nothing to do, as the worker does it."""
    done = 1
    while done:
        done = duty(crew)


def joined(crew: Crew, *picks: str, figure: Figure = VANNA, **changes: Any) -> Any:
    """A figure with a seat who chose these sessions."""

    def deed(db: Db) -> Any:
        row = make_application(db, figure, **changes)
        put_picks(db, holder(row), the_forum(db), row.code, picks, 0, now=NOW)
        return row

    return crew.pen.write_now(SLUG, deed)


def new_version(crew: Crew, code: str, **columns: Any) -> int:
    """Publish the working copy with this session changed."""

    def deed(db: Db) -> int:
        db.execute(update(_sessions).where(_sessions.c.code == code).values(**columns))
        return publish(db, Actor.operator(), the_forum(db), now=NOW, reason="for the test")

    return crew.pen.write_now(SLUG, deed)


def told(crew: Crew, row: Any) -> list[str]:
    """The states of the messages about changes to this person."""
    mine = (_messages.c.subject == f"registration:{row.code}") & (_messages.c.template == TEMPLATE)
    wanted = select(_messages.c.state).where(mine).order_by(_messages.c.id)
    return crew.database.read(lambda db: list(db.execute(wanted).scalars()))


@pytest.fixture
def begun(crew: Crew) -> Crew:
    """A crew that has seen to everything there was."""
    settled(crew)
    return crew


def test_only_those_whose_own_sessions_changed_are_told_once_each(begun: Crew) -> None:
    mine, not_mine = joined(begun, CHOSEN), joined(begun, OTHER, figure=RITH, category="STU")
    new_version(begun, CHOSEN, title=TITLE)
    settled(begun)
    settled(begun)
    assert told(begun, mine) == ["queued"]
    assert told(begun, not_mine) == []


def test_the_message_says_what_changed_in_the_readers_language(begun: Crew, sink: Sink) -> None:
    joined(begun, CHOSEN)
    new_version(begun, CHOSEN, title=TITLE)
    settled(begun)
    until_idle(deliver, begun)
    text = text_of_mail(sink.mails[-1])
    assert "ចំណងជើងថ្មី" in text
    assert "ចំណងជើងផ្សេង" in text
    assert "/km/my/" in text


def test_two_versions_in_quick_succession_are_one_message(begun: Crew, sink: Sink) -> None:
    mine = joined(begun, CHOSEN)
    new_version(begun, CHOSEN, title=TITLE)
    settled(begun)
    new_version(begun, CHOSEN, room_id=None)
    settled(begun)
    assert told(begun, mine) == ["withheld", "queued"]
    until_idle(deliver, begun)
    text = text_of_mail(sink.mails[-1])
    assert "ចំណងជើងផ្សេង" in text
    assert "បន្ទប់" in text, "and the move of the second"
    assert told(begun, mine) == ["withheld", "sent"]


def test_what_was_taken_back_before_anybody_was_told_is_not_told(begun: Crew) -> None:
    mine = joined(begun, CHOSEN)
    new_version(begun, CHOSEN, cancelled=True)
    settled(begun)
    new_version(begun, CHOSEN, cancelled=False)
    settled(begun)
    assert told(begun, mine) == ["withheld"]


def test_a_plenary_that_moves_in_time_is_told_to_everybody_with_a_seat(begun: Crew) -> None:
    rows = [joined(begun), joined(begun, CHOSEN, figure=RITH, category="STU")]
    at = begun.database.read(lambda db: db.execute(select(_sessions).where(_sessions.c.code == OPENING)).one())
    moved = {"starts_at": at.starts_at + timedelta(minutes=5), "ends_at": at.ends_at + timedelta(minutes=5)}
    new_version(begun, OPENING, **moved)
    settled(begun)
    assert [told(begun, row) for row in rows] == [["queued"], ["queued"]]


def test_of_a_session_that_was_closed_meanwhile_nothing_leaves(begun: Crew, sink: Sink) -> None:
    mine = joined(begun, CHOSEN)
    new_version(begun, CHOSEN, title=TITLE)
    settled(begun)
    new_version(begun, CHOSEN, attribution="CLO")
    until_idle(deliver, begun)
    assert told(begun, mine) == ["withheld"]
    assert not any("ចំណងជើងផ្សេង" in text_of_mail(mail) for mail in sink.mails)
    settled(begun)
    assert "queued" not in told(begun, mine)


def test_who_gives_up_and_who_has_no_seat_are_not_told(begun: Crew) -> None:
    gone, asks = joined(begun, CHOSEN), joined(begun, figure=BOPHA)
    begun.pen.write_now(SLUG, lambda db: cancel(db, holder(gone), the_forum(db), gone.code, now=NOW))
    new_version(begun, CHOSEN, cancelled=True)
    settled(begun)
    assert told(begun, gone) == told(begun, asks) == []


def test_where_it_is_new_it_writes_to_nobody_about_the_past(crew: Crew) -> None:
    mine = joined(crew, CHOSEN)
    new_version(crew, CHOSEN, title=TITLE)
    settled(crew)
    assert told(crew, mine) == []


def test_many_people_are_written_to_in_pieces(begun: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reactions, "PIECE", 2)
    rows = [joined(begun, CHOSEN, email=f"p{number}@crowd.example") for number in range(5)]
    new_version(begun, CHOSEN, title=TITLE)
    settled(begun)
    assert [told(begun, row) for row in rows] == [["queued"]] * 5


def test_one_that_fails_holds_up_no_other_and_is_tried_again(
    begun: Crew, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("planted")

    mine = joined(begun, CHOSEN)
    broken = Reaction("move_lists", REACTIONS[0].kinds, None, fail)
    monkeypatch.setattr(reactions, "REACTIONS", (broken, *REACTIONS[1:]))
    new_version(begun, CHOSEN, title=TITLE)
    settled(begun)
    assert told(begun, mine) == ["queued"]
    assert "reaction move_lists failed" in caplog.text
    done: list[Any] = []
    mended = Reaction("move_lists", REACTIONS[0].kinds, None, lambda *what: done.append(what[2].kind))
    monkeypatch.setattr(reactions, "REACTIONS", (mended,))
    settled(begun)
    assert done == ["programme.published"]


def test_two_workers_do_it_once(either_database: Database) -> None:
    url = either_database.url.render_as_string(hide_password=False)
    databases = (either_database, Database(either_database.url.render_as_string(hide_password=False)))
    crews = [Crew(settings_for(url), one, Pen(one)) for one in databases]
    settled(crews[0])
    rows = [joined(crews[0], CHOSEN, email=f"p{number}@crowd.example") for number in range(3)]
    new_version(crews[0], CHOSEN, title=TITLE)
    with ThreadPoolExecutor(2) as both:
        list(both.map(settled, crews))
    assert [told(crews[0], row) for row in rows] == [["queued"]] * 3
    databases[1].close()


def test_each_reaction_has_a_name_of_its_own() -> None:
    assert len({one.name for one in REACTIONS}) == len(REACTIONS)
