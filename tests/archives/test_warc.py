"""WARC -> entries: which pages are taken, where reading goes on, and what broken files cost."""

import gzip
import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
import zstandard
from fastwarc.stream_io import BrotliWriter

from pipeline.archives import Span, warc
from pipeline.archives.warc import Sought, Source, Stretch
from pipeline.model import Page
from tests import warcs
from tests.make import AT
from tests.warcs import PAGE, record

SITE = Sought("warc", frozenset({"site1.example"}), Span(), AT)
ALL = replace(SITE, sites=None)
Packing = Callable[[Iterable[bytes]], bytes]


def one(data: bytes, start: int = 0, sought: Sought = ALL) -> Stretch:
    return warc.read(Source("a.warc", BytesIO(data)), start, sought)


def stretches(data: bytes, sought: Sought = ALL) -> list[Stretch]:
    """All of them, from the beginning to the end."""
    found = [one(data, 0, sought)]
    while (at := found[-1].next) is not None:
        assert len(found) < 100
        found.append(one(data, at, sought))
    return found


def urls(found: Iterable[Stretch]) -> list[str]:
    return [entry.url or "" for stretch in found for entry in stretch.entries]


def pages(count: int) -> list[bytes]:
    return [record(f"https://site1.example/news/{n}") for n in range(count)]


def numbered(*numbers: int) -> list[str]:
    return [f"https://site1.example/news/{n}" for n in numbers]


@pytest.mark.parametrize("packed", warcs.PACKINGS, ids=lambda packed: packed.__name__)
def test_a_page_comes_with_its_bytes_its_date_and_its_place(packed: Packing) -> None:
    info = record(body=b"software: none", kind="warcinfo")
    found = one(packed([info, record(http="Content-Type: text/html; charset=utf-8")]), sought=SITE)
    (entry,) = found.entries
    assert entry.held == Page("https://site1.example/news/1", PAGE, "text/html; charset=utf-8", AT)
    assert (entry.published_at, entry.archive) == (AT, "warc")
    assert entry.place == f"a.warc, byte {len(packed([info]))}"
    assert (found.next, found.error, dict(found.counts)) == (None, None, {"records": 1})


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        pytest.param(record("https://other.example/1"), "other-site", id="another site"),
        pytest.param(record("urn:nothing"), "other-site", id="no web address"),
        pytest.param(record(status="404 Not Found"), "http-404", id="not there"),
        pytest.param(record(status="206 Partial Content"), "http-206", id="a part"),
        pytest.param(record(http="Content-Type: image/png", body=b"\x89PNG\r\n\x1a\n"), "not-html", id="no page"),
        pytest.param(record(body=b""), "empty-page", id="empty"),
        pytest.param(record(more="WARC-Truncated: length\r\n"), "cut-by-crawler", id="cut by the crawler"),
        pytest.param(record(body=b" " * 5_100_000), "too-large", id="large"),
        pytest.param(
            record(body=gzip.compress(b" " * 5_100_000), http="Content-Encoding: gzip"), "too-large", id="bomb"
        ),
        pytest.param(record(at="yesterday"), "no-date", id="no date"),
        pytest.param(record(at=AT + timedelta(days=9)), "future-date", id="a clock that is wrong"),
        pytest.param(record(at=AT - timedelta(days=9)), "before-range", id="crawled before the range"),
        pytest.param(record(http="X: " + "x" * 100_000), "bad-http", id="a long header"),
        pytest.param(record(status="none"), "bad-http", id="no status"),
        pytest.param(record("https://site1.example/" + "\x01"), "bad-url", id="no canonical URL"),
    ],
)
def test_what_is_no_page_that_is_wanted_is_passed_over_and_counted(item: bytes, reason: str) -> None:
    within = replace(SITE, span=Span(since=AT - timedelta(days=1)))
    found = one(warcs.gzipped([item, record("https://site1.example/last")]), sought=within)
    assert urls([found]) == ["https://site1.example/last"]
    assert dict(found.counts) == {"records": 2, reason: 1}
    assert found.error is None


