"""Canonical URLs, host keys and sites."""

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.urls import LONGEST_URL, absolute_url, canonical_url, host_key, same_site, site

_PIECES = """
    http:// https:// HTTP:// // / \\ ? # & = @ : [ ] % %4 %2e %2F .. . ; + | é 日本 xn--a e.com a-1 /amp .amp ?amp=1
    utm_source=x www.google.com/amp/s/ cdn.ampproject.org/c/ ::1 127.0.0.1 0x7f :80 :443
"""
_JUMBLES = st.lists(st.sampled_from([*_PIECES.split(), " ", "\n", "\ud800"]), max_size=14).map("".join)
_URLISH = _JUMBLES | _JUMBLES.map("https://e.com".__add__)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("HTTPS://News.EXAMPLE.com/A", "https://news.example.com/A", id="case of scheme and host"),
        pytest.param("https://example.com", "https://example.com/", id="empty path"),
        pytest.param("https://example.com?a=1", "https://example.com/?a=1", id="empty path before a query"),
        pytest.param("https://example.com./a", "https://example.com/a", id="dot of the root"),
        pytest.param("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4", id="international"),
        pytest.param("https://me:secret@example.com/a", "https://example.com/a", id="userinfo"),
        pytest.param("https://example.com:443/a", "https://example.com/a", id="default port"),
        pytest.param("https://example.com:/a", "https://example.com/a", id="empty port"),
        pytest.param("https://example.com/a#part", "https://example.com/a", id="fragment"),
        pytest.param("https://example.com/a?#", "https://example.com/a", id="empty query"),
        pytest.param("https://example.com/%7euser/%c3%a9", "https://example.com/~user/%C3%A9", id="escapes"),
        pytest.param("https://example.com/100%/a b", "https://example.com/100%25/a%20b", id="bare percent and space"),
        pytest.param("https://example.com/a%2Fb", "https://example.com/a%2Fb", id="an escaped slash is no slash"),
        pytest.param("https://example.com/a/./b/../c", "https://example.com/a/c", id="dot segments"),
        pytest.param("https://example.com/a/%2e%2e/b/..", "https://example.com/", id="dot segments in disguise"),
        pytest.param("https://example.com/../.", "https://example.com/", id="dot segments above the root"),
        pytest.param("https://example.com/.well-known/a", "https://example.com/.well-known/a", id="leading dot"),
        pytest.param("  https://example.com/a\n", "https://example.com/a", id="surrounding space"),
        pytest.param("https://[2001:DB8::0:1]/a", "https://[2001:db8::1]/a", id="IPv6"),
        pytest.param("http://example.com/a", "https://example.com/a", id="http and https are one page"),
        pytest.param("http://example.com:80/a", "https://example.com/a", id="http and its default port"),
        pytest.param("http://example.com:8080/a", "http://example.com:8080/a", id="another port keeps its scheme"),
        pytest.param("http://127.0.0.1/a", "http://127.0.0.1/a", id="an address keeps its scheme"),
        pytest.param("http://localhost/a", "http://localhost/a", id="a single label keeps its scheme"),
    ],
)
def test_spellings_of_one_page_become_one(url: str, expected: str) -> None:
    assert canonical_url(url) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("https://e.com/a?utm_source=x&id=3&UTM_Medium=y", "https://e.com/a?id=3", id="campaign"),
        pytest.param("https://e.com/a?b=2&a=1&fbclid=z", "https://e.com/a?b=2&a=1", id="order is kept"),
        pytest.param("https://e.com/a?&&gclid=1&", "https://e.com/a", id="nothing is left"),
        pytest.param("https://e.com/a?id=1&amp;utm_source=x", "https://e.com/a?id=1", id="escaped twice"),
        pytest.param("https://e.com/a?ut%6D_source=x", "https://e.com/a", id="escaped name"),
        pytest.param("https://e.com/a?_hsenc=1&at_medium=RSS&ocid=2&cmpid=3&ref_src=4", "https://e.com/a", id="many"),
        pytest.param("https://e.com/?p=12&id=1&idxno=2&aid=3", "https://e.com/?p=12&id=1&idxno=2&aid=3", id="ids stay"),
        pytest.param("https://e.com/?outputType=xml", "https://e.com/?outputType=xml", id="another output stays"),
    ],
)
def test_only_what_tracks_the_reader_is_dropped(url: str, expected: str) -> None:
    assert canonical_url(url) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("https://www.google.com/amp/s/e.com/a", "https://e.com/a", id="viewer"),
        pytest.param(
            "https://www.google.co.uk/amp/e.com:8080/a?x=1&usqp=2", "http://e.com:8080/a?x=1", id="viewer http"
        ),
        pytest.param("https://e-com.cdn.ampproject.org/c/s/e.com/a-1/amp?amp", "https://e.com/a-1", id="cache"),
        pytest.param("https://cdn.ampproject.org/v/s/www.google.com/amp/s/e.com/a", "https://e.com/a", id="nested"),
        pytest.param(
            "https://www.google.com/amp/s/e_é|.com:x/a",
            "https://www.google.com/amp/s/e_%C3%A9%7C.com:x/a",
            id="no URL inside",
        ),
        pytest.param("https://e.com/2026/tank-deal/amp/", "https://e.com/2026/tank-deal/", id="folder"),
        pytest.param("https://e.com/tank-deal/amp", "https://e.com/tank-deal", id="last segment"),
        pytest.param("https://e.com/tank-deal.amp", "https://e.com/tank-deal", id="suffix"),
        pytest.param("https://e.com/tank-deal.amp.html", "https://e.com/tank-deal.html", id="inner suffix"),
        pytest.param("https://e.com/tank?amp=1&id=2", "https://e.com/tank?id=2", id="query"),
        pytest.param("https://e.com/tank?outputType=amp", "https://e.com/tank", id="output type"),
        pytest.param("https://e.com/wiki/amp", "https://e.com/wiki/amp", id="a word of its own stays"),
        pytest.param("https://e.com/amp", "https://e.com/amp", id="a section stays"),
        pytest.param("https://amp.e.com/a", "https://amp.e.com/a", id="a host stays"),
        pytest.param("https://e.com/...amp", "https://e.com/...amp", id="dots stay"),
        pytest.param("https://e.com/a.html", "https://e.com/a.html", id="a plain file stays"),
        pytest.param("https://e.com/a-1/amp/amp", "https://e.com/a-1/amp/amp", id="a doubled folder stays"),
        pytest.param("https://e.com/a-1/amp.amp", "https://e.com/a-1", id="mixed"),
    ],
)
def test_amp_forms_fold_only_where_it_is_safe(url: str, expected: str) -> None:
    assert canonical_url(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/a",
        "/a",
        "javascript:alert(1)",
        "data:text/html,x",
        "mailto:a@example.com",
        "file:///etc/passwd",
        "ftp://example.com/a",
        "https:///a",
        "https://",
        "https://exa mple.com/",
        "https://ex%61mple.com/",
        "https://a..b/",
        "https://ex\u2488ample\u0378.com/",
        "https://example.com\\@evil.example/",
        "https://example.com:99999/",
        "https://example.com:0/",
        "https://example.com:x/",
        "https://[::1/",
        "https://[1.2]/",
        "https://2130706433/",
        "https://127.1/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://example.com/a\x00b",
        "https://example.com/a\nb",
        "https://example.com/\ud800",
        "https://" + "a" * 64 + ".com/",
        "https://" + "a." * 127 + "com/",
        "https://example.com/" + "a" * LONGEST_URL,
        "https://example.com/" + "é" * 2000,
    ],
)
def test_what_is_no_web_page_has_no_canonical_url(url: str) -> None:
    assert canonical_url(url) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("b.html", "https://e.com/a/b.html", id="relative"),
        pytest.param("/b?x=1", "https://e.com/b?x=1", id="absolute path"),
        pytest.param("//other.org/b", "https://other.org/b", id="other host"),
        pytest.param("HTTP://other.org/b", "HTTP://other.org/b", id="absolute, as given"),
        pytest.param(" /b#c ", "https://e.com/b#c", id="fragment is kept"),
        pytest.param("javascript:x", None, id="script"),
        pytest.param("//[", None, id="broken host"),
        pytest.param("/a\tb", None, id="control character"),
    ],
)
def test_a_link_is_joined_and_otherwise_as_given(url: str, expected: str | None) -> None:
    assert absolute_url(url, "https://e.com/a/feed.xml") == expected


