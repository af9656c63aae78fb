"""The page behind an entry: what is asked, what counts as a page, and its text."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import FetchError, WebError
from pipeline.model import Entry, Page, RequestKind, Response
from pipeline.stages import fetch
from tests import make

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ENTRY = Entry("1", "https://example.com/1")
HTML = b"<!DOCTYPE html><html><body><p>Tanks</p></body></html>"


def answer(body: bytes = HTML, content_type: str | None = "text/html", status: int = 200, **headers: str) -> Response:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    typed = (("content-type", content_type),) if content_type else ()
    return Response("https://example.com/final", status, typed + named, body, NOW)


def error_of(response: Response) -> FetchError:
    with pytest.raises(FetchError) as error:
        fetch.read(ENTRY, response)
    return error.value


def text_of(body: bytes, content_type: str | None = None) -> str:
    return fetch.decode(Page("https://example.com/1", body, content_type, NOW))


def test_the_page_is_asked_for_under_the_entry_s_own_link() -> None:
    request = fetch.request_for(ENTRY)
    assert (request.url, request.kind) == ("https://example.com/1", RequestKind.PAGE)
    assert dict(request.headers)["Accept"].startswith("text/html")


def test_an_entry_without_a_link_has_no_page() -> None:
    with pytest.raises(FetchError, match="no-link"):
        fetch.request_for(Entry("1", None))


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(HTML, "text/html; charset=utf-8", id="HTML"),
        pytest.param(HTML, None, id="no type"),
        pytest.param(HTML, "application/octet-stream", id="wrong type"),
        pytest.param(b'<?xml version="1.0"?>\n<!-- x --><html/>', "application/xml", id="XHTML as XML"),
        pytest.param(b"<p>Tanks</p>", "text/html", id="fragment"),
        pytest.param("<p>Tanks</p>".encode("utf-16"), "text/html", id="UTF-16"),
        pytest.param("<p>Tanks roll</p>".encode("utf-16-le"), "text/html", id="UTF-16 without a mark"),
        pytest.param(b"%PDF-1.7", "text/html", id="PDF as HTML"),
        pytest.param(b"Tanks", "text/plain; charset=utf-8", id="plain text"),
    ],
)
def test_a_page_is_html_pdf_or_text_whatever_its_type_says(body: bytes, content_type: str | None) -> None:
    page = fetch.read(ENTRY, answer(body, content_type))
    assert page == Page("https://example.com/final", body, content_type, NOW)


@pytest.mark.parametrize(
    ("body", "content_type", "kind"),
    [
        pytest.param(b"no PDF", "application/pdf", "pdf", id="no PDF though it says so"),
        pytest.param(b"\x89PNG\r\n\x1a\n", "image/png", "image", id="PNG"),
        pytest.param(b"\xff\xd8\xff\xe0", None, "image", id="JPEG"),
        pytest.param(b"PK\x03\x04", "application/zip", "zip", id="zip"),
        pytest.param(b"\x1f\x8b\x08", "text/html", "zip", id="compressed twice"),
        pytest.param(b"\0\0\0\x18ftypmp42", "video/mp4", "video", id="MP4"),
        pytest.param(b"ID3\x04", "audio/mpeg", "audio", id="MP3"),
        pytest.param(b"a,b", "text/csv", "text", id="table"),
        pytest.param(b"{}", "application/json", "json", id="JSON"),
        pytest.param(b'<?xml version="1.0"?><rss/>', "text/html", "feed", id="feed"),
        pytest.param(b"<svg/>", "image/svg+xml", "image", id="by type"),
        pytest.param(b"something", "application/x-thing", "binary", id="unknown type"),
        pytest.param(b"ab\0cd\0\0\0ef", "text/html", "binary", id="NUL"),
    ],
)
def test_anything_else_is_refused_with_its_kind(body: bytes, content_type: str | None, kind: str) -> None:
    error = error_of(answer(body, content_type))
    assert (error.subject, error.reason, error.detail, error.retryable) == (ENTRY.url, "not-html", kind, False)


@pytest.mark.parametrize("body", [b"", b" \r\n\t\0"])
@pytest.mark.parametrize("status", [200, 204])
def test_an_empty_body_is_an_error(body: bytes, status: int) -> None:
    assert error_of(answer(body, status=status)).reason == "empty-page"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 522])
def test_a_temporary_status_is_retried(status: int) -> None:
    error = error_of(answer(status=status))
    assert (error.reason, error.retryable, error.retry_at) == (f"http-{status}", True, None)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 410, 451, 501])
def test_any_other_status_is_for_good(status: int) -> None:
    error = error_of(answer(status=status, retry_after="60"))
    assert (error.reason, error.retryable, error.retry_at) == (f"http-{status}", False, None)


def test_a_named_retry_is_passed_on() -> None:
    assert error_of(answer(status=429, retry_after="60")).retry_at == NOW + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("text", "encoding", "content_type", "declared"),
    [
        pytest.param("Größe", "utf-8", "text/html; charset=utf-8", None, id="declared by HTTP"),
        pytest.param("Größe", "utf-8", None, None, id="undeclared UTF-8"),
        pytest.param("Größe", "utf-8", "text/html; charset=iso-8859-1", "iso-8859-1", id="UTF-8 called Latin-1"),
        pytest.param(
            "“Größe” – 5 €", "windows-1252", "text/html; charset=ISO-8859-1", None, id="Latin-1 is windows-1252"
        ),
        pytest.param(
            "Größe der Armee", "windows-1252", "text/html; charset=utf-8", "utf-8", id="not the UTF-8 it says"
        ),
        pytest.param("Größe", "windows-1252", "text/html", "latin1", id="meta"),
        pytest.param("国防部发言人表示", "gbk", None, "gb2312", id="GB 2312 is GB 18030"),
        pytest.param("국방부 똠", "cp949", 'text/html; charset="euc-kr"', None, id="EUC-KR is code page 949"),
        pytest.param("국방부", "cp949", None, "ks_c_5601-1987", id="KS C 5601"),
        pytest.param("防衛省①", "cp932", None, "Shift_JIS", id="Shift JIS is code page 932"),
        pytest.param("防衛省", "iso2022_jp", None, "iso-2022-jp", id="ISO 2022"),
        pytest.param("國防部", "big5", None, "big5", id="Big5"),
        pytest.param("Минобороны", "koi8-r", None, "koi8-r", id="KOI8"),
        pytest.param("Минобороны", "windows-1251", "text/html; charset=x-unknown", "windows-1251", id="unknown label"),
        pytest.param("Größe", "utf-16", "text/html; charset=utf-8", None, id="a mark beats all"),
        pytest.param("Größe", "utf-8-sig", None, "iso-8859-1", id="UTF-8 with a mark"),
        pytest.param("Größe", "utf-32", None, None, id="UTF-32"),
        pytest.param("Size of the army", "utf-16-be", None, None, id="UTF-16 without a mark"),
    ],
)
def test_pages_are_read_in_their_real_charset(
    text: str, encoding: str, content_type: str | None, declared: str | None
) -> None:
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={declared}">' if declared else ""
    html = f"<html><head>{meta}</head><body>{text}</body></html>"
    assert text_of(html.encode(encoding), content_type) == html


def test_an_xml_declaration_counts() -> None:
    html = '<?xml version="1.0" encoding="windows-1251"?><html><body>Минобороны</body></html>'
    assert text_of(html.encode("windows-1251")) == html


def test_a_charset_nobody_names_is_guessed() -> None:
    html = "<p>Министерство обороны сообщило о новых поставках бронетехники в войска.</p>" * 3
    assert text_of(html.encode("windows-1251")) == html


def test_a_few_broken_bytes_do_not_unmake_utf_8() -> None:
    body = ("Größe " * 40).encode() + b"\xc3 " + "Übung".encode()
    assert text_of(body, "text/html; charset=iso-8859-1") == "Größe " * 40 + "\ufffd Übung"


STARTS = st.sampled_from(
    [b"", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b'<meta charset="big5">', b'<meta charset="utf-16">']
)


@given(
    st.binary() | st.text().map(str.encode) | st.text("a\x1b\0\x80é漢Â\x85", min_size=1).map(str.encode),
    st.none() | st.sampled_from(["text/html; charset=iso-2022-jp", "text/html; charset=utf-16"]),
    STARTS,
)
def test_the_bytes_that_are_parsed_are_the_text_read(body: bytes, content_type: str | None, start: bytes) -> None:
    page = Page("https://example.com/1", start + body, content_type, NOW)
    assert fetch.utf8(page).decode() == fetch.decode(page)


@given(st.binary(), st.none() | st.text(), STARTS)
def test_any_bytes_decode_to_clean_text(body: bytes, content_type: str | None, start: bytes) -> None:
    text = text_of(start + body, content_type)
    assert "\0" not in text
    text.encode()


@pytest.mark.parametrize(
    ("text", "read"),
    [
        pytest.param("JOHNSON’S®: one – two".encode().decode("latin-1"), "JOHNSON’S®: one – two", id="twice"),
        pytest.param("Åland, Ã© and â€", "Åland, Ã© and â€", id="no proof that it is"),
        pytest.param("façade – naïve", "façade – naïve", id="once"),
    ],
)
def test_what_was_encoded_twice_is_read_twice(text: str, read: str) -> None:
    assert fetch.decode(Page("https://example.com", text.encode(), "text/html; charset=utf-8", NOW)) == read


def test_a_page_that_its_site_does_not_give_is_asked_of_the_archive_that_has_a_copy() -> None:
    copied = make.entry(copy="https://archive.example/web/20250711id_/https://site1.example/news/1")
    request = fetch.request_for_copy(copied, FetchError(copied.id, "http-410"))
    assert request is not None
    assert (request.url, request.kind) == (copied.copy, RequestKind.PAGE)
    assert fetch.request_for_copy(make.entry(), FetchError("", "http-410")) is None


def test_what_robots_txt_forbids_to_read_is_not_read_elsewhere() -> None:
    copied = make.entry(copy="https://archive.example/web/20250711id_/https://site1.example/news/1")
    assert fetch.request_for_copy(copied, WebError(copied.id, "robots-disallowed")) is None
