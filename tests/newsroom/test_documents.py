"""What the paths hold: feeds that a reader understands, pages that show their text, sitemaps that list the truth."""

import calendar
import gzip
import io
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import feedparser
import pytest
from lxml import etree, html

from pipeline.newsroom import Newsroom, RoomArticle, RoomFeed
from pipeline.newsroom.documents import Document, document
from pipeline.newsroom.room import Late
from pipeline.newsroom.sites import SITES, Format, Layout, Site
from pipeline.newsroom.texts import Text

ROOM = Newsroom(seed=1, at=datetime(2025, 7, 12, 12, tzinfo=UTC), extra=60)
VERSIONS = {"rss091": "rss091n", "rss20-full": "rss20", "rss20": "rss20", "rdf": "rss10", "atom10": "atom10"}
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def get(url: str) -> Document:
    place = url.index("/", 8)
    return document(ROOM, url[:place], url[place:])


def visible(article: RoomArticle) -> list[str]:
    found = get(article.url)
    page = html.fromstring(found.body, parser=html.HTMLParser(encoding=charset(found)))
    return [element.text_content().strip() for element in page.iter("p")]


def charset(found: Document) -> str:
    head = found.body[:600].decode("latin-1")
    named = head.partition("charset=")[2]
    return named.strip('"').split('"')[0].strip('"> ') if named else "utf-8"


STORED = [article for article in ROOM.articles if article.label is not None]


@pytest.mark.parametrize("feed", [feed for feed in ROOM.feeds if feed.format != "json11"], ids=lambda feed: feed.url)
def test_a_feed_parses_to_what_the_truth_says(feed: RoomFeed) -> None:
    found = get(feed.url)
    parsed = feedparser.parse(io.BytesIO(found.body), response_headers={"content-type": found.type})
    assert not parsed.bozo, parsed.bozo_exception
    assert parsed.version == VERSIONS[feed.format]
    assert parsed.feed.title == feed.title
    held = [article for article in ROOM.articles if feed.url in article.feeds]
    assert [(e.title, e.link.split("?")[0]) for e in parsed.entries] == [(a.title, a.link) for a in held]
    if feed.format != Format.RSS091:
        dates = [
            datetime.fromtimestamp(calendar.timegm(entry.published_parsed), UTC)
            for entry in parsed.entries
            if "published" in entry
        ]
        assert dates in ([a.published_at for a in held], [])


@pytest.mark.parametrize("feed", [feed for feed in ROOM.feeds if feed.format == "json11"], ids=lambda feed: feed.url)
def test_a_json_feed_holds_what_the_truth_says(feed: RoomFeed) -> None:
    found = json.loads(get(feed.url).body)
    held = [article for article in ROOM.articles if feed.url in article.feeds]
    assert found["version"] == "https://jsonfeed.org/version/1.1"
    assert [(item["url"], item["title"], item["date_published"]) for item in found["items"]] == [
        (article.link, article.title, article.published_at.isoformat()) for article in held
    ]


def test_a_full_feed_carries_the_whole_text() -> None:
    article = next(article for article in ROOM.articles if ROOM.feeds[0].url in article.feeds)
    parsed = feedparser.parse(io.BytesIO(get(ROOM.feeds[0].url).body))
    assert html.fromstring(parsed.entries[0].content[0].value).text_content().strip() == article.text


def test_some_links_carry_tracking_parameters() -> None:
    parsed = feedparser.parse(io.BytesIO(get(ROOM.origins[2] + "/rss/latest.xml").body))
    assert all("utm_source=rss&utm_medium=feed" in entry.link for entry in parsed.entries)


@pytest.mark.parametrize("article", [a for a in STORED if not a.is_filler], ids=lambda article: article.key)
def test_a_page_shows_its_paragraphs_in_order(article: RoomArticle) -> None:
    shown = visible(article)
    places = [shown.index(paragraph) for paragraph in article.paragraphs]
    assert all(one < other for one, other in pairwise(places))


def test_filler_pages_show_their_paragraphs_too() -> None:
    for article in STORED:
        assert set(article.paragraphs) <= set(visible(article))


@pytest.mark.parametrize("site", [site for site in SITES if site.layout is not Layout.BARE], ids=lambda site: site.key)
def test_a_page_is_surrounded_by_what_is_not_its_text(site: Site) -> None:
    article = next(a for a in ROOM.listed(site) if a.label is not None)
    found = get(article.url)
    page = found.body.decode(charset(found)).lower()
    for word in ("cookie", "comment", "newsletter", "ad-slot", "related-inline", "alternate"):
        assert word in page.replace("kommentar", "comment")


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.key)
def test_a_page_says_when_it_was_published(site: Site) -> None:
    article = next(a for a in ROOM.listed(site) if a.label is not None)
    page = get(article.url).body.decode("latin-1")
    moment = article.published_at
    assert (f"{moment:%Y-%m-%dT%H:%M}" if site.layout != "bare" else f"{moment.day} {moment:%B %Y, %H:%M} UTC") in page


