"""The outbox, delivered to a real SMTP server."""

import errno
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, update

from app.accounts import signing_in
from app.accounts.actor import Actor
from app.accounts.passkeys import ADDED, REMOVED
from app.accounts.second_factor import TURNED_OFF, TURNED_ON
from app.correspondence.resending import resend
from app.forum.models import Forum
from app.jobs import duties
from app.jobs.crew import Crew
from app.jobs.duties import deliver
from app.kit.db import Db, table
from app.kit.errors import Busy
from app.kit.i18n import Bilingual
from app.kit.pen import SITE
from app.mail.bounces import note_bounce, read_bounce, scopes_of
from app.mail.models import Message
from app.mail.outbox import Claimed, claim, mark_sent, outbox, queue_mail, withhold
from app.mail.rules import CLAIM_LASTS
from app.mail.watching import longest_due
from app.programme.models import Session
from app.programme.publishing import publish
from app.registration.applying import application_of, cancel, confirm
from app.registration.models import Application, Pick, Terms
from app.registration.picking import put_picks
from app.registration.queries import own_registration
from app.registration.reviewing import approve
from tests.cast import CHAN, DARA, NOW, RITH, SLUG, SOKHA, VANNA, Figure, holder, make_application, make_user, the_forum
from tests.jobs.conftest import Sink
from tests.mail.test_bounces import dsn

_messages = table(Message)


def registered(crew: Crew, figure: Figure = VANNA, **changes: Any) -> Any:
    """A figure's application, committed."""
    return crew.pen.write_now(SLUG, lambda db: make_application(db, figure, **changes))


def messages(crew: Crew) -> list[Any]:
    return crew.database.read(lambda db: list(db.execute(select(_messages).order_by(_messages.c.id))))


def the_row(crew: Crew, code: str) -> Any:
    return crew.database.read(lambda db: application_of(db, the_forum(db), code))


def text_of_mail(mail: Any) -> str:
    body = mail.get_body(("plain",))
    text: str = body.get_content()
    return text


def test_a_registration_is_told_in_its_own_language_with_a_link_that_opens_its_page(crew: Crew, sink: Sink) -> None:
    row = registered(crew)
    assert deliver(crew) == 1
    (mail,) = sink.mails
    assert mail["To"] == "សុខ វណ្ណា <vanna@university.example>"
    assert "កៅអី" in mail["Subject"]
    link = re.search(r"https://forum\.example/km/my/(\S+)", text_of_mail(mail))
    assert link
    assert crew.database.read(lambda db: own_registration(db, link[1])).row.code == row.code


def test_the_html_part_says_the_same_with_what_was_typed_escaped(crew: Crew, sink: Sink) -> None:
    registered(crew, RITH, display_name="Rith <b>{link}</b> & co")
    deliver(crew)
    html = sink.mails[0].get_body(("html",))
    assert html is not None
    assert "Rith &lt;b&gt;{link}&lt;/b&gt; &amp; co" in html.get_content()
    assert "Rith <b>{link}</b> & co" in text_of_mail(sink.mails[0])


def test_neither_the_outbox_nor_a_fact_holds_a_link_or_a_token(crew: Crew, sink: Sink) -> None:
    registered(crew)
    deliver(crew)
    token = text_of_mail(sink.mails[0]).split("/km/my/")[1].split()[0]
    everything = crew.database.path
    assert everything is not None
    crew.database.close()
    files = [everything, everything.with_name(everything.name + "-wal")]
    assert not any(token.encode() in file.read_bytes() for file in files if file.exists())


def test_the_hours_to_confirm_start_when_the_mail_leaves_and_not_before(crew: Crew, sink: Sink, clock: Any) -> None:
    row = registered(crew)
    assert the_row(crew, row.code).confirm_by is None
    clock.move(hours=5)
    deliver(crew)
    assert the_row(crew, row.code).confirm_by == NOW + timedelta(hours=5 + 48)


def test_a_mail_leaves_once(crew: Crew, sink: Sink) -> None:
    registered(crew)
    assert deliver(crew) == 1
    assert deliver(crew) == 0
    assert len(sink.mails) == 1


