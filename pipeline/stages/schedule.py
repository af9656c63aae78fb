"""FeedState -> the same with its next poll: the moment, and in words why not sooner.

A feed is asked no sooner than our own interval, its `ttl` (or `sy:` elements), and the freshness that HTTP names allow,
and never in its `skipHours` and `skipDays`; after failures later and later. The spread is a hash of URL and day: a feed
waits the same time all day, and feeds that were added together drift apart, also those that wait the longest allowed.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipeline.backoff import UNNAMED_REST, http_date, jitter
from pipeline.errors import ParseError, StageError
from pipeline.model import Feed, FeedState, Response
from pipeline.stages import rhythm

SPREAD = 0.1  # jitter, as a share of the wait; only ever later
PUSHED = "pushed by "  # begins the reason of a poll that is late because a hub pushes
PUSHED_FACTOR = 8  # a feed that a hub pushes is polled so much later ...
PUSHED_WAIT = timedelta(hours=6)  # ... but no later than this: what the hub keeps back is found then
SKIP_SPREAD = timedelta(minutes=10)  # jitter after hours and days that a feed skips

_AT_ONCE = timedelta(0)
_NOT_MODIFIED = 304
_HOUR = timedelta(hours=1)
_RESTING = frozenset({"http-429", "http-503"})
_HARD, _SOFT, _TEMPORARY = 1.0, 0.5, 0.25  # how fast failures of a kind double the interval
_LARGEST_EXPONENT = 16
_DIRECTIVE = re.compile(r"([a-z-]+)(?:\s*=\s*\"?([0-9]{1,10}))?")
_UNITS = ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "min"))


@dataclass(frozen=True, slots=True)
class PollPolicy:
    """How often feeds are polled: at the most, at the least, and usually."""

    min_interval: timedelta
    max_interval: timedelta
    interval: timedelta  # on average, of the feeds that have none of their own
    price: float = rhythm.FIRST_PRICE  # hours that entries wait for together before a request is worth it


def first_price(interval: timedelta) -> float:
    """About the price at which feeds are asked once an interval on average, before that is measured.

    A wait goes with the root of the price.
    """
    return rhythm.FIRST_PRICE * (interval / _HOUR) ** 2


def after_answer(feed: Feed, state: FeedState, response: Response, policy: PollPolicy) -> FeedState:
    """After the longest of our own wait, the feed's ttl and the time for which HTTP calls the response fresh."""
    fresh_for, header = _freshness(response)
    if fresh_for is None and response.status == _NOT_MODIFIED:  # keeps what it omits: RFC 9111 section 4.3.4
        fresh_for, header = state.fresh_for, "the freshness named before"
    state = replace(state, fresh_for=fresh_for)
    waits = (
        _own_wait(feed, state, response, policy),
        (state.ttl or _AT_ONCE, _ttl_in_words(state)),
        (fresh_for or _AT_ONCE, header),
    )
    wait, why = max(waits, key=lambda choice: choice[0])
    if wait > policy.max_interval:
        why += f", counted as {in_words(policy.max_interval)}"
    now = response.received_at
    return _next_open(feed, state, now + _within(wait, policy) * _spread(feed, now), why)


def after_failure(feed: Feed, state: FeedState, error: StageError, now: datetime, policy: PollPolicy) -> FeedState:
    """Later with each failure in a row, faster or slower by its kind; never before a time that the other side named."""
    first = max(_usual(feed, policy), UNNAMED_REST if error.reason in _RESTING else _AT_ONCE)
    delay = first * 2 ** min(_weight(error) * state.failures, _LARGEST_EXPONENT)
    due_at = now + min(delay, policy.max_interval) * _spread(feed, now)
    if error.retry_at and error.retry_at > due_at:
        return _next_open(feed, state, error.retry_at, f"Retry-After of {error.reason}")
    return _next_open(feed, state, due_at, f"{error.reason}, {state.failures} in a row")


def after_rest(feed: Feed, state: FeedState, until: datetime) -> FeedState:
    """When its host may be asked again; a host's feeds do not come back all at once."""
    return _next_open(feed, state, until + SKIP_SPREAD * _share(feed, until), "its host rests")


