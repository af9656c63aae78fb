"""`defnews backfill`: archives list what a range held; the daemon's own flow ingests it. Resumable after any end."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog

from pipeline.archives import ARCHIVES, CHEAPEST_FIRST, Places
from pipeline.engine import Engine
from pipeline.entrypoints import output, progress, wiring
from pipeline.entrypoints.discovery import FROM_FILES, Discovery
from pipeline.entrypoints.feeds import add_new_feeds, feeds_of
from pipeline.entrypoints.options import Options
from pipeline.errors import CommandError, UsageError
from pipeline.ingest import IngestDuty
from pipeline.query import moments
from pipeline.queue.lane import Lane
from pipeline.settings import Settings
from pipeline.store import Run, Store, found_by, open_store

VIAS = ("auto", *ARCHIVES, *FROM_FILES, "opml")
WARC_NAMES = (".warc", ".warc.gz", ".warc.zst", ".wacz")
NESTED = ("archives", "cursor", "missed_documents")  # what has no place in a table
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line: the same one again resumes the run."""

    feeds: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    via: str = "auto"
    inputs: tuple[str, ...] = ()
    maximum: int | None = None
    query: str | None = None
    is_all_sites: bool = False  # of WARC files; else those of the feeds


async def backfill(
    options: Options, asked: Asked, resume: int | None, *, is_dry: bool, in_lines: bool = False
) -> list[dict[str, Any]]:
    """Ingest a past range, or resume doing so; returns the run's counts, or what a dry run found in each archive.

    Progress is shown in bars on a terminal, or `in_lines` of JSON on stderr.

    Raises:
        UsageError: the options do not fit together.
        CommandError: a file, feed or run does not exist.
    """
    check(asked, resume)
    see_files(asked)
    settings = options.settings()
    async with wiring.open_engine(settings) as engine:
        await add_new_feeds(engine.store, options, engine.clock)
        if is_dry:
            return await estimate_with(engine, settings, asked)
        return [await backfill_with(engine, settings, asked, resume, in_lines=in_lines)]


