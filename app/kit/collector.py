"""What a collector is sent, by OpenTelemetry's own SDK over HTTP: the only module that reads it, and only when set.

Spans wait in a queue of the SDK's with a thread of its own, so that nobody waits for the collector: while it is down
they are dropped. What they hold is decided here: no words of a fault, no values of a statement.
"""

import logging
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache, partial
from importlib.metadata import version
from typing import Any

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags
from sqlalchemy import Engine, event

from app.kit.errors import Answer
from app.kit.logs import REQUEST
from app.kit.spans import NOTHING, Facts, Sender, parent_of, written
from app.kit.spans import Span as Told

log = logging.getLogger("sala.traces")

SECONDS_TO_END = 3
"""How long ending waits for the last spans to leave."""
MOST_HELD = 2000
"""Spans of one duty that wait for its end."""
_BATCH = "pen batch"
_LONGEST = 4000
"""Letters of a statement that are sent."""
_SPEAKS_FOR_ITSELF = ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "opentelemetry.sdk._shared_internal")
"""These write a line for each try, and name the collector's address; `_Exporter` says it once."""


class Collector:
    """Makes spans and sends them to one address (`…/v1/traces`)."""

    def __init__(self, address: str, program: str) -> None:
        for name in _SPEAKS_FOR_ITSELF:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._held = _Held(BatchSpanProcessor(_Exporter(OTLPSpanExporter(endpoint=address))))
        self._provider = TracerProvider(resource=_resource(program), shutdown_on_exit=False)
        self._provider.add_span_processor(self._held)
        self._tracer = self._provider.get_tracer("sala")

    def close(self) -> None:
        """Send what waits, for `SECONDS_TO_END` at most: a collector that does not answer keeps nobody from ending."""
        ending = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        ending.start()
        ending.join(SECONDS_TO_END)

    def here(self) -> Context | None:
        """The context at hand, if it has a span that is told."""
        return context.get_current() if trace.get_current_span().is_recording() else None

    def place(self) -> str | None:
        """The span at hand in words; see `app.kit.traces.place`."""
        here = trace.get_current_span()
        if not here.is_recording():
            return None
        known = here.get_span_context()
        return written(Sender(known.trace_id, known.span_id, known.trace_flags.sampled))

    def within(
        self, name: str, facts: Facts, *, out: bool = False, after: str | None = None
    ) -> AbstractContextManager[Told]:
        """A span in the one at hand; see `app.kit.traces.span`."""
        if not trace.get_current_span().is_recording():
            return NOTHING
        before = parent_of([after.encode()]) if after else None
        links = [Link(_context_of(before))] if before else []
        return self._span(name, facts, SpanKind.CLIENT if out else SpanKind.INTERNAL, links=links)

    def request(self, parent: Sender | None) -> AbstractContextManager[Told]:
        """A request's span, named when its route is known."""
        around = Context()
        if parent is not None:
            around = trace.set_span_in_context(NonRecordingSpan(_context_of(parent)), around)
        return self._span("request", {"sala.request.id": REQUEST.get()}, SpanKind.SERVER, within=around)

    @contextmanager
    def duty(self, name: str) -> Iterator[Told]:
        """A duty's span, which with all in it is dropped where nothing was found to do."""
        duty = None
        try:
            with self._span(f"duty {name}", {"sala.duty": name}, within=Context()) as told:
                duty = _Duty(told.raw)
                self._held.hold(duty.trace)
                try:
                    yield duty
                except BaseException:
                    duty.found = True
                    raise
        finally:
            if duty is not None:
                self._held.decide(duty.trace, keep=duty.found)

    @contextmanager
    def batch(self, within: Sequence[Context], deeds: int) -> Iterator[Told]:
        """What is written in one commit: a span for each who asked, in their own trace; what belongs to all of them,
        as the commit, is in that of one, if possible of one that is told in any case."""
        asked = list({id(each): each for each in within}.values())
        leads = next((each for each in asked if not self._held.holds(_trace_of(each))), asked[0])
        facts = {"sala.pen.deeds": deeds}
        others = {
            id(each): self._tracer.start_span(_BATCH, each, attributes=facts) for each in asked if each is not leads
        }
        try:
            with self._span(_BATCH, facts, within=leads) as told:
                around = {each: trace.set_span_in_context(span, Context()) for each, span in others.items()}
                around[id(leads)] = context.get_current()
                token = context.attach(context.set_value(_BATCH, around))
                try:
                    yield told
                finally:
                    context.detach(token)
        finally:
            for span in others.values():
                span.end()

    def deed(self, what: Any, within: Context) -> AbstractContextManager[Told]:
        """A deed's span, in the batch's of whoever asked for it."""
        around: Any = context.get_value(_BATCH) or {}
        name = _name_of(what)
        return self._span(f"deed {name}", {"code.function.name": name}, within=around.get(id(within), within))

    @contextmanager
    def _span(
        self,
        name: str,
        facts: Facts,
        kind: SpanKind = SpanKind.INTERNAL,
        *,
        within: Context | None = None,
        links: Sequence[Link] = (),
    ) -> Iterator["_Span"]:
        begun = self._tracer.start_span(name, within, kind, dict(facts), links)
        token = context.attach(trace.set_span_in_context(begun, within))
        told = _Span(begun)
        try:
            yield told
        except Answer as answer:  # a refusal is no fault; its code is a word of the house
            told.note({"sala.answer": answer.code or type(answer).__name__})
            raise
        except BaseException as fault:
            told.failed(type(fault).__name__)
            raise
        finally:
            context.detach(token)
            begun.end()

    def watch(self, engine: Engine) -> None:
        """Tell of each statement that an engine runs inside of a span."""
        if not event.contains(engine, "before_cursor_execute", self._before):
            event.listen(engine, "before_cursor_execute", self._before)
            event.listen(engine, "after_cursor_execute", self._after)
            event.listen(engine, "handle_error", self._fault)

    def _before(self, line: Any, _cursor: Any, statement: str, values: Any, run: Any, many: bool) -> None:
        if run is None or not trace.get_current_span().is_recording() or statement.startswith(_STEPS):
            return
        name, text = spoken(statement)
        facts: dict[str, str | int] = {"db.system.name": line.dialect.name, "db.query.text": text}
        if many:
            facts["db.operation.batch.size"] = len(values)
        run.told = self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=facts)

    @staticmethod
    def _after(_line: Any, _cursor: Any, _statement: str, _values: Any, run: Any, _many: bool) -> None:
        if (told := getattr(run, "told", None)) is not None:
            run.told = None
            told.end()

    @staticmethod
    def _fault(failure: Any) -> None:
        run = failure.execution_context
        if (told := getattr(run, "told", None)) is not None:
            run.told = None
            _Span(told).failed(type(failure.original_exception).__name__)
            told.end()


