"""Site -> entries: robots.txt names sitemaps, an index names further ones, and they list pages with dates.

Source: sitemaps.org protocol 0.9; Google's news sitemap extension.
"""

import zlib
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import lru_cache
from typing import Any

from lxml import etree

from pipeline import urls
from pipeline.archives.archive import Found, Reached, Span, Step, Wanted
from pipeline.errors import ArchiveError, StageError
from pipeline.model import Entry
from pipeline.stages import langtag
from pipeline.stages.parse.values import iso_moment, plain_text

LARGEST = 100_000_000  # bytes of one sitemap, unpacked; the protocol allows half of that
SLACK = timedelta(days=1)  # dates without a time zone, and those of the page itself
WELL_KNOWN = "/sitemap.xml"
_GUESSED = "guessed"  # a sitemap that nothing names
_STEP = 65_536  # bytes unpacked and read at once
_GZIP = 0x1F  # its first byte, and never that of XML


class SitemapArchive:
    """The sitemaps of a feed's site."""

    name = "sitemap"

    def __init__(self, largest: int = LARGEST) -> None:
        self._largest = largest

    def start(self, wanted: Wanted) -> tuple[Step, ...]:
        """The site's robots.txt."""
        return (Step(urls.absolute_url("/robots.txt", wanted.feed.url) or wanted.feed.url, "robots"),)

    def read(self, step: Step, blocks: Iterable[bytes], span: Span) -> Iterator[Found]:
        """Pages that may be in the range, and the sitemaps that may hold such.

        Raises:
            ArchiveError: it is no sitemap, broken, or too large.
        """
        if step.kind == "robots":
            return _read_robots(step, blocks)
        return _read_sitemap(step, _unpacked(step, blocks, self._largest), span)

    def instead(self, step: Step, error: StageError) -> tuple[Step | Reached, ...] | None:
        """Without a robots.txt, the well-known place; if nothing is there, the site has none."""
        if error.retryable or step.kind not in ("robots", _GUESSED):
            return None
        return (_well_known(step),) if step.kind == "robots" else ()


def _well_known(step: Step) -> Step:
    return Step(urls.absolute_url(WELL_KNOWN, step.url) or step.url, _GUESSED)


def _read_robots(step: Step, blocks: Iterable[bytes]) -> Iterator[Found]:
    named = []
    for line in b"".join(blocks).decode("utf-8-sig", "replace").splitlines():
        field, _, value = line.partition("#")[0].partition(":")
        url = _link(value, step)
        if field.strip().lower() == "sitemap" and url:
            named.append(Step(url))
    yield from named or (_well_known(step),)


def _read_sitemap(step: Step, blocks: Iterable[bytes], span: Span) -> Iterator[Found]:
    parser = etree.XMLPullParser(
        events=("end",), resolve_entities=False, no_network=True, recover=False, huge_tree=False
    )
    try:
        for block in blocks:
            parser.feed(block)
            yield from _elements(parser, step, span)
        root = parser.close()
        yield from _elements(parser, step, span)
    except (etree.XMLSyntaxError, zlib.error) as e:
        yield from _elements(parser, step, span)  # those before the error
        raise ArchiveError(step.url, "malformed-sitemap", detail=str(e)) from e
    if _local(root) not in ("urlset", "sitemapindex"):
        raise ArchiveError(step.url, "not-a-sitemap", detail=_local(root))


def _elements(parser: Any, step: Step, span: Span) -> Iterator[Found]:
    """What the root's children say; each is let go when it was read."""
    for _, element in parser.read_events():
        root = element.getparent()
        if root is None or root.getparent() is not None:
            continue
        found = _found(element, step, span)
        element.clear()
        while element.getprevious() is not None:
            del root[0]
        if found is not None:
            yield found


def _found(element: Any, step: Step, span: Span) -> Found | None:
    match _local(element):
        case "sitemap":
            return _step(element, step, span)
        case "url":
            return _entry(element, step, span)
        case _:
            return None


def _step(element: Any, step: Step, span: Span) -> Step | Reached | None:
    """A child sitemap, unless nothing in it was touched since the range began."""
    texts = _texts(element)
    url = _link(texts.get("loc", ""), step)
    if url is None or not urls.same_site(url, step.url):
        return None
    return Reached() if span.is_after(iso_moment(texts.get("lastmod")), SLACK) else Step(url)


def _entry(element: Any, step: Step, span: Span) -> Entry | Reached | None:
    """A page, unless its date says that it cannot be in the range.

    A page that was changed after the range may have been published within; one changed before was not.
    """
    texts = _texts(element)
    url = _link(texts.get("loc", ""), step)
    canonical = urls.canonical_url(url) if url else None
    published_at, changed_at = iso_moment(texts.get("publication_date")), iso_moment(texts.get("lastmod"))
    if canonical is None or not _is_of_site("/".join(canonical.split("/", 3)[:3]), step.url):
        return None
    if span.is_after(changed_at, SLACK):
        return Reached()
    if not span.may_hold(published_at, SLACK):
        return None
    title, lang = plain_text(texts.get("title")), langtag.usual(texts.get("language"))
    return Entry(
        id=canonical,
        url=url,
        title=title,
        published_at=published_at,
        updated_at=changed_at,
        lang=lang,
        archive="sitemap",
    )


@lru_cache(maxsize=1_000)
def _is_of_site(origin: str, url: str) -> bool:
    """Whether an origin belongs to the site of a URL: a sitemap names the same one 50,000 times."""
    return urls.same_site(origin, url)


def _link(text: str, step: Step) -> str | None:
    """What a document names, relative to itself; None when it names nothing."""
    return urls.absolute_url(text, step.url) if text.strip() else None


def _texts(element: Any) -> dict[str, str]:
    """The texts of the leaves below an element by local name; of images and videos nothing."""
    found: dict[str, str] = {}
    for child in element.iter():
        is_foreign = isinstance(child.tag, str) and ("image" in child.tag or "video" in child.tag)
        if isinstance(child.tag, str) and not is_foreign and not len(child) and child.text:
            found.setdefault(_local(child), child.text.strip())
    return found


def _local(element: Any) -> str:
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def _unpacked(step: Step, blocks: Iterable[bytes], largest: int) -> Iterator[bytes]:
    """The document in small pieces, unpacked where it is gzip, within the limit."""
    unpacker, total = None, 0
    for number, block in enumerate(filter(None, blocks)):
        if number == 0 and block[0] == _GZIP:
            unpacker = zlib.decompressobj(31)
        for piece in _inflated(unpacker, block) if unpacker else _sliced(block):
            total += len(piece)
            if total > largest:
                raise ArchiveError(step.url, "too-large", detail=f"over {largest} bytes")
            yield piece
    if unpacker is not None and not unpacker.eof:
        raise ArchiveError(step.url, "truncated-gzip")


def _sliced(block: bytes) -> Iterator[bytes]:
    return (block[at : at + _STEP] for at in range(0, len(block), _STEP))


def _inflated(unpacker: Any, block: bytes) -> Iterator[bytes]:
    while block and not unpacker.eof:
        yield unpacker.decompress(block, _STEP)
        block = unpacker.unconsumed_tail
