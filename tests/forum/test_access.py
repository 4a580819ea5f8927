import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.accounts.actor import Actor
from app.accounts.models import User
from app.accounts.rules import Permission, Role
from app.accounts.signing_in import INVITATION_LASTS, link_is_good, make_link, sign_in
from app.audit.recording import history
from app.correspondence.contents import contents
from app.forum.access import GIVEN, INVITED, actor_of, give, grant, invite_again, take_away, withdraw_colleague
from app.forum.inputs import ColleagueInput
from app.forum.people import people_of
from app.forum.queries import forum_id
from app.jobs.letters import writes
from app.kit.db import Database, Db, table
from app.kit.errors import Conflict, Forbidden, NotFound, Refused
from app.kit.settings import read
from app.mail.outbox import about, claim
from tests.cast import CHAN, DARA, NOW, RITH, SECRET_KEY, SLUG, SOKHA, make_actor, make_user, the_forum


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


# ---- letting colleagues in and out

OPERATOR = Actor.operator()


def typed(email: str = CHAN.email, role: Role = Role.VIEWER, name: str = "") -> ColleagueInput:
    return ColleagueInput(email=email, name=name, role=role, language="en")


def come(db: Db, user: User) -> User:
    """The user signs in."""
    sign_in(db, make_link(db, OPERATOR, user, now=NOW), now=NOW)
    return user


def number(db: Db, email: str) -> int:
    return next(one.id for one in people_of(db, OPERATOR, the_forum(db)) if one.email == email)


def mails(db: Db, user: int) -> list[tuple[str, str]]:
    return [(row.template, row.state) for row in about(db, SLUG, f"user:{user}")]


def test_somebody_new_is_made_given_the_role_and_invited(db: Db):
    assert give(db, OPERATOR, the_forum(db), typed("New@desk.example", name="កែវ ចាន់"), now=NOW)
    (one,) = [each for each in people_of(db, OPERATOR, the_forum(db)) if each.roles]
    assert (one.email, one.name, one.roles, one.invited) == ("New@desk.example", "កែវ ចាន់", (Role.VIEWER,), True)
    assert mails(db, one.id) == [(INVITED, "queued")]


def test_somebody_who_has_signed_in_is_told_and_keeps_their_name(db: Db):
    chan = come(db, make_user(db, CHAN))
    assert not give(db, OPERATOR, the_forum(db), typed(CHAN.email.upper(), name="Another"), now=NOW)
    (one,) = people_of(db, OPERATOR, the_forum(db))
    assert (one.id, one.name, one.came_at) == (chan.id, CHAN.name, NOW)
    assert mails(db, one.id) == [(GIVEN, "queued")]


def test_the_invitation_signs_in_once_within_its_days_and_says_the_roles(db: Db):
    give(db, OPERATOR, the_forum(db), typed("new@desk.example"), now=NOW)
    give(db, OPERATOR, the_forum(db), typed("new@desk.example", Role.DOOR_STAFF), now=NOW)
    (message,) = claim(db, now=NOW)  # the first says what is no longer so, and does not leave
    assert writes(message)
    found = contents(db, message, read({"SECRET_KEY": SECRET_KEY}), now=NOW)
    assert found.values["roles"] == "Door staff, Viewer"
    token = re.sub(r".*/login/", "", found.link)
    assert link_is_good(db, token, now=NOW + INVITATION_LASTS - timedelta(minutes=1))
    assert not link_is_good(db, token, now=NOW + INVITATION_LASTS)


def test_a_mail_about_a_role_that_was_taken_away_does_not_leave(db: Db):
    give(db, OPERATOR, the_forum(db), typed("new@desk.example"), now=NOW)
    (message,) = claim(db, now=NOW)
    withdraw_colleague(db, OPERATOR, the_forum(db), number(db, "new@desk.example"), now=NOW)
    with pytest.raises(NotFound):
        contents(db, message, read({"SECRET_KEY": SECRET_KEY}), now=NOW)


def test_an_invitation_is_sent_again_and_withdrawn_until_it_was_followed(db: Db):
    forum = the_forum(db)
    give(db, OPERATOR, forum, typed("new@desk.example"), now=NOW)
    new = number(db, "new@desk.example")
    invite_again(db, OPERATOR, forum, new, "km", now=NOW)
    assert mails(db, new) == [(INVITED, "withheld"), (INVITED, "queued")]
    withdraw_colleague(db, OPERATOR, forum, new, now=NOW)
    assert mails(db, new) == [(INVITED, "withheld"), (INVITED, "withheld")]
    assert people_of(db, OPERATOR, forum) == []
    chan = come(db, make_user(db, CHAN))
    give(db, OPERATOR, forum, typed(), now=NOW)
    with pytest.raises(Conflict, match="colleague_came"):
        withdraw_colleague(db, OPERATOR, forum, chan.id or 0, now=NOW)
    with pytest.raises(Conflict, match="colleague_came"):
        invite_again(db, OPERATOR, forum, chan.id or 0, "en", now=NOW)


