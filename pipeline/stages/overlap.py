"""Entries of two polls -> what both held: how much was known, and whether something was missed in between."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from pipeline.model import Entry, FeedState, Gap
from pipeline.urls import canonical_url

MOST_MARKS = 1000  # that are remembered of a feed, the newest


def marks_of(newest_first: Sequence[Entry]) -> frozenset[str]:
    """What entries are recognised by, 10 hex digits each: the link, where it is an entry's own, else the id.

    Ids that a feed makes up anew at every request are no sign of new entries.
    """
    links = [canonical_url(entry.url) if entry.url else None for entry in newest_first[:MOST_MARKS]]
    uses = Counter(links)
    return frozenset(
        _mark(link if link and uses[link] == 1 else entry.id)
        for entry, link in zip(newest_first, links, strict=False)  # without those beyond the most
    )


def known_share(state: FeedState, newest_first: Sequence[Entry]) -> float:
    """Which part of the entries the poll before held too; 0 of none."""
    marks = marks_of(newest_first)
    return len(marks & state.seen) / max(len(marks), 1)


def gap_before(state: FeedState, newest_first: Sequence[Entry], now: datetime) -> Gap | None:
    """The time of which entries were missed, when a poll brought none of those that the one before held.

    It begins with the newest entry of then, and ends with the oldest of now; without dates with the polls.
    """
    if not state.seen or not newest_first or state.seen & marks_of(newest_first):
        return None
    dated = [entry.published_at for entry in newest_first if entry.published_at and entry.published_at <= now]
    since, until = state.newest_at, min(dated, default=now)
    if since is None or since >= until:
        since, until = state.last_success_at or now, now
    return Gap(since, until)


def _mark(key: str) -> str:
    return hashlib.blake2b(key.encode(errors="replace"), digest_size=5).hexdigest()
