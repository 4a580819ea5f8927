"""Speakers: kept at the desk, asked by a link, answering for themselves, named only once announced, forgotten."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import event, select, text

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import first_broken, history
from app.editions.exporting import export
from app.editions.loading import load
from app.editions.reading import read_forum_file
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from app.kit.i18n import Bilingual
from app.kit.inputs import parse
from app.kit.pictures import Picture
from app.mail.models import Message
from app.programme import asking, casting, speaking
from app.programme.asking_queries import feed_by_token, roles_of, speaker_by_token, speaker_of, speakers_of
from app.programme.comparing import version_for
from app.programme.inputs import AppearanceInput, AvailabilityInput, BioInput, TypedSpeaker
from app.programme.models import Portrait, Version
from app.programme.published import PublishedPerson
from app.programme.publishing import conflicts_of, publish
from app.programme.queries import history as versions_of
from app.programme.queries import published, withheld_names, working_copy
from app.programme.rules.conflicts import Kind
from app.programme.rules.speakers import Reply
from app.programme.rules.visibility import PUBLIC
from tests.cast import DARA, NOW, RITH, SECRET, SLUG, SOKHA, make_actor, the_forum
from tests.programme.test_drafting import put as load_talks
from tests.programme.test_drafting import talk
from tests.programme.test_editing import AT, edit, timed

OPERATOR = Actor.operator()
FIELDS = {"function_en": "Director of an Institute", "function_km": "នាយកវិទ្យាស្ថាន", "email": "chan@institute.example"}
NAMED = {"name_en": "Tellingname", "name_km": "ឈ្មោះប្រាប់", "bio_en": "Tellingbio", "announced": "yes"}
PICTURE = Picture(b"\xff\xd8\xff a picture", 3, 2)
CODE = "director-of-an-institute"


def typed(**changes: str) -> TypedSpeaker:
    return parse(TypedSpeaker, {**FIELDS, **changes})


@pytest.fixture
def forum(db: Db) -> Forum:
    """The real forum with one talk, published, and a speaker beside those of the file."""
    found = the_forum(db)
    load_talks(db, found, timed("T-01", room="mekong"))
    publish(db, OPERATOR, found, now=NOW)
    casting.add_speaker(db, OPERATOR, found, typed(), now=NOW)
    return found


def row_of(db: Db, forum: Forum) -> Any:
    return speaker_of(db, forum_id(forum), CODE)


def ask(db: Db, forum: Forum) -> Actor:
    """Ask the speaker; who then holds the link."""
    asking.ask(db, OPERATOR, forum, CODE, SECRET, now=NOW)
    return Actor.speaker(row_of(db, forum).id)


def token_of(row: Any) -> str:
    return asking.speaker_token(SECRET, row.id, row.generation)


def change(db: Db, forum: Forum, **changes: str) -> bool:
    edition = row_of(db, forum).edition
    return casting.change_speaker(db, OPERATOR, forum, CODE, typed(**changes), edition=edition, now=NOW)


def speaks(db: Db, forum: Forum, role: str = "speaker") -> None:
    edit(db, forum, "T-01", people=(AppearanceInput.model_validate({"speaker": CODE, "role": role}),))


def shown(db: Db, forum: Forum) -> Any:
    """The speaker as the public version has them."""
    (found,) = [p for s in published(db, forum_id(forum)).sessions for p in s.people if p.code == CODE]
    return found


def kinds(db: Db, forum: Forum) -> list[Kind]:
    return [one.kind for one in conflicts_of(db, forum)]


def mails(db: Db, state: str = "queued") -> list[str]:
    messages = table(Message)
    mine = (messages.c.subject == f"speaker:{CODE}") & (messages.c.state == state)
    return list(db.execute(select(messages.c.template).where(mine)).scalars())


# ---- the desk


def test_a_code_is_made_of_the_function_and_never_of_the_name(db: Db, forum: Forum) -> None:
    again = casting.add_speaker(db, OPERATOR, forum, typed(**NAMED), now=NOW)
    khmer = casting.add_speaker(db, OPERATOR, forum, typed(function_en="នាយក"), now=NOW)
    assert (again, khmer) == (f"{CODE}-2", "speaker")
    for code in (CODE, "new"):
        with pytest.raises(Invalid, match="invalid"):
            casting.add_speaker(db, OPERATOR, forum, typed(code=code), now=NOW)


def test_of_two_who_save_the_second_is_told_and_the_speaker_counts_as_one_of_them(db: Db, forum: Forum) -> None:
    opened = row_of(db, forum).edition
    assert change(db, forum, **NAMED)
    assert not change(db, forum, **NAMED)
    with pytest.raises(Conflict, match="speaker_changed"):
        casting.change_speaker(db, OPERATOR, forum, CODE, typed(), edition=opened, now=NOW)
    by, opened = ask(db, forum), row_of(db, forum).edition
    speaking.write_bio(db, by, forum, CODE, BioInput(bio_en="New words"), now=NOW)
    with pytest.raises(Conflict):
        casting.change_speaker(db, OPERATOR, forum, CODE, typed(), edition=opened, now=NOW)


def test_only_who_edits_the_programme_may_and_links_are_shown_to_fewer(db: Db, forum: Forum) -> None:
    viewer, editor = make_actor(db, RITH, Role.VIEWER), make_actor(db, DARA, Role.PROGRAMME_EDITOR)
    for who, refusal in ((viewer, Forbidden), (Actor.visitor(), NotFound)):
        with pytest.raises(refusal):
            casting.add_speaker(db, who, forum, typed(), now=NOW)
        with pytest.raises(refusal):
            asking.ask(db, who, forum, CODE, SECRET, now=NOW)
        with pytest.raises(refusal):
            speaking.erase_speaker(db, who, forum, CODE, now=NOW)
    asking.ask(db, editor, forum, CODE, SECRET, now=NOW)
    with pytest.raises(Forbidden):
        asking.show_link(db, editor, forum, CODE, SECRET, now=NOW)
    sokha = make_actor(db, SOKHA, Role.ORGANISER)
    assert asking.show_link(db, sokha, forum, CODE, SECRET, now=NOW) == ("en", token_of(row_of(db, forum)))


def test_an_announced_name_has_to_be_there_and_an_institution_in_both_languages(db: Db, forum: Forum) -> None:
    for wrong, field in (({"announced": "yes"}, "name_en"), ({"institution_en": "Alone"}, "institution_km")):
        with pytest.raises(Invalid) as refused:
            change(db, forum, **wrong)
        assert [fault.field for fault in refused.value.faults] == [field]


def test_a_speaker_in_a_session_cannot_be_removed_and_the_refusal_names_it(db: Db, forum: Forum) -> None:
    speaks(db, forum)
    with pytest.raises(Refused) as refused:
        casting.remove_speaker(db, OPERATOR, forum, CODE, now=NOW)
    assert (refused.value.code, refused.value.values) == ("speaker_in_sessions", {"sessions": "T-01"})
    edit(db, forum, "T-01", people=())
    casting.remove_speaker(db, OPERATOR, forum, CODE, now=NOW)
    with pytest.raises(NotFound):
        row_of(db, forum)


def test_a_number_used_again_makes_no_old_link_live(db: Db, forum: Forum) -> None:
    ask(db, forum)
    old = row_of(db, forum)
    casting.remove_speaker(db, OPERATOR, forum, CODE, now=NOW)
    casting.add_speaker(db, OPERATOR, forum, typed(), now=NOW)
    ask(db, forum)
    with pytest.raises(NotFound):
        speaker_by_token(db, token_of(old))
    assert speaker_by_token(db, token_of(row_of(db, forum))).row.code == CODE


# ---- asking and answering


def test_who_is_asked_gets_one_mail_and_answers_and_may_change_their_mind(db: Db, forum: Forum) -> None:
    by = ask(db, forum)
    asking.ask(db, OPERATOR, forum, CODE, SECRET, now=NOW)
    assert (mails(db), mails(db, "withheld")) == (["speaker/asked"], ["speaker/asked"])
    assert speaking.answer(db, by, forum, CODE, Reply.ACCEPTED, "Tellingnote", now=NOW)
    assert not speaking.answer(db, by, forum, CODE, Reply.ACCEPTED, "Tellingnote", now=NOW)
    assert mails(db) == []
    with pytest.raises(Refused, match="speaker_has_accepted"):
        asking.ask(db, OPERATOR, forum, CODE, SECRET, now=NOW)
    assert speaking.answer(db, by, forum, CODE, Reply.DECLINED, "", now=NOW)
    told = [fact.kind for fact in history(db, SLUG, f"speaker:{CODE}")]
    assert told == ["speaker.added", "speaker.asked", "speaker.asked_again", "speaker.accepted", "speaker.declined"]


def test_a_renewed_link_ends_the_old_one_and_a_question_taken_back_ends_both(db: Db, forum: Forum) -> None:
    by = ask(db, forum)
    first = row_of(db, forum)
    asking.renew(db, OPERATOR, forum, CODE, SECRET, now=NOW)
    second = row_of(db, forum)
    with pytest.raises(NotFound):
        speaker_by_token(db, token_of(first))
    assert speaker_by_token(db, token_of(second)).row.code == CODE
    asking.withdraw(db, OPERATOR, forum, CODE, now=NOW)
    assert mails(db) == []
    feed = asking.speaker_feed_token(SECRET, first.id, first.feed_generation)
    assert feed_by_token(db, feed) is None
    with pytest.raises(NotFound):
        speaker_by_token(db, token_of(second))
    with pytest.raises(NotFound):
        speaking.answer(db, by, forum, CODE, Reply.ACCEPTED, "", now=NOW)
    ask(db, forum)
    with pytest.raises(NotFound):
        speaker_by_token(db, token_of(second))


def test_nobody_speaks_for_another(db: Db, forum: Forum) -> None:
    ask(db, forum)
    for stranger in (Actor.speaker(row_of(db, forum).id + 1), Actor.participant(row_of(db, forum).id), OPERATOR):
        with pytest.raises(NotFound):
            speaking.answer(db, stranger, forum, CODE, Reply.ACCEPTED, "", now=NOW)
        with pytest.raises(NotFound):
            speaking.renew_feed(db, stranger, forum, CODE, SECRET, now=NOW)


def test_a_renewed_calendar_is_found_under_its_new_address_alone(db: Db, forum: Forum) -> None:
    by = ask(db, forum)
    old = row_of(db, forum)
    speaking.renew_feed(db, by, forum, CODE, SECRET, now=NOW)
    tokens = [asking.speaker_feed_token(SECRET, old.id, old.feed_generation + more) for more in (0, 1)]
    assert [found and found.speaker for found in (feed_by_token(db, token) for token in tokens)] == [None, CODE]


# ---- what stands in the way


def test_guests_are_waited_for_and_those_away_or_declined_are_warned_of(db: Db, forum: Forum) -> None:
    speaks(db, forum)
    assert kinds(db, forum) == []
    change(db, forum, guest="yes")
    assert kinds(db, forum) == [Kind.GUEST_UNCONFIRMED]
    by = ask(db, forum)
    speaking.answer(db, by, forum, CODE, Reply.ACCEPTED, "", now=NOW)
    assert kinds(db, forum) == []
    morning = AvailabilityInput(away=(f"{AT.date().isoformat()}.morning",), away_note="Flies in")
    speaking.put_availability(db, by, forum, CODE, morning, now=NOW)
    assert kinds(db, forum) == [Kind.SPEAKER_AWAY]
    speaking.answer(db, by, forum, CODE, Reply.DECLINED, "", now=NOW)
    assert kinds(db, forum) == [Kind.SPEAKER_DECLINED]
    assert publish(db, OPERATOR, forum, now=NOW) == 3, "a warning keeps nobody from publishing"


def test_a_time_that_is_no_part_of_the_forum_is_refused(db: Db, forum: Forum) -> None:
    by = ask(db, forum)
    with pytest.raises(Invalid):
        speaking.put_availability(db, by, forum, CODE, AvailabilityInput(away=("2027-04-01.morning",)), now=NOW)


def queries(db: Db, read: Any) -> int:
    db.write_waiting()  # of what was done, not of what is read
    asked: list[str] = []

    def count(_conn: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement)

    engine = db.get_bind()
    event.listen(engine, "before_cursor_execute", count)
    read()
    event.remove(engine, "before_cursor_execute", count)
    return len(asked)


def test_lists_and_conflicts_cost_as_much_for_three_speakers_as_for_one(db: Db, forum: Forum) -> None:
    own = forum_id(forum)
    reads: Sequence[Any] = (
        lambda: speakers_of(db, own),
        lambda: roles_of(db, own),
        lambda: conflicts_of(db, forum),
    )
    before = [queries(db, read) for read in reads]
    for number in range(2):
        code = casting.add_speaker(db, OPERATOR, forum, typed(function_en=f"More {number}"), now=NOW)
        asking.ask(db, OPERATOR, forum, code, SECRET, now=NOW)
        edit(db, forum, "T-01", people=(AppearanceInput(speaker=code, role="speaker"),))
    assert [queries(db, read) for read in reads] == before == [1, 1, 5]


# ---- what is public


def test_a_name_words_and_photograph_are_in_no_version_before_the_name_is_announced(db: Db, forum: Forum) -> None:
    change(db, forum, **{**NAMED, "announced": ""})
    speaks(db, forum)
    speaking.put_photo(db, OPERATOR, forum, CODE, PICTURE, now=NOW)
    publish(db, OPERATOR, forum, now=NOW)
    person, versions = shown(db, forum), table(Version)
    assert (person.name, person.bio, person.photo) == (None, None, None)
    assert person.shown_as == Bilingual("Director of an Institute", "នាយកវិទ្យាស្ថាន")
    whole = str(list(db.execute(select(versions.c.document)).scalars()))
    assert "Telling" not in whole
    change(db, forum, **NAMED)
    publish(db, OPERATOR, forum, now=NOW)
    person = shown(db, forum)
    assert (person.name.en, person.bio.en, len(person.photo)) == ("Tellingname", "Tellingbio", 32)


def test_what_a_speaker_writes_is_public_with_the_next_version_only(db: Db, forum: Forum) -> None:
    change(db, forum, **NAMED)
    speaks(db, forum)
    publish(db, OPERATOR, forum, now=NOW)
    by = ask(db, forum)
    speaking.write_bio(db, by, forum, CODE, BioInput(bio_km="ពាក្យថ្មី"), now=NOW)
    speaking.put_photo(db, by, forum, CODE, PICTURE, now=NOW)
    assert (shown(db, forum).bio.en, shown(db, forum).photo) == ("Tellingbio", None)
    publish(db, OPERATOR, forum, now=NOW)
    assert shown(db, forum).bio == Bilingual("", "ពាក្យថ្មី")
    assert shown(db, forum).photo == row_of(db, forum).photo


def test_a_photograph_is_kept_while_a_version_or_a_draft_shows_it(db: Db, forum: Forum) -> None:
    def kept() -> int:
        return len(db.execute(select(table(Portrait).c.id)).all())

    change(db, forum, **NAMED)
    speaks(db, forum)
    by = ask(db, forum)
    speaking.put_photo(db, by, forum, CODE, PICTURE, now=NOW)
    publish(db, OPERATOR, forum, now=NOW)
    other = Picture(b"\xff\xd8\xff another", 3, 2)
    speaking.put_photo(db, by, forum, CODE, other, now=NOW)
    assert kept() == 2, "the public one, and the one to come"
    for number in range(3):
        speaking.put_photo(db, by, forum, CODE, Picture(other.body + bytes([number]), 3, 2), now=NOW)
    assert kept() == 2, "what was sent in between was never shown"
    publish(db, OPERATOR, forum, now=NOW)
    assert kept() == 1
    speaking.put_photo(db, by, forum, CODE, None, now=NOW)
    assert kept() == 1
    publish(db, OPERATOR, forum, now=NOW)
    assert kept() == 0


@pytest.mark.parametrize("leaves", [False, True])
def test_a_name_that_is_taken_back_is_in_no_older_version_either(db: Db, forum: Forum, leaves: bool) -> None:
    change(db, forum, **NAMED)
    speaks(db, forum)
    named = publish(db, OPERATOR, forum, now=NOW)

    def then() -> PublishedPerson:
        past = versions_of(db, forum_id(forum))
        number = past[-1 - (past[-1].number - named)].public_number
        version = version_for(past, number, PUBLIC, withheld_names(db, forum_id(forum)))
        assert version is not None
        (found,) = [person for session in version.sessions for person in session.people if person.code == CODE]
        return found

    assert then().shown_as.en == "Tellingname"
    if leaves:
        edit(db, forum, "T-01", people=())
        publish(db, OPERATOR, forum, now=NOW)
        assert then().shown_as.en == "Tellingname", "who is in no session any more was announced all the same"
    change(db, forum, **{**NAMED, "announced": ""})
    if not leaves:
        publish(db, OPERATOR, forum, now=NOW)
    assert (then().shown_as.en, then().bio) == ("Director of an Institute", None)


# ---- erasing, and files


def everything(db: Db) -> str:
    names = db.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars()
    rows = (str(row) for name in names for row in db.execute(text(f"SELECT * FROM {name}")))  # noqa: S608
    # JSON is kept with its letters as \uXXXX
    return re.sub(r"\\+u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), "\n".join(rows))


def test_nothing_of_an_erased_speaker_is_left_anywhere_and_the_function_stays(db: Db, forum: Forum) -> None:
    change(db, forum, **NAMED, email="telling@institute.example")
    speaks(db, forum)
    by = ask(db, forum)
    speaking.answer(db, by, forum, CODE, Reply.ACCEPTED, "Tellingnote", now=NOW)
    away = AvailabilityInput(away=(f"{AT.date().isoformat()}.morning",), away_note="Tellingtimes")
    speaking.put_availability(db, by, forum, CODE, away, now=NOW)
    speaking.put_photo(db, by, forum, CODE, PICTURE, now=NOW)
    publish(db, OPERATOR, forum, now=NOW)
    link = token_of(row_of(db, forum))
    words = ("Tellingname", "ឈ្មោះប្រាប់", "Tellingbio", "Tellingnote", "Tellingtimes", "telling@", "a picture")
    assert [word for word in words if word not in everything(db)] == [], "or the test could not fail"
    speaking.erase_speaker(db, by, forum, CODE, now=NOW)
    after = everything(db)
    assert [word for word in words if word in after] == []
    assert shown(db, forum).shown_as.en == "Director of an Institute"
    assert published(db, forum_id(forum), 2).sessions, "older versions stand, without the name"
    with pytest.raises(NotFound):
        speaker_by_token(db, link)
    assert first_broken(db, SLUG) is None


def test_a_file_carries_what_is_announced_and_who_is_a_guest_and_no_address(db: Db, forum: Forum) -> None:
    change(db, forum, **{**NAMED, "announced": ""}, guest="yes")
    ask(db, forum)
    written = export(db, SLUG)
    assert "chan@institute.example" not in written
    file = read_forum_file(written.encode())
    (found,) = [one for one in file.speakers if one.code == CODE]
    assert (found.announced, found.guest, found.bio) == (False, True, Bilingual("Tellingbio", ""))
    load(db, OPERATOR, file, now=NOW)
    before = row_of(db, forum)
    assert load(db, OPERATOR, file, now=NOW).changed == ()
    assert row_of(db, forum) == before, "what the file does not know stays: the question, the link, the photograph"


def test_the_working_copy_says_no_name_that_is_not_announced(db: Db, forum: Forum) -> None:
    load_talks(db, forum, talk("T-01"))
    assert all(person.name is None for s in working_copy(db, forum_id(forum)) for person in s.people)
