"""Site -> entries: what a web archive captured, the pages of a site and what its feed listed on each day.

The pages are still asked of their site first; each entry names the archive's copy for those that are gone.

Source: github.com/internetarchive/wayback, wayback-cdx-server: its parameters and text output.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import MAXYEAR, UTC, datetime, timedelta
from itertools import chain, pairwise
from urllib.parse import urlencode, urlsplit

from pipeline.archives.archive import Found, Reached, Span, Step, Wanted
from pipeline.archives.feed import read_feed, within
from pipeline.errors import ArchiveError, StageError
from pipeline.model import Entry
from pipeline.urls import canonical_url, same_site, site

CAPTURED_WITHIN = timedelta(days=30)  # of its publication; a page that was captured later only is not found
A_PAGE = 5000  # captures
LONGEST_LINE = 10_000  # bytes
_INDEX, _COPIES = "/cdx/search/cdx", "/web/"
_PAGES, _FEEDS, _FEED = "pages", "feeds", "feed"  # kinds of steps: captures of pages, of the feed; a feed as it was
_CAPTURE = re.compile(r"([0-9]{14}) (https?://\S+)", re.IGNORECASE)


class WaybackArchive:
    """The Wayback Machine, or what speaks as it does."""

    name = "wayback"

    def start(self, wanted: Wanted) -> tuple[Step, ...]:
        """The captures of the site's pages and of the feed."""
        pages = {
            "url": site(wanted.feed.url),
            "matchType": "domain",
            "filter": ["statuscode:200", "mimetype:text/html"],
        }
        feeds = {"url": wanted.feed.url, "matchType": "exact", "filter": ["statuscode:200"]}
        base = wanted.places.wayback.rstrip("/") + _INDEX
        return (
            Step(f"{base}?{_query(pages, wanted.span)}", _PAGES, carried=wanted.feed.url),
            Step(f"{base}?{_query(feeds, wanted.span)}", _FEEDS, carried=wanted.feed.url),
        )

    def read(self, step: Step, blocks: Iterable[bytes], span: Span) -> Iterator[Found]:
        """Pages that were captured in the range or soon after; the feed's captures; the entries that one of them held.

        Raises:
            ArchiveError: `bad-lines`, after all good ones; or what was captured is no feed.
        """
        if step.kind == _FEED:
            return _read_copy(step, b"".join(blocks), span)
        return _read_index(step, blocks)

    def instead(self, step: Step, error: StageError) -> tuple[Step | Reached, ...] | None:
        """Nothing: what it holds is missed."""
        return None


def _query(asked: Mapping[str, object], span: Span) -> str:
    shared = {"fl": "timestamp,original", "collapse": "digest", "limit": str(A_PAGE), "showResumeKey": "true"}
    if span.since:
        shared["from"] = span.since.strftime("%Y%m%d%H%M%S")
    if span.until and span.until.year < MAXYEAR:
        shared["to"] = (span.until + CAPTURED_WITHIN).strftime("%Y%m%d%H%M%S")
    return urlencode({**asked, **shared}, doseq=True)


def _read_index(step: Step, blocks: Iterable[bytes]) -> Iterator[Found]:
    """Captures, a line each, those of a page one after the other; then maybe an empty line and where to go on."""
    bad, last, key = 0, "", ""
    for before, line in pairwise(chain(("-",), _lines(blocks))):
        captured = _CAPTURE.fullmatch(line)
        found = _captured(step, captured[1], captured[2]) if captured else None
        if isinstance(found, Step) or (found is not None and found.id != last):
            last = "" if isinstance(found, Step) else found.id
            yield found
        elif line and captured is None:
            key, bad = (line, bad) if not before and not key else (key, bad + 1)
    if key:
        following = f"{step.url.partition('&resumeKey=')[0]}&{urlencode({'resumeKey': key})}"
        yield Step(following, step.kind, carried=step.carried)
    if bad:
        raise ArchiveError(step.url, "bad-lines", detail=f"{bad} of them")
    if not key and step.kind == _PAGES:
        yield Reached()


def _captured(step: Step, stamp: str, url: str) -> Step | Entry | None:
    copy = f"{step.url.partition(_INDEX)[0]}{_COPIES}{stamp}id_/{url}"
    if step.kind == _FEEDS:
        return Step(copy, _FEED, is_lasting=True)
    entry = _entry(stamp, url, copy)
    return entry if entry and same_site(entry.id, step.carried) else None


def _entry(stamp: str, url: str, copy: str) -> Entry | None:
    """A page as it was captured first; None for what is no article: the front page."""
    canonical = canonical_url(url)
    try:
        captured_at = datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    if canonical is None or urlsplit(canonical).path in ("", "/"):
        return None
    return Entry(id=canonical, url=url, published_at=captured_at, archive="wayback", copy=copy)


def _read_copy(step: Step, body: bytes, span: Span) -> Iterator[Found]:
    start, _, url = step.url.partition("id_/")
    for entry in within(read_feed(step, body, url), span):
        yield replace(entry, archive="wayback", copy=f"{start}id_/{entry.url}" if entry.url else None)


def _lines(blocks: Iterable[bytes]) -> Iterator[str]:
    """The lines of a text; of one that is too long only so much that it is seen to be none."""
    rest = b""
    for block in blocks:
        *whole, rest = (rest + block).split(b"\n")
        yield from (_line(line) for line in whole)
        rest = rest[: LONGEST_LINE + 1]
    if rest:
        yield _line(rest)


def _line(line: bytes) -> str:
    return line[: LONGEST_LINE + 1].decode("utf-8", "replace").strip() if len(line) <= LONGEST_LINE else "too long"
