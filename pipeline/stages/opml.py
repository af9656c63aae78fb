"""OPML <-> feeds: the lists that feed readers exchange; folders are tags.

Source: opml.org/spec2.opml, "Subscription lists".
"""

import re
from collections.abc import Iterable, Iterator

from lxml import etree

from pipeline.errors import ParseError
from pipeline.model import Feed
from pipeline.urls import absolute_url

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # by XML


def read(body: bytes, name: str) -> tuple[Feed, ...]:
    """The feeds of a list, in its order; one that stands in several folders has the tags of all of them.

    Raises:
        ParseError: `malformed-xml`, or `not-opml`.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as e:
        raise ParseError(name, "malformed-xml", detail=str(e)[:200]) from e
    outlines = root.find("body")
    if root.tag != "opml" or outlines is None:
        raise ParseError(name, "not-opml")
    found: dict[str, Feed] = {}
    for feed in _feeds(outlines, ()):
        before = found.get(feed.url)
        tags = dict.fromkeys((*before.tags, *feed.tags)) if before else feed.tags
        found[feed.url] = Feed(id=0, url=feed.url, title=before.title if before else feed.title, tags=tuple(tags))
    return tuple(found.values())


def _feeds(outline: etree._Element, folders: tuple[str, ...]) -> Iterator[Feed]:
    for child in outline.iterchildren("outline"):
        url = absolute_url(child.get("xmlUrl") or "")
        title = " ".join((child.get("title") or child.get("text") or "").split())
        if url:
            yield Feed(id=0, url=url, title=title or url, tags=folders)
        else:
            yield from _feeds(child, (*folders, title) if title else folders)


def write(feeds: Iterable[Feed]) -> str:
    """A list of feeds as feed readers import it, in folders by their tags."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = "defnews"
    folders: dict[tuple[str, ...], etree._Element] = {(): etree.SubElement(root, "body")}
    for feed in feeds:
        folder = folders[()]
        for depth in range(1, len(feed.tags) + 1):
            path = feed.tags[:depth]
            if path not in folders:
                folders[path] = etree.SubElement(folder, "outline", **_titled(path[-1]))
            folder = folders[path]
        etree.SubElement(folder, "outline", type="rss", **_titled(feed.title), xmlUrl=feed.url)
    listed: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)
    return listed.decode()


def _titled(title: str) -> dict[str, str]:
    legal = _FORBIDDEN.sub(" ", title)
    return {"text": legal, "title": legal}
