"""Feeds, hosts and runs: the same on both databases."""

import asyncio
import os
from datetime import datetime, timedelta
from typing import Any

import pytest

from pipeline.errors import CommandError
from pipeline.model import Feed, FetchMode, Gap, Health, Rhythm, Robots
from pipeline.store import Budget, Candidates, Forced, PollEnding, Store
from tests import make
from tests.make import AT
from tests.store.filling import fill


async def test_a_feed_comes_back_as_it_was_added(store: Store) -> None:
    given = make.feed(
        fetch=FetchMode.FEED,
        interval=timedelta(minutes=20),
        headers=(("X-Key", "1"),),
        include=("army",),
        exclude=("sport",),
        tags=("Armies", "Korea"),
        country="KR",
        lang="ko",
    )
    (added,) = await store.feeds.add([given], AT)
    (row,) = await store.feeds.listing()
    assert row.feed == added
    assert Feed(**{**{name: getattr(added, name) for name in Feed.__slots__}, "id": 0}) == given


async def test_a_feed_is_adopted_with_what_its_first_request_brought(store: Store) -> None:
    state = make.state(etag='"1"')
    adopted = await store.feeds.adopt(PollEnding(make.feed(), 0, state, AT, (make.entry(1), make.entry(2))))
    assert adopted is not None
    (row,) = await store.feeds.listing()
    assert (row.feed, row.state) == (adopted, state)
    assert await store.work.count_waiting() == 2
    assert await store.feeds.adopt(PollEnding(make.feed(), 0, state, AT)) is None


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


async def test_the_lines_of_feeds_are_the_listing_with_less_and_some_are_read_whole(store: Store) -> None:
    given = [make.feed(1, title="B", country="KR", lang="ko", tags=("Armies",)), make.feed(2, title="A"), make.feed(3)]
    one, two, gone = await store.feeds.add(given, AT)
    await store.feeds.set_enabled(two.id, False, AT)
    await store.feeds.remove(gone.id, AT)
    rows, lines = await store.feeds.listing(), await store.feeds.lines()
    assert [line.title for line in lines] == ["A", "B"]
    assert [(line.is_enabled, line.health) for line in lines] == [(row.is_enabled, row.health) for row in rows]
    for name in ("id", "url", "title", "kind", "country", "lang", "tags"):
        assert [getattr(line, name) for line in lines] == [getattr(row.feed, name) for row in rows]
    assert await store.feeds.of([one.id, 99, two.id]) == rows[::-1]


async def test_the_new_state_and_the_entries_of_a_poll_are_read_back(store: Store) -> None:
    run = await store.runs.start("poll", AT)
    await store.feeds.add([make.feed()], AT)
    ((feed, _),) = await store.feeds.claim(run.id, AT, 1)
    state = make.state(
        etag='W/"a"',
        last_modified="Fri, 11 Jul 2025 12:00:00 GMT",
        ttl=timedelta(hours=1),
        fresh_for=timedelta(hours=4),
        skip_hours=frozenset({0, 23}),
        skip_days=frozenset({6}),
        whole_at=AT,
        health=Health.QUIET,
        seen=frozenset({"00000000aa", "00000000bb"}),
        newest_at=AT,
        usual_gap=timedelta(hours=5),
        moving_to="https://feed1.example/new",
        moving_days=2,
        rhythm=Rhythm(AT, 25, 3.5, (0.25,) * 24, (1.0,) * 7),
    )
    assert await store.feeds.finish(PollEnding(feed, run.id, state, AT, (make.entry(1),))) == 1
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
        await store.feeds.finish(PollEnding(feed, run.id, states[feed.id], AT))
    await store.hosts.claim("feed3.example:443", AT, timedelta())
    await store.hosts.rest("feed3.example:443", make.rest(AT + timedelta(hours=1)))
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


@pytest.mark.parametrize(
    ("failure", "is_counted", "event"),
    [
        pytest.param("http-500", True, "poll-failed", id="its own"),
        pytest.param("dns", False, "poll-uncounted", id="our network's"),
        pytest.param(None, True, None, id="none, though the one before failed"),
    ],
)
async def test_a_failed_poll_is_in_the_audit_trail(
    store: Store, failure: str | None, is_counted: bool, event: str | None
) -> None:
    run = await store.runs.start("poll", AT)
    await store.feeds.add([make.feed()], AT)
    ((feed, _),) = await store.feeds.claim(run.id, AT, 1)
    failing = make.state(reason="http-500", failures=1)
    await store.feeds.finish(PollEnding(feed, run.id, failing, AT, failure=failure, is_counted=is_counted))
    async with store.db.read() as c:
        kinds = (await c.exec_driver_sql("SELECT kind FROM events ORDER BY id")).scalars().all()
    assert kinds == (["feed-added", event] if event else ["feed-added"])


