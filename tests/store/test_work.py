"""What is due, who works on it, what becomes of it: the same on both databases."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.errors import StoreError
from pipeline.model import Article, Entry, Feed, FetchMode, Outcome, Page, Verdict
from pipeline.store import Ending, PollEnding, Run, Store, Work, found_by, live, pageless
from pipeline.store.candidates import Candidates
from pipeline.store.database import Database
from pipeline.store.invariants import INVARIANTS, violations
from tests import make
from tests.conftest import StillClock
from tests.make import AT


async def a_run(store: Store, kind: str = "poll") -> Run:
    return await store.runs.start(kind, AT)


async def polled(store: Store, run: Run, *entries: Entry, feed: Feed | None = None) -> int:
    """Add a feed if it is not known, claim it, and finish a poll that found the entries."""
    await store.feeds.add([feed or make.feed()], AT)
    rows = await store.feeds.listing(named=((feed or make.feed()).url,))
    claims = await store.feeds.claim(run.id, AT + timedelta(days=30), 10)
    assert rows[0].feed.id in {claimed.id for claimed, _ in claims}
    return await store.feeds.finish(PollEnding(rows[0].feed, run.id, make.state(next_poll_at=AT), AT, entries))


async def stored(store: Store, work: Work, article: Article | None = None, verdict: Verdict | None = None) -> Ending:
    number = int(work.lead.entry.id.rsplit("/", 1)[-1]) if article is None else 0
    given = article or make.article(number)
    return await store.endings.put(Ending(work, AT, Outcome.STORED, given, verdict or make.verdict()))


async def test_the_newest_entry_of_each_free_host_is_claimed_first(store: Store) -> None:
    run = await a_run(store)
    same_host = [
        make.entry(1, id="old", url="https://one.example/old", published_at=AT - timedelta(days=2)),
        make.entry(2, id="new", url="https://one.example/new", published_at=AT - timedelta(days=1)),
        make.entry(3, id="other", url="https://two.example/", published_at=AT - timedelta(days=3)),
    ]
    await polled(store, run, *same_host)
    first = await store.work.claim(run.id, AT, 10)
    assert [work.lead.entry.id for work in first] == ["new", "other"]


async def test_an_entry_is_claimed_once(store: Store) -> None:
    run, rival = await a_run(store), await a_run(store)
    await polled(store, run, make.entry(1))
    assert len(await store.work.claim(run.id, AT, 10)) == 1
    assert await store.work.claim(rival.id, AT, 10) == ()


async def test_without_network_only_what_needs_no_page_is_claimed(store: Store) -> None:
    run = await a_run(store)
    await polled(store, run, make.entry(1))
    await polled(store, run, make.entry(2, content="text"), feed=make.feed(2, fetch=FetchMode.FEED))
    for origin in (None, live()):
        (work,) = await store.work.claim(run.id, AT, 10, origin=pageless(origin))
        assert work.host == ""
        await store.endings.put(Ending(work, AT, None, due_at=AT))


async def test_a_busy_host_is_left_alone(store: Store) -> None:
    run = await a_run(store)
    await polled(store, run, make.entry(1))
    assert await store.work.claim(run.id, AT, 10, busy={"site1.example:443"}) == ()


async def test_a_host_that_rests_or_paces_is_left_alone_and_named_when_it_is_free(store: Store) -> None:
    run = await a_run(store)
    await polled(store, run, make.entry(1))
    free_at = AT + timedelta(seconds=5)
    await store.hosts.claim("site1.example:443", AT, timedelta(minutes=1))
    await store.hosts.release("site1.example:443", free_at)
    assert await store.work.claim(run.id, AT, 10) == ()
    assert await store.work.next_claim_at(AT) == free_at
    await store.hosts.rest("site1.example:443", make.rest(AT + timedelta(hours=1)))
    assert await store.work.next_claim_at(AT) is None


async def test_all_entries_of_a_url_are_one_piece_of_work(store: Store) -> None:
    run = await a_run(store)
    shared = "https://site1.example/news/1"
    await polled(store, run, make.entry(1))
    await polled(store, run, make.entry(1, id="other id", url=shared + "?utm_source=feed"), feed=make.feed(2))
    (work,) = await store.work.claim(run.id, AT, 10)
    assert len(work.claimed) == 2
    ended = await stored(store, work, make.article(1))
    assert await store.work.tally(live()) == {"stored": 1, "defense": 1, "duplicate": 1, "dropped": 0, "waiting": 0}
    assert ended.outcome is Outcome.STORED


async def test_a_later_entry_of_a_known_url_knows_its_article(store: Store) -> None:
    run = await a_run(store)
    await polled(store, run, make.entry(1))
    (work,) = await store.work.claim(run.id, AT, 10)
    ended = await stored(store, work)
    await polled(store, run, make.entry(1, id="again"), feed=make.feed(2))
    (later,) = await store.work.claim(run.id, AT, 10)
    assert later.article_id == ended.article_id


async def test_the_final_and_the_canonical_url_lead_to_the_article(store: Store) -> None:
    run = await a_run(store)
    await polled(store, run, make.entry(1))
    (work,) = await store.work.claim(run.id, AT, 10)
    moved = make.article(1, url="https://site1.example/moved", canonical_url="https://site1.example/canonical")
    ended = await stored(store, work, moved)
    for url in ("https://site1.example/news/1", "https://site1.example/moved", "https://site1.example/canonical"):
        assert await store.provenance.find_article(url) == ended.article_id, url


async def test_two_links_to_one_article_become_one_article_within_a_batch(store: Store) -> None:
    run = await a_run(store)
    await polled(store, run, make.entry(1), make.entry(2))
    works = await store.work.claim(run.id, AT, 10)
    same = make.article(1)
    endings = [Ending(work, AT, Outcome.STORED, same, make.verdict()) for work in works]
    settled = await store.endings._write(endings)
    assert sorted(str(ending.outcome) for ending in settled) == ["duplicate", "stored"]
    assert len({ending.article_id for ending in settled}) == 1


async def test_articles_of_the_same_second_and_hash_get_different_ids(store: Store) -> None:
    run = await a_run(store)
    await polled(store, run, make.entry(1))
    (work,) = await store.work.claim(run.id, AT, 10)
    ended = await stored(store, work)
    async with store.db.read() as c:
        from pipeline.store import articles

        taken = await articles.taken_ids(c, [make.article(1)])
    assert articles.free_id(make.article(1), taken) == (ended.article_id or 0) + 1


async def test_article_ids_are_in_the_order_of_publication() -> None:
    from pipeline.store.articles import article_id

    earlier, later = make.article(1), make.article(2, published_at=AT + timedelta(seconds=1))
    assert article_id(earlier) < article_id(later)
    assert article_id(later) >> 20 == int(later.published_at.timestamp())


async def test_a_waiting_entry_is_due_again_at_its_time(store: Store) -> None:
    run = await a_run(store)
    await polled(store, run, make.entry(1))
    (work,) = await store.work.claim(run.id, AT, 10)
    due = AT + timedelta(minutes=10)
    await store.endings.put(Ending(work, AT, None, reason="http-503", due_at=due))
    assert await store.work.claim(run.id, due - timedelta(seconds=1), 10) == ()
    (again,) = await store.work.claim(run.id, due, 10)
    assert again.lead.attempts == 1


async def test_a_waiting_entry_keeps_its_content_and_a_done_one_does_not(store: Store) -> None:
    run = await a_run(store)
    await polled(store, run, make.entry(1, content="<p>the whole text</p>"))
    (work,) = await store.work.claim(run.id, AT, 10)
    await store.endings.put(Ending(work, AT, None, reason="http-503", due_at=AT))
    (again,) = await store.work.claim(run.id, AT, 10)
    assert again.lead.entry.content == "<p>the whole text</p>"
    await store.endings.put(Ending(again, AT, Outcome.DROPPED, reason="http-404"))
    (known,) = await store.provenance.of_url("https://site1.example/news/1")
    assert (known.outcome, known.reason) == ("dropped", "http-404")


async def test_an_entry_whose_content_is_enough_needs_no_host(store: Store) -> None:
    run = await a_run(store)
    full = make.feed(fetch=FetchMode.FEED)
    await polled(
        store,
        run,
        *(make.entry(n, url=f"https://one.example/{n}", id=str(n), summary="text") for n in (1, 2, 3)),
        feed=full,
    )
    works = await store.work.claim(run.id, AT, 10)
    assert [work.host for work in works] == ["", "", ""]


async def test_an_entry_without_a_link_is_dropped_with_that_reason(store: Store) -> None:
    run = await a_run(store)
    assert await polled(store, run, make.entry(1, url=None)) == 1
    assert (await store.stats.read(AT)).reasons == {"no-link": 1}


async def test_an_unwanted_entry_is_dropped_and_stays_known(store: Store) -> None:
    run = await a_run(store)
    await store.feeds.add([make.feed()], AT)
    ((feed, _),) = await store.feeds.claim(run.id, AT, 1)
    entry = make.entry(1)
    done = PollEnding(feed, run.id, make.state(next_poll_at=AT), AT, (entry,), frozenset({entry.id}))
    assert await store.feeds.finish(done) == 1
    assert await store.work.claim(run.id, AT, 10) == ()
    ((feed, _),) = await store.feeds.claim(run.id, AT, 1)
    assert await store.feeds.finish(done) == 0
    assert (await store.stats.read(AT)).reasons == {"excluded": 1}


async def test_a_silent_run_loses_its_claims_and_cannot_finish_them(store: Store) -> None:
    run, rival = await a_run(store), await a_run(store)
    await polled(store, run, make.entry(1))
    (work,) = await store.work.claim(run.id, AT, 10)
    later = AT + timedelta(seconds=31)
    await store.runs.beat(rival.id, later)
    (taken,) = await store.work.claim(rival.id, later, 10)
    await stored(store, work)
    assert await store.work.tally(live()) == {"stored": 0, "defense": 0, "duplicate": 0, "dropped": 0, "waiting": 1}
    await stored(store, taken)
    assert (await store.work.tally(live()))["stored"] == 1


async def test_the_end_of_a_run_frees_what_it_claims(store: Store) -> None:
    run, rival = await a_run(store), await a_run(store)
    await polled(store, run, make.entry(1))
    await store.work.claim(run.id, AT, 10)
    await store.runs.end(run.id, "interrupted", AT)
    assert len(await store.work.claim(rival.id, AT, 10)) == 1


async def test_a_newer_updated_is_a_revision_of_the_same_article(store: Store) -> None:
    run = await a_run(store)
    await polled(store, run, make.entry(1, updated_at=AT))
    (work,) = await store.work.claim(run.id, AT, 10)
    first = await stored(store, work)
    assert await polled(store, run, make.entry(1, updated_at=AT)) == 0
    assert await polled(store, run, make.entry(1, updated_at=AT + timedelta(hours=1))) == 1
    (again,) = await store.work.claim(run.id, AT, 10)
    assert again.is_revision
    changed = make.article(1, title="Allies fly a larger air drill", text=make.TEXT + "\nA paragraph was added.")
    ended = await stored(store, again, changed, make.verdict(score=0.95))
    assert (ended.outcome, ended.article_id) == (Outcome.STORED, first.article_id)
    known = await store.provenance.of_article(first.article_id or 0)
    assert known is not None
    assert (known.found.title, known.found.score, len(known.verdicts)) == ("Allies fly a larger air drill", 0.95, 2)
    assert [event["kind"] for event in known.trail] == ["seen", "stored", "announced-again", "revised"]


async def test_a_feed_that_renews_updated_at_every_poll_is_fetched_ever_less(store: Store) -> None:
    run = await a_run(store)
    for minute in range(3):
        await polled(store, run, make.entry(1, updated_at=AT + timedelta(minutes=minute)))
        for work in await store.work.claim(run.id, AT + timedelta(days=2), 10):
            await stored(store, work)
    await polled(store, run, make.entry(1, updated_at=AT + timedelta(hours=1)))
    assert await store.work.claim(run.id, AT, 10) == ()
    assert await store.work.count_waiting() == 1


async def test_the_cursor_of_a_backfill_and_its_candidates_are_committed_together(store: Store) -> None:
    run = await store.runs.start("backfill", AT, {"since": None, "until": None})
    block = Candidates((replace(make.entry(1), archive="sitemap"),), {"read": ["a"]})
    assert await store.candidates.add(run.id, block, {}, AT) == (1, 0)
    assert await store.candidates.add(run.id, block, {}, AT) == (0, 1)
    kept = await store.runs.get(run.id)
    assert kept is not None
    assert kept.cursor == {"read": ["a"]}
    assert await store.work.count_waiting(found_by(run.id)) == 1


async def test_a_candidate_without_a_link_is_recorded_like_an_entry_without_one(store: Store) -> None:
    run = await store.runs.start("backfill", AT, {})
    block = Candidates((Entry("a", None, title="Tanks"), make.entry(1)), {})
    assert await store.candidates.add(run.id, block, {}, AT) == (2, 0)
    assert await store.work.count_waiting(found_by(run.id)) == 1


@pytest.mark.parametrize(
    ("reason", "is_tried_again"),
    [("http-404", False), ("too-short", False), ("gave-up-http-503", True), ("out-of-range", True)],
)
async def test_a_new_backfill_tries_again_only_what_may_have_changed(
    store: Store, reason: str, is_tried_again: bool
) -> None:
    earlier = await store.runs.start("backfill", AT, {})
    block = Candidates((make.entry(1),), {})
    await store.candidates.add(earlier.id, block, {}, AT)
    (work,) = await store.work.claim(earlier.id, AT, 1)
    await store.endings.put(Ending(work, AT, Outcome.DROPPED, make.article(1), reason=reason))
    later = await store.runs.start("backfill", AT, {})
    assert (await store.candidates.add(later.id, block, {}, AT))[0] == is_tried_again


async def test_a_page_that_an_archive_holds_is_read_once_where_its_site_gave_none(store: Store) -> None:
    run = await store.runs.start("poll", AT)
    await polled(store, run, make.entry(1))
    (work,) = await store.work.claim(run.id, AT, 1)
    await store.endings.put(Ending(work, AT, Outcome.DROPPED, reason="http-404"))
    page = Page("https://site1.example/news/1", b"<p>x</p>", "text/html", AT)
    listed, held = (Candidates((replace(make.entry(1), held=what),), {}) for what in (None, page))
    filling = await store.runs.start("backfill", AT, {})
    assert await store.candidates.add(filling.id, listed, {}, AT) == (0, 1)
    assert await store.candidates.unknown(held) == held.entries
    assert await store.candidates.add(filling.id, held, {}, AT) == (1, 0)
    (work,) = await store.work.claim(filling.id, AT, 1)
    await store.endings.put(Ending(work, AT, Outcome.DROPPED, reason="too-short"))
    later = await store.runs.start("backfill", AT, {})
    assert await store.candidates.add(later.id, held, {}, AT) == (0, 1)


async def test_a_page_known_to_be_out_of_this_range_too_is_not_fetched_again(store: Store) -> None:
    earlier = await store.runs.start("backfill", AT, {})
    await store.candidates.add(earlier.id, Candidates((make.entry(1),), {}), {}, AT)
    (work,) = await store.work.claim(earlier.id, AT, 1)
    await store.endings.put(Ending(work, AT, Outcome.DROPPED, make.article(1), reason="out-of-range"))
    later = await store.runs.start("backfill", AT, {})
    block = Candidates((make.entry(1),), {}, since=AT + timedelta(days=1))
    assert await store.candidates.add(later.id, block, {}, AT) == (0, 1)


async def test_a_candidate_gets_the_feed_of_its_site_when_there_is_exactly_one(store: Store) -> None:
    await store.feeds.add(
        [make.feed(1, url="https://rss.one.example/a"), make.feed(2), make.feed(3, url="https://feed2.example/b")], AT
    )
    run = await store.runs.start("backfill", AT, {})
    sites = await store.feeds.sites()
    one, two = (make.entry(1, url=f"https://www.{site}/x", id=site) for site in ("one.example", "feed2.example"))
    await store.candidates.add(run.id, Candidates((one, two), {}), sites, AT)
    works = {work.lead.entry.id: work for work in await store.work.claim(run.id, AT, 10)}
    assert works["one.example"].lead.feed_id is not None
    assert works["feed2.example"].lead.feed_id is None


async def test_backfilled_entries_give_way_to_live_ones(store: Store) -> None:
    run = await store.runs.start("backfill", AT, {})
    await store.candidates.add(
        run.id, Candidates((make.entry(1, url="https://one.example/a", published_at=AT),), {}), {}, AT
    )
    await polled(store, run, make.entry(2, url="https://one.example/b", published_at=AT - timedelta(days=9)))
    (first,) = await store.work.claim(run.id, AT, 10)
    assert first.lead.entry.url == "https://one.example/b"


async def test_the_invariants_hold_after_all_kinds_of_endings(store: Store) -> None:
    run = await a_run(store)
    await polled(store, run, *(make.entry(n) for n in range(1, 5)), make.entry(9, url=None))
    works = await store.work.claim(run.id, AT, 10)
    await stored(store, works[0], make.article(1), make.other())
    await store.endings.put(
        Ending(
            works[1],
            AT,
            Outcome.DUPLICATE,
            article_id=await store.provenance.find_article("https://site1.example/news/1"),
        )
    )
    await store.endings.put(Ending(works[2], AT, Outcome.DROPPED, reason="not-html"))
    assert await violations(store.db) == [0] * len(INVARIANTS)


async def test_a_broken_invariant_is_counted(store: Store) -> None:
    run = await a_run(store)
    await polled(store, run, make.entry(1))
    (work,) = await store.work.claim(run.id, AT, 10)
    await stored(store, work)
    async with store.db.write() as c:
        await c.exec_driver_sql("DELETE FROM texts")
    assert (await violations(store.db))[0] == 1


async def test_one_bad_item_of_a_batch_does_not_spoil_the_others(store: Store, clock: StillClock) -> None:
    run = await a_run(store)
    await polled(store, run, make.entry(1), make.entry(2))
    first, second = await store.work.claim(run.id, AT, 10)
    import asyncio

    bad = Ending(first, AT, Outcome.STORED, make.article(1, title=None), make.verdict())
    good = Ending(second, AT, Outcome.STORED, make.article(2), make.verdict())
    results = await asyncio.gather(store.endings.put(bad), store.endings.put(good), return_exceptions=True)
    assert isinstance(results[0], Exception)
    assert isinstance(results[1], Ending)
    assert (await store.work.tally(live()))["stored"] == 1


def test_a_database_is_either_kind(database_url: str) -> None:
    assert Database(database_url).is_sqlite == database_url.startswith("sqlite")


async def test_a_tally_is_by_archive_and_the_pace_counts_only_minutes_in_which_work_ended(store: Store) -> None:
    run = await a_run(store)
    await polled(store, run, make.entry(1, archive="sitemap"), make.entry(2, archive="sitemap"), make.entry(3))
    works = await store.work.claim(run.id, AT, 10)
    for minutes, work in zip((0, 0.5, 600), works, strict=True):
        number = int(work.lead.entry.id[-1])
        ended = AT + timedelta(minutes=minutes)
        await store.endings.put(Ending(work, ended, Outcome.STORED, make.article(number), make.verdict()))
    tallies = await store.work.tallies(live())
    assert {name: (counts["stored"], counts["defense"]) for name, counts in tallies.items()} == {
        "sitemap": (2, 2),
        "": (1, 1),
    }
    assert (await store.work.tally(live()))["stored"] == 3
    assert await store.work.done_a_minute(live()) == 1.5
    assert await store.work.done_a_minute(found_by(run.id)) == 0


async def test_an_article_that_the_database_cannot_hold_holds_up_no_other(store: Store) -> None:
    run = await a_run(store)
    await polled(store, run, make.entry(1), make.entry(2))
    too_long = "".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(200))  # for an index row of PostgreSQL
    articles = [make.article(1, text=make.text(1)), make.article(2, text=make.text(2), canonical_url=too_long)]
    works = await store.work.claim(run.id, AT, 10)
    endings = [Ending(w, AT, Outcome.STORED, a, make.verdict()) for w, a in zip(works, articles, strict=True)]
    one, other = await asyncio.gather(*map(store.endings.put, endings), return_exceptions=True)
    assert isinstance(one, Ending)
    assert one.outcome is Outcome.STORED
    assert not isinstance(other, StoreError)  # which would say that the database is out of reach


async def test_a_number_beyond_all_ids_is_of_no_article(store: Store) -> None:
    assert await store.provenance.find_article("9" * 5000) is None
