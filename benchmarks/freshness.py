"""How soon entries are found after their publication, at the same number of requests: our rhythm beside other rules.

The peers are a fixed interval, miniflux's `entry_frequency` (a week over the entries of a week, from 5 minutes to a
day) and Media Cloud's rss-fetcher (an hour shorter when less than 33 % of a document was known, ten minutes longer
when more than 67 % was). Ours keeps a budget by its own price; then the interval of each peer is scaled by one factor
until it makes as many requests. All learn as they go, and no interval is shorter than ten minutes or longer than a
day.
"""

import argparse
import gzip
import heapq
import json
import math
import os
import platform
import statistics
import sys
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from _timelines import FEEDS, SEEDS, START, WEEKS, Dates, Timeline, made

from pipeline.errors import ParseError
from pipeline.model import Rhythm
from pipeline.stages import rhythm
from pipeline.stages.parse import parse

SHORTEST, LONGEST = timedelta(minutes=10), timedelta(days=1)
MINUTE, HOUR, WEEK = timedelta(minutes=1), timedelta(hours=1), timedelta(weeks=1)
SAME = 0.002  # of the requests may differ
HALF = 0.5  # of the mean delay at a fixed interval: the mark


@dataclass(frozen=True, slots=True)
class Poll:
    """What a poll brings."""

    at: datetime
    published: Sequence[datetime]  # dates in the document, in order; empty when it gives none or did not change
    window: int  # entries in the document; 0 when it did not change
    new: int  # entries in it that were not known


