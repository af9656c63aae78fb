"""Lines -> entries: files of URLs, one a line, or CSV and JSON lines with title and date where they are given.

Empty lines are passed over, and of plain files those that start with #.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from pipeline import urls
from pipeline.errors import ArchiveError
from pipeline.model import Entry
from pipeline.stages.parse.values import plain_text, sane_moment

LONGEST_URL = 10_000  # characters
_DATES = ("published_at", "date", "published", "pubdate")  # columns, the first that is given counts


def read(name: str, lines: Iterable[str]) -> Iterator[Entry | ArchiveError]:
    """The entries of a list; a line that names no URL is an error value with its number, and reading goes on."""
    for number, row in _rows(name, lines):
        if isinstance(row, ArchiveError):
            yield row
            continue
        url = row.get("url")
        canonical = urls.canonical_url(url) if isinstance(url, str) and len(url) <= LONGEST_URL else None
        if canonical is None:
            yield ArchiveError(f"{name}, line {number}", "not-a-url", detail=str(url)[:100])
        else:
            title, moment = row.get("title"), next((row[key] for key in _DATES if row.get(key)), None)
            yield Entry(
                id=canonical,
                url=urls.absolute_url(str(url)),
                title=plain_text(title) if isinstance(title, str) else None,
                published_at=moment_of(moment),
                archive="urls",
                place=f"{name}, line {number}",
            )


def moment_of(given: object) -> datetime | None:
    """An ISO 8601 date or time that an article can have."""
    try:
        return sane_moment(datetime.fromisoformat(given)) if isinstance(given, str) else None
    except ValueError:
        return None


def _rows(name: str, lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, Any] | ArchiveError]]:
    stem = name.removesuffix(".gz").removesuffix(".zst")
    if stem.endswith(".csv"):
        return _csv(name, lines)
    return _json(name, lines) if stem.endswith(".jsonl") else _plain(lines)


def _plain(lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, Any] | ArchiveError]]:
    for number, raw in enumerate(lines, 1):
        line = raw.strip().lstrip("\ufeff")
        if line and not line.startswith("#"):
            yield number, {"url": line}


def _json(name: str, lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, Any] | ArchiveError]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, object_of(f"{name}, line {number}", line)


def _csv(name: str, lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, Any] | ArchiveError]]:
    """The rows below the header; a line is a row, so that a quotation mark that is left open costs no more than it."""
    header: list[str] | None = None
    for number, line in enumerate(lines, 1):
        try:
            cells = next(csv.reader([line.lstrip("\ufeff")]), [])
        except csv.Error as e:
            yield number, ArchiveError(f"{name}, line {number}", "not-csv", detail=str(e))
            continue
        if header is None:
            header = [cell.strip().lower() for cell in cells]
        elif cells:
            yield number, dict(zip(header, cells, strict=False))


def object_of(place: str, line: str) -> Mapping[str, Any] | ArchiveError:
    """The JSON object that a line is."""
    try:
        found = json.loads(line.lstrip("\ufeff"))
    except (ValueError, RecursionError) as e:
        return ArchiveError(place, "not-json", detail=str(e)[:100])
    return found if isinstance(found, dict) else ArchiveError(place, "not-json", detail="no object")