_STEPS = ("SAVEPOINT", "RELEASE", "ROLLBACK TO")
"""The pen's savepoints: each deed has them, and they say nothing."""


class _Span:
    """What `app.kit.traces.Span` promises, on a span of the SDK's."""

    def __init__(self, raw: trace.Span) -> None:
        self.raw = raw

    def note(self, facts: Facts) -> None:
        self.raw.set_attributes(dict(facts))

    def call(self, name: str) -> None:
        self.raw.update_name(name)

    def failed(self, kind: str) -> None:
        self.raw.set_attribute("error.type", kind)
        self.raw.set_status(StatusCode.ERROR)


class _Duty(_Span):
    def __init__(self, raw: trace.Span) -> None:
        super().__init__(raw)
        self.trace = raw.get_span_context().trace_id
        self.found = False

    def note(self, facts: Facts) -> None:
        self.found = self.found or bool(facts.get("found"))
        super().note({f"sala.{name}": value for name, value in facts.items()})


class _Held(SpanProcessor):
    """Passes ended spans on; those of a held trace only once it is decided that they are to be told."""

    def __init__(self, onward: SpanProcessor) -> None:
        self._onward = onward
        self._waiting: dict[int, list[ReadableSpan]] = {}

    def hold(self, trace_id: int) -> None:
        """Keep the spans of this trace back."""
        self._waiting[trace_id] = []

    def holds(self, trace_id: int) -> bool:
        """Are they kept back?"""
        return trace_id in self._waiting

    def decide(self, trace_id: int, *, keep: bool) -> None:
        """Pass them on, or drop them."""
        waiting = self._waiting.pop(trace_id, [])
        for each in waiting if keep else ():
            self._onward.on_end(each)

    def on_end(self, span: ReadableSpan) -> None:
        """A span is over."""
        waiting = self._waiting.get(span.context.trace_id) if span.context else None
        if waiting is None:
            self._onward.on_end(span)
        elif len(waiting) < MOST_HELD:
            waiting.append(span)

    def shutdown(self) -> None:
        """Send what waits and end."""
        self._onward.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Send what waits."""
        return self._onward.force_flush(timeout_millis)


class _Exporter(SpanExporter):
    """Says once that the collector takes nothing, and once that it does again."""

    def __init__(self, onward: SpanExporter) -> None:
        self._onward = onward
        self._lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans; those that cannot be sent are dropped."""
        try:
            came = self._onward.export(spans)
        except Exception:  # noqa: BLE001 - whatever it is, the site's work goes on
            came = SpanExportResult.FAILURE
        if came is SpanExportResult.SUCCESS:
            if self._lost:
                log.warning("the collector takes traces again; %s spans were dropped", self._lost)
            self._lost = 0
        else:
            if not self._lost:
                log.warning("the collector does not take traces: spans are dropped until it does")
            self._lost += len(spans)
        return came

    def shutdown(self) -> None:
        """End."""
        self._onward.shutdown()