Rule = Callable[[Poll], timedelta]  # of one feed: how long to wait now


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule cost, and what it found."""

    requests: int
    delays: np.ndarray  # hours; an entry that was lost counts until the poll that missed it
    lost: int

    @property
    def mean(self) -> float:
        """Hours from publication to discovery."""
        return float(self.delays.mean())

    @property
    def p95(self) -> float:
        """Hours within which 95 of 100 entries were found."""
        return float(np.percentile(self.delays, 95))


class Watched:
    """A feed as polls see it."""

    def __init__(self, timeline: Timeline, rule: Rule) -> None:
        self.timeline, self.rule = timeline, rule
        self.polls: list[datetime] = []
        self.known = self.lost = 0
        self.dates = timeline.published
        if timeline.dates is Dates.DAY:
            self.dates = tuple(at.replace(hour=0, minute=0, second=0, microsecond=0) for at in timeline.published)

    def poll(self, at: datetime) -> datetime:
        """Poll now; when next."""
        there = bisect_right(self.timeline.published, at, self.known)
        first = max(there - self.timeline.window, 0)
        seen = Poll(at, (), 0, 0)
        if there > self.known or not self.polls:
            seen = Poll(at, self._dates(first, there), there - first, there - max(first, self.known))
        self.lost += max(first - self.known, 0) if self.polls else 0
        self.known = there
        self.polls.append(at)
        return at + min(max(self.rule(seen), SHORTEST), LONGEST)

    def _dates(self, first: int, there: int) -> Sequence[datetime]:
        if self.timeline.dates is Dates.NONE:
            return ()
        if self.timeline.dates is Dates.SHARED:
            return self.dates[there - 1 : there] * (there - first)
        return self.dates[first:there]

    def delays(self) -> Any:
        """Hours from publication to the next poll; to the end, if none came."""
        start, end = self.timeline.start, self.timeline.end
        moments = np.array([at.timestamp() for at in self.timeline.published if at >= start])
        polls = np.array([at.timestamp() for at in (*self.polls, end)])
        return (polls[np.searchsorted(polls, moments)] - moments) / 3600


def polled(timelines: Sequence[Timeline], rule_for: Callable[[], Rule]) -> Outcome:
    """Let a rule poll all feeds to their ends."""
    feeds = [Watched(timeline, rule_for()) for timeline in timelines]
    spread = HOUR / len(feeds)  # between the first polls
    line = [(feed.timeline.start + place * spread, place) for place, feed in enumerate(feeds)]
    heapq.heapify(line)
    while line:
        at, place = line[0]
        if at >= feeds[place].timeline.end:
            heapq.heappop(line)
        else:
            heapq.heapreplace(line, (feeds[place].poll(at), place))
    requests = sum(len(feed.polls) for feed in feeds)
    return Outcome(requests, np.concatenate([feed.delays() for feed in feeds]), sum(feed.lost for feed in feeds))


def fixed(factor: float) -> Rule:
    """Every feed every hour."""
    return lambda _: factor * HOUR


def entry_frequency(factor: float) -> Rule:
    """A week over the entries of the last week, as their mean distance tells."""
    stored: deque[datetime] = deque()

    def wait(poll: Poll) -> timedelta:
        stored.extend(poll.published[len(poll.published) - poll.new :] if poll.published else (poll.at,) * poll.new)
        while stored and stored[0] < poll.at - WEEK:
            stored.popleft()
        if len(stored) < 2 or stored[-1] == stored[0]:
            return factor * LONGEST
        weekly = -(-WEEK * (len(stored) - 1) // (stored[-1] - stored[0]))
        return factor * min(max(WEEK / weekly, 5 * MINUTE), LONGEST)

    return wait


def share_of_known(factor: float) -> Rule:
    """Shorter when few entries of a document were known, longer when most were."""
    minutes, first = 360, True

    def wait(poll: Poll) -> timedelta:
        nonlocal minutes, first
        known = 1 - poll.new / poll.window if poll.window else 1
        if not first and known >= 0.67:
            minutes = min(minutes + 10, 1440)
        elif not first and known < 0.33:
            minutes = 360 if minutes > 360 else max(minutes - 60, 10)
        first = False
        return factor * minutes * MINUTE

    return wait


def scaled(timelines: Sequence[Timeline], rule: Callable[[float], Rule], requests: int) -> Outcome:
    """The rule whose intervals were scaled until it made so many requests."""
    low, high, factor = 1 / 64, 64.0, 1.0
    while True:
        outcome = polled(timelines, partial(rule, factor))
        excess = outcome.requests / requests
        if abs(excess - 1) <= SAME or high / low < 1.001:
            return outcome
        low, high = (factor, high) if excess > 1 else (low, factor)
        guess = factor * excess
        factor = guess if low < guess < high else (low * high) ** 0.5


class Ours:
    """The rhythm of each feed, and one price for all; with a budget, the price follows the requests."""

    def __init__(self, budget: float | None = None) -> None:
        self.budget = budget  # requests a minute
        self.price, self.made, self.since = rhythm.FIRST_PRICE, 0, START

    def rule(self) -> Rule:
        """The rule of one feed."""
        known: Rhythm | None = None

        def wait(poll: Poll) -> timedelta:
            nonlocal known
            self._count(poll.at)
            known_share = 1 - poll.new / poll.window if poll.window else 1.0
            known = rhythm.learned(known, poll.at, poll.published, known_share, poll.window)
            return rhythm.next_at(known, poll.at, self.price)[0] - poll.at

        return wait

    def _count(self, at: datetime) -> None:
        self.made += 1
        if self.budget and at - self.since >= HOUR:
            allowed = self.budget * ((at - self.since) / MINUTE)
            self.price = rhythm.price_after(self.price, self.made, allowed, at - self.since)
            self.made, self.since = 0, at


def replayed(folder: Path) -> list[Timeline]:
    """Real feeds with times of day and at least eight entries in their last four weeks, moved by whole weeks.

    The first quarter of these entries, and all older ones, stand in the document at the start; the window holds all.
    """
    found = []
    for path in sorted(folder.glob("*.gz")):
        try:
            entries = parse(gzip.decompress(path.read_bytes()), "https://feed.example/", None).entries
        except ParseError:
            continue
        dates = sorted(entry.published_at for entry in entries if entry.published_at)
        recent = [at for at in dates if at > dates[-1] - WEEKS * WEEK]
        if len(recent) < 8 or len({at.time() for at in dates}) < len(dates) / 2:
            continue
        first = recent[len(recent) // 4]
        moved = (START - first) // WEEK * WEEK
        published = tuple(at + moved for at in dates)
        found.append(Timeline(published, first + moved, published[-1] + MINUTE, len(dates)))
    return found


def compared(timelines: Sequence[Timeline], ours: Ours) -> dict[str, Outcome]:
    """Ours, and the peers at as many requests."""
    outcome = polled(timelines, ours.rule)
    return {"ours": outcome} | {name: scaled(timelines, rule, outcome.requests) for name, rule in PEERS.items()}


def bound(timelines: Sequence[Timeline]) -> float:
    """How much lower than at a fixed interval the mean delay could be if all rates were known and even.

    A feed with n entries in t hours, polled every d hours, costs t / d requests and n * d / 2 hours: one d for all,
    against the best d for each, which is sqrt(2 * price * t / n).
    """
    start = [bisect_left(it.published, it.start) for it in timelines]
    counts = [len(it.published) - before for it, before in zip(timelines, start, strict=True)]
    hours = [(it.end - it.start) / HOUR for it in timelines]
    roots = sum(math.sqrt(n * t) for n, t in zip(counts, hours, strict=True))
    return sum(hours) * sum(counts) / roots**2


def show(title: str, outcomes: dict[str, Outcome]) -> None:
    """One set of feeds, for people."""
    ours = outcomes["ours"]
    print(f"{title}: {len(ours.delays)} entries, {ours.requests} requests")
    for name, it in outcomes.items():
        times = it.mean / ours.mean
        print(
            f"  {name:<16} mean {it.mean:.3f} h  p95 {it.p95:.2f} h  lost {it.lost:<6} {times:.2f} times ours",
            flush=True,
        )


def figures(runs: Sequence[dict[str, Outcome]], real: dict[str, Outcome] | None) -> dict[str, dict[str, object]]:
    """The figures of the made-up feeds by their worst seed, and the mean delays of the real ones."""
    found = {}
    for peer in PEERS:
        for what in ("mean", "p95", "lost"):
            pairs = [(getattr(run["ours"], what), getattr(run[peer], what)) for run in runs]
            ours, theirs = max(pairs, key=lambda pair: pair[0] / max(pair[1], 1e-9))
            share = HALF if (peer, what) == ("fixed", "mean") else 1.0
            found[f"{what}, beside {peer}, worst seed"] = figure(ours, theirs, share)
        if real:
            found[f"mean, beside {peer}, real feeds"] = figure(real["ours"].mean, real[peer].mean, 1.0)
    return found


def figure(ours: float, peer: float, share: float) -> dict[str, object]:
    """One figure: ours may be at most that share of the peer's."""
    reach = share * peer
    return {"ours": ours, "peer": peer, "ratio": ours / peer if peer else None, "reach": reach, "holds": ours <= reach}


