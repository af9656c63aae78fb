"""`extract`, `parse-feed`, `classify`: single stages over files, one JSON line for each, in the order given."""

import asyncio
import json
import math
import os
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.clock import SystemClock
from pipeline.compute import Compute
from pipeline.entrypoints import output, packed
from pipeline.entrypoints.classifier import make_classifier
from pipeline.entrypoints.options import Options
from pipeline.errors import CommandError, StageError, UsageError
from pipeline.model import Article, DateOrigin, Entry, Page, Verdict
from pipeline.stages.classify import Classifier
from pipeline.stages.language import language
from pipeline.stages.parse import parse

AHEAD = 4  # tasks a worker has in line, so that results stay in order and memory stays bounded
LARGEST = 100_000_000  # bytes of a page or feed; the stages have stricter limits of their own
NOWHERE = "https://unknown.invalid/"  # the URL of a page that came without one
BAD_LINE = "bad-line"
Row = dict[str, Any]


async def extract_files(options: Options, items: Iterable[Row]) -> AsyncIterator[Row]:
    """Items {"id", "path", "url"} -> articles or errors."""
    now = SystemClock().now()
    async for row in _in_order(options, _extract_file, ((item, now) for item in items)):
        yield row


async def parse_files(options: Options, items: Iterable[Row]) -> AsyncIterator[Row]:
    """Items {"id", "path", "url"} -> feeds or errors."""
    async for row in _in_order(options, _parse_file, ((item,) for item in items)):
        yield row


def classify_lines(options: Options, lines: Iterable[tuple[str, str]]) -> Iterator[Row]:
    """(Where, JSON line) -> verdicts or errors."""
    classifier = make_classifier(options.settings())
    now = SystemClock().now()
    for where, line in lines:
        if line.strip():
            yield _classify_line(classifier, where, line, now)


def items_of(paths: Iterable[str], url: str | None) -> Iterator[Row]:
    """The files named on the command line.

    Raises:
        UsageError: what they come from is no URL.
    """
    if url is not None and not _is_url(url):
        raise UsageError(f"--url: {url!r} is no URL")
    return ({"id": path, "path": path, "url": url} for path in paths)


def items_in(jsonl: Path) -> Iterator[Row]:
    """The files named in a list of {"id", "path", "url"}; paths count from the list's own folder.

    Raises:
        CommandError: the list cannot be read.
    """
    for where, line in lines_of([jsonl]):
        if line.strip():
            yield _item_in(jsonl, where, line)


def _item_in(jsonl: Path, where: str, line: str) -> Row:
    """A line of a list; with the key "bad" when it names no file."""
    key = None
    try:
        item = read_line(line)
        key = _key(item)
        path, url = Path(item["path"]), item.get("url")
        if not isinstance(url, str | None):
            raise TypeError("url: expected a text")
    except (ValueError, KeyError, TypeError) as e:
        return {"id": key, "bad": f'{where}: expected {{"id", "path", "url"}}: {e!r}'}
    beside = jsonl.parent / path
    is_beside = os.path.exists(beside)  # Path.exists raises for names that no file can have
    return {"id": item.get("id", str(path)), "path": str(beside if is_beside else path), "url": url}


def _is_url(text: str) -> bool:
    """Whether links can be joined to it."""
    try:
        return bool(urlsplit(text))
    except ValueError:
        return False


