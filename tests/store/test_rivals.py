"""Two processes at the same rows at the same time: nothing fails, nothing is done twice."""

import asyncio
import os
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import update

from pipeline.errors import CommandError
from pipeline.model import FetchMode, Outcome
from pipeline.query import Query
from pipeline.store import (
    Candidates,
    Ending,
    Judgement,
    PollEnding,
    Said,
    Store,
    StoriesAsked,
    Work,
    found_by,
    joining,
    live,
    open_store,
    verdicts,
)
from pipeline.store.invariants import INVARIANTS, violations
from pipeline.store.tables import runs
from tests import make
from tests.make import AT
from tests.store.filling import fill
from tests.store.test_stories import DRILL, reports


async def test_work_under_way_is_not_claimed_again_by_its_own_run(store: Store) -> None:
    run = await store.runs.start("poll", AT)
    await store.feeds.add([make.feed(1), make.feed(2, fetch=FetchMode.FEED)], AT)
    first, second = [feed for feed, _ in await store.feeds.claim(run.id, AT, 9)]
    await store.feeds.finish(PollEnding(first, run.id, make.state(), AT, (make.entry(1),)))
    (work,) = await store.work.claim(run.id, AT, 10)
    await store.feeds.finish(PollEnding(second, run.id, make.state(), AT, (make.entry(1, content="text " * 99),)))
    assert await store.work.claim(run.id, AT, 10) == ()
    await store.endings.put(Ending(work, AT, Outcome.STORED, make.article(1), make.verdict()))
    (later,) = await store.work.claim(run.id, AT, 10)
    assert later.article_id is not None


async def test_live_and_backfill_claims_of_the_same_urls_do_not_lock_each_other_out(database_url: str) -> None:
    async with await open_store(database_url) as one, await open_store(database_url) as two:
        run = await one.runs.start("poll", AT)
        filling = await two.runs.start("backfill", AT, {})
        await one.feeds.add([make.feed()], AT)
        ((feed, _),) = await one.feeds.claim(run.id, AT, 1)
        entries = tuple(make.entry(n) for n in range(1, 41))
        await two.candidates.add(filling.id, Candidates(entries, {}), {}, AT)
        await one.feeds.finish(PollEnding(feed, run.id, make.state(), AT, entries))
        claimed: list[int] = []

        async def claim_all(store: Store, run_id: int, origin: object) -> None:
            for _ in range(40):
                works = await store.work.claim(run_id, AT, 3, origin=origin)  # type: ignore[arg-type]
                claimed.extend(work.url_id for work in works)
                await asyncio.sleep(0)

        await asyncio.gather(claim_all(one, run.id, live()), claim_all(two, filling.id, found_by(filling.id)))
        assert len(claimed) == len(set(claimed)) == 40


async def twenty(store: Store) -> Sequence[Work]:
    """Claim the entries that a poll has brought, of a site each."""
    run = await store.runs.start("poll", AT)
    await store.feeds.add([make.feed()], AT)
    ((feed, _),) = await store.feeds.claim(run.id, AT, 1)
    entries = tuple(make.entry(n, url=f"https://s{n}.example/{n}") for n in range(1, 21))
    await store.feeds.finish(PollEnding(feed, run.id, make.state(), AT, entries))
    return await store.work.claim(run.id, AT, 20)


async def test_two_processes_that_store_one_article_make_one_article(database_url: str) -> None:
    async with await open_store(database_url) as one, await open_store(database_url) as two:
        works = await twenty(one)
        pairs = zip(works[:10], works[10:], strict=True)
        endings = [
            (store, Ending(work, AT, Outcome.STORED, make.article(n), make.verdict()))
            for n, pair in enumerate(pairs)
            for store, work in zip((one, two), pair, strict=True)
        ]
        settled = await asyncio.gather(*(store.endings.put(ending) for store, ending in endings))
        assert sorted(str(ending.outcome) for ending in settled) == ["duplicate"] * 10 + ["stored"] * 10


async def test_two_processes_that_store_two_copies_of_a_text_make_one_article(database_url: str) -> None:
    async with await open_store(database_url) as one, await open_store(database_url) as two:
        works = await twenty(one)
        text = {work.lead.id: make.text(at % 10) for at, work in enumerate(works)}
        endings = [
            (one if at < 10 else two, Ending(work, AT, Outcome.STORED, article, make.verdict()))
            for at, work in enumerate(works)
            for article in [make.article(at, url=f"https://copy{at}.example/", text=text[work.lead.id])]
        ]
        settled = await asyncio.gather(*(store.endings.put(ending) for store, ending in endings))
        assert sorted(str(ending.outcome) for ending in settled) == ["duplicate"] * 10 + ["stored"] * 10


async def test_two_commands_that_start_at_once_add_each_feed_once(database_url: str) -> None:
    async with await open_store(database_url) as one, await open_store(database_url) as two:
        wanted = [make.feed(n) for n in range(30)]
        added = await asyncio.gather(one.feeds.add(wanted, AT), two.feeds.add(wanted, AT))
        assert sum(map(len, added)) == len(await one.feeds.listing()) == 30


async def test_many_searches_at_once_do_not_wait_for_each_others_connections(store: Store) -> None:
    from pipeline.query import Query

    async with asyncio.timeout(20):
        await asyncio.gather(*(store.search.find(Query(limit=5)) for _ in range(40)))


