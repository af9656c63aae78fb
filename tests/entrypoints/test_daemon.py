"""The daemon: what it serves, how it stops, what it picks up, and that there is one on a SQLite file."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.newsroom import Fault, FaultKind
from pipeline.newsroom.texts import texts
from pipeline.store import open_store
from tests import make
from tests.forking import Command
from tests.running import Place, place, serving
from tests.store.filling import fill


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Daemon:
    """A running daemon; its log is read all the time, so that it never waits for us."""

    def __init__(self, process: Command) -> None:
        self.process = process
        self.log = b""
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while self.process.stderr and (block := await self.process.stderr.read(65_536)):
            self.log += block

    async def stop(self, signum: signal.Signals = signal.SIGTERM) -> int | None:
        """Ask it to end, and wait until it has; returns its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(signum)
            await asyncio.wait_for(self.process.wait(), 35)
        await self._reading
        return self.process.returncode


@asynccontextmanager
async def daemon(here: Place, **more: str) -> AsyncIterator[tuple[Daemon, httpx.AsyncClient]]:
    """A running daemon and a client of its page; it is stopped if the test did not."""
    listen = f"127.0.0.1:{free_port()}"
    ticks = {"DEFNEWS_INGEST__TICK_S": "0.2", "DEFNEWS_POLL__TICK_S": "0.2"}
    running = Daemon(await here.start("run", **{"DEFNEWS_API__LISTEN": listen, **ticks, **more}))
    try:
        async with httpx.AsyncClient(base_url=f"http://{listen}", trust_env=False, timeout=60) as client:
            yield running, client
    finally:
        await running.stop()


async def ask(client: httpx.AsyncClient, path: str) -> Any:
    """The JSON of a probe, once the daemon serves."""
    for _ in range(150):
        try:
            return (await client.get(path)).json()
        except httpx.TransportError:
            await asyncio.sleep(0.1)
    raise AssertionError("the daemon does not answer")


async def until_stored(client: httpx.AsyncClient, articles: int) -> dict[str, Any]:
    state: dict[str, Any] = {}
    for _ in range(300):
        state = await ask(client, "/readyz")
        if state["articles"] >= articles:
            return state
        await asyncio.sleep(0.1)
    raise AssertionError(f"only {state} stored")


async def test_it_polls_ingests_and_serves_a_page_of_verdicts(tmp_path: Path) -> None:
    async with serving() as server:
        here = place(tmp_path, server.room.feeds)
        async with daemon(here) as (running, client):
            await until_stored(client, 30)
            health = await ask(client, "/healthz")
            page = await client.get("/")
            found = await client.get("/search", params={"q": "B-52H"})
            broken = await client.get("/search", params={"q": "a OR"})
            code = await running.stop(signal.SIGINT)
    assert (health["ok"], health["unexpected_errors"]) == (True, 0)
    assert health["ticks"]["poll/done"] > 1
    assert 'class="label defense"' in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "B-52H" in found.text
    assert (broken.status_code, "column 3" in broken.text) == (422, True)
    assert code == 0, running.log.decode()
    assert b"Traceback" not in running.log
    assert b"page      http://127.0.0.1" in running.log
    assert here.ask("SELECT kind, state FROM runs") == [("daemon", "done")]


async def test_what_a_feed_publishes_later_is_found(tmp_path: Path) -> None:
    async with serving() as server:
        feed = next(feed for feed in server.room.feeds if feed.format.startswith("atom"))  # it asks for no interval
        here = place(tmp_path, [feed])
        async with daemon(here, DEFNEWS_POLL__INTERVAL_S="1", DEFNEWS_POLL__MIN_INTERVAL_S="1") as (_, client):
            known = (await until_stored(client, 3))["articles"]
            late = next(
                text
                for text in texts()
                if text.title not in {a.title for a in server.room.articles if feed.url in a.feeds}
            )
            server.publish(late, feed.site, datetime.now(UTC))  # noqa: TID251
            await until_stored(client, known + 1)
            for _ in range(100):
                page = (await client.get("/search")).text
                if late.title in page:
                    return
                await asyncio.sleep(0.1)
    raise AssertionError("the late article is not on the page")


