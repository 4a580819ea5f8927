import asyncio
import http.client
import json
import logging
import logging.config
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.kit.db import Database
from app.kit.logs import REQUEST, described, watch_what_falls
from app.main import create_app
from tests.cast import SLUG, VANNA, fields
from tests.cli.test_enduring import form_of
from tests.conftest import opened, settings_for
from tests.web.test_bounding import get, listening


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


# ---- faults are told without their words

TYPED = "Sok Vannary"


def caught(fault: Callable[[], Any]) -> BaseException:
    try:
        fault()
    except Exception as error:  # noqa: BLE001 - that is what is asked for
        return error
    raise AssertionError("nothing was wrong")


def raises(fault: BaseException, cause: BaseException | None = None) -> Callable[[], Any]:
    def run() -> None:
        raise fault from cause

    return run


def in_a_finally() -> None:
    try:
        raise KeyError(TYPED)
    finally:
        raise ValueError(TYPED)


def deep(times: int = 300) -> None:
    if not times:
        raise ValueError(TYPED)
    deep(times - 1)


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (raises(ValueError(TYPED)), ["ValueError"]),
        (raises(RuntimeError(TYPED), KeyError(TYPED)), ["KeyError", "which led to", "RuntimeError"]),
        (in_a_finally, ["KeyError", "which led to", "ValueError"]),
        (raises(OSError(28, TYPED, TYPED)), ["OSError (ENOSPC)"]),
        (raises(ExceptionGroup(TYPED, [ValueError(TYPED), KeyError(TYPED)])), ["ExceptionGroup", "KeyError"]),
        (lambda: json.loads(TYPED), ["json.decoder.JSONDecodeError", "json/decoder.py"]),
        (deep, ["ValueError", "  …"]),
    ],
)
def test_a_fault_is_logged_by_its_kinds_and_places_and_not_by_its_words(
    capsys: pytest.CaptureFixture[str], form: str, fault: Callable[[], Any], said: list[str]
) -> None:
    logging.config.dictConfig(described(form, "info"))
    error = caught(fault)
    record = logging.getLogger("sala.web").makeRecord(
        "sala.web", 40, "f", 1, "at %s", ("POST",), (type(error), error, None)
    )
    record.exc_text = f"as another handler left it: {TYPED}"
    logging.getLogger("sala.web").handle(record)
    logging.getLogger("sala.web").error("fault", exc_info=error)
    written = capsys.readouterr().err
    assert TYPED not in written
    for each in (*said, "test_logs.py", "in caught"):
        assert each in written
    assert len(written.splitlines()) < 200


def test_what_ends_a_thread_or_the_program_is_logged_without_its_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for of, name in ((sys, "excepthook"), (threading, "excepthook")):
        monkeypatch.setattr(of, name, getattr(of, name))
    logging.config.dictConfig(described("text", "info"))
    watch_what_falls()
    thread = threading.Thread(target=raises(ValueError(TYPED)), name="pen")
    thread.start()
    thread.join()
    error = caught(raises(KeyError(TYPED)))
    sys.excepthook(type(error), error, None)
    written = capsys.readouterr().err
    assert "the thread pen ended" in written
    assert "ValueError" in written
    assert "the program ended" in written
    assert "KeyError" in written
    assert TYPED not in written


def test_what_asyncio_says_of_a_task_is_without_words(
    capsys: pytest.CaptureFixture[str], in_loop: Callable[[Callable[[], Any]], Any]
) -> None:
    logging.config.dictConfig(described("text", "info"))

    async def fails(_value: str) -> None:
        raise ValueError(TYPED)

    async def work() -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(int, TYPED)
        task = loop.create_task(fails(TYPED))
        await asyncio.sleep(0.01)
        loop.call_exception_handler({"message": "never retrieved", "exception": task.exception(), "task": task})

    in_loop(work)
    written = capsys.readouterr().err
    assert "Exception in callback int" in written
    assert "never retrieved" in written
    assert "ValueError" in written
    assert TYPED not in written


BREAKS = {
    "unique": "CREATE UNIQUE INDEX one_of_a_family ON registration_application (family_name)",
    "not null": "CREATE TRIGGER nameless BEFORE INSERT ON registration_application",
}
"""Rules of a database that the site does not know of."""
NAMELESS = {
    "sqlite": " BEGIN INSERT INTO registration_application (id) VALUES (NULL); END",
    "postgresql": " FOR EACH ROW EXECUTE FUNCTION nameless()",
}
FUNCTION = """CREATE FUNCTION nameless() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.forum_id := NULL; RETURN NEW; END $$"""


def break_with(database: Database, how: str) -> None:
    kind = database.url.get_backend_name()
    with database.write_engine.begin() as connection:
        if how == "not null" and kind == "postgresql":
            connection.execute(text(FUNCTION))
        connection.execute(text(BREAKS[how] + (NAMELESS[kind] if how == "not null" else "")))


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(("how", "said"), [("unique", ("23505", "UNIQUE")), ("not null", ("23502", "NOTNULL"))])
def test_a_row_that_the_database_refuses_is_not_in_the_log(
    either_url: str, capsys: pytest.CaptureFixture[str], form: str, how: str, said: tuple[str, str]
) -> None:
    typed = {name: value for name, value in fields(VANNA).items() if name not in {"category", "language"}}
    people = [f"person{number}@secret.example" for number in range(2)]
    with opened(either_url) as database:
        break_with(database, how)
    with listening(create_app(settings_for(either_url)), log_config=described(form, "info")) as port:
        statuses = [send(port, f"/en/{SLUG}/register/stu", person) for person in people]
        assert statuses == ([200, 500] if how == "unique" else [500, 500])
    written = capsys.readouterr().err
    assert "fault " in written
    assert "IntegrityError" in written
    assert any(code in written for code in said)
    assert ("one_of_a_family" if how == "unique" and "23505" in written else "registration_application") in written
    held = [*people, *(value for name, value in typed.items() if isinstance(value, str) and len(value) > 4)]
    assert not [value for value in held if value in written]
    assert "Failing row" not in written
    assert "DETAIL" not in written


def send(port: int, path: str, person: str) -> int:
    """Open the form at this address and send it as this person."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    line.request(
        "POST",
        path,
        form_of(get(port, path)[2], person),
        {"content-type": "application/x-www-form-urlencoded"},
    )
    status = line.getresponse().status
    line.close()
    return status


def test_values_of_a_statement_are_in_no_fault(either_url: str) -> None:
    read_url = either_url if either_url.startswith("postgresql") else ""
    database = Database(either_url, read_url=read_url)
    assert len(database.engines) == (3 if read_url else 2)
    for engine in database.engines:
        with engine.connect() as connection, pytest.raises(DBAPIError, match="parameters hidden") as raised:
            connection.execute(text("SELECT name FROM nowhere WHERE name = :name"), {"name": TYPED})
        assert TYPED not in str(raised.value)
    database.close()
