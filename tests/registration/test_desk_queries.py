"""What the desk reads about registration."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.accounts.actor import Actor
from app.accounts.rules import PERMISSIONS, Permission, Role
from app.editions.form import ForumFile
from app.editions.loading import load
from app.forum.queries import forum_id
from app.kit.db import Database, Db
from app.kit.errors import Forbidden, NotFound
from app.kit.pen import Pen
from app.registration.applying import cancel, confirm
from app.registration.arranging import put_terms
from app.registration.desk_queries import (
    FEW,
    STANDINGS,
    Wanted,
    counted_by,
    desk_count,
    desk_list,
    desk_registration,
    overview,
    tallies,
)
from app.registration.reviewing import approve, decline
from tests.cast import (
    BOPHA,
    CAST,
    CHAN,
    DARA,
    NOW,
    RITH,
    SLUG,
    SOKHA,
    VANNA,
    make_actor,
    make_application,
    small_terms,
    the_forum,
)

OPERATOR = Actor.operator()


def found(db: Db, **wanted: Any) -> list[str]:
    """The given names the list shows, in its order."""
    rows, _ = desk_list(db, OPERATOR, the_forum(db), Wanted(**wanted))
    return [row.given_name for row in rows]


def everybody(db: Db) -> None:
    """The whole cast, a minute apart."""
    for number, figure in enumerate(CAST):
        make_application(db, figure, now=NOW + timedelta(minutes=number))


def one_of_each(db: Db) -> dict[str, str]:
    """A registration in every standing that the real forum's groups lead to; standing → code."""
    forum = the_forum(db)
    codes = {name: make_application(db, figure).code for name, figure in _STANDING.items()}
    confirm(db, OPERATOR, forum, codes["confirmed"], now=NOW)
    cancel(db, OPERATOR, forum, codes["cancelled"], now=NOW)
    decline(db, OPERATOR, forum, codes["declined"], now=NOW)
    return codes


_STANDING = {"confirmed": VANNA, "unconfirmed": SOKHA, "awaiting": BOPHA, "cancelled": RITH, "declined": DARA}


def test_the_list_shows_the_newest_first_or_the_oldest(db: Db) -> None:
    everybody(db)
    names = [figure.given_name for figure in CAST]
    assert found(db) == names[::-1]
    assert found(db, oldest_first=True) == names


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("sok", {"Vanna", "Sokha"}),
        ("SOK vanna", {"Vanna"}),
        ("vanna sok", {"Vanna"}),
        ("សុខ", {"Vanna", "Sokha"}),
        ("សុខ\u200bវណ្ណា", set()),
        ("វណ្\u200bណា", {"Vanna"}),
        ("university", {"Vanna"}),
        ("ministry.example", {"Bopha"}),
        ("DARA@embassy", {"Dara"}),
        ("%", set()),
        ("_", set()),
        ("...", set()),
        ("nobody", set()),
    ],
)
def test_a_search_finds_names_in_both_scripts_institutions_and_addresses(db: Db, words: str, names: set[str]) -> None:
    everybody(db)
    assert set(found(db, words=words)) == names


def test_a_search_for_an_institution_finds_nobody_who_attends_in_a_private_capacity(db: Db) -> None:
    for given, capacity in (("Openly", "official"), ("Privately", "private")):
        email = f"{given}@person.example"
        make_application(db, VANNA, email=email, given_name=given, attends_as=capacity, institution="Tellinghouse")
    assert found(db, words="tellinghouse") == ["Openly"]
    assert found(db, words="privately") == ["Privately"]


def test_a_search_finds_a_code_as_people_write_it(db: Db) -> None:
    everybody(db)
    code = make_application(db, VANNA, email="second@university.example", given_name="Second").code
    assert found(db, words=code.lower()) == ["Second"]
    assert found(db, words=code[:4]) == []


@pytest.mark.parametrize("standing", _STANDING)
def test_each_standing_holds_its_own(db: Db, standing: str) -> None:
    one_of_each(db)
    assert found(db, standing=standing) == [_STANDING[standing].given_name]


