"""What the process counts, in Prometheus' form: requests by route, the bytes layer, the pen, the worker, the outbox."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from app.kit import heart
from app.kit.db import Db
from app.kit.pen import Pen
from app.kit.replica import OK, Replica
from app.kit.turns import Gate
from app.mail.watching import longest_due, unsent_by_state
from app.web.bounding import Bounded
from app.web.published import Published

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


@dataclass(frozen=True, slots=True)
class State:
    """What the database says: mail by state, since how many seconds mail is due, the age of each duty's last end."""

    unsent: dict[str, int]
    due_seconds: float
    duties: dict[str, float]


class Figures:
    """The figures of one process; `published` is asked for when they are read, because it is made around the rest."""

    MEDIA_TYPE = CONTENT_TYPE_LATEST

    def __init__(
        self,
        pen: Pen,
        published: Callable[[], Published],
        bounded: Bounded,
        threads: Gate,
        replica: Replica | None = None,
    ) -> None:
        self._pen = pen
        self._bounded = bounded
        self._threads = threads
        self._replica = replica
        self._published = published
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "sala_request_seconds",
            "Requests that reached the router, by route template",
            ("method", "route", "status"),
            registry=self._registry,
            buckets=BUCKETS,
        )
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._registry.register(self)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(method, route, str(status)).observe(seconds)

    def look(self, db: Db, *, now: datetime) -> State:
        """Read what the database says."""
        due = longest_due(db)
        seconds = max(0.0, (now - due).total_seconds()) if due else 0.0
        ages = {duty: (now - at).total_seconds() for duty, (at, _) in heart.beats(db).items()}
        return State(unsent_by_state(db), seconds, ages)

    def text(self, state: State) -> bytes:
        """All figures as Prometheus reads them."""
        return generate_latest(self._registry) + generate_latest(_Read(state))

    def collect(self) -> Iterator[Metric]:
        """The counts that parts of the house keep by themselves (called by the registry)."""
        pen, published = self._pen, self._published()
        for name, words, value in (
            ("sala_pen_deeds", "Deeds the pen has answered", pen.tally.deeds),
            ("sala_pen_failed", "Deeds that were refused or failed", pen.tally.failed),
            ("sala_pen_commits", "Transactions of the pen", pen.tally.commits),
            ("sala_pen_seconds", "Seconds the pen spent writing", pen.tally.seconds),
            ("sala_pen_turned_away", "Deeds not taken because too many waited", pen.tally.turned_away),
            ("sala_reads_turned_away", "Requests that waited too long for their turn", self._bounded.turned_away),
            ("sala_published_kept", "Answers given from memory", published.kept_answers),
            ("sala_published_renders", "Published answers that were rendered", published.renders),
        ):
            yield CounterMetricFamily(name, words, value)
        yield GaugeMetricFamily("sala_pen_queued", "Groups of deeds that wait for the pen", pen.queued)
        wait = self._bounded.waiting + self._threads.waiting
        yield GaugeMetricFamily("sala_reads_waiting", "Requests that wait for their turn or for a thread", wait)
        yield GaugeMetricFamily("sala_published_bytes", "Bytes reckoned for kept answers", published.size)
        if self._replica is not None:
            yield from _of_replica(self._replica)


def _of_replica(replica: Replica) -> Iterator[Metric]:
    yield CounterMetricFamily("sala_replica_reads", "Reads that went to the replica", replica.given)
    words = "Reads that the primary answered in the replica's place, by how the replica stood"
    passed_by = CounterMetricFamily("sala_replica_passed_by", words, labels=("reason",))
    for reason, number in sorted(replica.passed_by.items()):
        passed_by.add_metric((reason,), number)
    yield passed_by
    yield GaugeMetricFamily("sala_replica_in_use", "1 where the replica is read", replica.state == OK)
    yield GaugeMetricFamily("sala_replica_behind_bytes", "How far it was behind when asked last", replica.behind_bytes)


class _Read:
    """A registry of what was read from the database for this one answer."""

    def __init__(self, state: State) -> None:
        self._state = state

    def collect(self) -> Iterator[Metric]:
        mails = GaugeMetricFamily("sala_mail_messages", "Mail that is waited for, by state", labels=("state",))
        for state, number in self._state.unsent.items():
            mails.add_metric((state,), number)
        yield mails
        yield GaugeMetricFamily("sala_mail_due_seconds", "Since when mail is due", self._state.due_seconds)
        duties = GaugeMetricFamily("sala_duty_age_seconds", "Since a duty of the worker last ended", labels=("duty",))
        for duty, age in sorted(self._state.duties.items()):
            duties.add_metric((duty,), age)
        yield duties
