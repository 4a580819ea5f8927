"""`sala purge`: first to look at, then to do."""

import re

from tests.cast import SLUG
from tests.cli.test_commands import Sala, sala

__all__ = ["sala"]


def test_a_purge_is_looked_at_first_and_done_only_with_yes(sala: Sala) -> None:
    assert sala("demo", "5").returncode == 0
    for options in ((), ("--dry-run",), ("--dry-run", "--yes")):
        looked = sala("purge", SLUG, *options)
        assert looked.returncode == 0
        assert "Nothing was changed" in looked.stdout
        assert re.search(r"would go +\d+  mails", looked.stdout)
    done = sala("purge", SLUG, "--yes")
    assert re.search(r"[1-9]\d* rows were emptied", done.stdout)
    assert "0 rows were emptied" in sala("purge", SLUG, "--yes").stdout
    assert "is whole" in sala("verify", SLUG).stdout


def test_a_forum_that_is_not_there_is_said_plainly(sala: Sala) -> None:
    done = sala("purge", "no-such-forum", "--yes")
    assert done.returncode == 1
    assert "There is no forum no-such-forum" in done.stderr
