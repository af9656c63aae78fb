"""A file of URLs, one a line."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import urls
from pipeline.archives.urls import LONGEST_URL, read
from pipeline.errors import ArchiveError
from pipeline.model import Entry


def test_a_line_is_an_entry_known_by_its_canonical_url_and_fetched_as_given() -> None:
    assert list(read("urls.txt", [" http://News.example/1?utm_source=x \r\n"])) == [
        Entry(
            id="https://news.example/1",
            url="http://News.example/1?utm_source=x",
            archive="urls",
            place="urls.txt, line 1",
        )
    ]


@pytest.mark.parametrize("line", ["", "\n", " \t\r\n", "# https://a.example/", "  # x\n", "\ufeff", "\ufeff# x\n"])
def test_empty_lines_and_comments_are_passed_over(line: str) -> None:
    assert list(read("urls.txt", [line])) == []


def test_a_byte_order_mark_is_no_part_of_the_first_url() -> None:
    (found,) = read("urls.txt", ["\ufeffhttps://a.example/1\n"])
    assert isinstance(found, Entry)
    assert found.url == "https://a.example/1"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("javascript:alert(1)", id="a script"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("/news/1", id="relative"),
        pytest.param("a.example", id="no scheme"),
        pytest.param("https://", id="no host"),
        pytest.param("https://a.example/1\thttps://a.example/2", id="two"),
        pytest.param("https://a.example/\ud800", id="half a character"),
        pytest.param("https://a.example/" + "x" * LONGEST_URL, id="too long"),
    ],
)
def test_a_line_that_is_no_url_is_named_by_its_number_and_reading_goes_on(line: str) -> None:
    good, bad, after = read("urls.txt", ["https://a.example/1", line, "https://a.example/2"])
    assert isinstance(bad, ArchiveError)
    assert (bad.subject, bad.reason) == ("urls.txt, line 2", "not-a-url")
    assert line.startswith(bad.detail)
    assert len(bad.detail) <= 100
    assert [entry.id for entry in (good, after) if isinstance(entry, Entry)] == [
        "https://a.example/1",
        "https://a.example/2",
    ]


@given(st.lists(st.text(max_size=40) | st.text(max_size=9).map("https://a.example/{}".format)))
def test_every_line_is_an_entry_an_error_or_nothing(lines: list[str]) -> None:
    found = list(read("urls.txt", lines))
    assert len(found) <= len(lines)
    for item in found:
        assert isinstance(item, ArchiveError) or (item.url and urls.canonical_url(item.url) == item.id)


CSV = """\ufeffTitle,URL,Date
"Drill, again",https://a.example/1,2025-07-11

No date,https://a.example/2
"open,https://a.example/3,2025-07-11
Someday,https://a.example/4,one day
"""
JSONL = """{"url": "https://a.example/1", "title": "Drill, again", "date": "2025-07-11", "published_at": null}

{"url": "https://a.example/2", "title": 7}
["https://a.example/3"]
{"url": "https://a.example/4", "date": "one day"}
{"url": 5}
{"title":
"""


@pytest.mark.parametrize(
    ("name", "text", "bad"),
    [("a.csv", CSV, [("not-a-url", 5)]), ("a.jsonl", JSONL, [("not-json", 4), ("not-a-url", 6), ("not-json", 7)])],
    ids=["csv", "jsonl"],
)
def test_title_and_date_are_taken_where_they_are_given(name: str, text: str, bad: list[tuple[str, int]]) -> None:
    found = list(read(name, text.splitlines(keepends=True)))
    entries = [item for item in found if isinstance(item, Entry)]
    assert [entry.url for entry in entries] == [f"https://a.example/{n}" for n in (1, 2, 4)]
    assert (entries[0].title, entries[0].published_at) == ("Drill, again", datetime(2025, 7, 11, tzinfo=UTC))
    assert [entry.published_at for entry in entries[1:]] == [None, None]
    errors = [item for item in found if isinstance(item, ArchiveError)]
    assert [(error.reason, error.subject) for error in errors] == [(why, f"{name}, line {at}") for why, at in bad]


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl"])
def test_a_url_of_ten_megabytes_costs_its_line(name: str) -> None:
    lines = {"a.txt": "{}", "a.csv": "{},x", "a.jsonl": '{{"url": "{}"}}'}[name]
    given = ["url,title"] * (name == "a.csv") + [
        lines.format(f"https://a.example/{path}") for path in ("1", "x" * 10_000_000, "2")
    ]
    found = list(read(name, given))
    assert [item.url for item in found if isinstance(item, Entry)] == ["https://a.example/1", "https://a.example/2"]
    assert sum(isinstance(item, ArchiveError) for item in found) == 1


def test_a_cell_that_is_too_long_for_csv_costs_its_line() -> None:
    bad, good = read("a.csv", ["url\n", "x" * 10_000_000, "https://a.example/1\n"])
    assert isinstance(bad, ArchiveError)
    assert (bad.reason, isinstance(good, Entry)) == ("not-csv", True)
