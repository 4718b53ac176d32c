"""PostgreSQL: a pool of connections, and one more that hears what other processes announce.

What is announced is sent with NOTIFY within the transaction, so that nobody is woken for what was not
committed. When the hearing connection is lost, whoever waits looks for themselves until it is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import cast

import asyncpg  # type: ignore[import-untyped]  # it ships no type information

from operations.errors import InvalidRequest, StorageError, StorageUnavailable
from operations.redaction import clean
from storage.session import (
    STATEMENT_SECONDS,
    TURN_SECONDS,
    Bell,
    Row,
    Topic,
    UniqueViolation,
)
from storage.solitude import be_alone, connection_name
from storage.statements import Statement

CONNECT_SECONDS = 5.0
AUDIT_TURN = 5_202_611
"""Advisory lock of who appends to the trail."""
MIGRATION_TURN = AUDIT_TURN + 1
"""The one of who migrates, which every process does before anything else."""
NAMES_HELD = 1
"""First number of the advisory locks of names."""

_POOL_SIZE = 10
_UNDO_SECONDS = 1.0
_PARTING_SECONDS = 1.5
"""How long a connection may take to become free again, and all of them to be closed."""
_DEAF_POLL_SECONDS = 0.5
_UNAVAILABLE = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,  # deadlocks and the like
    asyncpg.LockNotAvailableError,
    asyncpg.InterfaceError,  # used while it closes, or after
    asyncpg.InternalClientError,
)


@contextmanager
def translated() -> Iterator[None]:
    """Raises our errors in place of the driver's."""
    try:
        yield
    except asyncpg.UniqueViolationError as exc:
        raise UniqueViolation("The database holds such a row already.") from exc
    except ValueError as exc:  # of the values, before anything was sent
        raise StorageError("The database cannot keep this value.") from exc
    except _UNAVAILABLE as exc:
        raise StorageUnavailable(f"The database cannot be used now: {_words(exc)}.") from exc
    except asyncpg.PostgresError as exc:
        raise StorageError(f"The database refused: {_words(exc)}.") from exc
    except TimeoutError as exc:
        raise StorageUnavailable("The database did not answer in time.") from exc
    except OSError as exc:
        raise StorageUnavailable("The database cannot be reached.") from exc


def _words(error: Exception) -> str:
    return clean(str(error).splitlines()[0] if str(error) else type(error).__name__, limit=200)


async def connect(dsn: str, *, seconds: float = STATEMENT_SECONDS) -> asyncpg.Connection:
    """A connection of one's own with this deadline for each statement.

    Raises StorageUnavailable, StorageError or InvalidRequest.
    """
    with translated():
        try:
            return await asyncpg.connect(
                dsn,
                timeout=CONNECT_SECONDS,
                command_timeout=seconds,
                server_settings={"application_name": connection_name()},
            )
        except ValueError as exc:
            raise InvalidRequest("The database's URL cannot be read.") from exc


class PostgresSession:
    """A transaction on a connection of the pool."""

    def __init__(self, connection: asyncpg.Connection, *, writing: bool) -> None:
        self._connection = connection
        self.is_writing = writing
        self._topics: set[Topic] = set()

    async def fetch(self, statement: Statement, **values: object) -> Sequence[Row]:
        """Run it and read every row."""
        compiled = statement.compiled("postgresql")
        with translated():
            rows = await self._connection.fetch(compiled.text, *compiled.arguments(values))
        return cast("Sequence[Row]", rows)

    async def run_each(self, statement: Statement, rows: Sequence[Mapping[str, object]]) -> None:
        """Run it once for each of the rows, in one exchange."""
        compiled = statement.compiled("postgresql")
        with translated():
            await self._connection.executemany(
                compiled.text, [compiled.arguments(values) for values in rows]
            )

    async def defer(self, statement: Statement, rows: Sequence[Mapping[str, object]]) -> None:
        """At once: an exchange with the server needs no thread."""
        await self.run_each(statement, rows)

    async def take_turn(self) -> None:
        """Hold the trail's lock until the transaction ends."""
        with translated():
            await self._connection.execute(f"SELECT pg_advisory_xact_lock({AUDIT_TURN})")

    async def hold(self, name: str) -> None:
        """Locks of two numbers are none of those of one, such as the trail's."""
        with translated():
            await self._connection.execute(
                "SELECT pg_advisory_xact_lock($1, hashtext($2))", NAMES_HELD, name
            )

    async def be_alone(self) -> None:
        """Until the transaction ends; raises Refused when another process is connected."""
        with translated():
            await be_alone(self._connection, MIGRATION_TURN)

    def announce(self, topic: Topic) -> None:
        """Send NOTIFY at the end of the transaction."""
        self._topics.add(topic)

    async def send_announcements(self) -> None:
        """One exchange for all."""
        if self._topics:
            notify = "; ".join(f"NOTIFY {topic}" for topic in sorted(self._topics))
            with translated():
                await self._connection.execute(notify)


