"""Commands about access: the first owner's sign-in link."""

from typing import Annotated

import typer

from app.accounts import signing_in
from app.accounts.actor import Actor
from app.cli.house import House, opened
from app.kit import clock
from app.kit.db import Db
from app.kit.pen import SITE


def owner(email: Annotated[str, typer.Argument(help="the owner's e-mail address")] = "owner@localhost") -> None:
    """Print a one-time sign-in link for an owner of this site, made if there is none."""
    with opened() as house:
        print(owner_link(house, email))


def owner_link(house: House, email: str) -> str:
    """A one-time address that signs the site owner in."""
    now = clock.now()

    def deed(db: Db) -> str:
        user = signing_in.put_owner(db, Actor.operator(), email, "", now=now)
        return signing_in.make_link(db, Actor.operator(), user, now=now)

    return f"{house.settings.base_url}/login/{house.pen.write_now(SITE, deed)}"
