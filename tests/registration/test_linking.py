"""Showing a person's own link at the desk."""

import pytest

from app.accounts.actor import Actor
from app.accounts.rules import PERMISSIONS, Permission, Role
from app.audit.recording import history
from app.kit.codes import digest
from app.kit.db import Db
from app.kit.errors import Forbidden, NotFound
from app.registration.linking import show_link
from tests.cast import DARA, NOW, RITH, SECRET, SLUG, SOKHA, VANNA, make_actor, make_application, the_forum


def test_it_is_the_link_of_the_persons_own_page_in_their_language(db: Db) -> None:
    row = make_application(db, VANNA)
    lang, token = show_link(db, Actor.operator(), the_forum(db), row.code, SECRET, now=NOW)
    assert lang == "km"
    assert digest(token) == row.manage_digest


def test_that_it_was_shown_and_to_whom_stays_and_the_link_does_not(db: Db) -> None:
    row = make_application(db, VANNA)
    by = make_actor(db, SOKHA, Role.REGISTRAR)
    _, token = show_link(db, by, the_forum(db), row.code, SECRET, now=NOW)
    fact = history(db, SLUG, f"registration:{row.code}")[-1]
    assert (fact.kind, fact.actor, fact.actor_name) == ("registration.link_shown", f"user:{by.id}", SOKHA.name)
    assert token not in repr(fact)


@pytest.mark.parametrize("role", [role for role in Role if Permission.SHOW_LINKS not in PERMISSIONS[role]])
def test_other_roles_may_not_see_it(db: Db, role: Role) -> None:
    row = make_application(db, VANNA)
    with pytest.raises(Forbidden):
        show_link(db, make_actor(db, SOKHA, role), the_forum(db), row.code, SECRET, now=NOW)
    assert len(history(db, SLUG, f"registration:{row.code}")) == 2


def test_a_stranger_and_an_unknown_code_find_nothing(db: Db) -> None:
    row = make_application(db, VANNA)
    for by, code in ((make_actor(db, RITH), row.code), (Actor.operator(), "ABCDEFG")):
        with pytest.raises(NotFound):
            show_link(db, by, the_forum(db), code, SECRET, now=NOW)


@pytest.mark.parametrize("answer", [{"meals": "no fish"}, {"access": "a wheelchair"}])
def test_where_the_page_shows_needs_the_link_is_for_those_who_may_see_them(db: Db, answer: dict[str, str]) -> None:
    row = make_application(db, VANNA, **answer)
    with pytest.raises(Forbidden):
        show_link(db, make_actor(db, SOKHA, Role.REGISTRAR), the_forum(db), row.code, SECRET, now=NOW)
    assert "registration.link_shown" not in [fact.kind for fact in history(db, SLUG, f"registration:{row.code}")]
    sees = make_actor(db, DARA, Role.REGISTRAR, Role.PROTOCOL_OFFICER)
    assert show_link(db, sees, the_forum(db), row.code, SECRET, now=NOW)[0] == "km"


def test_anothers_needs_keep_nobody_from_showing_a_link(db: Db) -> None:
    make_application(db, RITH, meals="no fish")
    row = make_application(db, VANNA)
    assert show_link(db, make_actor(db, SOKHA, Role.REGISTRAR), the_forum(db), row.code, SECRET, now=NOW)