def test_pages_come_in_five_charsets() -> None:
    found = {charset(get(article.url)).lower() for article in STORED}
    assert found == {"utf-8", "windows-1252", "windows-1251", "euc-kr", "shift_jis"}


def test_json_ld_on_pages_is_json() -> None:
    article = next(a for a in ROOM.articles if a.site == "vector")
    page = html.fromstring(get(article.url).body)
    (script,) = page.xpath("//script[@type='application/ld+json']/text()")
    kinds = [node["@type"] for node in json.loads(script)["@graph"]]
    assert "NewsArticle" in kinds


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.key)
def test_the_sitemaps_together_list_what_truth_says(site: Site) -> None:
    origin = ROOM.origin(site)
    index = etree.fromstring(get(origin + "/sitemap.xml").body)
    paths = [str(loc.text) for loc in index.iter(SITEMAP + "loc")]
    assert sum(path.endswith(".gz") for path in paths) == 1
    listed: list[str] = []
    for path in paths[1:]:
        body = get(path).body
        root = etree.fromstring(gzip.decompress(body) if path.endswith(".gz") else body)
        listed += [str(loc.text) for loc in root.iter(SITEMAP + "loc")]
    assert listed == [article.url for article in ROOM.listed(site) if article.in_sitemap]


def test_the_news_sitemap_lists_the_last_two_days() -> None:
    site = SITES[2]
    root = etree.fromstring(get(ROOM.origin(site) + "/sitemap-news.xml").body)
    recent = [a.url for a in ROOM.listed(site) if a.in_sitemap and a.published_at > ROOM.at - timedelta(days=2)]
    assert [str(loc.text) for loc in root.iter(SITEMAP + "loc")] == recent
    assert recent


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.key)
def test_the_front_page_leads_to_the_feeds(site: Site) -> None:
    origin = ROOM.origin(site)
    page = html.fromstring(get(origin + "/").body)
    assert page.xpath("//link[@rel='alternate']/@href") == [origin + plan.path for plan in site.feeds]


def test_robots_txt_forbids_one_folder_and_names_the_sitemap() -> None:
    lines = get(ROOM.origins[1] + "/robots.txt").body.decode().splitlines()
    assert "Disallow: /premium/" in lines
    assert f"Sitemap: {ROOM.origins[1]}/sitemap.xml" in lines
    (forbidden,) = [article for article in ROOM.articles if article.reason == "robots"]
    assert forbidden.url.startswith(ROOM.origins[1] + "/premium/")


def test_the_gazette_redirects_its_links_for_good() -> None:
    article = next(article for article in ROOM.articles if article.site == "gazette")
    found = get(article.link)
    assert (found.status, found.headers) == (301, (("Location", article.url),))


@pytest.mark.parametrize(("reason", "status"), [("http-404", 404), ("http-410", 410), ("pdf-without-text", 200)])
def test_a_dead_end_answers_as_the_truth_says(reason: str, status: int) -> None:
    (article,) = [article for article in ROOM.articles if article.reason == reason]
    found = get(article.url)
    assert found.status == status
    assert found.body.startswith(b"%PDF") == (reason == "pdf-without-text")


@pytest.mark.parametrize("path", ["/nothing", "/sitemap-99.xml", "/section/nowhere/", "/feed/x"])
def test_an_unknown_path_is_not_found(path: str) -> None:
    assert get(ROOM.origins[0] + path).status == 404


def test_a_section_lists_its_own_articles_only() -> None:
    shown = html.fromstring(get(ROOM.origins[0] + "/section/air/").body).xpath("//main//a/@href")
    assert shown == [article.link for article in ROOM.listed(SITES[0]) if article.section == "Air"]


def test_hostile_characters_in_a_title_stay_text() -> None:
    title = 'Fish & <chips> "quoted" </script> ]]> $name'
    text = Text("odd", title, ("A & B < C.",), "trade", "Air", defense=False)
    room = ROOM.with_late(Late(text, "vector", ROOM.at))
    article = next(article for article in room.articles if article.key == "odd")
    body = document(room, ROOM.origins[0], article.url.removeprefix(ROOM.origins[0])).body
    assert html.fromstring(body).findtext(".//h1") == title
    feed = feedparser.parse(io.BytesIO(document(room, ROOM.origins[0], "/category/air/feed/").body))
    assert not feed.bozo
    assert "Fish & <chips>" in feed.entries[0].title
