"""Questions to the log: one query each, on either database."""

from datetime import timedelta

from app.audit.recording import record
from app.audit.searching import Asked, facts_asked
from app.kit.db import Database, Db
from app.kit.pen import Pen
from tests.cast import NOW, SLUG

SOKHA = ("user:1", "Sokha")


def put(database: Database, *subjects: str) -> None:
    def deed(db: Db) -> None:
        for subject in subjects:
            record(db, SLUG, SOKHA, "room.added", subject, now=NOW)

    Pen(database).write_now(SLUG, deed)


def asked(database: Database, most: int = 50, **question: object) -> list[str]:
    found = database.read(lambda db: facts_asked(db, SLUG, Asked(**question), most))  # type: ignore[arg-type]
    return [row.subject for row in found]


def test_facts_are_found_by_every_word_in_any_of_what_they_say_the_newest_first(either_database: Database):
    put(either_database, "room:ONE_1", "room:ONEx1", "room:TWO_2")
    assert asked(either_database, words="one sokha") == ["room:ONEx1", "room:ONE_1"]
    assert asked(either_database, words="one_ ROOM") == ["room:ONE_1"], "a sign of patterns is a letter here"
    assert asked(either_database, words="added", families=("room",), most=2) == ["room:TWO_2", "room:ONEx1"]
    assert asked(either_database, families=("roo",)) == []


def test_facts_are_found_by_instants_of_which_the_last_is_left_out(either_database: Database):
    put(either_database, "room:NOW")
    assert asked(either_database, families=("room",), since=NOW, until=NOW + timedelta(seconds=1)) == ["room:NOW"]
    assert asked(either_database, families=("room",), until=NOW) == []


def test_a_question_is_one_query(database: Database, queries):
    put(database, "room:A", "room:B", "room:C")
    for most in (1, 3):
        with queries() as counted:
            assert len(asked(database, most, families=("room",))) == most
        assert len(counted) == 1
