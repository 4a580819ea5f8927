"""The editor's spreadsheet: the programme goes out, comes back edited, is looked at, imported and taken back whole."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest

from app.kit.i18n import text_of
from tests.journeys.conftest import Served
from tests.journeys.test_editor import PAGE, WIDE, at_the_desk

pytestmark = pytest.mark.browser


def say(key: str, **values: Any) -> str:
    return text_of("en", key, **values)


def test_a_programme_edited_in_a_spreadsheet_is_imported_and_taken_back(
    site_of_my_own: Served, browse: Callable[..., Any]
) -> None:
    tab = at_the_desk(site_of_my_own, browse, viewport=WIDE)
    tab.click("a[href$='/programme/import']")
    with tab.expect_download() as coming:
        tab.click("a[href$='/programme.csv']")
    header, *rows = csv.reader(io.StringIO(coming.value.path().read_text("utf-8-sig"), newline=""))
    (row,) = [row for row in rows if row[0] == "D1-04"]
    row[header.index(next(name for name in header if name.startswith("Title in English")))] = (
        "Renamed, in a spreadsheet"
    )
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";").writerows([header, *rows])
    tab.set_input_files("#file", {"name": "new.csv", "mimeType": "text/csv", "buffer": text.getvalue().encode()})
    tab.click("form.form button")
    assert tab.locator(".changes > li").count() == 1
    assert "Renamed, in a spreadsheet" in tab.inner_text(".changes ins")
    tab.click(f"text={say('altering.confirm', n=1)}")
    assert say("editor.done.imported") in tab.inner_text("[data-said]")
    assert "Renamed, in a spreadsheet" in tab.inner_text("#s-D1-04")
    tab.click(f"text={say('altering.take_back')}")
    tab.click(f"text={say('altering.confirm', n=1)}")
    tab.goto(f"{PAGE}?day=2027-03-23")
    assert "Renamed" not in tab.inner_text("#s-D1-04")