async def estimate_with(
    engine: Engine, settings: Settings, asked: Asked, uploads: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """How much there would be to do, by archive, with parts that are there already; stores nothing."""
    plan = await plan_of(engine, settings, asked, uploads)
    return await Discovery(engine, None, plan).estimate(settings.web.host_delay_s)


async def backfill_with(
    engine: Engine, settings: Settings, asked: Asked, resume: int | None, *, in_lines: bool = False
) -> dict[str, Any]:
    """Ingest a past range, or resume doing so, with parts that are there already; returns the run's counts."""
    run = await _run(engine, await plan_of(engine, settings, asked), resume)
    async with progress.by_archive(lambda: engine.store.work.tallies(found_by(run.id)), as_lines=in_lines):
        counts = await work_off(engine, run, settings)
    return {"run": run.id, **counts, **await pace(engine.store, run.id)}


async def begin(engine: Engine, settings: Settings, asked: Asked, uploads: Mapping[str, str]) -> Run:
    """A run for what is asked, or an unfinished one of the same; `work_off` does it."""
    return await _run(engine, await plan_of(engine, settings, asked, uploads), None)


async def take_up(engine: Engine, run_id: int) -> Run:
    """A run that ended before its work was done; `work_off` goes on with it.

    Raises:
        CommandError: there is none of that number, it is no backfill, or it is at work elsewhere.
    """
    run = await engine.store.runs.resume(run_id, engine.clock.now())
    if run.kind != "backfill":
        raise CommandError(f"run {run_id} is no backfill")
    log.info("resumed", run=run.id)
    return run


async def work_off(engine: Engine, run: Run, settings: Settings) -> dict[str, int]:
    """Do what a run is for; cancelled, it ends as interrupted. Returns its counts."""
    async with wiring.alive(engine.store, run, engine.clock) as counts:
        counts.update(await _work(engine, run, settings))
        if not counts["waiting"]:
            await engine.store.runs.forget_uploads(run.id)
        return counts


def narrow(rows: Sequence[dict[str, Any]], chosen: output.Format) -> Sequence[dict[str, Any]]:
    """What of results fits into a table: a row for each archive, then one for all; elsewhere all of it."""
    if chosen is not output.Format.TABLE:
        return rows
    table: list[dict[str, Any]] = []
    for row in rows:
        whole = {name: value for name, value in row.items() if name not in NESTED}
        whole |= {"tried": row["cursor"].get("tried")} if "cursor" in row else {}
        of_archives = row.get("archives", {}).items()
        table += [{"archive": name or "feeds", **counts} for name, counts in of_archives]
        table.append({"archive": "all", **whole} if of_archives else whole)
    return table


async def pace(store: Store, run_id: int) -> dict[str, Any]:
    """How fast a run is, and what each of its archives came to."""
    origin = found_by(run_id)
    return {"done_a_minute": await store.work.done_a_minute(origin), "archives": await store.work.tallies(origin)}


async def listing(options: Options, run_id: int | None = None) -> list[dict[str, Any]]:
    """The backfills, newest first, or one.

    Raises:
        CommandError: there is none of that number.
    """
    async with await open_store(options.settings().database_url) as store:
        if run_id is None:
            return [await listed(store, run) for run in await store.runs.listing("backfill")]
        run = await store.runs.get(run_id)
        if run is None or run.kind != "backfill":
            raise CommandError(f"there is no backfill {run_id}")
        return [await listed(store, run) | await pace(store, run_id) | {"cursor": run.cursor}]


async def listed(store: Store, run: Run) -> dict[str, Any]:
    """A run with its counts: those of its end, while there is none those of now."""
    origin = found_by(run.id)
    now = {} if run.state == "done" else await store.work.tally(origin)
    return {**_shown(run), **run.counts, **now, "done_a_minute": await store.work.done_a_minute(origin)}


def _shown(run: Run) -> dict[str, Any]:
    asked = {name: value for name, value in run.plan.get("asked", {}).items() if value}
    return {
        "id": run.id,
        "state": run.state,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        **asked,
    }


def via_of(inputs: Sequence[str]) -> str:
    """The archive that files belong to by their names.

    Raises:
        UsageError: they belong to several.
    """
    kinds = {"warc" if name.endswith(WARC_NAMES) else "opml" if name.endswith(".opml") else "urls" for name in inputs}
    if len(kinds) > 1:
        raise UsageError(f"--input: files of {' and '.join(sorted(kinds))} at once; give each kind to a run of its own")
    return kinds.pop()


def check(asked: Asked, resume: int | None = None) -> None:
    """See that the options fit together.

    Raises:
        UsageError: they do not.
    """
    if asked.via not in VIAS:
        raise UsageError(f"--via: {asked.via!r}: expected {', '.join(VIAS)}")
    is_bounded = resume is not None or asked.since is not None
    if not is_bounded and (not asked.inputs or asked.via in ("ccnews", "opml")):
        raise UsageError("--since is needed (or --gaps, or --input FILE of URLs, articles or pages)")
    takes_files = (*FROM_FILES, "opml")
    if asked.via != "ccnews" and (asked.via in takes_files) != bool(asked.inputs):
        raise UsageError(f"--input goes with --via {', '.join(takes_files)}, and they with it")
    if asked.via == "ccnews" and len(asked.inputs) > 1:
        raise UsageError("--via ccnews takes one --input: where the crawl is instead")
    if asked.via == "opml" and asked.feeds:
        raise UsageError("--via opml: its feeds are those of the file, not of --feed")
    if asked.query and asked.via != "gdelt":
        raise UsageError("--query is for --via gdelt")


def see_files(asked: Asked) -> None:
    """See that there is something to read, before anything is stored.

    Raises:
        CommandError: none of the files that are named exists.
    """
    if asked.inputs and asked.via != "ccnews" and not any(Path(name).exists() for name in asked.inputs):
        raise CommandError(f"no such file: {', '.join(asked.inputs)}")


async def plan_of(
    engine: Engine, settings: Settings, asked: Asked, uploads: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What a run is to do, as its row keeps it; inputs that are among the uploads are no files, but their texts.

    Raises:
        UsageError: the range is none.
        CommandError: a feed or list does not exist.
    """
    now = engine.clock.now()
    since, until = moments.since(asked.since, now), moments.until(asked.until, now)
    if since and until and since >= until:
        raise UsageError(f"--since {asked.since} is not before --until {asked.until}")
    kept = settings.archives
    places = Places(kept.wayback, kept.gdelt, asked.query or kept.gdelt_query)
    names = CHEAPEST_FIRST if asked.via in ("auto", "opml") else () if asked.via in FROM_FILES else (asked.via,)
    return {
        "asked": asdict(asked) | {"feeds": list(asked.feeds), "inputs": list(asked.inputs)},
        "since": since and since.isoformat(),
        "until": until and until.isoformat(),
        "feeds": await _feeds(engine, asked),
        "archives": list(names),
        "places": asdict(places),
        **({"uploads": dict(uploads)} if uploads else {}),
    }


async def _feeds(engine: Engine, asked: Asked) -> list[int]:
    """The feeds that are meant: those named, those of a list, added where they are new, or all that are enabled."""
    feeds = engine.store.feeds
    if asked.via == "opml":
        wanted = [feed for name in asked.inputs for feed in feeds_of(Path(name))]
        await feeds.add(wanted, engine.clock.now())
        rows = await feeds.listing(named=[feed.url for feed in wanted]) if wanted else ()
    else:
        rows = await (feeds.named(asked.feeds) if asked.feeds else feeds.listing())
    return [row.feed.id for row in rows if row.is_enabled or asked.feeds]


async def _run(engine: Engine, plan: Mapping[str, Any], resume: int | None) -> Run:
    """A new run, the one named by --resume, or an unfinished one of the same command."""
    now = engine.clock.now()
    if resume is None:
        earlier = await engine.store.runs.listing("backfill")
        unfinished = (run for run in earlier if run.state != "done")
        same = (run.id for run in unfinished if all(run.plan.get(n) == plan.get(n) for n in ("asked", "uploads")))
        resume = next(same, None)
    if resume is None:
        return await engine.store.runs.start("backfill", now, plan)
    return await take_up(engine, resume)


async def _work(engine: Engine, run: Run, settings: Settings) -> dict[str, int]:
    """Discover and ingest at the same time."""
    discovery = Discovery(engine, run, run.plan)
    duty = IngestDuty(engine, run.id, found_by(run.id))
    async with Lane(duty, settings.ingest.concurrency, engine.clock) as lane:
        finding = asyncio.create_task(discovery.run())
        try:
            while not finding.done():
                await lane.run_dry()
                await asyncio.wait({finding}, timeout=0.5)
            await finding
            await lane.run_dry_with(lambda: engine.store.work.claimed_elsewhere(run.id, found_by(run.id)))
        finally:
            finding.cancel()
            await asyncio.gather(finding, return_exceptions=True)
    found = dict.fromkeys(("candidates", "known", "new", "missed", "bad_lines"), 0) | discovery.counts
    return found | await engine.store.work.tally(found_by(run.id))
