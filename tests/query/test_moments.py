"""Times as users type them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.query import moments

NOW = datetime(2025, 7, 11, 12, 0, tzinfo=UTC)


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2025, 7, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        pytest.param("2025-07-10T06:00:00Z", at(10, 6), id="RFC 3339"),
        pytest.param("2025-07-10t06:00:00z", at(10, 6), id="in small letters"),
        pytest.param("2025-07-10T15:00:00+09:00", at(10, 6), id="another zone"),
        pytest.param("2025-07-10 06:00", at(10, 6), id="a space, no seconds, no zone: UTC"),
        pytest.param("0s", NOW, id="now"),
        pytest.param("30m", at(11, 11, 30), id="minutes"),
        pytest.param("36h", at(10), id="hours"),
        pytest.param(" 7 d ", at(4, 12), id="days, spaced"),
        pytest.param("1w", at(4, 12), id="weeks"),
    ],
)
def test_an_instant_or_an_age_is_the_same_as_start_and_as_end(text: str, moment: datetime) -> None:
    assert moments.since(text, NOW) == moment
    assert moments.until(text, NOW) == moment


def test_a_date_begins_at_midnight_utc_and_as_an_end_includes_its_day() -> None:
    assert moments.since("2025-07-10", NOW) == at(10)
    assert moments.until(" 2025-07-10 ", NOW) == at(11)


def test_what_is_not_given_is_no_bound() -> None:
    assert moments.since(None, NOW) is None
    assert moments.until(None, NOW) is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("yesterday", id="a word"),
        pytest.param("2025-07", id="a month"),
        pytest.param("20250711", id="a date without hyphens"),
        pytest.param("2025-W28-5", id="a week's day"),
        pytest.param("2025-02-30", id="no such day"),
        pytest.param("2025-07-11T25:00:00Z", id="no such hour"),
        pytest.param("2025-07-11T12:00:00 Seoul", id="a zone by name"),
        pytest.param("7D", id="an unknown unit"),
        pytest.param("-7d", id="a negative age"),
        pytest.param("1.5h", id="a broken age"),
        pytest.param("999999w", id="an age before all time"),
        pytest.param("0001-01-01T00:00:00+14:00", id="before all time"),
        pytest.param("9999-12-31", id="a day without a next"),
    ],
)
def test_anything_else_is_refused_with_the_option_that_has_it(text: str) -> None:
    with pytest.raises(UsageError, match=r"^--since: "):
        moments.since(text, NOW)
    with pytest.raises(UsageError, match=r"^--until: ") as caught:
        moments.until(text, NOW)
    assert repr(text) in str(caught.value)


@given(st.text(max_size=12) | st.text("0123456789-+:TZ .smhdw", max_size=26))
def test_any_text_is_a_moment_in_utc_or_a_usage_error(text: str) -> None:
    try:
        start, end = moments.since(text, NOW), moments.until(text, NOW)
    except UsageError:
        return
    assert start is not None
    assert end is not None
    assert start.utcoffset() == end.utcoffset() == timedelta(0)
    assert end - start in (timedelta(0), timedelta(days=1))
