"""Calendar entries that mails take along (iTIP, iMIP), read back from what a real SMTP server got."""

from dataclasses import dataclass
from datetime import date, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
import vobject
from icalendar import Calendar
from sqlalchemy import select, update

from app.accounts.actor import Actor
from app.forum.models import Forum
from app.jobs.crew import Crew
from app.jobs.duties import deliver
from app.jobs.reactions import react
from app.kit.db import table
from app.kit.i18n import Bilingual
from app.mail.outbox import claim
from app.mail.rules import CLAIM_LASTS
from app.programme.models import Session
from app.programme.publishing import publish
from app.registration import enclosing
from app.registration.applying import cancel, confirm
from app.registration.enclosing import QUIET, enclose
from app.registration.erasing import erase
from app.registration.models import Enclosure
from app.registration.picking import pick, put_picks
from app.registration.reviewing import approve
from tests.cast import CHAN, DARA, NOW, RITH, SLUG, VANNA, Figure, holder, make_application, the_forum
from tests.conftest import Clock
from tests.jobs.conftest import Sink
from tests.jobs.test_deliver import messages, text_of_mail
from tests.jobs.test_reactions import until_idle

MINE, OTHER = "D1-07", "D1-08"
_sessions, _enclosures = table(Session), table(Enclosure)


@dataclass(frozen=True)
class Object:
    """One iTIP object as a calendar reads it."""

    method: str
    uid: str
    sequence: int
    vevent: Any


def objects(mail: EmailMessage) -> list[Object]:
    """What a mail brings along, as its files say it, each read by two parsers."""
    found = []
    for part in mail.iter_attachments():
        assert part.get_content_type() == "application/ics"
        text = part.get_content()
        calendar = Calendar.from_ical(text)
        (vevent,) = calendar.walk("VEVENT")
        again = vobject.readOne(text.decode())
        assert (again.method.value, again.vevent.uid.value) == (calendar["METHOD"], vevent["UID"])
        found.append(Object(str(calendar["METHOD"]), str(vevent["UID"]), int(vevent["SEQUENCE"]), vevent))
    return found


def by_itself(mail: EmailMessage) -> EmailMessage:
    """The part that applications act on by themselves."""
    parts = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    (part,) = parts
    assert isinstance(part, EmailMessage)
    return part


@dataclass
class Post:
    """The worker with its mail: `arrives` does all there is to do and gives what came."""

    crew: Crew
    sink: Sink
    clock: Clock

    def arrives(self) -> list[EmailMessage]:
        before = len(self.sink.mails)
        until_idle(react, self.crew)
        until_idle(deliver, self.crew)
        self.clock.move(seconds=QUIET.total_seconds())
        until_idle(deliver, self.crew)
        return self.sink.mails[before:]

    def brings(self) -> list[tuple[str, str]]:
        """What arrives, as (method, code), "" for the forum."""
        return [(one.method, self.code(one.uid)) for mail in self.arrives() for one in objects(mail)]

    def code(self, uid: str) -> str:
        wanted = select(_sessions.c.code).where(_sessions.c.uid == uid)
        return str(self.crew.database.read(lambda db: db.execute(wanted).scalar_one_or_none()) or "")

    def do(self, deed: Any) -> Any:
        return self.crew.pen.write_now(SLUG, deed)

    def joins(self, figure: Figure = VANNA, *picks: str, confirmed: bool = True, **changes: Any) -> Any:
        """A figure registers, chooses, and confirms."""

        def deed(db: Any) -> Any:
            row = make_application(db, figure, **changes)
            put_picks(db, holder(row), the_forum(db), row.code, picks, None, now=NOW, forced=True)
            if confirmed:
                confirm(db, holder(row), the_forum(db), row.code, now=NOW)
            return row

        return self.do(deed)

    def version(self, code: str, **columns: Any) -> None:
        """A new version of the programme, with this session changed."""

        def deed(db: Any) -> None:
            db.execute(update(_sessions).where(_sessions.c.code == code).values(**columns))
            publish(db, Actor.operator(), the_forum(db), now=self.clock.at, reason="for the test")

        self.do(deed)

    def moved(self, code: str, minutes: int) -> None:
        at = self.crew.database.read(lambda db: db.execute(select(_sessions).where(_sessions.c.code == code)).one())
        later = timedelta(minutes=minutes)
        self.version(code, starts_at=at.starts_at + later, ends_at=at.ends_at + later)

    def kept(self) -> list[tuple[str, int]]:
        rows = self.crew.database.read(lambda db: list(db.execute(select(_enclosures).order_by(_enclosures.c.id))))
        return [(row.method, row.sequence) for row in rows]


