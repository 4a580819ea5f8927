"""The ladder changed, people put on a rung with a reason, and the order that comes of it."""

from datetime import date
from typing import Any

import pytest
import yaml
from sqlalchemy import update

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.editions.exporting import export
from app.forum.queries import forum_id
from app.kit.db import table
from app.kit.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from app.kit.i18n import Bilingual
from app.kit.inputs import parse
from app.registration import ranking
from app.registration.erasing import erase
from app.registration.merging import merge
from app.registration.models import Application
from app.registration.rank_inputs import LadderInput, RankInput, RungInput
from app.registration.rank_queries import ladder_of, people_in_order, rank_of, rung_now
from app.registration.rules.precedence import USUAL
from app.registration.rules.states import State
from tests.cast import NOW, SLUG, holder
from tests.embassies import make_delegation
from tests.registration.hall import SmallHall

OPERATOR = Actor.operator()
HONOURED = RungInput(name=Bilingual("Guests of honour", "ភ្ញៀវកិត្តិយស"))


def order(hall: SmallHall, **asked: Any) -> list[str]:
    ladder = ladder_of(hall.db, forum_id(hall.forum))
    return [one.row.code for one in people_in_order(hall.db, OPERATOR, hall.forum, ladder, **asked)]


def rungs(hall: SmallHall) -> list[str]:
    return [rung.code for rung in ladder_of(hall.db, forum_id(hall.forum)).rungs]


def put(hall: SmallHall, row: Any, rung: str, *, seen: str = " ", **more: Any) -> bool:
    sent = RankInput(rung=rung, **{"reason": "Doyen" if rung else "", **more})
    return ranking.rank_person(hall.db, OPERATOR, hall.forum, row.code, sent, seen=seen, now=NOW)


def by_role(hall: SmallHall, role: Role) -> Actor:
    return Actor("user", 1, roles={forum_id(hall.forum): frozenset({role})})


def test_the_usual_ladder_stands_until_somebody_changes_it_and_only_then_is_written(hall: SmallHall) -> None:
    db, forum = hall.db, hall.forum
    usual = [rung.code for rung in USUAL]
    assert rungs(hall) == usual
    assert not ranking.place_rung(db, OPERATOR, forum, "patriarchs", up=True, now=NOW)
    assert ranking.place_rung(db, OPERATOR, forum, "senate-president", up=True, now=NOW)
    assert rungs(hall) == ["senate-president", "patriarchs", *usual[2:]]
    code = ranking.add_rung(db, OPERATOR, forum, HONOURED, now=NOW)
    assert rungs(hall)[-1] == code
    ranking.remove_rung(db, OPERATOR, forum, "students", now=NOW)
    assert "students" not in rungs(hall)


def test_whoever_saves_second_is_told_so_also_of_a_usual_rung(hall: SmallHall) -> None:
    db, forum = hall.db, hall.forum
    assert ranking.change_rung(db, OPERATOR, forum, "heads", HONOURED, 0, now=NOW)
    with pytest.raises(Conflict):
        ranking.change_rung(db, OPERATOR, forum, "heads", HONOURED, 0, now=NOW)
    assert not ranking.change_rung(db, OPERATOR, forum, "heads", HONOURED, 2, now=NOW)
    with pytest.raises(NotFound):
        ranking.change_rung(db, OPERATOR, forum, "nowhere", HONOURED, 0, now=NOW)
    unknown = HONOURED.model_copy(update={"categories": ("NONE",)})
    with pytest.raises(Invalid):
        ranking.change_rung(db, OPERATOR, forum, "heads", unknown, 2, now=NOW)


def test_a_person_put_on_a_rung_goes_before_and_the_reason_stands_openly_nowhere(hall: SmallHall) -> None:
    hall.arrange(capacity=3)
    first, second, third = (hall.ask("STU", family_name=name) for name in ("Alpha", "Beta", "Gamma"))
    assert order(hall) == [first.code, second.code, third.code]
    assert put(hall, third, "ambassadors", reason="Tellingreason")
    assert order(hall) == [third.code, first.code, second.code]
    (fact,) = [one for one in history(hall.db, SLUG, f"registration:{third.code}") if one.kind.endswith("ranked")]
    assert (fact.before, fact.after) == ({"rung": ""}, {"rung": "ambassadors"})
    assert fact.personal["reason"] == "Tellingreason"
    with pytest.raises(Refused):
        ranking.remove_rung(hall.db, OPERATOR, hall.forum, "ambassadors", now=NOW)
    assert put(hall, third, "", seen="ambassadors ")
    assert order(hall) == [first.code, second.code, third.code]
    assert rank_of(hall.db, third.id) is None
    erase(hall.db, holder(third), hall.forum, third.code, now=NOW)
    with pytest.raises(NotFound):
        put(hall, third, "ambassadors")


def test_a_rung_needs_a_reason_a_day_does_not_and_the_earlier_day_goes_first(hall: SmallHall) -> None:
    first, second = (hall.ask("STU", family_name=name) for name in ("Alpha", "Beta"))
    for rung, reason in (("ambassadors", ""), ("nowhere", "Doyen")):
        with pytest.raises(Invalid):
            put(hall, first, rung, reason=reason)
    assert put(hall, second, "", since=date(2020, 1, 2))
    assert not put(hall, second, "", seen=" 2020-01-02", since=date(2020, 1, 2))
    assert order(hall) == [second.code, first.code]
    with pytest.raises(Conflict):
        put(hall, second, "ambassadors")


