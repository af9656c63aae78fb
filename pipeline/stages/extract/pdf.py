"""PDF -> Facts, text: press releases and reports as ministries publish them; bounded in pages and bytes."""

import io
import logging
import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice

from pypdf import PdfReader
from pypdf import __version__ as version
from pypdf.errors import PyPdfError

from pipeline.errors import ExtractError
from pipeline.model import Page
from pipeline.stages.extract import dates, plain
from pipeline.stages.extract.body import FOREIGN_ERRORS, line
from pipeline.stages.extract.metadata import Facts
from pipeline.stages.extract.moments import Stated

PYPDF = f"pypdf@{version}"
MOST_BYTES = 20_000_000
MOST_PAGES = 60  # of a longer report these are read
_FILE_NAME = re.compile(r"\.(?:docx?|pdf|indd|pptx?|odt|rtf)\b|^Microsoft |^untitled|^[\W\d_]*$", re.IGNORECASE)

logging.getLogger("pypdf").addHandler(logging.NullHandler())  # what it would print is our reason


def read(page: Page) -> tuple[Facts, str]:
    """What a PDF says: its title, its day, and its text.

    Raises:
        ExtractError: `too-large` over MOST_BYTES, `pdf-encrypted`, `pdf-broken`, or `pdf-without-text` (images).
    """
    if len(page.body) > MOST_BYTES:
        raise ExtractError(page.url, "too-large", detail=f"{len(page.body)} bytes")
    try:
        reader = PdfReader(io.BytesIO(page.body))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ExtractError(page.url, "pdf-encrypted")
        lines = [one for sheet in islice(reader.pages, MOST_PAGES) for one in sheet.extract_text().splitlines()]
        title = line(reader.metadata.title if reader.metadata else None)
    except (PyPdfError, RecursionError, MemoryError, *FOREIGN_ERRORS) as e:
        raise ExtractError(page.url, "pdf-broken", detail=type(e).__name__) from e
    text = plain.paragraphs(lines)
    if not text:
        raise ExtractError(page.url, "pdf-without-text")
    facts = plain.facts(page, text)
    return replace(
        facts,
        title=facts.title if not title or _FILE_NAME.search(title) else title,
        published=facts.published or _made(reader, page.fetched_at),
    ), text


def _made(reader: PdfReader, fetched_at: datetime) -> Stated | None:
    """When the file was made, where it says so."""
    with suppress(*FOREIGN_ERRORS):
        made = reader.metadata.creation_date if reader.metadata else None
        if made is not None:
            made = made if made.tzinfo else made.replace(tzinfo=UTC)
            return Stated(made) if dates.counts(made, fetched_at) else None
    return None
