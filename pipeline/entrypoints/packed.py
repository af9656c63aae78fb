"""Files that may be packed: what `export` writes as .gz and .zst is read again wherever a file is named."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, cast

import zstandard

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"  # how such files begin
BLOCK_BYTES = 4_096  # of zstd at once: one that is all zeros becomes 128 MB
DAMAGES = (OSError, EOFError, zlib.error, zstandard.ZstdError)  # what opening and reading raise


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, unpacked when it is gzip or zstd, whatever its name; it is opened once, as pipes want.

    Raises:
        OSError: it cannot be opened. Reading raises one of DAMAGES where it is cut or spoilt.
    """
    with path.open("rb") as raw:
        start = raw.peek(len(ZSTD))
        if start.startswith(GZIP):
            yield cast(BinaryIO, gzip.GzipFile(fileobj=raw))
        elif start.startswith(ZSTD):
            yield BufferedReader(_Frames(raw))
        else:
            yield raw


class _Frames(RawIOBase):
    """What zstd's frames in a file hold; other than zstandard's own reader, it tells that the last one is cut."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._is_within = False
        self._packed = b""  # of the next frame
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, into: Any) -> int:
        """Fill as much as there is; 0 at the end.

        Raises:
            EOFError: the end of the file is not that of a frame.
            ZstdError: it is spoilt.
        """
        while not self._left:
            packed = self._packed or self._raw.read(BLOCK_BYTES)
            if not packed and self._is_within:
                raise EOFError("the file is cut")
            if not packed:
                return 0
            if not self._is_within:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._left = memoryview(self._frame.decompress(packed))
            self._is_within, self._packed = not self._frame.eof, self._frame.unused_data
        count = min(len(into), len(self._left))
        into[:count], self._left = self._left[:count], self._left[count:]
        return count


def why(damage: BaseException) -> str:
    """What to say of one of DAMAGES."""
    return getattr(damage, "strerror", None) or str(damage)