def test_a_seat_kept_while_somebody_decides_is_held(db: Db) -> None:
    one_of_each(db)
    assert found(db, standing="held") == ["Bopha"]


def test_a_group_holds_its_own(db: Db) -> None:
    everybody(db)
    assert found(db, category="CSO") == ["Chan"]
    assert found(db, category="NONE") == []


@pytest.mark.parametrize("oldest_first", [False, True])
def test_turning_the_pages_shows_everybody_once_while_people_come_and_go(db: Db, oldest_first: bool) -> None:
    everybody(db)
    forum, seen, after = the_forum(db), list[str](), ""
    for number in range(20):
        rows, more = desk_list(db, OPERATOR, forum, Wanted(oldest_first=oldest_first, after=after), most=2)
        seen += [row.code for row in rows]
        if number == 0:
            cancel(db, OPERATOR, forum, rows[0].code, now=NOW)
        if not more:
            break
        after = rows[-1].code
    assert len(seen) == len(set(seen)) == len(CAST)


def test_the_counts_say_what_the_list_shows(db: Db) -> None:
    one_of_each(db)
    counted = tallies(db, OPERATOR, the_forum(db))
    for standing in STANDINGS:
        rows, _ = desk_list(db, OPERATOR, the_forum(db), Wanted(standing))
        assert sum(tally.of(standing) for tally in counted) == len(rows), standing
    assert sum(tally.all for tally in counted) == len(_STANDING)
    assert len(counted) == 11 + 5, "eleven kinds of participants, five classes of badges"


def test_the_overview_adds_up_to_the_seat_rows(db: Db) -> None:
    one_of_each(db)
    seen = overview(db, OPERATOR, the_forum(db), now=NOW)
    rows = {row.tally.code: row for row in seen.seats}
    assert (seen.capacity, seen.target) == (300, 250)
    assert [(rows[c].confirmed, rows[c].unconfirmed, rows[c].held) for c in ("STU", "ORG", "GOV")] == [
        (1, 0, 0),
        (0, 1, 0),
        (0, 0, 1),
    ]
    assert seen.total("taken") == 3
    assert seen.free.free_total == 297
    assert (rows["STU"].guarantee, rows["STU"].limit, rows["STU"].left) == (40, 90, 89)
    assert not rows["PARL"].lapsed


def test_a_lapsed_guarantee_is_marked(db: Db) -> None:
    late = NOW + timedelta(days=200)
    rows = {row.tally.code: row for row in overview(db, OPERATOR, the_forum(db), now=late).seats}
    assert (rows["PARL"].lapsed, rows["PARL"].guarantee, rows["STU"].lapsed) == (True, 30, False)


def test_one_registration_has_its_seat_its_group_and_its_needs(db: Db) -> None:
    code = make_application(db, VANNA, meals="Halal", access="Ramp").code
    whole = desk_registration(db, OPERATOR, the_forum(db), code)
    assert (whole.place, whole.place_kind, whole.category.code) == (1, "person", "STU")
    assert (whole.needs, whole.place_in_queue) == (("Halal", "Ramp"), None)


def test_whoever_waits_has_a_place_in_the_groups_queue(db: Db, forum_file: ForumFile) -> None:
    forum = the_forum(db)
    put_terms(db, OPERATOR, forum, *small_terms(forum_file, 1, STU=(0, None, "open"), ORG=(1, None, "open")), now=NOW)
    codes = [
        make_application(db, VANNA, by=OPERATOR, email=f"v{number}@x.example", now=NOW + timedelta(minutes=number)).code
        for number in range(3)
    ]
    places = [desk_registration(db, OPERATOR, forum, code).place_in_queue for code in codes]
    assert places == [1, 2, 3]


