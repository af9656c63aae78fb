"""The world of these tests: scripted servers on loopback, a simulated clock, a real database, web and poller."""

import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from pipeline.compute import Compute
from pipeline.engine import Engine
from pipeline.model import Feed
from pipeline.polling import PollDuty
from pipeline.queue.lane import Lane
from pipeline.stages.classify import Classifier
from pipeline.stages.schedule import PollPolicy
from pipeline.store import FeedRow, Forced, Store, open_store
from pipeline.web import Web
from tests.web.internet import Asked, FastClock, limits, reply, serving

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
POLICY = PollPolicy(min_interval=10 * MINUTE, max_interval=DAY, interval=30 * MINUTE)
LANES = 20
NEXT_DUE = """
    SELECT min(max(s.next_poll_at, coalesce(h.rest_until, 0), coalesce(h.next_at, 0)))
    FROM feed_states s JOIN feeds f ON f.id = s.feed_id LEFT JOIN hosts h ON h.host = f.host WHERE NOT s.gone
"""


async def _at_once(work: Callable[..., Any], *arguments: Any) -> Any:
    """Computes in this process: a pool of others knows no simulated time."""
    return work(*arguments)


@dataclass(frozen=True)
class Request:
    """A request, and when it came."""

    at: datetime
    host: str
    asked: Asked


@dataclass
class Names:
    """Every name leads to the script, unless the network is cut: then to where nobody listens."""

    is_cut: bool = False

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        return ["127.0.0.9" if self.is_cut else "127.0.0.1"]


@dataclass
class World:
    """Hosts of any name that answer by one script, and a poller with its database."""

    clock: FastClock
    engine: Engine
    port: int
    names: Names
    requests: list[Request]

    @property
    def store(self) -> Store:
        return self.engine.store

    def url(self, path: str = "/rss", host: str = "news.example") -> str:
        return f"http://{host}:{self.port}{path}"

    async def add(self, *urls: str, **changes: Any) -> None:
        feeds = [Feed(id=0, url=url, title=url, **changes) for url in urls or (self.url(),)]
        await self.store.feeds.add(feeds, self.clock.now())

    async def poll(self) -> dict[str, int]:
        """Poll every feed once, due or not."""
        return await self._poll(Forced(self.clock.now()))

    async def poll_due(self) -> dict[str, int]:
        """Poll the feeds that are due once."""
        return await self._poll(None)

    async def _poll(self, forced: Forced | None) -> dict[str, int]:
        run = await self.store.runs.start("poll", self.clock.now())
        duty = PollDuty(self.engine, run.id, forced)
        async with Lane(duty, LANES, self.clock) as lane:
            await lane.run_dry()
        await self.store.runs.end(run.id, "done", self.clock.now())
        return duty.counts

    async def live(self, span: timedelta, *, step: timedelta = timedelta(seconds=1)) -> None:
        """Poll what is due when it is due, for so long; look at it every `step` at most."""
        end = self.clock.now() + span
        run = await self.store.runs.start("daemon", self.clock.now())
        async with Lane(PollDuty(self.engine, run.id), LANES, self.clock) as lane:
            while self.clock.now() < end:
                await lane.run_dry()
                due_at = await self._next_due_at()
                self.clock.advance_to(min(max(due_at or end, self.clock.now() + step), end))
        await self.store.runs.end(run.id, "done", self.clock.now())

    async def _next_due_at(self) -> datetime | None:
        """When somebody is to be asked next; a feed whose host rests waits for that."""
        async with self.store.db.read() as c:
            due_at = (await c.exec_driver_sql(NEXT_DUE)).scalar()
        return None if due_at is None else datetime.fromtimestamp(due_at / 1e6, UTC)

    async def feed(self, url: str | None = None) -> FeedRow:
        (row,) = await self.store.feeds.listing(named=(url,) if url else ())
        return row

    def times(self, host: str | None = None) -> list[datetime]:
        """When a host, or any, was asked."""
        return [request.at for request in self.requests if host in (None, request.host)]

    def waits(self) -> list[timedelta]:
        """The time from each request to the next."""
        return [later - earlier for earlier, later in pairwise(self.times())]


Script = Callable[[Asked, datetime], bytes]


@asynccontextmanager
async def world(
    directory: Path, migrated_file: Path, script: Script, clock: FastClock | None = None
) -> AsyncIterator[World]:
    """A world whose servers answer by the script; another one in the same directory goes on with its database."""
    clock, path = clock or FastClock(), directory / "world.db"
    if not path.exists():
        shutil.copyfile(migrated_file, path)
    names, requests = Names(), list[Request]()

    def answer(asked: Asked) -> bytes:
        requests.append(Request(clock.now(), (asked.header("host") or "").partition(":")[0], asked))
        return script(asked, clock.now())

    async with (
        serving(answer) as site,
        await open_store(f"sqlite:///{path}") as store,
        Web(limits(), store.hosts, clock, resolve=names.resolve) as web,
    ):
        engine = Engine(store, web, cast(Compute, _at_once), cast(Classifier, None), clock, POLICY)
        yield World(clock, engine, site.port, names, requests)


def rss(*names: str, asks: str = "", dates: dict[str, datetime] | None = None) -> bytes:
    """A feed of entries of these names."""
    items = "".join(
        f"<item><guid>{name}</guid><link>http://pages.example/{name}</link><title>{name}</title>"
        + (f"<pubDate>{dates[name]:%a, %d %b %Y %H:%M:%S} GMT</pubDate>" if dates else "")
        + "</item>"
        for name in names
    )
    return f'<rss version="2.0"><channel><title>News</title>{asks}{items}</channel></rss>'.encode()


def ok(body: bytes, **headers: str) -> bytes:
    return reply(body, **headers)


def status(line: str, **headers: str) -> bytes:
    return reply(b"", line, **headers)
