"""HTML tree -> Facts: what a page says of itself: title, authors, dates, section, tags, language, site, links.

Each fact has its sources in a fixed order, the first that holds something usable wins: JSON-LD of the article, of the
page, meta elements, microdata, then what readers see around the headline.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from html import unescape
from itertools import chain, groupby, islice
from urllib.parse import urlsplit

from lxml.etree import XPath
from lxml.html import HtmlElement

from pipeline.model import Page
from pipeline.stages import follow, langtag
from pipeline.stages.extract import authors, dates, jsonld, kinds, microdata, paywall
from pipeline.stages.extract.around import after, before, lines_of
from pipeline.stages.extract.body import line
from pipeline.stages.extract.moments import Stated, spelled, written
from pipeline.stages.extract.titles import Outlet, headline
from pipeline.urls import canonical_url, same_site

LONGEST_NAME = 80  # characters of a site, a section, a tag
MOST_TAGS = 30
CLOSE = 6  # lines to the headline
MOST_MARKED = 50  # elements that may name the author; a page with more names its commenters

_PUBLISHED = (
    "article:published_time",
    "og:article:published_time",
    "og:published_time",
    "datepublished",
    "parsely-pub-date",
    "sailthru.date",
    "article.published",
    "published-date",
    "publishdate",
    "publish-date",
    "publication_date",
    "pubdate",
    "cxenseparse:recs:publishtime",
    "cxenseparse:publishtime",
    "dc.date.issued",
    "dcterms.issued",
    "dcterms.created",
    "dc.date.created",
    "dc.date",
    "dcterms.date",
    "date",
)
_PRINTED = ("citation_publication_date", "citation_online_date", "citation_date")  # 2025/07/10 or 2025 Jul 10
_UPDATED = (
    "article:modified_time",
    "og:article:modified_time",
    "og:modified_time",
    "og:updated_time",
    "datemodified",
    "last-modified",
    "dcterms.modified",
    "dc.date.modified",
)
_AUTHORS = (
    "author",
    "article:author",
    "og:article:author",
    "byl",
    "parsely-author",
    "sailthru.author",
    "cxenseparse:author",
    "dc.creator",
    "dcterms.creator",
)
_CITED = ("citation_author", "citation_authors")
_SECTIONS = ("article:section", "parsely-section", "cxenseparse:recs:category", "section")
_TAGS = ("article:tag", "parsely-tags", "sailthru.tags", "news_keywords", "keywords")
_AUTHOR_LINK = re.compile(r"/author|[?&]_?author=")
_OF_AUTHOR_CLASS = XPath("//@class[contains(.,'uthor') or contains(.,'yline') or contains(.,'riter')]/..")
_MARKED_AUTHOR = XPath("//@itemprop[.='author']/..")
_PROSE = XPath("//p//text()")
_SECTION_LINKS = XPath(
    "//a[@rel='tag' or contains(@rel,'category') or contains(@href,'/category/') or contains(@href,'/categories/')"
    " or contains(@href,'/tag/') or contains(@href,'/tags/') or contains(@href,'/topic') or contains(@href,'/section')]"
    "//text()"
)
_AUTHOR_CLASS = re.compile(r"(?<![^\s_-])(?:author|byline|writer)s?(?![^\s_-])", re.IGNORECASE)
_NO_AUTHOR_CLASS = re.compile(
    r"bio|image|img|avatar|photo|picture|box|desc|date|time|social|title|position|role|info|about|comment|meta"
    r"|label|list|link(?:s|ed)|wrap|container|count|related",
    re.IGNORECASE,
)
_CREDITS = (b"written by", b"article by", b"story by", b"about the author")  # in a page worth a walk over its lines
_SOMEONE_ELSE = XPath(
    "boolean(ancestor-or-self::*[self::footer[not(ancestor::article)] or contains(@class,'comment')"
    " or contains(@id,'comment') or contains(@class,'related') or contains(@class,'recommend')"
    " or contains(@class,'teaser')])"
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a page says of itself; None where it does not."""

    canonical_url: str
    title: str | None = None
    authors: tuple[str, ...] = ()
    published: Stated | None = None
    updated_at: datetime | None = None
    lang: str | None = None
    site_name: str | None = None
    section: str | None = None
    tags: tuple[str, ...] = ()
    is_free: bool = True
    kind: str | None = None  # what it shows when it has no text: "gallery", "video"
    transcript: str | None = None  # of its video
    next_url: str | None = None  # the next page of its article
    other_url: str | None = None  # its version for phones or print


