from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.kit import codes
from app.kit.db import Db, table
from app.kit.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from app.kit.inputs import parse
from app.registration.applying import accept, apply, cancel, confirm, correct, feed_token, manage_token, turn_down
from app.registration.inputs import ApplicationInput, Person
from app.registration.models import Needs
from app.registration.seating import asking, tell
from app.registration.settling import settle
from tests.cast import (
    BOPHA,
    DARA,
    NOW,
    RITH,
    SECRET,
    SOKHA,
    VANNA,
    fields,
    holder,
    make_actor,
    make_application,
    request,
    the_forum,
)
from tests.registration.hall import SmallHall

VISITOR, OPERATOR = Actor.visitor(), Actor.operator()


def apply_as(hall: SmallHall, sent: ApplicationInput, key: str, **options: Any) -> Any:
    return apply(hall.db, VISITOR, hall.forum, sent, key, SECRET, now=options.get("now", NOW))


# ---- asking to attend


def test_a_known_person_gets_the_mail_with_their_link_once_an_hour(hall: SmallHall) -> None:
    row = hall.ask("STU")
    sent = request(VANNA, email=row.email, family_name=row.family_name, given_name=row.given_name, category="STU")
    for minutes in (0, 20, 59, 61):
        asked = apply_as(hall, sent, f"again{minutes}", now=NOW + timedelta(minutes=minutes))
        assert asked.known
    assert hall.mails(row) == ["seated", "known", "known"]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({}, {"assistant_name": "Vanna Sok"}),
        ({"assistant_name": "Vanna Sok"}, {}),
        ({"assistant_name": "A"}, {"assistant_name": "B"}),
    ],
)
def test_a_person_is_one_whether_they_register_themselves_or_as_a_principal(
    hall: SmallHall, first: dict[str, str], then: dict[str, str]
) -> None:
    names = {"email": "two@example.org", "family_name": "Twofold", "given_name": "Ann"}
    one = apply(hall.db, Actor.visitor(), hall.forum, request(VANNA, **names, **first), "first", SECRET, now=NOW)
    again = apply(hall.db, Actor.visitor(), hall.forum, request(VANNA, **names, **then), "then", SECRET, now=NOW)
    assert (again.code, again.known) == (one.code, True)


def test_an_open_category_seats_at_once(hall: SmallHall):
    row = hall.ask("STU")
    assert (row.state, hall.seat(row).number, hall.seat(row).kind) == ("seated", 1, "person")
    assert hall.mails(row) == ["seated"]
    assert hall.facts(row) == ["registration.submitted", "seat.given"]
    assert row.confirmed_at is None


def test_a_full_hall_puts_on_the_waiting_list(hall: SmallHall):
    rows = [hall.ask("STU") for _ in range(3)]
    assert [row.state for row in rows] == ["seated", "seated", "waiting"]
    assert hall.seat(rows[2]) is None
    assert hall.mails(rows[2]) == ["waiting"]


def test_a_category_at_its_limit_waits_beside_a_free_seat(hall: SmallHall):
    assert [hall.ask("ORG").state for _ in range(2)] == ["seated", "waiting"]
    assert hall.ask("STU").state == "seated"


def test_a_moderated_category_holds_a_seat_where_it_says_so(hall: SmallHall):
    held, not_held = hall.ask("DIP"), hall.ask("PTY")
    assert (held.state, not_held.state) == ("awaiting", "awaiting")
    assert hall.seat(held).kind == "hold"
    assert hall.seat(not_held) is None
    assert hall.mails(held) == ["awaiting"]


def test_a_moderated_category_awaits_approval_in_a_full_hall_too(hall: SmallHall):
    hall.ask("STU"), hall.ask("STU")
    row = hall.ask("DIP")
    assert (row.state, hall.seat(row)) == ("awaiting", None)


