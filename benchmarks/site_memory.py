"""What the memory of a site does for the texts of the newsroom: exact texts and precision with it and without.

Each site's articles are read oldest first, as a daemon does; two of the sites put a promo into every article, as if it
were text. The peer is the same extraction without a memory. The figures are of a simulation, whose promos are of one
kind: they show that the mechanism works, not how much real sites repeat.
"""

import argparse
import json
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

from pipeline.model import Article, Entry, Page
from pipeline.newsroom import Newsroom, RoomArticle
from pipeline.newsroom.documents import document
from pipeline.stages import remember
from pipeline.stages.extract import extract
from pipeline.stages.remember import SiteMemory
from pipeline.store.memories import packed

AT = datetime(2025, 7, 12, 12, tzinfo=UTC)
EXTRA = 400  # articles beside the written ones
LOST = 0  # paragraphs of the truth that a memory may leave out
MOST_KB = 10.0  # a site
Read = tuple[RoomArticle, Article, Article]  # the truth, with a memory, without


def read(room: Newsroom) -> tuple[list[Read], list[SiteMemory]]:
    """All articles of a room, and what is remembered in the end."""
    memories: dict[str, SiteMemory] = {}
    found: list[Read] = []
    for truth in sorted(room.articles, key=lambda one: one.published_at):
        if truth.outcome == "stored" and truth.label is not None:
            place = truth.url.index("/", 8)
            served = document(room, truth.url[:place], truth.url[place:])
            page = Page(truth.url, served.body, served.type, room.at)
            plain = extract(page, Entry(truth.url, truth.url))
            memory = memories.get(truth.site, SiteMemory(truth.site))
            found.append((truth, remember.without_furniture(plain, memory), plain))
            memories[truth.site] = remember.after(memory, remember.blocks_of(plain))
    return found, list(memories.values())


def wrong(truth: RoomArticle, article: Article) -> tuple[int, int, int]:
    """How many paragraphs of a text are right, too many, missing."""
    said, meant = set(article.text.split("\n")), set(truth.paragraphs)
    return len(said & meant), len(said - meant), len(meant - said)


def figures(found: list[Read], memories: list[SiteMemory]) -> Iterator[tuple[str, float, float | None, float, bool]]:
    """Name, ours, the peer's, what it shall reach, whether it does."""
    both = [[(row[0], row[1]) for row in found], [(row[0], row[2]) for row in found]]
    exact = [sum(article.text == truth.text for truth, article in pairs) / len(found) for pairs in both]
    yield "exact texts, share", exact[0], exact[1], exact[1], exact[0] > exact[1]
    counts = [[wrong(truth, article) for truth, article in pairs] for pairs in both]
    precise = [sum(r for r, _, _ in rows) / sum(r + x for r, x, _ in rows) for rows in counts]
    yield "precision of paragraphs", precise[0], precise[1], precise[1], precise[0] > precise[1]
    lost = [sum(missing for _, _, missing in rows) for rows in counts]
    yield "paragraphs lost", lost[0], lost[1], LOST, lost[0] - lost[1] <= LOST
    most = max(len(packed(memory)) for memory in memories) / 1000
    yield "kB a site, most", most, None, MOST_KB, most <= MOST_KB


def main() -> int:
    """Measure, print the table and the JSON line; 0 only when every figure holds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="fewer articles")
    extra = EXTRA // 4 if options.parse_args().quick else EXTRA
    found, memories = read(Newsroom(seed=1, at=AT, extra=extra))
    print(f"{len(found)} articles of {len(memories)} sites\n{'':28}{'memory':>10}{'without':>10}")
    told = {}
    for name, ours, peer, reach, holds in figures(found, memories):
        print(f"{name:28}{ours:10.3f}{'' if peer is None else format(peer, '10.3f'):>10}")
        ratio = ours / peer if peer else None
        told[name] = {"ours": round(ours, 4), "peer": peer, "ratio": ratio, "reach": reach, "holds": holds}
    machine = f"{platform.machine()}, {platform.python_implementation()} {platform.python_version()}"
    print(json.dumps({"benchmark": "site_memory", "figures": told, "machine": machine}))
    return 0 if all(figure["holds"] for figure in told.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