@pytest.fixture
def post(crew: Crew, sink: Sink, clock: Clock) -> Post:
    """A worker that has seen to everything there was."""
    until_idle(react, crew)
    return Post(crew, sink, clock)


# ---- the message


def test_whoever_holds_a_seat_gets_the_forum_with_one_attendee_in_parts_that_applications_know(post: Post) -> None:
    post.joins(confirmed=True)
    (mail,) = post.arrives()
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
        "application/ics",
    ]
    part = by_itself(mail)
    assert part.get_param("method") == "REQUEST"
    assert str(part.get_param("charset")).upper() == "UTF-8"
    (file,) = mail.iter_attachments()
    assert file.get_content() == part.get_payload(decode=True), "the file says the same"
    assert file.get_filename() == "invite.ics"
    calendar = Calendar.from_ical(part.get_payload(decode=True))
    (vevent,) = calendar.walk("VEVENT")
    assert calendar["METHOD"] == "REQUEST"
    attendee = vevent["ATTENDEE"]
    assert attendee == f"mailto:{VANNA.email}", "one, so no list"
    assert dict(attendee.params) == {
        "CN": "សុខ វណ្ណា",
        "CUTYPE": "INDIVIDUAL",
        "ROLE": "REQ-PARTICIPANT",
        "PARTSTAT": "ACCEPTED",
        "RSVP": "FALSE",
    }
    assert vevent["ORGANIZER"] == "mailto:sala@localhost"
    assert (vevent["DTSTART"].dt, vevent["DTEND"].dt) == (date(2027, 3, 23), date(2027, 3, 25))
    assert vevent["DTSTAMP"].dt == NOW
    assert "សម្រាប់បញ្ចូលក្នុងប្រតិទិន" in text_of_mail(mail)


def test_every_line_is_short_and_no_character_is_cut(post: Post) -> None:
    post.joins(VANNA, MINE)
    (mail,) = post.arrives()
    for part in mail.iter_attachments():
        lines = part.get_content().split(b"\r\n")
        assert max(map(len, lines)) <= 75
        assert all(line.decode() is not None for line in lines)


def test_of_several_entries_the_forum_goes_by_itself_and_each_is_a_file_with_one_uid(post: Post) -> None:
    post.joins(VANNA, MINE, OTHER)
    (mail,) = post.arrives()
    found = objects(mail)
    assert [(one.method, post.code(one.uid)) for one in found] == [
        ("REQUEST", ""),
        ("REQUEST", MINE),
        ("REQUEST", OTHER),
    ]
    assert found[0].uid.encode() in by_itself(mail).get_payload(decode=True)
    assert [part.get_filename() for part in mail.iter_attachments()] == ["invite.ics", "invite-2.ics", "invite-3.ics"]
    assert len({one.vevent["DTSTAMP"].dt for one in found}) == 1


def test_the_organiser_is_the_secretariat_once_it_has_an_address_and_says_who_writes_for_it(post: Post) -> None:
    at = {"secretariat": {"name": {"en": "S", "km": ""}, "email": "desk@secretariat.example"}}
    post.do(lambda db: db.execute(update(table(Forum)).values(**at)))
    post.joins()
    (mail,) = post.arrives()
    organiser = objects(mail)[0].vevent["ORGANIZER"]
    assert organiser == "mailto:desk@secretariat.example"
    assert organiser.params["SENT-BY"] == "mailto:sala@localhost"
    assert mail["Reply-To"] == "desk@secretariat.example"


@pytest.mark.parametrize("name", ['Rith "the" Heng', "Rith\u2028ATTENDEE:mailto:x@x.example", "Rith; CN=x:y", "R^nith"])
def test_no_name_adds_a_line_a_parameter_or_an_attendee(post: Post, name: str) -> None:
    post.joins(RITH, display_name=name)
    (mail,) = post.arrives()
    (one,) = objects(mail)
    assert one.vevent["ATTENDEE"] == f"mailto:{RITH.email}"
    assert set(one.vevent["ATTENDEE"].params) == {"CN", "CUTYPE", "ROLE", "PARTSTAT", "RSVP"}
    assert "\n" not in one.vevent["ATTENDEE"].params["CN"]


