"""HTML tree -> the URL of what else belongs to its article: its next page, or another version that may show more of it.

Only what a page itself links within its site counts, and as a next page only what is spelled like this page with the
next number: many sites call their next article `next` too.
"""

import re
from itertools import islice
from urllib.parse import urljoin

from lxml.html import HtmlElement

from pipeline.model import Request, RequestKind
from pipeline.stages.fetch import ACCEPT
from pipeline.urls import canonical_url, same_site

MOST_PAGES = 10  # of one article
MOST_LINKS = 50  # of a page that are looked at closely
NOTHING_SHOWN = frozenset({"no-text", "too-short"})  # reasons after which another version may help
_IN_QUERY = re.compile(r"[?&](?:page|seite|pagina|p|pg)=(\d+)")
_END = re.compile(r"(\.\w{2,5})?/?$")  # of a path: its suffix, its slash


def next_page(first: str, tree: HtmlElement, url: str, number: int) -> str | None:
    """The URL of the page after the `number`-th, at `url`, of the article that begins at `first`; None for its last."""
    digits = str(number + 1)
    numbered = re.compile(rf"(?:^|[/=_,-]){digits}(?:\.\w{{2,5}})?/?(?:[?&#]|$)")
    links = (one for one in tree.iter("a", "link") if digits in (href := one.get("href", "")) and numbered.search(href))
    for link in islice(links, MOST_LINKS):
        target = _target(link, url)
        if target and _is_numbered(target, first, number + 1, "next" in _relations(link)):
            return target
    return None


def other_version(tree: HtmlElement, url: str) -> str | None:
    """The URL of the version of a page for phones (AMP) or for print, if it names one."""
    for link in tree.iter("link"):
        relations = _relations(link)
        is_print = "alternate" in relations and link.get("media", "").lower() == "print"
        target = _target(link, url) if link.get("href") and ("amphtml" in relations or is_print) else None
        if target and target != url:
            return target
    return None


def request_to(url: str) -> Request:
    """Ask for what belongs to an article."""
    return Request(url, RequestKind.PAGE, (("Accept", ACCEPT),))


def _relations(link: HtmlElement) -> list[str]:
    return str(link.get("rel", "")).lower().split()


def _target(link: HtmlElement, base: str) -> str | None:
    """Where a link within the site leads, spelled as it is: our own spelling knows no AMP."""
    try:
        url = urljoin(base, link.get("href").strip())
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
