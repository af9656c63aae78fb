"""The memories of sites: one row each, a few kilobytes at most."""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.stages import remember
from pipeline.stages.remember import Block, Seen, SiteMemory
from pipeline.store.database import Database
from pipeline.store.tables import site_memories

_ROW = struct.Struct("<qII")  # key, articles, last


class MemoryRows:
    """The table of memories."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of(self, site: str) -> SiteMemory:
        """What is remembered of a site; nothing of one that was never seen."""
        async with self._db.read() as c:
            row = (await c.execute(select(site_memories).where(site_memories.c.site == site))).one_or_none()
        return _memory(row) if row else SiteMemory(site)


async def learn(c: AsyncConnection, db: Database, taught: Mapping[str, Sequence[Sequence[Block]]]) -> None:
    """Take in the articles of some sites, in order."""
    query = select(site_memories).where(site_memories.c.site.in_(taught)).order_by(site_memories.c.site)
    known = {row.site: _memory(row) for row in await c.execute(query.with_for_update())}
    rows = []
    for site, articles in sorted(taught.items()):
        memory = known.get(site, SiteMemory(site))
        for blocks in articles:
            memory = remember.after(memory, blocks)
        if memory != known.get(site):
            rows.append({"site": site, **_values(memory)})
    if rows:
        statement = db.insert(site_memories)
        changes = {name: statement.excluded[name] for name in ("articles", "version", "blocks")}
        await c.execute(statement.on_conflict_do_update(index_elements=["site"], set_=changes), rows)


def packed(memory: SiteMemory) -> bytes:
    """The blocks of a memory as they are stored."""
    return b"".join(_ROW.pack(key, *seen) for key, seen in memory.seen.items())


def _values(memory: SiteMemory) -> dict[str, Any]:
    return {"articles": memory.articles, "version": memory.version, "blocks": packed(memory)}


def _memory(row: Any) -> SiteMemory:
    seen = {key: Seen(articles, last) for key, articles, last in _ROW.iter_unpack(row.blocks)}
    return SiteMemory(row.site, row.articles, row.version, seen)
