"""What commands print: listings as table, json, jsonl or csv; times as RFC 3339 UTC; nothing that steers a terminal."""

import csv
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TextIO

_FORMULA = ("=", "+", "-", "@")
_STEERING = re.compile(  # control characters, bidirectional overrides, halves of characters
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
WIDEST_CELL = 200  # characters in a table
WIDEST_TABLE = 160  # characters, where no terminal says how wide it is

Row = Mapping[str, Any]


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
    return _json(value)


def _json(value: Any, indent: int | None = None) -> str:
    text = json.dumps(plain(value), ensure_ascii=False, indent=indent)
    return _STEERING.sub(lambda char: f"\\u{ord(char[0]):04x}", text)


def printable(text: str) -> str:
    """A text without control characters, for terminals."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)


def suited(out: TextIO) -> Format:
    """The format when none is chosen: a table on a terminal, JSON lines in a pipe."""
    return Format.TABLE if out.isatty() else Format.JSONL


def show(rows: Iterable[Row], chosen: Format | None = None, out: TextIO | None = None) -> None:
    """Print a listing, as suits where it goes unless a format is chosen."""
    out = out or sys.stdout
    chosen = chosen or suited(out)
    if chosen is Format.JSONL:
        for row in rows:
            print(line(row), file=out, flush=False)
    elif chosen is Format.JSON:
        print(_json(list(rows), indent=2), file=out)
    elif chosen is Format.CSV:
        _csv(list(rows), out)
    else:
        _table(list(rows), out)
    out.flush()


@contextmanager
def as_they_come(columns: Sequence[str], chosen: Format, out: TextIO | None = None) -> Iterator[Callable[[Row], None]]:
    """What takes the rows of a long listing: JSON lines and CSV are printed at once, the others at the end."""
    out = out or sys.stdout
    if chosen is Format.JSONL:
        yield lambda row: print(line(row), file=out, flush=True)
    elif chosen is Format.CSV:
        write = csv_writer(out, columns)
        yield lambda row: write(row.get(name) for name in columns)
    else:
        rows: list[Row] = []
        yield rows.append
        if rows:
            show(rows, chosen, out)
    out.flush()


def csv_writer(out: TextIO, header: Iterable[str]) -> Callable[[Iterable[Any]], None]:
    """Writes the header, and gives what writes a row.

    Cells that a spreadsheet would take for a formula get an apostrophe before them.
    """
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    return lambda values: writer.writerow([_csv_cell(value) for value in values]) and None


def _columns(rows: Sequence[Row]) -> tuple[str, ...]:
    """The names of all rows: not every row has all of them."""
    return tuple(dict.fromkeys(name for row in rows for name in row))


def _csv(rows: Sequence[Row], out: TextIO) -> None:
    if not rows:
        return
    columns = _columns(rows)
    write = csv_writer(out, columns)
    for row in rows:
        write(row.get(name) for name in columns)


def _csv_cell(value: Any) -> Any:
    value = plain(value)
    if isinstance(value, list) and all(isinstance(v, str | int | float) for v in value):
        value = ";".join(map(str, value))
    elif isinstance(value, list | dict):
        value = line(value)
    if not isinstance(value, str):
        return value
    text = _STEERING.sub(" ", value)
    return "'" + text if text.lstrip().startswith(_FORMULA) else text


def _table(rows: Sequence[Row], out: TextIO) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        print("nothing found", file=out)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    columns = _columns(rows)
    for name in columns:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_table_cell(row.get(name))) for name in columns))
    width = None if out.isatty() else WIDEST_TABLE
    Console(file=out, width=width, soft_wrap=False, emoji=False, highlight=False).print(table)


def in_words(value: Any) -> str:
    """A value for a person to read; what has a name goes by it."""
    value = plain(value)
    if isinstance(value, list):
        return (", " if any(isinstance(inner, dict) for inner in value) else " ").join(map(in_words, value))
    return str(value.get("name", value) if isinstance(value, dict) else value)


def _table_cell(value: Any) -> str:
    value = plain(value)
    if value is None:
        return "-"
    text = " ".join(printable(f"{value:.2f}" if isinstance(value, float) else in_words(value)).split("\n"))
    return text if len(text) <= WIDEST_CELL else text[: WIDEST_CELL - 1] + "…"
