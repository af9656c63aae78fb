"""Page -> the URL of what else belongs to its article: its next page, or another version that may show more of it.

Only what a page itself links within its site counts, and as a next page only what is spelled like this page with the
next number: many sites call their next article `next` too.
"""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urljoin

from pipeline.model import Page, Request, RequestKind
from pipeline.stages.fetch import ACCEPT
from pipeline.urls import canonical_url, same_site

MOST_PAGES = 10  # of one article
NOTHING_SHOWN = frozenset({"no-text", "too-short"})  # reasons after which another version may help
_TAG = re.compile(rb"<(?:a|link)\s([^<>]{1,2000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\b(rel|href|media)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_IN_QUERY = re.compile(r"[?&](?:page|seite|pagina|p|pg)=(\d+)")
_END = re.compile(r"(\.\w{2,5})?/?$")  # of a path: its suffix, its slash


def next_page(first: str, page: Page, number: int) -> str | None:
    """The URL of the page after the `number`-th of the article that begins at `first`; None: that is its last."""
    for attributes in _links(page.body, *(f"{mark}{number + 1}".encode() for mark in "/=-_,")):
        url = _target(attributes, page.url)
        is_next = "next" in attributes.get("rel", "").lower().split()
        if url and _is_numbered(url, first, number + 1, is_next):
            return url
    return None


def other_version(page: Page) -> str | None:
    """The URL of the version of a page for phones (AMP) or for print, if it names one."""
    for attributes in _links(page.body, b"amphtml", b"print"):
        rel = attributes.get("rel", "").lower().split()
        is_print = "alternate" in rel and attributes.get("media", "").lower() == "print"
        url = _target(attributes, page.url) if "amphtml" in rel or is_print else None
        if url and url != page.url:
            return url
    return None


def request_to(url: str) -> Request:
    """Ask for what belongs to an article."""
    return Request(url, RequestKind.PAGE, (("Accept", ACCEPT),))


def _links(body: bytes, *marks: bytes) -> Iterator[dict[str, str]]:
    """The attributes of the links in whose source a mark stands."""
    for tag in _TAG.finditer(body):
        if any(mark in tag[1] for mark in marks):
            source = tag[1].decode("utf-8", "replace")
            found = _ATTRIBUTE.findall(source)
            yield {name.lower(): unescape("".join(values)) for name, *values in found}


def _target(attributes: dict[str, str], base: str) -> str | None:
    """Where a link within the site leads, spelled as it is: our own spelling knows no AMP."""
    try:
        url = urljoin(base, attributes.get("href", "").strip())
    except ValueError:
        return None
    return url.partition("#")[0] if canonical_url(url) and same_site(url, base) else None


def _is_numbered(url: str, first: str, number: int, is_next: bool) -> bool:
    """Whether a URL is that of the article with a number: in its path; where it is said to be next, also elsewhere."""
    ours, begun = canonical_url(url) or "", canonical_url(first) or ""
    path, _, query = begun.partition("?")
    other, _, other_query = ours.partition("?")
    stem = _END.sub("", path)
    if other.rstrip("/") in (f"{path.rstrip('/')}/{number}", f"{path.rstrip('/')}/page/{number}"):
        return query == other_query
    if not is_next:
        return False
    if _END.sub("", other) in (f"{stem}-{number}", f"{stem}_{number}", f"{stem},{number}"):
        return query == other_query
    found = _IN_QUERY.search(f"?{other_query}")
    return other.rstrip("/") == path.rstrip("/") and found is not None and int(found[1]) == number
