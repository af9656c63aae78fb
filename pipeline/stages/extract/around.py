"""HTML tree, headline -> the lines before and after it: where readers are told who wrote an article, and when."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice, takewhile

from lxml import etree
from lxml.html import HtmlElement

from pipeline.stages.extract.body import BLOCKS, SILENT, line

LONGEST_LINE = 150  # characters; a longer one is a paragraph
MOST_LINES = 25  # on each side
LEVELS_BEFORE = 4  # from the heading upwards; beyond them is the head of the site
MOST_PARAGRAPHS = 3  # after which the article has begun
GAP = " | "  # between the texts of two elements that only their style keeps apart
_UNREAD = SILENT | {"aside", "footer", "nav"}


@dataclass(frozen=True, slots=True)
class Line:
    """A short line that readers see, and the moments that are marked in it."""

    text: str
    stamps: tuple[str, ...] = ()  # as <time datetime> gives them


def after(heading: HtmlElement) -> list[Line]:
    """The short lines after a heading, in order, until the article is well under way."""
    return _taken(heading, forward=True)


def before(heading: HtmlElement) -> list[Line]:
    """The short lines before a heading, the nearest first."""
    return _taken(heading, forward=False)


def _taken(heading: HtmlElement, forward: bool) -> list[Line]:
    taken: list[Line] = []
    paragraphs = 0
    for element in _beside(heading, forward):
        found = lines_of(element)
        for one in found if forward else reversed(list(found)):
            if len(one.text) > LONGEST_LINE:
                paragraphs += 1
            else:
                taken.append(one)
            if len(taken) == MOST_LINES or paragraphs == MOST_PARAGRAPHS:
                return taken
    return taken


def _beside(heading: HtmlElement, forward: bool) -> Iterator[HtmlElement]:
    """What follows an element, or precedes it, the nearest first: its siblings, its parent's, and so on."""
    inside = takewhile(lambda node: node.tag != "body", heading.iterancestors())
    for node in islice(chain([heading], inside), None if forward else LEVELS_BEFORE):
        if forward:
            yield from _tail(node)
        for sibling in node.itersiblings(preceding=not forward):
            if not forward:
                yield from _tail(sibling)
            if sibling.tag not in _UNREAD:
                yield sibling
            if forward:
                yield from _tail(sibling)


def _tail(node: HtmlElement) -> Iterator[HtmlElement]:
    """The text behind an element, as an element."""
    if node.tail and not node.tail.isspace():
        loose = etree.Element("p")
        loose.text = node.tail
        yield loose


def lines_of(root: HtmlElement) -> Iterator[Line]:
    """The lines in an element, as its blocks break them; lazily, because it may be the rest of the page."""
    parts: list[str] = []
    stamps: list[str] = []
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        tag = element.tag
        if event == "start" and tag in _UNREAD and element is not root:
            walk.skip_subtree()
            continue
        if tag in BLOCKS and parts:
            yield from _line(parts, stamps)
            parts, stamps = [], []
        if event == "start":
            if tag == "time" and element.get("datetime"):
                stamps.append(element.get("datetime"))
                parts.append("")
            text = element.text
        else:
            text = element.tail if element is not root else None
        if text:
            parts.append(text)
    yield from _line(parts, stamps)


def _line(parts: list[str], stamps: list[str]) -> Iterator[Line]:
    joined = ""
    for part in parts:
        gap = GAP if joined[-1:].isalnum() and part[:1].isalnum() else ""
        joined += gap + part
    if stamps or (joined and not joined.isspace()):
        yield Line(line(joined), tuple(stamps))