def test_without_a_server_mail_waits(crew_with: Callable[..., Crew]) -> None:
    crew = crew_with()
    row = registered(crew)
    assert deliver(crew) == 0
    assert [message.state for message in messages(crew)] == ["queued"]
    assert the_row(crew, row.code).confirm_by is None


def test_an_address_the_server_does_not_know_fails_for_good_in_the_servers_words(crew: Crew, sink: Sink) -> None:
    registered(crew)
    sink.answers[VANNA.email] = "550 no such user here"
    deliver(crew)
    (message,) = messages(crew)
    assert (message.state, message.error) == ("failed", "550 no such user here")


def test_a_busy_server_is_asked_again_later_and_the_hours_wait(crew: Crew, sink: Sink, clock: Any) -> None:
    row = registered(crew)
    sink.answers[VANNA.email] = "451 try again later"
    deliver(crew)
    (message,) = messages(crew)
    assert message.state == "retrying"
    assert message.due_at > NOW
    assert the_row(crew, row.code).confirm_by is None
    assert deliver(crew) == 0
    sink.answers.clear()
    clock.at = message.due_at
    assert deliver(crew) == 1
    assert [message.state for message in messages(crew)] == ["sent"]


def test_one_bad_address_does_not_keep_the_others_back(crew: Crew, sink: Sink) -> None:
    registered(crew)
    registered(crew, CHAN)
    sink.answers[VANNA.email] = "550 no such user here"
    deliver(crew)
    assert [mail["To"] for mail in sink.mails] == ["Chan Keo <chan@institute.example>"]
    assert [message.state for message in messages(crew)] == ["failed", "sent"]


def test_a_server_that_does_not_answer_is_tried_again(crew_with: Callable[..., Crew]) -> None:
    crew = crew_with(SMTP_URL="smtp://127.0.0.1:9")
    registered(crew)
    deliver(crew)
    (message,) = messages(crew)
    assert message.state == "retrying"
    assert message.error


def test_a_claim_cut_by_a_kill_is_sent_again_under_the_same_message_id_and_marked(
    crew: Crew, sink: Sink, clock: Any
) -> None:
    registered(crew)
    crew.pen.write_now(SITE, lambda db: claim(db, now=NOW))  # and the worker is killed here
    (before,) = messages(crew)
    assert deliver(crew) == 0
    clock.at = NOW + CLAIM_LASTS
    assert deliver(crew) == 1
    (after,) = messages(crew)
    assert after.state == "sent"
    assert after.possibly_repeated
    assert sink.mails[0]["Message-ID"] == before.message_id


def test_two_workers_do_not_claim_the_same_message(crew: Crew) -> None:
    registered(crew)
    first = crew.pen.write_now(SITE, lambda db: claim(db, now=NOW))
    second = crew.pen.write_now(SITE, lambda db: claim(db, now=NOW))
    assert (len(first), len(second)) == (1, 0)


def test_a_worker_whose_claim_was_taken_over_says_nothing_of_the_message_and_the_other_does(
    crew: Crew, sink: Sink, clock: Any
) -> None:
    row = registered(crew)
    taken_over: list[Claimed] = []

    def another_worker_takes_over() -> None:
        clock.move(seconds=CLAIM_LASTS.total_seconds())
        taken_over.extend(crew.pen.write_now(SITE, lambda db: claim(db, now=clock.at)))

    sink.meanwhile = another_worker_takes_over
    deliver(crew)
    assert [message.repeated for message in taken_over] == [True]
    (message,) = messages(crew)
    assert (message.state, message.attempts, message.sent_at) == ("sending", 2, None)
    assert the_row(crew, row.code).confirm_by is None, "the hours start with what the other says"
    assert crew.pen.write_now(SITE, lambda db: mark_sent(db, taken_over[0], now=clock.at))


def test_hours_without_a_server_are_not_held_against_a_mail(crew: Crew, sink: Sink, clock: Any) -> None:
    registered(crew)
    with crew.database.write_engine.begin() as connection:
        connection.execute(update(table(Message)).values(attempts=200))
    sink.answers[VANNA.email] = "451 try again later"
    deliver(crew)
    (message,) = messages(crew)
    assert (message.state, message.attempts, message.answered) == ("retrying", 201, 1)
    assert message.due_at == NOW + timedelta(minutes=5)


