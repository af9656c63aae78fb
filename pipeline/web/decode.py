"""Chunks of a body -> its bytes: gzip and deflate undone in small steps, within limits of size and ratio.

The limits are looked at after every step, so a bomb costs at most one step more than its limit. Only what we offer in
Accept-Encoding is undone; any other coding is refused.
"""

import zlib

from pipeline.web.failure import Failed, Reason

STEP_BYTES = 65536
RATIO_FROM_BYTES = 1_000_000  # small bodies may be as repetitive as they like

_GZIP = zlib.MAX_WBITS | 16
_ZLIB = zlib.MAX_WBITS
_BARE = -zlib.MAX_WBITS
_HEADER_BYTES = 2
_CODINGS = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate", "identity": "", "": ""}


class Body:
    """A body on its way in."""

    def __init__(self, coding: str, max_bytes: int, max_ratio: int) -> None:
        """Begin a body.

        Raises:
            Failed: a coding that we did not offer, or several on top of each other (`bad-encoding`).
        """
        known = _CODINGS.get(coding.strip().lower())
        if known is None:
            raise Failed(Reason.BAD_ENCODING, f"Content-Encoding {coding[:50]!r}")
        self.wire_bytes = 0
        self._coding = known
        self._max_bytes = max_bytes  # on the wire and decoded alike
        self._max_ratio = max_ratio  # decoded bytes for one on the wire
        self._head = b""
        self._inflate: zlib._Decompress | None = None
        self._decoded = bytearray()

    def expect(self, content_length: str | None) -> None:
        """Take note of what the server says it will send.

        Raises:
            Failed: it is over the limit (`too-large`), which spares us the transfer.
        """
        if content_length is not None and int(content_length) > self._max_bytes:
            raise Failed(Reason.TOO_LARGE, f"announces {content_length} of at most {self._max_bytes} bytes")

    def feed(self, chunk: bytes) -> None:
        """Take in the next chunk from the wire.

        Raises:
            Failed: over a limit (`too-large`), or not what Content-Encoding says (`bad-encoding`).
        """
        self.wire_bytes += len(chunk)
        if self._coding:
            self._undo(self._head + chunk)
        else:
            self._decoded += chunk
        self._check()

    def so_far(self) -> bytes:
        """What has come, within the limit."""
        return bytes(self._decoded[: self._max_bytes])

    def end(self) -> bytes:
        """The whole body.

        Raises:
            Failed: its compressed stream is not complete (`truncated`).
        """
        is_complete = self._inflate.eof if self._inflate else not self._head
        if not is_complete:
            raise Failed(Reason.TRUNCATED, "the compressed body ends early")
        return bytes(self._decoded)

    def _undo(self, data: bytes) -> None:
        if self._inflate is None:
            if len(data) < _HEADER_BYTES:
                self._head = data
                return
            self._head = b""
            self._inflate = zlib.decompressobj(_GZIP if self._coding == "gzip" else _deflate_bits(data))
        while not self._inflate.eof:  # what follows the end is no part of the body
            try:
                step = self._inflate.decompress(data, STEP_BYTES)
            except zlib.error as e:
                raise Failed(Reason.BAD_ENCODING, str(e)) from e
            self._decoded += step
            self._check()
            data = self._inflate.unconsumed_tail
            if not data and len(step) < STEP_BYTES:
                return

    def _check(self) -> None:
        size = max(self.wire_bytes, len(self._decoded))
        if size > self._max_bytes:
            raise Failed(Reason.TOO_LARGE, f"over {self._max_bytes} bytes")
        if size > RATIO_FROM_BYTES and size > self._max_ratio * self.wire_bytes:
            raise Failed(Reason.TOO_LARGE, f"over {self._max_ratio} times what was sent")


def _deflate_bits(data: bytes) -> int:
    """Deflate means a zlib stream; many servers send the bare one.

    Source:
        RFC 1950 section 2.2: the first two bytes are a multiple of 31, the method is 8.
    """
    is_zlib = data[0] & 0x0F == zlib.DEFLATED and int.from_bytes(data[:_HEADER_BYTES], "big") % 31 == 0
    return _ZLIB if is_zlib else _BARE
