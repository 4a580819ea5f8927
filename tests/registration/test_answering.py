"""Answers from the form to the tables and back."""

from typing import Any

import pytest
from sqlalchemy import func, select

from app.accounts.actor import Actor
from app.audit.recording import history
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Invalid
from app.kit.i18n import text_of
from app.registration.answering import Sent, Upload, read, readable_name
from app.registration.applying import application_of, apply, correct
from app.registration.inputs import Person
from app.registration.models import Answer, File
from app.registration.people import person_columns
from app.registration.question_queries import answers_of, consents_of, questions_of
from tests.cast import DARA, NOW, SECRET, SLUG, VANNA, holder, make_application, request, the_forum
from tests.registration.asked import PDF, PNG, answer, ask_also, question


def said(db: Db, row: Any, *, sensitive: bool = True) -> dict[str, Any]:
    return {one.question.code: one.value for one in answers_of(db, row.id, sensitive=sensitive)}


def register(db: Db, values: dict[str, Any], figure: Any = VANNA, **more: Any) -> Any:
    forum = the_forum(db)
    asked = apply(
        db, Actor.visitor(), forum, request(figure), "key", SECRET, now=NOW, answers=Sent(values=values, **more)
    )
    return application_of(db, forum, asked.code)


def test_answers_are_kept_with_the_registration(db: Db) -> None:
    row = register(db, {"scholar": "student", "university": "  Somewhere  "})
    assert said(db, row) == {"scholar": "student", "university": "Somewhere"}


def test_what_depends_on_another_answer_is_not_kept_without_it(db: Db) -> None:
    row = register(db, {"scholar": "scholar", "university": "Somewhere"})
    assert said(db, row) == {"scholar": "scholar"}


def test_a_registration_without_a_needed_answer_is_refused_and_nothing_is_written(db: Db) -> None:
    with pytest.raises(Invalid) as refused:
        register(db, {"rank": "ambassador"}, DARA)
    assert [(fault.field, fault.code) for fault in refused.value.faults] == [("q-mission", "missing")]


def test_a_known_address_is_asked_the_same_questions_as_an_unknown_one(db: Db) -> None:
    make_application(db, DARA)
    with pytest.raises(Invalid):
        register(db, {}, DARA)


def test_somebody_registered_by_others_answers_later(db: Db) -> None:
    row = make_application(db, DARA, by=Actor.operator())
    assert said(db, row) == {}


@pytest.mark.parametrize("text", ["a\0b", "a\u202eb", "=?utf-8?q?x?="])
def test_what_cannot_be_seen_is_refused_in_an_answer_too(db: Db, text: str) -> None:
    with pytest.raises(Invalid, match="invalid"):
        register(db, {"scholar": "student", "university": text})


def test_a_date_in_khmer_digits_is_read(db: Db) -> None:
    ask_also(db, question("born", "date"))
    assert said(db, register(db, {"born": "២០០១-០២-០៣"}))["born"] == "2001-02-03"


def test_sensitive_answers_are_not_even_read_for_whoever_may_not_see_them(db: Db) -> None:
    ask_also(db, question("faith", sensitive=True))
    row = register(db, {"faith": "something", "scholar": "scholar"})
    assert "faith" in said(db, row)
    assert said(db, row, sensitive=False) == {"scholar": "scholar"}


def test_what_was_agreed_to_is_kept_in_its_words_language_and_time(db: Db) -> None:
    ask_also(db, question("photo", "consent", label={"en": "You may take my picture", "km": "អាចថតរូបខ្ញុំបាន"}))
    row = register(db, {"photo": "yes"})
    form, photo = consents_of(db, row.id)
    assert form.wording.startswith(text_of("km", "registration.form.consent"))
    assert (photo.wording, photo.language, photo.given_at) == ("អាចថតរូបខ្ញុំបាន", "km", NOW)
    answer(db, row.id)
    (_, photo) = consents_of(db, row.id)
    assert photo.withdrawn_at == NOW
    answer(db, row.id, photo="yes")
    assert [one.withdrawn_at is None for one in consents_of(db, row.id)] == [True, False, True]


