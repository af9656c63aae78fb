"""Feeds and their states: which are due, who polls them, and what a poll brought."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, insert, literal, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline import urls
from pipeline.errors import CommandError
from pipeline.model import Feed, FeedKind, FeedState, FetchMode, Health
from pipeline.store import polls, subscriptions
from pipeline.store.database import LINGER_S, Batcher, Database
from pipeline.store.discover import Discovery, discover
from pipeline.store.polls import PollEnding
from pipeline.store.states import is_claimed, state_columns, state_of, state_values
from pipeline.store.tables import events, feed_claims, feed_states, feed_urls, feeds, hosts
from pipeline.store.tables import gaps as gap_rows
from pipeline.store.types import Id

_FEED = tuple(  # what a feed is read from; the first columns of a query
    feeds.c[name]
    for name in (
        *("id", "url", "title", "kind", "country", "lang", "fetch", "interval_s"),
        *("headers", "include", "exclude", "tags"),
    )
)
LOOK_AHEAD = 4  # feeds for each that is wanted, where many share a host, of which one is taken
LONGEST_ID = 19  # digits of a 64-bit integer


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A feed with its state, for listings."""

    feed: Feed
    state: FeedState
    is_enabled: bool
    gaps: int = 0  # times of which entries were missed, and not found since

    @property
    def health(self) -> Health:
        """How it does."""
        return self.state.health