@pytest.mark.parametrize(
    ("reason", "terms"),
    [
        ("door_not_yet", {"opens_at": NOW + timedelta(seconds=1)}),
        ("door_closed", {"closes_at": NOW}),
    ],
)
def test_outside_its_times_registration_is_refused(hall: SmallHall, reason: str, terms: dict[str, Any]):
    hall.arrange(**terms)
    with pytest.raises(Refused, match=reason):
        hall.ask("STU")


def test_after_the_forum_registration_is_refused_to_organisers_too(hall: SmallHall):
    hall.arrange(closes_at=None)
    with pytest.raises(Refused, match="door_over"):
        hall.ask("STU", now=NOW + timedelta(days=200), by=OPERATOR)


def test_an_organiser_registers_somebody_after_closing(hall: SmallHall):
    hall.arrange(closes_at=NOW)
    assert hall.ask("STU", by=OPERATOR).state == "seated"


def test_whom_an_organiser_registers_is_confirmed_already(hall: SmallHall):
    row = hall.ask("STU", by=make_actor(hall.db, SOKHA, Role.REGISTRAR))
    assert row.confirmed_at == NOW
    hall.mail_leaves(row)
    settle(hall.db, hall.forum, now=NOW + timedelta(days=30))
    assert hall.state(row) == "seated"


def test_by_invitation_means_not_for_visitors(hall: SmallHall):
    with pytest.raises(Refused, match="door_by_invitation"):
        hall.ask("THK")
    assert hall.ask("THK", by=OPERATOR).state == "seated"


def test_an_unknown_category_is_refused(hall: SmallHall):
    with pytest.raises(Refused, match="unknown_category"):
        hall.ask("NOBODY")


def test_the_same_form_sent_twice_is_one_registration_with_one_answer(hall: SmallHall):
    first = apply_as(hall, request(VANNA), "one form")
    again = apply_as(hall, request(VANNA), "one form")
    assert (again.code, again.state, again.token) == (first.code, first.state, first.token)
    assert again.same_request
    assert hall.mails(hall.row(first.code)) == ["seated"], "and one mail"


def test_a_form_sent_again_for_somebody_else_is_refused_and_registers_nobody(hall: SmallHall):
    first = apply_as(hall, request(VANNA), "one form")
    with pytest.raises(Refused, match="form_sent_already"):
        apply_as(hall, request(RITH, category="STU"), "one form")
    assert hall.mails(hall.row(first.code)) == ["seated"]
    assert not apply_as(hall, request(RITH, category="STU"), "another form").known


def test_a_form_sent_again_for_somebody_registered_otherwise_is_refused_as_well(hall: SmallHall):
    apply_as(hall, request(VANNA), "one form")
    other = apply_as(hall, request(RITH, category="STU"), "another form")
    with pytest.raises(Refused, match="form_sent_already"):
        apply_as(hall, request(RITH, category="STU"), "one form")
    assert hall.mails(hall.row(other.code)) == ["seated"], "no mail goes to an address another's form named"


def test_the_form_of_an_ended_registration_still_answers_its_own_person_alone(hall: SmallHall):
    first = apply_as(hall, request(VANNA), "one form")
    cancel(hall.db, holder(hall.row(first.code)), hall.forum, first.code, now=NOW)
    again = apply_as(hall, request(VANNA), "one form")
    assert (again.code, again.same_request) == (first.code, True)
    with pytest.raises(Refused, match="form_sent_already"):
        apply_as(hall, request(RITH, category="STU"), "one form")


@pytest.mark.parametrize(
    ("reason", "category", "terms"),
    [
        ("door_not_yet", "STU", {"opens_at": NOW + timedelta(seconds=1)}),
        ("door_closed", "STU", {"closes_at": NOW}),
        ("door_by_invitation", "THK", {}),
    ],
)
def test_a_shut_door_says_the_same_to_the_known_and_to_the_unknown(
    hall: SmallHall, reason: str, category: str, terms: dict[str, Any]
):
    known = apply_as(hall, request(VANNA), "one form")
    hall.arrange(**terms)
    for figure in (VANNA, RITH):
        with pytest.raises(Refused) as refused:
            apply_as(hall, request(figure, category=category), f"form of {figure.name}")
        assert (refused.value.code, refused.value.values) == (reason, {})
    assert hall.mails(hall.row(known.code)) == ["seated"]