def test_a_mail_whose_line_broke_over_its_text_is_sent_again_and_marked(crew: Crew, sink: Sink, clock: Any) -> None:
    """The server has all of it: whether its 250 was lost with the line, nobody here can tell."""
    registered(crew)
    sink.meanwhile = sink.hang_up
    deliver(crew)
    (message,) = messages(crew)
    assert (message.state, message.possibly_repeated, message.answered) == ("retrying", True, 0)
    sink.meanwhile = lambda: None
    clock.at = message.due_at
    deliver(crew)
    assert len({mail["Message-ID"] for mail in sink.mails}) == 1 < len(sink.mails)
    assert [(message.state, message.possibly_repeated) for message in messages(crew)] == [("sent", True)]


def test_a_mail_that_was_taken_and_comes_back_is_in_the_list_and_sent_once_more_with_another_id(
    crew: Crew, sink: Sink
) -> None:
    """A server may say 250 and bounce it, or lose it: of the first somebody hears, by `sala bounce`."""
    row = registered(crew)
    deliver(crew)
    told = read_bounce(dsn(named=str(sink.mails[0]["Message-ID"])))
    assert told is not None
    assert crew.database.read(lambda db: scopes_of(db, told)) == [SLUG]
    assert crew.pen.write_now(SLUG, lambda db: note_bounce(db, SLUG, told, now=NOW)) == 1
    (came_back,) = crew.database.read(lambda db: outbox(db, SLUG, "bounced"))
    assert (came_back.state, came_back.subject) == ("sent", f"registration:{row.code}")
    assert deliver(crew) == 0, "nobody is written to again unasked: the address may be the wrong one"

    def once_more(db: Db) -> bool:
        return resend(db, Actor.operator(), the_forum(db), came_back.id, now=NOW)

    crew.pen.write_now(SLUG, once_more)
    assert deliver(crew) == 1
    first, second = sink.mails
    assert first["Message-ID"] != second["Message-ID"], "it is no repetition that a reader's program may hide"
    assert text_of_mail(second) == text_of_mail(first)


def test_a_mail_refused_by_policy_is_tried_for_days_and_then_fails_and_starts_its_hours(
    crew: Crew, sink: Sink, clock: Any
) -> None:
    row = registered(crew)
    sink.answers[VANNA.email] = "554 5.7.1 Relay access denied"
    deliver(crew)
    (message,) = messages(crew)
    assert (message.state, message.due_at) == ("retrying", NOW + timedelta(minutes=15))
    for _ in range(50):
        if message.state == "retrying":
            assert the_row(crew, row.code).confirm_by is None
            clock.at = message.due_at
            deliver(crew)
            (message,) = messages(crew)
    assert (message.state, message.error) == ("failed", "554 5.7.1 Relay access denied")
    assert timedelta(days=4) < clock.at - NOW < timedelta(days=6)
    assert the_row(crew, row.code).confirm_by is None


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Please confirm your address on your own page within 48 hours"),
        ("km", "សូមបញ្ជាក់អាសយដ្ឋាននៅលើទំព័រផ្ទាល់ខ្លួនក្នុងរយៈពេល ៤៨ ម៉ោង"),
    ],
)
def test_who_is_under_review_is_asked_to_confirm_and_the_hours_of_the_held_seat_start(
    crew: Crew, sink: Sink, language: str, words: str
) -> None:
    row = registered(crew, DARA, language=language)
    assert row.state == "awaiting"
    deliver(crew)
    assert words in text_of_mail(sink.mails[0])
    assert the_row(crew, row.code).confirm_by == NOW + timedelta(hours=48)


def test_what_is_no_longer_true_does_not_leave(crew: Crew, sink: Sink) -> None:
    row = registered(crew)
    crew.pen.write_now(SLUG, lambda db: cancel(db, holder(row), the_forum(db), row.code, now=NOW))
    deliver(crew)
    assert [message.state for message in messages(crew)] == ["withheld", "sent"]
    assert len(sink.mails) == 1


