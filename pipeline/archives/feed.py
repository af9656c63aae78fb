"""Feed -> entries: what a feed still holds of the past."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from pipeline.archives.archive import Span, Step
from pipeline.errors import ArchiveError, ParseError
from pipeline.model import Entry, Feed
from pipeline.stages.parse import parse

SLACK = timedelta(days=1)  # a feed's date and its page's may differ; the page's decides after the extraction


class FeedArchive:
    """The feed itself, asked unconditionally."""

    name = "feed"

    def start(self, feed: Feed) -> tuple[Step, ...]:
        """The feed."""
        return (Step(feed.url),)

    def read(self, step: Step, blocks: Iterable[bytes], span: Span) -> Iterator[Entry | Step]:
        """Its entries in the range.

        Raises:
            ArchiveError: it is no feed.
        """
        try:
            parsed = parse(b"".join(blocks), step.url)
        except ParseError as e:
            raise ArchiveError(step.url, e.reason, detail=e.detail) from e
        yield from (entry for entry in parsed.entries if span.may_hold(entry.published_at, SLACK))

    def missing(self, step: Step) -> tuple[Step, ...]:
        """Nowhere."""
        return ()
