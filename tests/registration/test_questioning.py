"""An organiser's deeds about questions."""

from typing import Any

import pytest

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.editions.form import ForumFile
from app.editions.loading import load
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.errors import Conflict, Forbidden, Refused
from app.registration.question_queries import questions_of
from app.registration.questioning import place_question, retire_question, save_question
from tests.cast import NOW, SOKHA, make_actor, make_application, the_forum
from tests.registration.asked import answer, ask_also, question

OPERATOR = Actor.operator()


def codes(db: Db, category: str = "", **more: Any) -> list[str]:
    return [one.code for one in questions_of(db, forum_id(the_forum(db)), category, **more)]


def test_the_real_forum_asks_each_group_its_own(db: Db) -> None:
    assert codes(db, "STU") == ["scholar", "university"]
    assert codes(db, "PTY") == ["party"]
    assert codes(db, "INT") == []
    (party,) = questions_of(db, forum_id(the_forum(db)), "PTY")
    assert (party.sensitive, party.required) == (True, True)


def test_one_who_may_not_edit_the_forum_asks_nothing(db: Db) -> None:
    registrar = make_actor(db, SOKHA, Role.REGISTRAR)
    with pytest.raises(Forbidden):
        save_question(db, registrar, the_forum(db), question("more"), now=NOW)


def test_the_second_of_two_organisers_is_told_that_it_was_changed_meanwhile(db: Db) -> None:
    ask_also(db, question("more"))
    forum = the_forum(db)
    assert save_question(db, OPERATOR, forum, question("more", required=True), now=NOW, edition=1)
    with pytest.raises(Conflict, match="changed_meanwhile"):
        save_question(db, OPERATOR, forum, question("more", sensitive=True), now=NOW, edition=1)
    assert not save_question(db, OPERATOR, forum, question("more", required=True), now=NOW, edition=1), "the same"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (question("scholar"), "question_twice"),
        (question("more", categories=("NONE",)), "unknown_category"),
        (question("more", shown_if="nothing", shown_for=("a",)), "condition_not_before"),
        (question("more", shown_if="mission", shown_for=("a",)), "condition_kind"),
        (question("more", shown_if="scholar", shown_for=("pupil",)), "condition_value"),
    ],
)
def test_what_cannot_be_asked_is_refused(db: Db, sent: Any, code: str) -> None:
    with pytest.raises(Refused, match=code):
        save_question(db, OPERATOR, the_forum(db), sent, now=NOW)


def test_a_form_asks_for_three_files_at_most(db: Db) -> None:
    ask_also(db, *(question(f"file{number}", "file") for number in range(3)))
    with pytest.raises(Refused, match="too_many_files"):
        ask_also(db, question("file3", "file"))


def test_the_kind_of_a_question_stays_once_somebody_answered(db: Db) -> None:
    row = make_application(db)
    ask_also(db, question("more"))
    answer(db, row.id, more="something")
    with pytest.raises(Refused, match="question_answered"):
        save_question(db, OPERATOR, the_forum(db), question("more", "long"), now=NOW, edition=1)


def test_a_question_goes_up_and_down_but_not_before_what_it_depends_on(db: Db) -> None:
    forum = the_forum(db)
    before = codes(db)
    assert place_question(db, OPERATOR, forum, "rank", up=True, now=NOW)
    assert codes(db).index("rank") == before.index("rank") - 1
    assert not place_question(db, OPERATOR, forum, before[0], up=True, now=NOW)
    with pytest.raises(Refused, match="condition_not_before"):
        place_question(db, OPERATOR, forum, "university", up=True, now=NOW)


def test_a_question_others_depend_on_is_not_retired_and_answers_of_a_retired_one_stay(db: Db) -> None:
    forum = the_forum(db)
    with pytest.raises(Refused, match="condition_in_use"):
        retire_question(db, OPERATOR, forum, "scholar", retired=True, now=NOW)
    assert retire_question(db, OPERATOR, forum, "university", retired=True, now=NOW)
    assert codes(db, "STU") == ["scholar"]
    assert "university" in codes(db, retired=True)
    assert retire_question(db, OPERATOR, forum, "university", retired=False, now=NOW)


def test_a_file_without_a_question_retires_it_where_it_was_answered_and_drops_it_otherwise(
    db: Db, forum_file: ForumFile
) -> None:
    row = make_application(db)
    answer(db, row.id, scholar="scholar")
    fewer = forum_file.model_copy(update={"questions": forum_file.questions[:4]})
    load(db, OPERATOR, fewer, now=NOW)
    left = codes(db, retired=True)
    assert "scholar" in left
    assert "university" not in left
    load(db, OPERATOR, forum_file, now=NOW)
    assert codes(db) == [one.code for one in forum_file.questions]
