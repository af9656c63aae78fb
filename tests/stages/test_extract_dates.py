"""Dates as pages write them: ISO 8601 and its dialects, RFC 5322, seconds since 1970."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import DateOrigin, Entry
from pipeline.stages.extract.dates import DAY, ZONE_SLACK, Stated, counts, published, stated

SEEN = datetime(2025, 7, 11, 12, tzinfo=UTC)
MOMENTS = st.timedeltas(timedelta(), timedelta(days=12_000)).map(lambda age: SEEN - age)  # back to 1992


@pytest.mark.parametrize(
    ("text", "at", "lasts"),
    [
        pytest.param("2025-07-10T08:30:15.123+02:00", "2025-07-10T06:30:15Z", None, id="iso"),
        pytest.param(" 2025-07-10T08:30:15Z ", "2025-07-10T08:30:15Z", None, id="zulu"),
        pytest.param("2025-07-10 08:30:15 -0430", "2025-07-10T13:00:15Z", None, id="spaces"),
        pytest.param("2025-07-10T08:30+02", "2025-07-10T06:30:00Z", None, id="hours of offset"),
        pytest.param("2025-7-1 8:05 UTC", "2025-07-01T08:05:00Z", None, id="single digits"),
        pytest.param("20250710T083015Z", "2025-07-10T08:30:15Z", None, id="basic format"),
        pytest.param("2025/07/10", "2025-07-10T00:00:00Z", DAY, id="slashes"),
        pytest.param("20250710", "2025-07-10T00:00:00Z", DAY, id="eight digits"),
        pytest.param("2025-07-10T00:00:00-05:00", "2025-07-10T00:00:00Z", DAY, id="midnight is a day"),
        pytest.param("2025-07-10T08:30:15", "2025-07-10T08:30:15Z", timedelta(), id="no zone"),
        pytest.param("Thu, 10 Jul 2025 08:30:15 +0200", "2025-07-10T06:30:15Z", None, id="mail"),
        pytest.param("1752136215", "2025-07-10T08:30:15Z", None, id="seconds"),
        pytest.param("1752136215000", "2025-07-10T08:30:15Z", None, id="milliseconds"),
    ],
)
def test_a_date_as_machines_write_it(text: str, at: str, lasts: timedelta | None) -> None:
    assert stated(text) == Stated(datetime.fromisoformat(at), lasts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "July 10, 2025",
        "2025-13-01",
        "2025-07-10T25:00:00Z",
        "2025-07-10T08:30+99:00",
        "0001-01-01T01:00+05:00",
        "2025071",
        "٢٠٢٥-٠٧-١٠",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert stated(text) is None


@given(MOMENTS)
def test_a_moment_written_and_read_is_the_same(moment: datetime) -> None:
    found = stated(moment.isoformat())
    assert found is not None
    assert found.at == moment.replace(microsecond=0)


@given(st.text())
def test_any_text_is_a_date_or_none(text: str) -> None:
    assert stated(text) is None or isinstance(stated(text), Stated)


@given(MOMENTS, st.timedeltas(timedelta(days=-3), timedelta(days=3)))
def test_a_day_is_refined_only_within_the_slack_of_zones(moment: datetime, offset: timedelta) -> None:
    day = Stated(moment, DAY)
    refined = day.refined(moment + offset)
    assert refined == (moment + offset if -ZONE_SLACK <= offset < DAY + ZONE_SLACK else moment)


@given(st.none() | MOMENTS.map(Stated), st.none() | MOMENTS, st.none() | st.just("wayback"))
def test_a_date_always_comes_out_and_counts(page: Stated | None, told: datetime | None, archive: str | None) -> None:
    at, _ = published(page, Entry(id="1", url=None, published_at=told, archive=archive), SEEN)
    assert counts(at, SEEN)


@pytest.mark.parametrize(
    ("moment", "is_true"),
    [
        (SEEN, True),
        (SEEN + timedelta(seconds=1), False),
        (datetime(1990, 1, 1, tzinfo=UTC), True),
        (datetime(1989, 12, 31, 23, 59, tzinfo=UTC), False),
    ],
)
def test_a_date_counts_between_1990_and_now(moment: datetime, is_true: bool) -> None:
    assert counts(moment, SEEN) is is_true


def test_a_day_that_is_tomorrow_already_where_it_was_written_is_now() -> None:
    page = stated((SEEN + timedelta(hours=14)).date().isoformat())
    assert page is not None
    at, said_by = published(page, Entry(id="1", url=None), SEEN)
    assert (at, said_by) == (SEEN if page.at > SEEN else page.at, DateOrigin.PAGE)
