"""What the articles of a result have in common: topics, countries, entities, feeds and months, with their numbers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.query import facets
from pipeline.store.tables import articles, feeds, verdicts

SHOWN = 20  # values of a facet
Numbers = tuple[tuple[str, int], ...]  # most frequent first


@dataclass(frozen=True, slots=True)
class Facets:
    """How many of the newest matches have each value."""

    articles: int  # that were looked at
    is_least: bool  # there are more
    topics: Numbers
    countries: Numbers
    entities: Numbers  # as an article spells them
    feeds: Numbers  # their titles
    months: Numbers  # 2025-07, newest first; all of them


async def count(c: AsyncConnection, is_meant: ColumnElement[bool], most: int, shown: int = SHOWN) -> Facets:
    """The facets of articles; of one more than are counted at most, the oldest is left out."""
    rows = (await c.execute(select(articles.c.id, articles.c.facets).where(is_meant))).all()
    held = sorted(((key, tokens or "") for key, tokens in rows), reverse=True)[:most]
    numbers = Counter(" ".join(tokens for _, tokens in held).split(" "))
    counted: dict[str, Counter[str]] = {name: Counter() for name in (*facets.KINDS, "months")}
    written: dict[str, str] = {}  # entities as they stand in the index
    for token, number in numbers.items():
        for name, value in facets.read(token):
            counted[name][value] = number
            if name == "entities":
                written[value] = token
    entities = counted["entities"].most_common(shown)
    names = await _spelled(c, _holders(held, {written[value] for value, _ in entities}))
    months = sorted(counted["months"].items(), reverse=True)
    titles = await _titles(c, [int(key) for key in counted["feed_ids"]])
    return Facets(
        len(held),
        len(rows) > most,
        tuple(counted["topics"].most_common(shown)),
        tuple((code.upper(), number) for code, number in counted["countries"].most_common(shown)),
        tuple((names.get(value, value), number) for value, number in entities),
        tuple((titles[int(key)], number) for key, number in counted["feed_ids"].most_common(shown)),
        tuple((f"{month[:4]}-{month[4:]}", number) for month, number in months),
    )


def _holders(held: Sequence[tuple[int, str]], wanted: set[str]) -> set[int]:
    """For each of these tokens, the newest article that has it."""
    holders: set[int] = set()
    missing = set(wanted)
    for key, tokens in held:
        if not missing:
            break
        if found := missing.intersection(tokens.split(" ")):
            holders.add(key)
            missing -= found
    return holders


async def _spelled(c: AsyncConnection, ids: set[int]) -> dict[str, str]:
    """Entities as the newest verdicts on these articles spell them, by how the index does."""
    newest = select(func.max(verdicts.c.id)).where(verdicts.c.article_id.in_(ids)).group_by(verdicts.c.article_id)
    found = (await c.execute(select(verdicts.c.entities).where(verdicts.c.id.in_(newest)))).scalars()
    return {facets.spelled(entity["name"]): entity["name"] for entities in found for entity in entities}


async def _titles(c: AsyncConnection, ids: Sequence[int]) -> dict[int, str]:
    rows = await c.execute(select(feeds.c.id, feeds.c.title).where(feeds.c.id.in_(ids)))
    return {row.id: row.title for row in rows}
