"""Two registrations of one person: the better standing stays, nobody gains a seat, both histories are kept."""

from typing import Any

import pytest
from sqlalchemy import func, select

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.kit.db import table
from app.kit.errors import Conflict, Forbidden, NotFound, Refused
from app.registration.accompanying import ties_of
from app.registration.applying import cancel, confirm
from app.registration.duplicates import compared, doubles
from app.registration.merging import merge, say_distinct
from app.registration.models import Delegation, Needs, Seat
from app.registration.pick_queries import own_picks
from app.registration.reviewing import approve
from app.registration.rules.likeness import Reason
from tests.cast import CHAN, NOW, SOKHA, make_actor
from tests.registration.hall import SmallHall
from tests.registration.test_inviting import accept, again, invited

OPERATOR = Actor.operator()


def join(hall: SmallHall, keep: Any, drop: Any, by: Actor = OPERATOR) -> None:
    editions = hall.row(keep.code).edition, hall.row(drop.code).edition
    picks = own_picks(hall.db, keep.id).edition, own_picks(hall.db, drop.id).edition
    merge(hall.db, by, hall.forum, keep.code, drop.code, editions, now=NOW, picks=picks)


def seats(hall: SmallHall) -> int:
    return int(hall.db.execute(select(func.count()).select_from(table(Seat))).scalar_one())


def test_of_two_seats_one_stays_and_the_other_goes_to_the_next(hall: SmallHall):
    first, second, next_in_line = hall.ask(), hall.ask(), hall.ask()
    join(hall, first, second)
    assert [hall.state(row) for row in (first, second, next_in_line)] == ["seated", "cancelled", "seated"]
    assert hall.seat(first).number == 1
    assert seats(hall) == 2
    assert hall.row(second.code).merged_into_id == first.id
    assert hall.row(second.code).live_key is None


def test_a_seat_that_only_the_ended_one_had_goes_along_with_its_group(hall: SmallHall):
    seated, _, waiting, other = hall.ask("ORG"), hall.ask("STU"), hall.ask("STU"), hall.ask("STU")
    place = hall.seat(seated).number
    join(hall, waiting, seated)
    kept = hall.row(waiting.code)
    assert (kept.state, kept.category_id, hall.seat(waiting).number) == ("seated", seated.category_id, place)
    assert hall.state(other) == "waiting", "no seat was freed and none was made"
    assert seats(hall) == 2
    assert hall.mails(waiting)[-2:] == ["seated", "merged"], "its hours to confirm start with the mail that asks"


def test_who_is_seated_keeps_that_before_a_seat_held_under_review(hall: SmallHall):
    held, seated, waits = hall.ask("DIP"), hall.ask("STU"), hall.ask("STU")
    join(hall, held, seated)
    assert hall.state(held) == "seated"
    assert (hall.seat(held).kind, hall.state(waits)) == ("person", "seated")
    assert seats(hall) == 2


def test_a_place_in_the_queue_is_better_than_a_request_nobody_looked_at(hall: SmallHall):
    hall.ask(), hall.ask()
    awaiting, waiting = hall.ask("PTY"), hall.ask("STU")
    join(hall, awaiting, waiting)
    assert hall.state(awaiting) == "waiting"
    assert hall.row(awaiting.code).category_id == waiting.category_id


def test_of_two_places_in_one_queue_the_earlier_counts(hall: SmallHall):
    hall.ask(), hall.ask()
    early, late = hall.ask(), hall.ask()
    join(hall, late, early)
    assert hall.row(late.code).asked_at == early.asked_at


def test_a_confirmed_address_of_either_makes_the_seat_final(hall: SmallHall):
    confirmed, other = hall.ask(), hall.ask()
    confirm(hall.db, OPERATOR, hall.forum, confirmed.code, now=NOW)
    join(hall, other, confirmed)
    assert hall.row(other.code).confirmed_at == NOW
    assert hall.mails(other)[-1] == "merged"


def test_what_the_kept_one_leaves_empty_is_filled_and_nothing_is_written_over(hall: SmallHall):
    kept = hall.ask(name_km="", phone="", institution="Its own", meals="")
    dropped = hall.ask(name_km="ហេង ឫទ្ធិ", phone="012 345 678", institution="Another", meals="vegetarian")
    join(hall, kept, dropped)
    row = hall.row(kept.code)
    assert (row.name_km, row.phone, row.institution) == ("ហេង ឫទ្ធិ", "+855 12 345 678", "Its own")
    assert "ហេង" in row.name_search
    needs = table(Needs)
    assert hall.db.execute(select(needs.c.meals).where(needs.c.application_id == kept.id)).scalar_one() == "vegetarian"


