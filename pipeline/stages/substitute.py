"""FeedTrust, Entry -> whether the entry's own text serves instead of its page; and what one check says of the feed.

A feed is trusted when its entries were, on so many pages in a row, what the pages say: the same address, title and day,
and nearly the same text. Then its entries are the articles, and one in a while is still compared with its page. A feed
that differed once is believed no more until a later check, as rare, finds it right again, and then from the beginning.
"""

from collections.abc import Set
from dataclasses import replace
from datetime import datetime

from pipeline.errors import ExtractError
from pipeline.model import Article, DateOrigin, Entry, FeedTrust
from pipeline.stages.extract import FEED_CONTENT, OF_FEEDS, from_entry

ENOUGH = 5  # pages in a row that agree
EVERY = 20  # entries; one of them is checked once the feed is known
LEAST_ALIKE = 0.9  # of the runs of words of each text in the other
SHORTEST = 500  # characters of a text; a shorter one may be an excerpt
RUN = 3  # words


def is_checked(trust: FeedTrust, entry: Entry) -> bool:
    """Whether this entry is compared with its page."""
    is_known = trust.agreed >= ENOUGH or trust.is_doubted
    return bool(entry.content) and (not is_known or trust.unchecked + 1 >= EVERY)


def serves(trust: FeedTrust, entry: Entry) -> bool:
    """Whether the entry's own text may be the article."""
    return trust.agreed >= ENOUGH and len(entry.content or "") >= SHORTEST and not is_checked(trust, entry)


def whole(entry: Entry, at: datetime) -> Article | None:
    """The article that an entry carries whole; None where it carries less."""
    try:
        article = from_entry(entry, at)
    except ExtractError:
        return None
    is_whole = article.extractor == FEED_CONTENT and len(article.text) >= SHORTEST and not article.is_teaser
    return article if is_whole and article.published_from is DateOrigin.FEED else None


def agrees(page: Article, entry: Entry, at: datetime) -> bool | None:
    """Whether an entry says what its page says, so that either leads to the same article.

    Returns:
        None when nothing can be compared: the page shows only a beginning, or the article was not read from it.
    """
    if page.is_teaser or page.extractor in OF_FEEDS:
        return None
    told = whole(entry, at)
    if told is None:
        return False
    is_same = (told.canonical_url, told.title, told.published_at.date()) == (
        page.canonical_url,
        page.title,
        page.published_at.date(),
    )
    return is_same and _alike(_runs(told.text), _runs(page.text)) >= LEAST_ALIKE


def after(trust: FeedTrust, entry: Entry, has_agreed: bool | None) -> FeedTrust:
    """What is thought of a feed after an entry; None: it was not checked."""
    if not entry.content:
        return trust
    if has_agreed is None:
        return replace(trust, unchecked=trust.unchecked + 1)
    return FeedTrust(min(trust.agreed + 1, ENOUGH)) if has_agreed else FeedTrust(is_doubted=True)


def _alike(ours: Set[tuple[str, ...]], theirs: Set[tuple[str, ...]]) -> float:
    """The share of the runs of each text that the other has, the smaller of the two."""
    return len(ours & theirs) / max(len(ours), len(theirs), 1)


def _runs(text: str) -> Set[tuple[str, ...]]:
    words = text.casefold().split()
    return {tuple(words[at : at + RUN]) for at in range(len(words))}
