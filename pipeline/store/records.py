"""A kept page as bytes: a WARC response record, and one of metadata that holds what its entry said; a zstd frame each.

Source:
    ISO 28500:2017 (WARC 1.1); IIPC, "Zstandard compression for WARC files 1.0".
"""

import io
import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, BinaryIO

import zstandard

from pipeline.model import Enclosure, Entry, Response

LEVEL = 3  # of zstd
LONGEST_HEADER = 64 * 1024  # bytes of a line
_LONGEST_FRAME_HEADER = 18  # bytes
_CHECKSUM = 4  # bytes
_RLE_BLOCK = 1  # whose content is one byte, however long it becomes
_NOT_KEPT = frozenset({"content-encoding", "transfer-encoding", "content-length", "set-cookie"})  # the body is decoded
DAMAGES = (EOFError, ValueError, LookupError, TypeError, zstandard.ZstdError)  # what `read` raises


@dataclass(frozen=True, slots=True)
class Kept:
    """A page as it was fetched, and the entry that led to it as it was then."""

    response: Response  # without redirects
    entry: Entry
    is_copy: bool  # read from a web archive, because its site did not give it


def pack(response: Response, entry: Entry, *, is_copy: bool) -> bytes:
    """What is written of a page: two records."""
    about = {"WARC-Date": _instant(response.received_at), "WARC-Target-URI": response.url}
    name = f"<urn:uuid:{uuid.uuid4()}>"
    told = json.dumps({"entry": asdict(entry), "is_copy": is_copy}, default=datetime.isoformat).encode()
    first = {"WARC-Type": "response", "WARC-Record-ID": name, **about}
    second = {
        "WARC-Type": "metadata",
        "WARC-Record-ID": f"<urn:uuid:{uuid.uuid4()}>",
        "WARC-Concurrent-To": name,
        **about,
    }
    return _frame(first, "application/http;msgtype=response", _http(response)) + _frame(
        second, "application/json", told
    )


def read(file: BinaryIO) -> Kept:
    """The page whose records begin here.

    Raises:
        DAMAGES: they are cut or no such records.
    """
    with zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True, closefd=False) as plain:
        lines = io.BufferedReader(plain)
        about, http = _record(lines)
        _, told = _record(lines)
    head, _, body = http.partition(b"\r\n\r\n")
    status, *headers = _headers(head)
    at = datetime.fromisoformat(about["warc-date"])
    response = Response(about["warc-target-uri"], int(status[0].split()[1]), tuple(headers), body, at)
    known = json.loads(told)
    return Kept(response, _entry(known["entry"]), known["is_copy"])


def whole_bytes(file: BinaryIO) -> int | None:
    """Where the last whole record of a file ends: what follows was cut when its writer died; None: it holds others."""
    size, end = file.seek(0, io.SEEK_END), 0
    try:
        while (following := _frame_end(file, end, size)) is not None:
            end = following
    except zstandard.ZstdError:
        return None
    return end


def _frame(headers: Mapping[str, str], content_type: str, block: bytes) -> bytes:
    lines = {**headers, "Content-Type": content_type, "Content-Length": str(len(block))}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    record = b"WARC/1.1\r\n" + head.encode() + b"\r\n" + block + b"\r\n\r\n"
    return zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(record)


def _http(response: Response) -> bytes:
    """The answer with its body as it was decoded; no cookies."""
    kept = [(name, value) for name, value in response.headers if name not in _NOT_KEPT]
    lines = "".join(f"{name}: {value}\r\n" for name, value in (*kept, ("content-length", str(len(response.body)))))
    return f"HTTP/1.1 {response.status} \r\n{lines}\r\n".encode(errors="replace") + response.body


def _record(lines: Any) -> tuple[Mapping[str, str], bytes]:
    if not lines.readline(LONGEST_HEADER).startswith(b"WARC/"):
        raise ValueError("no WARC record")
    head = b""
    while (line := lines.readline(LONGEST_HEADER)).strip():
        head += line
    headers = {name.lower(): value for name, value in _headers(head)}
    length = int(headers["content-length"])
    block = lines.read(length)
    if len(block) < length or lines.read(4) != b"\r\n\r\n":
        raise EOFError("a record is cut")
    return headers, block


def _headers(head: bytes) -> list[tuple[str, str]]:
    """Names and values; a line without a colon is a name."""
    lines = (line.partition(":") for line in head.decode(errors="replace").split("\r\n") if line)
    return [(name, value.strip()) for name, _, value in lines]


def _entry(told: Mapping[str, Any]) -> Entry:
    moments = {name: told[name] and datetime.fromisoformat(told[name]) for name in ("published_at", "updated_at")}
    lists = {name: tuple(told[name]) for name in ("authors", "tags")}
    files = tuple(Enclosure(**enclosure) for enclosure in told["enclosures"])
    return Entry(**{**told, **moments, **lists, "enclosures": files})


def _instant(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _frame_end(file: BinaryIO, start: int, size: int) -> int | None:
    """Where the frame that begins there ends; None: it is cut, or nothing is there.

    Source:
        RFC 8878 section 3.1.1.

    Raises:
        ZstdError: no frame begins there.
    """
    file.seek(start)
    header = file.read(_LONGEST_FRAME_HEADER)
    if len(header) < _LONGEST_FRAME_HEADER:  # our frames are longer
        return None
    at = start + zstandard.frame_header_size(header)
    is_last = False
    while not is_last:
        file.seek(at)
        if len(head := file.read(3)) < 3:
            return None
        word = int.from_bytes(head, "little")
        is_last, kind, length = bool(word & 1), word >> 1 & 3, word >> 3
        at += 3 + (1 if kind == _RLE_BLOCK else length)
    at += _CHECKSUM * zstandard.get_frame_parameters(header).has_checksum
    return at if at <= size else None
