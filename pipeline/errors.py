"""Every error that defnews expects, drawn as a tree.

DefnewsError
├── UsageError          wrong settings or arguments: the command exits 2
├── CommandError        the command could not do its work: it exits 1
├── StoreError          the database is out of reach, older, newer, or held by another daemon
│   └── ConflictError   another process wrote the same at the same time: a second look settles it
└── StageError          one feed or entry failed: recorded, never the command's failure
    ├── WebError        no usable response (address, time, size, redirects, robots.txt)
    ├── ParseError      a body that is no feed
    ├── PollError       a response that a poll cannot use
    ├── FetchError      a response that is no page
    ├── ExtractError    a page without an article
    ├── RereadError     a language model gave no verdict
    ├── ComputeError    a worker process died or was ended at its deadline
    ├── ArchiveError    an archive's answer that cannot be read
    └── AlertError      an alert that did not arrive
"""

from datetime import datetime
from typing import Any


class DefnewsError(Exception):
    """Root of all expected errors; the text is meant for a person."""


class UsageError(DefnewsError):
    """Settings or arguments are wrong: says which key, file and line."""


class CommandError(DefnewsError):
    """The command could not do its work."""


class StoreError(DefnewsError):
    """The database cannot be used as it is: says what to run."""


class ConflictError(StoreError):
    """Another process wrote the same rows at the same time; the same transaction, tried again, sees them."""


class StageError(DefnewsError):
    """One feed or entry failed, with a short countable reason.

    `retry_at` is set only when the other side named a time.
    """

    def __init__(
        self, subject: str, reason: str, *, detail: str = "", retryable: bool = False, retry_at: datetime | None = None
    ) -> None:
        super().__init__(f"{subject}: {reason}" + (f" ({detail})" if detail else ""))
        self.subject = subject
        self.reason = reason
        self.detail = detail
        self.retryable = retryable
        self.retry_at = retry_at

    def __reduce__(self) -> tuple[object, ...]:
        """Errors cross the border of the process pool whole."""
        about = {"detail": self.detail, "retryable": self.retryable, "retry_at": self.retry_at}
        return _rebuild, (type(self), self.subject, self.reason, about)


def _rebuild(kind: type[StageError], subject: str, reason: str, about: dict[str, Any]) -> StageError:
    return kind(subject, reason, **about)


class WebError(StageError):
    """No usable response came: refused address, deadline, size, redirects, robots.txt, connection."""


class ParseError(StageError):
    """A body that is no feed."""


class PollError(StageError):
    """A response that a poll cannot use."""


class FetchError(StageError):
    """A response that is no page."""


class ExtractError(StageError):
    """A page without an article."""


class RereadError(StageError):
    """A language model gave no verdict: an answer that cannot be read, or a day's budget that is spent."""


class ComputeError(StageError):
    """A worker process died over its task, or was ended at its deadline."""


class ArchiveError(StageError):
    """An archive's answer that cannot be read."""


class AlertError(StageError):
    """An alert that did not arrive."""
