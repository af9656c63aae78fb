"""Questions to an index of the world's news, split in time where the answer is full."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archives import Found, Places, Span, Step, Wanted, read_whole
from pipeline.archives.gdelt import MOST, GdeltArchive
from pipeline.errors import ArchiveError
from pipeline.model import Entry
from tests import make
from tests.archives.walking import AT, ROOM, feed, walk

ARCHIVE = GdeltArchive()
JULY = Span(datetime(2025, 7, 1, tzinfo=UTC), datetime(2025, 8, 1, tzinfo=UTC))
FEED = make.feed(url="https://www.news.example/feed")


def start(span: Span = JULY, query: str = "") -> Step:
    (step,) = ARCHIVE.start(Wanted(FEED, span, AT, Places(gdelt="https://index.example/doc", gdelt_query=query)))
    return step


def asked(step: Step) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(step.url).query).items()}


def named(number: int = 1, **changes: Any) -> dict[str, Any]:
    given = {"url": f"https://news.example/{number}", "title": "Drills", "seendate": "20250711T121500Z"}
    return {**given, **changes}


def read(articles: Any, step: Step | None = None) -> list[Found]:
    body = articles if isinstance(articles, bytes) else json.dumps({"articles": articles}).encode()
    return list(ARCHIVE.read(step or start(), (body,), JULY))


def test_it_is_asked_for_the_site_in_the_range_and_not_beyond_now() -> None:
    said = asked(start())
    assert said == {
        "query": "domain:news.example",
        "mode": "ArtList",
        "format": "json",
        "maxrecords": "250",
        "sort": "DateAsc",
        "startdatetime": "20250701000000",
        "enddatetime": "20250712115959",
    }


def test_a_query_is_asked_once_whatever_the_feed() -> None:
    step = start(query="theme:MILITARY sourcecountry:US")
    assert (asked(step)["query"], step.carried) == ("theme:MILITARY sourcecountry:US", "")
    other = make.feed(url="https://other.example/feed")
    places = Places(gdelt="https://index.example/doc", gdelt_query="theme:MILITARY sourcecountry:US")
    assert ARCHIVE.start(Wanted(other, JULY, AT, places)) == (step,)


@pytest.mark.parametrize(
    ("span", "start_at", "end_at"),
    [
        pytest.param(Span(), "20170101000000", "20250712115959", id="ever"),
        pytest.param(Span(until=datetime(2020, 1, 1, tzinfo=UTC)), "20170101000000", "20200101235959", id="seen late"),
        pytest.param(Span(until=datetime.max.replace(tzinfo=UTC)), "20170101000000", "20250712115959", id="for ever"),
        pytest.param(Span(until=datetime(2010, 1, 1, tzinfo=UTC)), "20170101000000", "20170101000000", id="before it"),
        pytest.param(Span(AT + timedelta(days=1)), "20250713120000", "20250713120000", id="tomorrow"),
    ],
)
def test_a_range_is_cut_to_what_there_can_be(span: Span, start_at: str, end_at: str) -> None:
    said = asked(start(span))
    assert (said["startdatetime"], said["enddatetime"]) == (start_at, end_at)


def test_an_article_is_an_entry_with_the_time_at_which_it_was_seen() -> None:
    assert read([named()]) == [
        Entry(
            id="https://news.example/1",
            url="https://news.example/1",
            title="Drills",
            published_at=datetime(2025, 7, 11, 12, 15, tzinfo=UTC),
            archive="gdelt",
        )
    ]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(named(url="https://other.example/1"), id="another site"),
        pytest.param(named(url=7), id="a number"),
        pytest.param(named(url="javascript:alert(1)"), id="a script"),
        pytest.param("https://news.example/1", id="a string"),
    ],
)
def test_what_is_no_article_of_the_site_is_passed_over(bad: Any) -> None:
    assert read([bad]) == []


def test_a_query_brings_articles_of_any_site() -> None:
    assert len(read([named(url="https://other.example/1")], start(query="drills"))) == 1


def test_a_date_or_title_that_cannot_be_read_counts_as_not_said() -> None:
    found = read([named(1, seendate="soon", title=7), named(2, seendate=None)])
    assert [item.published_at for item in found if isinstance(item, Entry)] == [None, None]


def test_a_full_answer_is_split_in_time_without_a_gap() -> None:
    first, second = read([named(number) for number in range(MOST)])
    assert isinstance(first, Step)
    assert isinstance(second, Step)
    times = [(asked(step)["startdatetime"], asked(step)["enddatetime"]) for step in (first, second)]
    assert times == [("20250701000000", "20250706175959"), ("20250706180000", "20250712115959")]


def test_what_cannot_be_split_further_is_taken_and_said_to_be_too_much() -> None:
    step = start(Span(AT - timedelta(minutes=15)))
    body = json.dumps({"articles": [named(number) for number in range(MOST)]}).encode()
    found, error = read_whole("gdelt", step, body, JULY)
    assert error is not None
    assert (len(found), error.reason) == (MOST, "too-many")
    assert ARCHIVE.instead(step, ArchiveError(step.url, "too-many")) is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"Please limit requests to one every 5 seconds", "refused", id="too fast"),
        pytest.param(b"<html>", "refused", id="HTML"),
        pytest.param(b'{"articles": [{"url": "https://n', "malformed-json", id="cut off"),
    ],
)
def test_what_is_no_answer_is_an_error(body: bytes, reason: str) -> None:
    with pytest.raises(ArchiveError, match=reason):
        read(body)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"articles": {}}'])
def test_no_articles_are_no_error(body: bytes) -> None:
    assert read(body) == []


@given(st.binary(max_size=60))
def test_arbitrary_bytes_raise_nothing_but_archive_errors(body: bytes) -> None:
    found, _ = read_whole("gdelt", start(), body, JULY)
    assert found == ()


def test_a_question_with_many_answers_finds_all_of_them_once() -> None:
    base = f"{ROOM.origins[-1]}/api/v2/doc/doc"
    walked = walk("gdelt", Wanted(feed("keel"), Span(), AT, Places(gdelt=base, gdelt_query="a")))
    told = {a.link for a in ROOM.articles if "a" in a.title.lower() and a.published_at < AT - timedelta(minutes=15)}
    assert told <= set(walked.urls)
    assert len(walked.urls) == len(set(walked.urls))
    assert (len(walked.asked) > 1, walked.missed) == (True, [])


def test_an_article_that_was_seen_after_the_range_it_was_published_in_is_found() -> None:
    base = f"{ROOM.origins[-1]}/api/v2/doc/doc"
    last = next(article for article in ROOM.articles if article.published_at < AT - timedelta(days=3))
    span = Span(last.published_at - timedelta(days=2), last.published_at + timedelta(minutes=1))
    walked = walk("gdelt", Wanted(feed("keel"), span, AT, Places(gdelt=base, gdelt_query=last.title)))
    assert last.link in walked.urls