class _Source:
    """A page, and all that it says of itself, read once."""

    def __init__(self, tree: HtmlElement, page: Page) -> None:
        self.tree, self.page = tree, page
        self.metas = _metas(tree)
        self.canonical = canonical_link(tree, page.url)
        self.nodes = jsonld.nodes(tree)
        title = self.meta("og:title") or tree.findtext(".//title") or ""
        self.article = jsonld.article(self.nodes, self.canonical, title)
        self.whole = jsonld.web_page(self.nodes)
        self.marked = jsonld.article(microdata.nodes(tree), self.canonical, title)
        self.lang = langtag.usual(tree.get("lang") or tree.get("xml:lang")) or langtag.usual(self.meta("og:locale"))

    def meta(self, key: str) -> str | None:
        """The first value of a meta element."""
        return next(iter(self.metas.get(key, ())), None)

    @cached_property
    def prose(self) -> str:
        """The text of all paragraphs."""
        return " ".join(chain.from_iterable(text.split() for text in _PROSE(self.tree)))

    @cached_property
    def sections(self) -> frozenset[str]:
        """What the page files articles under."""
        stated = chain.from_iterable(self.metas.get(key, ()) for key in (*_SECTIONS, *_TAGS))
        return frozenset(line(text).casefold() for text in chain(stated, _SECTION_LINKS(self.tree)))

    def of_people(self, bylines: Iterable[str]) -> Iterator[str]:
        """Bylines that begin with what may be a person."""
        return (one for one in bylines if self.is_person(one.split(" & ")[0]))

    def is_person(self, name: str) -> bool:
        """Whether a name is no section, and nothing that the page writes in lower case too: it does so with no name."""
        is_phrase = name != name.lower() and name.lower() in self.prose
        return not is_phrase and name.casefold() not in self.sections

    def is_date(self, text: str) -> bool:
        """Whether a line that readers see names a day."""
        return written(text, self.lang) is not None

    def told(self, *names: str) -> Iterator[str | None]:
        """What the article says of itself under these names, then the page, then what is marked in its HTML."""
        return chain(self.stated(*names), self.marked_as(*names))

    def stated(self, *names: str) -> Iterator[str | None]:
        """What JSON-LD says of the article under these names, then of the page."""
        return (jsonld.text(node.get(name)) for node in (self.article, self.whole) for name in names)

    def marked_as(self, *names: str) -> Iterator[str | None]:
        """What is marked so in the HTML: perhaps of another article, to which the page only points."""
        return (jsonld.text(self.marked.get(name)) for name in names)


