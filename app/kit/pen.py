"""The one writer of a process (house: "What is fast, and why").

A door hands the pen a deed and waits. The pen takes all deeds that are waiting, runs each inside of one
transaction so that it can be taken back by itself (`Db.one_deed`), commits once, and only then are the answers given.
So writes are served in the order they came, a refused deed takes only itself back, and what was acknowledged is on
disk.
"""

import asyncio
import fcntl
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from statistics import median
from typing import Any, TypeVar

from sqlalchemy import Connection, bindparam, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from app.kit import absences, traces
from app.kit.absences import Sought
from app.kit.db import Database, Db, table
from app.kit.errors import Busy, Refused, Unavailable
from app.kit.models import Scope
from app.kit.trouble import UNCERTAIN, leaves_open, trouble_of

T = TypeVar("T")
_scopes = table(Scope)
Deed = Callable[[Db], T]

SITE = "site"
"""The scope of what belongs to no forum: accounts, sign-in."""
PATIENCE = 10.0
"""Seconds that somebody at a door waits for their deed to begin; proxies and people give up not much later."""
_PACES = 9
"""Of so many last batches the middle pace is reckoned with: one slow deed says nothing about the others."""
_LEAST_SECONDS, _MOST_SECONDS = 2, 30
"""Within which those who are turned away are asked to come again."""


@dataclass(slots=True)
class _Job:
    scope: str
    deed: Deed[Any]
    answer: Future[Any]
    within: Any
    """The span of whoever gave it (`app.kit.traces`)."""
    quiet: bool = False
    ahead: Sequence[Sought] = ()


@dataclass(slots=True)
class _Done:
    job: _Job
    value: Any = None
    failure: Exception | None = None


@dataclass(slots=True)
class Tally:
    """What a pen has done since it was made; only its own thread counts."""

    deeds: int = 0
    failed: int = 0
    """Deeds that were refused or failed."""
    commits: int = 0
    changes: int = 0
    """Commits with anything in them but quiet deeds."""
    seconds: float = 0.0
    """In which it wrote, from the lock to the commit."""
    turned_away: int = 0
    """Deeds not taken because too many waited, or given back because they had waited too long."""


