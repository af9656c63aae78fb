"""Page -> Article: text, title, authors, dates, language, site, canonical link; the entry gives what the page lacks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.errors import ExtractError
from pipeline.model import Article, Entry, Page
from pipeline.stages import follow, langtag, language, markup
from pipeline.stages.extract import body, dates, embedded, pdf, plain, prose
from pipeline.stages.extract.metadata import Facts, facts
from pipeline.stages.extract.paywall import is_teaser
from pipeline.stages.extract.prose import Found
from pipeline.stages.fetch import is_pdf, is_plain, utf8
from pipeline.urls import canonical_url

SHORTEST_TEXT = 200  # characters; below this it is a teaser or a paywall
LITTLE_TEXT = 1_000  # characters; a page that shows less is perhaps drawn by its scripts, and shows only its notices
CLEARLY_LONGER = (
    2  # what a feed or a script carries of so many times the page's text: the page shows only the beginning
)

EMBEDDED = "embedded@1"
TRANSCRIPT = "transcript@1"
FEED_CONTENT = "feed-content@1"
FEED_SUMMARY = "feed-summary@1"
OF_FEEDS = (FEED_CONTENT, FEED_SUMMARY)
_PAGES = ", pages 1-"  # behind the extractor's name: which ones it read
_NOTHING = Found("", prose.BLOCKS)


@dataclass(frozen=True, slots=True)
class Beginning:
    """What the first page of an article shows, and where there is more of it."""

    article: Article | ExtractError
    next_url: str | None = None
    other_url: str | None = None  # the page's version for phones or print


@dataclass(frozen=True, slots=True)
class Further:
    """What a further page of an article shows, and where the next one is."""

    text: str
    next_url: str | None


def extract(page: Page, entry: Entry) -> Article:
    """Read the article that a page shows; where it shows none, the one that the entry itself carries.

    Raises:
        ExtractError: `too-large`, `too-deep`, `extractor-failed`, `pdf-...`, `gallery`, `video`,
            `no-text`, `too-short` or `no-title`, when neither the page nor the entry gives an article.
    """
    article = begin(page, entry).article
    if isinstance(article, ExtractError):
        raise article
    return article


def begin(page: Page, entry: Entry) -> Beginning:
    """Read an article as `extract` does, and find what else belongs to it; what is raised there is told here."""
    try:
        told, found, failure = *_read(page, entry), None
    except ExtractError as e:
        told, found, failure = Facts(_own_url(page.url)), _NOTHING, e
    chosen = _choose(found, entry, is_teaser(found.text, told.is_free))
    if failure is not None and len(chosen.text) < SHORTEST_TEXT:
        return Beginning(failure)
    try:
        article: Article | ExtractError = _article(page.url, told, entry, chosen, page.fetched_at)
    except ExtractError as e:
        article = e
    return Beginning(article, told.next_url, told.other_url)


def extract_copy(page: Page, entry: Entry) -> Article:
    """Read what a web archive keeps of a page as if its site had sent it; the article says where it was read.

    Raises:
        ExtractError: as `extract`.
    """
    return replace(extract(replace(page, url=entry.url or page.url), entry), url=page.url)


def further(page: Page, first: str, number: int) -> Further:
    """Read the `number`-th page of the article that begins at `first`.

    Raises:
        ExtractError: it cannot be read.
    """
    tree = markup.parse(utf8(page), page.url)
    text = prose.main_text(tree, page.url, prose.shipped()).text
    return Further(text, follow.next_page(first, tree, page.url, number))


def joined(article: Article, texts: Sequence[str], is_cut: bool) -> Article:
    """An article with the text of its further pages, but for paragraphs that it has; `is_cut`: there are more pages."""
    paragraphs = dict.fromkeys(article.text.split("\n"))
    for text in texts:
        paragraphs.update(dict.fromkeys(body.without_headline(text, article.title).split("\n")))
    whole = "\n".join(filter(None, paragraphs))
    extractor = f"{article.extractor}{_PAGES}{len(texts) + 1}"
    return replace(article, text=whole, extractor=extractor, is_teaser=article.is_teaser or is_cut)


def is_joined(article: Article) -> bool:
    """Whether an article was read from several pages, or should have been."""
    return _PAGES in article.extractor


def from_entry(entry: Entry, at: datetime) -> Article:
    """Read the article that the entry itself carries; `at` is when we first saw it.

    Raises:
        ExtractError: `no-link`, `no-text`, `too-short` or `no-title`.
    """
    url = canonical_url(entry.url) if entry.url else None
    if url is None:
        raise ExtractError(entry.id, "no-link")
    return _article(url, Facts(url), entry, _choose(_NOTHING, entry), at)


def _read(page: Page, entry: Entry) -> tuple[Facts, Found]:
    if is_pdf(page):
        told, text = pdf.read(page)
        return told, Found(text, pdf.PYPDF)
    if len(page.body) > markup.MOST_BYTES:
        raise ExtractError(page.url, "too-large", detail=f"{len(page.body)} bytes")
    if is_plain(page):
        told, text = plain.read(page)
        return told, Found(text, plain.PLAIN)
    tree = markup.parse(utf8(page), page.url)
    has_date = dates.told(entry, page.fetched_at) is not None
    told = facts(tree, page, has_date)
    found = prose.main_text(tree, page.url, prose.shipped())
    if len(found.text) < LITTLE_TEXT and told.is_free and told.title:
        text = embedded.text_of(tree, told.title)
        if len(text) >= max(SHORTEST_TEXT, CLEARLY_LONGER * len(found.text)):
            return told, Found(text, EMBEDDED)
    if len(found.text) < SHORTEST_TEXT and told.transcript:
        return told, Found(body.of_markup(told.transcript), TRANSCRIPT)
    return told, found


def _choose(found: Found, entry: Entry, is_cut: bool = False) -> Found:
    """The page's text, unless the feed carries clearly more; more at all, where the page's is only a teaser."""
    content = body.of_markup(entry.content)
    if len(found.text) >= SHORTEST_TEXT and len(content) < (1 if is_cut else CLEARLY_LONGER) * len(found.text):
        return found
    bodies = (Found(content, FEED_CONTENT), Found(body.of_markup(entry.summary), FEED_SUMMARY), found)
    return next((one for one in bodies if len(one.text) >= SHORTEST_TEXT), max(bodies, key=lambda one: len(one.text)))


def _article(url: str, told: Facts, entry: Entry, chosen: Found, seen_at: datetime) -> Article:
    if len(chosen.text) < SHORTEST_TEXT:
        short = "too-short" if chosen.text else "no-text"
        raise ExtractError(url, told.kind or short, detail=f"{len(chosen.text)} characters")
    titles = (told.title, body.line(entry.title))  # a page that hides its text may be titled "Access denied"
    title = next(filter(None, reversed(titles) if chosen.extractor in OF_FEEDS else titles), None)
    if title is None:
        raise ExtractError(url, "no-title")
    text = body.without_headline(chosen.text, title)
    if len(text) < SHORTEST_TEXT or text == title:
        raise ExtractError(url, "too-short", detail=f"{len(text)} characters below the headline")
    published_at, published_from = dates.published(told.published, entry, seen_at)
    return Article(
        url=url,
        canonical_url=told.canonical_url,
        title=title,
        text=text,
        published_at=published_at,
        published_from=published_from,
        extractor=chosen.extractor,
        authors=told.authors or entry.authors,
        updated_at=dates.updated((told.updated_at, entry.updated_at), published_at, seen_at),
        lang=language.tag(title, text, told.lang or langtag.usual(entry.lang)),
        site_name=told.site_name,
        section=told.section,
        tags=told.tags or entry.tags,
        is_teaser=is_teaser(text, told.is_free),
    )


def _own_url(url: str) -> str:
    return canonical_url(url) or url