def test_a_mail_about_nothing_is_withheld_and_says_so(crew: Crew, sink: Sink) -> None:
    def gone(db: Db) -> None:
        queue_mail(db, SLUG, "registration/seated", "en", ("a@b.example", "A"), "registration:NONE222", now=NOW)

    crew.pen.write_now(SLUG, gone)
    deliver(crew)
    (message,) = messages(crew)
    assert (message.state, message.error) == ("withheld", "no longer true")
    assert not sink.mails


def test_a_sign_in_link_is_made_when_its_mail_is_rendered_and_signs_in_once(crew: Crew, sink: Sink) -> None:
    def ask(db: Db) -> None:
        user = make_user(db, SOKHA, site_owner=True)
        to = (user.email, user.name)
        queue_mail(db, SITE, "accounts/sign_in_link", "en", to, f"user:{user.id}", now=NOW)

    crew.pen.write_now(SITE, ask)
    deliver(crew)
    token = text_of_mail(sink.mails[0]).split("https://forum.example/login/")[1].split()[0]
    assert crew.pen.write_now(SITE, lambda db: signing_in.sign_in(db, token, now=NOW))
    assert not crew.database.read(lambda db: signing_in.link_is_good(db, token, now=NOW))


@pytest.mark.parametrize("lang", ["en", "km"])
@pytest.mark.parametrize("template", [ADDED, REMOVED, TURNED_ON, TURNED_OFF])
def test_whoever_adds_or_loses_a_second_factor_is_told_and_led_to_their_own_page(
    crew: Crew, sink: Sink, template: str, lang: str
) -> None:
    def tell(db: Db) -> None:
        user = make_user(db, SOKHA)
        queue_mail(db, SITE, template, lang, (user.email, user.name), f"user:{user.id}", now=NOW)

    crew.pen.write_now(SITE, tell)
    deliver(crew)
    words = text_of_mail(sink.mails[0])
    assert f"https://forum.example/account?lang={lang}" in words
    assert "/login/" not in words, "it signs nobody in"


@pytest.mark.parametrize("name", ["Rith\u2028Bcc: all@x.example", "Rith, Heng; (x) <a@b.example>", 'Rith "the" Heng'])
def test_no_name_can_add_a_header_or_a_recipient(crew: Crew, sink: Sink, name: str) -> None:
    registered(crew, RITH, display_name=name)
    deliver(crew)
    (mail,) = sink.mails
    assert [address.addr_spec for address in mail["To"].addresses] == [RITH.email]
    assert mail["Bcc"] is None


def test_every_mail_of_the_house_can_be_rendered_in_both_languages(crew: Crew, sink: Sink) -> None:
    from app.kit.i18n import catalogue

    names = sorted(
        {key.split(".")[2] for key in catalogue("en") if key.startswith("mail.registration.") and key.endswith(".text")}
        - {"calendar"}  # is there for what it brings along alone: tests/jobs/test_enclosures.py
    )
    row, other = registered(crew), registered(crew, CHAN)
    offer = table(Application).update().where(table(Application).c.id == other.id).values(state="offered")
    until = table(Application).update().values(confirm_by=NOW + timedelta(hours=48))

    def queue(db: Db) -> None:
        db.execute(until)
        db.execute(offer)
        put_picks(db, holder(row), the_forum(db), row.code, {"D1-07"}, 0, now=NOW)
        db.execute(update(table(Session)).where(table(Session).c.code == "D1-07").values(room_id=None))
        to_version = publish(db, Actor.operator(), the_forum(db), now=NOW, reason="for the test")
        values = {
            "since": 1,
            "to": to_version,
            "common": [],
            "hours": 48,
            "uids": list(db.execute(select(table(Pick).c.session_uid)).scalars()),
        }
        for lang in ("en", "km"):
            for name in names:
                whose = other if name == "offered" else row
                to, about = (whose.email, "Vanna"), f"registration:{whose.code}"
                queue_mail(
                    db, SLUG, f"registration/{name}", lang, to, about, now=NOW, values={**values, "other": "HJKMNPQ"}
                )

    crew.pen.write_now(SLUG, queue)
    handled = sum(iter(lambda: deliver(crew), 0))
    assert handled == len(messages(crew))
    assert {message.state for message in messages(crew)} == {"sent"}
    assert len(sink.mails) == 2 + 2 * len(names)


