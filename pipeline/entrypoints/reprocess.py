"""`defnews reprocess`: stored articles as their kept pages are read today, with a report of what changed. Resumable."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import structlog

from pipeline import urls
from pipeline.clock import Clock, SystemClock
from pipeline.compute import Compute
from pipeline.entrypoints import judging, progress, reading, wiring
from pipeline.entrypoints.classifier import make_classifier
from pipeline.entrypoints.options import Options
from pipeline.errors import StageError, UsageError
from pipeline.ingest import dated
from pipeline.model import Article
from pipeline.query import Query
from pipeline.stages import fetch, remember
from pipeline.stages.classify import Classifier
from pipeline.stages.extract import extract, extract_copy, from_entry, is_joined
from pipeline.store import Kept, LastPage, PageFiles, Renewal, Run, Standing, Store, open_store
from pipeline.store.articles import text_hash

BATCH = 100  # articles whose pages are in memory together, and of a transaction
LABELS = ("to_defense", "to_other", "now_in_review", "out_of_review", "kept_by_person")
COUNTS = ("read", "same", "title", "text", "date", "details", *LABELS, "failed", "not_kept", "skipped")
DETAILS = ("authors", "updated_at", "lang", "site_name", "section", "tags", "is_teaser", "extractor")
CHANGE = (
    "id", "title", "change", "reason", "old_title", "old_published_at", "new_published_at", "old_chars", "new_chars",
    "old_label", "new_label",
)  # fmt: skip
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Parts:
    """What reading pages again works with."""

    store: Store
    pages: PageFiles
    compute: Compute
    classifier: Classifier
    clock: Clock
    has_site_memory: bool


async def reprocess(
    options: Options, asked: reading.Asked, tell: judging.Tell, *, is_dry: bool, is_quiet: bool
) -> dict[str, int]:
    """Read the kept pages of the articles that match again; returns the counts, of a resumed run in all.

    Raises:
        UsageError: the settings name no directory of kept pages.
    """
    settings, clock = options.settings(), SystemClock()
    if not settings.pages.directory:
        raise UsageError(
            "no pages are kept: DEFNEWS_PAGES__DIRECTORY or [pages] directory says where (--stage extract)"
        )
    pages, classifier = PageFiles(Path(settings.pages.directory)), make_classifier(settings)
    async with AsyncExitStack() as around:
        store = await around.enter_async_context(await open_store(settings.database_url))
        compute = await around.enter_async_context(wiring.make_compute(settings))
        query = await reading.to_query(store, asked, clock.now())
        plan = {"asked": asdict(asked), "classifier": classifier.name, "program": version("defnews")}
        run = None if is_dry else await _run(store, plan, clock)
        again = Again(Parts(store, pages, compute, classifier, clock, settings.ingest.site_memory), tell, run)
        kept = await around.enter_async_context(wiring.alive(store, run, clock)) if run else {}
        if not is_quiet:
            await around.enter_async_context(progress.shown(lambda: again.counts))
        await again.read(query)
        kept.update(again.counts)
        return {name: again.counts[name] for name in COUNTS}


async def _run(store: Store, plan: dict[str, Any], clock: Clock) -> Run:
    """A new run, or an unfinished one of the same command, classifier and program."""
    plan = json.loads(json.dumps(plan))  # as it is read from the table
    same = (r.id for r in await store.runs.listing("reprocess") if r.state != "done" and r.plan == plan)
    unfinished = next(same, None)
    if unfinished is None:
        return await store.runs.start("reprocess", clock.now(), plan)
    run = await store.runs.resume(unfinished, clock.now())
    log.info("resumed", run=run.id)
    return run


@dataclass(slots=True)
class Again:
    """Reading kept pages again, newest article first, batch by batch; each batch is a transaction of its own."""

    parts: Parts
    tell: judging.Tell
    run: Run | None  # None: nothing is stored
    counts: Counter[str] = field(default_factory=Counter)

    async def read(self, query: Query) -> None:
        """Read the pages of all articles that match, but of those that the run has read before."""
        cursor = self.run.cursor if self.run else {}
        before: int | None = cursor.get("before")
        self.counts.update(cursor.get("counts", {}))
        while batch := await self.parts.store.verdicts.page(query, before, BATCH):
            before = batch[-1].article_id
            await self._put(batch, await self._renewals(batch), before)

    async def _renewals(self, batch: Sequence[Standing]) -> list[tuple[Article, Renewal | StageError | None]]:
        """Each article with what its page is today: None where that is not kept, the error where it is no article."""
        ids = [standing.article_id for standing in batch]
        stored = await self.parts.store.verdicts.articles(ids)
        pages = await self.parts.store.pages.of_articles(ids)
        found = (self._renewal(s, stored[s.article_id], pages.get(s.article_id)) for s in batch)
        return [(stored[s.article_id], r) for s, r in zip(batch, await asyncio.gather(*found), strict=True)]

    async def _renewal(self, standing: Standing, old: Article, last: LastPage | None) -> Renewal | StageError | None:
        if is_joined(old):  # only its first page is kept
            return None
        kept = await self.parts.pages.read(last.at) if last else None
        if kept is None or last is None:
            return None
        try:
            read = dated(await _article(self.parts.compute, kept, last), last.seen_at)
        except StageError as error:
            return error
        if self.parts.has_site_memory:  # that of today
            read = remember.without_furniture(read, await self.parts.store.memories.of(urls.site(read.canonical_url)))
        new = as_stored(old, read, is_revision=last.is_revision)
        judged = (new.title, text_hash(new.text), new.lang) != (old.title, standing.text_hash, old.lang)
        verdict = self.parts.classifier.classify(new) if judged else None
        changes = (*differences(old, new), *(judging.changed(standing, verdict) if verdict else ()))
        return Renewal(standing, new, verdict, changes)

    async def _put(
        self, batch: Sequence[Standing], found: Sequence[tuple[Article, Renewal | StageError | None]], before: int
    ) -> None:
        changed = [r for _, r in found if isinstance(r, Renewal) and r.changes]
        counts = Counter(self.counts)
        for _, renewal in found:
            counts.update(_counted(renewal))
        stored = frozenset(renewal.standing.article_id for renewal in changed)
        if self.run is not None:
            now, cursor = self.parts.clock.now(), {"before": before, "counts": counts}
            stored = await self.parts.store.renewals.put(self.run.id, changed, cursor, now)
        lost = [renewal for renewal in changed if renewal.standing.article_id not in stored]
        for renewal in lost:  # the daemon was faster
            counts.subtract(_counted(renewal))
            counts["skipped"] += 1
        self.counts = counts
        for standing, (old, renewal) in zip(batch, found, strict=True):
            if isinstance(renewal, StageError) or (renewal and renewal.changes and renewal not in lost):
                self.tell(_row(standing, old, renewal))


async def _article(compute: Compute, kept: Kept, last: LastPage) -> Article:
    """What a kept page is read as, or, where it shows no article, what its entry carries: as `ingest` does it."""
    try:
        page = fetch.read(kept.entry, kept.response)
        return await compute(extract_copy if kept.is_copy else extract, page, kept.entry)
    except StageError as error:
        try:
            return await compute(from_entry, kept.entry, last.seen_at)
        except StageError:
            raise error from None


def as_stored(old: Article, read: Article, *, is_revision: bool) -> Article:
    """What is stored of a page that was read again: an article's URLs stay, after a revision also its first date."""
    named = replace(read, url=old.url, canonical_url=old.canonical_url)
    if not is_revision:
        return named
    return replace(named, published_at=old.published_at, published_from=old.published_from)


