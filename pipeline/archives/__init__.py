"""Where the past is found: each archive is a file here and a line in the registry."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from pipeline.archives.archive import Archive, Span, Step, body_of, request_for
from pipeline.archives.feed import FeedArchive
from pipeline.archives.sitemap import SitemapArchive
from pipeline.errors import ArchiveError
from pipeline.model import Entry

__all__ = ["ARCHIVES", "Archive", "Span", "Step", "body_of", "read_whole", "request_for"]

ARCHIVES: Mapping[str, Archive] = MappingProxyType(
    {archive.name: archive for archive in (FeedArchive(), SitemapArchive())}
)


def read_whole(name: str, step: Step, body: bytes, span: Span) -> tuple[tuple[Entry | Step, ...], ArchiveError | None]:
    """All that a document in memory holds, and the error that ended its reading; runs in a worker process."""
    found: list[Entry | Step] = []
    reading: Iterator[Entry | Step] = ARCHIVES[name].read(step, (body,), span)
    try:
        found.extend(reading)
    except ArchiveError as e:
        return tuple(found), e
    return tuple(found), None
