"""The room: where and when the texts appear, and that the truth about them holds together."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.newsroom import Newsroom
from pipeline.newsroom.documents import document
from pipeline.newsroom.room import Late, RoomArticle
from pipeline.newsroom.sites import SITES, Format, Layout
from pipeline.newsroom.texts import Text, texts

AT = datetime(2025, 7, 12, 12, tzinfo=UTC)
ROOM = Newsroom(seed=1, at=AT)


def every_document(room: Newsroom) -> list[bytes]:
    return [document(room, room.origin(s), plan.path).body for s in SITES for plan in s.feeds] + [
        document(room, article.url[: article.url.index("/", 8)], article.url[article.url.index("/", 8) :]).body
        for article in room.articles
    ]


def test_the_same_seed_and_moment_give_the_same_bytes() -> None:
    assert every_document(Newsroom(seed=1, at=AT, extra=20)) == every_document(Newsroom(seed=1, at=AT, extra=20))


def test_another_seed_gives_other_dates() -> None:
    other = Newsroom(seed=2, at=AT)
    assert {a.key: a.published_at for a in ROOM.articles} != {a.key: a.published_at for a in other.articles}


def test_a_moment_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Newsroom(seed=1, at=datetime(2025, 7, 12))  # noqa: DTZ001


def test_every_text_appears_once() -> None:
    placed = [article.key for article in ROOM.articles if article.label is not None]
    assert sorted(placed) == sorted(text.key for text in texts())


def test_all_formats_and_layouts_are_in_use() -> None:
    assert {feed.format for feed in ROOM.feeds} == set(Format)
    assert {site.layout for site in SITES} == set(Layout)


def test_articles_are_spread_over_the_thirty_days_before() -> None:
    ages = [AT - article.published_at for article in ROOM.articles]
    assert timedelta() <= min(ages)
    assert timedelta(days=20) < max(ages) <= timedelta(days=30)
    assert all(article.published_at <= (article.updated_at or AT) <= AT for article in ROOM.articles)


def test_a_site_with_many_articles_keeps_only_the_newest_in_its_feed() -> None:
    listed = [article for article in ROOM.articles if article.site == "vector"]
    held = [article for article in listed if ROOM.feeds[0].url in article.feeds]
    assert held == listed[:6]
    assert any(not article.feeds and article.in_sitemap for article in listed)


def test_some_articles_are_in_two_feeds() -> None:
    assert any(len(article.feeds) == 2 and article.outcome == "stored" for article in ROOM.articles)


@pytest.mark.parametrize("reason", ["http-404", "http-410", "pdf-without-text", "robots"])
def test_each_dead_end_is_announced_by_a_feed_and_expected_to_be_dropped(reason: str) -> None:
    (article,) = [article for article in ROOM.articles if article.reason == reason]
    assert article.feeds
    assert not article.in_sitemap
    assert article.outcome == "dropped"


@pytest.mark.parametrize("seed", range(1, 12))
def test_urls_are_unique_for_every_seed(seed: int) -> None:
    room = Newsroom(seed=seed, at=AT, extra=400)
    urls = [article.url for article in room.articles]
    assert len(set(urls)) == len(urls) == len(room.truth)


def test_extra_articles_are_filler() -> None:
    room = Newsroom(seed=1, at=AT, extra=64)
    assert sum(article.is_filler for article in room.articles) == 64
    assert len(room.articles) == len(ROOM.articles) + 64


def test_feeds_hold_as_many_as_asked() -> None:
    room = Newsroom(seed=1, at=AT, extra=400, holds=40)
    assert all(len(room.held(site, site.feeds[0])) == 40 for site in SITES if site.english)


def test_a_late_article_changes_nothing_else() -> None:
    text = Text("late", "Late edition", ("One.", "Two."), "naval", "Fleet", defense=False)
    room = ROOM.with_late(Late(text, "keel", AT + timedelta(minutes=5)))
    assert {article.url for article in room.articles} - {article.url for article in ROOM.articles} == {
        room.articles[[article.key for article in room.articles].index("late")].url
    }
    assert _reasons(room.articles) == _reasons(ROOM.articles)


def _reasons(articles: tuple[RoomArticle, ...]) -> set[tuple[str, str | None]]:
    return {(article.url, article.reason) for article in articles if article.reason}
