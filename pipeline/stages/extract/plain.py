"""Plain text -> Facts, text: its paragraphs, its first line as title, the day that its beginning names."""

import re
from collections.abc import Iterator, Sequence

from pipeline.model import Page
from pipeline.stages.extract import dates
from pipeline.stages.extract.around import Line
from pipeline.stages.extract.body import fold
from pipeline.stages.extract.metadata import Facts
from pipeline.stages.fetch import decode
from pipeline.urls import canonical_url

PLAIN = "plain-text@1"
LINES_WITH_DATE = 15  # at the beginning
LONGEST_WRAPPED = 120  # characters; where lines are longer each is a paragraph
_FULL = 0.8  # of the longest line: a shorter one ends its paragraph
_HYPHENATED = re.compile(r"(?<=[^\W\d_])[-\u00ad]$")


def read(page: Page) -> tuple[Facts, str]:
    """What a page of plain text says."""
    text = paragraphs(decode(page).splitlines())
    return facts(page, text), text


def facts(page: Page, text: str) -> Facts:
    """What the beginning of a text says of it."""
    lines = text.split("\n", LINES_WITH_DATE)[:LINES_WITH_DATE]
    return Facts(
        canonical_url=canonical_url(page.url) or page.url,
        title=next((one for one in lines if " " in one and len(one) <= LONGEST_WRAPPED), None),
        published=dates.shown((Line(one) for one in lines), None, page.fetched_at).published,
    )


def paragraphs(lines: Sequence[str]) -> str:
    """Text out of lines as they are printed: a line that is clearly not full, or an empty one, ends a paragraph."""
    return fold("\n".join(_joined_up([" ".join(one.split()) for one in lines])))


def _joined_up(lines: Sequence[str]) -> Iterator[str]:
    longest = max(map(len, lines), default=0)
    full = _FULL * longest if longest <= LONGEST_WRAPPED else longest + 1
    paragraph = ""
    for one in lines:
        if _HYPHENATED.search(paragraph) and one[:1].islower():
            paragraph = paragraph[:-1] + one
        else:
            paragraph = f"{paragraph} {one}"
        if len(one) < full:
            yield paragraph
            paragraph = ""
    yield paragraph
