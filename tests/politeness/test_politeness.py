"""What a well-behaved poller does, line by line: see docs/politeness.md for the table of all lines and their tests."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from pipeline.model import Health, RequestKind
from pipeline.model import Request as Wanted
from tests.politeness.world import DAY, HOUR, MINUTE, World, ok, rss, status, world
from tests.web.internet import Asked, FastClock

Open = Callable[..., AbstractAsyncContextManager[World]]


@pytest.fixture
def opened(tmp_path: Path, migrated_file: Path) -> Open:
    return lambda script, **more: world(tmp_path, migrated_file, script, **more)


def in_turn(*answers: bytes) -> Callable[[Asked, datetime], bytes]:
    """Each answer once, the last one for ever."""
    left = list(answers)
    return lambda asked, at: left.pop(0) if len(left) > 1 else left[0]


def sent(here: World, header: str) -> list[str | None]:
    return [request.asked.header(header) for request in here.requests]


async def test_1_to_4_validators_go_back_byte_for_byte_and_each_follows_its_last_word(opened: Open) -> None:
    odd, later = 'W/"a  b/ü"', '"2"'
    script = in_turn(
        ok(rss("1"), ETag=odd, Last_Modified="yesterday, about noon"),
        status("304 Not Modified", ETag=later),
        ok(rss("1"), ETag='"3"'),
        status("304 Not Modified"),
    )
    async with opened(script) as here:
        await here.add()
        for _ in range(4):
            counts = await here.poll()
            here.clock.advance_to(here.clock.now() + HOUR)
        assert sent(here, "if-none-match") == [None, odd, later, '"3"']
        assert sent(here, "if-modified-since") == [None, "yesterday, about noon", "yesterday, about noon", None]
        assert (counts["not_modified"], counts["failed"]) == (1, 0)


async def test_4_a_304_clears_errors(opened: Open) -> None:
    script = in_turn(ok(rss("1"), ETag='"1"'), status("500 Oops"), status("304 Not Modified"))
    async with opened(script) as here:
        await here.add()
        healths = []
        for _ in range(3):
            await here.poll()
            healths.append((await here.feed()).state.health)
            here.clock.advance_to(here.clock.now() + HOUR)
        assert healths == [Health.ACTIVE, Health.FAILING, Health.ACTIVE]


async def test_5_a_poll_whose_entries_cannot_be_stored_leaves_no_validator(opened: Open) -> None:
    async with opened(in_turn(ok(rss("1"), ETag='"1"'))) as here:
        await here.add()
        async with here.store.db.write() as c:
            await c.exec_driver_sql("CREATE TRIGGER full BEFORE INSERT ON entries BEGIN SELECT RAISE(ABORT, 'no'); END")
        with capture_logs():  # a long traceback
            await here.poll()
        assert (await here.feed()).state.etag is None
        async with here.store.db.write() as c:
            await c.exec_driver_sql("DROP TRIGGER full")
        here.clock.advance_to(here.clock.now() + DAY)
        await here.poll()
        assert sent(here, "if-none-match") == [None, None]
        assert await here.store.work.count_waiting() == 1


async def test_6_of_a_feed_that_always_says_304_the_body_is_asked_for_once_a_day(opened: Open) -> None:
    def script(asked: Asked, at: datetime) -> bytes:
        return status("304 Not Modified") if asked.header("if-none-match") else ok(rss("1"), ETag='"1"')

    async with opened(script) as here:
        await here.add(interval=HOUR)
        await here.live(5 * DAY)
        unconditional = [at for at, tag in zip(here.times(), sent(here, "if-none-match"), strict=True) if tag is None]
        assert 5 <= len(unconditional) <= 6
        assert len(here.requests) > 100


DAILY = "<sy:updatePeriod xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'>daily</sy:updatePeriod>"
NOON = "Mon, 05 Jan 2026 "
NIGHT = "<skipHours>" + "".join(f"<hour>{hour}</hour>" for hour in range(8)) + "</skipHours>"


@pytest.mark.parametrize(
    ("headers", "asks", "least"),
    [
        pytest.param({"Cache_Control": "max-age=5400"}, "", 90 * MINUTE, id="max-age"),
        pytest.param({"Expires": f"{NOON}15:00:00 GMT", "Date": f"{NOON}12:00:00 GMT"}, "", 3 * HOUR, id="Expires"),
        pytest.param({}, "<ttl>120</ttl>", 2 * HOUR, id="ttl"),
        pytest.param({}, DAILY, DAY, id="sy"),
        pytest.param({"Cache_Control": "max-age=1"}, "<ttl>1</ttl>", 10 * MINUTE, id="absurdly short"),
    ],
)
async def test_7_no_request_comes_before_the_feed_or_http_allows_it(
    opened: Open, headers: dict[str, str], asks: str, least: timedelta
) -> None:
    async with opened(in_turn(ok(rss("1", asks=asks), **headers))) as here:
        await here.add(interval=10 * MINUTE)
        await here.live(4 * least)
        assert len(here.requests) >= 3
        assert min(here.waits()) >= least


async def test_7_no_request_comes_in_hours_and_on_days_that_a_feed_skips(opened: Open) -> None:
    asks = NIGHT + "<skipDays><day>Wednesday</day></skipDays>"
    async with opened(in_turn(ok(rss("1", asks=asks)))) as here:
        await here.add(interval=HOUR)
        await here.live(7 * DAY)
        assert {at.hour for at in here.times()} == set(range(8, 24))
        assert {at.weekday() for at in here.times()} == {0, 1, 3, 4, 5, 6}


@pytest.mark.parametrize("line", ["429 Too Many Requests", "503 Service Unavailable"])
@pytest.mark.parametrize(
    ("headers", "rest"),
    [({"Retry_After": "7200"}, 2 * HOUR), ({}, HOUR)],
    ids=["named", "unnamed"],
)
async def test_8_after_429_and_503_nothing_is_asked_of_the_whole_host_not_even_after_a_restart(
    opened: Open, line: str, headers: dict[str, str], rest: timedelta
) -> None:
    script = in_turn(status(line, **headers), ok(rss("1")))
    clock = FastClock()
    async with opened(script, clock=clock) as here:
        await here.add(here.url("/a"), here.url("/b"))
        await here.poll()
        asked_at = here.times()
        assert len(asked_at) == 1
        port = here.port
    async with opened(script, clock=clock) as here:
        here.port = port
        clock.advance_to(asked_at[0] + rest - MINUTE)
        await here.poll()
        assert here.requests == []
        assert Health.RESTING in {row.state.health for row in await here.store.feeds.listing()}


async def test_9_a_restart_asks_nobody_again(opened: Open) -> None:
    clock = FastClock()
    async with opened(in_turn(ok(rss("1"))), clock=clock) as here:
        await here.add(interval=HOUR)
        assert (await here.poll_due())["polled"] == 1
    clock.advance_to(clock.now() + 30 * MINUTE)
    async with opened(in_turn(ok(rss("1"))), clock=clock) as here:
        assert (await here.poll_due())["polled"] == 0


async def test_10_feeds_pages_and_robots_of_a_host_come_one_at_a_time_five_seconds_apart(opened: Open) -> None:
    async with opened(in_turn(ok(b"User-agent: *"), ok(rss("1")))) as here:
        await here.add(*(here.url(f"/{n}") for n in range(4)))
        page = Wanted(here.url("/page"), RequestKind.PAGE)
        await asyncio.gather(here.engine.web.send(page), here.poll())
        assert "/robots.txt" in [request.asked.path for request in here.requests]
        assert len(here.requests) == 6
        assert min(here.waits()) >= timedelta(seconds=5)


async def test_10_feeds_that_were_added_together_drift_apart(opened: Open) -> None:
    async with opened(in_turn(ok(rss("1")))) as here:
        await here.add(*(here.url(host=f"n{n}.example") for n in range(20)), interval=HOUR)
        await here.poll()
        due = [row.state.next_poll_at for row in await here.store.feeds.listing() if row.state.next_poll_at]
        assert len({at.replace(second=0, microsecond=0) for at in due}) >= 4


async def test_11_a_busy_feed_is_asked_oftener_than_an_idle_one(opened: Open) -> None:
    def script(asked: Asked, at: datetime) -> bytes:
        every = HOUR / 4 if "busy" in (asked.header("host") or "") else 4 * DAY
        newest = int(at.timestamp() // every.total_seconds())
        dates = {f"n{n}": datetime.fromtimestamp(n * every.total_seconds(), UTC) for n in range(newest - 9, newest + 1)}
        return ok(rss(*dates, dates=dates))

    async with opened(script) as here:
        await here.add(here.url(host="busy.example"), here.url(host="idle.example"))
        await here.live(DAY)
        assert len(here.times("busy.example")) > 5 * len(here.times("idle.example"))


async def test_11_the_price_follows_the_budget_but_not_a_time_in_which_nobody_polled(opened: Open) -> None:
    async with opened(in_turn(ok(rss("1")))) as here:
        await here.add()
        prices = []
        for pause in (HOUR, 2 * HOUR, 7 * DAY, HOUR):
            await here.poll()
            prices.append((await here.store.budget.read(here.clock.now(), 0)).price)
            here.clock.advance_to(here.clock.now() + pause)
        assert prices[0] > prices[1] > prices[2] == prices[3]  # one poll in an hour is less than one in half an hour


async def test_12_what_was_missed_between_two_polls_is_on_record_with_its_time(opened: Open) -> None:
    def script(asked: Asked, at: datetime) -> bytes:
        newest = int(at.timestamp() // 60)  # an entry a minute; the feed holds five
        dates = {f"n{n}": datetime.fromtimestamp(n * 60, UTC) for n in range(newest - 4, newest + 1)}
        return ok(rss(*dates, dates=dates))

    async with opened(script) as here:
        await here.add()
        start = here.clock.now()
        for minutes in (0, 2, 30):
            here.clock.advance_to(start + minutes * MINUTE)
            await here.poll()
        row = await here.feed()
        gap = (await here.store.gaps.of_feeds([row.feed.id]))[0].gap
        assert row.gaps == 1
        assert start + 2 * MINUTE <= gap.since < gap.until <= start + 30 * MINUTE


@pytest.mark.parametrize(
    ("line", "moves"), [("301 Moved", True), ("308 Moved", True), ("302 Found", False), ("307 X", False)]
)
async def test_13_a_feed_takes_a_new_url_after_three_days_of_permanent_redirects_only(
    opened: Open, line: str, moves: bool
) -> None:
    def script(asked: Asked, at: datetime) -> bytes:
        return status(line, Location="/new") if asked.path == "/old" else ok(rss("1"))

    async with opened(script) as here:
        await here.add(here.url("/old"), interval=HOUR)
        await here.live(DAY)
        assert (await here.feed()).feed.url == here.url("/old")
        await here.live(2 * DAY)
        row = await here.feed(here.url("/old"))
        assert row.feed.url == here.url("/new" if moves else "/old")
        assert await here.store.work.count_waiting() == 1


async def test_13_a_410_is_asked_no_more_and_a_404_later_and_later_but_for_ever(opened: Open) -> None:
    def script(asked: Asked, at: datetime) -> bytes:
        return status("410 Gone" if "gone" in (asked.header("host") or "") else "404 Not Found")

    async with opened(script) as here:
        await here.add(here.url(host="gone.example"), here.url(host="lost.example"))
        await here.live(30 * DAY)
        assert len(here.times("gone.example")) == 1
        assert (await here.feed(here.url(host="gone.example"))).state.health is Health.GONE
        lost = here.times("lost.example")
        assert 30 <= len(lost) <= 40
        assert lost[1] - lost[0] < lost[2] - lost[1] < lost[-1] - lost[-2]


async def test_14_when_every_host_falls_silent_nothing_counts_as_a_failure(opened: Open) -> None:
    async with opened(in_turn(ok(rss("1")))) as here:
        await here.add(*(here.url(host=f"n{n}.example") for n in range(6)))
        await here.poll()
        for here.names.is_cut in (True, True, False):
            here.clock.advance_to(here.clock.now() + HOUR)
            await here.poll()
            rows = await here.store.feeds.listing()
            assert {(row.state.failures, row.state.health) for row in rows} == {(0, Health.ACTIVE)}
            down_since = (await here.store.stats.read(here.clock.now())).network_down_since
            assert (down_since is not None) is here.names.is_cut
        assert len(here.requests) == 12


async def test_15_a_feed_that_has_been_quiet_for_long_is_said_to_be_and_still_asked(opened: Open) -> None:
    async with opened(in_turn(ok(rss("a", "b", "c", dates=dict(zip("abc", daily(), strict=True)))))) as here:
        await here.add(interval=3 * HOUR)
        healths = []
        for _ in range(10):
            await here.live(DAY)
            healths.append((await here.feed()).state.health)
        assert healths[:2] == [Health.ACTIVE] * 2
        assert healths[-2:] == [Health.QUIET] * 2
        assert len(here.requests) >= 70
        row = await here.feed()
        assert "quiet" in {change.detail.get("now") for change in await here.store.feeds.history(row.feed.id)}


def daily() -> list[datetime]:
    return [FastClock().now() - n * DAY for n in (1, 2, 3)]


@pytest.mark.parametrize("body", [b"<!doctype html><html><body>Hello", b"<rss><channel><item>", b""])
async def test_16_a_200_that_is_no_feed_is_a_failure_and_hides_no_entry(opened: Open, body: bytes) -> None:
    async with opened(in_turn(ok(body, ETag='"bad"'), ok(rss("1"), ETag='"good"'))) as here:
        await here.add()
        assert (await here.poll())["failed"] == 1
        assert (await here.feed()).state.health is Health.FAILING
        here.clock.advance_to(here.clock.now() + DAY)
        await here.poll()
        assert sent(here, "if-none-match") == [None, None]
        assert await here.store.work.count_waiting() == 1


async def test_18_no_cookie_goes_back_and_no_fragment_or_parameter_is_sent(opened: Open) -> None:
    async with opened(in_turn(ok(rss("1"), Set_Cookie="id=1; Path=/"))) as here:
        await here.add(here.url("/rss?x=1#top"))
        for _ in range(2):
            await here.poll()
            here.clock.advance_to(here.clock.now() + HOUR)
        assert [request.asked.path for request in here.requests] == ["/rss?x=1"] * 2
        assert sent(here, "cookie") == sent(here, "referer") == [None, None]
