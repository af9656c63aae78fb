"""The commands that ask the database: search, export, show, why, status, doctor, mcp."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.entrypoints.cli import arguments
from pipeline.entrypoints.cli.arguments import Format, filtered, options, run

Sort = Annotated[str, typer.Option(help="newest or relevance.")]


@filtered
def search(
    context: typer.Context,
    asked: Any,
    sort: Sort = "newest",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Rows of a page.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="Go on after the row that printed it.")] = None,
    facets: Annotated[bool, typer.Option("--facets", help="What the result has in common, not the articles.")] = False,
    group: Annotated[
        str | None, typer.Option(help="story: one row a story, the newest article that matches, and how many more.")
    ] = None,
    chosen: Format = None,
) -> None:
    """Find articles by words and filters."""
    from pipeline.entrypoints import output, reading, stories

    page = replace(asked, sort=sort, limit=limit, cursor=cursor)
    if facets:
        arguments.show(run(reading.facets(options(context), page)), chosen)
        return
    found = reading.search(options(context), page) if group is None else stories.heads(options(context), page, group)
    rows = run(found)
    arguments.show(reading.narrow(rows, chosen), chosen)
    if group is None and arguments.suited(chosen) is output.Format.TABLE:
        typer.echo(f"showing {len(rows)} of {run(reading.count(options(context), page))}", err=True)


@filtered
def export(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(help="A .jsonl or .csv file, also with .gz or .zst behind, or .parquet.")],
    asked: Any,
) -> None:
    """Write all articles that match to a file, newest first."""
    from pipeline.entrypoints import exporting

    count = run(exporting.export(options(context), asked, out))
    typer.echo(f"{count} articles written to {out}", err=True)


def show(context: typer.Context, id_or_url: str, chosen: Format = None) -> None:
    """One article with provenance, verdicts, evidence, labels, appearances and audit trail."""
    from pipeline.entrypoints import reading

    reading.print_article(run(reading.show(options(context), id_or_url)), chosen)


def why(context: typer.Context, url: str, chosen: Format = None) -> None:
    """What became of a URL: stored, duplicate of, dropped with reason, waiting until."""
    from pipeline.entrypoints import reading

    arguments.show(run(reading.why(options(context), url)), chosen)


def status(
    context: typer.Context,
    sizes: Annotated[bool, typer.Option("--sizes", help="Also the bytes of each table; reads the whole file.")] = False,
    chosen: Format = None,
) -> None:
    """Counts, lag and health."""
    from pipeline.entrypoints import output, reading

    stats = output.plain(run(reading.status(options(context), is_sized=sizes)))
    is_table = chosen == "table" or (chosen is None and sys.stdout.isatty())
    arguments.show([{"what": name, "value": value} for name, value in stats.items()] if is_table else [stats], chosen)


def doctor(context: typer.Context, chosen: Format = None) -> None:
    """Whether settings, database, model, clock and network are fit for work; exits with 1 when one is not."""
    from dataclasses import asdict

    from pipeline.entrypoints import doctor as examining

    findings = run(examining.examine(options(context)))
    arguments.show([asdict(finding) for finding in findings], chosen)
    if any(finding.state == examining.FAIL for finding in findings):
        raise typer.Exit(1)


def mcp(context: typer.Context) -> None:
    """Serve search, articles, timelines and `why` to a language model over MCP (stdin and stdout), read only."""
    from pipeline.entrypoints import mcp as serving

    run(serving.serve(options(context)))