def facts(tree: HtmlElement, page: Page, has_date: bool) -> Facts:
    """Read all facts of a page; where its date is known from elsewhere, none is guessed from its text."""
    source = _Source(tree, page)
    publisher = next(jsonld.names(source.article.get("publisher"), source.nodes), None)
    site_name = _first((source.meta("og:site_name"), publisher, source.meta("application-name")))
    outlet = Outlet.of(page.url, (site_name, publisher))
    claimed = (source.meta("og:title"), *source.told("headline"))
    title, heading = headline(tree, claimed, outlet)
    above, below = (before(heading), after(heading)) if heading is not None else ([], [])
    shown = dates.shown((*below, *above), source.lang, page.fetched_at)
    seen = _Seen(title or "", [one.text for one in below], [one.text for one in above])
    signed = authors.first_people(
        ([one] for one in authors.signed(seen.below[:CLOSE], seen.title)), (), outlet.is_named
    )
    told = authors.first_people(_told(source, seen), _hinted(source, seen), outlet.is_named)
    told = authors.listed(told, seen.below[:CLOSE], outlet.is_named)
    wrote = authors.reconciled(told, signed)
    return Facts(
        canonical_url=source.canonical,
        title=title,
        authors=wrote if wrote == told or all(map(source.is_person, wrote)) else told,
        published=dates.first_stated(_published(source), page.fetched_at)
        or dates.of_page(tree, page, shown, is_last_resort=not has_date),
        updated_at=_updated(source, shown),
        lang=source.lang,
        site_name=site_name,
        section=_first(chain(source.told("articleSection"), map(source.meta, _SECTIONS))),
        tags=_tags(source),
        kind=kinds.kind(source.nodes, source.metas),
        transcript=kinds.transcript(source.nodes),
        is_free=paywall.is_free((source.article, source.whole, source.marked), source.metas),
        next_url=follow.next_page(page.url, tree, page.url, 1),
        other_url=follow.other_version(tree, page.url),
    )


def canonical_link(tree: HtmlElement, url: str) -> str:
    """The publisher's claim of the page's URL where we believe it, else the final URL, both in our spelling.

    A claim counts within the same registered domain, and not when it sends a deeper page to the bare front page.
    """
    own = canonical_url(url) or url
    for link in tree.iter("link"):
        if "canonical" in (link.get("rel") or "").lower().split():
            claim = canonical_url(link.get("href") or "", url) if link.get("href") else None
            if claim and same_site(claim, own) and (not _is_front(claim) or _is_front(own)):
                return claim
    return own


def _metas(tree: HtmlElement) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for meta in tree.iter("meta"):
        content = unescape(meta.get("content") or "").strip()
        for attribute in ("property", "name", "itemprop"):
            key = (meta.get(attribute) or "").strip().lower()
            if key and content:
                found.setdefault(key, []).append(content)
    return found


def _published(source: _Source) -> Iterator[str | None]:
    yield from source.stated("datePublished")
    yield from map(source.meta, _PUBLISHED)
    printed = (spelled(source.meta(key) or "") for key in _PRINTED)
    yield from (day.at.date().isoformat() for day in printed if day)
    yield from source.marked_as("datePublished")
    yield from source.tree.xpath("//time[@pubdate]/@datetime")


