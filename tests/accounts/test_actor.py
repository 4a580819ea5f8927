import pytest

from app.accounts.actor import Actor
from app.accounts.rules import Permission, Role
from app.kit.errors import Forbidden, NotFound

OWN, OTHER = 1, 2
REGISTRAR = Actor("user", 7, "Sokha", roles={OWN: frozenset({Role.REGISTRAR})})


def test_a_role_counts_in_its_forum_alone():
    assert REGISTRAR.may(Permission.DECIDE_REGISTRATIONS, OWN)
    assert not REGISTRAR.may(Permission.DECIDE_REGISTRATIONS, OTHER)


def test_who_has_no_desk_finds_nothing_and_who_has_one_is_told():
    with pytest.raises(NotFound):
        REGISTRAR.must(Permission.DECIDE_REGISTRATIONS, OTHER)
    with pytest.raises(Forbidden):
        REGISTRAR.must(Permission.PUBLISH_PROGRAMME, OWN)
    REGISTRAR.must(Permission.DECIDE_REGISTRATIONS, OWN)


@pytest.mark.parametrize("actor", [Actor.worker(), Actor.operator(), Actor("user", 1, site_owner=True)])
@pytest.mark.parametrize("permission", Permission)
def test_worker_operator_and_site_owner_may_everything(actor: Actor, permission: Permission):
    assert actor.may(permission, OWN)


@pytest.mark.parametrize("actor", [Actor.visitor(), Actor.participant(5), Actor("user", 1)])
@pytest.mark.parametrize("permission", Permission)
def test_visitors_participants_and_users_without_role_may_nothing(actor: Actor, permission: Permission):
    assert not actor.may(permission, OWN)


def test_a_participant_owns_one_application():
    assert Actor.participant(5).owns(5)
    assert not Actor.participant(5).owns(6)
    assert not Actor.participant(5).owns(None)
    assert not Actor("user", 5).owns(5)
    assert not Actor.visitor().owns(None)


def test_facts_name_the_kind_and_the_number():
    assert REGISTRAR.signature == ("user:7", "Sokha")
    assert Actor.worker().signature == ("worker", "worker")