class Pen:
    """Writes deeds in the order they come, up to `batch` in one commit.

    Those at a door wait `patience` seconds at most for their deed to begin: whoever would wait longer is turned away
    when they come, and whoever has waited so long is given their deed back unwritten. `waiting` is the longest queue
    taken in any case. `start()` makes the writing thread; `stop()` finishes what is queued. A pen that was not started
    writes in the caller's thread, one deed a transaction: enough for the command line and for tests.
    """

    def __init__(
        self, database: Database, *, batch: int = 512, waiting: int = 4000, patience: float = PATIENCE
    ) -> None:
        self.database = database
        self._batch = batch
        self._waiting = waiting
        self._patience = patience
        self._queue: queue.SimpleQueue[list[_Job] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._alone = threading.Lock()
        self._paces: deque[float] = deque([0.0], maxlen=_PACES)
        self._pace = 0.0
        self._began: float | None = None
        self._keeps_others_out = False
        self.tally = Tally()

    @property
    def queued(self) -> int:
        """Groups of deeds that wait."""
        return self._queue.qsize()

    @property
    def wait(self) -> float:
        """Seconds that a group of deeds which comes now would wait, as far as can be known."""
        began = self._began
        return self.queued * self._pace + (time.perf_counter() - began if began is not None else 0.0)

    def start(self) -> None:
        """Start the writing thread."""
        self._thread = threading.Thread(target=self._write_all, name="pen", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is still queued, then end the thread."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def submit(self, scope: str, deed: Deed[T]) -> Future[T]:
        """Queue a deed for `scope` (a forum's slug or SITE). Raises Busy where too many are waiting."""
        answer: Future[T] = self.submit_together(scope, [deed])[0]
        return answer

    def submit_together(
        self, scope: str, deeds: Sequence[Deed[Any]], *, quiet: bool = False, ahead: Sequence[Sought] = ()
    ) -> list[Future[Any]]:
        """The same for deeds of which each is right behind the one before it, in one commit. Each stands for itself:
        where one is refused the others are written. `quiet` ones change nothing that is asked or said on a form, but
        for how the seats stand. What they are going to ask can be asked `ahead`, of many at once (`Db.look_ahead`)."""
        if self._thread is not None and (self.queued >= self._waiting or self.wait > self._patience):
            raise self._busy(len(deeds))
        return self._take(scope, deeds, quiet=quiet, ahead=ahead)

    def _take(
        self, scope: str, deeds: Sequence[Deed[Any]], *, quiet: bool = False, ahead: Sequence[Sought] = ()
    ) -> list[Future[Any]]:
        within = traces.here()
        jobs = [_Job(scope, deed, Future(), within, quiet) for deed in deeds]
        jobs[-1].ahead = ahead
        if self._thread is None:
            with self._alone:
                self._write(jobs)
        else:
            self._queue.put(jobs)
        return [job.answer for job in jobs]

    def _busy(self, deeds: int) -> Busy:
        self.tally.turned_away += deeds
        return Busy("busy", seconds=round(max(_LEAST_SECONDS, min(_MOST_SECONDS, self.wait))))

    async def write(self, scope: str, deed: Deed[T]) -> T:
        """Have a deed written; its answer comes after the commit. Raises what the deed raised, Busy or Unavailable."""
        done: T = await self.write_together(scope, [deed])
        return done

    async def write_together(
        self, scope: str, deeds: Sequence[Deed[Any]], *, quiet: bool = False, ahead: Sequence[Sought] = ()
    ) -> Any:
        """The same for several, see `submit_together`; the last one's answer, when all are over.

        Where their turn has not come within `patience` none is done any more: Busy. Should the pen come for them at
        that very moment, the last is done, the ones before it perhaps not.
        """
        answers = self.submit_together(scope, deeds, quiet=quiet, ahead=ahead)
        loop, last = asyncio.get_running_loop(), answers[-1]
        over: asyncio.Future[None] = loop.create_future()

        def give_up() -> None:
            if not over.done() and self._withdrawn(answers):
                over.set_exception(self._busy(len(answers)))

        # answers are given in the order of the deeds, so the loop is told once: of the last
        last.add_done_callback(lambda _: _tell(loop, over))
        patience = loop.call_later(self._patience, give_up)
        try:
            await over
        except asyncio.CancelledError:
            self._withdrawn(answers)
            raise
        finally:
            patience.cancel()
        return last.result()

    @staticmethod
    def _withdrawn(answers: Sequence[Future[Any]]) -> bool:
        """Take deeds back that nobody waits for any more; whether the last one will not be done."""
        first, *rest = answers
        if not first.cancel():
            return False  # they are being written, or that is over
        gone = [answer.cancel() for answer in rest]
        return gone[-1] if gone else True

    def write_now(self, scope: str, deed: Deed[T]) -> T:
        """The same for callers without an event loop (command line, jobs, tests): blocks until committed, however long
        that takes. There are only a few of them, and what they have to say, such as that a mail has left, can be said
        by nobody else."""
        answer: Future[T] = self._take(scope, [deed])[0]
        return answer.result()

    def _write_all(self) -> None:
        ended = False
        while not ended and (first := self._queue.get()) is not None:
            batch, groups = list(first), 1
            self._began = time.perf_counter()
            try:
                # The file lock is taken before the queue is drained: two processes on one file would otherwise wait
                # in SQLite's own busy handler, which sleeps and starves; what queues meanwhile makes a larger batch.
                with self._turn():
                    more, ended = self._drain(batch)
                    groups += more
                    self._write(batch, has_turn=True)
            except OSError as failure:  # no turn to be had (a full disk, a lost folder): nothing was written
                for job in batch:
                    if not job.answer.done():
                        job.answer.set_exception(failure)
            self._paces.append((time.perf_counter() - self._began) / groups)
            self._pace, self._began = median(self._paces), None

    def _drain(self, batch: list[_Job]) -> tuple[int, bool]:
        """Add to the batch what is queued: how many groups, and whether the end was queued behind them."""
        groups = 0
        while len(batch) < self._batch:
            try:
                jobs = self._queue.get_nowait()
            except queue.Empty:
                return groups, False
            if jobs is None:
                return groups, True
            batch += jobs
            groups += 1
        return groups, False

    @contextmanager
    def keeping_others_out(self) -> Iterator[None]:
        """What this pen alone writes to, until the end: every other pen of this database, in whichever process, waits
        before its next transaction. What others were told is written before, and what they are told later, after.

        On PostgreSQL a lock of the server's own that no table has part in, so that tables may even be made anew
        meanwhile; Refused("restore_in_use") where a transaction of somebody keeps it too long.
        """
        with self._turn() if self.database.is_sqlite else self._whole_server():
            self._keeps_others_out = True
            try:
                yield
            finally:
                self._keeps_others_out = False

    @contextmanager
    def _whole_server(self) -> Iterator[None]:
        with self.database.write_engine.connect() as connection, connection.begin():
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{SECONDS_TO_GET_ALL}s'")
            try:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_EVERYBODY})")
            except DBAPIError as failure:
                raise Refused("restore_in_use") from failure
            yield

    @contextmanager
    def _turn(self) -> Iterator[None]:
        path = self.database.path
        if path is None or self._keeps_others_out:
            yield
            return
        with path.with_name(path.name + ".turn").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _write(self, batch: list[_Job], *, has_turn: bool = False) -> None:
        if not has_turn:
            with self._turn():
                return self._write(batch, has_turn=True)
        batch = [job for job in batch if job.answer.set_running_or_notify_cancel()]
        if not batch:
            return None
        began = time.perf_counter()
        try:
            done = self._transaction(batch)
        except _CommitFailed as failed:
            if failed.is_refused and len(batch) > 1:
                # Nothing was written, so each is done by itself: it is told to whoever made it fail, and whoever is
                # refused is told why.
                done = [result for job in batch for result in self._alone_again(job)]
            else:
                # Whether it was written cannot be known, so it is neither acknowledged nor tried again: the request
                # key of a form makes asking again harmless.
                done = [_Done(job, failure=failed.cause) for job in batch]
        except Exception as failure:  # noqa: BLE001 - whatever it was, each deed must get an answer
            if len(batch) == 1 and not _lost(failure):
                done = [_Done(batch[0], failure=_told(failure))]
            else:
                done = [result for job in batch for result in self._alone_again(job)]
        self.tally.commits += 1
        self.tally.changes += any(not job.quiet for job in batch)
        self.tally.deeds += len(done)
        self.tally.seconds += time.perf_counter() - began
        for result in done:
            if result.failure is not None:
                self.tally.failed += 1
                result.job.answer.set_exception(result.failure)
            else:
                result.job.answer.set_result(result.value)
        return None

    def _alone_again(self, job: _Job) -> list[_Done]:
        """One deed of a batch whose transaction was lost before the commit, by itself."""
        try:
            return self._transaction([job])
        except _CommitFailed as failed:
            return [_Done(job, failure=failed.cause)]
        except Exception as failure:  # noqa: BLE001 - see _write
            return [_Done(job, failure=_told(failure))]

    def _transaction(self, batch: list[_Job]) -> list[_Done]:
        with traces.batch([job.within for job in batch]), Db(self.database.write_engine) as db:
            if not (self.database.is_sqlite or self._keeps_others_out):
                db.bare_connection().exec_driver_sql(_BESIDE_OTHERS)  # before any table: see keeping_others_out
            lock_scopes(db, {job.scope for job in batch})
            asking = [job.ahead for job in batch if job.ahead]
            db.expected = max(1, len(asking))
            if len(asking) >= absences.FEWEST:
                db.look_ahead(chain.from_iterable(asking))
            done = [_run(db, job) for job in batch]
            db.write_waiting()
            connection = db.bare_connection()
            if not _still_open(connection):
                connection.invalidate()
                raise _TransactionLost
            try:
                with traces.span("COMMIT"):
                    db.commit()
            except Exception as failure:
                # SQLite keeps the transaction open after a COMMIT that failed, and with it everybody else out
                connection.invalidate()
                raise _CommitFailed(failure) from failure
            return done