def test_both_histories_stay_and_point_at_each_other(hall: SmallHall):
    kept, dropped = hall.ask(), hall.ask()
    join(hall, kept, dropped)
    assert hall.facts(kept) == ["registration.submitted", "seat.given", "registration.merged"]
    assert hall.facts(dropped) == [
        "registration.submitted",
        "seat.given",
        "seat.freed",
        "registration.cancelled",
        "registration.merged_into",
    ]
    assert ties_of(hall.db, hall.row(dropped.code)).merged_into == kept.code
    assert ties_of(hall.db, hall.row(kept.code)).merged == (dropped.code,)


def test_both_addresses_are_told_and_only_the_kept_one_of_the_page(hall: SmallHall):
    kept, dropped = hall.ask(), hall.ask()
    join(hall, kept, dropped)
    assert hall.mails(kept)[-1] == "merged"
    assert hall.mails(dropped) == ["merged_away"], "what had not left is withheld"


def test_one_address_of_two_principals_is_told_once(hall: SmallHall):
    kept = hall.ask(email="office@crowd.example", assistant_name="Meas Sokha")
    dropped = hall.ask(email="office@crowd.example", assistant_name="Meas Sokha")
    join(hall, kept, dropped)
    assert (hall.mails(kept)[-1], hall.mails(dropped)) == ("merged", [])


def test_a_seat_of_a_delegation_goes_back_to_it(hall: SmallHall):
    kept, dropped, waits = hall.ask(), hall.ask(), hall.ask()
    delegation = Delegation(
        forum_id=hall.forum.id or 0,
        category_id=dropped.category_id,
        code="EMB",
        institution="An embassy",
        seats=1,
        deadline=NOW.replace(year=2027),
        focal_name="Dara",
        focal_email="dara@embassy.example",
        created_at=NOW,
    )
    hall.db.add(delegation)
    hall.db.flush()
    row = table(Seat)
    hall.db.execute(row.update().where(row.c.application_id == dropped.id).values(delegation_id=delegation.id))
    join(hall, kept, dropped)
    left = hall.db.execute(select(row).where(row.c.delegation_id == delegation.id)).one()
    assert (left.application_id, left.kind) == (None, "delegation")
    assert hall.state(waits) == "waiting"


def test_what_cannot_be_joined_is_refused_and_changes_nothing(hall: SmallHall):
    one, other = hall.ask(), hall.ask()
    with pytest.raises(Refused, match="same_registration"):
        join(hall, one, one)
    with pytest.raises(Conflict, match="changed_meanwhile"):
        merge(hall.db, OPERATOR, hall.forum, one.code, other.code, (1, 2), now=NOW)
    with pytest.raises(NotFound):
        merge(hall.db, OPERATOR, hall.forum, one.code, "NOSUCH1", (1, 1), now=NOW)
    join(hall, one, other)
    with pytest.raises(Refused, match="merge_ended"):
        join(hall, one, other)
    assert hall.facts(one).count("registration.merged") == 1


def test_only_who_decides_on_registrations_may_join_or_part_two(hall: SmallHall):
    one, other = hall.ask(), hall.ask()
    finance = make_actor(hall.db, CHAN, Role.FINANCE)
    for deed in (lambda: join(hall, one, other, finance),
                 lambda: say_distinct(hall.db, finance, hall.forum, one.code, other.code, now=NOW)):  # fmt: skip
        with pytest.raises(Forbidden):
            deed()
    assert say_distinct(hall.db, make_actor(hall.db, SOKHA, Role.REGISTRAR), hall.forum, one.code, other.code, now=NOW)


# ---- finding them


def test_the_same_person_by_two_addresses_is_shown_until_somebody_decides(hall: SmallHall):
    one = hall.ask(family_name="Sok", given_name="Vanna", name_km="")
    other = hall.ask(family_name="VANNA", given_name="sok", name_km="")
    hall.ask(name_km="ជា បុប្ផា")
    (group,) = doubles(hall.db, OPERATOR, hall.forum).groups
    (pair,) = group.pairs
    assert (pair.first.code, pair.second.code, pair.reasons) == (one.code, other.code, (Reason.NAME_SWAPPED,))
    say_distinct(hall.db, OPERATOR, hall.forum, other.code, one.code, now=NOW)
    assert doubles(hall.db, OPERATOR, hall.forum).total == 0
    assert not say_distinct(hall.db, OPERATOR, hall.forum, one.code, other.code, now=NOW), "known already"


def test_who_ended_is_nobodys_double(hall: SmallHall):
    one, other = hall.ask(family_name="Sok", given_name=""), hall.ask(family_name="Sok", given_name="")
    assert doubles(hall.db, OPERATOR, hall.forum).total == 1
    join(hall, one, other)
    assert doubles(hall.db, OPERATOR, hall.forum).total == 0


