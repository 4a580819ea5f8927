"""The list of registrations is asked here what the desk's list is asked, and answers the same people."""

import re
from dataclasses import fields
from typing import Any

import pytest
from starlette.datastructures import QueryParams

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.api.asking import ListQuestion, Question
from app.registration.desk_filters import Further
from app.registration.desk_inputs import TagInput
from app.registration.desk_queries import desk_list
from app.registration.tagging import mark, put_tag
from app.web.desk_filters import name_of
from app.web.desk_registrations import asked_for
from tests.api.programs import Programs
from tests.cast import NOW, SLUG, the_forum
from tests.doors import ELSEWHERE

OPERATOR = Actor.operator()
FRONT = TagInput(name="Front row", letter="F", tone="red")


@pytest.fixture(scope="module")
def crowd(programs: Programs) -> dict[str, str]:
    """People who differ in whatever can be asked; what stands for them in a question."""
    doors = programs.doors
    doors.register("INT", family_name="Apsara", institution="The Embassy of France", country="FR", language="en")
    private = doors.register(
        "INT", family_name="Bopha", institution="The Embassy of France", attends_as="private", meals="No pork"
    )
    doors.register("DIP", family_name="Chenda")
    person = doors.confirmed(family_name="Dara")
    doors.make_wait(doors.register("STU", family_name="Wait"))
    doors.companion(person)
    party = doors.delegate(seats=2)
    tag = doors.write(SLUG, lambda db: put_tag(db, OPERATOR, the_forum(db), FRONT, now=NOW))
    doors.write(SLUG, lambda db: mark(db, OPERATOR, the_forum(db), private.code, tag, on=True, now=NOW))
    programs.enrol("registrar", Role.REGISTRAR)
    programs.enrol("protocol", Role.PROTOCOL_OFFICER)
    return {"tag": str(tag), "delegation": party.code, "private": private.code, "person": person.code}


def codes(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["code"] for one in answer.json()["items"]]


def at_the_desk(programs: Programs, question: str) -> list[str]:
    wanted = asked_for(QueryParams(question))
    with programs.doors.site.database.reading() as db:
        return [row.code for row in desk_list(db, OPERATOR, the_forum(db), wanted, most=100)[0]]


def test_everything_that_the_desks_list_is_asked_is_asked_here_by_the_same_name(
    programs: Programs, crowd: dict[str, str]
) -> None:
    assert set(Question.model_fields) == {"state", "category", "q", *(name_of(each.name) for each in fields(Further))}
    questions = [
        "state=confirmed",
        "state=held",
        "category=INT",
        "q=embassy",
        "capacity=private",
        "country=FR",
        "institution=embassy+of",
        "language=en",
        "address=confirmed",
        "address=unconfirmed",
        f"delegation={crowd['delegation']}",
        "invitation=none",
        "companions=brings",
        "companions=comes_along",
        "needs=meals",
        "state=waiting&waiting=hall",
        "place=hall",
        "place=none",
        f"tag={crowd['tag']}",
        "since=2000-01-01&until=2200-01-01",
        "until=2000-01-01",
        f"code={crowd['private']}&code={crowd['person']}",
        *(f"order={order}" for order in ListQuestion.model_json_schema()["properties"]["order"]["enum"]),
    ]
    some = 0
    for question in questions:
        here = codes(programs.get(f"/registrations?limit=100&{question}"))
        assert here == at_the_desk(programs, f"order=newest&{question}" if "order" not in question else question)
        some += bool(here)
    assert some > len(questions) * 3 // 4, "most questions are answered by somebody"


def test_nobody_in_a_private_capacity_is_found_by_where_they_work(programs: Programs, crowd: dict[str, str]) -> None:
    for question in ("institution=embassy", f"delegation={crowd['delegation']}", "q=embassy"):
        assert crowd["private"] not in codes(programs.get(f"/registrations?limit=100&{question}"))
    line = programs.get(f"/registrations?tag={crowd['tag']}").json()["items"][0]
    assert (line["code"], line["institution"], line["tags"]) == (crowd["private"], "", [int(crowd["tag"])])
    assert programs.get(f"/registrations/{crowd['private']}").json()["registration"]["tags"] == line["tags"]


def test_who_has_needs_is_asked_by_those_who_may_see_them(programs: Programs, crowd: dict[str, str]) -> None:
    assert codes(programs.get("/registrations?needs=any", "protocol")) == [crowd["private"]]
    refused = programs.get("/registrations?needs=any", "registrar")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


def test_the_parts_of_a_list_go_on_with_the_whole_question(programs: Programs, crowd: dict[str, str]) -> None:
    asked = "order=name-down&capacity=official&limit=2"
    address, seen = f"/registrations?{asked}", []
    while address:
        answer = programs.get(address)
        seen += codes(answer)
        link = re.fullmatch(r'<http://[^/]+(/[^>]+)>; rel="next"', answer.headers.get("link", ""))
        address = link[1] if link else ""
    assert seen == at_the_desk(programs, "order=name-down&capacity=official")
    assert len(seen) > 4
    one_by_one = programs.get(f"/registrations?code={crowd['private']}&code={crowd['person']}&limit=1")
    assert one_by_one.headers["link"].count("code=") == 2


def test_a_question_that_there_is_none_of_is_refused_and_asks_for_nobody(
    programs: Programs, crowd: dict[str, str]
) -> None:
    for odd, name in (
        ("categroy=STU", "categroy"),
        ("state=anything", "state"),
        ("since=1500-01-01", "since"),
        ("until=tomorrow", "until"),
        ("tag=0", "tag"),
        ("tag=99999999999", "tag"),
        ("country=Cambodia", "country"),
        ("code=../x", "code"),
        ("order=-down", "order"),
        ("institution=" + "x" * 201, "institution"),
        ("&".join(["code=A"] * 1001), "code"),
    ):
        answer = programs.get(f"/registrations?{odd}")
        assert answer.status_code == 422, odd
        assert {one["parameter"] for one in answer.json()["errors"]} == {name}
    theirs = programs.doors.register("DIP", slug=ELSEWHERE)
    tag = programs.doors.write(ELSEWHERE, lambda db: put_tag(db, OPERATOR, the_forum(db, ELSEWHERE), FRONT, now=NOW))
    for question in (f"code={theirs.code}", f"tag={tag}", f"after={theirs.code}"):
        assert codes(programs.get(f"/registrations?{question}")) == []
