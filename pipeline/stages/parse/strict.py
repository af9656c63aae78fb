"""Well-formed RSS, RDF and Atom, read by lxml as feedparser would read them; whatever is unusual is declined.

feedparser is the judge: what comes out of here is in its words (`links`, `summary_detail`, `published_parsed` ...) and
equal to what it would have said, as far as `parse.xml` asks, or nothing. Its habits are followed where they decide what
an entry says: an element means the same wherever in an entry it stands, but what stands higher wins; of titles the
first stays; a second summary is the content. All else that its tolerance makes possible (markup in plain text, XHTML,
links to be joined to xml:base, a DOCTYPE, odd dates) is left to it.
"""

import re
from collections.abc import Callable, Collection
from functools import lru_cache, partial
from typing import Any

from lxml import etree

from pipeline.stages.parse.dates import usual_moment
from pipeline.stages.parse.elements import (
    ATOM_FEED,
    PERSON,
    RDF_ROOT,
    RSS090,
    RSS10,
    UnusualError,
    about_of,
    attributes_of,
    check,
    is_cdf,
    lang_of,
    link_of,
    markup_of,
    name_by_prefix,
    name_of,
    person_of,
    text_of,
)
from pipeline.stages.parse.values import sane_moment

_Element = dict[str, Any]

_VERSIONS = {"0.91": "rss091u", "0.92": "rss092", "0.93": "rss093", "0.94": "rss094"}
_PAGE_TYPES = frozenset({"html", "xhtml", "text/html", "application/xhtml+xml"})
_IMAGE = frozenset({"title", "url", "link", "width", "height", "description"})
_TEXT_INPUT = frozenset({"title", "description", "name", "link"})
_PODCAST = frozenset({"itunes_name", "itunes_email", "itunes_category"})
_SOURCE = frozenset(
    {"title", "id", "link", "updated", "published", "subtitle", "rights", "icon", "logo", "generator", "author"}
)

_BASE = re.compile(rb"base\s*=")
_C1 = re.compile(rb"\xc2[\x80-\x9f]")  # U+0080 to U+009F
_C1_REFERENCE = re.compile(rb"&#(?:0*1(?:2[7-9]|[345][0-9])|[xX]0*(?:7[fF]|[89][0-9a-fA-F]));")
_SLASHES = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)/+")
_UNJOINED = re.compile(  # what no base changes
    r"(?:tag|urn):\S*|https?://[A-Za-z0-9_.:-]+(?:/[^\s?#;]*)?(?:\?[^\s#;]+)?(?:#\S+)?"
)
_SPLIT_QUERY = re.compile(r"&([A-Za-z0-9_]+);")


def read(text: str) -> _Element | None:
    """Read a feed of XML.

    Returns:
        `feed`, `entries` and `version` as feedparser would say them; `skip_hours` and `skip_days` are lists beside what
        else is said of the feed. None for whatever is not well-formed, has a DOCTYPE or control characters, is unusual
        or without entries.
    """
    body = text.encode()
    if b"<!DOCTYPE" in body or b"\x7f" in body or _C1.search(body) or _C1_REFERENCE.search(body):
        return None
    parser = etree.XMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, resolve_entities=False, collect_ids=False
    )
    try:
        reading = _Reading(etree.fromstring(body, parser), is_based=_BASE.search(body) is not None)
    except (etree.XMLSyntaxError, UnusualError):
        return None
    return {"feed": reading.feed, "entries": reading.entries, "version": reading.version} if reading.entries else None


