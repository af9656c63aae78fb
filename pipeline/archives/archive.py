"""What every archive is: first steps, and a reading of what they bring; the values that it works on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from pipeline import backoff
from pipeline.errors import ArchiveError
from pipeline.model import Entry, Feed, Request, RequestKind, Response


@dataclass(frozen=True, slots=True)
class Span:
    """The range that is looked for; `until` is excluded."""

    since: datetime | None = None
    until: datetime | None = None

    def may_hold(self, moment: datetime | None, slack: timedelta = timedelta(0)) -> bool:
        """Whether something of that time, give or take the slack, can be within; what has no time may be."""
        if moment is None:
            return True
        is_early = self.since is not None and moment + slack < self.since
        return not is_early and (self.until is None or moment - slack < self.until)


@dataclass(frozen=True, slots=True)
class Step:
    """A document of an archive that is to be fetched and read."""

    url: str
    kind: str = "list"  # what the archive takes it for


class Archive(Protocol):
    """A place that lists articles of the past; it neither fetches nor stores."""

    name: str

    def start(self, feed: Feed) -> tuple[Step, ...]:
        """The documents to begin with."""
        ...

    def read(self, step: Step, blocks: Iterable[bytes], span: Span) -> Iterator[Entry | Step]:
        """What a document holds: entries that may be in the range, and further documents.

        Raises:
            ArchiveError: it cannot be read (to its end); what came before the error counts.
        """
        ...

    def missing(self, step: Step) -> tuple[Step, ...]:
        """Where to look when a document is not there."""
        ...


def request_for(step: Step) -> Request:
    """Step -> Request: the same for all archives that are reached over the web."""
    return Request(step.url, RequestKind.ARCHIVE)


def body_of(step: Step, response: Response) -> bytes:
    """Response -> the document's bytes.

    Raises:
        ArchiveError: the answer is no success; says whether the same request may succeed later.
    """
    if response.status == 200:
        return response.body
    is_passing = backoff.is_temporary(response.status)
    retry_at = backoff.rest_until(response, response.received_at)
    raise ArchiveError(step.url, f"http-{response.status}", retryable=is_passing, retry_at=retry_at)
