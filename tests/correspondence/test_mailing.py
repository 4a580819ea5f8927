from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.correspondence import mailing
from app.correspondence.mailboxes import by_token, choose, open_mailbox, opt_out_token
from app.correspondence.mailing import MailingInput
from app.correspondence.mailing_queries import batch_of, mailing_of, mailings_of
from app.correspondence.recipients import Reach, reach_of
from app.correspondence.rules.segments import Segment, from_kept
from app.forum.queries import forum_id
from app.kit.db import table
from app.kit.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from app.kit.inputs import parse
from app.mail.models import Message
from app.registration.applying import cancel, confirm
from app.registration.desk_inputs import TagInput
from app.registration.erasing import erase
from app.registration.tagging import mark, put_tag
from tests.cast import NOW, SECRET, SOKHA, holder, make_user
from tests.doors import A_MAILING
from tests.embassies import make_delegation
from tests.registration.hall import SmallHall

_messages = table(Message)
OPERATOR = Actor.operator()


def draft(hall: SmallHall, **changes: Any) -> int:
    sent = parse(MailingInput, {**A_MAILING, **changes})
    return mailing.save(hall.db, OPERATOR, hall.forum, None, sent, 0, now=NOW)


def send(hall: SmallHall, number: int) -> None:
    """All pieces, as the worker does them."""
    edition = mailing_of(hall.db, hall.forum, number).edition
    mailing.schedule(hall.db, OPERATOR, hall.forum, number, edition, NOW, now=NOW)
    for _ in range(20):
        if not mailing.step(hall.db, hall.forum, number, SECRET, now=NOW):
            return
    raise AssertionError("it does not come to its end")


def written(hall: SmallHall, number: int) -> list[Any]:
    wanted = select(_messages).where(_messages.c.batch == batch_of(hall.forum, number)).order_by(_messages.c.id)
    return list(hall.db.execute(wanted))


def reach(hall: SmallHall, number: int) -> Reach:
    row = mailing_of(hall.db, hall.forum, number)
    segment = from_kept(row.segment)
    return reach_of(hall.db, OPERATOR, hall.forum, segment, SECRET, essential=row.essential)


def test_whoever_is_counted_is_written_to_each_once(hall: SmallHall):
    hall.arrange(capacity=9)
    people = [hall.ask() for _ in range(4)]
    confirm(hall.db, OPERATOR, hall.forum, people[0].code, now=NOW)
    cancel(hall.db, OPERATOR, hall.forum, people[1].code, now=NOW)
    number = draft(hall, standings=("seated",), confirmed="no")
    seen = reach(hall, number)
    send(hall, number)
    subjects = [f"registration:{one.code}" for one in (people[3], people[2])]
    assert [row.subject for row in written(hall, number)] == subjects == [one.subject for one in seen.people]
    row = mailing_of(hall.db, hall.forum, number)
    assert (row.state, row.queued, row.opted_out, row.left_out) == ("sent", 2, 0, 0)
    assert {(one.template, one.bulk) for one in written(hall, number)} == {("mailing/news", True)}


def test_it_is_written_to_those_of_an_institution_and_to_those_marked_with_a_tag(hall: SmallHall):
    hall.arrange(capacity=9)
    told = hall.ask(institution="The Embassy of France")
    private = hall.ask(institution="The Embassy of France", attends_as="private")
    hall.ask(institution="A university")
    tag = put_tag(hall.db, OPERATOR, hall.forum, TagInput(name="Front row", letter="F", tone="red"), now=NOW)
    for one in (told, private):
        mark(hall.db, OPERATOR, hall.forum, one.code, tag, on=True, now=NOW)
    of_it, marked = draft(hall, institution="EMBASSY"), draft(hall, tag=str(tag))
    both, gone = draft(hall, institution="university", tag=str(tag)), draft(hall, tag="999999999")
    codes = [[one.code for one in reach(hall, number).people] for number in (of_it, marked, both, gone)]
    assert codes == [[told.code], [private.code, told.code], [], []]
    send(hall, of_it)
    assert [row.subject for row in written(hall, of_it)] == [f"registration:{told.code}"]


