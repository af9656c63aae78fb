"""One element of well-formed XML: its name, its text, its link or person, in feedparser's words; nothing unusual."""

import re
from collections.abc import Collection
from contextlib import suppress
from functools import lru_cache
from typing import Any

ATOM_FEED, RDF_ROOT = "{http://www.w3.org/2005/Atom}feed", "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}RDF"
RSS10, RSS090 = "http://purl.org/rss/1.0/", "http://my.netscape.com/rdf/simple/0.9/"
PERSON = frozenset({"name", "email", "uri", "url"})

_PREFIXES = {  # feedparser's, by namespace in lower case
    "": "",
    "http://www.w3.org/2005/atom": "",
    RSS10: "",
    RSS090: "",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf_",
    "http://www.w3.org/1999/xhtml": "xhtml_",
    "http://purl.org/rss/1.0/modules/content/": "content_",
    "http://purl.org/rss/1.0/modules/syndication/": "sy_",
    "http://purl.org/dc/elements/1.1/": "dc_",
    "http://purl.org/dc/terms/": "dcterms_",
    "http://search.yahoo.com/mrss/": "media_",
    "http://search.yahoo.com/mrss": "media_",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes_",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner_",
    "http://purl.org/syndication/history/1.0": "fh_",
}
_LANG, _ABOUT = "{http://www.w3.org/XML/1998/namespace}lang", "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_TEXT_TYPES = frozenset({None, "text", "html", "plain", "text/plain", "text/html"})
_ATTRIBUTES = frozenset(
    {"href", "url", "uri", "rel", "type", "length", "term", "scheme", "domain", "label", "ispermalink"}
)
_MAILBOX = re.compile(r"([A-Za-z0-9_.+-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,4})(?: \(([^()<>@&]*[^()<>@&\s])\))?")


class UnusualError(Exception):
    """What only feedparser may judge."""


@lru_cache(maxsize=1024)
def name_of(tag: str) -> str | None:
    """feedparser's name of an element; None outside of the namespaces that say what we ask for."""
    space, _, local = tag[1:].rpartition("}") if tag[0] == "{" else ("", "", tag)
    prefix = _PREFIXES.get(space.lower())
    return None if prefix is None else prefix + local.lower()


def name_by_prefix(element: Any) -> str:
    """feedparser's name of an element of another namespace."""
    local: str = element.tag.rpartition("}")[2].lower()
    return f"{element.prefix}_{local}" if element.prefix else local


def check(element: Any, known: Collection[str]) -> None:
    """Make sure that an element whose content nobody asks for holds only what it may, in plain text.

    Raises:
        UnusualError: something else stands in it.
    """
    for inner in element:
        name = name_of(inner.tag)
        if name is None:
            if len(inner) or inner.text:
                raise UnusualError
        elif name not in known:
            raise UnusualError
        check(inner, PERSON if name == "author" else ())


def text_of(element: Any) -> str:
    """The text of an element, its charset repaired where feedparser would.

    Raises:
        UnusualError: markup stands in it.
    """
    if len(element):
        raise UnusualError
    text: str = (element.text or "").strip()
    if text.isascii():
        return text
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return text


def markup_of(element: Any) -> str:
    """The text of an element that may hold escaped HTML.

    Raises:
        UnusualError: markup stands in it, or it is neither text nor HTML.
    """
    if element.get("type") not in _TEXT_TYPES or element.get("mode") is not None:
        raise UnusualError
    return text_of(element)


def attributes_of(element: Any) -> dict[str, str]:
    """The attributes of an element, names in lower case.

    Raises:
        UnusualError: one of another namespace has a name that means something without it.
    """
    attributes = {}
    for name, value in element.items():
        if name[0] != "{":
            attributes[name.lower()] = value
        elif name.rpartition("}")[2].lower() in _ATTRIBUTES:
            raise UnusualError
    return attributes


def link_of(element: Any) -> dict[str, str]:
    """What a link says of itself; `url` and `uri` are other words for `href`."""
    link = attributes_of(element)
    for name in link.keys() & {"rel", "type"}:
        link[name] = link[name].lower()
    if href := link.get("url", link.get("uri")):
        link["href"] = href
    return link


def person_of(element: Any) -> dict[str, str | None]:
    """A person by elements (Atom), by name, or by mailbox (RSS).

    Raises:
        UnusualError: a text with @ that is no plain mailbox, or beside elements.
    """
    text = text_of(element) if not len(element) else (element.text or "").strip()
    if len(element) and not text:
        return {name_of(inner.tag) or "": (inner.text or "").strip() for inner in element}
    mailbox = _MAILBOX.fullmatch(text)
    if len(element) or ("@" in text and mailbox is None):
        raise UnusualError
    return {"email": mailbox[1], "name": mailbox[2]} if mailbox else {"name": text}


def is_cdf(element: Any) -> bool:
    """Whether an element says in attributes what others say in elements of their own."""
    return element.get("href") is not None or element.get("lastmod") is not None


def lang_of(element: Any, inherited: str | None) -> str | None:
    """The language that an element is in; an empty attribute ends the inherited one."""
    told = element.get(_LANG, element.get("lang"))
    return inherited if told is None else told or None


def about_of(element: Any) -> str | None:
    """What RDF calls an element."""
    about: str | None = element.get(_ABOUT)
    return about
