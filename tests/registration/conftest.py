import pytest

from app.editions.form import ForumFile
from app.kit.db import Db
from tests.registration.hall import SmallHall


@pytest.fixture
def hall(db: Db, forum_file: ForumFile) -> SmallHall:
    """A hall of two seats in `db`."""
    return SmallHall(db, forum_file)
