"""Range -> WARC files of Common Crawl's news crawl: lists by month, files by the moment in their names, read in blocks.

Source: commoncrawl.org, "News Dataset Available" (2016), and the names in crawl-data/CC-NEWS.
"""

import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from pipeline import backoff
from pipeline.archives.archive import Span
from pipeline.errors import ArchiveError
from pipeline.model import Request, RequestKind, Response

BASE = "https://data.commoncrawl.org/"
FIRST = datetime(2016, 8, 1, tzinfo=UTC)
EARLY = timedelta(days=1)  # that a file may have been begun before the range and still reach into it
LATE = timedelta(days=3)  # after its publication by which an article is crawled
LARGEST_LIST = 10_000_000  # bytes, unpacked; a month has some hundred files

_NAME = re.compile(r"crawl-data/CC-NEWS/\d{4}/\d{2}/CC-NEWS-(\d{14})-\d{5}\.warc\.gz")
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")


def lists(span: Span, now: datetime) -> Iterator[str]:
    """The lists of the months that can hold the range, oldest first."""
    first = max((span.since or FIRST) - EARLY, FIRST)
    last = min((span.until or now) + LATE, now)
    for month in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        yield f"crawl-data/CC-NEWS/{month // 12}/{month % 12 + 1:02}/warc.paths.gz"


def files(name: str, packed: bytes, span: Span) -> Iterator[str | ArchiveError]:
    """The files in a list that can hold the range; a line that names none is an error value.

    Raises:
        ArchiveError: the list cannot be unpacked.
    """
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        text = inflater.decompress(packed, LARGEST_LIST).decode("ascii", "replace")
    except zlib.error as e:
        raise ArchiveError(name, "not-a-list", detail=str(e)) from e
    if not inflater.eof:
        raise ArchiveError(name, "not-a-list", detail="it ends early, or is too large")
    for line in text.split():
        if (known := _NAME.fullmatch(line)) is None:
            yield ArchiveError(name, "not-a-warc", detail=line[:100])
        elif _may_hold(known[1], span):
            yield line


def request_for(url: str, start: int = 0, size: int | None = None) -> Request:
    """Ask for a file from a byte on, so many bytes of it."""
    last = "" if size is None else start + size - 1
    part = (("Range", f"bytes={start}-{last}"),) if start or size else ()
    return Request(url, RequestKind.DATASET, (("Accept-Encoding", "identity"), *part))


def block_of(url: str, start: int, response: Response) -> tuple[bytes, bool]:
    """The bytes from `start` on that came, and whether they are the file's last.

    Raises:
        ArchiveError: the answer is no success, or another part than the one asked for.
    """
    if response.status == 206:
        told = _RANGE.fullmatch(response.header("content-range") or "")
        if told is None or int(told[1]) != start:
            raise ArchiveError(url, "wrong-part", detail=response.header("content-range") or "")
        return response.body, start + len(response.body) >= int(told[2])
    if response.status == 200:
        return response.body[start:], True
    is_passing = backoff.is_temporary(response.status)
    retry_at = backoff.rest_until(response, response.received_at)
    raise ArchiveError(url, f"http-{response.status}", retryable=is_passing, retry_at=retry_at)


def _may_hold(begun: str, span: Span) -> bool:
    """Whether a file that was begun at that moment may hold something of the range."""
    try:
        at = datetime.strptime(begun, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return False
    is_before = span.since is not None and at + EARLY < span.since
    return not is_before and (span.until is None or at - LATE < span.until)
