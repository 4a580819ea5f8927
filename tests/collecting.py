"""A collector of traces on this machine: takes what is sent by OTLP over HTTP, keeps the bytes and reads the spans."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Seen:
    """One span as it came: whose, its name, ids in hex, and what was noted."""

    program: str
    name: str
    trace: str
    id: str
    parent: str
    facts: dict[str, Any]
    failed: bool
    links: tuple[tuple[str, str], ...] = ()
    """The spans of other traces that it names, each as (trace, id)."""


@dataclass
class Collector:
    """What came so far, as bytes."""

    address: str = ""
    bodies: list[bytes] = field(default_factory=list)

    @property
    def bytes(self) -> bytes:
        return b"\n".join(self.bodies)

    @property
    def spans(self) -> list[Seen]:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        found = []
        for body in list(self.bodies):
            for of_one in ExportTraceServiceRequest.FromString(body).resource_spans:
                program = _facts(of_one.resource.attributes)["service.name"]
                found += [_seen(program, span) for scope in of_one.scope_spans for span in scope.spans]
        return found


def _seen(program: str, span: Any) -> Seen:
    ids = (each.hex() for each in (span.trace_id, span.span_id, span.parent_span_id))
    links = tuple((each.trace_id.hex(), each.span_id.hex()) for each in span.links)
    return Seen(program, span.name, *ids, _facts(span.attributes), span.status.code == 2, links)


def _facts(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


@contextmanager
def collecting(port: int = 0) -> Iterator[Collector]:
    """A collector that takes everything."""
    kept = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_said: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        kept.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield kept
        finally:
            server.shutdown()
            thread.join()
