from datetime import UTC, datetime

import pytest

from app.kit.errors import Invalid
from app.web.local_times import instant, typed

ZONE = "Asia/Phnom_Penh"
AT = datetime(2027, 3, 16, 10, 0, tzinfo=UTC)


def test_a_time_is_shown_and_typed_as_it_is_in_the_forum():
    assert typed(AT, ZONE) == "2027-03-16T17:00"
    assert typed(None, ZONE) == ""
    assert instant("2027-03-16T17:00", ZONE, "at") == AT
    assert instant("២០២៧-០៣-១៦T១៧:០០", ZONE, "at") == AT
    assert instant(" ", ZONE, "at") is None


@pytest.mark.parametrize("text", ["tomorrow", "2027-13-01T10:00", "2027-03-16T17:00+02:00", "0001-01-01T00:00"])
def test_what_is_no_local_time_is_said_at_its_field(text: str):
    with pytest.raises(Invalid) as invalid:
        instant(text, ZONE, "at")
    assert [(fault.field, fault.code) for fault in invalid.value.faults] == [("at", "not_a_moment")]
