"""Letters: for who has a final seat, once for one form, with nothing of the passport in the history."""

from typing import Any

import pytest
from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.models import Fact
from app.kit.db import table
from app.kit.errors import Forbidden, Invalid, NotFound, Refused
from app.kit.inputs import parse
from app.registration.applying import cancel, confirm
from app.registration.letter_inputs import LetterInput
from app.registration.lettering import (
    MOST_LETTERS,
    ask_for_letter,
    desk_letter,
    desk_letters,
    forget_passports,
    letter_of,
    letters_of,
)
from app.registration.merging import merge
from tests.cast import NOW, SOKHA, holder, make_actor
from tests.registration.hall import SmallHall

OPERATOR = Actor.operator()
SENT = {"kind": "visa", "language": "en", "passport_name": "HENG Rith-An", "nationality": "KH"}


def confirmed(hall: SmallHall) -> Any:
    row = hall.ask()
    confirm(hall.db, OPERATOR, hall.forum, row.code, now=NOW)
    return hall.row(row.code)


def ask(hall: SmallHall, row: Any, key: str = "k", **changes: Any) -> str:
    sent = parse(LetterInput, {**SENT, **changes})
    return ask_for_letter(hall.db, holder(row), hall.forum, row.code, sent, key, now=NOW)


def test_a_letter_keeps_the_name_exactly_as_given(hall: SmallHall):
    row = confirmed(hall)
    letter = letter_of(hall.db, row.id, ask(hall, row, passport_number=" n ០០១234 5", birth_date="1980-12-31"))
    assert (letter.passport_name, letter.passport_number, letter.number) == ("HENG Rith-An", "N0012345", 1)
    assert letter.birth_date.isoformat() == "1980-12-31"
    assert hall.facts(row)[-1] == "letter.asked"


def test_nothing_of_the_passport_stands_in_the_history(hall: SmallHall):
    row = confirmed(hall)
    ask(hall, row, passport_number="N7654321", birth_date="1980-12-31")
    facts = table(Fact)
    told = str(hall.db.execute(select(facts.c.after, facts.c.personal).where(facts.c.kind == "letter.asked")).all())
    assert "N7654321" not in told
    assert "HENG" not in told
    assert "1980" not in told


def test_only_who_has_a_final_seat_gets_one(hall: SmallHall):
    unconfirmed = hall.ask()
    hall.ask()
    for row in (unconfirmed, hall.ask()):
        with pytest.raises(Refused, match="letter_not_yet"):
            ask(hall, row)


def test_the_same_form_twice_makes_one_letter_and_numbers_go_on_across_people(hall: SmallHall):
    first, second = confirmed(hall), confirmed(hall)
    assert ask(hall, first, "a") == ask(hall, first, "a")
    other = ask(hall, second, "b", kind="invitation", nationality="")
    assert [letter.number for letter in letters_of(hall.db, first.id)] == [1]
    assert letter_of(hall.db, second.id, other).number == 2
    with pytest.raises(NotFound):
        letter_of(hall.db, first.id, other)


def test_there_is_an_end_to_letters(hall: SmallHall):
    row = confirmed(hall)
    for number in range(MOST_LETTERS):
        ask(hall, row, f"key{number}")
    with pytest.raises(Refused, match="letters_enough"):
        ask(hall, row, "one more")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("passport_name", ""),
        ("passport_name", "ហេង ឫទ្ធិ"),
        ("passport_name", "Rith#2"),
        ("passport_name", " - "),
        ("passport_number", "12"),
        ("passport_number", "AB-12345"),
        ("nationality", ""),
        ("nationality", "XX"),
        ("birth_date", "31.12.1980"),
        ("birth_date", "1880-01-01"),
        ("kind", "promise"),
    ],
)
def test_what_an_embassy_could_not_read_is_refused_at_its_field(field: str, value: str):
    with pytest.raises(Invalid) as refused:
        parse(LetterInput, {**SENT, field: value})
    assert [fault.field for fault in refused.value.faults] == [field]


def test_an_invitation_needs_no_nationality_and_khmer_digits_are_read():
    read = parse(LetterInput, {**SENT, "kind": "invitation", "nationality": "", "birth_date": "១៩៨០-១២-៣១"})
    assert (read.nationality, str(read.birth_date)) == ("", "1980-12-31")


def test_the_desk_sees_letters_by_the_permission_for_what_is_sensitive(hall: SmallHall):
    row = confirmed(hall)
    code = ask(hall, row)
    protocol = make_actor(hall.db, SOKHA, Role.PROTOCOL_OFFICER)
    assert [letter.registration for letter in desk_letters(hall.db, protocol, hall.forum)] == [row.code]
    assert desk_letter(hall.db, protocol, hall.forum, code)[1].id == row.id
    registrar = Actor.participant(row.id)
    for read in (lambda: desk_letters(hall.db, registrar, hall.forum),
                 lambda: desk_letter(hall.db, registrar, hall.forum, code)):  # fmt: skip
        with pytest.raises((Forbidden, NotFound)):
            read()


def test_a_letter_of_a_seat_given_up_is_printed_no_more(hall: SmallHall):
    row = confirmed(hall)
    code = ask(hall, row)
    cancel(hall.db, holder(row), hall.forum, row.code, now=NOW)
    with pytest.raises(NotFound):
        desk_letter(hall.db, OPERATOR, hall.forum, code)


def test_passports_are_forgotten_and_the_letter_with_them(hall: SmallHall):
    first, second = confirmed(hall), confirmed(hall)
    code = ask(hall, first, "a", passport_number="N7654321", birth_date="1980-12-31")
    ask(hall, second, "b")
    assert forget_passports(hall.db, hall.forum, now=NOW, application=first.id) == 1
    (left,) = letters_of(hall.db, first.id)
    assert (left.passport_name, left.passport_number, left.nationality, left.birth_date) == ("", "", "", None)
    with pytest.raises(NotFound):
        letter_of(hall.db, first.id, code)
    assert forget_passports(hall.db, hall.forum, now=NOW) == 1


def test_letters_go_along_when_two_registrations_are_joined(hall: SmallHall):
    kept, dropped = confirmed(hall), confirmed(hall)
    code = ask(hall, dropped)
    merge(hall.db, OPERATOR, hall.forum, kept.code, dropped.code, (kept.edition, dropped.edition), now=NOW)
    assert letter_of(hall.db, kept.id, code).passport_name == SENT["passport_name"]


@pytest.mark.parametrize(
    "changed", [{"passport_name": "HENG Rith"}, {"kind": "invitation"}, {"birth_date": "1980-12-31"}]
)
def test_the_same_form_with_something_else_in_it_is_refused_and_not_said_to_be_done(
    hall: SmallHall, changed: dict[str, str]
):
    row, other = confirmed(hall), confirmed(hall)
    letter = ask(hall, row)
    assert ask(hall, row) == letter
    with pytest.raises(Refused, match="form_sent_already"):
        ask(hall, row, **changed)
    with pytest.raises(Refused, match="form_sent_already"):
        ask(hall, other)
    assert len(letters_of(hall.db, row.id)) == 1
