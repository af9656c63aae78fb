"""When a feed is polled next, and what is said to be the reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.backoff import LONGEST_DELAY
from pipeline.errors import ParseError, PollError, StageError, WebError
from pipeline.model import Feed, FeedState, Response, Rhythm
from pipeline.stages import schedule
from pipeline.stages.schedule import PollPolicy

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)  # a Sunday
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
POLICY = PollPolicy(min_interval=10 * MINUTE, max_interval=DAY, interval=HOUR)
FEED = Feed(id=1, url="https://example.com/feed.xml", title="Example")
NAMES = st.sampled_from(["cache-control", "expires", "date", "age", "etag", "retry-after"])
VALUES = st.text(max_size=20) | st.integers().map(lambda n: f"max-age={n}") | st.integers().map(str)
SUNDAY, MONDAY = 6, 0


def answer(**headers: str) -> Response:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Response(FEED.url, 200, named, b"", NOW)


def answered(response: Response, feed: Feed = FEED, **asks: Any) -> FeedState:
    return schedule.after_answer(feed, FeedState(**asks), response, POLICY)


def wait(state: FeedState) -> timedelta:
    assert state.next_poll_at is not None
    return state.next_poll_at - NOW


@pytest.mark.parametrize(
    ("feed", "ttl", "headers", "expected", "why"),
    [
        pytest.param(FEED, None, {}, HOUR, "interval 1 h", id="usual"),
        pytest.param(replace(FEED, interval=2 * HOUR), None, {}, 2 * HOUR, "interval 2 h", id="the feed's own"),
        pytest.param(
            replace(FEED, interval=MINUTE), None, {}, 10 * MINUTE, "interval 10 min", id="never below the least"
        ),
        pytest.param(replace(FEED, interval=9 * DAY), None, {}, DAY, "interval 1 d", id="never above the most"),
        pytest.param(FEED, 180, {}, 3 * HOUR, "ttl 3 h", id="ttl"),
        pytest.param(FEED, 90, {}, 1.5 * HOUR, "ttl 90 min", id="odd ttl"),
        pytest.param(FEED, 5, {}, HOUR, "interval 1 h", id="a shorter ttl"),
        pytest.param(FEED, 10**6, {}, DAY, "ttl 1000000 min, counted as 1 d", id="absurd ttl"),
        pytest.param(FEED, None, {"cache_control": "public, max-age=7200"}, 2 * HOUR, "max-age 7200", id="max-age"),
        pytest.param(FEED, None, {"cache_control": 'Max-Age="7200"'}, 2 * HOUR, "max-age 7200", id="quoted max-age"),
        pytest.param(
            FEED, None, {"cache_control": "max-age=7200", "age": "1800"}, 1.5 * HOUR, "max-age 7200", id="aged"
        ),
        pytest.param(FEED, None, {"cache_control": "max-age=7200", "age": "?"}, 2 * HOUR, "max-age 7200", id="odd age"),
        pytest.param(
            FEED,
            None,
            {"cache_control": "max-age=9999999999"},
            DAY,
            "max-age 9999999999, counted as 1 d",
            id="absurd max-age",
        ),
        pytest.param(FEED, None, {"cache_control": "no-cache, max-age=7200"}, HOUR, "interval 1 h", id="no-cache"),
        pytest.param(FEED, None, {"expires": "Sun, 22 Nov 2026 15:00:00 GMT"}, 3 * HOUR, "Expires", id="Expires"),
        pytest.param(
            FEED,
            None,
            {"expires": "Sun, 22 Nov 2026 15:00:00 GMT", "date": "Sun, 22 Nov 2026 13:00:00 GMT"},
            2 * HOUR,
            "Expires",
            id="Expires on their clock",
        ),
        pytest.param(FEED, None, {"expires": "0"}, HOUR, "interval 1 h", id="expired"),
        pytest.param(
            FEED,
            None,
            {"cache_control": "max-age=7200", "expires": "Sun, 22 Nov 2026 23:00:00 GMT"},
            2 * HOUR,
            "max-age 7200",
            id="max-age beats Expires",
        ),
        pytest.param(
            replace(FEED, interval=15 * MINUTE),
            180,
            {"cache_control": "max-age=7200"},
            3 * HOUR,
            "ttl 3 h",
            id="the longest",
        ),
    ],
)
def test_the_next_poll_is_never_before_anybody_allows_it(
    feed: Feed, ttl: int | None, headers: dict[str, str], expected: timedelta, why: str
) -> None:
    state = answered(answer(**headers), feed, ttl=ttl and ttl * MINUTE)
    assert expected <= wait(state) <= expected * (1 + schedule.SPREAD)
    assert state.next_poll_reason == why


def test_a_304_that_names_no_freshness_keeps_what_was_named_before() -> None:
    fresh = answered(answer(cache_control="max-age=14400"))
    again = schedule.after_answer(FEED, fresh, replace(answer(), status=304), POLICY)
    assert 4 * HOUR <= wait(again) <= 4 * HOUR * (1 + schedule.SPREAD)
    assert again.next_poll_reason == "the freshness named before"
    named = schedule.after_answer(FEED, again, replace(answer(cache_control="max-age=7200"), status=304), POLICY)
    assert named.fresh_for == 2 * HOUR
    assert schedule.after_answer(FEED, named, answer(), POLICY).fresh_for is None


@pytest.mark.parametrize(
    ("asks", "expected", "why"),
    [
        pytest.param({"skip_hours": {13}}, 2 * HOUR, "interval 1 h, then skipHours", id="an hour"),
        pytest.param({"skip_hours": {13, 14, 15}}, 4 * HOUR, "interval 1 h, then skipHours", id="three hours"),
        pytest.param({"skip_hours": {14}}, None, "interval 1 h", id="another hour"),
        pytest.param({"skip_days": {SUNDAY}}, 12 * HOUR, "interval 1 h, then skipDays", id="a day"),
        pytest.param({"skip_days": {SUNDAY, MONDAY}}, 36 * HOUR, "interval 1 h, then skipDays", id="beyond a day"),
        pytest.param(
            {"skip_days": {SUNDAY}, "skip_hours": {0}}, 13 * HOUR, "interval 1 h, then skipDays", id="day and hour"
        ),
        pytest.param({"skip_hours": set(range(24))}, None, "interval 1 h", id="every hour is a mistake"),
        pytest.param({"skip_days": set(range(7))}, None, "interval 1 h", id="every day is a mistake"),
    ],
)
def test_hours_and_days_that_a_feed_skips_are_passed_over(
    asks: dict[str, Any], expected: timedelta | None, why: str
) -> None:
    state = answered(answer(), FEED, **{name: frozenset(numbers) for name, numbers in asks.items()})
    least, spread = (expected, schedule.SKIP_SPREAD) if expected else (HOUR, HOUR * schedule.SPREAD)
    assert least <= wait(state) <= least + spread
    assert state.next_poll_reason == why


@given(st.frozensets(st.integers(0, 23)), st.frozensets(st.integers(0, 6)), st.integers(0, 10**6))
def test_a_skipped_hour_or_day_is_never_polled_unless_all_are(
    hours: frozenset[int], days: frozenset[int], seconds: int
) -> None:
    response = replace(answer(), received_at=NOW + timedelta(seconds=seconds))
    at = answered(response, skip_hours=hours, skip_days=days).next_poll_at
    assert at is not None
    is_possible = len(hours) < 24 and len(days) < 7
    assert not is_possible or (at.hour not in hours and at.weekday() not in days)


@pytest.mark.parametrize("interval", [HOUR, 9 * DAY], ids=["usual", "the longest allowed"])
def test_feeds_with_one_interval_spread(interval: timedelta) -> None:
    feeds = [replace(FEED, url=f"https://example.com/{n}", interval=interval) for n in range(100)]
    assert len({wait(answered(answer(), feed)) for feed in feeds}) > 90


def test_feeds_that_fail_for_long_spread() -> None:
    error = PollError(FEED.url, "http-404")
    assert len({wait(failed(error, 99, replace(FEED, url=f"https://example.com/{n}"))) for n in range(100)}) > 90


def test_a_feed_waits_the_same_time_all_day_and_another_on_the_next() -> None:
    days = [
        {wait(answered(replace(answer(), received_at=NOW + day + hour))) - day - hour for hour in (0 * HOUR, HOUR)}
        for day in (0 * DAY, DAY)
    ]
    assert [len(day) for day in days] == [1, 1]
    assert days[0] != days[1]


@given(st.lists(st.tuples(NAMES, VALUES), max_size=5))
def test_whatever_the_headers_say_the_next_poll_is_within_the_limits(headers: list[tuple[str, str]]) -> None:
    state = answered(Response(FEED.url, 200, tuple(headers), b"", NOW))
    assert POLICY.min_interval <= wait(state) <= POLICY.max_interval * (1 + schedule.SPREAD)


def failed(error: StageError, failures: int = 1, feed: Feed = FEED, policy: PollPolicy = POLICY) -> FeedState:
    return schedule.after_failure(feed, FeedState(failures=failures), error, NOW, policy)


@pytest.mark.parametrize(
    ("error", "failures", "expected"),
    [
        pytest.param(PollError(FEED.url, "http-404"), 1, 2 * HOUR, id="hard"),
        pytest.param(PollError(FEED.url, "http-404"), 4, 16 * HOUR, id="hard, often"),
        pytest.param(PollError(FEED.url, "http-404"), 5, DAY, id="hard, capped"),
        pytest.param(ParseError(FEED.url, "html"), 4, 4 * HOUR, id="soft"),
        pytest.param(WebError(FEED.url, "timeout", retryable=True), 4, 2 * HOUR, id="temporary"),
        pytest.param(WebError(FEED.url, "timeout", retryable=True), 10**6, DAY, id="temporary, for ever"),
    ],
)
def test_failures_back_off_by_their_kind(error: StageError, failures: int, expected: timedelta) -> None:
    state = failed(error, failures)
    assert expected <= wait(state) <= expected * (1 + schedule.SPREAD)
    assert state.next_poll_reason == f"{error.reason}, {failures} in a row"


def test_a_429_that_names_no_time_means_an_hour_at_least() -> None:
    state = failed(PollError(FEED.url, "http-429", retryable=True), feed=replace(FEED, interval=10 * MINUTE))
    assert wait(state) >= HOUR


def test_a_named_time_is_kept_even_beyond_the_longest_interval() -> None:
    error = PollError(FEED.url, "http-503", retryable=True, retry_at=NOW + LONGEST_DELAY)
    state = failed(error, policy=replace(POLICY, max_interval=HOUR))
    assert (wait(state), state.next_poll_reason) == (LONGEST_DELAY, "Retry-After of http-503")


def test_a_named_time_shortens_no_backoff() -> None:
    error = PollError(FEED.url, "http-503", retryable=True, retry_at=NOW + MINUTE)
    assert failed(error).next_poll_reason == "http-503, 1 in a row"


@pytest.mark.parametrize(
    ("seconds", "words"), [(45, "45 s"), (0, "0 s"), (600, "10 min"), (5400, "90 min"), (7200, "2 h"), (86_400, "1 d")]
)
def test_a_duration_is_told_in_the_largest_whole_unit(seconds: int, words: str) -> None:
    assert schedule.in_words(timedelta(seconds=seconds)) == words


def test_after_an_outage_of_ours_a_feed_is_asked_soon_and_nothing_else_changes() -> None:
    before = FeedState(failures=2, reason="dns", ttl=HOUR)
    after = schedule.after_outage(FEED, before, NOW, POLICY)
    assert POLICY.min_interval <= wait(after) <= POLICY.min_interval * (1 + schedule.SPREAD)
    assert after.next_poll_reason == "our network was down"
    assert after == replace(
        before, last_poll_at=NOW, next_poll_at=after.next_poll_at, next_poll_reason=after.next_poll_reason
    )


def test_without_an_interval_of_its_own_the_rhythm_of_a_feed_decides() -> None:
    busy, idle = (Rhythm(NOW, 50, 10.0, (count,) * 24) for count in (40.0, 0.1))
    waits = [answered(answer(), rhythm=known) for known in (busy, idle)]
    assert wait(waits[0]) < wait(waits[1])
    assert all("new by then" in (state.next_poll_reason or "") for state in waits)
    own = answered(answer(), replace(FEED, interval=2 * HOUR), rhythm=busy)
    assert own.next_poll_reason == "interval 2 h"


def test_at_the_first_price_a_usual_feed_waits_about_the_interval() -> None:
    for interval in (HOUR / 4, HOUR, 4 * HOUR):
        policy = replace(POLICY, interval=interval, price=schedule.first_price(interval))
        known = FeedState(rhythm=Rhythm(NOW, 50, 10.0, (5.0,) * 24, (120 / 7,) * 7))  # twelve entries a day
        state = schedule.after_answer(FEED, known, answer(), policy)
        assert interval / 2 <= wait(state) <= 2 * interval


def test_a_higher_price_makes_every_feed_wait_longer() -> None:
    known = FeedState(rhythm=Rhythm(NOW, 50, 10.0, (5.0,) * 24))
    cheap, dear = (schedule.after_answer(FEED, known, answer(), replace(POLICY, price=price)) for price in (0.5, 5))
    assert wait(cheap) < wait(dear)


@given(st.floats(0, 1e4), st.floats(1e-4, 1e4), st.integers(0, 100))
def test_whatever_the_rhythm_the_next_poll_is_within_the_limits(count: float, price: float, window: int) -> None:
    known = FeedState(rhythm=Rhythm(NOW, window, 1.0, (count,) * 24))
    state = schedule.after_answer(FEED, known, answer(), replace(POLICY, price=price))
    assert POLICY.min_interval <= wait(state) <= POLICY.max_interval * (1 + schedule.SPREAD)
