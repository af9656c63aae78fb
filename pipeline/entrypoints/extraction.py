"""Gold pages -> the judge of blocks: `python -m pipeline.entrypoints.extraction PAGES OUT`; needs defnews[train].

PAGES is a folder with `gold.jsonl.gz`, a line for each page: `path` of the gzipped HTML beside it, `url`, `text`.
"""

import gzip
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from lxml.html import HtmlElement

from pipeline.model import Page
from pipeline.stages.extract.blocks import blocks_of
from pipeline.stages.extract.body import parse
from pipeline.stages.extract.features import features
from pipeline.stages.extract.fit import Sample, fit, sample
from pipeline.stages.extract.forest import Forest
from pipeline.stages.extract.prose import claims_of
from pipeline.stages.fetch import decode


class GoldPage(NamedTuple):
    """A page whose text is known."""

    name: str
    url: str
    body: bytes
    text: str

    def tree(self) -> HtmlElement:
        """The page, parsed anew."""
        return parse(decode(Page(self.url, self.body, "text/html", datetime.fromtimestamp(0, UTC))), self.url)


def gold_pages(folder: Path) -> Iterator[GoldPage]:
    """The pages of a folder, those without known text left out."""
    with gzip.open(folder / "gold.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row["text"]:
                url = row["url"] or f"https://{row['path']}.invalid/"
                yield GoldPage(row["path"], url, gzip.decompress((folder / row["path"]).read_bytes()), row["text"])


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


def trained(folder: Path) -> Forest:
    """The forest of all pages of a folder."""
    found, columns = samples(gold_pages(folder))
    return fit([one for one in found if one is not None], columns)


if __name__ == "__main__":
    trained(Path(sys.argv[1])).write(Path(sys.argv[2]))
