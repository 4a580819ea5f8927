"""Views: whose they are, which opens first, and which go with the purge."""

from typing import Any

import pytest

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.errors import Forbidden, NotFound, Refused
from app.registration import viewing
from app.registration.desk_inputs import ViewInput
from app.registration.retaining import dry_run, purge
from app.registration.viewing import bring_back, keep_view, remove_view, usual_view, views_of
from tests.cast import CHAN, NOW, SOKHA, VANNA, make_actor, the_forum

OPERATOR = Actor.operator()


def keep(db: Db, by: Actor, name: str, question: str = "state=waiting", view: int | None = None, **how: Any) -> int:
    return keep_view(db, by, the_forum(db), ViewInput(name=name, **how), question, view, now=NOW)


def names(db: Db, by: Actor) -> list[str]:
    return [view.name for view in views_of(db, by, the_forum(db))]


def test_ones_own_views_come_before_those_that_others_share(db: Db) -> None:
    mine, theirs = make_actor(db, SOKHA, Role.REGISTRAR), make_actor(db, VANNA, Role.FINANCE)
    keep(db, mine, "Zeta")
    keep(db, theirs, "Alpha", shared=True)
    keep(db, theirs, "Beta")
    assert names(db, mine) == ["Zeta", "Alpha"]
    assert names(db, theirs) == ["Alpha", "Beta"]
    with pytest.raises(Forbidden):
        names(db, make_actor(db, CHAN, Role.VIEWER))


def test_one_view_opens_first_and_only_for_its_owner(db: Db) -> None:
    mine, theirs = make_actor(db, SOKHA, Role.REGISTRAR), make_actor(db, VANNA, Role.FINANCE)
    first, second = keep(db, mine, "First", usual=True), keep(db, mine, "Second", shared=True, usual=True)
    views = views_of(db, mine, the_forum(db))
    assert usual_view(views, mine).id == second  # type: ignore[union-attr]
    assert usual_view(views_of(db, theirs, the_forum(db)), theirs) is None
    keep(db, mine, "First", view=first, usual=True)
    assert usual_view(views_of(db, mine, the_forum(db)), mine).id == first  # type: ignore[union-attr]


def test_another_name_and_not_too_many(db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = make_actor(db, SOKHA, Role.REGISTRAR)
    view = keep(db, mine, "Guests")
    with pytest.raises(Refused, match="view_twice"):
        keep(db, mine, "GUESTS")
    keep(db, mine, "guests", view=view)
    monkeypatch.setattr(viewing, "MOST", 1)
    with pytest.raises(Refused, match="views_too_many"):
        keep(db, mine, "More")
    with pytest.raises(Refused, match="users_alone"):
        keep(db, OPERATOR, "Nobody's")


def test_whose_view_it_is_not_finds_none_unless_it_is_shared_and_they_decide(db: Db) -> None:
    mine, registrar = make_actor(db, VANNA, Role.FINANCE), make_actor(db, SOKHA, Role.REGISTRAR)
    own, shared = keep(db, mine, "Own"), keep(db, mine, "Shared", shared=True)
    forum = the_forum(db)
    for deed in (lambda: remove_view(db, registrar, forum, own, now=NOW), lambda: keep(db, registrar, "x", view=own)):
        with pytest.raises(NotFound):
            deed()
    remove_view(db, registrar, forum, shared, now=NOW)
    assert names(db, mine) == ["Own"]
    keep(db, mine, "Shared")
    with pytest.raises(Refused, match="view_twice"):
        bring_back(db, mine, forum, shared, now=NOW)


def test_views_that_may_name_somebody_go_with_the_purge(db: Db) -> None:
    mine, forum = make_actor(db, SOKHA, Role.REGISTRAR), the_forum(db)
    keep(db, mine, "Waiting", "state=waiting&order=name")
    keep(db, mine, "One person", "state=waiting&q=sok+vanna")
    keep(db, mine, "By hand", "code=ABCDEFG&code=HJKMNPQ")
    assert dry_run(db, OPERATOR, forum, now=NOW).views == viewing.count_naming(db, forum_id(forum)) == 2
    purge(db, OPERATOR, forum, now=NOW, before_the_day=True)
    assert names(db, mine) == ["Waiting"]
