"""The second factor in a browser's place: set up, asked for after the link, and asked for by a forum."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from sqlalchemy import select

from app.accounts.actor import Actor
from app.accounts.logins import FRESH
from app.accounts.models import User
from app.accounts.rules import Role
from app.accounts.signing_in import make_link
from app.editions.form import ForumFile
from app.kit.db import Db, table
from app.kit.i18n import text_of
from app.kit.pen import SITE
from tests.cast import NOW, SLUG
from tests.conftest import Clock
from tests.doors import Doors, Page, open_doors

OWN, DESK = "/account/factor", f"/desk/{SLUG}"
MOST = 6


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    folder = tmp_path_factory.mktemp("factor")
    with open_doors(loaded_file, folder, forum_file, THROTTLE_WRONG_CODES=str(MOST)) as found:
        for name in ("setting", "guessing", "losing", "late"):
            found.enrol(name, Role.VIEWER)
        found.enrol("owner", Role.OWNER)
        found.enrol("registrar", Role.REGISTRAR)
        yield found


def send(doors: Doors, by: str, address: str, **fields: str) -> Any:
    return doors.post(address, by, {"form": doors.seal(OWN, by), **fields})


def set_up(doors: Doors, by: str) -> tuple[pyotp.TOTP, list[str]]:
    """The authenticator and the recovery codes, from the pages."""
    assert send(doors, by, OWN).headers["location"] == OWN
    page = doors.page(OWN, by)
    key = page.one("bdi", id="key").text
    clock = pyotp.TOTP(key.replace(" ", ""))
    shown = send(doors, by, f"{OWN}/confirmation", code=clock.at(NOW))
    assert shown.status_code == 200
    assert shown.headers["cache-control"] == "private, no-store"
    return clock, [each.text for each in Page(shown.text).all("span") if each.attributes.get("class") == "code"]


def follow_link(doors: Doors, name: str) -> Any:
    """A link of somebody, used in another browser called `half`."""
    users = table(User)

    def deed(db: Db) -> str:
        user = db.execute(select(User).where(users.c.email == f"{name}@desk.example")).scalar_one()
        return make_link(db, Actor.operator(), user, now=NOW)

    link = doors.write(SITE, deed)
    answer = doors.post(f"/login/{link}", fields={"form": doors.seal(f"/login/{link}")})
    keep(doors, "half", answer)
    return answer


def keep(doors: Doors, name: str, answer: Any) -> None:
    doors.pretend(name, answer.headers["set-cookie"].partition("sala_login=")[2].partition(";")[0])


def enter(doors: Doors, code: str) -> Any:
    return doors.post("/login/code", "half", {"form": doors.seal("/login/code", "half"), "code": code})


def test_a_browser_left_open_neither_begins_one_nor_reads_the_secret_that_was_begun(doors: Doors, clock: Clock) -> None:
    assert send(doors, "late", OWN).headers["location"] == OWN
    assert doors.page(OWN, "late").ids.count("key") == 1
    clock.at = NOW + FRESH
    page = doors.page(OWN, "late")
    assert "key" not in page.ids
    assert "/login?again=1" in page.links
    for address in (OWN, f"{OWN}/confirmation"):
        refused = send(doors, "late", address, code="000000")
        assert refused.status_code == 422
        assert text_of("en", "refused.login_old") in Page(refused.text).text


def test_after_the_link_the_code_is_asked_for_and_no_page_opens_before(doors: Doors, clock: Clock) -> None:
    device, codes = set_up(doors, "setting")
    assert len(codes) == 10
    assert not any(code in doors.get(OWN, "setting").text for code in codes), "they are shown once"
    assert follow_link(doors, "setting").headers["location"] == "/login/code"
    for address in (DESK, "/desk", "/account", OWN):
        assert doors.get(address, "half").headers["location"] == "/login"
    wrong = enter(doors, "000000")
    assert wrong.status_code == 422
    assert "code-fault" in Page(wrong.text).ids
    assert enter(doors, device.at(NOW)).status_code == 422, "the code it was set up with counts once"
    clock.at = NOW + timedelta(seconds=30)
    done = enter(doors, device.at(clock.at))
    assert done.headers["location"] == "/desk"
    keep(doors, "whole", done)
    assert doors.get(DESK, "whole").status_code == 200
    assert doors.get(DESK, "half").headers["location"] == "/login", "the half login is spent"


def test_a_recovery_code_signs_in_and_is_counted(doors: Doors) -> None:
    _, codes = set_up(doors, "losing")
    follow_link(doors, "losing")
    done = enter(doors, codes[0].lower())
    assert done.headers["location"] == "/desk"
    keep(doors, "found", done)
    assert "9 recovery codes are left" in doors.page(OWN, "found").text
    follow_link(doors, "losing")
    assert enter(doors, codes[0]).status_code == 422
    assert send(doors, "losing", f"{OWN}/removal", code=codes[1]).headers["location"] == f"{OWN}?done=off"
    assert follow_link(doors, "losing").headers["location"] == "/desk"


def test_guessing_ends_soon_in_every_browser(doors: Doors) -> None:
    _, codes = set_up(doors, "guessing")  # one try
    for number in range(MOST - 1):
        follow_link(doors, "guessing")
        assert enter(doors, f"00000{number}").status_code == 422
    follow_link(doors, "guessing")
    late = enter(doors, codes[0])
    assert late.status_code == 429
    assert int(late.headers["retry-after"]) > 0
    assert send(doors, "guessing", f"{OWN}/removal", code=codes[0]).status_code == 429


def test_a_forum_that_asks_for_a_second_factor_opens_to_those_who_have_one(doors: Doors) -> None:
    people = f"{DESK}/people"
    required = {"form": doors.seal(people, "owner"), "required": "yes"}
    refused = doors.post(f"{people}/second-factor", "owner", required)
    assert refused.status_code == 422
    assert "Set up your own second factor first" in refused.text
    set_up(doors, "owner")
    assert doors.post(f"{people}/second-factor", "owner", required).headers["location"] == f"{people}?done=required"
    assert doors.get(people, "owner").status_code == 200
    form = {"form": doors.seal(OWN, "registrar")}
    for tail in ("", "/registrations", "/permissions"):
        assert doors.get(f"{DESK}{tail}", "registrar").headers["location"] == f"{OWN}?needed=1"
    assert "asks for a second factor" in doors.page(f"{OWN}?needed=1", "registrar").text
    answer = doors.post(f"{DESK}/registrations/new", "registrar", form)
    assert answer.status_code == 403
    assert "second factor" in answer.text
    set_up(doors, "registrar")
    assert doors.get(DESK, "registrar").status_code == 200
