"""Filters -> SQL: those that the search index has no tokens for, or only coarse ones."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, and_, false, or_, select, true

from pipeline.query import Filters, Span
from pipeline.store.feeds import is_named
from pipeline.store.story_tables import story_members
from pipeline.store.tables import articles, feeds


def beside(filters: Filters) -> list[ColumnElement[bool]]:
    """What holds of an article's row; values of one filter are alternatives, filters add up."""
    return [*_of_feeds(filters), *_of_stories(filters), *_bounds(filters)]


def _of_feeds(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.kinds:
        yield articles.c.feed_id.in_(select(feeds.c.id).where(feeds.c.kind.in_(filters.kinds)))
    if filters.feeds:
        yield articles.c.feed_id.in_(select(feeds.c.id).where(is_named(filters.feeds)))


def _of_stories(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.stories:
        within = select(story_members.c.article_id).where(story_members.c.story_id.in_(filters.stories))
        yield articles.c.id.in_(within)


def _is_within(column: Column[Any], spans: Sequence[Span[Any]]) -> ColumnElement[bool]:
    ends = (
        (true() if s.low is None else column >= s.low, true() if s.high is None else column < s.high) for s in spans
    )
    return or_(false(), *(and_(*both) for both in ends))


def _bounds(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.scores:
        yield _is_within(articles.c.score, filters.scores)
    if filters.published:
        yield _is_within(articles.c.published_at, filters.published)
    if filters.since is not None:
        yield articles.c.published_at >= filters.since
    if filters.until is not None:
        yield articles.c.published_at < filters.until
    if filters.min_score is not None:
        yield articles.c.score >= filters.min_score
