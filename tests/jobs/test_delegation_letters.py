"""The mails about a delegation: what they say, whose link is in them, and which leave no more."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app.accounts.actor import Actor
from app.correspondence.contents import contents
from app.jobs import letters
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.kit.inputs import parse
from app.mail.models import Message
from app.mail.outbox import Claimed, claim
from app.registration import nominating
from app.registration.delegating import correct_delegation, withdraw
from app.registration.delegation_inputs import DelegationInput
from app.registration.delegations import delegation_of, write_to_focal_point
from app.registration.settling import settle
from tests.cast import DARA, NOW, SECRET, the_forum
from tests.conftest import settings_for
from tests.embassies import DEADLINE, delegate, inviting, make_delegation, name_some, page_of

SETTINGS = settings_for("sqlite:///unused.sqlite", BASE_URL="https://forum.example", SALA_VAR="var")


@pytest.fixture
def due(db: Db) -> Callable[..., list[Claimed]]:
    return lambda: claim(db, now=DEADLINE + timedelta(days=1), most=50)


def written(db: Db, message: Claimed) -> Any:
    return letters.letter(message, contents(db, message, SETTINGS, now=NOW), SETTINGS)


@pytest.mark.parametrize("language", ["en", "km"])
def test_each_mail_to_a_focal_point_holds_its_link_and_leaves_no_value_open(
    db: Db, due: Callable[..., list[Claimed]], language: str
) -> None:
    row = make_delegation(db, "DIP", 3, language=language, institution_km="ស្ថានទូតមួយ", reference="NV 14")
    write_to_focal_point(db, the_forum(db), row, "reminder", now=NOW)
    for message in due():
        letter = written(db, message)
        assert f"https://forum.example/{language}/delegations/{page_of(row)}" in letter.text
        assert "{" not in letter.text
        assert ("ស្ថានទូតមួយ" if language == "km" else DARA.institution) in letter.text
    settle(db, the_forum(db), now=DEADLINE)
    (released,) = due()
    assert (released.template, released.values) == ("delegation/released", {"seats": 3})
    assert "{" not in written(db, released).text


def test_whoever_is_named_gets_a_page_of_their_own_and_the_former_is_told(
    db: Db, due: Callable[..., list[Claimed]]
) -> None:
    row = make_delegation(db, "DIP", 3)
    due()
    (old,) = name_some(db, row, delegate(1))
    (named,) = due()
    letter = written(db, named)
    assert letter.to_address == "envoy1@embassy.example"
    assert "/en/my/" in letter.text
    assert "/delegations/" not in letter.text
    by = Actor.focal_point(row.id)
    nominating.substitute(db, by, the_forum(db), row.code, old, delegate(2, email=""), "k", SECRET, now=NOW)
    former, new = due()
    assert (former.template, former.to_address) == ("delegation/substituted", "envoy1@embassy.example")
    assert (new.to_address, "For An Envoy2" in written(db, new).subject) == (DARA.email, True)


def test_a_mail_to_a_former_focal_point_never_carries_the_new_link(db: Db, due: Callable[..., list[Claimed]]) -> None:
    row = make_delegation(db, "DIP", 3)
    (claimed,) = due()  # it is on its way while another focal point is named
    sent = {name: value for name, value in inviting().items() if name in DelegationInput.model_fields}
    another = parse(DelegationInput, {**sent, "focal_email": "other@embassy.example"})
    correct_delegation(db, Actor.operator(), the_forum(db), row.code, another, 1, SECRET, now=NOW)
    with pytest.raises(NotFound):
        written(db, claimed)


def test_a_reminder_is_no_longer_true_when_every_seat_has_a_name_or_the_invitation_was_withdrawn(
    db: Db, due: Callable[..., list[Claimed]]
) -> None:
    row = make_delegation(db, "DIP", 1)
    write_to_focal_point(db, the_forum(db), row, "reminder", now=NOW)
    invited, reminder = due()
    name_some(db, row, delegate(1))
    written(db, invited)
    with pytest.raises(NotFound):
        written(db, reminder)
    withdraw(db, Actor.operator(), the_forum(db), row.code, people=True, now=NOW)
    with pytest.raises(NotFound):
        written(db, invited)
    messages = table(Message)
    assert (
        "delegation/withdrawn" in db.execute(messages.select().with_only_columns(messages.c.template)).scalars().all()
    )
    assert delegation_of(db, the_forum(db), row.code).ended_at == NOW
