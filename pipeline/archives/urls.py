"""Lines -> entries: a file of URLs, one a line; empty lines and lines that start with # are passed over."""

from collections.abc import Iterable, Iterator

from pipeline import urls
from pipeline.errors import ArchiveError
from pipeline.model import Entry

LONGEST_LINE = 10_000  # characters


def read(name: str, lines: Iterable[str]) -> Iterator[Entry | ArchiveError]:
    """The entries of a list; a line that is no URL is an error value with its number, and reading goes on."""
    for number, raw in enumerate(lines, 1):
        line = raw.strip().lstrip("\ufeff")
        if not line or line.startswith("#"):
            continue
        canonical = urls.canonical_url(line) if len(line) <= LONGEST_LINE else None
        if canonical is None:
            yield ArchiveError(f"{name}, line {number}", "not-a-url", detail=line[:100])
        else:
            yield Entry(id=canonical, url=urls.absolute_url(line), archive="urls")