@dataclass(frozen=True, slots=True)
class FeedLine:
    """What a feed is told from others by, without what its polls need to know."""

    id: int
    url: str
    title: str
    kind: FeedKind
    country: str | None
    lang: str | None
    tags: tuple[str, ...]
    is_enabled: bool
    health: Health


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened to a feed."""

    at: datetime
    kind: str
    detail: Mapping[str, Any]


class FeedRows:
    """The tables of feeds."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._polls: Batcher[PollEnding, int] = Batcher(self._finish, linger_s=LINGER_S)

    async def add(self, wanted: Iterable[Feed], now: datetime) -> tuple[Feed, ...]:
        """Add the feeds whose URL was never seen; returns those that were new."""
        feeds_wanted = tuple(wanted)
        return await self._db.settle(lambda: self._add(feeds_wanted, now))

    async def _add(self, wanted: tuple[Feed, ...], now: datetime) -> tuple[Feed, ...]:
        new = []
        async with self._db.write() as c:
            known = set((await c.execute(select(feed_urls.c.url))).scalars())
            for feed in wanted:
                if feed.url not in known:
                    known.add(feed.url)
                    new += await _insert(c, self._db, feed, now)
        return tuple(new)

    async def adopt(self, ending: PollEnding) -> Feed | None:
        """Add a feed with what its first request brought, so that it needs no second one; None if its URL is known."""
        return await self._db.settle(lambda: self._adopt(ending))

    async def _adopt(self, ending: PollEnding) -> Feed | None:
        async with self._db.write() as c:
            is_known = select(feed_urls.c.url).where(feed_urls.c.url == ending.feed.url)
            if (await c.execute(is_known)).first() is not None:
                return None
            for feed in await _insert(c, self._db, ending.feed, ending.at, ending.state):
                found = Discovery(ending.entries, ending.at, feed=feed)
                await discover(c, self._db, found)
                return feed
        return None

    async def listing(self, *, named: Sequence[str] = (), with_removed: bool = False) -> tuple[FeedRow, ...]:
        """All feeds with their states, or those of the given ids, URLs or titles."""
        is_meant = is_named(named) if named else true()
        return await self._rows(is_meant if with_removed else and_(is_meant, feeds.c.removed_at.is_(None)))

    async def of(self, feed_ids: Sequence[int]) -> tuple[FeedRow, ...]:
        """The feeds of these ids with their states, in this order."""
        rows = {row.feed.id: row for row in await self._rows(feeds.c.id.in_(feed_ids))}
        return tuple(rows[feed_id] for feed_id in feed_ids if feed_id in rows)

    async def _rows(self, is_meant: ColumnElement[bool]) -> tuple[FeedRow, ...]:
        is_open = and_(gap_rows.c.feed_id == feeds.c.id, gap_rows.c.repaired_at.is_(None))
        missed = select(func.count()).where(is_open).scalar_subquery().label("missed")
        query = select(*_FEED, feeds.c.enabled, missed, *state_columns()).join(
            feed_states, feed_states.c.feed_id == feeds.c.id
        )
        async with self._db.read() as c:
            rows = (await c.execute(query.where(is_meant).order_by(feeds.c.kind, feeds.c.title))).all()
        return tuple(FeedRow(_feed(row), state_of(row), row.enabled, row.missed) for row in rows)

    async def lines(self) -> tuple[FeedLine, ...]:
        """All feeds in the order of the listing, at a sixth of its cost: to count, to search and to choose from."""
        told = (feeds.c[name] for name in ("id", "url", "title", "kind", "country", "lang", "tags", "enabled"))
        query = select(*told, feed_states.c.health).join(feed_states, feed_states.c.feed_id == feeds.c.id)
        query = query.where(feeds.c.removed_at.is_(None)).order_by(feeds.c.kind, feeds.c.title)
        async with self._db.read() as c:
            rows = (await c.execute(query)).all()
        return tuple(map(_line, rows))

    async def titles(self) -> Sequence[Row[Any, Any]]:
        """Id and title of each feed, to choose from, in the order of the listing."""
        query = select(feeds.c.id, feeds.c.title).where(feeds.c.removed_at.is_(None))
        async with self._db.read() as c:
            return (await c.execute(query.order_by(feeds.c.kind, feeds.c.title))).all()

    async def named(self, names: Sequence[str], *, with_removed: bool = False) -> tuple[FeedRow, ...]:
        """The feeds of these ids, URLs or titles; none for no names.

        Raises:
            CommandError: one of them is no feed.
        """
        found: dict[int, FeedRow] = {}
        for name in names:
            rows = await self.listing(named=(name,), with_removed=with_removed)
            if not rows:
                raise CommandError(f"no such feed: {name} (`defnews feeds list` knows ids, URLs and titles)")
            found.update((row.feed.id, row) for row in rows)
        return tuple(found.values())

    async def set_enabled(self, feed_id: int, is_enabled: bool, now: datetime) -> None:
        """Pause a feed or take it up again, also one that was removed or said 410."""
        async with self._db.write() as c:
            await c.execute(update(feeds).where(feeds.c.id == feed_id).values(enabled=is_enabled))
            if is_enabled:
                await c.execute(update(feeds).where(feeds.c.id == feed_id).values(removed_at=None))
                health = case((feed_states.c.gone.is_(true()), Health.FAILING.value), else_=feed_states.c.health)
                revived = {"gone": False, "health": health, "next_poll_at": now, "next_poll_reason": "enabled"}
                await c.execute(update(feed_states).where(feed_states.c.feed_id == feed_id).values(**revived))
            await _event(c, now, "feed-enabled" if is_enabled else "feed-disabled", feed_id)

    async def poll_soon(self, feed_id: int, now: datetime) -> None:
        """Make a feed due, unless it said 410; its host's rest and pace hold."""
        is_it = and_(feed_states.c.feed_id == feed_id, feed_states.c.gone.is_not(true()))
        async with self._db.write() as c:
            await c.execute(update(feed_states).where(is_it).values(next_poll_at=now, next_poll_reason="asked for"))

    async def remove(self, feed_id: int, now: datetime) -> None:
        """Poll a feed no more; its articles and its URL history stay."""
        async with self._db.write() as c:
            await c.execute(update(feeds).where(feeds.c.id == feed_id).values(removed_at=now, enabled=False))
            await _event(c, now, "feed-removed", feed_id)

    async def claim(
        self, run_id: int, now: datetime, limit: int, busy: Collection[str] = (), forced: "Forced | None" = None
    ) -> tuple[tuple[Feed, FeedState], ...]:
        """Take feeds that are due and whose host is free, one a host, longest due first."""
        is_host_free = and_(
            or_(hosts.c.host.is_(None), hosts.c.next_at <= now),
            or_(hosts.c.rest_until.is_(None), hosts.c.rest_until <= now),
        )
        query = (
            select(feeds.c.id, feeds.c.host)
            .select_from(feed_states.join(feeds, feeds.c.id == feed_states.c.feed_id))
            .outerjoin(hosts, hosts.c.host == feeds.c.host)
            .where(_is_due(now, forced), is_host_free, feeds.c.host.not_in(list(busy)))
            .order_by(feed_states.c.next_poll_at)
        )
        if not self._db.is_sqlite:
            query = query.with_for_update(of=feed_states, skip_locked=True)
        whole = select(*_FEED, *state_columns()).join(feed_states).order_by(feed_states.c.next_poll_at)
        async with self._db.write() as c:
            ids = await self._taken(c, await _one_a_host(c, query, limit), run_id)
            chosen = (await c.execute(whole.where(feeds.c.id.in_(ids)))).all()
        return tuple((_feed(row), state_of(row)) for row in chosen)

    async def _taken(self, c: AsyncConnection, feed_ids: list[int], run_id: int) -> list[int]:
        """Those of the feeds that nobody else took meanwhile."""
        wanted = select(feeds.c.id, literal(run_id, Id)).where(feeds.c.id.in_(feed_ids))
        claim = self._db.insert(feed_claims).from_select(["feed_id", "run_id"], wanted).on_conflict_do_nothing()
        return list((await c.execute(claim.returning(feed_claims.c.feed_id))).scalars())

    async def next_claim_at(self, now: datetime, forced: "Forced | None" = None) -> datetime | None:
        """When the next feed that is due already can be claimed; None: no feed is due, or its host rests."""
        free_at = func.min(func.coalesce(hosts.c.next_at, feed_states.c.next_poll_at))
        query = (
            select(free_at)
            .select_from(feeds)
            .join(feed_states, feed_states.c.feed_id == feeds.c.id)
            .outerjoin(hosts, hosts.c.host == feeds.c.host)
            .where(_is_due(now, forced), or_(hosts.c.rest_until.is_(None), hosts.c.rest_until <= now))
        )
        async with self._db.read() as c:
            found: datetime | None = (await c.execute(query)).scalar()
            return found

    async def finish(self, ending: PollEnding) -> int:
        """Commit what a poll brought: the feed's state and its entries in one transaction.

        Returns:
            How many entries were new, or announced a revision.
        """
        return await self._polls.put(ending)

    async def _finish(self, batch: list[PollEnding]) -> list[int]:
        async with self._db.write() as c:
            return await polls.commit(c, self._db, batch)

    async def history(self, feed_id: int, limit: int = 10) -> tuple[Change, ...]:
        """What happened to a feed, newest first: its health, its URL, who switched it on and off."""
        kinds = (*polls.CHANGES, *subscriptions.CHANGES, "feed-added", "feed-enabled", "feed-disabled", "feed-removed")
        is_wanted = and_(events.c.feed_id == feed_id, events.c.kind.in_(kinds))
        async with self._db.read() as c:
            rows = await c.execute(select(events).where(is_wanted).order_by(events.c.id.desc()).limit(limit))
            return tuple(Change(row.at, row.kind, row.detail or {}) for row in rows)

    async def sites(self) -> dict[str, tuple[Feed, ...]]:
        """The feeds of each registered domain."""
        found: dict[str, tuple[Feed, ...]] = {}
        for row in await self.listing():
            site = urls.site(row.feed.url)
            found[site] = (*found.get(site, ()), row.feed)
        return found


