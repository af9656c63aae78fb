"""The flow's first half: Feed -> entries; asks the feeds that are due, and commits what they brought."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from pipeline import pushing, urls
from pipeline.engine import Engine
from pipeline.errors import StageError, StoreError
from pipeline.model import Feed, FeedState, Response
from pipeline.stages import choose, network, poll, rhythm, schedule
from pipeline.stages.network import Silence
from pipeline.stages.schedule import PollPolicy
from pipeline.store import Forced, PollEnding

REPRICE_EVERY = timedelta(hours=1)
LONGEST_STRETCH = timedelta(hours=3)  # a longer one had nobody polling, and says nothing of the price
LOOK_EVERY = timedelta(minutes=1)  # another process may have changed the price
log = structlog.get_logger()


class PollDuty:
    """Feed -> entries: ask the feeds that are due."""

    name = "poll"

    def __init__(self, engine: Engine, run_id: int, forced: Forced | None = None) -> None:
        self._engine, self._run_id, self._forced = engine, run_id, forced
        self._policy, self._priced_at = engine.policy, engine.clock.now() - LOOK_EVERY
        self.counts: Counter[str] = Counter()

    async def claim(self, limit: int, busy: Collection[str]) -> Sequence[tuple[Feed, FeedState]]:
        """Take feeds that are due."""
        e = self._engine
        await e.store.hosts.release_late()
        allowed = e.store.outages.allowance(limit, e.clock.now())
        if not allowed:
            return ()
        if e.clock.now() - self._priced_at >= LOOK_EVERY:
            self._priced_at = e.clock.now()
            self._policy = await self._priced(self._priced_at)
        return await e.store.feeds.claim(self._run_id, e.clock.now(), allowed, busy, self._forced)

    async def _priced(self, now: datetime) -> PollPolicy:
        """The policy at the price of now, which follows what was spent of one request a feed and interval."""
        e = self._engine
        budget = await e.store.budget.read(now, e.policy.price)
        elapsed = now - budget.since
        if elapsed < REPRICE_EVERY:
            return replace(e.policy, price=budget.price)
        allowed = await e.store.budget.feeds() * (elapsed / e.policy.interval)
        is_known = elapsed <= LONGEST_STRETCH
        price = rhythm.price_after(budget.price, budget.made, allowed, elapsed) if is_known else budget.price
        await e.store.budget.change(budget, price, now)
        return replace(e.policy, price=price)

    async def next_claim_at(self) -> datetime | None:
        """When a due feed's host is free; None as long as we have no network."""
        e = self._engine
        return None if e.store.outages.is_down else await e.store.feeds.next_claim_at(e.clock.now(), self._forced)

    def host(self, piece: tuple[Feed, FeedState]) -> str:
        """The feed's host."""
        return urls.host_key(piece[0].url)

    async def do(self, piece: tuple[Feed, FeedState]) -> None:
        """Poll one feed and commit its state and its new entries together."""
        e, (feed, state) = self._engine, piece
        self.counts["polled"] += 1
        begun_at = e.clock.now()
        try:
            with e.store.outages.asking(begun_at):
                response = await e.web.send(poll.request_for(feed, state))
            await e.store.outages.answered(e.clock.now())
            polled = await self._read(feed, state, response)
        except StageError as error:
            await self._failed(feed, state, error, begun_at)
            return
        polled, pushed = await pushing.heard(e, feed, polled)
        now, entries, gap = e.clock.now(), polled.entries, polled.gap
        unwanted = frozenset(entry.id for entry in entries if not choose.wanted(feed, entry))
        ending = PollEnding(feed, self._run_id, polled.state, now, entries, unwanted, gap, polled.moved_to)
        new = await e.store.feeds.finish(replace(ending, is_pushed=pushed is not None))
        if pushed:
            await e.store.subscriptions.polled(pushed, now, missed=new > 0)
        self.counts["not_modified"] += polled.not_modified
        self.counts["new"] += new
        log.info("polled", feed=feed.url, entries=len(entries), new=new, not_modified=polled.not_modified)
        if gap:
            log.warning("entries were missed", feed=feed.url, since=gap.since, until=gap.until)

    async def _read(self, feed: Feed, state: FeedState, response: Response) -> poll.Polled:
        """What a response brought; only a new body is worth a process of its own."""
        if poll.is_long(state, response):
            return await self._engine.compute(poll.read, feed, state, response, self._policy)
        return poll.read(feed, state, response, self._policy)

    async def _failed(self, feed: Feed, state: FeedState, error: StageError, begun_at: datetime) -> None:
        """Record a failure, unless it was our own network's: then the feed is as well as it was before."""
        e, now = self._engine, self._engine.clock.now()
        outages = e.store.outages
        self.counts["failed"] += 1
        uncounted = schedule.after_outage(feed, state, now, e.policy)
        undo = None if state.failures else (feed.id, uncounted)
        await outages.failed(error, Silence(urls.site(feed.url), network.weight_of(state), begun_at, undo), now)
        is_counted = not outages.is_ours(error)
        after = poll.failed(feed, state, error, now, e.policy) if is_counted else uncounted
        log.warning("poll failed", feed=feed.url, reason=error.reason, next_at=after.next_poll_at)
        ending = PollEnding(feed, self._run_id, after, now, is_counted=is_counted, was_asked=network.was_asked(error))
        await e.store.feeds.finish(replace(ending, failure=None if poll.is_resting(error) else error.reason))
        if undo and is_counted and outages.is_ours(error):  # which turned out meanwhile
            await outages.undo(now, [undo])

    async def give_back(self, piece: tuple[Feed, FeedState], error: Exception) -> None:
        """Free the feed; it is asked again later, as after any failure."""
        feed, state = piece
        now = self._engine.clock.now()
        if isinstance(error, StoreError):  # not the feed's fault
            await self._engine.store.feeds.finish(PollEnding(feed, self._run_id, state, now))
            return
        unknown = StageError(feed.url, "internal-error", detail=repr(error), retryable=True)
        failed = poll.failed(feed, state, unknown, now, self._engine.policy)
        await self._engine.store.feeds.finish(PollEnding(feed, self._run_id, failed, now, failure=unknown.reason))
