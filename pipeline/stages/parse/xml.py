"""RSS, RDF, Atom and CDF: read fast by `strict` when they are well-formed and usual, else by feedparser.

feedparser gets UTF-8 bytes in a stream of their own: it would open a local file that a string names, and it trusts
charsets too much. Its sanitising and resolving inside of HTML stay off: they are most of its time, and the text of an
entry is extracted like that of any page. Entity declarations are counted here before it expands them; the fast reader
takes no document that could have any.
"""

import io
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax import SAXException

import feedparser

from pipeline.errors import ParseError
from pipeline.model import Enclosure, Entry, ParsedFeed
from pipeline.stages import langtag
from pipeline.stages.parse import strict
from pipeline.stages.parse.values import (
    clean,
    days,
    distinct,
    hours,
    plain_text,
    plain_texts,
    sane_moment,
    size,
    unnamed_id,
)
from pipeline.urls import absolute_url, canonical_url

MOST_ENTITIES = 500  # declared by a document itself; all of HTML has 253
LONGEST_EXPANSION = 1 << 20  # characters that a document's own entities may grow to

_Element = dict[str, Any]

# What feedparser raises over hostile input, in its own code and in that of its SGML parser.
_FEEDPARSER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    feedparser.exceptions.ThingsNobodyCaresAboutButMe,
)
_FORMATS = {"rss10": "rdf", "rss090": "rdf", "rss091n": "rss091", "rss091u": "rss091"}
_PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}
_HISTORY = "http://purl.org/syndication/history/1.0"
_MOMENTS = ("published_parsed", "created_parsed", "updated_parsed")
_LINK_ORDER = ("alternate", "related", "via")
_RELATIONS = frozenset({"self", "hub", "first", "last", "next", "previous", "current", "prev-archive", "next-archive"})
_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})

_FEED_START = re.compile(r"<(?:\?xml\s|(?:rss|feed|rdf:RDF)\b)")
_PROLOG = r"(?:\s+|<\?.*?\?>|<!--.*?-->)*+"  # possessive: a long one that leads nowhere is read once
_COMMENTS = re.compile(r"(?:\s+|\ufeff|<!--.*?-->)++(?=<\?xml\s)", re.DOTALL)
_MARKUP_START = re.compile(r"<(?:[?!]|(?:[\w.-]+:)?(?:rss|feed|rdf|channel)\b)", re.IGNORECASE)
_HTML_START = re.compile(_PROLOG + r"<(?:!doctype\s+html|html|head|body|title|meta|script)\b", re.I | re.S)
_ENTRY_TAG = re.compile(r"<(/?)(?:[\w.-]+:)?(?:item|entry)(?=[\s/>])", re.IGNORECASE)
_ENTITY = re.compile(r"""<!ENTITY\s+(%\s+)?([^\s"'%>]+)\s+(?:"([^"]*)"|'([^']*)')""")
_ENTITY_USE = re.compile(r"&([^\s&;#<]+);")
_REFERENCE = re.compile(r"&#(?:0*([0-9]+)|[xX]0*([0-9a-fA-F]+));")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def parse(text: str, url: str) -> ParsedFeed:
    """Read an XML feed, with the complete entries of one that is broken or cut off.

    Raises:
        ParseError: `html`, `not-a-feed`, `malformed-xml` without a single readable entry, or `entity-bomb`.
    """
    text = _without_junk(text)
    if _HTML_START.match(text) and not _FEED_START.search(text):
        raise ParseError(url, "html")
    if text[0] != "<":
        raise ParseError(url, "not-a-feed")
    result = strict.read(text) or _judged(text, url)
    feed: _Element = result["feed"]
    is_malformed = isinstance(result.get("bozo_exception"), SAXException)
    elements = result["entries"][:-1] if is_malformed and _ends_within_entry(text) else result["entries"]
    version = result.get("version") or ""
    lang = langtag.usual(feed.get("language"))
    found = (_entry(element, lang, version, url) for element in elements)
    entries = distinct(entry for entry in found if entry)
    if not entries:
        _judge_emptiness(text, url, version, result["bozo_exception"] if is_malformed else None)
    link = _link(feed, url)
    return ParsedFeed(
        title=plain_text(feed.get("title")),
        url=link,
        format=_FORMATS.get(version, version or "unknown"),
        entries=entries,
        lang=lang,
        ttl=_ttl(feed),
        skip_hours=hours(feed.get("skip_hours", ())),
        skip_days=days(feed.get("skip_days", ())),
        links=_links(feed, url),
        is_complete="fh_complete" in feed,
        is_archive="fh_archive" in feed,
    )


