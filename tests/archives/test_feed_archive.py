"""What a feed still holds of the past."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archives import Found, Reached, Span, Step, Wanted
from pipeline.archives.feed import FeedArchive
from pipeline.errors import ArchiveError
from pipeline.model import Entry
from tests import make

ARCHIVE = FeedArchive()
STEP = Step("https://news.example/feed.xml")
JULY = Span(datetime(2025, 7, 1, tzinfo=UTC), datetime(2025, 8, 1, tzinfo=UTC))


def feed(*published: datetime | None) -> bytes:
    dates = (f"<pubDate>{format_datetime(moment)}</pubDate>" if moment else "" for moment in published)
    items = (f"<item><link>/{number}</link>{date}</item>" for number, date in enumerate(dates))
    return f"<rss version='2.0'><channel><title>News</title>{''.join(items)}</channel></rss>".encode()


def read(*blocks: bytes, span: Span = JULY) -> list[Found]:
    return list(ARCHIVE.read(STEP, blocks, span))


def day(month: int, number: int, hour: int = 0) -> datetime:
    return datetime(2025, month, number, hour, tzinfo=UTC)


def test_the_only_document_is_the_feed_and_there_is_nowhere_else_to_look() -> None:
    assert ARCHIVE.start(Wanted(make.feed(url=STEP.url), JULY, make.AT)) == (STEP,)
    assert ARCHIVE.instead(STEP, ArchiveError(STEP.url, "http-404")) is None


@pytest.mark.parametrize(
    ("published", "is_read"),
    [
        pytest.param(day(7, 11), True, id="within"),
        pytest.param(None, True, id="not said"),
        pytest.param(day(6, 30), True, id="on the eve: the page may say another day"),
        pytest.param(day(6, 29, 23), False, id="before"),
        pytest.param(day(8, 1, 23), True, id="on the day after"),
        pytest.param(day(8, 2), False, id="after"),
    ],
)
def test_what_cannot_be_in_the_range_is_passed_over(published: datetime | None, is_read: bool) -> None:
    assert sum(isinstance(item, Entry) for item in read(feed(published))) == is_read


@pytest.mark.parametrize(
    ("published", "is_back"),
    [
        pytest.param((day(7, 11), day(6, 1)), True, id="the last entry is older than the range"),
        pytest.param((day(6, 1), day(7, 11)), False, id="an old one is pinned to the top"),
        pytest.param((day(7, 11), None), False, id="the last one has no date"),
        pytest.param((), False, id="empty"),
    ],
)
def test_a_feed_reaches_back_when_its_last_entry_is_older_than_the_range(
    published: tuple[datetime | None, ...], is_back: bool
) -> None:
    assert (Reached() in read(feed(*published))) is is_back


def test_entries_are_known_by_their_links_since_ids_of_several_feeds_may_be_alike() -> None:
    body = b"<rss version='2.0'><channel><item><guid>1</guid><link>/a?utm_source=x</link></item></channel></rss>"
    (found,) = read(body)
    assert isinstance(found, Entry)
    assert (found.id, found.url) == ("https://news.example/a", "https://news.example/a?utm_source=x")


def test_entries_come_in_the_feed_s_order_with_absolute_links() -> None:
    found = read(feed(day(7, 3), day(7, 5), day(7, 1)), span=Span())
    assert [item.url for item in found if isinstance(item, Entry)] == [f"https://news.example/{n}" for n in range(3)]


def test_a_range_may_be_as_long_as_time() -> None:
    whole = Span(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
    assert len(read(feed(day(7, 1)), span=whole)) == 1


@given(st.integers(1, 50))
def test_blocks_of_any_size_give_what_the_whole_gives(size: int) -> None:
    body = feed(day(7, 1), day(7, 2))
    assert read(*(body[at : at + size] for at in range(0, len(body), size))) == read(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b"<html><body>404</body></html>", "html", id="HTML"),
        pytest.param(b"{}", "not-a-feed", id="JSON"),
        pytest.param(b"<rss><channel><item", "malformed-xml", id="cut off"),
    ],
)
def test_what_is_no_feed_is_an_archive_error_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(ArchiveError, match=STEP.url) as caught:
        read(body)
    assert (caught.value.reason, caught.value.retryable) == (reason, False)


@given(st.binary(max_size=60))
def test_arbitrary_bytes_raise_nothing_but_archive_errors(body: bytes) -> None:
    with pytest.raises(ArchiveError):
        read(body)
