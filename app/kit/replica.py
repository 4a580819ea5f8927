"""A streaming replica that answers in the primary's place, and only where it knows all that the primary knew.

The rule (decision 34): the primary is asked how far its log has come, after the read was asked for; the replica is
read only once it has replayed up to there. So whatever was acknowledged before a read began is in its answer, whoever
wrote it and by whichever process, and nobody has to remember who wrote what.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from selectors import EVENT_READ, DefaultSelector
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from app.kit.trouble import UNREACHABLE, trouble_of

log = logging.getLogger("sala.kit")

OK, BEHIND, GONE, UNFIT, UNKNOWN = "ok", "behind", "gone", "unfit", "unknown"
"""How the replica stands: it is read · has not replayed enough · does not answer · is none of this database · cannot be
judged, because nobody asked yet or the primary does not say how far it has come."""
PATIENCE = 0.05
"""Seconds that a read waits for the replica to come up to it: between neighbours a commit is there in milliseconds."""
SECONDS_TO_ANSWER = 2.0
"""Within which a replica says how far it is, or is gone."""
_SQLSTATE = ord("C")
"""The field of an answer's error that holds its code (libpq: PG_DIAG_SQLSTATE)."""
_RESTS = {BEHIND: 1.0, UNKNOWN: 1.0, GONE: 5.0, UNFIT: 5.0}
"""Seconds for which the primary answers everything after the replica did not; then one read tries it again."""

_SILENT = "it does not answer"

OF_PRIMARY = """
SELECT (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint,
       current_setting('synchronous_commit') <> 'off',
       current_database()::text,
       (SELECT system_identifier FROM pg_control_system()),
       ('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::bit(32)::bigint
"""
OF_REPLICA = """
SELECT (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint,
       pg_is_in_recovery(),
       current_database()::text,
       (SELECT system_identifier FROM pg_control_system()),
       (SELECT timeline_id FROM pg_control_checkpoint())
"""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a server's log has come, in bytes since its beginning, and of which database and line it is the log.

    `counts`: of the primary, what it acknowledges is in the log by then; of the replica, it replays another's log.
    The replica's `timeline` is that of its last restart point, so for minutes after a failover it is the old one,
    and the primary answers: never the other way round.
    """

    reached: int
    counts: bool
    database: str
    cluster: int
    timeline: int


class Replica:
    """The replica behind `engine`, and the primary that `asking` (in autocommit) may ask for its position."""

    def __init__(self, asking: Engine, engine: Engine) -> None:
        self.engine = engine
        self._asking = asking
        self._primary = _OneAtATime(self._position_of_primary)
        self._lock = threading.Lock()
        self._rests_until = 0.0
        self.state = UNKNOWN
        self.why = ""
        """What is wrong with it, as the end of a sentence; "" where nothing is."""
        self.behind_bytes = 0
        """How far it was behind when it was asked last, before any waiting."""
        self.given = 0
        """Reads it was given; some of them may have failed there."""
        self.passed_by: Counter[str] = Counter()
        """Reads the primary answered in its place, by the state that was the reason."""

    def caught_up(self) -> Connection | None:
        """A connection whose next transaction sees all that was committed before this was called; None where the
        primary has to answer. Never raises for the replica's sake."""
        connection = self._compared(PATIENCE) if self._may_be_tried() else None
        with self._lock:
            if connection is not None:
                self.given += 1
            else:
                self.passed_by[self.state] += 1
        return connection

    def failed(self, failure: Exception) -> None:
        """A read that it was given failed there, and the primary will answer it: a query that is in the way of what it
        replays is ended (SQLSTATE 40001), a server that stops ends all."""
        gone = trouble_of(failure) == UNREACHABLE
        with self._lock:
            self.passed_by[GONE if gone else BEHIND] += 1
        if gone:
            self._stands(GONE, _SILENT)
            self.engine.dispose()

    def look(self, patience: float = 1.0) -> str:
        """Ask it now, as those who watch do; its state."""
        connection = self._compared(patience)
        if connection is not None:
            connection.close()
        return self.state

    def close(self) -> None:
        """End all connections."""
        self.engine.dispose()
        self._asking.dispose()

    def _may_be_tried(self) -> bool:
        with self._lock:
            if self.state != OK:
                if time.monotonic() < self._rests_until:
                    return False
                self._rests_until = time.monotonic() + _RESTS[GONE]  # one finds out, the others do not wait for it
        return True

    def _compared(self, patience: float) -> Connection | None:
        primary = self._primary.ask()
        if primary is None:
            self._stands(UNKNOWN, "nothing is known while the primary does not say how far it has come")
            return None
        connection, why = self._connected()
        if connection is None:
            self._stands(GONE if why == _SILENT else BEHIND, why)
            return None
        try:
            state, why = self._held_against(connection, primary, patience)
        except _NoPosition as failure:
            state, why = (
                (UNFIT, "its account may not ask for its position") if failure.is_forbidden else (GONE, _SILENT)
            )
            connection.invalidate()
        self._stands(state, why)
        if state == OK:
            return connection
        connection.close()
        if state == GONE:
            self.engine.dispose()  # what else is kept leads to where nobody is any more
        return None

    def _connected(self) -> tuple[Connection | None, str]:
        try:
            return self.engine.connect(), ""
        except NoConnection:
            return None, "all connections to it are taken"
        except DBAPIError:
            return None, _SILENT

    def _held_against(self, connection: Connection, primary: Position, patience: float) -> tuple[str, str]:
        ends, pause, first = time.monotonic() + patience, 0.001, True
        while True:
            # in a transaction of its own: that of the query gets its view of the rows only after this answer
            there = _position_of(connection)
            if why := _unfit(there, primary):
                return UNFIT, why
            missing = max(0, primary.reached - there.reached)
            if first:
                self.behind_bytes, first = missing, False
            if not missing:
                return OK, ""
            if time.monotonic() + pause > ends:
                return BEHIND, f"it is {missing:,} bytes behind"
            time.sleep(pause)
            pause = min(2 * pause, 0.02)

    def _stands(self, state: str, why: str = "") -> None:
        with self._lock:
            before, self.state, self.why = self.state, state, why
            if state != OK:
                self._rests_until = time.monotonic() + _RESTS[state]
        if before != state and state in {GONE, UNFIT}:
            log.warning("The replica is not read: %s.", why)
        elif before in {GONE, UNFIT} and state == OK:
            log.warning("The replica is read again.")

    def _position_of_primary(self) -> Position | None:
        try:
            with self._asking.connect() as connection:
                return Position(*connection.exec_driver_sql(OF_PRIMARY).one())
        except (DBAPIError, NoConnection):
            return None


