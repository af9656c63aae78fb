"""SQLite connections of which a statement takes one trip to their thread: the driver's own take four.

Making a cursor, running the statement, reading its rows and closing the cursor happen in a thread of the connection's
own. Each trip there and back costs as much as a small query does, and a search is made of small queries. A transaction
that begins by reading begins with its first statement anyway: its BEGIN goes along with that. A connection that was
asked nothing since a transaction ended needs no trip to end one.
"""

import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any, ParamSpec, TypeVar

import aiosqlite

BEGIN = "BEGIN"
AHEAD = 256  # rows that come back on the trip of their statement; most results are smaller
Passed = ParamSpec("Passed")
Result = TypeVar("Result")


def connect(*options: Any, **more: Any) -> aiosqlite.Connection:
    """A connection that is opened when it is awaited; the options are those of `sqlite3.connect`."""
    connection = Connection(partial(sqlite3.connect, *options, **more), AHEAD)
    connection._thread.daemon = True  # as SQLAlchemy wants it
    return connection


class Connection(aiosqlite.Connection):
    """A connection whose cursors save trips."""

    is_to_begin = False  # a transaction begins with the next statement
    is_asked = False  # since the last transaction ended

    def cursor(self) -> "Cursor":  # type: ignore[override]
        """A cursor, which costs no trip yet."""
        return Cursor(self)

    async def commit(self) -> None:
        """End the transaction, if there is one."""
        await self._end(super().commit)

    async def rollback(self) -> None:
        """Undo the transaction, if there is one."""
        await self._end(super().rollback)

    async def _end(self, end: Callable[[], Awaitable[None]]) -> None:
        was_asked, self.is_to_begin, self.is_asked = self.is_asked, False, False
        if was_asked:
            await end()

    def begins(self) -> bool:
        """Whether a transaction begins with the statement that goes now."""
        begins, self.is_to_begin, self.is_asked = self.is_to_begin, False, True
        return begins

    async def trip(self, call: Callable[Passed, Result], *given: Passed.args, **more: Passed.kwargs) -> Result:
        """Call something in the connection's thread."""
        result: Result = await self._execute(call, *given, **more)  # type: ignore[no-untyped-call]
        return result


class Cursor:
    """What SQLAlchemy asks of a cursor."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: deque[Any] = deque()
        self._cursor: sqlite3.Cursor | None = None
        self._is_open = False

    async def __aenter__(self) -> "Cursor":
        return self

    @property
    def description(self) -> Any:
        """The columns of the last statement; None when it returns no rows."""
        return None if self._cursor is None else self._cursor.description

    @property
    def rowcount(self) -> int:
        """The rows that the last statement changed."""
        return -1 if self._cursor is None else self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        """The rowid of the last row that was inserted."""
        return None if self._cursor is None else self._cursor.lastrowid

    async def execute(self, statement: str, parameters: Iterable[Any] = ()) -> None:
        """Run a statement, and read the first rows of what it returns."""
        if statement == BEGIN:
            self._connection.is_to_begin = True
            return
        await self._connection.trip(self._run, self._connection.begins(), statement, parameters)

    async def executemany(self, statement: str, parameters: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each set of parameters."""
        await self._connection.trip(self._run_many, self._connection.begins(), statement, parameters)

    async def fetchone(self) -> Any:
        """The next row; None after the last."""
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int = AHEAD) -> list[Any]:
        """The next rows."""
        if len(self._rows) < size and self._is_open:
            await self._connection.trip(self._read, max(size, AHEAD))
        return [self._rows.popleft() for _ in range(min(size, len(self._rows)))]

    async def fetchall(self) -> list[Any]:
        """All rows that are left."""
        if self._is_open:
            await self._connection.trip(self._read, 0)
        return await self.fetchmany(len(self._rows))

    async def close(self) -> None:
        """Forget the rows that are left."""
        self._rows.clear()
        if self._is_open:
            await self._connection.trip(self._close)

    def _run(self, begins: bool, statement: str, parameters: Iterable[Any]) -> None:
        self._cursor = self._opened(begins)
        self._cursor.execute(statement, tuple(parameters))
        self._is_open = True
        self._read(AHEAD)

    def _run_many(self, begins: bool, statement: str, parameters: Iterable[Sequence[Any]]) -> None:
        self._cursor = self._opened(begins)
        self._cursor.executemany(statement, parameters)

    def _opened(self, begins: bool) -> sqlite3.Cursor:
        cursor = self._connection._conn.cursor()
        if begins:
            cursor.execute(BEGIN)
        return cursor

    def _read(self, size: int) -> None:
        if self._cursor is not None:
            rows = self._cursor.fetchmany(size) if size else self._cursor.fetchall()
            self._rows.extend(rows)
            if len(rows) < size or not size:
                self._close()

    def _close(self) -> None:
        if self._cursor is not None:
            self._is_open = False
            self._cursor.close()
