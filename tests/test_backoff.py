"""When to come back after a failure, a 429 or a 503."""

from datetime import UTC, datetime, timedelta
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import backoff
from pipeline.model import Response, Rest

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MOMENTS = st.integers(-(10**9), 10**9).map(lambda seconds: NOW + timedelta(seconds=seconds))


def response(status: int, **headers: str) -> Response:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Response("https://example.com/", status, named, b"", NOW)


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        pytest.param("120", None, 120, id="seconds"),
        pytest.param(" 7 ", None, 7, id="spaced"),
        pytest.param("1.5", None, 1.5, id="fraction"),
        pytest.param("0", None, 0, id="zero"),
        pytest.param("-30", None, 0, id="negative is over"),
        pytest.param("9" * 5000, None, 86400, id="absurd"),
        pytest.param("Sun, 22 Nov 2026 12:10:00 GMT", None, 600, id="date on our clock"),
        pytest.param("Sun, 22 Nov 2026 12:10:00 GMT", "Sun, 22 Nov 2026 12:05:00 GMT", 300, id="date on theirs"),
        pytest.param("Sunday, 22-Nov-26 12:10:00 GMT", None, 600, id="RFC 850 date"),
        pytest.param("Sun Nov 22 12:10:00 2026", None, 600, id="asctime date"),
        pytest.param("Sun, 22 Nov 2026 12:10:00 -0000", "?", 600, id="unreadable Date"),
        pytest.param("Sun, 22 Nov 2020 12:10:00 GMT", None, 0, id="past"),
        pytest.param("Sun, 22 Nov 2099 12:10:00 GMT", None, 86400, id="far future"),
    ],
)
def test_retry_after_names_a_moment_within_a_day(value: str, date: str | None, seconds: float) -> None:
    assert backoff.retry_after(value, date, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value", [None, "", "soon", "Sun, 99 Nov 2026 12:10:00 GMT", "1 Jan 99999999999999999999 0:0:0"]
)
def test_a_retry_after_that_says_nothing_names_no_moment(value: str | None) -> None:
    assert backoff.retry_after(value, None, NOW) is None


@given(st.text(), st.none() | st.text(), MOMENTS)
def test_retry_after_never_raises_and_stays_within_a_day(value: str, date: str | None, now: datetime) -> None:
    moment = backoff.retry_after(value, date, now)
    assert moment is None or now <= moment <= now + backoff.LONGEST_DELAY


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        pytest.param(response(429, retry_after="60"), 60, id="429"),
        pytest.param(response(503, retry_after="60"), 60, id="503"),
        pytest.param(response(429), 3600, id="429 without a time"),
        pytest.param(response(503, retry_after="soon"), 3600, id="503 without a readable time"),
    ],
)
def test_a_host_rests_after_429_and_503(answer: Response, seconds: int) -> None:
    assert backoff.rest_until(answer, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("status", [200, 304, 404, 500, 502])
def test_no_other_status_lets_a_host_rest(status: int) -> None:
    assert backoff.rest_until(response(status, retry_after="60"), NOW) is None
    assert backoff.named_retry(response(status, retry_after="60")) is None


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("last", "answer", "expected"),
    [
        pytest.param(None, response(429), HOUR, id="the first"),
        pytest.param(Rest(NOW - HOUR / 2, HOUR), response(429), 2 * HOUR, id="soon after another"),
        pytest.param(Rest(NOW - HOUR / 2, 20 * HOUR), response(429), 24 * HOUR, id="a day at most"),
        pytest.param(Rest(NOW - HOUR, HOUR), response(429), HOUR, id="long after another"),
        pytest.param(Rest(NOW - HOUR / 60, HOUR / 10), response(503), HOUR, id="after a short one"),
        pytest.param(Rest(NOW, HOUR), response(503, retry_after="60"), HOUR / 60, id="named"),
    ],
)
def test_a_rest_that_nobody_named_grows_while_it_does_not_help(
    last: Rest | None, answer: Response, expected: timedelta
) -> None:
    assert backoff.rest_after(answer, last) == Rest(NOW + expected, expected)


def test_only_a_named_time_is_passed_on() -> None:
    assert backoff.named_retry(response(503)) is None
    assert backoff.named_retry(response(503, retry_after="60")) == NOW + timedelta(seconds=60)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 529])
def test_a_temporary_status_may_pass(status: int) -> None:
    assert backoff.is_temporary(status)


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 410, 451, 501, 505])
def test_any_other_status_is_for_good(status: int) -> None:
    assert not backoff.is_temporary(status)


@given(st.integers(1, 100), st.text())
def test_each_attempt_waits_at_least_as_long_as_the_one_before_but_for_the_spread(attempts: int, key: str) -> None:
    first = backoff.retry_at(attempts, NOW, key) - NOW
    second = backoff.retry_at(attempts + 1, NOW, key) - NOW
    assert timedelta(0) < first <= backoff.LONGEST_DELAY * (1 + backoff.RETRY_SPREAD)
    assert second > first or first > backoff.LONGEST_DELAY * (1 - backoff.RETRY_SPREAD)


def test_the_last_attempt_comes_within_two_days() -> None:
    moment, attempts = NOW, 0
    while not backoff.gave_up(attempts := attempts + 1):
        moment = backoff.retry_at(attempts, moment, "key")
    assert attempts == backoff.MAX_ATTEMPTS
    assert timedelta(hours=12) < moment - NOW < timedelta(days=2)


@given(st.text(st.characters()), st.integers())
def test_jitter_is_bounded_and_always_the_same(key: str, n: int) -> None:
    assert -1 <= backoff.jitter(key, n) <= 1
    assert backoff.jitter(key, n) == backoff.jitter(key, n)


def test_jitter_spreads_evenly_over_keys_and_numbers() -> None:
    over_keys = [backoff.jitter(f"https://example.com/{i}", 1) for i in range(1000)]
    over_numbers = [backoff.jitter("key", i) for i in range(1000)]
    for values in (over_keys, over_numbers):
        assert abs(mean(values)) < 0.1
        assert 0.4 < mean(map(abs, values)) < 0.6
