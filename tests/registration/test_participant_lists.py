"""The list of participants: whose order, what is said of each, and what a final one keeps."""

import json
from typing import Any

import pytest
from sqlalchemy import update

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.editions.form import ForumFile
from app.forum.queries import forum_id
from app.kit.db import Database, Db, table
from app.kit.errors import Forbidden, NotFound, Refused
from app.kit.pen import Pen
from app.registration import ranking
from app.registration.erasing import erase
from app.registration.head_table import TableInput, set_table, table_of
from app.registration.models import Application
from app.registration.participant_lists import MOST, Issue, LayoutInput, issue, kept_issue, kept_lists, lines_now
from app.registration.rank_inputs import RankInput
from app.registration.rules.head_table import Shape
from tests.cast import NOW, SLUG, holder
from tests.embassies import make_delegation
from tests.registration.hall import SmallHall

OPERATOR = Actor.operator()
BY_GROUP = LayoutInput(language="both", group="category")
BY_DELEGATION = LayoutInput(language="en", group="delegation")


def give(hall: SmallHall, layout: LayoutInput = BY_GROUP, *, final: bool = False, by: Actor = OPERATOR) -> Issue:
    lines = lines_now(hall.db, by, hall.forum, layout)
    return issue(hall.db, by, hall.forum, layout, lines, "pdf", final=final, now=NOW)


def names(found: Issue) -> list[str]:
    return [line["name"] for line in found.lines]


def by_role(hall: SmallHall, role: Role) -> Actor:
    return Actor("user", 1, roles={forum_id(hall.forum): frozenset({role})})


def test_headings_stand_in_the_order_of_their_highest_person_and_people_in_theirs(hall: SmallHall) -> None:
    hall.arrange(capacity=4)
    for name, category in (("Student", "STU"), ("Organised", "ORG"), ("Another", "STU")):
        hall.ask(category, family_name=name, given_name="Sok")
    assert names(give(hall)) == ["ORGANISED Sok", "ANOTHER Sok", "STUDENT Sok"]
    honoured = hall.ask("STU", family_name="Honoured", given_name="Sok")
    sent = RankInput(rung="patriarchs", reason="Guest of honour")
    ranking.rank_person(hall.db, OPERATOR, hall.forum, honoured.code, sent, seen=" ", now=NOW)
    found = give(hall)
    assert names(found) == ["HONOURED Sok", "ANOTHER Sok", "STUDENT Sok", "ORGANISED Sok"]
    assert "Guest of honour" not in json.dumps(list(found.lines)), "the reason is in no list"


def test_in_a_private_capacity_post_and_institution_are_left_out_and_the_delegation_too(hall: SmallHall) -> None:
    hall.arrange(capacity=3)
    delegation = make_delegation(hall.db, "DIP", 1, country="JP")
    told = {"institution": "Tellinghouse", "position_title": "Tellingpost", "titles": "H.E.", "country": "FR"}
    official = hall.ask("STU", family_name="Official", **told)
    private = hall.ask("STU", family_name="Private", attends_as="private", **told)
    people = table(Application)
    both = people.c.id.in_([official.id, private.id])
    hall.db.execute(update(people).where(both).values(delegation_id=delegation.id))
    for layout in (BY_GROUP, BY_DELEGATION):
        lines = {line["name"].split()[0]: line for line in give(hall, layout).lines}
        assert lines["PRIVATE"]["private"]
        assert "Telling" not in json.dumps(lines["PRIVATE"])
        assert delegation.institution not in json.dumps(lines["PRIVATE"])
        assert [lines[name]["country"] for name in ("PRIVATE", "OFFICIAL")] == ["FR", "JP"], "nor the delegation's"
        assert lines["OFFICIAL"]["post"] == "Tellingpost"
        assert lines["OFFICIAL"]["institution"]["en"] == delegation.institution
    assert lines["OFFICIAL"]["heading"]["en"] == delegation.institution


def test_addresses_answers_and_sessions_are_on_no_list(hall: SmallHall) -> None:
    hall.ask("STU", email="telling@person.example", phone="012 345 678", meals="Tellingmeal", access="Tellingaccess")
    told = json.dumps(list(give(hall).lines))
    assert [word for word in ("telling", "Telling", "345", "D1-") if word in told] == []


