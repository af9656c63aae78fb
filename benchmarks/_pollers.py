"""Who polls in `polling.py`, each in a process of its own: defnews, reader, and bare httpx; prints one line of JSON.

What is measured: seconds of the clock, CPU seconds of the process with its children, and how far the memory of the
process rose over its idle state (all set up, nothing polled), in MB.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import _hosts

HTTPX_CONNECTIONS = 100  # of its default pool: more at once only wait in it, which costs the more the more they are
WORKERS = 10  # of reader
PAUSE_S = 5.5  # between two passes: longer than the pace of a host


def cpu_seconds() -> float:
    """Of all processes of this session."""
    ticks, session = 0, os.getsid(0)
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if int(fields[3]) == session:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mb(what: str) -> float:
    """VmRSS: what the process holds now; VmHWM: the most since the last reset."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 1024


@contextmanager
def measured(found: dict[str, float], name: str) -> Iterator[None]:
    """Add what the block costs to what was found."""
    Path("/proc/self/clear_refs").write_text("5")
    idle, spent, began = memory_mb("VmRSS"), cpu_seconds(), time.perf_counter()
    yield
    found[f"{name} s"] = time.perf_counter() - began
    found[f"{name} cpu"] = cpu_seconds() - spent
    found[f"{name} mb"] = memory_mb("VmHWM") - idle
    found[f"{name} idle mb"] = idle


async def ours(database: Path, passes: list[str]) -> dict[str, float]:
    """Poll all feeds of a database, once for each name of a pass, as `defnews poll --all` does."""
    from pipeline.entrypoints.options import Options
    from pipeline.entrypoints.poll import poll_once
    from pipeline.entrypoints.wiring import open_engine
    from pipeline.store import Forced

    os.environ |= {"DEFNEWS_DATABASE_URL": f"sqlite:///{database}", "DEFNEWS_WEB__ALLOW_PRIVATE": "127.0.0.0/8"}
    found: dict[str, float] = {}
    settings = Options().settings()
    async with open_engine(settings) as engine:
        for name in passes:
            run = await engine.store.runs.start("poll", engine.clock.now())
            with measured(found, name):
                counts = await poll_once(engine, run, settings, Forced(run.started_at))
            await engine.store.runs.end(run.id, "done", engine.clock.now())
            found |= {f"{name} {what}": counts[what] for what in ("polled", "not_modified", "failed", "stored")}
            if name != passes[-1]:
                await asyncio.sleep(PAUSE_S)
    return found


async def tick(database: Path, ticks: int, limit: int) -> dict[str, float]:
    """Claim feeds that are due, tick after tick; the milliseconds of each, sorted.

    Their polls end between two ticks, unmeasured.
    """
    from pipeline.entrypoints.options import Options
    from pipeline.entrypoints.wiring import open_engine
    from pipeline.polling import PollDuty
    from pipeline.store import PollEnding

    os.environ["DEFNEWS_DATABASE_URL"] = f"sqlite:///{database}"
    spent = []
    async with open_engine(Options().settings()) as engine:
        run = await engine.store.runs.start("poll", engine.clock.now())
        duty = PollDuty(engine, run.id)
        for _ in range(ticks):
            began = time.perf_counter()
            pieces = await duty.claim(limit, ())
            spent.append((time.perf_counter() - began) * 1_000)
            assert len(pieces) == limit
            now = engine.clock.now()
            after = ((feed, replace(state, next_poll_at=now + timedelta(days=1))) for feed, state in pieces)
            endings = [PollEnding(feed, run.id, state, now) for feed, state in after]
            await asyncio.gather(*map(engine.store.feeds.finish, endings))
    spent.sort()
    return {"p50": spent[len(spent) // 2], "p95": spent[int(0.95 * len(spent))], "most": spent[-1]}


def reader(feeds: int, port: int) -> dict[str, float]:
    """Poll all feeds twice with reader, without its search."""
    from reader import make_reader

    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as directory:
        peer = make_reader(f"{directory}/reader.sqlite")
        for number in range(feeds):
            peer.add_feed(_hosts.url(number, port))
        for name in ("cold", "again"):
            with measured(found, name):
                peer.update_feeds(workers=WORKERS, scheduled=False)
        found["entries"] = peer.get_entry_counts().total or 0
    return found


async def bare(feeds: int, port: int) -> dict[str, float]:
    """Send the same requests with httpx and its default pool, and do nothing with the answers."""
    import httpx

    from pipeline.stages.poll import ACCEPT

    found: dict[str, float] = {}
    places, statuses = asyncio.Semaphore(HTTPX_CONNECTIONS), []

    async def ask(client: httpx.AsyncClient, number: int) -> None:
        headers = {"Accept": ACCEPT, "If-None-Match": _hosts.etag(number)}
        async with places:
            statuses.append((await client.get(_hosts.url(number, port), headers=headers)).status_code)

    async with httpx.AsyncClient() as client:
        with measured(found, "bare"):
            await asyncio.gather(*(ask(client, number) for number in range(feeds)))
    assert statuses == [304] * feeds
    return found


def main() -> None:
    """Read the arguments, poll, print."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("who", choices=["ours", "tick", "reader", "bare"])
    given.add_argument("--database", type=Path)
    given.add_argument("--passes", nargs="*", default=[])
    given.add_argument("--feeds", type=int)
    given.add_argument("--port", type=int)
    given.add_argument("--ticks", type=int)
    asked = given.parse_args()
    if asked.who == "ours":
        found = asyncio.run(ours(asked.database, asked.passes))
    elif asked.who == "tick":
        found = asyncio.run(tick(asked.database, asked.ticks, 500))
    elif asked.who == "reader":
        found = reader(asked.feeds, asked.port)
    else:
        found = asyncio.run(bare(asked.feeds, asked.port))
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
