import pytest

from app.kit import errors
from app.kit.errors import Answer, Busy, Conflict, Expired, Fault, Forbidden, Invalid, NotFound, Refused, TooMany
from app.kit.i18n import LANGS, has_text


@pytest.mark.parametrize(
    ("kind", "status"),
    [(Refused, 422), (Conflict, 409), (NotFound, 404), (Forbidden, 403), (Expired, 410), (TooMany, 429), (Busy, 503)],
)
def test_each_answer_has_its_status_and_page(kind: type[Answer], status: int):
    assert kind("code", seconds=3).status == status
    for lang in LANGS:
        assert has_text(lang, f"errors.{status}.title")
        assert has_text(lang, f"errors.{status}.text")


def test_a_refusal_is_one_fault_of_the_whole():
    assert Refused("over", taken=3).faults == (Fault("", "over", {"taken": 3}),)


def test_what_cannot_be_read_is_told_by_field():
    faults = [Fault("email", "missing"), Fault("phone", "not_a_phone")]
    refused = Invalid(faults)
    assert (refused.status, refused.faults) == (422, tuple(faults))


def test_the_drawn_tree_names_every_answer():
    drawn = errors.__doc__ or ""
    kinds = [name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Answer)]
    assert not [name for name in kinds if name not in drawn]
