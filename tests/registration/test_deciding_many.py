"""One thing done with many registrations: it does what was seen, stands for each alone, and can be taken back."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.kit.db import table
from app.kit.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from app.mail.models import Message
from app.registration import applying, deciding_many, erasing, foreseeing_many, picking, reviewing, tagging
from app.registration.deciding_many import begin, go_on, report, take_back
from app.registration.desk_filters import Further
from app.registration.desk_inputs import BulkInput, TagInput
from app.registration.desk_queries import Wanted
from app.registration.foreseeing_many import look_at
from app.registration.models import BulkItem
from tests.cast import NOW, SOKHA, VANNA, holder, make_actor
from tests.registration.hall import SmallHall

OPERATOR = Actor.operator()


def chosen(*rows: Any) -> Wanted:
    return Wanted(further=Further(codes=tuple(row.code for row in rows)))


def seen(hall: SmallHall, sent: BulkInput, *rows: Any) -> dict[str, str]:
    """What was expected of each, by code."""
    found = look_at(hall.db, OPERATOR, hall.forum, chosen(*rows), sent, now=NOW)
    return {line.row.code: line.outcome for line in found.lines}


def done(hall: SmallHall, sent: BulkInput, *rows: Any, by: Actor = OPERATOR) -> int:
    """Looked at, begun and done; its number."""
    wanted = chosen(*rows)
    mark = look_at(hall.db, by, hall.forum, wanted, sent, now=NOW).mark
    number = begin(hall.db, by, hall.forum, wanted, sent, mark=mark, now=NOW)
    while go_on(hall.db, by, hall.forum, number, now=NOW):
        pass
    return number


def gone_back(hall: SmallHall, number: int, *, now: Any = NOW) -> None:
    take_back(hall.db, OPERATOR, hall.forum, number)
    while go_on(hall.db, OPERATOR, hall.forum, number, now=now):
        pass


def outcomes(hall: SmallHall, number: int) -> dict[str, str]:
    return {row.code: row.outcome for row in report(hall.db, OPERATOR, hall.forum, number).items}


def backs(hall: SmallHall, number: int) -> dict[str, str]:
    return {row.code: row.back for row in report(hall.db, OPERATOR, hall.forum, number).items}


APPROVE = BulkInput(act="approve", note="As the committee decided")


def test_what_was_seen_is_what_is_done_in_the_order_of_standing(hall: SmallHall) -> None:
    hall.ask("STU")
    first = hall.ask("PTY", now=NOW)
    later = hall.ask("PTY", now=NOW + timedelta(minutes=5))
    expected = seen(hall, APPROVE, later, first)
    assert expected == {first.code: "seated", later.code: "waiting"}
    number = done(hall, APPROVE, later, first)
    assert outcomes(hall, number) == expected
    assert (hall.state(first), hall.state(later)) == ("seated", "waiting")
    assert hall.row(first.code).decision_note == APPROVE.note


def test_looking_says_what_stands_in_the_way_and_writes_nothing(hall: SmallHall) -> None:
    for _ in range(2):
        hall.ask("STU")
    waits, held = hall.ask("PTY"), hall.ask("STU")
    found = look_at(hall.db, OPERATOR, hall.forum, chosen(waits, held), APPROVE, now=NOW)
    told = {line.row.code: (line.outcome, line.why) for line in found.lines}
    assert told == {waits.code: ("waiting", "hall"), held.code: ("step_not_possible", "")}
    assert (found.possible, found.mails) == (1, 1)
    assert (hall.state(waits), hall.state(held)) == ("awaiting", "waiting")


def test_a_seat_held_while_reviewing_is_not_counted_twice(hall: SmallHall) -> None:
    held, other = hall.ask("DIP"), hall.ask("PTY")
    expected = seen(hall, APPROVE, held, other)
    assert set(expected.values()) == {"seated"}
    assert outcomes(hall, done(hall, APPROVE, held, other)) == expected


def test_what_has_changed_since_it_was_seen_is_not_done(hall: SmallHall) -> None:
    row, wanted = hall.ask("PTY"), Wanted(standing="awaiting")
    mark = look_at(hall.db, OPERATOR, hall.forum, wanted, APPROVE, now=NOW).mark
    hall.ask("PTY")
    with pytest.raises(Conflict, match="bulk_changed"):
        begin(hall.db, OPERATOR, hall.forum, wanted, APPROVE, mark=mark, now=NOW)
    assert hall.state(row) == "awaiting"


def test_it_goes_on_in_pieces_and_each_is_done_once(hall: SmallHall) -> None:
    rows = [hall.ask("PTY") for _ in range(5)]
    decline = BulkInput(act="decline")
    wanted = chosen(*rows)
    mark = look_at(hall.db, OPERATOR, hall.forum, wanted, decline, now=NOW).mark
    number = begin(hall.db, OPERATOR, hall.forum, wanted, decline, mark=mark, now=NOW)
    left = [go_on(hall.db, OPERATOR, hall.forum, number, now=NOW, most=2) for _ in range(4)]
    assert left == [3, 1, 0, 0]
    assert [hall.facts(row).count("registration.declined") for row in rows] == [1] * 5


def test_one_that_was_decided_meanwhile_is_left_alone_and_said(hall: SmallHall) -> None:
    first, second, decline = hall.ask("PTY"), hall.ask("PTY"), BulkInput(act="decline")
    wanted = chosen(first, second)
    mark = look_at(hall.db, OPERATOR, hall.forum, wanted, decline, now=NOW).mark
    number = begin(hall.db, OPERATOR, hall.forum, wanted, decline, mark=mark, now=NOW)
    applying.cancel(hall.db, holder(first), hall.forum, first.code, now=NOW)
    go_on(hall.db, OPERATOR, hall.forum, number, now=NOW)
    assert outcomes(hall, number) == {first.code: "step_not_possible", second.code: "declined"}


def test_approvals_are_taken_back_before_anybody_is_told(hall: SmallHall) -> None:
    given, held, waits = hall.ask("PTY"), hall.ask("DIP"), hall.ask("PTY", now=NOW + timedelta(minutes=1))
    number = done(hall, APPROVE, given, held, waits)
    assert [hall.state(row) for row in (given, held, waits)] == ["seated", "seated", "waiting"]
    gone_back(hall, number)
    assert set(backs(hall, number).values()) == {"done"}
    assert [hall.state(row) for row in (given, held, waits)] == ["awaiting"] * 3
    assert (hall.seat(given), hall.seat(waits)) == (None, None)
    assert hall.seat(held).kind == "hold"
    assert [mail for row in (given, held, waits) for mail in hall.mails(row) if "approved" in mail] == []
    assert hall.row(given.code).decision_note == ""
    with pytest.raises(Refused, match="taken_back_already"):
        take_back(hall.db, OPERATOR, hall.forum, number)


def test_the_mails_of_approvals_wait_until_it_is_too_late(hall: SmallHall) -> None:
    row, messages = hall.ask("PTY"), table(Message)
    number = done(hall, APPROVE, row)
    approved = messages.c.template == "registration/approved"
    due = select(messages.c.due_at).where(messages.c.subject == f"registration:{row.code}", approved)
    assert hall.db.execute(due).scalar_one() == NOW + deciding_many.MAILS_WAIT
    hall.db.execute(update(messages).where(approved).values(state="sent", attempts=1))
    assert report(hall.db, OPERATOR, hall.forum, number).stays == {row.id: "mail_left"}
    gone_back(hall, number)
    assert (backs(hall, number), hall.state(row)) == ({row.code: "mail_left"}, "seated")


def test_whoever_has_done_something_since_keeps_what_was_given(hall: SmallHall) -> None:
    acted, still = hall.ask("PTY"), hall.ask("PTY")
    number = done(hall, APPROVE, acted, still)
    applying.confirm(hall.db, holder(acted), hall.forum, acted.code, now=NOW)
    gone_back(hall, number)
    assert backs(hall, number) == {acted.code: "touched", still.code: "done"}
    assert (hall.state(acted), hall.state(still)) == ("seated", "awaiting")


def test_a_seat_that_is_taken_back_goes_to_the_next_who_waits(hall: SmallHall) -> None:
    row, other = hall.ask("PTY"), hall.ask("STU")
    number = done(hall, APPROVE, row)
    waits = hall.ask("STU")
    assert (hall.state(other), hall.state(waits)) == ("seated", "waiting")
    gone_back(hall, number)
    assert (hall.state(row), hall.state(waits)) == ("awaiting", "seated")


def test_whoever_has_chosen_sessions_stays(hall: SmallHall) -> None:
    row = hall.ask("PTY")
    picking.put_picks(hall.db, holder(row), hall.forum, row.code, {"D1-07"}, None, now=NOW)
    number = done(hall, APPROVE, row)
    gone_back(hall, number)
    assert (backs(hall, number), hall.state(row)) == ({row.code: "has_sessions"}, "seated")


@pytest.mark.parametrize("act", ["decline", "cancel"])
def test_what_ended_cannot_be_taken_back(hall: SmallHall, act: Any) -> None:
    row = hall.ask("PTY")
    number = done(hall, BulkInput(act=act), row)
    assert report(hall.db, OPERATOR, hall.forum, number).can_go_back == frozenset()
    with pytest.raises(Refused, match="not_reversible"):
        take_back(hall.db, OPERATOR, hall.forum, number)


def test_a_move_is_foreseen_and_taken_back(hall: SmallHall) -> None:
    one, there = hall.ask("STU"), hall.ask("ORG")
    move = BulkInput(act="move", to="ORG")
    assert seen(hall, move, one, there) == {one.code: "no_seat_there", there.code: "same_category"}
    number = done(hall, BulkInput(act="move", to="PTY"), one, there)
    assert outcomes(hall, number) == {one.code: "moved", there.code: "moved"}
    gone_back(hall, number)
    assert [hall.row(row.code).category_id for row in (one, there)] == [one.category_id, there.category_id]


def test_tags_are_put_on_and_taken_back_for_just_those_that_got_them(hall: SmallHall) -> None:
    tag = tagging.put_tag(hall.db, OPERATOR, hall.forum, TagInput(name="Front", letter="F", tone="red"), now=NOW)
    had, new = hall.ask(), hall.ask()
    tagging.mark(hall.db, OPERATOR, hall.forum, had.code, tag, on=True, now=NOW)
    sent = BulkInput(act="tag", with_tag=tag)
    assert seen(hall, sent, had, new) == {had.code: "as_it_is", new.code: "tagged"}
    number = done(hall, sent, had, new)
    assert set(tagging.tagged(hall.db, [had.id, new.id])) == {had.id, new.id}
    gone_back(hall, number)
    assert set(tagging.tagged(hall.db, [had.id, new.id])) == {had.id}


@pytest.mark.parametrize(
    ("sent", "refused"),
    [
        (BulkInput(act="move"), Invalid),
        (BulkInput(act="move", to="ZZ"), Invalid),
        (BulkInput(act="tag"), Invalid),
        (BulkInput(act="tag", with_tag=99), NotFound),
    ],
)
def test_what_is_missing_is_said(hall: SmallHall, sent: BulkInput, refused: type[Exception]) -> None:
    with pytest.raises(refused):
        seen(hall, sent, hall.ask())


def test_nobody_and_too_many_are_refused(hall: SmallHall, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="nobody_chosen"):
        seen(hall, APPROVE)
    monkeypatch.setattr(foreseeing_many, "MOST", 1)
    with pytest.raises(Refused, match="too_many_chosen"):
        seen(hall, APPROVE, hall.ask(), hall.ask())
    with pytest.raises(Refused, match="bulk_nothing"):
        done(hall, APPROVE, hall.ask())


def test_only_those_who_decide_may_and_only_as_long_as_they_may(hall: SmallHall) -> None:
    row = hall.ask("PTY")
    viewer = make_actor(hall.db, VANNA, Role.PROTOCOL_OFFICER)
    with pytest.raises(Forbidden):
        look_at(hall.db, viewer, hall.forum, chosen(row), APPROVE, now=NOW)
    registrar = make_actor(hall.db, SOKHA, Role.REGISTRAR)
    wanted = chosen(row)
    mark = look_at(hall.db, registrar, hall.forum, wanted, APPROVE, now=NOW).mark
    number = begin(hall.db, registrar, hall.forum, wanted, APPROVE, mark=mark, now=NOW)
    with pytest.raises(Forbidden):
        go_on(hall.db, viewer, hall.forum, number, now=NOW)
    deciding_many.stop(hall.db, Actor.worker(), hall.forum, number, now=NOW)
    assert go_on(hall.db, registrar, hall.forum, number, now=NOW) == 0
    assert hall.state(row) == "awaiting"


def test_the_note_is_kept_in_each_history_alone(hall: SmallHall) -> None:
    row = hall.ask("PTY")
    number = done(hall, APPROVE, row)
    assert deciding_many.bulk_of(hall.db, hall.forum, number).note == ""
    erasing.erase(hall.db, holder(row), hall.forum, row.code, now=NOW)
    assert hall.db.execute(select(table(BulkItem).c.bulk_id)).all() == []
    assert report(hall.db, OPERATOR, hall.forum, number).items == []


def test_a_single_decision_sends_its_mail_at_once(hall: SmallHall) -> None:
    row, messages = hall.ask("PTY"), table(Message)
    reviewing.approve(hall.db, OPERATOR, hall.forum, row.code, now=NOW)
    due = select(messages.c.due_at).where(messages.c.template == "registration/approved")
    assert hall.db.execute(due).scalar_one() == NOW


def test_as_many_queries_to_look_at_one_as_at_three(hall: SmallHall, queries: Any) -> None:
    one = hall.ask("PTY")
    with queries() as few:
        seen(hall, APPROVE, one)
    rows = [hall.ask("PTY") for _ in range(2)]
    with queries() as more:
        seen(hall, APPROVE, one, *rows)
    number = done(hall, APPROVE, one, *rows)
    with queries() as reading:
        report(hall.db, OPERATOR, hall.forum, number)
    assert len(few) == len(more) == 6
    assert len(reading) == 4
