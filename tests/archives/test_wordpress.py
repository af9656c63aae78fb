"""The posts of a WordPress site, by its API or by the pages of its feed."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archives import Found, Reached, Span, Step, Wanted
from pipeline.archives.wordpress import A_PAGE, WordpressArchive
from pipeline.errors import ArchiveError
from pipeline.model import Entry
from tests import make
from tests.archives.walking import JULY as WEEK
from tests.archives.walking import ROOM, feed, of_site, walk, wanted, within

ARCHIVE = WordpressArchive()
JULY = Span(datetime(2025, 7, 1, tzinfo=UTC), datetime(2025, 8, 1, tzinfo=UTC))
API = Step("https://news.example/wp-json/wp/v2/posts?per_page=100&page=1", "api", carried="https://news.example/feed/")
PAGED = Step("https://news.example/feed/", "paged")
BEYOND = ArchiveError("", "http-400")


def post(number: int = 1, **changes: Any) -> dict[str, Any]:
    given = {
        "link": f"https://news.example/{number}/",
        "date_gmt": "2025-07-11T12:00:00",
        "title": {"rendered": "Drills"},
    }
    return {**given, **changes}


def read(posts: Any, step: Step = API) -> list[Found]:
    body = posts if isinstance(posts, bytes) else json.dumps(posts).encode()
    return list(ARCHIVE.read(step, (body,), JULY))


def rss(*links: str, date: str = "Fri, 11 Jul 2025 12:00:00 GMT") -> bytes:
    items = "".join(f"<item><link>{link}</link><pubDate>{date}</pubDate></item>" for link in links)
    return f"<rss version='2.0'><channel>{items}</channel></rss>".encode()


def test_the_api_is_asked_for_the_range_and_only_for_what_is_needed() -> None:
    (step,) = ARCHIVE.start(Wanted(make.feed(url="https://news.example/blog/feed/?x=1"), JULY, make.AT))
    assert step.url.startswith("https://news.example/wp-json/wp/v2/posts?orderby=date&order=asc&_fields=link")
    assert "after=2025-06-30T00%3A00%3A00Z&before=2025-08-02T00%3A00%3A00Z&page=1" in step.url
    (whole,) = ARCHIVE.start(Wanted(make.feed(), Span(), make.AT))
    assert "after" not in whole.url
    (ever,) = ARCHIVE.start(Wanted(make.feed(), Span(until=datetime(9999, 12, 31, tzinfo=UTC)), make.AT))
    assert "before=9999-12-31" in ever.url


def test_a_post_is_an_entry_with_the_time_at_greenwich() -> None:
    assert read([post(title={"rendered": "Drills &amp; <em>more</em>"}, modified_gmt="2025-07-12T12:00:00")]) == [
        Entry(
            id="https://news.example/1/",
            url="https://news.example/1/",
            title="Drills & more",
            published_at=datetime(2025, 7, 11, 12, tzinfo=UTC),
            updated_at=datetime(2025, 7, 12, 12, tzinfo=UTC),
            archive="wordpress",
        ),
        Reached(),
    ]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(post(link=None), id="no link"),
        pytest.param(post(link="javascript:alert(1)"), id="a script"),
        pytest.param(post(link="https://other.example/1"), id="another site"),
        pytest.param(post(date_gmt="2025-09-01T00:00:00"), id="after the range"),
        pytest.param("post", id="a string"),
    ],
)
def test_what_is_no_post_of_the_site_in_the_range_is_passed_over(bad: Any) -> None:
    assert read([bad]) == [Reached()]


def test_a_date_or_title_that_cannot_be_read_counts_as_not_said() -> None:
    first, second, _ = read([post(1, date_gmt="soon", title="x"), post(2, date_gmt=7, title={"rendered": 7})])
    assert [(item.title, item.published_at) for item in (first, second) if isinstance(item, Entry)] == [
        (None, None)
    ] * 2


def test_a_full_page_leads_to_the_next_and_a_shorter_one_is_the_last() -> None:
    *_, following = read([post(number) for number in range(A_PAGE)])
    assert following == Step(API.url.replace("&page=1", "&page=2"), "api", carried=API.carried)
    assert read([])[-1] == Reached()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b'[{"link": "https://news.exam', "malformed-json", id="cut off"),
        pytest.param(b"[" * 100_000, "malformed-json", id="too deep"),
        pytest.param(b"<html>", "not-wordpress", id="HTML"),
        pytest.param(b'{"code": "rest_disabled"}', "not-wordpress", id="refused"),
        pytest.param(b"", "not-wordpress", id="nothing"),
    ],
)
def test_what_is_no_list_of_posts_is_an_error(body: bytes, reason: str) -> None:
    with pytest.raises(ArchiveError, match=reason):
        read(body)


@given(st.binary(max_size=80))
def test_arbitrary_bytes_raise_nothing_but_archive_errors(body: bytes) -> None:
    for step in (API, PAGED):
        try:
            read(body, step)
        except ArchiveError:
            continue


def numbered(step: Step, number: int) -> Step:
    name = "page" if step.kind == "api" else "paged"
    return Step(f"https://news.example/x?{name}={number}", step.kind)


@pytest.mark.parametrize(
    ("step", "error", "following"),
    [
        pytest.param(API, ArchiveError("", "http-404"), (PAGED,), id="no API"),
        pytest.param(API, ArchiveError("", "not-wordpress"), (PAGED,), id="something else in its place"),
        pytest.param(API, ArchiveError("", "http-503", retryable=True), None, id="out of service"),
        pytest.param(API, ArchiveError("", "malformed-json"), None, id="a broken answer"),
        pytest.param(numbered(API, 2), BEYOND, (Reached(),), id="beyond the last page"),
        pytest.param(numbered(API, 2), ArchiveError("", "http-403"), None, id="a page refused"),
        pytest.param(PAGED, ArchiveError("", "http-404"), None, id="no feed"),
        pytest.param(numbered(PAGED, 2), ArchiveError("", "http-404"), (), id="no pages: or none but the first"),
        pytest.param(
            numbered(PAGED, 3), ArchiveError("", "http-404"), (Reached(),), id="beyond the last page of a feed"
        ),
    ],
)
def test_what_cannot_be_had_is_missed_unless_it_need_not_exist(
    step: Step, error: ArchiveError, following: tuple[Step | Reached, ...] | None
) -> None:
    assert ARCHIVE.instead(step, error) == following


def test_a_site_that_gives_the_same_page_for_ever_is_left() -> None:
    first = read(rss("/1", "/2"), PAGED)
    (second,) = [item for item in first if isinstance(item, Step)]
    assert second.url == "https://news.example/feed/?paged=2"
    assert read(rss("/1", "/2"), second) == []
    assert [item.url for item in read(rss("/3"), second) if isinstance(item, Step)] == [
        "https://news.example/feed/?paged=3"
    ]


def test_the_pages_of_a_feed_end_before_the_range_or_with_an_empty_one() -> None:
    assert read(rss("/1", date="Fri, 11 Apr 2025 12:00:00 GMT"), PAGED) == [Reached()]
    assert read(rss(), PAGED) == []


def test_without_the_api_the_pages_of_the_feed_bring_the_same_articles() -> None:
    closed = {f"{ROOM.origins[0]}/wp-json": (404, b"")}
    walked = walk("wordpress", wanted("vector"), closed)
    assert within("vector", WEEK) - set(walked.urls) == set()
    assert len(walked.urls) == len(set(walked.urls))
    assert (walked.missed, walked.is_back) == ([], True)
    assert walked.asked[1] == feed("vector").url


def test_all_pages_of_the_api_are_walked() -> None:
    walked = walk("wordpress", wanted("vector", Span()))
    assert set(walked.urls) == {article.url for article in of_site("vector")}
    assert len(walked.asked) == 2
