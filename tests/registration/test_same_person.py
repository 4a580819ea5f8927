"""One person is one by whichever way they come: an address of their own, or a name under somebody else's."""

import pytest

from app.editions.form import ForumFile
from app.kit.db import Db
from app.kit.errors import Refused
from app.kit.inputs import parse
from app.registration import nominating
from app.registration.applying import cancel
from app.registration.inputs import Person
from app.registration.same_person import identity, registered_already
from tests.cast import DARA, NOW, holder, make_application, request
from tests.embassies import delegate
from tests.registration.test_nominating import Embassy

HERSELF = {"family_name": DARA.family_name, "given_name": DARA.given_name, "email": ""}


@pytest.fixture
def embassy(db: Db, forum_file: ForumFile) -> Embassy:
    found = Embassy(db, forum_file)
    found.hall.arrange(6)
    return found


@pytest.mark.parametrize(
    ("own", "other", "same"),
    [
        ((True, "Lim"), (True, "Keo"), True),
        ((True, "Lim"), (False, "Lim"), True),
        ((True, "Lim"), (False, "Keo"), False),
        ((False, "Lim"), (False, "Lim"), True),
        ((False, "Lim"), (False, "Keo"), False),
    ],
)
def test_under_one_address_the_owner_is_known_by_it_and_everybody_by_name(
    own: tuple[bool, str], other: tuple[bool, str], same: bool
) -> None:
    one, two = (
        identity(DARA.email, request(DARA, family_name=name), has_own_address=has_own) for has_own, name in (own, other)
    )
    assert bool(one.marks & two.marks) is same


def test_whoever_registered_alone_is_not_named_again_under_the_focal_points_address(embassy: Embassy) -> None:
    make_application(embassy.db, DARA, category="STU")
    with pytest.raises(Refused) as refused:
        embassy.name(delegate(1, **HERSELF))
    assert [fault.code for fault in refused.value.faults] == ["member_registered"]
    (other,) = embassy.name(delegate(1, email=""))
    with pytest.raises(Refused, match="member_registered"):
        embassy.substitute(other, delegate(1, **HERSELF))
    assert embassy.named() == 1


def test_whoever_was_named_under_the_focal_points_address_is_not_named_by_it_again(embassy: Embassy) -> None:
    embassy.name(delegate(1, **HERSELF))
    with pytest.raises(Refused) as refused:
        embassy.name(delegate(1, **{**HERSELF, "email": DARA.email}))
    assert refused.value.faults[0].code == "member_registered"
    both = [delegate(2, email=""), delegate(2, email=DARA.email)]
    with pytest.raises(Refused) as twice:
        embassy.name(*both)
    assert [(fault.field, fault.code) for fault in twice.value.faults] == [("1", "member_twice")]


def test_a_name_is_not_corrected_to_that_of_whoever_registered_alone(embassy: Embassy) -> None:
    make_application(embassy.db, DARA, category="STU")
    (one,) = embassy.name(delegate(1, email=""))
    sent = parse(Person, {"family_name": DARA.family_name, "given_name": DARA.given_name})
    with pytest.raises(Refused, match="principal_twice"):
        nominating.correct_member(
            embassy.db, embassy.by, embassy.forum, embassy.row.code, one.code, sent, one.edition, now=NOW
        )


def test_whose_registration_has_ended_is_registered_no_more_and_who_gives_way_is_not_in_the_way(
    embassy: Embassy,
) -> None:
    own = make_application(embassy.db, DARA, category="STU")
    cancel(embassy.db, holder(own), embassy.forum, own.code, now=NOW)
    (one,) = embassy.name(delegate(1, **HERSELF))
    assert embassy.substitute(one, delegate(1, **{**HERSELF, "email": DARA.email})).live_key == DARA.email
    assert registered_already(embassy.db, one.forum_id, []) == frozenset()
