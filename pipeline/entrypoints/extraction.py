"""Pages -> the judge of blocks: `python -m pipeline.entrypoints.extraction DATA OUT`; needs the extra defnews[train].

DATA holds two folders, each with `gold.jsonl.gz`, a line for each page: `path` of the gzipped HTML beside it and `url`.
Of `pages` the text is known. Of `pages-segments` only what the text must and must not contain is known: where
trafilatura's text holds the one and not the other, it is learnt from as if it were known; other pages are left out.
"""

import gzip
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from lxml.html import HtmlElement

from pipeline.model import Page
from pipeline.stages.extract.blocks import blocks_of
from pipeline.stages.extract.body import by_trafilatura
from pipeline.stages.extract.features import features
from pipeline.stages.extract.fit import Sample, fit, sample
from pipeline.stages.extract.prose import claims_of
from pipeline.stages.fetch import utf8
from pipeline.stages.forest import Forest
from pipeline.stages.markup import parse

FOLDERS = ("pages", "pages-segments")


class GoldPage(NamedTuple):
    """A page whose text is known."""

    name: str
    url: str
    body: bytes
    text: str

    def tree(self) -> HtmlElement:
        """The page, parsed anew."""
        return parse(utf8(Page(self.url, self.body, "text/html", datetime.fromtimestamp(0, UTC))), self.url)


def gold_pages(folder: Path) -> Iterator[GoldPage]:
    """The pages of a folder, those without known text left out."""
    with gzip.open(folder / "gold.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            url = row["url"] if (row["url"] or "").startswith("http") else f"https://{row['path']}.invalid/"
            page = GoldPage(
                row["path"], url, gzip.decompress((folder / row["path"]).read_bytes()), row.get("text") or ""
            )
            if page.text:
                yield page
            elif text := _checked(page, row):
                yield page._replace(text=text)


def _checked(page: GoldPage, row: Mapping[str, Any]) -> str:
    """Trafilatura's text of a page, where it holds what it must and nothing that it must not; else nothing."""
    wanted, unwanted = row["must_contain"] or (), row["must_not_contain"] or ()
    if not wanted or not unwanted:
        return ""
    text = by_trafilatura(page.tree(), page.url)
    letters = _letters(text)
    is_right = all(_letters(one) in letters for one in wanted) and not any(_letters(one) in letters for one in unwanted)
    return text if is_right else ""


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def samples(pages: Iterable[GoldPage]) -> tuple[list[Sample | None], tuple[str, ...]]:
    """What the forest learns of each page, None of one without blocks; the names of the features."""
    found: list[Sample | None] = []
    columns: tuple[str, ...] = ()
    for page in pages:
        tree = page.tree()
        blocks = blocks_of(tree)
        if not blocks.texts:
            found.append(None)
            continue
        columns, values = features(blocks, claims_of(tree))
        found.append(sample(values, blocks.texts, page.text))
    return found, columns


def trained(data: Path) -> Forest:
    """The forest of all pages."""
    found, columns = samples(page for folder in FOLDERS for page in gold_pages(data / folder))
    return fit([one for one in found if one is not None], columns)


if __name__ == "__main__":
    trained(Path(sys.argv[1])).write(Path(sys.argv[2]))
