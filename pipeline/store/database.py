"""The connection to SQLite or PostgreSQL: reading, writing (one writer at a time), and writing in batches."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Generic, TypeVar

import sqlalchemy.exc
from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from pipeline.errors import ConflictError, StoreError, UsageError
from pipeline.query.words import paired
from pipeline.store import trips
from pipeline.store.types import unpack

CACHE_KIB = 4_096  # of each connection, of which there may be sixteen; the system keeps the file's pages too
PRAGMAS = (
    *("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "foreign_keys=ON"),
    f"cache_size=-{CACHE_KIB}",
)
CONFLICTS = ("23505", "40001", "40P01")  # unique violation, serialization failure, deadlock
READ_ONLY = "25006"  # a standby, which a failover left us with
TOO_LARGE = "54"  # the class of errors of a row or a question that passes one of PostgreSQL's limits
CONFLICT_TRIES = 3
LINGER_S = 0.02  # between two batches, for what hundreds wait for at once
DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
OLDEST_SQLITE = (3, 38, 0)  # STRICT tables, RETURNING, `unixepoch`
Item = TypeVar("Item")
Result = TypeVar("Result")


def parse_url(url: str) -> URL:
    """The database's address with our driver in it.

    Raises:
        UsageError: it is no SQLite or PostgreSQL address.
    """
    try:
        parsed = make_url(url)
        return parsed.set(drivername=DRIVERS[parsed.drivername.split("+")[0]])
    except (sqlalchemy.exc.ArgumentError, KeyError) as e:
        raise UsageError("DEFNEWS_DATABASE_URL: expected sqlite:///FILE or postgresql://USER@HOST/NAME") from e


def redacted(url: str) -> str:
    """The address without its password, for people."""
    parsed = parse_url(url)
    return parsed.set(drivername=parsed.get_backend_name()).render_as_string(hide_password=True)


def conninfo(url: str) -> str | None:
    """The address as PostgreSQL's own library wants it, with its password; None for SQLite."""
    if file_of(url) is not None:
        return None
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415  # SQLite does without

    parsed = parse_url(url)
    _, arguments = parsed.get_dialect()().create_connect_args(parsed)
    return make_conninfo("", **arguments)


def file_of(url: str) -> Path | None:
    """The SQLite file; None for PostgreSQL."""
    parsed = parse_url(url)
    return Path(parsed.database or "defnews.db") if parsed.get_backend_name() == "sqlite" else None


