"""Who may do what at the desk."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.accounts.rules import PERMISSIONS, Permission, Role, allowed


def holders(permission: Permission) -> set[Role]:
    return {role for role in Role if allowed([role], permission)}


def test_every_role_has_its_line_and_may_see_the_desk() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert holders(Permission.SEE_DESK) == set(Role)


def test_an_owner_may_do_everything_and_alone_decides_who_comes_in() -> None:
    assert PERMISSIONS[Role.OWNER] == set(Permission)
    assert holders(Permission.MANAGE_ACCESS) == {Role.OWNER}


@pytest.mark.parametrize(
    ("permission", "others"),
    [
        (Permission.SEE_PEOPLE, {Role.REGISTRAR, Role.PROTOCOL_OFFICER, Role.FINANCE}),
        (Permission.SEE_SENSITIVE, {Role.PROTOCOL_OFFICER}),
        (Permission.DECIDE_REGISTRATIONS, {Role.REGISTRAR}),
        (Permission.SEAT_OVER_LIMITS, set()),
        (Permission.EDIT_FORUM, set()),
        (Permission.EDIT_PROGRAMME, {Role.PROGRAMME_EDITOR}),
        (Permission.PUBLISH_PROGRAMME, set()),
        (Permission.SEE_MAIL, {Role.REGISTRAR}),
        (Permission.SEND_MAIL, {Role.REGISTRAR}),
        (Permission.SEE_FACTS, set()),
        (Permission.EXPORT_PEOPLE, {Role.REGISTRAR, Role.PROTOCOL_OFFICER, Role.FINANCE}),
        (Permission.CHECK_IN, {Role.REGISTRAR, Role.PROTOCOL_OFFICER, Role.DOOR_STAFF}),
        (Permission.SHOW_LINKS, {Role.REGISTRAR}),
    ],
)
def test_besides_owner_and_organiser_only_those_whose_work_needs_it_hold_a_permission(
    permission: Permission, others: set[Role]
) -> None:
    assert holders(permission) == {Role.OWNER, Role.ORGANISER} | others


def test_nobody_exports_people_without_seeing_them_or_changes_what_they_cannot_see() -> None:
    assert holders(Permission.EXPORT_PEOPLE) <= holders(Permission.SEE_PEOPLE)
    assert holders(Permission.SEE_SENSITIVE) <= holders(Permission.SEE_PEOPLE)
    assert holders(Permission.DECIDE_REGISTRATIONS) <= holders(Permission.SEE_PEOPLE)
    assert holders(Permission.PUBLISH_PROGRAMME) <= holders(Permission.EDIT_PROGRAMME)


@pytest.mark.parametrize("permission", Permission)
def test_a_stranger_may_do_nothing(permission: Permission) -> None:
    assert not allowed([], permission)


@settings(deadline=None)
@given(st.sets(st.sampled_from(Role)), st.sampled_from(Permission))
def test_several_roles_bring_exactly_what_each_of_them_brings(roles: set[Role], permission: Permission) -> None:
    assert allowed(roles, permission) == bool(roles & holders(permission))
