"""Bopha's assistant: registers the minister, who has no e-mail, brings her interpreter, and has her letter made."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.accounts.actor import Actor
from app.editions.form import ForumFile
from app.registration import reviewing
from tests.cast import BOPHA, NOW, SLUG, fields, the_forum
from tests.doors import COMPANION, Doors, open_doors

FORM = f"/km/{SLUG}/register/gov"


@pytest.fixture
def doors(tmp_path: Path, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    """No mail leaves here, so the page after the form shows the link itself."""
    with open_doors(loaded_file, tmp_path, forum_file, FORM_MIN_SECONDS="0") as found:
        found.enrol("registrar", site_owner=True)
        yield found


def send(doors: Doors, page: str, to: str = "", by: str = "", **sent: Any) -> Any:
    return doors.post(to or page, by, {"form": doors.seal(page, by), **sent})


def test_the_assistant_of_a_minister_without_an_address_sees_everything_through(doors: Doors):
    office = "cabinet@ministry.example"
    typed = {**fields(BOPHA, email=office, phone="០៨៨ ១២៣ ៤៥៦៧"), "for_whom": "other", "assistant_name": "Keo Thida"}
    sent = send(doors, FORM, **typed)
    assert sent.status_code == 200
    own = next(part for part in sent.text.split('"') if part.startswith("/km/my/"))
    code = doors.page(own).all("code")[0].text

    # the desk lists the principal, with her titles in order, and names the assistant beside her
    listed = doors.get(f"/desk/{SLUG}/registrations?q={office}&lang=en", "registrar").text
    assert "CHEA Bopha" in listed
    assert "H.E., Dr." in listed
    assert "registered by Keo Thida" in listed

    doors.write(SLUG, lambda db: reviewing.approve(db, Actor.operator(), the_forum(db), code, now=NOW))
    send(doors, own, f"{own}/confirmation")
    assert send(doors, f"{own}/companions", category=COMPANION, family_name="Lim", given_name="Dara").status_code == 303

    letter = {"kind": "visa", "language": "km", "passport_name": "CHEA BOPHA", "nationality": "KH"}
    assert send(doors, f"{own}/letters", **letter).status_code == 303
    (link,) = [href for href in doors.page(f"{own}/letters").links if href.endswith(".pdf")]
    assert doors.get(link).content.startswith(b"%PDF-")

    # every mail goes to the office: to the assistant about the principal, and about who comes along with her
    mails = doors.get(f"/desk/{SLUG}/outbox?lang=en", "registrar").text
    assert mails.count(office) >= 3
    assert "Somebody who comes along: badge" in mails

    # the assistant sends the form once more: the same registration, and a second principal is another one
    assert send(doors, FORM, **typed).status_code == 200
    other = {**typed, "family_name": "Lim", "given_name": "Sopheap", "name_km": "", "phone": ""}
    assert send(doors, FORM, **other).status_code == 200
    found = doors.get(f"/desk/{SLUG}/registrations?q={office}&lang=en", "registrar").text
    assert found.count("registered by Keo Thida") == 3, "two principals and who comes along with one of them"
    assert "CHEA" not in doors.get(f"/desk/{SLUG}/duplicates", "registrar").text, "two principals are no doubles"

    # she cannot come: seat and companion go with one button
    send(doors, f"{own}/cancellation")
    assert "Cancelled" in doors.get(f"/desk/{SLUG}/registrations/{code}?lang=en", "registrar").text
    assert doors.get(link).status_code == 404
    companions = doors.get(f"/desk/{SLUG}/registrations?q={office}&state=cancelled&lang=en", "registrar").text
    assert "LIM Dara" in companions
