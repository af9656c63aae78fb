"""Connections that save trips give the same rows as any other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from pipeline.store import trips
from pipeline.store.database import Database

COUNT = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :last) SELECT i FROM n"


@pytest.fixture
async def connection() -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine("sqlite+aiosqlite://", connect_args={"async_creator_fn": trips.connect})
    async with engine.connect() as opened:
        yield opened
    await engine.dispose()


@pytest.mark.parametrize("last", [1, trips.AHEAD - 1, trips.AHEAD, trips.AHEAD + 1, 3 * trips.AHEAD])
async def test_all_rows_come_however_many(connection: AsyncConnection, last: int) -> None:
    rows = await connection.execute(text(COUNT), {"last": last})
    assert list(rows.scalars()) == list(range(1, last + 1))


@pytest.mark.parametrize("last", [1, trips.AHEAD, 3 * trips.AHEAD + 1])
async def test_a_stream_gives_all_rows_in_order(connection: AsyncConnection, last: int) -> None:
    async with connection.stream(text(COUNT).execution_options(yield_per=100), {"last": last}) as rows:
        assert [row.i async for row in rows] == list(range(1, last + 1))


async def test_a_stream_that_is_left_leaves_nothing_open(connection: AsyncConnection) -> None:
    await connection.execute(text("CREATE TABLE t (i INTEGER)"))
    async with connection.stream(text(COUNT).execution_options(yield_per=10), {"last": 10_000}) as rows:
        assert (await anext(rows)).i == 1
    await connection.execute(text("DROP TABLE t"))  # refused while a statement runs


async def test_what_a_statement_changed_is_counted(connection: AsyncConnection) -> None:
    await connection.execute(text("CREATE TABLE t (i INTEGER UNIQUE)"))
    made = await connection.execute(text("INSERT INTO t VALUES (:i)"), [{"i": n} for n in range(300)])
    assert made.rowcount == 300
    gone = await connection.execute(text("DELETE FROM t WHERE i >= 10 RETURNING i"))
    assert len(gone.all()) == 290
    with pytest.raises(IntegrityError):
        await connection.execute(text("INSERT INTO t VALUES (1)"))
    assert (await connection.execute(text("SELECT count(*) FROM t"))).scalar() == 10


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'news.db'}")
    async with opened.write() as c:
        await c.execute(text("CREATE TABLE t (i INTEGER)"))
    yield opened
    await opened.close()


async def rows(c: AsyncConnection) -> int:
    return int((await c.execute(text("SELECT count(*) FROM t"))).scalar_one())


async def test_what_others_write_after_the_first_look_is_not_seen(database: Database) -> None:
    async with database.read() as c:
        assert await rows(c) == 0
        async with database.write() as other:
            await other.execute(text("INSERT INTO t VALUES (1)"))
        assert await rows(c) == 0
    async with database.read() as c:
        assert await rows(c) == 1


async def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    with suppress(ZeroDivisionError):
        async with database.write() as c:
            await c.execute(text("INSERT INTO t VALUES (:i)"), [{"i": n} for n in range(3)])
            raise ZeroDivisionError
    async with database.read() as c:
        assert await rows(c) == 0


async def test_a_reader_that_is_cancelled_leaves_no_transaction_open(database: Database) -> None:
    async def read_long() -> None:
        async with database.read() as c:
            await c.execute(text(COUNT), {"last": 50_000})

    for _ in range(5):
        task = asyncio.create_task(read_long())
        await asyncio.sleep(0.002)
        task.cancel()
        await asyncio.wait([task])
    async with database.write() as c:
        await c.execute(text("INSERT INTO t VALUES (1)"))
    async with database.read() as c:
        assert await rows(c) == 1


async def test_a_transaction_in_which_nothing_was_asked_keeps_nobody_waiting(database: Database) -> None:
    async with database.read():
        pass
    async with database.write() as c:
        await c.execute(text("INSERT INTO t VALUES (1)"))
        assert await rows(c) == 1
