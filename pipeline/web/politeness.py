"""One request at a time to a host, never sooner than its delay, never while it rests.

What must hold over processes and restarts goes through the `Pace` protocol, which the store implements on its rows of
hosts. Within one process the waiters of a host queue in order before they ask it, so that one of them asks at a time.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol
from weakref import WeakValueDictionary

from pipeline import backoff
from pipeline.clock import Clock
from pipeline.model import Response, Rest, Robots, Turn
from pipeline.web.failure import Failed, Reason

PATIENCE = timedelta(minutes=2)  # a host that rests longer is not waited for
SHORTEST_WAIT = timedelta(milliseconds=50)  # between two questions to the pace
LEAST_DELAYS = MappingProxyType(  # what archives ask of everybody, whatever the settings say
    {"web.archive.org:443": timedelta(seconds=1), "api.gdeltproject.org:443": timedelta(seconds=5)}
)
LONGEST_WAIT = timedelta(seconds=5)  # likewise: another process may be done before its lease ends


class Pace(Protocol):
    """The memory of every host (key `host:port`), shared by all processes."""

    async def claim(self, host: str, now: datetime, lease: timedelta) -> Turn:
        """Take the host for one request: it is ours until `release`, at most until `now + lease`."""
        ...

    async def release(self, host: str, next_at: datetime) -> None:
        """Give the host back; nobody may ask it before `next_at`."""
        ...

    async def rest(self, host: str, rest: Rest) -> None:
        """Nobody asks this host before the rest is over; never shortens an earlier one."""
        ...

    async def last_rest(self, host: str) -> Rest | None:
        """Its last rest, over or not."""
        ...

    async def robots(self, host: str) -> Robots | None:
        """What is kept of its robots.txt, however old."""
        ...

    async def keep_robots(self, host: str, robots: Robots) -> None:
        """Keep its robots.txt in place of the one before."""
        ...


class Politeness:
    """Hands out turns to ask a host."""

    def __init__(self, pace: Pace, clock: Clock, host_delay: timedelta, lease: timedelta) -> None:
        self._pace = pace
        self._clock = clock
        self._host_delay = host_delay
        self._lease = lease
        self._queues: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # gone with their last waiter

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Wait for the host and hold it; afterwards nobody asks it before its delay is over.

        Raises:
            Failed: it rests for longer than we wait (`host-resting`, with the time at which the rest ends).
        """
        queue = self._queues.setdefault(host, asyncio.Lock())
        async with queue:
            crawl_delay = await self._claim(host)
            delay = max(self._host_delay, crawl_delay, LEAST_DELAYS.get(host, crawl_delay))
            try:
                yield
            finally:
                await self._pace.release(host, self._clock.now() + delay)

    async def rest_after(self, host: str, response: Response) -> None:
        """Let nobody ask the host for as long as a 429 or 503 wants; does nothing after any other response."""
        if backoff.asks_for_rest(response):
            await self._pace.rest(host, backoff.rest_after(response, await self._pace.last_rest(host)))

    async def robots(self, host: str) -> Robots | None:
        """What is kept of the host's robots.txt."""
        return await self._pace.robots(host)

    async def keep(self, host: str, robots: Robots) -> None:
        """Keep the host's robots.txt, and let a longer crawl delay count from its fetch on."""
        await self._pace.keep_robots(host, robots)
        if robots.crawl_delay is not None and robots.crawl_delay > self._host_delay:
            await self._pace.rest(host, Rest(robots.fetched_at + robots.crawl_delay, robots.crawl_delay))

    async def _claim(self, host: str) -> timedelta:
        """Wait until the host is ours; returns its crawl delay."""
        now = self._clock.now()
        while (ask_at := (turn := await self._pace.claim(host, now, self._lease)).ask_at) is not None:
            if ask_at - now > max(PATIENCE, self._lease):
                raise Failed(Reason.HOST_RESTING, f"until {ask_at:%Y-%m-%dT%H:%M:%SZ}", retry_at=ask_at)
            wait = min(max(ask_at - now, SHORTEST_WAIT), LONGEST_WAIT)
            await self._clock.sleep(wait.total_seconds())
            now = self._clock.now()
        return turn.crawl_delay or timedelta(0)
