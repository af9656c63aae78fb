"""Facets as tokens of the index."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.query import Filters, Span, facets

AT = datetime(2025, 7, 11, 12, 0, tzinfo=UTC)
MOMENTS = st.timedeltas(timedelta(days=-9_000), timedelta(days=9_000)).map(lambda distance: AT + distance)


def of(passes: Filters, published_at: datetime = AT) -> set[str]:
    return set(facets.of_article(passes, published_at).split(" "))


@pytest.mark.parametrize(
    ("asked", "is_passed"),
    [
        (Filters(countries=("KR", "JP")), True),
        (Filters(countries=("JP",)), False),
        (Filters(entities=("b 52h",)), True),
        (Filters(entities=("B-52",)), False),
        (Filters(feed_ids=(3,)), True),
        (Filters(is_teaser=False), True),
        (Filters(is_teaser=True), False),
    ],
    ids=str,
)
def test_an_article_has_a_token_of_each_filter_that_it_passes(asked: Filters, is_passed: bool) -> None:
    has = of(Filters(countries=("KR",), entities=("B-52H",), feed_ids=(3,), is_teaser=False))
    assert all(has & set(tokens) for tokens in facets.alternatives(asked)) is is_passed


@given(MOMENTS, MOMENTS, MOMENTS)
def test_an_article_of_a_span_has_a_token_of_it(one: datetime, other: datetime, at: datetime) -> None:
    low, high = min(one, other), max(one, other) + timedelta(seconds=1)
    assert not low <= at < high or of(Filters(), at) & set(facets.of_time(Span(low, high)) or ())
    assert of(Filters(), high) & set(facets.of_time(Span(low, None)) or ())


def test_a_year_is_one_token_and_a_month_another() -> None:
    def span(first: str, end: str) -> Span[datetime]:
        return Span(datetime.fromisoformat(f"{first}T00:00Z"), datetime.fromisoformat(f"{end}T00:00Z"))

    assert len(facets.of_time(span("2023-01-01", "2025-01-01")) or ()) == 2
    assert len(facets.of_time(span("2024-11-15", "2025-02-01")) or ()) == 3


@pytest.mark.parametrize("low", [None, datetime(9999, 12, 30, tzinfo=UTC)])
def test_what_cannot_be_named_has_no_tokens(low: datetime | None) -> None:
    assert facets.of_time(Span(low, None)) is None


def test_tokens_are_read_as_they_were_written() -> None:
    tokens = facets.of_article(Filters(topics=("weapons",), countries=("KR",), entities=("Freedom Shield",)), AT)
    assert list(facets.read(tokens)) == [
        ("topics", "weapons"),
        ("countries", "kr"),
        ("entities", facets.spelled("Freedom Shield")),
        ("months", "202507"),
    ]


@pytest.mark.parametrize(("months", "year", "month"), [(1, 2025, 7), (7, 2025, 1), (8, 2024, 12), (20, 2023, 12)])
def test_the_last_months_are_those_of_the_last_article_and_before_it(months: int, year: int, month: int) -> None:
    first, tokens = datetime(year, month, 1, tzinfo=UTC), set(facets.of_months(AT, months))
    assert of(Filters(), AT) & tokens
    assert of(Filters(), first) & tokens
    assert not of(Filters(), first - timedelta(seconds=1)) & tokens
    assert not of(Filters(), datetime(2025, 8, 1, tzinfo=UTC)) & tokens
