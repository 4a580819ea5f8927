"""An invited person's page, codes at the choice of a group, and every state with its own page."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from app.accounts.actor import Actor
from app.editions.form import ForumFile
from app.kit.db import Db, table
from app.kit.i18n import text_of
from app.registration import replying
from app.registration.applying import cancel
from app.registration.models import Application, Category, Invitation, Seat
from app.registration.rules.states import State
from tests.cast import NOW, RITH, SECRET, SLUG, fields, make_application, request, the_forum
from tests.conftest import Clock
from tests.doors import Doors, Invited, open_doors

LANGS = ("en", "km")


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    folder = tmp_path_factory.mktemp("invitations")
    with open_doors(loaded_file, folder, forum_file, SMTP_URL="smtp://127.0.0.1:9", THROTTLE_WRONG_CODES="4") as found:
        yield found


def accept(doors: Doors, one: Invited, **changes: str) -> Any:
    """Open the form, and send it as it was filled in."""
    address = f"/en/invitations/{one.secret}/registration"
    page = doors.page(address)
    filled = {
        field.attributes["name"]: field.attributes.get("value", "")
        for field in page.all("input")
        if field.attributes.get("type") != "checkbox"
        and field.attributes["name"] not in {"website", "attends_as", "for_whom", "name_order"}
    }
    return doors.post(address, fields={**filled, "attends_as": "official", "consent": "yes", **changes})


def test_the_page_says_who_invites_to_what_until_when_and_leads_to_a_filled_form(doors: Doors) -> None:
    one = doors.invite(reserves="yes", given_name="Bopha", titles="H.E., Dr.", reference="NV 17/2026")
    page = doors.page(f"/en/invitations/{one.secret}")
    for words in ("invite you to the forum", "A seat is kept for you", "20 December 2026", "NV 17/2026"):
        assert words in page.text
    form = doors.page(f"/en/invitations/{one.secret}/registration")
    assert form.one("input", id="given_name").attributes["value"] == "Bopha"
    assert form.one("input", id="titles").attributes["value"] == "H.E., Dr."
    assert form.one("input", id="email").attributes["value"].startswith("guest")


def test_accepting_registers_and_the_page_says_so_ever_after(doors: Doors) -> None:
    one = doors.invite(reserves="yes")
    sent = accept(doors, one)
    assert sent.status_code == 200
    assert "We have written to" in sent.text
    assert "/my/" not in sent.text, "the link comes by mail"
    for tail in ("", "/registration"):
        shown = doors.page(f"/en/invitations/{one.secret}{tail}")
        assert "You have accepted the invitation" in shown.text
        assert "its link is in the mail" in shown.text
        assert not [link for link in shown.links if "/my/" in link]


@pytest.fixture(scope="module")
def mute(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    """A site without a mail server."""
    with open_doors(loaded_file, tmp_path_factory.mktemp("mute"), forum_file) as found:
        yield found


def test_where_no_mail_can_leave_who_has_accepted_finds_the_link_on_the_invitation_itself(mute: Doors) -> None:
    one = mute.invite(reserves="yes")
    after = re.findall(r'href="(/en/my/[^"]+)"', accept(mute, one).text)
    shown = mute.page(f"/en/invitations/{one.secret}")
    assert "its link is in the mail" not in shown.text
    assert "cannot send mail at the moment" in shown.text
    assert [link for link in shown.links if "/en/my/" in link] == after
    assert mute.get(after[0]).status_code == 200


def test_an_earlier_registration_taken_up_with_an_invitation_keeps_its_link_to_its_address(mute: Doors) -> None:
    one = mute.invite(reserves="yes", email="before@crowd.example")
    mute.write(SLUG, lambda db: make_application(db, RITH, email="before@crowd.example", category="INT"))
    earlier = table(Application).c.email_normal == "before@crowd.example"
    group = select(table(Category).c.id).where(table(Category).c.code == "THK").scalar_subquery()
    mute.write(SLUG, lambda db: db.execute(update(table(Application)).where(earlier).values(category_id=group)))
    mute.site.pen.write_now(SLUG, lambda db: accept_later(db, one))
    shown = mute.page(f"/en/invitations/{one.secret}")
    assert "You have accepted the invitation" in shown.text
    assert "can only be sent to its address" in shown.text
    assert not [link for link in shown.links if "/my/" in link]


def accept_later(db: Db, one: Invited) -> None:
    sent = request(RITH, email="before@crowd.example", category="THK")
    replying.accept(db, the_forum(db), one.id, sent, "later", SECRET, now=NOW + timedelta(hours=1))


def test_a_known_address_without_mail_is_told_of_the_address_and_of_nobody_else(mute: Doors) -> None:
    address = f"/en/{SLUG}/register/stu"
    for _ in range(2):
        sent = mute.post(address, fields={"form": mute.seal(address), **fields(RITH), "for_whom": "self"})
    assert "There is already a registration for this address" in sent.text
    assert "from this address" not in sent.text


def test_a_fault_in_the_form_keeps_what_was_typed(doors: Doors) -> None:
    again = accept(doors, doors.invite(), phone="nonsense", institution="The Senate")
    assert again.status_code == 422
    assert 'value="The Senate"' in again.text


def test_declining_asks_for_a_button_and_keeps_the_word_for_the_desk(doors: Doors) -> None:
    doors.enrol("owner", site_owner=True)
    one = doors.invite(reserves="yes")
    address = f"/en/invitations/{one.secret}"
    assert doors.get(f"{address}/refusal").status_code == 405, "a mail scanner that opens links answers nothing"
    said = doors.post(f"{address}/refusal", fields={"form": doors.seal(address), "word": "Abroad then"})
    assert "You have declined the invitation" in said.text
    assert "Abroad then" in doors.page(f"/desk/{SLUG}/invitations/{one.code}", "owner").text
    assert "Abroad then" not in doors.page(address).text


def test_a_form_of_another_invitation_answers_nothing(doors: Doors) -> None:
    one, other = doors.invite(), doors.invite()
    seal = doors.seal(f"/en/invitations/{other.secret}")
    assert doors.post(f"/en/invitations/{one.secret}/refusal", fields={"form": seal}).status_code == 422


def test_a_date_that_has_come_is_said_and_nothing_can_be_answered(doors: Doors, clock: Clock) -> None:
    one = doors.invite(reply_by="2026-12-02")
    clock.at = NOW + timedelta(days=3)
    page = doors.page(f"/en/invitations/{one.secret}")
    assert "The time to answer this invitation" in page.text
    assert not page.all("form")


@pytest.mark.parametrize("secret", ["a" * 32, "SENATE-7F3K", "x"])
def test_a_link_that_is_none_is_not_found(doors: Doors, secret: str) -> None:
    for tail in ("", "/registration"):
        assert doors.get(f"/en/invitations/{secret}{tail}").status_code == 404


@pytest.mark.parametrize("lang", LANGS)
def test_an_invited_person_is_asked_once_more_and_erased_with_one_button(doors: Doors, lang: str) -> None:
    one = doors.invite(family_name="Tellingname")
    address = f"/{lang}/invitations/{one.secret}"
    assert f"{address}/erasure" in doors.page(address).links
    asked = doors.page(f"{address}/erasure")
    assert asked.one("form", action=f"{address}/erasure")
    sent = doors.post(f"{address}/erasure", fields={"form": asked.hidden["form"]})
    assert (sent.status_code, sent.headers["location"]) == (303, address)
    for tail in ("", "/erasure", "/registration"):
        page = doors.page(f"{address}{tail}")
        assert text_of("km" if lang == "km" else "en", "registration.invitation.erased.title") in page.text
        assert "Tellingname" not in page.text.title()
        assert not page.all("form")
    again = doors.post(f"{address}/erasure", fields={"form": asked.hidden["form"]})
    assert again.status_code == 303, "sent twice it is as harmless"


def test_an_invitation_in_use_sends_to_the_own_page_to_be_erased(doors: Doors) -> None:
    one = doors.invite()
    address = f"/en/invitations/{one.secret}"
    seal = doors.seal(f"{address}/erasure")
    accept(doors, one)
    assert f"{address}/erasure" not in doors.page(address).links
    page = doors.page(f"{address}/erasure")
    assert "A registration stands on this invitation" in page.text
    assert not page.all("form")
    assert doors.post(f"{address}/erasure", fields={"form": seal}).status_code == 422


def test_the_desk_erases_whom_it_invited_or_registered_only_when_it_is_meant(doors: Doors) -> None:
    doors.enrol("owner", site_owner=True)
    invited, registered = doors.invite(family_name="Tellingguest"), doors.register("INT", family_name="Tellingperson")
    for address, name in (
        (f"/desk/{SLUG}/invitations/{invited.code}", "TELLINGGUEST"),
        (f"/desk/{SLUG}/registrations/{registered.code}", "TELLINGPERSON"),
    ):
        seal = doors.seal(address, "owner")
        unsure = doors.post(f"{address}/erasure", "owner", {"form": seal})
        assert (unsure.status_code, name in unsure.text) == (422, True)
        assert "it cannot be taken back" in unsure.text
        sent = doors.post(f"{address}/erasure", "owner", {"form": seal, "sure": "yes"})
        assert (sent.status_code, sent.headers["location"]) == (303, f"{address}?done=erased")
        page = doors.get(sent.headers["location"], "owner").text
        assert "Erased." in page
        assert name not in page.upper()
        assert f'action="{address}/erasure' not in page
    assert doors.state(registered) == "cancelled"


# ---- codes


def test_a_code_leads_to_its_group_and_registers_there(doors: Doors) -> None:
    doors.make_code("COUNCIL-7F3K", uses=1)
    led = doors.get(f"/en/{SLUG}/register?code=council+7f3k")
    assert (led.status_code, led.headers["location"]) == (303, f"/en/{SLUG}/register/thk?code=council+7f3k")
    page = doors.page(led.headers["location"])
    assert page.hidden["code"] == "council 7f3k"
    assert page.one("a", class_="twin").attributes["href"].endswith("/register/thk?code=council+7f3k")
    fields = {**page.hidden, "email": "senator@senate.example", "family_name": "Senator", "consent": "yes"}
    first = doors.post(f"/en/{SLUG}/register/thk", fields=fields)
    again = doors.post(f"/en/{SLUG}/register/thk", fields=fields)
    assert (first.status_code, again.status_code) == (200, 200), "the same form twice is one registration"
    used = doors.get(f"/en/{SLUG}/register?code=COUNCIL-7F3K")
    assert used.status_code == 422
    assert "has been used already" in used.text


def test_a_code_of_another_group_leads_to_its_own(doors: Doors) -> None:
    doors.make_code("OTHER-7F3K")
    led = doors.get(f"/en/{SLUG}/register/stu?code=OTHER-7F3K")
    assert led.headers["location"].startswith(f"/en/{SLUG}/register/thk?")


def test_wrong_codes_are_said_plainly_kept_and_counted(doors: Doors) -> None:
    doors.make_code("RIGHT-7F3K")
    for number in range(4):
        wrong = doors.get(f"/en/{SLUG}/register?code=WRONG-{number}00")
        assert wrong.status_code == 422
        assert f'value="WRONG-{number}00"' in wrong.text
        assert "There is no such invitation code" in wrong.text
    shut = doors.get(f"/en/{SLUG}/register?code=RIGHT-7F3K")
    assert shut.status_code == 429
    assert "retry-after" in shut.headers
    assert doors.get(f"/en/{SLUG}/register").status_code == 200


# ---- times of a group


def test_a_group_with_times_of_its_own_says_them_and_the_first_page_stays_right(doors: Doors) -> None:
    categories = table(Category)
    first, later = NOW + timedelta(days=3), NOW + timedelta(days=9)

    def all_open_at(at: Any, only: str = "") -> None:
        change = update(categories).where(categories.c.code == only) if only else update(categories)
        doors.write(SLUG, lambda db: db.execute(change.values(opens_at=at)))

    all_open_at(later)
    all_open_at(first, "STU")
    choose = doors.page(f"/en/{SLUG}/register").text
    assert "Registration opens on Friday 4 December 2026, 10:00" in choose
    assert "Opens on Thursday 10 December 2026, 10:00" in choose
    form = doors.page(f"/en/{SLUG}/register/int").text
    assert "Registration opens on Thursday 10 December 2026, 10:00" in form
    assert "Registration opens on Friday 4 December 2026, 10:00" in doors.page(f"/en/{SLUG}?x=1").text
    all_open_at(None)
    closes = update(categories).where(categories.c.code == "STU").values(closes_at=first)
    doors.write(SLUG, lambda db: db.execute(closes))
    assert "Open until Friday 4 December 2026, 10:00" in doors.page(f"/en/{SLUG}/register").text
    assert "Registration is open until Friday 4 December 2026" in doors.page(f"/en/{SLUG}/register/stu").text
    assert "Registration is open until Friday 19 March 2027" in doors.page(f"/en/{SLUG}?x=2").text


# ---- states


ENDED = ("cancelled", "declined", "expired")


@pytest.mark.parametrize("lang", LANGS)
def test_every_state_has_a_page_of_its_own_that_says_what_comes_next(doors: Doors, lang: str) -> None:
    table_of, seats, said = table(Application), table(Seat), set()
    states = {
        **{state.value: {"state": state.value} for state in State if state.value not in {"draft", "submitted"}},
        "unconfirmed": {"state": "seated"},
        "seated": {"state": "seated", "confirmed_at": NOW},
    }
    for name, values in states.items():
        one = doors.register("STU")
        ended = {"ended_at": NOW, "live_key": None} if name in ENDED else {}
        change = update(table_of).where(table_of.c.id == one.id).values(**values, **ended)
        doors.write(SLUG, lambda db, change=change: db.execute(change))
        if values["state"] not in {"seated", "offered"}:
            seat = delete(seats).where(seats.c.application_id == one.id)
            doors.write(SLUG, lambda db, seat=seat: db.execute(seat))
        page = doors.page(f"/{lang}/my/{one.secret}")
        assert text_of("km" if lang == "km" else "en", f"registration.my.state.{name}.short") in page.text
        key = "registration.my.again_when.open" if name in ENDED else f"registration.my.next.{name}"
        assert text_of("km" if lang == "km" else "en", key) in page.text
        assert (f"/{lang}/{SLUG}/register" in {a.attributes["href"] for a in page.all("a", class_="button")}) == (
            name in ENDED
        )
        said.add(page.one("p", class_="lead").text)
    assert len(said) == len(states)


@pytest.mark.parametrize("lang", LANGS)
def test_every_answer_to_an_invitation_has_a_page_of_its_own(doors: Doors, lang: str) -> None:
    said = set()
    invitations = table(Invitation)
    for reply in ("open", "accepted", "declined", "lapsed", "withdrawn"):
        one = doors.invite()
        if reply == "accepted":
            accept(doors, one)
        else:
            change = update(invitations).where(invitations.c.id == one.id).values(state=reply)
            doors.write(SLUG, lambda db, change=change: db.execute(change))
        page = doors.page(f"/{lang}/invitations/{one.secret}")
        assert text_of("km" if lang == "km" else "en", f"registration.invitation.reply.{reply}.short") in page.text
        assert bool(page.all("form")) == (reply == "open")
        said.add(page.one("p", class_="lead").text)
    assert len(said) == 5


def test_who_ended_after_closing_is_not_sent_to_a_closed_door(doors: Doors, clock: Clock) -> None:
    one = doors.register("STU")
    doors.write(SLUG, lambda db: cancel(db, Actor.operator(), the_forum(db), one.code, now=NOW))
    assert doors.page(f"/en/my/{one.secret}").all("a", href=f"/en/{SLUG}/register", class_="button")
    clock.at = NOW + timedelta(days=109)
    page = doors.page(f"/en/my/{one.secret}")
    assert "Registration is closed. If you would like to come after all" in page.text
    assert not page.all("a", href=f"/en/{SLUG}/register", class_="button")