SECONDS_TO_GET_ALL = 10
"""How long whoever wants to keep others out waits for those who write."""
_EVERYBODY = 0x5A1A
"""The number of PostgreSQL's advisory lock that every transaction of a pen shares."""
_BESIDE_OTHERS = f"SELECT pg_advisory_xact_lock_shared({_EVERYBODY})"


def _tell(loop: asyncio.AbstractEventLoop, over: "asyncio.Future[None]") -> None:
    """Say on a loop, from whichever thread, that something is over; nobody is told by a loop that has ended."""

    def say() -> None:
        if not over.done():
            over.set_result(None)

    if not loop.is_closed():
        loop.call_soon_threadsafe(say)


def _lost(failure: Exception) -> bool:
    """Did the connection break, before the commit? Then another may do, and nothing was written."""
    return isinstance(failure, DBAPIError) and failure.connection_invalidated


def _told(failure: Exception) -> Exception:
    """What a lost deed is answered: the database's own words where there are some, and of several those it began with:
    that a savepoint is gone says nothing of the disk that was full."""
    if not isinstance(failure, _TransactionLost):
        return failure
    told, before = failure.__cause__, failure.__cause__
    while before is not None:
        if trouble_of(before):
            told = before
        before = before.__context__
    return told if isinstance(told, Exception) else failure


