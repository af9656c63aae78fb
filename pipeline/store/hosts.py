"""The pace of each host, shared by all processes that use the database: implements the web's `Pace`."""

import asyncio
import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, or_, select, update

from pipeline.errors import StoreError
from pipeline.model import Rest, Robots, Turn
from pipeline.store.database import LINGER_S, Batcher, Database
from pipeline.store.tables import hosts

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def holder(machine: str, pid: int) -> str:
    """How a process is named that asks a host."""
    return f"{machine}:{pid}"


@dataclass(frozen=True, slots=True)
class _Claim:
    host: str
    now: datetime
    lease: timedelta


class HostRows:
    """The table of hosts."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._holder = holder(platform.node(), os.getpid())
        self._claims: Batcher[_Claim, Turn] = Batcher(self._claim, linger_s=LINGER_S)
        self._releases: Batcher[tuple[str, datetime], None] = Batcher(self._release, linger_s=LINGER_S)
        self._late: dict[str, datetime] = {}  # hosts that are still to be given back, and from when on they are free

    async def claim(self, host: str, now: datetime, lease: timedelta) -> Turn:
        """Take the host for one request, or learn when to ask again.

        Raises:
            StoreError: the database is out of reach; should the host be ours, `release_late` gives it back.
        """
        try:
            turn = await self._claims.put(_Claim(host, now, lease))
        except (StoreError, asyncio.CancelledError):
            self._late[host] = now
            raise
        if turn.is_ours:
            self._late.pop(host, None)
        return turn

    async def _claim(self, batch: list[_Claim]) -> list[Turn]:
        """Answer claims; of those of one host, the first may have it."""
        wanted = sorted({claim.host for claim in batch})
        query = select(hosts.c.host, hosts.c.next_at, hosts.c.rest_until, hosts.c.crawl_delay_s)
        query = query.where(hosts.c.host.in_(wanted)).order_by(hosts.c.host).with_for_update()
        async with self._db.write() as c:
            rows = {row.host: row for row in await c.execute(query)}
            if new := [{"host": host, "next_at": _LONG_AGO} for host in wanted if host not in rows]:
                await c.execute(self._db.insert(hosts).on_conflict_do_nothing(), new)
                rows = {row.host: row for row in await c.execute(query)}
            leases: dict[str, datetime] = {}
            turns = []
            for claim in batch:
                turns.append(_turn(rows[claim.host], claim.now, leases.get(claim.host)))
                if turns[-1].is_ours:
                    leases[claim.host] = claim.now + claim.lease
            if leases:
                taken = update(hosts).where(hosts.c.host == bindparam("key"))
                values = [{"key": host, "until": until} for host, until in leases.items()]
                await c.execute(taken.values(next_at=bindparam("until"), holder=self._holder), values)
        return turns

    async def release(self, host: str, next_at: datetime) -> None:
        """Give the host back; nobody may ask it before `next_at`.

        Raises:
            StoreError: the database is out of reach; `release_late` makes up for it.
        """
        try:
            await self._releases.put((host, next_at))
        except (StoreError, asyncio.CancelledError):
            self._late[host] = next_at
            raise
        self._late.pop(host, None)

    async def _release(self, batch: list[tuple[str, datetime]]) -> list[None]:
        is_ours = (hosts.c.host == bindparam("key")) & (hosts.c.holder == self._holder)
        free = update(hosts).where(is_ours).values(next_at=bindparam("until"), holder=None)
        async with self._db.write() as c:
            await c.execute(free, [{"key": host, "until": next_at} for host, next_at in sorted(batch)])
        return [None] * len(batch)

    async def release_late(self) -> None:
        """Give back the hosts that could not be given back when their requests ended."""
        for host, next_at in tuple(self._late.items()):
            await self.release(host, next_at)

    async def rest(self, host: str, rest: Rest) -> None:
        """Nobody asks this host before the rest is over; a longer one stands."""
        is_longer = or_(hosts.c.rest_until.is_(None), hosts.c.rest_until < rest.until)
        values = {"rest_until": rest.until, "rest_s": rest.length.total_seconds()}
        async with self._db.write() as c:
            await c.execute(update(hosts).where((hosts.c.host == host) & is_longer).values(**values))

    async def last_rest(self, host: str) -> Rest | None:
        """Its last rest, over or not."""
        async with self._db.read() as c:
            row = (await c.execute(select(hosts.c.rest_until, hosts.c.rest_s).where(hosts.c.host == host))).first()
        return Rest(row.rest_until, timedelta(seconds=row.rest_s or 0)) if row and row.rest_until else None

    async def robots(self, host: str) -> Robots | None:
        """What is kept of its robots.txt."""
        async with self._db.read() as c:
            row = (await c.execute(select(hosts).where(hosts.c.host == host))).one_or_none()
        if row is None or row.robots_at is None:
            return None
        delay = None if row.crawl_delay_s is None else timedelta(seconds=row.crawl_delay_s)
        return Robots(text=row.robots, fetched_at=row.robots_at, crawl_delay=delay)

    async def keep_robots(self, host: str, robots: Robots) -> None:
        """Keep a robots.txt."""
        delay = None if robots.crawl_delay is None else robots.crawl_delay.total_seconds()
        values = {"robots": robots.text, "robots_at": robots.fetched_at, "crawl_delay_s": delay}
        async with self._db.write() as c:
            statement = self._db.insert(hosts).values(host=host, next_at=_LONG_AGO, **values)
            await c.execute(statement.on_conflict_do_update(index_elements=["host"], set_=values))


def _turn(row: Any, now: datetime, leased_until: datetime | None) -> Turn:
    free_at = max(leased_until or row.next_at, row.rest_until or _LONG_AGO)
    delay = None if row.crawl_delay_s is None else timedelta(seconds=row.crawl_delay_s)
    return Turn(free_at if free_at > now else None, delay)
