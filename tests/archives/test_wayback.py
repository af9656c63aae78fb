"""What a web archive captured: lines of its index, feeds as they were, copies."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archives import Found, Places, Reached, Span, Step, Wanted, read_whole
from pipeline.archives.wayback import LONGEST_LINE, WaybackArchive
from pipeline.errors import ArchiveError
from pipeline.model import Entry
from tests import make
from tests.archives.walking import walk, wanted, within

ARCHIVE = WaybackArchive()
JULY = Span(datetime(2025, 7, 1, tzinfo=UTC), datetime(2025, 8, 1, tzinfo=UTC))
BASE = "https://archive.example"
PAGES = Step(f"{BASE}/cdx/search/cdx?url=news.example", "pages", carried="https://news.example/feed")
FEEDS = Step(f"{BASE}/cdx/search/cdx?url=https://news.example/feed", "feeds", carried="https://news.example/feed")
FEED = Step(f"{BASE}/web/20250711120000id_/https://news.example/feed", "feed", is_lasting=True)


def read(*lines: str, step: Step = PAGES) -> list[Found]:
    return list(ARCHIVE.read(step, ("".join(f"{line}\n" for line in lines).encode(),), JULY))


def captured(path: str, stamp: str = "20250711120000") -> str:
    return f"{stamp} https://news.example{path}"


def links(found: list[Found]) -> list[str | None]:
    return [item.url for item in found if isinstance(item, Entry)]


def test_the_index_is_asked_for_the_pages_of_the_site_and_for_the_feed() -> None:
    feed = make.feed(url="https://www.news.example/feed?a=1&b=2")
    pages, feeds = ARCHIVE.start(Wanted(feed, JULY, make.AT, Places(wayback=f"{BASE}/")))
    asked, of_feed = (parse_qs(urlsplit(step.url).query) for step in (pages, feeds))
    assert pages.url.startswith(f"{BASE}/cdx/search/cdx?")
    assert (asked["url"], asked["matchType"]) == (["news.example"], ["domain"])
    assert (asked["filter"], asked["collapse"]) == (["statuscode:200", "mimetype:text/html"], ["digest"])
    assert (asked["from"], asked["to"]) == (["20250701000000"], ["20250831000000"])
    assert (of_feed["url"], of_feed["matchType"]) == ([feed.url], ["exact"])


@pytest.mark.parametrize("span", [Span(), Span(until=datetime(9999, 12, 31, tzinfo=UTC))], ids=["none", "for ever"])
def test_a_range_without_ends_asks_for_all(span: Span) -> None:
    assert not {"from", "to"} & parse_qs(ARCHIVE.start(Wanted(make.feed(), span, make.AT))[0].url).keys()


def test_a_page_is_an_entry_with_its_first_capture_and_a_copy() -> None:
    assert read(captured("/1?utm_source=x"), captured("/1", "20250712120000")) == [
        Entry(
            id="https://news.example/1",
            url="https://news.example/1?utm_source=x",
            published_at=datetime(2025, 7, 11, 12, tzinfo=UTC),
            archive="wayback",
            copy=f"{BASE}/web/20250711120000id_/https://news.example/1?utm_source=x",
        ),
        Reached(),
    ]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(captured("/"), id="the front page"),
        pytest.param(captured(""), id="the front page without a path"),
        pytest.param("20250711120000 https://other.example/1", id="another site"),
        pytest.param("20259911120000 https://news.example/1", id="no such month"),
    ],
)
def test_what_is_no_article_of_the_site_is_passed_over(line: str) -> None:
    assert links(read(line)) == []


def test_the_index_says_where_to_go_on_and_each_page_of_it_replaces_the_place_before() -> None:
    *_, second = read(captured("/1"), "", "com,news)/1 2025!")
    assert isinstance(second, Step)
    assert second.url == f"{PAGES.url}&resumeKey=com%2Cnews%29%2F1+2025%21"
    *_, third = read(captured("/2"), "", "key", step=second)
    assert third == Step(f"{PAGES.url}&resumeKey=key", "pages", carried=PAGES.carried)


@pytest.mark.parametrize(
    ("lines", "good"),
    [
        pytest.param((captured("/1"), "<html>", captured("/2")), 2, id="between good ones"),
        pytest.param((captured("/1"), "x" * 10_000_000, captured("/2")), 2, id="10 MB"),
        pytest.param(("<html>", "503 Slow down"), 0, id="another document"),
        pytest.param((captured("/1"), "", "key", "more"), 1, id="behind the key"),
    ],
)
def test_lines_that_cannot_be_read_are_an_error_after_all_good_ones(lines: tuple[str, ...], good: int) -> None:
    found, error = read_whole("wayback", PAGES, "\n".join(lines).encode(), JULY)
    assert error is not None
    assert (len(links(list(found))), error.reason) == (good, "bad-lines")
    assert Reached() not in found


def test_an_empty_index_goes_back_as_far_as_there_is_anything() -> None:
    assert read() == [Reached()]
    assert read(step=FEEDS) == []


def test_captures_of_the_feed_lead_to_what_it_was_and_those_never_change() -> None:
    assert read("20250711120000 https://news.example/feed", step=FEEDS) == [FEED]


def test_a_feed_as_it_was_gives_its_entries_of_the_range_with_copies_near_that_day() -> None:
    dates = ("Fri, 11 Jul 2025 10:00:00 GMT", "Wed, 11 Jun 2025 10:00:00 GMT")
    items = "".join(f"<item><link>/{n}</link><pubDate>{date}</pubDate></item>" for n, date in enumerate(dates))
    found = list(ARCHIVE.read(FEED, (f"<rss version='2.0'><channel>{items}</channel></rss>".encode(),), JULY))
    copy = f"{BASE}/web/20250711120000id_/https://news.example/0"
    assert [(e.url, e.archive, e.copy) for e in found if isinstance(e, Entry)] == [
        ("https://news.example/0", "wayback", copy)
    ]
    item = "<item><guid isPermaLink='false'>1</guid><title>Drill</title></item>"
    unlinked = f"<rss version='2.0'><channel>{item}</channel></rss>".encode()
    assert [e.copy for e in ARCHIVE.read(FEED, (unlinked,), JULY) if isinstance(e, Entry)] == [None]


@given(st.lists(st.binary(max_size=30) | st.just(captured("/1").encode() + b"\n")), st.integers(1, 40))
def test_blocks_of_any_size_give_what_the_whole_gives(pieces: list[bytes], size: int) -> None:
    body = b"".join(pieces)

    def outcome(*blocks: bytes) -> tuple[list[Found], str]:
        found: list[Found] = []
        try:
            for item in ARCHIVE.read(PAGES, blocks, JULY):
                found.append(item)  # noqa: PERF402 - what came before the error counts
        except ArchiveError as error:
            return found, error.detail
        return found, ""

    assert outcome(*(body[at : at + size] for at in range(0, len(body), size))) == outcome(body)


def test_a_long_line_in_small_blocks_takes_no_more_memory_than_a_line_may_have() -> None:
    blocks = [b"x" * LONGEST_LINE] * 100
    with pytest.raises(ArchiveError, match="1 of them"):
        list(ARCHIVE.read(PAGES, blocks, JULY))


def test_when_the_feed_s_captures_are_lost_the_pages_still_come() -> None:
    asked = walk("wayback", wanted("meridian")).asked
    walked = walk("wayback", wanted("meridian"), {asked[1]: (503, b"")})
    assert walked.missed == ["http-503"]
    assert within("meridian") - set(walked.urls) == set()