def test_a_known_address_keeps_its_registration_and_is_sent_its_link(hall: SmallHall):
    first = apply_as(hall, request(VANNA), "one form")
    again = apply_as(hall, request(VANNA, email=" VANNA@University.Example ", category="ORG"), "another form")
    assert (again.code, again.known) == (first.code, True)
    assert hall.mails(hall.row(first.code)) == ["seated", "known"]
    assert hall.facts(hall.row(first.code)) == ["registration.submitted", "seat.given"]


def test_a_cancelled_person_may_register_again(hall: SmallHall):
    first = apply_as(hall, request(VANNA), "one form")
    cancel(hall.db, holder(hall.row(first.code)), hall.forum, first.code, now=NOW)
    again = apply_as(hall, request(VANNA), "another form")
    assert (again.known, again.code == first.code) == (False, False)


def test_whose_seat_has_expired_may_register_again_before_the_worker_looked(hall: SmallHall):
    first = hall.row(apply_as(hall, request(VANNA), "one form").code)
    hall.mail_leaves(first)
    again = apply_as(hall, request(VANNA), "another form", now=NOW + timedelta(hours=48))
    assert not again.known
    assert hall.state(first) == "expired"


def test_an_assistant_registers_several_principals_each_once(hall: SmallHall):
    def principal(name: str, key: str) -> Any:
        sent = request(BOPHA, email=SOKHA.email, family_name=name, category="STU", assistant_name="Sokha")
        return apply_as(hall, sent, key)

    chea, keo, chea_again = principal("Chea", "one"), principal("Keo", "two"), principal("CHEA ", "three")
    assert (chea.known, keo.known, chea_again.known) == (False, False, True)
    assert chea_again.code == chea.code
    own = apply_as(hall, request(SOKHA, category="STU"), "four")
    assert not own.known, "the assistant may attend in person"


def test_what_is_stored_is_what_was_typed(db: Db):
    row = make_application(db, BOPHA, display_name="H.E. Dr. CHEA Bopha", phone="០១២ ៣៤៥ ៦៧៨", attends_as="private")
    assert (row.titles, row.family_name, row.given_name) == (["H.E.", "Dr."], "Chea", "Bopha")
    assert (row.name_km, row.display_name) == ("ជា បុប្ផា", "H.E. Dr. CHEA Bopha")
    assert (row.phone, row.attends_as, row.language) == ("+855 12 345 678", "private", "km")


def test_only_digests_of_the_links_are_stored(hall: SmallHall):
    row = hall.ask("STU")
    assert row.manage_digest == codes.digest(manage_token(SECRET, row.id, 1))
    assert row.feed_digest == codes.digest(feed_token(SECRET, row.id, 1))
    assert row.manage_digest != row.feed_digest


def test_needs_are_kept_apart_and_only_if_given(hall: SmallHall):
    row, other = hall.ask("STU", meals="no fish", access="a wheelchair"), hall.ask("STU")
    found = hall.db.execute(select(table(Needs))).all()
    assert [(need.application_id, need.meals, need.access) for need in found] == [(row.id, "no fish", "a wheelchair")]
    assert other.id not in {need.application_id for need in found}


