"""Feeds of every format as values: which bytes are a feed, and that no bytes do harm."""

import gzip
import os
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ParseError
from pipeline.model import ParsedFeed
from pipeline.stages.parse import LARGEST_UNPACKED, parse

URL = "https://example.com/news/feed.xml"
ITEM = "<item><title>Tanks</title><link>https://example.com/1</link><guid>1</guid></item>"
LAUGHS = '<!ENTITY a0 "ha">' + "".join(f'\n<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
_PIECES = """
    <?xml <rss <channel> <item> </item> <feed <entry> <title> </title> <link <guid> <content <![CDATA[ ]]> <!-- -->
    <!DOCTYPE <!ENTITY & &# &#x; &#55296; &amp; ; " ' = > / xmlns="http://www.w3.org/2005/Atom" { } [ ] : ,
    "version" "https://jsonfeed.org/version/1" "items" null 1e999
"""


def rss(items: str = ITEM, *, doctype: str = "", declaration: str = '<?xml version="1.0"?>') -> bytes:
    return f'{declaration}{doctype}<rss version="2.0"><channel><title>News</title>{items}</channel></rss>'.encode()


def reason_of(body: bytes) -> str:
    with pytest.raises(ParseError) as error:
        parse(body, URL)
    assert error.value.subject == URL
    assert not error.value.retryable
    return error.value.reason


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(rss(), "rss20", id="RSS 2.0"),
        pytest.param(rss().replace(b"2.0", b"0.91"), "rss091", id="RSS 0.91"),
        pytest.param(rss().replace(b' version="2.0"', b""), "rss", id="RSS of no version"),
        pytest.param(rss(doctype="<!DOCTYPE html>"), "rss20", id="a wrong DOCTYPE"),
        pytest.param(b"\xef\xbb\xbf \n" + rss(), "rss20", id="byte-order mark and space"),
        pytest.param(b"<!-- cached -->\n" + rss(), "rss20", id="comment before the declaration"),
        pytest.param(b"Warning: line 3\n" + rss(), "rss20", id="junk before the declaration"),
        pytest.param(b"<br/><b>Warning</b>" + rss(declaration=""), "rss20", id="markup before the root"),
        pytest.param(b'<feed xmlns="http://www.w3.org/2005/Atom"><title/></feed>', "atom10", id="Atom"),
        pytest.param(
            b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"/>',
            "rdf",
            id="RDF",
        ),
        pytest.param(b"<channel><item><guid>1</guid></item></channel>", "unknown", id="entries under no known root"),
        pytest.param(b'{"version": "https://jsonfeed.org/version/1"}', "json10", id="JSON Feed 1.0"),
        pytest.param(b'\n {"version": "https://jsonfeed.org/version/1.1"}', "json11", id="JSON Feed 1.1"),
    ],
)
def test_a_feed_is_known_by_its_body(body: bytes, expected: str) -> None:
    assert parse(body, URL, "text/plain").format == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b"\xef\xbb\xbf \r\n\0", "empty", id="blank"),
        pytest.param(b"<!DOCTYPE html><html><body>Log in</body></html>", "html", id="page"),
        pytest.param(b"<!-- x --><HTML><rss-reader/></HTML>", "html", id="page after a comment"),
        pytest.param(b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>', "html", id="XHTML"),
        pytest.param(b"<!doctype html><p>How to write <rss>", "html", id="page about feeds"),
        pytest.param(b"not found", "not-a-feed", id="text"),
        pytest.param(b"/etc/passwd", "not-a-feed", id="file name"),
        pytest.param(b"https://example.com/feed", "not-a-feed", id="URL"),
        pytest.param(b"[1, 2]", "not-a-feed", id="array"),
        pytest.param(b"\x1f\x8b\x08\x00\x00", "bad-gzip", id="gzip that ends early"),
        pytest.param(b"\x1f\x8b\x00" + bytes(20), "bad-gzip", id="what only begins like gzip"),
        pytest.param(gzip.compress(gzip.compress(rss(ITEM))), "not-a-feed", id="compressed thrice"),
        pytest.param(gzip.compress(bytes(LARGEST_UNPACKED + 1)), "too-large", id="bomb"),
        pytest.param(b"<urlset><url/></urlset>", "not-a-feed", id="other XML"),
        pytest.param(b"<rss><channel><title>News", "malformed-xml", id="cut off before any entry"),
        pytest.param(b"<rss><channel>" + b"<a", "malformed-xml", id="cut off in a tag"),
        pytest.param(rss("<item><guid>1</guid>")[:-10], "malformed-xml", id="cut off in the first entry"),
        pytest.param(rss("</width>" + ITEM), "malformed-xml", id="what feedparser stumbles over"),
        pytest.param(b'{"version": ', "bad-json", id="cut off JSON"),
        pytest.param(b'{"a":' * 100_000, "bad-json", id="deep JSON"),
        pytest.param(b'{"error": "not found"}', "not-a-feed", id="other JSON"),
        pytest.param(b'{"version": 2}', "not-a-feed", id="other version"),
    ],
)
def test_what_is_no_feed_is_an_error_with_its_reason(body: bytes, expected: str) -> None:
    assert reason_of(body) == expected


def test_a_feed_that_is_gzip_without_saying_so_is_read() -> None:
    assert parse(gzip.compress(rss(ITEM)), URL) == parse(rss(ITEM), URL)


