"""Kept blocks -> fewer: no line above the headline, no date below it, no heading or notice after the last paragraph.

Rules that cost nothing on pages with known text, and help where the judge has little to go by.
"""

from collections.abc import Set

from pipeline.stages.extract.blocks import TAGS, Blocks
from pipeline.stages.extract.furniture import alike, number_of, words_of

HEADLINE_WITHIN = 5  # kept blocks
ALIKE = 0.75  # how alike a headline and the title are
SHORT = 150  # characters; a longer block above the headline is text
LONGEST_DATE = 80
RIGHTS = 2  # words of rights in a notice
_FINISHED = tuple(".!?。！？।॥؟۔…")
_HEADINGS = frozenset(TAGS.index(tag) for tag in ("h1", "h2", "h3", "h4", "h5", "h6"))


def trimmed(blocks: Blocks, kept: list[int], title: str) -> list[int]:
    """The kept blocks without what is only at the edges of an article."""
    texts = blocks.texts
    kept = kept[_headline(texts, kept, words_of(title)) :]
    if kept and _is_date(texts[kept[0]]):  # one: more of them are a calendar
        kept = kept[1:]
    end = len(kept)
    while end and (blocks.tag[blocks.owner[kept[end - 1]]] in _HEADINGS or _is_notice(texts[kept[end - 1]])):
        end -= 1
    return kept[:end]


def _headline(texts: list[str], kept: list[int], title: Set[str]) -> int:
    """How many blocks there are down to the headline, itself included; 0 when text stands above it."""
    for count, at in enumerate(kept[:HEADLINE_WITHIN], 1):
        if alike(words_of(texts[at]), title) > ALIKE:
            return count
        if len(texts[at]) > SHORT or texts[at].endswith(_FINISHED):
            return 0
    return 0


def _is_date(text: str) -> bool:
    is_line = len(text) <= LONGEST_DATE and not text.endswith(_FINISHED)
    return is_line and any(c.isdigit() for c in text) and number_of("moment", words_of(text)) > 0


def _is_notice(text: str) -> bool:
    return number_of("rights", words_of(text)) >= RIGHTS