@pytest.mark.parametrize("name", ["=?utf-8?q?Rith=0D=0ABcc:_all@x.example=0D=0A=0D=0ABody?=", "=??b?xxxxx?=)"])
def test_no_encoded_word_that_reached_the_outbox_adds_a_header_or_stops_the_others(
    crew: Crew, sink: Sink, name: str
) -> None:
    def queue(db: Db) -> None:
        about = f"registration:{make_application(db, RITH).code}"
        queue_mail(db, SLUG, "registration/waiting", "en", (RITH.email, name), about, now=NOW)

    crew.pen.write_now(SLUG, queue)
    assert deliver(crew) == 2
    assert len(sink.mails) == 2
    for mail in sink.mails:
        assert mail["Bcc"] is None
        assert [address.addr_spec for address in mail["To"].addresses] == [RITH.email]


def test_a_mail_refused_for_good_starts_no_hours_since_nobody_could_know_of_them(crew: Crew, sink: Sink) -> None:
    row = registered(crew)
    sink.answers[VANNA.email] = "550 no such user here"
    deliver(crew)
    assert [message.state for message in messages(crew)] == ["failed"]
    assert the_row(crew, row.code).confirm_by is None


def test_a_message_that_cannot_be_made_fails_alone(crew: Crew, sink: Sink) -> None:
    def queue(db: Db) -> None:
        queue_mail(db, SLUG, "registration/none", "en", ("a b", "A"), "user:x", now=NOW - timedelta(hours=1))

    crew.pen.write_now(SLUG, queue)
    registered(crew)
    deliver(crew)
    assert [message.state for message in messages(crew)] == ["failed", "sent"]


def test_a_reminder_not_sent_yet_is_withheld_when_the_address_is_confirmed(crew: Crew, sink: Sink) -> None:
    row = registered(crew)

    def remind_and_confirm(db: Db) -> None:
        about = f"registration:{row.code}"
        queue_mail(db, SLUG, "registration/reminder", "en", (row.email, "Vanna"), about, now=NOW)
        confirm(db, holder(row), the_forum(db), row.code, now=NOW)

    crew.pen.write_now(SLUG, remind_and_confirm)
    deliver(crew)
    assert [message.state for message in messages(crew)] == ["sent", "withheld"]


def test_a_mail_to_an_assistant_greets_them_and_names_the_principal(crew: Crew, sink: Sink) -> None:
    registered(crew, CHAN, assistant_name="Dara Lim", titles="Samdech", display_name="Samdech Tep Bopha")
    deliver(crew)
    (mail,) = sink.mails
    assert mail["To"] == "Dara Lim <chan@institute.example>"
    assert mail["Subject"].startswith("For Samdech Tep Bopha: ")
    text = text_of_mail(mail)
    assert text.startswith("Dear Dara Lim,")
    assert "For Samdech Tep Bopha: this mail is about the registration" in text


def test_a_mail_says_when_and_where_the_forum_is_or_that_it_is_to_be_announced(crew: Crew, sink: Sink) -> None:
    registered(crew, CHAN)
    deliver(crew)
    text = text_of_mail(sink.mails[0])
    assert "Dates: Tuesday 23 March – Wednesday 24 March 2027" in text
    assert "Place: Cambodiana Hotel, 313 Sisowath Quay" in text
    unknown = {"starts_on": None, "ends_on": None, "venue_name": Bilingual(), "venue_address": Bilingual()}
    crew.pen.write_now(SLUG, lambda db: db.execute(update(table(Forum)).values(**unknown)))
    registered(crew, VANNA, language="en")
    deliver(crew)
    assert text_of_mail(sink.mails[1]).count("o be announced") == 2


def test_answers_go_to_the_secretariat_once_it_has_an_address(crew: Crew, sink: Sink) -> None:
    registered(crew, CHAN)
    deliver(crew)
    assert sink.mails[0]["Reply-To"] is None, "the forum's file still has the placeholder"
    at = {"secretariat": {"name": {"en": "Secretariat", "km": ""}, "email": "desk@secretariat.example"}}
    crew.pen.write_now(SLUG, lambda db: db.execute(update(table(Forum)).values(**at)))
    registered(crew, VANNA)
    deliver(crew)
    assert sink.mails[1]["Reply-To"] == "desk@secretariat.example"


