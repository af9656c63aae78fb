"""The two usual notations of dates; whatever they are read as, feedparser reads them alike (see test_parse_strict)."""

from datetime import UTC, datetime

import pytest

from pipeline.stages.parse.dates import usual_moment

MOMENT = datetime(2026, 11, 21, 10, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "Sat, 21 Nov 2026 10:00:05 GMT",
        "sat, 21 nov 2026 05:00:05 est",
        "21 Nov 2026 12:30:05 +0230",
        "21 Nov 2026 09:30:05 -00:30",
        "2026-11-21T10:00:05Z",
        "2026-11-21T10:00:05",
        "2026-11-21T10:00:05.999Z",
        "2026-11-21T04:30:05-05:30",
        "2026-11-21T05:00:05-0500",
    ],
)
def test_a_usual_date_is_read_in_utc(written: str) -> None:
    assert usual_moment(written) == MOMENT


@pytest.mark.parametrize(
    "written",
    [
        "",
        "yesterday",
        "mer, 21 Nov 2026 10:00:05 GMT",
        "Sat, 31 Nov 2026 10:00:05 GMT",
        "Sat, 21 Foo 2026 10:00:05 GMT",
        "Sat, 21 Nov 2026 10:00:05 XYZ",
        "Sat, 21 Nov 2026 10:00:05 +9900",
        "Sat, 21 Nov 26 10:00:05 GMT",
        "2026-11-21T10:00:05+0530",
        "2026-13-21",
        "0001-01-01T00:00:00+01:00",
    ],
)
def test_any_other_date_is_none(written: str) -> None:
    assert usual_moment(written) is None
