"""HTML tree -> Facts: what a page says of itself: title, authors, dates, language, site, canonical link.

Each fact has its sources in a fixed order, the first that holds something usable wins.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from urllib.parse import urlsplit

from lxml.etree import XPath
from lxml.html import HtmlElement

from pipeline.model import Page
from pipeline.stages.extract import jsonld
from pipeline.stages.extract.body import line
from pipeline.stages.extract.dates import Stated, first_stated, shown
from pipeline.urls import canonical_url, same_site, site

LONGEST_TITLE = 500  # characters; a longer one is not a title
LONGEST_NAME = 80
MOST_AUTHORS = 20

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
    "citation_publication_date",
    "dc.date.issued",
    "dcterms.issued",
    "dcterms.created",
    "dc.date.created",
    "dc.date",
    "dcterms.date",
    "date",
)
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
    "dc.creator",
    "dcterms.creator",
    "citation_author",
)
_SEPARATOR = re.compile(r"\s+[|\-–—·•»:]+\s+|\s*[|:]\s+")
_BY = re.compile(r"^(?:(?:written|posted|words|text|story)\s+by|by|par|por|door)\b[:\s]*", re.IGNORECASE)
_BETWEEN_NAMES = re.compile(r"\s*[;|•·/]\s*|\s+(?:and|und|et|y|e|og|och|en)\s+|\s*&\s*", re.IGNORECASE)
_NO_NAME = re.compile(r"https?:|www\.|@|\.(?:com|org|net)\b|\d{3}", re.IGNORECASE)
_LANG = re.compile(r"[a-z]{2,3}(?:[-_][a-z0-9]{2,8})*", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_MARKED_AS_AUTHOR = XPath(
    "//*[@rel='author' or @itemprop='author' or contains(@class,'uthor') or contains(@class,'byline')]"
)
_BYLINE_CLASS = re.compile(r"(?:^|[-_])(?:author|byline)(?:[-_]*name)?$", re.IGNORECASE)
_NOT_ALNUM = re.compile(r"\W+")


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


def facts(tree: HtmlElement, page: Page, has_date: bool) -> Facts:
    """Read all facts of a page; where its date is known from elsewhere, none is guessed from its text."""
    metas, nodes = _metas(tree), jsonld.nodes(tree)
    canonical = canonical_link(tree, page.url)
    article, whole = jsonld.article(nodes, canonical), jsonld.web_page(nodes)
    publisher = next(jsonld.names(article.get("publisher"), nodes), None)
    site_name = _first((metas.get("og:site_name"), publisher, metas.get("application-name")))
    dates = (article.get("datePublished"), whole.get("datePublished"), *(metas.get(key) for key in _PUBLISHED))
    changes = (article.get("dateModified"), whole.get("dateModified"), *(metas.get(key) for key in _UPDATED))
    updated = first_stated(map(jsonld.text, changes), page.fetched_at)
    return Facts(
        canonical_url=canonical,
        title=_title(tree, (metas.get("og:title"), jsonld.text(article.get("headline"))), site_name, canonical),
        authors=_authors(tree, metas, jsonld.names(article.get("author"), nodes), site_name),
        published=first_stated(chain(map(jsonld.text, dates), _times(tree)), page.fetched_at)
        or shown(tree, page.url, page.fetched_at, is_last_resort=not has_date),
        updated_at=updated.at if updated else None,
        lang=language(tree.get("lang") or tree.get("xml:lang")) or language(metas.get("og:locale")),
        site_name=site_name,
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


def language(tag: str | None) -> str | None:
    """A language tag in the usual spelling of BCP 47, None when it is none."""
    if not tag or not _LANG.fullmatch(tag.strip()):
        return None
    first, *rest = re.split("[-_]", tag.strip().lower())
    shaped = (part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part for part in rest)
    return "-".join((first, *shaped))


def names(text: str) -> tuple[str, ...]:
    """The names in a byline: `By Jane Doe and John Roe` are two, `Doe, Jane` is one."""
    if len(text) > LONGEST_NAME * MOST_AUTHORS or _NO_NAME.search(text):
        return ()
    found: list[str] = []
    for part in _BETWEEN_NAMES.split(_BY.sub("", line(text))):
        pieces = [piece.strip() for piece in part.split(",")]
        whole = [piece for piece in pieces if " " in piece]
        found.extend(whole if len(whole) == len(pieces) or (whole and len(pieces) > 2) else whole[:1] or [part.strip()])
    return tuple(dict.fromkeys(name for name in found if 0 < len(name) <= LONGEST_NAME))


def _metas(tree: HtmlElement) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for meta in tree.iter("meta"):
        content = (meta.get("content") or "").strip()
        for attribute in ("property", "name", "itemprop"):
            key = (meta.get(attribute) or "").strip().lower()
            if key and content:
                found.setdefault(key, content)
    return found


def _times(tree: HtmlElement) -> Iterator[str | None]:
    yield from tree.xpath("//*[@itemprop='datePublished']/@datetime | //time[@pubdate]/@datetime")
    yield from tree.xpath("(//time[@datetime])[1]/@datetime")


def _title(tree: HtmlElement, claimed: Sequence[str | None], site_name: str | None, url: str) -> str | None:
    """The heading that readers see where it is about what the page claims to be about, else the claim."""
    claims = _titles((*claimed, tree.findtext(".//title")), site_name, url)
    headings = _titles((h1.text_content() for h1 in tree.iter("h1")), site_name, url)
    known = _words(" ".join(claims))
    alike = (heading for heading in headings if 2 * len(_words(heading) & known) >= len(_words(heading)))
    return next(chain(alike, claims, headings), None)


def _titles(candidates: Iterable[str | None], site_name: str | None, url: str) -> list[str]:
    lines = (line(candidate) for candidate in candidates)
    return [without_site(one, site_name, url) for one in lines if 0 < len(one) <= LONGEST_TITLE]


def without_site(title: str, site_name: str | None, url: str) -> str:
    """A title without the name of its site before or after it; a title that is nothing else stays."""
    domain = _registered_domain(url)
    own = {_key(name) for name in (site_name or "", domain, domain.partition(".")[0])}
    for gap in reversed(list(_SEPARATOR.finditer(title))):
        if gap.start() and _key(title[gap.end() :]) in own:
            title = title[: gap.start()]
    first = _SEPARATOR.search(title)
    return title[first.end() :] if first and _key(title[: first.start()]) in own else title


def _authors(
    tree: HtmlElement, metas: Mapping[str, str], told: Iterable[str], site_name: str | None
) -> tuple[str, ...]:
    """The first source that names somebody; the site itself only when no other source names anybody."""
    claims: Iterable[Iterable[str]] = (told, *([metas[key]] for key in _AUTHORS if key in metas))
    itself: tuple[str, ...] = ()
    for source in chain(claims, _bylines(tree)):
        found = tuple(dict.fromkeys(name for text in source for name in names(text)))
        if found and [_key(name) for name in found] != [_key(site_name or "")]:
            return found[:MOST_AUTHORS]
        itself = itself or found
    return itself


def _bylines(tree: HtmlElement) -> Iterator[Sequence[str]]:
    for element in _MARKED_AS_AUTHOR(tree):
        is_marked = "author" in (element.get("rel"), element.get("itemprop"))
        if is_marked or any(_BYLINE_CLASS.search(name) for name in (element.get("class") or "").split()):
            text = line(element.text_content())
            if len(text) <= LONGEST_NAME:
                yield [text]


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))


def _first(candidates: Iterable[str | None]) -> str | None:
    folded = (line(candidate) for candidate in candidates)
    return next((one for one in folded if one and len(one) <= LONGEST_NAME), None)


def _registered_domain(url: str) -> str:
    try:
        return site(url)
    except ValueError:  # a file that never had a URL
        return ""


def _key(name: str) -> str:
    return _NOT_ALNUM.sub("", name.casefold())


def _is_front(url: str) -> bool:
    parts = urlsplit(url)
    return parts.path in ("", "/") and not parts.query
