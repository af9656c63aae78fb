"""WARC -> entries: the pages of wanted sites with the bytes that a crawler kept, record by record.

A file is read in stretches: each says where the next one begins, so that a run can stop anywhere and go on there, and
what is broken costs only the records around it.

Source: ISO 28500 (WARC 1.1), Annex D for compression record by record; IIPC, "Zstandard compression for WARC files".
"""

import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from io import BytesIO
from types import MappingProxyType
from typing import BinaryIO, cast

from fastwarc.stream_io import BrotliReader, ChunkedReader, GzipReader, WarcReader, ZstdReader
from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

from pipeline import urls
from pipeline.archives.archive import Span
from pipeline.errors import ArchiveError, FetchError
from pipeline.model import Entry, Page, Response
from pipeline.stages import fetch

LARGEST_PAGE = 5_000_000  # bytes, as over the web
LARGEST_HEAD = 65_536  # bytes of the response's header
CLOCKS_DIFFER = timedelta(days=1)
MOST_HELD = 16_000_000  # bytes of pages in a stretch
STRETCH = 64_000_000  # bytes of a file in a stretch

_BLOCK = 1 << 20  # bytes looked through at once for the next record
_RECORD_START = re.compile(rb"\x1f\x8b\x08|\x28\xb5\x2f\xfd|WARC/1\.")  # gzip, Zstandard, plain
_LONGEST_START = 7  # bytes
_DICTIONARY = b"\x5d\x2a\x4d\x18"
_LARGEST_DICTIONARY = 16_000_000  # bytes
_GZIP = b"\x1f\x8b"
_AS_GZIP = zlib.MAX_WBITS | 16
_CODINGS: Mapping[str, Callable[[BytesIO], WarcReader]] = MappingProxyType(
    {
        "gzip": GzipReader,
        "x-gzip": GzipReader,
        "deflate": lambda body: GzipReader(body, zlib=True),
        "br": BrotliReader,
        "zstd": ZstdReader,
        "chunked": ChunkedReader,
    }
)


@dataclass(frozen=True, slots=True)
class Sought:
    """Which pages are wanted."""

    archive: str  # what their entries name as their archive
    sites: frozenset[str] | None  # registered domains; None: all
    span: Span
    at: datetime  # the moment now


