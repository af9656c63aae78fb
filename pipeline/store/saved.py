"""Saved searches, and alerts of what they find: each article once, each alert until it was sent or given up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.errors import CommandError
from pipeline.query import Query
from pipeline.store.articles import first_id
from pipeline.store.database import Database
from pipeline.store.found import LARGEST_ID
from pipeline.store.saved_tables import alert_hits, alerts, saved_searches
from pipeline.store.search import Search
from pipeline.store.tables import articles

CHANNELS = ("webhook", "email", "slack")
OVERLAP = timedelta(minutes=10)  # looked through twice: an article is visible only some time after its `stored_at`
BATCH = 50  # articles of an alert
LEASE = timedelta(minutes=2)  # for sending; then whoever took it is dead
KEPT = timedelta(days=30)  # alerts that ended


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved search."""

    id: int
    name: str
    words: str
    filters: Mapping[str, Any]
    targets: Mapping[str, str]  # by channel
    created_at: datetime
    paused_at: datetime | None


@dataclass(frozen=True, slots=True)
class Sendings:
    """What became of the alerts of a saved search."""

    sent: int
    waiting: int
    gave_up: int
    last_sent_at: datetime | None
    reason: str | None  # of the newest alert that failed and is not sent yet, or was given up


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that is to be sent now."""

    id: int
    saved: Saved
    channel: str
    articles: tuple[int, ...]  # newest first
    attempts: int  # this one included
    made_at: datetime


class SavedRows:
    """The tables of saved searches."""

    def __init__(self, db: Database, search: Search) -> None:
        self._db = db
        self._search = search

    async def add(
        self, name: str, words: str, filters: Mapping[str, Any], targets: Mapping[str, str], now: datetime
    ) -> None:
        """Save a search; its alerts are of what is stored later.

        Raises:
            CommandError: there is one of that name.
        """
        values = {"name": name, "words": words, "filters": dict(filters), **targets}
        times = dict.fromkeys(("created_at", "since_at", "through_at"), now)
        new = self._db.insert(saved_searches).values(**values, **times).on_conflict_do_nothing()
        async with self._db.write() as c:
            if (await c.execute(new.returning(saved_searches.c.id))).scalar() is None:
                raise CommandError(f"a saved search is called {name} already")

    async def listing(self) -> tuple[tuple[Saved, Sendings], ...]:
        """All saved searches by name, with what became of their alerts."""
        async with self._db.read() as c:
            rows = (await c.execute(select(saved_searches).order_by(saved_searches.c.name))).all()
            return tuple([(_saved(row), await _sendings(c, row.id)) for row in rows])

    async def active(self) -> tuple[Saved, ...]:
        """The saved searches that are not paused."""
        wanted = select(saved_searches).where(saved_searches.c.paused_at.is_(None)).order_by(saved_searches.c.id)
        async with self._db.read() as c:
            return tuple(map(_saved, await c.execute(wanted)))

    async def named(self, name: str) -> Saved:
        """The search of that name.

        Raises:
            CommandError: there is none.
        """
        async with self._db.read() as c:
            row = (await c.execute(select(saved_searches).where(saved_searches.c.name == name))).one_or_none()
        if row is None:
            raise CommandError(f"no saved search is called {name} (`defnews saved list` knows them)")
        return _saved(row)

    async def pause(self, key: int, now: datetime) -> None:
        """Look for nothing and send nothing until it is resumed."""
        await self._set(key, {"paused_at": now})

    async def resume(self, key: int, now: datetime) -> None:
        """Go on with what is stored from now on, and with alerts that wait."""
        await self._set(key, {"paused_at": None, "since_at": now, "through_at": now})

    async def remove(self, key: int) -> None:
        """Forget a search with its alerts."""
        async with self._db.write() as c:
            await c.execute(delete(saved_searches).where(saved_searches.c.id == key))

    async def collect(self, saved: Saved, query: Query, now: datetime, published_since: datetime) -> int:
        """Put what a search found since it was last looked at in line to be sent; returns how many articles.

        Only those published since then count. An article is put in line once, whoever looks and however often.
        """
        found = await self._new(saved, query, published_since)
        async with self._db.write() as c:
            known = await _known(c, saved.id)
            fresh = [key for key in found if key not in known]
            hits = [{"saved_id": saved.id, "article_id": key, "found_at": now} for key in fresh]
            if hits:
                await c.execute(insert(alert_hits), hits)
                await c.execute(insert(alerts), list(_batches(saved, fresh, now)))
            is_seen = saved_searches.c.id == saved.id
            await c.execute(update(saved_searches).where(is_seen).values(through_at=now))
            is_old = (alert_hits.c.saved_id == saved.id) & (alert_hits.c.found_at < now - 2 * OVERLAP)
            await c.execute(delete(alert_hits).where(is_old))
        return len(fresh)

    async def claim(self, now: datetime, limit: int) -> tuple[Alert, ...]:
        """Take alerts that are due; they are due again when nobody says what became of them within the lease."""
        is_active = saved_searches.c.paused_at.is_(None)
        due = (
            select(alerts.c.id)
            .join(saved_searches, saved_searches.c.id == alerts.c.saved_id)
            .where(alerts.c.state == "waiting", alerts.c.due_at <= now, is_active)
            .order_by(alerts.c.due_at, alerts.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True, of=alerts)
        )
        taken = {"due_at": now + LEASE, "attempts": alerts.c.attempts + 1}
        async with self._db.write() as c:
            claimed = (
                await c.execute(update(alerts).where(alerts.c.id.in_(due)).values(taken).returning(alerts))
            ).all()
            keys = {row.saved_id for row in claimed}
            searches = await c.execute(select(saved_searches).where(saved_searches.c.id.in_(keys)))
            by_id = {row.id: _saved(row) for row in searches}
        return tuple(
            Alert(row.id, by_id[row.saved_id], row.channel, tuple(row.articles), row.attempts, row.made_at)
            for row in sorted(claimed, key=lambda row: row.id)
        )

    async def sent(self, alert_id: int, now: datetime) -> None:
        """An alert arrived."""
        await self._end(alert_id, {"state": "sent", "reason": None, "ended_at": now})

    async def failed(self, alert_id: int, reason: str, again_at: datetime) -> None:
        """An alert did not arrive, and is tried again then."""
        await self._end(alert_id, {"reason": reason, "due_at": again_at})

    async def gave_up(self, alert_id: int, reason: str, now: datetime) -> None:
        """An alert did not arrive, and never will."""
        await self._end(alert_id, {"state": "gave-up", "reason": reason, "ended_at": now})

    async def free(self, alert_id: int, now: datetime) -> None:
        """Nobody sends it any more: it is due."""
        await self._end(alert_id, {"due_at": now})

    async def forget(self, now: datetime) -> None:
        """Delete the alerts that ended long ago."""
        async with self._db.write() as c:
            await c.execute(delete(alerts).where(alerts.c.ended_at < now - KEPT))

    async def _new(self, saved: Saved, query: Query, published_since: datetime) -> Sequence[int]:
        """The articles that match and were stored lately, newest first."""
        async with self._db.read() as c:
            is_meant = saved_searches.c.id == saved.id
            row = (await c.execute(select(saved_searches).where(is_meant))).one_or_none()
            if row is None or row.paused_at is not None:
                return ()
            is_new = articles.c.stored_at > max(row.since_at, row.through_at - OVERLAP)
            is_young = articles.c.published_at >= published_since
            hits = self._search.hits(query, first_id(published_since), LARGEST_ID)  # ids are ordered by time
            wanted = select(articles.c.id).where(is_new, is_young, articles.c.id.in_(hits))
            return (await c.execute(wanted.order_by(articles.c.id.desc()))).scalars().all()

    async def _set(self, key: int, values: Mapping[str, Any]) -> None:
        async with self._db.write() as c:
            await c.execute(update(saved_searches).where(saved_searches.c.id == key).values(**values))

    async def _end(self, alert_id: int, values: Mapping[str, Any]) -> None:
        async with self._db.write() as c:
            await c.execute(update(alerts).where(alerts.c.id == alert_id).values(**values))


async def _known(c: AsyncConnection, saved_id: int) -> frozenset[int]:
    """What was found lately; until this transaction ends nobody else looks."""
    await c.execute(select(saved_searches.c.id).where(saved_searches.c.id == saved_id).with_for_update())
    hits = select(alert_hits.c.article_id).where(alert_hits.c.saved_id == saved_id)
    return frozenset((await c.execute(hits)).scalars())


def _batches(saved: Saved, found: Sequence[int], now: datetime) -> list[dict[str, Any]]:
    parts = [list(found[start : start + BATCH]) for start in range(0, len(found), BATCH)]
    common = {"saved_id": saved.id, "state": "waiting", "attempts": 0, "made_at": now, "due_at": now}
    return [{**common, "channel": channel, "articles": part} for channel in saved.targets for part in parts]


async def _sendings(c: AsyncConnection, saved_id: int) -> Sendings:
    is_its = alerts.c.saved_id == saved_id
    counts = {row[0]: row[1] for row in await c.execute(
        select(alerts.c.state, func.count()).where(is_its).group_by(alerts.c.state)
    )}  # fmt: skip
    last = select(func.max(alerts.c.ended_at)).where(is_its, alerts.c.state == "sent")
    reason = select(alerts.c.reason).where(is_its, alerts.c.reason.is_not(None)).order_by(alerts.c.id.desc()).limit(1)
    return Sendings(
        sent=counts.get("sent", 0),
        waiting=counts.get("waiting", 0),
        gave_up=counts.get("gave-up", 0),
        last_sent_at=(await c.execute(last)).scalar(),
        reason=(await c.execute(reason)).scalar(),
    )


def _saved(row: Any) -> Saved:
    targets = {channel: row._mapping[channel] for channel in CHANNELS if row._mapping[channel]}
    return Saved(row.id, row.name, row.words, row.filters, targets, row.created_at, row.paused_at)