async def test_only_a_poll_that_made_a_request_is_spent(store: Store) -> None:
    await store.budget.read(AT, 1.0)
    run = await store.runs.start("poll", AT)
    await store.feeds.add([make.feed(1), make.feed(2), make.feed(3, interval=timedelta(hours=1))], AT)
    for feed, _ in await store.feeds.claim(run.id, AT, 3):
        await store.feeds.finish(PollEnding(feed, run.id, make.state(), AT, was_asked=feed.title != "Feed 2"))
    assert (await store.budget.read(AT, 1.0)).made == 1


async def polled(store: Store, feed: Feed, at: datetime = AT, **changes: Any) -> None:
    """Poll a feed with this end."""
    run = await store.runs.start("poll", at)
    ((claimed, _),) = await store.feeds.claim(run.id, at, 1, forced=Forced(at, (feed.id,)))
    state = make.state(**{"next_poll_at": at, "last_poll_at": at, "health": Health.ACTIVE, **changes.pop("state", {})})
    await store.feeds.finish(PollEnding(claimed, run.id, state, at, **changes))
    await store.runs.end(run.id, "done", at)


async def test_a_gap_is_counted_and_kept_with_its_range(store: Store) -> None:
    (feed,) = await store.feeds.add([make.feed()], AT)
    missed = [Gap(AT - timedelta(hours=n), AT) for n in (3, 2)]
    for n, gap in enumerate(missed):
        await polled(store, feed, AT + timedelta(hours=n), gap=gap)
    (row,) = await store.feeds.listing()
    assert row.gaps == 2
    assert [row.gap for row in await store.gaps.of_feeds([feed.id])] == [missed[1], missed[0]]


async def test_a_gap_says_what_a_backfill_found_and_counts_no_more_once_repaired(store: Store) -> None:
    found = make.article(1)
    await fill(store, [found, make.article(2)], [make.verdict()] * 2)
    (row,) = await store.feeds.listing()
    await polled(store, row.feed, AT + timedelta(hours=1), gap=Gap(AT - timedelta(hours=3), AT))
    run = await store.runs.start("backfill", AT)
    async with store.db.write() as c:
        await c.exec_driver_sql(f"UPDATE entries SET origin_run_id = {run.id} WHERE key = '{found.url}'")
    (gap,) = await store.gaps.of_feeds([row.feed.id], is_open=True)
    day = Gap(AT - timedelta(hours=12), AT + timedelta(hours=12))
    assert await store.gaps.tried(gap, run.id, day, None) == 1
    assert await store.gaps.tried(gap, run.id, Gap(day.since, found.published_at), AT) == 0
    (tried,) = await store.gaps.of_feeds([row.feed.id])
    assert (tried.run_id, tried.found, tried.repaired_at) == (run.id, 0, AT)
    assert await store.gaps.of_feeds([row.feed.id], is_open=True) == ()
    assert [row.gaps for row in await store.feeds.listing()] == [0]


async def test_a_run_that_lost_a_feed_records_no_gap_and_moves_nothing(store: Store) -> None:
    (feed,) = await store.feeds.add([make.feed()], AT)
    late = await store.runs.start("poll", AT)
    gap = Gap(AT - timedelta(hours=3), AT)
    await store.feeds.finish(
        PollEnding(feed, late.id, make.state(), AT, (make.entry(),), gap=gap, moved_to="http://new.example/rss")
    )
    (row,) = await store.feeds.listing()
    assert (row.gaps, row.feed.url) == (0, feed.url)
    assert [change.kind for change in await store.feeds.history(feed.id)] == ["feed-added"]


async def test_every_change_of_health_is_an_event_and_no_other_poll_is(store: Store) -> None:
    (feed,) = await store.feeds.add([make.feed()], AT)
    ill = {"failures": 1, "reason": "dns", "health": Health.FAILING}
    for n, state in enumerate(({}, {}, ill, ill, {}, {"health": Health.QUIET, "newest_at": AT})):
        await polled(store, feed, AT + timedelta(hours=n), state=state)
    changes = [change for change in await store.feeds.history(feed.id) if change.kind == "feed-health"]
    assert [(change.detail["was"], change.detail["now"], change.detail.get("why")) for change in changes] == [
        ("active", "quiet", "newest entry 2025-07-11"),
        ("failing", "active", None),
        ("active", "failing", "dns"),
        ("new", "active", None),
    ]


async def test_a_moved_feed_has_a_new_url_and_is_still_known_by_the_old_one(store: Store) -> None:
    (feed,) = await store.feeds.add([make.feed()], AT)
    await polled(
        store, feed, state={"health": Health.MOVED}, moved_to="http://new.example/rss", entries=(make.entry(),)
    )
    assert await store.feeds.add([make.feed()], AT) == ()
    (row,) = await store.feeds.named([feed.url])
    assert (row.feed.id, row.feed.url, row.state.health) == (feed.id, "http://new.example/rss", Health.MOVED)
    later = AT + timedelta(hours=1)
    await polled(store, row.feed, later, state={"health": Health.MOVED}, moved_to=feed.url)
    assert [row.feed.url for row in await store.feeds.listing()] == [feed.url]
    moves = [change.detail for change in await store.feeds.history(feed.id) if change.kind == "feed-moved"]
    assert moves[0] == {"url": "http://new.example/rss", "to": feed.url}
    run = await store.runs.start("poll", later)
    await store.hosts.claim("feed1.example:443", later, timedelta(hours=1))
    assert await store.feeds.claim(run.id, later + timedelta(minutes=1), 9) == ()  # it waits for its new host


