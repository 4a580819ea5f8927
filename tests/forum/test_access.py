import pytest

from app.accounts.actor import Actor
from app.accounts.rules import Permission, Role
from app.audit.recording import history
from app.forum.access import actor_of, grant
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.errors import Forbidden, NotFound
from tests.cast import CHAN, DARA, NOW, RITH, SLUG, SOKHA, make_actor, make_user, the_forum


def test_a_role_is_granted_once_and_recorded(db: Db):
    forum, chan = the_forum(db), make_user(db, CHAN)
    assert grant(db, Actor.operator(), forum, chan, Role.RAPPORTEUR, now=NOW)
    assert not grant(db, Actor.operator(), forum, chan, Role.RAPPORTEUR, now=NOW)
    (fact,) = history(db, SLUG, f"user:{chan.id}")
    assert (fact.kind, fact.after, fact.personal) == ("access.granted", {"role": "rapporteur"}, {"email": CHAN.email})
    assert actor_of(db, chan).roles == {forum_id(forum): frozenset({Role.RAPPORTEUR})}


def test_several_roles_add_up(db: Db):
    own = forum_id(the_forum(db))
    actor = make_actor(db, CHAN, Role.RAPPORTEUR, Role.DOOR_STAFF)
    assert actor.may(Permission.CHECK_IN, own)
    assert not actor.may(Permission.MANAGE_ACCESS, own)


def test_only_an_owner_lets_others_in(db: Db):
    forum, chan = the_forum(db), make_user(db, CHAN)
    with pytest.raises(Forbidden):
        grant(db, make_actor(db, DARA, Role.ORGANISER), forum, chan, Role.OWNER, now=NOW)
    with pytest.raises(NotFound):
        grant(db, make_actor(db, RITH), forum, chan, Role.OWNER, now=NOW)
    assert grant(db, make_actor(db, SOKHA, Role.OWNER), forum, chan, Role.VIEWER, now=NOW)


def test_a_site_owner_needs_no_role(db: Db):
    actor = actor_of(db, make_user(db, SOKHA, site_owner=True))
    assert actor.may(Permission.MANAGE_ACCESS, forum_id(the_forum(db)))
