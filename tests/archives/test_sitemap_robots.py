"""Where the sitemaps of a site are: what its robots.txt names, else the well-known place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archives import Found, Reached, Span, Step, Wanted
from pipeline.archives.sitemap import SitemapArchive
from pipeline.errors import ArchiveError, WebError
from tests import make

SITE = "https://news.example"
ROBOTS = Step(f"{SITE}/robots.txt", "robots")
ARCHIVE = SitemapArchive()


def read(*blocks: bytes) -> list[Found]:
    return list(ARCHIVE.read(ROBOTS, blocks, Span()))


def links(found: list[Found]) -> list[str | None]:
    return [item.url and item.url.removeprefix(SITE) for item in found if not isinstance(item, Reached)]


def test_the_walk_begins_at_the_robots_txt_of_the_feed_s_host() -> None:
    assert ARCHIVE.start(Wanted(make.feed(url="https://news.example/a/feed.xml?x=1"), Span(), make.AT)) == (ROBOTS,)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param(b"Sitemap: https://news.example/a.xml\n", ["/a.xml"], id="one"),
        pytest.param(b"Sitemap: /a.xml\nDisallow: /\nSitemap: b.xml", ["/a.xml", "/b.xml"], id="relative, no last end"),
        pytest.param(b"User-agent: *\r\nSITEMAP:/a.xml\r\n", ["/a.xml"], id="CRLF and capitals"),
        pytest.param(b"sitemap : \t/a.xml \rsitemap: /b.xml", ["/a.xml", "/b.xml"], id="spaces and CR"),
        pytest.param(b"\xef\xbb\xbfSitemap: /a.xml", ["/a.xml"], id="byte order mark"),
        pytest.param(b"Sitemap: /a.xml # all of it", ["/a.xml"], id="a comment behind"),
        pytest.param(b"# Sitemap: /a.xml", ["/sitemap.xml"], id="only in a comment"),
        pytest.param(b"Sitemap:\nSitemap: \t", ["/sitemap.xml"], id="named without a URL"),
        pytest.param(b"Sitemap: ftp://news.example/a.xml", ["/sitemap.xml"], id="no http(s)"),
        pytest.param(b"Sitemap: https:///a.xml\nSitemap: /a\x00b", ["/sitemap.xml"], id="no URL"),
        pytest.param(b"\xff\xfe\x80 nonsense", ["/sitemap.xml"], id="no text"),
        pytest.param(b"", ["/sitemap.xml"], id="empty"),
        pytest.param(b"Sitemap: https://cdn.example/a.xml", ["https://cdn.example/a.xml"], id="elsewhere: it says so"),
    ],
)
def test_robots_txt_names_sitemaps_and_else_there_is_the_well_known_place(text: bytes, named: list[str]) -> None:
    assert links(read(text)) == named
    assert links(read(*(bytes([byte]) for byte in text))) == named


@given(st.lists(st.binary(max_size=60)))
def test_any_robots_txt_leads_somewhere(blocks: list[bytes]) -> None:
    found = read(*blocks)
    assert found
    assert all(isinstance(item, Step) and item.kind != "robots" for item in found)


def test_without_a_robots_txt_the_well_known_place_is_asked_and_without_that_there_is_no_sitemap() -> None:
    (guess,) = ARCHIVE.instead(ROBOTS, ArchiveError(ROBOTS.url, "http-404")) or ()
    assert isinstance(guess, Step)
    assert guess.url == f"{SITE}/sitemap.xml"
    assert ARCHIVE.instead(guess, ArchiveError(guess.url, "http-404")) == ()


def test_what_cannot_be_had_now_or_was_named_is_missed() -> None:
    named = Step(f"{SITE}/a.xml")
    assert ARCHIVE.instead(ROBOTS, WebError(ROBOTS.url, "timeout", retryable=True)) is None
    assert ARCHIVE.instead(named, ArchiveError(named.url, "http-404")) is None
