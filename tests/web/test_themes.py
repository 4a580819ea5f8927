"""The programme by theme."""

import pytest
from starlette.testclient import TestClient

from app.web.public import read_as_public
from app.web.site import Site
from app.web.themes import themes_of
from tests.cast import SLUG
from tests.web.test_programme import only, publish_again


def test_every_theme_is_listed_once_with_how_many_sessions_treat_it(client: TestClient, site: Site) -> None:
    with site.database.reading() as db:
        seen = read_as_public(db, "en", SLUG)
    themes = themes_of(seen)
    assert len({one.slug for one in themes}) == len(themes) == sum(len(track.themes) for track in seen.page.tracks)
    page = client.get(f"/en/{SLUG}/themes").text
    for one in themes:
        assert page.count(f'href="/en/{SLUG}/themes/{one.slug}"') == 1
        assert len(one.cards) == sum(one.slug in session.themes for session in seen.programme.sessions)


def test_a_themes_page_leads_to_its_sessions_and_a_session_to_its_themes(client: TestClient, site: Site) -> None:
    with site.database.reading() as db:
        seen = read_as_public(db, "km", SLUG)
    one = next(theme for theme in themes_of(seen) if theme.cards)
    page = client.get(f"/km/{SLUG}/themes/{one.slug}").text
    for each in one.cards:
        assert f'href="{each.href}"' in page
        assert f'href="/km/{SLUG}/themes/{one.slug}"' in client.get(each.href).text


def test_a_closed_session_is_counted_under_no_theme(client: TestClient, site: Site) -> None:
    with site.database.reading() as db:
        before = {one.slug: one for one in themes_of(read_as_public(db, "en", SLUG))}
    (slug, code) = next((slug, one.cards[-1].code) for slug, one in before.items() if one.cards)
    publish_again(site, only(code, attribution="CLO"))
    with site.database.reading() as db:
        after = {one.slug: one for one in themes_of(read_as_public(db, "en", SLUG))}
    assert len(after[slug].cards) == len(before[slug].cards) - 1
    assert f"programme/{code}" not in client.get(f"/en/{SLUG}/themes/{slug}").text


@pytest.mark.parametrize("slug", ["no-such-theme", "A", "%00", "<script>"])
def test_a_theme_that_is_none_is_not_found(client: TestClient, slug: str) -> None:
    assert client.get(f"/en/{SLUG}/themes/{slug}").status_code == 404
