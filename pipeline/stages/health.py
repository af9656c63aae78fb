"""FeedState -> Health: how a feed does, and whether it moves."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline import urls
from pipeline.model import Entry, Feed, FeedState, Health, Response

QUIET_FACTOR = 5  # times its usual gap without a new entry
QUIET_LEAST = timedelta(days=3)  # weekends are no silence
MOVED_DAYS = 3  # on which permanent redirects lead to the same URL

_FEWEST_DATES = 3  # that say how often entries come
_RESTING = frozenset({"http-429", "http-503", "host-resting"})
_PERMANENT_REDIRECTS = frozenset({301, 308})


def health_of(state: FeedState, now: datetime) -> Health:
    """How a feed does after its last poll."""
    if state.gone:
        return Health.GONE
    if state.failures:
        return Health.RESTING if state.reason in _RESTING else Health.FAILING
    if state.last_success_at is None:
        return Health.NEW
    return Health.QUIET if _is_quiet(state, now) else Health.ACTIVE


def _is_quiet(state: FeedState, now: datetime) -> bool:
    if state.newest_at is None or state.usual_gap is None:
        return False
    return now - state.newest_at > max(QUIET_FACTOR * state.usual_gap, QUIET_LEAST)


def last_heard(state: FeedState, entries: Iterable[Entry], now: datetime, *, is_news: bool) -> FeedState:
    """When the newest entry came, and how long it usually takes to the next: what silence is measured by."""
    dates = {moment for e in entries if (moment := e.dated_at) and moment <= now}
    newest_at = max(dates) if dates else now if is_news else state.newest_at
    if len(dates) < _FEWEST_DATES:
        return replace(state, newest_at=newest_at)
    return replace(state, newest_at=newest_at, usual_gap=(max(dates) - min(dates)) / (len(dates) - 1))


def moving(feed: Feed, before: FeedState, response: Response) -> tuple[str | None, int]:
    """Where permanent redirects, and only such, lead, and on how many days they did.

    A feed with headers of its own stays with its host: they may be secrets.
    """
    statuses = {status for _, status in response.hops}
    is_for_good = bool(statuses) and statuses <= _PERMANENT_REDIRECTS
    if not is_for_good or (feed.headers and urls.host_key(feed.url) != urls.host_key(response.url)):
        return None, 0
    if before.moving_to != response.url:
        return response.url, 1
    is_new_day = before.last_success_at is None or before.last_success_at.date() < response.received_at.date()
    return response.url, before.moving_days + is_new_day
