"""The archive at the desk and at the terminal: fetched by an owner, noted, and read as it is."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.accounts.rules import Role
from app.audit.recording import history
from app.editions.form import ForumFile
from app.editions.reading_archive import read_archive
from tests.cast import SLUG
from tests.doors import Doors, open_doors

PAGE = f"/desk/{SLUG}/archive"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("archive"), forum_file) as found:
        found.enrol("owner", Role.OWNER)
        yield found


def test_an_owner_fetches_the_forum_whole_and_the_log_says_so(doors: Doors) -> None:
    doors.register()
    assert "1 registration" in doors.page(PAGE, "owner").text
    answer = doors.post(PAGE, "owner", {"form": doors.seal(PAGE, "owner")})
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="{SLUG}-2026-12-01.zip"'
    assert answer.headers["cache-control"] == "private, no-store"
    assert int(answer.headers["content-length"]) == len(answer.content)
    with read_archive(io.BytesIO(answer.content)) as archive:
        assert archive.slug == SLUG
        assert len(archive.rows["registration_application"]) == 1
        assert archive.rows["audit_fact"][-1]["kind"] == "forum.archived", "it is in the archive itself"
    with doors.site.database.reading() as db:
        assert history(db, SLUG, f"forum:{SLUG}")[-1].kind == "forum.archived"
    assert doors.post(PAGE, "owner", {}).status_code == 422