@dataclass(frozen=True, slots=True)
class Forced:
    """Feeds to be polled once although they are not due: the given ids, or all."""

    since: datetime  # those polled since then had their turn
    ids: tuple[int, ...] | None = None


async def _one_a_host(c: AsyncConnection, query: Select[Any], limit: int) -> list[int]:
    """The first feed of each host, as many as wanted; looks further only where the first ones share hosts."""
    for most in (limit, limit * LOOK_AHEAD):
        rows = (await c.execute(query.limit(most))).all()
        first = {row.host: row.id for row in reversed(rows)}
        if len(first) >= limit or len(rows) < most:
            break
    return [row.id for row in rows if first[row.host] == row.id][:limit]


def _is_due(now: datetime, forced: Forced | None) -> ColumnElement[bool]:
    is_idle = and_(~is_claimed(), feeds.c.enabled.is_(true()), feed_states.c.gone.is_not(true()))
    if forced is None:
        return and_(feed_states.c.next_poll_at <= now, is_idle)
    is_unpolled = or_(feed_states.c.last_poll_at.is_(None), feed_states.c.last_poll_at < forced.since)
    is_meant = feeds.c.id.in_(forced.ids) if forced.ids is not None else true()
    return and_(is_idle, is_unpolled, is_meant)


def is_named(named: Sequence[str]) -> ColumnElement[bool]:
    """Whether a feed has one of these ids, URLs or titles."""
    ids = [int(name) for name in named if name.isdecimal() and len(name) < LONGEST_ID]
    by_url = feeds.c.id.in_(select(feed_urls.c.feed_id).where(feed_urls.c.url.in_(named)))
    return or_(feeds.c.id.in_(ids), by_url, func.lower(feeds.c.title).in_([name.lower() for name in named]))


