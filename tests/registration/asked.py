"""Questions in the real forum and answers to them, shared by the tests of everything about them."""

from typing import Any

from sqlalchemy import select

from app.accounts.actor import Actor
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.inputs import parse
from app.registration.answering import Sent, Upload, keep, read
from app.registration.inputs import QuestionInput
from app.registration.models import File
from app.registration.question_queries import questions_of
from app.registration.questioning import save_question
from tests.cast import NOW, the_forum

PDF = b"%PDF-1.7\n% a plainly fictional letter\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def question(code: str, kind: str = "text", **more: Any) -> QuestionInput:
    """A question as an organiser writes it; asked of everybody unless told otherwise."""
    words = {"en": f"About {code}", "km": f"អំពី {code}"}
    options = [
        {"value": value, "label": {"en": f"{value} in English", "km": f"{value} ជាភាសាខ្មែរ"}}
        for value in more.pop("options", ())
    ]
    sent = {"code": code, "kind": kind, "label": words, "why": {"en": "For a test", "km": "សម្រាប់ការសាកល្បង"}}
    return parse(QuestionInput, {**sent, "options": options, **more})


def ask_also(db: Db, *questions: QuestionInput) -> None:
    """More questions in the real forum."""
    for one in questions:
        save_question(db, Actor.operator(), the_forum(db), one, now=NOW)


def answer(db: Db, application: int, category: str = "STU", **sent: Any) -> tuple[str, ...]:
    """Somebody's answers, kept as the form keeps them; files as bytes. The codes of those that changed."""
    own = forum_id(the_forum(db))
    files = {code: Upload(f"{code}.pdf", value) for code, value in sent.items() if isinstance(value, bytes)}
    values = {code: value for code, value in sent.items() if not isinstance(value, bytes)}
    ready = read(questions_of(db, own, category), Sent(values, files)).or_refuse()
    return keep(db, application, ready, "en", now=NOW)


def answer_some(db: Db, application: int) -> None:
    """A student's answers to the real forum's own questions."""
    answer(db, application, scholar="student", university="សាកលវិទ្យាល័យមួយ")


def send_file(db: Db, application: int, *, sensitive: bool = False) -> int:
    """A file sent as an answer to a question of its own; its id."""
    code = "secret-letter" if sensitive else "letter"
    asked = {one.code for one in questions_of(db, forum_id(the_forum(db)))}
    if code not in asked:
        ask_also(db, question(code, "file", sensitive=sensitive))
    answer(db, application, **{code: PDF})
    files = table(File)
    wanted = select(files.c.id).where(files.c.application_id == application).order_by(files.c.id.desc()).limit(1)
    return int(db.execute(wanted).scalar_one())
