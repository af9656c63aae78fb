"""The command line: what can be typed; each command imports what it needs when it is called."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.errors import DefnewsError, UsageError

app = typer.Typer(
    name="defnews",
    help="Polls news feeds, extracts the articles, says which are defense-related and why, keeps them searchable.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
feeds_app = typer.Typer(help="The feed list with its health.", no_args_is_help=True, rich_markup_mode=None)
db_app = typer.Typer(help="The database's schema.", no_args_is_help=True, rich_markup_mode=None)
backfill_app = typer.Typer(help="Ingest a past range, once.", invoke_without_command=True, rich_markup_mode=None)
app.add_typer(feeds_app, name="feeds")
app.add_typer(db_app, name="db")
app.add_typer(backfill_app, name="backfill")

_ANYWHERE = ("-v", "-vv", "--verbose", "-q", "-qq", "--quiet", "--version")
Names = list[str] | None
Format = Annotated[str | None, typer.Option("--format", help="table, json, jsonl or csv; a table on a terminal.")]
Label = Annotated[Names, typer.Option(help="defense, other or review; may be repeated, as all filters.")]
Topic = Annotated[Names, typer.Option(help="A topic's code: operations, conflict, weapons, nuclear ...")]
FeedName = Annotated[Names, typer.Option("--feed", help="A feed's id, URL or title.")]
Kind = Annotated[Names, typer.Option(help="trade, official, wire, general or thinktank.")]
Site = Annotated[Names, typer.Option(help="A registered domain, such as yna.co.kr.")]
Lang = Annotated[Names, typer.Option(help="A language, such as en.")]
Since = Annotated[str | None, typer.Option(help="A date (UTC), RFC 3339 time, or age such as 36h or 7d.")]
Until = Annotated[str | None, typer.Option(help="The same; a date includes that day.")]
MinScore = Annotated[float | None, typer.Option(min=0, max=1, help="The least score.")]
Sort = Annotated[str, typer.Option(help="newest or relevance.")]
Words = Annotated[str | None, typer.Argument(help='Words, "phrases", OR, -not, prefix*.')]


def _version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(f"defnews {version('defnews')}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(help="The directory of pipeline.toml and feeds.toml.")] = None,
    verbose: Annotated[int, typer.Option("-v", "--verbose", count=True, help="More log.")] = 0,
    quiet: Annotated[int, typer.Option("-q", "--quiet", count=True, help="Less log.")] = 0,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="The version.")] = False,
) -> None:
    """What stands before the command."""
    context.obj = (config, verbose - quiet)


def _options(context: typer.Context) -> Any:
    from pipeline.entrypoints.options import Options

    return Options(*context.find_root().obj)


def _run(main: Any) -> Any:
    from pipeline.entrypoints.options import run_async

    return run_async(main)


def _show(rows: Any, chosen: str | None) -> None:
    from pipeline.entrypoints import output

    try:
        output.show(rows, output.Format(chosen) if chosen else None)
    except ValueError as e:
        raise UsageError(f"--format: {chosen!r}: expected table, json, jsonl or csv") from e


@app.command()
def run(context: typer.Context) -> None:
    """The daemon: polls what is due, ingests, serves the page; stops cleanly on Ctrl-C."""
    from pipeline.entrypoints import daemon

    _run(daemon.run(_options(context)))


@app.command()
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

    _show([_run(polling.poll(_options(context), tuple(feed or ()), is_all=is_all))], chosen)


@backfill_app.callback()
def backfill(
    context: typer.Context,
    feed: FeedName = None,
    since: Since = None,
    until: Until = None,
    via: Annotated[str, typer.Option(help="auto, feed, sitemap or urls.")] = "auto",
    inputs: Annotated[Names, typer.Option("--input", help="A file of URLs, one a line; may be repeated.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how much there would be to do.")] = False,
    maximum: Annotated[int | None, typer.Option("--max", min=1, help="At most so many new URLs.")] = None,
    resume: Annotated[int | None, typer.Option(help="The number of the run to go on with.")] = None,
    chosen: Format = None,
) -> None:
    """Ingest a past range, once; the same command again goes on where it stopped."""
    if context.invoked_subcommand is not None:
        return
    from pipeline.entrypoints import backfill as filling

    asked = filling.Asked(
        tuple(feed or ()), since, until, "urls" if inputs and via == "auto" else via, tuple(inputs or ()), maximum
    )
    _show([_run(filling.backfill(_options(context), asked, resume, is_dry=dry_run))], chosen)


@backfill_app.command("list")
def backfill_list(context: typer.Context, chosen: Format = None) -> None:
    """All backfills, newest first."""
    from pipeline.entrypoints import backfill as filling

    _show(_run(filling.listing(_options(context))), chosen)


@backfill_app.command("show")
def backfill_show(
    context: typer.Context, run_id: Annotated[int, typer.Argument(metavar="ID")], chosen: Format = None
) -> None:
    """One backfill with its cursor and outcomes."""
    from pipeline.entrypoints import backfill as filling

    _show(_run(filling.listing(_options(context), run_id)), chosen)


@app.command()
def search(
    context: typer.Context,
    words: Words = None,
    label: Label = None,
    topic: Topic = None,
    feed: FeedName = None,
    kind: Kind = None,
    site: Site = None,
    lang: Lang = None,
    since: Since = None,
    until: Until = None,
    min_score: MinScore = None,
    sort: Sort = "newest",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Rows of a page.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="Go on after the row that printed it.")] = None,
    chosen: Format = None,
) -> None:
    """Find articles by words and filters."""
    from pipeline.entrypoints import reading

    many = (tuple(given or ()) for given in (label, topic, feed, kind, site, lang))
    asked = reading.Asked(words, reading.Many(*many), since, until, min_score, sort, limit, cursor)
    _show(reading.narrow(_run(reading.search(_options(context), asked)), chosen), chosen)


@app.command()
def export(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(help="A .jsonl or .csv file, also with .gz or .zst behind.")],
    words: Words = None,
    label: Label = None,
    topic: Topic = None,
    feed: FeedName = None,
    kind: Kind = None,
    site: Site = None,
    lang: Lang = None,
    since: Since = None,
    until: Until = None,
    min_score: MinScore = None,
) -> None:
    """Write all articles that match to a file, newest first."""
    from pipeline.entrypoints import reading

    many = (tuple(given or ()) for given in (label, topic, feed, kind, site, lang))
    count = _run(
        reading.export(_options(context), reading.Asked(words, reading.Many(*many), since, until, min_score), out)
    )
    typer.echo(f"{count} articles written to {out}", err=True)


@app.command()
def show(context: typer.Context, id_or_url: str, chosen: Format = None) -> None:
    """One article with provenance, verdicts, evidence, appearances and audit trail."""
    from pipeline.entrypoints import reading

    reading.print_article(_run(reading.show(_options(context), id_or_url)), chosen)


@app.command()
def why(context: typer.Context, url: str, chosen: Format = None) -> None:
    """What became of a URL: stored, duplicate of, dropped with reason, waiting until."""
    from pipeline.entrypoints import reading

    _show(_run(reading.why(_options(context), url)), chosen)


@app.command()
def status(context: typer.Context, chosen: Format = None) -> None:
    """Counts, lag and health."""
    from pipeline.entrypoints import output, reading

    stats = output.plain(_run(reading.status(_options(context))))
    is_table = chosen == "table" or (chosen is None and sys.stdout.isatty())
    _show([{"what": name, "value": value} for name, value in stats.items()] if is_table else [stats], chosen)


@feeds_app.command("list")
def feeds_list(context: typer.Context, chosen: Format = None) -> None:
    """All feeds with state, next poll and the reason for it."""
    from pipeline.entrypoints import feeds

    _show(_run(feeds.listing(_options(context))), chosen)


@feeds_app.command("add")
def feeds_add(
    context: typer.Context,
    url: str,
    title: Annotated[str | None, typer.Option()] = None,
    kind: Annotated[str, typer.Option(help="trade, official, wire, general or thinktank.")] = "general",
    country: Annotated[str | None, typer.Option(help="ISO 3166-1 alpha-2.")] = None,
    lang: Annotated[str | None, typer.Option(help="BCP 47.")] = None,
    chosen: Format = None,
) -> None:
    """Add a feed by its URL."""
    from pipeline.entrypoints import feeds
    from pipeline.model import FeedKind

    if kind not in list(FeedKind):
        raise UsageError(f"--kind: {kind!r}: expected {', '.join(FeedKind)}")
    new = feeds.new_feed(url, title, FeedKind(kind), country, lang)
    _show([_run(feeds.add(_options(context), new))], chosen)


def _change(context: typer.Context, named: list[str], to: str, chosen: str | None) -> None:
    from pipeline.entrypoints import feeds

    _show(_run(feeds.change(_options(context), tuple(named), to)), chosen)


@feeds_app.command("remove")
def feeds_remove(context: typer.Context, feed: list[str], chosen: Format = None) -> None:
    """Poll feeds no more; their articles stay."""
    _change(context, feed, "removed", chosen)


@feeds_app.command("enable")
def feeds_enable(context: typer.Context, feed: list[str], chosen: Format = None) -> None:
    """Poll feeds again."""
    _change(context, feed, "enabled", chosen)


@feeds_app.command("disable")
def feeds_disable(context: typer.Context, feed: list[str], chosen: Format = None) -> None:
    """Pause feeds."""
    _change(context, feed, "disabled", chosen)


@feeds_app.command("check")
def feeds_check(context: typer.Context, feed: Annotated[Names, typer.Argument()] = None, chosen: Format = None) -> None:
    """Ask feeds now, storing nothing: which answer, what with, and when they are polled next and why."""
    from pipeline.entrypoints import feeds

    _show(_run(feeds.check(_options(context), tuple(feed or ()))), chosen)


@app.command()
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
    is_whole = _run(files.print_rows(files.extract_files(_options(context), items)))
    if not is_whole and not jsonl:
        raise typer.Exit(1)


@app.command("parse-feed")
def parse_feed(
    context: typer.Context,
    paths: Annotated[list[str], typer.Argument(metavar="PATH...")],
    url: Annotated[str | None, typer.Option(help="Where the feed comes from.")] = None,
) -> None:
    """Feeds (also .gz) to entries, one JSON line each."""
    from pipeline.entrypoints import files

    if not _run(files.print_rows(files.parse_files(_options(context), files.items_of(paths, url)))):
        raise typer.Exit(1)


@app.command()
def classify(
    context: typer.Context,
    paths: Annotated[list[Path] | None, typer.Argument(metavar="FILE...")] = None,
    text: Annotated[str | None, typer.Option(help="One text instead of files.")] = None,
) -> None:
    """JSON lines {"id", "title", "text"} to verdicts; stdin if no file is named."""
    from pipeline.entrypoints import files

    if text is not None:
        files.print_row(files.verdict_of(_options(context), text))
    elif not files.print_all(files.classify_lines(_options(context), files.lines_of(paths or ()))):
        raise typer.Exit(1)


@db_app.command("upgrade")
def db_upgrade(context: typer.Context) -> None:
    """Bring the schema to this version, making the database if it is missing."""
    from pipeline.entrypoints import database

    typer.echo(database.upgrade(_options(context)), err=True)


@db_app.command("check")
def db_check(context: typer.Context, chosen: Format = None) -> None:
    """The schema's version and the invariants of the data."""
    from pipeline.entrypoints import database

    rows = _run(database.check(_options(context)))
    _show(rows, chosen)
    if not all(row["holds"] for row in rows):
        raise typer.Exit(1)


