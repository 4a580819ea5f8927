from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from app.kit.db import Database, Db
from app.kit.pen import SITE, Pen
from app.mail.outbox import (
    Claimed,
    about,
    batch_counts,
    claim,
    counts,
    mark_failed,
    mark_sent,
    mark_withheld,
    outbox,
    put_off,
    queue_mail,
    withhold,
    withhold_batch,
)
from app.mail.rules import CLAIM_LASTS
from tests.cast import NOW, SLUG

SUBJECT = "registration:K3TP9QA"
LATER = NOW + timedelta(hours=1)


def queue(db: Db, template: str = "registration/seated", **options: Any) -> None:
    to = ("vanna@university.example", "Sok Vanna")
    queue_mail(db, SLUG, template, "km", to, SUBJECT, now=NOW, **options)


def states(db: Db) -> list[str]:
    return [message.state for message in about(db, SLUG, SUBJECT)]


def test_a_queued_message_waits_for_the_worker(db: Db):
    queue(db, values={"hours": 48})
    (message,) = about(db, SLUG, SUBJECT)
    assert (message.state, message.attempts, message.due_at) == ("queued", 0, NOW)
    assert message.message_id.startswith("<")
    assert message.trace is None, "no traces are sent"


def test_a_claim_gives_a_message_to_one_worker_alone(db: Db):
    queue(db, values={"hours": 48})
    (mine,) = claim(db, now=NOW)
    assert (mine.to_address, mine.values, mine.attempts, mine.repeated) == (
        "vanna@university.example",
        {"hours": 48},
        1,
        False,
    )
    assert claim(db, now=NOW) == []
    assert states(db) == ["sending"]


def test_messages_go_in_the_order_they_are_due_and_only_so_many(db: Db):
    for template in ("a", "b", "c"):
        queue(db, template)
    queue(db, "earlier", due_at=NOW - timedelta(minutes=1))
    queue(db, "not yet", due_at=LATER)
    assert [message.template for message in claim(db, now=NOW, most=3)] == ["earlier", "a", "b"]
    assert [message.template for message in claim(db, now=NOW)] == ["c"]


def test_what_was_sent_is_not_sent_again(db: Db):
    queue(db)
    mark_sent(db, claim(db, now=NOW)[0], now=NOW)
    assert claim(db, now=NOW + timedelta(days=9)) == []
    assert states(db) == ["sent"]


def test_a_failed_try_comes_back_at_its_time(db: Db):
    queue(db)
    first = claim(db, now=NOW)[0]
    mark_failed(db, first, "451 try later", LATER)
    assert claim(db, now=LATER - timedelta(seconds=1)) == []
    (again,) = claim(db, now=LATER)
    assert (again.attempts, again.message_id, again.repeated) == (2, first.message_id, False)


def test_a_message_given_up_stays_as_failed_with_the_servers_words(db: Db):
    queue(db)
    mark_failed(db, claim(db, now=NOW)[0], "550 " + "x" * 1000, None)
    (message,) = about(db, SLUG, SUBJECT)
    assert (message.state, len(message.error)) == ("failed", 500)
    assert claim(db, now=NOW + timedelta(days=9)) == []


def test_an_abandoned_claim_is_sent_again_under_the_same_id_and_marked(db: Db):
    queue(db)
    first = claim(db, now=NOW)[0]
    assert claim(db, now=NOW + CLAIM_LASTS - timedelta(seconds=1)) == []
    (again,) = claim(db, now=NOW + CLAIM_LASTS)
    assert (again.message_id, again.repeated) == (first.message_id, True)
    mark_failed(db, again, "451", LATER)
    (third,) = claim(db, now=LATER)
    assert third.repeated, "the mark stays"