def test_needs_are_kept_from_roles_that_do_not_need_them(db: Db) -> None:
    code = make_application(db, VANNA, meals="Halal").code
    forum = the_forum(db)
    shown = {
        role: desk_registration(db, Actor("user", 1, roles={forum_id(forum): frozenset({role})}), forum, code).needs
        for role in Role
        if Permission.SEE_PEOPLE in PERMISSIONS[role]
    }
    assert {role for role, needs in shown.items() if needs} == {
        role for role in shown if Permission.SEE_SENSITIVE in PERMISSIONS[role]
    }
    assert shown[Role.REGISTRAR] is None


def test_a_code_of_no_registration_is_not_found(db: Db) -> None:
    with pytest.raises(NotFound):
        desk_registration(db, OPERATOR, the_forum(db), "ABCDEFG")


@pytest.mark.parametrize("oldest_first", [True, False])
def test_the_count_says_how_many_fit_and_how_many_stand_before(db: Db, oldest_first: bool) -> None:
    one_of_each(db)
    forum, asked = the_forum(db), Wanted(oldest_first=oldest_first)
    everybody, _ = desk_list(db, OPERATOR, forum, asked)
    for before in range(len(everybody) + 1):
        after = everybody[before - 1].code if before else ""
        counted = desk_count(db, OPERATOR, forum, Wanted(oldest_first=oldest_first, after=after))
        assert counted == (len(everybody), before)
    for standing in STANDINGS:
        found, _ = desk_list(db, OPERATOR, forum, Wanted(standing))
        assert desk_count(db, OPERATOR, forum, Wanted(standing)) == (len(found), 0)
    assert desk_count(db, OPERATOR, forum, Wanted(words="nobody at all", after=everybody[0].code)) == (0, 0)


@pytest.mark.parametrize("oldest_first", [True, False])
def test_a_long_list_shows_the_same_page_as_a_short_one(db: Db, oldest_first: bool) -> None:
    codes = one_of_each(db)
    forum = the_forum(db)
    for asked in (Wanted(), Wanted("waiting"), Wanted("held"), Wanted(words="vanna"), Wanted(after=codes["confirmed"])):
        wanted = replace(asked, oldest_first=oldest_first)
        found = desk_list(db, OPERATOR, forum, wanted, most=2)
        assert desk_list(db, OPERATOR, forum, wanted, most=2, of=FEW + 1) == found


@pytest.mark.parametrize("most", [1, 2, 50])
def test_a_list_whose_length_is_known_is_the_same(db: Db, most: int) -> None:
    codes = one_of_each(db)
    forum = the_forum(db)
    asked = [Wanted(), Wanted(words="vanna"), Wanted(words="nobody"), Wanted(words="example", after=codes["confirmed"])]
    for wanted in (*asked, *(replace(one, oldest_first=True) for one in asked)):
        total, before = desk_count(db, OPERATOR, forum, wanted)
        found = desk_list(db, OPERATOR, forum, wanted, most=most)
        assert desk_list(db, OPERATOR, forum, wanted, most=most, there=total - before) == found


def test_nobody_is_looked_for_behind_the_last_of_a_list(database: Database, queries: Callable[[], Any]) -> None:
    Pen(database).write_now(SLUG, lambda db: make_application(db, VANNA))
    forum = database.read(the_forum)
    with queries() as asked:
        assert database.read(lambda db: desk_list(db, OPERATOR, forum, Wanted(words="x"), there=0)) == ([], False)
    assert asked == []


def test_the_tallies_say_how_many_a_list_without_words_holds(db: Db) -> None:
    one_of_each(db)
    forum = the_forum(db)
    counted = tallies(db, OPERATOR, forum)
    categories = ["", *(tally.code for tally in counted)]
    asked = [Wanted(standing, category) for standing in ("", *STANDINGS) for category in categories]
    assert [counted_by(counted, wanted) for wanted in asked] == [desk_count(db, OPERATOR, forum, w)[0] for w in asked]
    assert any(counted_by(counted, wanted) for wanted in asked)