@dataclass(frozen=True, slots=True)
class Source:
    """A WARC file, or a block of one."""

    name: str
    stream: BinaryIO
    base: int = 0  # bytes of the file before the block
    is_last: bool = True  # nothing of the file follows

    def place(self, at: int) -> str:
        """Where in the file a byte of the stream is."""
        return f"{self.name}, byte {self.base + at}"


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a stretch of a file held, and where to go on."""

    entries: tuple[Entry, ...]
    counts: Mapping[str, int]  # `records` (responses), and why how many of them were passed over
    next: int | None  # bytes from the start of the file; None: it is read to its end
    error: ArchiveError | None = None  # what ended the stretch


@dataclass(slots=True)
class _Found:
    entries: list[Entry] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    size: int = 0  # bytes of pages
    last: int | None = None  # where the newest record begins
    result: Entry | str | None = None  # of that record, or why it was passed over

    def settle(self) -> None:
        """The newest record is whole: it counts."""
        if self.result is None:
            return
        self.counts["records"] += 1
        if isinstance(self.result, Entry):
            self.entries.append(self.result)
            self.size += len(self.result.held.body) if isinstance(self.result.held, Page) else 0
        else:
            self.counts[self.result] += 1
        self.result = None


def read(source: Source, start: int, sought: Sought) -> Stretch:
    """The next stretch; `start` counts from the beginning of the stream, and a record begins there."""
    found, error = _Found(), None
    try:
        for at, record in _records(source.stream, start):
            found.settle()
            if found.size >= MOST_HELD or at - start >= STRETCH:
                return _until(source, found, at)
            found.last = at
            found.result = _result(record, source.place(at), sought)
        if not _is_whole(source.stream, start if found.last is None else found.last):
            error = ArchiveError(source.place(found.last or start), "ends-early")
    except (OSError, zlib.error) as e:  # fastwarc raises the former
        error = ArchiveError(source.place(found.last or start), "broken-warc", detail=str(e))
    except ArchiveError as e:
        error = e
    return _ended(source, start, found, error)


def _until(source: Source, found: _Found, at: int) -> Stretch:
    """A stretch that ends before a record, at which the next one can begin."""
    source.stream.seek(at)
    if _RECORD_START.match(source.stream.read(_LONGEST_START)):
        return Stretch(tuple(found.entries), found.counts, source.base + at)
    error = ArchiveError(source.name, "one-gzip-member", detail="compress each record on its own: warcio recompress")
    return Stretch(tuple(found.entries), found.counts, None, error)


def _ended(source: Source, start: int, found: _Found, error: ArchiveError | None) -> Stretch:
    """A stretch that ends where the stream does, or breaks.

    Behind a block comes another, which begins with the record that this one may have cut.
    """
    if not source.is_last and found.last is not None and found.last > start:
        return Stretch(tuple(found.entries), found.counts, source.base + found.last)
    if not source.is_last and (error is None or error.reason == "ends-early"):
        error = ArchiveError(source.place(start), "record-too-large")
    found.settle()
    behind = _next_record(source.stream, start if found.last is None else found.last) if error else None
    if behind is None:
        end = None if source.is_last else source.stream.seek(0, 2)
        return Stretch(tuple(found.entries), found.counts, end if end is None else source.base + end, error)
    return Stretch(tuple(found.entries), found.counts, source.base + behind, error)


def _records(stream: BinaryIO, start: int) -> Iterator[tuple[int, WarcRecord]]:
    """The responses behind a byte, and where each begins."""
    whole, ahead = _from(stream, start)
    for record in ArchiveIterator(whole, record_types=WarcRecordType.response, parse_http=False):
        yield record.stream_pos + ahead, record


def _from(stream: BinaryIO, start: int) -> tuple[BinaryIO, int]:
    """A stream from a byte on, with all that is needed to unpack it; and by how much its places are too small."""
    dictionary = _dictionary_frame(stream) if start else b""  # at the start it is there
    stream.seek(start)
    if not dictionary:
        return stream, 0
    return cast("BinaryIO", _Spliced(dictionary, stream)), start - len(dictionary)


def _result(record: WarcRecord, place: str, sought: Sought) -> Entry | str:
    """The page that a record holds, or why it is passed over."""
    url = (record.headers.get("WARC-Target-URI") or "").strip("<>")
    if not _is_wanted("/".join(url.split("/", 3)[:3]), sought.sites):
        return "other-site"
    if "WARC-Truncated" in record.headers:
        return "cut-by-crawler"
    if record.content_length > LARGEST_PAGE + LARGEST_HEAD:
        return "too-large"
    if (reason := _no_moment(record.record_date, sought)) is not None:
        return reason
    try:
        record.parse_http(max_header_len=LARGEST_HEAD)
    except OSError:
        return "bad-http"
    return _entry(url, record, place, sought)


def _no_moment(crawled_at: datetime | None, sought: Sought) -> str | None:
    """Why a page that was crawled then is passed over: what it says of its own date could not be checked."""
    if crawled_at is None or crawled_at > sought.at + CLOCKS_DIFFER:
        return "no-date" if crawled_at is None else "future-date"
    return "before-range" if sought.span.since and crawled_at < sought.span.since else None


def _entry(url: str, record: WarcRecord, place: str, sought: Sought) -> Entry | str:
    body = record.reader.read(LARGEST_PAGE + LARGEST_HEAD)
    if len(body) != record.content_length:
        raise ArchiveError(place, "ends-early", detail=f"{len(body)} of {record.content_length} bytes")
    status = record.http_headers.status_code
    if status != 200:
        return f"http-{status}" if status else "bad-http"
    canonical, crawled_at = urls.canonical_url(url), record.record_date.astimezone(UTC)
    headers = tuple((name.lower(), value) for name, value in record.http_headers.to_tuples())
    response = Response(url, status, headers, b"", crawled_at)
    body = _decoded(_decoded(body, response.header("transfer-encoding")), response.header("content-encoding"))
    if canonical is None or len(body) > LARGEST_PAGE:
        return "too-large" if canonical else "bad-url"
    entry = Entry(id=canonical, url=url, published_at=crawled_at, archive=sought.archive, place=place)
    try:
        return replace(entry, held=fetch.read(entry, replace(response, body=body)))
    except FetchError as e:
        return e.reason


@lru_cache(maxsize=100_000)
def _is_wanted(origin: str, sites: frozenset[str] | None) -> bool:
    if sites is None:
        return True
    try:
        return urls.site(origin) in sites
    except ValueError:
        return False


def _decoded(body: bytes, coding: str | None) -> bytes:
    """A body without its coding; as it is where the crawler has undone that already and kept the header.

    At most one byte more than `LARGEST_PAGE`.
    """
    opened = _CODINGS.get((coding or "").strip().lower())
    if opened is None:
        return body
    try:
        return opened(BytesIO(body)).read(LARGEST_PAGE + 1)
    except OSError:
        return body


def _is_whole(stream: BinaryIO, last: int) -> bool:
    """Whether nothing is missing at the end of a stream, from its last response on.

    What Zstandard leaves open fastwarc reports itself.
    """
    for record in ArchiveIterator(_from(stream, last)[0], parse_http=False):
        if record.content_length == 0 or record.consume() != record.content_length:
            return False
    stream.seek(last)
    is_gzip = stream.read(2) == _GZIP
    stream.seek(last)
    return not is_gzip or _ends_with_a_member(stream)


def _ends_with_a_member(stream: BinaryIO) -> bool:
    """Whether the last gzip member of a stream is whole: what fastwarc cannot unpack at the end it leaves out."""
    inflater = zlib.decompressobj(_AS_GZIP)
    while data := stream.read(_BLOCK):
        while data:
            inflater = zlib.decompressobj(_AS_GZIP) if inflater.eof else inflater
            inflater.decompress(data, _BLOCK)
            data = inflater.unused_data or inflater.unconsumed_tail
    return inflater.eof


def _next_record(stream: BinaryIO, after: int) -> int | None:
    """Where the next record may begin behind the start of one."""
    at = after + 1
    stream.seek(at)
    block = stream.read(_BLOCK)
    while len(block) >= _LONGEST_START:
        if match := _RECORD_START.search(block):
            return at + match.start()
        at += len(block) - _LONGEST_START + 1
        block = block[-_LONGEST_START + 1 :] + stream.read(_BLOCK)
    return None


def _dictionary_frame(stream: BinaryIO) -> bytes:
    """The frame at the start of a Zstandard file with the dictionary that all others need; else nothing."""
    stream.seek(0)
    head = stream.read(8)
    if not head.startswith(_DICTIONARY):
        return b""
    return head + stream.read(min(int.from_bytes(head[4:], "little"), _LARGEST_DICTIONARY))


class _Spliced:
    """A stream from where it stands, behind some bytes."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = head, stream

    def read(self, size: int) -> bytes:
        if not self._head:
            return self._stream.read(size)
        block, self._head = self._head[:size], self._head[size:]
        return block

    def tell(self) -> int:
        """The beginning: it is asked for nowhere else."""
        return 0
