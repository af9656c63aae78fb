"""Polling a feed: what is asked, what is remembered, and when it is asked again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.errors import ParseError, PollError, StageError, WebError
from pipeline.model import Feed, FeedState, Gap, Health, RequestKind, Response
from pipeline.stages import poll, schedule
from pipeline.stages.poll import Polled
from pipeline.stages.schedule import PollPolicy

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
POLICY = PollPolicy(min_interval=10 * MINUTE, max_interval=DAY, interval=HOUR)
FEED = Feed(id=1, url="https://example.com/feed.xml", title="Example")
KNOWN = FeedState(etag='W/"1"', last_modified="Sat, 21 Nov 2026 00:00:00 GMT", body_hash="0", failures=3, reason="dns")


def rss(*entries: str, asks: str = "") -> bytes:
    return f'<rss version="2.0"><channel><title>News</title>{asks}{"".join(entries)}</channel></rss>'.encode()


def item(name: str, published: str = "") -> str:
    return f'<item><guid isPermaLink="false">{name}</guid><pubDate>{published}</pubDate></item>'


def answer(status: int = 200, body: bytes = b"", **headers: Any) -> Response:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Response(FEED.url, status, named, body, NOW)


def read(response: Response, state: FeedState = KNOWN, feed: Feed = FEED) -> Polled:
    return poll.read(feed, state, response, POLICY)


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


def polled_after(first: FeedState, *waits: timedelta) -> FeedState:
    """The state after a 304 at each of these times."""
    for wait in waits:
        first = read(replace(answer(304), received_at=NOW + wait), first).state
    return first


@pytest.mark.parametrize(
    ("waits", "is_conditional"),
    [((), True), ((HOUR, 23 * HOUR), True), ((HOUR, DAY), False), ((DAY,), False)],
    ids=["after a body", "before a day is over", "after a day", "after a day, seldom polled"],
)
def test_after_a_day_of_304s_the_body_is_asked_for_without_conditions(
    waits: tuple[timedelta, ...], is_conditional: bool
) -> None:
    state = polled_after(read(answer(body=rss(), etag='"1"')).state, *waits)
    sent = dict(poll.request_for(FEED, state).headers)
    assert ("If-None-Match" in sent) is is_conditional
    assert poll.request_for(FEED, read(answer(body=rss(), etag='"1"'), state).state).headers[1:]


def test_what_a_body_asks_for_holds_until_the_next_body() -> None:
    asks = "<ttl>180</ttl><skipHours><hour>3</hour></skipHours><skipDays><day>Sunday</day></skipDays>"
    state = read(answer(body=rss(asks=asks), etag='"1"')).state
    for after in (state, read(answer(304), state).state):
        assert (after.ttl, after.skip_hours, after.skip_days) == (3 * HOUR, frozenset({3}), frozenset({6}))
    assert read(answer(body=rss()), state).state.ttl is None


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


def test_entries_that_name_no_language_have_that_of_the_feed() -> None:
    french = replace(FEED, lang="fr")
    (entry,) = read(answer(body=rss(item("a"))), feed=french).entries
    assert entry.lang == "fr"


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


def led(state: FeedState, day: int, *statuses: int, to: str = "https://new.example/", feed: Feed = FEED) -> Polled:
    """A poll on that day that went through such redirects."""
    hops = tuple((f"https://example.com/{status}", status) for status in statuses)
    response = replace(answer(body=rss(), etag='"1"'), url=to, hops=hops, received_at=NOW + day * DAY)
    return read(response, state, feed)


@pytest.mark.parametrize(
    ("polls", "expected"),
    [
        pytest.param([(0, 301), (1, 301), (2, 301)], "https://new.example/", id="on three days"),
        pytest.param([(0, 301), (1, 308, 301), (5, 308)], "https://new.example/", id="by any permanent redirects"),
        pytest.param([(0, 301), (1, 301)], None, id="on two days"),
        pytest.param([(0, 301), (0, 301), (0, 301)], None, id="three times a day"),
        pytest.param([(0, 301), (1, 301), (2, 302)], None, id="then by a temporary one"),
        pytest.param([(0, 301), (1, 301), (2, 301, 302)], None, id="then by a temporary one too"),
        pytest.param([(0, 301), (1,), (2, 301)], None, id="with a day between"),
        pytest.param([(0, 302), (1, 302), (2, 302)], None, id="never by 302"),
        pytest.param([(0, 307), (1, 307), (2, 307)], None, id="never by 307"),
    ],
)
def test_a_feed_moves_when_permanent_redirects_led_to_one_place_on_three_days(
    polls: list[tuple[int, ...]], expected: str | None
) -> None:
    state = replace(KNOWN, last_success_at=NOW - DAY)
    for day, *statuses in polls:
        polled = led(state, day, *statuses)
        state = polled.state
    assert polled.moved_to == expected
    assert (state.health is Health.MOVED) == (expected is not None)
    assert led(state, 9).state.health is Health.ACTIVE


def test_a_feed_does_not_move_to_a_place_that_changes() -> None:
    state = KNOWN
    for day in range(5):
        polled = led(state, day, 301, to=f"https://new{day}.example/")
        state = polled.state
    assert (polled.moved_to, state.moving_days) == (None, 1)


def test_a_feed_with_headers_of_its_own_does_not_take_them_to_another_host() -> None:
    secretive = replace(FEED, headers=(("Authorization", "Basic x"),))
    for to, expected in (("https://new.example/", None), ("https://example.com/new", "https://example.com/new")):
        state = KNOWN
        for day in range(3):
            polled = led(state, day, 301, to=to, feed=secretive)
            state = polled.state
        assert polled.moved_to == expected


def test_entries_none_of_which_the_poll_before_held_leave_a_gap() -> None:
    first = read(answer(body=rss(item("1", "Sat, 21 Nov 2026 00:00:00 GMT"))), FeedState()).state
    assert first.seen
    later = replace(answer(body=rss(item("9", "Sat, 21 Nov 2026 06:00:00 GMT"))), received_at=NOW + DAY)
    missed = read(later, first).gap
    assert missed == Gap(NOW - 36 * HOUR, NOW - 30 * HOUR)
    overlapping = replace(answer(body=rss(item("9"), item("1"))), received_at=NOW + DAY)
    assert read(overlapping, first).gap is None


def test_a_feed_that_is_empty_once_does_not_forget_what_it_held() -> None:
    first = read(answer(body=rss(item("1"))), FeedState()).state
    empty = read(answer(body=rss()), first).state
    assert read(answer(body=rss(item("1"))), empty).gap is None
    assert read(answer(body=rss(item("2"))), empty).gap is not None


def failed(error: StageError, failures: int = 0, feed: Feed = FEED) -> FeedState:
    return poll.failed(feed, replace(KNOWN, failures=failures), error, NOW, POLICY)


def test_a_failure_is_remembered_and_the_validators_stay() -> None:
    state = failed(WebError(FEED.url, "timeout", retryable=True), failures=2)
    assert (state.failures, state.reason, state.last_poll_at) == (3, "timeout", NOW)
    assert state.next_poll_reason == "timeout, 3 in a row"
    assert (state.etag, state.last_modified, state.body_hash) == (KNOWN.etag, KNOWN.last_modified, KNOWN.body_hash)
    assert state.last_success_at is None


def test_that_its_host_rests_is_no_failure_of_a_feed() -> None:
    resting = WebError(FEED.url, "host-resting", retryable=True, retry_at=NOW + HOUR)
    state = failed(resting, failures=2)
    assert (state.failures, state.reason, state.next_poll_reason) == (2, KNOWN.reason, "its host rests")
    assert state.health is Health.RESTING
    assert state.next_poll_at is not None
    assert NOW + HOUR <= state.next_poll_at <= NOW + HOUR + schedule.SKIP_SPREAD


def test_a_410_is_final() -> None:
    state = failed(PollError(FEED.url, "http-410"))
    assert (state.gone, state.next_poll_at, state.reason, state.failures) == (True, None, "http-410", 1)


@pytest.mark.parametrize(
    ("response", "takes_long"),
    [(answer(304), False), (answer(404, b"gone"), False), (answer(body=b"new"), True), (answer(body=b"old"), False)],
    ids=["not modified", "no feed", "a new body", "the same body"],
)
def test_only_a_new_body_takes_long_to_read(response: Response, takes_long: bool) -> None:
    state = replace(KNOWN, body_hash=poll.body_hash(b"old"))
    assert poll.is_long(state, response) is takes_long
