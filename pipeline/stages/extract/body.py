"""HTML -> text: one function for each way to find the body of an article.

All give paragraphs, each ended by one newline but the last: no blank lines, no marks, no control characters.
"""

import logging
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from importlib.metadata import version

import trafilatura
from lxml import etree
from lxml.html import HtmlElement

from pipeline.errors import ExtractError
from pipeline.stages.markup import parse

TRAFILATURA = f"trafilatura@{version('trafilatura')}"
FOREIGN_ERRORS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, etree.LxmlError)

# Elements that begin and end a paragraph: HTML's blocks, and what trafilatura calls them (item, lb, quote, row ...).
_HTML_BLOCKS = """address article aside blockquote body br caption center dd details div dl dt figcaption figure footer
    form h1 h2 h3 h4 h5 h6 header hr legend li main nav ol p pre section summary table tbody tfoot thead tr ul"""
BLOCKS = frozenset(_HTML_BLOCKS.split()) | {"head", "item", "lb", "list", "quote", "row"}
_CELLS = frozenset({"cell", "td", "th"})
SILENT = frozenset({"button", "iframe", "noscript", "object", "script", "select", "style", "svg", "template", "title"})
_ESCAPED_MARKUP = re.compile(r"&lt;/?(?:p|br|div|a|b|i|em|strong|ul|li|h[1-6]|img|span)\b", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
# Control characters but those that break lines, and characters that are there to be invisible: soft hyphens, zero-width
# spaces, byte order marks, direction marks, tags, halves of surrogate pairs. The joiners that scripts need stay.
_NO_LETTER = re.compile(r"[\W_]+")
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)

for _name in ("trafilatura", "htmldate", "justext", "courlan"):
    logging.getLogger(_name).addHandler(logging.NullHandler())  # what they would print is our reason


def by_trafilatura(tree: HtmlElement, url: str) -> str:
    """The main text of a page as trafilatura finds it; empty when it finds none.

    Raises:
        ExtractError: `extractor-failed` when trafilatura stumbles over the page.
    """
    with translated(url):
        document = trafilatura.bare_extraction(tree, url=url, include_comments=False, with_metadata=False)
    found = getattr(document, "body", None)
    return "" if found is None else block_text(found)


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn whatever a foreign extractor raises over a page into an ExtractError, `extractor-failed`."""
    try:
        yield
    except FOREIGN_ERRORS as e:
        raise ExtractError(url, "extractor-failed", detail=type(e).__name__) from e


def of_markup(source: str | None) -> str:
    """The text of HTML, escaped HTML or plain text, as feeds carry it."""
    if not source or not source.strip():
        return ""
    if _ESCAPED_MARKUP.search(source) and "<" not in source:
        source = unescape(source)
    if "<" not in source and "&" not in source:
        return fold(source)
    try:
        return block_text(parse(f"<html><body><div>{source}</div></body></html>", ""))
    except ExtractError:
        return ""


def block_text(root: HtmlElement) -> str:
    """All text below an element, one line for each block; scripts and forms' buttons say nothing."""
    parts: list[str] = []
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        edge = "\n" if element.tag in BLOCKS else " " if element.tag in _CELLS else ""
        if event == "end":
            parts += (edge, "" if element is root else _run(element.tail))
        elif element.tag in SILENT:
            walk.skip_subtree()
        else:
            parts += (edge, _run(element.text))
    return fold("".join(parts))


def fold(text: str) -> str:
    """Fold whitespace, drop control characters and empty lines, compose characters (NFC)."""
    folded = (" ".join(one.split()) for one in composed(text).splitlines())
    return "\n".join(one for one in folded if one)


def composed(text: str) -> str:
    """A text without control characters, its characters composed (NFC)."""
    return unicodedata.normalize("NFC", _UNSEEN.sub("", text))


def line(text: str | None) -> str:
    """A text on one line, folded; empty for none."""
    if not text:
        return ""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    return fold(text).replace("\n", " ")


def _run(text: str | None) -> str:
    return _SPACE.sub(" ", text) if text else ""


def without_headline(text: str, title: str) -> str:
    """A text without its first paragraph where that is the title again, perhaps without the site's name."""
    if _first_letter(text) != _first_letter(title):  # as with most: quicker
        return text
    first, _, rest = text.partition("\n")
    heading, whole = _letters(first), _letters(title)
    is_title = whole.startswith(heading) and len(heading) * 2 > len(whole)
    return rest if rest and is_title else text


def _first_letter(text: str) -> str:
    return next(filter(str.isalnum, text), "").casefold()[:1]


def _letters(text: str) -> str:
    return _NO_LETTER.sub("", text.casefold())
