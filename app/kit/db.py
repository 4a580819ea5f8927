"""The database: engines for reading and writing, and `Db`, what deeds and queries are given."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import (
    JSON,
    Connection,
    Engine,
    Integer,
    String,
    Table,
    TypeDecorator,
    bindparam,
    create_engine,
    event,
    func,
    select,
    text,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import SessionTransaction
from sqlmodel import Session as _SqlSession
from sqlmodel import SQLModel

from app.kit.absences import Absences, Sought
from app.kit.decoding import decoded
from app.kit.errors import Busy
from app.kit.questions import Question
from app.kit.replica import Replica
from app.kit.waiting import Spoiled, Waiting, Write

T = TypeVar("T")
SECONDS_TO_BE_READ = 5.0
"""How long somebody at a door waits for their turn to be read to."""
READ_AT_ONCE = 32
"""Queries of readers at one time, in threads; each takes a connection."""
SECONDS_TO_CONNECT, SECONDS_TO_BE_SILENT = 5, 20
"""How long a PostgreSQL server that does not answer is waited for, unless its address says otherwise: a host that is
gone without a word would keep everybody waiting for minutes."""
SECONDS_FOR_A_REPLICA = 2
"""The same for a replica, in whose place another answers."""


def table(model: type[SQLModel]) -> Table:
    """The Core table of a model: queries name its columns as `table(Forum).c.slug`."""
    found: Table = model.__table__  # type: ignore[attr-defined]
    return found


@cache
def _highest(of: Table) -> Question:
    return Question(select(func.coalesce(func.max(of.c.id), 0)))


_NEXT_OF_SEQUENCE = Question(
    select(func.nextval(func.pg_get_serial_sequence(bindparam("name", type_=String), "id"))).select_from(
        func.generate_series(1, bindparam("many", type_=Integer))
    )
)
_TAKES_BACK = "ROLLBACK TO SAVEPOINT"


class Db(_SqlSession):
    """One unit of work on the database. Deeds and queries get one; none of them commits.

    Rows stay readable after the commit, because answers are given only then.

    What is only written can be given to `later`: such rows wait for the end of the transaction and are written many in
    one statement. Every statement through this unit of work, or through the connection that `connection` gives, comes
    after what waits was written and stands in the savepoint of its deed; `ask` alone says of itself what it may leave
    waiting. Only who goes past SQLAlchemy, to the driver, would miss what waits.
    """

    def __init__(self, bind: Any, **options: Any) -> None:
        super().__init__(bind=bind, expire_on_commit=False, autoflush=False, **options)
        self._before = Waiting()
        """Rows of the deeds that are over."""
        self._own = Waiting()
        """Rows of the deed at hand, or of all that is done outside of any."""
        self._deed: ExitStack | None = None
        self._is_apart = self._is_writing = False
        self._absences = Absences()
        self.spoiled: Exception | None = None
        """Why a row of a deed that is over could not be written: nothing of the transaction holds any more."""
        self.is_kept = False
        """Was what it did committed?"""
        self.expected = 1
        """How many deeds that said ahead what they ask are still to come in the transaction, at most: whoever draws
        something for all of them says that one is left, so that nobody does so again."""
        self._watched: Connection | None = None
        """The connection that was given away; who has it may ask through it at any time."""

    # ---- rows that wait

    def later(self, table: Table, row: dict[str, Any], write: Write | None = None) -> None:
        """Write a row at the end of the transaction, or before anything is asked of the database that it could matter
        to. `write` does it for many rows at once, in the order they came in; else they are inserted as they are.

        What is done to the row from now on, or to anything in it, does not reach what is written.
        """
        row = _as_now(table, row)
        self._own.add(table, row, write)
        if self._absences:
            self._absences.wrote(table, row)

    def ask(
        self,
        question: Question,
        values: Mapping[str, Any],
        *,
        matters: Callable[[dict[str, Any]], bool] = lambda _: True,
    ) -> list[tuple[Any, ...]]:
        """The rows that answer a question. What waits in a table it reads is written first, but for rows of which
        `matters` says that they are not asked for. A question changes nothing, so no savepoint is set for it."""
        if self._before.has(question.tables, matters) or self._own.has(question.tables, matters):
            self.write_waiting()
        was, self._is_writing = self._is_writing, True  # the rest may go on waiting
        try:
            return question.ask(self.bare_connection(), values)
        except DBAPIError as failure:
            if self._deed is not None and not self._is_apart:
                self.spoiled = failure  # after an error PostgreSQL goes on from a savepoint alone
            raise
        finally:
            self._is_writing = was

    def look_ahead(self, sought: Iterable[Sought]) -> None:
        """Find out at once what many are going to ask (`app.kit.absences`). It holds while nothing but rows that wait
        is written. On SQLite nothing is asked: a question costs less there than to remember its answer."""
        if self.get_bind().dialect.name == "postgresql":
            self.write_waiting()
            self._absences.look(super().connection(), sought)

    def has_none(self, sought: Sought) -> bool:
        """Was it found out ahead that there is no such row, and has none been written since?"""
        return self._absences.has_none(sought)

    def _may_write(self, asked: Any) -> None:
        """Something is asked that may write other rows than those that wait; a SELECT is taken to write none."""
        if self._absences and not (self._is_writing or getattr(asked, "is_select", False)):
            self._absences.forget()

    def write_waiting(self) -> None:
        """Write what waits, now. Raises what the database says of a row of the deed at hand; of another deed's row it
        is told as Spoiled, and the transaction is good for nothing any more."""
        if self._is_writing:
            return
        if self._deed is None:
            rows, self._before = self._before, Waiting()
            rows.append(self._own)
        else:
            self._stand_apart()
            self._write_before()
            rows = self._own
        self._own = Waiting()
        self._write(rows)

    def _write_before(self) -> None:
        rows, self._before = self._before, Waiting()
        try:
            self._write(rows)
        except Exception as failure:
            self.spoiled = failure
            raise Spoiled from failure

    def _write(self, rows: Waiting) -> None:
        if not rows:
            return
        self._is_writing = True
        try:
            rows.write(self)
        finally:
            self._is_writing = False

    # ---- deeds of one transaction

    @contextmanager
    def one_deed(self) -> Iterator[None]:
        """A deed among others of the transaction: where it fails, what it did is taken back and nothing else.

        A savepoint stands before the first thing it does in the database but `ask`, which changes nothing; rows that
        wait are dropped without one. What it gave to `later` waits on, with a savepoint too, but where objects were
        added. Raises what the deed raises, and Spoiled where the transaction is good for nothing any more.
        """
        self._before.append(self._own)
        self._own, self._is_apart = Waiting(), False
        try:
            with ExitStack() as self._deed:
                yield
                if self.new or self.dirty or self.deleted:
                    self.flush()
                self._must_hold()
                self._is_writing = True  # the savepoint's end has nothing written
        except BaseException:
            self._own = Waiting()
            raise
        finally:
            if self._is_apart:
                self.expunge_all()  # the next deed reads its own rows
            self._deed, self._is_apart, self._is_writing = None, False, False

    def _must_hold(self) -> None:
        """Raises Spoiled, also where the deed at hand made nothing of it."""
        if self.spoiled is not None:
            raise Spoiled from self.spoiled

    def _stand_apart(self) -> None:
        """Set the savepoint of the deed at hand, if it has none: behind the rows of those before it, which stay."""
        if self._deed is not None and not self._is_apart:
            self._write_before()
            self._is_apart = self._is_writing = True  # SQLAlchemy flushes before a savepoint
            try:
                self._deed.enter_context(super().begin_nested())
            finally:
                self._is_writing = False

    # ---- what SQLAlchemy does, after what waits

    def bare_connection(self) -> Connection:
        """The connection for whoever asks nothing through it that what waits could matter to."""
        return super().connection()

    if not TYPE_CHECKING:  # their types stay SQLAlchemy's, which say more

        def connection(self, *asked: Any, **options: Any) -> Connection:
            self._stand_apart()  # a savepoint of the connection's own stands in that of the deed
            was, self._is_writing = self._is_writing, True
            try:
                given = super().connection(*asked, **options)  # a savepoint that was begun is set only now
            finally:
                self._is_writing = was
            if given is not self._watched:
                self._watched = given
                event.listen(given, "before_cursor_execute", self._before_statement)
            return given

        def execute(self, *asked: Any, **options: Any) -> Any:
            if self._deed is not None or self._own or self._before:
                self.write_waiting()
            self._may_write(*asked[:1])
            return super().execute(*asked, **options)

        def exec(self, *asked: Any, **options: Any) -> Any:
            self.write_waiting()
            self._may_write(*asked[:1])
            return super().exec(*asked, **options)

        def scalar(self, *asked: Any, **options: Any) -> Any:
            self.write_waiting()
            self._may_write(*asked[:1])
            return super().scalar(*asked, **options)

        def scalars(self, *asked: Any, **options: Any) -> Any:
            self.write_waiting()
            self._may_write(*asked[:1])
            return super().scalars(*asked, **options)

        def get(self, *asked: Any, **options: Any) -> Any:
            self.write_waiting()
            return super().get(*asked, **options)

        def merge(self, *asked: Any, **options: Any) -> Any:
            self.write_waiting()
            return super().merge(*asked, **options)

        def merge_all(self, *asked: Any, **options: Any) -> Any:
            self.write_waiting()
            return super().merge_all(*asked, **options)

        def bulk_save_objects(self, *asked: Any, **options: Any) -> None:
            self.write_waiting()
            self._absences.forget()
            super().bulk_save_objects(*asked, **options)

        def bulk_insert_mappings(self, *asked: Any, **options: Any) -> None:
            self.write_waiting()
            self._absences.forget()
            super().bulk_insert_mappings(*asked, **options)

        def bulk_update_mappings(self, *asked: Any, **options: Any) -> None:
            self.write_waiting()
            self._absences.forget()
            super().bulk_update_mappings(*asked, **options)

    def _before_statement(self, _connection: Any, _cursor: Any, statement: str, *_told: Any) -> None:
        """Of a connection that was given away."""
        if statement.startswith(_TAKES_BACK):
            self._own = Waiting()  # given since the savepoint, before which was written what waited
        else:
            self.write_waiting()
        if not self._is_writing:
            self._absences.forget()

    # a savepoint that is set later would have these written before it

    def add(self, *asked: Any, **options: Any) -> None:
        self._stand_apart()
        super().add(*asked, **options)

    def delete(self, *asked: Any) -> None:
        self._stand_apart()
        super().delete(*asked)

    def delete_all(self, *asked: Any) -> None:
        self._stand_apart()
        super().delete_all(*asked)

    def flush(self, *asked: Any) -> None:
        self.write_waiting()
        if self._absences and (self.new or self.dirty or self.deleted):
            self._absences.forget()
        super().flush(*asked)

    def commit(self) -> None:
        super().commit()
        self.is_kept = True

    def begin(self, nested: bool = False) -> SessionTransaction:
        if nested:
            self.write_waiting()  # so what waits at the end of it is its own
        return super().begin(nested)


@event.listens_for(Db, "before_commit")
def _write_waiting(db: Db) -> None:
    """Also at the end of a savepoint: what is wrong with a row shows where it was asked for."""
    db.write_waiting()


@event.listens_for(Db, "after_soft_rollback")
def _drop_own(db: Db, _ended: SessionTransaction) -> None:
    """What waited was asked for within what is taken back."""
    db._own = Waiting()  # noqa: SLF001 - of the class above, which SQLAlchemy tells through a function alone


@event.listens_for(Db, "after_transaction_end")
def _drop_all(db: Db, ended: SessionTransaction) -> None:
    """Nothing is left for another transaction: neither what waited, where this one was closed, nor what spoiled it."""
    if ended.parent is None:
        db._before, db._own, db.spoiled = Waiting(), Waiting(), None  # noqa: SLF001 - likewise


@cache
def _of_parts(of: Table) -> tuple[str, ...]:
    """The columns of a table whose values are made of lists and mappings."""
    kinds = {each.key: each.type.impl if isinstance(each.type, TypeDecorator) else each.type for each in of.c}
    return tuple(name for name, kind in kinds.items() if isinstance(kind, JSON))


def _as_now(of: Table, row: dict[str, Any]) -> dict[str, Any]:
    """A row as it is now, whatever becomes of it and of what it is made of."""
    row = row.copy()
    for name in _of_parts(of):
        if row.get(name):
            row[name] = _parts(row[name])
    return row


def _parts(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _parts(each) for name, each in value.items()}
    return [_parts(each) for each in value] if isinstance(value, list | tuple) else value


@event.listens_for(Db, "after_transaction_end")
def _forget_absences(db: Db, ended: SessionTransaction) -> None:
    """With the transaction its locks end, which kept others from writing."""
    if ended.parent is None:
        db._absences.forget()  # noqa: SLF001 - likewise


def new_ids(db: Db, of: Table, many: int) -> Iterator[int]:
    """Ids that the next rows of a table may be written with, at least so many: for rows that hold something made of
    their own id, which would be written twice otherwise. To be asked under the pen alone; who writes such rows in
    between without these ids spoils them. One query.

    They are what the databases give by themselves: PostgreSQL's sequence, of which what is not used is left out; on
    SQLite what comes after the highest.
    """
    if db.get_bind().dialect.name == "sqlite":
        return count(db.ask(_highest(of), {})[0][0] + 1)
    return iter([row[0] for row in db.ask(_NEXT_OF_SEQUENCE, {"name": of.name, "many": many})])


class Database:
    """A database by its address, with a read-only engine for queries and one for the pen.

    SQLite: WAL, `synchronous=FULL`, foreign keys on; writing begins with BEGIN IMMEDIATE and reading with a
    plain BEGIN on a connection that cannot write (an upgraded reader gets SQLITE_BUSY at once, without waiting).
    PostgreSQL: `read_url` is the address of a streaming replica (`app.kit.replica`). `pooled` says that a pooler in
    transaction mode stands before the servers (PgBouncer): then nothing is kept in a connection but its transaction,
    prepared statements neither.
    """

    def __init__(self, url: str, *, read_url: str = "", pooled: bool = False) -> None:
        self.url = parsed = _address(url)
        self.pooled = pooled
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            if not parsed.database or parsed.database == ":memory:":
                raise ValueError("an SQLite database needs a file: readers and the writer are different connections")
            file = Path(parsed.database)
            file.parent.mkdir(parents=True, exist_ok=True)
            if not file.exists():
                # SQLite gives its side files the same rights: the people in it are nobody else's business here
                os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
            options: dict[str, Any] = {"connect_args": {"check_same_thread": False, "timeout": 10}}
        else:
            options = _options(parsed, SECONDS_TO_CONNECT, SECONDS_TO_BE_SILENT, pooled=pooled)
        options |= _ALWAYS
        self.write_engine: Engine = create_engine(parsed, pool_size=2, max_overflow=8, **options)
        self.read_engine: Engine = create_engine(parsed, pool_size=8, max_overflow=READ_AT_ONCE - 8, **options)
        if self.is_sqlite:
            _prepare_sqlite(self.write_engine, "BEGIN IMMEDIATE", writes=True)
            _prepare_sqlite(self.read_engine, "BEGIN", writes=False)
        else:
            event.listen(self.read_engine, "begin", _begin_read_only)
        _spare_savepoints(self.write_engine)
        self.replica = self._replica(_address(read_url)) if read_url else None

    def _replica(self, address: URL) -> Replica:
        if self.is_sqlite or address.get_backend_name() == "sqlite":
            raise ValueError("an SQLite database has no replica")
        asked, there = (
            # no ping before each use: the position is asked for, which shows as much
            _options(each, SECONDS_FOR_A_REPLICA, SECONDS_FOR_A_REPLICA, pooled=self.pooled) | {"pool_pre_ping": False}
            for each in (self.url, address)
        )
        asking = create_engine(self.url, pool_size=1, max_overflow=0, isolation_level="AUTOCOMMIT", **asked)
        most = READ_AT_ONCE - 8
        engine = create_engine(address, pool_size=8, max_overflow=most, pool_timeout=1, **_ALWAYS, **there)
        event.listen(engine, "begin", _begin_read_only)
        return Replica(asking, engine)

    @property
    def engines(self) -> tuple[Engine, ...]:
        """All through which queries and deeds are run."""
        own = (self.read_engine, self.write_engine)
        return own if self.replica is None else (*own, self.replica.engine)

    @property
    def path(self) -> Path | None:
        """The SQLite file, or None on PostgreSQL."""
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    @contextmanager
    def reading(self) -> Iterator[Db]:
        """A read-only `Db` on one consistent view; what is changed in it cannot be written."""
        with Db(self.read_engine) as db:
            yield db

    def read(self, query: Callable[[Db], T], *, replica: bool = False) -> T:
        """Run one query (a function of `db`) and give back its answer.

        With `replica` the replica may answer, where there is one and it knows all that was acknowledged before: worth
        its two short questions for whatever reads more than a few rows. A query that fails there is run once more on
        the primary, so it changes nothing but its own answer.
        """
        if replica and self.replica is not None and (connection := self.replica.caught_up()) is not None:
            try:
                with connection, Db(connection) as db:
                    return query(db)
            except (DBAPIError, NoConnection) as failure:
                self.replica.failed(failure)
        with self.reading() as db:
            return query(db)

    def in_turn(self, query: Callable[[Db], T], *, replica: bool = False) -> Callable[[], T]:
        """`read` for a thread that may not be there yet. It raises Busy if that takes too long: whoever asked is told,
        and those behind do not wait for an answer that nobody waits for any more."""
        until = time.monotonic() + SECONDS_TO_BE_READ

        def read() -> T:
            if time.monotonic() > until:
                raise Busy("busy", seconds=int(SECONDS_TO_BE_READ))
            return self.read(query, replica=replica)

        return read

    def close(self) -> None:
        if self.replica is not None:
            self.replica.close()
        self.read_engine.dispose()
        self.write_engine.dispose()


def _address(url: str) -> URL:
    parsed = make_url(url)
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername == "postgresql" else parsed


_ALWAYS: dict[str, Any] = {"hide_parameters": True, "json_deserializer": decoded}
"""What holds for every engine that reads or writes rows: no value of theirs in a log, and how their JSON is read."""


def _options(address: URL, connect: int, silent: int, *, pooled: bool) -> dict[str, Any]:
    """How PostgreSQL is connected to; what the address itself says goes before."""
    waits = {"connect_timeout": connect, "tcp_user_timeout": 1000 * silent}
    asked: dict[str, Any] = {name: value for name, value in waits.items() if name not in address.query}
    if pooled:
        asked["prepare_threshold"] = None  # another server connection, with statements of others, may come next
    return {"pool_pre_ping": True, "connect_args": asked}


def _prepare_sqlite(engine: Engine, begin: str, *, writes: bool) -> None:
    def connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # we begin ourselves, below
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA busy_timeout=10000")
        if not writes:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    event.listen(engine, "connect", connect)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))


def _spare_savepoints(engine: Engine) -> None:
    """Say the three words of a savepoint as they are: SQLAlchemy compiles each anew, for every deed of the pen."""

    def say(words: str) -> Callable[[Connection, str], None]:
        def said(connection: Connection, name: str) -> None:
            connection.exec_driver_sql(f"{words} {name}")

        return said

    dialect: Any = engine.dialect
    dialect.do_savepoint = say("SAVEPOINT")
    dialect.do_release_savepoint = say("RELEASE SAVEPOINT")
    dialect.do_rollback_to_savepoint = say(_TAKES_BACK)


def _begin_read_only(connection: Any) -> None:
    connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