async def test_the_page_finds_what_the_command_line_finds(tmp_path: Path) -> None:
    here = place(tmp_path)
    async with await open_store(here.environment()["DEFNEWS_DATABASE_URL"]) as store:
        articles = [make.article(1, title="Bombers over Jeju"), make.article(2, title="Frigate sold", is_teaser=True)]
        hostile = make.verdict(entities=(('"><script>', "x"),))
        await fill(store, articles, [make.tagged(), hostile])
    async with daemon(here) as (_, client):
        await until_stored(client, 2)
        whole = (await client.get("/search")).text
        one = (await client.get("/search", params={"country": "kr", "entity": "b-52H"})).text
        searched = [(await here.run("search", *flag)).rows for flag in (("--teaser",), ("--no-teaser",), ())]
        none = (await client.get("/search", params={"topic": "cyber"})).text
        broken = await client.get("/search", params={"country": "ZZ"})
    assert '"><script>' not in whole
    assert ("Bombers" in one, "Frigate" in one) == (True, False)
    assert 'value="country:kr entity:b-52H"' in one
    assert [[row["title"].split()[0] for row in rows] for rows in searched] == [
        ["Frigate"],
        ["Bombers"],
        ["Bombers", "Frigate"],
    ]
    assert ("beginning only" in whole, "beginning only" in one) == (True, False)
    assert ("Bombers" in none, "Frigate" in none) == (False, False)
    assert (broken.status_code, "ZZ" in broken.text) == (422, True)


async def test_a_stop_does_not_wait_for_a_page_that_hangs(tmp_path: Path) -> None:
    async with serving() as server:
        here = place(tmp_path, server.room.feeds)
        for article in server.room.articles[:20]:
            server.fault(article.url, Fault(FaultKind.HANG))
        async with daemon(here, DEFNEWS_WEB__TIMEOUT_S="60") as (running, client):
            await until_stored(client, 10)
            code = await running.stop()
    assert code == 0, running.log.decode()
    assert here.ask("SELECT count(*) FROM entries WHERE state = 'claimed'") == [(0,)]


async def test_a_second_daemon_on_the_file_is_refused_and_other_commands_are_not(tmp_path: Path) -> None:
    async with serving() as server:
        here = place(tmp_path, server.room.feeds)
        async with daemon(here) as (_, client):
            await until_stored(client, 1)
            second = await here.run("run")
            searched = await here.run("search", "--limit", "1")
            filled = await here.run("backfill", "--since", "60d", "--via", "sitemap")
    assert (second.code, "another daemon" in second.err) == (1, True)
    assert len(searched.rows) == 1
    assert (filled.code, filled.row["waiting"]) == (0, 0)
    assert (await here.run("db", "check")).code == 0


async def test_an_address_that_is_taken_is_an_error_not_a_crash(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = await place(tmp_path).run("run", DEFNEWS_API__LISTEN=f"127.0.0.1:{taken.getsockname()[1]}")
    assert (ended.code, "cannot listen" in ended.err) == (1, True)


async def test_killed_workers_cost_nothing(tmp_path: Path) -> None:
    async with serving() as server:
        here = place(tmp_path, server.room.feeds)
        async with daemon(here, DEFNEWS_WEB__HOST_DELAY_S="0.3") as (running, client):
            await until_stored(client, 3)
            for _ in range(3):
                kill_workers(running.process.pid)
                await asyncio.sleep(0.5)
            stored = {a.url for a in server.room.articles if a.outcome == "stored" and a.feeds}
            await until_stored(client, len(stored) - 1)  # one page heals after two answers of 500
    assert here.ask("SELECT count(*) FROM entries WHERE reason = 'worker-died'") == [(0,)]


def kill_workers(parent: int) -> None:
    """SIGKILL to every process whose parent's parent is the daemon (its fork server's children)."""
    status = {int(p.parent.name): p.read_text() for p in Path("/proc").glob("[0-9]*/stat") if p.exists()}
    parents = {pid: int(text.rpartition(")")[2].split()[1]) for pid, text in status.items()}
    for pid, its_parent in parents.items():
        if parents.get(its_parent) == parent:
            try:
                import os

                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


async def test_the_demo_shows_verdicts_and_a_hit(tmp_path: Path) -> None:
    ended = await place(tmp_path).run("demo")
    assert ended.code == 0, ended.err
    assert "The newest defense articles" in ended.out
    assert "[B-52H]" in ended.out
    agreeing = next(line for line in ended.out.splitlines() if "agree" in line)
    right, of = (int(word.strip(".")) for word in agreeing.split() if word.strip(".").isdecimal())
    assert right / of > 0.85
    assert list(tmp_path.glob("*.db")) == []


if not Path("/proc/self/stat").exists():  # macOS
    test_killed_workers_cost_nothing = pytest.mark.skip(reason="needs /proc")(test_killed_workers_cost_nothing)
