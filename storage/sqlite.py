"""SQLite: one writing connection for the process, a few reading ones.

Writers queue fairly in the process and take the file's lock at once (BEGIN IMMEDIATE), so that nobody
upgrades a read lock into a refusal. WAL lets readers go on meanwhile. `synchronous=FULL` keeps what was
committed also through a power cut; being killed loses nothing at any setting.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import cast

import aiosqlite

from operations.errors import StorageError, StorageUnavailable
from storage.session import (
    STATEMENT_SECONDS,
    TURN_SECONDS,
    Bell,
    Row,
    Topic,
    UniqueViolation,
)
from storage.solitude import LEAVING_SECONDS, keep_others_out
from storage.statements import Statement

_READERS = 3
_UNAVAILABLE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)


def translate(error: sqlite3.Error) -> StorageError:
    """SQLite's error in our words. Its own texts name tables and columns, never values."""
    code = getattr(error, "sqlite_errorcode", 0)
    if code in {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}:
        return UniqueViolation("The database holds such a row already.")
    if code & 0xFF in _UNAVAILABLE:
        return StorageUnavailable(f"The database cannot be used now: {error}.")
    return StorageError(f"The database refused: {error}.")


@contextmanager
def translated() -> Iterator[None]:
    """Raises our errors in place of the driver's."""
    try:
        yield
    except sqlite3.Error as exc:
        raise translate(exc) from exc
    except UnicodeError as exc:
        raise StorageError("The database cannot keep this text.") from exc
    except ValueError as exc:  # how aiosqlite says that the connection is closed
        raise StorageUnavailable("The database is closed.") from exc


Call = tuple[str, Sequence[object]]
"""A statement and its arguments."""


class SqliteConnection(aiosqlite.Connection):
    """Runs several statements in one hop to its thread: a hop costs more than most statements."""

    async def run(self, calls: Sequence[Call]) -> Sequence[Row]:
        """Run them in order; every row of the last."""
        rows = await self._execute(self._run_all, calls)  # type: ignore[no-untyped-call]  # aiosqlite left it untyped
        return cast("Sequence[Row]", rows)

    async def join(self) -> None:
        """Wait for the thread of one that never opened: it ends by itself, and speaks to the loop before."""
        await asyncio.to_thread(self._thread.join)

    def _run_all(self, calls: Sequence[Call]) -> Sequence[sqlite3.Row]:
        rows: Sequence[sqlite3.Row] = ()
        for text, arguments in calls:
            rows = self._conn.execute(text, arguments).fetchall()
        return rows


async def _run(connection: SqliteConnection, *calls: Call) -> Sequence[Row]:
    try:
        async with asyncio.timeout(STATEMENT_SECONDS):
            with translated():
                return await connection.run(calls)
    except TimeoutError as exc:
        await connection.interrupt()
        raise StorageUnavailable("The database did not answer in time.") from exc


class SqliteSession:
    """A transaction on one of the connections; it begins in the hop of its first statement."""

    def __init__(self, connection: SqliteConnection, *, writing: bool) -> None:
        self._connection = connection
        self.is_writing = writing
        self.topics: set[Topic] = set()
        self._due: list[Call] = [("BEGIN IMMEDIATE" if writing else "BEGIN", ())]

    async def fetch(self, statement: Statement, **values: object) -> Sequence[Row]:
        """Run it and read every row."""
        return await self._run(_call(statement, values))

    async def run_each(self, statement: Statement, rows: Sequence[Mapping[str, object]]) -> None:
        """Run it once for each of the rows."""
        if rows:
            await self._run(*[_call(statement, values) for values in rows])

    async def defer(self, statement: Statement, rows: Sequence[Mapping[str, object]]) -> None:
        """It goes along with the next statement, or with the commit."""
        self._due += [_call(statement, values) for values in rows]

    async def commit(self) -> None:
        """Run what is still due, and commit."""
        await self._run(("COMMIT", ()))

    async def take_turn(self) -> None:
        """Nothing to do: there is one writer at a time."""

    async def hold(self, name: str) -> None:
        """Nothing to do: there is one writer at a time."""

    def announce(self, topic: Topic) -> None:
        """Remember whom to wake."""
        self.topics.add(topic)

    async def _run(self, *calls: Call) -> Sequence[Row]:
        due, self._due = self._due, []
        return await _run(self._connection, *due, *calls)


def _call(statement: Statement, values: Mapping[str, object]) -> Call:
    compiled = statement.compiled("sqlite")
    return compiled.text, compiled.arguments(values)


