"""`defnews feeds ...`: the feed list with its health; what needs no request, and so loads little."""

from pathlib import Path
from typing import Any

import structlog

from pipeline.clock import Clock, SystemClock
from pipeline.entrypoints.options import Options
from pipeline.entrypoints.output import rfc3339
from pipeline.errors import CommandError, ParseError
from pipeline.model import Feed, PushState, Subscription
from pipeline.settings import load_feeds
from pipeline.stages import opml
from pipeline.store import FeedLine, FeedRow, Store, open_store

log = structlog.get_logger()


async def add_new_feeds(store: Store, options: Options, clock: Clock) -> None:
    """Add the feeds of feeds.toml that this database has never seen."""
    new = await store.feeds.add(load_feeds(options.config), clock.now())
    if new:
        log.info("feeds added", count=len(new))


async def listing(options: Options) -> list[dict[str, Any]]:
    """All feeds, those of feeds.toml included."""
    async with await open_store(options.settings().database_url) as store:
        await add_new_feeds(store, options, SystemClock())
        pushed = await store.subscriptions.wanted()
        return [_row(row, pushed.get(row.feed.id)) for row in await store.feeds.listing()]


def feeds_of(path: Path) -> tuple[Feed, ...]:
    """The feeds of an OPML file.

    Raises:
        CommandError: it cannot be read, or is no OPML.
    """
    try:
        return opml.read(path.read_bytes(), str(path))
    except OSError as e:
        raise CommandError(f"{path}: {e.strerror}") from e
    except ParseError as e:
        raise CommandError(str(e)) from e


async def take_in(options: Options, path: Path) -> list[dict[str, Any]]:
    """Add the feeds of an OPML file; they are polled when `run` or `poll` comes to them.

    Raises:
        CommandError: it cannot be read, or is no OPML.
    """
    wanted = feeds_of(path)
    async with await open_store(options.settings().database_url) as store:
        new = {feed.url for feed in await store.feeds.add(wanted, SystemClock().now())}
    return [{"url": feed.url, "title": feed.title, "tags": feed.tags, "is_new": feed.url in new} for feed in wanted]


async def give_out(options: Options) -> str:
    """All feeds as OPML."""
    async with await open_store(options.settings().database_url) as store:
        await add_new_feeds(store, options, SystemClock())
        return opml.write(row.feed for row in await store.feeds.listing())


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


def state_of(row: FeedRow | FeedLine) -> str:
    """In one word: disabled, or how it does."""
    return row.health.value if row.is_enabled else "disabled"


def pushed_by(known: Subscription | None) -> str | None:
    """Who pushes a feed, in words, or why nobody does; None: it names no hub, or no hub can reach us."""
    if known is None:
        return None
    if known.state is PushState.ACTIVE and known.lease_until:
        last = f"last {rfc3339(known.pushed_at)}" if known.pushed_at else "nothing yet"
        about = f"pushed by {known.hub.url} until {rfc3339(known.lease_until)}, {last}"
    else:
        again = f", asked next {rfc3339(known.due_at)}" if known.due_at else ""
        about = f"not pushed: {known.hub.url} {'said no' if known.state is PushState.DENIED else 'is asked'}{again}"
    return about + (f" ({known.reason})" if known.reason else "")


def _row(row: FeedRow, pushed: Subscription | None) -> dict[str, Any]:
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
        "push": pushed_by(pushed),
        "gaps": row.gaps,
        "tags": row.feed.tags,
        "url": row.feed.url,
    }