@pytest.mark.parametrize("read", [desk_list, desk_count, desk_registration])
def test_people_are_kept_from_roles_without_them_and_from_strangers(db: Db, read: Callable[..., object]) -> None:
    code = make_application(db, VANNA).code
    asked: Any = code if read is desk_registration else Wanted()
    with pytest.raises(Forbidden):
        read(db, make_actor(db, CHAN, Role.VIEWER), the_forum(db), asked)
    for stranger in (Actor.visitor(), Actor.participant(1), make_actor(db, RITH)):
        with pytest.raises(NotFound):
            read(db, stranger, the_forum(db), asked)


def test_another_forums_registrations_are_in_no_list_and_no_figure(db: Db, forum_file: ForumFile) -> None:
    second = forum_file.model_copy(update={"forum": forum_file.forum.model_copy(update={"slug": "second"})})
    load(db, OPERATOR, second, now=NOW)
    code = make_application(db, VANNA).code
    forum = the_forum(db, "second")
    assert desk_list(db, OPERATOR, forum, Wanted()) == ([], False)
    assert desk_list(db, OPERATOR, forum, Wanted(words=code)) == ([], False)
    assert desk_count(db, OPERATOR, forum, Wanted()) == (0, 0)
    assert sum(tally.all for tally in tallies(db, OPERATOR, forum)) == 0
    assert overview(db, OPERATOR, forum, now=NOW).total("taken") == 0


def test_figures_are_kept_from_strangers(db: Db) -> None:
    for stranger in (Actor.visitor(), make_actor(db, RITH)):
        with pytest.raises(NotFound):
            tallies(db, stranger, the_forum(db))
        with pytest.raises(NotFound):
            overview(db, stranger, the_forum(db), now=NOW)


READS: dict[str, tuple[int, Callable[[Db, Any], object]]] = {
    "the list": (1, lambda db, forum: desk_list(db, OPERATOR, forum, Wanted(words="person", standing="unconfirmed"))),
    "the count": (1, lambda db, forum: desk_count(db, OPERATOR, forum, Wanted(words="person"))),
    "the counts": (1, lambda db, forum: tallies(db, OPERATOR, forum)),
    "the overview": (3, lambda db, forum: overview(db, OPERATOR, forum, now=NOW)),
}


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("what", READS)
def test_a_read_takes_as_many_queries_for_three_as_for_one(
    database: Database, queries: Callable[[], Any], what: str, rows: int
) -> None:
    many, read = READS[what]
    for number in range(rows):
        Pen(database).write_now(
            SLUG,
            lambda db, number=number: make_application(
                db, RITH, email=f"person{number}@crowd.example", family_name="Person"
            ),
        )
    forum = database.read(the_forum)
    with queries() as counted:
        database.read(lambda db: read(db, forum))
    assert len(counted) == many, counted


def test_the_reads_work_on_either_database(either_database: Database) -> None:
    codes = Pen(either_database).write_now(SLUG, one_of_each)

    def read(db: Db) -> tuple[Any, ...]:
        forum = the_forum(db)
        by_standing = {name: len(desk_list(db, OPERATOR, forum, Wanted(name))[0]) for name in STANDINGS}
        searched = desk_list(db, OPERATOR, forum, Wanted(words="វណ្ណា", after="ABCDEFG"))[0]
        return (
            by_standing,
            searched,
            desk_count(db, OPERATOR, forum, Wanted(after=codes["confirmed"]))[0],
            overview(db, OPERATOR, forum, now=NOW).total("taken"),
            desk_registration(db, OPERATOR, forum, codes["confirmed"]).place,
        )

    by_standing, searched, n, taken, place = either_database.read(read)
    assert n == len(codes)
    assert {name: n for name, n in by_standing.items() if n} == {**dict.fromkeys(_STANDING, 1), "held": 1}
    assert (searched, taken, place) == ([], 3, 1)


def test_an_approved_registration_leaves_the_decisions(db: Db) -> None:
    code = make_application(db, BOPHA).code
    approve(db, OPERATOR, the_forum(db), code, now=NOW)
    assert found(db, standing="awaiting") == found(db, standing="held") == []
    assert found(db, standing="unconfirmed") == ["Bopha"]
