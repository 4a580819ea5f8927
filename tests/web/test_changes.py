"""What changed from version to version, as far as everybody may know."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.kit.i18n import Bilingual, Lang, text_of
from app.programme.published import PublishedSession
from app.web.public import read_as_public
from app.web.published import Published
from app.web.site import Site
from tests.cast import SLUG
from tests.doors import Page
from tests.web.test_programme import closed, only, publish_again

PAGE = f"/en/{SLUG}/programme/changes"


def test_the_first_version_is_a_first_publication_with_its_public_sessions(client: TestClient) -> None:
    page = client.get(PAGE).text
    assert "Version 1" in page
    assert "First publication, with 28 sessions." in page
    assert "២៨ កិច្ចប្រជុំ" in client.get(f"/km/{SLUG}/programme/changes").text


def test_each_kind_of_change_is_told_in_words(client: TestClient, site: Site) -> None:
    def edit(session: PublishedSession) -> PublishedSession | None:
        if session.code == "D1-07" and session.starts_at and session.ends_at:
            hour = timedelta(hours=1)
            return replace(
                session,
                room="grand-ballroom",
                room_name=Bilingual("Grand Ballroom", "សាលសន្និសីទធំ"),
                starts_at=session.starts_at + hour,
                ends_at=session.ends_at + hour,
                sequence=1,
            )
        if session.code == "D1-03":
            return replace(session, cancelled=True)
        if session.code == "D1-02":
            return replace(session, title=Bilingual("Another Keynote", "បាឋកថាថ្មី"))
        return session

    publish_again(site, edit)
    page = client.get(PAGE).text
    assert page.index("Version 2") < page.index("Version 1")
    assert "3 changes." in page
    assert "Tuesday 23 March, 13:30–15:00, Mekong Room" in page
    assert "Tuesday 23 March, 14:30–16:00, Grand Ballroom" in page
    for words in ("Moved", "Cancelled", "New title", "Another Keynote", "From Dialogue to Action"):
        assert words in page


@pytest.mark.parametrize(("reader", "changed"), [("en", "km"), ("km", "en"), ("en", "en"), ("km", "km")])
def test_a_title_new_in_one_language_says_in_which_and_shows_that_one(
    client: TestClient, site: Site, reader: Lang, changed: Lang
) -> None:
    seen = site.database.read(lambda db: read_as_public(db, reader, SLUG))
    old = next(session.title for session in seen.programme.sessions if session.code == "D1-02")
    new = replace(old, **{changed: "Neuf <1>"})
    publish_again(site, only("D1-02", title=new))
    page = Page(client.get(f"/{reader}/{SLUG}/programme/changes").text)
    kind = text_of(reader, f"programme.change.retitled_{changed}")
    (line,) = [each for each in page.all("li") if kind in each.text]
    assert page.one("del").text == old.of(changed)
    if reader == changed:
        assert "Neuf <1>" in line.text
        assert not page.all("ins")
    else:
        assert old.of(reader) in line.text
        assert (page.one("ins").text, page.one("ins").attributes["lang"]) == ("Neuf <1>", changed)
        assert page.one("del").attributes["lang"] == changed


def test_a_change_of_a_closed_session_is_no_change_for_the_public(client: TestClient, site: Site) -> None:
    hidden = closed(site)
    formats = [PAGE, f"/en/{SLUG}/programme", f"/km/{SLUG}", f"/en/{SLUG}/calendar.ics"]
    before = [told(client, address) for address in formats]
    publish_again(site, only(hidden.code, title=Bilingual("Even more secret", "សម្ងាត់")))
    layer_of(client)._looked = float("-inf")
    assert [told(client, address) for address in formats] == before
    publish_again(site, only("D1-07", title=Bilingual("For everybody", "សម្រាប់ទាំងអស់គ្នា")))
    layer_of(client)._looked = float("-inf")
    assert not {told(client, address) for address in formats} & {*before[:2], before[3]}
    page = client.get(PAGE).text
    assert "Version 2" in page
    assert "Version 3" not in page
    assert hidden.code not in page


def told(client: TestClient, address: str) -> tuple[bytes, str, str]:
    """All that an address says, the bytes and when and which they are."""
    answer = client.get(address)
    return answer.content, answer.headers["etag"], answer.headers.get("last-modified", "")


def layer_of(client: TestClient) -> Published:
    """The layer that keeps ready bytes, in the site behind a client."""
    app: Any = client.app
    while not isinstance(app, Published):
        app = app.app
    return app


def test_a_session_that_is_closed_later_leaves_the_old_lists_too(client: TestClient, site: Site) -> None:
    publish_again(site, only("D1-07", title=Bilingual("Soon Closed", "នឹងបិទ")))
    assert "Soon Closed" in client.get(PAGE).text
    publish_again(site, only("D1-07", attribution="CLO"))
    page = client.get(PAGE).text
    assert "Soon Closed" not in page
    assert "First publication, with 27 sessions." in page


def test_a_session_that_is_opened_is_new_to_the_public(client: TestClient, site: Site) -> None:
    hidden = closed(site)
    publish_again(site, only(hidden.code, attribution="REC"))
    page = client.get(PAGE).text
    assert "1 change." in page
    assert hidden.title.en in page
    assert "First publication, with 28 sessions." in page