def test_what_an_organiser_fills_in_is_no_consent_of_the_person(db: Db) -> None:
    assert consents_of(db, make_application(db, by=Actor.operator()).id) == ()


# ---- files


def test_a_file_is_replaced_kept_and_taken_away(db: Db) -> None:
    ask_also(db, question("letter", "file", required=True))
    own = forum_id(the_forum(db))
    row = make_application(db)
    answer(db, row.id, letter=PDF)
    files = table(File)
    kept = db.execute(select(files)).one()
    assert (kept.media_type, kept.size, kept.body) == ("application/pdf", len(PDF), PDF)
    answer(db, row.id, letter=PNG)
    assert db.execute(select(files.c.media_type)).scalar_one() == "image/png"
    asked, there = questions_of(db, own, "STU"), {"letter": (1, "letter.pdf")}
    assert read(asked, Sent(), there).faults == ()
    assert [fault.code for fault in read(asked, Sent(dropped=frozenset({"letter"})), there).faults] == ["missing"]


@pytest.mark.parametrize(
    ("upload", "code"),
    [
        (Upload("photo.pdf", b"GIF89a"), "upload_kind"),
        (Upload("page.pdf", b"<html><script>"), "upload_kind"),
        (Upload("large.pdf", PDF + b"0" * 100), "upload_too_large"),
        (Upload("large.pdf", b"", too_large=True), "upload_too_large"),
    ],
)
def test_a_file_that_is_not_taken_is_refused(db: Db, upload: Upload, code: str) -> None:
    ask_also(db, question("letter", "file"))
    with pytest.raises(Invalid) as refused:
        register(db, {}, files={"letter": upload}, most_bytes=len(PDF))
    assert [(fault.field, fault.code) for fault in refused.value.faults] == [("q-letter", code)]
    assert db.execute(select(func.count()).select_from(table(File))).scalar_one() == 0


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\papers\\លិខិត.pdf", "លិខិត.pdf"),
        ('a"\r\nSet-Cookie: x.pdf', 'a"Set-Cookie: x.pdf'),
        ("x" * 300, "x" * 120),
        ("", ""),
    ],
)
def test_a_senders_name_is_kept_for_reading_alone(name: str, kept: str) -> None:
    assert readable_name(name) == kept


# ---- correcting


def person(row: Any) -> Person:
    names = [name for name in Person.model_fields if name not in {"titles", "meals", "access"}]
    return Person(**{name: getattr(row, name) for name in names}, titles=tuple(row.titles))


def test_a_corrected_answer_is_noted_without_saying_what_was_answered(db: Db) -> None:
    row = register(db, {"scholar": "student", "university": "Somewhere"})
    forum, sent = the_forum(db), Sent({"scholar": "student", "university": "Elsewhere"})
    assert person_columns(person(row))["family_name"] == row.family_name
    assert correct(db, holder(row), forum, row.code, person(row), row.edition, now=NOW, answers=sent)
    assert said(db, row)["university"] == "Elsewhere"
    fact = history(db, SLUG, f"registration:{row.code}")[-1]
    assert fact.after == {"changed": ["question.university"]}
    assert "Elsewhere" not in str(fact.personal)
    assert not correct(db, holder(row), forum, row.code, person(row), row.edition, now=NOW, answers=sent), "the same"


def test_details_corrected_without_a_form_of_questions_leave_the_answers(db: Db) -> None:
    row = register(db, {"scholar": "scholar"})
    correct(db, holder(row), the_forum(db), row.code, person(row).model_copy(update={"phone": ""}), 1, now=NOW)
    assert said(db, row) == {"scholar": "scholar"}
    assert db.execute(select(func.count()).select_from(table(Answer))).scalar_one() == 1
