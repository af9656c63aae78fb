"""The commands that fill the database: run, poll, backfill; and the demo of all of it."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.entrypoints.cli.arguments import FeedName, Format, Names, Since, Until, options, show, suited
from pipeline.entrypoints.cli.arguments import run as complete
from pipeline.errors import CommandError, UsageError

VIAS = "auto, feed, rfc5005, wordpress, sitemap, gdelt, wayback, ccnews, warc, jsonl, urls or opml"
backfill_app = typer.Typer(help="Ingest a past range, once.", invoke_without_command=True, rich_markup_mode=None)


def run(context: typer.Context) -> None:
    """The daemon: polls what is due, ingests, serves the page; stops cleanly on Ctrl-C."""
    from pipeline.entrypoints import daemon

    complete(daemon.run(options(context)))


def serve(context: typer.Context) -> None:
    """The page and the API alone, also beside a daemon."""
    from pipeline.entrypoints import serve as serving

    complete(serving.serve(options(context)))


def scheduler(context: typer.Context) -> None:
    """Nudges the workers of one PostgreSQL; sends alerts and looks after hubs and retention."""
    from pipeline.entrypoints import scheduler as scheduling

    complete(scheduling.schedule(options(context)))


def worker(context: typer.Context) -> None:
    """Polls and ingests when a scheduler nudges; any number of them share one PostgreSQL."""
    from pipeline.entrypoints import worker as working

    complete(working.work(options(context)))


def poll(
    context: typer.Context,
    feed: Annotated[
        Names, typer.Argument(help="Feeds by id, URL or title; those that are due if none is named.")
    ] = None,
    is_all: Annotated[bool, typer.Option("--all", help="Every feed, due or not.")] = False,
    chosen: Format = None,
) -> None:
    """Poll each due feed once, then ingest until nothing is left to do now."""
    from pipeline.entrypoints import poll as polling

    summary = complete(polling.poll(options(context), tuple(feed or ()), is_all=is_all))
    show([summary.counts], chosen)
    if summary.is_cut_off:
        raise CommandError(
            "our network seems to be down: no host answers; feeds and pages that were not reached stay due"
        )


@backfill_app.callback()
def backfill(
    context: typer.Context,
    feed: FeedName = None,
    since: Since = None,
    until: Until = None,
    via: Annotated[str, typer.Option(help=f"{VIAS}.")] = "auto",
    query: Annotated[str | None, typer.Option(help="With --via gdelt: words, theme:..., sourcecountry:...")] = None,
    inputs: Annotated[
        Names, typer.Option("--input", help="A file of URLs, articles, pages (WARC, WACZ) or feeds; may be repeated.")
    ] = None,
    all_sites: Annotated[
        bool, typer.Option("--all-sites", help="Of WARCs: pages of all sites, not the feeds' only.")
    ] = False,
    gaps: Annotated[bool, typer.Option("--gaps", help="The times of which polls missed entries.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how much there would be to do.")] = False,
    maximum: Annotated[int | None, typer.Option("--max", min=1, help="At most so many new URLs.")] = None,
    resume: Annotated[int | None, typer.Option(help="The number of the run to go on with.")] = None,
    chosen: Format = None,
) -> None:
    """Ingest a past range, once; the same command again goes on where it stopped."""
    if context.invoked_subcommand is not None:
        return
    from pipeline.entrypoints import backfill as filling

    names = tuple(inputs or ())
    via = filling.via_of(names) if names and via == "auto" else via
    asked = filling.Asked(tuple(feed or ()), since, until, via, names, maximum, query, all_sites)
    if gaps:
        from pipeline.entrypoints import gaps as missing

        if resume is not None:
            raise UsageError("--gaps and --resume: the same command again goes on by itself")
        working = missing.repair(options(context), asked, is_dry=dry_run, in_lines=chosen == "jsonl")
    else:
        working = filling.backfill(options(context), asked, resume, is_dry=dry_run, in_lines=chosen == "jsonl")
    done = complete(working)
    show(filling.narrow(done, suited(chosen)), chosen)
    if failed := sum(row.get("failed_files", 0) for row in done):
        raise CommandError(f"{failed} of the files could not be read")


@backfill_app.command("list")
def backfill_list(context: typer.Context, chosen: Format = None) -> None:
    """All backfills, newest first."""
    from pipeline.entrypoints import backfill as filling

    show(complete(filling.listing(options(context))), chosen)


@backfill_app.command("show")
def backfill_show(
    context: typer.Context, run_id: Annotated[int, typer.Argument(metavar="ID")], chosen: Format = None
) -> None:
    """One backfill with its cursor and outcomes."""
    from pipeline.entrypoints import backfill as filling

    show(filling.narrow(complete(filling.listing(options(context), run_id)), suited(chosen)), chosen)


def demo(
    context: typer.Context,
    keep: Annotated[Path | None, typer.Option(help="Keep the database in this new file.")] = None,
    is_open: Annotated[bool, typer.Option("--open", help="Then serve the page until Ctrl-C.")] = False,
) -> None:
    """The whole job without network: a bundled newsroom on loopback, poll, ingest, search."""
    from pipeline.entrypoints import demo as showing

    complete(showing.demo(options(context), keep, is_open=is_open))
