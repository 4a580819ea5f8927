"""Those for whom a focal point speaks: their links and their mail follow when the focal point changes."""

from typing import Any

import pytest
from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.correspondence.contents import contents
from app.kit.codes import public_code
from app.kit.db import Db, table
from app.kit.errors import Forbidden, NotFound, Refused
from app.kit.inputs import parse
from app.mail.models import Message
from app.mail.outbox import claim
from app.registration import accompanying, applying
from app.registration.delegating import correct_delegation
from app.registration.delegation_inputs import DelegationInput
from app.registration.delegation_links import renew_link, show_delegation_link
from app.registration.delegations import delegation_of
from app.registration.inputs import CompanionInput, Person
from app.registration.letter_inputs import LetterInput
from app.registration.lettering import ask_for_letter, forget_passports
from app.registration.queries import own_registration
from tests.cast import CHAN, DARA, NOW, RITH, SECRET, SLUG, SOKHA, holder, make_actor, make_application, the_forum
from tests.conftest import settings_for
from tests.embassies import delegate, make_delegation, name_some

OPERATOR = Actor.operator()
NEW = {"focal_email": "new@embassy.example", "focal_name": "Somebody New"}


class Mission:
    """An embassy of four seats with one person of her own address, one without, and her companion."""

    def __init__(self, db: Db) -> None:
        self.db, self.forum, self.party = db, the_forum(db), make_delegation(db, "DIP", 4)
        (self.own,) = map(self.row, name_some(db, self.party, delegate(1)))
        (self.theirs,) = map(self.row, name_some(db, self.party, delegate(2, email="")))
        sent = parse(CompanionInput, {"category": "ACC", "family_name": "Spouse"})
        by, key = holder(self.theirs), public_code(20)
        added = accompanying.add(db, by, self.forum, self.theirs.code, sent, key, SECRET, now=NOW)
        self.companion = self.row(added.code)

    def row(self, code: str) -> Any:
        return applying.application_of(self.db, self.forum, code)

    def again(self, row: Any) -> Any:
        return self.row(row.code)

    def change(self, by: Actor = OPERATOR, **changes: Any) -> bool:
        party = delegation_of(self.db, self.forum, self.party.code)
        kept = {name: getattr(party, name) for name in DelegationInput.model_fields}
        sent = parse(DelegationInput, {**kept, **changes})
        return correct_delegation(self.db, by, self.forum, party.code, sent, party.edition, SECRET, now=NOW)

    def renew(self) -> None:
        renew_link(self.db, OPERATOR, self.forum, self.party.code, SECRET, now=NOW)

    def give(self, what: str) -> None:
        """Something sensitive is said on the own page of the person without an address."""
        me, row = holder(self.theirs), self.again(self.theirs)
        if what == "needs":
            sent = parse(Person, {"family_name": row.family_name, "given_name": "An", "meals": "no fish"})
            applying.correct(self.db, me, self.forum, row.code, sent, row.edition, now=NOW)
        else:
            passport = {"passport_name": "ENVOY AN", "passport_number": "N1234567", "nationality": "KH"}
            letter = parse(LetterInput, {"kind": "visa", "language": "en", **passport})
            ask_for_letter(self.db, me, self.forum, row.code, letter, public_code(20), now=NOW)

    def mails(self, row: Any) -> list[tuple[str, str, str]]:
        messages = table(Message)
        about = messages.c.subject == f"registration:{row.code}"
        columns = (messages.c.template, messages.c.to_address, messages.c.state)
        return [tuple(one) for one in self.db.execute(select(*columns).where(about).order_by(messages.c.id))]


@pytest.fixture
def mission(db: Db) -> Mission:
    return Mission(db)


def token(row: Any) -> str:
    return applying.manage_token(SECRET, row.id, row.manage_generation)


@pytest.mark.parametrize("how", ["renew", "change"])
def test_a_link_that_ended_opens_no_own_page_and_no_calendar_any_more(mission: Mission, how: str) -> None:
    before, feed = [mission.theirs, mission.companion], mission.party.feed_digest
    mission.renew() if how == "renew" else mission.change(**NEW)
    for row in before:
        with pytest.raises(NotFound):
            own_registration(mission.db, token(row))
        new = mission.again(row)
        assert own_registration(mission.db, token(new)).row.code == row.code
        assert new.feed_digest != row.feed_digest
    assert own_registration(mission.db, token(mission.own)).row.code == mission.own.code, "a page of one's own stays"
    assert delegation_of(mission.db, mission.forum, mission.party.code).feed_digest != feed


