"""The command line: what can be typed; each command imports what it needs when it is called."""

import errno
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.entrypoints.cli import files, flow, judging, reading
from pipeline.entrypoints.cli.database import db_app
from pipeline.entrypoints.cli.feeds import feeds_app
from pipeline.entrypoints.cli.saved import saved_app
from pipeline.entrypoints.cli.stories import stories_app
from pipeline.errors import DefnewsError, UsageError

_ANYWHERE = ("-v", "-vv", "--verbose", "-q", "-qq", "--quiet", "--version")

app = typer.Typer(
    name="defnews",
    help="Polls news feeds, extracts the articles, says which are defense-related and why, keeps them searchable.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for _command in (
    flow.run,
    flow.serve,
    flow.scheduler,
    flow.worker,
    flow.poll,
    reading.search,
    reading.export,
    reading.show,
    reading.why,
    reading.status,
    reading.doctor,
    reading.mcp,
    judging.label,
    judging.review,
    judging.reclassify,
    judging.reprocess,
    judging.evaluate,
    judging.train,
    files.extract,
    files.parse_feed,
    files.classify,
    flow.demo,
):
    app.command()(_command)
app.add_typer(feeds_app, name="feeds")
app.add_typer(stories_app, name="stories")
app.add_typer(db_app, name="db")
app.add_typer(saved_app, name="saved")
app.add_typer(flow.backfill_app, name="backfill")


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
        try:
            app(_everywhere(sys.argv[1:]), standalone_mode=True)
        finally:
            print(end="", flush=True)  # what cannot be printed is met here, not when Python ends
    except UsageError as e:
        _fail(str(e), 2)
    except DefnewsError as e:
        _fail(str(e), 1)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as e:
        _cannot_print(e)
    except Exception as e:
        code = getattr(e, "exit_code", None)
        if code is None:
            raise
        sys.exit(code)


def _cannot_print(error: OSError) -> None:
    """Ends quietly when the reader went away, with a line when there is no space left."""
    if isinstance(error, BrokenPipeError):
        sys.stderr.close()
        sys.exit(0)
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        raise error
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left to print has no place either
    _fail(os.strerror(error.errno), 1)


def _fail(message: str, code: int) -> None:
    print(f"defnews: {message}", file=sys.stderr)
    sys.exit(code)
