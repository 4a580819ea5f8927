"""Ready vevents: when they are built, when anew, and how many are kept."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app.accounts.actor import Actor
from app.calendars.shelves import Shelves
from app.editions.form import ForumFile
from app.forum.founding import put_forum, put_structure
from app.kit.db import Database, table
from app.kit.errors import NotFound
from app.kit.i18n import Bilingual
from app.kit.pen import Pen
from app.programme.models import Session
from app.programme.publishing import publish
from app.registration.inputs import SignUpInput
from app.registration.quotas import put_sign_ups
from tests.cast import NOW, SLUG, the_forum

BASE_URL = "https://forum.example"
LATER = NOW + timedelta(hours=1)


def rename(pen: Pen, code: str, title: Bilingual) -> None:
    """Give a session of the working copy another title."""
    sessions = table(Session)
    pen.write_now(SLUG, lambda db: db.execute(sessions.update().where(sessions.c.code == code).values(title=title)))


def test_the_vevents_of_a_revision_are_built_once_and_looked_up_by_one_query(
    database: Database, queries: Callable[[], Any]
) -> None:
    shelves = Shelves()
    first = database.read(lambda db: shelves.at(db, SLUG, "en", BASE_URL))
    with queries() as counted:
        second = database.read(lambda db: shelves.at(db, SLUG, "en", BASE_URL))
    assert second is first
    assert len(counted) == 1
    assert len(first.vevents) == len([s for s in first.programme.sessions if s.starts_at])


def test_each_language_has_its_own_shelf(database: Database) -> None:
    shelves = Shelves()
    english = database.read(lambda db: shelves.at(db, SLUG, "en", BASE_URL))
    khmer = database.read(lambda db: shelves.at(db, SLUG, "km", BASE_URL))
    assert english.vevents.keys() == khmer.vevents.keys()
    assert english.vevents != khmer.vevents


def test_two_processes_build_the_same_bytes(database: Database) -> None:
    one, other = (database.read(lambda db: Shelves().at(db, SLUG, "km", BASE_URL)) for _ in range(2))
    assert one is not other
    assert one.vevents == other.vevents
    assert one.zone == other.zone


def test_a_new_version_a_new_address_and_new_sign_ups_each_fill_it_anew(
    database: Database, pen: Pen, forum_file: ForumFile
) -> None:
    shelves = Shelves()

    def shelf() -> Any:
        return database.read(lambda db: shelves.at(db, SLUG, "en", BASE_URL))

    first = shelf()
    rename(pen, "D1-04", Bilingual("Quite another title", "ចំណងជើងផ្សេង"))
    assert shelf() is first  # drafted, not published
    pen.write_now(SLUG, lambda db: publish(db, Actor.operator(), the_forum(db), now=LATER))
    second = shelf()
    assert second.programme.number == first.programme.number + 1
    changed = {uid for uid, text in second.vevents.items() if text != first.vevents[uid]}
    assert changed == {session.uid for session in second.programme.sessions if session.code == "D1-04"}

    venue = forum_file.forum.venue.model_copy(update={"address": Bilingual("Elsewhere", "កន្លែងផ្សេង")})
    moved = forum_file.forum.model_copy(update={"venue": venue})
    pen.write_now(SLUG, lambda db: put_forum(db, Actor.operator(), moved, now=LATER)[1])
    third = shelf()
    assert all(b"Elsewhere" in text.replace(b"\r\n ", b"") for text in third.vevents.values())

    tracks = [forum_file.tracks[0].model_copy(update={"title": Bilingual("Renamed", "ឈ្មោះថ្មី")}), *forum_file.tracks[1:]]
    parts = (forum_file.objectives, tracks, forum_file.rooms)
    pen.write_now(SLUG, lambda db: put_structure(db, Actor.operator(), the_forum(db), *parts, now=LATER))
    fourth = shelf()
    assert b"CATEGORIES:Renamed" in b"".join(fourth.vevents.values())
    assert fourth.forum.changed_at == LATER

    known = {s.code: s.uid for s in first.programme.sessions}
    wanted = [SignUpInput(session="D1-04", places=10)]
    pen.write_now(SLUG, lambda db: put_sign_ups(db, Actor.operator(), the_forum(db), wanted, known, now=LATER))
    assert shelf().sign_ups == {known["D1-04"]}


def test_no_more_shelves_are_kept_than_allowed_and_the_one_longest_unused_goes(database: Database) -> None:
    shelves = Shelves(most=1)
    english = database.read(lambda db: shelves.at(db, SLUG, "en", BASE_URL))
    database.read(lambda db: shelves.at(db, SLUG, "km", BASE_URL))
    assert database.read(lambda db: shelves.at(db, SLUG, "en", BASE_URL)) is not english


def test_an_unknown_forum_is_not_found_and_takes_no_place(database: Database) -> None:
    shelves = Shelves(most=1)
    english = database.read(lambda db: shelves.at(db, SLUG, "en", BASE_URL))
    with pytest.raises(NotFound):
        database.read(lambda db: shelves.at(db, "no-such-forum", "en", BASE_URL))
    assert database.read(lambda db: shelves.at(db, SLUG, "en", BASE_URL)) is english
