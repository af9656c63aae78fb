"""Feed -> Request; Response -> entries and the feed's new state."""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipeline.backoff import UNNAMED_REST, http_date, is_temporary, jitter, named_retry
from pipeline.errors import ParseError, PollError, StageError
from pipeline.model import Entry, Feed, FeedState, Request, RequestKind, Response
from pipeline.stages.parse import parse

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)
SPREAD = 0.1  # jitter, as a share of the interval; only ever later

_PERMANENT_REDIRECTS = frozenset({301, 308})
_AT_ONCE = timedelta(0)
_GONE = "http-410"
_RESTING = frozenset({"http-429", "http-503"})
_HARD, _SOFT, _TEMPORARY = 1.0, 0.5, 0.25  # how fast failures of a kind double the interval
_LARGEST_EXPONENT = 16
_DIRECTIVE = re.compile(r"([a-z-]+)(?:\s*=\s*\"?([0-9]{1,10}))?")


@dataclass(frozen=True, slots=True)
class PollPolicy:
    """How often feeds are polled: at the most, at the least, and usually."""

    min_interval: timedelta
    max_interval: timedelta
    interval: timedelta


@dataclass(frozen=True, slots=True)
class Polled:
    """What one successful poll brought."""

    state: FeedState
    entries: tuple[Entry, ...]  # newest first; undated ones are new
    not_modified: bool
    title: str | None
    moved_to: str | None  # where permanent redirects, and only such, led


def request_for(feed: Feed, state: FeedState) -> Request:
    """Ask for what is new: both validators go back exactly as they came, and the feed's own headers win."""
    ours = {"Accept": ACCEPT, "If-None-Match": state.etag, "If-Modified-Since": state.last_modified}
    theirs = {name.lower() for name, _ in feed.headers}
    added = tuple((name, value) for name, value in ours.items() if value and name.lower() not in theirs)
    return Request(feed.url, RequestKind.FEED, added + feed.headers)


def read(feed: Feed, state: FeedState, response: Response, policy: PollPolicy) -> Polled:
    """Take in an answer: the entries it brought, and what is remembered until the next poll.

    Raises:
        PollError: `http-...`, any status but 200, and 304 to a conditional request; 410 is final.
        ParseError: a body that is no feed.

    Source:
        RFC 9110 section 13 and RFC 9111 section 4.3.4 for the validators.
    """
    etag, last_modified, body_hash = response.header("etag"), response.header("last-modified"), state.body_hash
    parsed = None
    if response.status == 304 and (state.etag or state.last_modified):
        etag, last_modified = etag or state.etag, last_modified or state.last_modified
    elif response.status == 200:
        body_hash = hashlib.sha256(response.body).hexdigest()
        if body_hash != state.body_hash:
            parsed = parse(response.body, response.url, response.header("content-type"))
    else:
        reason, temporary = f"http-{response.status}", is_temporary(response.status)
        raise PollError(feed.url, reason, retryable=temporary, retry_at=named_retry(response))
    now = response.received_at
    ttl = parsed.ttl if parsed else state.ttl
    next_poll_at, why = _next_poll(feed, response, policy, ttl)
    return Polled(
        state=FeedState(
            etag, last_modified, body_hash, next_poll_at, why, last_poll_at=now, last_success_at=now, ttl=ttl
        ),
        entries=_newest_first(parsed.entries, now) if parsed else (),
        not_modified=parsed is None,
        title=parsed.title if parsed else None,
        moved_to=_moved_to(response),
    )


def failed(feed: Feed, state: FeedState, error: StageError, now: datetime, policy: PollPolicy) -> FeedState:
    """Remember a failure: the feed is asked later and later, depending on its kind, but never given up, except on 410.

    The validators stay those of the last body that was parsed.
    """
    failures = state.failures + 1
    after = replace(state, last_poll_at=now, failures=failures, reason=error.reason)
    if error.reason == _GONE:
        return replace(after, gone=True, next_poll_at=None, next_poll_reason="gone")
    first = max(_usual(feed, policy), UNNAMED_REST if error.reason in _RESTING else _AT_ONCE)
    delay = first * 2 ** min(_weight(error) * failures, _LARGEST_EXPONENT) * _spread(feed, now)
    due_at = now + min(delay, policy.max_interval)
    if error.retry_at and error.retry_at > due_at:
        return replace(after, next_poll_at=error.retry_at, next_poll_reason="retry-after")
    return replace(after, next_poll_at=due_at, next_poll_reason="failures")


def wanted(feed: Feed, entry: Entry) -> bool:
    """Whether title or URL match one of the feed's `include` patterns, if it has any, and none of its `exclude`."""
    subjects = [text for text in (entry.title, entry.url) if text]
    return (not feed.include or _matches(feed.include, subjects)) and not _matches(feed.exclude, subjects)


def _matches(patterns: tuple[str, ...], subjects: list[str]) -> bool:
    return any(re.search(pattern, subject, re.IGNORECASE) for pattern in patterns for subject in subjects)


def _weight(error: StageError) -> float:
    if error.retryable:
        return _TEMPORARY
    return _SOFT if isinstance(error, ParseError) else _HARD


def _usual(feed: Feed, policy: PollPolicy) -> timedelta:
    return min(max(feed.interval or policy.interval, policy.min_interval), policy.max_interval)


def _spread(feed: Feed, at: datetime) -> float:
    return 1 + SPREAD * abs(jitter(feed.url, int(at.timestamp())))


def _next_poll(feed: Feed, response: Response, policy: PollPolicy, ttl: timedelta | None) -> tuple[datetime, str]:
    """After the longest of our interval, the feed's ttl and the time for which HTTP calls the response fresh."""
    spread = _spread(feed, response.received_at)
    fresh_for, header = _freshness(response)
    waits = ((_usual(feed, policy), "interval"), (ttl or _AT_ONCE, "ttl"), (fresh_for, header))
    wait, why = max(waits, key=lambda choice: choice[0])
    return response.received_at + min(max(spread * wait, policy.min_interval), policy.max_interval), why


def _freshness(response: Response) -> tuple[timedelta, str]:
    """For how long a response is fresh, and which header says so.

    Source:
        RFC 9111 sections 4.2, 5.2.2 and 5.3.
    """
    control = ",".join(value for name, value in response.headers if name == "cache-control")
    directives = dict(_DIRECTIVE.findall(control.lower()))
    if {"no-cache", "no-store"} & directives.keys():
        return _AT_ONCE, "max-age"
    if directives.get("max-age"):
        age = re.fullmatch(r"[0-9]{1,10}", response.header("age") or "0")
        return timedelta(seconds=int(directives["max-age"]) - int(age[0] if age else 0)), "max-age"
    expires = http_date(response.header("expires"))
    sent_at = http_date(response.header("date")) or response.received_at
    return (expires - sent_at if expires else _AT_ONCE), "expires"


def _newest_first(entries: tuple[Entry, ...], now: datetime) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda e: min(e.published_at or e.updated_at or now, now), reverse=True))


def _moved_to(response: Response) -> str | None:
    statuses = {status for _, status in response.hops}
    return response.url if statuses and statuses <= _PERMANENT_REDIRECTS else None