def test_only_those_seated_stand_on_it_unless_it_is_asked_for(hall: SmallHall) -> None:
    hall.arrange(capacity=1)
    seated, waiting = hall.ask("STU"), hall.ask("STU")
    assert [hall.state(row) for row in (seated, waiting)] == ["seated", "waiting"]
    assert len(give(hall).lines) == 1
    assert len(give(hall, BY_GROUP.model_copy(update={"all_live": True})).lines) == 2


def test_a_list_that_would_take_the_machines_memory_is_given_out_as_a_workbook_alone(hall: SmallHall) -> None:
    hall.ask("STU")
    lines = lines_now(hall.db, OPERATOR, hall.forum, BY_GROUP) * (MOST + 1)
    for kind, final in (("pdf", False), ("xlsx", True)):
        with pytest.raises(Refused, match="participants_too_many"):
            issue(hall.db, OPERATOR, hall.forum, BY_GROUP, lines, kind, final=final, now=NOW)
    assert kept_lists(hall.db, OPERATOR, hall.forum) == []
    assert issue(hall.db, OPERATOR, hall.forum, BY_GROUP, lines, "xlsx", final=False, now=NOW).number == 0


def test_a_final_list_is_kept_and_a_later_one_revises_it(hall: SmallHall) -> None:
    hall.arrange(capacity=3)
    first, second = (hall.ask("STU", family_name=name) for name in ("First", "Second"))
    kept = give(hall, final=True)
    hall.db.execute(update(table(Application)).where(table(Application).c.id == first.id).values(family_name="Later"))
    assert names(kept_issue(hall.db, OPERATOR, hall.forum, 1, "pdf", now=NOW)) == names(kept)
    assert (kept.number, give(hall, final=True).number, give(hall).number) == (1, 2, 0)
    erase(hall.db, holder(second), hall.forum, second.code, now=NOW)
    assert len(kept_issue(hall.db, OPERATOR, hall.forum, 1, "xlsx", now=NOW).lines) == 1, "erased people go from it"
    assert [(one.number, one.people) for one in kept_lists(hall.db, OPERATOR, hall.forum)] == [(2, 1), (1, 1)]
    with pytest.raises(NotFound):
        kept_issue(hall.db, OPERATOR, hall.forum, 3, "pdf", now=NOW)
    facts = [fact for fact in history(hall.db, SLUG, f"forum:{SLUG}") if fact.kind == "participants.final"]
    assert [(fact.after["number"], fact.after["people"]) for fact in facts] == [(1, 2), (2, 2)]


def test_who_is_erased_while_a_list_is_read_is_not_kept(hall: SmallHall) -> None:
    row = hall.ask("STU")
    lines: Any = lines_now(hall.db, OPERATOR, hall.forum, BY_GROUP)
    erase(hall.db, holder(row), hall.forum, row.code, now=NOW)
    assert issue(hall.db, OPERATOR, hall.forum, BY_GROUP, lines, "pdf", final=True, now=NOW).lines == []


def test_finance_takes_a_provisional_list_and_only_protocol_makes_one_final(hall: SmallHall) -> None:
    assert give(hall, by=by_role(hall, Role.FINANCE)).number == 0
    assert give(hall, by=by_role(hall, Role.PROTOCOL_OFFICER), final=True).number == 1
    with pytest.raises(Forbidden):
        give(hall, by=by_role(hall, Role.FINANCE), final=True)
    with pytest.raises(Forbidden):
        give(hall, by=by_role(hall, Role.VIEWER))


def test_order_table_and_list_are_kept_on_both_databases(either_database: Database, forum_file: ForumFile) -> None:
    def deed(db: Db) -> tuple[int, int, list[int]]:
        hall = SmallHall(db, forum_file)
        first, second = hall.ask("STU", family_name="First"), hall.ask("STU", family_name="Second")
        sent = RankInput(rung="heads", reason="Doyen")
        ranking.rank_person(db, OPERATOR, hall.forum, second.code, sent, seen=" ", now=NOW)
        ranking.place_rung(db, OPERATOR, hall.forum, "heads", up=True, now=NOW)
        table_for = TableInput(seats=2, shape=Shape.ROW)
        set_table(db, OPERATOR, hall.forum, table_for, [first.code, second.code], "", 0, now=NOW)
        found = give(hall, final=True)
        kept = kept_lists(db, OPERATOR, hall.forum)
        at = {one.row.family_name: seat for seat, one in table_of(db, OPERATOR, hall.forum).at.items()}
        return found.number, kept[0].people, [at["Second"], at["First"]]

    assert Pen(either_database).write_now(SLUG, deed) == (1, 2, [1, 2])
