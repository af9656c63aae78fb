"""Lines -> articles that were extracted already."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from pipeline.archives import jsonl
from pipeline.errors import ArchiveError
from pipeline.model import Article, DateOrigin, Entry
from tests.make import AT, TEXT

URL = "https://news.example/1"
LINE = {
    "id": 7,
    "url": URL,
    "canonical_url": "https://www.news.example/drill",
    "title": "Allies fly an air drill",
    "text": TEXT,
    "authors": ["A. Writer", None],
    "published_at": "2025-07-10T09:00:00+02:00",
    "updated_at": "2025-07-10T10:00:00Z",
    "lang": "en-us",
    "site_name": "News",
    "section": "Air",
    "tags": ["drill", 7],
    "is_teaser": True,
    "extractor": "other@3",
}


def read(*lines: str) -> list[Entry | ArchiveError]:
    return list(jsonl.read("a.jsonl", lines, AT))


def one(**changes: Any) -> Article:
    (entry,) = read(json.dumps(LINE | changes))
    assert isinstance(entry, Entry)
    assert isinstance(entry.held, Article)
    return entry.held


def test_a_line_is_an_article_as_it_was_extracted() -> None:
    blank, (entry,) = "\n", read("\n", "\ufeff" + json.dumps(LINE))
    assert blank
    assert isinstance(entry, Entry)
    assert (entry.id, entry.archive, entry.place) == (URL, "jsonl", "a.jsonl, line 2")
    assert entry.held == Article(
        url=URL,
        canonical_url="https://www.news.example/drill",
        title="Allies fly an air drill",
        text=TEXT,
        published_at=datetime.fromisoformat("2025-07-10T07:00:00+00:00"),
        published_from=DateOrigin.ARCHIVE,
        extractor="other@3",
        authors=("A. Writer",),
        updated_at=datetime.fromisoformat("2025-07-10T10:00:00+00:00"),
        lang="en-US",
        site_name="News",
        section="Air",
        tags=("drill",),
        is_teaser=True,
    )


@pytest.mark.parametrize(
    "given", [None, "someday", (AT + timedelta(days=1)).isoformat()], ids=["none", "bad", "future"]
)
def test_an_article_without_a_date_that_can_be_is_dated_by_when_it_was_first_seen(given: str | None) -> None:
    made = one(published_at=given)
    assert (made.published_at, made.published_from) == (AT, DateOrigin.FIRST_SEEN)


def test_what_is_not_given_is_not_made_up_and_a_foreign_canonical_url_does_not_count() -> None:
    bare = one(canonical_url="https://thief.example/", authors="A", lang=None, site_name=None, extractor=None)
    assert (bare.canonical_url, bare.authors, bare.site_name) == (URL, (), None)
    assert bare.extractor == "given@1"


@pytest.mark.parametrize("declared", [None, "de"])
def test_an_article_that_declares_no_language_or_a_wrong_one_has_that_of_its_text(declared: str | None) -> None:
    assert one(lang=declared).lang == "en"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param("{", "not-json", id="cut"),
        pytest.param("[" * 100_000, "not-json", id="deep"),
        pytest.param("[]", "not-json", id="no object"),
        pytest.param(json.dumps(LINE | {"url": None}), "not-a-url", id="no URL"),
        pytest.param(json.dumps(LINE | {"title": " "}), "no-title", id="no title"),
        pytest.param(json.dumps(LINE | {"text": "Subscribe."}), "too-short", id="a teaser"),
        pytest.param(json.dumps(LINE | {"text": "x" * 10_000_000}), "line-too-long", id="ten megabytes"),
    ],
)
def test_a_line_that_holds_no_article_is_named_and_reading_goes_on(line: str, reason: str) -> None:
    bad, good = read(line, json.dumps(LINE))
    assert isinstance(bad, ArchiveError)
    assert (bad.subject, bad.reason, isinstance(good, Entry)) == ("a.jsonl, line 1", reason, True)