# ---- who gets what, and when


def test_nothing_goes_to_whoever_has_not_confirmed_waits_or_is_under_review(post: Post) -> None:
    post.joins(VANNA, MINE, confirmed=False)
    post.joins(DARA)
    assert post.brings() == []
    assert len(post.sink.mails) == 2, "they are told all the same"


def test_who_is_approved_gets_it_with_that_very_mail(post: Post) -> None:
    row = post.joins(DARA)
    assert post.brings() == []
    post.do(lambda db: approve(db, Actor.operator(), the_forum(db), row.code, now=NOW))
    (mail,) = post.arrives()
    assert mail["Subject"] == "Your request is accepted"
    assert [(one.method, post.code(one.uid)) for one in objects(mail)] == [("REQUEST", "")]


def test_whoever_reads_for_another_gets_no_entries(post: Post) -> None:
    post.joins(CHAN, MINE, assistant_name="Dara Lim")
    assert post.brings() == []


def test_while_the_dates_are_to_be_announced_the_forum_is_no_entry_and_becomes_one_then(post: Post) -> None:
    days = {"starts_on": None, "ends_on": None}
    kept = post.crew.database.read(lambda db: (the_forum(db).starts_on, the_forum(db).ends_on))
    post.do(lambda db: db.execute(update(table(Forum)).values(**days)))
    post.joins()
    assert post.brings() == []
    announced = {"starts_on": kept[0], "ends_on": kept[1], "sequence": 1}
    post.do(lambda db: db.execute(update(table(Forum)).values(**announced)))
    post.do(lambda db: pick(db, holder(the_row(db)), the_forum(db), the_row(db).code, MINE, now=NOW))
    assert post.brings() == [("REQUEST", ""), ("REQUEST", MINE)]


def the_row(db: Any) -> Any:
    return make_application(db, VANNA)


# ---- what changes


def test_a_move_brings_its_words_and_a_higher_sequence_in_one_message(post: Post) -> None:
    post.joins(VANNA, MINE, OTHER)
    (first,) = post.arrives()
    before = {one.uid: one.sequence for one in objects(first)}
    post.moved(MINE, 20)
    (mail,) = post.arrives()
    (one,) = objects(mail)
    assert (one.method, post.code(one.uid)) == ("REQUEST", MINE)
    assert one.sequence > before[one.uid]
    assert "កម្មវិធីនៃវេទិកា" in text_of_mail(mail), "the changes in words"
    assert one.vevent["DTSTART"].dt.tzinfo.key == "Asia/Phnom_Penh"


def test_a_session_given_up_is_taken_out_and_taken_in_again_with_no_lower_sequence(post: Post) -> None:
    row = post.joins(VANNA, MINE)
    post.arrives()
    post.do(lambda db: put_picks(db, holder(row), the_forum(db), row.code, (), None, now=NOW))
    (mail,) = post.arrives()
    (out,) = objects(mail)
    assert (out.method, out.vevent["STATUS"], post.code(out.uid)) == ("CANCEL", "CANCELLED", MINE)
    assert by_itself(mail).get_param("method") == "CANCEL"
    post.do(lambda db: pick(db, holder(row), the_forum(db), row.code, MINE, now=NOW))
    ((again,),) = map(objects, post.arrives())
    assert (again.method, again.uid) == ("REQUEST", out.uid)
    assert again.sequence >= out.sequence
    assert again.vevent["DTSTAMP"].dt > out.vevent["DTSTAMP"].dt, "by which the later of two counts"


def test_a_cancelled_session_is_taken_out_and_its_return_is_a_request_with_a_higher_sequence(post: Post) -> None:
    post.joins(VANNA, MINE)
    post.arrives()
    post.version(MINE, cancelled=True)
    ((out,),) = map(objects, post.arrives())
    post.version(MINE, cancelled=False)
    (again,) = [one for mail in post.arrives() for one in objects(mail)]  # one of two: the place is back as well
    assert (out.method, again.method, out.uid == again.uid) == ("CANCEL", "REQUEST", True)
    assert 0 < out.sequence < again.sequence


