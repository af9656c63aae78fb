"""What a dry run would put in line: each URL once, on disk, so that millions of them take no memory."""

import sqlite3
from collections.abc import Iterable

from pipeline import urls
from pipeline.model import Entry

_TABLE = "CREATE TABLE counted (url TEXT PRIMARY KEY, via TEXT NOT NULL, host TEXT NOT NULL) WITHOUT ROWID"


class Counted:
    """A scratch database that nobody else sees; its file goes with it."""

    def __init__(self) -> None:
        self._rows = sqlite3.connect("")
        self._rows.execute(_TABLE)

    def add(self, via: str, entries: Iterable[Entry]) -> int:
        """Count entries that an archive listed; returns how many were not counted yet."""
        rows = [
            (
                urls.canonical_url(entry.url or "") or entry.id,
                via,
                "" if entry.held else urls.host_key(entry.url or ""),
            )
            for entry in entries
        ]
        return self._rows.executemany("INSERT OR IGNORE INTO counted VALUES (?, ?, ?)", rows).rowcount if rows else 0

    def close(self) -> None:
        """Forget it."""
        self._rows.close()

    def hosts(self, via: str) -> list[int]:
        """For each host that would be asked, how many of an archive's pages it has."""
        query = "SELECT count(*) FROM counted WHERE via = ? AND host <> '' GROUP BY host"
        return [count for (count,) in self._rows.execute(query, (via,))]
