"""WARC files opened and read: what the worker processes of a backfill do, light enough for them to load at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast
from zipfile import BadZipFile, ZipFile

from pipeline.archives import ccnews, warc
from pipeline.archives.warc import Sought, Source, Stretch
from pipeline.errors import ArchiveError

_IN_WACZ = ".wacz!"


def members_of(name: str) -> tuple[str, ...]:
    """The WARC files in a WACZ, or the file itself.

    Raises:
        ArchiveError: a file that is not there, or no WACZ.
    """
    if is_url(name):
        return (name,)
    with _failures(name):
        if not name.endswith(".wacz"):
            Path(name).open("rb").close()
            return (name,)
        with ZipFile(name) as packed:
            names = [item for item in packed.namelist() if item.endswith((".warc", ".warc.gz", ".warc.zst"))]
    if not names:
        raise ArchiveError(name, "no-warc-inside")
    return tuple(f"{name}!{item}" for item in names)


def read_file(name: str, at: int, sought: Sought) -> Stretch:
    """A stretch of a local file, or of one in a WACZ."""
    path, is_inside, member = name.rpartition(_IN_WACZ)
    with _failures(name):
        if not is_inside:
            with Path(name).open("rb") as stream:
                return warc.read(Source(name, stream), at, sought)
        with ZipFile(f"{path}.wacz") as packed, packed.open(member) as unpacked:
            return warc.read(Source(name, cast("BinaryIO", unpacked)), at, sought)


def read_block(name: str, block: bytes, at: int, is_last: bool, sought: Sought) -> Stretch:
    """A stretch of a block of a file."""
    return warc.read(Source(name, BytesIO(block), at, is_last), 0, sought)


def read_list(name: str) -> bytes:
    """A list of files, packed."""
    with _failures(name), Path(name).open("rb") as packed:
        return packed.read(ccnews.LARGEST_LIST)


@contextmanager
def _failures(name: str) -> Iterator[None]:
    """What the system says of a file, as an error of ours."""
    try:
        yield
    except (OSError, BadZipFile, NotImplementedError, RuntimeError) as e:  # an unknown packing, a password
        raise ArchiveError(name, "unreadable-file", detail=getattr(e, "strerror", None) or str(e)) from e


def is_url(name: str) -> bool:
    """Whether a file is far away."""
    return name.startswith(("http://", "https://"))