def test_names_and_addresses_stand_in_facts_only_where_a_purge_reaches_them(hall: SmallHall):
    from app.audit.recording import history

    row = hall.ask("STU")
    for fact in history(hall.db, hall.forum.slug, f"registration:{row.code}"):
        assert "crowd.example" not in f"{fact.before}{fact.after}{fact.subject}{fact.actor_name}"
        assert "Person1" not in f"{fact.before}{fact.after}{fact.subject}{fact.actor_name}"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("email", "not an address", "not_an_email"),
        ("email", "a" * 300 + "@university.example", "not_an_email"),
        ("family_name", "x" * 201, "too_long"),
        ("family_name", "So\u202ek", "control_characters"),
        ("family_name", "So\x00k", "control_characters"),
        ("phone", "not a number", "not_a_phone"),
        ("country", "XX", "not_a_choice"),
        ("language", "fr", "not_a_choice"),
        ("attends_as", "spy", "not_a_choice"),
        ("category", "no such", "not_this_form"),
        ("titles", ",".join("abcdefghi"), "too_many_parts"),
        ("unknown_field", "x", "not_known_here"),
        ("given_name", "Rith https://prizes", "name_is_address"),
        ("display_name", "Collect it at www.prizes.example", "name_is_address"),
        ("family_name", "See prizes.example/now", "name_is_address"),
        ("titles.1", "Dr., prizes.example/now", "name_is_address"),
    ],
)
def test_a_fault_names_its_field(field: str, value: str, code: str):
    with pytest.raises(Invalid) as refused:
        parse(ApplicationInput, fields(VANNA, **{field.partition(".")[0]: value}))
    assert [(fault.field, fault.code) for fault in refused.value.faults] == [(field, code)]


@pytest.mark.parametrize("name", ["S.A.R.", "Prof./Dr. St.John", "Wwwa", "O.B.E./C.B.E.", "a/l Muthu", "J.-P."])
def test_a_name_that_has_dots_or_strokes_in_it_is_no_address(name: str):
    assert parse(ApplicationInput, fields(VANNA, display_name=name, titles=name)).display_name == name


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"consent": ""}, "consent_missing"), ({"family_name": " ", "name_km": ""}, "name_missing")],
)
def test_a_request_needs_consent_and_a_name(changes: dict[str, str], code: str):
    with pytest.raises(Invalid) as refused:
        parse(ApplicationInput, fields(VANNA, **changes))
    assert [fault.code for fault in refused.value.faults] == [code]


# ---- confirming


def test_confirming_makes_the_seat_final(hall: SmallHall):
    row = hall.ask("STU")
    hall.mail_leaves(row)
    assert confirm(hall.db, holder(row), hall.forum, row.code, now=NOW)
    settle(hall.db, hall.forum, now=NOW + timedelta(days=30))
    assert (hall.state(row), hall.row(row.code).confirm_by) == ("seated", None)
    assert hall.facts(row)[-1] == "registration.confirmed"


def test_confirming_twice_is_harmless(hall: SmallHall):
    row = hall.ask("STU")
    assert [confirm(hall.db, holder(row), hall.forum, row.code, now=NOW) for _ in range(2)] == [True, False]
    assert hall.facts(row).count("registration.confirmed") == 1


def test_an_ended_registration_cannot_be_confirmed(hall: SmallHall):
    row = hall.ask("STU")
    cancel(hall.db, holder(row), hall.forum, row.code, now=NOW)
    with pytest.raises(Refused, match="ended"):
        confirm(hall.db, holder(row), hall.forum, row.code, now=NOW)


# ---- whose it is


@pytest.mark.parametrize("deed", [confirm, cancel, accept])
def test_a_registration_is_not_there_for_strangers(hall: SmallHall, deed: Any):
    row, other = hall.ask("STU"), hall.ask("STU")
    for stranger in (VISITOR, holder(other), make_actor(hall.db, RITH)):
        with pytest.raises(NotFound):
            deed(hall.db, stranger, hall.forum, row.code, now=NOW)


def test_who_sees_the_desk_but_does_not_decide_may_not_cancel(hall: SmallHall):
    row = hall.ask("STU")
    with pytest.raises(Forbidden):
        cancel(hall.db, make_actor(hall.db, DARA, Role.VIEWER), hall.forum, row.code, now=NOW)


