"""One mail at the desk: its tries, its words, sending it again, and what came back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from app.accounts.rules import Role
from app.editions.form import ForumFile
from app.kit.db import table
from app.kit.i18n import text_of
from app.mail.models import Message
from app.mail.outbox import claim, mark_bounced, mark_failed, mark_sent, note_attempt
from app.registration.models import Application
from tests.cast import NOW, SLUG
from tests.doors import ELSEWHERE, Doors, Standing, open_doors

OUTBOX = f"/desk/{SLUG}/outbox"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("one-mail"), forum_file) as found:
        found.enrol("owner", Role.OWNER)
        yield found


def left(doors: Doors, one: Standing, slug: str = SLUG) -> int:
    """The number of somebody's mail, which was refused once and then taken."""

    def deed(db: Any) -> int:
        for outcome, said in (("temporary", "450 4.2.1 Later, please"), ("sent", "")):
            (message,) = claim(db, now=NOW, subject=f"registration:{one.code}")
            note_attempt(db, message, outcome, said, at=NOW)
            if outcome == "sent":
                mark_sent(db, message, now=NOW)
            else:
                mark_failed(db, message, said, NOW)
        return message.id

    return int(doors.write(slug, deed))


def test_a_mail_shows_its_tries_and_its_words_without_the_link(doors: Doors) -> None:
    one = doors.register("STU", family_name="Sok", given_name="Vanna", language="en")
    page = doors.page(f"{OUTBOX}/{left(doors, one)}", "owner")
    assert "450 4.2.1 Later, please" in page.text
    assert text_of("en", "mailings.mail.outcomes.sent") in page.text
    assert one.code in page.one("article", class_="mail").text
    assert one.secret not in page.html
    assert "…" in page.one("article", class_="mail").text


def test_it_is_sent_again_to_the_address_of_now_and_marked_as_such(doors: Doors) -> None:
    one = doors.register("STU")
    number, people = left(doors, one), table(Application)
    moved = {"email": "corrected@crowd.example", "email_normal": "corrected@crowd.example"}
    doors.write(SLUG, lambda db: db.execute(update(people).where(people.c.id == one.id).values(**moved)))
    page = doors.page(f"{OUTBOX}/{number}", "owner")
    assert "corrected@crowd.example" in page.text
    answer = doors.post(f"{OUTBOX}/{number}", "owner", {"form": page.hidden["form"]})
    assert answer.headers["location"] == f"{OUTBOX}/{number}?done=moved"
    rows, subject = table(Message), f"registration:{one.code}"
    again = doors.site.database.read(
        lambda db: db.execute(select(rows).where(rows.c.subject == subject, rows.c.resend_of == number)).one()
    )
    assert (again.to_address, again.state) == ("corrected@crowd.example", "queued")
    assert text_of("en", "mailings.mail.again") in doors.page(OUTBOX, "owner").text
    refused = doors.post(f"{OUTBOX}/{again.id}", "owner", {"form": page.hidden["form"]})
    assert refused.status_code == 409
    assert text_of("en", "refused.mail_under_way") in refused.text


def test_what_came_back_is_found_in_the_list_and_told_at_the_person(doors: Doors) -> None:
    one = doors.register("STU", family_name="Unknown")
    number = left(doors, one)
    registration = f"/desk/{SLUG}/registrations/{one.code}"
    said = text_of("en", "mailings.mail.to_address_came_back")
    assert said not in doors.page(registration, "owner").text
    doors.write(SLUG, lambda db: mark_bounced(db, number, "5.1.1 No such user", at=NOW))
    assert said in doors.page(registration, "owner").text
    assert "5.1.1 No such user" in doors.page(f"{OUTBOX}/{number}", "owner").text
    listed = doors.page(f"{OUTBOX}?state=bounced", "owner")
    assert [link for link in listed.links if link.startswith(f"{OUTBOX}/")] == [f"{OUTBOX}/{number}"]


def test_a_mail_of_another_forum_is_not_found(doors: Doors) -> None:
    number = left(doors, doors.register("STU", slug=ELSEWHERE), ELSEWHERE)
    assert doors.get(f"{OUTBOX}/{number}", "owner").status_code == 404