def test_a_canonical_url_takes_a_base() -> None:
    assert canonical_url("../b?utm_source=x", "http://e.com/a/c/feed.xml") == "https://e.com/a/b"


def test_a_base_with_lone_surrogates_gives_nothing() -> None:
    assert canonical_url("?b", "http://e.com/\ud800") is None


@given(st.text() | _URLISH, st.none() | _URLISH)
@example("https://cdn.ampproject.org/c/cdn.ampproject.org/c/e.com/a-/amp.amp", None)
@example("https://e.com/..%2eamp", None)
@example("https://e.com/" + "%" * 8000, None)  # these took minutes once
@example("https://e.com/" + "-/amp" * 1600, None)
@example("https://e.com/" + "-.amp" * 1600, None)
def test_canonical_urls_are_http_with_a_host_and_their_own_canonical_url(url: str, base: str | None) -> None:
    canonical = canonical_url(url, base)
    if canonical is not None:
        parts = urlsplit(canonical)
        assert parts.scheme in {"http", "https"}
        assert parts.hostname
        assert canonical.isascii()
        assert canonical_url(canonical) == canonical


@given(_URLISH)
def test_a_link_is_usable_exactly_when_it_has_a_host_key(url: str) -> None:
    if absolute_url(url) is None:
        with pytest.raises(ValueError, match=r"no http\(s\) URL"):
            host_key(url)
    else:
        host, _, port = host_key(url).rpartition(":")
        assert host
        assert 0 < int(port) < 65536


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Example.com/a", "example.com:443"),
        ("http://example.com", "example.com:80"),
        ("http://bücher.example:8080/", "xn--bcher-kva.example:8080"),
        ("http://[::1]:81/", "[::1]:81"),
    ],
)
def test_a_host_key_names_host_and_port(url: str, expected: str) -> None:
    assert host_key(url) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("https://www.news.example.co.uk/a", "example.co.uk", id="registered domain"),
        pytest.param("https://alice.github.io/", "alice.github.io", id="customer of a shared host"),
        pytest.param("https://github.io/", "github.io", id="a suffix itself"),
        pytest.param("https://news.unknowntld/", "news.unknowntld", id="unknown suffix"),
        pytest.param("http://127.0.0.1:8001/", "127.0.0.1:8001", id="address with port"),
        pytest.param("https://[::1]/", "[::1]", id="IPv6"),
        pytest.param("http://localhost/", "localhost", id="single label"),
        pytest.param("http://example.com:8080/", "example.com", id="a port does not make a site"),
    ],
)
def test_a_site_is_the_registered_domain(url: str, expected: str) -> None:
    assert site(url) == expected


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("https://www.example.com/", "http://amp.example.com/", True),
        ("https://alice.github.io/", "https://bob.github.io/", False),
        ("http://127.0.0.1:8001/", "http://127.0.0.1:8002/", False),
        ("file:///a", "file:///a", False),
    ],
)
def test_same_site_compares_registered_domains(a: str, b: str, same: bool) -> None:
    assert same_site(a, b) is same
