"""Articles of a site -> SiteMemory; Article, SiteMemory -> Article: without the blocks that its site repeats.

A block that stands in three articles of a site is furniture: a promo, a plea, a notice, "about us". What is told again
teaches nothing: an article that repeats much of an earlier one (the same report at another URL, an update, a daily
report by the same form) does not count, so that no text becomes furniture by being published thrice. A block that is a
large part of an article stays, and so does everything where little would be left.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import nlargest
from types import MappingProxyType
from typing import NamedTuple

from pipeline.model import Article

ENOUGH = 3  # articles that hold a block
SHORTEST = 25  # characters; shorter blocks, such as headings, come again without being furniture
LARGE = 0.25  # of a text
MOST_LEFT_OUT = 0.5  # of a text
UNSEEN_BLOCK, UNSEEN_FURNITURE = 30, 200  # articles without it, after which it is forgotten
MOST_BLOCKS = 600  # that are remembered of a site


class Block(NamedTuple):
    """A paragraph, as it is remembered."""

    key: int  # 64 bits of its hash, signed
    length: int  # characters


class Seen(NamedTuple):
    """How often a block was seen, and when last."""

    articles: int
    last: int  # which of the site's articles it was, counted from 1


@dataclass(frozen=True, slots=True)
class SiteMemory:
    """The blocks that were seen in articles of a site."""

    site: str
    articles: int = 0  # that were learned from
    version: int = 0  # how often what is furniture has changed
    seen: Mapping[int, Seen] = field(default_factory=lambda: MappingProxyType({}))  # by key

    @property
    def name(self) -> str:
        """What an article says that was read with it."""
        return f"{self.site}@{self.version}"

    @property
    def furniture(self) -> frozenset[int]:
        """The keys of the blocks that are furniture."""
        return frozenset(key for key, seen in self.seen.items() if seen.articles >= ENOUGH)


def blocks_of(article: Article) -> tuple[Block, ...]:
    """What an article can teach of its site: its paragraphs but the short ones, each once."""
    return tuple({_key(one): Block(_key(one), len(one)) for one in _paragraphs(article) if _counts(one)}.values())


def without_furniture(article: Article, memory: SiteMemory) -> Article:
    """The article without what its site repeats; it names the memory then."""
    furniture, most = memory.furniture, LARGE * len(article.text)
    kept = [one for one in _paragraphs(article) if not _counts(one) or len(one) > most or _key(one) not in furniture]
    text = "\n".join(kept)
    if text == article.text or len(text) < (1 - MOST_LEFT_OUT) * len(article.text):
        return article
    return replace(article, text=text, site_memory=memory.name)


def after(memory: SiteMemory, blocks: Sequence[Block]) -> SiteMemory:
    """The memory after one more article, whole; the same one when that only tells again what was told before."""
    furniture = memory.furniture
    again = sum(block.length for block in blocks if block.key in memory.seen and block.key not in furniture)
    if again > LARGE * sum(block.length for block in blocks):
        return memory
    number = memory.articles + 1
    now = {block.key: Seen(_articles(memory, block) + 1, number) for block in blocks}
    learned = replace(memory, articles=number, seen=_remembered({**memory.seen, **now}, number))
    return replace(learned, version=memory.version + (learned.furniture != furniture))


def _remembered(seen: Mapping[int, Seen], number: int) -> Mapping[int, Seen]:
    """What is not forgotten after so many articles: furniture longer than the rest."""
    recent = [(key, one) for key, one in seen.items() if number - one.last < _lasts(one)]
    return dict(nlargest(MOST_BLOCKS, recent, key=lambda item: (item[1].articles >= ENOUGH, item[1].last)))


def _lasts(seen: Seen) -> int:
    return UNSEEN_FURNITURE if seen.articles >= ENOUGH else UNSEEN_BLOCK


def _articles(memory: SiteMemory, block: Block) -> int:
    return memory.seen[block.key].articles if block.key in memory.seen else 0


def _paragraphs(article: Article) -> list[str]:
    return article.text.split("\n")


def _counts(paragraph: str) -> bool:
    return len(paragraph) >= SHORTEST


def _key(paragraph: str) -> int:
    digest = hashlib.blake2b(paragraph.encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