def test_the_least_tried_goes_first_however_long_others_are_due(db: Db):
    queue(db, "tried twice", due_at=NOW - timedelta(hours=3))
    for _ in range(2):
        mark_failed(db, claim(db, now=NOW)[0], "451", NOW - timedelta(hours=2))
    queue(db, "tried once", due_at=NOW - timedelta(hours=1))
    mark_failed(db, claim(db, now=NOW, most=1)[0], "451", NOW - timedelta(hours=1))
    queue(db, "new")
    order = [claim(db, now=NOW, most=1)[0].template for _ in range(3)]
    assert order == ["new", "tried once", "tried twice"]


def test_while_no_server_lets_us_in_nothing_that_waits_is_tried_before_its_time(db: Db):
    until = NOW + CLAIM_LASTS / 2
    queue(db, "sent")
    mark_sent(db, claim(db, now=NOW)[0], now=NOW)
    queue(db, "being sent")
    claim(db, now=NOW)
    queue(db, "retrying")
    mark_failed(db, claim(db, now=NOW)[0], "451", until - timedelta(minutes=1))
    queue(db, "queued")
    queue(db, "for the evening", due_at=until + timedelta(hours=5))
    put_off(db, until)
    due = {message.template: message.due_at for message in about(db, SLUG, SUBJECT)}
    assert due == {
        "sent": NOW,
        "being sent": NOW,
        "retrying": until,
        "queued": until,
        "for the evening": until + timedelta(hours=5),
    }
    assert claim(db, now=until - timedelta(microseconds=1)) == []
    assert [message.template for message in claim(db, now=until)] == ["queued", "retrying"]


MARKS: dict[str, Callable[[Db, Claimed], bool]] = {
    "sent": lambda db, message: mark_sent(db, message, now=LATER),
    "retrying": lambda db, message: mark_failed(db, message, "451", LATER),
    "failed": lambda db, message: mark_failed(db, message, "550", None),
    "withheld": lambda db, message: mark_withheld(db, message, "no longer true"),
}


@pytest.mark.parametrize("mark", MARKS)
def test_only_who_holds_the_claim_says_what_came_of_it(either_database: Database, mark: str):
    slow, quick = Pen(either_database), Pen(either_database)
    slow.write_now(SLUG, queue)
    (lost,) = slow.write_now(SITE, lambda db: claim(db, now=NOW))
    (taken_over,) = quick.write_now(SITE, lambda db: claim(db, now=NOW + CLAIM_LASTS))
    (before,) = either_database.read(lambda db: about(db, SLUG, SUBJECT))
    assert not slow.write_now(SITE, lambda db: MARKS[mark](db, lost))
    assert either_database.read(lambda db: about(db, SLUG, SUBJECT)) == [before]
    assert quick.write_now(SITE, lambda db: MARKS[mark](db, taken_over))
    assert not quick.write_now(SITE, lambda db: MARKS[mark](db, taken_over)), "a claim is good for one answer"
    (after,) = either_database.read(lambda db: about(db, SLUG, SUBJECT))
    assert (after.state, after.attempts) == (mark, 2)


def test_what_is_no_longer_true_is_withheld_unless_it_has_left(db: Db):
    queue(db, "sent")
    mark_sent(db, claim(db, now=NOW)[0], now=NOW)
    queue(db, "retrying")
    mark_failed(db, claim(db, now=NOW)[0], "451", LATER)
    queue(db, "queued")
    withhold(db, SLUG, SUBJECT)
    assert states(db) == ["sent", "withheld", "withheld"]


def test_the_desk_sees_states_and_counts_of_its_forum_alone(db: Db):
    for template in ("a", "b"):
        queue(db, template)
    mark_sent(db, claim(db, now=NOW, most=1)[0], now=NOW)
    assert counts(db, SLUG) == {"sent": 1, "queued": 1}
    assert [message.template for message in outbox(db, SLUG)] == ["b", "a"]
    assert [message.template for message in outbox(db, SLUG, "sent")] == ["a"]
    newest = outbox(db, SLUG)[0].id
    assert [message.template for message in outbox(db, SLUG, before=newest)] == ["a"]
    assert outbox(db, "another") == []


