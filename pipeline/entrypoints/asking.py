"""`defnews feeds add` and `feeds check`: what asks feeds at once."""

import asyncio
import contextlib
from dataclasses import replace
from typing import Any

from pipeline import pushing
from pipeline.engine import Engine
from pipeline.entrypoints import wiring
from pipeline.entrypoints.feeds import add_new_feeds, pushed_by, state_of
from pipeline.entrypoints.options import Options
from pipeline.entrypoints.output import rfc3339
from pipeline.errors import CommandError, ParseError, StageError, UsageError
from pipeline.model import Feed, FeedKind, FeedState, Page
from pipeline.stages import find, poll
from pipeline.store import Change, FeedRow, GapRow, PollEnding

AT_ONCE = 20  # feeds checked at the same time


def new_feed(url: str, title: str | None, kind: FeedKind, country: str | None, lang: str | None) -> Feed:
    """A feed as the command line gives it; without a title it gets its own."""
    return Feed(id=0, url=url, title=title or "", kind=kind, country=country, lang=lang)


async def add(options: Options, wanted: Feed) -> dict[str, Any]:
    """Add a feed by its URL, or by that of its site; what the request for it brought is its first poll.

    Raises:
        UsageError: the URL is none, or known already.
        CommandError: no feed is there.
    """
    async with wiring.open_engine(options.settings()) as engine:
        return await add_with(engine, wanted)


async def add_with(engine: Engine, wanted: Feed) -> dict[str, Any]:
    """The same, with the engine of a daemon."""
    if not wanted.url.startswith(("http://", "https://")):
        raise UsageError(f"{wanted.url}: a feed's URL starts with http:// or https://")
    if await engine.store.feeds.listing(named=(wanted.url,), with_removed=True):
        raise _known(wanted.url)
    feed, polled = await _found(engine, wanted)
    feed = replace(feed, title=feed.title or polled.title or feed.url)
    new = await engine.store.feeds.adopt(PollEnding(feed, 0, polled.state, engine.clock.now(), polled.entries))
    if new is None:
        raise _known(feed.url)
    await pushing.heard(engine, new, polled)
    return {"id": new.id, "url": new.url, "title": new.title, "entries": len(polled.entries)}


async def _found(engine: Engine, wanted: Feed) -> tuple[Feed, poll.Polled]:
    """The feed at a URL, or the first one that its page leads to."""
    try:
        response = await engine.web.send(poll.request_for(wanted, FeedState()))
        return wanted, await engine.compute(poll.read, wanted, FeedState(), response, engine.policy)
    except ParseError:
        page = Page(response.url, response.body, response.header("content-type"), response.received_at)
    except StageError as e:
        raise CommandError(str(e)) from e
    urls = await engine.compute(find.read, page)
    for url in urls:
        feed = replace(wanted, url=url)
        with contextlib.suppress(StageError):
            response = await engine.web.send(poll.request_for(feed, FeedState()))
            return feed, await engine.compute(poll.read, feed, FeedState(), response, engine.policy)
    raise CommandError(f"{wanted.url} is no feed, and none was found at {', '.join(urls)}")


def _known(url: str) -> UsageError:
    return UsageError(f"{url} is known already (`defnews feeds list`; a removed feed: `feeds enable`)")


async def check(options: Options, named: tuple[str, ...]) -> list[dict[str, Any]]:
    """Ask feeds now without storing anything: which answer, and when they are polled next and why."""
    async with wiring.open_engine(options.settings()) as engine:
        await add_new_feeds(engine.store, options, engine.clock)
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
        "push": pushed_by(await engine.store.subscriptions.of_feed(feed.id)),
        "gaps": [_gap(gap) for gap in await engine.store.gaps.of_feeds([feed.id])],
        "history": [in_words(change) for change in await store.history(feed.id)],
    }


def _gap(row: GapRow) -> dict[str, Any]:
    """A gap, and what the backfill found of it that looked last."""
    tried = {"run": row.run_id, "found": row.found, "repaired_at": row.repaired_at} if row.run_id else {}
    return {"since": row.gap.since, "until": row.gap.until, **tried}


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
