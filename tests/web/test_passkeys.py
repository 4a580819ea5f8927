"""Passkeys in a browser's place: the forms behind the script, their refusals, and pages without it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.accounts.logins import FRESH
from app.accounts.rules import Role
from app.editions.form import ForumFile
from app.kit.i18n import text_of
from tests.authenticator import Device
from tests.cast import NOW, SLUG
from tests.conftest import Clock
from tests.doors import Doors, Page, open_doors

OWN, SHOW, DESK = "/account/passkeys", "/login/passkey", f"/desk/{SLUG}"
MOST = 40


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    more = {"BASE_URL": "http://localhost", "THROTTLE_PER_ADDRESS": str(MOST)}
    with open_doors(loaded_file, tmp_path_factory.mktemp("passkeys"), forum_file, **more) as found:
        for name in ("adding", "using", "other", "owner", "late"):
            found.enrol(name, Role.OWNER if name == "owner" else Role.VIEWER)
        yield found


def say(code: str, **values: Any) -> str:
    return text_of("en", f"refused.{code}", **values)


def send(doors: Doors, by: str, **fields: str) -> Any:
    return doors.post(OWN, by, {"form": doors.seal("/account", by), **fields})


def show(doors: Doors, answer: str, cookie: str, by: str = "") -> Any:
    """What the device answered, sent from the browser with this cookie, which has the login of `by` too."""
    kept = "; ".join(
        part for part in (f"sala_challenge={cookie}", doors.login_of(by) and f"sala_login={doors.login_of(by)}") if part
    )
    form = {"form": doors.seal("/login?again=1"), "act": "use", "credential": answer}
    return doors.post(SHOW, fields=form, headers={"cookie": kept})


def ask(doors: Doors) -> tuple[Any, str]:
    """What a browser is asked for to sign in, and the cookie it was given."""
    answer = doors.post(SHOW, fields={"form": doors.seal("/login"), "act": "begin"})
    assert answer.headers["cache-control"] == "private, no-store"
    said = answer.headers["set-cookie"]
    assert "HttpOnly" in said
    assert "SameSite=strict" in said
    return answer.json()["publicKey"], said.partition("sala_challenge=")[2].partition(";")[0]


def test_a_passkey_is_added_renamed_and_removed_from_the_own_page(doors: Doors) -> None:
    asked = send(doors, "adding", act="begin").json()["publicKey"]
    assert (asked["rp"]["id"], asked["user"]["name"]) == ("localhost", "adding@desk.example")
    added = send(doors, "adding", act="add", name="The laptop", credential=Device(id=b"first").make(asked))
    assert len([each for each in Page(added.text).all("span") if "code" in each.attributes.get("class", "")]) == 10
    page = doors.page("/account", "adding")
    assert "The laptop" in page.text
    assert "On one device" in page.text
    (number,) = {each.attributes["value"] for each in page.all("input", name="number")}
    wrong = send(doors, "adding", act="rename", number=number, **{f"name-{number}": "x" * 61})
    assert wrong.status_code == 422
    assert f"name-{number}-fault" in Page(wrong.text).ids
    assert send(doors, "other", act="rename", number=number, **{f"name-{number}": "Mine"}).status_code == 404
    renamed = send(doors, "adding", act="rename", number=number, **{f"name-{number}": "ទូរសព្ទ <b>"})
    assert renamed.headers["location"] == "/account?done=passkey_renamed"
    assert "ទូរសព្ទ <b>" in doors.page("/account", "adding").text
    gone = send(doors, "adding", act="remove", number=number)
    assert gone.headers["location"] == "/account?done=passkey_removed"


def test_a_login_that_is_not_fresh_is_led_to_sign_in_again(doors: Doors, clock: Clock) -> None:
    clock.at = NOW + FRESH
    page = doors.page("/account", "late")
    assert not page.all("form", id="credential")
    assert "/login?again=1" in page.links
    assert doors.page("/login?again=1", "late").one("h1").text == text_of("en", "accounts.ask.title")
    refused = send(doors, "late", act="begin")
    assert refused.status_code == 422
    assert say("login_old") in Page(refused.text).text


def test_a_passkey_signs_in_and_the_browser_is_at_the_desk(doors: Doors) -> None:
    device = Device()
    doors.passkey("using", device)
    asked, cookie = ask(doors)
    answer = device.show(asked)
    assert show(doors, answer, "another").status_code == 422, "the challenge is another browser's"
    done = show(doors, answer, cookie)
    assert done.headers["location"] == "/desk"
    assert "sala_login=" in done.headers["set-cookie"]
    replayed = show(doors, answer, cookie)
    assert replayed.status_code == 422
    assert say("passkey_stale") in Page(replayed.text).text


def test_every_answer_that_is_none_gets_one_page_and_writes_nothing(doors: Doors) -> None:
    device, stranger = Device(id=b"one"), Device(id=b"nobody's")
    doors.passkey("using", device)
    asked, cookie = ask(doors)
    stranger.handle = device.handle
    before = doors.rows()["accounts_login"]
    answers = {
        "unknown": stranger.show(asked),
        "wrong": Device(id=device.id, handle=device.handle).show(asked),
        "elsewhere": device.show(asked, origin="http://localhost:8080"),
        "other": Device(id=device.id, handle=b"somebody else", private=device.private).show(asked),
        "malformed": '{"response": {}}',
    }
    pages = {name: show(doors, answer, cookie) for name, answer in answers.items()}
    assert {answer.status_code for answer in pages.values()} == {422}
    assert {say("passkey_wrong") in Page(answer.text).text for answer in pages.values()} == {True}
    for answer in ("", "x" * 20_000, "a\0b"):
        assert show(doors, answer, cookie).status_code == 422
    assert show(doors, "x" * 70_000, cookie).status_code == 400
    assert doors.rows()["accounts_login"] == before
    device.count = 1
    assert show(doors, device.show(asked), cookie).headers["location"] == "/desk", "the challenge was not spent on them"


def test_a_copied_key_is_refused_in_words(doors: Doors) -> None:
    device = Device(id=b"copied", count=9)
    doors.passkey("using", device)
    asked, cookie = ask(doors)
    refused = show(doors, device.show(asked), cookie)
    assert refused.status_code == 422
    assert say("passkey_copied") in Page(refused.text).text


def test_the_last_factor_of_a_forum_that_asks_for_one_stays(doors: Doors) -> None:
    number = doors.passkey("owner")
    people = f"{DESK}/people"
    required = doors.post(f"{people}/second-factor", "owner", {"form": doors.seal(people, "owner"), "required": "yes"})
    assert required.headers["location"] == f"{people}?done=required", "a passkey is a second factor"
    refused = send(doors, "owner", act="remove", number=str(number))
    assert refused.status_code == 422
    assert say("passkey_needed") in Page(refused.text).text
    doors.post(f"{people}/second-factor", "owner", {"form": doors.seal(people, "owner"), "required": "no"})
    assert send(doors, "owner", act="remove", number=str(number)).headers["location"] == "/account?done=passkey_removed"


@pytest.mark.parametrize("lang", ["en", "km"])
def test_without_a_script_the_page_says_so_and_offers_the_link(doors: Doors, lang: str) -> None:
    for address, by in ((f"/login?lang={lang}", ""), (f"/account?lang={lang}", "other")):
        page = doors.page(address, by)
        said = text_of("km" if lang == "km" else "en", "account.passkeys.no_script")
        assert page.one("noscript").text == said
        assert all("hidden" in each.attributes for each in page.all("div") if "data-able" in each.attributes)


def test_trying_ends_soon_from_one_place(doors: Doors, clock: Clock) -> None:
    clock.at = NOW + timedelta(days=1)
    form = {"form": doors.seal("/login"), "act": "begin"}
    answers = [doors.post(SHOW, fields=form).status_code for _ in range(MOST + 1)]
    assert answers == [200] * MOST + [429]
    refused = doors.post(SHOW, fields=form)
    assert int(refused.headers["retry-after"]) > 0
    (twin,) = [href for href in Page(refused.text).links if "lang=km" in href]
    assert doors.get(twin).status_code == 200
