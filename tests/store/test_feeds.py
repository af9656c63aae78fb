"""Feeds, hosts and runs: the same on both databases."""

import os
from datetime import timedelta

import pytest

from pipeline.errors import CommandError
from pipeline.model import Feed, FetchMode, Robots
from pipeline.store import Candidates, Forced, Polled, Store
from tests import make
from tests.make import AT


async def test_a_feed_comes_back_as_it_was_added(store: Store) -> None:
    given = make.feed(
        fetch=FetchMode.FEED,
        interval=timedelta(minutes=20),
        headers=(("X-Key", "1"),),
        include=("army",),
        exclude=("sport",),
        country="KR",
        lang="ko",
    )
    (added,) = await store.feeds.add([given], AT)
    (row,) = await store.feeds.listing()
    assert row.feed == added
    assert Feed(**{**{name: getattr(added, name) for name in Feed.__slots__}, "id": 0}) == given


async def test_a_url_is_added_once_and_a_removed_feed_stays_removed(store: Store) -> None:
    (added,) = await store.feeds.add([make.feed(), make.feed()], AT)
    await store.feeds.remove(added.id, AT)
    assert await store.feeds.add([make.feed()], AT) == ()
    assert await store.feeds.listing() == ()
    assert len(await store.feeds.listing(with_removed=True)) == 1


@pytest.mark.parametrize("name", ["1", "https://feed1.example/rss", "feed 1"])
async def test_a_feed_is_named_by_id_url_or_title(store: Store, name: str) -> None:
    await store.feeds.add([make.feed(1), make.feed(2)], AT)
    assert [row.feed.id for row in await store.feeds.listing(named=(name,))] == [1]


async def test_the_new_state_and_the_entries_of_a_poll_are_read_back(store: Store) -> None:
    run = await store.runs.start("poll", AT)
    await store.feeds.add([make.feed()], AT)
    ((feed, _),) = await store.feeds.claim(run.id, AT, 1)
    state = make.state(
        etag='W/"a"',
        last_modified="Fri, 11 Jul 2025 12:00:00 GMT",
        ttl=timedelta(hours=1),
        skip_hours=frozenset({0, 23}),
        skip_days=frozenset({6}),
        whole_at=AT,
    )
    assert await store.feeds.finish(Polled(feed, run.id, state, AT, (make.entry(1),))) == 1
    (row,) = await store.feeds.listing()
    assert row.state == state


async def test_a_feed_is_claimed_when_it_is_due_and_by_one_run_only(store: Store) -> None:
    run, rival = await store.runs.start("poll", AT), await store.runs.start("poll", AT)
    await store.feeds.add([make.feed()], AT)
    assert await store.feeds.claim(run.id, AT - timedelta(seconds=1), 9) == ()
    ((feed, _),) = await store.feeds.claim(run.id, AT, 9)
    assert await store.feeds.claim(rival.id, AT, 9) == ()
    await store.runs.end(run.id, "interrupted", AT)
    assert [other.id for other, _ in await store.feeds.claim(rival.id, AT, 9)] == [feed.id]


async def test_feeds_of_one_host_are_claimed_one_after_another(store: Store) -> None:
    run = await store.runs.start("poll", AT)
    await store.feeds.add([make.feed(n, url=f"https://one.example/{n}") for n in (1, 2)], AT)
    assert len(await store.feeds.claim(run.id, AT, 9)) == 1
    assert await store.feeds.claim(run.id, AT, 9, busy={"one.example:443"}) == ()


async def test_force_overrides_the_interval_but_neither_rest_nor_410_nor_a_second_time(store: Store) -> None:
    run = await store.runs.start("poll", AT)
    await store.feeds.add([make.feed(n) for n in (1, 2, 3)], AT - timedelta(days=1))
    states = {1: make.state(), 2: make.state(gone=True), 3: make.state()}
    for feed, _ in await store.feeds.claim(run.id, AT, 9):
        await store.feeds.finish(Polled(feed, run.id, states[feed.id], AT))
    await store.hosts.claim("feed3.example:443", AT, timedelta())
    await store.hosts.rest("feed3.example:443", AT + timedelta(hours=1))
    forced = Forced(since=AT + timedelta(seconds=1))
    later = AT + timedelta(seconds=2)
    assert [feed.id for feed, _ in await store.feeds.claim(run.id, later, 9, forced=forced)] == [1]
    assert await store.feeds.claim(run.id, later, 9, forced=Forced(since=AT)) == ()
    assert await store.feeds.next_claim_at(later, Forced(since=AT, ids=(3,))) is None


