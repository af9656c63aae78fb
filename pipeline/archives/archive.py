"""What every archive is: first steps, and a reading of what they bring; the values that it works on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

from pipeline import backoff
from pipeline.errors import ArchiveError, StageError
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
        return not self.is_after(moment, slack) and (self.until is None or moment - slack < self.until)

    def covers(self, other: "Span") -> bool:
        """Whether the other range lies within this one."""
        starts = self.since is None or (other.since is not None and self.since <= other.since)
        return starts and (self.until is None or (other.until is not None and other.until <= self.until))

    def is_after(self, moment: datetime | None, slack: timedelta = timedelta(0)) -> bool:
        """Whether the whole range comes after that time, give or take the slack; not so if the time is not known."""
        return moment is not None and self.since is not None and moment + slack < self.since


@dataclass(frozen=True, slots=True)
class Places:
    """Where the archives of many sites are, and what the one of them that is searched is asked."""

    wayback: str = "https://web.archive.org"
    gdelt: str = "https://api.gdeltproject.org/api/v2/doc/doc"
    gdelt_query: str = ""  # "": for the feed's own site


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an archive is asked for: the past of a feed."""

    feed: Feed
    span: Span
    at: datetime  # the moment now
    places: Places = Places()


@dataclass(frozen=True, slots=True)
class Step:
    """A document of an archive that is to be fetched and read."""

    url: str
    kind: str = "list"  # what the archive takes it for
    is_lasting: bool = False  # it never changes: what was read once is not fetched again
    carried: str = ""  # what reading it needs to know of the steps before


@dataclass(frozen=True, slots=True)
class Reached:
    """Said by a document: the archive's documents so far go back to the start of the range, or of all time."""


Found: TypeAlias = Entry | Step | Reached


class Archive(Protocol):
    """A place that lists articles of the past; it neither fetches nor stores."""

    name: str

    def start(self, wanted: Wanted) -> tuple[Step, ...]:
        """The documents to begin with."""
        ...

    def read(self, step: Step, blocks: Iterable[bytes], span: Span) -> Iterator[Found]:
        """What a document holds: entries that may be in the range, and further documents.

        Raises:
            ArchiveError: it cannot be read (to its end); what came before the error counts.
        """
        ...

    def instead(self, step: Step, error: StageError) -> tuple[Step | Reached, ...] | None:
        """What to go on with when a document cannot be had or gave nothing; None: what it holds is missed."""
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
