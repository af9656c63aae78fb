"""A whole database into another one, SQLite or PostgreSQL: streamed, all or nothing, compared before it is kept."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, TableClause, exists, insert, select
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table
from sqlalchemy import text as sql_text
from sqlalchemy.exc import DataError
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.errors import CommandError
from pipeline.store import push_tables, saved_tables, schema, search_index, story_tables  # noqa: F401 - all tables are copied
from pipeline.store.database import Database, redacted
from pipeline.store.tables import metadata, texts
from pipeline.store.types import Packed

ROWS = 500  # at once
TABLES = metadata.sorted_tables  # what is referred to comes first
_SUM = 1 << 128


async def copy(source_url: str, target_url: str) -> Mapping[str, int]:
    """Copy everything; a copy that fails leaves no row behind, and can be started again.

    Returns:
        The rows of each table.

    Raises:
        CommandError: the target holds rows already, or what came to it is not what the source holds.
        StoreError: one of the two cannot be used.
    """
    await asyncio.to_thread(schema.require, source_url)
    await asyncio.to_thread(schema.require, target_url)
    source, target = Database(source_url), Database(target_url)
    try:
        async with source.read() as here, target.write() as there:
            await _require_empty(there, target_url)
            counts = {}
            for table in TABLES:
                counts[table.name] = await _copy_table(here, there, _plain(table))
            await _index(there)
            if not target.is_sqlite:
                await _set_sequences(there)
        return counts
    finally:
        await source.close()
        await target.close()


def _plain(table: Any) -> TableClause:
    """A table whose packed texts stay packed."""
    kinds = {c.name: LargeBinary() if isinstance(c.type, Packed) else c.type for c in table.columns}
    return sql_table(table.name, *(sql_column(name, kind) for name, kind in kinds.items()))


async def _require_empty(there: AsyncConnection, url: str) -> None:
    for table in TABLES:
        if (await there.execute(select(exists(select(table))))).scalar():
            raise CommandError(f"{redacted(url)} holds {table.name} already: copy to a database without any")


async def _copy_table(here: AsyncConnection, there: AsyncConnection, table: TableClause) -> int:
    sent, digest = 0, 0
    async for rows in _rows(here, table):
        try:
            await there.execute(insert(table), rows)
        except DataError as e:
            raise CommandError(f"{table.name}: a row cannot be stored there: {str(e.orig).strip()}") from e
        sent, digest = sent + len(rows), (digest + sum(map(_digest, rows))) % _SUM
    arrived, there_digest = 0, 0
    async for rows in _rows(there, table):
        arrived, there_digest = arrived + len(rows), (there_digest + sum(map(_digest, rows))) % _SUM
    if (arrived, there_digest) != (sent, digest):
        raise CommandError(f"{table.name}: what arrived is not what was sent")
    return sent


async def _rows(connection: AsyncConnection, table: TableClause) -> AsyncIterator[list[dict[str, Any]]]:
    async with connection.stream(select(table).execution_options(yield_per=ROWS)) as result:
        async for part in result.mappings().partitions(ROWS):
            yield [dict(row) for row in part]


def _digest(row: Mapping[str, Any]) -> int:
    """A number for a row, whatever the order of the rows and of the keys in its JSON."""
    told = json.dumps(row, sort_keys=True, default=_told).encode(errors="surrogatepass")
    return int.from_bytes(hashlib.blake2b(told, digest_size=16).digest())


def _told(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else bytes(value).hex()


async def _index(there: AsyncConnection) -> None:
    """Index all texts, the oldest first."""
    query, last = select(texts.c.article_id).order_by(texts.c.article_id).limit(ROWS), -1
    while ids := (await there.execute(query.where(texts.c.article_id > last))).scalars().all():
        await search_index.add(there, ids)
        last = ids[-1]


async def _set_sequences(there: AsyncConnection) -> None:
    """New rows get numbers above those that were copied."""
    for name in _numbered():
        query = f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), max(id)) FROM {name} HAVING max(id) IS NOT NULL"  # noqa: S608
        await there.execute(sql_text(query))


def _numbered() -> Iterator[str]:
    for table in TABLES:
        if table.autoincrement_column is not None:
            yield table.name
