"""Facts in words."""

import re
from types import SimpleNamespace
from typing import Any

import pytest

from app.accounts.actor import Actor
from app.audit.recording import history
from app.kit.db import Db
from app.kit.i18n import LANGS, Lang, has_text
from app.registration.applying import correct
from app.registration.inputs import Person
from app.registration.rules.states import State
from app.reports.history import told, who
from tests.cast import NOW, SLUG, VANNA, make_application, the_forum
from tests.conftest import ROOT

NAMES = {"STU": "Students", "ORG": "Organizations"}


def fact(kind: str, **values: Any) -> Any:
    given = {"at": NOW, "actor": "user:1", "actor_name": "Sokha", "before": {}, "after": {}, "personal": {}}
    return SimpleNamespace(kind=kind, **{**given, **values})


@pytest.mark.parametrize("lang", LANGS)
def test_every_kind_a_registration_leaves_has_words(lang: Lang) -> None:
    kinds = {f"registration.{state}" for state in State if state is not State.DRAFT}
    kinds |= {"registration.confirmed", "registration.corrected", "registration.moved", "registration.link_shown"}
    for kind in kinds | {"seat.given", "seat.freed"}:
        assert has_text(lang, f"desk.history.{kind}"), kind
        assert "{" not in told(lang, fact(kind), NAMES).words


def test_a_kind_without_words_shows_itself() -> None:
    assert told("en", fact("registration.polished"), NAMES).words == "Noted: registration.polished"


@pytest.mark.parametrize(
    ("happened", "words"),
    [
        (
            fact("registration.moved", before={"category": "STU"}, after={"category": "ORG"}),
            "Moved from Students to Organizations",
        ),
        (
            fact("registration.moved", before={"category": "OLD"}, after={"category": "ORG"}),
            "Moved from OLD to Organizations",
        ),
        (fact("seat.given", after={"place": 1200}), "Place 1,200 was given"),
        (fact("seat.freed", before={"place": 7}), "Place 7 was freed"),
        (
            fact("registration.submitted", after={"category": "STU", "state": "waiting"}),
            "Asked to attend in the group Students: on the waiting list",
        ),
    ],
)
def test_a_fact_is_told_with_its_values(happened: Any, words: str) -> None:
    assert told("en", happened, NAMES).words == words


@pytest.mark.parametrize(
    ("actor", "name", "shown"),
    [
        ("user:1", "Sokha", "Sokha"),
        ("user:1", "", "Somebody at the desk"),
        ("participant:3", "", "The person"),
        ("visitor", "", "The registration form"),
        ("worker", "worker", "Sala, by the rules"),
        ("operator", "operator", "The command line"),
        ("ghost:1", "Boo", "Unknown"),
    ],
)
def test_who_did_it_is_named_as_people_know_them(actor: str, name: str, shown: str) -> None:
    assert who("en", actor, name) == shown


def test_a_correction_shows_what_stood_before_and_after(db: Db) -> None:
    row = make_application(db, VANNA)
    sent = Person(family_name="Sok", given_name="Vannak", name_km=VANNA.name_km, titles=("Dr.",), country="KH")
    correct(db, Actor.participant(row.id), the_forum(db), row.code, sent, row.edition, now=NOW)
    last = told("en", history(db, SLUG, f"registration:{row.code}")[-1], NAMES)
    assert last.words == "Details corrected"
    assert set(last.changes) == {
        ("Given name", "Vanna", "Vannak"),
        ("Titles", "", "Dr."),
        ("Institution", "A university", ""),
    }


def test_a_purged_correction_still_says_which_fields() -> None:
    purged = fact("registration.corrected", after={"changed": ["family_name"]}, personal=None)
    assert told("en", purged, NAMES).changes == (("Family name", "", ""),)


def test_the_words_are_one_for_each_kind_recorded_about_registrations() -> None:
    """A kind recorded without words would be shown raw; terms and sign-ups are facts about the forum."""
    source = "".join(path.read_text() for path in (ROOT / "app" / "registration").glob("*.py"))
    kinds = set(re.findall(r'"((?:registration|seat)\.[a-z_]+)"', source)) - {
        "registration.terms",
        "registration.sign_ups",
    }
    assert {"registration.submitted", "seat.freed"} <= kinds
    assert {kind for kind in kinds if not has_text("en", f"desk.history.{kind}")} == set()
