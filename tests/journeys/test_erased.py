"""Vanna asks what is held about her, takes it along, and has everything erased; nothing of her is left to be found."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.editions.form import ForumFile
from tests.cast import SLUG, VANNA, fields
from tests.doors import COMPANION, Doors, open_doors
from tests.journeys.test_minister import send

FORM = f"/en/{SLUG}/register/stu"
SECRETS = ("vanna@", "Sok", "SOK", "VANNA SOK", "N0123456", "Dara Companion", "Halal")


@pytest.fixture
def doors(tmp_path: Path, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    """No mail leaves here, so the page after the form shows the link itself."""
    with open_doors(loaded_file, tmp_path, forum_file, FORM_MIN_SECONDS="0") as found:
        found.enrol("registrar", site_owner=True)
        yield found


def test_a_person_takes_along_what_is_held_and_is_erased(doors: Doors):
    sent = send(doors, FORM, **{**fields(VANNA, meals="Halal"), "for_whom": "self"})
    own = next(part for part in sent.text.split('"') if part.startswith("/en/my/"))
    code = doors.page(own).all("code")[0].text
    send(doors, own, f"{own}/confirmation")
    companion = {"category": COMPANION, "family_name": "Dara Companion", "given_name": "Lim"}
    assert send(doors, f"{own}/companions", **companion).status_code == 303
    letter = {"kind": "visa", "language": "en", "passport_name": "VANNA SOK", "nationality": "KH"}
    assert send(doors, f"{own}/letters", **letter, passport_number="N0123456").status_code == 303
    (pdf,) = [href for href in doors.page(f"{own}/letters").links if href.endswith(".pdf")]
    feed = next(href for href in doors.page(own).links if href.startswith("/calendars/"))

    # she reads it all, and takes it along
    page, taken = doors.get(f"{own}/data").text, doors.get(f"{own}/data.json").text
    for secret in ("N0123456", "VANNA SOK", "Dara Companion", "Halal"):
        assert secret in page
        assert secret in taken

    # the page says who goes with her, and asks once more
    assert "Dara Companion" in doors.get(f"{own}/erasure").text
    assert send(doors, f"{own}/erasure").status_code == 303

    # her page says so; the calendar and the letter are gone
    gone = doors.get(own).text
    assert not [secret for secret in SECRETS if secret in gone]
    assert [doors.get(address).status_code for address in (feed, pdf)] == [404, 404]

    # nor does the desk know anything, with every page that spoke of her
    desk = f"/desk/{SLUG}"
    for address in (f"{desk}/registrations", f"{desk}/registrations/{code}", f"{desk}/letters", f"{desk}/outbox"):
        shown = doors.get(f"{address}?lang=en", "registrar").text
        assert not [secret for secret in SECRETS if secret in shown], address
    assert "(erased)" in doors.get(f"{desk}/registrations/{code}?lang=en", "registrar").text
    assert doors.page(f"{desk}/registrations?q=vanna@&lang=en", "registrar").all("tbody") == []

    # and she may come back as anybody may
    assert send(doors, FORM, **{**fields(VANNA), "for_whom": "self"}).status_code == 200