class _Reading:
    """One pass over a document: what feedparser remembers from one element to the next."""

    def __init__(self, root: Any, *, is_based: bool) -> None:
        self.version = _version(root)
        self.feed: _Element = {}
        self.entries: list[_Element] = []
        self.context = self.feed  # what is spoken of: the feed or an entry
        self.depths: dict[str, int] | None = None  # at which an entry's facts stand; None: the feed is spoken of
        self.level = 0  # of an entry's own children
        self.title_depth = 0  # of the title that stays; 0: none does
        self.has_content = False
        self.has_described_authors = False
        self.is_based = is_based  # somewhere in the document
        lang = lang_of(root, None)
        if lang and root.tag != RDF_ROOT:
            self.feed["language"] = lang
        if root.tag == ATOM_FEED:
            self.read_children(root, 2, lang)
        else:
            self.read_channel(root, lang)

    def read_channel(self, root: Any, lang: str | None) -> None:
        """The channel, and what may stand behind it: entries and images."""
        names = [name_of(element.tag) for element in root]
        if names[:1] != ["channel"] or not {"item", "image", "textinput"}.issuperset(names[1:]) or is_cdf(root[0]):
            raise UnusualError
        self.read_children(root[0], 3, lang_of(root[0], lang))
        for element in root[1:]:
            _reader(element.tag)(self, element, 2, lang)

    def read_children(self, parent: Any, depth: int, lang: str | None) -> None:
        """What stands in a feed, an entry, or a group within one; `depth` is that of the children."""
        for element in parent:
            _reader(element.tag)(self, element, depth, lang)

    def put(self, key: str, value: object, depth: int) -> None:
        """Note a fact, unless an entry has one of that name higher up in the tree."""
        if self.depths is not None:
            if depth > self.depths.get(key, depth):
                return
            self.depths[key] = depth
        self.context[key] = value

    def resolved(self, uri: str) -> str:
        """A link; one that has to be joined to a base is unusual."""
        if "///" in uri:
            uri = _SLASHES.sub(r"\1", uri)
        if self.is_based and not _UNJOINED.fullmatch(uri):
            raise UnusualError
        return uri


_Read = Callable[[_Reading, Any, int, str | None], None]


def _version(root: Any) -> str:
    """feedparser's name of the format; it goes by the namespaces that a document declares."""
    spaces = {uri.lower() for uri in root.nsmap.values()}
    told = {version for uri, version in ((RSS10, "rss10"), (RSS090, "rss090")) if uri in spaces}
    if root.tag == "rss" and not told:
        version = root.get("version", "")
        return _VERSIONS.get(version) or ("rss20" if version.startswith("2.") else "rss")
    if root.tag == ATOM_FEED and not told:
        return "atom10"
    if root.tag == RDF_ROOT and len(told) == 1 and "http://www.w3.org/2005/atom" not in spaces:
        return told.pop()
    raise UnusualError


@lru_cache(maxsize=1024)
def _reader(tag: str) -> _Read:
    name = name_of(tag)
    return _read_foreign if name is None else _READERS.get(name, _read_group)


def _read_entry(reading: _Reading, element: Any, depth: int, lang: str | None) -> None:
    if reading.depths is not None or is_cdf(element):
        raise UnusualError
    about = about_of(element)
    entry: _Element = {"id": about} if about else {}
    reading.entries.append(entry)
    reading.context, reading.depths, reading.level, reading.title_depth = entry, {}, depth + 1, 0
    reading.read_children(element, depth + 1, lang_of(element, lang))
    reading.context, reading.depths, reading.has_content = reading.feed, None, False


def _read_group(reading: _Reading, element: Any, depth: int, lang: str | None) -> None:
    """An element that says nothing itself, whatever it is; those within it may."""
    if len(element):
        reading.read_children(element, depth + 1, lang_of(element, lang))


def _read_foreign(reading: _Reading, element: Any, depth: int, lang: str | None) -> None:
    """An element of another namespace; feedparser goes by its prefix, and knows it by that or not."""
    if name_by_prefix(element) in _READERS:
        raise UnusualError
    _read_group(reading, element, depth, lang)


def _read_title(reading: _Reading, element: Any, depth: int, lang: str | None) -> None:
    title = markup_of(element)
    if not 0 < reading.title_depth <= depth:
        reading.put("title", title, depth)
        reading.context["title_detail"] = {"language": lang_of(element, lang)}
    if title:
        reading.title_depth = depth


def _read_media_title(reading: _Reading, element: Any, depth: int, lang: str | None) -> None:
    before = reading.title_depth
    _read_title(reading, element, depth, lang)
    reading.title_depth = before


