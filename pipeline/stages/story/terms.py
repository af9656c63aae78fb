"""Text -> terms, and how rare they are: a term that few articles have says what a report is about.

English words are cut to a stem. Those of other languages are not, and carry their language, so that reports in two
languages share no term. Languages that are written without spaces are read in pairs of neighbouring characters.
"""

import math
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.stages import words

BITS = 24  # of the hash by which a term is kept
STEP = 1 / 16  # of the rarities in the file
FEWEST, RAREST = 8, 3  # articles that have a term of the file; all others are as rare as if so many had them
FEWEST_ABROAD, RAREST_ABROAD = 3, 6.0  # the same for other languages, of which we have few texts
ENGLISH = "en"
UNSPACED = frozenset({"zh", "ja", "th", "lo", "km", "my"})
SHORTEST_STEM = 3
_ENDINGS = (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("e", ""))
_LATIN = re.compile(r"[0-9A-Za-z]")


class Term(NamedTuple):
    """A word of a text, as it is compared and as it is written."""

    key: str
    surface: str


@dataclass(frozen=True, slots=True, eq=False)
class Rarity:
    """How rare terms are: the logarithm of how many articles there are for each that has the term."""

    listed: Mapping[int, float]  # by hash
    rarest: float  # of an English term that is not listed

    def of(self, key: str) -> float:
        """How rare a term is (inverse document frequency)."""
        return self.listed.get(hashed(key), RAREST_ABROAD if ":" in key else self.rarest)

    def write(self, path: Path) -> None:
        """Keep the table in an npz file."""
        hashes = np.array(sorted(self.listed), np.uint32)
        steps = [round(self.listed[one] / STEP) for one in hashes.tolist()]
        np.savez_compressed(
            path,
            allow_pickle=False,
            gaps=np.diff(hashes, prepend=np.uint32(0)),
            steps=np.array(steps, np.uint8),
            rarest=np.array(self.rarest),
        )


def counted(texts: Iterable[tuple[str, str]]) -> Rarity:
    """The rarity of terms in texts, each with its language."""
    sizes: Counter[str] = Counter()
    having: Counter[tuple[str, str]] = Counter()
    for text, lang in texts:
        sizes[lang] += 1
        having.update({(lang, term.key) for term in terms(text, lang)})
    listed = {
        hashed(key): math.log(sizes[lang] / count)
        for (lang, key), count in having.items()
        if count >= (FEWEST if lang == ENGLISH else FEWEST_ABROAD)
    }
    return Rarity(listed, math.log(sizes[ENGLISH] / RAREST))


def read(path: Path | Traversable) -> Rarity:
    """The table that `Rarity.write` kept."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
        hashes = np.cumsum(kept["gaps"], dtype=np.uint32).tolist()
        return Rarity(dict(zip(hashes, (kept["steps"] * STEP).tolist(), strict=True)), float(kept["rarest"]))


@cache
def shipped() -> Rarity:
    """The table in the package."""
    return read(files(__package__) / "rarity.npz")


def terms(text: str, lang: str) -> list[Term]:
    """The terms of a text in their order; `lang` is ISO 639-1."""
    found = words.read(text)
    if lang == ENGLISH:
        return list(map(Term, map(stem, found.keys), found.surfaces))
    pieces = (
        piece for key, surface in zip(found.keys, found.surfaces, strict=True) for piece in _cut(key, surface, lang)
    )
    return [Term(f"{lang}:{key}", surface) for key, surface in pieces]


def _cut(key: str, surface: str, lang: str) -> Iterator[Term]:
    if lang not in UNSPACED or _LATIN.match(key):
        yield Term(key, surface)
    else:
        yield from (Term(pair, pair) for pair in map("".join, pairwise(key)))


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """An English word without its ending."""
    if len(word) > SHORTEST_STEM + 1 and word.isalpha() and word.isascii():
        for ending, instead in _ENDINGS:
            if word.endswith(ending) and len(word) - len(ending) >= SHORTEST_STEM and not word.endswith("ss"):
                return word[: -len(ending)] + instead
    return word


@lru_cache(maxsize=50_000)
def hashed(key: str) -> int:
    """The hash of a term, BITS wide."""
    return zlib.crc32(key.encode(errors="surrogatepass")) >> (32 - BITS)
