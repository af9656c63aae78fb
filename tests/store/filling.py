"""Fills a store through its own doors: a feed, a poll, endings."""

import asyncio
from collections.abc import Sequence

from pipeline.model import Article, Feed, Outcome, Verdict
from pipeline.store import Ending, PollEnding, Store
from tests import make
from tests.make import AT


async def fill(
    store: Store, articles: Sequence[Article], verdicts: Sequence[Verdict], *, feed: Feed | None = None
) -> None:
    """Store articles as if one feed had brought them."""
    run = await store.runs.start("poll", AT)
    await store.feeds.add([feed or make.feed()], AT)
    ((claimed, _),) = await store.feeds.claim(run.id, AT, 1)
    entries = tuple(make.entry(n, id=a.url, url=a.url, title=a.title, updated_at=AT) for n, a in enumerate(articles))
    await store.feeds.finish(PollEnding(claimed, run.id, make.state(), AT, entries))
    by_url = {a.url: (a, v) for a, v in zip(articles, verdicts, strict=True)}
    while works := await store.work.claim(run.id, AT, 100):
        endings = (Ending(work, AT, Outcome.STORED, *by_url[work.lead.entry.url or ""]) for work in works)
        await asyncio.gather(*map(store.endings.put, endings))  # at once: the store writes them together
    await store.runs.end(run.id, "done", AT)
