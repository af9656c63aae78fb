"""The end of a poll: state, entries, gap, changes of health and URL, all in one transaction."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline import urls
from pipeline.model import Entry, Feed, FeedState, Gap, Health
from pipeline.store.database import Database
from pipeline.store.discover import Discovery, discover
from pipeline.store.outages import HEALTH
from pipeline.store.states import state_values
from pipeline.store.tables import budgets, events, feed_states, feed_urls, feeds, gaps

MOVED, MOVE_REFUSED = "feed-moved", "feed-move-refused"
CHANGES = (HEALTH, MOVED, MOVE_REFUSED)  # the events that a poll may bring, beside `poll-failed`


@dataclass(frozen=True, slots=True)
class Polled:
    """The end of one poll: the feed's new state, and what was in it."""

    feed: Feed
    run_id: int
    state: FeedState
    at: datetime
    entries: tuple[Entry, ...] = ()  # all that the feed holds
    unwanted: frozenset[str] = frozenset()  # ids of entries that include / exclude keep out
    gap: Gap | None = None  # of which entries were missed
    moved_to: str | None = None  # the feed's URL from now on


async def commit(c: AsyncConnection, db: Database, batch: list[Polled]) -> list[int]:
    """Commit what polls brought; returns how many entries of each were new, or announced a revision."""
    owned = await _owned(c, batch)
    batch = [await _moved(c, polled) if polled.feed.id in owned else polled for polled in batch]
    new = []
    for polled in batch:
        found = Discovery(polled.entries, polled.at, feed=polled.feed, unwanted=polled.unwanted)
        new.append(len(await discover(c, db, found)) if polled.entries else 0)
    await _record(c, [polled for polled in batch if polled.feed.id in owned])
    is_ours = (feed_states.c.feed_id == bindparam("feed")) & (feed_states.c.run_id == bindparam("run"))
    rows = [{"feed": p.feed.id, "run": p.run_id, "run_id": None, **state_values(p.state)} for p in batch]
    await c.execute(update(feed_states).where(is_ours), rows)
    await c.execute(update(budgets).values(made=budgets.c.made + sum(p.feed.interval is None for p in batch)))
    return new


async def _owned(c: AsyncConnection, batch: list[Polled]) -> frozenset[int]:
    """The feeds that are still the run's own; one that fell silent may have lost them to another."""
    query = select(feed_states.c.feed_id, feed_states.c.run_id).where(
        feed_states.c.feed_id.in_([p.feed.id for p in batch])
    )
    holders = {row.feed_id: row.run_id for row in await c.execute(query)}
    return frozenset(p.feed.id for p in batch if holders.get(p.feed.id) == p.run_id)


async def _record(c: AsyncConnection, batch: list[Polled]) -> None:
    """Failures, gaps and changes of health go on record; the many uneventful polls do not."""
    query = select(feed_states.c.feed_id, feed_states.c.health).where(
        feed_states.c.feed_id.in_([p.feed.id for p in batch])
    )
    before = {row.feed_id: row.health for row in await c.execute(query)}
    changed = [p for p in batch if before.get(p.feed.id) != p.state.health]
    rows = [
        *(_event(p, "poll-failed", reason=p.state.reason, failures=p.state.failures) for p in batch if p.state.reason),
        *(_event(p, HEALTH, was=before.get(p.feed.id), now=p.state.health.value, why=_why(p)) for p in changed),
    ]
    if rows:
        await c.execute(insert(events), rows)
    missed = [
        {"feed_id": p.feed.id, "since_at": p.gap.since, "until_at": p.gap.until, "found_at": p.at}
        for p in batch
        if p.gap
    ]
    if missed:
        await c.execute(insert(gaps), missed)


async def _moved(c: AsyncConnection, polled: Polled) -> Polled:
    """Change a feed's URL, unless another feed has it; those that it had stay known."""
    feed, url = polled.feed, polled.moved_to
    if url is None:
        return polled
    holder = (await c.execute(select(feed_urls.c.feed_id).where(feed_urls.c.url == url))).scalar()
    if holder not in (None, feed.id):
        await c.execute(insert(events).values(_event(polled, MOVE_REFUSED, to=url, held_by=holder)))
        return replace(polled, state=replace(polled.state, health=Health.ACTIVE), moved_to=None)
    if holder is None:
        await c.execute(insert(feed_urls).values(url=url, feed_id=feed.id, since_at=polled.at))
    values = {"url": url, "host": urls.host_key(url), "site": urls.site(url)}
    await c.execute(update(feeds).where(feeds.c.id == feed.id).values(**values))
    await c.execute(insert(events).values(_event(polled, MOVED, url=feed.url, to=url)))
    return polled


def _why(polled: Polled) -> str | None:
    """What says most about a change of health: the failure, the address, or the last sign of life."""
    state = polled.state
    if state.reason or polled.moved_to:
        return state.reason or polled.moved_to
    return f"newest entry {state.newest_at:%Y-%m-%d}" if state.newest_at else None


def _event(polled: Polled, kind: str, **detail: Any) -> dict[str, Any]:
    known = {name: value for name, value in detail.items() if value is not None}
    return {"at": polled.at, "kind": kind, "feed_id": polled.feed.id, "run_id": polled.run_id, "detail": known}
