"""The flow's second half: Entry -> Page -> Article -> Verdict -> store.

Daemon, `poll` and `backfill` run this duty and that of `polling.py`; they differ only in what they claim.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog

from pipeline import backoff, urls
from pipeline.engine import Engine
from pipeline.errors import StageError, StoreError
from pipeline.fetching import Fetching
from pipeline.model import Article, DateOrigin, FeedTrust, Label, Outcome
from pipeline.stages import remember, substitute
from pipeline.store import Ending, Work, pageless

log = structlog.get_logger()


class IngestDuty:
    """Entry -> Page -> Article -> Verdict -> store: do the entries that are due."""

    name = "ingest"

    def __init__(self, engine: Engine, run_id: int, origin: Any = None) -> None:
        self._engine, self._run_id, self._origin = engine, run_id, origin
        self._fetching = Fetching(engine)
        self.counts: Counter[str] = Counter()

    async def claim(self, limit: int, busy: Collection[str]) -> Sequence[Work]:
        """Take entries that are due."""
        e = self._engine
        await e.store.hosts.release_late()
        now = e.clock.now()
        allowed = e.store.outages.allowance(limit, now)
        if not allowed:  # what needs no page goes on
            return await e.store.work.claim(self._run_id, now, limit, busy, pageless(self._origin))
        return await e.store.work.claim(self._run_id, now, allowed, busy, self._origin)

    async def next_claim_at(self) -> datetime | None:
        """When a due entry's host is free; None as long as we have no network."""
        if self._engine.store.outages.is_down:
            return None
        return await self._engine.store.work.next_claim_at(self._engine.clock.now(), self._origin)

    def host(self, piece: Work) -> str:
        """The host of the page."""
        return piece.host

    async def do(self, piece: Work) -> None:
        """Bring one URL to its end, and record it."""
        ended = await self._ending(piece)
        ending = await self._engine.store.endings.put(replace(ended, kept=self._fetching.kept.pop(piece.url_id, None)))
        outcome = ending.outcome.value if ending.outcome else "waiting"
        self.counts[outcome] += 1
        others = "duplicate" if ending.outcome is Outcome.STORED else outcome  # of the entries that share the URL
        self.counts[others] += len(piece.claimed) - 1
        if ending.outcome is Outcome.STORED:
            self.counts["defense"] += ending.label is Label.DEFENSE
        say = log.warning if ending.outcome in (None, Outcome.DROPPED) else log.info
        say(outcome, url=piece.lead.entry.url, label=ending.label, reason=ending.reason, until=ending.due_at)

    async def _ending(self, work: Work) -> Ending:
        e = self._engine
        if work.article_id is not None and not work.is_revision:
            return Ending(work, e.clock.now(), Outcome.DUPLICATE, article_id=work.article_id)
        try:
            article, trust = await self._obtained(work)
        except StageError as error:
            return self._failed(work, error)
        now, article = e.clock.now(), dated(article, work.lead.seen_at)
        if not _is_within(article.published_at, work):
            return Ending(work, now, Outcome.DROPPED, article=article, reason="out-of-range")
        blocks = remember.blocks_of(article) if e.has_site_memory else ()
        if blocks:
            article = remember.without_furniture(article, await e.store.memories.of(urls.site(article.canonical_url)))
        first, second = e.classifier.classify(article), None
        if first.needs_review and e.second_reader:
            second = await e.second_reader.read(article, first)
        stored = Ending(work, e.clock.now(), Outcome.STORED, article=article, verdict=first, second=second)
        return replace(stored, blocks=blocks, trust=trust)

    async def _obtained(self, work: Work) -> tuple[Article, FeedTrust | None]:
        """The article behind a URL, and what its feed is trusted with from now on, where it is asked to be trusted."""
        e, lead = self._engine, work.lead
        if lead.trust is None or not work.host or not e.trusts_feeds:
            return await self._fetching.article(work), None
        if substitute.serves(lead.trust, lead.entry):
            told = await e.compute(substitute.whole, lead.entry, lead.seen_at)
            if told is not None:
                return told, substitute.after(lead.trust, lead.entry, None)
        article, has_agreed = await self._fetching.article(work), None
        if substitute.is_checked(lead.trust, lead.entry):
            has_agreed = await e.compute(substitute.agrees, article, lead.entry, lead.seen_at)
        return article, substitute.after(lead.trust, lead.entry, has_agreed)

    def _failed(self, work: Work, error: StageError) -> Ending:
        e, now, attempts = self._engine, self._engine.clock.now(), work.lead.attempts + 1
        detail = error.detail or None
        if e.store.outages.is_ours(error):
            return Ending(work, now, None, reason=error.reason, due_at=now + e.policy.min_interval, is_counted=False)
        if not error.retryable:
            return Ending(work, now, Outcome.DROPPED, reason=error.reason, detail=detail)
        if backoff.gave_up(attempts):
            return Ending(work, now, Outcome.DROPPED, reason=f"gave-up-{error.reason}", detail=detail)
        due_at = max(backoff.retry_at(attempts, now, work.lead.entry.url or ""), error.retry_at or now)
        return Ending(work, now, None, reason=error.reason, detail=detail, due_at=due_at)

    async def give_back(self, piece: Work, error: Exception) -> None:
        """Free the entry; it is tried again later, as after any failure."""
        if isinstance(error, StoreError):  # not the page's fault
            now = self._engine.clock.now()
            await self._engine.store.endings.put(Ending(piece, now, None, due_at=now, is_counted=False))
            return
        unknown = StageError(piece.lead.entry.url or "", "internal-error", detail=repr(error), retryable=True)
        await self._engine.store.endings.put(self._failed(piece, unknown))


def dated(article: Article, seen_at: datetime) -> Article:
    """An article without a date is of the moment when we first saw it, not of that when it was read."""
    return replace(article, published_at=seen_at) if article.published_from is DateOrigin.FIRST_SEEN else article


def _is_within(moment: datetime, work: Work) -> bool:
    return (work.since is None or moment >= work.since) and (work.until is None or moment < work.until)
