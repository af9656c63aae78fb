"""HTML tree -> JSON-LD nodes: what a publisher tells search engines about the page, broken JSON tolerated."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from html import unescape

from lxml.html import HtmlElement

Node = Mapping[str, object]

_ARTICLE = re.compile(r"(?:Article|Posting|Report|Review)$")
_ORGANISATION = re.compile(r"Organi[sz]ation$|^Corporation$")
_WEB_PAGE = re.compile(r"Page$")

# Keys that lead to the page's own nodes; others (itemListElement, mentions ...) lead to other articles.
_INWARD = ("@graph", "mainEntity", "mainEntityOfPage")
_WORDS = re.compile(r"\w+")
_MOST_NODES = 2_000
_WRAPPER = re.compile(r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[)|(?:-->|//\s*\]\]>|\]\]>|;)\s*$")
_TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")
_SALVAGED = re.compile(r'"(headline|datePublished|dateModified)"\s*:\s*"((?:[^"\\]|\\.){1,500})"')


def nodes(tree: HtmlElement) -> tuple[Node, ...]:
    """All nodes that speak of the page itself, in document order."""
    found: list[Node] = []
    for script in tree.iter("script"):
        if "ld+json" in (script.get("type") or "").lower() and script.text:
            found.extend(_flat(_load(script.text)))
    return tuple(found[:_MOST_NODES])


def article(found: Sequence[Node], url: str, title: str) -> Node:
    """The node of the page's own article; an empty node if none.

    It is the one that names the URL, else the one with the page's title, else the first, unless there are several and
    all have other titles: they are of other articles, then.
    """
    articles = [node for node in found if is_a(_ARTICLE, node)]
    named = next((node for node in articles if url in _addresses(node)), None)
    if named is not None or len(articles) < 2:
        return named or next(iter(articles), {})
    return next((node for node in articles if _may_be_titled(node, title)), {})


def web_page(found: Sequence[Node]) -> Node:
    """The node of the page as such; an empty node if none."""
    return next((node for node in found if is_a(_WEB_PAGE, node)), {})


def text(value: object) -> str | None:
    """A plain string of a property that may be a string, a list of them, or a node with a value."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, Mapping):
        value = value.get("@value")
    return (" ".join(unescape(value).split()) or None) if isinstance(value, str) else None


def names(value: object, found: Sequence[Node]) -> Iterator[str]:
    """The name of each thing that a property holds; references by @id are followed once."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Mapping):
            node = item if "name" in item else _referred(item, found)
            inner = node.get("name")
            yield from (name for name in (inner if isinstance(inner, list) else [inner]) if isinstance(name, str))
        elif isinstance(item, str):
            yield item


def people(value: object, found: Sequence[Node]) -> Iterator[str]:
    """The name of each author that is not marked as an organisation; Doe, Jane is left as it is."""
    for item in value if isinstance(value, list) else [value]:
        node = item if isinstance(item, Mapping) and "name" in item else _referred(item, found)
        if not is_a(_ORGANISATION, node):
            yield from names(item, found)


def _load(source: str) -> object:
    while (bare := _WRAPPER.sub("", source)) != source:
        source = bare
    for attempt in (source, _TRAILING_COMMA.sub("", source)):
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    salvaged: dict[str, object] = {}
    for match in _SALVAGED.finditer(source):
        salvaged.setdefault(match[1], match[2])
    return {"@type": "Article", **salvaged} if salvaged else None


def _flat(value: object) -> Iterator[Node]:
    pending, seen = [value], 0
    while pending and seen < _MOST_NODES:
        item = pending.pop()
        seen += 1
        if isinstance(item, list):
            pending.extend(reversed(item))
        elif isinstance(item, dict):
            yield item
            pending.extend(item[key] for key in reversed(_INWARD) if isinstance(item.get(key), list | dict))


def is_a(kind: re.Pattern[str], node: Node) -> bool:
    """Whether one of a node's types is of this kind."""
    types = node.get("@type")
    return any(isinstance(one, str) and kind.search(one) for one in (types if isinstance(types, list) else [types]))


def _may_be_titled(node: Node, title: str) -> bool:
    own = {word for name in ("headline", "name") for word in _WORDS.findall((text(node.get(name)) or "").casefold())}
    known = own.intersection(_WORDS.findall(title.casefold()))
    return not own or not title or 2 * len(known) >= len(own)


def _addresses(node: Node) -> frozenset[object]:
    page = node.get("mainEntityOfPage")
    own = page.get("@id") if isinstance(page, Mapping) else page
    return frozenset(value for value in (node.get("url"), node.get("@id"), own) if isinstance(value, str))


def _referred(item: object, found: Sequence[Node]) -> Node:
    wanted = item.get("@id") if isinstance(item, Mapping) else None
    return next((node for node in found if wanted is not None and node.get("@id") == wanted), {})
