"""The last badge outside the hall, and the two ends of one merge, asked for at the same instant by two pens."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import func, select

from app.accounts.actor import Actor
from app.audit.recording import first_broken
from app.editions.form import ForumFile
from app.kit.db import Database, Db, table
from app.kit.errors import Refused
from app.kit.inputs import parse
from app.kit.pen import Pen
from app.registration.accompanying import add
from app.registration.applying import application_of, apply, cancel, confirm
from app.registration.arranging import put_terms
from app.registration.inputs import CompanionInput
from app.registration.merging import merge
from app.registration.models import Seat
from tests.cast import NOW, SECRET, SLUG, small_terms, somebody, the_forum

OPERATOR = Actor.operator()


def seated(database: Database, file: ForumFile, people: int, capacity: int = 9) -> list[str]:
    """So many people with a final seat, and one badge for an interpreter."""
    terms, categories = small_terms(file, capacity, STU=(0, None, "open"))
    outside = {"code": "INTP", "limit": 1, "in_hall": False}
    categories.append(categories[0].model_copy(update=outside))

    def deed(db: Db) -> list[str]:
        forum = the_forum(db)
        put_terms(db, OPERATOR, forum, terms.model_copy(update={"opens_at": NOW}), categories, now=NOW)
        codes = []
        for number in range(people):
            asked = apply(db, Actor.visitor(), forum, somebody(number), f"key{number}", SECRET, now=NOW)
            if asked.state == "seated":
                confirm(db, OPERATOR, forum, asked.code, now=NOW)
            codes.append(asked.code)
        return codes

    return Pen(database).write_now(SLUG, deed)


def at_once(database: Database, *deeds: Callable[[Db], Any]) -> list[Any]:
    """Each deed by a pen of its own; what it answered or was refused with."""
    together = threading.Barrier(len(deeds), timeout=30)

    def ask(deed: Callable[[Db], Any]) -> Any:
        own = Database(database.url.render_as_string(hide_password=False))
        together.wait()
        try:
            return Pen(own).write_now(SLUG, deed)
        except Refused as refused:
            return refused.code
        finally:
            own.close()

    with ThreadPoolExecutor(len(deeds)) as people:
        return list(people.map(ask, deeds))


def test_of_four_who_want_the_last_badge_one_gets_it(either_database: Database, forum_file: ForumFile):
    principals = seated(either_database, forum_file, 4)

    def bring(code: str) -> Callable[[Db], str]:
        sent = parse(CompanionInput, {"category": "INTP", "family_name": f"Of {code}"})
        return lambda db: add(db, OPERATOR, the_forum(db), code, sent, f"with {code}", SECRET, now=NOW).state

    answers = at_once(either_database, *(bring(code) for code in principals))
    assert Counter(answers) == {"seated": 1, "waiting": 3}
    outside = select(func.count()).where(table(Seat).c.outside)
    assert either_database.read(lambda db: db.execute(outside).scalar_one()) == 1


def test_a_merge_and_a_cancellation_at_once_free_one_seat_each_time(either_database: Database, forum_file: ForumFile):
    """Both may succeed one after the other, or the second is refused; never two seats for one, never one for nobody."""
    kept, dropped, waits = seated(either_database, forum_file, 3, capacity=2)
    answers = at_once(
        either_database,
        lambda db: merge(db, OPERATOR, the_forum(db), kept, dropped, (1, 1), now=NOW),
        lambda db: cancel(db, OPERATOR, the_forum(db), dropped, now=NOW),
    )
    assert answers in ([None, False], ["merge_ended", True])
    with either_database.reading() as db:
        states = [application_of(db, the_forum(db), code).state for code in (kept, dropped, waits)]
        assert states == ["seated", "cancelled", "seated"]
        assert db.execute(select(func.count()).select_from(table(Seat))).scalar_one() == 2
        assert first_broken(db, SLUG) is None
