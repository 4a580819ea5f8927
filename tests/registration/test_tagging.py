"""Tags and notes of the desk."""

from typing import Any

import pytest
from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.kit.db import table
from app.kit.errors import Forbidden, NotFound, Refused
from app.registration import noting, tagging
from app.registration.desk_inputs import NoteInput, TagInput
from app.registration.erasing import erase
from app.registration.merging import merge
from app.registration.models import Note
from app.registration.noting import notes_of, remove_note, write_note
from app.registration.tagging import mark, put_tag, put_tags, remove_tag, tagged, tags_of
from tests.cast import CHAN, NOW, SLUG, SOKHA, VANNA, holder, make_actor
from tests.registration.hall import SmallHall

OPERATOR = Actor.operator()


def tag(hall: SmallHall, name: str, number: int | None = None) -> int:
    return put_tag(hall.db, OPERATOR, hall.forum, TagInput(name=name, letter="F", tone="red"), number, now=NOW)


def marks(hall: SmallHall, row: Any) -> list[str]:
    return [one.name for one in tagged(hall.db, [row.id]).get(row.id, [])]


def test_a_tag_has_one_name_and_counts_whom_it_marks(hall: SmallHall, monkeypatch: pytest.MonkeyPatch) -> None:
    front, row = tag(hall, "Front row"), hall.ask()
    with pytest.raises(Refused, match="tag_twice"):
        tag(hall, "FRONT  row")
    assert tag(hall, "Front Row", front) == front
    assert mark(hall.db, OPERATOR, hall.forum, row.code, front, on=True, now=NOW)
    assert not mark(hall.db, OPERATOR, hall.forum, row.code, front, on=True, now=NOW)
    assert [(one.name, one.used) for one in tags_of(hall.db, OPERATOR, hall.forum)] == [("Front Row", 1)]
    monkeypatch.setattr(tagging, "MOST", 1)
    with pytest.raises(Refused, match="tags_too_many"):
        tag(hall, "More")
    assert remove_tag(hall.db, OPERATOR, hall.forum, front, now=NOW) == 1
    assert (marks(hall, row), tags_of(hall.db, OPERATOR, hall.forum)) == ([], [])
    with pytest.raises(NotFound):
        tag(hall, "Front row", front)


def test_the_tags_of_a_registration_are_brought_to_those_ticked(hall: SmallHall) -> None:
    one, two, three = (tag(hall, name) for name in ("One", "Two", "Three"))
    row = hall.ask()
    assert put_tags(hall.db, OPERATOR, hall.forum, row.code, [one, two], now=NOW)
    assert put_tags(hall.db, OPERATOR, hall.forum, row.code, [two, three], now=NOW)
    assert not put_tags(hall.db, OPERATOR, hall.forum, row.code, [three, two], now=NOW)
    assert marks(hall, row) == ["Three", "Two"]
    with pytest.raises(NotFound):
        put_tags(hall.db, OPERATOR, hall.forum, row.code, [99], now=NOW)


def test_a_note_is_written_by_whoever_sees_people_and_its_words_stand_in_no_fact(hall: SmallHall) -> None:
    row, finance = hall.ask(), make_actor(hall.db, VANNA, Role.FINANCE)
    write_note(hall.db, finance, hall.forum, row.code, NoteInput(words="Tellingnote"), now=NOW)
    (note,) = notes_of(hall.db, row.id)
    assert (note.words, note.author, note.user_id) == ("Tellingnote", finance.name, finance.id)
    facts = history(hall.db, SLUG, f"registration:{row.code}")
    assert facts[-1].kind == "registration.noted"
    assert "Tellingnote" not in str([(fact.before, fact.after, fact.personal) for fact in facts])
    viewer = make_actor(hall.db, CHAN, Role.VIEWER)
    with pytest.raises(Forbidden):
        write_note(hall.db, viewer, hall.forum, row.code, NoteInput(words="x"), now=NOW)


def test_a_note_is_taken_out_by_its_writer_or_by_those_who_decide(hall: SmallHall) -> None:
    row, other, finance = hall.ask(), hall.ask(), make_actor(hall.db, VANNA, Role.FINANCE)
    officer, registrar = make_actor(hall.db, CHAN, Role.PROTOCOL_OFFICER), make_actor(hall.db, SOKHA, Role.REGISTRAR)
    for words in ("first", "second"):
        write_note(hall.db, finance, hall.forum, row.code, NoteInput(words=words), now=NOW)
    second, first = (note.id for note in notes_of(hall.db, row.id))
    with pytest.raises(Forbidden):
        remove_note(hall.db, officer, hall.forum, row.code, first, now=NOW)
    with pytest.raises(NotFound):
        remove_note(hall.db, registrar, hall.forum, other.code, first, now=NOW)
    remove_note(hall.db, finance, hall.forum, row.code, first, now=NOW)
    remove_note(hall.db, registrar, hall.forum, row.code, second, now=NOW)
    assert notes_of(hall.db, row.id) == []


def test_of_two_registrations_joined_the_kept_one_has_both_ones_notes_and_tags(hall: SmallHall) -> None:
    shared, own = tag(hall, "Shared"), tag(hall, "Own")
    kept, dropped = hall.ask(), hall.ask()
    for row, numbers in ((kept, [shared]), (dropped, [shared, own])):
        put_tags(hall.db, OPERATOR, hall.forum, row.code, numbers, now=NOW)
        write_note(hall.db, OPERATOR, hall.forum, row.code, NoteInput(words=row.code), now=NOW)
    editions = hall.row(kept.code).edition, hall.row(dropped.code).edition
    merge(hall.db, OPERATOR, hall.forum, kept.code, dropped.code, editions, now=NOW)
    assert marks(hall, kept) == ["Own", "Shared"]
    assert {note.words for note in notes_of(hall.db, kept.id)} == {kept.code, dropped.code}


def test_of_whom_nothing_is_kept_nothing_is_written_down(hall: SmallHall) -> None:
    front, row = tag(hall, "Front"), hall.ask()
    write_note(hall.db, OPERATOR, hall.forum, row.code, NoteInput(words="x"), now=NOW)
    mark(hall.db, OPERATOR, hall.forum, row.code, front, on=True, now=NOW)
    erase(hall.db, holder(row), hall.forum, row.code, now=NOW)
    assert (marks(hall, row), hall.db.execute(select(table(Note).c.id)).all()) == ([], [])
    for deed in (
        lambda: noting.write_note(hall.db, OPERATOR, hall.forum, row.code, NoteInput(words="x"), now=NOW),
        lambda: mark(hall.db, OPERATOR, hall.forum, row.code, front, on=True, now=NOW),
    ):
        with pytest.raises(Refused, match="erased"):
            deed()
