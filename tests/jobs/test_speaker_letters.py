"""Mails to speakers: asked in their language with a link that opens their page, told of their own sessions alone."""

from typing import Any

import pytest
from sqlalchemy import select

from app.accounts.actor import Actor
from app.forum.queries import forum_id
from app.jobs.crew import Crew
from app.jobs.duties import deliver
from app.kit.db import Db, table
from app.kit.i18n import Bilingual
from app.kit.inputs import parse
from app.mail.models import Message
from app.programme import asking, casting, speaking
from app.programme.asking_queries import speaker_of
from app.programme.drafting import states_of
from app.programme.editing import change
from app.programme.inputs import AppearanceInput, BioInput, TypedSpeaker
from app.programme.publishing import publish
from app.programme.rules.speakers import Reply
from app.programme.telling import TEMPLATE
from tests.cast import NOW, SECRET, SLUG, the_forum
from tests.jobs.conftest import Sink
from tests.jobs.test_deliver import text_of_mail
from tests.jobs.test_reactions import settled, until_idle

OPERATOR = Actor.operator()
NAMED = {"name_en": "Chan Sophea", "name_km": "ចាន់ សុភា", "announced": "yes", "function_en": "Director"}
NAMED |= {"function_km": "នាយក", "email": "chan@institute.example"}
MINE, CLOSED = "D1-07", "C-01"


def asked(crew: Crew, *sessions: str, lang: str = "km") -> Any:
    """A speaker who is in these sessions of a version, and asked."""

    def deed(db: Db) -> Any:
        forum = the_forum(db)
        code = casting.add_speaker(db, OPERATOR, forum, parse(TypedSpeaker, {**NAMED, "language": lang}), now=NOW)
        for session in sessions:
            put(db, session, code)
        if sessions:
            publish(db, OPERATOR, forum, now=NOW, reason="for the test")
        asking.ask(db, OPERATOR, forum, code, SECRET, now=NOW)
        return speaker_of(db, forum_id(forum), code)

    return crew.pen.write_now(SLUG, deed)


def put(db: Db, session: str, *codes: str, **changes: Any) -> None:
    """These speakers in this session of the working copy, beside other changes of it."""
    forum = the_forum(db)
    (state,) = states_of(db, forum_id(forum), code=session).values()
    people = (*state.draft.people, *(AppearanceInput(speaker=code, role="speaker") for code in codes))
    draft = state.draft.model_copy(update={"people": people, **changes})
    change(db, OPERATOR, forum, session, draft, edition=state.edition, now=NOW, reason="for the test")


def new_version(crew: Crew, session: str, *codes: str, **changes: Any) -> None:
    def deed(db: Db) -> None:
        put(db, session, *codes, **changes)
        publish(db, OPERATOR, the_forum(db), now=NOW, reason="for the test")

    crew.pen.write_now(SLUG, deed)


def told(crew: Crew) -> list[str]:
    """The states of the messages to speakers about changes."""
    messages = table(Message)
    wanted = select(messages.c.state).where(messages.c.template == TEMPLATE).order_by(messages.c.id)
    return crew.database.read(lambda db: list(db.execute(wanted).scalars()))


@pytest.fixture
def begun(crew: Crew) -> Crew:
    """A crew that has seen to everything there was."""
    settled(crew)
    return crew


@pytest.mark.parametrize(("lang", "words"), [("en", ("Chan Sophea", "Director")), ("km", ("ចាន់ សុភា", "នាយក"))])
def test_the_question_names_sessions_and_function_and_its_link_opens_the_page(
    begun: Crew, sink: Sink, lang: str, words: tuple[str, ...]
) -> None:
    row = asked(begun, MINE, lang=lang)
    deliver(begun)
    text = text_of_mail(sink.mails[-1])
    assert f"https://forum.example/{lang}/speaking/{asking.speaker_token(SECRET, row.id, row.generation)}" in text
    with begun.database.reading() as db:
        title = states_of(db, forum_id(the_forum(db)), code=MINE).popitem()[1].draft.title.of(lang)
    for word in (*words, title):
        assert word in text
    assert "{" not in text


def test_a_question_that_was_answered_or_taken_back_does_not_leave(begun: Crew, sink: Sink) -> None:
    row = asked(begun)

    def deed(db: Db) -> None:
        speaking.answer(db, Actor.speaker(row.id), the_forum(db), row.code, Reply.DECLINED, "", now=NOW)

    begun.pen.write_now(SLUG, deed)
    deliver(begun)
    assert sink.mails == []


def test_a_speaker_is_told_once_of_changes_in_their_own_sessions_closed_ones_too(begun: Crew, sink: Sink) -> None:
    asked(begun, MINE, CLOSED)
    settled(begun)
    until_idle(deliver, begun)
    new_version(begun, "D1-08", title=Bilingual("Not theirs", "មិនមែន"))
    settled(begun)
    assert told(begun) == []
    new_version(begun, CLOSED, title=Bilingual("Another title", "ចំណងជើងផ្សេង"))
    settled(begun)
    new_version(begun, MINE, room=None)
    settled(begun)
    settled(begun)
    assert told(begun) == ["withheld", "queued"], "two versions in quick succession are one message"
    until_idle(deliver, begun)
    text = text_of_mail(sink.mails[-1])
    assert "ចំណងជើងផ្សេង" in text
    assert "/km/speaking/" in text


def test_what_a_speaker_wrote_themselves_is_no_news_to_them_and_leaving_a_session_is(begun: Crew) -> None:
    row = asked(begun, MINE)
    settled(begun)

    def deed(db: Db) -> None:
        speaking.write_bio(db, Actor.speaker(row.id), the_forum(db), row.code, BioInput(bio_en="New"), now=NOW)
        publish(db, OPERATOR, the_forum(db), now=NOW, reason="for the test")

    begun.pen.write_now(SLUG, deed)
    settled(begun)
    assert told(begun) == []
    new_version(begun, MINE, people=())
    settled(begun)
    assert told(begun) == ["queued"]


def test_whoever_left_a_session_is_not_told_what_it_became(begun: Crew, sink: Sink) -> None:
    asked(begun, MINE, lang="en")
    settled(begun)
    until_idle(deliver, begun)
    with begun.database.reading() as db:
        known = states_of(db, forum_id(the_forum(db)), code=MINE).popitem()[1].draft.title.en
    new_version(begun, MINE, people=(), code="X-01", title=Bilingual("Behind doors", "សម្ងាត់"), attribution="CLO")
    settled(begun)
    until_idle(deliver, begun)
    text = text_of_mail(sink.mails[-1])
    assert known in text
    assert "Behind doors" not in text


def test_who_declined_is_told_of_nothing(begun: Crew) -> None:
    row = asked(begun, MINE)
    settled(begun)

    def deed(db: Db) -> None:
        speaking.answer(db, Actor.speaker(row.id), the_forum(db), row.code, Reply.DECLINED, "", now=NOW)

    begun.pen.write_now(SLUG, deed)
    new_version(begun, MINE, room=None)
    settled(begun)
    assert told(begun) == []
