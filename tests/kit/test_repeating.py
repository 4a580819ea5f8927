from datetime import timedelta

import pytest

from app.kit.db import Db
from app.kit.errors import Refused
from app.kit.repeating import Given, answer_given, forget_answers, keep_answer
from tests.cast import NOW


def test_an_answer_is_given_again_to_the_same_caller_for_the_same_thing(db: Db):
    given = Given(201, b'{"code":"A"}', "/there/A")
    assert answer_given(db, "token:1", "key", "digest") is None
    keep_answer(db, "token:1", "key", "digest", given, now=NOW)
    assert answer_given(db, "token:1", "key", "digest") == given
    assert answer_given(db, "token:2", "key", "digest") is None
    with pytest.raises(Refused, match="key_used"):
        answer_given(db, "token:1", "key", "another digest")


def test_answers_are_dropped_once_nobody_asks_again(db: Db):
    keep_answer(db, "token:1", "old", "d", Given(200, b"{}"), now=NOW - timedelta(hours=25))
    keep_answer(db, "token:1", "new", "d", Given(200, b"{}"), now=NOW - timedelta(hours=23))
    assert forget_answers(db, before=NOW - timedelta(hours=24)) == 1
    assert answer_given(db, "token:1", "old", "d") is None
    assert answer_given(db, "token:1", "new", "d") == Given(200, b"{}")
