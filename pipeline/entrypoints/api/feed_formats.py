"""Articles -> RSS 2.0, Atom 1.0 or JSON Feed 1.1.

An article's id is its canonical URL: it stays, whatever is asked for and whichever database answers. What goes out is
the piece of text that shows why it was found; the whole stands where it was published.

Source:
    RSS Advisory Board's "RSS 2.0 Specification"; RFC 4287; jsonfeed.org/version/1.1.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from html import escape
from types import MappingProxyType

from lxml import etree

from pipeline.entrypoints.output import rfc3339
from pipeline.store import Found

ATOM = "http://www.w3.org/2005/Atom"
DC = "http://purl.org/dc/elements/1.1/"
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # by XML


@dataclass(frozen=True, slots=True)
class Item:
    """An article and the piece of its text that is shown."""

    article: Found
    summary: str

    @property
    def changed_at(self) -> datetime:
        """When it was published, or else when the publisher was seen to have changed it."""
        return self.article.revised_at or self.article.published_at

    @property
    def authors(self) -> tuple[str, ...]:
        """Who wrote it; the site, if nobody is named."""
        return self.article.authors or (self.article.site,)

    @property
    def categories(self) -> tuple[str, ...]:
        """Topics and countries."""
        return (*self.article.topics, *self.article.countries)


@dataclass(frozen=True, slots=True)
class Document:
    """What is written."""

    title: str
    url: str  # of itself
    home: str  # of the pages
    at: datetime  # when something changed last
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write it."""

    media_type: str
    write: Callable[[Document], bytes]


def _rss(document: Document) -> bytes:
    root = etree.Element("rss", version="2.0", nsmap={"atom": ATOM, "dc": DC})
    channel = etree.SubElement(root, "channel")
    _add(channel, "title", document.title)
    _add(channel, "link", document.home)
    _add(channel, "description", f"Articles of {document.title}")
    _add(channel, f"{{{ATOM}}}link", None, rel="self", href=document.url, type="application/rss+xml")
    _add(channel, "lastBuildDate", format_datetime(document.at, usegmt=True))
    _add(channel, "generator", "defnews")
    for item in document.items:
        one = etree.SubElement(channel, "item")
        _add(one, "title", item.article.title)
        _add(one, "link", item.article.url)
        _add(one, "guid", item.article.url, isPermaLink="true")
        _add(one, "pubDate", format_datetime(item.article.published_at, usegmt=True))
        _add(one, "description", escape(item.summary, quote=False))  # readers take it for HTML
        for author in item.authors:
            _add(one, f"{{{DC}}}creator", author)
        for category in item.categories:
            _add(one, "category", category)
    return _xml(root)


def _atom(document: Document) -> bytes:
    root = etree.Element(f"{{{ATOM}}}feed", nsmap={None: ATOM})
    _add(root, f"{{{ATOM}}}id", document.url)
    _add(root, f"{{{ATOM}}}title", document.title)
    _add(root, f"{{{ATOM}}}updated", rfc3339(document.at))
    _add(root, f"{{{ATOM}}}link", None, rel="self", href=document.url, type="application/atom+xml")
    _add(root, f"{{{ATOM}}}link", None, rel="alternate", href=document.home, type="text/html")
    _add(root, f"{{{ATOM}}}generator", "defnews")
    for item in document.items:
        entry = etree.SubElement(root, f"{{{ATOM}}}entry")
        _add(entry, f"{{{ATOM}}}id", item.article.url)
        _add(entry, f"{{{ATOM}}}title", item.article.title)
        _add(entry, f"{{{ATOM}}}link", None, rel="alternate", href=item.article.url)
        _add(entry, f"{{{ATOM}}}published", rfc3339(item.article.published_at))
        _add(entry, f"{{{ATOM}}}updated", rfc3339(item.changed_at))
        for author in item.authors:
            _add(etree.SubElement(entry, f"{{{ATOM}}}author"), f"{{{ATOM}}}name", author)
        for category in item.categories:
            _add(entry, f"{{{ATOM}}}category", None, term=category)
        _add(entry, f"{{{ATOM}}}summary", item.summary, type="text")
    return _xml(root)


def _json(document: Document) -> bytes:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": document.title,
        "home_page_url": document.home,
        "feed_url": document.url,
        "items": list(_json_items(document)),
    }
    return json.dumps(feed, ensure_ascii=False).encode()


def _json_items(document: Document) -> Iterator[Mapping[str, object]]:
    for item in document.items:
        article = item.article
        language = {"language": article.lang} if article.lang else {}
        yield {
            "id": article.url,
            "url": article.url,
            "title": article.title,
            "content_text": item.summary,
            "date_published": rfc3339(article.published_at),
            "date_modified": rfc3339(item.changed_at),
            "authors": [{"name": author} for author in item.authors],
            "tags": list(item.categories),
            **language,
        }


def _add(parent: etree._Element, name: str, text: str | None, **attributes: str) -> None:
    legal = {key: _FORBIDDEN.sub(" ", value) for key, value in attributes.items()}
    etree.SubElement(parent, name, **legal).text = None if text is None else _FORBIDDEN.sub(" ", text)


def _xml(root: etree._Element) -> bytes:
    written: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "rss": Format("application/rss+xml", _rss),
        "atom": Format("application/atom+xml", _atom),
        "json": Format("application/feed+json", _json),
    }
)
