"""The commands for single stages over files: extract, parse-feed, classify."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.entrypoints.cli.arguments import Names, options, run
from pipeline.errors import UsageError


def extract(
    context: typer.Context,
    paths: Annotated[Names, typer.Argument(metavar="PATH...")] = None,
    url: Annotated[str | None, typer.Option(help="Where the page comes from.")] = None,
    jsonl: Annotated[Path | None, typer.Option(help='A list of {"id", "path", "url"}.')] = None,
) -> None:
    """Pages (.html, .html.gz) to articles, one JSON line each."""
    from pipeline.entrypoints import files

    if not paths and not jsonl:
        raise UsageError("extract: name at least one PATH, or --jsonl LIST")
    items = files.items_in(jsonl) if jsonl else files.items_of(paths or (), url)
    reasons = run(files.print_rows(files.extract_files(options(context), items)))
    if files.BAD_LINE in reasons or (reasons and not jsonl):  # the files of a list were not named by the user
        raise typer.Exit(1)


def parse_feed(
    context: typer.Context,
    paths: Annotated[list[str], typer.Argument(metavar="PATH...")],
    url: Annotated[
        str | None, typer.Option(help="Where the feed comes from; without it relative links are left out.")
    ] = None,
) -> None:
    """Feeds (also .gz) to entries, one JSON line each."""
    from pipeline.entrypoints import files

    if run(files.print_rows(files.parse_files(options(context), files.items_of(paths, url)))):
        raise typer.Exit(1)


def classify(
    context: typer.Context,
    paths: Annotated[list[Path] | None, typer.Argument(metavar="FILE...")] = None,
    text: Annotated[str | None, typer.Option(help="One text instead of files.")] = None,
) -> None:
    """JSON lines {"id", "title", "text"} to verdicts; stdin if no file is named."""
    from pipeline.entrypoints import files

    if text is not None:
        files.print_row(files.verdict_of(options(context), text))
    elif files.print_all(files.classify_lines(options(context), files.lines_of(paths or ()))):
        raise typer.Exit(1)
