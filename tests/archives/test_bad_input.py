"""What harms: dates of the future, and bombs, in the documents of every archive."""

import json
from datetime import UTC, datetime

import pytest

from pipeline.archives import ARCHIVES, Found, Span, Step, read_whole
from pipeline.model import Entry

JULY = Span(datetime(2025, 7, 1, tzinfo=UTC), datetime(2025, 8, 1, tzinfo=UTC))
SITE = "https://news.example"
FEED = f"{SITE}/feed"
CDX = "https://archive.example/cdx/search/cdx?url=news.example"

XML = Step(FEED)
POSTS = Step(f"{SITE}/wp-json/wp/v2/posts?per_page=100&page=1", "api", carried=FEED)
CAPTURES = Step(CDX, "pages", carried=FEED)
COPY = Step(f"https://archive.example/web/20250711120000id_/{FEED}", "feed")


def rss(*dates: str) -> str:
    items = (f"<item><link>/{n}</link><pubDate>{date}</pubDate></item>" for n, date in enumerate(dates))
    return f"<rss version='2.0'><channel>{''.join(items)}</channel></rss>"


def sitemap(*dates: str) -> str:
    pages = (
        f"<url><loc>{SITE}/{n}</loc><n:news xmlns:n='n'><n:publication_date>{date}</n:publication_date></n:news></url>"
        for n, date in enumerate(dates)
    )
    return f"<urlset>{''.join(pages)}</urlset>"


def posts(*dates: str) -> str:
    given = [{"link": f"{SITE}/{n}", "date_gmt": date, "title": {"rendered": "x"}} for n, date in enumerate(dates)]
    return json.dumps(given)


def captures(*dates: str) -> str:
    return "".join(f"{date} {SITE}/{n}\n" for n, date in enumerate(dates))


ISO = ("2099-07-11T12:00:00", "2025-07-11T12:00:00")  # one that cannot be, one that can
MAIL = ("Sat, 11 Jul 2099 12:00:00 GMT", "Fri, 11 Jul 2025 12:00:00 GMT")


def attempt(name: str, step: Step, body: str) -> tuple[Found, ...]:
    return read_whole(name, step, body.encode(), JULY)[0]


@pytest.mark.parametrize(
    ("name", "step", "body"),
    [
        pytest.param("feed", XML, rss(*MAIL), id="a feed"),
        pytest.param("rfc5005", XML, rss(*MAIL), id="archive documents"),
        pytest.param("wordpress", POSTS, posts(*ISO), id="the API of WordPress"),
        pytest.param("sitemap", XML, sitemap(*ISO), id="a news sitemap"),
        pytest.param("wayback", COPY, rss(*MAIL), id="a feed as it was"),
    ],
)
def test_what_claims_to_be_of_the_future_is_of_no_range_before_it(name: str, step: Step, body: str) -> None:
    assert [item.url for item in attempt(name, step, body) if isinstance(item, Entry)] == [f"{SITE}/1"]


def test_a_capture_that_claims_to_be_of_the_future_is_a_candidate_and_its_page_says_when() -> None:
    found = attempt("wayback", CAPTURES, captures("20990711120000", "20250711120000"))
    assert [item.url for item in found if isinstance(item, Entry)] == [f"{SITE}/0", f"{SITE}/1"]


LAUGHS = '<!ENTITY l0 "ha">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
FEEDS = [name for name in ARCHIVES if name not in ("sitemap", "gdelt")]  # those that read feeds too


@pytest.mark.parametrize("name", FEEDS)
@pytest.mark.parametrize("used", ["<link>/&l11;</link>", "<title>&l11;</title>", "<description>&l11;</description>"])
def test_a_billion_laughs_in_a_feed_are_not_laughed(name: str, used: str) -> None:
    step = {"wordpress": Step(FEED, "paged"), "wayback": COPY}.get(name, XML)
    body = f"<!DOCTYPE rss [{LAUGHS}]><rss version='2.0'><channel><item><link>/1</link>{used}</item></channel></rss>"
    assert all(len(f"{item}") < 2_000 for item in attempt(name, step, body))
