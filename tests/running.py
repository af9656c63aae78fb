"""Runs the command as users do: a process of its own, a configuration directory, the newsroom on loopback."""

import asyncio
import json
import os
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline import newsroom
from pipeline.newsroom import RoomFeed, Server
from tests import forking
from tests.forking import Command

ROOT = Path(__file__).parent.parent
LONGEST_S = 400  # a command takes 20 s at most, but machines are slow at times


@dataclass(frozen=True)
class Ended:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The JSON lines that it printed."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def row(self) -> dict[str, Any]:
        """The only one."""
        (row,) = self.rows
        return row


@dataclass(frozen=True)
class Place:
    """A directory to run commands in."""

    directory: Path
    url: str = ""

    @property
    def database(self) -> Path:
        return self.directory / "news.db"

    def environment(self, **more: str) -> dict[str, str]:
        """What every command gets; nothing of the caller's own settings."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DEFNEWS_")}
        ours = {
            "DEFNEWS_DATABASE_URL": self.url or f"sqlite:///{self.database}",
            "DEFNEWS_CONFIG": str(self.directory),
            "DEFNEWS_WEB__ALLOW_PRIVATE": "127.0.0.0/8",
            "DEFNEWS_WEB__HOST_DELAY_S": "0.01",
            "DEFNEWS_API__LISTEN": "127.0.0.1:0",
        }
        return {**kept, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **ours, **more}

    async def start(self, *words: str, **more: str) -> Command:
        """Start a command."""
        return await forking.start(words, self.directory, self.environment(**more))

    async def run(self, *words: str, **more: str) -> Ended:
        """Run a command to its end."""
        process = await self.start(*words, **more)
        out, err = await asyncio.wait_for(process.communicate(), LONGEST_S)
        return Ended(await process.wait(), out.decode(), err.decode())

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Look into the SQLite file."""
        with closing(sqlite3.connect(self.database, timeout=10)) as connection, connection:
            return connection.execute(query).fetchall()


@asynccontextmanager
async def serving(**changes: Any) -> AsyncIterator[Server]:
    """The newsroom, as it is now."""
    room = newsroom.Newsroom(**{"seed": 1, "at": datetime.now(UTC) - timedelta(minutes=1), **changes})  # noqa: TID251
    async with newsroom.serve(room) as server:
        yield server


def healed(server: Server) -> None:
    """Take away the fault that heals with the number of requests, where runs are compared."""
    for url, fault in server.room.faults.items():
        if fault.count:
            server.fault(url, None)


def place(directory: Path, feeds: Iterable[RoomFeed] = (), url: str = "") -> Place:
    """A directory with a configuration that holds these feeds."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "pipeline.toml").write_text("# Only defaults.\n")
    tables = (
        f'[[feed]]\nurl = {json.dumps(f.url)}\ntitle = {json.dumps(f.title)}\nkind = "{f.kind}"\nlang = "{f.lang}"\n'
        for f in feeds
    )
    (directory / "feeds.toml").write_text("# The feeds of a test.\n" + "\n".join(tables))
    return Place(directory, url)


ROWS = """
    SELECT canonical_url, title, date(published_at / 1000000, 'unixepoch'), text_hash, label
    FROM articles ORDER BY canonical_url
"""  # what "the same rows" means