class PostgresEngine:
    """The database at `dsn`, which `storage.migration` has made.

    Who waits looks every `poll_seconds`, as rows also fall due by time alone; more often while
    announcements cannot be heard. `alone`: each transaction is refused while another process of ours is
    connected, and none can start until it ends.
    """

    def __init__(self, dsn: str, *, poll_seconds: float = 2.0, alone: bool = False) -> None:
        self._poll_seconds = poll_seconds
        self._alone = alone
        self._dsn = dsn
        self._pool: asyncpg.Pool | None = None
        self._pool_turn = asyncio.Lock()
        self._ear: asyncpg.Connection | None = None
        self._ear_turn = asyncio.Lock()
        self._bells = {topic: Bell() for topic in Topic}
        self._is_closed = False

    @property
    def poll_seconds(self) -> float:
        """How often one who waits must look by themselves."""
        return self._poll_seconds if self._is_listening else _DEAF_POLL_SECONDS

    def bell(self, topic: Topic) -> Bell:
        """The topic's bell."""
        return self._bells[topic]

    @asynccontextmanager
    async def session(self, *, writing: bool) -> AsyncIterator[PostgresSession]:
        """A transaction, committed at the end of the block and rolled back when it raises."""
        async with self._connection() as connection:
            # One reading transaction sees one state of everything.
            isolation = "read_committed" if writing else "repeatable_read"
            transaction = connection.transaction(isolation=isolation, readonly=not writing)
            session = PostgresSession(connection, writing=writing)
            try:
                with translated():
                    await transaction.start()
                if self._alone:
                    await session.be_alone()
                yield session
                await session.send_announcements()
                with translated():
                    await transaction.commit()
            except BaseException:
                await _undo(connection, transaction)
                raise

    async def attend(self) -> None:
        """Listen, unless that is so already; a database that cannot be reached is tried again next time."""
        if self._is_listening or self._is_closed:
            return
        with suppress(StorageError):
            async with self._ear_turn:
                if not self._is_listening:
                    await self._listen()

    async def close(self) -> None:
        """Close every connection; those still at work are cut off after a deadline."""
        self._is_closed = True
        if self._ear is not None:
            self._ear.remove_termination_listener(self._on_lost)
            self._ear.terminate()
            self._ear = None
        if self._pool is not None:
            try:
                async with asyncio.timeout(_PARTING_SECONDS):
                    await self._pool.close()
            except (TimeoutError, *_UNAVAILABLE):
                self._pool.terminate()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        if self._is_closed:
            raise StorageUnavailable("The database is closed.")
        pool = await self._open_pool()
        with translated():
            connection = await pool.acquire(timeout=TURN_SECONDS)
        try:
            yield connection
        finally:
            with suppress(StorageError), translated():
                await pool.release(connection, timeout=_PARTING_SECONDS)

    async def _open_pool(self) -> asyncpg.Pool:
        async with self._pool_turn:
            if self._pool is None:
                with translated():
                    self._pool = await asyncpg.create_pool(
                        self._dsn,
                        min_size=1,
                        max_size=1 if self._alone else _POOL_SIZE,
                        timeout=CONNECT_SECONDS,
                        command_timeout=STATEMENT_SECONDS,
                        server_settings={"application_name": connection_name()},
                    )
            return self._pool

    @property
    def _is_listening(self) -> bool:
        return self._ear is not None and not self._ear.is_closed()

    async def _listen(self) -> None:
        ear = await connect(self._dsn)
        try:
            with translated():
                for topic in Topic:
                    await ear.add_listener(topic, self._on_announcement)
        except BaseException:
            ear.terminate()
            raise
        ear.add_termination_listener(self._on_lost)
        self._ear = ear

    def _on_announcement(
        self, _connection: object, _process: int, channel: str, _payload: object
    ) -> None:
        self._bells[Topic(channel)].ring()

    def _on_lost(self, _connection: object) -> None:
        for bell in self._bells.values():
            bell.ring()


async def _undo(
    connection: asyncpg.Connection, transaction: asyncpg.transaction.Transaction
) -> None:
    """Undo what is open, or cut the connection, by which the server undoes it.

    A failure here must not hide the error that led here, nor may a server that hangs delay it for long: it
    may be the end of the process that waits.
    """
    is_undone = False
    try:
        with suppress(StorageError, TimeoutError):
            async with asyncio.timeout(_UNDO_SECONDS):
                with translated():
                    await transaction.rollback()
            is_undone = True
    finally:
        if not is_undone:
            with suppress(asyncpg.InterfaceError):  # one that was lost has been put away already
                connection.terminate()