async def _insert(
    c: AsyncConnection, db: Database, feed: Feed, now: datetime, state: FeedState | None = None
) -> list[Feed]:
    """The new feed; nothing when another process has just added it."""
    values = {
        "url": feed.url,
        "host": urls.host_key(feed.url),
        "site": urls.site(feed.url),
        "title": feed.title,
        "kind": feed.kind.value,
        "country": feed.country,
        "lang": feed.lang,
        "fetch": feed.fetch.value,
        "interval_s": feed.interval.total_seconds() if feed.interval else None,
        "headers": [list(pair) for pair in feed.headers],
        "include": list(feed.include),
        "exclude": list(feed.exclude),
        "tags": list(feed.tags),
        "enabled": True,
        "added_at": now,
    }
    statement = db.insert(feeds).values(**values).on_conflict_do_nothing(index_elements=["url"])
    row = (await c.execute(statement.returning(*_FEED))).one_or_none()
    if row is None:
        return []
    await c.execute(insert(feed_urls).values(url=feed.url, feed_id=row.id, since_at=now))
    state = state or FeedState(next_poll_at=now, next_poll_reason="new")
    await c.execute(insert(feed_states).values(feed_id=row.id, **state_values(state)))
    await _event(c, now, "feed-added", row.id)
    return [_feed(row)]


async def _event(c: AsyncConnection, now: datetime, kind: str, feed_id: int) -> None:
    await c.execute(insert(events).values(at=now, kind=kind, feed_id=feed_id))


def _line(row: Any) -> FeedLine:
    key, url, title, kind, country, lang, tags, is_enabled, health = row
    return FeedLine(key, url, title, FeedKind(kind), country, lang, tuple(tags), is_enabled, Health(health))


def _feed(row: Any) -> Feed:
    """The feed in the first columns of a row."""
    feed_id, url, title, kind, country, lang, fetch, interval_s, headers, include, exclude, tags = row[: len(_FEED)]
    return Feed(
        id=feed_id,
        url=url,
        title=title,
        kind=FeedKind(kind),
        country=country,
        lang=lang,
        fetch=FetchMode(fetch),
        interval=None if interval_s is None else timedelta(seconds=interval_s),
        headers=tuple((name, value) for name, value in headers),
        include=tuple(include),
        exclude=tuple(exclude),
        tags=tuple(tags),
    )
