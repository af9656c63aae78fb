"""Counts, lag and health, for `status`, `/readyz` and the summaries."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal_column, select, true
from sqlalchemy.exc import OperationalError

from pipeline.errors import CommandError
from pipeline.store.database import Database
from pipeline.store.runs import daemon_beat_at
from pipeline.store.saved_tables import alerts
from pipeline.store.search import Count
from pipeline.store.tables import articles, entries, feed_states, feeds, labels, outages, verdicts

GOOD_FOR = 20  # times as long as it took to count
PATIENCE_S = 0.05  # that counts are waited for, where there are older ones
SURELY = 10_000  # what stands on every page is counted up to here

SIZES = {
    True: "SELECT CASE WHEN tbl_name LIKE 'search_index%' THEN 'search_index' ELSE tbl_name END AS of_table,"
    " sum(pgsize) FROM dbstat JOIN sqlite_schema AS s ON s.name = dbstat.name GROUP BY of_table ORDER BY 2 DESC, 1",
    False: "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
    " WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY 2 DESC, 1",
}


@dataclass(frozen=True, slots=True)
class Stats:
    """The state of the database at one moment."""

    feeds: int
    feeds_failing: int
    feeds_gone: int
    feeds_overdue: int  # due, but not polled yet
    entries: Mapping[str, int]  # by state, and by outcome when done
    reasons: Mapping[str, int]  # why entries were dropped, or wait
    articles: int
    labels: Mapping[str, int]
    needs_review: int
    stored_last_day: int
    newest_article_at: datetime | None
    last_poll_at: datetime | None
    lag_s: float | None  # how long the longest due entry has been waiting
    daemon_beat_at: datetime | None  # when a daemon, or else scheduler and worker both, said that they are at work
    alerts: Mapping[str, int]  # by state
    network_down_since: datetime | None  # of the machine that has had none for longest; polling slows down


@dataclass(frozen=True, slots=True)
class Pulse:
    """Whether all is well, as far as it can be told in a few milliseconds whatever the size of the database."""

    feeds: int
    feeds_failing: int
    waiting: Count  # entries
    needs_review: Count
    last_poll_at: datetime | None
    network_down_since: datetime | None


class StatRows:
    """Counts across the tables."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._counting: asyncio.Task[Stats] | None = None
        self._last: Stats | None = None
        self._good_until = 0.0

    async def recent(self, now: datetime) -> Stats:
        """All counts, for whoever asks often: a twentieth of the time is spent on them at most.

        Who would have to wait for them gets those that were counted before.
        """
        counting = self._counting
        if counting is None:
            if self._last is not None and time.monotonic() < self._good_until:
                return self._last
            counting = self._counting = asyncio.create_task(self._count(now))
        await asyncio.wait((counting,), timeout=None if self._last is None else PATIENCE_S)
        return counting.result() if counting.done() or self._last is None else self._last

    async def _count(self, now: datetime) -> Stats:
        began = time.monotonic()
        try:
            self._last = await self.read(now)
            self._good_until = time.monotonic() + GOOD_FOR * (time.monotonic() - began)
            return self._last
        finally:
            self._counting = None

    async def close(self) -> None:
        """Count no more."""
        if self._counting is not None:
            self._counting.cancel()
            await asyncio.wait((self._counting,))

    async def changed_at(self) -> datetime | None:
        """When the newest verdict or label was stored: no search finds anything else since then, but for its age."""
        newest = (select(table.c.created_at).order_by(table.c.id.desc()).limit(1) for table in (verdicts, labels))
        async with self._db.read() as c:
            moments = [(await c.execute(query)).scalar() for query in newest]
        return max(filter(None, moments), default=None)

    async def feeds_by_health(self) -> dict[str, int]:
        """How many feeds do how; those that are switched off count as disabled."""
        health = case((feeds.c.enabled.is_(true()), feed_states.c.health), else_="disabled").label("health")
        counted = select(health, func.count()).select_from(feeds.join(feed_states)).where(feeds.c.removed_at.is_(None))
        async with self._db.read() as c:
            return {row[0]: row[1] for row in await c.execute(counted.group_by(health))}

    async def pulse(self) -> Pulse:
        """What stands on every page."""
        active = select(func.count()).select_from(feeds.join(feed_states)).where(feeds.c.enabled.is_(true()))
        asked = (
            active,
            active.where(feed_states.c.failures > 0),
            _up_to(entries.c.id, entries.c.state == literal_column("'waiting'")),
            _up_to(articles.c.id, articles.c.needs_review.is_(true())),
            select(func.max(feed_states.c.last_poll_at)),
            select(func.min(outages.c.since_at)),
        )
        async with self._db.read() as c:
            row = (await c.execute(select(*(query.scalar_subquery() for query in asked)))).one()
        all_feeds, failing, waiting, doubtful, last_poll_at, down_since = row
        return Pulse(all_feeds, failing, _bounded(waiting), _bounded(doubtful), last_poll_at, down_since)

    async def server_time(self) -> datetime | None:
        """What time the database's server has; None: it is a file."""
        if self._db.is_sqlite:
            return None
        async with self._db.read() as c:
            at: datetime = (await c.execute(select(func.clock_timestamp()))).scalar_one()
            return at

    async def size_bytes(self) -> int:
        """How large the database is."""
        pages = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        query = pages if self._db.is_sqlite else "SELECT pg_database_size(current_database())"
        async with self._db.read() as c:
            return int((await c.exec_driver_sql(query)).scalar_one())

    async def sizes(self) -> Mapping[str, int]:
        """Bytes of each table with its indexes, the largest first; reads the whole file on SQLite.

        Raises:
            CommandError: this SQLite was built without `dbstat`.
        """
        async with self._db.read() as c:
            try:
                rows: Sequence[Any] = (await c.exec_driver_sql(SIZES[self._db.is_sqlite])).all()
            except OperationalError as e:
                raise CommandError("sizes by table need an SQLite that was built with dbstat") from e
        return {name: int(size) for name, size in rows}

    async def read(self, now: datetime) -> Stats:
        """All counts."""
        async with self._db.read() as c:

            async def one(query: Select[Any]) -> Any:
                return (await c.execute(query)).scalar()

            async def by(*columns: ColumnElement[Any]) -> dict[str, int]:
                rows = await c.execute(select(*columns, func.count()).group_by(*columns))
                return _summed((row[:-1], row[-1]) for row in rows)

            active = select(func.count()).select_from(feeds.join(feed_states)).where(feeds.c.enabled.is_(true()))
            is_due = (entries.c.state == "waiting") & (entries.c.due_at <= now)
            oldest_due = await one(select(func.min(entries.c.due_at)).where(is_due))
            ways = (entries.c.state, entries.c.outcome, entries.c.reason)
            ended = (await c.execute(select(*ways, func.count()).group_by(*ways))).all()  # the table is read once
            return Stats(
                feeds=await one(active),
                feeds_failing=await one(active.where(feed_states.c.failures > 0)),
                feeds_gone=await one(active.where(feed_states.c.gone.is_(true()))),
                feeds_overdue=await one(active.where(feed_states.c.next_poll_at <= now)),
                entries=_summed(((state, outcome), number) for state, outcome, _, number in ended),
                reasons=_summed(((reason,), number) for _, _, reason, number in ended),
                articles=await one(select(func.count()).select_from(articles)),
                labels=await by(articles.c.label),
                needs_review=await one(select(func.count()).where(articles.c.needs_review.is_(true()))),
                stored_last_day=await one(select(func.count()).where(articles.c.stored_at > now - timedelta(days=1))),
                newest_article_at=await one(select(func.max(articles.c.published_at))),
                last_poll_at=await one(select(func.max(feed_states.c.last_poll_at))),
                lag_s=None if oldest_due is None else (now - oldest_due).total_seconds(),
                daemon_beat_at=await daemon_beat_at(c),
                alerts=await by(alerts.c.state),
                network_down_since=await one(select(func.min(outages.c.since_at))),
            )


def _up_to(key: ColumnElement[Any], is_meant: ColumnElement[bool]) -> Select[Any]:
    """How many rows are meant; one more than `SURELY` says that there are others."""
    some = select(key).where(is_meant).limit(SURELY + 1).subquery()
    return select(func.count()).select_from(some)


def _bounded(number: int) -> Count:
    return Count(min(number, SURELY), number > SURELY)


def _summed(counted: Iterable[tuple[Iterable[str | None], int]]) -> dict[str, int]:
    """Counts by what they are of, without those that are of nothing."""
    sums: Counter[str] = Counter()
    for names, number in counted:
        sums["/".join(filter(None, names))] += number
    return {name: number for name, number in sums.items() if name}
