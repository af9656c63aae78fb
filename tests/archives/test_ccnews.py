"""Range -> lists and files of the news crawl, and the blocks in which they come."""

import gzip
from datetime import UTC, datetime

import pytest

from pipeline.archives import Span, ccnews
from pipeline.errors import ArchiveError
from pipeline.model import RequestKind, Response
from tests.make import AT

URL = "https://data.example/crawl-data/CC-NEWS/2025/07/CC-NEWS-20250711000000-00001.warc.gz"


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def months(since: str | None, until: str | None, now: str = "2025-09-10") -> list[str]:
    span = Span((since and day(since)) or None, (until and day(until)) or None)
    return [
        name.removeprefix("crawl-data/CC-NEWS/").removesuffix("/warc.paths.gz") for name in ccnews.lists(span, day(now))
    ]


def line(begun: str) -> str:
    return f"crawl-data/CC-NEWS/{begun[:4]}/{begun[4:6]}/CC-NEWS-{begun}-00001.warc.gz"


def response(status: int, body: bytes = b"", **headers: str) -> Response:
    return Response(URL, status, tuple((name.replace("_", "-"), value) for name, value in headers.items()), body, AT)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        pytest.param("2025-07-05", "2025-07-20", ["2025/07"], id="within a month"),
        pytest.param("2025-07-01", "2025-07-30", ["2025/06", "2025/07", "2025/08"], id="at its edges"),
        pytest.param("2024-12-15", "2025-01-15", ["2024/12", "2025/01"], id="over a year's end"),
        pytest.param("2025-08-15", None, ["2025/08", "2025/09"], id="until now"),
        pytest.param("2010-01-01", "2016-08-20", ["2016/08"], id="before there was any"),
        pytest.param(None, "2016-09-20", ["2016/08", "2016/09"], id="from the beginning"),
        pytest.param("2030-01-05", "2030-02-01", [], id="in the future"),
    ],
)
def test_the_lists_are_those_of_the_months_that_can_hold_the_range(
    since: str | None, until: str | None, expected: list[str]
) -> None:
    assert months(since, until) == expected


def test_files_are_taken_by_the_moment_in_their_names_and_other_lines_are_errors() -> None:
    inside = [line(f"202507{day:02}120000") for day in (9, 10, 14)]
    outside = [line("20250708235959"), line("20250715000000"), line("20259911000000")]
    strange = ["https://elsewhere.example/x.warc.gz", "crawl-data/../../secret.warc.gz"]
    packed = gzip.compress("\n".join([*outside, *inside, *strange, ""]).encode())
    found = list(ccnews.files("list", packed, Span(day("2025-07-10"), day("2025-07-12"))))
    assert [item for item in found if isinstance(item, str)] == inside
    assert [item.detail for item in found if isinstance(item, ArchiveError)] == strange
    assert len(list(ccnews.files("list", packed, Span()))) == 7


@pytest.mark.parametrize("packed", [b"no gzip", gzip.compress(b"x")[:-3]], ids=["not packed", "cut"])
def test_a_list_that_cannot_be_unpacked_is_an_error(packed: bytes) -> None:
    with pytest.raises(ArchiveError, match="not-a-list"):
        list(ccnews.files("list", packed, Span()))


def test_a_block_is_asked_for_as_it_is_stored() -> None:
    whole, part = ccnews.request_for(URL), ccnews.request_for(URL, 100, 50)
    assert whole.headers == (("Accept-Encoding", "identity"),)
    assert part.headers == (("Accept-Encoding", "identity"), ("Range", "bytes=100-149"))
    assert whole.kind is RequestKind.DATASET


def test_a_block_says_whether_it_is_the_last() -> None:
    assert ccnews.block_of(URL, 5, response(206, b"abc", content_range="bytes 5-7/10")) == (b"abc", False)
    assert ccnews.block_of(URL, 5, response(206, b"abc", content_range="bytes 5-7/8")) == (b"abc", True)
    assert ccnews.block_of(URL, 2, response(200, b"abcde")) == (b"cde", True)


@pytest.mark.parametrize(
    ("answer", "reason", "is_retryable"),
    [
        pytest.param(response(206, b"abc", content_range="bytes 0-2/10"), "wrong-part", False, id="another part"),
        pytest.param(response(206, b"abc"), "wrong-part", False, id="no word on the part"),
        pytest.param(response(404), "http-404", False, id="not there"),
        pytest.param(response(503), "http-503", True, id="not now"),
    ],
)
def test_what_is_no_block_is_an_error(answer: Response, reason: str, is_retryable: bool) -> None:
    with pytest.raises(ArchiveError) as caught:
        ccnews.block_of(URL, 5, answer)
    assert (caught.value.reason, caught.value.retryable) == (reason, is_retryable)
