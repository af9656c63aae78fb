"""What all archives share: ranges, requests, answers, and documents read in one go."""

import pickle
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archives import ARCHIVES, CHEAPEST_FIRST, Span, Step, Wanted, body_of, read_whole, request_for
from pipeline.errors import ArchiveError
from pipeline.model import Entry, RequestKind, Response
from tests import make

NOW = datetime(2025, 7, 11, 12, 0, tzinfo=UTC)
STEP = Step("https://news.example/sitemap.xml")
JULY = Span(datetime(2025, 7, 1, tzinfo=UTC), datetime(2025, 8, 1, tzinfo=UTC))
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - see zones


def answer(status: int, **headers: str) -> Response:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Response(STEP.url, status, named, b"body", NOW)


@pytest.mark.parametrize(
    ("moment", "is_within"),
    [
        pytest.param(None, True, id="unknown"),
        pytest.param(datetime(2025, 6, 30, 23, 59, 59, tzinfo=UTC), False, id="just before"),
        pytest.param(datetime(2025, 7, 1, tzinfo=UTC), True, id="its first moment"),
        pytest.param(datetime(2025, 7, 31, 23, 59, 59, tzinfo=UTC), True, id="its last second"),
        pytest.param(datetime(2025, 8, 1, tzinfo=UTC), False, id="its end"),
    ],
)
def test_a_range_holds_its_start_and_not_its_end(moment: datetime | None, is_within: bool) -> None:
    assert JULY.may_hold(moment) is is_within


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=9)))
def test_slack_only_widens_a_range(moment: datetime, slack: timedelta) -> None:
    assert JULY.may_hold(moment, slack) >= JULY.may_hold(moment)
    assert Span().may_hold(moment, slack)


def test_slack_widens_a_range_on_both_sides_by_itself() -> None:
    day, second = timedelta(days=1), timedelta(seconds=1)
    assert JULY.since
    assert JULY.until
    edges = (JULY.since - day - second, JULY.since - day, JULY.until + day - second, JULY.until + day)
    assert [JULY.may_hold(moment, day) for moment in edges] == [False, True, True, False]


@pytest.mark.parametrize(
    ("span", "is_covered"),
    [
        pytest.param(JULY, True, id="the same"),
        pytest.param(Span(datetime(2025, 7, 2, tzinfo=UTC), datetime(2025, 7, 3, tzinfo=UTC)), True, id="within"),
        pytest.param(Span(datetime(2025, 6, 30, tzinfo=UTC), JULY.until), False, id="from earlier on"),
        pytest.param(Span(None, JULY.until), False, id="from ever"),
        pytest.param(Span(JULY.since, datetime(2025, 8, 2, tzinfo=UTC)), False, id="until later"),
        pytest.param(Span(JULY.since), False, id="without an end"),
    ],
)
def test_a_range_covers_what_lies_within_it(span: Span, is_covered: bool) -> None:
    assert JULY.covers(span) is is_covered
    assert Span().covers(span)


def test_an_archive_is_asked_under_the_rules_for_archives() -> None:
    request = request_for(STEP)
    assert (request.url, request.kind, request.headers) == (STEP.url, RequestKind.ARCHIVE, ())


def test_only_a_200_brings_a_body() -> None:
    assert body_of(STEP, answer(200)) == b"body"


@pytest.mark.parametrize(
    ("response", "is_retryable", "retry_after_s"),
    [
        pytest.param(answer(404), False, None, id="404"),
        pytest.param(answer(304), False, None, id="304"),
        pytest.param(answer(403), False, None, id="403"),
        pytest.param(answer(408), True, None, id="408"),
        pytest.param(answer(429), True, 3600, id="429 names no time"),
        pytest.param(answer(429, retry_after="60"), True, 60, id="429 names a time"),
        pytest.param(answer(500, retry_after="60"), True, None, id="500"),
        pytest.param(answer(501), False, None, id="501"),
        pytest.param(answer(503, retry_after="60"), True, 60, id="503"),
    ],
)
def test_another_answer_says_whether_and_when_it_may_be_asked_again(
    response: Response, is_retryable: bool, retry_after_s: int | None
) -> None:
    with pytest.raises(ArchiveError, match=f"http-{response.status}") as caught:
        body_of(STEP, response)
    retry_at = None if retry_after_s is None else NOW + timedelta(seconds=retry_after_s)
    assert (caught.value.subject, caught.value.retryable, caught.value.retry_at) == (STEP.url, is_retryable, retry_at)


def test_archives_are_known_by_their_names() -> None:
    assert all(archive.name == name for name, archive in ARCHIVES.items())
    assert set(CHEAPEST_FIRST) < set(ARCHIVES)


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_begins_somewhere_and_its_steps_can_be_kept_and_sent(name: str) -> None:
    for step in ARCHIVES[name].start(Wanted(make.feed(), JULY, NOW)):
        assert step.url.startswith("https://")
        assert pickle.loads(pickle.dumps(step)) == step


def test_a_document_in_memory_gives_all_it_holds() -> None:
    found, error = read_whole("sitemap", STEP, b"<urlset><url><loc>/1</loc></url></urlset>", Span())
    assert [item.url for item in found if isinstance(item, Entry)] == ["https://news.example/1"]
    assert error is None


def test_a_broken_document_gives_what_came_before_the_error_and_the_error_as_values() -> None:
    result = read_whole("sitemap", STEP, b"<urlset><url><loc>/1</loc></url>", Span())
    found, error = pickle.loads(pickle.dumps(result))
    assert [item.url for item in found if isinstance(item, Entry)] == ["https://news.example/1"]
    assert (error.subject, error.reason) == (STEP.url, "malformed-sitemap")
