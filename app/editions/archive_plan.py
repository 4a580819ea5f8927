"""What an archive holds: every table of the house, and which column of it leads to the forum; or why it is left out.

`sala-archive/1` is described in docs/archive.md.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, select
from sqlmodel import SQLModel

from app.correspondence.mailboxes import opt_out_token
from app.forum.models import Forum
from app.programme.asking import speaker_feed_token, speaker_token
from app.programme.subscribing import desk_feed_token
from app.registration.applying import feed_token, manage_token
from app.registration.delegations import delegation_feed_token, page_token
from app.registration.inviting import invitation_token
from app.registration.people import sort_columns

FORMAT = "sala-archive/1"
FORUM, USERS = Forum.__tablename__, "accounts_user"
BELONGS: Mapping[str, str] = {
    "forum_forum": "id",
    "forum_objective": "forum_id",
    "forum_track": "forum_id",
    "forum_theme": "forum_id",
    "forum_meeting_room": "forum_id",
    "forum_room_setup": "room_id",
    "forum_role_grant": "forum_id",
    "forum_setting_edit": "forum_id",
    "programme_speaker": "forum_id",
    "programme_asking": "speaker_id",
    "programme_portrait": "forum_id",
    "programme_session": "forum_id",
    "programme_appearance": "session_id",
    "programme_override": "forum_id",
    "programme_revision": "forum_id",
    "programme_version": "forum_id",
    "programme_material": "forum_id",
    "programme_material_file": "material_id",
    "programme_material_piece": "file_id",
    "programme_subscription": "forum_id",
    "registration_terms": "forum_id",
    "registration_category": "forum_id",
    "registration_place": "forum_id",
    "registration_question": "forum_id",
    "registration_sign_up": "forum_id",
    "registration_hold_back": "forum_id",
    "registration_invitation": "forum_id",
    "registration_delegation": "forum_id",
    "registration_application": "forum_id",
    "registration_answer": "application_id",
    "registration_consent": "application_id",
    "registration_distinct": "forum_id",
    "registration_enclosure": "application_id",
    "registration_file": "application_id",
    "registration_following": "application_id",
    "registration_letter": "forum_id",
    "registration_needs": "application_id",
    "registration_pick": "application_id",
    "registration_pick_list": "application_id",
    "registration_seat": "forum_id",
    "registration_ladder": "forum_id",
    "registration_rung": "forum_id",
    "registration_rank": "application_id",
    "registration_head_table": "forum_id",
    "registration_table_guest": "forum_id",
    "registration_kept_list": "forum_id",
    "registration_kept_line": "list_id",
    "registration_tag": "forum_id",
    "registration_tagged": "application_id",
    "registration_note": "application_id",
    "registration_view": "forum_id",
    "registration_bulk": "forum_id",
    "registration_bulk_item": "bulk_id",
    "jobs_cursor": "forum_id",
    "audit_fact": "scope",
    "audit_head": "scope",
    "mail_message": "forum",
    "mail_attempt": "message_id",
    "correspondence_mailbox": "forum_id",
    "correspondence_mailing": "forum_id",
    "correspondence_own_words": "forum_id",
}
"""Table → the column by which a row belongs to the forum: its id, its slug, or a row of another of these tables."""
DERIVED: Mapping[str, Callable[[Any], dict[str, Any]]] = {"registration_application": sort_columns}
"""Columns that are made of others: no archive has them, they are made anew."""
DERIVED_NAMES = frozenset({"sort_name", "sort_name_km", "sort_institution"})
OF_HERE: Mapping[str, frozenset[str]] = {"mail_message": frozenset({"trace"})}
"""Columns that say something in one installation alone: no archive has them either."""
TAGS = "registration_tag"
MAILBOXES = "correspondence_mailbox"
"""Its rows know an address by a digest of the installation's own; an archive names the address itself."""
BY_SLUG = frozenset({"scope", "forum"})
LEFT_OUT: Mapping[str, str] = {
    "accounts_login": "a browser that is signed in belongs to an installation and is worth a password",
    "accounts_sign_in_link": "the same of a link that signs in",
    "accounts_recovery_code": "the second factor is set up anew in another installation",
    "accounts_passkey": "a passkey belongs to the address of an installation",
    "accounts_challenge": "a question to a passkey is good for minutes",
    "forum_token": "a token is worth what its owner may do in one installation",
    "forum_webhook": "whom an installation calls is set up anew, with a secret of its own",
    "forum_delivery": "calls of an installation",
    "kit_given_answer": "answers kept for a day for callers who ask twice",
    "kit_heartbeat": "the worker's signs of life",
    "kit_scope": "it counts what an installation has published; a new one begins to count",
    "kit_visit": "a throttle's count of minutes",
    "programme_mark": "who has a form open at this moment",
}
"""Tables that no archive holds, and why. Of `accounts_user` it holds address and name of those who work here."""
OF_USERS = ("id", "email", "name")
"""What is kept of a user: no second factor, no right on the site."""

Token = Callable[[bytes, int, int], str]
RENEWED: Mapping[str, tuple[tuple[str, str, str, Token], ...]] = {
    "registration_application": (
        ("id", "manage_generation", "manage_digest", manage_token),
        ("id", "feed_generation", "feed_digest", feed_token),
    ),
    "registration_delegation": (
        ("id", "generation", "digest", page_token),
        ("id", "feed_generation", "feed_digest", delegation_feed_token),
    ),
    "registration_invitation": (("id", "generation", "digest", invitation_token),),
    "programme_asking": (
        ("speaker_id", "generation", "digest", speaker_token),
        ("speaker_id", "feed_generation", "feed_digest", speaker_feed_token),
    ),
    "programme_subscription": (("id", "generation", "digest", desk_feed_token),),
    MAILBOXES: (("id", "generation", "digest", opt_out_token),),
}
"""Lasting links by table, as (number, generation, digest, token): each is renewed when it comes into another house."""
WAITING = frozenset({"draft", "queued", "sending", "retrying"})
"""States of a mail that could still leave."""


def tables() -> list[Table]:
    """The tables of an archive in the order in which their rows may be written. KeyError where a room's tables were not
    brought in: an archive without them would say that it is whole."""
    if missing := BELONGS.keys() - SQLModel.metadata.tables.keys():
        raise KeyError(*sorted(missing))
    return [each for each in SQLModel.metadata.sorted_tables if each.name in BELONGS]


def belonging(each: Table, own: int, slug: str) -> ColumnElement[bool]:
    """The condition under which a row of a table belongs to the forum."""
    name = BELONGS[each.name]
    column = each.c[name]
    if name in BY_SLUG:
        return column == slug
    if name in {"id", "forum_id"}:
        return column == own
    parent = next(iter(column.foreign_keys)).column.table
    return column.in_(select(parent.c.id).where(belonging(parent, own, slug)))


def archived(each: Table) -> list[Column[Any]]:
    """The columns of a table that an archive has."""
    left_out = OF_HERE.get(each.name, DERIVED_NAMES if each.name in DERIVED else frozenset())
    return [column for column in each.c if column.name not in left_out]


def points_at(column: Any) -> str | None:
    """The table whose ids a column holds; None for any other column."""
    for key in column.foreign_keys:
        target = key.column
        if target.name == "id":
            return str(target.table.name)
        if target.foreign_keys:
            return points_at(target)
    return None