def _read_summary(reading: _Reading, element: Any, depth: int, lang: str | None) -> None:
    if "summary" in reading.context and not reading.has_content:
        _read_content(reading, element, depth, lang)
        return
    reading.put("summary", markup_of(element), depth)
    reading.context["summary_detail"] = {"language": lang_of(element, lang)}


def _read_description(reading: _Reading, element: Any, depth: int, lang: str | None) -> None:
    """An entry's summary; of a feed it is none, yet after one it counts as content."""
    if reading.depths is not None or "summary" in reading.context:
        _read_summary(reading, element, depth, lang)
    else:
        markup_of(element)


def _read_content(reading: _Reading, element: Any, depth: int, lang: str | None) -> None:
    reading.has_content = True
    value = markup_of(element)
    reading.context.setdefault("content", []).append({"value": value, "language": lang_of(element, lang)})
    reading.context.setdefault("summary", value)


def _read_text(reading: _Reading, element: Any, depth: int, lang: str | None) -> None:
    """A text that nobody asks for; markup in it would be part of it."""
    check(element, ())


def _read_fact(reading: _Reading, element: Any, depth: int, lang: str | None, *, key: str) -> None:
    """A text under its own name; beside attributes feedparser drops it."""
    if element.attrib:
        raise UnusualError
    reading.put(key, text_of(element), depth)


def _read_language(reading: _Reading, element: Any, depth: int, lang: str | None) -> None:
    reading.put("language", text_of(element), depth)


def _read_moment(reading: _Reading, element: Any, depth: int, lang: str | None, *, key: str) -> None:
    text = text_of(element)
    if reading.depths is None:
        return
    moment = usual_moment(text)
    if text and moment is None:
        raise UnusualError
    reading.context[key] = sane_moment(moment)


def _read_id(reading: _Reading, element: Any, depth: int, lang: str | None) -> None:
    text = text_of(element)
    if attributes_of(element).get("ispermalink", "true") == "true":
        text = text and reading.resolved(text)
        reading.context.setdefault("link", text)
    reading.put("id", text, depth)


def _read_link(reading: _Reading, element: Any, depth: int, lang: str | None) -> None:
    link = {"rel": "alternate", "type": "text/html"} | link_of(element)
    reading.context.setdefault("links", []).append(link)
    if "href" in link:
        link["href"] = reading.resolved(link["href"])
        if link["rel"] == "alternate" and link["type"] in _PAGE_TYPES:
            reading.context["link"] = link["href"]
        return
    text = text_of(element)
    href = text and reading.resolved(text)
    if reading.depths is not None:
        href = href.replace("&amp;", "&")
    link["href"] = reading.context["link"] = _SPLIT_QUERY.sub(r"&\1", href)


def _read_enclosure(reading: _Reading, element: Any, depth: int, lang: str | None) -> None:
    check(element, ())
    reading.context.setdefault("links", []).append(link_of(element) | {"rel": "enclosure"})


def _read_category(reading: _Reading, element: Any, depth: int, lang: str | None, *, scheme: str | None = None) -> None:
    """A tag; a text without one of its own fills the last that lacks a term."""
    text = text_of(element)
    if reading.depths is None:
        return
    attributes = attributes_of(element)
    tags = _tagged(
        reading,
        term=attributes.get("term"),
        scheme=attributes.get("scheme", attributes.get("domain", scheme)),
        label=attributes.get("label"),
    )
    if text:
        if tags and not tags[-1]["term"]:
            tags[-1]["term"] = text
        else:
            _tagged(reading, term=text)


def _read_keywords(reading: _Reading, element: Any, depth: int, lang: str | None) -> None:
    if element.attrib:
        raise UnusualError
    for term in filter(None, map(str.strip, text_of(element).split(","))):
        _tagged(reading, term=term)


