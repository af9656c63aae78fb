"""How many articles there were when, and what stands together in them."""

from datetime import timedelta

import pytest

from pipeline.model import Label
from pipeline.store import Range, Store
from tests import make
from tests.make import AT
from tests.store.filling import fill

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)


@pytest.fixture
async def filled(store: Store) -> Store:
    """Articles one to four hours old: two tagged alike, one of other news with the same tags, one of another topic."""
    tagged = make.tagged()
    verdicts = [tagged, make.tagged(label=Label.OTHER), tagged, make.verdict(topics=("navy",))]
    await fill(store, [make.article(n, text=make.text(n)) for n in range(1, 5)], verdicts)
    return store


async def test_each_article_counts_in_the_hour_that_it_was_published(filled: Store) -> None:
    volume = await filled.timelines.volume(Range.of(AT, HOUR, 5))
    assert volume == {"defense": (1, 1, 0, 1, 0), "other": (0, 0, 1, 0, 0)}


async def test_what_is_out_of_range_does_not_count(filled: Store) -> None:
    volume = await filled.timelines.volume(Range(AT - 2 * HOUR, AT - HOUR, HOUR))
    assert volume == {"defense": (0,), "other": (1,)}


async def test_a_feed_has_the_articles_that_it_brought(filled: Store) -> None:
    ((row),) = await filled.feeds.listing()
    found = await filled.timelines.of_feeds([row.feed.id, 99], Range.of(AT, DAY, 2))
    assert found == {row.feed.id: (0, 4), 99: (0, 0)}


async def test_a_tag_counts_whatever_the_label(filled: Store) -> None:
    topic = make.tagged().topics[0]
    assert sum(await filled.timelines.of_tag("topic", topic, Range.of(AT, WEEK, 2))) == 3


async def test_most_frequent_are_the_tags_of_defense_articles(filled: Store) -> None:
    topic = make.tagged().topics[0]
    most = await filled.timelines.most("topic", Range.of(AT, DAY, 2), 9)
    assert dict(most)[topic] == 2
    assert dict(most)["navy"] == 1
    assert await filled.timelines.most("topic", Range.of(AT, DAY, 2), 1) == most[:1]


async def test_beside_a_tag_stand_the_others_of_its_articles_and_never_itself(filled: Store) -> None:
    first, *others = make.tagged().countries
    beside = await filled.timelines.beside("country", first, "country", Range.of(AT, DAY, 2), 9)
    assert dict(beside) == dict.fromkeys(others, 3)
    topics = await filled.timelines.beside("country", first, "topic", Range.of(AT, DAY, 2), 9)
    assert "navy" not in dict(topics)
    assert topics


@pytest.mark.parametrize("step", [HOUR, DAY, WEEK], ids=["hours", "days", "weeks"])
def test_a_range_ends_with_the_step_that_holds_the_moment(step: timedelta) -> None:
    span = Range.of(AT, step, 3)
    assert len(span.starts) == 3
    assert span.starts[-1] <= AT < span.until


def test_weeks_begin_on_monday() -> None:
    assert {start.weekday() for start in Range.of(AT, WEEK, 5).starts} == {0}
