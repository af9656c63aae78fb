"""`defnews export` and downloads: all that matches, streaming, as JSON lines, CSV or Parquet (docs/export.md)."""

import contextlib
import gzip
import io
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import zstandard

from pipeline.clock import SystemClock
from pipeline.entrypoints import output
from pipeline.entrypoints.options import Options
from pipeline.entrypoints.reading import Asked, named, to_query
from pipeline.errors import CommandError, UsageError
from pipeline.store import Found, open_store

GROUP = 500  # rows of a row group: thousands of texts at once would be the larger part of the memory
PIECE = 1 << 16  # bytes that are sent at once
COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "id": "integer",
        "url": "text",
        "title": "text",
        "site": "text",
        "feed": "text",
        "authors": "texts",
        "agency": "text",
        "published_at": "moment",
        "published_from": "text",
        "lang": "text",
        "label": "text",
        "score": "number",
        "needs_review": "boolean",
        "topics": "texts",
        "countries": "texts",
        "entities": "entities",
        "section": "text",
        "tags": "texts",
        "is_teaser": "boolean",
        "extractor": "text",
        "text": "text",
    }
)
Take = Callable[[Mapping[str, Any]], object]


async def export(options: Options, asked: Asked, path: Path) -> int:
    """Write all results to a file, newest first; returns how many. The file appears only when it is whole."""
    settings = options.settings()
    with _writing(path) as take:
        async with await open_store(settings.database_url) as store:
            query = replace(await to_query(store, asked, SystemClock().now()), limit=2**62)
            async with contextlib.aclosing(store.search.stream(query)) as rows:  # also when the disk is full
                return await _write(rows, take)


async def pieces(rows: AsyncGenerator[Found], form: str) -> AsyncIterator[bytes]:
    """A file of a format, such as ".csv", piece by piece, as the rows come.

    Raises:
        CommandError: the extra for the format is not installed.
    """
    pipe = _Pipe()
    async with contextlib.aclosing(rows):
        with FORMATS[form](pipe) as take:
            async for found in rows:
                take(_row(found))
                if len(pipe.waiting) >= PIECE:
                    yield pipe.taken()
    yield pipe.taken()


class _Pipe(io.RawIOBase):
    """A file that keeps what is written only until it is taken out."""

    def __init__(self) -> None:
        self.waiting = bytearray()
        self._before = 0  # bytes that were taken

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.waiting += data
        return memoryview(data).nbytes

    def tell(self) -> int:
        return self._before + len(self.waiting)

    def taken(self) -> bytes:
        piece = bytes(self.waiting)
        self._before += len(piece)
        self.waiting.clear()
        return piece


async def _write(rows: AsyncIterator[Found], take: Take) -> int:
    count = 0
    async for found in rows:
        take(_row(found))
        count += 1
    return count


def _row(found: Found) -> dict[str, Any]:
    return {name: getattr(found, name) for name in COLUMNS} | {"entities": named(found.entities)}


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[Take]:
    """What takes the rows.

    Raises:
        UsageError: the name ends in nothing that we write.
        CommandError: the file cannot be written, or the extra for its format is not installed.
    """
    stem = path.name.removesuffix(".gz").removesuffix(".zst")
    open_rows = FORMATS.get(Path(stem).suffix)
    if open_rows is None or (open_rows is _parquet and stem != path.name):
        raise UsageError(
            f"{path}: expected a name that ends in .jsonl or .csv, or either with .gz or .zst behind, or in .parquet"
        )
    partial = path.with_name(path.name + ".part")
    try:
        with partial.open("wb") as raw, _compressed(raw, path.suffix) as packed, open_rows(packed) as take:
            yield take
        os.replace(partial, path)
    except OSError as e:
        raise CommandError(f"{path}: {e.strerror}") from e
    finally:
        partial.unlink(missing_ok=True)


def _compressed(raw: Any, suffix: str) -> Any:
    if suffix == ".gz":
        return gzip.GzipFile(fileobj=raw, mode="wb", mtime=0)
    if suffix == ".zst":
        return zstandard.ZstdCompressor(level=9).stream_writer(raw, closefd=False)
    return contextlib.nullcontext(raw)


@contextlib.contextmanager
def _text(file: IO[bytes]) -> Iterator[io.TextIOWrapper]:
    out = io.TextIOWrapper(file, encoding="utf-8", newline="")
    yield out
    out.flush()
    out.detach()


@contextlib.contextmanager
def _jsonl(file: IO[bytes]) -> Iterator[Take]:
    with _text(file) as out:
        yield lambda row: out.write(output.line(row) + "\n")


@contextlib.contextmanager
def _csv(file: IO[bytes]) -> Iterator[Take]:
    with _text(file) as out:
        write = output.csv_writer(out, COLUMNS)
        yield lambda row: write(row.values())


@contextlib.contextmanager
def _parquet(file: IO[bytes]) -> Iterator[Take]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as e:
        raise CommandError("Parquet needs the extra: pip install 'defnews[parquet]'") from e
    schema = _arrow_schema(pa)
    waiting: list[Mapping[str, Any]] = []
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:

        def write() -> None:
            writer.write_table(pa.Table.from_pylist(waiting, schema))
            waiting.clear()

        def take(row: Mapping[str, Any]) -> None:
            waiting.append(row)
            if len(waiting) == GROUP:
                write()

        yield take
        if waiting:
            write()


def _arrow_schema(pa: Any) -> Any:
    """The columns in Arrow's types; lists are never null."""
    kinds = {
        "integer": pa.int64(),
        "text": pa.string(),
        "texts": pa.list_(pa.string()),
        "moment": pa.timestamp("us", tz="UTC"),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "entities": pa.list_(pa.struct({"name": pa.string(), "kind": pa.string()})),
    }
    return pa.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])


FORMATS: Mapping[str, Callable[[Any], contextlib.AbstractContextManager[Take]]] = MappingProxyType(
    {".jsonl": _jsonl, ".csv": _csv, ".parquet": _parquet}
)
