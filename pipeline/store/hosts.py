"""The pace of each host, shared by all processes that use the database: implements the web's `Pace`."""

import os
import platform
from datetime import UTC, datetime, timedelta

from sqlalchemy import or_, select, update

from pipeline.errors import StoreError
from pipeline.model import Rest, Robots
from pipeline.store.database import Database
from pipeline.store.tables import hosts

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def holder(machine: str, pid: int) -> str:
    """How a process is named that asks a host."""
    return f"{machine}:{pid}"


class HostRows:
    """The table of hosts."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._holder = holder(platform.node(), os.getpid())
        self._late: dict[str, datetime] = {}  # hosts that are still to be given back, and from when on they are free

    async def claim(self, host: str, now: datetime, lease: timedelta) -> datetime | None:
        """Take the host for one request: None, or the moment at which to ask again.

        Raises:
            StoreError: the database is out of reach; should the host be ours, `release_late` gives it back.
        """
        try:
            free_at = await self._claim(host, now, lease)
        except StoreError:
            self._late[host] = now
            raise
        if free_at is None:
            self._late.pop(host, None)
        return free_at

    async def _claim(self, host: str, now: datetime, lease: timedelta) -> datetime | None:
        is_free = (hosts.c.next_at <= now) & or_(hosts.c.rest_until.is_(None), hosts.c.rest_until <= now)
        taken = (
            update(hosts)
            .where((hosts.c.host == host) & is_free)
            .values(next_at=now + lease, holder=self._holder)
            .returning(hosts.c.host)
        )
        async with self._db.write() as c:
            await c.execute(self._db.insert(hosts).values(host=host, next_at=_LONG_AGO).on_conflict_do_nothing())
            if (await c.execute(taken)).first() is not None:
                return None
            row = (await c.execute(select(hosts.c.next_at, hosts.c.rest_until).where(hosts.c.host == host))).one()
            until: datetime = max(row.next_at, row.rest_until or _LONG_AGO)
            return until

    async def release(self, host: str, next_at: datetime) -> None:
        """Give the host back; nobody may ask it before `next_at`.

        Raises:
            StoreError: the database is out of reach; `release_late` makes up for it.
        """
        try:
            async with self._db.write() as c:
                is_ours = (hosts.c.host == host) & (hosts.c.holder == self._holder)
                await c.execute(update(hosts).where(is_ours).values(next_at=next_at, holder=None))
        except StoreError:
            self._late[host] = next_at
            raise
        self._late.pop(host, None)

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
