"""Role → permission, one table (rules §7)."""

from collections.abc import Collection, Mapping
from enum import StrEnum


class Role(StrEnum):
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
    SEE_DESK = "see_desk"
    SEE_PEOPLE = "see_people"
    SEE_SENSITIVE = "see_sensitive"
    DECIDE_REGISTRATIONS = "decide_registrations"
    SEAT_OVER_LIMITS = "seat_over_limits"
    EDIT_FORUM = "edit_forum"
    EDIT_PROGRAMME = "edit_programme"
    PUBLISH_PROGRAMME = "publish_programme"
    SEE_MAIL = "see_mail"
    SEND_MAIL = "send_mail"
    MANAGE_ACCESS = "manage_access"
    SEE_FACTS = "see_facts"
    EXPORT_PEOPLE = "export_people"
    CHECK_IN = "check_in"
    SHOW_LINKS = "show_links"


PERMISSIONS: Mapping[Role, frozenset[Permission]] = {role: frozenset(Permission) for role in Role}


def allowed(roles: Collection[Role], permission: Permission) -> bool:
    return any(permission in PERMISSIONS[role] for role in roles)