def test_a_role_is_held_once_and_a_disabled_user_gets_none(db: Db):
    forum = the_forum(db)
    give(db, OPERATOR, forum, typed(), now=NOW)
    with pytest.raises(Refused, match="role_held"):
        give(db, OPERATOR, forum, typed(), now=NOW)
    db.execute(update(table(User)).values(disabled=True))
    with pytest.raises(Refused, match="user_disabled"):
        give(db, OPERATOR, forum, typed(role=Role.FINANCE), now=NOW)


def test_a_role_taken_away_is_recorded_and_gone(db: Db):
    forum, chan = the_forum(db), come(db, make_user(db, CHAN))
    give(db, OPERATOR, forum, typed(), now=NOW)
    take_away(db, OPERATOR, forum, chan.id or 0, Role.VIEWER, now=NOW)
    assert actor_of(db, chan).roles == {}
    last = history(db, SLUG, f"user:{chan.id}")[-1]
    assert (last.kind, last.before, last.personal) == ("access.taken", {"role": "viewer"}, {"email": CHAN.email})
    with pytest.raises(NotFound):
        take_away(db, OPERATOR, forum, chan.id or 0, Role.VIEWER, now=NOW)
    give(db, OPERATOR, forum, typed(role=Role.FINANCE), now=NOW)
    with pytest.raises(Conflict, match="role_gone"):
        take_away(db, OPERATOR, forum, chan.id or 0, Role.VIEWER, now=NOW)


def test_the_last_owner_stays_until_another_has_signed_in(db: Db):
    forum, chan, dara = the_forum(db), come(db, make_user(db, CHAN)), make_user(db, DARA)
    for figure in (CHAN, DARA):
        give(db, OPERATOR, forum, typed(figure.email, Role.OWNER), now=NOW)
    with pytest.raises(Refused, match="last_owner"), db.begin_nested():
        take_away(db, OPERATOR, forum, chan.id or 0, Role.OWNER, now=NOW)
    assert Role.OWNER in actor_of(db, chan).roles[forum_id(forum)]
    come(db, dara)
    take_away(db, OPERATOR, forum, chan.id or 0, Role.OWNER, now=NOW)
    with pytest.raises(Refused, match="last_owner"), db.begin_nested():
        take_away(db, OPERATOR, forum, dara.id or 0, Role.OWNER, now=NOW)
    come(db, make_user(db, SOKHA, site_owner=True))
    take_away(db, OPERATOR, forum, dara.id or 0, Role.OWNER, now=NOW)


@pytest.mark.parametrize("act", ["give", "take", "withdraw", "again", "read"])
def test_only_owners_see_and_change_who_comes_in(db: Db, act: str):
    forum = the_forum(db)
    give(db, OPERATOR, forum, typed("new@desk.example"), now=NOW)
    new = number(db, "new@desk.example")
    deeds: dict[str, Callable[[Actor], object]] = {
        "give": lambda by: give(db, by, forum, typed(role=Role.OWNER), now=NOW),
        "take": lambda by: take_away(db, by, forum, new, Role.VIEWER, now=NOW),
        "withdraw": lambda by: withdraw_colleague(db, by, forum, new, now=NOW),
        "again": lambda by: invite_again(db, by, forum, new, "en", now=NOW),
        "read": lambda by: people_of(db, by, forum),
    }
    with pytest.raises(Forbidden):
        deeds[act](make_actor(db, DARA, Role.ORGANISER))
    with pytest.raises(NotFound):
        deeds[act](make_actor(db, RITH))


@pytest.mark.parametrize("count", [1, 3])
def test_the_people_take_one_query(database: Database, queries: Callable[[], Any], count: int):
    with Db(database.write_engine) as db:
        forum = the_forum(db)
        for each in range(count):
            give(db, OPERATOR, forum, typed(f"new{each}@desk.example"), now=NOW)
        db.write_waiting()  # of what was done, not of what is read
        with queries() as counted:
            assert len(people_of(db, OPERATOR, forum)) == count
        assert len(counted) == 1
        db.rollback()
