"""Connections that save trips give the same rows as any other."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from pipeline.store import trips

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