@app.command()
def demo(
    context: typer.Context,
    keep: Annotated[Path | None, typer.Option(help="Keep the database in this new file.")] = None,
    is_open: Annotated[bool, typer.Option("--open", help="Then serve the page until Ctrl-C.")] = False,
) -> None:
    """The whole job without network: a bundled newsroom on loopback, poll, ingest, search."""
    from pipeline.entrypoints import demo as showing

    _run(showing.demo(_options(context), keep, is_open=is_open))


def _everywhere(words: list[str]) -> list[str]:
    """The options that may stand anywhere, put first; what follows "--" is left alone."""
    end = words.index("--") if "--" in words else len(words)
    first, rest = [], []
    given = iter(words[:end])
    for word in given:
        if word == "--config":
            first += [word, *(value for value in [next(given, None)] if value is not None)]
        elif word in _ANYWHERE or word.startswith("--config="):
            first.append(word)
        else:
            rest.append(word)
    return [*first, *rest, *words[end:]]


def main() -> None:
    """The entry point: expected errors become a line on stderr and an exit code."""
    try:
        app(_everywhere(sys.argv[1:]), standalone_mode=True)
    except UsageError as e:
        _fail(str(e), 2)
    except DefnewsError as e:
        _fail(str(e), 1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception as e:
        code = getattr(e, "exit_code", None)
        if code is None:
            raise
        sys.exit(code)


def _fail(message: str, code: int) -> None:
    print(f"defnews: {message}", file=sys.stderr)
    sys.exit(code)