def differences(old: Article, new: Article) -> tuple[str, ...]:
    """What of an article is read differently: title, text, date, details (of `DETAILS`)."""
    is_other = {
        "title": old.title != new.title,
        "text": text_hash(old.text) != text_hash(new.text),
        "date": (old.published_at, old.published_from) != (new.published_at, new.published_from),
        "details": any(getattr(old, name) != getattr(new, name) for name in DETAILS),
    }
    return tuple(name for name, differs in is_other.items() if differs)


def _counted(renewal: Renewal | StageError | None) -> tuple[str, ...]:
    if renewal is None:
        return ("not_kept",)
    return ("read", "failed") if isinstance(renewal, StageError) else ("read", *(renewal.changes or ("same",)))


def _row(standing: Standing, old: Article, renewal: Renewal | StageError) -> judging.Row:
    row: judging.Row = dict.fromkeys(CHANGE)
    row |= {"id": standing.article_id, "title": old.title, "old_chars": len(old.text), "old_label": standing.label}
    if isinstance(renewal, StageError):
        return row | {"change": ("failed",), "reason": renewal.reason}
    new, changes = renewal.article, renewal.changes
    row |= {"title": new.title, "change": changes, "new_chars": len(new.text)}
    if "title" in changes:
        row["old_title"] = old.title
    if "date" in changes:
        row |= {"old_published_at": old.published_at, "new_published_at": new.published_at}
    if renewal.verdict is not None:
        row["new_label"] = standing.label if "kept_by_person" in changes else renewal.verdict.label.value
    return row
