"""Entry -> Request; Response -> Page; Page -> str: the HTML, the PDF or the plain text behind an entry."""

import re

from pipeline.backoff import is_temporary, named_retry
from pipeline.errors import FetchError, StageError
from pipeline.model import Entry, Page, Request, RequestKind, Response
from pipeline.stages import charset

ACCEPT = "text/html, application/xhtml+xml;q=0.9, application/pdf;q=0.5, */*;q=0.1"
DECLARED_WITHIN = 2048  # bytes; beyond them no charset declaration counts

_PDF = b"%PDF-"
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"GIF8", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"Rar!\x1a\x07", "zip"),
    (b"7z\xbc\xaf\x27\x1c", "zip"),
    (b"\x1f\x8b", "zip"),
    (b"BZh", "zip"),
    (b"\xfd7zXZ\x00", "zip"),
    (b"\x28\xb5\x2f\xfd", "zip"),
    (b"ID3", "audio"),
    (b"OggS", "audio"),
    (b"fLaC", "audio"),
    (b"\x1a\x45\xdf\xa3", "video"),
    (b"RIFF", "media"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office"),
    (b"{\\rtf", "office"),
    (b"\x7fELF", "binary"),
)
_PAGE_TYPES = frozenset({"", "text/plain", "text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml"})
_KINDS = {
    "image": "image",
    "audio": "audio",
    "video": "video",
    "text": "text",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/json": "json",
    "application/xml": "xml",
    "text/xml": "xml",
    "application/rss+xml": "feed",
    "application/atom+xml": "feed",
    "application/feed+json": "feed",
}
_PROLOG = rb"(?:\xef\xbb\xbf|\s+|<\?.*?\?>|<!--.*?-->)*+"
_HTML_START = re.compile(_PROLOG + rb"<(?:!doctype\s+html|html|head|body|title|meta)\b", re.I | re.S)
_FEED_START = re.compile(_PROLOG + rb"<(?:rss|feed|rdf:RDF)\b", re.I | re.S)
_META_CHARSET = re.compile(rb"<meta\s[^>]*?charset\s*=\s*[\"']?\s*([A-Za-z0-9._:-]+)", re.IGNORECASE)


def request_for(entry: Entry) -> Request:
    """Ask for the page behind an entry.

    Raises:
        FetchError: `no-link`.
    """
    if entry.url is None:
        raise FetchError(entry.id, "no-link")
    return Request(entry.url, RequestKind.PAGE, (("Accept", ACCEPT),))


def request_for_copy(entry: Entry, error: StageError) -> Request | None:
    """Ask a web archive for its copy of a page that its site does not give; None: none is known, or may be read."""
    if entry.copy is None or error.reason == "robots-disallowed":
        return None
    return Request(entry.copy, RequestKind.PAGE, (("Accept", ACCEPT),))


def read(entry: Entry, response: Response) -> Page:
    """Take in an answer that is a page: HTML, PDF or plain text.

    Raises:
        FetchError: `http-...`, retryable when it may pass; `empty-page`; `not-html`, with what it is instead.
    """
    subject, status = entry.url or response.url, response.status
    if not 200 <= status < 300:
        raise FetchError(subject, f"http-{status}", retryable=is_temporary(status), retry_at=named_retry(response))
    if not response.body.strip(b" \t\r\n\0"):
        raise FetchError(subject, "empty-page")
    content_type = response.header("content-type")
    kind = _other_kind(response.body, content_type)
    if kind is not None:
        raise FetchError(subject, "not-html", detail=kind)
    return Page(response.url, response.body, content_type, response.received_at)


def decode(page: Page) -> str:
    """The text of a page in its real charset; never raises.

    Source:
        WHATWG HTML section 13.2.3.2, but bytes that read as UTF-8 are UTF-8.
    """
    head = page.body[:DECLARED_WITHIN]
    meta = _META_CHARSET.search(head)
    declared = meta[1].decode("ascii") if meta else None
    return charset.decode(page.body, (charset.of_header(page.content_type), declared, charset.of_xml(head)))


def utf8(page: Page) -> bytes:
    """What `decode` reads, in UTF-8; most bodies are that already."""
    return page.body if charset.is_plainly_utf8(page.body) else decode(page).encode()


def is_pdf(page: Page) -> bool:
    """Whether a page is a PDF, whatever its type says."""
    return page.body.startswith(_PDF)


def is_plain(page: Page) -> bool:
    """Whether a page is plain text: by its Content-Type, unless it begins like HTML."""
    return _media_type(page.content_type) == "text/plain" and not _HTML_START.match(page.body)


def _media_type(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def _other_kind(body: bytes, content_type: str | None) -> str | None:
    """What a body is if no page: by its first bytes, then, unless it begins like HTML, by its Content-Type."""
    if body.startswith(_PDF):
        return None
    for magic, kind in _MAGIC:
        if body.startswith(magic):
            return kind
    if body[4:8] == b"ftyp":
        return "video"
    if _HTML_START.match(body):
        return None
    if _FEED_START.match(body):
        return "feed"
    media_type = _media_type(content_type)
    if media_type in _PAGE_TYPES:
        return "binary" if charset.is_binary(body) else None
    return _KINDS.get(media_type) or _KINDS.get(media_type.partition("/")[0]) or "binary"