def test_whoever_looks_alike_stands_in_one_group_and_the_groups_come_page_by_page(hall: SmallHall):
    for name in ("Sok", "Chan", "Keo"):
        for _ in range(3):
            hall.ask(family_name=name, given_name="", name_km="")
    first = doubles(hall.db, OPERATOR, hall.forum, most=2)
    assert (first.total, [len(group.people) for group in first.groups]) == (3, [3, 3])
    assert [len(group.pairs) for group in first.groups] == [3, 3]
    rest = doubles(hall.db, OPERATOR, hall.forum, after=first.following, most=2)
    assert (rest.total, rest.following) == (3, "")
    names = [group.people[0].family_name for page in (first, rest) for group in page.groups]
    assert names == ["Sok", "Chan", "Keo"]
    assert doubles(hall.db, OPERATOR, hall.forum, after="GONE").groups[0].people[0].family_name == "Sok"


def test_the_comparison_says_what_becomes_of_the_seats(hall: SmallHall):
    seated, _, waiting = hall.ask("ORG"), hall.ask(), hall.ask()
    found = compared(hall.db, OPERATOR, hall.forum, seated.code, waiting.code)
    assert found.keeping_second.moves_seat
    assert not found.keeping_first.takes_over
    approved = hall.ask("PTY")
    approve(hall.db, OPERATOR, hall.forum, approved.code, now=NOW)
    assert compared(hall.db, OPERATOR, hall.forum, approved.code, waiting.code).keeping_first.takes_over is False


def test_what_is_sensitive_goes_to_another_address_only_by_who_may_see_it(hall: SmallHall):
    registrar, owner = make_actor(hall.db, SOKHA, Role.REGISTRAR), make_actor(hall.db, CHAN, Role.OWNER)
    kept, dropped = hall.ask(email="kept@elsewhere.example"), hall.ask(email="dropped@elsewhere.example", access="Ramp")
    with pytest.raises(Refused, match="merge_sensitive"):
        join(hall, kept, dropped, by=registrar)
    assert hall.state(dropped) != "cancelled"
    join(hall, kept, dropped, by=owner)
    assert hall.state(dropped) == "cancelled"


def by_invitation(hall: SmallHall, number: int) -> tuple[Any, Any]:
    """A personal invitation and the registration made with it, by yet another person."""
    email = f"guest{number}@ministry.example"
    row = invited(hall, email=email)
    return row, accept(hall, row, key=f"guest{number}", email=email, family_name=f"Guest{number}")


@pytest.mark.parametrize("keep_the_invited", [True, False])
@pytest.mark.parametrize("the_other_is", ["seated before", "waiting"])
def test_a_personal_invitation_is_used_up_whichever_registration_is_kept(
    hall: SmallHall, keep_the_invited: bool, the_other_is: str
):
    hall.arrange(capacity=3)
    if the_other_is == "waiting":
        hall.ask(), hall.ask()
        row, guest = by_invitation(hall, 1)
        other = hall.ask()
    else:
        other = hall.ask()
        hall.ask(), hall.ask()
        row, guest = by_invitation(hall, 1)
    assert {hall.state(guest), hall.state(other)} == {"seated", "waiting"}
    pair = (guest, other) if keep_the_invited else (other, guest)
    join(hall, *pair)
    assert again(hall, row).state == "accepted"
    with pytest.raises(Refused, match="invitation_used"):
        accept(hall, row, key="somebody else", email="else@ministry.example")
    cancel(hall.db, OPERATOR, hall.forum, pair[0].code, now=NOW)
    with pytest.raises(Refused, match="invitation_withdrawn"):
        accept(hall, row, key="somebody else", email="else@ministry.example")


@pytest.mark.parametrize("keep_the_first", [True, False])
def test_of_two_personal_invitations_the_standings_own_stays_and_the_other_is_closed(
    hall: SmallHall, keep_the_first: bool
):
    (one, first), _, (two, second) = by_invitation(hall, 1), hall.ask(), by_invitation(hall, 2)
    assert (hall.state(first), hall.state(second)) == ("seated", "waiting")
    join(hall, *((first, second) if keep_the_first else (second, first)))
    assert (again(hall, one).state, again(hall, two).state) == ("accepted", "withdrawn")
    for row, why in ((one, "used"), (two, "withdrawn")):
        with pytest.raises(Refused, match=f"invitation_{why}"):
            accept(hall, row, key="somebody else", email="else@ministry.example")
    kept, ended = (first, second) if keep_the_first else (second, first)
    assert (hall.row(kept.code).invitation_id, hall.row(ended.code).invitation_id) == (one.id, two.id)
