"""Text -> tree of HTML, within bounds: how every page is parsed, whatever is looked for in it."""

import re

from lxml import etree, html
from lxml.html import HtmlElement

from pipeline.errors import ExtractError

MOST_BYTES = 4_000_000
MOST_ELEMENTS = 50_000
DEEPEST = 250  # levels; the parser itself gives up at 256 and cuts the page there
_IS_TOO_LARGE = etree.XPath(f"count(//*) > {MOST_ELEMENTS}")
_IS_TOO_DEEP = etree.XPath(f"boolean({'/*' * (DEEPEST + 1)})")
_CLOSED_SCRIPT = re.compile(rb"(<script\b[^<>]*)/>", re.IGNORECASE)
_SCRIPT_TAG = re.compile(rb"<(/?)script\b", re.IGNORECASE)
_HAS_RUBY = re.compile(rb"<r[tp]\b", re.IGNORECASE)
_READINGS = etree.XPath("//ruby//rt | //ruby//rp | //ruby//rtc")
_ELEMENTS = etree.ElementDefaultClassLookup(element=HtmlElement)  # lxml's own asks Python for each element


def parse(source: str | bytes, url: str) -> HtmlElement:
    """Parse a page, or its UTF-8, once, for all who read it: without the readings that ruby sets beside characters.

    Raises:
        ExtractError: `too-large` over MOST_BYTES or MOST_ELEMENTS, `too-deep` over DEEPEST levels,
            `no-text` when there is no element at all.
    """
    encoded = source.encode("utf-8", "replace") if isinstance(source, str) else source
    encoded = _with_open_scripts(encoded.replace(b"\0", b""))
    if len(encoded) > MOST_BYTES:
        raise ExtractError(url, "too-large", detail=f"{len(encoded)} bytes")
    parser = etree.HTMLParser(
        encoding="utf-8", collect_ids=False, default_doctype=False, remove_comments=True, remove_pis=True
    )
    parser.set_element_class_lookup(_ELEMENTS)
    try:
        tree = html.document_fromstring(encoded, parser=parser)
    except (etree.LxmlError, ValueError) as e:
        raise ExtractError(url, "no-text", detail="no HTML") from e
    if _IS_TOO_LARGE(tree):
        raise ExtractError(url, "too-large", detail=f"over {MOST_ELEMENTS} elements")
    if _IS_TOO_DEEP(tree):
        raise ExtractError(url, "too-deep")
    if _HAS_RUBY.search(encoded):
        for reading in _READINGS(tree):
            reading.drop_tree()
    return tree


def _with_open_scripts(encoded: bytes) -> bytes:
    """The source without the slash of `<script/>` where `</script>` comes next: else the program would be text.

    Source:
        WHATWG HTML section 13.1.2.1: the slash closes only foreign and void elements. XHTML's empty scripts stay.
    """

    def opened(tag: re.Match[bytes]) -> bytes:
        following = _SCRIPT_TAG.search(encoded, tag.end())
        return tag[1] + b">" if following and following[1] else tag[0]

    return _CLOSED_SCRIPT.sub(opened, encoded)
