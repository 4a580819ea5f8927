"""Giving a file back: to its person, or to the desk by permission."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.registration.models import Application, File, Question
from app.registration.rules.files import FileKind

_applications, _files, _questions = table(Application), table(File), table(Question)


@dataclass(frozen=True, slots=True)
class Filed:
    """A file's bytes, its kind, and a name made of our own codes: the sender's stands in no header."""

    body: bytes
    kind: FileKind
    name: str


def own_file(db: Db, application: int, number: int) -> Filed:
    """The file with this id, of this registration. Raises NotFound."""
    return _filed(_found(db, _applications.c.id == application, number))


def desk_file(db: Db, by: Actor, forum: Forum, code: str, number: int) -> Filed:
    """The file with this id, of the registration with this code in this forum. Raises NotFound, Forbidden.

    One sent as a sensitive answer asks for SEE_SENSITIVE, any for SEE_PEOPLE.
    """
    own = forum_id(forum)
    by.must(Permission.SEE_PEOPLE, own)
    row = _found(db, (_applications.c.forum_id == own) & (_applications.c.code == code), number)
    if row.sensitive:
        by.must(Permission.SEE_SENSITIVE, own)
    return _filed(row)


def _found(db: Db, whose: Any, number: int) -> Any:
    wanted = (
        select(
            _files.c.body,
            _files.c.media_type,
            _applications.c.code.label("registration"),
            _questions.c.code.label("question"),
            _questions.c.sensitive,
        )
        .join(_applications, _applications.c.id == _files.c.application_id)
        .join(_questions, _questions.c.id == _files.c.question_id)
        .where(whose, _files.c.id == number)
    )
    row = db.execute(wanted).first()
    if row is None:
        raise NotFound
    return row


def _filed(row: Any) -> Filed:
    kind = FileKind(row.media_type)
    return Filed(row.body, kind, f"{row.registration}-{row.question}.{kind.ending}")