def test_countries_follow_the_chosen_alphabet(hall: SmallHall) -> None:
    hall.arrange(capacity=3)
    people = [hall.ask("STU", country=code) for code in ("DE", "JP", "US")]
    germany, japan, america = [row.code for row in people]
    assert order(hall) == [germany, japan, america]
    assert ranking.choose_alphabet(hall.db, OPERATOR, hall.forum, "fr", now=NOW)
    assert order(hall) == [germany, america, japan], "Allemagne, États-Unis, Japon"
    assert not ranking.choose_alphabet(hall.db, OPERATOR, hall.forum, "fr", now=NOW)
    with pytest.raises(Invalid):
        ranking.choose_alphabet(hall.db, OPERATOR, hall.forum, "de", now=NOW)


def test_in_a_private_capacity_nobody_ranks_by_an_office(hall: SmallHall) -> None:
    hall.arrange(capacity=2)
    office = {"position_title": "Prime Minister", "institution": "A ministry"}
    private = hall.ask("STU", family_name="Alpha", attends_as="private", **office)
    official = hall.ask("STU", family_name="Beta", **office)
    assert order(hall) == [official.code, private.code]


def test_in_a_private_capacity_nobody_ranks_by_a_delegation(hall: SmallHall) -> None:
    hall.arrange(capacity=3)
    embassy, people = make_delegation(hall.db, "DIP", 1, country="AL"), table(Application)
    private = hall.ask("STU", family_name="Alpha", attends_as="private", country="ZM")
    official = hall.ask("STU", family_name="Beta", country="JP")
    here = people.c.id == private.id
    hall.db.execute(update(people).where(here).values(delegation_id=embassy.id, heads_delegation=True))
    assert order(hall) == [official.code, private.code], "neither as its head nor by its country"
    rung, _ = rung_now(hall.db, forum_id(hall.forum), hall.row(private.code), "STU")
    assert rung is not None
    assert rung.code == "students"


def test_only_those_seated_stand_in_the_usual_order_and_others_where_it_is_asked_for(hall: SmallHall) -> None:
    hall.arrange(capacity=1)
    seated, waiting = hall.ask("STU"), hall.ask("STU")
    assert order(hall) == [seated.code]
    assert set(order(hall, states=(State.SEATED, State.WAITING))) == {seated.code, waiting.code}


def test_protocol_changes_the_order_and_a_registrar_only_reads_it(hall: SmallHall) -> None:
    protocol, registrar = by_role(hall, Role.PROTOCOL_OFFICER), by_role(hall, Role.REGISTRAR)
    assert ranking.place_rung(hall.db, protocol, hall.forum, "heads", up=True, now=NOW)
    ladder = ladder_of(hall.db, forum_id(hall.forum))
    assert people_in_order(hall.db, registrar, hall.forum, ladder) == []
    with pytest.raises(Forbidden):
        ranking.place_rung(hall.db, registrar, hall.forum, "heads", up=True, now=NOW)
    with pytest.raises(Forbidden):
        people_in_order(hall.db, by_role(hall, Role.VIEWER), hall.forum, ladder)


def test_three_people_take_as_many_queries_as_one(hall: SmallHall, queries: Any) -> None:
    hall.arrange(capacity=3)
    counts = []
    for people in (1, 2):
        for _ in range(people):
            hall.ask("STU")
        with queries() as counted:
            order(hall)
        counts.append(len(counted))
    assert counts == [2, 2]


def test_a_forums_file_takes_its_ladder_along_and_brings_it_back(hall: SmallHall) -> None:
    db, forum = hall.db, hall.forum
    assert "ladder" not in yaml.safe_load(export(db, SLUG)), "the usual one goes without saying"
    ranking.choose_alphabet(db, OPERATOR, forum, "fr", now=NOW)
    code = ranking.add_rung(db, OPERATOR, forum, HONOURED, now=NOW)
    kept = parse(LadderInput, yaml.safe_load(export(db, SLUG))["ladder"])
    assert not ranking.put_ladder(db, OPERATOR, forum, kept, now=NOW)
    ranking.remove_rung(db, OPERATOR, forum, code, now=NOW)
    ranking.place_rung(db, OPERATOR, forum, "heads", up=True, now=NOW)
    assert ranking.put_ladder(db, OPERATOR, forum, kept, now=NOW)
    assert rungs(hall) == [rung.code for rung in kept.rungs]
    put(hall, hall.ask("STU"), code)
    fewer = kept.model_copy(update={"rungs": kept.rungs[:-1]})
    with pytest.raises(Refused):
        ranking.put_ladder(db, OPERATOR, forum, fewer, now=NOW)


def test_of_two_registrations_of_one_person_the_rank_comes_along_unless_the_kept_one_has_its_own(
    hall: SmallHall,
) -> None:
    hall.arrange(capacity=4)
    for own, expected in (("", "ambassadors"), ("heads", "heads")):
        kept, dropped = hall.ask("STU"), hall.ask("STU")
        put(hall, dropped, "ambassadors")
        if own:
            put(hall, kept, own)
        editions = hall.row(kept.code).edition, hall.row(dropped.code).edition
        merge(hall.db, OPERATOR, hall.forum, kept.code, dropped.code, editions, now=NOW)
        assert rank_of(hall.db, kept.id).rung == expected
