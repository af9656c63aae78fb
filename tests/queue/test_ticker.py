"""The ticker: calls each duty at its interval, never twice at once; real time, short intervals."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from pipeline.clock import SystemClock
from pipeline.queue.ticker import Ticker

SOON = 0.05  # seconds
LATE = 5.0  # seconds, on the busiest machine


@pytest.fixture
async def ticker() -> AsyncIterator[Ticker]:
    made = Ticker(SystemClock())
    made.start()
    with capture_logs():
        yield made
    made.stop()


class Duty:
    """Counts how often it was called, and how often at once."""

    def __init__(self, takes_s: float = 0, error: Exception | None = None) -> None:
        self.calls = self.now = self.most = 0
        self.is_cancelled = False
        self._takes_s, self._error = takes_s, error

    async def __call__(self) -> int:
        self.calls += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(self._takes_s)
        except asyncio.CancelledError:
            self.is_cancelled = True
            raise
        finally:
            self.now -= 1
        if self._error:
            raise self._error
        return self.calls


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(LATE):
        while not is_so():  # noqa: ASYNC110 - what is waited for is a count
            await asyncio.sleep(0.01)


async def test_a_duty_is_called_at_once_and_not_before_its_interval_again(ticker: Ticker) -> None:
    duty = Duty()
    ticker.every(3600, "rare", duty.__call__)
    await until(lambda: ticker.counts["rare/done"] == 1)
    await asyncio.sleep(3 * SOON)
    assert duty.calls == 1


async def test_a_duty_is_called_at_its_interval(ticker: Ticker) -> None:
    duty = Duty()
    loop = asyncio.get_running_loop()
    started = loop.time()
    ticker.every(SOON, "often", duty.__call__)
    await until(lambda: ticker.counts["often/done"] >= 4)
    assert loop.time() - started >= 2 * SOON
    assert set(ticker.counts) == {"often/done"}


async def test_duties_that_were_added_before_the_start_are_called() -> None:
    ticker, duty = Ticker(SystemClock()), Duty()
    ticker.every(3600, "early", duty.__call__)
    await asyncio.sleep(SOON)
    assert duty.calls == 0
    ticker.start()
    await until(lambda: duty.calls == 1)
    ticker.stop()


class Moved(SystemClock):
    """The machine's clock, set by hand."""

    by = timedelta()

    def now(self) -> datetime:
        """That moment."""
        return super().now() + self.by


async def test_a_clock_that_is_set_back_stops_nothing() -> None:
    clock, duty = Moved(), Duty()
    ticker = Ticker(clock, watch_every_s=SOON)
    ticker.every(3600, "rare", duty.__call__)
    ticker.start()
    await until(lambda: duty.calls == 1)
    await asyncio.sleep(3 * SOON)
    assert duty.calls == 1
    with capture_logs() as logs:
        clock.by -= timedelta(hours=1)
        await until(lambda: duty.calls == 2)
    ticker.stop()
    assert logs[0]["event"] == "the clock was set back"
    assert 3590 <= logs[0]["by_s"] <= 3600


async def test_an_error_is_counted_and_logged_and_the_duty_is_called_again(ticker: Ticker) -> None:
    broken, sound = Duty(error=RuntimeError("no disk")), Duty()
    ticker.every(SOON, "broken", broken.__call__)
    ticker.every(SOON, "sound", sound.__call__)
    with capture_logs() as logs:
        await until(lambda: ticker.counts["broken/error"] >= 2 and ticker.counts["sound/done"] >= 2)
    expected = {"event": "tick", "duty": "broken", "outcome": "error", "error": "no disk", "log_level": "warning"}
    assert expected in logs
    assert ticker.counts["broken/done"] == ticker.counts["sound/error"] == 0


async def test_a_duty_that_overruns_is_counted_and_never_called_twice_at_once(ticker: Ticker) -> None:
    slow, quick = Duty(takes_s=6 * SOON), Duty()
    ticker.every(SOON, "slow", slow.__call__)
    ticker.every(SOON, "quick", quick.__call__)
    await until(lambda: ticker.counts["slow/overrun"] >= 2 and ticker.counts["slow/done"] >= 1)
    assert slow.most == 1
    assert quick.calls > slow.calls


async def test_a_stopped_ticker_calls_nothing_more_and_ends_the_tick_that_runs() -> None:
    ticker, often, long = Ticker(SystemClock()), Duty(), Duty(takes_s=3600)
    ticker.every(SOON, "often", often.__call__)
    ticker.every(3600, "long", long.__call__)
    ticker.start()
    await until(lambda: often.calls >= 2 and long.calls == 1)
    ticker.stop()
    calls = often.calls
    await asyncio.sleep(3 * SOON)
    assert often.calls == calls
    assert long.is_cancelled
