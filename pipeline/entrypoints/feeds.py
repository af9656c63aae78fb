"""`defnews feeds ...`: the feed list with its health."""

import asyncio
from typing import Any

from pipeline.clock import SystemClock
from pipeline.entrypoints import wiring
from pipeline.entrypoints.options import Options
from pipeline.entrypoints.output import rfc3339
from pipeline.errors import StageError, UsageError
from pipeline.ingest import Engine
from pipeline.model import Feed, FeedKind, FeedState
from pipeline.stages import poll
from pipeline.store import Change, FeedRow, open_store

AT_ONCE = 20  # feeds checked at the same time


async def listing(options: Options) -> list[dict[str, Any]]:
    """All feeds, those of feeds.toml included."""
    async with await open_store(options.settings().database_url) as store:
        await wiring.add_new_feeds(store, options, SystemClock())
        return [_row(row) for row in await store.feeds.listing()]


async def add(options: Options, feed: Feed) -> dict[str, Any]:
    """Add a feed by its URL.

    Raises:
        UsageError: the URL is none, or known already.
    """
    if not feed.url.startswith(("http://", "https://")):
        raise UsageError(f"{feed.url}: a feed's URL starts with http:// or https://")
    async with await open_store(options.settings().database_url) as store:
        new = await store.feeds.add([feed], SystemClock().now())
        if not new:
            raise UsageError(f"{feed.url} is known already (`defnews feeds list`; a removed feed: `feeds enable`)")
        return {"id": new[0].id, "url": new[0].url, "title": new[0].title}


async def change(options: Options, named: tuple[str, ...], to: str) -> list[dict[str, Any]]:
    """Remove, enable or disable feeds."""
    async with await open_store(options.settings().database_url) as store:
        rows = await store.feeds.named(named, with_removed=to == "enabled")
        now = SystemClock().now()
        for row in rows:
            if to == "removed":
                await store.feeds.remove(row.feed.id, now)
            else:
                await store.feeds.set_enabled(row.feed.id, to == "enabled", now)
        return [{"id": row.feed.id, "title": row.feed.title, "now": to} for row in rows]


async def check(options: Options, named: tuple[str, ...]) -> list[dict[str, Any]]:
    """Ask feeds now without storing anything: which answer, and when they are polled next and why."""
    async with wiring.open_engine(options.settings()) as engine:
        await wiring.add_new_feeds(engine.store, options, engine.clock)
        rows = await (engine.store.feeds.named(named) if named else engine.store.feeds.listing())
        places = asyncio.Semaphore(AT_ONCE)
        return list(await asyncio.gather(*(_check(engine, row, places) for row in rows)))


async def _check(engine: Engine, row: FeedRow, places: asyncio.Semaphore) -> dict[str, Any]:
    feed, store = row.feed, engine.store.feeds
    try:
        async with places:
            response = await engine.web.send(poll.request_for(feed, FeedState()))
            read = await engine.compute(poll.read, feed, FeedState(), response, engine.policy)
    except StageError as error:
        answers, says = False, f"{error.reason} {error.detail}".strip()
    else:
        newest = max((entry.published_at for entry in read.entries if entry.published_at), default=None)
        answers, says = True, f"{len(read.entries)} entries, newest {newest or 'without date'}"
    return {
        "id": feed.id,
        "title": feed.title,
        "url": feed.url,
        "answers": answers,
        "says": says,
        "state": state_of(row),
        "next": next_poll(row),
        "gaps": [{"since": gap.since, "until": gap.until} for gap in await store.gaps(feed.id)],
        "history": [in_words(change) for change in await store.history(feed.id)],
    }


def in_words(change: Change) -> str:
    """What happened to a feed, in a line."""
    details = ", ".join(f"{name} {value}" for name, value in change.detail.items())
    return f"{rfc3339(change.at)} {change.kind}" + (f": {details}" if details else "")


def next_poll(row: FeedRow) -> str:
    """When a feed is polled next, and why then."""
    state = row.state
    if not row.is_enabled:
        return "not polled: disabled"
    if state.next_poll_at is None:
        return f"not polled: {state.next_poll_reason}"
    return f"next poll {rfc3339(state.next_poll_at)} because {state.next_poll_reason}"


def state_of(row: FeedRow) -> str:
    """In one word: disabled, or how it does."""
    return row.state.health.value if row.is_enabled else "disabled"


def new_feed(url: str, title: str | None, kind: FeedKind, country: str | None, lang: str | None) -> Feed:
    """A feed as the command line gives it."""
    return Feed(id=0, url=url, title=title or url, kind=kind, country=country, lang=lang)


def _row(row: FeedRow) -> dict[str, Any]:
    return {
        "id": row.feed.id,
        "title": row.feed.title,
        "kind": row.feed.kind.value,
        "country": row.feed.country,
        "lang": row.feed.lang,
        "state": state_of(row),
        "reason": row.state.reason,
        "last_success_at": row.state.last_success_at,
        "next_poll_at": row.state.next_poll_at,
        "because": row.state.next_poll_reason,
        "gaps": row.gaps,
        "url": row.feed.url,
    }
