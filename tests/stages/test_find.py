"""Where the feeds of a site are: what its page says, and where most sites have them."""

import pytest

from pipeline.model import Page
from pipeline.stages.find import MOST, WELL_KNOWN, read
from tests.make import AT

SITE = "https://news.example"
USUAL = tuple(SITE + path for path in WELL_KNOWN)


def found(markup: str, url: str = f"{SITE}/world/") -> tuple[str, ...]:
    return read(Page(url, markup.encode(), "text/html", AT))


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        pytest.param('<link rel="alternate" type="application/rss+xml" href="/f">', f"{SITE}/f", id="named"),
        pytest.param('<link rel="Alternate" type="application/atom+xml;a" href="f">', f"{SITE}/world/f", id="lax"),
        pytest.param(
            '<base href="/a/"><link rel="alternate" type="application/feed+json" href="f">', f"{SITE}/a/f", id="base"
        ),
        pytest.param('<a href="/news/rss">RSS</a>', f"{SITE}/news/rss", id="linked"),
        pytest.param('<a href="/all.xml">all</a>', f"{SITE}/all.xml", id="linked by its ending"),
        pytest.param('<a href="/?feed=rss2">all</a><a href="/x/feed">x</a>', f"{SITE}/?feed=rss2", id="by query"),
    ],
)
def test_what_a_page_says_of_its_feeds_comes_first(markup: str, expected: str) -> None:
    assert found(f"<html><head>{markup}</head><body><p>x</body></html>")[0] == expected


@pytest.mark.parametrize(
    "markup",
    [
        '<link rel="alternate" hreflang="de" href="/de">',
        '<link rel="stylesheet" type="application/rss+xml" href="/f">',
        '<link rel="alternate" type="application/rss+xml" href="javascript:x">',
        '<a href="/feedback">Feedback</a>',
        '<a href="https://other.example/rss">theirs</a>',
        "",
    ],
)
def test_without_a_word_of_the_page_the_usual_places_remain(markup: str) -> None:
    assert found(f"<html><body>{markup}<p>x</body></html>") == USUAL


def test_a_page_that_cannot_be_read_leaves_the_usual_places() -> None:
    assert found("") == USUAL


def test_feeds_of_comments_come_last_and_doubles_once() -> None:
    links = ("comments/feed", "feed/", "feed/")
    markup = "".join(f'<link rel="alternate" type="application/rss+xml" href="/{path}">' for path in links)
    assert found(markup) == (*USUAL, f"{SITE}/comments/feed")


def test_no_more_are_looked_at_than_a_site_can_bear() -> None:
    assert len(found("".join(f'<a href="/{n}/rss">x</a>' for n in range(50)))) == MOST
