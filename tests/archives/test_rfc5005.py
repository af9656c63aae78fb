"""The chain of documents that a feed begins."""

from datetime import UTC, datetime

import pytest

from pipeline.archives import Found, Reached, Span, Step, Wanted
from pipeline.archives.rfc5005 import Rfc5005Archive
from pipeline.errors import ArchiveError
from pipeline.model import Entry
from tests import make

ARCHIVE = Rfc5005Archive()
FEED = Step("https://news.example/feed.xml")
JULY = Span(datetime(2025, 7, 1, tzinfo=UTC), datetime(2025, 8, 1, tzinfo=UTC))
OLDER = Step("https://news.example/archive/7", "prev-archive", is_lasting=True)


def atom(published: str, *links: str) -> bytes:
    entry = f"<entry><id>1</id><link href='/1'/><published>{published}</published></entry>"
    return f"<feed xmlns='http://www.w3.org/2005/Atom'><id>x</id>{''.join(links)}{entry}</feed>".encode()


def read(body: bytes, step: Step = FEED) -> list[Found]:
    return list(ARCHIVE.read(step, (body,), JULY))


def link(relation: str, href: str) -> str:
    return f"<link rel='{relation}' href='{href}'/>"


BEFORE = link("prev-archive", "archive/7")


def test_the_walk_begins_at_the_feed_and_nothing_replaces_a_document() -> None:
    assert ARCHIVE.start(Wanted(make.feed(url=FEED.url), JULY, make.AT)) == (FEED,)
    assert ARCHIVE.instead(OLDER, ArchiveError(OLDER.url, "http-404")) is None


@pytest.mark.parametrize(
    ("body", "step", "following"),
    [
        pytest.param(atom("2025-07-11T00:00:00Z"), FEED, None, id="a feed without links"),
        pytest.param(atom("2025-07-11T00:00:00Z", link("prev-archive", "archive/7")), FEED, OLDER, id="archived"),
        pytest.param(
            atom("2025-07-11T00:00:00Z", link("next", "/p/2"), link("prev-archive", "archive/7")),
            FEED,
            OLDER,
            id="both",
        ),
        pytest.param(
            atom("2025-07-11T00:00:00Z", link("next", "?p=2")),
            FEED,
            Step("https://news.example/feed.xml?p=2", "next"),
            id="paged: such documents change",
        ),
        pytest.param(
            b'{"version": "https://jsonfeed.org/version/1.1", "next_url": "/p2", "items": [{"id": "a", "url": "/1"}]}',
            FEED,
            Step("https://news.example/p2", "next"),
            id="JSON",
        ),
        pytest.param(atom("2025-07-11T00:00:00Z"), OLDER, Reached(), id="the first document of all"),
        pytest.param(atom("2025-05-11T00:00:00Z"), FEED, Reached(), id="a feed that goes back by itself"),
        pytest.param(atom("2025-05-11T00:00:00Z", BEFORE), OLDER, Reached(), id="older than the range"),
        pytest.param(atom("2025-09-11T00:00:00Z", BEFORE), FEED, OLDER, id="newer than the range"),
    ],
)
def test_a_document_leads_to_the_one_before_it_until_the_range_is_behind(
    body: bytes, step: Step, following: Found | None
) -> None:
    assert [item for item in read(body, step) if not isinstance(item, Entry)] == ([following] if following else [])


def test_what_is_no_feed_is_missed_with_all_that_comes_before_it() -> None:
    with pytest.raises(ArchiveError, match="html"):
        read(b"<html><body>Not found</body></html>")
