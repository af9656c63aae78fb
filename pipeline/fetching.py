"""Entry -> Page -> Article: its page with further ones, another version, a web archive's copy, or the feed's text."""

from contextlib import suppress

from pipeline import backoff, urls
from pipeline.engine import Engine
from pipeline.errors import ExtractError, StageError
from pipeline.model import Article, Page, Request, Response
from pipeline.stages import fetch, follow
from pipeline.stages.extract import OF_FEEDS, begin, extract, extract_copy, from_entry, further, joined
from pipeline.stages.network import Silence, Weight
from pipeline.store import KeptAt, Work


class Fetching:
    """Gets the articles behind entries; `kept` says, by URL, where the pages of those under way lie."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.kept: dict[int, KeptAt | None] = {}

    async def article(self, work: Work) -> Article:
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
        begun = await self._engine.compute(begin, page, work.lead.entry)
        article, other = begun.article, begun.other_url
        if isinstance(article, ExtractError):
            if other is None or article.reason not in follow.NOTHING_SHOWN:
                raise article
            return await self._other(work, other, "")
        if article.is_teaser and other is not None:
            with suppress(StageError):
                return await self._other(work, other, article.text)
        return article if article.extractor in OF_FEEDS else await self._joined(work, page.url, article, begun.next_url)

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

    async def _joined(self, work: Work, first: str, article: Article, url: str | None) -> Article:
        """An article with its further pages, from `url` on; one that is not to be had ends it, and is said so."""
        texts: list[str] = []
        is_cut = False
        while url is not None:
            try:
                if len(texts) + 1 == follow.MOST_PAGES:
                    raise ExtractError(url, "too-many-pages")
                response = await self._engine.web.send(follow.request_to(url))
                page = fetch.read(work.lead.entry, response)
                read = await self._engine.compute(further, page, first, len(texts) + 2)
            except StageError as error:
                if error.retryable and not backoff.gave_up(work.lead.attempts + 1):
                    raise
                is_cut = True
                break
            texts.append(read.text)
            url = read.next_url
        return await self._engine.compute(joined, article, texts, is_cut) if texts or is_cut else article

    async def _page(self, work: Work, response: Response, *, is_copy: bool = False) -> Page:
        """The page that an answer is; kept, if pages are."""
        pages, entry = self._engine.pages, work.lead.entry
        if pages is not None and response.status == 200:
            self.kept[work.url_id] = await pages.keep(response, entry, is_copy=is_copy)
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
