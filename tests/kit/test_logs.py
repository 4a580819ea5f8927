import json
import logging
import logging.config
from collections.abc import Iterator

import pytest

from app.kit.logs import REQUEST, described


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The loggers of the other tests."""
    root, sala = logging.getLogger(), logging.getLogger("sala")
    kept = root.handlers[:], root.level, sala.level
    yield
    root.handlers[:], root.level, sala.level = kept
    logging.getLogger("uvicorn").setLevel(logging.NOTSET)


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_line_names_the_request_it_was_written_in(capsys: pytest.CaptureFixture[str], form: str) -> None:
    logging.config.dictConfig(described(form, "info"))
    token = REQUEST.set("0123456789abcdef")
    logging.getLogger("sala.web").info("សាលា %s", "open", extra={"route": "/login"})
    REQUEST.reset(token)
    logging.getLogger("sala.web").warning("outside")
    first, second = capsys.readouterr().err.splitlines()
    if form == "json":
        said = json.loads(first)
        assert said | {"at": ""} == {
            "level": "INFO",
            "logger": "sala.web",
            "message": "សាលា open",
            "request": "0123456789abcdef",
            "route": "/login",
            "at": "",
        }
        assert json.loads(second)["request"] == ""
    else:
        assert first.endswith("INFO sala.web [0123456789abcdef]: សាលា open")
        assert second.endswith("WARNING sala.web: outside")


def test_what_is_below_the_level_is_not_said(capsys: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(described("text", "warning"))
    logging.getLogger("sala.request").info("not this")
    assert capsys.readouterr().err == ""
