"""Saved searches: what they find is put in line once, and stays there until it was sent or given up."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from pipeline.errors import CommandError
from pipeline.model import Article, Outcome
from pipeline.query import Query, parse
from pipeline.store import Ending, Saved, Store
from pipeline.store.saved import BATCH, KEPT, LEASE, OVERLAP
from tests import make
from tests.make import AT
from tests.store.test_work import a_run, polled

LONG_AGO = AT - timedelta(days=30)
LATER = AT + timedelta(hours=1)


async def stored(store: Store, articles: Sequence[Article], at: datetime) -> list[int]:
    """Store articles at a moment; returns their ids, newest first."""
    run = await a_run(store)
    await polled(store, run, *(make.entry(n, id=a.url, url=a.url) for n, a in enumerate(articles)))
    by_url = {article.url: article for article in articles}
    keys = []
    while works := await store.work.claim(run.id, AT + timedelta(days=1), 100):
        for work in works:
            article = by_url[work.lead.entry.url or ""]
            ended = await store.endings.put(Ending(work, at, Outcome.STORED, article, make.verdict()))
            keys.append(ended.article_id or 0)
    return sorted(keys, reverse=True)


async def a_search(store: Store, words: str = "drill", **targets: str) -> tuple[Saved, Query]:
    await store.saved.add("drills", words, {}, targets or {"webhook": "https://hook.example/"}, AT)
    return await store.saved.named("drills"), Query(parse(words, AT))


async def test_what_is_stored_after_the_search_was_saved_is_told_of_once(store: Store) -> None:
    await stored(store, [make.article(1)], AT - timedelta(minutes=1))
    saved, query = await a_search(store)
    new = await stored(store, [make.article(2), make.article(3, title="Nothing", text="Of the sort. " * 30)], LATER)
    assert await store.saved.collect(saved, query, LATER, LONG_AGO) == 1
    for later in (0, 5, 15):
        assert await store.saved.collect(saved, query, LATER + timedelta(minutes=later), LONG_AGO) == 0
    (alert,) = await store.saved.claim(LATER, 10)
    told = await store.search.get(alert.articles[0])
    assert told is not None
    assert (told.title, len(alert.articles), len(new)) == (make.article(2).title, 1, 2)
    assert (alert.channel, alert.attempts) == ("webhook", 1)
    assert alert.saved.targets == {"webhook": "https://hook.example/"}


async def test_an_article_that_becomes_visible_late_is_told_of(store: Store) -> None:
    saved, query = await a_search(store)
    assert await store.saved.collect(saved, query, LATER, LONG_AGO) == 0
    await stored(store, [make.article(2)], LATER - OVERLAP / 2)
    assert await store.saved.collect(saved, query, LATER + OVERLAP, LONG_AGO) == 1


async def test_articles_of_long_ago_are_not_told_of(store: Store) -> None:
    saved, query = await a_search(store)
    await stored(store, [make.article(2, published_at=AT - timedelta(days=9))], LATER)
    assert await store.saved.collect(saved, query, LATER, AT - timedelta(days=7)) == 0


async def test_many_articles_go_into_several_alerts_of_each_channel(store: Store) -> None:
    saved, query = await a_search(store, email="a@b.example", slack="https://slack.example/")
    await stored(store, [make.article(n) for n in range(2, BATCH + 4)], LATER)
    assert await store.saved.collect(saved, query, LATER, LONG_AGO) == BATCH + 2
    alerts = await store.saved.claim(LATER, 10)
    assert sorted((alert.channel, len(alert.articles)) for alert in alerts) == [
        ("email", 2), ("email", BATCH), ("slack", 2), ("slack", BATCH),
    ]  # fmt: skip


async def test_an_alert_that_nobody_ends_is_due_again_after_its_lease(store: Store) -> None:
    saved, query = await a_search(store)
    await stored(store, [make.article(2)], LATER)
    await store.saved.collect(saved, query, LATER, LONG_AGO)
    (first,) = await store.saved.claim(LATER, 10)
    assert await store.saved.claim(LATER + LEASE / 2, 10) == ()
    (second,) = await store.saved.claim(LATER + LEASE, 10)
    assert second == replace(first, attempts=2)
    await store.saved.free(second.id, LATER)
    assert len(await store.saved.claim(LATER, 10)) == 1


async def test_the_list_tells_what_became_of_alerts_and_why(store: Store) -> None:
    saved, query = await a_search(store, email="a@b.example", slack="https://x.example/", webhook="https://y.example/")
    await stored(store, [make.article(2)], LATER)
    await store.saved.collect(saved, query, LATER, LONG_AGO)
    first, second, third = await store.saved.claim(LATER, 10)
    await store.saved.sent(first.id, LATER)
    await store.saved.failed(second.id, "http-500", LATER + timedelta(hours=1))
    await store.saved.gave_up(third.id, "http-410", LATER)
    ((_, told),) = await store.saved.listing()
    assert (told.sent, told.waiting, told.gave_up) == (1, 1, 1)
    assert (told.last_sent_at, told.reason) == (LATER, "http-410")
    assert (await store.stats.read(LATER)).alerts == {"sent": 1, "waiting": 1, "gave-up": 1}
    await store.saved.forget(LATER + KEPT + timedelta(seconds=1))
    assert (await store.stats.read(LATER)).alerts == {"waiting": 1}


async def test_what_is_stored_during_a_pause_is_not_told_of(store: Store) -> None:
    saved, query = await a_search(store)
    await store.saved.pause(saved.id, AT)
    await stored(store, [make.article(2)], LATER)
    assert await store.saved.collect(saved, query, LATER, LONG_AGO) == 0
    await store.saved.resume(saved.id, LATER)
    assert await store.saved.collect(saved, query, LATER, LONG_AGO) == 0
    await stored(store, [make.article(3)], LATER + timedelta(seconds=1))
    assert await store.saved.collect(saved, query, LATER + timedelta(minutes=1), LONG_AGO) == 1


async def test_nothing_of_a_paused_search_is_sent(store: Store) -> None:
    saved, query = await a_search(store)
    await stored(store, [make.article(2)], LATER)
    await store.saved.collect(saved, query, LATER, LONG_AGO)
    await store.saved.pause(saved.id, LATER)
    assert await store.saved.claim(LATER, 10) == ()


async def test_names_are_taken_once_and_forgotten_with_their_alerts(store: Store) -> None:
    saved, query = await a_search(store)
    with pytest.raises(CommandError, match="called drills already"):
        await a_search(store)
    await stored(store, [make.article(2)], LATER)
    await store.saved.collect(saved, query, LATER, LONG_AGO)
    await store.saved.remove(saved.id)
    with pytest.raises(CommandError, match="no saved search is called drills"):
        await store.saved.named("drills")
    assert await store.saved.claim(LATER, 10) == ()
    assert await store.saved.collect(saved, query, LATER, LONG_AGO) == 0
