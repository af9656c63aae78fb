"""The memories of sites: articles teach them as they are stored, once each; a row is a few kilobytes at most."""

from datetime import timedelta

from sqlalchemy import func, select

from pipeline.model import Outcome
from pipeline.stages import remember
from pipeline.stages.remember import Block, Seen, SiteMemory
from pipeline.store import Ending, PollEnding, Store
from pipeline.store.memories import learn
from pipeline.store.tables import site_memories
from tests import make
from tests.make import AT

SITE = "site.example"
BLOCKS = (Block(7, 60), Block(-(2**63), 50))


async def end(store: Store, *numbers: int, revision: int = 0) -> list[Ending]:
    """Store articles of one site as the flow does, each with the same blocks."""
    run = await store.runs.start("poll", AT)
    await store.feeds.add([make.feed()], AT)
    ((feed, _),) = await store.feeds.claim(run.id, AT, 1)
    urls = [f"https://{SITE}/{number}" for number in numbers]
    updated_at = AT - timedelta(hours=1 - revision)
    entries = tuple(make.entry(id=url, url=url, updated_at=updated_at) for url in urls)
    await store.feeds.finish(PollEnding(feed, run.id, make.state(next_poll_at=AT), AT, entries))
    ended = []
    while works := await store.work.claim(run.id, AT, 100):
        for work in works:
            url = work.lead.entry.url or ""
            article = make.article(url=url, canonical_url=url, title=f"Take {revision}", site_memory=f"{SITE}@4")
            given = Ending(work, AT, Outcome.STORED, article, make.verdict(), blocks=BLOCKS)
            ended.append(await store.endings.put(given))
    return ended


async def test_a_site_that_was_never_seen_has_an_empty_memory(store: Store) -> None:
    assert await store.memories.of(SITE) == SiteMemory(SITE)


async def test_a_stored_article_teaches_its_site_and_is_remembered_as_it_was(store: Store) -> None:
    await end(store, 1)
    memory = await store.memories.of(SITE)
    assert memory == SiteMemory(SITE, 1, 0, {7: Seen(1, 1), -(2**63): Seen(1, 1)})


async def test_a_revision_teaches_nothing(store: Store) -> None:
    await end(store, 1)
    before = await store.memories.of(SITE)
    (ending,) = await end(store, 1, revision=1)
    assert ending.reason == "revised"
    assert await store.memories.of(SITE) == before


async def test_an_article_and_its_verdict_name_the_memory_that_was_used(store: Store) -> None:
    (ending,) = await end(store, 1)
    assert ending.article_id is not None
    known = await store.provenance.of_article(ending.article_id)
    assert known is not None
    assert (known.article["site_memory"], known.verdicts[0]["site_memory"]) == (f"{SITE}@4",) * 2
    assert (await store.verdicts.articles([ending.article_id]))[ending.article_id].site_memory == f"{SITE}@4"


async def test_a_site_takes_less_than_ten_kilobytes_whatever_it_publishes(store: Store) -> None:
    endless = [[Block(number * 1000 + part, 40) for part in range(1000)] for number in range(5)]
    async with store.db.write() as c:
        await learn(c, store.db, {SITE: endless, "another.example": [BLOCKS]})
    async with store.db.read() as c:
        size = func.max(func.length(site_memories.c.blocks))
        assert 1_000 < (await c.execute(select(size))).scalar_one() < 10_000
    assert len((await store.memories.of(SITE)).seen) == remember.MOST_BLOCKS
