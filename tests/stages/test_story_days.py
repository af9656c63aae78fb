"""The days of the events that a report names, seen from the day of its publication."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.story.days import FARTHEST, MOST, days

WEDNESDAY = date(2026, 3, 4)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("fired a missile on Wednesday", [date(2026, 3, 4)], id="the weekday of today"),
        pytest.param("fired a missile on Tuesday", [date(2026, 3, 3)], id="a weekday that is over"),
        pytest.param("The drill begins on Monday", [date(2026, 3, 9)], id="a weekday to come"),
        pytest.param("It will end. On Monday it fired", [date(2026, 3, 2)], id="the future of another sentence"),
        pytest.param("on March 2 and on 1st of March", [date(2026, 3, 2), date(2026, 3, 1)], id="dates"),
        pytest.param("on 30 December", [], id="too long ago"),
        pytest.param("on Feb. 27", [date(2026, 2, 27)], id="a month cut short"),
        pytest.param("on Feb. 31", [], id="no such day"),
        pytest.param("struck overnight", [date(2026, 3, 4)], id="overnight"),
        pytest.param("Last night they struck", [date(2026, 3, 3)], id="last night"),
        pytest.param("talks tomorrow", [date(2026, 3, 5)], id="tomorrow"),
        pytest.param("on Tuesday, March 3, yesterday", [date(2026, 3, 3)], id="one day by three names"),
        pytest.param("nothing is said", [], id="none"),
    ],
)
def test_a_day_is_read(text: str, wanted: list[date]) -> None:
    assert days(text, WEDNESDAY) == tuple(wanted)


def test_a_date_at_the_turn_of_the_year_is_in_the_nearer_year() -> None:
    assert days("on December 31", date(2026, 1, 2)) == (date(2025, 12, 31),)


@given(st.text("aMondayJune 1234567890.", max_size=200), st.dates(date(1990, 1, 1), date(2090, 1, 1)))
def test_days_are_few_near_and_named_once(text: str, published: date) -> None:
    found = days(text, published)
    assert len(found) == len(set(found)) <= MOST
    assert all(abs(day - published) <= timedelta(FARTHEST) for day in found)