def _updated(source: _Source, shown: dates.Shown) -> datetime | None:
    metas = map(source.meta, _UPDATED)
    told = chain(source.stated("dateModified"), metas, source.marked_as("dateModified"))
    updated = dates.first_stated(told, source.page.fetched_at) or shown.updated
    return updated.at.astimezone(UTC) if updated else None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What readers see around the headline."""

    title: str
    below: Sequence[str]
    above: Sequence[str]  # the nearest first


def _told(source: _Source, seen: _Seen) -> Iterator[Iterable[str]]:
    """Who is said to have written the article, the most trusted source first."""
    yield chain.from_iterable(source.metas.get(key, ()) for key in _CITED)
    yield jsonld.people(source.article.get("author"), source.nodes)
    for key in _AUTHORS:
        yield source.metas.get(key, ())
    yield _twitter_cards(source.metas)
    yield jsonld.people(source.marked.get("author"), source.nodes)
    for byline in source.of_people(authors.signed(seen.below, seen.title)):
        yield [byline]


def _hinted(source: _Source, seen: _Seen) -> Iterator[Iterable[str]]:
    """Who may have written it, the most likely first."""
    marked = _marked_as_author(source.tree)[:MOST_MARKED]
    for byline in chain(
        _marked(marked, seen.title),
        authors.signed(seen.above[::-1], seen.title),
        source.of_people(authors.standing_alone(seen.below[:CLOSE], seen.title, source.is_date)),
        source.of_people(authors.standing_alone(seen.above[:CLOSE], seen.title, source.is_date)),
        _credited(source, seen.title),
        _boxed(marked, seen.title),
    ):
        yield [byline]


def _twitter_cards(metas: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for number in ("1", "2"):
        if any(authors.BY.fullmatch(label) for label in metas.get(f"twitter:label{number}", ())):
            yield from metas.get(f"twitter:data{number}", ())


def _marked_as_author(tree: HtmlElement) -> list[HtmlElement]:
    """What is marked as an author: items and links, then what only a class names so; some stand there twice."""
    links = [one for one in tree.iter("a") if one.get("rel") == "author" or _AUTHOR_LINK.search(one.get("href", ""))]
    return [*_MARKED_AUTHOR(tree), *links, *_OF_AUTHOR_CLASS(tree)]


def _marked(elements: Iterable[HtmlElement], title: str) -> Iterator[str]:
    """Who is marked as an author; links that stand in one list are of one article."""
    for _, group in groupby(elements, _list_of):
        yield " & ".join(dict.fromkeys(filter(None, (_marked_one(element, title) for element in group))))


def _marked_one(element: HtmlElement, title: str) -> str | None:
    is_marked = _is_marked(element)
    if is_marked or any(_is_author_class(name) for name in (element.get("class") or "").split()):
        text = " ".join(one.text for one in islice(lines_of(element), 9))
        if 0 < len(text) <= LONGEST_NAME and not _SOMEONE_ELSE(element):
            return authors.shown(text, title) or (text if is_marked and " " not in text else None)
    return None


def _list_of(element: HtmlElement) -> HtmlElement | None:
    """The list, or the line, of the links to authors in which one stands; any other element by itself."""
    parent = element.getparent()
    if element.tag != "a" or parent is None:
        return element
    return parent.getparent() if parent.tag == "li" else parent


def _is_marked(element: HtmlElement) -> bool:
    is_said = "author" in (element.get("rel"), element.get("itemprop"))
    return is_said or _AUTHOR_LINK.search(element.get("href") or "") is not None


def _credited(source: _Source, title: str) -> Iterator[str]:
    body = source.page.body.lower()
    is_worth = any(credit in body for credit in _CREDITS)
    return authors.credited((one.text for one in lines_of(source.tree)) if is_worth else (), title)


def _boxed(elements: Iterable[HtmlElement], title: str) -> Iterator[str]:
    """The first line of what introduces an author."""
    for element in elements:
        if _AUTHOR_CLASS.search(element.get("class") or "") and not _SOMEONE_ELSE(element):
            first = next(lines_of(element), None)
            if first and len(first.text) <= LONGEST_NAME:
                yield authors.shown(first.text, title) or ""


def _is_author_class(name: str) -> bool:
    return bool(_AUTHOR_CLASS.search(name)) and not _NO_AUTHOR_CLASS.search(name)


def _tags(source: _Source) -> tuple[str, ...]:
    keywords = source.article.get("keywords")
    told = [one for one in (keywords if isinstance(keywords, list) else [keywords]) if isinstance(one, str)]
    for listed in (told, *(source.metas.get(key, ()) for key in _TAGS)):
        parts = [line(part) for one in listed for part in (one.split(",") if len(listed) == 1 else [one])]
        found = tuple(dict.fromkeys(part for part in parts if 0 < len(part) <= LONGEST_NAME))
        if found:
            return found[:MOST_TAGS]
    return ()


def _first(candidates: Iterable[str | None]) -> str | None:
    folded = (line(candidate) for candidate in candidates)
    return next((one for one in folded if one and len(one) <= LONGEST_NAME), None)


def _is_front(url: str) -> bool:
    parts = urlsplit(url)
    return parts.path in ("", "/") and not parts.query
