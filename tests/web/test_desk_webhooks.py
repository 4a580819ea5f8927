"""Webhooks at the desk in a browser's place."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.accounts.rules import Role
from app.editions.form import ForumFile
from app.forum.delivering import claim_delivery, keep_outcome
from app.kit.db import Db
from tests.cast import NOW, SLUG
from tests.doors import Doors, open_doors

OWN = f"/desk/{SLUG}/webhooks"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("webhooks"), forum_file) as found:
        found.enrol("organiser", Role.ORGANISER)
        yield found


def test_a_webhook_is_added_tried_and_ended(doors: Doors) -> None:
    assert "No address is told anything" in doors.page(OWN, "organiser").text
    form = {"form": doors.seal(OWN, "organiser")}
    made = doors.post(
        OWN, "organiser", {**form, "address": "https://program.example/sala", "families": ["room", "seat"]}
    )
    assert made.status_code == 200
    secret = re.search(r'value="(whsec_[A-Za-z0-9+/=]+)"', made.text)
    assert secret
    page = doors.page(OWN, "organiser")
    assert secret[1] not in page.html
    assert "seats, rooms" in page.text or "rooms, seats" in page.text
    number = page.one("button", name="try").attributes["value"]
    assert doors.post(OWN, "organiser", {**form, "try": number}).headers["location"] == f"{OWN}?done=tried"
    assert "webhook.tried" in doors.page(OWN, "organiser").text
    renewed = doors.post(OWN, "organiser", {**form, "renew": number})
    assert "whsec_" in renewed.text
    assert secret[1] not in renewed.text

    def give_up(db: Db) -> None:
        claimed = claim_delivery(db, now=NOW)
        assert claimed is not None
        keep_outcome(db, claimed, 410, "", now=NOW)

    doors.write(SLUG, give_up)
    page = doors.page(OWN, "organiser")
    assert "A webhook is paused" in page.text
    assert "answered 410" in page.text
    assert doors.post(OWN, "organiser", {**form, "resume": number}).headers["location"] == f"{OWN}?done=resumed"
    assert doors.post(OWN, "organiser", {**form, "end": number}).headers["location"] == f"{OWN}?done=ended"
    assert doors.post(OWN, "organiser", {**form, "end": number}).status_code == 404
    assert "No address is told anything" in doors.page(OWN, "organiser").text


def test_an_address_inside_is_refused_beside_its_field(doors: Doors) -> None:
    form = {"form": doors.seal(OWN, "organiser")}
    before = doors.rows()
    for address in (
        "",
        "http://program.example/",
        "https://program.example:22/",
        "https://a b/",
        "nowhere",
        "https://ក/",
    ):
        answer = doors.post(OWN, "organiser", {**form, "address": address, "families": "room"})
        assert answer.status_code == 422, address
        assert 'id="address-fault"' in answer.text
    assert doors.rows() == before
