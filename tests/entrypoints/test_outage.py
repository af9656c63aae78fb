"""The database goes away under a running daemon, and comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.entrypoints.test_daemon import ask, daemon, until_stored
from tests.entrypoints.test_parts import page, part
from tests.running import place, serving


class Line:
    """A line to a server that can be cut and mended."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._writers: set[asyncio.StreamWriter] = set()
        self.is_cut = False

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
            self._writers.discard(writer)

    def cut(self) -> None:
        self.is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        self.is_cut = False


@asynccontextmanager
async def line_to(url: str) -> AsyncIterator[tuple[Line, str]]:
    """A line to a database, and the database's address over it."""
    parts = urlsplit(url)
    line = Line(parts.hostname or "127.0.0.1", parts.port or 5432)
    server = await asyncio.start_server(line.connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield line, parts._replace(netloc=f"{parts.username}@127.0.0.1:{port}").geturl()
    finally:
        server.close()
        line.cut()


async def test_a_daemon_outlives_an_outage_of_its_database_and_loses_nothing(tmp_path: Path, postgres_url: str) -> None:
    async with serving() as server, line_to(postgres_url) as (line, url):
        here = place(tmp_path, server.room.feeds, url)
        async with daemon(here, DEFNEWS_WEB__HOST_DELAY_S="0.2") as (running, client):
            await until_stored(client, 5)
            line.cut()
            ready = await client.get("/readyz")
            await asyncio.sleep(6)  # a heartbeat falls into it
            well = await ask(client, "/healthz")
            line.mend()
            await until_stored(client, 45)
            code = await running.stop()
        assert code == 0, running.log.decode()
    assert (ready.status_code, ready.json()["ok"], well["ok"]) == (503, False, True)
    with psycopg.connect(postgres_url) as c:
        assert c.execute("SELECT state FROM runs").fetchall() == [("done",)]
        assert c.execute("SELECT count(*) FROM entries WHERE state = 'claimed'").fetchall() == [(0,)]
        assert c.execute("SELECT count(*) FROM feed_claims").fetchall() == [(0,)]


async def test_a_stop_during_an_outage_is_clean(tmp_path: Path, postgres_url: str) -> None:
    async with serving() as server, line_to(postgres_url) as (line, url):
        here = place(tmp_path, server.room.feeds, url)
        async with daemon(here, DEFNEWS_WEB__HOST_DELAY_S="0.2") as (running, client):
            await until_stored(client, 3)
            line.cut()
            code = await running.stop()
        assert code == 0, running.log.decode()
    assert b"claims are free" in running.log


async def test_scheduler_and_worker_outlive_an_outage_of_their_database(tmp_path: Path, postgres_url: str) -> None:
    async with serving() as server, line_to(postgres_url) as (line, url):
        here, near = place(tmp_path / "far", server.room.feeds, url), place(tmp_path / "near", (), postgres_url)
        async with page(near) as (_, client):
            slow = {"DEFNEWS_WEB__HOST_DELAY_S": "0.2"}
            async with part(here, "worker", **slow) as worker, part(here, "scheduler") as scheduler:
                await until_stored(client, 5)
                line.cut()
                await asyncio.sleep(6)  # a heartbeat falls into it, and the queue's listener ends
                line.mend()
                await until_stored(client, 45)
                line.cut()
                codes = await asyncio.gather(worker.stop(), scheduler.stop())
    assert set(codes) == {0}, (worker.log + scheduler.log).decode()
    assert b"Traceback" not in scheduler.log, scheduler.log.decode()
    assert b"something hangs" not in worker.log