def after_outage(feed: Feed, state: FeedState, now: datetime, policy: PollPolicy) -> FeedState:
    """Soon again: that we had no network is no failure of the feed."""
    again_at = now + policy.min_interval * _spread(feed, now)
    return _next_open(feed, replace(state, last_poll_at=now), again_at, "our network was down")


def while_pushed(feed: Feed, state: FeedState, now: datetime, hub: str) -> FeedState:
    """Seldom, as long as a hub pushes: the plan for a feed that was polled now, stretched; never to a sooner poll."""
    planned_at = state.next_poll_at
    if planned_at is None or planned_at - now >= PUSHED_WAIT:
        return state
    stretched = min(PUSHED_FACTOR * (planned_at - now), PUSHED_WAIT)
    return _next_open(feed, state, now + stretched, f"{PUSHED}{hub}, else {state.next_poll_reason}")


def in_words(wait: timedelta) -> str:
    """A duration in the largest unit that it is a whole number of: `90 min`, `2 h`, `45 s`."""
    for unit, name in _UNITS:
        if wait >= unit and not wait % unit:
            return f"{wait // unit} {name}"
    return f"{wait.total_seconds():g} s"


def _next_open(feed: Feed, state: FeedState, at: datetime, why: str) -> FeedState:
    """That moment, or the first one after it that the feed does not skip.

    Source:
        RSS 2.0, skipHours and skipDays. Sets that leave no hour of the week are mistakes.
    """
    hours, days = state.skip_hours, state.skip_days
    opens_at = at
    while _is_skipped(opens_at, state) and len(hours) < 24 and len(days) < 7:
        opens_at = opens_at.replace(minute=0, second=0, microsecond=0) + _HOUR
    if opens_at != at:
        opens_at += SKIP_SPREAD * _share(feed, opens_at)
        why += ", then skipDays" if at.weekday() in days else ", then skipHours"
    return replace(state, next_poll_at=opens_at, next_poll_reason=why)


def _is_skipped(at: datetime, state: FeedState) -> bool:
    return at.hour in state.skip_hours or at.weekday() in state.skip_days


def _own_wait(feed: Feed, state: FeedState, response: Response, policy: PollPolicy) -> tuple[timedelta, str]:
    """The interval that the user named, else what the feed's rhythm makes worth a request."""
    if feed.interval is None and state.rhythm is not None:
        at, why = rhythm.next_at(state.rhythm, response.received_at, policy.price)
        return _within(at - response.received_at, policy), why
    usual = _usual(feed, policy)
    return usual, f"interval {in_words(usual)}"


def _weight(error: StageError) -> float:
    if error.retryable:
        return _TEMPORARY
    return _SOFT if isinstance(error, ParseError) else _HARD


def _usual(feed: Feed, policy: PollPolicy) -> timedelta:
    return _within(feed.interval or policy.interval, policy)


def _within(wait: timedelta, policy: PollPolicy) -> timedelta:
    return min(max(wait, policy.min_interval), policy.max_interval)


def _spread(feed: Feed, at: datetime) -> float:
    return 1 + SPREAD * _share(feed, at)


def _share(feed: Feed, at: datetime) -> float:
    return abs(jitter(feed.url, at.toordinal()))


def _ttl_in_words(state: FeedState) -> str:
    return f"ttl {in_words(state.ttl or _AT_ONCE)}"


def _freshness(response: Response) -> tuple[timedelta | None, str]:
    """For how long a response is fresh, None when it does not say, and which header says so.

    Source:
        RFC 9111 sections 4.2, 5.2.2 and 5.3.
    """
    control = ",".join(value for name, value in response.headers if name == "cache-control")
    directives = dict(_DIRECTIVE.findall(control.lower()))
    max_age = directives.get("max-age")
    if {"no-cache", "no-store"} & directives.keys():
        return _AT_ONCE, "max-age"
    if max_age:
        age = re.fullmatch(r"[0-9]{1,10}", response.header("age") or "0")
        return timedelta(seconds=int(max_age) - int(age[0] if age else 0)), f"max-age {int(max_age)}"
    expires = http_date(response.header("expires"))
    sent_at = http_date(response.header("date")) or response.received_at
    return (expires - sent_at if expires else None), "Expires"
