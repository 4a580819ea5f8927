"""Showing a person's own link at the desk."""

import pytest

from app.accounts.actor import Actor
from app.accounts.rules import PERMISSIONS, Permission, Role
from app.audit.recording import history
from app.kit.codes import digest
from app.kit.db import Db, table
from app.kit.errors import Forbidden, NotFound
from app.kit.i18n import Bilingual
from app.kit.inputs import parse
from app.registration.applying import confirm
from app.registration.letter_inputs import LetterInput
from app.registration.lettering import ask_for_letter, forget_passports
from app.registration.linking import holds_sensitive, show_link
from app.registration.models import Answer, File, Question
from tests.cast import DARA, NOW, RITH, SECRET, SLUG, SOKHA, VANNA, holder, make_actor, make_application, the_forum


def test_it_is_the_link_of_the_persons_own_page_in_their_language(db: Db) -> None:
    row = make_application(db, VANNA)
    lang, token = show_link(db, Actor.operator(), the_forum(db), row.code, SECRET, now=NOW)
    assert lang == "km"
    assert digest(token) == row.manage_digest


def test_that_it_was_shown_and_to_whom_stays_and_the_link_does_not(db: Db) -> None:
    row = make_application(db, VANNA)
    by = make_actor(db, SOKHA, Role.REGISTRAR)
    _, token = show_link(db, by, the_forum(db), row.code, SECRET, now=NOW)
    fact = history(db, SLUG, f"registration:{row.code}")[-1]
    assert (fact.kind, fact.actor, fact.actor_name) == ("registration.link_shown", f"user:{by.id}", SOKHA.name)
    assert token not in repr(fact)


@pytest.mark.parametrize("role", [role for role in Role if Permission.SHOW_LINKS not in PERMISSIONS[role]])
def test_other_roles_may_not_see_it(db: Db, role: Role) -> None:
    row = make_application(db, VANNA)
    with pytest.raises(Forbidden):
        show_link(db, make_actor(db, SOKHA, role), the_forum(db), row.code, SECRET, now=NOW)
    assert len(history(db, SLUG, f"registration:{row.code}")) == 2


def test_a_stranger_and_an_unknown_code_find_nothing(db: Db) -> None:
    row = make_application(db, VANNA)
    for by, code in ((make_actor(db, RITH), row.code), (Actor.operator(), "ABCDEFG")):
        with pytest.raises(NotFound):
            show_link(db, by, the_forum(db), code, SECRET, now=NOW)


@pytest.mark.parametrize("answer", [{"meals": "no fish"}, {"access": "a wheelchair"}])
def test_where_the_page_shows_needs_the_link_is_for_those_who_may_see_them(db: Db, answer: dict[str, str]) -> None:
    row = make_application(db, VANNA, **answer)
    with pytest.raises(Forbidden):
        show_link(db, make_actor(db, SOKHA, Role.REGISTRAR), the_forum(db), row.code, SECRET, now=NOW)
    assert "registration.link_shown" not in [fact.kind for fact in history(db, SLUG, f"registration:{row.code}")]
    sees = make_actor(db, DARA, Role.REGISTRAR, Role.PROTOCOL_OFFICER)
    assert show_link(db, sees, the_forum(db), row.code, SECRET, now=NOW)[0] == "km"


def test_anothers_needs_keep_nobody_from_showing_a_link(db: Db) -> None:
    make_application(db, RITH, meals="no fish")
    row = make_application(db, VANNA)
    assert show_link(db, make_actor(db, SOKHA, Role.REGISTRAR), the_forum(db), row.code, SECRET, now=NOW)


def test_where_the_page_shows_a_passport_or_a_sensitive_answer_the_link_is_for_those_who_may_see_it(db: Db) -> None:
    row, forum = make_application(db, VANNA), the_forum(db)
    confirm(db, holder(row), forum, row.code, now=NOW)
    registrar = make_actor(db, SOKHA, Role.REGISTRAR)
    passport = {"passport_name": "SOK VANNA", "nationality": "KH"}
    letter = parse(LetterInput, {"kind": "visa", "language": "en", **passport})
    ask_for_letter(db, holder(row), forum, row.code, letter, "key", now=NOW)
    with pytest.raises(Forbidden):
        show_link(db, registrar, forum, row.code, SECRET, now=NOW)
    forget_passports(db, forum, now=NOW)
    assert show_link(db, registrar, forum, row.code, SECRET, now=NOW)


@pytest.mark.parametrize("sensitive", [True, False])
@pytest.mark.parametrize("kind", ["answer", "file"])
def test_an_answer_or_a_file_keeps_the_link_back_where_the_question_is_sensitive(
    db: Db, kind: str, sensitive: bool
) -> None:
    row = make_application(db, VANNA)
    words = Bilingual("Words", "ពាក្យ")
    question = {"forum_id": row.forum_id, "code": "asked", "kind": "line", "label": words, "help": words, "why": words}
    number = db.execute(
        table(Question)
        .insert()
        .values(
            **question, categories=[], required=False, options=[], shown_if="", shown_for=[], position=99, edition=1
        )
        .values(sensitive=sensitive)
        .returning(table(Question).c.id)
    ).scalar_one()
    about = {"application_id": row.id, "question_id": number}
    if kind == "answer":
        db.execute(table(Answer).insert().values(**about, value="x", answered_at=NOW))
    else:
        named = {"name": "a.pdf", "media_type": "application/pdf", "size": 1, "body": b"x", "sent_at": NOW}
        db.execute(table(File).insert().values(**about, **named))
    assert holds_sensitive(db, [row.id]) is sensitive
    assert holds_sensitive(db, []) is False
