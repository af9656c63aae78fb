"""How fast, how light and how patient the poller is, beside reader and bare httpx in the same run.

The newsroom runs in a process of its own, with a loopback host for every feed (`_hosts.py`), so that the pace of hosts
stays on; `fetch = "feed"`: the entry's content is the article. Each poller has a process of its own (`_pollers.py`).
Cold and second pass: from the call to the last commit; reader does so without its search step, ours with it and with
extraction and verdict. Feeds that all answer 304 have their validators written beforehand; another run of those has
hosts that hang for ever among them. Medians of the rounds. Linux only: elsewhere 127.x.y.z is no address.

reader is looked for in the folder of --peers (`pip install --target FOLDER reader sgmllib3k`), then among the installed
packages.
"""

import argparse
import asyncio
import json
import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import _hosts
from classifier import Figure

from pipeline.model import Feed, FetchMode
from pipeline.settings import Settings
from pipeline.store import open_store, schema

HOLDS = 25  # entries a feed
HANGING = 20  # one host in so many
MOST_MB = 30  # over the idle state
WIDE_ROW = 1_000_000  # feeds in the database of the last figure
HERE = Path(__file__).parent
ROOT = HERE.parent
PEERS: list[str] = []  # the folder of --peers


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    feeds: int = 300
    many: int = 10_000
    database: int = WIDE_ROW
    ticks: int = 40
    rounds: int = 5


Found = dict[str, float]
Figures = Iterator[tuple[str, Figure]]


