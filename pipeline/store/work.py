"""Work: entries that are due, claimed together with all others that point to the same URL."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, func, or_, select, true, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.model import Entry, FeedTrust
from pipeline.store import payloads
from pipeline.store.database import Database
from pipeline.store.tables import article_entries, articles, entries, feed_trusts, hosts, runs
from pipeline.store.tables import urls as url_rows

ENDINGS = ("stored", "defense", "duplicate", "dropped", "waiting")  # defense: of the stored
_TRUST = (feed_trusts.c.agreed, feed_trusts.c.is_doubted, feed_trusts.c.unchecked)


@dataclass(frozen=True, slots=True)
class Claimed:
    """An entry that a run works on."""

    id: int
    entry: Entry
    feed_id: int | None
    attempts: int
    revision: int
    seen_at: datetime
    origin_run_id: int | None
    trust: FeedTrust | None = None  # in its feed; None for what a backfill found


@dataclass(frozen=True, slots=True)
class Work:
    """One URL and the entries that wait for it; its page is fetched once for all of them."""

    run_id: int
    url_id: int
    host: str  # "": the feed's content is the article
    claimed: tuple[Claimed, ...]  # live ones first, then the oldest
    article_id: int | None  # that the URL is known to lead to
    since: datetime | None = None  # the range of the backfill that found it
    until: datetime | None = None

    @property
    def lead(self) -> Claimed:
        """The entry whose words are used where the page has none."""
        return self.claimed[0]

    @property
    def is_revision(self) -> bool:
        """Whether a feed announced it anew."""
        return any(claimed.revision for claimed in self.claimed)


class WorkRows:
    """The entries as a queue: the rows are the durable state, a job is only a nudge."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def claim(
        self,
        run_id: int,
        now: datetime,
        limit: int,
        busy: Collection[str] = (),
        origin: ColumnElement[bool] | None = None,
    ) -> tuple[Work, ...]:
        """Take due entries: those that need no page, and the newest of each free host that is not `busy`."""
        return await self._db.settle(
            lambda: self._claim(run_id, now, limit, busy, true() if origin is None else origin)
        )

    async def _claim(
        self, run_id: int, now: datetime, limit: int, busy: Collection[str], scope: ColumnElement[bool]
    ) -> tuple[Work, ...]:
        async with self._db.write() as c:
            tops = [*await self._pageless(c, now, limit, scope), *await self._one_a_host(c, now, limit, busy, scope)]
            url_ids = await self._locked(c, list(dict.fromkeys(url_id for _, url_id in tops))[:limit])
            if not url_ids:
                return ()
            in_flight = select(entries.c.url_id).where(entries.c.state == "claimed", entries.c.url_id.in_(url_ids))
            is_free = and_(entries.c.url_id.in_(url_ids), entries.c.url_id.not_in(in_flight))
            claim = update(entries).where(is_free, entries.c.state == "waiting").returning(entries.c.id)
            taken = (await c.execute(claim.values(state="claimed", run_id=run_id))).scalars().all()
            return await self._read(c, run_id, taken)

    async def _locked(self, c: AsyncConnection, url_ids: list[int]) -> list[int]:
        """Those of the URLs that no other claim looks at now; SQLite has one writer anyway."""
        if self._db.is_sqlite or not url_ids:
            return url_ids
        query = select(url_rows.c.id).where(url_rows.c.id.in_(url_ids)).order_by(url_rows.c.id)
        locked = set((await c.execute(query.with_for_update(key_share=True, skip_locked=True))).scalars())
        return [url_id for url_id in url_ids if url_id in locked]

    async def _pageless(self, c: AsyncConnection, now: datetime, limit: int, scope: Any) -> list[Any]:
        query = (
            select(entries.c.newest_at, entries.c.url_id)
            .where(entries.c.host == "", entries.c.state == "waiting", entries.c.due_at <= now, scope)
            .order_by(entries.c.priority.desc(), entries.c.newest_at.desc())
            .limit(limit)
        )
        return list((await c.execute(query)).all())

    async def _one_a_host(
        self, c: AsyncConnection, now: datetime, limit: int, busy: Collection[str], scope: Any
    ) -> list[Any]:
        newest = (
            select(entries.c.id)
            .where(entries.c.host == hosts.c.host, entries.c.state == "waiting", entries.c.due_at <= now, scope)
            .order_by(entries.c.priority.desc(), entries.c.newest_at.desc())
            .limit(1)
            .correlate(hosts)
            .scalar_subquery()
        )
        is_free = and_(hosts.c.next_at <= now, or_(hosts.c.rest_until.is_(None), hosts.c.rest_until <= now))
        tops = select(newest.label("id")).where(is_free, hosts.c.host.not_in(list(busy))).subquery()
        query = (
            select(entries.c.newest_at, entries.c.url_id)
            .where(entries.c.id.in_(select(tops.c.id)))
            .order_by(entries.c.priority.desc(), entries.c.newest_at.desc())
            .limit(limit)
        )
        return list((await c.execute(query)).all())

    async def _read(self, c: AsyncConnection, run_id: int, taken: Sequence[int]) -> tuple[Work, ...]:
        query = (
            select(entries, url_rows.c.article_id, runs.c.plan, *_TRUST)
            .join(url_rows, url_rows.c.id == entries.c.url_id)
            .outerjoin(runs, runs.c.id == entries.c.origin_run_id)
            .outerjoin(feed_trusts, feed_trusts.c.feed_id == entries.c.feed_id)
            .where(entries.c.id.in_(taken))
            .order_by(entries.c.priority.desc(), entries.c.id)
        )
        by_url: dict[int, list[Any]] = {}
        for row in await c.execute(query):
            by_url.setdefault(row.url_id, []).append(row)
        newest_first = sorted(by_url, key=lambda url_id: _urgency(by_url[url_id]), reverse=True)
        return tuple(_work(run_id, url_id, by_url[url_id]) for url_id in newest_first)

    async def next_claim_at(self, now: datetime, origin: ColumnElement[bool] | None = None) -> datetime | None:
        """When the next entry that is due already can be claimed.

        None: nothing is due, or what is due belongs to hosts that rest.
        """
        scope = true() if origin is None else origin
        is_due = and_(entries.c.state == "waiting", entries.c.due_at <= now, scope)
        query = select(func.min(hosts.c.next_at)).where(
            or_(hosts.c.rest_until.is_(None), hosts.c.rest_until <= now),
            select(entries.c.id).where(entries.c.host == hosts.c.host, is_due).correlate(hosts).exists(),
        )
        pageless = select(entries.c.id).where(entries.c.host == "", is_due).limit(1)
        async with self._db.read() as c:
            if (await c.execute(pageless)).first() is not None:
                return now
            found: datetime | None = (await c.execute(query)).scalar()
            return found

    async def claimed_elsewhere(self, run_id: int, origin: ColumnElement[bool]) -> frozenset[int]:
        """The entries that other runs are working on now."""
        query = select(entries.c.id).where(entries.c.state == "claimed", entries.c.run_id != run_id, origin)
        async with self._db.read() as c:
            return frozenset((await c.execute(query)).scalars())

    async def tally(self, origin: ColumnElement[bool]) -> dict[str, int]:
        """How many entries ended how: stored, duplicate, dropped, waiting; and how many of the stored are defense."""
        counts = dict.fromkeys(ENDINGS, 0)
        for of_archive in (await self.tallies(origin)).values():
            counts = {name: count + of_archive[name] for name, count in counts.items()}
        return counts

    async def tallies(self, origin: ColumnElement[bool]) -> dict[str, dict[str, int]]:
        """The same for each archive that listed them; "" for feeds."""
        ended = func.coalesce(entries.c.outcome, "waiting").label("ended")
        query = (
            select(entries.c.archive, ended, articles.c.label, func.count().label("rows"))
            .outerjoin(article_entries, article_entries.c.entry_id == entries.c.id)
            .outerjoin(articles, articles.c.id == article_entries.c.article_id)
            .where(origin)
            .group_by(entries.c.archive, ended, articles.c.label)
        )
        found: dict[str, dict[str, int]] = {}
        async with self._db.read() as c:
            for row in await c.execute(query):
                counts = found.setdefault(row.archive or "", dict.fromkeys(ENDINGS, 0))
                counts[row.ended] += row.rows
                counts["defense"] += row.rows if (row.ended, row.label) == ("stored", "defense") else 0
        return found

    async def done_a_minute(self, origin: ColumnElement[bool]) -> float:
        """How many entries came to their end a minute, in the minutes in which any did: pauses do not count."""
        micros = type_coerce(entries.c.done_at, BigInteger)
        minute = micros // 60_000_000 if self._db.is_sqlite else func.date_trunc("minute", entries.c.done_at)
        query = select(func.count(entries.c.done_at).label("done"), func.count(minute.distinct()).label("minutes"))
        async with self._db.read() as c:
            row = (await c.execute(query.where(origin))).one()
        return round(int(row.done) / max(int(row.minutes), 1), 1)

    async def count(self, origin: ColumnElement[bool]) -> int:
        """How many entries there are."""
        async with self._db.read() as c:
            return int((await c.execute(select(func.count()).select_from(entries).where(origin))).scalar_one())

    async def count_waiting(self, origin: ColumnElement[bool] | None = None) -> int:
        """How many entries wait for a later time."""
        query = select(func.count()).where(entries.c.state == "waiting", true() if origin is None else origin)
        async with self._db.read() as c:
            return int((await c.execute(query)).scalar_one())


