"""Feed -> entries: what a feed still holds of the past; and how the other archives read their feeds."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

from pipeline.archives.archive import Found, Reached, Span, Step, Wanted
from pipeline.errors import ArchiveError, ParseError, StageError
from pipeline.model import Entry, ParsedFeed
from pipeline.stages.parse import parse
from pipeline.urls import canonical_url

SLACK = timedelta(days=1)  # a feed's date and its page's may differ; the page's decides after the extraction


class FeedArchive:
    """The feed itself, asked unconditionally."""

    name = "feed"

    def start(self, wanted: Wanted) -> tuple[Step, ...]:
        """The feed."""
        return (Step(wanted.feed.url),)

    def read(self, step: Step, blocks: Iterable[bytes], span: Span) -> Iterator[Found]:
        """Its entries in the range.

        Raises:
            ArchiveError: it is no feed.
        """
        parsed = read_feed(step, b"".join(blocks), step.url)
        yield from within(parsed, span)
        if reaches_back(parsed, span):
            yield Reached()

    def instead(self, step: Step, error: StageError) -> tuple[Step | Reached, ...] | None:
        """Nothing: what it holds is missed."""
        return None


def read_feed(step: Step, body: bytes, url: str) -> ParsedFeed:
    """A feed that a step brought, as it stood at `url`.

    Raises:
        ArchiveError: it is no feed.
    """
    try:
        return parse(body, url)
    except ParseError as e:
        raise ArchiveError(step.url, e.reason, detail=e.detail) from e


def within(parsed: ParsedFeed, span: Span) -> Iterator[Entry]:
    """The entries of a feed that may be in the range, each known by its link: ids of several feeds may be alike."""
    for entry in parsed.entries:
        if span.may_hold(entry.published_at, SLACK):
            yield replace(entry, id=(canonical_url(entry.url) if entry.url else None) or entry.id)


def is_older(parsed: ParsedFeed, span: Span) -> bool:
    """Whether all that the feed dates comes before the range; not so if it dates nothing."""
    dates = [date for entry in parsed.entries if (date := entry.dated_at)]
    return bool(dates) and all(span.is_after(date, SLACK) for date in dates)


def reaches_back(parsed: ParsedFeed, span: Span) -> bool:
    """Whether nothing of the range can be older than the feed's last entry; first ones may be old and pinned."""
    return parsed.is_complete or bool(parsed.entries and span.is_after(parsed.entries[-1].dated_at, SLACK))
