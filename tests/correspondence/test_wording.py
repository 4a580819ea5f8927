from typing import Any

import pytest

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.correspondence.contents import MASK, contents
from app.correspondence.previewing import preview, reader_of
from app.correspondence.rendering import rendered
from app.correspondence.resending import resend, whole_message
from app.correspondence.wording import (
    WordsInput,
    editions_of,
    filled_up,
    kind_of,
    kinds,
    own_words,
    placeholders_of,
    put_words,
    samples,
    worded_kinds,
)
from app.editions.form import ForumFile
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from app.kit.i18n import LANGS
from app.mail.outbox import about, claim, mark_sent
from app.registration.erasing import erase
from tests.cast import NOW, SECRET, SLUG, VANNA, holder, make_application, the_forum
from tests.conftest import settings_for

OPERATOR = Actor.operator()
SEATED = kind_of("registration.seated")
SETTINGS = settings_for("sqlite://", BASE_URL="https://forum.example")
WORDS = WordsInput(
    subject_en="A seat for {name}", text_en="You have {hours} hours.\n\nYours, {forum}", subject_km="", text_km=""
)


def put(db: Db, words: WordsInput = WORDS, edition: int = 0, **changes: Any) -> bool:
    by = changes.pop("by", OPERATOR)
    return put_words(db, by, the_forum(db), SEATED, words.model_copy(update=changes), edition, now=NOW)


def newest(db: Db, lang: str = "en") -> Any:
    return own_words(db, forum_id(the_forum(db)), "registration/seated", "", lang)


def test_a_message_is_sent_in_the_forums_own_words_with_its_built_in_ones_where_there_are_none(db: Db):
    put(db)
    make_application(db, VANNA, display_name="{hours} {link} Vanna", language="en")
    message = claim(db, now=NOW)[0]
    letter = rendered(message.template, "en", contents(db, message, SETTINGS, now=NOW))
    assert letter.subject == "A seat for {hours} {link} Vanna"
    assert letter.paragraphs[0] == "You have 48 hours."
    assert "https://forum.example/en/my/" in letter.text
    khmer = rendered(message.template, "km", contents(db, message, SETTINGS, now=NOW))
    assert khmer.paragraphs[1] == "Yours, " + the_forum(db).title.en, "the language is that of the message"
    assert newest(db, "km") is None


def test_the_built_in_words_sent_as_they_are_are_no_own_words(db: Db):
    there = WordsInput(**filled_up(SEATED, WordsInput()))
    assert not put(db, there)
    assert put(db, there, subject_en="{hours}")
    assert newest(db, "km") is None


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"text_en": "{hours} {person.email}"}, [("text_en", "placeholder_unknown")]),
        ({"text_en": "In time, please."}, [("text_en", "placeholder_missing")]),
        ({"text_en": "{hours} {"}, [("text_en", "placeholder_open")]),
        ({"subject_en": ""}, [("subject_en", "missing")]),
        ({"text_km": "{hours}", "subject_km": "{secret}"}, [("subject_km", "placeholder_unknown")]),
    ],
)
def test_words_with_a_fault_are_refused_beside_their_field(db: Db, changes: Any, faults: Any):
    with pytest.raises(Invalid) as refused:
        put(db, **changes)
    assert [(fault.field, fault.code) for fault in refused.value.faults] == faults
    assert newest(db) is None


def test_of_two_who_change_the_same_words_the_second_is_told(db: Db):
    put(db)
    with pytest.raises(Conflict, match="words_changed"):
        put(db, text_en="{hours}")
    assert put(db, edition=1, text_en="{hours}")
    assert not put(db, edition=2, text_en="{hours}")
    assert [row.edition for row in editions_of(db, forum_id(the_forum(db)), SEATED)] == [2, 1]
    assert [row.edition for row in worded_kinds(db, forum_id(the_forum(db))).values()] == [2]
    assert put(db, WordsInput(), edition=2)
    assert newest(db) is None


def test_only_those_who_edit_the_forum_change_what_it_says_by_itself(db: Db):
    registrar = Actor("user", None, roles={forum_id(the_forum(db)): frozenset({Role.REGISTRAR})})
    with pytest.raises(Forbidden):
        put(db, by=registrar)


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.code)
def test_every_message_can_be_looked_at_with_its_own_placeholders(db: Db, kind: Any):
    assert set(placeholders_of(kind)) <= samples("en").keys() == samples("km").keys()
    everything = " ".join(f"{{{name}}}" for name in placeholders_of(kind))
    words = {f"{part}_{lang}": everything for part in ("subject", "text") for lang in LANGS}
    make_application(db, VANNA)
    reader = reader_of(db, OPERATOR, the_forum(db), kind, "")
    for mail in preview(db, the_forum(db), kind, words, reader, SETTINGS, now=NOW):
        assert "{" not in mail.text
        assert "/my/" not in mail.text
        assert mail.link == MASK


def test_a_reader_is_looked_for_inside_the_forum_alone(db: Db):
    row = make_application(db, VANNA)
    found = reader_of(db, OPERATOR, the_forum(db), SEATED, row.code)
    assert found is not None
    assert found.subject == f"registration:{row.code}"
    with pytest.raises(Invalid):
        reader_of(db, OPERATOR, the_forum(db), SEATED, "ZZZZZZZ")


def sent(db: Db) -> Any:
    """Somebody's mail, and the registration it is about."""
    row = make_application(db, VANNA)
    message = claim(db, now=NOW)[0]
    mark_sent(db, message, now=NOW)
    return row, message.id


def test_a_mail_is_sent_again_under_another_message_id_to_the_address_of_now(db: Db):
    row, message = sent(db)
    assert resend(db, OPERATOR, the_forum(db), message, now=NOW) is False
    first, again = about(db, SLUG, f"registration:{row.code}")
    assert again.message_id != first.message_id
    assert (again.resend_of, again.state, again.to_address) == (first.id, "queued", first.to_address)
    with pytest.raises(Conflict, match="mail_under_way"):
        resend(db, OPERATOR, the_forum(db), again.id, now=NOW)
    with pytest.raises(NotFound):
        resend(db, OPERATOR, the_forum(db), 999, now=NOW)


def test_a_mail_of_somebody_erased_is_shown_without_them_and_not_sent_again(db: Db, forum_file: ForumFile):
    row, message = sent(db)
    shown = whole_message(db, OPERATOR, the_forum(db), message, SETTINGS, now=NOW).shown
    assert shown is not None
    assert MASK in shown.text
    assert SECRET.hex() not in shown.text
    erase(db, holder(row), the_forum(db), row.code, now=NOW)
    whole = whole_message(db, OPERATOR, the_forum(db), message, SETTINGS, now=NOW)
    assert (whole.shown, whole.row.to_address) == (None, "")
    with pytest.raises(Refused, match="mail_has_no_reader"):
        resend(db, OPERATOR, the_forum(db), message, now=NOW)
