"""`defnews db ...`: the schema, the invariants of the data, the search index, and copies of it."""

from pathlib import Path
from typing import Any

from pipeline.entrypoints import progress
from pipeline.entrypoints.options import Options
from pipeline.errors import UsageError
from pipeline.store import open_store, redacted, schema
from pipeline.store.backup import backup as write_backup
from pipeline.store.copying import copy as copy_all
from pipeline.store.database import Database, parse_url
from pipeline.store.invariants import INVARIANTS, violations
from pipeline.store.reindexing import reindex as reindex_all


def upgrade(options: Options) -> str:
    """Bring the schema to this version; says what was done."""
    url = options.settings().database_url
    before = schema.version(url)
    schema.upgrade(url)
    done = "is up to date" if before == schema.HEAD else "was made" if before is None else f"was upgraded from {before}"
    return f"{redacted(url)} {done} (schema {schema.HEAD})"


async def check(options: Options) -> list[dict[str, Any]]:
    """The version, and each invariant with the number of rows that break it."""
    url = options.settings().database_url
    found = schema.version(url)
    rows = [{"check": f"schema is {schema.HEAD}", "holds": found == schema.HEAD, "rows": None}]
    if found == schema.HEAD:
        db = Database(url)
        try:
            counts = await violations(db)
        finally:
            await db.close()
        rows += [
            {"check": name, "holds": count == 0, "rows": count} for name, count in zip(INVARIANTS, counts, strict=True)
        ]
    return rows


async def reindex(options: Options, *, is_anew: bool) -> dict[str, int]:
    """Index all texts that are not; says how many."""
    counts = {"indexed": 0}
    async with await open_store(options.settings().database_url) as store, progress.shown(lambda: counts):
        async for done in reindex_all(store.db, is_anew=is_anew):
            counts["indexed"] = done
        await store.db.optimize()
    return counts


def backup(options: Options, path: Path) -> str:
    """Write a consistent copy of a SQLite database; says what was done."""
    size = write_backup(options.settings().database_url, path)
    return f"{path} was written ({size / 1e6:.1f} MB)"


async def copy(options: Options, target_url: str) -> list[dict[str, Any]]:
    """Copy everything to another database; a row for each table.

    Raises:
        UsageError: the two are one.
        CommandError: the target holds something already, or the copy is not the same.
    """
    source_url = options.settings().database_url
    if parse_url(source_url) == parse_url(target_url):
        raise UsageError("that is the database of the settings itself")
    counts = await copy_all(source_url, target_url)
    return [{"table": name, "rows": count} for name, count in counts.items()]
