"""Page, entry -> when an article was published: whose date counts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import DateOrigin, Entry
from pipeline.stages.extract.dates import counts, published
from pipeline.stages.extract.moments import DAY, Stated, stated

SEEN = datetime(2025, 7, 11, 12, tzinfo=UTC)
MOMENTS = st.timedeltas(timedelta(), timedelta(days=12_000)).map(lambda age: SEEN - age)  # back to 1992


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


@pytest.mark.parametrize(("said", "day"), [("published_at", 8), ("updated_at", 7)])
def test_a_day_on_the_page_is_refined_by_a_publication_and_never_by_an_update(said: str, day: int) -> None:
    page = Stated(datetime(2026, 11, 7, tzinfo=UTC), DAY)
    entry = Entry(id="1", url=None, **{said: datetime(2026, 11, 8, 1, 21, tzinfo=UTC)})  # type: ignore[arg-type]
    at, origin = published(page, entry, datetime(2026, 11, 22, tzinfo=UTC))
    assert (at.day, origin) == (day, DateOrigin.PAGE)