def main() -> int:
    """Measure, print the table and the JSON line; 0 only when every figure holds.

    The bounds shown: how many times lower than at a fixed interval the mean delay could be if all rates were known,
    and if their weeks were known too.
    """
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="two seeds, a fifth of the feeds, one budget")
    quick = options.parse_args().quick
    size, runs = (FEEDS // 5 if quick else FEEDS), []
    for seed in SEEDS[:2] if quick else SEEDS:
        feeds = list(made(seed, size))
        runs.append(compared(feeds, Ours(size / 60)))
        even = bound(feeds)
        uneven = even * (sum(it.rate**0.5 for it in feeds) / sum(it.root for it in feeds)) ** 2
        show(f"seed {seed}, a request an hour and feed, bounds {even:.2f} and {uneven:.2f}", runs[-1])
    if not quick:
        feeds = list(made(SEEDS[0], size))
        show(f"seed {SEEDS[0]}, a request in three hours and feed", compared(feeds, Ours(size / 60 / 3)))
    for peer in PEERS:
        ratios = sorted(run[peer].mean / run["ours"].mean for run in runs)
        print(f"mean delay of {peer}: {statistics.median(ratios):.2f} times ours, {ratios[0]:.2f} to {ratios[-1]:.2f}")
    data, real = os.environ.get("DEFNEWS_DEV_DATA"), None
    if data is None:
        print("DEFNEWS_DEV_DATA is not set: real feeds are not replayed", file=sys.stderr)
    else:
        feeds = replayed(Path(data) / "feeds")
        real = compared(feeds, Ours())
        show(f"{len(feeds)} real feeds, bound {bound(feeds):.2f}", real)
    table = figures(runs, real)
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    print(json.dumps({"benchmark": "freshness", "figures": table, "machine": machine}))
    return 0 if all(it["holds"] for it in table.values()) else 1


PEERS = {"fixed": fixed, "entry_frequency": entry_frequency, "share_of_known": share_of_known}

if __name__ == "__main__":
    sys.exit(main())
