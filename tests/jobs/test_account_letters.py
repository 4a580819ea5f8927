"""Mail about somebody's access: what signs in goes to its user's own address alone."""

import pytest

from app.accounts.actor import Actor
from app.accounts.passkeys import ADDED
from app.accounts.rules import Role
from app.forum.access import GIVEN, INVITED, grant
from app.jobs.crew import Crew
from app.jobs.duties import deliver
from app.kit.db import Db
from app.kit.pen import SITE
from app.mail.outbox import queue_mail
from tests.cast import NOW, SLUG, SOKHA, make_user, the_forum
from tests.jobs.conftest import Sink
from tests.jobs.test_deliver import messages


@pytest.mark.parametrize(
    ("template", "scope", "mine"),
    [
        ("accounts/sign_in_link", SITE, False),
        ("accounts/sign_in_link", SLUG, True),  # an archive may bring such a row, and a desk try it again
        (INVITED, SLUG, False),
        (GIVEN, SLUG, False),
        (ADDED, SITE, False),
    ],
)
def test_a_link_that_signs_in_goes_to_its_users_own_address_and_for_the_site_alone(
    crew: Crew, sink: Sink, template: str, scope: str, mine: bool
) -> None:
    def forge(db: Db) -> None:
        user = make_user(db, SOKHA, site_owner=True)
        grant(db, Actor.operator(), the_forum(db), user, Role.ORGANISER, now=NOW)
        to = (user.email if mine else "somebody@else.example", "Sokha")
        queue_mail(db, scope, template, "en", to, f"user:{user.id}", now=NOW)

    crew.pen.write_now(scope, forge)
    deliver(crew)
    assert not sink.mails
    assert [message.state for message in messages(crew)] == ["withheld"]
