"""One site for each module that asks the API."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.editions.form import ForumFile
from tests.api.programs import Programs, open_programs


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Programs]:
    """The site and its programs; the organiser's token may all that an organiser may."""
    with open_programs(loaded_file, tmp_path_factory.mktemp("api"), forum_file) as found:
        yield found
