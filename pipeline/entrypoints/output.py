"""What commands print: listings as table, json, jsonl or csv; times as RFC 3339 UTC; nothing that steers a terminal."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TextIO

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
WIDEST_CELL = 200  # characters in a table


class Format(StrEnum):
    """How a listing is printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


def rfc3339(moment: datetime) -> str:
    """2026-01-31T12:00:00Z."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def plain(value: Any) -> Any:
    """A value as JSON knows it."""
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    return value


def line(value: Any) -> str:
    """A value as one line of JSON."""
    return json.dumps(plain(value), ensure_ascii=False)


def printable(text: str) -> str:
    """A text without control characters, for terminals."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)


def show(rows: Iterable[Mapping[str, Any]], chosen: Format | None = None, out: TextIO | None = None) -> None:
    """Print a listing: a table on a terminal, JSON lines in a pipe, unless one is chosen."""
    out = out or sys.stdout
    chosen = chosen or (Format.TABLE if out.isatty() else Format.JSONL)
    if chosen is Format.JSONL:
        for row in rows:
            print(line(row), file=out, flush=False)
    elif chosen is Format.JSON:
        print(json.dumps([plain(row) for row in rows], ensure_ascii=False, indent=2), file=out)
    elif chosen is Format.CSV:
        _csv(rows, out)
    else:
        _table(list(rows), out)
    out.flush()


def csv_writer(out: TextIO, header: Iterable[str]) -> Callable[[Iterable[Any]], None]:
    """Writes the header, and gives what writes a row.

    Cells that a spreadsheet would take for a formula get an apostrophe before them.
    """
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    return lambda values: writer.writerow([_csv_cell(value) for value in values]) and None


def _csv(rows: Iterable[Mapping[str, Any]], out: TextIO) -> None:
    write = None
    for row in rows:
        write = write or csv_writer(out, row)
        write(row.values())


def _csv_cell(value: Any) -> Any:
    value = plain(value)
    if isinstance(value, list | dict):
        value = ";".join(map(str, value)) if all(isinstance(v, str | int | float) for v in value) else json.dumps(value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value


def _table(rows: Sequence[Mapping[str, Any]], out: TextIO) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        print("nothing found", file=out)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_table_cell(value)) for value in row.values()))
    Console(file=out, soft_wrap=False, emoji=False, highlight=False).print(table)


def _table_cell(value: Any) -> str:
    value = plain(value)
    if value is None:
        return "-"
    if isinstance(value, list):
        value = " ".join(map(str, value))
    text = printable(f"{value:.2f}" if isinstance(value, float) else str(value))
    return text if len(text) <= WIDEST_CELL else text[: WIDEST_CELL - 1] + "…"