def test_with_the_registration_all_goes_and_with_a_new_one_all_comes_back(post: Post) -> None:
    row = post.joins(VANNA, MINE)
    first = [one for mail in post.arrives() for one in objects(mail)]
    post.do(lambda db: cancel(db, holder(row), the_forum(db), row.code, now=NOW))
    (mail,) = post.arrives()
    gone = objects(mail)
    assert [(one.method, post.code(one.uid)) for one in gone] == [("CANCEL", ""), ("CANCEL", MINE)]
    again = post.joins(VANNA, MINE)
    assert again.code != row.code
    back = [one for mail in post.arrives() for one in objects(mail)]
    assert [one.method for one in back] == ["REQUEST", "REQUEST"]
    for one, two, three in zip(first, gone, back, strict=True):
        assert one.uid == two.uid == three.uid
        assert one.sequence <= two.sequence <= three.sequence


def test_a_session_closed_to_its_reader_is_taken_out_without_a_word_about_it(post: Post) -> None:
    post.joins(VANNA, MINE)
    post.arrives()
    post.version(MINE, attribution="CLO", title=Bilingual("Hush", "ស្ងាត់"))
    (mail,) = post.arrives()
    (one,) = objects(mail)
    assert (one.method, post.code(one.uid)) == ("CANCEL", MINE)
    assert {"SUMMARY", "DTSTART", "LOCATION", "DESCRIPTION", "URL"}.isdisjoint(one.vevent)
    assert "Hush" not in mail.as_string()
    assert "ស្ងាត់" not in text_of_mail(mail)


def test_who_was_admitted_to_a_closed_session_has_it_as_confidential(post: Post) -> None:
    row = post.joins(VANNA, MINE)
    post.do(lambda db: pick(db, Actor.operator(), the_forum(db), row.code, MINE, now=NOW))
    post.version(MINE, attribution="CLO")
    found = [one for mail in post.arrives() for one in objects(mail) if post.code(one.uid) == MINE]
    assert [one.method for one in found] == ["REQUEST"]
    assert found[0].vevent["CLASS"] == "CONFIDENTIAL"


def test_when_nothing_is_due_no_mail_is_written_for_it_and_a_second_look_brings_nothing(post: Post) -> None:
    post.joins(VANNA, MINE)
    assert len(post.arrives()) == 1
    post.version(OTHER, title=Bilingual("Of no concern", "មិនពាក់ព័ន្ធ"))
    assert post.arrives() == []
    assert [one.state for one in messages(post.crew)].count("queued") == 0


def test_several_changes_in_a_row_are_one_mail(post: Post) -> None:
    row = post.joins(VANNA)
    post.arrives()
    for session in (MINE, OTHER):
        post.do(
            lambda db, session=session: pick(db, holder(row), the_forum(db), row.code, session, now=NOW, forced=True)
        )
        until_idle(react, post.crew)
    assert post.brings() == [("REQUEST", MINE), ("REQUEST", OTHER)]
    assert len(post.sink.mails) == 2


def test_when_the_forum_is_over_nothing_is_due(post: Post) -> None:
    row = post.joins(VANNA, MINE)
    post.arrives()
    post.clock.move(days=400)
    post.do(lambda db: cancel(db, holder(row), the_forum(db), row.code, now=post.clock.at))
    assert post.brings() == []


def test_of_an_erased_person_nothing_is_kept_and_nothing_leaves(post: Post) -> None:
    row = post.joins(VANNA, MINE)
    post.arrives()
    post.do(lambda db: erase(db, holder(row), the_forum(db), row.code, now=NOW))
    assert post.brings() == []
    assert post.kept() == []


# ---- what goes wrong


def test_what_a_server_refuses_is_due_again(post: Post) -> None:
    post.sink.answers[VANNA.email] = "451 try again later"
    post.joins(VANNA, MINE)
    assert post.arrives() == []
    assert post.kept() == []
    post.sink.answers.clear()
    post.clock.move(hours=1)
    assert post.brings() == [("REQUEST", ""), ("REQUEST", MINE)]
    assert post.brings() == []