class SqliteEngine:
    """The file at `path`, which `storage.migration` has made.

    `busy_seconds` is how long SQLite itself waits for another process to finish writing. Other processes'
    writes are not announced: who waits looks every `poll_seconds`. `alone`: every session is refused while
    another process has the file open, and none can open it from the first session to the close.
    """

    def __init__(
        self,
        path: Path,
        *,
        busy_seconds: float = 5.0,
        poll_seconds: float = 0.5,
        alone: bool = False,
    ) -> None:
        self.poll_seconds = poll_seconds
        self._busy_seconds = busy_seconds
        self._alone = alone
        # mode=rw: a file that went away is an error, not a new and empty database.
        self._uri = f"{path.absolute().as_uri()}?mode=rw"
        self._writer: SqliteConnection | None = None
        self._readers: list[SqliteConnection] = []
        self._write_turn = asyncio.Lock()
        self._read_turn = asyncio.Semaphore(_READERS)
        self._bells = {topic: Bell() for topic in Topic}
        self._is_closed = False

    def bell(self, topic: Topic) -> Bell:
        """The topic's bell."""
        return self._bells[topic]

    async def attend(self) -> None:
        """Nothing to do: who waits looks every `poll_seconds`."""

    @asynccontextmanager
    async def session(self, *, writing: bool) -> AsyncIterator[SqliteSession]:
        """A transaction, committed at the end of the block and rolled back when it raises."""
        async with self._connection(writing or self._alone) as connection:
            session = SqliteSession(connection, writing=writing)
            try:
                yield session
                await session.commit()
            except BaseException:
                await _roll_back(connection)
                raise
            for topic in session.topics:
                self._bells[topic].ring()

    async def close(self) -> None:
        """Close every connection, once those at work are done or their deadline is over."""
        self._is_closed = True
        async with self._turn(self._write_turn):
            if self._writer is not None:
                await self._writer.close()
                self._writer = None
        while self._readers:
            await self._readers.pop().close()

    @asynccontextmanager
    async def _connection(self, writing: bool) -> AsyncIterator[SqliteConnection]:
        turn = self._write_turn if writing else self._read_turn
        async with self._turn(turn):
            if self._is_closed:
                raise StorageUnavailable("The database is closed.")
            connection = await self._take(writing)
            try:
                yield connection
            finally:
                await self._put_back(connection, writing)

    @asynccontextmanager
    async def _turn(self, turn: asyncio.Lock | asyncio.Semaphore) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await turn.acquire()
        except TimeoutError as exc:
            raise StorageUnavailable("The database is too busy.") from exc
        try:
            yield
        finally:
            turn.release()

    async def _take(self, writing: bool) -> SqliteConnection:
        if not writing:
            return self._readers.pop() if self._readers else await self._connect(writing)
        if self._writer is None:
            self._writer = await self._connect(writing)
        return self._writer

    async def _put_back(self, connection: SqliteConnection, writing: bool) -> None:
        if writing:
            return
        if self._is_closed:
            await connection.close()
        else:
            self._readers.append(connection)

    async def _connect(self, writing: bool) -> SqliteConnection:
        connection = SqliteConnection(partial(self._open, writing), iter_chunk_size=1)
        try:
            async with asyncio.timeout(STATEMENT_SECONDS):
                with translated():
                    await connection
            return connection
        except TimeoutError as exc:
            await connection.join()
            raise StorageUnavailable("The database did not answer in time.") from exc
        except BaseException:
            await connection.join()
            raise

    def _open(self, writing: bool) -> sqlite3.Connection:
        """In the connection's thread and in one hop, so that nothing half-made can be left behind."""
        opened = sqlite3.connect(
            self._uri,
            uri=True,
            isolation_level=None,
            timeout=LEAVING_SECONDS if self._alone else self._busy_seconds,
            cached_statements=256,
        )
        opened.row_factory = sqlite3.Row
        if self._alone:
            keep_others_out(opened)
        opened.execute("PRAGMA foreign_keys = ON")
        opened.execute("PRAGMA synchronous = FULL")
        if not writing:
            opened.execute("PRAGMA query_only = ON")
        return opened


async def _roll_back(connection: SqliteConnection) -> None:
    """Undo what is open; a failure here must not hide the error that led here."""
    with suppress(StorageError, TimeoutError):
        async with asyncio.timeout(STATEMENT_SECONDS):
            with translated():
                await connection.rollback()
