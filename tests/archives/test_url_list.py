"""A file of URLs, one a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import urls
from pipeline.archives.urls import LONGEST_LINE, read
from pipeline.errors import ArchiveError
from pipeline.model import Entry


def test_a_line_is_an_entry_known_by_its_canonical_url_and_fetched_as_given() -> None:
    assert list(read("urls.txt", [" http://News.example/1?utm_source=x \r\n"])) == [
        Entry(id="https://news.example/1", url="http://News.example/1?utm_source=x", archive="urls")
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
        pytest.param("https://a.example/" + "x" * LONGEST_LINE, id="too long"),
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
