"""PDF and plain text -> articles: paragraphs, title, day; and why there is none."""

import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from pipeline.errors import ExtractError
from pipeline.model import DateOrigin, Entry, Page
from pipeline.stages.extract import extract, pdf, plain

URL = "https://www.example.com/release.pdf"
SEEN = datetime(2025, 7, 11, 12, tzinfo=UTC)
RELEASE = (
    "Second frigate delivered to the navy",
    "Oslo, 10 July 2025",
    "The navy took delivery of the second frigate of its class in the northern port",
    "on Friday. The ship will be based in the north and sail with the allied squad-",
    "ron in the autumn.",
    "The minister called it a milestone for the defence of the northern waters.",
)
TEXT = "\n".join(
    (
        *RELEASE[:2],
        "The navy took delivery of the second frigate of its class in the northern port on Friday. The ship will be"
        " based in the north and sail with the allied squadron in the autumn.",
        RELEASE[-1],
    )
)


def pdf_of(*sheets: tuple[str, ...]) -> bytes:
    """A PDF with these lines on its pages."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(sheets)))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(sheets)}>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for number, lines in enumerate(sheets):
        shown = " ".join(f"({one}) Tj 0 -14 Td" for one in lines)
        stream = f"BT /F1 12 Tf 50 780 Td {shown} ET"
        objects.append(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>"
            f"/Contents {5 + 2 * number} 0 R>>"
        )
        objects.append(f"<</Length {len(stream)}>>stream\n{stream}\nendstream")
    listed = "".join(f"{number} 0 obj{body}endobj\n" for number, body in enumerate(objects, 1))
    raw = f"%PDF-1.4\n{listed}trailer<</Root 1 0 R/Size {len(objects) + 1}>>\nstartxref\n0\n%%EOF\n".encode()
    return rewritten(raw)


def rewritten(raw: bytes, password: str = "", **info: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(raw)))
    writer.add_metadata({f"/{name}": value for name, value in info.items()})
    if password:
        writer.encrypt(user_password="", owner_password=password) if password == "owner" else writer.encrypt(password)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def page(body: bytes, content_type: str = "application/pdf") -> Page:
    return Page(URL, body, content_type, SEEN)


def test_a_press_release_becomes_an_article() -> None:
    article = extract(page(pdf_of(RELEASE)), Entry("1", URL))
    assert (article.title, article.text) == (RELEASE[0], TEXT.partition("\n")[2])
    assert (article.published_at, article.published_from) == (datetime(2025, 7, 10, tzinfo=UTC), DateOrigin.PAGE)
    assert (article.extractor, article.lang) == (pdf.PYPDF, "en")


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Delivery of a frigate", "Delivery of a frigate"),
        ("Microsoft Word - release.docx", RELEASE[0]),
        ("", RELEASE[0]),
    ],
)
def test_the_title_is_the_files_unless_that_is_a_file_name(title: str, shown: str) -> None:
    told, _ = pdf.read(page(rewritten(pdf_of(RELEASE), Title=title)))
    assert told.title == shown


@pytest.mark.parametrize(
    ("made", "published"),
    [
        ("D:20250709083000+02'00'", "2025-07-09T06:30:00Z"),
        ("D:20250709083000", "2025-07-09T08:30:00Z"),
        ("D:20350709083000Z", None),
        ("yesterday", None),
    ],
)
def test_a_release_without_a_date_is_of_the_day_that_its_file_was_made(made: str, published: str | None) -> None:
    told, _ = pdf.read(page(rewritten(pdf_of(RELEASE[2:]), CreationDate=made)))
    assert (told.published and told.published.at) == (published and datetime.fromisoformat(published))


def test_only_so_many_pages_are_read() -> None:
    _, text = pdf.read(page(pdf_of(*((f"This is page number {number}.",) for number in range(pdf.MOST_PAGES + 5)))))
    assert text.count("page number") == pdf.MOST_PAGES


def test_a_file_that_only_its_owner_may_change_is_read() -> None:
    told, _ = pdf.read(page(rewritten(pdf_of(RELEASE), "owner")))
    assert told.title == RELEASE[0]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(pdf_of(()), "pdf-without-text", id="images alone"),
        pytest.param(rewritten(pdf_of(RELEASE), "secret"), "pdf-encrypted", id="encrypted"),
        pytest.param(b"%PDF-1.7", "pdf-broken", id="nothing but a head"),
        pytest.param(pdf_of(RELEASE)[:300], "pdf-broken", id="truncated"),
        pytest.param(b"%PDF-" + bytes(pdf.MOST_BYTES), "too-large", id="too large"),
    ],
)
def test_a_file_without_an_article_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(ExtractError) as caught:
        extract(page(body), Entry("1", URL))
    assert caught.value.reason == reason


def reason_of(body: bytes) -> str | None:
    try:
        pdf.read(page(body))
    except ExtractError as error:
        return error.reason
    return None


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(rest: bytes) -> None:
    assert reason_of(b"%PDF-1.4\n" + rest) in {None, "pdf-broken", "pdf-encrypted", "pdf-without-text"}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_plain_text_becomes_an_article(end: str) -> None:
    article = extract(page(end.join(RELEASE).encode(), "text/plain"), Entry("1", URL))
    assert (article.title, article.text, article.extractor) == (RELEASE[0], TEXT.partition("\n")[2], plain.PLAIN)
    assert article.published_at == datetime(2025, 7, 10, tzinfo=UTC)


def test_lines_that_nobody_wrapped_are_paragraphs() -> None:
    lines = ["word " * 40, "word " * 39, "", "short"]
    assert plain.paragraphs(lines).split("\n") == [one.strip() for one in lines if one]


def test_no_text_has_no_paragraphs() -> None:
    assert plain.paragraphs([]) == ""


def test_html_that_calls_itself_plain_text_is_html() -> None:
    body = f"<!doctype html><title>Frigate</title><article>{''.join(f'<p>{one}</p>' for one in RELEASE * 2)}</article>"
    assert extract(page(body.encode(), "text/plain"), Entry("1", URL)).title == "Frigate"