class Database:
    """An engine and its manners."""

    def __init__(self, url: str, *, is_read_only: bool = False) -> None:
        self.url = url
        arguments: dict[str, Any] = {"options": "-c default_transaction_read_only=on"} if is_read_only else {}
        if file_of(url) is not None:
            arguments = {"async_creator_fn": trips.connect}
        self.engine: AsyncEngine = create_async_engine(
            parse_url(url), pool_size=8, max_overflow=8, connect_args=arguments
        )
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._reading = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        self._writer = asyncio.Lock() if self.is_sqlite else None
        if self.is_sqlite:
            _private_file(file_of(url))
            event.listen(self.engine.sync_engine, "connect", _on_connect)
            event.listen(self.engine.sync_engine, "begin", _on_begin)
            if is_read_only:
                event.listen(self.engine.sync_engine, "connect", _refuse_writes)

    def insert(self, table: Any) -> Any:
        """INSERT with ON CONFLICT, in the dialect of this database."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One consistent view.

        Raises:
            StoreError: the database is out of reach, full, or locked for too long.
        """
        with self._translated():
            async with self.engine.connect() as plain:
                connection = await plain.execution_options(**self._reading)
                async with connection.begin():
                    try:
                        yield connection
                    except sqlalchemy.exc.DBAPIError as e:
                        if _is_askers(e):
                            raise UsageError(f"this cannot be asked: {str(e.orig).strip()}") from e
                        raise
                    except OverflowError as e:  # SQLite's word on a number beyond 64 bits
                        raise UsageError(f"this cannot be asked: {e}") from e

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction; on SQLite the only writer of this process.

        Raises:
            StoreError: the database is out of reach, full, or locked for too long.
        """
        with self._translated():
            async with self._writer or nullcontext(), self.engine.connect() as plain:
                connection = await plain.execution_options(defnews_write=True)
                async with connection.begin():
                    yield connection

    async def settle(self, write: Callable[[], Awaitable[Result]]) -> Result:
        """Do a whole transaction; do it again when another process was in its way.

        Raises:
            ConflictError: it was so every time.
        """
        for _ in range(CONFLICT_TRIES):
            try:
                return await write()
            except ConflictError:
                continue
        return await write()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlalchemy.exc.DBAPIError as e:
            if _sqlstate(e) in CONFLICTS:
                raise ConflictError(f"{redacted(self.url)}: {str(e.orig).strip()}") from e
            is_operational = isinstance(e, sqlalchemy.exc.OperationalError | sqlalchemy.exc.InterfaceError)
            is_operational = is_operational or _sqlstate(e) == READ_ONLY
            if not is_operational or _sqlstate(e).startswith(TOO_LARGE):  # what is written is at fault
                raise
            raise StoreError(f"{redacted(self.url)}: {str(e.orig).strip()}") from e
        except sqlalchemy.exc.TimeoutError as e:
            raise StoreError(f"{redacted(self.url)}: no connection is free") from e

    async def optimize(self) -> None:
        """Daily care: fresh statistics for the planner, without which PostgreSQL reads all verdicts for a page."""
        async with self.write() as c:
            await c.exec_driver_sql("PRAGMA optimize" if self.is_sqlite else "ANALYZE")

    async def close(self) -> None:
        """Give all connections back."""
        await self.engine.dispose()


def _sqlstate(error: sqlalchemy.exc.DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _is_askers(error: sqlalchemy.exc.DBAPIError) -> bool:
    """Whether a question is at fault: a NUL character, a number beyond 64 bits, too deep."""
    return isinstance(error, sqlalchemy.exc.DataError) or _sqlstate(error).startswith(TOO_LARGE)


def _private_file(path: Path | None) -> None:
    """Make the file readable by its owner only, before anything is in it."""
    if path is None or path.exists() or str(path) == ":memory:":
        return
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as e:
        raise StoreError(f"cannot make the database {path}: {e.strerror}") from e


def _on_connect(connection: Any, _record: Any) -> None:
    try:
        _prepare(connection)
    except BaseException:  # a file that is no database: nobody else closes the connection
        connection.close()
        raise


def _prepare(connection: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours: see _on_begin
    connection.create_function("unpack", 1, unpack, deterministic=True)
    connection.create_function("paired", 1, paired, deterministic=True)
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _refuse_writes(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA query_only=ON")


def _on_begin(connection: Connection) -> None:
    """Writers take the lock at once: a transaction that upgrades from reading fails with "database is locked"."""
    is_writer = connection.get_execution_options().get("defnews_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")


class Batcher(Generic[Item, Result]):
    """Writes what came while a batch was being written, and for as long as it then lingers, as the next batch.

    One item alone waits for nothing; many share one transaction, which costs about as much as thirty of them. When a
    batch fails, its items are tried one by one, so that only the culprit sees the error; after a conflict with another
    process the batch is tried again.
    """

    def __init__(
        self, write: Callable[[list[Item]], Awaitable[list[Result]]], largest: int = 200, linger_s: float = 0
    ) -> None:
        self._write = write
        self._largest = largest
        self._linger_s = linger_s
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def put(self, item: Item) -> Result:
        """Returns when the item is committed."""
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._drain())
        return await done

    async def _drain(self) -> None:
        size = 0
        while self._waiting:
            if self._linger_s and 1 < size < self._largest:
                await asyncio.sleep(self._linger_s)
            batch, self._waiting = self._waiting[: self._largest], self._waiting[self._largest :]
            size = len(batch)
            await self._settle(batch)

    async def _settle(self, batch: list[tuple[Item, asyncio.Future[Result]]], tries: int = CONFLICT_TRIES) -> None:
        try:
            results = await self._write([item for item, _ in batch])
        except ConflictError as e:
            await (self._settle(batch, tries - 1) if tries else self._fail(batch, e))
            return
        except StoreError as e:  # out of reach: the next item would fare no better
            await self._fail(batch, e)
            return
        except Exception as e:  # noqa: BLE001 - handed to whoever waits for it
            await (self._fail(batch, e) if len(batch) == 1 else self._one_by_one(batch))
            return
        for (_, done), result in zip(batch, results, strict=True):
            if not done.done():
                done.set_result(result)

    async def _one_by_one(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        for single in batch:
            await self._settle([single])

    @staticmethod
    async def _fail(batch: list[tuple[Item, asyncio.Future[Result]]], error: Exception) -> None:
        for _, done in batch:
            if not done.done():
                done.set_exception(error)