def brotli(body: bytes) -> bytes:
    packed = BytesIO()
    with BrotliWriter(packed) as writer:
        writer.write(body)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("http", "body"),
    [
        pytest.param("Content-Encoding: gzip", gzip.compress(PAGE), id="gzip"),
        pytest.param("Content-Encoding: deflate", zlib.compress(PAGE), id="deflate"),
        pytest.param("Content-Encoding: br", brotli(PAGE), id="brotli"),
        pytest.param("Content-Encoding: zstd", zstandard.compress(PAGE), id="zstd"),
        pytest.param("Content-Encoding: gzip", PAGE, id="undone by the crawler"),
        pytest.param("Content-Encoding: rot13", PAGE, id="unknown"),
        pytest.param("Transfer-Encoding: chunked", b"%x\r\n%s\r\n0\r\n\r\n" % (len(PAGE), PAGE), id="chunked"),
        pytest.param("Transfer-Encoding: chunked", PAGE, id="chunked, undone by the crawler"),
    ],
)
def test_a_body_is_decoded(http: str, body: bytes) -> None:
    (entry,) = one(record(body=body, http=http)).entries
    assert isinstance(entry.held, Page)
    assert entry.held.body == PAGE


PACKED_ANYHOW = (*warcs.PACKINGS, warcs.with_dictionary, lambda records: warcs.with_dictionary(records, is_packed=True))
ANYHOW_IDS = ("plain", "gzip", "zstd", "zstd with a dictionary", "zstd with a packed dictionary")