@contextmanager
def newsroom(*options: str) -> Iterator[int]:
    """The newsroom's port, as long as it runs."""
    command = [sys.executable, str(HERE / "_hosts.py"), *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.communicate()


def poller(who: str, **options: object) -> Found:
    """What one poller measured of itself."""
    words = [word for name, value in options.items() for word in (f"--{name}", *str(value).split())]
    command = [sys.executable, "-W", "ignore", str(HERE / "_pollers.py"), who, *words]
    ended = subprocess.run(command, env=surroundings(), start_new_session=True, capture_output=True, check=False)
    if ended.returncode:
        sys.exit(f"{who} failed:\n{ended.stderr.decode()[-2000:]}")
    return {name: float(value) for name, value in json.loads(ended.stdout).items()}


def database(path: Path, feeds: int, port: int) -> None:
    """A database of feeds that nobody has polled."""

    async def fill() -> None:
        async with await open_store(f"sqlite:///{path}") as store:
            urls = (_hosts.url(number, port) for number in range(feeds))
            wanted = [Feed(id=0, url=url, title=url, fetch=FetchMode.FEED) for url in urls]
            await store.feeds.add(wanted, datetime.now(UTC))

    schema.upgrade(f"sqlite:///{path}")
    asyncio.run(fill())


def polled_database(path: Path, feeds: int, port: int) -> None:
    """A database of feeds that were polled an hour ago: a tenth are due, their rows are as long as after some weeks."""
    schema.upgrade(f"sqlite:///{path}")
    now = round(datetime.now(UTC).timestamp())
    seen = " ".join(f"{mark:010x}" for mark in range(HOLDS))
    rhythm = {"polled_at": datetime.now(UTC).isoformat(), "window": HOLDS, "days": 20.0}
    rhythm |= {"hours": [1.234567] * 24, "weekdays": [4.345678] * 7}
    with closing(sqlite3.connect(path)) as c, c:
        c.execute("PRAGMA synchronous=OFF")
        c.executemany(
            "INSERT INTO feeds(id, url, host, site, title, kind, fetch, headers, include, exclude, enabled, added_at)"
            " VALUES (?, ?, ?, ?, ?, 'general', 'feed', '[]', '[]', '[]', 1, 0)",
            (
                (number + 1, _hosts.url(number, port), f"{host}:{port}", host, f"Feed {number}")
                for number in range(feeds)
                for host in [_hosts.address(number)]
            ),
        )
        c.execute("INSERT INTO feed_urls(url, feed_id, since_at) SELECT url, id, 0 FROM feeds")
        c.execute("INSERT INTO hosts(host, next_at) SELECT host, 0 FROM feeds")
        c.executemany(
            "INSERT INTO feed_states(feed_id, etag, body_hash, next_poll_at, last_poll_at, last_success_at, whole_at,"
            " failures, gone, health, seen, rhythm) VALUES (?, ?, 'b', ?, ?, ?, ?, 0, 0, 'active', ?, ?)",
            (
                (number + 1, _hosts.etag(number), (now + 997 * number % 36_000 - 3_600) * 10**6)
                + ((now - 3_600) * 10**6,) * 3
                + (seen, json.dumps(rhythm))
                for number in range(feeds)
            ),
        )


def cold_and_again(size: Size, place: Path) -> list[tuple[Found, Found | None]]:
    """Rounds of both passes: ours, and reader's if it is there."""
    found = []
    with newsroom("--bodies", str(size.feeds), "--holds", str(HOLDS)) as port:
        database(place / "new.db", size.feeds, port)
        for _ in range(size.rounds):
            shutil.copyfile(place / "new.db", place / "round.db")
            ours = poller("ours", database=place / "round.db", passes="cold again")
            assert ours["cold stored"] == size.feeds * HOLDS, ours
            assert ours["again not_modified"] == size.feeds, ours
            found.append((ours, poller("reader", feeds=size.feeds, port=port) if has_reader() else None))
            clear(place / "round.db")
    return found


def many(size: Size, place: Path, *, with_hanging: bool) -> list[tuple[Found, Found | None]]:
    """Rounds of feeds that all answer 304, or hang: ours, and bare httpx, which would wait for those."""
    found = []
    with newsroom("--hanging", str(HANGING if with_hanging else 0)) as port:
        polled_database(place / "many.db", size.many, port)
        for _ in range(size.rounds):
            shutil.copyfile(place / "many.db", place / "round.db")
            ours = poller("ours", database=place / "round.db", passes="many")
            assert ours["many polled"] == size.many, ours
            found.append((ours, None if with_hanging else poller("bare", feeds=size.many, port=port)))
            clear(place / "round.db")
    clear(place / "many.db")
    return found


def clear(path: Path) -> None:
    """Remove a database with what lies beside it."""
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def has_reader() -> bool:
    """Whether reader can be imported."""
    command = [sys.executable, "-c", "import reader"]
    return subprocess.run(command, env=surroundings(), capture_output=True, check=False).returncode == 0


def surroundings() -> dict[str, str]:
    """The environment of pollers."""
    paths = (os.environ.get("PYTHONPATH"), str(ROOT), *PEERS)
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def median(rounds: list[tuple[Found, Found | None]], name: str, peer: str = "") -> tuple[float, float | None]:
    """The medians of ours and of the peer's figure."""
    ours = statistics.median(one[name] for one, _ in rounds)
    theirs = [other[peer or name] for _, other in rounds if other is not None]
    return ours, statistics.median(theirs) if theirs else None


def passes(size: Size, place: Path) -> Figures:
    """New feeds, then the same again."""
    rounds = cold_and_again(size, place)
    for name in ("cold", "again"):
        ours, peer = median(rounds, f"{name} s")
        yield f"{size.feeds} feeds, {name}: s", Figure(ours, peer, peer / 2 if peer else 0, at_most=True)
    rise = median(rounds, "cold mb")
    yield "memory over idle, cold: MB", Figure(*rise, MOST_MB, at_most=True)


def many_feeds(size: Size, place: Path) -> Figures:
    """Feeds that all answer 304, then the same with hosts that hang among them."""
    wide = many(size, place, with_hanging=False)
    spent, bare = median(wide, "many s", "bare s")
    speed = size.many / bare if bare else None
    yield f"{size.many} feeds, 304: feeds a second", Figure(size.many / spent, speed, 600)
    cpu, peer_cpu = median(wide, "many cpu", "bare cpu")
    yield f"{size.many} feeds, 304: CPU s", Figure(cpu, peer_cpu, peer_cpu or 0, at_most=True)
    yield f"memory over idle, {size.many} feeds: MB", Figure(*median(wide, "many mb", "bare mb"), MOST_MB, at_most=True)
    patient, _ = median(many(size, place, with_hanging=True), "many s")
    reach = 1.3 * spent + Settings().web.timeout_s
    yield f"{size.many} feeds, 5 % of them hang: s", Figure(patient, None, reach, at_most=True)


def ticks(size: Size, place: Path) -> Figures:
    """Claims of due feeds among very many."""
    polled_database(place / "wide.db", size.database, 80)
    tick = poller("tick", database=place / "wide.db", ticks=size.ticks)
    print(f"a tick of 500 feeds among {size.database}: p50 {tick['p50']:.0f} ms, most {tick['most']:.0f} ms")
    yield f"tick of 500 among {size.database}, p95: ms", Figure(tick["p95"], None, 60, at_most=True)


PARTS = {"passes": passes, "many": many_feeds, "ticks": ticks}


def main() -> int:
    """Measure, print the table and the JSON line; 0 only when every figure holds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="a tenth of the feeds, one round")
    options.add_argument("--peers", help="a folder with reader in it")
    options.add_argument("--rounds", type=int, default=5, help="of which medians are taken")
    options.add_argument("--part", choices=PARTS, action="append", help="only this part of the figures")
    asked = options.parse_args()
    PEERS.extend(filter(None, [asked.peers]))
    size = Size(30, 1_000, WIDE_ROW // 10, 15, 1) if asked.quick else Size(rounds=asked.rounds)
    if not has_reader():
        print("reader is not installed: name a folder that holds it with --peers", file=sys.stderr)
    found: dict[str, Figure] = {}
    with tempfile.TemporaryDirectory() as directory:
        parts = (PARTS[part](size, Path(directory)) for part in asked.part or PARTS)
        for name, it in chain.from_iterable(parts):
            found[name] = it
            peer = "-" if it.peer is None else f"{it.peer:.2f}"
            line = f"{name:<44} ours {it.ours:>9.2f}  peer {peer:>9}  reach {it.reach:>9.2f}"
            print(f"{line}  {'yes' if it.holds else 'NO'}", flush=True)
    table = {
        name: {"ours": it.ours, "peer": it.peer, "ratio": it.ratio, "reach": it.reach, "holds": it.holds}
        for name, it in found.items()
    }
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    print(json.dumps({"benchmark": "polling", "figures": table, "machine": machine}))
    return 0 if all(it.holds for it in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