async def test_a_feed_does_not_move_to_where_another_feed_is(store: Store) -> None:
    feed, other = await store.feeds.add([make.feed(1), make.feed(2)], AT)
    await polled(store, feed, state={"health": Health.MOVED}, moved_to=other.url)
    (row,) = await store.feeds.named([feed.url])
    assert (row.feed.url, row.state.health) == (feed.url, Health.ACTIVE)
    assert "feed-move-refused" in {change.kind for change in await store.feeds.history(feed.id)}


async def test_a_gone_feed_that_is_enabled_counts_as_failing_until_it_answers(store: Store) -> None:
    (feed,) = await store.feeds.add([make.feed()], AT)
    await polled(store, feed, state={"gone": True, "health": Health.GONE, "next_poll_at": None})
    await store.feeds.set_enabled(feed.id, True, AT)
    (row,) = await store.feeds.listing()
    assert (row.state.health, row.state.gone, row.state.next_poll_at) == (Health.FAILING, False, AT)


async def test_a_host_is_lent_to_one_request_at_a_time(store: Store) -> None:
    lease = timedelta(seconds=60)
    assert (await store.hosts.claim("a:443", AT, lease)).ask_at is None
    assert (await store.hosts.claim("a:443", AT, lease)).ask_at == AT + lease
    await store.hosts.release("a:443", AT + timedelta(seconds=5))
    assert (await store.hosts.claim("a:443", AT, lease)).ask_at == AT + timedelta(seconds=5)
    assert (await store.hosts.claim("a:443", AT + timedelta(seconds=5), lease)).ask_at is None


async def test_of_claims_that_come_together_each_host_is_lent_once(store: Store) -> None:
    hosts = ["a:443", "b:443", "a:443", "c:443"]
    turns = await asyncio.gather(*(store.hosts.claim(host, AT, timedelta(seconds=60)) for host in hosts))
    assert [turn.is_ours for turn in turns] == [True, True, False, True]
    await asyncio.gather(*(store.hosts.release(host, AT + timedelta(seconds=5)) for host in hosts[:2]))
    assert (await store.hosts.claim("b:443", AT, timedelta())).ask_at == AT + timedelta(seconds=5)


async def test_a_host_is_lent_with_its_crawl_delay(store: Store) -> None:
    delay = timedelta(seconds=30)
    assert (await store.hosts.claim("a:443", AT, timedelta())).crawl_delay is None
    await store.hosts.keep_robots("a:443", Robots("", AT, delay))
    assert (await store.hosts.claim("a:443", AT, timedelta())).crawl_delay == delay


async def test_a_rest_is_never_shortened(store: Store) -> None:
    await store.hosts.claim("a:443", AT, timedelta())
    assert await store.hosts.last_rest("a:443") is None
    await store.hosts.rest("a:443", make.rest(AT + timedelta(hours=2)))
    await store.hosts.rest("a:443", make.rest(AT + timedelta(hours=1)))
    assert (await store.hosts.claim("a:443", AT, timedelta())).ask_at == AT + timedelta(hours=2)
    assert await store.hosts.last_rest("a:443") == make.rest(AT + timedelta(hours=2))
    assert await store.hosts.last_rest("b:443") is None


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


async def test_every_poll_but_those_with_an_interval_of_their_own_is_charged_to_the_budget(store: Store) -> None:
    own = timedelta(minutes=20)
    feeds = await store.feeds.add([make.feed(1), make.feed(2, interval=own), make.feed(3)], AT)
    assert await store.budget.read(AT, 0.3) == Budget(0.3, AT, 0)
    for feed in feeds:
        await polled(store, feed)
    assert await store.budget.feeds() == 2
    spent = await store.budget.read(AT, 9.0)
    assert spent == Budget(0.3, AT, 2)
    later = AT + timedelta(hours=1)
    await store.budget.change(spent, 0.5, later)
    await store.budget.change(spent, 0.7, later)  # another process, too late
    assert await store.budget.read(later, 0.3) == Budget(0.5, later, 0)


async def test_feeds_to_choose_from_are_those_that_are_listed(store: Store) -> None:
    await store.feeds.add([make.feed(1, title="B"), make.feed(2, title="A"), make.feed(3, title="C")], AT)
    listed = await store.feeds.listing()
    await store.feeds.remove(listed[2].feed.id, AT)
    assert [(row.id, row.title) for row in await store.feeds.titles()] == [
        (row.feed.id, row.feed.title) for row in await store.feeds.listing()
    ]
