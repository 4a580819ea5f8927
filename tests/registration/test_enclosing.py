"""What is due to whom, on both databases: promised once, kept as sent, and due again where it did not leave."""

from typing import Any

from sqlalchemy import select

from app.accounts.actor import Actor
from app.editions.exporting import export
from app.editions.reading import read_forum_file
from app.forum.founding import put_forum
from app.kit.db import Database, Db, table
from app.kit.pen import Pen
from app.mail.models import Message
from app.mail.outbox import withhold
from app.registration import enclosing
from app.registration.applying import cancel, confirm
from app.registration.picking import change_places, put_picks
from app.registration.rules.enclosures import Method
from tests.cast import NOW, RITH, SLUG, VANNA, holder, make_application, the_forum

MINE = "D1-07"


def seated(db: Db, figure: Any = VANNA, **changes: Any) -> Any:
    """A figure with a seat for certain and one session, about whom no mail waits."""
    row, forum = make_application(db, figure, **changes), the_forum(db)
    put_picks(db, holder(row), forum, row.code, {MINE}, None, now=NOW)
    confirm(db, holder(row), forum, row.code, now=NOW)
    withhold(db, SLUG, f"registration:{row.code}")
    return row


def owed(db: Db, row: Any) -> list[Method]:
    found = enclosing.owed(db, the_forum(db), [row.id], now=NOW)
    return [one.entry.method for one in found.get(row.id, [])]


def promised(db: Db) -> list[Any]:
    messages = table(Message)
    return list(db.execute(select(messages).where(messages.c.template == enclosing.TEMPLATE)))


def test_what_is_due_is_promised_once_kept_as_sent_and_due_again_where_it_did_not_leave(
    either_database: Database,
) -> None:
    def deed(db: Db) -> None:
        forum, row, other = the_forum(db), seated(db), seated(db, RITH, category="STU")
        people = [row.id, other.id]
        assert enclosing.promise(db, forum, people, now=NOW) == 2
        assert enclosing.promise(db, forum, people, now=NOW) == 0, "both wait"
        assert {message.due_at for message in promised(db)} == {NOW + enclosing.QUIET}
        assert owed(db, row) == [Method.REQUEST, Method.REQUEST]
        rows = enclosing.enclose(db, forum, row.id, "<one@sala>", now=NOW)
        assert [each.method for each in rows] == ["REQUEST", "REQUEST"]
        assert enclosing.enclose(db, forum, row.id, "<one@sala>", now=NOW) == rows
        assert owed(db, row) == []
        assert owed(db, other) == [Method.REQUEST, Method.REQUEST], "each for themselves"
        enclosing.take_back(db, "<one@sala>")
        assert owed(db, row) == [Method.REQUEST, Method.REQUEST]

    Pen(either_database).write_now(SLUG, deed)


def test_whoever_registers_again_goes_on_where_the_address_was(db: Db) -> None:
    forum, first = the_forum(db), seated(db)
    enclosing.enclose(db, forum, first.id, "<one@sala>", now=NOW)
    cancel(db, Actor.participant(first.id), forum, first.code, now=NOW)
    again = seated(db)
    assert again.id != first.id
    assert owed(db, again) == owed(db, first) == [], "it stands in their calendar already"
    cancel(db, Actor.participant(again.id), forum, again.code, now=NOW)
    assert owed(db, again) == [Method.CANCEL, Method.CANCEL]


def test_a_place_one_waits_for_is_no_entry(db: Db) -> None:
    change_places(db, Actor.operator(), the_forum(db), MINE, 1, now=NOW)
    first, waits = seated(db), seated(db, RITH, category="STU")
    assert owed(db, first) == [Method.REQUEST, Method.REQUEST]
    assert owed(db, waits) == [Method.REQUEST]


def test_the_forums_own_entry_has_a_sequence_that_grows_with_its_days_title_and_place_alone(db: Db) -> None:
    file = read_forum_file(export(db, SLUG).encode()).forum
    before = the_forum(db).sequence
    steps = [{"about": file.summary}, {"title": file.summary}, {"venue": None}, {"starts_on": None, "ends_on": None}]
    seen = []
    for step in steps:
        file = file.model_copy(update=step)
        put_forum(db, Actor.operator(), file, now=NOW)
        seen.append(the_forum(db).sequence - before)
    assert seen == [0, 1, 2, 3]
