"""Who may do what at the desk (rules §7): one table from role to permissions.

A role holds within one forum; a deed asks for the permission itself, so no door can forget to.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Role(StrEnum):
    """What somebody is to one forum."""

    OWNER = "owner"
    ORGANISER = "organiser"
    PROGRAMME_EDITOR = "programme_editor"
    REGISTRAR = "registrar"
    PROTOCOL_OFFICER = "protocol_officer"
    DOOR_STAFF = "door_staff"
    RAPPORTEUR = "rapporteur"
    FINANCE = "finance"
    VIEWER = "viewer"


class Permission(StrEnum):
    """What a deed or a page asks for."""

    SEE_DESK = "see_desk"
    """The desk, its figures and the working programme with its closed sessions."""
    SEE_PEOPLE = "see_people"
    """Registrations by name."""
    SEE_SENSITIVE = "see_sensitive"
    """Party, meals, access needs."""
    DECIDE_REGISTRATIONS = "decide_registrations"
    """Approve, decline, cancel, move."""
    SEAT_OVER_LIMITS = "seat_over_limits"
    EDIT_FORUM = "edit_forum"
    EDIT_PROGRAMME = "edit_programme"
    PUBLISH_PROGRAMME = "publish_programme"
    SEE_MAIL = "see_mail"
    SEND_MAIL = "send_mail"
    MANAGE_ACCESS = "manage_access"
    """Roles, the next edition, and the whole forum as an archive."""
    SEE_FACTS = "see_facts"
    EXPORT_PEOPLE = "export_people"
    CHECK_IN = "check_in"
    """Find one person at the door and let them in."""
    SHOW_LINKS = "show_links"
    """A person's secret link, shown once."""
    EDIT_PROTOCOL = "edit_protocol"
    """The order of precedence, the head table and final lists of participants."""


PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.ORGANISER: frozenset(Permission) - {Permission.MANAGE_ACCESS},
    Role.PROGRAMME_EDITOR: frozenset({Permission.SEE_DESK, Permission.EDIT_PROGRAMME}),
    Role.REGISTRAR: frozenset(
        {
            Permission.SEE_DESK,
            Permission.SEE_PEOPLE,
            Permission.DECIDE_REGISTRATIONS,
            Permission.SEE_MAIL,
            Permission.SEND_MAIL,
            Permission.EXPORT_PEOPLE,
            Permission.CHECK_IN,
            Permission.SHOW_LINKS,
        }
    ),
    Role.PROTOCOL_OFFICER: frozenset(
        {
            Permission.SEE_DESK,
            Permission.SEE_PEOPLE,
            Permission.SEE_SENSITIVE,
            Permission.EXPORT_PEOPLE,
            Permission.CHECK_IN,
            Permission.EDIT_PROTOCOL,
        }
    ),
    Role.DOOR_STAFF: frozenset({Permission.SEE_DESK, Permission.CHECK_IN}),
    Role.RAPPORTEUR: frozenset({Permission.SEE_DESK}),
    Role.FINANCE: frozenset({Permission.SEE_DESK, Permission.SEE_PEOPLE, Permission.EXPORT_PEOPLE}),
    Role.VIEWER: frozenset({Permission.SEE_DESK}),
}
"""The one table. Each role has what its work needs: party, meals and access needs are seen by those who seat
and feed people, links shown by those who help people in, and only an owner decides who else comes in."""


def allowed(roles: Iterable[Role], permission: Permission) -> bool:
    """Whether any of the roles somebody has in the forum brings the permission; no role brings none."""
    return any(permission in PERMISSIONS[role] for role in roles)
