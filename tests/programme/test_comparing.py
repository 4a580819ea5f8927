"""Published sessions in the form the rule of changes compares."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.forum.queries import forum_by_slug, forum_id
from app.kit.db import Db
from app.kit.i18n import Bilingual
from app.programme.comparing import entries, place_name, place_of, steps
from app.programme.published import Programme, PublishedSession
from app.programme.queries import history
from app.programme.rules.changes import Kind, changes
from app.programme.rules.visibility import PUBLIC, Viewer
from tests.cast import NOW, SLUG

WORDS = Bilingual("Something else", "អ្វីផ្សេង")
DESK = Viewer(desk=True)


@pytest.fixture
def panel(db: Db) -> PublishedSession:
    """A session that has everything a session can have."""
    sessions = history(db, forum_id(forum_by_slug(db, SLUG)))[-1].sessions
    return next(session for session in sessions if session.code == "D1-07")


def later(session: PublishedSession) -> dict[str, Any]:
    assert session.starts_at
    assert session.ends_at
    return {"starts_at": session.starts_at + timedelta(hours=1), "ends_at": session.ends_at + timedelta(hours=1)}


@pytest.mark.parametrize(
    ("edit", "kinds"),
    [
        (lambda _: {}, []),
        (later, [Kind.MOVED]),
        (lambda _: {"room": "bassac", "room_name": Bilingual("Bassac Room", "បន្ទប់បាសាក់")}, [Kind.MOVED]),
        (lambda _: {"room_name": WORDS}, [Kind.MOVED]),
        (lambda _: {"room": None, "room_name": None}, [Kind.MOVED]),
        (lambda _: {"title": WORDS}, [Kind.RETITLED]),
        (lambda _: {"cancelled": True}, [Kind.CANCELLED]),
        (lambda session: {"people": session.people[1:]}, [Kind.SPEAKERS_CHANGED]),
        (lambda session: {"people": session.people[::-1]}, [Kind.SPEAKERS_CHANGED]),
        (
            lambda session: {"people": tuple(replace(one, name=WORDS) for one in session.people)},
            [Kind.SPEAKERS_CHANGED],
        ),
        (lambda _: {"abstract": WORDS}, [Kind.EDITED]),
        (lambda _: {"guiding_question": None}, [Kind.EDITED]),
        (lambda _: {"attribution": "REC"}, [Kind.EDITED]),
        (lambda _: {"spoken": ("fr",)}, [Kind.EDITED]),
        (lambda _: {"themes": ()}, [Kind.EDITED]),
        (lambda _: {"type": "plenary"}, [Kind.EDITED]),
    ],
)
def test_every_public_word_of_a_session_makes_a_change_of_its_kind(
    panel: PublishedSession, edit: Callable[[PublishedSession], dict[str, Any]], kinds: list[Kind]
) -> None:
    found = changes(entries([panel]), entries([replace(panel, **edit(panel))]))
    assert [change.kind for change in found] == kinds


def test_a_place_keeps_the_name_it_had(panel: PublishedSession) -> None:
    assert place_name(place_of(panel)) == panel.room_name
    assert place_name(place_of(replace(panel, room=None, room_name=None))) == Bilingual()


def test_the_first_version_has_a_number_of_sessions_and_later_ones_their_changes(panel: PublishedSession) -> None:
    past = [Programme(1, NOW, 1, NOW, None, (panel,)), Programme(2, NOW, 2, NOW, None, (replace(panel, title=WORDS),))]
    second, first = steps(past, PUBLIC)
    assert (first.first, first.sessions, first.changes) == (True, 1, ())
    assert not second.first
    assert [change.kind for change in second.changes] == [Kind.RETITLED]
    assert steps([], PUBLIC) == []


def test_a_closed_session_has_changes_for_the_desk_alone(panel: PublishedSession) -> None:
    closed = replace(panel, attribution="CLO")
    past = [
        Programme(1, NOW, 1, NOW, None, (closed,)),
        Programme(2, NOW, 1, NOW, None, (replace(closed, title=WORDS),)),
    ]
    assert [(step.sessions, step.changes) for step in steps(past, PUBLIC)] == [(0, ())]
    assert steps(past, DESK)[0].changes


def test_a_version_that_is_left_out_does_not_stop_the_count(panel: PublishedSession) -> None:
    closed = replace(panel, uid="other", attribution="CLO")
    past = [
        Programme(1, NOW, 1, NOW, None, (panel, closed)),
        Programme(2, NOW, 1, NOW, None, (panel, replace(closed, title=WORDS))),
        Programme(3, NOW, 2, NOW, None, (replace(panel, title=WORDS), closed)),
    ]
    assert [step.programme.public_number for step in steps(past, PUBLIC)] == [2, 1]
    assert [step.programme.number for step in steps(past, DESK)] == [3, 2, 1]
