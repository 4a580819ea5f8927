"""Commands about access: the first owner's sign-in link, and who is let in no more."""

from datetime import datetime
from typing import Annotated

import typer

from app.accounts import barring, second_factor, signing_in
from app.accounts.actor import Actor
from app.accounts.logins import end_all
from app.cli.house import House, opened
from app.forum.queries import forum_by_slug
from app.forum.tokens import end_tokens_of, forums_of_tokens
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Invalid, Refused
from app.kit.i18n import text_of
from app.kit.inputs import parse
from app.kit.pen import SITE
from app.programme.subscribing import end_subscription_of, forums_of_subscriptions

FIRST_OWNER = "owner@localhost"
"""The owner of a site nobody has been named for yet; no mail can reach it, so only the command line makes its links."""


def _address(text: str) -> str:
    """The address by the rule of the form to sign in; the owner could not ask for a link there by any other."""
    if text == FIRST_OWNER:
        return text
    try:
        return parse(signing_in.LinkRequest, {"email": text.strip()}).email
    except Invalid as invalid:
        said = [text_of("en", f"refused.{fault.code}", **fault.values) for fault in invalid.faults]
        raise typer.BadParameter(" ".join(said)) from None


def owner(
    email: Annotated[str, typer.Argument(help="the owner's e-mail address", parser=_address)] = FIRST_OWNER,
    forget_factor: Annotated[
        bool, typer.Option("--forget-second-factor", help="turn the second factor off: device and codes are lost")
    ] = False,
) -> None:
    """Print a one-time sign-in link for an owner of this site, made if there is none.

    With --forget-second-factor for whoever has the address, whose logins end; it makes nobody an owner.
    """
    with opened() as house:
        print(owner_link(house, email, forget_factor=forget_factor))


def owner_link(house: House, email: str, *, forget_factor: bool = False) -> str:
    """A one-time address that signs the site owner in, or without a second factor whoever has the address where that
    is to be forgotten. Raises Refused("user_unknown") where nobody has it."""
    now = clock.now()

    def deed(db: Db) -> str:
        by = Actor.operator()
        if not forget_factor:
            user = signing_in.put_owner(db, by, email, "", now=now)
        elif known := signing_in.known_user(db, email):
            user = known
            second_factor.forget_factor(db, by, user, now=now)
            end_all(db, by, of=user.id, now=now)
        else:
            raise Refused("user_unknown")
        return signing_in.make_link(db, Actor.operator(), user, now=now)

    return f"{house.settings.base_url}/login/{house.pen.write_now(SITE, deed)}"


def bar(
    email: Annotated[str, typer.Argument(help="the e-mail address of somebody with a login", parser=_address)],
    only_out: Annotated[bool, typer.Option("--sign-out", help="only sign out everywhere")] = False,
    lift: Annotated[bool, typer.Option("--lift", help="let them in again")] = False,
) -> None:
    """Sign somebody out everywhere and let them in no more, nor their programs: they left, or their mailbox is
    another's. Their tokens of the API and calendars of the desk end, and stay so when they are let in again."""
    if only_out and lift:
        raise typer.BadParameter("--sign-out and --lift are two different things")
    by, now = Actor.operator(), clock.now()
    with opened() as house:
        if lift:
            house.pen.write_now(SITE, lambda db: barring.lift(db, by, email, now=now))
            print(f"{email} is let in again, by a new link.")
        elif only_out:
            ended = house.pen.write_now(SITE, lambda db: barring.sign_out_everywhere(db, by, email, now=now))
            print(f"{email} is signed out ({ended}), and may sign in again.")
        else:
            ended = house.pen.write_now(SITE, lambda db: barring.bar(db, by, email, now=now))
            _end_programs_of(house, email, now=now)
            print(f"{email} is signed out ({ended}), and let in no more.")


def _end_programs_of(house: House, email: str, *, now: datetime) -> None:
    """End the tokens and calendars of whoever has this address, in each forum as a deed of its own, whose log tells of
    it. They are let in no more already: what an interruption leaves is good for nothing, until it is done once more."""
    by = Actor.operator()

    def found(db: Db) -> tuple[int, set[str]]:
        user = signing_in.known_user(db, email)
        if user is None or user.id is None:
            raise Refused("user_unknown")
        return user.id, {*forums_of_tokens(db, user.id), *forums_of_subscriptions(db, user.id)}

    user, slugs = house.database.read(found)
    for slug in sorted(slugs):

        def end(db: Db, slug: str = slug) -> None:
            forum = forum_by_slug(db, slug)
            end_tokens_of(db, by, forum, user, now=now)
            end_subscription_of(db, by, forum, user, now=now)

        house.pen.write_now(slug, end)
