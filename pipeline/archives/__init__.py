"""Where the past is found: each archive is a file here and a line in the registry."""

from collections.abc import Mapping
from types import MappingProxyType

from pipeline.archives.archive import (
    Archive,
    Found,
    Places,
    Reached,
    Span,
    Step,
    Wanted,
    body_of,
    request_for,
)
from pipeline.archives.feed import FeedArchive
from pipeline.archives.gdelt import GdeltArchive
from pipeline.archives.rfc5005 import Rfc5005Archive
from pipeline.archives.sitemap import SitemapArchive
from pipeline.archives.wayback import WaybackArchive
from pipeline.archives.wordpress import WordpressArchive
from pipeline.errors import ArchiveError

__all__ = [
    "ARCHIVES",
    "CHEAPEST_FIRST",
    "Archive",
    "Found",
    "Places",
    "Reached",
    "Span",
    "Step",
    "Wanted",
    "body_of",
    "read_whole",
    "request_for",
]

ARCHIVES: Mapping[str, Archive] = MappingProxyType(
    {
        archive.name: archive
        for archive in (
            FeedArchive(),
            Rfc5005Archive(),
            WordpressArchive(),
            SitemapArchive(),
            GdeltArchive(),
            WaybackArchive(),
        )
    }
)
CHEAPEST_FIRST = ("rfc5005", "wordpress", "sitemap", "gdelt", "wayback")  # rfc5005 begins with the feed itself


def read_whole(name: str, step: Step, body: bytes, span: Span) -> tuple[tuple[Found, ...], ArchiveError | None]:
    """All that a document in memory holds, and the error that ended its reading; runs in a worker process."""
    found: dict[Found, None] = {}  # without doubles, in order
    try:
        for item in ARCHIVES[name].read(step, (body,), span):
            found[item] = None
    except ArchiveError as e:
        return tuple(found), e
    return tuple(found), None