def test_an_unknown_code_is_not_found(hall: SmallHall):
    with pytest.raises(NotFound):
        cancel(hall.db, OPERATOR, hall.forum, "NOTHERE", now=NOW)


# ---- correcting


def corrected(row: Any, **changes: Any) -> Person:
    names = Person.model_fields.keys() - {"meals", "access"}
    return parse(Person, {**{name: getattr(row, name) for name in names}, **changes})


def test_a_correction_is_kept_with_what_it_was_before(hall: SmallHall):
    from app.audit.recording import history

    row = hall.ask("STU")
    assert correct(hall.db, holder(row), hall.forum, row.code, corrected(row, institution="Elsewhere"), 1, now=NOW)
    after = hall.row(row.code)
    assert (after.institution, after.edition) == ("Elsewhere", 2)
    fact = history(hall.db, hall.forum.slug, f"registration:{row.code}")[-1]
    assert fact.after == {"changed": ["institution"]}
    assert fact.personal == {"before": {"institution": ""}, "after": {"institution": "Elsewhere"}}


def test_a_correction_that_changes_nothing_writes_nothing(hall: SmallHall):
    row = hall.ask("STU")
    assert not correct(hall.db, holder(row), hall.forum, row.code, corrected(row), 1, now=NOW)
    assert hall.row(row.code).edition == 1
    assert "registration.corrected" not in hall.facts(row)


def test_a_form_opened_before_another_change_is_told_so(hall: SmallHall):
    row = hall.ask("STU")
    correct(hall.db, holder(row), hall.forum, row.code, corrected(row, institution="First"), 1, now=NOW)
    with pytest.raises(Conflict, match="changed_meanwhile"):
        correct(hall.db, holder(row), hall.forum, row.code, corrected(row, institution="Second"), 1, now=NOW)
    assert hall.row(row.code).institution == "First"


def test_a_principal_is_not_corrected_into_another_one(hall: SmallHall):
    def principal(name: str) -> Any:
        sent = request(SOKHA, category="STU", family_name=name, given_name="", assistant_name="Sokha")
        return hall.row(apply_as(hall, sent, name).code)

    _, keo = principal("Chea"), principal("Keo")
    with pytest.raises(Refused, match="principal_twice"):
        correct(hall.db, holder(keo), hall.forum, keo.code, corrected(keo, family_name="CHEA"), 1, now=NOW)


def test_an_ended_registration_cannot_be_corrected(hall: SmallHall):
    row = hall.ask("STU")
    cancel(hall.db, holder(row), hall.forum, row.code, now=NOW)
    with pytest.raises(Refused, match="ended"):
        correct(hall.db, holder(row), hall.forum, row.code, corrected(row, institution="Late"), 1, now=NOW)


# ---- cancelling and accepting


def test_a_cancelled_seat_goes_to_the_next_in_the_same_transaction(hall: SmallHall):
    first, _, third = hall.ask("STU"), hall.ask("STU"), hall.ask("STU")
    assert cancel(hall.db, holder(first), hall.forum, first.code, now=NOW)
    assert (hall.state(first), hall.state(third)) == ("cancelled", "seated")
    assert hall.seat(third).number == 1
    assert hall.mails(third) == ["waiting", "promoted"]
    assert hall.facts(first)[-2:] == ["seat.freed", "registration.cancelled"]
    assert hall.facts(third)[-2:] == ["seat.given", "registration.seated"]


def test_mails_that_are_no_longer_true_do_not_leave(hall: SmallHall):
    row = hall.ask("STU")
    cancel(hall.db, holder(row), hall.forum, row.code, now=NOW)
    assert hall.mails(row) == ["cancelled"]


def test_cancelling_twice_is_harmless(hall: SmallHall):
    row = hall.ask("STU")
    assert [cancel(hall.db, holder(row), hall.forum, row.code, now=NOW) for _ in range(2)] == [True, False]
    assert hall.facts(row).count("registration.cancelled") == 1


