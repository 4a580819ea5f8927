"""Turning news off and on: by the page, by a mail program's one click, and on one's own page."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.correspondence.mailboxes import open_mailbox, opt_out_token
from app.editions.form import ForumFile
from app.kit.i18n import text_of
from tests.cast import SECRET, SLUG, the_forum
from tests.doors import Doors, open_doors


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("opting-out"), forum_file) as found:
        yield found


def is_off(doors: Doors, secret: str) -> bool:
    return text_of("en", "mailings.opting.is_off") in doors.page(f"/en/unsubscribe/{secret}").text


def test_opening_the_link_changes_nothing_and_its_button_turns_news_off_and_on(doors: Doors) -> None:
    secret = doors.mailbox()
    address = f"/en/unsubscribe/{secret}"
    assert not is_off(doors, secret)
    for news, off in (("off", True), ("off", True), ("on", False)):
        form = doors.page(address).hidden["form"]
        answer = doors.post(address, fields={"form": form, "news": news})
        assert answer.headers["location"] == f"{address}?done=yes"
        assert is_off(doors, secret) == off


def test_one_click_of_a_mail_program_needs_no_page_and_follows_no_redirect(doors: Doors) -> None:
    secret = doors.mailbox()
    answer = doors.post(f"/km/unsubscribe/{secret}", fields={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert is_off(doors, secret)
    doors.post(f"/km/unsubscribe/{secret}", fields={"List-Unsubscribe": "One-Click", "news": "on"})
    assert is_off(doors, secret), "by one click it is only turned off"


@pytest.mark.parametrize(
    "fields",
    [{}, {"news": "off"}, {"List-Unsubscribe": "Two-Clicks"}, {"List-Unsubscribe": "One-Click", "form": "x"}],
)
def test_what_is_neither_turns_nothing_off(doors: Doors, fields: dict[str, str]) -> None:
    secret = doors.mailbox()
    assert doors.post(f"/en/unsubscribe/{secret}", fields=fields).status_code == 422
    assert not is_off(doors, secret)


def test_another_sites_page_cannot_click_for_somebody(doors: Doors) -> None:
    secret = doors.mailbox()
    sent = {"List-Unsubscribe": "One-Click"}
    answer = doors.post(f"/en/unsubscribe/{secret}", fields=sent, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert not is_off(doors, secret)


def test_a_link_that_is_none_is_not_found(doors: Doors) -> None:
    for secret in ("a" * 32, "x", doors.mailbox()[:-1] + "0"):
        assert doors.get(f"/en/unsubscribe/{secret}").status_code == 404
        assert doors.post(f"/en/unsubscribe/{secret}", fields={"List-Unsubscribe": "One-Click"}).status_code == 404


def test_the_own_page_says_how_it_stands_and_leads_there(doors: Doors) -> None:
    one = doors.register(email="reader@crowd.example")
    page = f"/en/my/{one.secret}"
    assert not any("/unsubscribe/" in link for link in doors.page(page).links)
    box = doors.write(SLUG, lambda db: open_mailbox(db, the_forum(db), "Reader@crowd.example", SECRET))
    (link,) = [link for link in doors.page(page).links if "/unsubscribe/" in link]
    assert link == f"/en/unsubscribe/{opt_out_token(SECRET, box.id, 1)}"
    assert text_of("en", "mailings.opting.is_on") in doors.page(page).text
    doors.post(link, fields={"List-Unsubscribe": "One-Click"})
    assert text_of("en", "mailings.opting.is_off") in doors.page(page).text
