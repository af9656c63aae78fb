"""Feed -> Request; Response -> entries and the feed's new state."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipeline.backoff import is_temporary, named_retry
from pipeline.errors import PollError, StageError
from pipeline.model import Entry, Feed, FeedState, Gap, Health, Hub, ParsedFeed, Request, RequestKind, Response, Rhythm
from pipeline.stages import health, overlap, push, rhythm, schedule
from pipeline.stages.parse import parse
from pipeline.stages.schedule import PollPolicy

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)
RECHECK_AFTER = timedelta(days=1)  # of 304s; then the body is asked for without conditions

_OK = 200
_GONE = "http-410"
_HOST_RESTS = "host-resting"  # the web's word for a request that was not sent


@dataclass(frozen=True, slots=True)
class Polled:
    """What one successful poll brought."""

    state: FeedState
    entries: tuple[Entry, ...]  # newest first; undated ones are new
    not_modified: bool
    title: str | None
    moved_to: str | None  # its URL from now on
    gap: Gap | None  # what was missed since the poll before
    hub: Hub | None = None  # who could push it; None with `not_modified`: it did not say


def request_for(feed: Feed, state: FeedState) -> Request:
    """Ask for what is new: both validators go back exactly as they came, and the feed's own headers win.

    After a day of 304s the request has no conditions: some servers send 304 although the feed has changed.
    """
    conditions = {"If-None-Match": state.etag, "If-Modified-Since": state.last_modified}
    ours = {"Accept": ACCEPT, **({} if _needs_recheck(state) else conditions)}
    theirs = {name.lower() for name, _ in feed.headers}
    added = tuple((name, value) for name, value in ours.items() if value and name.lower() not in theirs)
    return Request(feed.url, RequestKind.FEED, added + feed.headers)


def read(feed: Feed, state: FeedState, response: Response, policy: PollPolicy) -> Polled:
    """Take in an answer: the entries it brought, and what is remembered until the next poll.

    Raises:
        PollError: `http-...`, any status but 200, and 304 to a feed without validators; 410 is final.
        ParseError: a body that is no feed.

    Source:
        RFC 9110 section 13 and RFC 9111 section 4.3.4 for the validators.
    """
    now = response.received_at
    after = _revalidated(feed, state, response)
    parsed: ParsedFeed | None = None
    entries: tuple[Entry, ...] = ()
    if after.body_hash != state.body_hash:
        parsed = parse(response.body, response.url, response.header("content-type"))
        entries = entries_of(feed, parsed, now)
        after = _informed(after, parsed, entries, now)
    moving_to, days = health.moving(feed, state, response)
    has_moved = days >= health.MOVED_DAYS
    after = replace(after, last_poll_at=now, last_success_at=now, failures=0, reason=None)
    after = replace(
        after,
        health=Health.MOVED if has_moved else health.health_of(after, now),
        moving_to=None if has_moved else moving_to,
        moving_days=0 if has_moved else days,
        rhythm=_heard(state, entries, now),
    )
    return Polled(
        state=schedule.after_answer(feed, after, response, policy),
        entries=entries,
        not_modified=parsed is None,
        title=parsed.title if parsed else None,
        moved_to=moving_to if has_moved else None,
        gap=overlap.gap_before(state, entries, now),
        hub=push.hub_of(feed, response, parsed.links if parsed else ()),
    )


def read_delivery(feed: Feed, body: bytes, content_type: str | None, now: datetime) -> tuple[Entry, ...]:
    """The entries of what a hub pushed, newest first: the whole feed, or what is new in it.

    Raises:
        ParseError: a body that is no feed.
    """
    return entries_of(feed, parse(body, feed.url, content_type), now)


def entries_of(feed: Feed, parsed: ParsedFeed, now: datetime) -> tuple[Entry, ...]:
    """A document's entries, newest first, in the feed's language where they name none."""
    return tuple(replace(entry, lang=entry.lang or feed.lang) for entry in _newest_first(parsed.entries, now))


def is_long(state: FeedState, response: Response) -> bool:
    """Whether `read` takes a while: the answer holds a body, and another one than the last."""
    return response.status == _OK and body_hash(response.body) != state.body_hash


def body_hash(body: bytes) -> str:
    """By which the same body is known."""
    return hashlib.sha256(body).hexdigest()


def failed(feed: Feed, state: FeedState, error: StageError, now: datetime, policy: PollPolicy) -> FeedState:
    """Remember a failure: the feed is asked later and later, depending on its kind, but never given up, except on 410.

    The validators stay those of the last body that was parsed. That a host rests is no failure of its feeds.
    """
    asked = replace(state, last_poll_at=now)
    if is_resting(error):
        return schedule.after_rest(feed, replace(asked, health=Health.RESTING), error.retry_at or now)
    after = replace(asked, failures=state.failures + 1, reason=error.reason, gone=error.reason == _GONE)
    after = replace(after, health=health.health_of(after, now))
    if after.gone:
        return replace(after, next_poll_at=None, next_poll_reason="http-410: gone for good")
    return schedule.after_failure(feed, after, error, now, policy)


def is_resting(error: StageError) -> bool:
    """Whether nobody was asked, because the host rests."""
    return error.reason == _HOST_RESTS


def _needs_recheck(state: FeedState) -> bool:
    if state.last_success_at is None:
        return False
    return state.whole_at is None or state.last_success_at - state.whole_at >= RECHECK_AFTER


def _revalidated(feed: Feed, state: FeedState, response: Response) -> FeedState:
    """The validators after an answer, and the hash of the body that it stands for."""
    etag, last_modified = response.header("etag"), response.header("last-modified")
    if response.status == 304 and (state.etag or state.last_modified):
        return replace(state, etag=etag or state.etag, last_modified=last_modified or state.last_modified)
    if response.status == _OK:
        known = body_hash(response.body)
        return replace(state, etag=etag, last_modified=last_modified, body_hash=known, whole_at=response.received_at)
    reason, temporary = f"http-{response.status}", is_temporary(response.status)
    raise PollError(feed.url, reason, retryable=temporary, retry_at=named_retry(response))


def _informed(state: FeedState, parsed: ParsedFeed, entries: tuple[Entry, ...], now: datetime) -> FeedState:
    """What a body says holds until the next body."""
    marks = overlap.marks_of(entries)
    heard = health.last_heard(state, entries, now, is_news=not marks <= state.seen)
    return replace(
        heard, ttl=parsed.ttl, skip_hours=parsed.skip_hours, skip_days=parsed.skip_days, seen=marks or state.seen
    )


def _heard(state: FeedState, entries: tuple[Entry, ...], now: datetime) -> Rhythm:
    """What a poll adds to the rhythm; without an entry, that there was nothing new."""
    dates = [entry.published_at for entry in entries if entry.published_at]
    return rhythm.learned(state.rhythm, now, dates, overlap.known_share(state, entries), len(entries))


def _newest_first(entries: tuple[Entry, ...], now: datetime) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda e: min(e.dated_at or now, now), reverse=True))
