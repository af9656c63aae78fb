"""The commands about verdicts: label, review, reclassify, reprocess, evaluate, train."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.entrypoints.cli.arguments import Format, filtered, format_of, options, run, show
from pipeline.errors import UsageError


def label(
    context: typer.Context,
    id_or_url: str,
    said: Annotated[str, typer.Argument(metavar="yes|no|borderline", help="Is it defense-related by the codebook?")],
    who: Annotated[str | None, typer.Option(help="Whose word it is; your login name if not given.")] = None,
    chosen: Format = None,
) -> None:
    """Say whether an article is defense-related: it wins over every verdict, and nobody needs to review it any more.

    Borderline keeps the verdict's label. All labels are kept, the newest counts. Prints the label as it was stored.
    """
    from pipeline.entrypoints import judging

    show([run(judging.label(options(context), id_or_url, said, who))], chosen)


@filtered
def review(
    context: typer.Context,
    asked: Any,
    limit: Annotated[int, typer.Option(min=1, max=300, help="Rows.")] = 20,
    chosen: Format = None,
) -> None:
    """What to label next: the articles whose verdicts are least certain, those that are alike not side by side."""
    from pipeline.entrypoints import judging

    show(run(judging.review(options(context), asked, limit)), chosen)


@filtered
def reclassify(
    context: typer.Context,
    asked: Any,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change; store nothing.")] = False,
    chosen: Format = None,
) -> None:
    """Judge stored articles again with the classifier of the settings; old verdicts are kept.

    Articles that it has judged already, with this text, are skipped: the same command again goes on where one was
    ended. Prints a row for each article whose label or need of review changed, or would have but for a person's
    label; then the counts: as the last row in json and jsonl, as a second table, on stderr with csv.
    """
    from pipeline.entrypoints import judging

    judging.print_flips(options(context), asked, format_of(chosen), is_dry=dry_run)


@filtered
def reprocess(
    context: typer.Context,
    asked: Any,
    stage: Annotated[
        str, typer.Option(help="extract (and what follows from it), or classify: as reclassify.")
    ] = "extract",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change; store nothing.")] = False,
    chosen: Format = None,
) -> None:
    """Read stored articles again from the bytes of their pages, which `[pages] directory` keeps.

    What is read differently is stored: title, text, date, details; a changed text is judged again, old verdicts are
    kept. Prints a row for each article that changed or that its page no longer gives (it stays as it is), then the
    counts, as reclassify does. The same command again goes on where one was ended.
    """
    from pipeline.entrypoints import judging
    from pipeline.entrypoints import reprocess as again

    if stage == "classify":
        judging.print_flips(options(context), asked, format_of(chosen), is_dry=dry_run)
        return
    if stage != "extract":
        raise UsageError(f"--stage: {stage!r}: expected extract or classify")
    settings = options(context)
    judging.print_changes(
        again.CHANGE,
        format_of(chosen),
        lambda tell, is_quiet: again.reprocess(settings, asked, tell, is_dry=dry_run, is_quiet=is_quiet),
    )


def evaluate(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...")],
    chosen: Format = None,
) -> None:
    """How good the classifier of the settings is on labelled texts, with 95 % intervals.

    Takes JSON lines {"title", "text", "label", "lang", "register"}; label is 1, 0 or null, or yes, no or
    borderline; lang and register may be left out, where they are given there are figures for each, too.
    """
    from pipeline.entrypoints import evaluate as evaluating

    if not evaluating.print_figures(options(context), paths, format_of(chosen)):
        raise typer.Exit(1)


def train(
    context: typer.Context,
    data: Annotated[list[Path], typer.Option("--data", help="A folder of labelled texts; may be repeated.")],
    out: Annotated[Path, typer.Option("--out", help="The model's file.")],
    with_labels: Annotated[bool, typer.Option("--with-labels", help="Also the labels in the database.")] = False,
    chosen: Format = None,
) -> None:
    """Train the English model again, and the calibration of the other languages; needs the extra defnews[train].

    Looks for our own items (items/*.tsv) in the folders named, else in ./training; for third-party sets there too and
    below DEFNEWS_DEV_DATA, and trains without those that are missing, naming them. Same items, machine and lock: the
    same bytes. Use it by `[classify] model`.
    """
    try:
        from pipeline.entrypoints import training
    except ModuleNotFoundError as e:
        raise UsageError(f"train needs {e.name}: pip install 'defnews[train]'") from e

    show([training.train(options(context), data, out, with_labels=with_labels)], chosen)
