"""Text -> Stated: dates as machines write them, and as people do."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.extract.moments import DAY, ZONE_SLACK, Stated, in_path, spelled, stated, written

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


@pytest.mark.parametrize(
    ("text", "lang", "day"),
    [
        pytest.param("Published July 10, 2025 at 8 a.m.", "en", "2025-07-10", id="English"),
        pytest.param("10 July 2025", None, "2025-07-10", id="day first"),
        pytest.param("10th of July, 2025", "en", "2025-07-10", id="ordinal"),
        pytest.param("Jul 10,2025", "en", "2025-07-10", id="no space"),
        pytest.param("Donnerstag, 10. Juli 2025, 12:00 Uhr", "de", "2025-07-10", id="German"),
        pytest.param("le 10 juillet 2025", "fr", "2025-07-10", id="French"),
        pytest.param("10 de julio de 2025", "es", "2025-07-10", id="Spanish"),
        pytest.param("2025. július 10.", "hu", "2025-07-10", id="Hungarian"),
        pytest.param("10 липня 2025", "uk", "2025-07-10", id="Ukrainian"),
        pytest.param("10. listopada 2025.", "hr", "2025-10-10", id="Croatian October"),
        pytest.param("10 listopada 2025", "pl", "2025-11-10", id="Polish November"),
        pytest.param("2025年7月10日 08:00", "zh", "2025-07-10", id="Chinese"),
        pytest.param("2025년 7월 10일", "ko", "2025-07-10", id="Korean"),
        pytest.param("10 กรกฎาคม 2568", "th", "2025-07-10", id="Thai"),
        pytest.param("10 جويلية 2025", "ar", "2025-07-10", id="Arabic"),
        pytest.param("ngày 10 tháng 7 năm 2025", "vi", "2025-07-10", id="Vietnamese"),
        pytest.param("07/10/2025", "en-US", "2025-07-10", id="month first"),
        pytest.param("10/07/2025", "en-GB", "2025-07-10", id="British"),
        pytest.param("10.07.2025", "de", "2025-07-10", id="dots"),
        pytest.param("13/07/2025", "en", "2025-07-13", id="no other reading"),
        pytest.param("14 آذار/مارس 2025", "ar", "2025-03-14", id="two names of a month"),
        pytest.param("۲۴ اسفند ۱۴۰۳", "fa", "2025-03-14", id="Persian"),
        pytest.param("令和7年7月10日", "ja", "2025-07-10", id="Japanese reign"),
        pytest.param("中華民國114年7月10日", "zh-TW", "2025-07-10", id="Taiwan"),
        pytest.param("10.07.25", "de", "2025-07-10", id="two digits"),
        pytest.param("10.07.25", "he", "2025-07-10", id="Hebrew"),
        pytest.param("10/07/98", "fr", "1998-07-10", id="the last century"),
        pytest.param("25.07.10", "ko", "2025-07-10", id="year first"),
        pytest.param("10/07/25", "en", None, id="nobody knows which is which"),
        pytest.param("10.07.25.1", "de", None, id="version"),
        pytest.param("Room 12, 2025", "en", None, id="no month"),
        pytest.param("31 June 2025", "en", None, id="no such day"),
        pytest.param("June 2025", "en", None, id="no day"),
        pytest.param("yesterday", "en", None, id="no number"),
    ],
)
def test_a_date_as_people_write_it(text: str, lang: str | None, day: str | None) -> None:
    found = written(text, lang)
    assert (found and found.at.date().isoformat()) == day


@pytest.mark.parametrize(
    ("text", "day"),
    [("2025 Jul 10", "2025-07-10"), ("2025/07/10", "2025-07-10"), ("July 10, 2025", "2025-07-10"), ("10/07/25", None)],
)
def test_a_spelled_day_is_the_same_in_every_language(text: str, day: str | None) -> None:
    found = spelled(text)
    assert (found and found.at.date().isoformat()) == day


@given(st.text())
def test_any_line_names_a_day_or_none(text: str) -> None:
    assert written(text) is None or written(text) == written(text, "en")


@pytest.mark.parametrize(
    ("path", "day"),
    [
        ("/2025/07/10/frigate", "2025-07-10"),
        ("/news/2025-07-10-frigate", "2025-07-10"),
        ("/a/20250710", "2025-07-10"),
        ("/world/2025/jul/10/frigate", "2025-07-10"),
        ("/2025/october/03/frigate", "2025-10-03"),
        ("/2025/frigates/10/frigate", None),
        ("/2025/02/31/frigate", None),
        ("/2025/07/frigate", None),
        ("/123420250710", None),
    ],
)
def test_the_path_of_a_url_may_name_the_day(path: str, day: str | None) -> None:
    found = in_path(path)
    assert (found and found.at.date().isoformat()) == day