def test_mail_about_people_without_an_address_follows_the_focal_point(mission: Mission) -> None:
    assert mission.change(**NEW)
    for row, name in ((mission.theirs, "envoy2 an"), (mission.companion, "spouse")):
        new = mission.again(row)
        assert (new.email, new.email_normal, new.assistant_name) == (NEW["focal_email"],) * 2 + (NEW["focal_name"],)
        assert new.live_key == f"{NEW['focal_email']}|{name}"
        assert {state for *_, state in mission.mails(row)} == {"withheld"}
        told = history(mission.db, SLUG, f"registration:{row.code}")[-1]
        assert (told.kind, told.after) == ("registration.corrected", {"changed": ["email", "assistant_name"]})
    assert mission.again(mission.own).email == mission.own.email
    assert [state for *_, state in mission.mails(mission.own)] == ["queued"]
    party = delegation_of(mission.db, mission.forum, mission.party.code)
    with pytest.raises(Refused) as refused:
        name_some(mission.db, party, delegate(2, email=""))
    assert refused.value.faults[0].code == "member_registered", "the same person is not named twice by the change"


def test_a_mail_that_was_on_its_way_does_not_carry_the_new_link_to_the_old_address(mission: Mission) -> None:
    claimed = [one for one in claim(mission.db, now=NOW, most=50) if one.subject.endswith(mission.theirs.code)]
    assert claimed
    mission.change(**NEW)
    settings = settings_for("sqlite:///unused.sqlite")
    with pytest.raises(NotFound):
        contents(mission.db, claimed[0], settings, now=NOW)


def test_a_name_put_right_leaves_links_and_mail_as_they_are(mission: Mission) -> None:
    assert mission.change(focal_name="Dara Lim-Keo")
    new = mission.again(mission.theirs)
    assert (new.assistant_name, new.manage_digest, new.email) == (
        "Dara Lim-Keo",
        mission.theirs.manage_digest,
        DARA.email,
    )
    assert "withheld" not in {state for *_, state in mission.mails(mission.theirs)}


def test_an_address_that_has_one_of_the_people_already_is_refused(mission: Mission) -> None:
    same = {"family_name": "Envoy2", "given_name": "An", "name_km": "", "category": "STU"}
    make_application(mission.db, RITH, **{**same, "email": NEW["focal_email"]})
    with pytest.raises(Refused) as refused:
        mission.change(**NEW)
    (fault,) = refused.value.faults
    assert (fault.field, fault.code) == ("focal_email", "focal_speaks_already")
    assert fault.values == {"registrations": mission.theirs.code}


@pytest.mark.parametrize("what", ["needs", "letter"])
def test_a_link_that_leads_to_anything_sensitive_is_for_those_who_may_see_it(mission: Mission, what: str) -> None:
    registrar = make_actor(mission.db, SOKHA, Role.REGISTRAR)
    sees = make_actor(mission.db, CHAN, Role.REGISTRAR, Role.PROTOCOL_OFFICER)

    def show(by: Actor) -> tuple[str, str]:
        return show_delegation_link(mission.db, by, mission.forum, mission.party.code, SECRET, now=NOW)

    assert show(registrar)
    mission.give(what)
    with pytest.raises(Forbidden):
        show(registrar)
    with pytest.raises(Forbidden):
        mission.change(registrar, focal_email=SOKHA.email)
    assert mission.change(registrar, reference="NV 15"), "what leads nobody else there may be corrected"
    assert show(sees)
    assert mission.change(sees, **NEW)


def test_what_is_purged_or_of_somebody_ended_or_with_a_page_of_their_own_keeps_no_link_back(mission: Mission) -> None:
    registrar = make_actor(mission.db, SOKHA, Role.REGISTRAR)
    code, forum = mission.party.code, mission.forum
    letter = parse(LetterInput, {"kind": "visa", "language": "en", "passport_name": "AN ENVOY", "nationality": "KH"})
    ask_for_letter(mission.db, holder(mission.own), forum, mission.own.code, letter, public_code(20), now=NOW)
    assert show_delegation_link(mission.db, registrar, forum, code, SECRET, now=NOW)
    mission.give("letter")
    forget_passports(mission.db, forum, now=NOW)
    assert show_delegation_link(mission.db, registrar, forum, code, SECRET, now=NOW)
    mission.give("needs")
    applying.cancel(mission.db, holder(mission.theirs), forum, mission.theirs.code, now=NOW)
    assert show_delegation_link(mission.db, registrar, forum, code, SECRET, now=NOW)
