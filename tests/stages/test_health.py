"""How a feed does, and how that is known."""

from datetime import timedelta

import pytest

from pipeline.model import Entry, FeedState, Health
from pipeline.stages import health
from tests import make
from tests.make import AT

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(FeedState(), Health.NEW, id="never polled"),
        pytest.param(make.state(), Health.ACTIVE, id="answers"),
        pytest.param(make.state(failures=1, reason="dns"), Health.FAILING, id="failed"),
        pytest.param(make.state(failures=1, reason="http-429"), Health.RESTING, id="asked too often"),
        pytest.param(make.state(failures=9, reason="http-503"), Health.RESTING, id="overloaded"),
        pytest.param(make.state(failures=1, reason="http-410", gone=True), Health.GONE, id="gone"),
        pytest.param(FeedState(failures=1, reason="http-404"), Health.FAILING, id="never answered"),
        pytest.param(make.state(newest_at=AT - 99 * DAY), Health.ACTIVE, id="of unknown habits"),
        pytest.param(make.state(usual_gap=HOUR), Health.ACTIVE, id="without an entry"),
        pytest.param(make.state(newest_at=AT - 3 * DAY, usual_gap=HOUR), Health.ACTIVE, id="silent over a weekend"),
        pytest.param(make.state(newest_at=AT - 3 * DAY - HOUR, usual_gap=HOUR), Health.QUIET, id="silent for longer"),
        pytest.param(make.state(newest_at=AT - 10 * DAY, usual_gap=2 * DAY), Health.ACTIVE, id="slow"),
        pytest.param(make.state(newest_at=AT - 11 * DAY, usual_gap=2 * DAY), Health.QUIET, id="slower than usual"),
    ],
)
def test_health_is_what_the_last_poll_says(state: FeedState, expected: Health) -> None:
    assert health.health_of(state, AT) is expected


def heard(*hours_ago: int | None, state: FeedState | None = None, is_news: bool = True) -> FeedState:
    dates = [None if ago is None else AT - ago * HOUR for ago in hours_ago]
    entries = [Entry(str(n), None, published_at=date) for n, date in enumerate(dates)]
    return health.last_heard(state or FeedState(), entries, AT, is_news=is_news)


def test_the_usual_gap_is_the_mean_between_the_dates_of_a_body() -> None:
    state = heard(1, 2, 9)
    assert (state.newest_at, state.usual_gap) == (AT - HOUR, 4 * HOUR)


def test_two_dates_or_one_shared_by_all_say_nothing_of_the_usual_gap() -> None:
    known = make.state(usual_gap=DAY)
    assert heard(1, 2, state=known).usual_gap == heard(5, 5, 5, state=known).usual_gap == DAY


def test_a_date_in_the_future_is_none() -> None:
    assert heard(-5, 2).newest_at == AT - 2 * HOUR


def test_entries_without_dates_are_as_new_as_the_poll_that_first_brought_them() -> None:
    assert heard(None).newest_at == AT
    assert heard(None, state=make.state(newest_at=AT - DAY), is_news=False).newest_at == AT - DAY


def test_an_update_is_a_sign_of_life() -> None:
    entry = Entry("1", None, updated_at=AT - HOUR)
    assert health.last_heard(FeedState(), [entry], AT, is_news=False).newest_at == AT - HOUR
