"""Counts for whoever asks often."""

import asyncio
from itertools import pairwise

import pytest

from pipeline.store import Count, Store
from tests import make
from tests.make import AT
from tests.store.filling import fill


async def test_counts_are_not_counted_again_at_once_but_soon(store: Store) -> None:
    first = await store.stats.recent(AT)
    again = await asyncio.gather(*(store.stats.recent(AT) for _ in range(50)))
    await fill(store, [make.article()], [make.verdict()])
    for _ in range(1_000):
        if (last := await store.stats.recent(AT)).articles:
            break
        await asyncio.sleep(0.02)
    assert any(one is other for one, other in pairwise(again))
    assert (first.articles, last.articles) == (0, 1)


async def test_what_was_stored_last_says_when_something_changed(store: Store) -> None:
    assert await store.stats.changed_at() is None
    await fill(store, [make.article()], [make.verdict()])
    assert await store.stats.changed_at() == AT


async def test_feeds_are_counted_by_health(store: Store) -> None:
    await store.feeds.add([make.feed(1), make.feed(2), make.feed(3)], AT)
    one, two, _ = (row.feed.id for row in await store.feeds.listing())
    await store.feeds.set_enabled(one, False, AT)
    await store.feeds.remove(two, AT)
    assert await store.stats.feeds_by_health() == {"disabled": 1, "new": 1}


async def test_the_sizes_of_tables_add_up_to_most_of_the_database(store: Store) -> None:
    await fill(store, [make.article()], [make.verdict()])
    sizes = await store.stats.sizes()
    assert {"articles", "texts", "verdicts", "entries", "search_index"} <= set(sizes)
    whole = await store.stats.size_bytes()
    assert sum(sizes.values()) <= whole
    assert not store.db.is_sqlite or sum(sizes.values()) > whole * 0.9


async def test_what_stands_on_every_page_is_counted_up_to_a_bound(store: Store) -> None:
    doubtful = make.verdict(score=0.52, needs_review=True)
    await fill(store, [make.article(1), make.article(2, text=make.text(2))], [doubtful, make.verdict()])
    pulse = await store.stats.pulse()
    assert (pulse.feeds, pulse.feeds_failing) == (1, 0)
    assert (pulse.needs_review, pulse.waiting) == (Count(1, is_least=False), Count(0, is_least=False))


async def test_counting_ends_with_the_store(database_url: str) -> None:
    async with Store(database_url) as store:
        asking = asyncio.create_task(store.stats.recent(AT))
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await asking
