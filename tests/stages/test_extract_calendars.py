"""Year, month, day as people count them -> the day of our calendar."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.extract.calendars import day, without_eras


@pytest.mark.parametrize(
    ("year", "month", "number", "ours"),
    [
        pytest.param(1404, 1, 1, "2025-03-21", id="the new year of Iran"),
        pytest.param(1403, 12, 30, "2025-03-20", id="the last day of a leap year"),
        pytest.param(1404, 12, 30, None, id="no such day in another year"),
        pytest.param(1404, 7, 1, "2025-09-23", id="after the long months"),
        pytest.param(1404, 7, 31, None, id="no long month"),
        pytest.param(1400, 1, 1, "2021-03-21", id="years before"),
        pytest.param(1379, 10, 11, "2000-12-31", id="the last century of ours"),
        pytest.param(1404, 13, 1, None, id="no thirteenth month"),
        pytest.param(2568, 7, 10, "2025-07-10", id="the Buddha's"),
        pytest.param(2025, 2, 29, None, id="no leap year of ours"),
    ],
)
def test_a_day_is_the_same_in_every_calendar(year: int, month: int, number: int, ours: str | None) -> None:
    found = day(year, month, number)
    assert (found and found.date().isoformat()) == ours


@given(st.integers(1300, 1498), st.integers(1, 12), st.integers(1, 29))
def test_a_month_later_in_iran_is_29_to_31_days_later(year: int, month: int, number: int) -> None:
    before = day(year, month, number)
    after = day(year + month // 12, month % 12 + 1, number)
    assert before is not None
    assert after is not None
    assert timedelta(29) <= after - before <= timedelta(31)


def test_a_page_of_any_year_is_in_utc() -> None:
    assert day(2025, 7, 10) == datetime(2025, 7, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("令和7年7月10日", "2025年7月10日"),
        ("令和元年5月1日", "2019年5月1日"),
        ("平成 30 年1月2日", "2018年1月2日"),
        ("中華民國114年7月10日", "中華2025年7月10日"),
        ("2025年7月10日", "2025年7月10日"),
    ],
)
def test_the_years_of_an_era_are_ours(text: str, ours: str) -> None:
    assert without_eras(text) == ours
