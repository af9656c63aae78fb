"""Nudges: what reaches which worker, what is kept in line, and what a database without or with other tables gets."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import psycopg
import pytest

from pipeline.errors import CommandError, StoreError
from pipeline.queue.nudges import SCHEMA, Nudges


@asynccontextmanager
async def following(url: str, call: Callable[[], Awaitable[None]], duty: str = "ingest") -> AsyncIterator[None]:
    """A worker of its own, as another process has one."""
    async with Nudges(url) as nudges:
        task = asyncio.create_task(nudges.follow({duty: call}))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - what another connection did
            await asyncio.sleep(0.02)


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


async def test_a_nudge_reaches_a_worker_at_once_and_leaves_nothing_behind(postgres_url: str) -> None:
    called = asyncio.Event()

    async def call() -> None:
        called.set()

    async with following(postgres_url, call), Nudges(postgres_url) as scheduler:
        await asyncio.sleep(0.5)  # it listens
        assert await scheduler.give("ingest", 1) == 1
        async with asyncio.timeout(4):  # looking by itself it would take 5 s
            await called.wait()
    assert rows(postgres_url, f"SELECT count(*) FROM {SCHEMA}.procrastinate_jobs") == [(0,)]


async def test_no_more_nudges_wait_than_are_wanted(postgres_url: str) -> None:
    async with Nudges(postgres_url) as nudges:
        assert [await nudges.give("ingest", 2) for _ in range(3)] == [2, 0, 0]
        assert await nudges.give("ingest", 3) == 1
        assert await nudges.give("poll", 1) == 1


async def test_a_worker_without_room_leaves_nudges_to_others(postgres_url: str) -> None:
    calls: Counter[str] = Counter()
    waiting = f"SELECT 1 FROM {SCHEMA}.procrastinate_jobs WHERE status = 'todo'"
    is_free = asyncio.Event()

    async def call(name: str) -> None:
        calls[name] += 1
        if name == "full":
            await is_free.wait()

    async with following(postgres_url, partial(call, "full")), Nudges(postgres_url) as scheduler:
        await scheduler.give("ingest", 1)
        await until(lambda: calls["full"] == 1)
        async with following(postgres_url, partial(call, "idle")):
            for _ in range(3):
                await scheduler.give("ingest", 1)
                await until(lambda: not rows(postgres_url, waiting))
            await until(lambda: calls["idle"] == 3)
        is_free.set()
    assert calls["full"] == 1


async def test_a_call_that_fails_is_said_and_the_next_nudge_is_followed(postgres_url: str) -> None:
    calls: list[int] = []

    async def call() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise CommandError("the disk is full")

    async with following(postgres_url, call), Nudges(postgres_url) as scheduler:
        await scheduler.give("ingest", 2)
        await until(lambda: len(calls) == 2)


async def test_nudges_that_a_process_died_with_are_forgotten(postgres_url: str) -> None:
    async with Nudges(postgres_url) as nudges:
        await nudges.give("ingest", 1)
        with psycopg.connect(postgres_url) as connection:
            connection.execute(f"SET search_path TO {SCHEMA}".encode())
            connection.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')")
            connection.execute("SELECT procrastinate_fetch_job_v2(NULL, (SELECT max(id) FROM procrastinate_workers))")
        assert await nudges.forget_lost() == 1
        assert await nudges.forget_lost() == 0
    assert rows(postgres_url, f"SELECT count(*) FROM {SCHEMA}.procrastinate_jobs") == [(0,)]


async def test_tables_of_another_version_are_made_anew_and_two_may_ask_at_once(postgres_url: str) -> None:
    async with Nudges(postgres_url) as nudges:
        await nudges.give("ingest", 1)
    async with Nudges(postgres_url) as nudges:
        assert await nudges.give("ingest", 1) == 0  # the tables are those of before
    with psycopg.connect(postgres_url) as connection:
        connection.execute(f"COMMENT ON SCHEMA {SCHEMA} IS '1.0'".encode())

    async def given() -> int:
        async with Nudges(postgres_url) as nudges:
            return await nudges.give("poll", 1)

    assert sum(await asyncio.gather(given(), given())) >= 1
    assert rows(postgres_url, f"SELECT DISTINCT queue_name FROM {SCHEMA}.procrastinate_jobs") == [("poll",)]


async def test_a_database_out_of_reach_is_said() -> None:
    with pytest.raises(StoreError, match="queue's database"):
        async with Nudges("postgresql://nobody@127.0.0.1:1/none"):
            pass
