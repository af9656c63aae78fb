"""`defnews db ...`: the schema and the invariants of the data."""

from typing import Any

from pipeline.entrypoints.options import Options
from pipeline.store import redacted, schema
from pipeline.store.database import Database
from pipeline.store.invariants import INVARIANTS, violations


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