class _NoPosition(Exception):
    """The replica did not say how far it is; with its SQLSTATE where it refused to."""

    def __init__(self, state: str = "") -> None:
        super().__init__(state)
        self.is_forbidden = state.startswith("42")


def _position_of(connection: Connection) -> Position:
    """Raises _NoPosition. Below the driver's own calls, which wait for ever: a server that was frozen would keep every
    thread of the site."""
    wire: Any = connection.connection.driver_connection.pgconn  # type: ignore[union-attr]
    try:
        wire.send_query(OF_REPLICA.encode())
        wire.flush()
        first = None
        with DefaultSelector() as selector:
            selector.register(wire.socket, EVENT_READ)
            ends = time.monotonic() + SECONDS_TO_ANSWER
            while True:
                while wire.is_busy():
                    if not selector.select(max(0.0, ends - time.monotonic())):
                        raise _NoPosition
                    wire.consume_input()
                if (result := wire.get_result()) is None:
                    break
                first = first or result
    except (OSError, ValueError, connection.dialect.loaded_dbapi.Error) as broken:
        raise _NoPosition from broken
    if first is None or not first.ntuples:
        raise _NoPosition(((first and first.error_field(_SQLSTATE)) or b"").decode())
    reached, counts, database, cluster, timeline = (first.get_value(0, column) for column in range(5))
    return Position(int(reached or 0), counts == b"t", database.decode(), int(cluster), int(timeline))


def _unfit(there: Position, primary: Position) -> str:
    """Why the one cannot stand for the other however long one waits; "" where it can."""
    if not there.counts:
        return "it is no replica"
    if there.cluster != primary.cluster:
        return "it is a replica of another server"
    if there.database != primary.database:
        return "its address names another database"
    if there.timeline != primary.timeline:
        return "it has not followed the primary's last failover"
    return "" if primary.counts else "the primary acknowledges what it has not written (synchronous_commit is off)"


class _OneAtATime:
    """One question under way for all who ask: whoever comes meanwhile shares the next, which begins after they came."""

    def __init__(self, question: Callable[[], Position | None]) -> None:
        self._question = question
        self._changed = threading.Condition()
        self._begun = self._over = 0
        self._answer: Position | None = None

    def ask(self) -> Position | None:
        """The answer to a question that was put after this was called."""
        with self._changed:
            wanted = self._begun + 1
            while self._over < wanted and self._begun > self._over:
                self._changed.wait()
            if self._over >= wanted:
                return self._answer
            self._begun += 1
        answer = None
        try:
            answer = self._question()
        finally:
            with self._changed:
                self._over, self._answer = self._begun, answer
                self._changed.notify_all()
        return answer