def test_an_offer_is_taken_by_accepting_it(hall: SmallHall):
    hall.arrange(promotion="offer")
    first, _, third = hall.ask("STU"), hall.ask("STU"), hall.ask("STU")
    cancel(hall.db, holder(first), hall.forum, first.code, now=NOW)
    assert (hall.state(third), hall.mails(third)) == ("offered", ["waiting", "offered"])
    assert accept(hall.db, holder(third), hall.forum, third.code, now=NOW)
    assert (hall.state(third), hall.row(third.code).confirmed_at) == ("seated", NOW)
    assert not accept(hall.db, holder(third), hall.forum, third.code, now=NOW), "twice is harmless"


def test_an_accepted_offer_is_neither_offered_nor_reminded_of_any_more(hall: SmallHall):
    hall.arrange(promotion="offer")
    first, _, third = hall.ask("STU"), hall.ask("STU"), hall.ask("STU")
    cancel(hall.db, holder(first), hall.forum, first.code, now=NOW)
    tell(hall.db, hall.forum, asking(third, "STU"), "registration/reminder", now=NOW)
    assert hall.mails(third) == ["waiting", "offered", "reminder"]
    accept(hall.db, holder(third), hall.forum, third.code, now=NOW)
    assert hall.mails(third) == ["waiting"]


def test_an_offer_that_was_not_answered_passes_on(hall: SmallHall):
    hall.arrange(promotion="offer")
    first, _, third, fourth = (hall.ask("STU") for _ in range(4))
    cancel(hall.db, holder(first), hall.forum, first.code, now=NOW)
    hall.mail_leaves(third)
    later = NOW + timedelta(hours=48)
    with pytest.raises(Refused, match="offer_over"):
        accept(hall.db, holder(third), hall.forum, third.code, now=later)
    settle(hall.db, hall.forum, now=later)
    assert (hall.state(third), hall.state(fourth)) == ("expired", "offered")


def test_there_is_nothing_to_accept_without_an_offer(hall: SmallHall):
    hall.ask("STU"), hall.ask("STU")
    waiting = hall.ask("STU")
    with pytest.raises(Refused, match="offer_over"):
        accept(hall.db, holder(waiting), hall.forum, waiting.code, now=NOW)


def test_nothing_of_another_forum_is_found(hall: SmallHall, forum_file: Any):
    from app.editions.loading import load

    other = forum_file.model_copy(
        update={"forum": forum_file.forum.model_copy(update={"slug": "other", "featured": False})}
    )
    from app.kit.pen import lock_scopes

    lock_scopes(hall.db, {"other"})
    load(hall.db, OPERATOR, other, now=NOW)
    row = hall.ask("STU")
    with pytest.raises(NotFound):
        cancel(hall.db, OPERATOR, the_forum(hall.db, "other"), row.code, now=NOW)


# ---- turning an offer down


def test_an_offer_turned_down_goes_to_the_next_at_once(hall: SmallHall):
    hall.arrange(promotion="offer")
    sits, _, offered, waits = (hall.ask("STU") for _ in range(4))
    cancel(hall.db, holder(sits), hall.forum, sits.code, now=NOW)
    assert hall.state(offered) == "offered"
    assert turn_down(hall.db, holder(offered), hall.forum, offered.code, now=NOW)
    assert [hall.state(row) for row in (offered, waits)] == ["declined", "offered"]
    assert hall.row(offered.code).turned_down
    assert hall.mails(offered)[-1] == "turned_down"
    assert not turn_down(hall.db, holder(offered), hall.forum, offered.code, now=NOW)


def test_what_is_not_offered_cannot_be_turned_down(hall: SmallHall):
    row = hall.ask("STU")
    with pytest.raises(Refused, match="offer_over"):
        turn_down(hall.db, holder(row), hall.forum, row.code, now=NOW)
    assert hall.state(row) == "seated"
