"""Feeds that go out: any search, in three formats that readers can read, and nothing twice."""

import json
import os
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import feedparser
import pytest
from lxml import etree

from pipeline.stages.parse import parse
from pipeline.store import Said, Store
from tests.conftest import StillClock
from tests.entrypoints.api.conftest import Serve

FORMATS = ("rss", "atom", "json")
KINDS = {"rss": "application/rss+xml", "atom": "application/atom+xml", "json": "application/feed+json"}
HOSTILE = "<script>alert(1)</script> &   friends"


@pytest.mark.parametrize("name", FORMATS)
async def test_a_search_is_a_feed_that_our_own_reader_reads(name: str, filled: Store, serve: Serve) -> None:
    answer = await (await serve()).get(f"/feed.{name}?label=defense&q=drills")
    feed = parse(answer.content, str(answer.url), answer.headers["content-type"])
    assert answer.headers["content-type"].split(";")[0] == KINDS[name]
    assert feed.title == "defnews: drills; label defense"
    assert [entry.id for entry in feed.entries] == [f"https://site{n}.example/news/{n}" for n in (1, 2, 4, 5)]
    assert [entry.url for entry in feed.entries] == [entry.id for entry in feed.entries]
    assert feed.entries[0].published_at == datetime.fromisoformat("2025-07-11T11:00:00Z")
    assert "air drills near Jeju" in (feed.entries[0].summary or feed.entries[0].content or "")
    assert {"operations", "KR"} <= set(feed.entries[0].tags)


@pytest.mark.parametrize("name", ["rss", "atom"])
async def test_xml_is_well_formed_and_hostile_words_are_words(name: str, filled: Store, serve: Serve) -> None:
    body = (await (await serve()).get(f"/feed.{name}?feed=1&entity=x&label=defense&q=drills&limit=9")).content
    whole = (await (await serve()).get(f"/feed.{name}")).content
    etree.fromstring(body)
    read = feedparser.parse(whole)
    titles = [entry.findtext("{*}title") for entry in etree.fromstring(whole).iter("{*}item", "{*}entry")]
    assert (read.bozo, len(read.entries), read.version) == (False, 5, {"rss": "rss20", "atom": "atom10"}[name])
    assert HOSTILE in titles
    assert b"<script" not in whole


async def test_the_json_feed_has_what_its_version_asks_for(filled: Store, serve: Serve) -> None:
    feed = json.loads((await (await serve()).get("/feed.json?limit=1")).content)
    (item,) = feed["items"]
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["feed_url"] == "http://127.0.0.1:8317/feed.json?limit=1"
    assert {"id", "content_text", "date_published", "authors"} <= set(item)


@pytest.mark.parametrize("name", FORMATS)
async def test_an_empty_result_is_a_feed_too(name: str, store: Store, serve: Serve) -> None:
    answer = await (await serve()).get(f"/feed.{name}?q=nothing")
    assert (answer.status_code, parse(answer.content, str(answer.url)).entries) == (200, ())


@pytest.mark.parametrize("name", FORMATS)
async def test_a_feed_is_sent_again_only_when_something_changed(
    name: str, filled: Store, serve: Serve, clock: StillClock
) -> None:
    client = await serve()
    assert "last-modified" not in (await client.get(f"/feed.{name}")).headers  # within the second
    clock.advance(seconds=2)
    first = await client.get(f"/feed.{name}?label=defense")
    by_tag = await client.get(f"/feed.{name}?label=defense", headers={"If-None-Match": first.headers["etag"]})
    since = {"If-Modified-Since": first.headers["last-modified"]}
    by_date = await client.get(f"/feed.{name}?label=defense", headers=since)
    both = await client.get(f"/feed.{name}?label=defense", headers={**since, "If-None-Match": '"other"'})
    garbled = await client.get(f"/feed.{name}?label=defense", headers={"If-Modified-Since": "yesterday"})
    assert (by_tag.status_code, by_date.status_code, by_date.content) == (304, 304, b"")
    assert (both.status_code, garbled.status_code) == (200, 200)
    (found,) = (await client.get("/api/v1/articles?label=other")).json()["articles"]
    clock.at += timedelta(minutes=1)
    await filled.labels.add(found["id"], Said.YES, "ann", clock.now())
    clock.at += timedelta(minutes=1)
    changed = await client.get(f"/feed.{name}?label=defense", headers=since)
    assert (changed.status_code, "Flower" in changed.text) == (200, True)


@pytest.fixture
def new_york() -> Iterator[None]:
    """A machine whose zone is not UTC."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "America/New_York"
    time.tzset()
    yield
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


UNMODIFIED = (
    ("Fri, 11 Jul 2025 12:00:00 -0000", 304),
    ("Fri, 11 Jul 2025 11:59:59 -0000", 200),
    ("Fri, 31 Dec 9999 23:59:59 -0100", 304),
    ("Mon, 01 Jan 0100 00:00:00 +0100", 200),
    ("Fri, 11 Jul 2025 12:00:00 +99999", 200),
)


@pytest.mark.parametrize(("said", "status"), UNMODIFIED)
async def test_no_date_and_no_zone_is_an_error_of_ours(
    said: str, status: int, filled: Store, serve: Serve, clock: StillClock, new_york: None
) -> None:
    clock.advance(seconds=2)
    assert (await (await serve()).get("/feed.rss", headers={"If-Modified-Since": said})).status_code == status


@pytest.mark.parametrize("name", FORMATS)
async def test_any_filter_can_be_followed(name: str, filled: Store, serve: Serve) -> None:
    asked = "story=5&story=6&teaser=false&min_score=0.5&kind=trade&site=x.example&lang=en&topic=nuclear&since=7d"
    answer = await (await serve()).get(f"/feed.{name}?{asked}")
    assert (answer.status_code, "story 5, 6" in answer.text) == (200, True)


async def test_what_cannot_be_is_a_problem_for_feeds_too(serve: Serve) -> None:
    for wrong in ("?country=ZZ", "?limit=201", "?sort=relevance", "?q=a+OR"):
        answer = await (await serve()).get(f"/feed.atom{wrong}", headers={"Accept": "text/html"})
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