def test_two_workers_on_one_database_share_the_messages(either_database: Database):
    first, second = Pen(either_database), Pen(either_database)
    first.write_now(SLUG, lambda db: [queue(db, f"message {number}") for number in range(20)])
    first.start(), second.start()
    taken = [pen.submit(SLUG, lambda db: claim(db, now=NOW, most=3)) for _ in range(4) for pen in (first, second)]
    found = [message.template for answer in taken for message in answer.result(30)]
    first.stop(), second.stop()
    assert sorted(found) == sorted(f"message {number}" for number in range(20))


def bulk(db: Db, number: int, **options: Any) -> None:
    to, batch = ("reader@crowd.example", "Reader"), "mailing:a:1"
    queue_mail(db, SLUG, "mailing/news", "en", to, f"registration:{number}", now=NOW, batch=batch, bulk=True, **options)


def test_what_is_sent_in_bulk_lets_all_others_pass(db: Db):
    bulk(db, 1, due_at=NOW - timedelta(hours=1))
    queue(db)
    assert [message.template for message in claim(db, now=NOW)] == ["registration/seated", "mailing/news"]


def test_so_many_leave_in_a_minute_and_what_is_not_bulk_is_not_held_up(db: Db):
    for number in range(5):
        bulk(db, number)

    def taken(now: Any, most: int = 20) -> list[str]:
        return [message.template for message in claim(db, now=now, most=most, bulk_a_minute=2)]

    assert taken(NOW, most=1) == ["mailing/news"]
    assert taken(NOW) == ["mailing/news"]
    queue(db)
    assert taken(NOW + timedelta(seconds=59)) == ["registration/seated"]
    assert taken(NOW + timedelta(seconds=61)) == ["mailing/news"] * 2
    assert taken(NOW + timedelta(seconds=62)) == []


def test_in_a_batch_there_is_one_mail_about_one_thing(db: Db):
    bulk(db, 1)
    with pytest.raises(IntegrityError), db.begin_nested():
        bulk(db, 1)
    queue_mail(db, SLUG, "mailing/news", "en", ("reader@crowd.example", ""), "registration:1", now=NOW)
    assert batch_counts(db, "mailing:a:1") == {"queued": 1, "bounced": 0}
    assert (withhold_batch(db, "mailing:a:1"), withhold_batch(db, "mailing:a:1")) == (1, 0)
    assert batch_counts(db, "mailing:a:1") == {"withheld": 1, "bounced": 0}


def test_mail_written_by_a_clock_that_was_a_day_ahead_leaves_once_it_is_set_back(db: Db):
    ahead = NOW + timedelta(days=1)
    to = ("vanna@university.example", "Sok Vanna")
    queue_mail(db, SLUG, "registration/seated", "km", to, SUBJECT, now=ahead)
    (first,) = claim(db, now=ahead)
    mark_failed(db, first, "451 later", ahead + timedelta(minutes=5), answered=True)
    (again,) = claim(db, now=NOW)
    assert not again.repeated
    mark_failed(db, again, "451 later", NOW + timedelta(minutes=15), answered=True)
    assert [one.attempts for one in claim(db, now=NOW)] == [3], "it counts as one of the future until it has left"


def test_a_try_that_was_put_off_by_a_clock_ahead_is_made_and_a_usual_one_waits(db: Db):
    queue(db)
    (mine,) = claim(db, now=NOW)
    mark_failed(db, mine, "451 later", NOW + timedelta(hours=4), answered=True)
    assert claim(db, now=NOW) == []
    put_off(db, NOW + timedelta(days=1))
    assert len(claim(db, now=NOW)) == 1


def test_a_claim_made_by_a_clock_that_was_ahead_counts_as_abandoned(db: Db):
    queue(db)
    claim(db, now=NOW + timedelta(days=1))
    (again,) = claim(db, now=NOW)
    assert again.repeated
