"""The flow's first half: Feed -> entries; asks the feeds that are due, and commits what they brought."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from pipeline import urls
from pipeline.errors import StageError, StoreError
from pipeline.ingest import Engine
from pipeline.model import Feed, FeedState, Response
from pipeline.stages import poll, rhythm, schedule
from pipeline.stages.schedule import PollPolicy
from pipeline.store import Forced, Polled

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
        allowed = e.network.allowance(limit)
        if not allowed:
            return ()
        if e.clock.now() - self._priced_at >= LOOK_EVERY:
            self._priced_at = e.clock.now()
            self._policy = await self._priced(self._priced_at)
        pieces = await e.store.feeds.claim(self._run_id, e.clock.now(), allowed, busy, self._forced)
        if pieces:
            e.network.started()
        return pieces

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
        return None if e.network.is_down else await e.store.feeds.next_claim_at(e.clock.now(), self._forced)

    def host(self, piece: tuple[Feed, FeedState]) -> str:
        """The feed's host."""
        return urls.host_key(piece[0].url)

    async def do(self, piece: tuple[Feed, FeedState]) -> None:
        """Poll one feed and commit its state and its new entries together."""
        e, (feed, state) = self._engine, piece
        self.counts["polled"] += 1
        try:
            response = await e.web.send(poll.request_for(feed, state))
            await e.network.answered(self.host(piece))
            polled = await self._read(feed, state, response)
        except StageError as error:
            await self._failed(feed, state, error)
            return
        entries = polled.entries
        unwanted = frozenset(entry.id for entry in entries if not poll.wanted(feed, entry))
        done = Polled(feed, self._run_id, polled.state, e.clock.now(), entries, unwanted, polled.gap, polled.moved_to)
        new = await e.store.feeds.finish(done)
        self.counts["not_modified"] += polled.not_modified
        self.counts["new"] += new
        log.info("polled", feed=feed.url, entries=len(entries), new=new, not_modified=polled.not_modified)
        if polled.gap:
            log.warning("entries were missed", feed=feed.url, since=polled.gap.since, until=polled.gap.until)

    async def _read(self, feed: Feed, state: FeedState, response: Response) -> poll.Polled:
        """What a response brought; only a new body is worth a process of its own."""
        if poll.is_long(state, response):
            return await self._engine.compute(poll.read, feed, state, response, self._policy)
        return poll.read(feed, state, response, self._policy)

    async def _failed(self, feed: Feed, state: FeedState, error: StageError) -> None:
        """Record a failure, unless it was our own network's: then the feed is as well as it was before."""
        e, now = self._engine, self._engine.clock.now()
        self.counts["failed"] += 1
        uncounted = schedule.after_outage(feed, state, now, e.policy)
        undo = None if state.failures else (feed.id, uncounted)
        await e.network.failed(urls.host_key(feed.url), error, undo)
        after = uncounted if e.network.is_ours(error) else poll.failed(feed, state, error, now, e.policy)
        log.warning("poll failed", feed=feed.url, reason=error.reason, next_at=after.next_poll_at)
        await e.store.feeds.finish(Polled(feed, self._run_id, after, now))
        if undo and after is not uncounted and e.network.is_ours(error):  # which turned out meanwhile
            await e.store.outages.undo(now, [undo])

    async def give_back(self, piece: tuple[Feed, FeedState], error: Exception) -> None:
        """Free the feed; it is asked again later, as after any failure."""
        feed, state = piece
        now = self._engine.clock.now()
        if isinstance(error, StoreError):  # not the feed's fault
            await self._engine.store.feeds.finish(Polled(feed, self._run_id, state, now))
            return
        unknown = StageError(feed.url, "internal-error", detail=repr(error), retryable=True)
        failed = poll.failed(feed, state, unknown, now, self._engine.policy)
        await self._engine.store.feeds.finish(Polled(feed, self._run_id, failed, now))
