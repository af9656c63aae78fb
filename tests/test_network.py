"""Our own network: noticed when it is down, not held against anybody, and noticed when it is back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.errors import PollError, WebError
from pipeline.model import FeedState, Health
from pipeline.network import MEMORY, PROBE_EVERY, Network
from pipeline.store import Forced, Polled, Store
from tests import make
from tests.conftest import StillClock
from tests.make import AT

SILENT = WebError("x", "timeout", retryable=True)


@pytest.fixture
def network(store: Store, clock: StillClock) -> Network:
    return Network(store.outages, clock)


async def fall_silent(network: Network, hosts: int = 3) -> None:
    for number in range(hosts):
        await network.failed(f"silent{number}:443", SILENT)


async def down_since(store: Store, clock: StillClock) -> object:
    return (await store.stats.read(clock.now())).network_down_since


async def test_when_most_hosts_are_silent_the_network_is_down_and_status_says_since_when(
    store: Store, network: Network, clock: StillClock
) -> None:
    await network.answered("answers:443")
    await fall_silent(network, 3)
    assert await down_since(store, clock) is None
    await network.failed("one-more:443", SILENT)
    assert network.is_down
    assert await down_since(store, clock) == clock.now()


async def test_one_host_that_is_silent_many_times_says_nothing_of_the_network(network: Network) -> None:
    for _ in range(9):
        await network.failed("silent:443", SILENT)
    assert not network.is_down


async def test_an_answer_of_long_ago_does_not_speak_for_the_network(network: Network, clock: StillClock) -> None:
    await network.answered("answers:443")
    clock.at += MEMORY + timedelta(seconds=1)
    await fall_silent(network)
    assert network.is_down


async def test_while_it_is_down_one_piece_of_work_in_a_while_looks_whether_it_still_is(
    network: Network, clock: StillClock
) -> None:
    assert network.allowance(20) == 20
    await fall_silent(network)
    assert network.allowance(20) == 0
    clock.at += PROBE_EVERY
    assert network.allowance(20) == network.allowance(20) == 1  # until some of it has work to do
    network.started()
    assert network.allowance(20) == 0


async def test_one_answer_ends_it(store: Store, network: Network, clock: StillClock) -> None:
    await fall_silent(network)
    await network.answered("answers:443")
    assert (network.is_down, network.allowance(20)) == (False, 20)
    assert await down_since(store, clock) is None
    await network.failed("silent0:443", SILENT)
    assert not network.is_down


async def test_an_outage_that_an_ended_process_left_behind_ends_with_the_first_answer(
    store: Store, network: Network, clock: StillClock
) -> None:
    await fall_silent(network)
    await Network(store.outages, clock).answered("answers:443")
    assert await down_since(store, clock) is None


async def test_only_silence_counts_for_nothing(network: Network) -> None:
    assert not network.is_ours(SILENT)
    await fall_silent(network)
    assert network.is_ours(SILENT)
    assert not network.is_ours(PollError("x", "http-500"))


async def test_what_counted_as_a_failure_before_the_outage_was_noticed_is_undone(
    store: Store, network: Network, clock: StillClock
) -> None:
    feeds = await store.feeds.add([make.feed(n) for n in (1, 2)], AT)
    well = make.state(health=Health.ACTIVE, next_poll_at=AT)
    failing = replace(well, failures=1, reason="timeout", health=Health.FAILING)
    await end_polls(store, {feeds[0].id: failing, feeds[1].id: replace(failing, failures=2)})
    for feed in feeds:
        await network.failed(f"{feed.url}:443", SILENT, (feed.id, well))
    await network.failed("silent:443", SILENT)
    states = {row.feed.id: row.state for row in await store.feeds.listing()}
    assert states[feeds[0].id] == well
    assert states[feeds[1].id].failures == 2  # not its first: it failed before
    newest = (await store.feeds.history(feeds[0].id))[0]
    assert newest.detail == {"was": "failing", "now": "active", "why": "our network was down"}


async def end_polls(store: Store, states: dict[int, FeedState]) -> None:
    run = await store.runs.start("poll", AT)
    for feed, _ in await store.feeds.claim(run.id, AT, 9, forced=Forced(AT)):
        await store.feeds.finish(Polled(feed, run.id, states[feed.id], AT))
    await store.runs.end(run.id, "done", AT)
