"""The report on coverage: what is missing stands on top, every figure leads to the sessions behind it."""

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.accounts.rules import Role
from app.web.site import Site
from tests.web.test_desk_programme import queries_of
from tests.web.test_desk_versions import change
from tests.web.visits import DESK, seal_on, sign_in

PAGE = f"{DESK}/programme/coverage"


@pytest.fixture
def desk(client: TestClient, site: Site) -> TestClient:
    sign_in(client, site, Role.PROGRAMME_EDITOR)
    return client


def fields(page: Any, **more: str) -> dict[str, str]:
    (mark,) = re.findall('name="mark" value="([^"]+)"', page.text)
    return {"form": seal_on(page), "mark": mark, **more}


@pytest.mark.parametrize("lang", ["en", "km"])
def test_every_figure_leads_to_as_many_sessions_as_it_says(desk: TestClient, lang: str) -> None:
    page = desk.get(f"{PAGE}?lang={lang}")
    keys = re.findall(r'href="[^"]+\?show=([^"#]+)#shown"', page.text)
    assert len(keys) > 30
    for key in ("objectives-1", "themes-maritime-lanes", "alike-no_civil_society"):
        assert key in keys
        shown = desk.get(f"{PAGE}?show={key}")
        listed = shown.text.split('id="shown"')[1].split("</section>")[0].count("/programme/sessions/")
        (figure,) = re.findall(rf'show={key}#shown"[^>]*>(\d+)</a>', shown.text)
        assert listed == int(figure)
    assert desk.get(f"{PAGE}?show=objectives-99").status_code == 404


def test_an_objective_that_no_session_serves_any_more_is_missing(desk: TestClient, site: Site) -> None:
    page = desk.get(PAGE)
    codes = re.findall(r'class="code">([^<]+)<', desk.get(f"{PAGE}?show=objectives-5").text)
    assert 'href="/desk/phnom-penh-2027/programme/coverage?show=objectives-5#shown"' in page.text
    for code in codes:
        change(site, code, objectives=(1,))
    page = desk.get(PAGE)
    assert "show=objectives-5#" not in page.text
    assert "One has no session: 5 ·" in page.text


def test_whose_voice_somebody_is_is_said_on_the_page_and_a_stale_form_keeps_both(desk: TestClient) -> None:
    stale = fields(desk.get(PAGE), **{"kind-forum-chair": "media"})
    assert desk.post(PAGE, data=fields(desk.get(PAGE), **{"kind-forum-chair": "academia"})).status_code == 303
    answer = desk.post(PAGE, data=stale)
    assert answer.status_code == 409
    assert "Now: Academia" in answer.text
    chosen = answer.text.split('id="kind-forum-chair"')[1].split("</select>")[0]
    assert '<option value="media" selected>' in chosen
    wrong = desk.post(PAGE, data=fields(desk.get(PAGE), **{"kind-forum-chair": "wizard"}))
    assert wrong.status_code == 422
    assert 'id="kind-forum-chair-fault"' in wrong.text


def test_who_only_looks_sees_the_report_and_no_form(client: TestClient, site: Site) -> None:
    sign_in(client, site, Role.VIEWER)
    page = client.get(PAGE)
    assert 'id="countries"' in page.text
    assert 'name="mark"' not in page.text
    assert f"{PAGE}.csv" not in page.text
    assert client.get(f"{PAGE}.csv").status_code == 403, "the codes of closed sessions are in it"
    assert "/programme/sessions/" not in client.get(f"{PAGE}?show=tracks-A").text


def test_the_table_has_every_figure_with_its_codes(desk: TestClient) -> None:
    table = desk.get(f"{PAGE}.csv")
    lines = table.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "Part,What,What is counted,Figure,Codes"
    assert len(lines) > 60
    assert any(line.startswith(("Objectives,1 ·", 'Objectives,"1 ·')) for line in lines)


def test_it_takes_as_many_queries_whatever_the_programme_holds(desk: TestClient, site: Site) -> None:
    one = queries_of(site, lambda: desk.get(PAGE))
    change(site, "D1-04", people=())
    assert queries_of(site, lambda: desk.get(PAGE)) == one
