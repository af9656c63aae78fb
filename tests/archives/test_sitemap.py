"""The sitemaps of a site: indexes, pages with dates; documents that are broken, or mean harm."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.archives import Found, Reached, Span, Step
from pipeline.archives.sitemap import SitemapArchive
from pipeline.errors import ArchiveError
from pipeline.model import Entry

SITE = "https://news.example"
SITEMAP = Step(f"{SITE}/sitemaps/2025.xml")
ARCHIVE = SitemapArchive()
ALL = Span()
JULY = Span(datetime(2025, 7, 1, tzinfo=UTC), datetime(2025, 8, 1, tzinfo=UTC))
SPACES = " ".join(
    (
        'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"',
        'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"',
        'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"',
        'xmlns:video="http://www.google.com/schemas/sitemap-video/1.1"',
    )
)
HOUR = "2025-07-11T12:00:00Z"


def page(path: str, more: str = "") -> str:
    return f"<url><loc>{SITE}{path}</loc>{more}</url>"


def news(**texts: str) -> str:
    return "<news:news>" + "".join(f"<news:{k}>{v}</news:{k}>" for k, v in texts.items()) + "</news:news>"


def child(path: str, lastmod: str | None = None) -> str:
    return f"<sitemap><loc>{SITE}{path}</loc>{f'<lastmod>{lastmod}</lastmod>' if lastmod else ''}</sitemap>"


def urlset(*rows: str) -> bytes:
    return f"<?xml version='1.0' encoding='UTF-8'?>\n<urlset {SPACES}>{''.join(rows)}</urlset>".encode()


def index(*rows: str) -> bytes:
    return f"<sitemapindex {SPACES}>{''.join(rows)}</sitemapindex>".encode()


def read(*blocks: bytes, span: Span = ALL) -> list[Found]:
    return list(ARCHIVE.read(SITEMAP, blocks, span))


def entry(body: bytes) -> Entry:
    (found,) = read(body)
    assert isinstance(found, Entry)
    return found


def links(found: list[Found]) -> list[str | None]:
    return [item.url and item.url.removeprefix(SITE) for item in found if not isinstance(item, Reached)]


def attempt(*blocks: bytes, archive: SitemapArchive = ARCHIVE) -> tuple[list[Found], str | None]:
    """What came, and the reason why no more did."""
    found: list[Found] = []
    try:
        found.extend(archive.read(SITEMAP, blocks, ALL))
    except ArchiveError as error:
        return found, error.reason
    return found, None


def cut(body: bytes, size: int) -> tuple[bytes, ...]:
    return tuple(body[at : at + size] for at in range(0, len(body), size))


# What is read


def test_an_index_names_further_sitemaps() -> None:
    found = read(index(child("/a.xml"), child("/b.xml.gz", HOUR)))
    assert found == [Step(f"{SITE}/a.xml"), Step(f"{SITE}/b.xml.gz")]


def test_a_page_carries_what_is_said_of_it() -> None:
    publication = "<news:publication><news:name>News</news:name><news:language>en-us</news:language></news:publication>"
    told = news(publication_date="2025-07-11T14:00:00+02:00", title="Drills &amp;\n <![CDATA[<b>more</b>]]>")
    body = urlset(page("/1?utm_source=x", f"<lastmod>{HOUR}</lastmod>{publication}{told}"))
    assert entry(body) == Entry(
        id=f"{SITE}/1",
        url=f"{SITE}/1?utm_source=x",
        title="Drills & more",
        published_at=datetime(2025, 7, 11, 12, 0, tzinfo=UTC),
        updated_at=datetime(2025, 7, 11, 12, 0, tzinfo=UTC),
        lang="en-US",
        archive="sitemap",
    )


def test_titles_and_dates_of_images_and_videos_are_not_the_page_s() -> None:
    image = "<image:image><image:loc>https://x.example/i</image:loc><image:title>An image</image:title></image:image>"
    video = "<video:video><video:title>A film</video:title><video:publication_date>2001-01-01</video:publication_date>"
    found = entry(urlset(f"<url>{image}{video}</video:video><loc>{SITE}/1</loc></url>"))
    assert (found.url, found.title, found.published_at) == (f"{SITE}/1", None, None)


@pytest.mark.parametrize(
    ("lastmod", "moment"),
    [
        pytest.param("2025-07-11", datetime(2025, 7, 11, tzinfo=UTC), id="a date is its first moment"),
        pytest.param(" 2025-07-11T12:00:00+09:00\n", datetime(2025, 7, 11, 3, tzinfo=UTC), id="another zone"),
        pytest.param("2025-07-11T12:00:00", datetime(2025, 7, 11, 12, tzinfo=UTC), id="no zone: UTC"),
        pytest.param("2025-07-11T12:00Z", datetime(2025, 7, 11, 12, tzinfo=UTC), id="no seconds"),
        pytest.param("2025-07", None, id="only a month"),
        pytest.param("2025-13-45", None, id="no such day"),
        pytest.param("yesterday", None, id="words"),
        pytest.param("", None, id="empty"),
        pytest.param("1970-01-01", None, id="the epoch"),
        pytest.param("0001-01-01T00:00:00+14:00", None, id="before all time"),
        pytest.param("9999-12-31T23:59:59-14:00", None, id="after all time"),
    ],
)
def test_a_date_is_read_or_counts_as_not_said(lastmod: str, moment: datetime | None) -> None:
    found = entry(urlset(page("/1", f"<lastmod>{lastmod}</lastmod>")))
    assert (found.published_at, found.updated_at) == (None, moment)


@pytest.mark.parametrize(
    ("row", "is_read"),
    [
        pytest.param(page("/1"), True, id="without dates"),
        pytest.param(page("/1", "<lastmod>2025-06-29</lastmod>"), False, id="unchanged since before"),
        pytest.param(page("/1", "<lastmod>2025-06-30</lastmod>"), True, id="changed on the eve: zones differ"),
        pytest.param(page("/1", "<lastmod>2025-09-01</lastmod>"), True, id="changed later: may be from within"),
        pytest.param(page("/1", news(publication_date="2025-07-11")), True, id="published within"),
        pytest.param(page("/1", news(publication_date="2025-06-29")), False, id="published before"),
        pytest.param(page("/1", news(publication_date="2025-08-01T23:00:00Z")), True, id="within a day after"),
        pytest.param(page("/1", news(publication_date="2025-08-02")), False, id="published after"),
        pytest.param(child("/a.xml"), True, id="a sitemap without a date"),
        pytest.param(child("/a.xml", "2025-06-29"), False, id="a sitemap unchanged since before"),
        pytest.param(child("/a.xml", "2025-09-01"), True, id="a sitemap changed later"),
    ],
)
def test_what_cannot_be_in_the_range_is_passed_over(row: str, is_read: bool) -> None:
    found = read(urlset(row), span=JULY)
    assert sum(not isinstance(item, Reached) for item in found) == is_read


def test_a_range_may_be_as_long_as_time() -> None:
    whole = Span(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
    assert read(urlset(page("/1", f"<lastmod>{HOUR}</lastmod>{news(publication_date=HOUR)}")), span=whole)


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("<url><loc>https://other.example/1</loc></url>", id="page of another site"),
        pytest.param("<sitemap><loc>https://other.example/s.xml</loc></sitemap>", id="sitemap of another site"),
        pytest.param("<url><loc>https://news.example.evil.example/1</loc></url>", id="a name that begins like ours"),
        pytest.param("<url><loc>file:///etc/passwd</loc></url>", id="a file"),
        pytest.param("<url><loc>javascript:alert(1)</loc></url>", id="a script"),
        pytest.param("<url><loc>https://news.example:0/</loc></url>", id="no port"),
        pytest.param(f"<url><loc>{SITE}/{'a' * 9000}</loc></url>", id="too long"),
        pytest.param(f"<url><lastmod>{HOUR}</lastmod></url>", id="page without a link"),
        pytest.param(f"<sitemap><lastmod>{HOUR}</lastmod></sitemap>", id="sitemap without a link"),
        pytest.param("<url><loc> \n</loc></url>", id="blank link"),
        pytest.param("<url/>", id="empty page"),
        pytest.param("<priority>1</priority>", id="an element of no meaning"),
        pytest.param(f"<x><url><loc>{SITE}/1</loc></url></x>", id="too deep"),
    ],
)
def test_what_is_no_page_of_the_site_is_dropped_and_the_rest_is_read(row: str) -> None:
    assert links(read(urlset(page("/before"), row, page("/after")))) == ["/before", "/after"]


def test_pages_of_the_site_s_other_hosts_count() -> None:
    assert read(urlset("<url><loc>http://blog.news.example/1</loc></url>"))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(urlset(page("/1"), page("/2")).replace(b"><url", b">\r\n<url"), id="CRLF"),
        pytest.param(urlset(page("/1"), "<!-- a --><?b c?>", page("/2")), id="comments and instructions"),
        pytest.param(
            b"<!-- made by x --><?x y?>" + urlset(page("/1"), page("/2")).split(b"\n")[1], id="comments before"
        ),
        pytest.param(urlset(page("/1", '<f:url xmlns:f="f">u</f:url>'), page("/2")), id="a foreign url inside"),
        pytest.param(urlset(page("/1"), page("/2")).replace(b"UTF-8", b"ISO-8859-1"), id="another charset"),
        pytest.param(urlset(page("/1"), page("/2")).decode().replace("UTF-8", "UTF-16").encode("utf-16"), id="UTF-16"),
        pytest.param(b"\xef\xbb\xbf" + urlset(page("/1"), page("/2")), id="byte order mark"),
        pytest.param(f"<urlset>{page('/1')}{page('/2')}</urlset>".encode(), id="no namespace"),
        pytest.param(f"<s:urlset xmlns:s='s'>{page('/1')}{page('/2')}</s:urlset>".encode(), id="another namespace"),
        pytest.param(gzip.compress(urlset(page("/1"), page("/2"))), id="gzip"),
        pytest.param(gzip.compress(urlset(page("/1"), page("/2"))) + b"\0" * 9, id="gzip with padding"),
    ],
)
def test_however_it_is_written_and_cut_the_same_is_read(body: bytes) -> None:
    assert links(read(body)) == ["/1", "/2"]
    for size in (1, 2, 3, 7, 100):
        assert attempt(b"", *cut(body, size)) == attempt(body)


ROWS = st.sampled_from(
    [page("/1"), page("/2", f"<lastmod>{HOUR}</lastmod>"), page("/3", news(title="T")), child("/s.xml"), "<!-- x -->\n"]
)
FAULTS = st.sampled_from([b"", b"<", b"&", b"</url>", b"<x></y>", b"\x00", b"&undefined;", b"\xff"])


@settings(deadline=None)  # the first page of all loads the public suffix list
@given(
    rows=st.lists(ROWS, max_size=8),
    size=st.integers(1, 80),
    end=st.integers(0, 900),
    fault=FAULTS,
    is_packed=st.booleans(),
)
def test_blocks_of_any_size_give_what_the_whole_gives(
    rows: list[str], size: int, end: int, fault: bytes, is_packed: bool
) -> None:
    body = urlset(*rows)
    if end < len(body):
        body = body[:end] + fault + body[end + 1 :]
    if is_packed:
        body = gzip.compress(body, 1)
    assert attempt(*cut(body, size)) == attempt(body)


# What cannot be read


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"", "malformed-sitemap", id="nothing"),
        pytest.param(b" \n", "malformed-sitemap", id="blank"),
        pytest.param(f"{SITE}/1\n{SITE}/2\n".encode(), "malformed-sitemap", id="plain text"),
        pytest.param(b"<!DOCTYPE html><html><body><p>404<br></body></html>", "malformed-sitemap", id="HTML"),
        pytest.param(b"<html><body><p>404</p></body></html>", "not-a-sitemap", id="XHTML"),
        pytest.param(b"<rss><channel><item><url>x</url></item></channel></rss>", "not-a-sitemap", id="a feed"),
        pytest.param(b"<!-- x --><url><loc>https://news.example/1</loc></url>", "not-a-sitemap", id="only a page"),
        pytest.param(b"\x1f\x8b", "truncated-gzip", id="gzip without anything"),
        pytest.param(b"\x1f\x8b\x08nonsense", "malformed-sitemap", id="no gzip behind its mark"),
    ],
)
def test_what_is_no_sitemap_is_an_error_that_says_so(body: bytes, reason: str) -> None:
    assert attempt(body) == ([], reason)


@pytest.mark.parametrize("size", [1, 50, 10_000])
@pytest.mark.parametrize(
    ("end", "reason"),
    [
        pytest.param("", "malformed-sitemap", id="cut off"),
        pytest.param("<x></y></urlset>", "malformed-sitemap", id="badly nested"),
        pytest.param("</urlset><more/>", "malformed-sitemap", id="something behind"),
        pytest.param("&nbsp;</urlset>", "malformed-sitemap", id="undefined entity"),
    ],
)
def test_what_came_before_an_error_counts(end: str, reason: str, size: int) -> None:
    body = urlset(page("/1"), page("/2"))[: -len("</urlset>")] + end.encode()
    found, why = attempt(*cut(body, size))
    assert (links(found), why) == (["/1", "/2"], reason)


def test_what_a_truncated_gzip_still_holds_counts() -> None:
    rows = [page(f"/{n * n * 7919}") for n in range(2000)]
    packed = gzip.compress(urlset(*rows))
    found, why = attempt(packed[: len(packed) // 2])
    assert why == "truncated-gzip"
    assert links(found)[:2] == ["/0", "/7919"]
    assert 100 < len(found) < 2000


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_arbitrary_bytes_raise_nothing_but_archive_errors(blocks: list[bytes]) -> None:
    assert attempt(*blocks)[0] == []


TOKENS = st.sampled_from(
    """
    <urlset> </urlset> <sitemapindex> </sitemapindex> <url> </url> <sitemap> </sitemap> <loc> </loc>
    <lastmod> </lastmod> https://news.example/ 2025 <!DOCTYPE <!ENTITY [ ]> > & &a; &#x9b; 'a' <![CDATA[ ]]>
    <!-- --> <?x ?> x: xmlns=' \x00 \x1f\x8b
    """.encode("latin-1").split()
)


@settings(deadline=None)
@given(st.lists(TOKENS | st.binary(max_size=3), max_size=30).map(b"".join), st.booleans())
def test_broken_sitemaps_raise_nothing_but_archive_errors(body: bytes, is_packed: bool) -> None:
    found, _ = attempt(gzip.compress(body, 1) if is_packed else body)
    assert all(links(found))


# What means harm


def with_entities(declared: str, used: str) -> bytes:
    return f"<!DOCTYPE urlset [{declared}]><urlset>{used}</urlset>".encode()


LAUGHS = '<!ENTITY l0 "ha">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize(
    "used",
    [
        pytest.param("<url><loc>https://news.example/&l11;</loc></url>", id="in a link"),
        pytest.param("<url><loc>https://news.example/</loc><title>&l11;</title></url>", id="in a title"),
        pytest.param("<url x='&l11;'><loc>https://news.example/</loc></url>", id="in an attribute"),
        pytest.param("&l11;", id="between pages"),
    ],
)
def test_a_billion_laughs_are_not_laughed(used: str) -> None:
    found, _ = attempt(with_entities(LAUGHS, used))
    assert all(len(f"{item}") < 1000 for item in found)


@pytest.mark.parametrize(
    "declared",
    [
        pytest.param('<!ENTITY secret SYSTEM "{url}">', id="external entity"),
        pytest.param('<!ENTITY % more SYSTEM "{url}"> %more;', id="parameter entity"),
        pytest.param('<!ENTITY secret PUBLIC "x" "{url}">', id="public entity"),
    ],
)
def test_no_file_is_read_because_a_sitemap_names_it(declared: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text('<!ENTITY secret "hidden">')
    body = with_entities(
        declared.format(url=secret.as_uri()),
        f"<url><loc>{SITE}/&secret;</loc></url><url><loc>{SITE}/2</loc><title>&secret;</title></url>",
    )
    found, why = attempt(body)
    assert "hidden" not in f"{found}{why}"
    assert set(links(found)) <= {"/2"}


def test_an_external_dtd_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "x.dtd").write_text('<!ENTITY secret "hidden">')
    url = (tmp_path / "x.dtd").as_uri()
    body = f'<!DOCTYPE urlset SYSTEM "{url}"><urlset>{page("/1")}<url><loc>&secret;</loc></url></urlset>'.encode()
    found, why = attempt(body)
    assert "hidden" not in f"{found}{why}"


@pytest.mark.parametrize("is_packed", [False, True], ids=["plain", "gzip bomb"])
def test_a_document_over_the_limit_is_left_where_the_limit_is(is_packed: bool) -> None:
    body = urlset(page("/1"), " " * 1_000_000, page("/2"))
    blocks = (gzip.compress(body),) if is_packed else cut(body, 100_000)
    assert len(gzip.compress(body)) < 2000
    found, why = attempt(*blocks, archive=SitemapArchive(largest=200_000))
    assert (links(found), why) == (["/1"], "too-large")
    assert links(read(*blocks)) == ["/1", "/2"]


def test_a_gzip_bomb_is_unpacked_no_further_than_the_limit() -> None:
    unpacked = 0

    def blocks() -> Iterator[bytes]:
        nonlocal unpacked
        bomb = gzip.compress(urlset(" " * 5_000_000))
        for block in cut(bomb, 500):
            unpacked += len(block)
            yield block
        raise AssertionError("read to its end")

    with pytest.raises(ArchiveError, match="too-large"):
        list(SitemapArchive(largest=1_000_000).read(SITEMAP, blocks(), ALL))
    assert unpacked <= 2000


def test_a_sitemap_over_ten_megabytes_is_read_from_one_block() -> None:
    comment = f"<!--{'x' * 60_000}-->"
    body = urlset(page("/1"), comment * 200, page("/2"))
    assert len(body) > 12_000_000
    assert links(read(body)) == ["/1", "/2"]


def test_a_sitemap_is_read_as_it_comes() -> None:
    came: list[int] = []

    def blocks() -> Iterator[bytes]:
        yield f"<urlset {SPACES}>".encode()
        for number in range(50):
            yield page(f"/{number}").encode()
            came.append(number)
        yield b"</urlset>"

    reading = ARCHIVE.read(SITEMAP, blocks(), ALL)
    next(reading)
    assert len(came) < 3
    assert len(list(reading)) == 49
