"""Builds WARC files: records, and the three ways in which they are packed."""

import gzip
import struct
from collections.abc import Callable, Iterable
from datetime import datetime
from email.utils import format_datetime

import zstandard

from pipeline.newsroom.documents import document
from pipeline.newsroom.room import Newsroom
from tests.make import AT

PAGE = b"<!DOCTYPE html><html><head><title>Drill</title></head><body><p>Allies flew an air drill.</p></body></html>"


def record(
    url: str = "https://site1.example/news/1",
    body: bytes = PAGE,
    *,
    kind: str = "response",
    status: str = "200 OK",
    http: str = "Content-Type: text/html",
    at: datetime | str = AT,
    length: int | None = None,
    more: str = "",
) -> bytes:
    """One record, not packed; `length` is a lie, and `more` further lines of its header."""
    block = f"HTTP/1.1 {status}\r\n{http}\r\n\r\n".encode() + body if kind == "response" else body
    date = at if isinstance(at, str) else at.strftime("%Y-%m-%dT%H:%M:%SZ")
    head = (
        f"WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:0>\r\nWARC-Date: {date}\r\n"
        f"WARC-Target-URI: {url}\r\nContent-Type: application/http; msgtype={kind}\r\n{more}"
        f"Content-Length: {len(block) if length is None else length}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def plain(records: Iterable[bytes]) -> bytes:
    """As it is: .warc."""
    return b"".join(records)


def gzipped(records: Iterable[bytes]) -> bytes:
    """Each record on its own: .warc.gz."""
    return b"".join(gzip.compress(one, 1, mtime=0) for one in records)


def zstandard_frames(records: Iterable[bytes]) -> bytes:
    """Each record on its own: .warc.zst."""
    return b"".join(zstandard.compress(one) for one in records)


def with_dictionary(records: Iterable[bytes], *, is_packed: bool = False) -> bytes:
    """Frames that need the dictionary at the start of the file."""
    known = list(records)
    samples: list[bytes | bytearray | memoryview] = [
        str(number).encode() + one[:1_000] for number in range(100) for one in known
    ]
    given = zstandard.train_dictionary(2_000, samples)
    packer = zstandard.ZstdCompressor(dict_data=given)
    raw = zstandard.compress(given.as_bytes()) if is_packed else given.as_bytes()
    return struct.pack("<II", 0x184D2A5D, len(raw)) + raw + b"".join(map(packer.compress, known))


PACKINGS: tuple[Callable[[Iterable[bytes]], bytes], ...] = (plain, gzipped, zstandard_frames)


def of_room(room: Newsroom) -> list[bytes]:
    """What a crawler that found every link of a newsroom and obeys robots.txt would have kept."""
    records = []
    for article in room.articles:
        if article.reason == "robots":
            continue
        origin = "/".join(article.url.split("/")[:3])
        found = document(room, origin, article.url.removeprefix(origin))
        http = f"Content-Type: {found.type}\r\nDate: {format_datetime(room.at, usegmt=True)}"
        records.append(record(article.url, found.body, status=f"{found.status} OK", http=http, at=room.at))
    return records
