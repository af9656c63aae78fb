"""The end of a poll: state, entries, gap, changes of health and URL, all in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline import urls
from pipeline.model import Entry, Feed, FeedState, Gap, Health
from pipeline.store.database import Database
from pipeline.store.discover import Discovery, discover
from pipeline.store.outages import FAILED, HEALTH, UNCOUNTED
from pipeline.store.states import state_values
from pipeline.store.tables import budgets, events, feed_claims, feed_states, feed_urls, feeds, gaps

MOVED, MOVE_REFUSED = "feed-moved", "feed-move-refused"
CHANGES = (HEALTH, MOVED, MOVE_REFUSED)  # the events that a poll may bring, beside failures


@dataclass(frozen=True, slots=True)
class PollEnding:
    """The end of one poll: the feed's new state, and what the poll brought, or why it failed."""

    feed: Feed
    run_id: int
    state: FeedState
    at: datetime
    entries: tuple[Entry, ...] = ()  # all that the feed holds
    unwanted: frozenset[str] = frozenset()  # ids of entries that include / exclude keep out
    gap: Gap | None = None  # of which entries were missed
    moved_to: str | None = None  # the feed's URL from now on
    failure: str | None = None  # the reason
    is_counted: bool = True  # a failure that was our own network's is not
    was_asked: bool = True  # whether the poll made a request
    is_pushed: bool = False  # whether a hub brought entries since the poll before: what is known was not missed


async def commit(c: AsyncConnection, db: Database, batch: list[PollEnding]) -> list[int]:
    """Commit what polls brought; returns how many entries of each were new, or announced a revision."""
    owned = await _owned(c, batch)
    batch = [await _moved(c, ending) if ending.feed.id in owned else ending for ending in batch]
    new = []
    for ending in batch:
        found = Discovery(ending.entries, ending.at, feed=ending.feed, unwanted=ending.unwanted)
        new.append(len(await discover(c, db, found)) if ending.entries else 0)
    known = {ending.feed.id for ending, count in zip(batch, new, strict=True) if count < len(ending.entries)}
    batch = [replace(p, gap=None) if p.is_pushed and p.feed.id in known else p for p in batch]
    await _record(c, [ending for ending in batch if ending.feed.id in owned], owned)
    if rows := [{"feed": p.feed.id, **state_values(p.state)} for p in batch if p.feed.id in owned]:
        await c.execute(update(feed_states).where(feed_states.c.feed_id == bindparam("feed")), rows)
    made = sum(p.was_asked and p.feed.interval is None for p in batch)
    await c.execute(update(budgets).values(made=budgets.c.made + made))
    return new


async def _owned(c: AsyncConnection, batch: list[PollEnding]) -> dict[int, str]:
    """Give back the claims; returns the feeds that were still the run's own, with their health.

    A run that fell silent may have lost its feeds to another.
    """
    given_back: list[int] = []
    for run_id in {p.run_id for p in batch}:
        is_ours = feed_claims.c.feed_id.in_([p.feed.id for p in batch if p.run_id == run_id])
        claims = delete(feed_claims).where(is_ours, feed_claims.c.run_id == run_id).returning(feed_claims.c.feed_id)
        given_back += (await c.execute(claims)).scalars()
    query = select(feed_states.c.feed_id, feed_states.c.health).where(feed_states.c.feed_id.in_(given_back))
    return {row.feed_id: row.health for row in await c.execute(query)}


async def _record(c: AsyncConnection, batch: list[PollEnding], before: Mapping[int, str]) -> None:
    """Failures, gaps and changes of health go on record; the many uneventful polls do not."""
    changed = [p for p in batch if before.get(p.feed.id) != p.state.health]
    rows = [
        *(_failure(p) for p in batch if p.failure),
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


async def _moved(c: AsyncConnection, ending: PollEnding) -> PollEnding:
    """Change a feed's URL, unless another feed has it; those that it had stay known."""
    feed, url = ending.feed, ending.moved_to
    if url is None:
        return ending
    holder = (await c.execute(select(feed_urls.c.feed_id).where(feed_urls.c.url == url))).scalar()
    if holder not in (None, feed.id):
        await c.execute(insert(events).values(_event(ending, MOVE_REFUSED, to=url, held_by=holder)))
        return replace(ending, state=replace(ending.state, health=Health.ACTIVE), moved_to=None)
    if holder is None:
        await c.execute(insert(feed_urls).values(url=url, feed_id=feed.id, since_at=ending.at))
    values = {"url": url, "host": urls.host_key(url), "site": urls.site(url)}
    await c.execute(update(feeds).where(feeds.c.id == feed.id).values(**values))
    await c.execute(insert(events).values(_event(ending, MOVED, url=feed.url, to=url)))
    return ending


def _why(ending: PollEnding) -> str | None:
    """What says most about a change of health: the failure, the address, or the last sign of life."""
    state = ending.state
    if state.reason or ending.moved_to:
        return state.reason or ending.moved_to
    return f"newest entry {state.newest_at:%Y-%m-%d}" if state.newest_at else None


def _failure(ending: PollEnding) -> dict[str, Any]:
    if ending.is_counted:
        return _event(ending, FAILED, reason=ending.failure, failures=ending.state.failures)
    return _event(ending, UNCOUNTED, reason=ending.failure)


def _event(ending: PollEnding, kind: str, **detail: Any) -> dict[str, Any]:
    known = {name: value for name, value in detail.items() if value is not None}
    return {"at": ending.at, "kind": kind, "feed_id": ending.feed.id, "run_id": ending.run_id, "detail": known}