def test_it_is_sent_in_pieces_and_doing_one_again_writes_to_nobody_twice(
    hall: SmallHall, monkeypatch: pytest.MonkeyPatch
):
    hall.arrange(capacity=9)
    codes = {hall.ask().code for _ in range(5)}
    monkeypatch.setattr(mailing, "PIECE", 2)
    number = draft(hall)
    mailing.schedule(hall.db, OPERATOR, hall.forum, number, 1, NOW, now=NOW)
    assert mailing.step(hall.db, hall.forum, number, SECRET, now=NOW)
    assert len(written(hall, number)) == 2
    with hall.db.begin_nested() as cut:  # a worker that is killed within a piece
        mailing.step(hall.db, hall.forum, number, SECRET, now=NOW)
        cut.rollback()
    hall.db.expire_all()
    while mailing.step(hall.db, hall.forum, number, SECRET, now=NOW):
        pass
    subjects = [row.subject for row in written(hall, number)]
    assert len(subjects) == len(set(subjects)) == 5
    assert set(subjects) == {f"registration:{code}" for code in codes}
    assert not mailing.step(hall.db, hall.forum, number, SECRET, now=NOW)


def test_an_assistant_gets_one_for_each_principal_with_the_name(hall: SmallHall):
    hall.arrange(capacity=9)
    for name in ("Chea", "Keo"):
        hall.ask(email="office@ministry.example", family_name=name, given_name="B", assistant_name="The office")
    number = draft(hall)
    send(hall, number)
    assert {row.to_address for row in written(hall, number)} == {"office@ministry.example"}
    assert {row.to_name for row in written(hall, number)} == {"B Chea", "B Keo"}


def test_whoever_registered_again_after_a_cancellation_is_one_person(hall: SmallHall):
    for _ in range(2):
        row = hall.ask(email="again@crowd.example", family_name="Again", given_name="A")
        cancel(hall.db, OPERATOR, hall.forum, row.code, now=NOW)
    number = draft(hall, standings=("cancelled",))
    assert len(reach(hall, number).people) == 1
    send(hall, number)
    assert len(written(hall, number)) == 1


def test_whoever_wants_no_news_gets_none_and_is_counted_and_gets_what_is_essential(hall: SmallHall):
    row = hall.ask()
    box = open_mailbox(hall.db, hall.forum, row.email.upper(), SECRET)
    token = opt_out_token(SECRET, box.id, box.generation)
    assert choose(hall.db, token, wanted=False, now=NOW)
    assert not choose(hall.db, token, wanted=False, now=NOW)
    news, notice = draft(hall), draft(hall, essential=True)
    assert [(len(reach(hall, one).people), reach(hall, one).opted_out) for one in (news, notice)] == [(0, 1), (1, 0)]
    send(hall, news)
    send(hall, notice)
    assert (written(hall, news), mailing_of(hall.db, hall.forum, news).opted_out) == ([], 1)
    assert [one.template for one in written(hall, notice)] == ["mailing/notice"]
    assert row.email not in str(by_token(hall.db, token)[1])
    with pytest.raises(NotFound):
        by_token(hall.db, opt_out_token(SECRET, box.id, box.generation + 1))


def test_who_gets_it_is_decided_when_it_is_sent(hall: SmallHall):
    hall.arrange(capacity=9)
    number = draft(hall, standings=("seated",))
    mailing.schedule(hall.db, OPERATOR, hall.forum, number, 1, NOW + timedelta(hours=1), now=NOW)
    assert mailing.due(hall.db, now=NOW) == []
    assert not mailing.step(hall.db, hall.forum, number, SECRET, now=NOW)
    later = NOW + timedelta(hours=2)
    row = hall.ask()
    assert mailing.due(hall.db, now=later) == [(forum_id(hall.forum), number)]
    mailing.step(hall.db, hall.forum, number, SECRET, now=later)
    assert [one.subject for one in written(hall, number)] == [f"registration:{row.code}"]


def test_stopping_keeps_back_what_has_not_left_and_writes_to_nobody_more(
    hall: SmallHall, monkeypatch: pytest.MonkeyPatch
):
    hall.arrange(capacity=9)
    for _ in range(3):
        hall.ask()
    monkeypatch.setattr(mailing, "PIECE", 2)
    number = draft(hall)
    mailing.schedule(hall.db, OPERATOR, hall.forum, number, 1, NOW, now=NOW)
    mailing.step(hall.db, hall.forum, number, SECRET, now=NOW)
    assert mailing.stop(hall.db, OPERATOR, hall.forum, number, now=NOW) == 2
    assert not mailing.step(hall.db, hall.forum, number, SECRET, now=NOW)
    assert [row.state for row in written(hall, number)] == ["withheld", "withheld"]
    with pytest.raises(Conflict, match="mailing_over"):
        mailing.stop(hall.db, OPERATOR, hall.forum, number, now=NOW)