async def test_a_corrected_link_of_a_waiting_entry_is_the_one_that_is_fetched(store: Store) -> None:
    run = await store.runs.start("poll", AT)
    await store.feeds.add([make.feed()], AT)
    for url in ("https://site1.example/typo", "https://site1.example/right"):
        ((feed, _),) = await store.feeds.claim(run.id, AT + timedelta(days=1), 1)
        await store.feeds.finish(PollEnding(feed, run.id, make.state(), AT, (make.entry(1, id="x", url=url),)))
    (work,) = await store.work.claim(run.id, AT, 10)
    assert work.lead.entry.url == "https://site1.example/right"


async def test_an_id_of_any_length_is_stored_and_known_again(store: Store) -> None:
    run = await store.runs.start("poll", AT)
    await store.feeds.add([make.feed()], AT)
    entry = make.entry(1, id="é" * 6_000)
    news = []
    for _ in "12":
        ((feed, _),) = await store.feeds.claim(run.id, AT + timedelta(days=1), 1)
        news.append(await store.feeds.finish(PollEnding(feed, run.id, make.state(), AT, (entry,))))
    assert news == [1, 0]


async def test_a_removed_feed_that_is_enabled_is_listed_again(store: Store) -> None:
    (feed,) = await store.feeds.add([make.feed()], AT)
    await store.feeds.remove(feed.id, AT)
    await store.feeds.set_enabled(feed.id, True, AT)
    assert [row.feed.id for row in await store.feeds.listing()] == [feed.id]


async def test_a_limit_counts_only_what_is_new(store: Store) -> None:
    entries = tuple(make.entry(n) for n in range(1, 7))
    for known in (0, 2, 4):
        run = await store.runs.start("backfill", AT, {})
        assert await store.candidates.add(run.id, Candidates(entries, {}, limit=2), {}, AT) == (2, known)


async def test_backfilled_entries_obey_the_feeds_filters_and_need_their_page(store: Store) -> None:
    await store.feeds.add([make.feed(1, url="https://site1.example/rss", fetch=FetchMode.FEED, exclude=("sport",))], AT)
    run = await store.runs.start("backfill", AT, {})
    pages = tuple(make.entry(1, id=path, url=f"https://site1.example/{path}") for path in ("sport/1", "news/2"))
    await store.candidates.add(run.id, Candidates(pages, {}), await store.feeds.sites(), AT)
    (work,) = await store.work.claim(run.id, AT, 10)
    assert (work.lead.entry.id, work.host) == ("news/2", "site1.example:443")
    assert (await store.stats.read(AT)).reasons == {"excluded": 1}


async def test_a_poll_and_a_backfill_that_find_the_same_urls_both_get_through(database_url: str) -> None:
    async with await open_store(database_url) as one, await open_store(database_url) as two:
        run = await one.runs.start("poll", AT)
        filling = await two.runs.start("backfill", AT, {})
        await one.feeds.add([make.feed(n) for n in range(1, 9)], AT)
        claims = await one.feeds.claim(run.id, AT, 8)
        blocks = [tuple(make.entry(8 * k + n) for n in range(8)) for k in range(8)]

        async def poll_all() -> None:
            polls = (
                PollEnding(feed, run.id, make.state(), AT, block)
                for (feed, _), block in zip(claims, blocks, strict=True)
            )
            await asyncio.gather(*map(one.feeds.finish, polls))

        async def list_all() -> None:
            for block in reversed(blocks):
                await two.candidates.add(filling.id, Candidates(block[::-1], {}), {}, AT)

        await asyncio.gather(poll_all(), list_all())
        assert await one.work.count(live()) == 64


async def test_labels_win_over_the_verdicts_of_another_process_whoever_is_first(database_url: str) -> None:
    async with await open_store(database_url) as one, await open_store(database_url) as two:
        count = 20
        await fill(one, [make.article(n) for n in range(count)], [make.verdict(needs_review=True)] * count)
        page = await two.verdicts.page(Query(), None, count)
        run = await two.runs.start("reclassify", AT)
        again = make.other(needs_review=True)
        new = [(s, Judgement(s.article_id, again, s.text_hash, AT, run.id)) for s in page]
        said = [one.labels.add(standing.article_id, Said.YES, "me", AT) for standing in page]
        await asyncio.gather(*said, *(two.verdicts.put(new[n : n + 4]) for n in range(0, count, 4)))
        shown = [(found.label, found.needs_review, found.score) for found in await one.search.find(Query())]
        assert shown == [("defense", False, again.score)] * count
        assert await violations(one.db) == [0] * len(INVARIANTS)


async def test_who_changes_stories_and_who_changes_their_articles_do_not_lock_each_other_out(database_url: str) -> None:
    async with await open_store(database_url) as one, await open_store(database_url) as two:
        await fill(one, reports(DRILL), [make.tagged()] * len(DRILL))
        (story,) = await one.stories.listing(StoriesAsked(), AT)
        ids = [report.article_id for report in await one.stories.reports(story.id)]

        async def change_the_article() -> None:
            async with one.db.write() as c:
                await verdicts.lock(c, ids)
                await asyncio.sleep(0.3)  # the other has its turn to change stories by now
                await joining.settle(c, ids)

        await asyncio.gather(change_the_article(), two.stories.split(story.id, [max(ids)], AT))


async def test_two_processes_cannot_take_up_one_run(database_url: str) -> None:
    async with await open_store(database_url) as one, await open_store(database_url) as two:
        run = await one.runs.start("backfill", AT, {})
        await one.runs.end(run.id, "interrupted", AT)
        async with one.db.write() as c:
            alive = {"state": "running", "pid": os.getppid(), "beat_at": AT}
            await c.execute(update(runs).where(runs.c.id == run.id).values(**alive))
            resuming = asyncio.create_task(two.runs.resume(run.id, AT))
            await asyncio.sleep(0.3)
        with pytest.raises(CommandError, match="at work"):
            await resuming