@pytest.mark.parametrize("packed", PACKED_ANYHOW, ids=ANYHOW_IDS)
def test_reading_goes_on_where_a_stretch_ended(packed: Packing) -> None:
    body = PAGE + b" " * (warc.MOST_HELD // 4)
    records = [record(f"https://site1.example/news/{n}", body) for n in range(10)]
    found = stretches(packed(records))
    assert len(found) == 3
    assert urls(found) == numbered(*range(10))
    assert len({entry.place for stretch in found for entry in stretch.entries}) == 10


def test_a_stretch_ends_also_where_nothing_was_wanted() -> None:
    filler = [record(f"https://other.example/{n}", b" " * (warc.STRETCH // 3)) for n in range(5)]
    first, second = stretches(warcs.plain([*filler, *pages(1)]), SITE)
    assert (first.entries, first.counts["other-site"]) == ((), 3)
    assert urls([second]) == numbered(0)


def test_a_file_that_is_one_gzip_member_is_read_as_far_as_one_stretch() -> None:
    assert urls(stretches(gzip.compress(warcs.plain(pages(9))))) == numbered(*range(9))
    body = PAGE + b" " * (warc.MOST_HELD // 4)
    large = [record(f"https://site1.example/news/{n}", body) for n in range(10)]
    (found,) = stretches(gzip.compress(warcs.plain(large), 1))
    assert found.error
    assert found.error.reason == "one-gzip-member"
    assert urls([found]) == numbered(0, 1, 2, 3)


@pytest.mark.parametrize("packed", warcs.PACKINGS, ids=lambda packed: packed.__name__)
@pytest.mark.parametrize("missing", [1, 0.5, 0.02], ids=["a byte", "half", "nearly all"])
@pytest.mark.parametrize("sought", [ALL, replace(ALL, sites=frozenset())], ids=["wanted", "not wanted"])
def test_a_file_whose_last_record_was_cut_says_so_and_keeps_the_others(
    packed: Packing, missing: float, sought: Sought
) -> None:
    whole, last = packed(pages(5)), packed([record("https://site1.example/last", PAGE * 50)])
    cut = 5 if missing == 1 else int(len(last) * missing)  # the last four bytes of a plain record are only its end
    found = stretches(whole + last[: len(last) - cut] if missing != 0.02 else whole + last[:12], sought)
    assert [stretch.error.reason for stretch in found if stretch.error] != []
    if sought is ALL:
        assert urls(found)[:5] == numbered(*range(5))
        assert missing == 1 or "https://site1.example/last" not in urls(found)


@pytest.mark.parametrize("packed", warcs.PACKINGS, ids=lambda packed: packed.__name__)
@pytest.mark.parametrize("length", [50, 10_000_000, -5], ids=["short", "long", "negative"])
def test_a_record_with_a_lying_length_costs_nothing_but_itself(packed: Packing, length: int) -> None:
    lying = record("https://site1.example/lie", PAGE * 20, length=length)
    found = stretches(packed([*pages(2), lying, *pages(4)[2:]]))
    assert set(numbered(0, 1, 2, 3)) <= set(urls(found))
    assert any(stretch.error for stretch in found) or length == 50


def test_what_is_damaged_in_the_middle_costs_one_record() -> None:
    records = [warcs.gzipped([item]) for item in pages(5)]
    records[2] = records[2][:40] + b"\xff\xff\xff" + records[2][43:]
    assert urls(stretches(b"".join(records))) == numbered(0, 1, 3, 4)
    assert urls(stretches(b"".join([records[0], b"garbage" * 500_000, *records[3:]]))) == numbered(0, 3, 4)


def test_a_line_of_ten_megabytes_is_no_header() -> None:
    long = record("https://site1.example/" + "x" * 10_000_000)
    found = stretches(warcs.gzipped([*pages(1), long, *pages(3)[1:]]))
    assert urls(found) == numbered(0, 1, 2)
    assert {stretch.error.reason for stretch in found if stretch.error} == {"broken-warc"}


def test_what_is_no_warc_says_so_and_an_empty_file_is_one_without_records() -> None:
    (found,) = stretches(b"hello world " * 1_000)
    assert found.error
    assert found.error.reason == "broken-warc"
    assert one(b"") == Stretch((), {}, None)


def test_a_bomb_of_a_record_is_passed_over() -> None:
    bomb = gzip.compress(record("https://site1.example/bomb", bytes(200_000_000)), 1)
    found = stretches(bomb + warcs.gzipped(pages(1)))
    assert urls(found) == numbered(0)
    assert sum(stretch.counts["too-large"] for stretch in found) == 1


def test_blocks_of_a_file_give_what_the_whole_file_gives() -> None:
    info = record(body=b"software: none", kind="warcinfo")
    filler = [record(f"https://other.example/{n}", PAGE * n) for n in range(1, 20)]
    data = warcs.gzipped([info, *filler, *pages(20), info])
    for size in (3_000, 5_000, 100_000):
        found: list[Stretch] = []
        at: int | None = 0
        while at is not None:
            is_last = at + size >= len(data)
            block = Source("a.warc", BytesIO(data[at : at + size]), at, is_last)
            found.append(warc.read(block, 0, SITE))
            at = found[-1].next
        assert [entry for stretch in found for entry in stretch.entries] == list(one(data, sought=SITE).entries)
        assert sum(stretch.counts["records"] for stretch in found) == 39
        assert all(stretch.error is None for stretch in found)


def test_a_record_larger_than_a_block_is_passed_over_with_an_error() -> None:
    large = record("https://site1.example/large", bytes(3_000))
    first = warc.read(Source("a.warc", BytesIO(large[:2_000]), 0, is_last=False), 0, ALL)
    assert first.error
    assert (first.error.reason, first.next, first.entries) == ("record-too-large", 2_000, ())


@pytest.mark.parametrize("sought", [ALL, replace(ALL, sites=frozenset())], ids=["wanted", "not wanted"])
def test_a_wrong_checksum_of_the_last_record_is_an_error(sought: Sought) -> None:
    whole = warcs.gzipped(pages(3))
    found = stretches(whole[:-8] + bytes(4) + whole[-4:], sought)
    assert all(stretch.error for stretch in found)
    assert urls(found) == (numbered(0, 1) if sought is ALL else [])
