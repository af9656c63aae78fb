"""The rhythm of a feed: what polls teach, when the next one is worth a request, and what a request costs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.rhythm import (
    CHEAPEST,
    DEAREST,
    FARTHEST,
    MEMORY,
    Rhythm,
    expected,
    learned,
    next_at,
    price_after,
)

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
MINUTE, HOUR, DAY, WEEK = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
MOMENTS = st.timedeltas(-5 * 52 * WEEK, 5 * 52 * WEEK).map(MONDAY.__add__)


def even(a_day: float = 24.0, window: int = 1_000) -> Rhythm:
    """Fifty weeks of a feed that publishes day and night."""
    days = 350
    return Rhythm(MONDAY, window, days, (a_day * days / 24,) * 24, (a_day * days / 7,) * 7)


def office(a_day: float = 24.0) -> Rhythm:
    """Fifty weeks of a feed that publishes from 8 to 16 on working days."""
    each = a_day * 250
    hours = tuple(each / 8 if 8 <= hour < 16 else 0.0 for hour in range(24))
    return Rhythm(MONDAY, 1_000, 350, hours, (each / 5,) * 5 + (0.0, 0.0))


def wait(rhythm: Rhythm, price: float = 1.0) -> timedelta:
    return next_at(rhythm, rhythm.polled_at, price)[0] - rhythm.polled_at


def spaced(end: datetime, step: timedelta, count: int) -> list[datetime]:
    return [end - step * (place + 1) for place in range(count)]


def polls(first: Rhythm, published: Sequence[datetime], until: datetime, *, dated: str = "exact") -> Rhythm:
    """A poll an hour of a feed whose document holds its last ten entries."""
    rhythm, at = first, first.polled_at
    while at < until:
        at += HOUR
        document = [moment for moment in published if moment <= at][-10:]
        new = sum(moment > rhythm.polled_at for moment in document)
        dates = {
            "exact": document,
            "day": [moment.replace(hour=0, minute=0) for moment in document],
            "shared": document[-1:] * 10,
            "none": [],
        }[dated]
        rhythm = learned(rhythm, at, dates, 1 - new / 10, 10) if new else learned(rhythm, at, (), 1.0, 0)
    return rhythm


@pytest.mark.parametrize(("a_day", "price"), [(24, 0.5), (24, 2), (240, 0.1), (2, 0.3), (1, 4)])
def test_an_even_feed_is_due_after_the_root_of_twice_the_price_over_its_rate(a_day: float, price: float) -> None:
    assert wait(even(a_day), price) / HOUR == pytest.approx((2 * price / (a_day / 24)) ** 0.5, rel=0.02)


def test_a_feed_with_four_times_the_rate_is_asked_twice_as_often() -> None:
    assert wait(even(12)) / wait(even(48)) == pytest.approx(2, rel=0.02)


def test_the_reason_says_how_many_entries_are_expected() -> None:
    assert next_at(even(240), MONDAY, 0.2)[1] == "rhythm: about 2.0 new by then"


def test_at_most_half_of_the_window_is_expected_to_pass() -> None:
    rhythm = even(240, window=10)
    assert wait(rhythm, 100) / HOUR == pytest.approx(0.5, rel=0.02)
    assert next_at(rhythm, MONDAY, 100)[1] == "rhythm: about 5.0 new by then"


def test_a_feed_that_sleeps_at_night_is_left_alone_at_night() -> None:
    assert wait(office()) > 7 * HOUR
    assert wait(replace(office(), polled_at=MONDAY + 10 * HOUR)) < 1.5 * HOUR
    assert expected(office(), MONDAY + 12 * HOUR) > 50 * expected(office(), MONDAY + 2 * HOUR)


def test_a_feed_that_sleeps_at_weekends_is_expected_to_be_quiet_on_sunday() -> None:
    assert expected(office(), MONDAY + 12 * HOUR) > 50 * expected(office(), MONDAY + 6 * DAY + 12 * HOUR)


def test_the_expected_rates_of_a_week_add_up_to_the_entries_of_a_week() -> None:
    for rhythm in (even(3), office(24)):
        week = sum(expected(rhythm, MONDAY + hour * HOUR) for hour in range(168))
        assert week == pytest.approx(sum(rhythm.hours) / rhythm.days * 7, rel=0.05)


def test_three_entries_say_little_about_the_hours() -> None:
    few = learned(None, MONDAY, [MONDAY - DAY * place - 10 * HOUR - place * MINUTE for place in range(4)], 0.0, 4)
    assert expected(few, MONDAY + 14 * HOUR) < 3 * expected(few, MONDAY + 2 * HOUR)


def test_hours_that_were_not_watched_are_not_held_to_be_quiet() -> None:
    morning = learned(None, MONDAY + 6 * HOUR, spaced(MONDAY + 6 * HOUR, 6 * MINUTE, 31), 0.0, 31)
    assert expected(morning, MONDAY + 18 * HOUR) == pytest.approx(10, rel=0.2)
    assert expected(morning, MONDAY + 4 * HOUR) == pytest.approx(10, rel=0.2)
    assert expected(morning, MONDAY + 3 * DAY) == pytest.approx(10, rel=0.2)


def test_a_quiet_feed_is_not_planned_beyond_two_days() -> None:
    assert wait(even(0.01), 1_000) == FARTHEST


def test_a_feed_that_should_have_been_polled_is_due_now() -> None:
    assert next_at(even(240), MONDAY + DAY, 0.1)[0] == MONDAY + DAY


def test_a_first_document_tells_the_rate_since_its_oldest_entry() -> None:
    rhythm = learned(None, MONDAY, spaced(MONDAY, DAY / 4 + MINUTE, 21), 0.0, 21)
    assert sum(rhythm.hours) == sum(rhythm.weekdays) == 20
    assert rhythm.days == pytest.approx(21 / 4, rel=0.01)


def test_a_feed_that_fell_silent_before_we_came_is_expected_to_be_silent() -> None:
    silent = learned(None, MONDAY, spaced(MONDAY - 60 * DAY, HOUR, 20), 0.0, 20)
    assert (silent.days, sum(silent.hours)) == (MEMORY / DAY, 0)
    assert expected(silent, MONDAY) < 0.001


@pytest.mark.parametrize(
    "dates",
    [(), (MONDAY - DAY,) * 20, (MONDAY - HOUR,), (MONDAY + DAY, MONDAY + 2 * DAY)],
    ids=["none", "one shared", "a single one", "to come"],
)
def test_a_first_document_without_two_dates_that_were_tells_nothing(dates: Sequence[datetime]) -> None:
    assert learned(None, MONDAY, dates, 0.0, 20) == Rhythm(MONDAY, 20)


def test_dates_without_a_time_of_day_say_nothing_about_the_hours() -> None:
    rhythm = learned(None, MONDAY + 12 * HOUR, [MONDAY - day * DAY for day in range(25)], 0.0, 25)
    assert rhythm.hours == (1.0,) * 24
    assert max(rhythm.weekdays) == 4


def test_new_entries_count_at_the_hours_of_their_dates() -> None:
    noon, document = MONDAY + 12 * HOUR, [MONDAY + 8 * HOUR, MONDAY + 9 * HOUR, MONDAY - 5 * HOUR]
    rhythm = learned(Rhythm(MONDAY + 6 * HOUR, 3), noon, document, 1 / 3, 3)
    assert {hour: count for hour, count in enumerate(rhythm.hours) if count} == {8: 1, 9: 1}
    assert (rhythm.weekdays[0], rhythm.days, rhythm.polled_at) == (2, 0.25, noon)


@pytest.mark.parametrize("window", [2, 3], ids=["all dated", "one undated"])
def test_new_entries_whose_dates_cannot_be_true_count_between_the_polls(window: int) -> None:
    document = [MONDAY - 30 * DAY + MINUTE, MONDAY + 30 * DAY]
    rhythm = learned(Rhythm(MONDAY, 2), MONDAY + 4 * HOUR, document, 1 - 2 / window, window)
    assert {hour: count for hour, count in enumerate(rhythm.hours) if count} == {1: 1, 3: 1}


def test_a_document_that_did_not_change_adds_time_and_keeps_the_window() -> None:
    before = Rhythm(MONDAY, 15, 3.0)
    assert learned(before, MONDAY + 6 * HOUR, (), 1.0, 0) == Rhythm(MONDAY + 6 * HOUR, 15, 3.25)


def test_a_poll_before_the_last_one_takes_no_time_away() -> None:
    assert learned(Rhythm(MONDAY, 15, 3.0), MONDAY - HOUR, (), 1.0, 0).days == 3.0


@pytest.mark.parametrize("dated", ["exact", "day", "shared", "none"])
def test_the_rate_is_learned_whatever_the_dates_are(dated: str) -> None:
    published = [MONDAY + place * 2 * HOUR + place % 7 * MINUTE for place in range(4 * 7 * 12)]
    rhythm = polls(Rhythm(MONDAY, 10), published, MONDAY + 4 * WEEK, dated=dated)
    assert sum(expected(rhythm, rhythm.polled_at + hour * HOUR) for hour in range(168)) / 168 == pytest.approx(
        0.5, rel=0.1
    )


def test_a_feed_that_doubles_its_rate_is_believed_after_a_few_weeks() -> None:
    published = [MONDAY + place * 4 * HOUR + place % 7 * MINUTE for place in range(4 * 7 * 6)]
    published += [MONDAY + 4 * WEEK + place * 2 * HOUR + place % 7 * MINUTE for place in range(4 * 7 * 12)]
    rhythm = polls(Rhythm(MONDAY, 10), published, MONDAY + 8 * WEEK)
    assert sum(rhythm.hours) / rhythm.days == pytest.approx(11, rel=0.1)


def test_what_was_learned_counts_half_after_two_weeks() -> None:
    later = learned(even(24), MONDAY + 2 * WEEK, (), 1.0, 0)
    assert sum(later.hours) == pytest.approx(24 * 350 / 2)
    assert later.days == pytest.approx(350 / 2 + 14)


def test_a_rhythm_is_kept_in_a_few_hundred_bytes() -> None:
    published = [MONDAY + place * 7 * MINUTE for place in range(5_000)]
    assert len(json.dumps(asdict(polls(Rhythm(MONDAY, 10), published, MONDAY + 3 * WEEK)), default=str)) < 500


@given(MOMENTS, st.lists(MOMENTS, max_size=12), MOMENTS, st.lists(MOMENTS, max_size=12), st.floats(0, 1))
def test_whatever_a_feed_says_it_is_due_within_two_days_and_sooner_at_a_lower_price(
    first_at: datetime, first: list[datetime], then_at: datetime, then: list[datetime], known: float
) -> None:
    rhythm = learned(learned(None, first_at, first, 0.0, 10), then_at, then, known, 10)
    dues = [next_at(rhythm, then_at, price)[0] for price in (CHEAPEST, 0.1, 1.0, 10.0, DEAREST)]
    assert dues == sorted(dues)
    assert then_at <= dues[0] <= dues[-1] <= then_at + FARTHEST


def test_a_day_of_twice_the_budget_makes_the_price_four_times_as_high() -> None:
    assert price_after(1.0, 199_999, 99_999, DAY) == pytest.approx(4)


def test_requests_below_the_budget_make_the_price_fall() -> None:
    assert price_after(1.0, 50, 100, HOUR) < 1.0


def test_a_stretch_within_the_budget_leaves_the_price() -> None:
    assert price_after(0.7, 60, 60, HOUR) == 0.7


@given(st.floats(CHEAPEST, DEAREST), st.integers(0, 10**9), st.floats(0, 1e9), st.integers(0, 10**6))
def test_the_price_stays_within_its_bounds(price: float, made: int, budget: float, seconds: int) -> None:
    assert CHEAPEST <= price_after(price, made, budget, timedelta(seconds=seconds)) <= DEAREST
