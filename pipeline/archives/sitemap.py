"""Site -> entries: robots.txt names sitemaps, an index names further ones, and they list pages with dates.

Source: sitemaps.org protocol 0.9; Google's news sitemap extension.
"""

import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from lxml import etree

from pipeline import urls
from pipeline.archives.archive import Span, Step
from pipeline.errors import ArchiveError
from pipeline.model import Entry, Feed

LARGEST = 100_000_000  # bytes of one sitemap, unpacked; the protocol allows half of that
SLACK = timedelta(days=1)  # dates without a time zone, and those of the page itself
WELL_KNOWN = "/sitemap.xml"
_STEP = 65_536  # bytes unpacked at once


class SitemapArchive:
    """The sitemaps of a feed's site."""

    name = "sitemap"

    def start(self, feed: Feed) -> tuple[Step, ...]:
        """The site's robots.txt."""
        return (Step(urls.absolute_url("/robots.txt", feed.url) or feed.url, "robots"),)

    def read(self, step: Step, blocks: Iterable[bytes], span: Span) -> Iterator[Entry | Step]:
        """Pages that may be in the range, and the sitemaps that may hold such.

        Raises:
            ArchiveError: it is no sitemap, broken, or too large.
        """
        return _read_robots(step, blocks) if step.kind == "robots" else _read_sitemap(step, blocks, span)

    def missing(self, step: Step) -> tuple[Step, ...]:
        """Without a robots.txt, the well-known place."""
        return (_well_known(step),) if step.kind == "robots" else ()


def _well_known(step: Step) -> Step:
    return Step(urls.absolute_url(WELL_KNOWN, step.url) or step.url)


def _read_robots(step: Step, blocks: Iterable[bytes]) -> Iterator[Entry | Step]:
    named = []
    for line in b"".join(blocks).decode("utf-8", "replace").splitlines():
        field, _, value = line.partition(":")
        url = urls.absolute_url(value.strip(), step.url)
        if field.strip().lower() == "sitemap" and url:
            named.append(Step(url))
    yield from named or (_well_known(step),)


def _read_sitemap(step: Step, blocks: Iterable[bytes], span: Span) -> Iterator[Entry | Step]:
    parser = etree.XMLPullParser(
        events=("end",), resolve_entities=False, no_network=True, recover=False, huge_tree=False
    )
    try:
        for block in _unpacked(step, blocks):
            parser.feed(block)
            yield from _elements(parser, step, span)
        parser.close()
        yield from _elements(parser, step, span)
    except (etree.XMLSyntaxError, zlib.error) as e:
        raise ArchiveError(step.url, "malformed-sitemap", detail=str(e)) from e


def _elements(parser: Any, step: Step, span: Span) -> Iterator[Entry | Step]:
    for _, element in parser.read_events():
        name = _local(element)
        if name not in ("url", "sitemap"):
            continue
        found = _step(element, step, span) if name == "sitemap" else _entry(element, step, span)
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]
        if found is not None:
            yield found


def _step(element: Any, step: Step, span: Span) -> Step | None:
    """A child sitemap, unless nothing in it was touched since the range began."""
    texts = _texts(element)
    url = urls.absolute_url(texts.get("loc", ""), step.url)
    changed_at = _moment(texts.get("lastmod"))
    if url is None or not urls.same_site(url, step.url) or _is_before(changed_at, span):
        return None
    return Step(url)


def _entry(element: Any, step: Step, span: Span) -> Entry | None:
    """A page, unless its date says that it cannot be in the range.

    A page that was changed after the range may have been published within; one changed before was not.
    """
    texts = _texts(element)
    url = urls.absolute_url(texts.get("loc", ""), step.url)
    canonical = urls.canonical_url(url) if url else None
    published_at, changed_at = _moment(texts.get("publication_date")), _moment(texts.get("lastmod"))
    if canonical is None or not urls.same_site(canonical, step.url) or _is_before(changed_at, span):
        return None
    wide = Span(span.since and span.since - SLACK, span.until and span.until + SLACK)
    if published_at is not None and not wide.may_hold(published_at):
        return None
    moment = published_at or changed_at
    title, lang = texts.get("title"), texts.get("language")
    return Entry(
        id=canonical, url=url, title=title, published_at=moment, updated_at=changed_at, lang=lang, archive="sitemap"
    )


def _is_before(changed_at: datetime | None, span: Span) -> bool:
    return changed_at is not None and span.since is not None and changed_at < span.since - SLACK


def _texts(element: Any) -> dict[str, str]:
    """The texts below an element by local name; of images and videos nothing."""
    found: dict[str, str] = {}
    for child in element.iter():
        is_foreign = isinstance(child.tag, str) and ("image" in child.tag or "video" in child.tag)
        if child is not element and isinstance(child.tag, str) and not is_foreign and child.text:
            found.setdefault(_local(child), child.text.strip())
    return found


def _local(element: Any) -> str:
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def _moment(text: str | None) -> datetime | None:
    """A W3C date or time; the first moment of a date."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _unpacked(step: Step, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks, unpacked where the document is gzip, within the limit."""
    unpacker, total, is_first = None, 0, True
    for block in blocks:
        if is_first and block[:2] == b"\x1f\x8b":
            unpacker = zlib.decompressobj(31)
        is_first = False
        for piece in _inflated(unpacker, block) if unpacker else (block,):
            total += len(piece)
            if total > LARGEST:
                raise ArchiveError(step.url, "too-large", detail=f"over {LARGEST} bytes")
            yield piece
    if unpacker is not None and not unpacker.eof:
        raise ArchiveError(step.url, "truncated-gzip")


def _inflated(unpacker: Any, block: bytes) -> Iterator[bytes]:
    while block and not unpacker.eof:
        yield unpacker.decompress(block, _STEP)
        block = unpacker.unconsumed_tail