async def test_a_disabled_feed_is_not_polled_and_an_enabled_one_is_due(store: Store) -> None:
    run = await store.runs.start("poll", AT)
    (feed,) = await store.feeds.add([make.feed()], AT)
    await store.feeds.set_enabled(feed.id, False, AT)
    assert await store.feeds.claim(run.id, AT + timedelta(days=9), 9) == ()
    await store.feeds.set_enabled(feed.id, True, AT)
    assert len(await store.feeds.claim(run.id, AT, 9)) == 1


async def test_a_failed_poll_is_in_the_audit_trail(store: Store) -> None:
    run = await store.runs.start("poll", AT)
    await store.feeds.add([make.feed()], AT)
    ((feed, _),) = await store.feeds.claim(run.id, AT, 1)
    await store.feeds.finish(Polled(feed, run.id, make.state(reason="http-500", failures=1), AT))
    async with store.db.read() as c:
        kinds = (await c.exec_driver_sql("SELECT kind FROM events ORDER BY id")).scalars().all()
    assert kinds == ["feed-added", "poll-failed"]


async def test_a_host_is_lent_to_one_request_at_a_time(store: Store) -> None:
    lease = timedelta(seconds=60)
    assert await store.hosts.claim("a:443", AT, lease) is None
    assert await store.hosts.claim("a:443", AT, lease) == AT + lease
    await store.hosts.release("a:443", AT + timedelta(seconds=5))
    assert await store.hosts.claim("a:443", AT, lease) == AT + timedelta(seconds=5)
    assert await store.hosts.claim("a:443", AT + timedelta(seconds=5), lease) is None


async def test_a_rest_is_never_shortened(store: Store) -> None:
    await store.hosts.claim("a:443", AT, timedelta())
    await store.hosts.rest("a:443", AT + timedelta(hours=2))
    await store.hosts.rest("a:443", AT + timedelta(hours=1))
    assert await store.hosts.claim("a:443", AT, timedelta()) == AT + timedelta(hours=2)


async def test_robots_are_kept_with_their_crawl_delay(store: Store) -> None:
    assert await store.hosts.robots("a:443") is None
    for delay in (None, timedelta(seconds=7)):
        robots = Robots("User-agent: *", AT, delay)
        await store.hosts.keep_robots("a:443", robots)
        assert await store.hosts.robots("a:443") == robots


async def test_a_run_of_a_process_that_is_gone_is_free_at_once(store: Store) -> None:
    dead = await store.runs.start("poll", AT)
    await store.feeds.add([make.feed()], AT)
    await store.feeds.claim(dead.id, AT, 1)
    async with store.db.write() as c:
        await c.exec_driver_sql("UPDATE runs SET pid = 2147483646")
    run = await store.runs.start("poll", AT)
    assert len(await store.feeds.claim(run.id, AT, 1)) == 1


async def test_a_run_is_resumed_unless_it_is_at_work_elsewhere(store: Store) -> None:
    run = await store.runs.start("backfill", AT, {"asked": {}})
    await store.candidates.add(run.id, Candidates((), {"read": ["x"]}), {}, AT)
    resumed = await store.runs.resume(run.id, AT)
    assert (resumed.cursor, resumed.state) == ({"read": ["x"]}, "running")
    async with store.db.write() as c:
        await c.exec_driver_sql(f"UPDATE runs SET pid = {os.getppid()}")
    with pytest.raises(CommandError, match="is at work"):
        await store.runs.resume(run.id, AT)
    with pytest.raises(CommandError, match="no run 99"):
        await store.runs.resume(99, AT)


async def test_runs_are_listed_newest_first(store: Store) -> None:
    first, second = [await store.runs.start("backfill", AT) for _ in "12"]
    await store.runs.end(first.id, "done", AT, {"stored": 3})
    listed = await store.runs.listing("backfill")
    assert [run.id for run in listed] == [second.id, first.id]
    assert listed[1].counts == {"stored": 3}
