"""What spans are made of, whose word on a trace is taken, and that no words of a fault or refusal are told."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import bindparam, literal_column, select, text
from sqlalchemy.exc import DBAPIError

from app.kit import traces
from app.kit.collector import spoken
from app.kit.db import Database, Db, table
from app.kit.errors import Conflict
from app.kit.models import Scope, Visit
from app.kit.pen import SITE, Pen
from app.kit.settings import BadSettings, read
from app.kit.spans import NOTHING, Sender, parent_of
from app.web.measuring import Measured
from tests.cast import NOW
from tests.collecting import Collector, collecting
from tests.conftest import settings_for
from tests.web.asgi import ask

TRACE, OWN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GIVEN = f"00-{TRACE}-{OWN}-01"
PROXY = "10.0.0.1"
TYPED = "unmistakable@person.example"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found
        traces.end()


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [
        ([GIVEN], True),
        ([GIVEN.replace("-01", "-00")], True),
        ([f"cc-{TRACE}-{OWN}-01-more"], True),
        ([], False),
        ([GIVEN, GIVEN], False),
        ([f"{GIVEN}-more"], False),
        ([f"ff-{TRACE}-{OWN}-01"], False),
        ([GIVEN.upper()], False),
        ([f"00-{'0' * 32}-{OWN}-01"], False),
        ([f"00-{TRACE}-{'0' * 16}-01"], False),
        (["unreadable"], False),
    ],
)
def test_a_trace_is_read_as_w3c_writes_it_and_anything_else_is_none(given: list[str], is_taken: bool) -> None:
    found = parent_of([each.encode() for each in given])
    wanted = Sender(int(TRACE, 16), int(OWN, 16), not given[0].endswith("-00")) if is_taken else None
    assert found == wanted


@pytest.mark.parametrize(
    ("statement", "name", "told"),
    [
        ("SELECT a.b FROM  a\nWHERE a.b = ? AND c = 'it''s me' OR d = 17", "SELECT a", "a.b = ? AND c = ? OR d = ?"),
        ("INSERT INTO mail_message (id) VALUES (%(id_1)s::VARCHAR)", "INSERT mail_message", "(%(id_1)s::VARCHAR)"),
        ('UPDATE "order" SET a=$q$secret$q$, b=$$x$$', "UPDATE order", "SET a=?, b=?"),
        ('COPY mail_message (id, "limit") FROM STDIN', "COPY mail_message", 'id, "limit") FROM STDIN'),
        ("BEGIN IMMEDIATE", "BEGIN", "BEGIN IMMEDIATE"),
        ("SELECT 'somebody cannot be told apart", "SELECT", "?"),
    ],
)
def test_a_statement_is_told_without_values(statement: str, name: str, told: str) -> None:
    spoken_name, spoken_text = spoken(statement)
    assert spoken_name == name
    assert spoken_text.endswith(told)
    assert "secret" not in spoken_text
    assert "some" not in spoken_text


def test_what_a_statement_or_a_deed_complains_of_is_told_by_its_kind_alone(
    either_database: Database, either_url: str, collector: Collector
) -> None:
    pen = Pen(either_database)
    pen.start()
    traces.begin(settings_for(either_url, OTEL_EXPORTER_OTLP_ENDPOINT=collector.address), either_database)

    def breaks(db: Db) -> None:
        kept = select(literal_column(f"'{TYPED}'"), literal_column("nothing_such"), bindparam("typed", TYPED))
        db.execute(kept.select_from(table(Scope)))

    def refuses(db: Db) -> None:
        db.execute(select(literal_column(f"'{TYPED}'")))
        raise Conflict("somebody_was_quicker", email=TYPED)

    def fails(_db: Db) -> None:
        raise ValueError(TYPED)

    with traces.request(None) as request:
        request.call("GET /somewhere")
        for deed, raised in ((breaks, DBAPIError), (refuses, Conflict), (fails, ValueError)):
            with pytest.raises(raised):
                pen.write_now(SITE, deed)
    pen.write_now(SITE, lambda db: db.execute(text("SELECT 1")).all())  # nobody's, so it is told by nobody
    pen.stop()
    traces.end()

    told = {each.name.rpartition(".")[2]: each for each in collector.spans if each.name.startswith("deed ")}
    assert set(told) == {"breaks", "refuses", "fails"}
    assert [told[each].failed for each in ("breaks", "refuses", "fails")] == [True, False, True]
    assert told["refuses"].facts["sala.answer"] == "somebody_was_quicker"
    assert told["fails"].facts["error.type"] == "ValueError"
    [broken] = [each for each in collector.spans if each.parent == told["breaks"].id]
    assert broken.failed
    assert broken.facts["db.query.text"].startswith("SELECT ?, nothing_such, ")
    assert len({each.trace for each in collector.spans}) == 1
    assert TYPED.encode() not in collector.bytes


def test_the_trace_a_request_says_it_is_part_of_is_taken_from_a_trusted_proxy_alone(
    database: Database, sqlite_url: str, collector: Collector, in_loop: Callable[[Callable[[], Any]], Any]
) -> None:
    traces.begin(settings_for(sqlite_url, OTEL_EXPORTER_OTLP_ENDPOINT=collector.address), database)

    async def inside(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    layer = Measured(inside, trusts=lambda each: each == PROXY)
    for peer, given in ((PROXY, GIVEN), ("192.0.2.9", GIVEN), (PROXY, GIVEN.replace("-01", "-00"))):
        in_loop(lambda peer=peer, given=given: ask(layer, headers={"traceparent": given}, peer=peer))
    traces.end()
    theirs, own = collector.spans
    assert (theirs.trace, theirs.parent) == (TRACE, OWN)
    assert (own.trace != TRACE, own.parent) == (True, "")


def test_rows_that_waited_are_told_as_one_statement_without_what_is_in_them(
    either_database: Database, either_url: str, collector: Collector
) -> None:
    def gives(db: Db) -> None:
        for _ in range(5):
            db.later(table(Visit), {"who": TYPED, "at": NOW})

    pen = Pen(either_database)
    traces.begin(settings_for(either_url, OTEL_EXPORTER_OTLP_ENDPOINT=collector.address), either_database)
    with traces.request(None) as request:
        request.call("GET /somewhere")
        pen.write_now(SITE, gives)
    traces.end()
    [told] = [each for each in collector.spans if each.name in {"INSERT kit_visit", "COPY kit_visit"}]
    assert int(told.facts["db.operation.batch.size"]) == 5
    assert TYPED.encode() not in collector.bytes


def test_where_no_collector_is_set_a_span_is_nothing(database: Database, sqlite_url: str) -> None:
    traces.begin(settings_for(sqlite_url), database)
    assert traces.request(None) is traces.span("x") is traces.duty("x") is traces.deed(len, None) is NOTHING
    assert traces.here() is None
    assert traces.place() is None


def test_a_place_is_written_as_w3c_does_and_only_inside_of_what_is_told(
    database: Database, sqlite_url: str, collector: Collector
) -> None:
    traces.begin(settings_for(sqlite_url, OTEL_EXPORTER_OTLP_ENDPOINT=collector.address), database)
    begun = Sender(int(TRACE, 16), int(OWN, 16), sampled=True)
    assert traces.place() is None
    with traces.request(replace(begun, sampled=False)):
        assert traces.place() is None, "this one is not told"
    with traces.request(begun):
        place = traces.place()
    with traces.request(None), traces.span("later", after=place), traces.span("odd", after="made by hand"):
        pass
    traces.end()
    assert place is not None
    assert parent_of([place.encode()]) == replace(begun, span=int(place[36:52], 16))
    links = {each.name: each.links for each in collector.spans}
    assert links["later"] == ((TRACE, place[36:52]),)
    assert links["odd"] == ()


ADDRESS = {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector.example:4318/"}


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ({}, ""),
        (ADDRESS, "https://collector.example:4318/v1/traces"),
        ({**ADDRESS, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://10.0.0.9/own"}, "http://10.0.0.9/own"),
        ({**ADDRESS, "OTEL_SDK_DISABLED": "true"}, ""),
        ({**ADDRESS, "OTEL_TRACES_EXPORTER": "none"}, ""),
    ],
)
def test_where_traces_are_sent_is_said_by_opentelemetrys_own_variables(said: dict[str, str], url: str) -> None:
    assert read({"SECRET_KEY": "0123456789abcdef" * 2, **said}).traces_url == url


@pytest.mark.parametrize(
    "said",
    [
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://[secret"},
        {**ADDRESS, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
        {**ADDRESS, "OTEL_TRACES_EXPORTER": "console"},
    ],
)
def test_what_cannot_be_sent_to_refuses_a_start_and_the_address_is_not_shown(said: dict[str, str]) -> None:
    with pytest.raises(BadSettings) as refused:
        read({"SECRET_KEY": "0123456789abcdef" * 2, **said})
    assert "collector" not in str(refused.value)
    assert "secret" not in str(refused.value)
