"""HTML tree -> text of the article: the blocks that a learned forest takes for it; trafilatura where it is unsure."""

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from lxml.html import HtmlElement
from numpy.typing import NDArray

from pipeline.stages import forest
from pipeline.stages.extract import jsonld
from pipeline.stages.extract.blocks import CELLS, Blocks, blocks_of
from pipeline.stages.extract.body import TRAFILATURA, by_trafilatura, composed, fold
from pipeline.stages.extract.edges import trimmed
from pipeline.stages.extract.features import Claims, features
from pipeline.stages.forest import Forest

BLOCKS = "blocks@1"
LEAST_LIKELY = 0.25  # probability; no block below it is the article's
UNSURE = 0.6  # doubt above which trafilatura reads the page: one page in a hundred
MOST_ELEMENTS = 10_000  # that trafilatura is given: its time grows with their square


class Found(NamedTuple):
    """A text, and who found it."""

    text: str
    extractor: str  # name@version


class Judged(NamedTuple):
    """A text, and how much the forest doubts it: 0 is certain, over 1 is guessed."""

    text: str
    doubt: float


def main_text(tree: HtmlElement, url: str, judge: Forest) -> Found:
    """The text of the article on a page; empty when there is none.

    Raises:
        ExtractError: `extractor-failed` when trafilatura is asked and stumbles over the page.
    """
    judged = by_blocks(tree, judge)
    is_sure = judged.text and judged.doubt <= UNSURE
    if is_sure or tree.xpath(f"count(//*) > {MOST_ELEMENTS}"):
        return Found(judged.text, BLOCKS)
    other = by_trafilatura(tree, url)
    return Found(other, TRAFILATURA) if other else Found(judged.text, BLOCKS)


def by_blocks(tree: HtmlElement, judge: Forest) -> Judged:
    """The text of the blocks that the forest takes for the article's."""
    blocks = blocks_of(tree)
    if not blocks.texts:
        return Judged("", 1.0)
    claims = claims_of(tree)
    likely = judge.score(features(blocks, claims)[1])
    sizes = np.array([len(text) for text in blocks.texts])
    kept = trimmed(blocks, np.flatnonzero(likely > threshold(sizes, likely)).tolist(), claims.title)
    text = _joined(blocks, kept)
    is_folded = composed(text) == text  # each block is folded already
    return Judged(text if is_folded else fold(text), doubt(sizes, likely))


def threshold(sizes: NDArray[np.int64], likely: NDArray[np.float64]) -> float:
    """The probability above which blocks are the article's: half of the F1 of its text that can be expected at best.

    Source:
        Lipton, Elkan & Naryanaswamy, "Optimal Thresholding of Classifiers to Maximize F1 Measure", ECML 2014.
    """
    order = np.argsort(-likely)
    kept, right = np.cumsum(sizes[order]), np.cumsum((sizes * likely)[order])
    return max(float((right / (kept + right[-1])).max()), LEAST_LIKELY)


def doubt(sizes: NDArray[np.int64], likely: NDArray[np.float64]) -> float:
    """The share of text that is on the wrong side, as the forest itself expects, of the text of the article."""
    return float((sizes * np.minimum(likely, 1 - likely)).sum() / max((sizes * likely).sum(), 1.0))


@cache
def shipped() -> Forest:
    """The forest in the package."""
    return forest.read(files(__package__) / "body.npz")


def claims_of(tree: HtmlElement) -> Claims:
    """What the head of a page says of its text."""
    said: dict[str, str] = {}
    for meta in tree.iter("meta"):
        said.setdefault((meta.get("property") or meta.get("name") or "").lower(), meta.get("content") or "")
    return Claims(
        title=said.get("og:title") or tree.findtext(".//title") or "",
        description=said.get("og:description") or said.get("description") or "",
        body=max(_bodies(tree), key=len, default=""),
    )


def _bodies(tree: HtmlElement) -> Iterator[str]:
    if any(script.text and '"articleBody"' in script.text for script in tree.iter("script")):
        for node in jsonld.nodes(tree):
            body = node.get("articleBody")
            if isinstance(body, str):
                yield body


def _joined(blocks: Blocks, kept: Iterable[int]) -> str:
    """The kept blocks, a line each, but the cells of a row on one line."""
    parts: list[str] = []
    row = -1
    for at in kept:
        owner = blocks.owner[at]
        before, row = row, blocks.parent[owner] if blocks.tag[owner] in CELLS else -1
        parts += (" " if row == before != -1 else "\n", blocks.texts[at])
    return "".join(parts[1:])
