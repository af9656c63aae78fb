"""Politeness: one at a time to a host, its delay kept, its rest honoured, and the host always given back."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from pipeline.clock import SystemClock
from pipeline.errors import WebError
from pipeline.model import Robots, Turn
from pipeline.web.failure import Failed, Reason
from pipeline.web.politeness import LEAST_DELAYS, Politeness
from tests import make
from tests.web.internet import START, Asked, FastClock, MemoryPace, a_web, feed, reply, serving, silence

HOST = "news.example:443"
DELAY = timedelta(seconds=5)
LEASE = timedelta(seconds=60)


def polite(pace: MemoryPace, clock: FastClock) -> Politeness:
    return Politeness(pace, clock, DELAY, LEASE)


async def test_turns_of_a_host_do_not_overlap_and_keep_the_delay() -> None:
    pace, clock = MemoryPace(), FastClock()
    politeness = polite(pace, clock)
    busy = 0

    async def ask() -> datetime:
        nonlocal busy
        async with politeness.turn(HOST):
            busy += 1
            assert busy == 1
            at = clock.now()
            await asyncio.sleep(0)
            await clock.sleep(2)  # the request takes two seconds
            busy -= 1
        return at

    times = await asyncio.gather(*(ask() for _ in range(4)))
    assert times == [START + timedelta(seconds=7 * n) for n in range(4)]


async def test_two_processes_share_the_pace() -> None:
    pace, clock, delay = MemoryPace(), SystemClock(), timedelta(milliseconds=100)
    ended: list[datetime] = []

    async def ask(process: Politeness) -> None:
        async with process.turn(HOST):
            assert all(clock.now() - end >= delay for end in ended)
            await asyncio.sleep(0.05)
            assert len(pace[HOST].claims) == len(ended) + 1
            ended.append(clock.now())

    processes = [Politeness(pace, clock, delay, LEASE) for _ in range(3)]
    await asyncio.gather(*(ask(process) for process in processes))
    assert len(ended) == 3


async def test_waiters_of_one_process_ask_the_pace_one_after_the_other() -> None:
    pace, clock = MemoryPace(), FastClock()
    politeness = polite(pace, clock)

    async def ask() -> None:
        async with politeness.turn(HOST):
            await asyncio.sleep(0)

    await asyncio.gather(*(ask() for _ in range(10)))
    assert pace.questions == 19  # one for the first; of the others, one that is told when and one that succeeds


async def test_waiters_are_served_in_the_order_they_came() -> None:
    politeness = polite(MemoryPace(), FastClock())
    served: list[int] = []

    async def ask(number: int) -> None:
        async with politeness.turn(HOST):
            served.append(number)

    await asyncio.gather(*(ask(number) for number in range(8)))
    assert served == list(range(8))


async def test_hosts_do_not_wait_for_each_other() -> None:
    pace, clock = MemoryPace(), FastClock()
    politeness = polite(pace, clock)
    async with politeness.turn("a.example:443"), politeness.turn("b.example:443"):
        assert clock.now() == START


async def test_a_short_rest_is_waited_for() -> None:
    pace, clock = MemoryPace(), FastClock()
    await pace.rest(HOST, make.rest(START + timedelta(seconds=90)))
    async with polite(pace, clock).turn(HOST):
        assert clock.now() == START + timedelta(seconds=90)


async def test_a_long_rest_is_not_waited_for() -> None:
    pace, clock = MemoryPace(), FastClock()
    until = START + timedelta(minutes=10)
    await pace.rest(HOST, make.rest(until))
    with pytest.raises(Failed) as caught:
        async with polite(pace, clock).turn(HOST):
            pytest.fail("the host was asked while it rests")
    assert (caught.value.reason, caught.value.retry_at) == (Reason.HOST_RESTING, until)
    assert clock.now() == START


async def test_a_pace_that_names_the_past_is_not_hammered() -> None:
    class Late(MemoryPace):
        async def claim(self, host: str, now: datetime, lease: timedelta) -> Turn:
            self.questions += 1
            return Turn(now - timedelta(seconds=1) if now < START + timedelta(seconds=1) else None)

    pace = Late()
    async with polite(pace, FastClock()).turn(HOST):
        assert pace.questions <= 21


@pytest.mark.parametrize(
    ("crawl_delay", "expected"), [(None, 5), (0, 5), (3, 5), (30, 30)], ids=["none", "zero", "shorter", "longer"]
)
async def test_the_longer_of_both_delays_counts(crawl_delay: int | None, expected: int) -> None:
    pace, clock = MemoryPace(), FastClock()
    delay = None if crawl_delay is None else timedelta(seconds=crawl_delay)
    pace[HOST].robots = Robots("", START, delay)
    async with polite(pace, clock).turn(HOST):
        pass
    assert pace[HOST].releases == [START + timedelta(seconds=expected)]


@pytest.mark.parametrize(("crawl_delay", "asked_at"), [(None, 0), (3, 0), (30, 30)])
async def test_a_crawl_delay_counts_from_the_fetch_of_robots_txt(crawl_delay: int | None, asked_at: int) -> None:
    pace, clock = MemoryPace(), FastClock()
    politeness = polite(pace, clock)
    await politeness.keep(HOST, Robots("", START, None if crawl_delay is None else timedelta(seconds=crawl_delay)))
    async with politeness.turn(HOST):
        assert clock.now() == START + timedelta(seconds=asked_at)


async def test_a_failed_request_gives_the_host_back() -> None:
    pace = MemoryPace()
    with pytest.raises(RuntimeError):
        async with polite(pace, FastClock()).turn(HOST):
            raise RuntimeError
    assert pace[HOST].releases == [START + DELAY]


async def test_cancelling_a_request_gives_the_host_back() -> None:
    pace = MemoryPace()
    began = asyncio.Event()

    async def hang() -> None:
        async with polite(pace, FastClock()).turn(HOST):
            began.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert pace[HOST].releases == [START + DELAY]


async def test_cancelling_a_waiter_leaves_the_host_to_the_one_that_holds_it() -> None:
    pace = MemoryPace()
    politeness = polite(pace, FastClock())

    async def wait() -> None:
        async with politeness.turn(HOST):
            pytest.fail("the host was held")

    async with politeness.turn(HOST):
        waiter = asyncio.create_task(wait())
        await asyncio.sleep(0.01)
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        assert pace[HOST].releases == []


async def test_two_sends_to_one_host_never_overlap_on_the_wire() -> None:
    pace, clock = MemoryPace(), FastClock()
    async with serving(reply(b"ok")) as site, a_web(pace, clock) as web:
        await asyncio.gather(*(web.send(feed(site.url(f"/{number}"))) for number in range(5)))
        assert site.most_busy == 1
        assert site.paths == ["/0", "/1", "/2", "/3", "/4"]
        claims = pace[site.key()].claims
        assert [later - earlier for earlier, later in pairwise(claims)] == [DELAY] * 4


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
async def test_a_host_that_asks_for_patience_rests(status: str) -> None:
    pace = MemoryPace()
    async with serving(reply(b"later", status, Retry_After="1800")) as site, a_web(pace) as web:
        response = await web.send(feed(site.url()))
        assert response.body == b"later"  # the stage decides what it means
        with pytest.raises(WebError) as caught:
            await web.send(feed(site.url("/other")))
        assert (caught.value.reason, caught.value.retryable) == ("host-resting", True)
        assert caught.value.retry_at == START + timedelta(seconds=1800)
        assert site.connections == 1


async def test_an_ordinary_error_does_not_make_the_host_rest() -> None:
    pace = MemoryPace()
    async with serving(reply(b"", "404 Not Found")) as site, a_web(pace) as web:
        assert (await web.send(feed(site.url()))).status == 404
        assert pace[site.key()].rest_until == START


async def test_cancelling_a_send_gives_the_host_back() -> None:
    pace = MemoryPace()
    arrived = asyncio.Event()

    def answer(asked: Asked) -> AsyncIterator[bytes]:
        arrived.set()
        return silence(asked)

    async with serving(answer) as site, a_web(pace) as web:
        task = asyncio.create_task(web.send(feed(site.url())))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert pace[site.key()].releases == [START + DELAY]


async def test_a_lease_that_ends_early_is_noticed() -> None:
    """A pace may name the end of another's lease; that other is mostly done much sooner."""
    pace, clock = MemoryPace(), FastClock()

    class Leased(MemoryPace):
        async def claim(self, host: str, now: datetime, lease: timedelta) -> Turn:
            is_held = now < START + timedelta(seconds=7)
            return Turn(START + lease) if is_held else await pace.claim(host, now, lease)

    async with polite(Leased(), clock).turn(HOST):
        assert clock.now() == START + timedelta(seconds=10)


async def test_a_429_without_a_time_lets_the_host_rest_for_longer_each_time() -> None:
    pace, clock = MemoryPace(), FastClock()
    async with serving(reply(status="429 Too Many Requests")) as site, a_web(pace, clock) as web:
        rests = []
        for _ in range(3):
            asked_at = clock.now()
            assert (await web.send(feed(site.url()))).status == 429
            rests.append(pace[site.key()].rest_until - asked_at)
            clock.advance_to(pace[site.key()].rest_until)
    assert rests == [timedelta(hours=hours) for hours in (1, 2, 4)]


async def test_an_archive_is_never_asked_faster_than_it_wants_whatever_the_settings_say() -> None:
    pace, clock = MemoryPace(), FastClock()
    politeness = Politeness(pace, clock, timedelta(milliseconds=1), LEASE)
    for host, least in LEAST_DELAYS.items():
        for _ in range(2):
            async with politeness.turn(host):
                pass
        first, second = pace[host].claims
        assert second - first >= least
