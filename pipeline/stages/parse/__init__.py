"""bytes -> ParsedFeed: what a publisher wrote, in whatever format; a new format is one file here and one line below."""

import zlib

from pipeline.errors import ParseError
from pipeline.model import ParsedFeed
from pipeline.stages import charset
from pipeline.stages.parse import json, xml

LARGEST_UNPACKED = 15_000_000  # bytes, as of a feed that says that it is gzip
_GZIP = b"\x1f\x8b"

# The first character of a document tells its format; whatever else comes first may be junk before XML.
_FORMATS = {
    "{": json.parse,
    "<": xml.parse,
}


def parse(body: bytes, url: str, content_type: str | None = None) -> ParsedFeed:
    """Read a feed, keeping all that can be read of a broken one.

    Returns:
        Entries in the feed's own order, each with an id of its own, and with a link or a text.

    Raises:
        ParseError: it is no feed (`empty`, `html`, `not-a-feed`), or one that cannot be read (`malformed-xml`,
            `bad-json`, `entity-bomb`, `bad-gzip`, `too-large`).
    """
    body = _unpacked(body, url)
    text = charset.decode(body, (charset.of_header(content_type), charset.of_xml(body))).strip("\ufeff \t\r\n")
    if not text:
        raise ParseError(url, "empty")
    return _FORMATS.get(text[0], xml.parse)(text, url)


def _unpacked(body: bytes, url: str) -> bytes:
    """A body, unpacked where it is gzip: some servers send `feed.xml.gz` as a file, others say nothing of it."""
    if not body.startswith(_GZIP):
        return body
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        unpacked = unpacker.decompress(body, LARGEST_UNPACKED)
    except zlib.error as e:
        raise ParseError(url, "bad-gzip", detail=str(e)) from e
    if not unpacker.eof:
        is_large = len(unpacked) == LARGEST_UNPACKED
        raise ParseError(url, "too-large" if is_large else "bad-gzip", detail=f"{len(unpacked)} bytes unpacked")
    return unpacked
