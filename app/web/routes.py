"""Every router of the HTML door, in the order they are asked."""

from fastapi import APIRouter

from app.web import (
    calendars,
    changes,
    delegation,
    delegation_list,
    desk,
    desk_delegation,
    desk_delegations,
    desk_duplicates,
    desk_enter,
    desk_hold_backs,
    desk_invitation,
    desk_invitations,
    desk_invite_list,
    desk_letters,
    desk_outbox,
    desk_overrides,
    desk_privacy,
    desk_questions,
    desk_registration,
    desk_registrations,
    desk_seats,
    desk_sign_ups,
    exports,
    home,
    invitations,
    login,
    my,
    my_companions,
    my_data,
    my_letters,
    my_sessions,
    printed,
    programme,
    registration,
    speakers,
    static,
    subscribing,
)

ROUTERS: tuple[APIRouter, ...] = (
    static.router,
    login.router,  # before the forums: neither /login nor /desk nor /{lang}/my is one
    desk.router,
    desk_registrations.router,
    desk_enter.router,  # before one registration: none has the code "new"
    desk_registration.router,
    desk_invitations.router,
    desk_invite_list.router,  # before one invitation
    desk_invitation.router,
    desk_overrides.router,
    desk_hold_backs.router,
    desk_seats.router,
    desk_duplicates.router,
    desk_letters.router,
    desk_delegations.router,
    desk_delegation.router,
    desk_outbox.router,
    desk_questions.router,
    desk_privacy.router,
    desk_sign_ups.router,
    my.router,
    my_data.router,
    my_sessions.router,
    invitations.router,
    my_companions.router,
    my_letters.router,
    delegation_list.router,  # its empty tables before a delegation's page: no secret is called list.csv
    delegation.router,
    exports.router,  # before pages: neither a forum nor a session is called like a file
    printed.router,
    calendars.router,  # before pages whose last part would take `….ics` for a code
    home.router,
    changes.router,  # before the sessions: none has the code "changes"
    programme.router,
    speakers.router,
    subscribing.router,
    registration.router,
)
