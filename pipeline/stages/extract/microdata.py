"""HTML tree -> nodes: what publishers mark in their HTML (schema.org microdata), in the shape of JSON-LD."""

from collections.abc import Iterator

from lxml.etree import XPath
from lxml.html import HtmlElement

from pipeline.stages.extract.jsonld import Node

MOST_PROPERTIES = 300
LONGEST_VALUE = 500  # characters; the text of the article is a property too
_MARKED = XPath("//@itemprop/..")
_ARTICLE = ("Article", "Posting")
_WORTH = frozenset(
    {
        "author",
        "headline",
        "name",
        "datePublished",
        "dateModified",
        "articleSection",
        "keywords",
        "inLanguage",
        "publisher",
        "isAccessibleForFree",
        "mainEntityOfPage",
        "url",
    }
)


def nodes(tree: HtmlElement) -> tuple[Node, ...]:
    """The articles that are marked, in document order; last, one of what is marked outside of any item."""
    items: dict[HtmlElement | None, dict[str, list[object]]] = {}
    marked = _MARKED(tree)[:MOST_PROPERTIES]
    for element in marked:
        for owner in (_owner(element), element) if element.get("itemscope") is not None else (_owner(element),):
            items.setdefault(owner, {"@type": [_type(owner)]})
    for element in marked:
        value = items[element] if element in items else _value(element)
        for name in set((element.get("itemprop") or "").split()) & _WORTH:
            items[_owner(element)].setdefault(name, []).append(value)
    loose = items.pop(None, None)
    articles = [node for node in items.values() if str(node["@type"][0]).endswith(_ARTICLE)]
    return (*articles, loose) if loose else tuple(articles)


def _owner(element: HtmlElement) -> HtmlElement | None:
    return next((one for one in element.iterancestors() if one.get("itemscope") is not None), None)


def _type(item: HtmlElement | None) -> str:
    return "Article" if item is None else (item.get("itemtype") or "").rstrip("/").rpartition("/")[2]


def _value(element: HtmlElement) -> str:
    stated = (element.get(name) for name in ("content", "datetime", "href", "src"))
    return (next(filter(None, stated), None) or "".join(_texts(element)))[:LONGEST_VALUE].strip()


def _texts(element: HtmlElement) -> Iterator[str]:
    length = 0
    for text in element.itertext():
        yield text
        length += len(text)
        if length > LONGEST_VALUE:
            return
