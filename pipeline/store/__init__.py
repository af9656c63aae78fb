"""The store: one schema on SQLite and PostgreSQL; the database row is the durable state.

store = await open_store("sqlite:///defnews.db")
for found in await store.search.find(Query(parse("missile OR drone", now))):
    print(found.published_at, found.title)
await store.close()
"""

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from pipeline.errors import StoreError
from pipeline.store import schema
from pipeline.store.budget import Budget, BudgetRows
from pipeline.store.candidates import CandidateRows, Candidates
from pipeline.store.database import Database, conninfo, file_of, redacted
from pipeline.store.endings import Ending, EndingRows
from pipeline.store.facets import Facets
from pipeline.store.feeds import Change, FeedLine, FeedRow, FeedRows, Forced
from pipeline.store.found import Found
from pipeline.store.gaps import GapRow, GapRows
from pipeline.store.hosts import HostRows
from pipeline.store.kept import PageFiles
from pipeline.store.labels import Doubtful, Labelled, LabelRows, Said
from pipeline.store.memories import MemoryRows
from pipeline.store.outages import OutageRows
from pipeline.store.pages import KeptAt, LastPage, PageRows
from pipeline.store.polls import PollEnding
from pipeline.store.provenance import Appearance, Provenance, ProvenanceRows
from pipeline.store.records import Kept
from pipeline.store.renewals import Renewal, RenewalRows
from pipeline.store.retention import Cutoffs, RetentionRows
from pipeline.store.runs import BEAT_EVERY, Run, RunRows
from pipeline.store.saved import Alert, Saved, SavedRows, Sendings
from pipeline.store.search import Count, Search
from pipeline.store.stats import StatRows, Stats
from pipeline.store.stories import Head, StoriesAsked, Story, StoryReport, StoryRows, StorySort
from pipeline.store.subscriptions import SubscriptionRows
from pipeline.store.timelines import Range, TimelineRows
from pipeline.store.verdicts import Judgement, Standing, VerdictRows
from pipeline.store.work import Claimed, Work, WorkRows, found_by, live, pageless

__all__ = [
    "BEAT_EVERY",
    "Alert",
    "Appearance",
    "Budget",
    "Candidates",
    "Change",
    "Claimed",
    "Count",
    "Cutoffs",
    "Doubtful",
    "Ending",
    "Facets",
    "FeedLine",
    "FeedRow",
    "Forced",
    "Found",
    "GapRow",
    "Head",
    "Judgement",
    "Kept",
    "KeptAt",
    "Labelled",
    "LastPage",
    "OutageRows",
    "PageFiles",
    "PollEnding",
    "Provenance",
    "Range",
    "Renewal",
    "Run",
    "Said",
    "Saved",
    "Sendings",
    "Standing",
    "Stats",
    "Store",
    "StoriesAsked",
    "Story",
    "StoryReport",
    "StorySort",
    "Work",
    "conninfo",
    "daemon_lock",
    "found_by",
    "live",
    "open_store",
    "pageless",
    "redacted",
]


class Store:
    """All tables, by what they are for."""

    def __init__(self, url: str, *, is_read_only: bool = False) -> None:
        self.db = Database(url, is_read_only=is_read_only)
        self.runs = RunRows(self.db)
        self.feeds = FeedRows(self.db)
        self.gaps = GapRows(self.db)
        self.hosts = HostRows(self.db)
        self.budget = BudgetRows(self.db)
        self.outages = OutageRows(self.db)
        self.memories = MemoryRows(self.db)
        self.work = WorkRows(self.db)
        self.endings = EndingRows(self.db)
        self.pages = PageRows(self.db)
        self.renewals = RenewalRows(self.db)
        self.candidates = CandidateRows(self.db)
        self.search = Search(self.db)
        self.verdicts = VerdictRows(self.db, self.search)
        self.labels = LabelRows(self.db, self.search)
        self.provenance = ProvenanceRows(self.db)
        self.stories = StoryRows(self.db, self.search)
        self.stats = StatRows(self.db)
        self.retention = RetentionRows(self.db)
        self.saved = SavedRows(self.db, self.search)
        self.subscriptions = SubscriptionRows(self.db)
        self.timelines = TimelineRows(self.db, self.search)

    async def close(self) -> None:
        """Give all connections back."""
        await self.stats.close()
        await self.db.close()

    async def __aenter__(self) -> "Store":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def open_store(url: str, *, is_read_only: bool = False) -> Store:
    """Open a database, making it when it is missing; if read only, it then refuses every change.

    Raises:
        UsageError: the address is neither SQLite nor PostgreSQL.
        StoreError: it cannot be opened, or its schema is of another version; says what to run.
    """
    await asyncio.to_thread(schema.require, url)
    return Store(url, is_read_only=is_read_only)


@contextmanager
def daemon_lock(url: str) -> Iterator[None]:
    """Held by the one daemon of a SQLite file; released by the system when its process ends, however that is.

    Raises:
        StoreError: another daemon runs on this file.
    """
    path = file_of(url)
    if path is None:
        yield
        return
    try:
        handle = os.open(f"{path}.daemon", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as e:
        raise StoreError(f"cannot write beside the database {path}: {e.strerror}") from e
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            raise StoreError(f"another daemon runs on {path}; stop it first, or use PostgreSQL for several") from e
        yield
    finally:
        os.close(handle)