def _tagged(
    reading: _Reading, *, term: str | None, scheme: str | None = None, label: str | None = None
) -> list[_Element]:
    tags: list[_Element] = reading.context.setdefault("tags", [])
    known: set[tuple[str | None, ...]] = reading.context.setdefault("known_tags", set())  # a list would be searched
    if any((term, scheme, label)) and (term, scheme, label) not in known:
        known.add((term, scheme, label))
        tags.append({"term": term, "scheme": scheme, "label": label})
    return tags


def _read_author(reading: _Reading, element: Any, depth: int, lang: str | None) -> None:
    """Somebody; after another, feedparser mixes up those who are described by elements."""
    check(element, PERSON)
    if reading.depths is None:
        return
    author = person_of(element)
    authors = reading.context.setdefault("authors", [])
    is_mixed = len(element) and authors and not (author.get("name") and reading.has_described_authors)
    if is_mixed or depth != reading.level:
        raise UnusualError
    reading.has_described_authors = len(element) > 0
    authors.append(author)


def _read_person(reading: _Reading, element: Any, depth: int, lang: str | None) -> None:
    check(element, PERSON)


def _read_of_feed(reading: _Reading, element: Any, depth: int, lang: str | None) -> None:
    """What says nothing we ask for of a feed, but in an entry would pass for an author or a tag."""
    if reading.depths is not None:
        raise UnusualError
    check(element, _PODCAST)


def _read_image(reading: _Reading, element: Any, depth: int, lang: str | None, *, known: Collection[str]) -> None:
    """What has a title of its own, which makes room for another one of the feed or the entry."""
    check(element, known if reading.depths is None else ())
    reading.title_depth = _depth_of_title(element, depth)


def _read_source(reading: _Reading, element: Any, depth: int, lang: str | None) -> None:
    """Where an entry was taken from."""
    check(element, _SOURCE)
    reading.title_depth = _depth_of_title(element, depth)


def _depth_of_title(element: Any, depth: int) -> int:
    is_titled = any(name_of(inner.tag) == "title" and (inner.text or "").strip() for inner in element)
    return depth + 1 if is_titled else 0


def _read_skipped(reading: _Reading, element: Any, depth: int, lang: str | None, *, unit: str) -> None:
    check(element, (unit,))
    reading.context.setdefault(f"skip_{unit}s", []).extend(map(text_of, element))


def _decline(reading: _Reading, element: Any, depth: int, lang: str | None) -> None:
    raise UnusualError


_SAME: dict[_Read, str] = {
    _read_entry: "item entry",
    _read_title: "title dc_title",
    _read_media_title: "media_title",
    _read_summary: "summary itunes_summary",
    _read_description: "description dc_description media_description",
    _read_content: "content content_encoded",
    _read_text: "subtitle tagline rights copyright info dc_rights itunes_subtitle feedburner_browserfriendly",
    _read_language: "language dc_language",
    _read_id: "id guid",
    _read_link: "link",
    _read_enclosure: "enclosure",
    _read_category: "category keywords dc_subject",
    _read_keywords: "media_keywords itunes_keywords",
    _read_author: "author managingeditor dc_author dc_creator itunes_author",
    _read_person: "contributor",
    _read_of_feed: "itunes_owner itunes_category",
    _read_source: "source",
    _decline: "channel feed rss body fullitem abstract tags xhtml_body links authors",
    partial(_read_category, scheme="media"): "media_category",
    partial(_read_image, known=_IMAGE): "image",
    partial(_read_image, known=_TEXT_INPUT): "textinput",
    partial(_read_skipped, unit="hour"): "skiphours",
    partial(_read_skipped, unit="day"): "skipdays",
    partial(_read_moment, key="published_parsed"): "pubdate published issued dcterms_issued",
    partial(_read_moment, key="updated_parsed"): "updated modified lastbuilddate dc_date dcterms_modified",
    partial(_read_moment, key="created_parsed"): "created dcterms_created",
}
_FACTS = ("ttl", "sy_updateperiod", "sy_updatefrequency", "feedburner_origlink", "fh_archive", "fh_complete")
_READERS = {name: read for read, names in _SAME.items() for name in names.split()}
_READERS |= {key: partial(_read_fact, key=key) for key in _FACTS}
