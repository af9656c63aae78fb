"""Page -> URLs of feeds: those that a site names, those that it links to, and those where most sites keep theirs."""

import contextlib
import re
from collections.abc import Iterable, Iterator

from lxml.html import HtmlElement

from pipeline.errors import ExtractError
from pipeline.model import Page
from pipeline.stages import fetch, markup
from pipeline.urls import absolute_url, same_site

MOST = 10  # that are worth a request each

WELL_KNOWN = ("/feed/", "/rss", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml", "/feed.json")
_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"})
_LIKE_A_FEED = re.compile(r"(?:^|[/._?=-])(?:rss|rdf|atom|feeds?)(?:$|[/._?=&-])|\.xml$", re.IGNORECASE)
_OF_COMMENTS = re.compile(r"comment|kommentar|commentaire|comentario", re.IGNORECASE)


def read(page: Page) -> tuple[str, ...]:
    """Where the feeds of a page's site may be, the likeliest first; those of comments come last."""
    found: list[tuple[str, str | None]] = []
    with contextlib.suppress(ExtractError):
        tree = markup.parse(fetch.utf8(page), page.url)
        base = absolute_url(tree.xpath("string(//base/@href)"), page.url) or page.url
        found += [
            (_words(link), absolute_url(link.get("href") or "", base)) for link in tree.iter("link") if _is_feed(link)
        ]
        found += _links(tree, base)
    found += [("", absolute_url(path, page.url)) for path in WELL_KNOWN]
    return tuple(dict.fromkeys(_likeliest_first(found)))[:MOST]


def _is_feed(link: HtmlElement) -> bool:
    rel, media_type = (link.get("rel") or "").lower().split(), (link.get("type") or "").partition(";")[0]
    return "alternate" in rel and media_type.strip().lower() in _TYPES


def _links(tree: HtmlElement, base: str) -> Iterator[tuple[str, str | None]]:
    """The page's own links to what looks like a feed of the same site."""
    for link in tree.iter("a"):
        url = absolute_url(link.get("href") or "", base)
        if url and _LIKE_A_FEED.search(url.partition("//")[2].partition("/")[2]) and same_site(url, base):
            yield _words(link), url


def _words(link: HtmlElement) -> str:
    return f"{link.get('title') or ''} {link.get('href') or ''}"


def _likeliest_first(found: Iterable[tuple[str, str | None]]) -> list[str]:
    known = [(words, url) for words, url in found if url]
    return [url for _, url in sorted(known, key=lambda candidate: bool(_OF_COMMENTS.search(candidate[0])))]