def _resource(program: str) -> Resource:
    """What the environment says of this process, and its name where that is not said."""
    said = Resource.create()
    if not str(said.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        return said
    return said.merge(Resource({SERVICE_NAME: program, SERVICE_VERSION: version("sala")}))


def _context_of(sender: Sender) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if sender.sampled else TraceFlags.DEFAULT)
    return SpanContext(sender.trace, sender.span, is_remote=True, trace_flags=flags)


def _trace_of(around: Context) -> int:
    return trace.get_current_span(around).get_span_context().trace_id


def _name_of(what: Any) -> str:
    """What a deed is called: the function it is, is part of, or stands in."""
    while isinstance(what, partial) or hasattr(what, "__wrapped__"):
        what = what.func if isinstance(what, partial) else what.__wrapped__
    module, name = getattr(what, "__module__", ""), getattr(what, "__qualname__", type(what).__qualname__)
    return f"{module}.{name.replace('.<locals>', '').replace('.<lambda>', '')}"


_VALUES = re.compile(r"'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$|\b\d+(?:\.\d+)?\b", re.DOTALL)
_TABLE = re.compile(r"\b(?:COPY|FROM|INTO|UPDATE|JOIN)\s+(?:ONLY\s+)?\"?([a-z_]+)", re.IGNORECASE)


@lru_cache(maxsize=2000)
def spoken(statement: str) -> tuple[str, str]:
    """A statement's short name (`SELECT forum_forum`) and its text without values.

    Values are bound and not in the text; what is written out in it is taken out all the same, and where that cannot be
    done for certain the whole text.
    """
    words = statement.split(None, 1)
    verb = words[0].upper() if words else "?"
    found = _TABLE.search(statement)
    name = f"{verb} {found[1]}" if found else verb if verb.isalpha() else "?"
    text = " ".join(_VALUES.sub("?", statement).split())
    return name, "?" if "'" in text or "$$" in text else text[:_LONGEST]