def lines_of(paths: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """The lines of files, or of stdin, each with its place, for `read_line`.

    Raises:
        CommandError: a file cannot be read.
    """
    for path in paths or (Path("-"),):
        try:
            if str(path) == "-":
                yield from _numbered("stdin", sys.stdin.buffer)
            else:
                with packed.opened(path) as lines:
                    yield from _numbered(str(path), lines)
        except packed.DAMAGES as e:
            raise CommandError(f"{path}: {packed.why(e)}") from e


def _numbered(name: str, lines: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    for n, line in enumerate(lines, 1):
        text = line.decode("utf-8", "surrogateescape")  # a bad byte spoils its own line only
        yield f"{name}, line {n}", text.removeprefix("\ufeff") if n == 1 else text


def read_line(line: str) -> Any:
    """What a line of JSON says.

    Raises:
        ValueError: it is no JSON; says why.
    """
    try:
        line.encode()
        return json.loads(line)
    except UnicodeEncodeError as e:
        raise ValueError("not UTF-8") from e
    except RecursionError as e:
        raise ValueError("nested too deep") from e


def _key(item: Any) -> str | int | float | None:
    """The id of an item: what JSON can give back.

    Raises:
        TypeError: it is no item, or its id is something else.
    """
    if not isinstance(item, dict):
        raise TypeError("no object")
    key = item.get("id")
    if not isinstance(key, str | int | float | None) or (isinstance(key, float) and not math.isfinite(key)):
        raise TypeError("id: expected a text or a number")
    return key


async def _in_order(options: Options, work: Callable[..., Row], calls: Iterable[tuple[Any, ...]]) -> AsyncIterator[Row]:
    from pipeline.entrypoints import wiring  # it brings the whole flow, which `classify` does not need

    async with wiring.make_compute(options.settings()) as compute:
        line: deque[asyncio.Task[Row]] = deque()
        for call in calls:
            line.append(asyncio.create_task(_guarded(compute, work, call)))
            if len(line) >= AHEAD * compute.workers:
                yield await line.popleft()
        while line:
            yield await line.popleft()


async def _guarded(compute: Compute, work: Callable[..., Row], call: tuple[Any, ...]) -> Row:
    try:
        return await compute(work, *call)
    except StageError as error:
        return _error(call[0]["id"], error.reason, str(error))


def _extract_file(item: Row, now: datetime) -> Row:
    """Runs in a worker: the page is read there, and does not travel."""
    from pipeline.stages.extract import extract

    if "bad" in item:
        return _error(item["id"], BAD_LINE, item["bad"])
    try:
        if item["url"] and not _is_url(item["url"]):
            raise StageError(item["url"], "bad-url")
        body = _body(Path(item["path"]))
        url = item["url"] or NOWHERE
        article = extract(Page(url, body, None, now), Entry(id=url, url=url))
    except StageError as error:
        return _error(item["id"], error.reason, str(error))
    return {"id": item["id"], **_article(article, has_url=bool(item["url"]))}


def _article(article: Article, *, has_url: bool) -> Row:
    is_dated = article.published_from is not DateOrigin.FIRST_SEEN
    return {
        "url": article.url if has_url else None,
        "canonical_url": article.canonical_url if has_url or not article.canonical_url.startswith(NOWHERE) else None,
        "title": article.title,
        "text": article.text,
        "authors": article.authors,
        "published_at": article.published_at if is_dated else None,
        "updated_at": article.updated_at,
        "lang": article.lang,
        "site_name": article.site_name,
        "extractor": article.extractor,
    }


def _parse_file(item: Row) -> Row:
    """Runs in a worker."""
    try:
        path = Path(item["path"])
        parsed = parse(_body(path), item["url"] or path.absolute().as_uri())  # to which no link of the web is joined
    except StageError as error:
        return _error(item["id"], error.reason, str(error))
    feed = {"title": parsed.title, "url": parsed.url, "format": parsed.format}
    return {"id": item["id"], "feed": feed, "entries": [_entry(entry) for entry in parsed.entries]}


def _entry(entry: Entry) -> Row:
    row = asdict(entry)
    names = ("id", "url", "title", "published_at", "updated_at", "summary", "content", "authors", "tags", "enclosures")
    return {name: row[name] for name in names}


def _body(path: Path) -> bytes:
    """The bytes of a file, unpacked when it is packed.

    Raises:
        StageError: it cannot be read, or is a bomb.
    """
    try:
        with packed.opened(path) as file:
            body = file.read(LARGEST + 1)
    except (*packed.DAMAGES, ValueError) as e:  # ValueError: a name that no file can have
        raise StageError(str(path), "unreadable-file", detail=packed.why(e)) from e
    if len(body) > LARGEST:
        raise StageError(str(path), "too-large", detail=f"over {LARGEST} bytes, unpacked")
    return body


def _classify_line(classifier: Classifier, where: str, line: str, now: datetime) -> Row:
    key = None
    try:
        item = read_line(line)
        key = _key(item)
        article = _to_article(item, now)
    except (ValueError, TypeError) as e:
        return _error(key, BAD_LINE, f"{where}: {e}")
    return {"id": key, **verdict_row(classifier.classify(article))}


def _to_article(item: Row, now: datetime) -> Article:
    if wrong := [name for name in ("title", "text", "url", "lang") if not isinstance(item.get(name) or "", str)]:
        raise TypeError(f"{' and '.join(wrong)}: expected a text")
    url = item.get("url") or NOWHERE
    title, text, lang = item.get("title") or "", item.get("text") or "", item.get("lang")
    article = Article(url, url, title, text, now, DateOrigin.FIRST_SEEN, "given@1", lang=lang or None)
    return replace(article, lang=language(article))


def verdict_row(verdict: Verdict) -> Row:
    """A verdict as it is printed."""
    return {
        "label": verdict.label.value,
        "score": round(verdict.score, 6),
        "needs_review": verdict.needs_review,
        "topics": verdict.topics,
        "countries": verdict.countries,
        "entities": [{"name": name, "kind": kind} for name, kind in verdict.entities],
        "evidence": [asdict(evidence) for evidence in verdict.evidence],
        "base": verdict.base,
        "classifier": verdict.classifier,
        "tagger": verdict.tagger,
    }


def verdict_of(options: Options, text: str) -> Row:
    """The verdict on one text; its first line is the title when more follow."""
    title, _, body = text.partition("\n")
    classifier = make_classifier(options.settings())
    item = {"title": title if body else "", "text": body or title}
    return {"id": None, **verdict_row(classifier.classify(_to_article(item, SystemClock().now())))}


async def print_rows(rows: AsyncIterator[Row]) -> set[str]:
    """Print rows as they come; returns the reasons of those that were errors."""
    return {reason async for row in rows if (reason := print_row(row))}


def print_all(rows: Iterable[Row]) -> set[str]:
    """Print rows as they come; returns the reasons of those that were errors."""
    return {reason for row in rows if (reason := print_row(row))}


def print_row(row: Row) -> str | None:
    """Print one row as a line of JSON; returns its reason when it is an error."""
    sys.stdout.write(output.line(row) + "\n")
    return row["error"]["reason"] if "error" in row else None


def _error(key: Any, reason: str, message: str) -> Row:
    return {"id": key, "error": {"reason": reason, "message": message}}