def test_a_feed_without_entries_is_no_error() -> None:
    assert parse(rss(""), URL) == ParsedFeed(title="News", url=None, format="rss20", entries=())


def test_an_entry_cut_off_is_left_out_and_the_complete_ones_stay() -> None:
    whole = rss(ITEM + ITEM.replace("1<", "2<") + ITEM.replace("1<", "3<"))
    cut = whole[: whole.rindex(b"</link>") - 2]
    assert [entry.id for entry in parse(cut, URL).entries] == ["1", "2"]


def test_a_broken_feed_keeps_entries_that_are_closed() -> None:
    broken = rss(ITEM + "<item><guid>2</guid><title>Guns & Roses</title></item>")
    assert [(entry.id, entry.title) for entry in parse(broken, URL).entries] == [("1", "Tanks"), ("2", "Guns & Roses")]


@pytest.mark.parametrize(
    ("encoding", "declared", "content_type"),
    [
        ("utf-8", "", None),
        ("utf-8", "iso-8859-1", "text/xml; charset=iso-8859-1"),
        ("windows-1251", "windows-1251", None),
        ("windows-1251", "", "application/rss+xml; charset=windows-1251"),
        ("windows-1251", "windows-1251", "text/xml"),
        ("utf-16", "utf-16", None),
        ("koi8-r", "KOI8-R", None),
    ],
)
def test_titles_are_read_in_their_real_charset(encoding: str, declared: str, content_type: str | None) -> None:
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    body = f"{declaration}<rss><channel><title>Министерство обороны</title></channel></rss>".encode(encoding)
    assert parse(body, URL, content_type).title == "Министерство обороны"


@pytest.mark.parametrize(
    "doctype",
    [
        pytest.param(f"<!DOCTYPE r [{LAUGHS}]>", id="on the line of the declaration"),
        pytest.param(f"\n<!DOCTYPE r [\n{LAUGHS}\n]>\n", id="on lines of their own"),
        pytest.param(f"<!-- <a --><!DOCTYPE r [{LAUGHS}]>", id="behind a comment"),
        pytest.param("<!DOCTYPE r [<!ENTITY % p \"<!ENTITY a9 'ha'>\">%p;]>", id="parameter"),
        pytest.param(f"<!DOCTYPE r [<!ENTITY a9 '{'x' * 100_000}'>]>", id="long and used often"),
        pytest.param("<!DOCTYPE r [" + "".join(f'<!ENTITY b{n} "x">' for n in range(501)) + "]>", id="many"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_entity_bomb_is_refused_before_it_expands(doctype: str, encoding: str) -> None:
    items = f"<item><guid>1</guid><title>{'&a9;' * 20}</title></item>"
    body = rss(items, doctype=doctype).decode().encode(encoding)
    started = time.process_time()
    assert reason_of(body) == "entity-bomb"
    assert time.process_time() - started < 2


def test_entities_that_stand_for_a_short_text_are_read() -> None:
    body = rss(
        "<item><guid>1</guid><title>&corp; &eacute;</title></item>",
        doctype='\n<!DOCTYPE r [\n<!ENTITY corp "ACME">\n]>\n',
    )
    assert parse(body, URL).entries[0].title == "ACME é"


@pytest.mark.parametrize("declaration", ['<!ENTITY x SYSTEM "file://{}">', '<!ENTITY % x SYSTEM "file://{}"> %x;'])
@pytest.mark.parametrize("newline", ["", "\n"])
def test_external_entities_are_never_read(tmp_path: Path, declaration: str, newline: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cr3t")
    doctype = f"{newline}<!DOCTYPE r [{newline}{declaration.format(secret)}{newline}]>"
    body = rss("<item><guid>1</guid><title>[&x;]</title><description>&x;</description></item>", doctype=doctype)
    assert "s3cr3t" not in repr(parse(body, URL))


def test_characters_that_xml_forbids_cost_no_entry() -> None:
    body = rss("<item><guid>1</guid><title>a\x0bb&#0;c&#xD800;d&#x110000;e&#99999999999;f&#0065;&#x41;</title></item>")
    assert parse(body, URL).entries[0].title == "abcdefAA"


@given(st.binary() | st.lists(st.sampled_from(_PIECES.split()) | st.text(max_size=3)).map(" ".join).map(str.encode))
def test_no_body_raises_anything_but_a_parse_error(body: bytes) -> None:
    try:
        entries = parse(body, URL).entries
    except ParseError:
        return
    assert all(entry.id for entry in entries)


@pytest.mark.skipif("DEFNEWS_DEV_DATA" not in os.environ, reason="needs the development data")
def test_real_feeds_are_read_or_refused_with_a_reason() -> None:
    reasons: Counter[str] = Counter()
    for path in sorted(Path(os.environ["DEFNEWS_DEV_DATA"], "feeds").glob("*.gz")):
        body = gzip.decompress(path.read_bytes())
        try:
            parsed = parse(body, URL)
        except ParseError as error:
            reasons[error.reason] += 1
            continue
        ids = [entry.id for entry in parsed.entries]
        assert len(ids) == len(set(ids)), path.name
        reasons["read"] += 1
    assert reasons["read"] >= 0.98 * reasons.total(), reasons
