"""Our own network: noticed when it is down, not held against anybody, and noticed when it is back."""

from dataclasses import replace

import pytest

from pipeline.errors import PollError, WebError
from pipeline.model import FeedState, Health
from pipeline.stages.network import PROBE_EVERY, Silence, Weight
from pipeline.store import Forced, OutageRows, PollEnding, Store
from tests import make
from tests.conftest import StillClock
from tests.make import AT

SILENT = WebError("x", "timeout", retryable=True)


@pytest.fixture
def outages(store: Store) -> OutageRows:
    return store.outages


async def fall_silent(outages: OutageRows, clock: StillClock, sites: int = 5) -> None:
    for number in range(sites):
        silence = Silence(f"silent{number}.example", Weight.SURPRISING, clock.now())
        await outages.failed(SILENT, silence, clock.now())


async def down_since(store: Store, clock: StillClock) -> object:
    return (await store.stats.read(clock.now())).network_down_since


async def test_when_most_sites_are_silent_the_network_is_down_and_status_says_since_when(
    store: Store, outages: OutageRows, clock: StillClock
) -> None:
    await outages.answered(clock.now())
    await fall_silent(outages, clock, 4)
    assert (outages.is_down, await down_since(store, clock)) == (False, None)
    await fall_silent(outages, clock, 5)
    assert (outages.is_down, await down_since(store, clock)) == (True, clock.now())


async def test_while_it_is_down_one_request_in_a_while_looks_whether_it_still_is(
    outages: OutageRows, clock: StillClock
) -> None:
    assert outages.allowance(20, clock.now()) == 20
    await fall_silent(outages, clock)
    assert outages.allowance(20, clock.now()) == 0
    clock.at += PROBE_EVERY
    assert outages.allowance(20, clock.now()) == outages.allowance(20, clock.now()) == 1  # until somebody is asked
    with outages.asking(clock.now()):
        pass
    assert outages.allowance(20, clock.now()) == 0


async def test_one_answer_ends_it(store: Store, outages: OutageRows, clock: StillClock) -> None:
    await fall_silent(outages, clock)
    await outages.answered(clock.now())
    assert (outages.is_down, outages.allowance(20, clock.now())) == (False, 20)
    assert await down_since(store, clock) is None
    await fall_silent(outages, clock, 1)
    assert not outages.is_down


async def test_an_answer_that_is_an_error_is_an_answer(outages: OutageRows, clock: StillClock) -> None:
    await fall_silent(outages, clock)
    silence = Silence("huge.example", Weight.SURPRISING, clock.now())
    await outages.failed(WebError("x", "host-resting"), silence, clock.now())
    assert outages.is_down
    await outages.failed(WebError("x", "too-large"), silence, clock.now())
    assert not outages.is_down


async def test_an_outage_that_an_ended_process_left_behind_ends_with_the_first_answer(
    store: Store, outages: OutageRows, clock: StillClock
) -> None:
    await fall_silent(outages, clock)
    await OutageRows(store.db).answered(clock.now())
    assert await down_since(store, clock) is None


async def test_only_silence_counts_for_nothing(outages: OutageRows, clock: StillClock) -> None:
    assert not outages.is_ours(SILENT)
    await fall_silent(outages, clock)
    assert outages.is_ours(SILENT)
    assert not outages.is_ours(PollError("x", "http-500"))


async def test_first_failures_from_before_the_outage_was_noticed_are_undone_and_on_record_as_uncounted(
    store: Store, outages: OutageRows, clock: StillClock
) -> None:
    feeds = await store.feeds.add([make.feed(n, url=f"https://host.example/{n}") for n in (1, 2, 3)], AT)
    well = make.state(health=Health.ACTIVE, next_poll_at=AT)
    failing = replace(well, failures=1, reason="timeout", health=Health.FAILING)
    twice = replace(failing, failures=2)  # of the third it is not the first: it failed before
    await end_polls(store, {feeds[0].id: failing, feeds[1].id: failing, feeds[2].id: twice})
    for feed in feeds:
        silence = Silence("host.example", Weight.SURPRISING, clock.now(), (feed.id, well))
        await outages.failed(SILENT, silence, clock.now())
    await fall_silent(outages, clock, 4)
    states = {row.feed.id: row.state for row in await store.feeds.listing()}
    assert [states[feed.id] for feed in feeds] == [well, well, twice]
    newest = (await store.feeds.history(feeds[0].id))[0]
    assert newest.detail == {"was": "failing", "now": "active", "why": "our network was down"}
    assert await failures_on_record(store) == [
        (feeds[0].id, "poll-uncounted"),
        (feeds[1].id, "poll-uncounted"),
        (feeds[2].id, "poll-failed"),
    ]


async def failures_on_record(store: Store) -> list[tuple[int, str]]:
    async with store.db.read() as c:
        query = "SELECT feed_id, kind FROM events WHERE kind LIKE 'poll-%' ORDER BY feed_id, id"
        return [(row.feed_id, row.kind) for row in await c.exec_driver_sql(query.replace("%", "%%"))]


async def end_polls(store: Store, states: dict[int, FeedState]) -> None:
    run = await store.runs.start("poll", AT)
    for feed_id, state in states.items():
        for feed, _ in await store.feeds.claim(run.id, AT, 9, forced=Forced(AT, (feed_id,))):
            await store.feeds.finish(PollEnding(feed, run.id, state, AT, failure=state.reason))
    await store.runs.end(run.id, "done", AT)
