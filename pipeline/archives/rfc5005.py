"""Feed -> entries: the archive documents and pages that a feed links to, from the newest to the oldest.

Archive documents never change: one that was read is not fetched again.

Source: RFC 5005 sections 3 (`next`) and 4 (`prev-archive`); JSON Feed 1.1, `next_url`.
"""

from collections.abc import Iterable, Iterator

from pipeline.archives.archive import Found, Reached, Span, Step, Wanted
from pipeline.archives.feed import is_older, reaches_back, read_feed, within
from pipeline.errors import StageError

ARCHIVED, PAGED = "prev-archive", "next"  # relations of links, and the kinds of the documents that they lead to


class Rfc5005Archive:
    """The chain of documents that begins with the feed."""

    name = "rfc5005"

    def start(self, wanted: Wanted) -> tuple[Step, ...]:
        """The feed."""
        return (Step(wanted.feed.url),)

    def read(self, step: Step, blocks: Iterable[bytes], span: Span) -> Iterator[Found]:
        """The entries of a document in the range, and the document before it, unless all of the range comes after.

        Raises:
            ArchiveError: it is no feed.
        """
        parsed = read_feed(step, b"".join(blocks), step.url)
        yield from within(parsed, span)
        links = dict(parsed.links)
        relation = next((name for name in (ARCHIVED, PAGED) if name in links), None)
        if relation and not is_older(parsed, span):
            yield Step(links[relation], relation, is_lasting=relation == ARCHIVED)
        elif step.kind in (ARCHIVED, PAGED) or reaches_back(parsed, span):
            yield Reached()

    def instead(self, step: Step, error: StageError) -> tuple[Step | Reached, ...] | None:
        """Nothing: the document and those before it are missed."""
        return None