def _without_junk(text: str) -> str:
    """From the XML declaration on; from a feed's root when neither markup of its own nor another feed comes before."""
    if comments := _COMMENTS.match(text):
        return text[comments.end() :]
    start = None if _MARKUP_START.match(text) else _FEED_START.search(text)
    return text[start.start() :] if start else text


def _judged(text: str, url: str) -> _Element:
    """What feedparser says, in the shape of `strict.read`: dates as moments, texts clean."""
    _refuse_bombs(text, url)
    legal = _REFERENCE.sub(_legal_reference, _ILLEGAL.sub("", text))
    try:
        result: _Element = feedparser.parse(
            io.BytesIO(legal.encode("utf-8")),
            response_headers={"content-type": "application/xml; charset=utf-8"},
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    except _FEEDPARSER_ERRORS as e:
        raise ParseError(url, "malformed-xml", detail=f"{type(e).__name__}: {e}"[:200]) from e
    for element in result["entries"]:
        for key in _MOMENTS:
            element[key] = _moment(dict.get(element, key))  # its own `get` would invent an update
        if element.get("summary"):
            element["summary"] = clean(element["summary"])
        for part in element.get("content", ()):
            part["value"] = clean(part["value"])
    feed = result["feed"]
    for unit in ("hour", "day"):
        feed[f"skip_{unit}s"] = _skipped(text, unit)
    for prefix in (prefix for prefix, space in result["namespaces"].items() if space == _HISTORY):
        feed.update({f"fh_{mark}": "" for mark in ("archive", "complete") if f"{prefix}_{mark}" in feed})
    return result


def _legal_reference(reference: re.Match[str]) -> str:
    decimal, hexadecimal = reference.groups()
    digits = decimal or hexadecimal
    code = int(digits, 10 if decimal else 16) if len(digits) < 8 else 0x110000
    legal = code in {9, 10, 13} or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000
    return reference[0] if legal else ""


def _refuse_bombs(text: str, url: str) -> None:
    """Entities may stand for a short text, never for each other, and never for much altogether."""
    declared = _ENTITY.findall(text)
    if not declared:
        return
    if len(declared) > MOST_ENTITIES:
        raise ParseError(url, "entity-bomb", detail=f"{len(declared)} entities")
    uses = Counter(_ENTITY_USE.findall(text))
    expansion = 0
    for parameter, name, *values in declared:
        value = "".join(values)
        if parameter or _ENTITY_USE.search(value):
            raise ParseError(url, "entity-bomb", detail=f"{name} stands for other entities")
        expansion += uses[name] * len(value)
    if expansion > LONGEST_EXPANSION:
        raise ParseError(url, "entity-bomb", detail=f"entities of {expansion} characters")


def _ends_within_entry(text: str) -> bool:
    slashes = _ENTRY_TAG.findall(text)
    return bool(slashes) and not slashes[-1]


def _judge_emptiness(text: str, url: str, version: str, fault: SAXException | None) -> None:
    if _HTML_START.match(text) and (fault is not None or not version):
        raise ParseError(url, "html")
    if fault is not None:
        raise ParseError(url, "malformed-xml", detail=str(fault)[:200])
    if not version:
        raise ParseError(url, "not-a-feed")


def _entry(element: _Element, lang: str | None, version: str, base: str) -> Entry | None:
    link = _link(element, base)
    contents = [part for part in element.get("content", ()) if part.get("value")]
    content = max(contents, key=lambda part: len(part["value"]), default=None)
    summary = element.get("summary") or None
    if any(part["value"] == summary for part in contents):
        summary = None  # feedparser's copy
    content_text = content["value"] if content else None
    title = plain_text(element.get("title"))
    published = element.get("published_parsed") or element.get("created_parsed")
    updated = element.get("updated_parsed")
    named = clean(element.get("id") or "").strip() or (link and canonical_url(link))
    own_id = named or unnamed_id(title, content_text or summary, published or updated)
    if not own_id:
        return None
    spoken = (content or element.get("summary_detail") or element.get("title_detail") or {}).get("language")
    return Entry(
        id=own_id,
        url=link,
        title=title,
        published_at=published if published or version.startswith("atom") else updated,  # RSS has one date: dc:date
        updated_at=updated,
        summary=summary,
        content=content_text,
        authors=_authors(element),
        tags=plain_texts(tag.get("label") or tag.get("term") for tag in element.get("tags", ())),
        enclosures=_enclosures(element, base),
        lang=langtag.usual(spoken) or lang,
    )


def _link(element: _Element, base: str) -> str | None:
    """FeedBurner's original link, else the best link to a page, else an id that is one."""
    for href in _hrefs(element):
        if link := absolute_url(href, base):
            return link
    return absolute_url(element.get("link") or "")


def _hrefs(element: _Element) -> Iterator[str]:
    if original := element.get("feedburner_origlink"):
        yield original
    links = [link for link in element.get("links", ()) if link.get("href")]
    for rel in _LINK_ORDER:
        related = [link for link in links if link.get("rel") == rel]
        yield from (link["href"] for link in sorted(related, key=lambda link: link.get("type") not in _HTML_TYPES))


def _moment(parsed: Any) -> datetime | None:
    try:
        year, month, day, hour, minute, second = parsed[:6]
        return sane_moment(datetime(year, month, day, hour, minute, second, tzinfo=UTC))
    except (TypeError, ValueError):
        return None


def _authors(element: _Element) -> tuple[str, ...]:
    names = plain_texts(author.get("name") or author.get("email") for author in element.get("authors", ()))
    return names or plain_texts([element.get("author")])


def _enclosures(element: _Element, base: str) -> tuple[Enclosure, ...]:
    return tuple(
        Enclosure(url, link.get("type") or None, size(link.get("length")))
        for link in element.get("links", ())
        if link.get("rel") == "enclosure" and (url := absolute_url(link.get("href") or "", base))
    )


def _links(feed: _Element, base: str) -> tuple[tuple[str, str], ...]:
    """Where a feed itself is found, is announced and goes on."""
    return tuple(
        (link["rel"], url)
        for link in feed.get("links", ())
        if link.get("rel") in _RELATIONS and (url := absolute_url(link.get("href") or "", base))
    )


def _ttl(feed: _Element) -> timedelta | None:
    minutes = size(feed.get("ttl"))
    if minutes:
        return timedelta(minutes=min(minutes, 10**6))
    period = _PERIODS.get(str(feed.get("sy_updateperiod") or "").strip().lower())
    return period / max(size(feed.get("sy_updatefrequency")) or 1, 1) if period else None


def _skipped(text: str, unit: str) -> list[str]:
    """What skipHours or skipDays hold; feedparser keeps the last of them only."""
    tags = [*_ENTRY_TAG.finditer(text)]
    outside = text[: tags[0].start()] + text[tags[-1].end() :] if tags else text
    lists = re.findall(rf"<skip{unit}s\s*>(.{{0,2000}}?)</skip{unit}s\s*>", outside, re.IGNORECASE | re.DOTALL)
    return re.findall(rf"<{unit}\s*>([^<]*)</", "".join(lists), re.IGNORECASE)
