"""The parts of the daemon as processes of their own: scheduler, workers and page over one PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.entrypoints.test_daemon import Daemon, ask, free_port, until_stored
from tests.running import ROWS, Place, healed, place, serving

TICKS = {"DEFNEWS_INGEST__TICK_S": "0.2", "DEFNEWS_POLL__TICK_S": "0.2"}


@asynccontextmanager
async def part(here: Place, name: str, **more: str) -> AsyncIterator[Daemon]:
    """A part that runs; it is stopped if the test did not."""
    running = Daemon(await here.start(name, **{**TICKS, **more}))
    try:
        yield running
    finally:
        await running.stop()


@asynccontextmanager
async def page(here: Place) -> AsyncIterator[tuple[Daemon, httpx.AsyncClient]]:
    """`defnews serve`, and a client of it."""
    listen = f"127.0.0.1:{free_port()}"
    async with (
        part(here, "serve", DEFNEWS_API__LISTEN=listen) as running,
        httpx.AsyncClient(base_url=f"http://{listen}", trust_env=False, timeout=60) as client,
    ):
        yield running, client


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


async def test_the_death_of_a_worker_loses_nothing_and_leaves_nothing_twice(tmp_path: Path, postgres_url: str) -> None:
    slow = {"DEFNEWS_WEB__HOST_DELAY_S": "0.2", "DEFNEWS_INGEST__CONCURRENCY": "4"}
    async with serving() as server:
        healed(server)
        calm, here = place(tmp_path / "calm", server.room.feeds), place(tmp_path, server.room.feeds, postgres_url)
        assert (await calm.run("poll")).code == 0
        async with (
            page(here) as (served, client),
            part(here, "worker", **slow) as killed,
            part(here, "worker", **slow) as one,
            part(here, "scheduler") as scheduler,
        ):
            await until_stored(client, 8)
            killed.process.kill()
            async with part(here, "worker", **slow) as other:  # sees at once that the other is gone
                state = await until_stored(client, len(calm.ask(ROWS)))
                codes = [await running.stop() for running in (scheduler, one, other, served)]
        assert (await here.run("db", "check")).code == 0
    log = b"".join(running.log for running in (scheduler, one, other, served))
    assert (codes, b"Traceback" in log) == ([0, 0, 0, 0], False), log.decode()
    assert state["daemon_beat_at"] is not None
    states = rows(postgres_url, "SELECT state FROM runs WHERE kind = 'worker' ORDER BY state")
    assert states == [("done",), ("done",), ("interrupted",)]
    stored = rows(postgres_url, "SELECT canonical_url FROM articles ORDER BY canonical_url")
    assert sorted(url for (url,) in stored) == sorted(row[0] for row in calm.ask(ROWS))
    assert rows(postgres_url, "SELECT count(*) FROM entries WHERE state = 'claimed'") == [(0,)]
    twice = "SELECT article_id FROM events WHERE kind = 'stored' GROUP BY article_id HAVING count(*) > 1"
    assert rows(postgres_url, twice) == []


async def test_both_workers_claim(tmp_path: Path, postgres_url: str) -> None:
    async with serving() as server:
        here = place(tmp_path, server.room.feeds, postgres_url)
        few = {"DEFNEWS_POLL__CONCURRENCY": "4", "DEFNEWS_INGEST__CONCURRENCY": "2"}
        async with (
            page(here) as (_, client),
            part(here, "worker", **few) as one,
            part(here, "worker", **few) as other,
            part(here, "scheduler"),
        ):
            await until_stored(client, 45)
            await asyncio.gather(one.stop(), other.stop())
    counts = [counts for (counts,) in rows(postgres_url, "SELECT counts FROM runs WHERE kind = 'worker'")]
    assert all(count["stored"] > 0 for count in counts), counts


async def test_without_a_scheduler_or_a_worker_no_daemon_is_said_to_run(tmp_path: Path, postgres_url: str) -> None:
    here = place(tmp_path, (), postgres_url)
    async with page(here) as (_, client):
        await ask(client, "/healthz")
        async with part(here, "scheduler") as scheduler:
            while b'"number": 0' not in scheduler.log:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
            alone = (await here.run("status")).row
            async with part(here, "worker") as worker:
                while b"a worker is ready" not in worker.log:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
                both = (await here.run("status")).row
    assert alone["daemon_beat_at"] is None
    assert both["daemon_beat_at"] is not None


async def test_the_page_is_served_beside_a_daemon_on_sqlite(tmp_path: Path) -> None:
    async with serving() as server:
        here = place(tmp_path, server.room.feeds)
        assert (await here.run("poll")).code == 0
        async with part(here, "run", DEFNEWS_API__LISTEN=f"127.0.0.1:{free_port()}"), page(here) as (served, client):
            health = await ask(client, "/healthz")
            found = await client.get("/api/v1/articles", params={"q": "B-52H"})
            code = await served.stop()
    assert found.json()["articles"]
    assert (health["ok"], code) == (True, 0)
    assert here.ask("SELECT state FROM runs WHERE kind = 'serve'") == [("done",)]


async def test_several_processes_on_sqlite_are_refused(tmp_path: Path) -> None:
    here = place(tmp_path)
    for name in ("scheduler", "worker"):
        ended = await here.run(name)
        assert ended.code == 1
        assert "PostgreSQL" in ended.err
