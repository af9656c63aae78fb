"""Polling a feed: what is asked, what is remembered, and when it is asked again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.backoff import LONGEST_DELAY
from pipeline.errors import ParseError, PollError, StageError, WebError
from pipeline.model import Entry, Feed, FeedState, RequestKind, Response
from pipeline.stages import poll
from pipeline.stages.poll import Polled, PollPolicy

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
POLICY = PollPolicy(min_interval=10 * MINUTE, max_interval=DAY, interval=HOUR)
FEED = Feed(id=1, url="https://example.com/feed.xml", title="Example")
KNOWN = FeedState(etag='W/"1"', last_modified="Sat, 21 Nov 2026 00:00:00 GMT", body_hash="0", failures=3, reason="dns")
NAMES = st.sampled_from(["cache-control", "expires", "date", "age", "etag", "retry-after"])
VALUES = st.text(max_size=20) | st.integers().map(lambda n: f"max-age={n}") | st.integers().map(str)


def rss(*entries: str, ttl: int | None = None) -> bytes:
    pause = f"<ttl>{ttl}</ttl>" if ttl else ""
    return f'<rss version="2.0"><channel><title>News</title>{pause}{"".join(entries)}</channel></rss>'.encode()


def item(name: str, published: str = "") -> str:
    return f'<item><guid isPermaLink="false">{name}</guid><pubDate>{published}</pubDate></item>'


def answer(status: int = 200, body: bytes = b"", **headers: Any) -> Response:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Response(FEED.url, status, named, body, NOW)


def read(response: Response, state: FeedState = KNOWN, feed: Feed = FEED) -> Polled:
    return poll.read(feed, state, response, POLICY)


def wait(polled: Polled) -> timedelta:
    assert polled.state.next_poll_at is not None
    return polled.state.next_poll_at - NOW


def test_validators_go_back_exactly_as_they_came() -> None:
    request = poll.request_for(FEED, KNOWN)
    assert (request.url, request.kind) == (FEED.url, RequestKind.FEED)
    assert dict(request.headers) == {
        "Accept": poll.ACCEPT,
        "If-None-Match": 'W/"1"',
        "If-Modified-Since": "Sat, 21 Nov 2026 00:00:00 GMT",
    }


def test_a_feed_never_polled_is_asked_without_conditions() -> None:
    assert [name for name, _ in poll.request_for(FEED, FeedState()).headers] == ["Accept"]


def test_the_headers_of_a_feed_replace_ours() -> None:
    feed = replace(FEED, headers=(("accept", "text/xml"), ("X-Key", "k")))
    assert poll.request_for(feed, FeedState()).headers == feed.headers


@pytest.mark.parametrize(
    ("headers", "etag", "last_modified"),
    [
        pytest.param({}, KNOWN.etag, KNOWN.last_modified, id="none"),
        pytest.param({"etag": '"2"'}, '"2"', KNOWN.last_modified, id="etag"),
        pytest.param({"last_modified": "today"}, KNOWN.etag, "today", id="last-modified"),
    ],
)
def test_a_304_is_a_success_that_keeps_the_validators_it_omits(
    headers: dict[str, Any], etag: str, last_modified: str
) -> None:
    polled = read(answer(304, **headers))
    state = polled.state
    assert (polled.not_modified, polled.entries, polled.title) == (True, (), None)
    assert (state.etag, state.last_modified, state.body_hash) == (etag, last_modified, "0")
    assert (state.failures, state.reason, state.last_poll_at, state.last_success_at) == (0, None, NOW, NOW)


def test_a_304_that_nobody_asked_for_is_an_error() -> None:
    with pytest.raises(PollError, match="http-304"):
        read(answer(304), FeedState())


def test_a_200_replaces_each_validator_by_what_it_says() -> None:
    state = read(answer(body=rss(), etag='"2"')).state
    assert (state.etag, state.last_modified) == ('"2"', None)


def test_an_unchanged_body_is_not_modified_but_its_validators_are_new() -> None:
    first = read(answer(body=rss(item("1")), etag='"1"'))
    again = read(answer(body=rss(item("1")), etag='"2"'), first.state)
    assert (first.not_modified, again.not_modified, again.entries) == (False, True, ())
    assert again.state.etag == '"2"'
    assert again.state.body_hash == first.state.body_hash


def test_entries_come_newest_first_and_undated_or_future_ones_count_as_new() -> None:
    body = rss(
        item("old", "Mon, 02 Nov 2026 00:00:00 GMT"),
        item("new", "Sat, 21 Nov 2026 00:00:00 GMT"),
        item("undated"),
        item("future", "Sat, 21 Nov 2099 00:00:00 GMT"),
    )
    polled = read(answer(body=body))
    assert [entry.id for entry in polled.entries] == ["undated", "future", "new", "old"]
    assert polled.title == "News"


@pytest.mark.parametrize(
    ("body", "reason"), [(b"<!DOCTYPE html><html/>", "html"), (b"", "empty"), (b"<rss><channel>", "malformed-xml")]
)
def test_a_200_that_is_no_feed_is_an_error(body: bytes, reason: str) -> None:
    with pytest.raises(ParseError, match=reason):
        read(answer(body=body))


@pytest.mark.parametrize(
    ("status", "retryable"),
    [(404, False), (410, False), (401, False), (302, False), (429, True), (503, True), (500, True)],
)
def test_any_other_status_is_an_error_that_says_whether_it_may_pass(status: int, retryable: bool) -> None:
    with pytest.raises(PollError) as error:
        read(answer(status))
    assert (error.value.reason, error.value.retryable) == (f"http-{status}", retryable)
    assert error.value.retry_at is None


def test_a_named_retry_is_passed_on() -> None:
    with pytest.raises(PollError) as error:
        read(answer(503, retry_after="7200"))
    assert error.value.retry_at == NOW + 2 * HOUR


@pytest.mark.parametrize(
    ("feed", "ttl", "headers", "expected", "why"),
    [
        pytest.param(FEED, None, {}, HOUR, "interval", id="usual"),
        pytest.param(replace(FEED, interval=2 * HOUR), None, {}, 2 * HOUR, "interval", id="the feed's own"),
        pytest.param(replace(FEED, interval=MINUTE), None, {}, 10 * MINUTE, "interval", id="never below the least"),
        pytest.param(replace(FEED, interval=9 * DAY), None, {}, DAY, "interval", id="never above the most"),
        pytest.param(FEED, 180, {}, 3 * HOUR, "ttl", id="ttl"),
        pytest.param(FEED, 5, {}, HOUR, "interval", id="a shorter ttl"),
        pytest.param(FEED, None, {"cache_control": "public, max-age=7200"}, 2 * HOUR, "max-age", id="max-age"),
        pytest.param(FEED, None, {"cache_control": 'Max-Age="7200"'}, 2 * HOUR, "max-age", id="quoted max-age"),
        pytest.param(FEED, None, {"cache_control": "max-age=7200", "age": "1800"}, 1.5 * HOUR, "max-age", id="aged"),
        pytest.param(FEED, None, {"cache_control": "max-age=7200", "age": "?"}, 2 * HOUR, "max-age", id="odd age"),
        pytest.param(FEED, None, {"cache_control": "max-age=99999999999"}, DAY, "max-age", id="absurd max-age"),
        pytest.param(FEED, None, {"cache_control": "no-cache, max-age=7200"}, HOUR, "interval", id="no-cache"),
        pytest.param(FEED, None, {"expires": "Sun, 22 Nov 2026 15:00:00 GMT"}, 3 * HOUR, "expires", id="Expires"),
        pytest.param(
            FEED,
            None,
            {"expires": "Sun, 22 Nov 2026 15:00:00 GMT", "date": "Sun, 22 Nov 2026 13:00:00 GMT"},
            2 * HOUR,
            "expires",
            id="Expires on their clock",
        ),
        pytest.param(FEED, None, {"expires": "0"}, HOUR, "interval", id="expired"),
        pytest.param(
            FEED,
            None,
            {"cache_control": "max-age=7200", "expires": "Sun, 22 Nov 2026 23:00:00 GMT"},
            2 * HOUR,
            "max-age",
            id="max-age beats Expires",
        ),
        pytest.param(
            replace(FEED, interval=15 * MINUTE),
            180,
            {"cache_control": "max-age=7200"},
            3 * HOUR,
            "ttl",
            id="the longest",
        ),
    ],
)
def test_the_next_poll_is_never_before_anybody_allows_it(
    feed: Feed, ttl: int | None, headers: dict[str, Any], expected: timedelta, why: str
) -> None:
    polled = read(answer(body=rss(ttl=ttl), **headers), feed=feed)
    assert expected <= wait(polled) <= min(expected * (1 + poll.SPREAD), DAY)
    assert polled.state.next_poll_reason == why


def test_a_ttl_holds_when_the_body_does_not_come_again() -> None:
    polled = read(answer(body=rss(ttl=180), etag='"1"'))
    for _ in range(50):
        again = read(answer(304), polled.state)
        assert (wait(again), again.state.next_poll_reason) == (wait(polled), "ttl")
        polled = again


def test_feeds_with_one_interval_spread() -> None:
    feeds = [replace(FEED, url=f"https://example.com/{n}") for n in range(100)]
    assert len({wait(read(answer(body=rss()), feed=feed)) for feed in feeds}) > 90


@given(st.lists(st.tuples(NAMES, VALUES), max_size=5), st.sampled_from([200, 304]))
def test_whatever_the_headers_say_the_next_poll_is_within_the_limits(
    headers: list[tuple[str, str]], status: int
) -> None:
    polled = read(Response(FEED.url, status, tuple(headers), rss(), NOW))
    assert POLICY.min_interval <= wait(polled) <= POLICY.max_interval


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ((), None),
        ((301,), "https://new.example/"),
        ((301, 308), "https://new.example/"),
        ((301, 302), None),
        ((307,), None),
    ],
)
def test_only_permanent_redirects_report_a_move(statuses: tuple[int, ...], expected: str | None) -> None:
    hops = tuple((f"https://example.com/{status}", status) for status in statuses)
    response = replace(answer(body=rss()), url="https://new.example/", hops=hops)
    assert read(response).moved_to == expected


def failed(error: StageError, failures: int = 0, feed: Feed = FEED) -> FeedState:
    return poll.failed(feed, replace(KNOWN, failures=failures), error, NOW, POLICY)


def test_a_failure_is_remembered_and_the_validators_stay() -> None:
    state = failed(WebError(FEED.url, "timeout", retryable=True), failures=2)
    assert (state.failures, state.reason, state.last_poll_at, state.next_poll_reason) == (3, "timeout", NOW, "failures")
    assert (state.etag, state.last_modified, state.body_hash) == (KNOWN.etag, KNOWN.last_modified, KNOWN.body_hash)
    assert state.last_success_at is None


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
    state = failed(error, failures - 1)
    assert state.next_poll_at is not None
    assert expected <= state.next_poll_at - NOW <= min(expected * (1 + poll.SPREAD), DAY)


def test_a_429_that_names_no_time_means_an_hour_at_least() -> None:
    state = failed(PollError(FEED.url, "http-429", retryable=True), feed=replace(FEED, interval=10 * MINUTE))
    assert state.next_poll_at is not None
    assert state.next_poll_at >= NOW + HOUR


def test_a_named_time_is_kept_even_beyond_the_longest_interval() -> None:
    policy = replace(POLICY, max_interval=HOUR)
    error = PollError(FEED.url, "http-503", retryable=True, retry_at=NOW + LONGEST_DELAY)
    state = poll.failed(FEED, KNOWN, error, NOW, policy)
    assert (state.next_poll_at, state.next_poll_reason) == (NOW + LONGEST_DELAY, "retry-after")


def test_a_named_time_shortens_no_backoff() -> None:
    error = PollError(FEED.url, "http-503", retryable=True, retry_at=NOW + MINUTE)
    assert failed(error).next_poll_reason == "failures"


def test_a_410_is_final() -> None:
    state = failed(PollError(FEED.url, "http-410"))
    assert (state.gone, state.next_poll_at, state.reason, state.failures) == (True, None, "http-410", 1)


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        pytest.param((), (), True, id="no patterns"),
        pytest.param(("tank",), (), True, id="title, any case"),
        pytest.param(("/army/",), (), True, id="URL"),
        pytest.param(("navy", "^tanks"), (), True, id="one of several"),
        pytest.param(("navy",), (), False, id="none"),
        pytest.param((), ("/army/",), False, id="excluded"),
        pytest.param(("tank",), ("/army/",), False, id="excluded although included"),
    ],
)
def test_patterns_say_which_entries_are_wanted(
    include: tuple[str, ...], exclude: tuple[str, ...], expected: bool
) -> None:
    entry = Entry("1", "https://example.com/army/1", "Tanks roll")
    assert poll.wanted(replace(FEED, include=include, exclude=exclude), entry) is expected


def test_an_entry_without_title_and_link_matches_no_pattern() -> None:
    assert not poll.wanted(replace(FEED, include=(".*",)), Entry("1", None))
