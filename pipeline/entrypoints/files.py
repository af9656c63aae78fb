"""`extract`, `parse-feed`, `classify`: single stages over files, one JSON line for each, in the order given."""

import asyncio
import json
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

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


def classify_lines(options: Options, lines: Iterable[tuple[str, bytes]]) -> Iterator[Row]:
    """(Where, JSON line) -> verdicts or errors."""
    classifier = make_classifier(options.settings())
    now = SystemClock().now()
    for where, line in lines:
        if line.strip():
            yield _classify_line(classifier, where, line, now)


def items_of(paths: Iterable[str], url: str | None) -> Iterator[Row]:
    """The files named on the command line."""
    return ({"id": path, "path": path, "url": url} for path in paths)


def items_in(jsonl: Path) -> Iterator[Row]:
    """The files named in a list of {"id", "path", "url"}; paths count from the list's own folder.

    Raises:
        CommandError: the list cannot be read; says in which line.
    """
    for where, line in lines_of([jsonl]):
        try:
            item = json.loads(line)
            path = Path(item["path"])
        except (ValueError, KeyError, TypeError) as e:
            raise CommandError(f'{where}: expected {{"id", "path", "url"}}: {e!r}') from e
        beside = jsonl.parent / path
        yield {
            "id": item.get("id", str(path)),
            "path": str(beside if beside.exists() else path),
            "url": item.get("url"),
        }


def lines_of(paths: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """The lines of files, or of stdin, each with its place; as bytes, so that one that is no UTF-8 spoils no other.

    Raises:
        CommandError: a file cannot be read.
    """
    for path in paths or (Path("-"),):
        try:
            if str(path) == "-":
                yield from ((f"stdin, line {n}", line) for n, line in enumerate(sys.stdin.buffer, 1))
            else:
                with packed.opened(path) as lines:
                    yield from ((f"{path}, line {n}", line) for n, line in enumerate(lines, 1))
        except packed.DAMAGES as e:
            raise CommandError(f"{path}: {packed.why(e)}") from e


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

    try:
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
    except packed.DAMAGES as e:
        raise StageError(str(path), "unreadable-file", detail=packed.why(e)) from e
    if len(body) > LARGEST:
        raise StageError(str(path), "too-large", detail=f"over {LARGEST} bytes, unpacked")
    return body


def _classify_line(classifier: Classifier, where: str, line: bytes, now: datetime) -> Row:
    item = None
    try:
        item = json.loads(line)
        article = _to_article(item, now)
    except (ValueError, RecursionError, UsageError) as e:
        return _error(item.get("id") if isinstance(item, dict) else None, "bad-line", f"{where}: {e}")
    return {"id": item.get("id"), **verdict_row(classifier.classify(article))}


def _to_article(item: Any, now: datetime) -> Article:
    if not isinstance(item, dict):
        raise UsageError('expected {"id", "title", "text"}')
    if wrong := [name for name in ("title", "text", "url", "lang") if not isinstance(item.get(name) or "", str)]:
        raise UsageError(f"{' and '.join(wrong)}: expected a text")
    url = item.get("url") or NOWHERE
    title, text, lang = item.get("title") or "", item.get("text") or "", item.get("lang")
    article = Article(url, url, title, text, now, DateOrigin.FIRST_SEEN, "given@1", lang=lang)
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


async def print_rows(rows: AsyncIterator[Row]) -> bool:
    """Print rows as they come; returns whether none was an error."""
    is_whole = True
    async for row in rows:
        print_row(row)
        is_whole = is_whole and "error" not in row
    return is_whole


def print_all(rows: Iterable[Row]) -> bool:
    """Print rows as they come; returns whether none was an error."""
    is_whole = True
    for row in rows:
        print_row(row)
        is_whole = is_whole and "error" not in row
    return is_whole


def print_row(row: Row) -> None:
    """Print one row as a line of JSON."""
    sys.stdout.write(output.line(row) + "\n")


def _error(key: Any, reason: str, message: str) -> Row:
    return {"id": key, "error": {"reason": reason, "message": message}}