def test_a_kill_before_the_mail_left_sends_the_very_same_parts_under_the_same_id(post: Post) -> None:
    row = post.joins(VANNA, MINE)
    taken = post.do(lambda db: claim(db, now=NOW))
    begun = {
        one.message_id: post.do(lambda db, one=one: enclose(db, the_forum(db), row.id, one.message_id, now=NOW))
        for one in taken
    }
    assert [len(rows) for rows in begun.values()] == [2]
    post.moved(MINE, 20)  # meanwhile the programme goes on
    post.clock.move(seconds=CLAIM_LASTS.total_seconds())
    until_idle(deliver, post.crew)
    (mail,) = post.sink.mails
    assert mail["Message-ID"] in begun
    found = objects(mail)
    assert [one.sequence for one in found] == [0, 0], "as it was when it may have left"
    assert {one.vevent["DTSTAMP"].dt for one in found} == {NOW}
    assert [row.possibly_repeated for row in messages(post.crew) if row.state == "sent"] == [True]
    ((later,),) = map(objects, post.arrives())
    assert (later.method, later.sequence) == ("REQUEST", 1)


def test_a_line_that_broke_over_the_text_leaves_the_entries_as_sent_and_repeats_them(post: Post) -> None:
    post.joins(VANNA)
    post.sink.meanwhile = post.sink.hang_up
    until_idle(deliver, post.crew)
    assert post.kept() == [("REQUEST", 0)]
    post.sink.meanwhile = lambda: None
    post.clock.move(hours=1)
    until_idle(deliver, post.crew)
    assert len(post.sink.mails) >= 2
    assert len({mail["Message-ID"] for mail in post.sink.mails}) == 1
    assert len({part.get_content() for mail in post.sink.mails for part in mail.iter_attachments()}) == 1


def test_what_is_too_much_for_one_mail_comes_with_the_next(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enclosing, "MOST", 2)
    post.joins(VANNA, MINE, OTHER)
    assert post.brings() == [("REQUEST", ""), ("REQUEST", MINE), ("REQUEST", OTHER)]
    assert [len(objects(mail)) for mail in post.sink.mails] == [2, 1]


def test_a_repeat_of_a_mail_that_brought_nothing_brings_nothing_and_what_is_due_has_its_own(post: Post) -> None:
    row = post.joins(VANNA, confirmed=False)
    post.sink.meanwhile = post.sink.hang_up
    until_idle(deliver, post.crew)
    post.sink.meanwhile = lambda: None
    post.do(lambda db: confirm(db, holder(row), the_forum(db), row.code, now=NOW))
    post.clock.move(hours=1)
    until_idle(deliver, post.crew)
    assert {mail["Message-ID"] for mail in post.sink.mails} == {post.sink.mails[0]["Message-ID"]}
    assert [objects(mail) for mail in post.sink.mails] == [[]] * len(post.sink.mails)
    assert post.brings() == [("REQUEST", "")]


def test_dates_that_are_open_again_take_the_forum_and_its_sessions_out(post: Post) -> None:
    post.joins(VANNA, MINE)
    post.arrives()
    post.do(lambda db: db.execute(update(table(Forum)).values(starts_on=None, ends_on=None)))
    post.do(lambda db: pick(db, holder(the_row(db)), the_forum(db), the_row(db).code, OTHER, now=NOW, forced=True))
    found = [one for mail in post.arrives() for one in objects(mail)]
    assert {(one.method, post.code(one.uid)) for one in found} == {("CANCEL", ""), ("CANCEL", MINE)}


def test_a_refused_address_is_written_to_once_for_each_change(post: Post) -> None:
    post.sink.answers[VANNA.email] = "550 no such user here"
    post.joins(VANNA)
    for _ in range(3):
        assert post.arrives() == []
    states = [one.state for one in messages(post.crew)]
    assert states.count("queued") == states.count("retrying") == 0
    assert len(states) <= 2
    assert post.kept() == []


def test_a_message_withheld_leaves_its_entries_to_another(post: Post) -> None:
    post.joins(VANNA, MINE)
    post.arrives()
    post.version(MINE, title=Bilingual("Another title", "ចំណងជើងផ្សេង"))
    until_idle(react, post.crew)
    post.version(MINE, attribution="CLO")
    assert post.brings() == [("CANCEL", MINE)]


def test_the_queries_of_a_promise_do_not_grow_with_the_people(post: Post, queries: Any) -> None:
    from app.registration.enclosing import owed

    one = post.joins(VANNA, MINE)
    more = [post.joins(RITH, MINE, email=f"p{number}@crowd.example") for number in range(3)]
    counts = []
    for people in ([one.id], [row.id for row in more]):
        with queries() as counted:
            assert len(post.crew.database.read(lambda db: owed(db, the_forum(db), people, now=NOW))) == len(people)  # noqa: B023 - read at once
        counts.append(len(counted))
    assert counts[0] == counts[1]
