"""The flow's second half: Entry -> Page -> Article -> Verdict -> store; and what both halves work with.

Daemon, `poll` and `backfill` run this duty and that of `polling.py`; they differ only in what they claim.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from pipeline import backoff, urls
from pipeline.clock import Clock
from pipeline.compute import Compute
from pipeline.errors import ExtractError, StageError, StoreError
from pipeline.model import Article, DateOrigin, FeedTrust, Label, Outcome, Page, Request, Response
from pipeline.stages import fetch, follow, remember, substitute
from pipeline.stages.classify import Classifier
from pipeline.stages.extract import OF_FEEDS, extract, extract_copy, from_entry, joined
from pipeline.stages.network import Silence, Weight
from pipeline.stages.schedule import PollPolicy
from pipeline.store import Ending, KeptAt, PageFiles, Store, Work, pageless
from pipeline.web import SecondReader, Web

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Engine:
    """What the flow works with."""

    store: Store
    web: Web
    compute: Compute
    classifier: Classifier
    clock: Clock
    policy: PollPolicy
    second_reader: SecondReader | None = None
    pages: PageFiles | None = None  # None: pages are not kept
    has_site_memory: bool = False
    trusts_feeds: bool = False
    callback: str | None = None  # what the addresses begin with at which hubs reach us; None: they cannot


class IngestDuty:
    """Entry -> Page -> Article -> Verdict -> store: do the entries that are due."""

    name = "ingest"

    def __init__(self, engine: Engine, run_id: int, origin: Any = None) -> None:
        self._engine, self._run_id, self._origin = engine, run_id, origin
        self._kept: dict[int, KeptAt | None] = {}  # by URL: the pages of what is under way
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
        ending = await self._engine.store.endings.put(replace(ended, kept=self._kept.pop(piece.url_id, None)))
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
            return await self._article(work), None
        if substitute.serves(lead.trust, lead.entry):
            told = await e.compute(substitute.whole, lead.entry, lead.seen_at)
            if told is not None:
                return told, substitute.after(lead.trust, lead.entry, None)
        article, has_agreed = await self._article(work), None
        if substitute.is_checked(lead.trust, lead.entry):
            has_agreed = await e.compute(substitute.agrees, article, lead.entry, lead.seen_at)
        return article, substitute.after(lead.trust, lead.entry, has_agreed)

    async def _article(self, work: Work) -> Article:
        """The article behind a URL: from what an archive holds, from its page, or from what the feed itself holds."""
        e, lead = self._engine, work.lead
        if isinstance(lead.entry.held, Article):
            return lead.entry.held
        if lead.entry.held is not None:
            return await e.compute(extract, lead.entry.held, lead.entry)
        if not work.host:
            return await e.compute(from_entry, lead.entry, lead.seen_at)
        begun_at = e.clock.now()
        try:
            with e.store.outages.asking(begun_at):
                response = await e.web.send(fetch.request_for(lead.entry))
            await e.store.outages.answered(e.clock.now())
            page = await self._page(work, response)
            return await self._read(work, page)
        except StageError as error:
            weight = Weight.EXPECTED if lead.attempts else Weight.UNKNOWN
            silence = Silence(urls.site(lead.entry.url or ""), weight, begun_at)
            await e.store.outages.failed(error, silence, e.clock.now())
            if e.store.outages.is_ours(error) or (error.retryable and not backoff.gave_up(lead.attempts + 1)):
                raise
            if (request := fetch.request_for_copy(lead.entry, error)) is not None:
                return await self._from_copy(work, request)
            return await self._from_feed(work, error)

    async def _read(self, work: Work, page: Page) -> Article:
        """The article of a page with its further pages; of another version, where the page shows only its beginning."""
        compute, entry, other = self._engine.compute, work.lead.entry, follow.other_version(page)
        try:
            article = await compute(extract, page, entry)
        except ExtractError as error:
            if other is None or error.reason not in follow.NOTHING_SHOWN:
                raise
            return await self._other(work, other, "")
        if article.is_teaser and other is not None:
            with suppress(StageError):
                return await self._other(work, other, article.text)
        return article if article.extractor in OF_FEEDS else await self._joined(work, page, article)

    async def _other(self, work: Work, url: str, known: str) -> Article:
        """The article of another version of a page, which is kept in its place.

        Raises:
            StageError: there is none, or it shows no more than is known.
        """
        response = await self._engine.web.send(follow.request_to(url))
        entry = work.lead.entry
        article = await self._engine.compute(extract, fetch.read(entry, response), entry)
        if len(article.text) <= len(known):
            raise ExtractError(url, "too-short", detail="no more than its page")
        await self._page(work, response)
        return article

    async def _joined(self, work: Work, page: Page, article: Article) -> Article:
        """An article with its further pages; one that is not to be had ends it, and is said so."""
        further: list[Page] = []
        is_cut = False
        while url := follow.next_page(page.url, further[-1] if further else page, len(further) + 1):
            try:
                if len(further) + 1 == follow.MOST_PAGES:
                    raise ExtractError(url, "too-many-pages")
                response = await self._engine.web.send(follow.request_to(url))
                further.append(fetch.read(work.lead.entry, response))
            except StageError as error:
                if error.retryable and not backoff.gave_up(work.lead.attempts + 1):
                    raise
                is_cut = True
                break
        return await self._engine.compute(joined, article, tuple(further), is_cut) if further or is_cut else article

    async def _page(self, work: Work, response: Response, *, is_copy: bool = False) -> Page:
        """The page that an answer is; kept, if pages are."""
        pages, entry = self._engine.pages, work.lead.entry
        if pages is not None and response.status == 200:
            self._kept[work.url_id] = await pages.keep(response, entry, is_copy=is_copy)
        return fetch.read(entry, response)

    async def _from_copy(self, work: Work, request: Request) -> Article:
        """What a web archive keeps of the page."""
        e, entry = self._engine, work.lead.entry
        try:
            page = await self._page(work, await e.web.send(request), is_copy=True)
            return await e.compute(extract_copy, page, entry)
        except StageError as error:
            if error.retryable and not backoff.gave_up(work.lead.attempts + 1):
                raise
            return await self._from_feed(work, error)

    async def _from_feed(self, work: Work, error: StageError) -> Article:
        """The page is not to be had: the feed's own text serves, if it is one."""
        for claimed in work.claimed:
            try:
                return await self._engine.compute(from_entry, claimed.entry, claimed.seen_at)
            except ExtractError:
                continue
        raise error

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