def test_a_mailing_that_has_its_time_is_changed_only_after_it_was_taken_back(hall: SmallHall):
    number, sent = draft(hall), parse(MailingInput, {**A_MAILING, "name": "Other"})
    mailing.schedule(hall.db, OPERATOR, hall.forum, number, 1, NOW, now=NOW)
    with pytest.raises(Refused, match="mailing_not_draft"):
        mailing.save(hall.db, OPERATOR, hall.forum, number, sent, 2, now=NOW)
    mailing.take_back(hall.db, OPERATOR, hall.forum, number, 2, now=NOW)
    mailing.save(hall.db, OPERATOR, hall.forum, number, sent, 3, now=NOW)
    with pytest.raises(Conflict, match="mailing_changed"):
        mailing.schedule(hall.db, OPERATOR, hall.forum, number, 3, NOW, now=NOW)
    with pytest.raises(Invalid):
        mailing.schedule(hall.db, OPERATOR, hall.forum, number, 4, NOW - timedelta(days=1), now=NOW)
    mailing.remove(hall.db, OPERATOR, hall.forum, number, 4, now=NOW)
    assert mailings_of(hall.db, forum_id(hall.forum)) == []


@pytest.mark.parametrize(
    ("field", "typed", "code"),
    [
        ("text_en", "Your link: {link}", "placeholder_unknown"),
        ("subject_km", "{name", "placeholder_open"),
        ("text_km", "", "missing"),
        ("text_en", "{institution}", "placeholder_unknown"),
    ],
)
def test_words_with_a_fault_are_refused_beside_their_field(hall: SmallHall, field: str, typed: str, code: str):
    with pytest.raises(Invalid) as refused:
        draft(hall, **{field: typed})
    assert [(fault.field, fault.code) for fault in refused.value.faults] == [(field, code)]
    assert mailings_of(hall.db, forum_id(hall.forum)) == []


def test_focal_points_are_written_to_at_their_own_address(hall: SmallHall):
    hall.arrange(capacity=9)
    delegation = make_delegation(hall.db, "DIP", 2)
    number = draft(hall, audience="focal_points", text_en="{institution}: {unnamed}", standings=("seated",))
    send(hall, number)
    assert [(one.subject, one.to_address) for one in written(hall, number)] == [
        (f"delegation:{delegation.code}", delegation.focal_email)
    ]


def test_only_those_who_may_send_mail_write_a_mailing_and_see_whom_it_means(hall: SmallHall):
    own = forum_id(hall.forum)
    for role, may in ((Role.REGISTRAR, True), (Role.PROTOCOL_OFFICER, False), (Role.VIEWER, False)):
        by, sent = Actor("user", None, roles={own: frozenset({role})}), parse(MailingInput, A_MAILING)
        deeds: list[Callable[[], Any]] = [
            lambda by=by, sent=sent: mailing.save(hall.db, by, hall.forum, None, sent, 0, now=NOW),  # type: ignore[misc]
            lambda by=by: reach_of(hall.db, by, hall.forum, Segment(), SECRET, essential=True),  # type: ignore[misc]
        ]
        for deed in deeds:
            if may:
                deed()
            else:
                with pytest.raises(Forbidden):
                    deed()


def test_a_test_goes_to_the_organisers_own_address_in_both_languages(hall: SmallHall):
    row, number = hall.ask(), draft(hall)
    user = make_user(hall.db, SOKHA, site_owner=True)
    by = Actor("user", user.id, site_owner=True)
    assert mailing.try_out(hall.db, by, hall.forum, number, SECRET, now=NOW) == user.email
    tests = list(hall.db.execute(select(_messages).where(_messages.c.template == "mailing/test")))
    assert [(one.to_address, one.language, one.batch, one.bulk) for one in tests] == [
        (user.email, "en", None, False),
        (user.email, "km", None, False),
    ]
    assert {str(one.values) for one in tests} == {str({"mailing": number, "like": f"registration:{row.code}"})}
    with pytest.raises(Refused, match="no_address_of_ones_own"):
        mailing.try_out(hall.db, OPERATOR, hall.forum, number, SECRET, now=NOW)


def test_a_mail_of_a_mailing_is_emptied_with_its_person(hall: SmallHall):
    row, number = hall.ask(), draft(hall)
    send(hall, number)
    erase(hall.db, holder(row), hall.forum, row.code, now=NOW)
    (one,) = written(hall, number)
    assert (one.to_address, one.to_name, one.values, one.state) == ("", "", {}, "withheld")
    assert reach(hall, number).people == []


@pytest.mark.parametrize("people", [1, 3])
def test_whom_a_segment_means_takes_as_many_queries_for_one_as_for_three(
    hall: SmallHall, queries: Callable[[], Any], people: int
):
    hall.arrange(capacity=9)
    for _ in range(people):
        hall.ask()
    with queries() as counted:
        found = reach_of(hall.db, OPERATOR, hall.forum, Segment(session="D1-07"), SECRET, essential=False)
    assert len(counted) == 3
    assert len(found.people) == 0