def test_a_khmer_mail_ends_the_line_before_the_link_with_the_khmer_colon(crew: Crew, sink: Sink) -> None:
    registered(crew)
    deliver(crew)
    assert re.search("៖\r?\nhttps://forum.example/km/my/", text_of_mail(sink.mails[0]))


@pytest.mark.parametrize(("promotion", "words"), [("seat", "gets it at once"), ("offer", "has 12 hours to accept")])
def test_the_waiting_mail_says_how_a_freed_seat_is_passed_on(
    crew: Crew, sink: Sink, promotion: str, words: str
) -> None:
    row = registered(crew, CHAN)
    crew.pen.write_now(SLUG, lambda db: withhold(db, SLUG, f"registration:{row.code}"))
    terms = update(table(Terms)).values(promotion=promotion, offer_hours=12)
    crew.pen.write_now(SLUG, lambda db: db.execute(terms))
    to, about = (CHAN.email, "Chan Keo"), f"registration:{row.code}"
    crew.pen.write_now(SLUG, lambda db: queue_mail(db, SLUG, "registration/waiting", "en", to, about, now=NOW))
    deliver(crew)
    assert words in text_of_mail(sink.mails[0])


def test_somebody_of_the_press_is_written_to_about_a_badge(crew: Crew, sink: Sink) -> None:
    asked = crew.pen.write_now(SLUG, lambda db: make_application(db, CHAN, category="PRESS"))
    crew.pen.write_now(SLUG, lambda db: approve(db, Actor.operator(), the_forum(db), asked.code, now=NOW))
    deliver(crew)
    parts = [mail.get_body(("plain",)) for mail in sink.mails]
    told = " ".join(str(part.get_content()) for part in parts if part)
    assert "You have a badge." in told
    assert "seat" not in told


def test_a_database_that_fails_while_a_mail_leaves_costs_no_second_copy(
    crew: Crew, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is full from the moment the text has come until the first try to write that it has left."""
    row = registered(crew)
    monkeypatch.setattr(duties, "SECONDS_BETWEEN_TRIES", (0,))
    tries = []

    def full(_connection: Any) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise OSError(errno.ENOSPC, "no space left on device")

    sink.meanwhile = lambda: event.listen(crew.database.write_engine, "begin", full)
    assert deliver(crew) == 1
    assert len(tries) >= 2
    assert [message.state for message in messages(crew)] == ["sent"]
    assert the_row(crew, row.code).confirm_by is not None
    assert deliver(crew) == 0
    assert len(sink.mails) == 1


def test_a_mail_that_cannot_be_made_because_the_disk_is_full_waits(
    crew: Crew, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(crew)

    def full(_query: Any) -> Any:
        raise OSError(errno.ENOSPC, "no space left on device")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(crew.database, "read", full)
        deliver(crew)
    (message,) = messages(crew)
    assert (message.state, sink.mails) == ("retrying", [])


def test_what_has_left_is_written_however_many_wait_at_the_pen(crew: Crew, sink: Sink) -> None:
    """The inline worker shares its pen with the doors: those are turned away, it is not."""
    registered(crew)
    crew.pen.start()
    crew.pen._waiting = 0
    with pytest.raises(Busy):
        crew.pen.submit(SITE, lambda _db: None)
    assert deliver(crew) == 1
    assert [message.state for message in messages(crew)] == ["sent"]
    crew.pen.stop()


def test_mail_that_no_server_takes_is_late_however_often_it_is_tried(
    crew_with: Callable[..., Crew], clock: Any
) -> None:
    crew = crew_with(SMTP_URL="smtp://127.0.0.1:9")
    registered(crew)
    registered(crew, CHAN)
    for _ in range(8):
        deliver(crew)
        clock.move(minutes=5)
    assert crew.database.read(longest_due) == NOW
    assert "sent" not in {message.state for message in messages(crew)}


def test_mail_that_one_recipients_server_puts_off_is_not_late(crew: Crew, sink: Sink, clock: Any) -> None:
    registered(crew)
    sink.answers[VANNA.email] = "451 mailbox full"
    deliver(crew)
    due = crew.database.read(longest_due)
    assert due == NOW + timedelta(minutes=5)