def live() -> ColumnElement[bool]:
    """The entries that polls found."""
    is_live: ColumnElement[bool] = entries.c.origin_run_id.is_(None)
    return is_live


def pageless(origin: ColumnElement[bool] | None) -> ColumnElement[bool]:
    """Of those entries the ones whose article is in the feed."""
    return and_(entries.c.host == "", true() if origin is None else origin)


def found_by(run_id: int) -> ColumnElement[bool]:
    """The entries that one backfill found."""
    is_found: ColumnElement[bool] = entries.c.origin_run_id == run_id
    return is_found


def _urgency(rows: list[Any]) -> tuple[int, datetime]:
    return max((row.priority, row.newest_at) for row in rows)


def _work(run_id: int, url_id: int, rows: list[Any]) -> Work:
    plans = [row.plan or {} for row in rows]
    is_bounded = all(row.origin_run_id is not None for row in rows)  # a live entry has no range
    return Work(
        run_id=run_id,
        url_id=url_id,
        host=rows[0].host,
        claimed=tuple(_claimed(row) for row in rows),
        article_id=rows[0].article_id,
        since=_moment(plans[0].get("since")) if is_bounded else None,
        until=_moment(plans[0].get("until")) if is_bounded else None,
    )


def _claimed(row: Any) -> Claimed:
    return Claimed(
        id=row.id,
        entry=payloads.unpack(row),
        feed_id=row.feed_id,
        attempts=row.attempts,
        revision=row.revision,
        seen_at=row.seen_at,
        origin_run_id=row.origin_run_id,
        trust=_trust(row) if row.origin_run_id is None and row.feed_id is not None else None,
    )


def _trust(row: Any) -> FeedTrust:
    return FeedTrust() if row.agreed is None else FeedTrust(row.agreed, row.is_doubted, row.unchecked)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