class _TransactionLost(Exception):
    """The database has rolled the whole transaction back by itself; nothing of the batch was written."""


def _still_open(connection: Connection) -> bool:
    """Is the transaction that was begun still there? On a full disk or a read error SQLite may end it by itself, and
    what ran before is gone while what runs after would be committed alone. PostgreSQL takes a COMMIT after an error
    without a word and rolls back."""
    driver: Any = connection.connection.driver_connection
    if hasattr(driver, "in_transaction"):
        return bool(driver.in_transaction)
    return bool(driver.info.transaction_status.name == "INTRANS")


class _CommitFailed(Exception):
    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.is_refused = isinstance(cause, DBAPIError) and not leaves_open(cause)
        """By the database, which has written nothing then."""
        if leaves_open(cause):
            self.cause = Unavailable(UNCERTAIN)
            self.cause.__cause__ = cause


def _run(db: Db, job: _Job) -> _Done:
    left = dict(db.info)  # what a deed leaves there is for the very next one: later it need not be true any more
    try:
        with traces.deed(job.deed, job.within), db.one_deed():
            value = job.deed(db)
    except DBAPIError as failure:
        if failure.connection_invalidated:
            raise  # the transaction is gone with its connection; the batch is tried again one by one
        db.info.clear()  # what it found out was taken back with it
        if db.spoiled is not None or not _still_open(db.bare_connection()):
            raise _TransactionLost from failure  # the question of a deed without a savepoint may have failed
        return _Done(job, failure=failure)
    except Exception as failure:  # noqa: BLE001 - a refusal or a fault of one deed must not touch its neighbours
        db.info.clear()
        if db.spoiled is not None:
            raise _TransactionLost from db.spoiled
        return _Done(job, failure=failure)
    finally:
        for name, before in left.items():
            if db.info.get(name) is before:
                del db.info[name]
    return _Done(job, value=value)


def lock_scopes(db: Db, names: set[str]) -> None:
    """Make sure the scopes' rows exist and, on PostgreSQL, lock them in order, so that several pens agree.

    On SQLite the transaction has begun IMMEDIATE and there is no other writer.
    """
    asked = {"names": sorted(names)}
    known = set(db.execute(_LOCK, asked).scalars())
    if missing := sorted(names - known):
        insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
        rows = [{"name": name, "revision": 0} for name in missing]
        db.execute(insert(_scopes).values(rows).on_conflict_do_nothing())
        db.execute(_LOCK, asked)


# SQLite leaves FOR UPDATE out
_LOCK = (
    select(_scopes.c.name)
    .where(_scopes.c.name.in_(bindparam("names", expanding=True)))
    .order_by(_scopes.c.name)
    .with_for_update()
)


def wait_for_all(db: Db) -> None:
    """Wait until what the other pens of this database have begun is over, and keep them waiting until this transaction
    is: for whoever writes rows under numbers of their own choosing, which others may have drawn already. On SQLite
    there is no other writer anyway."""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(_ALL_BY_ITSELF)


_ALL_BY_ITSELF = text(f"SELECT pg_advisory_xact_lock({_EVERYBODY})")


def republish(db: Db, scope: str) -> None:
    """Say that what is published in `scope` has changed: its revision grows and every ready page of it is stale."""
    db.execute(update(_scopes).where(_scopes.c.name == scope).values(revision=_scopes.c.revision + 1))


def revisions(db: Db) -> dict[str, int]:
    """The present revision of every scope."""
    return {row.name: row.revision for row in db.execute(_REVISIONS)}


_REVISIONS = select(_scopes.c.name, _scopes.c.revision)
"""Built once: every page and calendar that is put together of ready parts asks it."""
